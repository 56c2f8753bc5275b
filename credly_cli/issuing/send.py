"""Sending planned grants: claim, POST, result, each on disk before the next (R17, R18; docs/exactly-once.md)."""

import sqlite3
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf
from typing import Any

from credly_cli.credly.client import Answer, AnswerKind, Client
from credly_cli.credly.records import BadgeRequest
from credly_cli.errors import ErrorCode, Failure, Problem
from credly_cli.http.response import out_of_time
from credly_cli.http.retry import RateLimit
from credly_cli.issuing.decide import Outcome, outcome
from credly_cli.issuing.forbidden import Permissions
from credly_cli.signals import Interruption
from credly_cli.store import claims, duplicates, facts, grants, issued_badges, runs
from credly_cli.store.database import Store
from credly_cli.store.grants import Grant
from credly_cli.text import Command, Hint
from credly_cli.times import Clock, Deadline, utc_text

BACKOFF = (1, 5, 30, 120, 720)  # times `recheck_seconds`
_FAULTS_IN_A_ROW = 5
_BUSY_SECONDS = 60  # whoever else writes to the store for that long: an answer must be kept
_LONGEST_PAUSE = 120.0  # seconds that a run waits for Credly at most, where it has no deadline of its own


@dataclass(slots=True)
class Sent:
    """How many grants were sent, and what became of them."""

    issued: int = 0
    covered: int = 0
    failed: int = 0
    cancelled: int = 0
    problems: list[Problem] = field(default_factory=list)
    stopped: Failure | None = None  # why the run ended before its work was done
    delayed: Failure | None = None  # why some grants wait, while others went on


@dataclass(frozen=True, slots=True)
class SendOptions:
    """How grants are sent: by a run, or by hand (``only`` these grants)."""

    run_id: int | None
    only: tuple[int, ...] | None = None
    parallel: int = 4
    recheck_seconds: int = 60
    suppress_notification: bool = False
    deadline: Deadline | None = None
    completed_from: str | None = None  # older completions wait until Credly was asked about them
    interruption: Interruption = field(default_factory=Interruption)


@dataclass(frozen=True, slots=True)
class _Claim:
    """A grant that is on disk as being sent, and what of it leaves."""

    grant: Grant
    attempt: int
    request: BadgeRequest


@dataclass(frozen=True, slots=True)
class UnsavedAnswer:
    """What Credly answered about a grant, where the store could not keep it."""

    grant_id: int
    badge_id: str
    answer: AnswerKind
    status: int | None
    issued_badge_id: str | None


class UnsavedError(Failure):
    """The store failed while answers were on their way; they are written to stderr, and found again on Credly."""

    def __init__(self, error: Exception, answers: list[UnsavedAnswer]) -> None:
        super().__init__(
            "store-unusable",
            f"The store cannot be written: {error}. {len(answers)} answers of Credly could not be kept.",
            hint=Hint("Make room on the disk, then:", Command("sync"), ". It finds on Credly what was issued."),
        )
        self.answers = answers


def request_of(grant: Grant, *, suppress_notification: bool) -> BadgeRequest:
    """Return what is sent for a grant (R17, R24)."""
    return BadgeRequest(
        grant.badge_id, grant.email, grant.earner_id, grant.first_name, grant.last_name, grant.issued_at,
        grant.locale, suppress_notification,
    )  # fmt: skip


def send(store: Store, client: Client, clock: Clock, options: SendOptions) -> Sent:
    """Send the grants that are due; only this thread touches the store. Raises ``UnsavedError``."""
    return _Sender(store, client, clock, options).run()


def reconsider(store: Store, grant: Grant) -> Outcome:
    """Decide anew about a planned grant, with the badges that are known by now (R20, R23)."""
    earned = outcome(facts.of_grant(store, grant))
    asked_for = grant.reason == "manual" or grant.confirmed_at is not None  # a person may grant what was revoked
    return Outcome("planned") if asked_for and earned.state != "covered" else earned


