"""The log file of `sync`: a line of JSON an event, readable by its owner only, without tokens and addresses.

Each line goes to the file that has the name at that moment, so logrotate may move the old one away at any time.
"""

import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

from credly_cli.errors import Exit, Failure, Problem, unwritable
from credly_cli.files import followed
from credly_cli.text import without_addresses
from credly_cli.times import Clock, utc_text

if TYPE_CHECKING:
    from credly_cli.store.grants import Moved


class _PrivateFileHandler(WatchedFileHandler):
    """A watched file of mode 0600 from birth."""

    def _open(self) -> TextIOWrapper:
        there = followed(Path(self.baseFilename))  # what is no file, such as a container's /dev/stderr, keeps its name
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(there, flags | (0 if there.is_symlink() else os.O_NOFOLLOW), 0o600)
        if os.fstat(descriptor).st_mode & 0o600 != 0o600:  # noqa: PLR2004 - born under a umask that denies all
            os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's own signature
        raise  # noqa: PLE0704 - logging calls this while it handles the error


class RunLog:
    """Takes what happens in a run; without a file it does nothing."""

    def __init__(self, handler: logging.Handler | None, clock: Clock) -> None:
        self._handler = handler
        self._clock = clock

    def begun(self) -> None:
        """Note that a run begins; raises ``OSError`` where the file cannot be written."""
        self._write("begun", process=os.getpid())

    def step(self, name: str) -> None:
        """Note that a step begins."""
        self._note("step", step=name)

    def file(self, facts: Mapping[str, object]) -> None:
        """Note what was understood of a file, without names and addresses."""
        self._note("file", **facts)

    def grants(self, moved: "Callable[[], Iterable[Moved]]") -> None:
        """Note what became of each grant, by ids: what went out, and what did not (R33)."""
        if self._handler is not None:
            for grant in moved():  # which looks through the whole ledger
                self._note("grant", **asdict(grant))

    def ended(self, status: str, exit_code: Exit, problems: Iterable[Problem], counts: Mapping[str, object]) -> None:
        """Note each problem, and how the run ended."""
        for problem in problems:
            self._note(
                "problem",
                code=problem.code,
                message=without_addresses(problem.message),
                badge_id=problem.badge_id,
                grant_id=problem.grant_id,
            )
        self._note("ended", status=status, exit_code=int(exit_code), **counts)

    def close(self) -> None:
        """Close the file."""
        if self._handler is not None:
            self._handler.close()

    def failed(self, failure: Failure) -> None:
        """Note that the run could not be done."""
        facts = {"code": failure.code, "message": without_addresses(failure.message)}
        self._note("failed", exit_code=int(failure.exit_code), **facts)

    def _note(self, event: str, **facts: object) -> None:
        with suppress(OSError):  # a full disk or a lost folder is no reason to leave badges unsent
            self._write(event, **facts)

    def _write(self, event: str, **facts: object) -> None:
        if self._handler is None:
            return
        line = json.dumps({"at": utc_text(self._clock.now()), "event": event, **facts})
        self._handler.handle(logging.makeLogRecord({"msg": line, "args": None}))


@contextmanager
def recording(path: Path | None, clock: Clock) -> Iterator[RunLog]:
    """Keep a log of the block in a file, if one is named; a failure is noted and goes on its way."""
    if path is None:
        yield RunLog(None, clock)
        return
    log = _begun(path, clock)
    try:
        yield log
    except Failure as failure:
        log.failed(failure)
        raise
    except KeyboardInterrupt:
        log.failed(Failure("interrupted", "Stopped before it began."))
        raise
    finally:
        log.close()


def _begun(path: Path, clock: Clock) -> RunLog:
    try:
        log = RunLog(_PrivateFileHandler(path), clock)
        log.begun()
    except OSError as error:
        raise unwritable("--log-file", path, error) from None
    return log
