"""Publishing a folder of pages, a page a learner, from the store alone (R35).

What changed since the last time is read, and nothing else; what did not change is not written. A page is noted as
written after it was, and a name stands in the folder's list before its file is there: stopped at any moment, and run
again, it comes to the same folder.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from credly_cli.progress import Progress
from credly_cli.publishing import manifest
from credly_cli.publishing.folder import BESIDE, Folder, unusable
from credly_cli.publishing.key import PageKey
from credly_cli.publishing.look import Look
from credly_cli.signals import Interruption
from credly_cli.store import learners, page_changes
from credly_cli.store.database import Store
from credly_cli.store.learners import Learner
from credly_cli.store.page_changes import Mark
from credly_cli.store.published import MISSING, Published, PublishedPage

if TYPE_CHECKING:
    from credly_cli.publishing.pages import PagePlan, Planner

BATCH = 200  # learners whose facts are in memory at once
_MOST_SINGLE = 20_000  # learners who changed; of more, all are looked at


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be published, and where to; ``now`` is UTC text."""

    path: Path
    key: PageKey
    look: Look
    url: str | None
    manifest: Path
    now: str
    brake: int = 0  # grants.brake
    dry_run: bool = False


@dataclass(slots=True)
class Result:
    """What came of it; ``strangers`` are files of others that have the name of one of ours."""

    JSON: ClassVar = ("pages", "written", "unchanged", "removed", "manifest", "dry_run")

    pages: int = 0
    written: int = 0
    removed: int = 0
    manifest: Path | None = None
    dry_run: bool = False  # whether this is what would be done
    strangers: list[str] = field(default_factory=list)

    @property
    def unchanged(self) -> int:
        """How many pages stayed as they were."""
        return self.pages - self.written


@dataclass(frozen=True, slots=True)
class Context:
    """What publishing needs of the program around it."""

    store: Store
    published: Published
    interruption: Interruption
    progress: Progress


def key_of(path: Path, *, rotate: bool, dry_run: bool) -> PageKey:
    """Return the key that names the pages, a new one where there is none or it is to be replaced."""
    known = PageKey.read(path)
    if known is not None and not rotate:
        return known
    key = PageKey.new(known.publisher if known else None)
    if not dry_run:
        key.write(path)
    return key


def publish(job: Job, context: Context) -> Result:
    """Bring a folder up to date, or say what that would do; raises ``Failure``."""
    if job.dry_run and not job.path.exists():
        return _Run(job, context, None).carry_out()
    try:
        if not job.dry_run:
            job.path.mkdir(parents=True, exist_ok=True)
            page_changes.watch(context.store)
        with Folder.opened(job.path, job.key.publisher, tidy=not job.dry_run) as folder:
            return _Run(job, context, folder).carry_out()
    except OSError as error:
        raise unusable(Path(error.filename or job.path), error) from None