class _Sender:
    def __init__(self, store: Store, client: Client, clock: Clock, options: SendOptions) -> None:
        self.store, self.client, self.clock, self.options = store, client, clock, options
        self.outcome = Sent()
        self.answered, self.expected = 0, grants.count_by_state(store)["planned"]
        self.rate_limit = RateLimit()
        self.faults = 0  # answers in a row that were faults of Credly or of the way there
        self.busy = 0  # requests to slow down in a row
        self.permissions = Permissions(store)
        self.under_way: dict[Future[Answer], _Claim] = {}

    def run(self) -> Sent:
        self.store.wait_for_writers(_BUSY_SECONDS)
        with ThreadPoolExecutor(self.options.parallel) as pool:
            try:
                self._work(pool)
            except (sqlite3.Error, OSError) as error:
                if not self.under_way:
                    raise  # nothing was sent that is not on disk
                raise UnsavedError(error, self._unsaved_answers()) from error
        self._report_permissions()
        return self.outcome

    def _report_permissions(self) -> None:
        """Blame the token where it may only read or every badge was refused (403), else name those that were (R33)."""
        if self.permissions.refused and not self.permissions.allowed:
            self.permissions.read_only = self.client.token_facts().may_write is False
        self.permissions.remember(whole=self.outcome.stopped is None and self.options.only is None)
        failure, problems = self.permissions.failure(), self.permissions.problems()
        if failure is not None:
            self.outcome.stopped = self.outcome.stopped or failure
            return
        self.outcome.problems += problems
        if problems and self.options.only is not None:  # by hand there is but one badge
            first, hint = problems[0], "In Credly, see who may issue this badge; then grant it again."
            self.outcome.stopped = self.outcome.stopped or Failure(first.code, first.message, hint=hint)

    def _work(self, pool: ThreadPoolExecutor) -> None:
        while True:
            claimed = self._exchange()
            for claim in claimed:
                self.rate_limit.sent(self._now())
                self.under_way[pool.submit(self.client.issue, claim.request)] = claim
            if self.under_way:
                wait(self.under_way, self.rate_limit.delay(self._now()) or None, FIRST_COMPLETED)
            elif not claimed and not self._pause():
                return

    def _exchange(self) -> list[_Claim]:
        """Take the answers that are there and claim as many grants as can leave: one commit, before any byte does."""
        if not any(future.done() for future in self.under_way) and not self._free(0):
            return []
        with self.store.transaction():
            done = self._take_answers()
            claimed = self._claim(self._free(len(done)))
        for future in done:
            del self.under_way[future]
        if done:
            self.answered += len(done)
            self.client.progress.at(self.answered, max(self.answered, self.expected))
        return claimed

    def _take_answers(self) -> list[Future[Answer]]:
        """Take the answers that are there, and those that come in meanwhile; returns them."""
        taken: list[Future[Answer]] = []
        while done := [future for future in self.under_way if future.done() and future not in taken]:
            for future in done:
                self._take(self.under_way[future], future.result())
            taken += done
        return taken

    def _free(self, answered: int) -> int:
        """Count the grants that may be claimed now: never more than there are workers for them."""
        if self.rate_limit.delay(self._now()) > 0:
            return 0
        free = self.options.parallel - (len(self.under_way) - answered)
        return free if self.rate_limit.rate is None else min(free, 1)

    def _unsaved_answers(self) -> list[UnsavedAnswer]:
        """Wait for the answers under way."""
        wait(self.under_way)
        return [_unsaved(claim.grant, future.result()) for future, claim in self.under_way.items()]

    def _now(self) -> float:
        return self.clock.monotonic()

    def _text(self) -> str:
        return utc_text(self.clock.now())

    def _may_claim(self) -> bool:
        if self.outcome.stopped is None:
            left = self.options.deadline.remaining() if self.options.deadline else inf
            delay = self.rate_limit.delay(self._now())
            if self.options.interruption.is_set():
                self.outcome.stopped = self.options.interruption.failure()
            elif delay >= left:
                self.outcome.stopped = out_of_time()
            elif left == inf and delay > _LONGEST_PAUSE:
                self.outcome.stopped = self._too_busy()
        return self.outcome.stopped is None

    def _claim(self, free: int) -> list[_Claim]:
        due = self._due(free) if free > 0 else []
        if not due or not self._may_claim():
            return []
        claimed = [self._claim_one(grant) for grant in due]
        return [claim for claim in claimed if claim is not None]

    def _due(self, limit: int) -> list[Grant]:
        return claims.due(
            self.store,
            self._text(),
            limit,
            self.options.only,
            completed_from=self.options.completed_from,
            held_back=self.permissions.refused,
        )

    def _claim_one(self, grant: Grant) -> _Claim | None:
        decision = reconsider(self.store, grant)
        if decision.state == "covered":
            grants.set_state(self.store, grant.id, "covered", self._text(), covered_by=decision.covered_by)
            self.outcome.covered += 1
            return None
        if decision.state is None:
            grants.set_state(self.store, grant.id, "cancelled", self._text())
            self.outcome.cancelled += 1
            return None
        # also where it was sent before: the address of then may be somebody else's now (docs/exactly-once.md, 5)
        request = request_of(grant, suppress_notification=self.options.suppress_notification)
        server_date = self.client.http.last_date
        attempt = claims.claim(self.store, grant.id, request.body(), self.options.run_id, self._text(), server_date)
        return None if attempt is None else _Claim(grant, attempt, request)

    def _pause(self) -> bool:
        """Wait as the rate limit says, with nothing under way; false when there is nothing left to do."""
        if not self._due(1) or not self._may_claim():
            return False
        self.clock.sleep(self.rate_limit.delay(self._now()))
        return True

    def _take(self, claim: _Claim, answer: Answer) -> None:
        now = self._text()
        status = answer.reply.status if answer.reply else None
        claims.note_attempt(self.store, claim.attempt, now, answer.kind, status, answer.detail)
        self.permissions.note(claim.grant, answer)
        self._watch(answer)
        if not self._is_still_ours(claim, answer):
            return
        match answer.kind:
            case "issued":
                self._issued(claim, answer, now)
            case "unclear" | "refused" | "unpaid" | "conflict":
                self._uncertain(claim, answer, now)
            case "rejected":
                self._failed(claim, answer, now)
            case "stop" | "forbidden" | "busy":
                self._back(claim, now, tries=claim.grant.tries)
            case "not-sent":
                self._back(claim, now, not_before=self._later(claim.grant.tries))
                self.outcome.delayed = Failure("unreachable", f"Credly could not be reached: {answer.detail}.")
            case "missing":
                self._missing(claim, answer, now)

    def _watch(self, answer: Answer) -> None:
        """Stop the run for what concerns it as a whole: a refused token, five faults in a row, a busy Credly."""
        server_fault = answer.kind in ("unclear", "not-sent")
        self.faults = self.faults + 1 if server_fault else 0
        self.busy = self.busy + 1 if answer.kind == "busy" else 0
        if answer.kind == "busy":
            self.rate_limit.slow_down(self._now(), answer.reply.retry_after if answer.reply else None)
        else:
            self.rate_limit.answered(answer.reply.date if answer.reply else None)
        if self.outcome.stopped is not None:
            return
        if answer.kind == "stop" or self.permissions.is_enough:
            self.outcome.stopped = answer.failure or self.permissions.failure()
        elif self.faults >= _FAULTS_IN_A_ROW:
            code: ErrorCode = "server-error" if answer.reply else "unreachable"
            self.outcome.stopped = Failure(code, f"Credly failed {self.faults} times in a row: {answer.detail}.")
        elif self.busy >= _FAULTS_IN_A_ROW + self.options.parallel:
            self.outcome.stopped = self._too_busy()

    def _too_busy(self) -> Failure:
        hint = "The next sync goes on." if self.options.only is None else "Grant it again later."
        return Failure("rate-limited", "Credly asks to slow down and to come back later.", hint=hint)

    def _is_still_ours(self, claim: _Claim, answer: Answer) -> bool:
        """Tell whether the grant is where we left it; past the lock, another run may have taken it over meanwhile."""
        states = ("sending", "uncertain") if answer.kind == "issued" else ("sending",)
        return claims.is_awaiting(self.store, claim.grant.id, states)

    def _issued(self, claim: _Claim, answer: Answer, now: str) -> None:
        badge = answer.badge
        if badge is None:
            raise AssertionError("an issued answer has its badge")
        if grants.owner_of(self.store, badge.id) is not None:
            self._uncertain(claim, Answer("unclear", "the answer names the badge of another grant", answer.reply), now)
            return
        issued_badges.save(self.store, [badge], now, issued_by_run=runs.last(self.store))
        grants.set_state(
            self.store, claim.grant.id, "issued", now, issued_badge_id=badge.id, problem_code=None, problem=None
        )
        self.outcome.issued += 1

    def _uncertain(self, claim: _Claim, answer: Answer, now: str) -> None:
        refusal = answer.refusal
        message = f"It is not clear whether it was issued: {answer.detail}."
        if refusal is not None:
            message = f"Credly refused: {answer.detail}."
            claims.note_refusal(self.store, claim.grant.id, refusal)
        grants.set_state(self.store, claim.grant.id, "uncertain", now, problem_code=None, problem=message)

    def _failed(self, claim: _Claim, answer: Answer, now: str) -> None:
        message = f"Credly refused: {answer.detail}."
        grants.set_state(self.store, claim.grant.id, "failed", now, problem_code="unexpected", problem=message)
        self.outcome.failed += 1
        self.outcome.problems.append(claim.grant.as_problem("grant-failed", message, claim.grant.way_on))
        duplicates.release_superseded(self.store, now)

    def _missing(self, claim: _Claim, answer: Answer, now: str) -> None:
        """Let the grants of a badge wait that Credly does not know, while others go on."""
        later = self._later(claim.grant.tries)
        self._back(claim, now, not_before=later)
        claims.wait_for_badge(self.store, claim.grant.badge_id, later, now)
        message = f"Credly does not know this badge, so what is planned for it waits: {answer.detail}."
        self.outcome.problems.append(claim.grant.as_problem("server-error", message))

    def _back(self, claim: _Claim, now: str, **columns: Any) -> None:
        # nothing of it was applied; what was sent before may have been
        unsent = {"body": None, "body_sha256": None} if claim.grant.body is None else {}
        grants.set_state(self.store, claim.grant.id, "planned", now, **unsent, **columns)

    def _later(self, tries: int) -> str:
        factor = BACKOFF[min(tries, len(BACKOFF) - 1)]
        return utc_text(self.clock.now() + timedelta(seconds=self.options.recheck_seconds * factor))


def _unsaved(grant: Grant, answer: Answer) -> UnsavedAnswer:
    status = answer.reply.status if answer.reply else None
    return UnsavedAnswer(grant.id, grant.badge_id, answer.kind, status, answer.badge.id if answer.badge else None)
