"""The LMS step of a run: what the configured source has that is new comes into the store, a batch at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from credly_cli.errors import Failure, Problem
from credly_cli.identity import email_key
from credly_cli.importing.importer import Imported, take
from credly_cli.lms.records import Reject
from credly_cli.lms.rejects import RejectsFile
from credly_cli.lms.sources import Batch, Part, Source
from credly_cli.progress import Progress
from credly_cli.store import access, runs, written_files
from credly_cli.store.database import Store
from credly_cli.text import Hint, counted

_PREFIX = "lms:"  # of a source's bookmarks among all
_KINDS = ("learners", "content", "progress", "access")
_LISTED = 20  # completions undone, of those that are told one by one
_UNDONE = """
SELECT l.email, c.title FROM learners l, content c WHERE l.id = ? AND c.id = ?
"""


@dataclass(slots=True)
class Intake:
    """What the LMS brought."""

    imported: dict[str, Imported] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    failure: Failure | None = None  # what ended the reading before its end

    def json(self) -> dict[str, dict[str, int]]:
        """Return the counts as scripts read them."""
        return {kind: self.of(kind).tally.json() for kind in _KINDS}

    @property
    def read(self) -> int:
        """How many rows were read."""
        return sum(imported.tally.read for imported in self.imported.values())

    def of(self, kind: Any) -> Imported:
        """Return what came of one kind."""
        return self.imported.setdefault(kind, Imported(kind))


def take_in(
    store: Store,
    source: Source,
    now: str,
    state_folder: Path | None,
    *,
    full: bool = False,
    progress: Progress | None = None,
) -> Intake:
    """Take in what is new; with ``full`` everything. Without ``state_folder`` no rejected rows are written down."""
    intake = Intake()
    if full:
        store.change("DELETE FROM bookmarks WHERE name GLOB ?", (f"{_PREFIX}*",))
    try:
        for batch in source.batches(_Bookmarks(store), _Known(store)):
            _take_batch(store, batch, intake, now, state_folder, _Further(progress or Progress(), intake.read))
            if batch.problem is not None:
                intake.problems.append(Problem.of(batch.problem))
    except Failure as failure:
        intake.failure = failure
    _report_undone(store, intake)
    return intake


def _take_batch(
    store: Store, batch: Batch, intake: Intake, now: str, state_folder: Path | None, progress: Progress
) -> None:
    """Take all of a batch, and note where to go on, or nothing of both."""
    taken = Intake()
    with store.transaction():
        for content in batch.given_no_more:
            taken.of("access").tally.changed += access.take_from_tenants(store, content)
        for part in batch.parts:
            _take_part(store, part, taken, now, state_folder, progress)
        for name, value in batch.bookmarks.items():
            if value is None:
                store.change("DELETE FROM bookmarks WHERE name = ?", (_PREFIX + name,))
            else:
                runs.set_bookmark(store, _PREFIX + name, value)
    for kind, imported in taken.imported.items():
        intake.of(kind).add(imported)
    intake.problems += taken.problems
    progress.at(taken.read)


def _take_part(
    store: Store, part: Part, taken: Intake, now: str, state_folder: Path | None, progress: Progress
) -> None:
    keep = part.file is not None and state_folder is not None
    with _NewRejects(part, state_folder or Path(), keep=keep) as rejects:
        take(store, part.kind, part.records, taken.of(part.kind), now, rejects, progress)
    if rejects.path is not None:
        written_files.note(store, "rejects", rejects.path)
    if rejects.first is not None:
        told = f"{part.name}: {rejects.count} of {part.kind} rejected, the first (row {rejects.first.row}):"
        where = f" See {rejects.path}." if rejects.path else ""
        taken.problems.append(
            Problem(
                "import-rejected",
                f"{told} {rejects.first.reason}.{where}",
                hint=Hint(f"Correct {part.name}; the next sync reads it again."),
            )
        )


class _NewRejects(RejectsFile):
    """The rejected rows of a part that were not reported before."""

    def __init__(self, part: Part, folder: Path, *, keep: bool) -> None:
        super().__init__(part.file, folder, keep=keep)
        self._is_news = part.is_news

    def add(self, reject: Reject) -> None:
        if self._is_news(reject):
            super().add(reject)


class _Further(Progress):
    """How far a batch is, after those before it."""

    def __init__(self, progress: Progress, before: int) -> None:
        self._progress = progress
        self._before = before

    def at(self, done: int, total: int | None = None) -> None:
        self._progress.at(self._before + done, total)


def _report_undone(store: Store, intake: Intake) -> None:
    """Report, once, each completion that the LMS does not call complete any more; it stays, and so does its badge."""
    undone = intake.of("progress").newly_undone
    for learner, content, _ in undone[:_LISTED]:
        row = store.row(_UNDONE, (learner, content)) or {"email": None, "title": content}
        told = f"The LMS no longer calls {row['title']!r} complete for {row['email']}. It stays, and so does its badge."
        intake.problems.append(Problem("import-rejected", told, row["email"]))
    if len(undone) > _LISTED:
        told = f"The LMS no longer calls {counted(len(undone) - _LISTED, 'more completion')} complete. They stay."
        intake.problems.append(Problem("import-rejected", told))


class _Bookmarks(Mapping[str, str]):
    """Where the source left off, as it is stored at the moment."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getitem__(self, name: str) -> str:
        value = runs.bookmark(self._store, _PREFIX + name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        rows = self._store.rows("SELECT name FROM bookmarks WHERE name GLOB ? ORDER BY name", (f"{_PREFIX}*",))
        return (row["name"].removeprefix(_PREFIX) for row in rows)

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store has already."""

    store: Store

    def content(self, identity: str) -> bool:
        sql = "SELECT 1 FROM content WHERE id = :id UNION ALL SELECT 1 FROM sessions WHERE id = :id"
        return self.store.value(sql, {"id": identity}) is not None

    def learner(self, learner_id: str | None, email: str | None) -> bool:
        sql = (
            "SELECT 1 FROM learners WHERE (learner_id = :id OR email_key = :key)"
            " AND first_name IS NOT NULL AND last_name IS NOT NULL"
        )
        return self.store.value(sql, {"id": learner_id, "key": email_key(email or "")}) is not None
