"""Taking what an LMS tells into the store: a batch a transaction, so that memory does not grow with the file."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
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
from credly_cli.store import content, learners
from credly_cli.store.access import AccessList
from credly_cli.store.content import Catalogue
from credly_cli.store.database import Store
from credly_cli.store.enrollments import Progress
from credly_cli.store.tally import Tally

_BATCH = 10_000


@dataclass(slots=True)
class Imported:
    """What files of one kind brought about."""

    kind: Kind
    tally: Tally = field(default_factory=Tally)
    undone: int = 0  # completions that the LMS does not call complete any more; they stay
    rejects_files: list[Path] = field(default_factory=list)

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
) -> Imported:
    """Import files one after the other; raises ``Failure`` for one that is no such file at all."""
    outcome = Imported(kind)
    for source in sources:
        records = read_file(kind, source, reading)
        with _rejects(source, state_folder, keep=keep_rejects) as rejects:
            take(store, kind, records, outcome, rejects)
        if rejects is not None and rejects.path is not None:
            outcome.rejects_files.append(rejects.path)
    return outcome


@contextmanager
def _rejects(source: Path | BinaryIO, state_folder: Path, *, keep: bool) -> Iterator[RejectsFile | None]:
    if not keep:
        yield None
        return
    with RejectsFile(source if isinstance(source, Path) else None, state_folder) as rejects:
        yield rejects


def take(
    store: Store, kind: Kind, records: Records, outcome: Imported, rejects_file: RejectsFile | None = None
) -> None:
    """Take one source's records into the store, setting aside the rows that cannot be taken."""
    taker = _Taker(store, kind)
    for batch in _batches(records):
        rejected = [record for record in batch if isinstance(record, Reject)]
        good = [record for record in batch if not isinstance(record, Reject)]
        with store.transaction():
            tally, refused = taker.take(good)
        tally.read, tally.rejected = len(batch), len(rejected) + len(refused)
        outcome.tally += tally
        for reject in sorted([*rejected, *refused]) if rejects_file else ():
            rejects_file.add(reject)  # type: ignore[union-attr]
    with store.transaction():
        outcome.tally += taker.finish(complete=outcome.tally.rejected == 0)
    outcome.undone += taker.undone


def _batches(records: Iterable[Record | Reject]) -> Iterator[list[Record | Reject]]:
    records = iter(records)
    while batch := list(itertools.islice(records, _BATCH)):
        yield batch


class _Taker:
    """Leads the records of each kind to the store's way of taking them."""

    def __init__(self, store: Store, kind: Kind) -> None:
        self._store = store
        self._kind = kind
        self._progress = Progress(store, Catalogue.of(store)) if kind == "progress" else None
        self._access = AccessList(store) if kind == "access" else None

    @property
    def undone(self) -> int:
        return self._progress.undone if self._progress else 0

    def take(self, records: list[Record]) -> tuple[Tally, list[Reject]]:
        if self._progress is not None:
            return self._progress.take(cast("list[ProgressRecord]", records))
        if self._access is not None:
            return Tally(), self._access.take(cast("list[AccessRecord]", records))
        if self._kind == "content":
            return content.take(self._store, cast("list[ContentRecord]", records))
        return learners.take(self._store, cast("list[LearnerRecord]", records))

    def finish(self, *, complete: bool) -> Tally:
        """Write what can be written only after the last record."""
        return self._access.write(complete=complete) if self._access is not None else Tally()
