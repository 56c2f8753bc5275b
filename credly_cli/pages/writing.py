"""Writing a page: the old one stays until the new one is whole."""

import os
from contextlib import suppress
from pathlib import Path

from credly_cli.errors import unwritable


def write(path: Path, page: str) -> None:
    """Write a page so that a reader sees the old one or the new one, never a part; raises ``Failure``.

    A page is there to be published: the web server must read it, so a new file gets what the umask allows (0644 as a
    rule), and one that is replaced keeps the mode that somebody gave it.
    """
    try:
        _write(path.resolve(), page.encode("utf-8", "replace"))  # through a link to where the site keeps it
    except OSError as error:
        raise unwritable("--html", path, error) from None


def _write(target: Path, data: bytes) -> None:
    if target.exists() and not target.is_file():
        target.write_bytes(data)  # a pipe or terminal
        return
    draft = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            if target.exists():
                os.fchmod(file.fileno(), target.stat().st_mode & 0o777)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
