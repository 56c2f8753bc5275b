"""Importing: the records of an LMS into the store, batch by batch, so that memory does not grow."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from credly_cli.import_options import Kind
from credly_cli.importing.candidates import THE_COMMON, IdOptions, Readdressed
from credly_cli.importing.content import import_access, import_content
from credly_cli.importing.file_report import FileReport
from credly_cli.importing.keeping import Keeping, KnownAddresses
from credly_cli.importing.learners import import_learners
from credly_cli.importing.progress import import_progress
from credly_cli.importing.statements import sent_before
from credly_cli.lms.reader import open_file, read_stream
from credly_cli.lms.records import ContentRecord, Reading, Record, Records, Reject
from credly_cli.lms.rejects import RejectFilter, RejectsFile
from credly_cli.progress import Progress
from credly_cli.store import needs_person, runs
from credly_cli.store.database import Counts, Store
from credly_cli.store.denials import UNKNOWN_ORIGIN, Origin
from credly_cli.store.enrollments import UndoneCompletion
from credly_cli.store.needs_person import Waiting
from credly_cli.store.statements import SentBefore
from credly_cli.text import as_json, counted
from credly_cli.times import utc_text

_BATCH = 20_000


@dataclass(slots=True)
class ImportResult:
    """What importing records of one kind did."""

    kind: Kind
    counts: Counts = field(default_factory=Counts)
    undone: int = 0  # completions that the LMS does not call complete any more; they stay ...
    newly_undone: list[UndoneCompletion] = field(default_factory=list)  # ... and those that it did until now
    voided: list[SentBefore] = field(default_factory=list)  # completions voided after their badges were sent
    readdressed: list[Readdressed] = field(default_factory=list)  # people who were believed to be who is known
    files: list[FileReport] = field(default_factory=list)  # what was understood of each
    access_kept: bool = False  # rows of access could not be read, so that nothing was taken away
    rejects_files: list[Path] = field(default_factory=list)
    first_reject: tuple[Path | None, Reject] | None = None  # with its file, None for standard input

    def add(self, other: "ImportResult") -> None:
        """Add what another part of the same kind did."""
        self.counts += other.counts
        self.undone += other.undone
        self.newly_undone += other.newly_undone
        self.voided += other.voided
        self.readdressed += other.readdressed
        self.access_kept |= other.access_kept
        self.files += other.files

    @property
    def title_beside_id(self) -> str | None:
        """The header of a file's titles of content, which is not used where it has ids too."""
        used = (file.understood.used for file in self.files)
        return next((each["content_title"] for each in used if {"content_id", "content_title"} <= each.keys()), None)

    def warnings_of(self, file: FileReport) -> list[str]:
        """Return what a person should look at in a file, which is named where there are several."""
        return file.named_warnings() if len(self.files) > 1 else file.warnings()

    def taken_back(self, most: int | None = None) -> list[str]:
        """Say what is not complete any more or was voided, of so many each, and that access was kept."""
        found = []
        if self.undone:
            they = counted(self.undone, "completion is", "completions are")
            stays = "what was sent stays, what was not waits for a person"
            found.append(f"{they} not complete in this file any more; {stays}.")
        found += [str(sent_before(each).sentence) for each in self.voided[:most]]
        if self.access_kept:
            found.append("Rows of access could not be read; so nobody's access was taken away.")
        return found

    def json(self, *, with_rows: bool = False) -> dict[str, Any]:
        """Return the answer as scripts read it."""
        files = [str(path) for path in self.rejects_files]
        return {
            "kind": self.kind,
            **as_json(self.counts),
            "undone": self.undone,
            "readdressed": [
                {"learner_id": each.learner_id, "from": each.before, "to": each.now} for each in self.readdressed
            ],
            "rejects_file": files[0] if files else None,
            "rejects_files": files,
            "completions": sum(file.completions for file in self.files),
            "completed_from": min((file.completed_from for file in self.files if file.completed_from), default=None),
            "completed_to": max((file.completed_to for file in self.files if file.completed_to), default=None),
            "left_out": sum(file.left_out for file in self.files),
            "files": [file.json(with_rows=with_rows) for file in self.files],
            "warnings": [
                *(warning for file in self.files for warning in self.warnings_of(file)),
                *self.taken_back(),
            ],
        }


