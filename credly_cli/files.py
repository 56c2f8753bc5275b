"""Files and folders that nobody else on this machine may read, whatever the umask; links, and patterns of names."""

import errno
import glob
import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TextIO

_MOST_LINKS = 40  # as Linux allows
_LOOK_SECONDS = 0.2  # between two looks at whether time is up


def make_private_folder(path: Path) -> None:
    """Make a folder and the missing ones above it, of mode 0700; those that exist are left as they are."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)


def make_private_file(path: Path) -> bool:
    """Make an empty file of mode 0600 that is not there yet; false when it is."""
    make_private_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    os.fchmod(descriptor, 0o600)
    os.close(descriptor)
    sync_folder(path.parent)
    return True


def keep_private(path: Path) -> None:
    """Take from others what a copy or a restored backup has given them."""
    status = path.stat()
    if status.st_mode & 0o077 and status.st_uid == os.geteuid():
        path.chmod(status.st_mode & 0o700)


def followed(path: Path) -> Path:
    """Return where a path leads; raises ``OSError`` at a link of anybody but this user and root.

    What is there and is no file, such as a pipe, keeps its name: behind ``/dev/stdout`` there is no path.
    """
    here, ahead, links = Path("/"), list(reversed(path.absolute().parts[1:])), 0
    while ahead:
        part = ahead.pop()
        there = here.parent if part == ".." else here / part
        target = _target_of(there)
        if target is None:
            here = there
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        here = Path("/") if target.is_absolute() else here
        ahead += reversed(target.parts[1:] if target.is_absolute() else target.parts)
    return path if path.exists() and not path.is_file() else here


def _target_of(path: Path) -> Path | None:
    """Return what a link says, ``None`` for anything that is no link or not there."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISLNK(status.st_mode):
        return None
    if status.st_uid not in (os.geteuid(), 0):
        raise PermissionError(errno.EPERM, f"{path} is a link that belongs to somebody else", str(path))
    return path.readlink()


def matching(pattern: str, seconds_left: Callable[[], float]) -> list[Path]:
    """Return the files that a pattern matches; raises ``TimeoutError`` when there is no time left.

    A folder may be huge, or on a disk that does not answer: so it is looked through beside, and given up.
    """
    found: SimpleQueue[Path | None] = SimpleQueue()
    given_up = threading.Event()
    threading.Thread(target=_look_through, args=(pattern, found, given_up), daemon=True).start()
    paths: list[Path] = []
    try:
        while (left := seconds_left()) > 0:
            with suppress(Empty):
                path = found.get(timeout=min(left, _LOOK_SECONDS))
                if path is None:
                    return paths
                paths.append(path)
    finally:
        given_up.set()
    raise TimeoutError(f"{pattern} was not looked through in time")


def _look_through(pattern: str, found: "SimpleQueue[Path | None]", given_up: threading.Event) -> None:
    try:
        for name in glob.iglob(pattern, recursive=True):  # noqa: PTH207 - takes absolute ones
            if given_up.is_set():
                return
            if os.path.isfile(name):  # noqa: PTH113 - of many names
                found.put(Path(name))
    finally:
        found.put(None)


def sync_folder(path: Path) -> None:
    """Bring the names in a folder safely onto the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet, of mode 0600; raises ``FileExistsError`` where it is."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600), "w") as file:
        file.write(text)


@contextmanager
def replacing(path: Path, draft: Path, mode: int) -> Iterator[TextIO]:
    """Write UTF-8 to a draft that takes a file's place once it is whole and on the disk; else the file stays as it was.

    ``mode`` is what the umask may take from; raises ``FileExistsError`` where the draft is there already.
    """
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def replace_private(path: Path, text: str) -> None:
    """Keep a text in a file of mode 0600 from birth, in place of what was there, safely on the disk."""
    make_private_folder(path.parent)
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with replacing(path, draft, 0o600) as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
    sync_folder(path.parent)
