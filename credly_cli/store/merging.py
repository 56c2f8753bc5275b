"""Two learners that turn out to be one: known by address only, and by id with another address until now (R25)."""

from typing import Any

from credly_cli.store.database import Store

_SENT = ("sending", "uncertain", "issued", "covered")
_UNSENT = ("planned", "held")

# Of two enrollments in the same session the later completion stays, as for two records of one learner.
_ENROLLMENTS = """
UPDATE enrollments SET completed_at = o.completed_at, completed_latest = o.completed_latest, event_id = o.event_id,
  rev = max(enrollments.rev, o.rev)
FROM (SELECT * FROM enrollments WHERE learner = :old) o
WHERE enrollments.learner = :new AND enrollments.content_id = o.content_id AND enrollments.session_id = o.session_id
AND o.completed_at > ifnull(enrollments.completed_at, '')
"""


def merge(store: Store, old: int, new: int, now: str) -> None:
    """Make one learner of two, so that no enrollment, grant or badge is doubled; ``old`` is gone afterwards."""
    who = {"old": old, "new": new}
    store.change("UPDATE OR IGNORE enrollments SET learner = :new WHERE learner = :old", who)
    store.change(_ENROLLMENTS, who)
    store.change("DELETE FROM enrollments WHERE learner = :old", who)
    for grant in store.rows("SELECT * FROM grants WHERE learner = ? ORDER BY id", (old,)):
        _move_grant(store, grant, new, now)
    _cover_what_is_earned_once(store, new, now)
    store.change("UPDATE OR IGNORE former_emails SET learner = :new WHERE learner = :old", who)
    store.change("DELETE FROM former_emails WHERE learner = :old", who)
    store.change("DELETE FROM learners WHERE id = :old", who)


def _move_grant(store: Store, grant: dict[str, Any], new: int, now: str) -> None:
    """Give a grant to its new learner; of two for one session, what was sent goes before what was not."""
    twin = store.row(
        "SELECT id, round, state FROM grants WHERE learner = ? AND badge_id = ? AND content_id = ? AND session_id = ?"
        " ORDER BY round DESC LIMIT 1",
        (new, grant["badge_id"], grant["content_id"], grant["session_id"]),
    )
    if twin is not None and grant["state"] not in _SENT:
        store.change("UPDATE grants SET covered_by_grant = ? WHERE covered_by_grant = ?", (twin["id"], grant["id"]))
        store.change("DELETE FROM attempts WHERE grant_id = ?", (grant["id"],))
        store.change("DELETE FROM grants WHERE id = ?", (grant["id"],))
        return
    number = grant["round"] + (twin["round"] if twin else 0)
    store.change("UPDATE grants SET learner = ?, round = ? WHERE id = ?", (new, number, grant["id"]))
    if twin is not None and twin["state"] in _UNSENT:
        _cover(store, twin["id"], grant["id"], now)


def _cover_what_is_earned_once(store: Store, learner: int, now: str) -> None:
    """Of the grants of a badge that is earned once, let one be sent."""
    grants = store.rows("SELECT id, badge_id, state FROM grants WHERE learner = ? AND once ORDER BY id", (learner,))
    first: dict[str, int] = {}
    for states in (_SENT, _UNSENT):
        for grant in (grant for grant in grants if grant["state"] in states):
            earned = first.setdefault(grant["badge_id"], grant["id"])
            if states is _UNSENT and earned != grant["id"]:
                _cover(store, grant["id"], earned, now)


def _cover(store: Store, grant: int, by: int, now: str) -> None:
    store.change(
        "UPDATE grants SET state = 'covered', covered_by_grant = ?, problem_code = NULL, problem = NULL,"
        " updated_at = ? WHERE id = ?",
        (by, now, grant),
    )
