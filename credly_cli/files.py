"""Files and folders that nobody else on this machine may read, whatever the umask."""

import os
from pathlib import Path


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


def sync_folder(path: Path) -> None:
    """Bring the names in a folder safely onto the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
