"""The story of a run: badges, the LMS, issued badges, grants, in this order."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from credly_cli.config import Settings
from credly_cli.credly.client import Client
from credly_cli.errors import Exit, Failure, Problem, exit_of_work
from credly_cli.import_options import KINDS
from credly_cli.importing.file_report import FileReport
from credly_cli.importing.importer import forget_missing
from credly_cli.importing.keeping import KnownAddresses
from credly_cli.issuing import restore
from credly_cli.issuing.plan import born_expired
from credly_cli.lms.source import SourceContext
from credly_cli.signals import Interruption
from credly_cli.store import claims, grants, needs_person, runs
from credly_cli.store import connection as connections
from credly_cli.store.connection import Connection
from credly_cli.store.database import Store
from credly_cli.store.grants import PlannedGrant
from credly_cli.store.lock import RunLock
from credly_cli.store.runs import Listed
from credly_cli.sync.badges import ListCounts, Unlinked, sync_badges
from credly_cli.sync.grants import GrantCounts, GrantsStep, ends_run
from credly_cli.sync.issued_badges import sync_issued_badges
from credly_cli.sync.lms import LmsStep, sources_of
from credly_cli.text import Hint, as_json
from credly_cli.times import Clock, utc_text
from credly_cli.token import TokenLife

Step = Literal["badges", "lms", "issued", "grants"]
STEPS: tuple[Step, ...] = ("badges", "lms", "issued", "grants")
_FILES = 20  # whose warnings are told
_NO_ROWS = {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "rejected": 0}


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """How the user wants the run."""

    steps: Sequence[Step] = STEPS
    dry_run: bool = False
    full: bool = False  # read everything anew, not only what is new
    allow_shrink: bool = False
    allow_many: bool = False  # no brake on the badges of one link
    interruption: Interruption = field(default_factory=Interruption)


@dataclass(slots=True)
class Run:
    """What a run did."""

    started_at: str
    dry_run: bool
    finished_at: str = ""
    badges: ListCounts = field(default_factory=ListCounts)
    unlinked: list[Unlinked] = field(default_factory=list)
    files: list[FileReport] = field(default_factory=list)  # of the LMS, as they were understood
    lms: dict[str, Any] = field(default_factory=lambda: {kind: dict(_NO_ROWS) for kind in KINDS})
    issued_badges: ListCounts = field(default_factory=ListCounts)
    grants: GrantCounts = field(default_factory=GrantCounts)
    plan: list[PlannedGrant] = field(default_factory=list)  # of a dry run (R32)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Hint] = field(default_factory=list)
    stopped: Failure | None = None
    worked: set[Step] = field(default_factory=set)
    whole: set[Step] = field(default_factory=set)  # the steps that came to their end
    uncertain_left: int = 0
    listed: Listed | None = None  # what is known of the issued badges, where that is all that can be read ...
    all_issued_badges_known: bool = False  # ... and whether that is all

    @property
    def exit_code(self) -> Exit:
        """The exit code, of the worst that happened."""
        codes = [self.stopped.exit_code] if self.stopped is not None else []
        codes += [problem.exit_code for problem in self.problems if problem.code != "interrupted"]
        return exit_of_work(codes, uncertain=self.uncertain_left > 0, dry_run=self.dry_run)

    @property
    def is_good(self) -> bool:
        """Whether it did its work, also where it brought up something that needs a person (R33)."""
        return self.exit_code is Exit.DONE or (self.exit_code is Exit.PARTIAL and bool(self.worked))

    @property
    def status(self) -> Literal["success", "partial", "error"]:
        """Whether all, some or nothing of the work was done."""
        if self.exit_code is Exit.DONE:
            return "success"
        return "partial" if self.worked else "error"

    def tells_of(self, step: Step) -> bool:
        """Tell whether a step is spoken of: it came to its end, or brought something before it failed (R11)."""
        counts: dict[Step, ListCounts | GrantCounts]
        counts = {"badges": self.badges, "issued": self.issued_badges, "grants": self.grants}
        return step in self.whole or (step in counts and any(asdict(counts[step]).values()))

    @property
    def JSON(self) -> Sequence[str]:  # noqa: N802 - as it is called where it is the same for all
        """The names of what scripts read."""
        plan = ("plan",) if self.dry_run else ()
        before = ("status", "dry_run", "badges", "unlinked", "lms", "issued_badges", "grants")
        return *before, *plan, "problems", "warnings", "started_at", "finished_at"


@dataclass(slots=True)
class Synchronisation:
    """One run over a store, a client and a clock."""

    store: Store
    client: Client
    clock: Clock
    connection: Connection
    settings: Settings
    lock: RunLock
    options: SyncOptions
    source_context: SourceContext
    state_folder: Path
    on_step: Callable[[Step], None] = lambda _: None  # is called as each step begins

    def run(self) -> Run:
        """Do the steps that were asked for; a failing one does not stop the later ones, a refused token does."""
        run = Run(utc_text(self.clock.now()), self.options.dry_run)
        number = self._begin(run)
        revoked, last_grant = grants.count_revoked(self.store), grants.last_id(self.store)
        for step in (step for step in STEPS if step in self.options.steps):
            if self._goes_on(run):
                self._do(step, run, number)
        self._watch_token(run)
        run.uncertain_left = grants.count_by_state(self.store)["uncertain"]
        run.grants.revoked = max(0, grants.count_revoked(self.store) - revoked)
        run.grants.uncertain = claims.count_uncertain_of(self.store, number)
        if self.options.dry_run:
            run.problems = [_without_new_grant(problem, last_grant) for problem in run.problems]
        run.finished_at = utc_text(self.clock.now())
        runs.finish(self.store, number, as_json(run), run.listed, good=run.is_good)
        return run

    def _watch_token(self, run: Run) -> None:
        """Say that the token ends soon, or may do so (R33); it may have been exchanged since it was connected."""
        life = self.connection.token_life
        if life.warning(self.clock.now()) and run.stopped is None:
            facts = self.client.token_facts()
            if facts.expiry != "not-told":
                connections.set_token_end(self.store, facts.expiry, facts.expires_at)
                life = TokenLife(facts.expiry, facts.expires_at, life.since)
        warning = life.warning(self.clock.now())
        found = [warning] if warning else []
        run.problems += found
        run.warnings += [problem.sentence for problem in found]
        needs_person.replace(self.store, "token", found)

    def _begin(self, run: Run) -> int:
        """Take the run's number, in the store and then in the lock file, before anything is claimed."""
        with self.store.transaction():
            restored = restore.note_restore(self.store, self.lock.run_number, run.started_at)
            number = runs.begin(self.store, self.lock.run_number, run.started_at)
            if restored:
                claims.doubt_all_open(self.store, number, run.started_at)
            claims.sending_to_uncertain(self.store, number, run.started_at)
        if not self.options.dry_run:
            self.lock.note_run(number)
        return number

    def _goes_on(self, run: Run) -> bool:
        if run.stopped is None and self.options.interruption.is_set():
            self._stop(run, self.options.interruption.failure())
        return run.stopped is None

    def _stop(self, run: Run, failure: Failure) -> None:
        run.stopped = failure
        run.problems.append(Problem.of(failure))

    def _do(self, step: Step, run: Run, number: int) -> None:
        self.on_step(step)
        before, is_whole = len(run.problems), False
        try:
            if self._perform(step, run, number):
                run.worked.add(step)
            run.whole.add(step)
            is_whole = True
        except Failure as failure:
            if failure.exit_code is Exit.STORE:
                raise  # nothing more can be kept, nor the end of this run
            if step == "grants" and run.grants:
                run.worked.add(step)
            # what ails the LMS is nothing of Credly's: what is known already is granted
            if failure.code == "interrupted" or (ends_run(failure) and step != "lms"):
                self._stop(run, failure)
            elif (problem := Problem.of(failure)) not in run.problems:  # what ended one step may end the next one too
                run.problems.append(problem)
        needs_person.replace(self.store, step, run.problems[before:], is_whole=is_whole)

    def _perform(self, step: Step, run: Run, number: int) -> bool:
        """Do one step; returns whether it had anything to do."""
        match step:
            case "badges":
                self._badges(run)
            case "lms":
                return self._lms(run)
            case "issued":
                self._issued_badges(run)
            case "grants":
                self._grants(run, number)
                return bool(run.grants) or not run.problems
        return True

    def _badges(self, run: Run) -> None:
        synced = sync_badges(self.store, self.client, self.clock.now(), allow_shrink=self.options.allow_shrink)
        run.badges = synced.counts
        run.unlinked = synced.unlinked
        run.grants.cancelled += synced.cancelled
        run.problems += synced.problems

    def _lms(self, run: Run) -> bool:
        """Take in what the configured source has that is new; returns whether there is a source."""
        forget_missing(self.store)
        http, options = self.client.http, self.options
        reading = self.source_context.reading._replace(address_of=KnownAddresses(self.store).of_sha1)
        context = replace(
            self.source_context, reading=reading, deadline=http.deadline, interruption=options.interruption
        )
        sources = sources_of(context)
        if not sources:
            return False
        folder = None if options.dry_run else self.state_folder
        progress = self.client.progress
        xapi = self.settings.lms.xapi
        step = LmsStep(self.store, run.started_at, folder, progress, homes=xapi.homes, activities=xapi.activities)
        taken = step.run_all(sources, self.settings.lms.max_age_days, full=options.full)
        run.lms = taken.json()
        run.files = taken.files
        run.problems += taken.problems
        run.warnings += taken.warnings
        run.warnings += taken.said_of_files(_FILES)
        if taken.failure is not None:
            raise taken.failure
        return True

    def _issued_badges(self, run: Run) -> None:
        now, settle_seconds = self.clock.now(), self.settings.grants.settle_seconds
        synced = sync_issued_badges(self.store, self.client, now, settle_seconds, full=self.options.full)
        run.issued_badges = synced.counts
        run.listed = synced.listed
        run.all_issued_badges_known = synced.listed is not None and synced.unreadable is None
        if synced.unreadable:
            run.warnings.append(Hint(synced.unreadable))
        run.problems += synced.problems

    def _grants(self, run: Run, number: int) -> None:
        GrantsStep(
            self.store,
            self.client,
            self.clock,
            self.settings,
            organization_id=self.connection.organization_id,
            run_id=number,
            started_at=run.started_at,
            dry_run=self.options.dry_run,
            all_issued_badges_known=run.all_issued_badges_known,
            interruption=self.options.interruption,
            counts=run.grants,
            problems=run.problems,
            plan=run.plan,
            allow_many=self.options.allow_many,
        ).run()
        run.warnings += born_expired(self.store, run.plan, run.started_at)


def _without_new_grant(problem: Problem, last_grant: int) -> Problem:
    """Leave out of a problem the grant that a dry run made, and takes back: no step leads to it."""
    if problem.grant_id is None or problem.grant_id <= last_grant:
        return problem
    names_it = problem.hint is not None and str(problem.grant_id) in str(problem.hint).split()
    return replace(problem, grant_id=None, hint=None if names_it else problem.hint)
