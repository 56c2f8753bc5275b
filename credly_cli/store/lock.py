"""One run at a time: an operating-system lock beside the store, which a kill frees (R18)."""

import fcntl
import os
import re
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from credly_cli.errors import Failure
from credly_cli.files import make_private_folder
from credly_cli.times import Clock, utc_text

_POLL_SECONDS = 0.1
_MODE = 0o600  # whatever the umask
_NUMBER = re.compile(r"\d{1,15}", re.ASCII)


class RunLock:
    """The lock, held. Its file also carries the number of the last run, which tells a restored store."""

    def __init__(self, descriptor: int | None, holder: str = "") -> None:
        self._descriptor = descriptor
        self._holder = holder
        first = "" if descriptor is None else _read(descriptor).partition("\n")[0]
        self.run_number: int | None = int(first) if _NUMBER.fullmatch(first) else None
        self._write()

    def note_run(self, number: int) -> None:
        """Write the number of the run that begins, safely on disk before its first claim."""
        self.run_number = number
        self._write()

    def _write(self) -> None:
        if self._descriptor is None:  # a dry run before there is a store
            return
        text = f"{'' if self.run_number is None else self.run_number}\n{self._holder}\n".encode()
        os.pwrite(self._descriptor, text, 0)
        os.ftruncate(self._descriptor, len(text))
        os.fsync(self._descriptor)


@contextmanager
def locked(path: Path, wait_seconds: float, clock: Clock, *, rehearse: bool = False) -> Iterator[RunLock]:
    """Hold the lock for the block, waiting for another holder at most so long; raises ``Failure`` after that.

    With ``rehearse`` the file is left as it was found.
    """
    make_private_folder(path.parent)
    descriptor = _open_and_take(path, wait_seconds, clock)
    before = os.pread(descriptor, 4096, 0)
    try:
        yield RunLock(descriptor, f"process {os.getpid()} on {socket.gethostname()} since {utc_text(clock.now())}")
    finally:
        if rehearse:
            os.pwrite(descriptor, before, 0)
            os.ftruncate(descriptor, len(before))
        os.close(descriptor)  # frees the lock; the file stays, another process may hold it open


def _open_and_take(path: Path, wait_seconds: float, clock: Clock) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE)
        try:
            if stat.S_IMODE(os.fstat(descriptor).st_mode) != _MODE:
                os.fchmod(descriptor, _MODE)
            _take(descriptor, wait_seconds, clock)
            if _is_still(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # it was deleted while we waited: whoever comes next locks another file


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _take(descriptor: int, wait_seconds: float, clock: Clock) -> None:
    waited = 0.0
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not waited < wait_seconds:
                raise _held(descriptor) from None
        else:
            return
        clock.sleep(_POLL_SECONDS)
        waited += _POLL_SECONDS


def _held(descriptor: int) -> Failure:
    holder = _read(descriptor).partition("\n")[2].strip() or "another process"
    return Failure(
        "locked",
        f"Another credly is at work: {holder}.",
        hint="Try again when it is done, or wait longer with --lock-wait SECONDS.",
    )


def _read(descriptor: int) -> str:
    return os.pread(descriptor, 4096, 0).decode("utf-8", "replace")
