"""What a command finds around it: streams, files, configuration, clock, and the way to Credly."""

import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from credly_cli.config import Paths, Settings, load
from credly_cli.errors import Failure
from credly_cli.output import Output
from credly_cli.signals import Interruption
from credly_cli.times import Clock, Deadline, utc_text

if TYPE_CHECKING:
    from credly_cli.connection.connect import Network
    from credly_cli.lms.source import SourceContext
    from credly_cli.store.database import Store
    from credly_cli.store.lock import RunLock

_NO = ("0", "false", "no", "off")
_PROFILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


class SystemClock:
    """The machine's clock; whoever is asked to stop does not sleep on."""

    def __init__(self, interruption: Interruption | None = None) -> None:
        self.interruption = interruption or Interruption()

    def now(self) -> datetime:
        """Return the current time, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds of a clock that nobody sets."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.interruption.wait(seconds)


@dataclass
class Environment:
    """Everything that a command does not get from its own parameters; tests bring their own."""

    output: Output
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    stdin: IO[str] = field(default_factory=lambda: sys.stdin)
    clock: Clock = field(default_factory=SystemClock)
    adapter: Any = None  # a requests transport adapter, in place of the network
    lms_adapter: Any = None  # the same for the LMS
    profile_option: str | None = None
    no_input_option: bool = False

    def __post_init__(self) -> None:
        """Take an empty variable for one that is not set."""
        self.environ = {name: value for name, value in self.environ.items() if value}

    @cached_property
    def interruption(self) -> Interruption:
        """Set once somebody asks the program to stop; wakes the machine's clock."""
        return self.clock.interruption if isinstance(self.clock, SystemClock) else Interruption()

    @property
    def profile(self) -> str:
        """The profile in use; raises ``Failure`` for what cannot be the name of one."""
        name = self.profile_option or self.environ.get("CREDLY_PROFILE") or "default"
        if not _PROFILE_NAME.fullmatch(name):
            raise Failure(
                "usage",
                f"{name!r} cannot be the name of a profile.",
                hint="Use letters, digits, '.', '_' and '-', for example: --profile sandbox",
            )
        return name

    @cached_property
    def paths(self) -> Paths:
        """Where this profile keeps its files: all under ``CREDLY_HOME``, or in the system's own folders."""
        config, data, state = self._folders()
        named = self.environ.get("CREDLY_CONFIG")
        inside = Path() if self.profile == "default" else Path("profiles", self.profile)
        return Paths(
            config=Path(named) if named else config / "config.toml",
            store=data / inside / "credly.db",
            token=data / inside / "token",
            state=state / inside,
        )

    def _folders(self) -> tuple[Path, Path, Path]:
        if home := self.environ.get("CREDLY_HOME"):
            return Path(home), Path(home), Path(home)
        import platformdirs  # noqa: PLC0415 - only where CREDLY_HOME does not answer

        return (
            platformdirs.user_config_path("credly-cli"),
            platformdirs.user_data_path("credly-cli"),
            platformdirs.user_state_path("credly-cli"),
        )

    @cached_property
    def settings(self) -> Settings:
        """The configuration, checked."""
        return load(self.paths.config, self.profile, required="CREDLY_CONFIG" in self.environ)

    def require_enabled(self) -> None:
        """Refuse to go on while the configuration switches the integration off (R6)."""
        if not self.settings.enabled:
            raise Failure(
                "integration-disabled",
                "The integration is switched off.",
                hint=f"Set enabled = true in {self.paths.config}.",
            )

    def network(self, seconds: float | None = None) -> "Network":
        """Return what a client of Credly needs of this machine; from now on it has so many ``seconds`` in all."""
        from credly_cli.connection.connect import Network  # noqa: PLC0415 - requests takes 100 ms to import

        return Network(
            self.environ,
            self.clock,
            self.paths.token,
            self.adapter,
            Deadline(self.clock, seconds),
            self.interruption,
        )

    def source_context(self) -> "SourceContext":
        """Return what a source of LMS data needs of this machine."""
        from credly_cli.lms.records import Reading  # noqa: PLC0415
        from credly_cli.lms.source import SourceContext  # noqa: PLC0415

        reading = Reading(self.clock.now(), self.settings.zone)
        return SourceContext(self.settings, reading, self.clock, self.environ, self.lms_adapter)

    def bytes_of_stdin(self) -> BinaryIO:
        """Return standard input as bytes."""
        buffer: BinaryIO | None = getattr(self.stdin, "buffer", None)
        return buffer or BytesIO(self.stdin.read().encode())

    @property
    def may_ask(self) -> bool:
        """Whether somebody is there to answer a question."""
        if self.no_input_option or self.output.as_json:
            return False
        if self.environ.get("CREDLY_NO_INPUT", "no").lower() not in _NO:
            return False
        return self.stdin.isatty() and self.output.stderr.isatty()

    def ask(self, question: str, flag: str) -> bool:
        """Ask yes or no on the terminal; raises ``Failure`` naming the flag where nobody can answer."""
        return self._answer(question, " [y/N] ", flag).strip().lower() in ("y", "yes")

    def typed(self, question: str, flag: str) -> str:
        """Ask for a line on the terminal; raises ``Failure`` naming the flag where nobody can answer."""
        return self._answer(f"{question}.", "", flag, prompt=f"{question}: ")

    def _answer(self, question: str, choices: str, flag: str, *, prompt: str | None = None) -> str:
        if not self.may_ask:
            message = f"There is no terminal to ask at: {question} Answer with {flag}."
            raise Failure("usage", message, hint=f"Run it again with {flag}, or at a terminal to be asked.")
        self.output.ask(prompt or f"{question}{choices}")
        return self.stdin.readline()

    @contextmanager
    def reading(self) -> Iterator["Store"]:
        """Open the store to read, an empty one where there is none yet."""
        from credly_cli.store.database import Store  # noqa: PLC0415

        with Store.open(self.paths.store) if self.paths.store.exists() else Store.in_memory() as store:
            yield store

    @contextmanager
    def writing(
        self, lock_wait: float, *, rehearse: bool = False, create: bool = False
    ) -> Iterator[tuple["Store", "RunLock"]]:
        """Open the store to write, alone; with ``rehearse`` all of it is undone at the end.

        Without ``create`` a store that is not there stays so: nothing can be changed in an empty one.
        """
        from credly_cli.store import page_changes  # noqa: PLC0415
        from credly_cli.store.database import Store  # noqa: PLC0415
        from credly_cli.store.lock import RunLock, locked  # noqa: PLC0415

        awaited = self.paths.lock.exists() and not rehearse  # another process may be making the store
        if not (create or awaited or self.paths.store.exists()):
            with Store.in_memory() as store:
                yield store, RunLock(None)
            return
        held = locked(self.paths.lock, lock_wait, self.clock, rehearse=rehearse)
        with held as lock, Store.open(self.paths.store) as store:
            now = utc_text(self.clock.now())
            if rehearse:
                with store.rehearsal():
                    page_changes.set_clock(store, now)
                    yield store, lock
            else:
                page_changes.set_clock(store, now)
                yield store, lock
