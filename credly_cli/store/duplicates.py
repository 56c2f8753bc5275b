"""Duplicates of what is earned once: one grant supersedes the others, *covered*; when it ends, they take over.

A grant is covered by a badge that the learner holds, or by another grant. A covering grant never is covered itself by
one that it covers, so somebody always is to get the badge (R18, R19).
"""

from collections.abc import Sequence

from credly_cli.store.database import Store
from credly_cli.store.grants import GRANTS, STILL_COUNTED, Grant, completion_of, set_state
from credly_cli.store.schema import State

_SENT: tuple[State, ...] = ("sending", "uncertain", "issued")
_UNSENT: tuple[State, ...] = ("planned", "held")
_REFUSED: tuple[State, ...] = ("failed",)
# What was revoked or deleted covers nothing: a later session earns the badge anew (R23).
_OF_BADGE = f"""
{GRANTS} LEFT JOIN issued_badges i ON i.id = ifnull(g.issued_badge_id, g.covered_by)
WHERE g.learner = ? AND g.badge_id = ? AND g.once AND NOT g.dropped
AND ifnull(i.state, '') <> 'revoked' AND i.deleted_at IS NULL ORDER BY g.id
"""


def cancel_unsent(store: Store, badge_id: str, now: str, *, completed_before: str | None = None) -> int:
    """Cancel what was not sent yet, or was refused and cannot be sent again (R9, R15, R16); returns how many."""
    earlier = f"AND reason = 'completion' AND EXISTS ({completion_of('grants')} < :before)"
    before = "" if completed_before is None else earlier
    cancelled = store.change(
        f"UPDATE grants SET state = 'cancelled', updated_at = :now WHERE badge_id = :badge_id {before}"
        " AND state IN ('planned', 'held', 'failed')",
        {"now": now, "badge_id": badge_id, "before": completed_before},
    )
    release_superseded(store, now)
    return cancelled


def release_superseded(store: Store, now: str) -> None:
    """Let what was covered by a grant that now earns nothing stand for itself; cancel what no link counts any more."""
    released = store.rows(
        f"UPDATE grants SET state = iif({STILL_COUNTED}, 'planned', 'cancelled'), covered_by_grant = NULL,"
        " updated_at = ? WHERE state = 'covered'"
        " AND covered_by_grant IN (SELECT id FROM grants WHERE state IN ('cancelled', 'failed'))"
        " RETURNING learner, badge_id, once",
        (now,),
    )
    for learner, badge_id in {(row["learner"], row["badge_id"]) for row in released if row["once"]}:
        stand_for_badge(store, learner, badge_id, now)


# An issued badge `i` that a covered grant `c` had, by itself or by the grant that issued it, and that is gone.
_LOST = " UNION ALL ".join(
    f"SELECT c.id FROM issued_badges i {covered} WHERE {lost}"
    for lost in ("i.state = 'revoked'", "i.deleted_at IS NOT NULL")
    for covered in (
        "CROSS JOIN grants c ON c.covered_by = i.id",
        "CROSS JOIN grants o ON o.issued_badge_id = i.id CROSS JOIN grants c ON c.covered_by_grant = o.id",
    )
)


def of_lost_covers(store: Store) -> list[Grant]:
    """Return the covered grants whose covers were revoked or deleted, and whose links still count them (R20)."""
    return store.records(
        Grant,
        f"{GRANTS} WHERE g.id IN (SELECT grants.id FROM grants WHERE grants.id IN ({_LOST})"
        f" AND grants.state = 'covered' AND {STILL_COUNTED}) ORDER BY g.id",
    )


def stand_for_badge(store: Store, learner: int, badge_id: str, now: str) -> None:
    """Let one grant of a badge that is earned once stand for all sessions of the learner."""
    _let_one_stand(store, store.records(Grant, _OF_BADGE, (learner, badge_id)), _UNSENT, now)


def stand_for_session(store: Store, learner: int, badge_id: str, session: tuple[str, str], now: str) -> None:
    """Let one grant stand for a learner's session of content, where two learners turned out to be one."""
    of_session = f"{GRANTS} WHERE g.learner = ? AND g.badge_id = ? AND g.content_id = ? AND g.session_id = ?"
    in_session = store.records(Grant, f"{of_session} ORDER BY g.id", (learner, badge_id, *session))
    _let_one_stand(store, in_session, _UNSENT + _REFUSED, now)


def _let_one_stand(store: Store, grants: Sequence[Grant], coverable: Sequence[State], now: str) -> None:
    first = min(grants, key=_rank, default=None)
    if first is None or _rank(first) == _NOTHING:
        return
    for grant in grants:
        if grant is not first and (grant.state in coverable or grant.covered_by_grant is not None):
            _supersede(store, grant.id, first, now)


_NOTHING = 5


def _rank(grant: Grant) -> int:
    """Rank a grant: what may be issued, what is held already, what a person dropped, what is to be sent."""
    state = grant.state
    if state in _SENT:
        return 0
    if state == "covered" and grant.covered_by is not None:
        return 1
    if state == "cancelled" and grant.dropped:
        return 2
    if state in _UNSENT:
        return 3
    return 4 if state in _REFUSED else _NOTHING


def _supersede(store: Store, grant_id: int, first: Grant, now: str) -> None:
    solved = {"problem_code": None, "problem": None}
    if first.dropped:
        set_state(store, grant_id, "cancelled", now, dropped=1, covered_by_grant=None, **solved)
        return
    badge = first.covered_by
    by_grant = first.id if badge is None else None
    set_state(store, grant_id, "covered", now, covered_by=badge, covered_by_grant=by_grant, **solved)
