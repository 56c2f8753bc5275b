"""The manifest: for the LMS, whose page is which. It has addresses, so nobody else on this machine may read it."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EISDIR
from hashlib import blake2b
from itertools import islice
from os import strerror
from pathlib import Path
from typing import TextIO

from credly_cli.errors import unwritable
from credly_cli.files import followed, make_private_folder, replacing
from credly_cli.text import visible

COLUMNS = ("email", "learner_id", "url", "changed_at")
_MODE = 0o600
_DIGEST_BYTES = 8


def line_digest(email: str, learner_id: str | None) -> bytes:
    """Return a digest of what the manifest says of a learner."""
    return blake2b(repr((email, learner_id)).encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest()


def address(url: str | None, name: str) -> str:
    """Return the address of a page below that of the folder; where that is not known, its file name."""
    return name if url is None else f"{url.rstrip('/')}/{name}"


def write(path: Path, rows: Iterable[Sequence[str | None]]) -> None:
    """Write a manifest anew, or keep the old one whole; raises ``Failure``."""
    with _replacing(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([_inert(cell) for cell in row] for row in rows)


def _inert(cell: str | None) -> str | None:
    """Show what a terminal would obey or reorder as an escape; almost every cell is as it is."""
    return cell if cell is None or cell.isprintable() else visible(cell)


def leave_out(path: Path, is_meant: Callable[[str, str], bool]) -> None:
    """Take lines out of a manifest, by address and page; a file that is none by now stays. Raises ``Failure``."""
    try:
        with followed(path).open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
    except FileNotFoundError:
        return
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise unwritable("--manifest", path, error if isinstance(error, OSError) else OSError(str(error))) from None
    if _is_manifest(rows[:1]):
        write(path, (row for row in rows[1:] if not (len(row) == len(COLUMNS) and is_meant(row[0], row[2]))))


def remove(path: Path) -> None:
    """Remove a manifest that is there; a file that is none by now stays."""
    with suppress(OSError, csv.Error, UnicodeDecodeError):
        with path.open(newline="", encoding="utf-8") as file:
            is_manifest = _is_manifest(list(islice(csv.reader(file), 1)))
        if is_manifest:
            path.unlink()


def _is_manifest(head: Sequence[Sequence[str]]) -> bool:
    return [tuple(row) for row in head] == [COLUMNS]


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    try:
        target = followed(path)
        if target.is_dir():
            raise IsADirectoryError(EISDIR, strerror(EISDIR), str(path))
        make_private_folder(target.parent)
        draft = target.with_name(f".{target.name}.credly.new")
        if draft.is_file() and not draft.is_symlink():
            draft.unlink()  # of a run that was stopped
        with replacing(target, draft, _MODE) as file:
            yield file
    except OSError as error:
        raise unwritable("--manifest", path, error) from None