class _Run:
    """One run over one folder; without a folder, what a run would do where there is none yet."""

    def __init__(self, job: Job, context: Context, folder: Folder | None) -> None:
        self._job = job
        self._context = context
        self._published = context.published
        self._folder = folder
        self._known = context.published.folder(job.path)
        self._appearance = job.look.digest() + job.key.fingerprint
        self._result = Result(pages=self._known.pages, manifest=job.manifest, dry_run=job.dry_run)
        self._lines_changed = not self._has_its_manifest()
        self._names_changed = False

    def carry_out(self) -> Result:
        """Do it, as far as there is something to do."""
        seen = page_changes.mark(self._context.store)
        touched = self._is_touched()
        if touched:
            self._look_through()
        wanted = self._wanted()
        if wanted or wanted is None or touched or self._lines_changed:
            self._bring_up_to_date(wanted)
            if self._folder is not None and not self._job.dry_run:
                self._end(self._folder, seen, thorough=touched or wanted is None)
        return self._result

    # What is to be done

    def _has_its_manifest(self) -> bool:
        job, known = self._job, self._known
        is_same = known.whole and (known.manifest, known.url) == (job.manifest, job.url)
        return is_same and job.manifest in self._published.manifests(known) and job.manifest.is_file()

    def _is_touched(self) -> bool:
        """Tell whether the folder may be other than the last run left it; raises ``Failure`` where it is not ours."""
        if self._folder is None:
            return False
        has_list = self._folder.require_own()
        return not (self._known.whole and has_list and self._folder.place() == self._known.place)

    def _look_through(self) -> None:
        """Find the pages that are not there any more."""
        last: int | None = 0
        while last is not None and self._folder is not None:
            pages = self._published.after(self._known.id, last, BATCH)
            missing = [page.learner for page in pages if not self._folder.has(page.name)]
            self._published.mark_missing(self._known.id, missing)
            last = pages[-1].learner if pages else None

    def _wanted(self) -> list[int] | None:
        """Return the learners to look at: those who changed, or whose page is due; ``None``: all of them."""
        known, now = self._known, self._job.now
        if (
            known.seen is None
            or known.appearance != self._appearance
            or (known.next_at is not None and known.next_at <= now)
            or not page_changes.continues(self._context.store, known.seen)
        ):
            return None
        changed = page_changes.since(self._context.store, known.seen, _MOST_SINGLE)
        due = self._published.due(known.id, now, _MOST_SINGLE)
        if changed is None or due is None:
            return None
        may_differ = changed or due or known.brake != self._job.brake
        return None if may_differ and known.braked != self._braked else sorted({*changed, *due})

    @cached_property
    def _braked(self) -> frozenset[str]:
        """The badges that the brake would keep back in the next run: no page promises them (R32)."""
        from credly_cli.issuing.plan import foreseen_brakes  # noqa: PLC0415 - for a run that has something to do

        return foreseen_brakes(self._context.store, self._job.brake)

    # Doing it

    def _bring_up_to_date(self, wanted: Sequence[int] | None) -> None:
        from credly_cli.publishing.pages import Planner  # noqa: PLC0415 - 100 ms, which a run without changes is spared

        job, context = self._job, self._context
        if not job.dry_run:
            self._published.begin(self._known, job.manifest)
        planner = Planner(context.store, job.look, job.key, self._appearance, job.now, self._braked)
        total = learners.count(context.store) if wanted is None else len(wanted)
        done = 0
        with context.interruption.awaited():
            for people, before in self._batches(wanted):
                self._batch(planner, people, before)
                done += len(people)
                context.progress.at(done, total)
                if context.interruption.is_set():
                    raise context.interruption.failure()

    def _batches(self, wanted: Sequence[int] | None) -> Iterator[tuple[list[Learner], dict[int, PublishedPage]]]:
        """Yield learners, and the pages that they and those who are gone have, batch by batch."""
        store, folder = self._context.store, self._known.id
        if wanted is not None:
            for start in range(0, len(wanted), BATCH):
                numbers = wanted[start : start + BATCH]
                yield learners.of_numbers(store, numbers), self._published.of_learners(folder, numbers)
            return
        last = 0
        while people := learners.after(store, last, BATCH):
            yield people, self._published.between(folder, last, people[-1].id)
            last = people[-1].id
        yield [], self._published.between(folder, last, None)

    def _batch(self, planner: "Planner", people: Sequence[Learner], before: Mapping[int, PublishedPage]) -> None:
        """Write the pages of some learners that changed, note them, and remove those of who is gone."""
        plans = list(planner.plan(people, before))
        gone = [before[learner] for learner in before.keys() - {one.id for one in people}]
        self._lines_changed |= bool(gone) or any(plan.changes_manifest for plan in plans)
        due = [plan for plan in plans if plan.is_due]
        known = sum(page.is_noted for page in before.values())
        noted = [plan.now for plan in plans if plan.now != plan.before]
        strangers = self._strangers(due)
        self._result.strangers += strangers
        self._result.written += len(due) - len(strangers)
        self._result.removed += sum(page.is_noted for page in gone)
        self._result.pages += len(plans) - len(strangers) - known
        if self._folder is not None and not self._job.dry_run:
            self._write(self._folder, planner, [plan for plan in due if plan.now.name not in strangers])
            self._remove(self._folder, [*gone, *_renamed(due)])
            with self._published.transaction():
                self._published.save(self._known.id, (_noted(page, strangers) for page in noted))
                self._published.remove(self._known.id, [page.learner for page in gone])

    def _strangers(self, due: Sequence["PagePlan"]) -> list[str]:
        """Return the names of pages under which something lies that is none of ours."""
        if self._folder is None:
            return []
        return [plan.now.name for plan in due if not self._folder.may_write(plan.now.name, ours=not plan.is_new)]

    def _write(self, folder: Folder, planner: "Planner", due: Sequence["PagePlan"]) -> None:
        new = [plan.now.name for plan in due if plan.is_new]
        self._names_changed |= bool(new)
        folder.announce(new)
        for plan in due:
            folder.write(plan.now.name, planner.rendered(plan))

    def _remove(self, folder: Folder, pages: Sequence[PublishedPage]) -> None:
        self._names_changed |= bool(pages)
        for page in pages:
            if page.is_noted:
                folder.remove(page.name)

    # At the end

    def _end(self, folder: Folder, seen: Mark, *, thorough: bool) -> None:
        job, known = self._job, self._known
        beside = self._write_beside(folder) if thorough else [name for name in BESIDE if folder.is_ours(name)]
        if thorough:
            for name in folder.own_files(lambda name: name in beside or self._published.has_name(known.id, name)):
                self._result.removed += folder.remove(name) and name not in BESIDE
        if thorough or self._names_changed:
            folder.write_list(chain(beside, self._published.names(known.id)))
        if self._lines_changed:
            manifest.write(job.manifest, self._lines())
        self._result.pages = self._published.count(known.id)
        _, next_at = page_changes.releases(self._context.store, job.now)
        self._published.finish(
            replace(
                known, place=folder.leave(), appearance=self._appearance, url=job.url, manifest=job.manifest,
                pages=self._result.pages, seen=seen, next_at=next_at, brake=job.brake, braked=self._braked,
            )
        )  # fmt: skip

    def _write_beside(self, folder: Folder) -> list[str]:
        """Write the style sheet and the logo, where there are such; returns the names of those that are ours."""
        files = self._job.look.beside()
        found = []
        for name, data in files.items():
            if folder.read(name) == data:
                found.append(name)
            elif folder.may_write(name, ours=False):
                folder.announce([name])
                folder.write(name, data)
                found.append(name)
            else:
                self._result.strangers.append(name)
        return found

    def _lines(self) -> Iterator[tuple[str | None, ...]]:
        """Yield the lines of the manifest, by the learner's number."""
        last = 0
        while pages := self._published.after(self._known.id, last, BATCH):
            last = pages[-1].learner
            people = {one.id: one for one in learners.of_numbers(self._context.store, [page.learner for page in pages])}
            for page in pages:
                one = people.get(page.learner)
                if one is not None and page.is_noted:
                    yield one.email, one.learner_id, manifest.address(self._job.url, page.name), page.changed_at


def _renamed(due: Sequence["PagePlan"]) -> list[PublishedPage]:
    """Return the pages in whose place others of a new name were written."""
    return [plan.before for plan in due if plan.before is not None and plan.is_new]


def _noted(page: PublishedPage, strangers: Sequence[str]) -> PublishedPage:
    """Return what is noted of a page: one that could not be written has no name, and is due."""
    return replace(page, name="", due_at=MISSING) if page.name in strangers else page
