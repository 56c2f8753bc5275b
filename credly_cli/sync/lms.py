"""The LMS step of a run: what the configured source has that is new comes into the store, a batch at a time."""

from dataclasses import dataclass, field
from pathlib import Path

from credly_cli.errors import Failure, Problem
from credly_cli.importing.importer import ImportResult, await_correction, import_records
from credly_cli.lms.records import KINDS, Kind
from credly_cli.lms.rejects import RejectsFile
from credly_cli.lms.source import Batch, Part, Source, SourceContext
from credly_cli.progress import Progress
from credly_cli.store import content, learners, runs, waiting
from credly_cli.store import content as access
from credly_cli.store.database import Store
from credly_cli.store.denials import Origin
from credly_cli.text import Hint, counted

_PREFIX = "lms:"  # of a source's bookmarks among all
_WAITING = "lms-source"  # the place where conditions of a source wait for a person
_LISTED = 20  # undone completions, of those that are reported one by one


def source_of(context: SourceContext) -> Source | None:
    """Return the source that the configuration names."""
    match context.settings.lms.source:
        case "files":
            from credly_cli.lms.files_source import FilesSource  # noqa: PLC0415 - only what is configured

            return FilesSource(context)
        case "thought-industries":
            from credly_cli.lms.thought_industries.source import ThoughtIndustries  # noqa: PLC0415

            return ThoughtIndustries.configured(context)
        case _:
            return None


@dataclass(slots=True)
class LmsStepResult:
    """What the LMS brought."""

    imported: dict[Kind, ImportResult] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Hint] = field(default_factory=list)
    failure: Failure | None = None  # what ended the reading before its end

    def json(self) -> dict[str, dict[str, int]]:
        """Return the counts as scripts read them."""
        return {kind: self.of(kind).counts.json() for kind in KINDS}

    @property
    def read(self) -> int:
        """How many rows were read."""
        return sum(imported.counts.read for imported in self.imported.values())

    def of(self, kind: Kind) -> ImportResult:
        """Return what came of one kind."""
        return self.imported.setdefault(kind, ImportResult(kind))

    def add(self, other: "LmsStepResult") -> None:
        """Add what another batch brought."""
        for kind, imported in other.imported.items():
            self.of(kind).add(imported)
        self.problems += other.problems


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store has already, for the source."""

    store: Store

    def content(self, identity: str) -> bool:
        return content.exists(self.store, identity)

    def learner(self, learner_id: str | None, email: str | None) -> bool:
        return learners.is_named(self.store, learner_id, email)

    def linked(self) -> dict[str, str]:
        return content.linked(self.store)

    def titled(self, title: str) -> list[str]:
        return content.with_title(self.store, title)


@dataclass(frozen=True, slots=True)
class LmsStep:
    """Takes what is new; ``now`` is UTC text. Without ``state_folder`` no rejected rows are written down."""

    store: Store
    now: str
    state_folder: Path | None
    progress: Progress = field(default_factory=Progress)

    def run(self, source: Source, *, full: bool = False) -> LmsStepResult:
        """Import what the source has that is new; with ``full`` everything."""
        result = LmsStepResult()
        if full:
            for name in runs.bookmarks(self.store, _PREFIX):
                runs.set_bookmark(self.store, _PREFIX + name, None)
        bookmarks, lasting = runs.bookmarks(self.store, _PREFIX), list[Problem]()
        try:
            for batch in source.batches(bookmarks, _Known(self.store)):
                result.add(self._import_batch(batch, result.read))
                _update(bookmarks, batch)
                result.warnings += map(Hint, batch.warnings)
                if batch.problem is not None:
                    result.problems.append(Problem.of(batch.problem))
                    lasting += result.problems[-1:] if batch.lasts else []
            waiting.record(self.store, _WAITING, lasting)
        except Failure as failure:
            result.failure = failure
        result.problems += _undone(result.of("progress"))
        return result

    def _import_batch(self, batch: Batch, read_before: int) -> LmsStepResult:
        """Take all of a batch, and note where to go on, or nothing of both."""
        result = LmsStepResult()
        with self.store.transaction():
            for name in batch.given_no_more:
                result.of("access").counts.changed += access.remove_tenants(self.store, name)
            for part in batch.parts:
                self._import_part(part, result, read_before + result.read)
            for name, value in batch.bookmarks.items():
                runs.set_bookmark(self.store, _PREFIX + name, value)
        self.progress.at(read_before + result.read)
        return result

    def _import_part(self, part: Part, result: LmsStepResult, read_before: int) -> None:
        keep = part.file is not None and self.state_folder is not None
        imported = result.of(part.kind)
        with RejectsFile(part.file, self.state_folder or Path(), keep=keep, is_news=part.is_news) as rejects:
            origin = Origin("" if part.file else part.name, str(part.file) if part.file else None)
            import_records(
                *(self.store, part.kind, part.records, imported, self.now, rejects, self.progress, read_before),
                sessions_move=part.sessions_move,
                origin=origin,
            )
        if rejects.path is not None:
            runs.note(self.store, "rejects", rejects.path)
        await_correction(self.store, part.kind, str(part.file.absolute()) if part.file else part.name, rejects)
        if rejects.first is not None:
            first = f"the first (row {rejects.first.row}): {rejects.first.reason}"
            where = f" See {rejects.path}." if rejects.path else ""
            message = f"{part.name}: {rejects.count} of {part.kind} rejected, {first}.{where}"
            hint = Hint(f"Correct {part.name}; the next sync reads it again.")
            result.problems.append(Problem("import-rejected", message, hint=hint))


def _update(bookmarks: dict[str, str], batch: Batch) -> None:
    for name, value in batch.bookmarks.items():
        if value is None:
            bookmarks.pop(name, None)
        else:
            bookmarks[name] = value


def _undone(progress: ImportResult) -> list[Problem]:
    """Report, once, each completion that the LMS does not call complete any more; it stays, and so does its badge."""
    problems = []
    for undone in progress.newly_undone[:_LISTED]:
        message = f"The LMS no longer calls {undone.title!r} complete for {undone.email}."
        problems.append(Problem("import-rejected", f"{message} It stays, and so does its badge.", email=undone.email))
    more = len(progress.newly_undone) - _LISTED
    if more > 0:
        message = f"The LMS no longer calls {counted(more, 'more completion')} complete. They stay."
        problems.append(Problem("import-rejected", message))
    return problems
