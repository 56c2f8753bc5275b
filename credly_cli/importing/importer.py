"""Taking what an LMS tells into the store: a batch a transaction, so that memory does not grow with the file."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from credly_cli.lms.files import Reading, read_file
from credly_cli.lms.records import (
    AccessRecord,
    ContentRecord,
    Kind,
    LearnerRecord,
    ProgressRecord,
    Record,
    Records,
    Reject,
)
from credly_cli.lms.rejects import RejectsFile
from credly_cli.progress import Progress
from credly_cli.store import content, learners, written_files
from credly_cli.store.access import AccessList
from credly_cli.store.content import Catalogue
from credly_cli.store.counts import Tally
from credly_cli.store.database import Store
from credly_cli.store.enrollments import ProgressWriter
from credly_cli.times import utc_text

_BATCH = 20_000
_TOLD_EVERY = 5_000  # rows


@dataclass(slots=True)
class Imported:
    """What files of one kind brought about."""

    kind: Kind
    tally: Tally = field(default_factory=Tally)
    undone: int = 0  # completions that the LMS does not call complete any more; they stay ...
    newly_undone: list[tuple[int, str, str]] = field(default_factory=list)  # ... and those that it did until now
    access_kept: bool = False  # rows of access could not be read, so that nothing was taken away
    rejects_files: list[Path] = field(default_factory=list)
    first_reject: tuple[Path | None, Reject] | None = None  # with its file, None for standard input

    def add(self, other: "Imported") -> None:
        """Add what another part of the same kind brought about."""
        self.tally += other.tally
        self.undone += other.undone
        self.newly_undone += other.newly_undone
        self.access_kept |= other.access_kept

    def json(self) -> dict[str, Any]:
        """Return the answer as scripts read it."""
        files = [str(path) for path in self.rejects_files]
        return {
            "kind": self.kind,
            **self.tally.json(),
            "undone": self.undone,
            "rejects_file": files[0] if files else None,
            "rejects_files": files,
        }


def import_files(
    store: Store,
    kind: Kind,
    sources: Sequence[Path | BinaryIO],
    reading: Reading,
    state_folder: Path,
    *,
    keep_rejects: bool = True,
    progress: Progress | None = None,
) -> Imported:
    """Import files one after the other; if one is no such file at all, raises ``Failure`` before anything is stored."""
    outcome = Imported(kind)
    opened = [(source, read_file(kind, source, reading)) for source in sources]
    for source, records in opened:
        path = source if isinstance(source, Path) else None
        with RejectsFile(path, state_folder, keep=keep_rejects) as rejects:
            take(store, kind, records, outcome, utc_text(reading.now), rejects, progress)
        if rejects.path is not None:
            outcome.rejects_files.append(rejects.path)
            written_files.note(store, "rejects", rejects.path)
        if rejects.first is not None and outcome.first_reject is None:
            outcome.first_reject = path, rejects.first
    return outcome


def take(
    store: Store,
    kind: Kind,
    records: Records,
    outcome: Imported,
    now: str,
    rejects_file: RejectsFile,
    progress: Progress | None = None,
) -> None:
    """Take one source's records into the store, setting aside the rows that cannot be taken."""
    sieve = Sieve(records, rejects_file, progress or Progress())
    match kind:
        case "progress":
            _take_progress(store, sieve, outcome, now)
        case "access":
            _take_access(store, sieve, outcome)
        case "content":
            for batch in _batches(sieve):
                with store.transaction():
                    outcome.tally += content.take(store, cast("list[ContentRecord]", batch), sieve.reject)
        case "learners":
            for batch in _batches(sieve):
                with store.transaction():
                    outcome.tally += learners.take(store, cast("list[LearnerRecord]", batch), sieve.reject, now)
    outcome.tally.read += sieve.read
    outcome.tally.rejected += sieve.rejected


def _take_progress(store: Store, sieve: "Sieve", outcome: Imported, now: str) -> None:
    with store.transaction():
        progress = ProgressWriter(store, Catalogue.of(store), now)
        outcome.tally += progress.take(cast("Iterable[ProgressRecord]", sieve), sieve.reject)
    outcome.undone += progress.undone
    outcome.newly_undone += progress.newly_undone


def _take_access(store: Store, sieve: "Sieve", outcome: Imported) -> None:
    with store.transaction():
        access = AccessList(store)
        access.take(cast("Iterable[AccessRecord]", sieve), sieve.reject)
        complete = sieve.rejected == access.unknown
        outcome.tally += access.write(complete=complete)
    outcome.access_kept |= not complete


class Sieve:
    """The good records of a source; the rejected rows are counted and written down."""

    def __init__(self, records: Records, rejects_file: RejectsFile, progress: Progress) -> None:
        self._records = records
        self._progress = progress
        self._file = rejects_file
        self.read = 0
        self.rejected = 0

    def __iter__(self) -> Iterator[Record]:
        for record in self._records:
            self.read += 1
            if not self.read % _TOLD_EVERY:
                self._progress.at(self.read)
            if type(record) is Reject:
                self.reject(record)
            else:
                yield cast("Record", record)

    def reject(self, reject: Reject) -> None:
        """Set a row aside."""
        self.rejected += 1
        self._file.add(reject)


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    records = iter(records)
    while batch := list(itertools.islice(records, _BATCH)):
        yield batch
