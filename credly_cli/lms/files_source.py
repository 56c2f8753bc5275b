"""Nightly exports: files that match the configuration's paths and globs, each taken once.

What was taken is remembered by its content: whatever it is called now, and however often it is copied or touched, it is
not taken twice. Only where a path has told something else meanwhile does the same content say something again. A file
that was modified just now may still be being written: it is waited for, and left to the next run if it goes on changing
or ends within a row. One that vanished meanwhile is no error; one that cannot be opened is reported until it can.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from credly_cli.errors import Failure
from credly_cli.files import matching
from credly_cli.lms.reader import open_file
from credly_cli.lms.records import Kind
from credly_cli.lms.rejects import is_rejects_file
from credly_cli.lms.source import Batch, Known, Part, SourceContext
from credly_cli.text import Hint
from credly_cli.times import Deadline

_ORDER: tuple[Kind, ...] = ("learners", "content", "access", "progress")
_SETTLED_SECONDS = 2.0  # a file that was not modified for so long is not being written ...
_FINISHED_SECONDS = 60.0  # ... nor one that ends within a row and was not for so long
_REMEMBERED = 5000  # contents of a kind, besides those whose files are still there
_PREFIX = "file"


_Stamp = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    size: int
    modified: int  # nanoseconds
    digest: str = ""

    @property
    def stamp(self) -> _Stamp:
        return str(self.path), self.size, self.modified


class _Taken:
    """The contents of one kind that were taken: as the how manieth, and from which file."""

    def __init__(self, kind: Kind, bookmarks: Mapping[str, str]) -> None:
        self._prefix = f"{_PREFIX}:{kind}:"
        self._contents: dict[str, tuple[int, _Stamp]] = {}
        for name, value in bookmarks.items():
            if name.startswith(self._prefix):
                number, path, size, modified = json.loads(value)
                self._contents[name.removeprefix(self._prefix)] = number, (path, size, modified)
        in_order = sorted(self._contents.items(), key=lambda item: item[1])
        self._stamps = {stamp for _, (_, stamp) in in_order}
        self._last = {stamp[0]: digest for digest, (_, stamp) in in_order}  # of each path
        self._number = max((number for number, _ in self._contents.values()), default=0)

    def has(self, file: _File) -> bool:
        """Tell whether this very file was taken."""
        return file.stamp in self._stamps

    def says(self, file: _File) -> bool:
        """Tell whether a file's content was taken and is still what its path said last, or is older than that."""
        last = self._last.get(str(file.path))
        if file.digest not in self._contents:
            return False
        return last is None or last == file.digest or file.modified <= self._contents[last][1][2]

    def note(self, file: _File) -> dict[str, str | None]:
        """Note that a file is taken; returns the bookmark."""
        self._number += 1
        self._contents[file.digest] = self._number, file.stamp
        self._stamps.add(file.stamp)
        self._last[str(file.path)] = file.digest
        return {self._prefix + file.digest: json.dumps([self._number, *file.stamp])}

    def forget(self, there: Iterable[Path]) -> dict[str, str | None]:
        """Return the bookmarks of what was taken long ago from files that are gone."""
        paths = set(map(str, there))
        oldest = sorted(self._contents, key=lambda digest: self._contents[digest][0])[:-_REMEMBERED]
        return {self._prefix + digest: None for digest in oldest if self._contents[digest][1][0] not in paths}


class FilesSource:
    """Reads the files that the configuration names and that are new."""

    def __init__(self, context: SourceContext) -> None:
        self._context = context

    def batches(self, bookmarks: Mapping[str, str], _known: Known) -> Iterator[Batch]:
        """Read what is new or changed, a file a batch, the oldest first."""
        stored = dict(bookmarks)
        for kind in _ORDER:
            paths, taken = self._paths(kind), _Taken(kind, stored)
            for path in paths:
                yield from self._read(kind, path, taken)
            if forgotten := taken.forget(paths):
                yield Batch(iter(()), forgotten)

    def _paths(self, kind: Kind) -> list[Path]:
        folder = self._context.settings.folder
        found: set[Path] = set()
        for pattern in self._context.settings.lms.files.of(kind):
            whole = str(Path(folder, Path(pattern).expanduser()))
            found.update(self._matching(pattern, whole))
        files = [_seen(path) for path in found if not is_rejects_file(path)]
        return [file.path for file in sorted(filter(None, files), key=lambda file: (file.modified, file.path))]

    def _matching(self, pattern: str, whole: str) -> list[Path]:
        deadline = self._context.deadline or Deadline(self._context.clock)
        interruption = self._context.interruption
        try:
            return matching(whole, lambda: 0 if interruption and interruption.is_set() else deadline.remaining())
        except TimeoutError:
            if interruption and interruption.is_set():
                raise interruption.failure() from None
            message = f"Time was up before all that {pattern} matches was found."
            hint = Hint("Name a smaller folder, or see whether its disk answers.")
            raise Failure("unreachable", message, hint=hint) from None

    def _read(self, kind: Kind, path: Path, taken: _Taken) -> Iterator[Batch]:
        """Read a file, unless it was taken, vanished, or is still being written."""
        file = _seen(path)
        if file is None or taken.has(file):
            return
        try:
            if not self._is_written(file):
                return
            file = replace(file, digest=_digest_of(path))
        except FileNotFoundError:
            return
        except OSError as error:
            yield Batch(iter(()), problem=_rejected(f"{path} cannot be opened: {error.strerror}."))
            return
        if taken.says(file) or not _is_still(file):
            return
        yield from self._batches(kind, file, taken)

    def _is_written(self, file: _File) -> bool:
        age = self._context.clock.now().timestamp() - file.modified / 1e9
        if 0 <= age < _SETTLED_SECONDS:
            self._context.clock.sleep(_SETTLED_SECONDS - age)
        return _is_still(file) and (not 0 <= age < _FINISHED_SECONDS or _ends_with_a_row(file.path))

    def _batches(self, kind: Kind, file: _File, taken: _Taken) -> Iterator[Batch]:
        """Yield a file as a batch; it stays open until the batch is taken."""
        with ExitStack() as opened:
            try:
                records = opened.enter_context(open_file(kind, file.path, self._context.reading))
            except Failure as failure:
                if file.path.exists():
                    yield Batch(iter(()), taken.note(file), _rejected(failure.message, failure.hint))
                return
            yield Batch(iter([Part(kind, records, file.path.name, file.path)]), taken.note(file))


def _seen(path: Path) -> _File | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return _File(path, status.st_size, status.st_mtime_ns)


def _is_still(file: _File) -> bool:
    now = _seen(file.path)
    return now is not None and now.stamp == file.stamp


def _ends_with_a_row(path: Path) -> bool:
    """Tell whether a file ends with a line, or with the bracket that ends JSON."""
    with path.open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - 2))
        return stream.read().rstrip(b"\0")[-1:] in (b"\n", b"\r", b"]", b"}")  # UTF-16 has a zero beside it


def _digest_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _rejected(message: str, hint: Hint | None = None) -> Failure:
    return Failure("import-rejected", message, hint=hint)
