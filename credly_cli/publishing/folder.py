"""The folder that is published to: our own files in it, and nothing else, are written and removed (R35).

A list in the folder tells which files are ours, by a hash of each name: who reads the list cannot find a page by it,
and a name that somebody adds to it is none of ours. A name is in the list before its file is there, so whenever the
program is stopped, no page is left that nobody knows.
"""

import os
import re
import stat
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Self

from credly_cli.errors import Failure
from credly_cli.files import followed
from credly_cli.text import Command, Hint

LIST = ".credly-pages"
SHEET = "credly-badges.css"
LOGOS = tuple(f"credly-logo.{ending}" for ending in ("gif", "jpeg", "jpg", "png", "svg", "webp"))
BESIDE = (SHEET, *LOGOS)  # what may lie beside pages

_TITLE = "Pages of credly publish"
_PAGE = re.compile(r"[a-z2-7]{32}\.html", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{16}", re.ASCII)
_FIRST_LINE = re.compile(rf"{_TITLE} ([0-9a-f]{{16}})", re.ASCII)
_LIST_MODE = 0o600
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # no link, and no pipe that nobody writes to
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def hash_of(name: str) -> str:
    """Return what the list has of a file name."""
    return sha256(f"{_TITLE} {name}".encode()).hexdigest()[:16]


class Folder:
    """A folder that is published to, open; ``publisher`` is who publishes, as its list says."""

    def __init__(self, path: Path, descriptor: int, publisher: str) -> None:
        self.path = path
        self.publisher = publisher
        self._descriptor = descriptor
        self._listed: array[int] | None = None  # the hashes as numbers, in order: eight bytes a page

    @classmethod
    @contextmanager
    def opened(cls, path: Path, publisher: str | None, *, tidy: bool = True) -> Iterator[Self]:
        """Open a folder that is there; without a publisher for whoever publishes there. Raises ``Failure``.

        ``tidy``: remove what a run that was stopped left.
        """
        try:
            descriptor = os.open(path, _OPEN)
        except OSError as error:
            raise unusable(path, error) from None
        try:
            folder = cls(path, descriptor, publisher or "")
            if publisher is None:
                folder.publisher = folder.owner() or ""
            if tidy:
                folder._drop_draft()
            yield folder
        finally:
            os.close(descriptor)

    @property
    def _draft(self) -> str:
        """The name of what is not whole yet."""
        return f".credly-{self.publisher}.new"

    # The list

    def owner(self) -> str | None:
        """Return who publishes to the folder, ``None`` where nobody does; raises ``Failure`` for a list of others."""
        first = next(self._lines(), None)
        if first is None:
            return None
        found = _FIRST_LINE.fullmatch(first)
        if found is None:
            raise Failure(
                "file-exists",
                f"{self.path / LIST} is no list of published pages.",
                hint="Move it away, or publish to another folder.",
            )
        return found[1]

    def require_own(self) -> bool:
        """Refuse a folder with pages of another profile; returns whether it has a list of ours; raises ``Failure``."""
        owner = self.owner()
        if owner not in (None, self.publisher):
            raise Failure(
                "file-exists",
                f"{self.path} has pages of another profile, or of one that is gone.",
                hint=Hint("Publish to another folder, or remove them first:",
                          Command("publish", str(self.path), "--remove")),
            )  # fmt: skip
        return owner is not None

    def is_ours(self, name: str) -> bool:
        """Tell whether a file is one of ours: by its name, and the list as it was when this was first asked."""
        if not (_PAGE.fullmatch(name) or name in BESIDE):
            return False
        if self._listed is None:
            self._listed = array("Q", sorted(array("Q", (int(line, 16) for line in self._hashes()))))
        wanted = int(hash_of(name), 16)
        place = bisect_left(self._listed, wanted)
        return place < len(self._listed) and self._listed[place] == wanted

    def announce(self, names: Sequence[str]) -> None:
        """Put names into the list before their files are there."""
        if not names:
            return
        if self.owner() is None:
            self.write_list(())
        lines = "".join(f"\n{hash_of(name)}" for name in names)  # after a line that was broken off, if need be
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(LIST, flags, dir_fd=self._descriptor), "wb") as file:
            file.write(f"{lines}\n".encode())

    def write_list(self, names: Iterable[str]) -> None:
        """Write the list anew, in the order of the names."""
        self._write_lines(map(hash_of, names))

    def leave_out_of_list(self, hashes: Iterable[str]) -> None:
        """Take names out of the list, by their hashes."""
        gone = frozenset(hashes)
        self._write_lines(line for line in self._hashes() if line not in gone)

    def _write_lines(self, hashes: Iterable[str]) -> None:
        lines = BytesIO(f"{_TITLE} {self.publisher}\n".encode())
        lines.seek(0, os.SEEK_END)
        lines.writelines(f"{line}\n".encode() for line in hashes)
        self._replace(LIST, lines.getbuffer(), _LIST_MODE)

    def _hashes(self) -> Iterator[str]:
        return (line for line in self._lines() if _HASH.fullmatch(line))

    def _lines(self) -> Iterator[str]:
        try:
            descriptor = os.open(LIST, _READ, dir_fd=self._descriptor)
        except FileNotFoundError:
            return
        except OSError as error:  # it is a link
            raise unusable(self.path / LIST, error) from None
        with os.fdopen(descriptor, "r", encoding="ascii", errors="replace") as file:
            yield from (line.rstrip("\n") for line in file)

    # Files

    def may_write(self, name: str, *, ours: bool) -> bool:
        """Tell whether a name is free, or a file of ours has it; ``ours``: it is known that we wrote it."""
        status = self._status(name)
        return status is None or (stat.S_ISREG(status.st_mode) and (ours or self.is_ours(name)))

    def write(self, name: str, data: bytes) -> None:
        """Write a file so that a reader sees the old one or the new one, never a part."""
        status = self._status(name)
        self._replace(name, data, None if status is None else stat.S_IMODE(status.st_mode))

    def _replace(self, name: str, data: bytes | memoryview, mode: int | None) -> None:
        """Write a draft and put it in the place of a file; ``None``: who may read a new one is for the umask to say."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._draft, flags, 0o666 if mode is None else 0o600, dir_fd=self._descriptor)
        try:
            try:
                if mode is not None:
                    os.fchmod(descriptor, mode)
                left = memoryview(data)
                while left:
                    left = left[os.write(descriptor, left) :]
            finally:
                os.close(descriptor)
            os.rename(self._draft, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
        except BaseException:
            with suppress(OSError):
                os.unlink(self._draft, dir_fd=self._descriptor)
            raise

    def read(self, name: str) -> bytes | None:
        """Return what is in a file, ``None`` where none is there."""
        try:
            with os.fdopen(os.open(name, _READ, dir_fd=self._descriptor), "rb") as file:
                return file.read()
        except OSError:
            return None

    def has(self, name: str) -> bool:
        """Tell whether a file is there, and not empty, as a crash of the machine may leave it."""
        status = self._status(name)
        return status is not None and stat.S_ISREG(status.st_mode) and status.st_size > 0

    def remove(self, name: str) -> bool:
        """Remove a file that is ours; returns whether it was there: a link or a folder is none of ours."""
        status = self._status(name)
        if status is None or not stat.S_ISREG(status.st_mode):
            return False
        os.unlink(name, dir_fd=self._descriptor)
        return True

    def own_files(self, known: Callable[[str], bool]) -> list[str]:
        """Return the names of our files that are there, but for those that are ``known``: mostly all are."""
        with os.scandir(self._descriptor) as entries:
            return [entry.name for entry in entries if not known(entry.name) and self.is_ours(entry.name)]

    def remove_list(self) -> None:
        """Remove the list, where it is one of ours."""
        if self.owner() is not None:
            os.unlink(LIST, dir_fd=self._descriptor)

    def leave(self) -> str:
        """Return by what is told whether somebody touches the folder or its list from now on."""
        with suppress(OSError):  # to a time that no other change gives it: clocks of files tick slowly
            os.utime(self._descriptor, ns=(time.time_ns(), time.time_ns()))
        return self.place()

    def place(self) -> str:
        """Return how the folder is now, to be compared with how it was left.

        The machine's start is part of it: where it went down, pages that did not reach the disk may be empty.
        """
        status, listed = os.fstat(self._descriptor), self._status(LIST)
        numbers = [status.st_dev, status.st_ino, status.st_mtime_ns]
        numbers += [listed.st_ino, listed.st_size, listed.st_mtime_ns] if listed else []
        return ".".join(map(str, [*numbers, _start_of_machine()]))

    def _status(self, name: str) -> os.stat_result | None:
        try:
            return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def _drop_draft(self) -> None:
        """Remove what a run that was stopped left."""
        status = self._status(self._draft)
        if status is not None and stat.S_ISREG(status.st_mode):
            os.unlink(self._draft, dir_fd=self._descriptor)


def _start_of_machine() -> str:
    """Return what differs from one start of the machine to the next, where it can be told."""
    try:
        return _BOOT.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def resolved(path: Path) -> Path:
    """Return where a folder is, the links followed that lead there; raises ``Failure``."""
    try:
        return followed(path / ".nothing").parent  # what is there and no file is not followed otherwise
    except OSError as error:
        raise unusable(path, error) from None


def unusable(path: Path, error: OSError) -> Failure:
    """Say that a folder, or our list in it, cannot be used."""
    reason = error.strerror or str(error)
    return Failure("not-writable", f"{path} cannot be used: {reason}.", hint="Name a folder that is yours to write to.")