def import_files(
    store: Store,
    kind: Kind,
    sources: Sequence[Path | BinaryIO],
    reading: Reading,
    state_folder: Path,
    *,
    ids: IdOptions = THE_COMMON,
    keep_rejects: bool = True,
    progress: Progress | None = None,
) -> ImportResult:
    """Import files one after the other, all or none: ``Failure`` where one is no such file, also further down in it."""
    result = ImportResult(kind)
    reading = reading._replace(address_of=KnownAddresses(store).of_sha1)
    with store.transaction(), ExitStack() as files:
        opened = [(source, *_opened(kind, source, reading, files)) for source in sources]
        for source, records, report in opened:
            path = source if isinstance(source, Path) else None
            rejects = files.enter_context(RejectsFile(path, state_folder, keep=keep_rejects))
            now, origin = utc_text(reading.now), Origin(ids.source, report.file)
            import_records(
                *(store, kind, records, result, now, rejects, progress), ids=ids, origin=origin, report=report
            )
            if rejects.path is not None:
                result.rejects_files.append(rejects.path)
                runs.note(store, "rejects", rejects.path)
            await_correction(store, kind, str(path.absolute()) if path else "stdin", rejects)
            if rejects.first is not None and result.first_reject is None:
                result.first_reject = path, rejects.first
    return result


_REJECTS = "rejects:"  # of the places where something waits for a person


_CORRECT_IT = "Correct the file and import it again."


def await_correction(store: Store, kind: Kind, name: str, rejects: RejectsFile, way: str = _CORRECT_IT) -> None:
    """Let rejected rows wait for a person until what they came from, a file or a source, goes in without (R33)."""
    place = f"{_REJECTS}{kind}:{name}"
    if not rejects.count:
        needs_person.settle(store, place)
        return
    rows = counted(rejects.count, f"row of {kind} was", f"rows of {kind} were")
    reasons = f" The reasons are in {rejects.path}." if rejects.path else ""
    message = f"{Path(name).name}: {rows} rejected.{reasons}"
    needs_person.open_one(store, place, Waiting("import-rejected", message, way, 1))


def forget_missing(store: Store) -> None:
    """Let nobody wait for the correction of files that are gone."""
    for place in needs_person.places(store, _REJECTS):
        path = Path(place.partition(":")[2])
        if path.is_absolute() and not path.exists():
            needs_person.settle(store, f"{_REJECTS}{place}")


def _opened(kind: Kind, source: Path | BinaryIO, reading: Reading, files: ExitStack) -> tuple[Records, FileReport]:
    report = FileReport(kind, str(source) if isinstance(source, Path) else "-")
    if isinstance(source, Path):
        return files.enter_context(open_file(kind, source, reading, report.understood)), report
    return read_stream(kind, source, reading, understood=report.understood), report


def import_records(
    store: Store,
    kind: Kind,
    records: Records,
    result: ImportResult,
    now: str,
    rejects: RejectsFile,
    progress: Progress | None = None,
    read_before: int = 0,
    *,
    ids: IdOptions = THE_COMMON,
    sessions_move: bool = False,
    origin: Origin = UNKNOWN_ORIGIN,
    report: FileReport | None = None,
    keeping: Keeping | None = None,
) -> None:
    """Import the records of one source, setting aside the rows that cannot be taken; adds to ``result``.

    ``read_before`` is how many rows the same import has read of other sources, for its progress. With ``sessions_move``
    content says where sessions belong, also those that were stored under other content. ``keeping`` keeps progress of
    content and people who are not known.
    """
    rows = RejectFilter(records, rejects, progress or Progress(), read_before)
    report = report or FileReport(kind, origin.file or "")
    known = len(result.readdressed)
    match kind:
        case "progress":
            with store.transaction():
                counts, written, readdressed = import_progress(
                    store, rows, now, ids, origin, report.understood, keeping
                )
            result.readdressed += readdressed
            result.undone += written.undone
            result.newly_undone += written.newly_undone
            result.voided += written.settled.sent_before
            report.completions = written.completions
            report.completed_from, report.completed_to = written.completed_from, written.completed_to
        case "access":
            with store.transaction():
                counts, is_complete = import_access(store, rows)
            result.access_kept |= not is_complete
        case "learners":
            with store.transaction():
                counts, readdressed = import_learners(store, rows, now, ids, report.understood)
            result.readdressed += readdressed
        case "content":
            counts = Counts()
            for batch in _batches(rows):
                with store.transaction():
                    counts += import_content(
                        store, cast("list[ContentRecord]", batch), rows, sessions_move=sessions_move
                    )
    counts.read, counts.rejected = rows.read, rows.rejected
    counts.left_out += report.left_out
    result.counts += counts
    report.read, report.rejected = rows.read, rows.rejected
    report.readdressed = len(result.readdressed) - known
    if report.file:
        result.files.append(report)


def _batches(rows: RejectFilter) -> Iterator[list[Record]]:
    records = iter(rows)
    while batch := list(itertools.islice(records, _BATCH)):
        yield batch
