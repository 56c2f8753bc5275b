"""The LMS step of a run: what is new in the configured sources comes into the store, a batch at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from credly_cli.configured_values import SourceName
from credly_cli.errors import Failure, Problem
from credly_cli.import_options import KINDS, Kind, options_of
from credly_cli.importing.candidates import IdOptions, sentences_of
from credly_cli.importing.file_report import FileReport
from credly_cli.importing.importer import ImportResult, await_correction, import_records
from credly_cli.importing.keeping import Keeping, KnownAddresses
from credly_cli.importing.statements import sent_before, way_back
from credly_cli.lms.records import Understood
from credly_cli.lms.rejects import RejectsFile
from credly_cli.lms.source import Batch, Known, Part, Source, SourceContext
from credly_cli.progress import Progress
from credly_cli.store import content, learners, needs_person, runs
from credly_cli.store.database import Store
from credly_cli.store.denials import Origin
from credly_cli.text import Command, Hint, as_json, counted
from credly_cli.times import from_utc_text

_PREFIX = "lms:"  # of a source's bookmarks among all
_WAITING = "lms-source"  # the place where conditions of a source wait for a person
_LISTED = 20  # undone completions, of those that are reported one by one


def sources_of(context: SourceContext) -> dict[SourceName, Source]:
    """Return the sources that the configuration names, in its order; one that lacks something fails as it is read."""
    found: dict[SourceName, Source] = {}
    for name in context.settings.lms.sources:
        try:
            found[name] = source_of(name, context)
        except Failure as failure:
            found[name] = _Unusable(failure)
    return found


@dataclass(frozen=True, slots=True)
class _Unusable:
    """A source that lacks something in the configuration."""

    failure: Failure

    def batches(self, bookmarks: Mapping[str, str], known: Known) -> Iterator[Batch]:  # noqa: ARG002 - as sources do
        raise self.failure


def source_of(name: SourceName, context: SourceContext) -> Source:
    """Return a source as the configuration describes it; raises ``Failure`` for what it lacks."""
    match name:
        case "files":
            from credly_cli.lms.files_source import FilesSource  # noqa: PLC0415 - only what is configured

            return FilesSource.configured(context)
        case "thought-industries":
            from credly_cli.lms.thought_industries.source import ThoughtIndustries  # noqa: PLC0415

            return ThoughtIndustries.configured(context)
        case "xapi":
            from credly_cli.lms.xapi.source import Xapi  # noqa: PLC0415

            return Xapi.configured(context)


@dataclass(slots=True)
class LmsStepResult:
    """What the LMS brought; ``sources`` has the parts by their names, where there are several."""

    imported: dict[Kind, ImportResult] = field(default_factory=dict)
    sources: dict[SourceName, "LmsStepResult"] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Hint] = field(default_factory=list)
    failure: Failure | None = None  # what ended the reading before its end
    keeps: bool = False  # what is of content or people who are not known

    def json(self) -> dict[str, Any]:
        """Return the counts as scripts read them."""
        counts: dict[str, Any] = {kind: as_json(self.of(kind).counts) for kind in KINDS}
        if self.keeps:
            counts["progress"]["left_out"] = self.of("progress").counts.left_out
        if self.sources:
            counts["sources"] = {name: part.json() for name, part in self.sources.items()}
        return counts

    @property
    def files(self) -> list[FileReport]:
        """What was understood of each file."""
        return [report for imported in self.imported.values() for report in imported.files]

    def said_of_files(self, most: int) -> list[Hint]:
        """Say what a person should look at in files, and of everybody who is believed to have another address now."""
        warned = [sentence for report in self.files[:most] for sentence in report.named_warnings()]
        moved = [each for imported in self.imported.values() for each in imported.readdressed]
        return [Hint(sentence) for sentence in (*warned, *sentences_of(moved))]

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
        self.warnings += other.warnings
        self.failure = self.failure or other.failure
        self.keeps |= other.keeps


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
    homes: Mapping[str, str] = field(default_factory=dict)  # what numberings of xAPI are called here ...
    activities: Mapping[str, str] = field(default_factory=dict)  # ... and content
    keeping: dict[str, Keeping] = field(default_factory=dict)  # of what is not known yet, by the source

    def run_all(self, sources: Mapping[SourceName, Source], max_age_days: int, *, full: bool = False) -> LmsStepResult:
        """Import what the sources have that is new; with ``full`` everything. One that fails stops none of the others.

        An API that gave no answer for ``max_age_days`` (0 is never) needs a person.
        """
        if full:
            self._forget_bookmarks()
        whole, parts = LmsStepResult(), dict[SourceName, LmsStepResult]()
        for name, source in sources.items():
            part = parts[name] = self.run(source, name=name)
            if name != "files":
                self._note_answer(name, part, max_age_days)
            if part.failure is not None and part.failure.code == "interrupted":
                break
        for name, part in parts.items():
            self._try_again(name, part)
            if len(sources) > 1:
                whole.sources[name] = part
            if whole.failure is not None and part.failure is not None:
                part.problems.append(Problem.of(part.failure))
            whole.add(part)
        return whole

    def _try_again(self, name: SourceName, part: LmsStepResult) -> None:
        """Try what is kept of a source, once all are read: its people or content may have come from another."""
        keeping = self._keeping(name)
        for records in keeping.retryable(self.homes, self.activities):
            retried = Part("progress", iter(records), keeping.part or name, keeps=True)
            part.add(self._import_batch(Batch(iter([retried])), part.read, name))
        part.of("progress").counts.left_out += keeping.count() - keeping.rejected
        part.keeps |= name == "xapi"
        part.warnings += [Hint(sentence) for sentence in keeping.sentences()]

    def _keeping(self, name: str) -> Keeping:
        return self.keeping.setdefault(name, Keeping(self.store, name, self.now, KnownAddresses(self.store)))

    def _note_answer(self, name: SourceName, part: LmsStepResult, max_age_days: int) -> None:
        """Note that a source answered, or say that it did not for too long."""
        bookmark = f"{_PREFIX}answered:{name}"
        if part.failure is None:
            runs.set_bookmark(self.store, bookmark, self.now)
            return
        last = runs.bookmark(self.store, bookmark)
        if last is not None and max_age_days:
            age = from_utc_text(self.now) - from_utc_text(last)
            if age > timedelta(days=max_age_days):
                message = f"The last good answer of {name} is {counted(age.days, 'day')} old."
                part.problems.append(Problem("lms-stale", message, hint=Hint("To see why:", Command("doctor"))))

    def _forget_bookmarks(self) -> None:
        for name in runs.bookmarks(self.store, _PREFIX):
            runs.set_bookmark(self.store, _PREFIX + name, None)

    def run(self, source: Source, *, name: str = "") -> LmsStepResult:
        """Import what one source has that is new."""
        result = LmsStepResult()
        bookmarks, lasting = runs.bookmarks(self.store, _PREFIX), list[Problem]()
        try:
            for batch in source.batches(bookmarks, _Known(self.store)):
                try:
                    result.add(self._import_batch(batch, result.read, name))
                except Failure as failure:
                    if failure.code != "lms-file-refused":
                        raise
                    result.problems.append(Problem.of(failure))  # nothing of the file was taken; the others go on
                    continue
                _update(bookmarks, batch)
                result.warnings += map(Hint, batch.warnings)
                if batch.problem is not None:
                    result.problems.append(Problem.of(batch.problem))
                    lasting += result.problems[-1:] if batch.lasts else []
            needs_person.record(self.store, f"{_WAITING}:{name}", lasting)
        except Failure as failure:
            result.failure = failure
        result.problems += _undone(result.of("progress"))
        result.problems += map(sent_before, result.of("progress").voided)
        return result

    def _import_batch(self, batch: Batch, read_before: int, name: str) -> LmsStepResult:
        """Take all of a batch, and note where to go on, or nothing of both."""
        result = LmsStepResult()
        with self.store.transaction():
            for content_id in batch.given_no_more:
                result.of("access").counts.changed += content.remove_tenants(self.store, content_id)
            for part in batch.parts:
                batch.bookmarks.update(self._import_part(part, result, read_before + result.read, name))
            for bookmark, value in batch.bookmarks.items():
                runs.set_bookmark(self.store, _PREFIX + bookmark, value)
        self.progress.at(read_before + result.read)
        return result

    def _import_part(self, part: Part, result: LmsStepResult, read_before: int, name: str) -> dict[str, str | None]:
        """Take a part of a source; returns what is to be noted of it as bookmarks."""
        keep = part.file is not None and self.state_folder is not None
        imported = result.of(part.kind)
        with RejectsFile(part.file, self.state_folder or Path(), keep=keep, is_news=part.is_news) as rejects:
            source = (part.entry.source if part.entry else "") if part.file else part.name
            if part.keeps:
                self._keeping(name).part = part.name
            report = FileReport(part.kind, str(part.file or ""), part.understood or Understood())
            import_records(
                *(self.store, part.kind, part.records, imported, self.now, rejects, self.progress, read_before),
                sessions_move=part.sessions_move,
                ids=self._ids(part),
                origin=Origin(source, report.file or None),
                report=report,
                keeping=self._keeping(name) if part.keeps else None,
            )
        if rejects.path is not None:
            runs.note(self.store, "rejects", rejects.path)
        place = str(part.file.absolute()) if part.file else part.name
        await_correction(self.store, part.kind, place, rejects, way=_way_on(part))
        if rejects.first is not None:
            first = f"the first (row {rejects.first.row}): {rejects.first.reason}"
            where = f" See {rejects.path}." if rejects.path else ""
            message = f"{part.name}: {rejects.count} of {part.kind} rejected, {first}.{where}"
            hint = Hint(f"{_way_on(part)}{_hint_of_unknown_words(report, part)}")
            result.problems.append(Problem("import-rejected", message, hint=hint))
        return self._memory(part, report, has_rejects=rejects.count > 0)

    def _ids(self, part: Part) -> IdOptions:
        named = IdOptions(homes=self.homes, activities=self.activities)
        if part.entry is None:
            return named._replace(of_api=True)
        return named._replace(source=part.entry.source, decisions=part.entry.ids, configured=True)

    def _memory(self, part: Part, report: FileReport, *, has_rejects: bool) -> dict[str, str | None]:
        """Return what is to be known of a file and its entry, as bookmarks.

        With which options rows of it were rejected or none was a completion, and whether the entry brought
        completions before and has none now.
        """
        if part.entry is None:
            return {}
        noted: dict[str, str | None] = {}
        if part.options_bookmark is not None:
            is_barren = part.kind == "progress" and report.read > 0 and not report.completions
            noted[part.options_bookmark] = options_of(part.entry) if has_rejects or is_barren else None
        brought, barren = f"brought:{part.entry.path}", f"barren:{part.entry.path}"
        if part.kind == "progress" and report.completions:
            noted |= {brought: "1", barren: None}
        elif part.kind == "progress" and report.read and runs.bookmark(self.store, _PREFIX + brought):
            noted[barren] = str(part.file)
        return noted


def _way_on(part: Part) -> str:
    """Say what becomes of rejected rows."""
    if part.keeps:
        return "What is kept is tried again at each sync."
    return f"Correct {part.name}; the next sync reads it again." if part.file else f"Correct it in {part.name}."


def _hint_of_unknown_words(report: FileReport, part: Part) -> str:
    """Say how unknown words are told in the configuration, where there are any."""
    if part.entry is None or not report.understood.unknown_values:
        return ""
    (column, word), _ = report.understood.unknown_values.most_common(1)[0]
    meaning = "completed" if column == "status" else "learner"
    key = f'values = {{{column} = {{"{word}" = "{meaning}"}}}}'
    return f" Or tell what the words mean in config.toml, under [[lms.files.{part.kind}]]: {key}"


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
        text = f"{message} It stays, and so does its badge."
        problems.append(Problem("import-rejected", text, email=undone.email, hint=way_back(undone.email)))
    more = len(progress.newly_undone) - _LISTED
    if more > 0:
        message = f"The LMS no longer calls {counted(more, 'more completion')} complete. They stay."
        problems.append(Problem("import-rejected", message))
    return problems
