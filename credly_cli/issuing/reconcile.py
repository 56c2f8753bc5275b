"""Reconcile uncertain grants with Credly: found is conclusive at once, absent only after a time (R18)."""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from credly_cli.config import GrantSettings
from credly_cli.credly.client import Client
from credly_cli.credly.records import IssuedBadge
from credly_cli.errors import Failure, Problem
from credly_cli.http.response import read_date
from credly_cli.issuing.lookup import Found, GrantQuestion, look_up_all, look_up_grant
from credly_cli.store import claims, duplicates, grants, issued_badges
from credly_cli.store.database import Store
from credly_cli.store.grants import Grant
from credly_cli.store.schema import State
from credly_cli.text import Command, Hint
from credly_cli.times import Clock, from_utc_text, utc_text

_LOG = logging.getLogger(__name__)
_ABSENCES = 2
_AT_ONCE = timedelta(seconds=60)


@dataclass(slots=True)
class Reconciled:
    """How many grants were settled, and how."""

    adopted: int = 0
    covered: int = 0
    failed: int = 0
    held: int = 0
    planned: int = 0
    cancelled: int = 0
    problems: list[Problem] = field(default_factory=list)
    looked_up: set[int] = field(default_factory=set)
    stopped: Failure | None = None  # why some could not be looked up


def reconcile(
    store: Store, client: Client, clock: Clock, settings: GrantSettings, *, except_for: Collection[int] = frozenset()
) -> Reconciled:
    """Look every uncertain grant up on Credly, ``except_for`` these, and settle what can be settled."""
    return _Reconciliation(store, client, clock, settings).run(except_for)


