"""Nightly exports: files that match the configuration's paths and globs, each taken once (design, section 6).

What was taken is remembered by its content, so a renamed file is not taken twice. The same content is taken again only
if it was written after other content of its kind was taken: then it says something again. A file that was modified just
now may still be being written: it is waited for, and left to the next run if it goes on changing. One that vanished
meanwhile is no error.
"""

import glob
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from credly_cli.errors import Failure
from credly_cli.lms.files import read_file
from credly_cli.lms.records import Kind
from credly_cli.lms.rejects import is_rejects_file
from credly_cli.lms.sources import Batch, Known, Part, Surroundings

_ORDER: tuple[Kind, ...] = ("learners", "content", "access", "progress")
_SETTLED_SECONDS = 2.0  # a file that was not modified for so long is not being written
_PREFIX = "file"
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    size: int
    modified: int  # nanoseconds
    digest: str = ""

    @property
    def stamp(self) -> tuple[str, int, int]:
        return str(self.path), self.size, self.modified


@dataclass(frozen=True, slots=True)
class _Taken:
    """A file that was taken before, and as the how manieth."""

    number: int
    stamp: tuple[str, int, int]


class FilesSource:
    """Reads the files that the configuration names and that are new."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def batches(self, bookmarks: Mapping[str, str], _known: Known) -> Iterator[Batch]:
        """Read what is new or changed, a file a batch, the oldest first."""
        for kind in _ORDER:
            for path in self._paths(kind):
                taken = _taken(bookmarks, kind)
                if file := self._news(path, taken):
                    yield self._batch(kind, file, taken)

    def _paths(self, kind: Kind) -> list[Path]:
        folder = self._around.settings.folder
        found: set[Path] = set()
        for pattern in self._around.settings[f"lms.files.{kind}"]:
            whole = str(Path(folder, Path(pattern).expanduser()))
            found.update(Path(name) for name in glob.glob(whole, recursive=True))  # noqa: PTH207 - takes absolute ones
        files = [_seen(path) for path in found if not is_rejects_file(path) and not path.is_dir()]
        return [file.path for file in sorted(filter(None, files), key=lambda file: (file.modified, file.path))]

    def _news(self, path: Path, taken: Mapping[str, _Taken]) -> _File | None:
        """Return the file, unless it was taken, vanished, or is still being written."""
        file = _seen(path)
        if file is None or any(file.stamp == known.stamp for known in taken.values()):
            return None
        file = self._settled(file)
        digest = _digest_of(path) if file else None
        if file is None or digest is None or file != _seen(path):
            return None
        known = taken.get(digest)
        others = [other for other in taken.values() if known and other.number > known.number]
        if known and not any(file.modified > other.stamp[2] for other in others):
            return None
        return _File(path, file.size, file.modified, digest)

    def _settled(self, file: _File) -> _File | None:
        age = self._around.clock.now().timestamp() - file.modified / 1e9
        if 0 <= age < _SETTLED_SECONDS:
            self._around.clock.sleep(_SETTLED_SECONDS - age)
        return file if _seen(file.path) == file else None

    def _batch(self, kind: Kind, file: _File, taken: Mapping[str, _Taken]) -> Batch:
        number = max((known.number for known in taken.values()), default=0) + 1
        bookmarks: dict[str, str | None] = {f"{_PREFIX}:{kind}:{file.digest}": json.dumps([number, *file.stamp])}
        try:
            records = read_file(kind, file.path, self._around.reading)
        except Failure as failure:
            if not file.path.exists():
                return Batch(iter(()))
            return Batch(iter(()), bookmarks, Failure("import-rejected", failure.message, hint=failure.hint))
        return Batch(iter([Part(kind, records, file.path.name, file.path)]), bookmarks)


def _taken(bookmarks: Mapping[str, str], kind: Kind) -> dict[str, _Taken]:
    taken = {}
    for name, value in bookmarks.items():
        if name.startswith(f"{_PREFIX}:{kind}:"):
            number, path, size, modified = json.loads(value)
            taken[name.rpartition(":")[2]] = _Taken(number, (path, size, modified))
    return taken


def _seen(path: Path) -> _File | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return _File(path, status.st_size, status.st_mtime_ns)


def _digest_of(path: Path) -> str | None:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE):
                digest.update(piece)
    except FileNotFoundError:
        return None
    except OSError:
        return "unreadable"
    return digest.hexdigest()
