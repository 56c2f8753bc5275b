"""Settling uncertain grants: found on Credly is conclusive at once, absent only after a time (reliability, 3.5)."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from credly_cli.credly.client import Client
from credly_cli.credly.records import IssuedBadge
from credly_cli.errors import Failure, Problem
from credly_cli.http.response import read_date
from credly_cli.issuing.lookup import Found, Sought, look_up_all
from credly_cli.store import duplicates, grants, issued_badges
from credly_cli.store.database import Store
from credly_cli.store.schema import State
from credly_cli.times import Clock, from_utc_text, utc_text

_ABSENCES = 2
_AT_ONCE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long absence must last before it is believed."""

    settle_seconds: int = 900
    recheck_seconds: int = 60
    hold_uncertain: bool = False


@dataclass(slots=True)
class Settled:
    """What settling brought about."""

    adopted: int = 0
    covered: int = 0
    failed: int = 0
    held: int = 0
    planned: int = 0
    cancelled: int = 0
    problems: list[Problem] = field(default_factory=list)
    looked_up: set[int] = field(default_factory=set)
    stopped: Failure | None = None  # why some could not be looked up


def settle(
    store: Store, client: Client, clock: Clock, patience: Patience, *, besides: Collection[int] = frozenset()
) -> Settled:
    """Look every uncertain grant up on Credly, ``besides`` these, and settle what can be settled."""
    return _Settler(store, client, clock, patience).run(besides)


