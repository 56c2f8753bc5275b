"""The rows that were not taken, in a file for a person to correct them by: ``FILE.rejects.csv``."""

import contextlib
import csv
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from credly_cli.errors import Failure
from credly_cli.files import followed
from credly_cli.lms.records import Record, Records, Reject
from credly_cli.progress import Progress
from credly_cli.text import spreadsheet_safe

_SUFFIX = ".rejects.csv"
_SHOWN_EVERY = 5_000  # rows


def is_rejects_file(path: Path) -> bool:
    """Tell whether a file is one that we wrote of rejected rows; such a file is never taken for input."""
    return path.name.lower().endswith(_SUFFIX)


class RejectsFile:
    """Collects the rejected rows of one import; a context manager.

    The file takes its place when the import ends well: those of an earlier import are removed, and after an exception
    they stay as they were. It belongs beside the source (``None`` is standard input, which has
    none), or in ``folder`` where that cannot be written, and nobody but its owner may read it. Without ``keep`` there
    is no file, only the count and the first of them. A row that ``is_news`` knows already is not collected again.
    """

    def __init__(
        self,
        source: Path | None,
        folder: Path,
        *,
        keep: bool = True,
        is_news: Callable[[Reject], bool] = lambda _: True,
    ) -> None:
        self._is_news = is_news
        self._places = _places(source, folder)
        self._file: TextIO | None = None
        self._writer: Any = None  # csv has no public type for it
        self._draft = Path()
        self.count = 0
        self.first: Reject | None = None
        self._keep = keep
        self.path: Path | None = None

    def add(self, reject: Reject) -> None:
        """Write down a rejected row."""
        if not self._is_news(reject):
            return
        self.first = self.first or reject
        self.count += 1
        if not self._keep:
            return
        if self._file is None:
            self._file = self._open()
            self._writer = csv.writer(self._file, lineterminator="\n")
            self._writer.writerow(Reject._fields)
        self._writer.writerow((reject.row, spreadsheet_safe(reject.column), spreadsheet_safe(reject.reason)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None:
            if kind is None and self._keep:
                self._remove_earlier()
            return
        try:
            self._file.close()
            if kind is None and self.path is not None:
                self._draft.replace(self.path)
                self._remove_earlier()
        finally:
            self._draft.unlink(missing_ok=True)

    def _open(self) -> TextIO:
        problem = OSError()
        for path in self._places:
            try:
                return self._open_at(path)
            except OSError as error:
                problem = error
        raise Failure("store-unusable", f"The rejected rows cannot be written to {path}: {problem.strerror}.") from None

    def _open_at(self, path: Path) -> TextIO:
        if path is self._places[-1]:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(0, "it is a folder")
        followed(path.parent)
        self._draft = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}")
        descriptor = os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        self.path = path
        return open(descriptor, "w", encoding="utf-8", newline="")  # noqa: PTH123 - Path has no way to the mode

    def _remove_earlier(self) -> None:
        """Remove what an earlier import wrote, wherever it had to."""
        for path in self._places:
            if path != self.path:
                with contextlib.suppress(OSError):
                    path.unlink()


class RejectFilter:
    """The good records of a source; rows that cannot be taken are counted and written down, by whomever refused."""

    def __init__(self, records: Records, file: RejectsFile, progress: Progress, read_before: int = 0) -> None:
        self._records = records
        self._file = file
        self._progress = progress
        self._read_before = read_before
        self.read = 0
        self.rejected = 0

    def __iter__(self) -> Iterator[Record]:
        number = 0
        try:
            for number, record in enumerate(self._records, 1):
                if not number % _SHOWN_EVERY:
                    self._progress.at(self._read_before + number)
                if isinstance(record, Reject):
                    self.reject(record)
                else:
                    yield record
        finally:
            self.read = number

    def reject(self, reject: Reject) -> None:
        """Set a row aside."""
        self.rejected += 1
        self._file.add(reject)


def _places(source: Path | None, folder: Path) -> list[Path]:
    """Return where the file may be, best first; in the folder, files of one name are told apart by their paths."""
    if source is None:
        return [folder / f"stdin{_SUFFIX}"]
    mark = hashlib.sha256(os.fsencode(source.resolve())).hexdigest()[:8]
    return [source.with_name(source.name + _SUFFIX), folder / f"{mark}-{source.name}{_SUFFIX}"]
