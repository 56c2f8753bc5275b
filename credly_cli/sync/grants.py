"""The last step of a run: each completion that counts earns its badge (R17-R23)."""

from dataclasses import asdict, dataclass, field

from credly_cli.config import Settings
from credly_cli.credly.client import Client
from credly_cli.errors import Exit, Failure, Problem
from credly_cli.issuing import plan, reconcile, restore, send
from credly_cli.issuing.plan import Brake
from credly_cli.issuing.reconcile import Reconciled
from credly_cli.issuing.restore import RestoreCheck
from credly_cli.issuing.send import SendOptions
from credly_cli.signals import Interruption
from credly_cli.store import claims, grants, runs
from credly_cli.store.database import Store
from credly_cli.store.grants import PlannedGrant
from credly_cli.text import counted
from credly_cli.times import Clock, utc_text

_ENDS_RUN = (Exit.NOT_CONNECTED, Exit.CONFIG)


@dataclass(slots=True)
class GrantCounts:
    """How many grants a run brought into each state; ``adopted`` ones were found on Credly, and are issued too."""

    planned: int = 0
    issued: int = 0
    adopted: int = 0
    covered: int = 0
    uncertain: int = 0
    held: int = 0
    failed: int = 0
    cancelled: int = 0
    revoked: int = 0  # issued before, and revoked or deleted in Credly since the last run

    def __bool__(self) -> bool:
        return any(asdict(self).values())

    def add(self, result: object, *names: str) -> None:
        """Add the counts of these names that a part of the step has."""
        for name in names:
            setattr(self, name, getattr(self, name) + getattr(result, name))


@dataclass(slots=True)
class GrantsStep:
    """The step, for one run; what it does is counted in ``counts`` and ``problems`` as it goes on."""

    store: Store
    client: Client
    clock: Clock
    settings: Settings
    organization_id: str
    run_id: int
    started_at: str
    dry_run: bool
    all_issued_badges_known: bool  # this run read a complete listing of them
    interruption: Interruption
    counts: GrantCounts
    problems: list[Problem]
    plan: list[PlannedGrant]  # of a dry run
    allow_many: bool = False  # no brake
    _braked: int = field(default=0, init=False)

    def run(self) -> None:
        """Plan, ask Credly where the store cannot know, reconcile, send, and reconcile what came of it.

        Raises ``Failure`` that says why something is left for the next run.
        """
        self._plan()
        check = self._restore_check()
        completed_from = check.completed_from()
        if not self.all_issued_badges_known and check.stopped is None:
            check.ask_about_repeatable()
        if check.stopped is not None:
            raise check.stopped
        first = self._reconcile(set())
        if self.dry_run:
            # all that would be sent: what the brake keeps back is only shown
            self.counts.planned = grants.count_by_state(self.store)["planned"] - self._braked
            self.plan.extend(grants.plan_of(self.store, utc_text(self.clock.now())))
            return
        sent = send.send(self.store, self.client, self.clock, self._options(completed_from))
        self.counts.add(sent, "issued", "covered", "failed", "cancelled")
        self.problems.extend(sent.problems)
        if sent.stopped is not None and ends_run(sent.stopped):
            raise sent.stopped
        second = self._reconcile(first.looked_up)  # what is found at once need not wait for the next run
        self._explain_rest(sent.stopped or second.stopped or first.stopped or check.failure or sent.delayed)

    def _plan(self) -> None:
        now = utc_text(self.clock.now())
        brake = Brake(self.settings.grants.brake, off=self.allow_many, rehearsed=self.dry_run)
        planned = plan.plan(self.store, self.organization_id, self.run_id, now, brake)
        self._braked = planned.braked
        self.problems.extend(plan.note_lost_covers(self.store, now))
        doubted = restore.doubt_older(self.store, self.run_id, now)
        self.counts.planned += max(0, planned.planned - doubted)
        self.counts.add(planned, "held", "covered")
        self.problems.extend(planned.problems)

    def _restore_check(self) -> RestoreCheck:
        first_run_at = runs.first_started_at(self.store) or self.started_at
        recheck_seconds = self.settings.grants.recheck_seconds
        known = self.all_issued_badges_known
        return RestoreCheck(self.store, self.client, self.clock, recheck_seconds, first_run_at, known)

    def _reconcile(self, looked_up: set[int]) -> Reconciled:
        settings = self.settings.grants
        reconciled = reconcile.reconcile(self.store, self.client, self.clock, settings, except_for=looked_up)
        self.counts.issued += reconciled.adopted
        self.counts.add(reconciled, "adopted", "covered", "failed", "held", "planned", "cancelled")
        self.problems.extend(reconciled.problems)
        if reconciled.stopped is not None and ends_run(reconciled.stopped):
            raise reconciled.stopped
        return reconciled

    def _explain_rest(self, reason: Failure | None) -> None:
        """Say why something planned, or not looked up, is left for the next run; raises ``Failure``."""
        if reason is not None:
            raise reason
        left = claims.waiting_for_a_try(self.store, utc_text(self.clock.now()))
        if left and not self.problems:
            waiting = counted(left, "grant waits", "grants wait")
            message = f"{waiting} for the next try; Credly did not take it before."
            raise Failure("server-error", message, hint="The next sync tries them when their time has come.")

    def _options(self, completed_from: str | None) -> SendOptions:
        return SendOptions(
            run_id=self.run_id,
            parallel=self.settings.credly.parallel,
            recheck_seconds=self.settings.grants.recheck_seconds,
            suppress_notification=self.settings.suppress_notification,
            deadline=self.client.http.deadline,
            completed_from=completed_from,
            interruption=self.interruption,
        )


def ends_run(failure: Failure) -> bool:
    """Tell whether a failure of one step concerns all the others: nothing can be done without token and address."""
    return failure.exit_code in _ENDS_RUN or failure.code == "interrupted"
