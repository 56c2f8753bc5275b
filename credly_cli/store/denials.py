"""Completions that a later file of the same source denies before their badge was sent.

A denied completion does not count until it is told again; its grant is held for a person (R33). One whose badge was
sent is never undone.
"""

from typing import NamedTuple

from credly_cli.store.database import Store


class Origin(NamedTuple):
    """Where records of progress come from: the source, '' the common one, and the file, where there is one."""

    source: str = ""
    file: str | None = None


UNKNOWN_ORIGIN = Origin()

# Of a log, only what is newer denies, or is told again (a log is read twice); a later enrollment or another event is
# another attempt, which denies nothing.
_DENY = """
UPDATE enrollments AS e SET denied_at = :now, denied_by = :file, rev = :rev
FROM temp.folded f CROSS JOIN temp.places s ON s.place = f.place
WHERE f.open = 1 AND NOT f.ended AND f.completed_at IS NULL
AND e.learner = f.learner AND e.content_id = s.content_id AND e.session_id = s.session_id
AND e.completed_at IS NOT NULL AND e.denied_at IS NULL AND e.source = :source
AND (f.told_at IS NULL OR (f.told_at > e.completed_at AND f.told_at >= ifnull(e.told_at, '')))
AND ifnull(f.enrolled_at, '') <= e.completed_latest AND ifnull(f.dated_at, '') <> e.completed_at
AND (f.event_id IS NULL OR e.event_id IS NULL OR f.event_id = e.event_id)
"""
_ALLOW = """
UPDATE enrollments AS e SET denied_at = NULL, denied_by = NULL, rev = :rev WHERE e.denied_at > ''
AND EXISTS (
  SELECT 1 FROM temp.places s CROSS JOIN temp.folded f ON f.learner = e.learner AND f.place = s.place
  WHERE s.content_id = e.content_id AND s.session_id = e.session_id AND f.completed_at IS NOT NULL
  AND (f.told_at IS NULL OR e.told_at IS NULL OR f.completed_latest >= e.told_at))
"""


def write(store: Store, origin: Origin, rev: int, now: str) -> int:
    """Note which completions the folded records deny, and which denied ones they tell again; returns how many."""
    allowed = store.change(_ALLOW, {"rev": rev})
    return allowed + store.change(_DENY, {"now": now, "file": origin.file, "rev": rev, "source": origin.source})


# Grants

# Whether a grant `g` is for the session of an enrollment `e`.
OF_GRANT = "g.learner = e.learner AND g.content_id = e.content_id AND g.session_id = e.session_id"


def denied(row: str) -> str:
    """Return the condition that a completion is denied, and that nobody said since that its grant `g` is to be sent.

    ``row`` is the alias of the enrollment, or of a row that has its times.
    """
    return f"({row}.denied_at IS NOT NULL AND ifnull(g.confirmed_at, '') < {row}.denied_at)"


_HOLD = f"""
UPDATE grants SET state = 'held', problem_code = 'completion-denied', updated_at = :now, not_before = NULL,
body = iif(state = 'failed', NULL, body), body_sha256 = iif(state = 'failed', NULL, body_sha256), problem = (
  SELECT ifnull(e.denied_by, 'The LMS') || ' has the learner as not complete, after '
    || ifnull(e.file, 'it') || ' had told the completion.'
  FROM enrollments e WHERE e.learner = grants.learner AND e.content_id = grants.content_id
  AND e.session_id = grants.session_id)
WHERE id IN (
  SELECT g.id FROM enrollments e CROSS JOIN grants g ON {OF_GRANT}
  WHERE e.denied_at > '' AND {denied("e")} AND g.reason = 'completion' AND g.state IN ('planned', 'held', 'failed')
  AND ifnull(g.problem_code, '') <> 'completion-denied' AND (g.state <> 'held' OR g.body IS NULL))
RETURNING id
"""
_FREE = f"""
UPDATE grants SET state = iif(body IS NULL, 'cancelled', 'planned'), problem_code = NULL, problem = NULL,
  updated_at = :now
WHERE id IN (
  SELECT g.id FROM grants g CROSS JOIN enrollments e ON {OF_GRANT}
  WHERE g.state = 'held' AND g.problem_code = 'completion-denied' AND e.denied_at IS NULL)
"""


def hold(store: Store, now: str) -> list[int]:
    """Hold the unsent grants whose completions are denied, but for those that may have arrived; returns them."""
    return [identity for (identity,) in store.connection.execute(_HOLD, {"now": now}).fetchall()]


def free(store: Store, now: str) -> None:
    """Cancel the held grants whose completions were told again, so that they are planned afresh.

    What was sent once, and was found not to have arrived, stays what it was.
    """
    store.change(_FREE, {"now": now})
