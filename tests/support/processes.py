"""Real processes against a real socket: the program as cron runs it, and a stand-in of Credly that counts."""

import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.installed import PROGRAM, variables
from tests.support.stand_in import FaultyServer, sandbox_with_samples

if TYPE_CHECKING:
    from tests.support.stand_in import FaultySandbox

PACE = "[grants]\nsettle_seconds = 1\nrecheck_seconds = 0\n"  # nothing is late here, so nothing need settle long
ONCE, REPEATABLE = "Facilitator", "Webinar Participant"


NEEDS_PROC = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="what a process has open is read in /proc")


def wait_until(happened: Callable[[], bool], process: "subprocess.Popen[Any] | None" = None) -> None:
    """Wait for something to have happened, however slow the machine is; fails when the process ends before it."""
    end = time.monotonic() + 120
    while not happened():
        if process is not None and process.poll() is not None and not happened():
            raise AssertionError(f"it ended with {process.returncode} before: {process.communicate()}")
        assert time.monotonic() < end, "two minutes were not enough"
        time.sleep(0.005)


def has_open(pid: int, path: Path) -> bool:
    """Tell whether a process has a file open."""
    wanted = str(path.resolve())
    for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
        with suppress(FileNotFoundError):  # closed since it was listed
            if str(descriptor.readlink()) == wanted:
                return True
    return False


class Site:
    """A home, a stand-in on a socket, and commands as processes of their own."""

    def __init__(self, folder: Path, config: str = PACE) -> None:
        self.home = folder / "home"
        self.home.mkdir(mode=0o700)
        (self.home / "config.toml").write_text(config)
        self.sandbox: FaultySandbox = sandbox_with_samples()
        self.server = FaultyServer(self.sandbox)
        self.processes: list[subprocess.Popen[str]] = []
        self.completed = 0

    def __enter__(self) -> "Site":
        self.server.start()
        self.must("connect", "--token-stdin", "--api-url", self.server.url, stdin=self.sandbox.token)
        self.must("sync")
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.communicate()
        self.server.stop()

    @property
    def pid(self) -> int:
        """The process of the latest command."""
        return self.processes[-1].pid

    def start(
        self, *arguments: str, environ: Mapping[str, str] | None = None, before: Any = None
    ) -> "subprocess.Popen[str]":
        """Start a command."""
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*PROGRAM, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=variables(self.home, environ),
            cwd=self.home,
            preexec_fn=before,  # noqa: PLW1509 - limits of the child alone
        )
        self.processes.append(process)
        return process

    def run(
        self, *arguments: str, stdin: str = "", environ: Mapping[str, str] | None = None, before: Any = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        process = self.start(*arguments, environ=environ, before=before)
        out, err = process.communicate(stdin, timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def has_lock_open(self, process: "subprocess.Popen[str]") -> bool:
        """Tell whether a process has come as far as the store's lock."""
        return has_open(process.pid, self.home / "credly.db.lock")

    def must(self, *arguments: str, stdin: str = "") -> str:
        """Run a command that must succeed, and return its output."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done
        return done.stdout

    def complete(self, learners: int) -> None:
        """Let so many learners complete a course of two sessions and an article, both linked to badges."""
        files = {
            "content": "content_id,title,type,status,session_id\n"
            "course,Course,course,published,s1\ncourse,Course,course,published,s2\narticle,Article,article,published,\n",
            "progress": "email,learner_id,content_id,session_id,status,completed_at,first_name,last_name\n"
            + "".join(
                f"l{number}@example.org,id{number},{place},completed,2026-03-0{day}T09:00:00Z,F{number},L{number}\n"
                for number in range(learners)
                for day, place in ((1, "course,s1"), (2, "course,s2"), (3, "article,"))
            ),
        }
        for kind, text in files.items():
            (self.home / f"{kind}.csv").write_text(text)
            self.must("import", kind, str(self.home / f"{kind}.csv"))
        self.must("link", REPEATABLE, "course", "--since", "2026-01-01", "--yes")
        self.must("link", ONCE, "article", "--since", "2026-01-01", "--yes")
        self.completed = learners

    def states(self) -> Counter[str]:
        """Count the grants by state."""
        with closing(sqlite3.connect(self.home / "credly.db")) as store, store:
            return Counter(state for (state,) in store.execute("SELECT state FROM grants"))

    def calm_down(self, runs: int = 12) -> None:
        """Take all faults away, and run until nothing is open."""
        self.sandbox.faults.clear()
        done = None
        for _ in range(runs):
            done = self.run("sync")
            if done.returncode == 0:
                return
            time.sleep(1.05)
        raise AssertionError(done)

    def doubled(self) -> int:
        """Count the badges that are one too many."""
        marks = Counter((badge.template_id, badge.details.issuer_earner_id) for badge in self.sandbox.issued())
        return sum(count - 1 for count in marks.values())

    def mislinked(self) -> int:
        """Count the grants that are not bound to the badge that was issued for them."""
        marks = {badge.id: badge.details.issuer_earner_id for badge in self.sandbox.issued()}
        with closing(sqlite3.connect(self.home / "credly.db")) as store, store:
            rows = store.execute("SELECT issued_badge_id, earner_id FROM grants").fetchall()
        return sum(marks.get(issued) != mark for issued, mark in rows)

    def integrity(self) -> str:
        """Return what SQLite says about the store."""
        with closing(sqlite3.connect(self.home / "credly.db")) as store, store:
            return str(store.execute("PRAGMA integrity_check").fetchone()[0])

    def check(self) -> None:
        """Expect exactly one badge for each completion, bound to its grant, in a store that is intact."""
        assert (self.doubled(), self.mislinked(), self.integrity()) == (0, 0, "ok")
        assert len(self.sandbox.issued()) == self.completed * 3
        assert self.states() == Counter(issued=self.completed * 3)