class _Reconciliation:
    def __init__(self, store: Store, client: Client, clock: Clock, settings: GrantSettings) -> None:
        self.store, self.client, self.clock, self.settings = store, client, clock, settings
        self.outcome = Reconciled()

    def run(self, except_for: Collection[int]) -> Reconciled:
        wanted = [grant for grant in claims.uncertain(self.store) if grant.id not in except_for]
        wanted = [grant for grant in wanted if not self._is_stored(grant)]
        questions = [GrantQuestion.of(self.store, grant) for grant in wanted]
        for question, found in look_up_all(self.client, questions, look_up_grant):
            grant = question.grant
            if isinstance(found, Failure):
                self.outcome.stopped = found
                claims.put_back(self.store, grant.id, utc_text(self.clock.now()))
                continue
            self.outcome.looked_up.add(grant.id)
            with self.store.transaction():
                self._take(question, found)
        return self.outcome

    def _is_stored(self, grant: Grant) -> bool:
        """Adopt a badge with the grant's own mark that a listing has brought already."""
        if grant.once:  # its mark is the learner's, not its own
            return False
        known = issued_badges.unowned_of_marks(self.store, grant.badge_id, (grant.earner_id,))
        if known:
            with self.store.transaction():
                self._adopt(grant, known[0].id, utc_text(self.clock.now()))
        return bool(known)

    def _adopt(self, grant: Grant, issued_badge_id: str, now: str) -> None:
        self._settle(grant, "issued", now, issued_badge_id=issued_badge_id)
        self.outcome.adopted += 1

    def _take(self, question: GrantQuestion, found: Found) -> None:
        """Draw what can be concluded from a look-up and from the store together (R20).

        Credly's filters may mind how an address is spelled, where its list, in the store, has the badge.
        """
        grant, now = question.grant, utc_text(self.clock.now())
        issued_badges.save(self.store, found.badges, now)
        stored = issued_badges.of_learner_and_badge(self.store, grant.learner, grant.badge_id)
        known = {badge.id: badge for badge in (*stored, *found.badges)}.values()
        tells = "which tells all" if found.conclusive else "which proves no absence"
        _LOG.debug("Looked up: grant %s, badges found: %s, %s", grant.id, len(found.badges), tells)
        if (ours := self._ours(question, known)) is not None:
            self._adopt(grant, ours.id, now)
        elif _is_barred(grant) and (held := next((badge for badge in known if badge.held), None)) is not None:
            self._settle(grant, "covered", now, covered_by=held.id)
            self.outcome.covered += 1
        elif found.conclusive:
            self._absent(grant, found.server_date, now)

    def _ours(self, question: GrantQuestion, known: Iterable[IssuedBadge]) -> IssuedBadge | None:
        """Return the badge that this grant issued, if no other grant owns it and it was not there before."""
        grant = question.grant
        ours = [badge for badge in known if question.is_answered_by(badge)]
        ours.sort(key=lambda badge: badge.issued_at != grant.issued_at)
        return next((badge for badge in ours if _may_be_of(self.store, badge, grant)), None)

    def _settle(self, grant: Grant, state: State, now: str, **columns: Any) -> None:
        grants.set_state(self.store, grant.id, state, now, **{"problem_code": None, "problem": None, **columns})

    def _absent(self, grant: Grant, server_date: str | None, now: str) -> None:
        """Count a conclusive absence, and draw the conclusion after the second.

        Of what Credly refused nothing was applied, so that the first after the settling time tells (R20).
        """
        refused = grant.refusals > 0
        if refused and grant.refusal != "held":  # nothing was applied, and nothing says that it need be
            self._fail(grant, now)
            return
        if not self._is_settled(grant, server_date):
            self._note_server_date(grant, server_date)
            return
        if refused:
            self._fail(grant, now)
            return
        if grant.absent_at is not None:
            since = self.clock.now() - from_utc_text(grant.absent_at)
            if since < timedelta():  # our clock has gone back: the pause begins anew
                claims.restart_absence(self.store, grant.id, now)
            if since < timedelta(seconds=self.settings.recheck_seconds):
                return
        if grant.absences + 1 < _ABSENCES:
            claims.note_absence(self.store, grant.id, now)
        else:
            self._send_again(grant, now)

    def _note_server_date(self, grant: Grant, server_date: str | None) -> None:
        """Where Credly's clock was not known at the time, take it from the look that follows at once."""
        if grant.server_date is None and server_date is not None and grant.sent_at is not None:
            since = self.clock.now() - from_utc_text(grant.sent_at)
            if timedelta() <= since < _AT_ONCE:
                claims.set_server_date(self.store, grant.id, server_date)

    def _fail(self, grant: Grant, now: str) -> None:
        grants.set_state(self.store, grant.id, "failed", now, problem_code="unexpected")
        self.outcome.failed += 1
        self.outcome.problems.append(grant.as_problem("grant-failed", grant.problem or "Credly refused.", grant.way_on))
        duplicates.release_superseded(self.store, now)

    def _send_again(self, grant: Grant, now: str) -> None:
        if not grants.still_wanted(self.store, grant.id):
            self._settle(grant, "cancelled", now)
            self.outcome.cancelled += 1
            duplicates.release_superseded(self.store, now)
        elif self.settings.hold_uncertain and grant.body:
            message = "It is not on Credly, and hold_uncertain keeps it from being sent again."
            found = Command("resolve", str(grant.id), "--issued", "BADGE_ID")
            hint = Hint("To send it again:", Command("retry", str(grant.id)), "; if it is there after all:", found)
            self._settle(grant, "held", now, problem_code="unexpected", problem=message)
            self.outcome.held += 1
            self.outcome.problems.append(grant.as_problem("grant-held", message, hint))
        else:
            self._settle(grant, "planned", now, not_before=None, cleared_at=now)
            self.outcome.planned += 1

    def _is_settled(self, grant: Grant, server_date: str | None) -> bool:
        """Tell whether the settling time has passed, on Credly's clock too: a jump of ours cannot shorten it."""
        wait = timedelta(seconds=self.settings.settle_seconds)
        ours = self.clock.now() - from_utc_text(grant.sent_at) if grant.sent_at else wait
        if timedelta() <= ours < wait:
            return False
        sent, asked = read_date(grant.server_date), read_date(server_date)
        # where ours has gone back behind the sending, Credly's alone can tell
        return asked - sent >= wait if sent and asked else ours >= wait


def _is_barred(grant: Grant) -> bool:
    """Tell whether a badge that the learner holds stands in the way of this grant, now or when it was refused."""
    return grant.earned_once or (grant.refusals > 0 and grant.refusal == "held")


def _may_be_of(store: Store, badge: IssuedBadge, grant: Grant) -> bool:
    """Tell whether no other grant owns a badge and, where marks are no grant's own, it came after the first try."""
    if claims.is_owned_by_another(store, badge.id, grant, bears_id=badge.earner_id == grant.earner_id):
        return False
    return not (grant.once and claims.was_known_before(store, badge.id, grant.id))
