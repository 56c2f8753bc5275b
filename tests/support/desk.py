"""A desk to try the program at: a home, a clock that stands still, a Credly of its own, and commands to run."""

import copyreg
import json
import pickle
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from threading import Lock, RLock
from typing import Any

from typer.main import get_command

from credly_cli.app import app
from credly_cli.cli.environment import Environment
from credly_cli.output import Output
from credly_cli.store.database import Store
from tests.support.adapter import SandboxAdapter
from tests.support.stand_in import FaultySandbox, sandbox_with_samples

URL = "https://credly.test/v1"
_COMMAND = get_command(app)  # made once: the program itself makes it at each start, which takes 10 ms
START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

copyreg.pickle(type(Lock()), lambda _: (Lock, ()))  # a copy of a Credly has locks of its own
copyreg.pickle(type(RLock()), lambda _: (RLock, ()))


@dataclass
class StillClock:
    """A clock that moves only when told, or when somebody sleeps."""

    time: datetime = START

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class Ran:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Desk:
    """Where tests sit: everything that the program touches, under their control."""

    home: Path
    clock: StillClock = field(default_factory=StillClock)
    environ: dict[str, str] = field(default_factory=dict)
    sandbox: FaultySandbox = field(init=False)

    def __post_init__(self) -> None:
        self.sandbox = sandbox_with_samples(now=self.clock.now, sleep=self.clock.sleep)

    def copied_to(self, home: Path) -> "Desk":
        """Return a desk that goes on from here by itself: with a copy of the home, of the clock and of its Credly."""
        shutil.copytree(self.home, home, dirs_exist_ok=True)
        home.chmod(0o700)
        copy: Desk = pickle.loads(pickle.dumps(self))  # noqa: S301 - our own; in a third of the time of ``deepcopy``
        copy.home = home
        copy.sandbox.log.clear()
        return copy

    def run(
        self, *arguments: str, stdin: str = "", environ: Mapping[str, str] | None = None, terminal: bool = False
    ) -> Ran:
        """Run a command as a script would, or as somebody at a terminal would."""
        stream = Terminal if terminal else StringIO
        return self.run_on(stream(), stream(), stream(stdin), *arguments, environ=environ)

    def run_on(
        self, out: StringIO, err: StringIO, stdin: StringIO, *arguments: str, environ: Mapping[str, str] | None = None
    ) -> Ran:
        """Run a command with streams of one's own; on a terminal both outputs are the same one."""
        variables = {"CREDLY_HOME": str(self.home), **self.environ, **(environ or {})}
        environment = Environment(
            Output(out, err, variables),
            environ=variables,
            stdin=stdin,
            clock=self.clock,
            adapter=SandboxAdapter(self.sandbox),
        )
        code = _COMMAND(args=list(arguments), prog_name="credly", standalone_mode=False, obj=environment)
        return Ran(code, out.getvalue(), err.getvalue())

    def json(self, *arguments: str, code: int = 0, **how: Any) -> Any:
        """Run a command with ``--json`` and return its answer."""
        ran = self.run(*arguments, "--json", **how)
        assert ran.code == code, ran
        assert ran.err == "", ran
        return ran.json

    def connect(self) -> None:
        """Connect to the sandbox."""
        ran = self.run("connect", "--token-stdin", "--api-url", URL, stdin=self.sandbox.token)
        assert ran.code == 0, ran

    def file(self, name: str, text: str) -> str:
        """Put a file into the home and return its path."""
        path = self.home / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def imports(self, kind: str, text: str, *options: str, code: int = 0) -> Any:
        """Import a text as a file of that kind."""
        return self.json("import", kind, self.file(f"{kind}.csv", text), *options, code=code)

    def learns(self, *rows: str) -> None:
        """Import progress: rows of ``email, content_id, session_id, status, completed_at, first_name, last_name``."""
        header = "email,content_id,session_id,status,completed_at,first_name,last_name\n"
        self.imports("progress", header + "".join(f"{row}\n" for row in rows))

    def config(self, text: str) -> None:
        """Write the configuration."""
        self.file("config.toml", text)

    def pass_time(self, **duration: float) -> None:
        """Let the clock move on."""
        self.clock.time += timedelta(**duration)

    def badge_id(self, name: str) -> str:
        """Return the id of a sample badge by its name."""
        return next(identity for identity, row in self.sandbox.templates.items() if row["name"] == name)

    def issued(self, name: str | None = None) -> list[Any]:
        """Return the badges that the sandbox has issued: what really happened."""
        return self.sandbox.issued(template_id=self.badge_id(name) if name else None)

    def store(self) -> Store:
        """Open the store, to look into it."""
        return Store.open(self.home / "credly.db")


ConnectedAfter = Callable[[Callable[[Desk], object]], Desk]


def completes(desk: Desk, email: str = "anna@example.com", names: str = "Anna,Adler") -> None:
    """Let a learner complete a session of First Aid a minute after it was linked."""
    desk.json("link", "First Aid at Work", "first-aid")
    desk.pass_time(minutes=1)
    now = desk.clock.now().isoformat()
    desk.learns(f"{email},first-aid,first-aid-march,completed,{now},{names}")
