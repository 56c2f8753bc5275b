"""Two learners that turn out to be one: known by address only, and by id with another address until now (R25)."""

from credly_cli.store.database import Store
from credly_cli.store.duplicates import stand_for_badge, stand_for_session

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
    _move_grants(store, old, new, now)
    store.change("UPDATE OR IGNORE former_emails SET learner = :new WHERE learner = :old", who)
    store.change("DELETE FROM former_emails WHERE learner = :old", who)
    store.change("DELETE FROM learners WHERE id = :old", who)


def _move_grants(store: Store, old: int, new: int, now: str) -> None:
    """Give all grants to the new learner, with their attempts; of two for what is earned once, one stands."""
    moved = store.rows("SELECT id, badge_id, content_id, session_id, round, once FROM grants WHERE learner = ?", (old,))
    for grant in moved:
        session = grant["content_id"], grant["session_id"]
        taken = store.value(
            "SELECT max(round) FROM grants WHERE learner = ? AND badge_id = ? AND content_id = ? AND session_id = ?",
            (new, grant["badge_id"], *session),
        )
        number = grant["round"] + (taken or 0)
        store.change("UPDATE grants SET learner = ?, round = ? WHERE id = ?", (new, number, grant["id"]))
        stand_for_session(store, new, grant["badge_id"], session, now)
    for badge_id in {grant["badge_id"] for grant in moved if grant["once"]}:
        stand_for_badge(store, new, badge_id, now)