class _Settler:
    def __init__(self, store: Store, client: Client, clock: Clock, patience: Patience) -> None:
        self.store, self.client, self.clock, self.patience = store, client, clock, patience
        self.outcome = Settled()

    def run(self, besides: Collection[int]) -> Settled:
        wanted = [grant for grant in grants.uncertain(self.store) if grant["id"] not in besides]
        wanted = [grant for grant in wanted if not self._is_stored(grant)]
        for grant, found in look_up_all(self.client, wanted):
            if isinstance(found, Failure):
                self.outcome.stopped = found
                grants.put_back(self.store, grant["id"], utc_text(self.clock.now()))
                continue
            self.outcome.looked_up.add(grant["id"])
            with self.store.transaction():
                self._take(grant, found)
        return self.outcome

    def _is_stored(self, grant: dict[str, Any]) -> bool:
        """Adopt a badge with the grant's own mark that a listing has brought already."""
        if grant["once"]:  # its mark is the learner's, not its own
            return False
        known = issued_badges.unowned_of_marks(self.store, grant["badge_id"], (grant["earner_id"],))
        if known:
            with self.store.transaction():
                self._adopt(grant, known[0]["id"], utc_text(self.clock.now()))
        return bool(known)

    def _adopt(self, grant: dict[str, Any], issued_badge_id: str, now: str) -> None:
        self._settle(grant, "issued", now, issued_badge_id=issued_badge_id)
        self.outcome.adopted += 1

    def _take(self, grant: dict[str, Any], found: Found) -> None:
        """Draw what can be concluded from a look-up; what is inconclusive says neither found nor absent."""
        if not (found.conclusive or found.badges):
            return
        now = utc_text(self.clock.now())
        issued_badges.save(self.store, found.badges, now)
        ours = self._ours(grant, found)
        if ours is not None:
            self._adopt(grant, ours.id, now)
        elif not found.conclusive:
            return
        elif (held := found.held) is not None and _bars(grant):
            self._settle(grant, "covered", now, covered_by=held.id)
            self.outcome.covered += 1
        else:
            self._absent(grant, found.server_date, now)

    def _ours(self, grant: dict[str, Any], found: Found) -> IssuedBadge | None:
        """Return the badge that this grant issued, if no other grant owns it and it was not there before."""
        sought = Sought.of(grant)
        ours = [badge for badge in found.badges if sought.is_ours(badge)]
        ours.sort(key=lambda badge: badge.issued_at != grant["issued_at"])
        return next((badge for badge in ours if _may_be_of(self.store, badge.id, grant)), None)

    def _settle(self, grant: dict[str, Any], state: State, now: str, **columns: Any) -> None:
        grants.set_state(self.store, grant["id"], state, now, **{"problem_code": None, "problem": None, **columns})

    def _absent(self, grant: dict[str, Any], server_date: str | None, now: str) -> None:
        """Count a conclusive absence, and draw the conclusion after the second."""
        refused = grant["refusals"] > 0
        if refused and not _says_held(grant):  # nothing was applied, and nothing says that it need be
            self._fail(grant, now)
            return
        if not self._is_settled(grant, server_date):
            self._note_server_date(grant, server_date)
            return
        if grant["absent_at"] is not None:
            since = self.clock.now() - from_utc_text(grant["absent_at"])
            if since < timedelta():  # our clock has gone back: the pause begins anew
                self.store.change("UPDATE grants SET absent_at = ? WHERE id = ?", (now, grant["id"]))
            if since < timedelta(seconds=self.patience.recheck_seconds):
                return
        if grant["absences"] + 1 < _ABSENCES:
            sql = "UPDATE grants SET absences = absences + 1, absent_at = ? WHERE id = ?"
            self.store.change(sql, (now, grant["id"]))
        elif refused:
            self._fail(grant, now)
        else:
            self._send_again(grant, now)

    def _note_server_date(self, grant: dict[str, Any], server_date: str | None) -> None:
        """Where Credly's clock was not known at the time, take it from the look that follows at once."""
        if grant["server_date"] is None and server_date is not None and grant["sent_at"] is not None:
            since = self.clock.now() - from_utc_text(grant["sent_at"])
            if timedelta() <= since < _AT_ONCE:
                self.store.change("UPDATE grants SET server_date = ? WHERE id = ?", (server_date, grant["id"]))

    def _fail(self, grant: dict[str, Any], now: str) -> None:
        grants.set_state(self.store, grant["id"], "failed", now, problem_code="unexpected")
        self.outcome.failed += 1
        self.outcome.problems.append(_problem(grant, grant["problem"]))
        duplicates.release_covered(self.store, now)

    def _send_again(self, grant: dict[str, Any], now: str) -> None:
        if not grants.still_wanted(self.store, grant["id"]):
            self._settle(grant, "cancelled", now)
            self.outcome.cancelled += 1
            duplicates.release_covered(self.store, now)
        elif self.patience.hold_uncertain and grant["body"]:
            told = "It is not on Credly, and hold_uncertain keeps it from being sent again."
            self._settle(grant, "held", now, problem_code="unexpected", problem=told)
            self.outcome.held += 1
            self.outcome.problems.append(_problem(grant, told))
        else:
            self._settle(grant, "planned", now, not_before=None, cleared_at=now)
            self.outcome.planned += 1

    def _is_settled(self, grant: dict[str, Any], server_date: str | None) -> bool:
        """Tell whether the settling time has passed, on Credly's clock too: a jump of ours cannot shorten it."""
        wait = timedelta(seconds=self.patience.settle_seconds)
        ours = self.clock.now() - from_utc_text(grant["sent_at"]) if grant["sent_at"] else wait
        if timedelta() <= ours < wait:
            return False
        sent, asked = read_date(grant["server_date"]), read_date(server_date)
        # where ours has gone back behind the sending, Credly's alone can tell
        return asked - sent >= wait if sent and asked else ours >= wait


def _problem(grant: dict[str, Any], told: str) -> Problem:
    return Problem("unexpected", told, grant["email"], grant["badge_id"], grant["id"])


def _bars(grant: dict[str, Any]) -> bool:
    """Tell whether a badge that the learner holds stands in the way of this grant, now or when it was refused."""
    return bool(grant["once"] or not grant["allow_duplicates"] or (grant["refusals"] > 0 and _says_held(grant)))


def _says_held(grant: dict[str, Any]) -> bool:
    """Tell whether Credly refused because the learner has the badge; its text is no contract, but a hint."""
    return "already" in (grant["problem"] or "")


def _may_be_of(store: Store, issued_badge_id: str, grant: dict[str, Any]) -> bool:
    """Tell whether no other grant owns a badge and, where marks are no grant's own, it came after the first try."""
    sql = "SELECT 1 FROM grants WHERE (issued_badge_id = :badge OR covered_by = :badge) AND id <> :grant"
    if store.value(sql, {"badge": issued_badge_id, "grant": grant["id"]}) is not None:
        return False
    sql = "SELECT i.stored_at < min(a.started_at) FROM issued_badges i JOIN attempts a ON a.grant_id = ? WHERE i.id = ?"
    return not (grant["once"] and store.value(sql, (grant["id"], issued_badge_id)))
