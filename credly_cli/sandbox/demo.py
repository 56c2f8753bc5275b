"""The story that `credly demo` tells: real commands in a temporary home, against the stand-in over a socket."""

import os
import shlex
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from credly_cli.errors import Exit
from credly_cli.output import Output
from credly_cli.sandbox.records import sample_organization
from credly_cli.sandbox.server import SandboxServer
from credly_cli.sandbox.state import Sandbox

CONTENT = """\
content_id,title,type,status,url,session_id,session_title
first-aid,First Aid Course,course,published,https://learn.example.org/first-aid,first-aid-spring,Spring
first-aid,First Aid Course,course,published,https://learn.example.org/first-aid,first-aid-autumn,Autumn
reading-data,Reading Data,course,published,https://learn.example.org/reading-data,,
documents,Documents for Everybody,learningPath,published,https://learn.example.org/documents,,
"""
LEARNERS = """\
email,first_name,last_name,learner_id
amara.diallo@example.org,Amara,Diallo,1041
ben.okafor@example.org,Ben,Okafor,1042
chen.li@example.org,Chen,Li,1043
dora.nagy@example.org,Dora,Nagy,1044
"""
_HEADER = "email,content_id,session_id,progress,status,completed_at\n"


@dataclass(frozen=True, slots=True)
class Step:
    """A command of the story and what came of it; ``output`` is ``None`` where it was shown as it came."""

    command: str
    exit_code: int
    output: str | None


class Story:
    """Tells the story step by step; each step is a command as somebody would type it."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self.steps: list[Step] = []
        self.went_well = True

    def tell(self, keep: Path | None) -> None:
        """Run the story in a home of its own, which is left behind in ``keep``."""
        with ExitStack() as stack:
            if keep is None:
                home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="credly-demo-")))
            else:
                keep.mkdir(parents=True, exist_ok=True)
                home = keep.resolve()
            sandbox = Sandbox(*sample_organization())
            server = stack.enter_context(SandboxServer(sandbox))
            self._home = home
            self._set_up(sandbox, server)
            self._learn()
            self._support()
            self._part()
            self._close(keep)

    def _set_up(self, sandbox: Sandbox, server: SandboxServer) -> None:
        self._sandbox = sandbox
        (self._home / "content.csv").write_text(CONTENT, encoding="utf-8")
        (self._home / "learners.csv").write_text(LEARNERS, encoding="utf-8")
        self._chapter("Connect, and bring the badges down from Credly (here: a stand-in on this machine)")
        token = self._home / "token.txt"
        token.write_text(sandbox.token, encoding="utf-8")
        token.chmod(0o600)
        self._run(f"credly connect --api-url {server.url} --token-file token.txt")
        self._run("credly sync")
        self._run("credly badges")
        self._chapter("Take the LMS's exports in, and link badges to content")
        self._run("credly import learners learners.csv")
        self._run("credly import content content.csv")
        self._run('credly link "First Aid at Work" "First Aid Course"')
        self._run('credly link data-literacy-level-1 "Reading Data"')

    def _learn(self) -> None:
        now = datetime.now(UTC)  # what is completed in the second of the link counts; a moment to come would wait
        before = now - timedelta(days=30)
        rows = [
            f"amara.diallo@example.org,first-aid,first-aid-spring,100,completed,{now.isoformat()}",
            "ben.okafor@example.org,first-aid,first-aid-spring,40,in_progress,",
            f"chen.li@example.org,reading-data,,100,completed,{now.isoformat()}",
            f"dora.nagy@example.org,reading-data,,100,completed,{before.isoformat()}",
        ]
        (self._home / "progress.csv").write_text(_HEADER + "\n".join(rows) + "\n", encoding="utf-8")
        self._chapter("Progress arrives; who completes linked content gets exactly one badge")
        self._run("credly import progress progress.csv")
        self._run("credly sync --dry-run")
        self._run("credly sync")
        self._run("credly sync")

    def _support(self) -> None:
        self._chapter("A learner is on the phone")
        self._run("credly learners diallo")
        self._run("credly learner-badges amara.diallo@example.org")
        self._run("credly missed")
        self._chapter("Grant one by hand")
        self._run('credly grant ben.okafor@example.org "First Aid at Work"')
        self._run("credly grants")

    def _part(self) -> None:
        self._chapter("Take a link away; archive a badge in Credly; leave")
        self._run("credly unlink data-literacy-level-1")
        archived = next(row["id"] for row in self._sandbox.templates.values() if row["name"] == "First Aid at Work")
        self._sandbox.archive_template(archived)
        self._remark('(In Credly somebody archives "First Aid at Work": its link ends, which needs a person.)')
        self._run("credly sync", ends_with=Exit.PARTIAL)
        self._run("credly learner-badges amara.diallo@example.org")
        self._run("credly disconnect --yes")

    def _close(self, keep: Path | None) -> None:
        self._chapter("What to type next")
        self._remark("With an account: credly connect, then: credly sync")
        self._remark("Without one:     credly sandbox, and the line that it prints")
        if keep is not None:
            self._remark(f"The demo's home:  CREDLY_HOME={shlex.quote(str(self._home))} credly status")

    def _run(self, line: str, *, ends_with: Exit = Exit.DONE) -> None:
        """Run a command, show it, and show what it answers as it comes."""
        _, *arguments = shlex.split(line)
        shown = not (self._output.as_json or self._output.quiet)
        if shown:
            self._output.confirm(f"$ {line}", "bold")
            self._output.stdout.flush()
        command = [sys.executable, "-m", "credly_cli", *arguments]
        environment = {**self._clean_environment(), "CREDLY_HOME": str(self._home)}
        done = subprocess.run(  # noqa: S603 - our own program
            command, cwd=self._home, env=environment, stdin=subprocess.DEVNULL, check=False,
            stdout=None if shown else subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.went_well = self.went_well and done.returncode == ends_with
        self.steps.append(Step(line, done.returncode, done.stdout))
        if shown:
            self._output.confirm("")

    def _clean_environment(self) -> dict[str, str]:
        """Return the environment without what would lead the commands to another Credly."""
        return {name: value for name, value in os.environ.items() if not name.startswith("CREDLY_")}

    def _chapter(self, title: str) -> None:
        self._output.confirm(f"# {title}", "green")

    def _remark(self, sentence: str) -> None:
        self._output.confirm(sentence)
