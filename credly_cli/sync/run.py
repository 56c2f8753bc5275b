"""The story of a run: badges, the LMS, issued badges, grants, in this order (design, section 4)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from credly_cli.config import Settings
from credly_cli.credly.client import Client
from credly_cli.errors import Exit, Failure, Problem, exit_of_work
from credly_cli.issuing import plan, reconcile, restore, send
from credly_cli.issuing.reconcile import Patience, Settled
from credly_cli.issuing.restore import Guard
from credly_cli.lms.records import KINDS
from credly_cli.lms.source import SourceContext
from credly_cli.signals import Interruption
from credly_cli.store import grants, runs
from credly_cli.store.connection import Connection
from credly_cli.store.database import Store
from credly_cli.store.lock import RunLock
from credly_cli.store.runs import Listed
from credly_cli.sync import pulling
from credly_cli.sync.lms import LmsStep, source_of
from credly_cli.text import Hint, counted
from credly_cli.times import Clock, utc_text
from credly_cli.token import token_warning

Step = Literal["badges", "lms", "issued", "grants"]
STEPS: tuple[Step, ...] = ("badges", "lms", "issued", "grants")
_NO_CHANGE = {"added": 0, "changed": 0, "unchanged": 0, "removed": 0}
_NO_ROWS = {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "rejected": 0}
_ENDS_RUN = (Exit.NOT_CONNECTED, Exit.CONFIG)
_COUNTED = ("planned", "issued", "adopted", "covered", "uncertain", "held", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Wish:
    """How the user wants the run."""

    steps: Sequence[Step] = STEPS
    dry_run: bool = False
    full: bool = False
    allow_shrink: bool = False
    interrupted: Interruption = field(default_factory=Interruption)


@dataclass(slots=True)
class Run:
    """What a run brought about."""

    started_at: str
    dry_run: bool
    finished_at: str = ""
    badges: dict[str, int] = field(default_factory=lambda: dict(_NO_CHANGE))
    unlinked: list[dict[str, Any]] = field(default_factory=list)
    lms: dict[str, dict[str, int]] = field(default_factory=lambda: {kind: dict(_NO_ROWS) for kind in KINDS})
    issued_badges: dict[str, int] = field(default_factory=lambda: dict(_NO_CHANGE))
    grants: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTED, 0))
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Hint] = field(default_factory=list)
    stopped: Failure | None = None
    worked: set[Step] = field(default_factory=set)
    uncertain_left: int = 0
    listed: Listed | None = None  # what is known of the issued badges, where that is all

    @property
    def exit_code(self) -> Exit:
        """The exit code, of the worst that happened."""
        codes = [self.stopped.exit_code] if self.stopped is not None else []
        codes += [problem.exit_code for problem in self.problems if problem.code != "interrupted"]
        return exit_of_work(codes, uncertain=self.uncertain_left > 0, dry_run=self.dry_run)

    @property
    def status(self) -> Literal["success", "partial", "error"]:
        """Whether all, some or nothing of the work was done."""
        if self.exit_code is Exit.DONE:
            return "success"
        return "partial" if self.worked else "error"

    def json(self) -> dict[str, Any]:
        """Return the answer as scripts read it."""
        return {
            "status": self.status,
            "dry_run": self.dry_run,
            "badges": self.badges,
            "unlinked": self.unlinked,
            "lms": self.lms,
            "issued_badges": self.issued_badges,
            "grants": self.grants,
            "problems": [problem.json() for problem in self.problems],
            "warnings": list(map(str, self.warnings)),
            "started_at": self.started_at,
            "finished_at": self.finished_at,
        }


@dataclass(slots=True)
class Synchronisation:
    """One run over a store, a client and a clock."""

    store: Store
    client: Client
    clock: Clock
    connection: Connection
    settings: Settings
    lock: RunLock
    wish: Wish
    around: SourceContext
    state_folder: Path
    begun: Callable[[Step], None] = lambda _: None  # is told each step as it begins

    def run(self) -> Run:
        """Do the steps that were asked for; a failing one does not stop the later ones, a refused token does."""
        warning = token_warning(self.connection.token_expires_at, self.clock.now())
        run = Run(utc_text(self.clock.now()), self.wish.dry_run, warnings=[warning] if warning else [])
        number = self._begin(run)
        for step in (step for step in STEPS if step in self.wish.steps):
            if self._go_on(run):
                self._do(step, run, number)
        run.uncertain_left = grants.count_by_state(self.store)["uncertain"]
        run.grants["uncertain"] = grants.count_uncertain_of(self.store, number)
        run.finished_at = utc_text(self.clock.now())
        runs.finish(self.store, number, run.json(), run.listed)
        return run

    def _begin(self, run: Run) -> int:
        """Take the run's number, in the store and then in the lock file, before anything is claimed."""
        with self.store.transaction():
            restored = restore.note_restore(self.store, self.lock.run_number, run.started_at)
            number = runs.begin(self.store, self.lock.run_number, run.started_at)
            if restored:
                grants.doubt_all_open(self.store, number, run.started_at)
            grants.sending_to_uncertain(self.store, number, run.started_at)
        if not self.wish.dry_run:
            self.lock.note_run(number)
        return number

    def _go_on(self, run: Run) -> bool:
        if run.stopped is None and self.wish.interrupted.is_set():
            self._stop(run, self.wish.interrupted.failure())
        return run.stopped is None

    def _stop(self, run: Run, failure: Failure) -> None:
        run.stopped = failure
        run.problems.append(Problem.of(failure))

    def _do(self, step: Step, run: Run, number: int) -> None:
        self.begun(step)
        try:
            if self._perform(step, run, number):
                run.worked.add(step)
        except Failure as failure:
            if failure.exit_code is Exit.STORE:
                raise  # nothing more can be kept, nor the end of this run
            if step == "grants" and any(run.grants.values()):
                run.worked.add(step)
            if _ends_run(failure):
                self._stop(run, failure)
            elif (told := Problem.of(failure)) not in run.problems:  # what ended one step may end the next one too
                run.problems.append(told)

    def _perform(self, step: Step, run: Run, number: int) -> bool:
        """Do one step; returns whether it had anything to do."""
        match step:
            case "badges":
                self._badges(run)
            case "lms":
                return self._lms(run)
            case "issued":
                self._issued(run)
            case "grants":
                self._grants(run, number)
                return any(run.grants.values()) or not run.problems
        return True

    def _badges(self, run: Run) -> None:
        pulled = pulling.pull_badges(self.store, self.client, self.clock.now(), allow_shrink=self.wish.allow_shrink)
        run.badges = pulled.json()
        run.unlinked = pulled.unlinked
        run.grants["cancelled"] += pulled.cancelled
        run.problems += pulled.problems

    def _lms(self, run: Run) -> bool:
        """Take in what the configured source has that is new; returns whether there is a source."""
        source = source_of(replace(self.around, deadline=self.client.http.deadline, interruption=self.wish.interrupted))
        if source is None:
            return False
        folder = None if self.wish.dry_run else self.state_folder
        progress = self.client.progress
        taken = LmsStep(self.store, run.started_at, folder, progress).run(source, full=self.wish.full)
        run.lms = taken.json()
        run.problems += taken.problems
        _raise_if(taken.failure)
        return True

    def _issued(self, run: Run) -> None:
        settle_seconds = self.settings.grants.settle_seconds
        now, full = self.clock.now(), self.wish.full
        pulled = pulling.pull_issued_badges(self.store, self.client, now, settle_seconds, full=full)
        run.issued_badges = pulled.json()
        run.listed = pulled.listed
        run.problems += pulled.problems

    def _grants(self, run: Run, number: int) -> None:
        """Plan, ask Credly where the store cannot know, settle, send, and settle what came of it."""
        self._plan(run, number)
        guard = self._guard(run)
        completed_from = guard.completed_from()
        if run.listed is None and guard.stopped is None:
            guard.ask_about_repeatable()
        _raise_if(guard.stopped)
        first = self._settle(run, set())
        if self.wish.dry_run:
            run.grants["planned"] = grants.count_by_state(self.store)["planned"]  # all that would be sent
            return
        terms = self._terms(number, completed_from)
        sent = send.send(self.store, self.client, self.clock, terms)
        for count in ("issued", "covered", "failed", "cancelled"):
            run.grants[count] += getattr(sent, count)
        run.problems += sent.problems
        if sent.stopped is not None and _ends_run(sent.stopped):
            raise sent.stopped
        second = self._settle(run, first.looked_up)  # what is found at once need not wait for the next run
        self._leave(run, sent.stopped or second.stopped or first.stopped or guard.failure or sent.delayed)

    def _plan(self, run: Run, number: int) -> None:
        now = utc_text(self.clock.now())
        planned = plan.plan(self.store, self.connection.organization_id, number, now)
        doubted = restore.doubt_older(self.store, number, now)
        run.grants["planned"] += max(0, planned.planned - doubted)
        run.grants["held"] += planned.held
        run.grants["covered"] += planned.covered
        run.problems += planned.problems

    def _guard(self, run: Run) -> Guard:
        born_at = runs.first_started_at(self.store) or run.started_at
        return Guard(self.store, self.client, self.clock, self.settings.grants.recheck_seconds, born_at)

    def _settle(self, run: Run, besides: set[int]) -> Settled:
        settled = reconcile.settle(self.store, self.client, self.clock, self._patience(), besides=besides)
        run.grants["issued"] += settled.adopted
        for count in ("adopted", "covered", "failed", "held", "planned", "cancelled"):
            run.grants[count] += getattr(settled, count)
        run.problems += settled.problems
        if settled.stopped is not None and _ends_run(settled.stopped):
            raise settled.stopped
        return settled

    def _leave(self, run: Run, reason: Failure | None) -> None:
        """Say why something planned, or not looked up, is left for the next run."""
        if reason is not None:
            raise reason
        left = grants.count_by_state(self.store)["planned"]
        if left and not run.problems:
            told = f"{counted(left, 'grant waits', 'grants wait')} for the next try; Credly did not take it before."
            raise Failure("server-error", told, hint="The next sync tries them when their time has come.")

    def _patience(self) -> Patience:
        grants = self.settings.grants
        return Patience(grants.settle_seconds, grants.recheck_seconds, grants.hold_uncertain)

    def _terms(self, number: int, completed_from: str | None) -> send.Terms:
        return send.Terms(
            run_id=number,
            parallel=self.settings.credly.parallel,
            recheck_seconds=self.settings.grants.recheck_seconds,
            suppress_notification=self.settings.suppress_notification,
            deadline=self.client.http.deadline,
            completed_from=completed_from,
            interrupted=self.wish.interrupted,
        )


def _ends_run(failure: Failure) -> bool:
    if failure.code == "lms-token-refused":
        return False  # Credly has nothing to do with it: what is known already is granted
    return failure.exit_code in _ENDS_RUN or failure.code == "interrupted"


def _raise_if(failure: Failure | None) -> None:
    if failure is not None:
        raise failure
