"""Which session a record means, where the LMS told it without one, or told of no sessions before.

Content gets sessions in the course of time. What was told without a session means the same enrollment before and after,
and a completion that is there without a session is not another one when it is told with its session: importing a file
again changes nothing, and earns no second badge (R18).
"""

from credly_cli.store.database import Store

_ANY = "SELECT 1 FROM temp.spots WHERE content_id IN (SELECT content_id FROM sessions) LIMIT 1"
_SAME = "(f.event_id = e.event_id OR (f.completed_at <= e.completed_latest AND f.completed_latest >= e.completed_at))"
# How well an enrollment e fits the record f, best 0: the same completion; a later one, which an older does not undo;
# the very place; the only enrollment, unless both are completions.
_FITS = f"""
CASE
  WHEN {_SAME} THEN 0
  WHEN NOT f.loose THEN NULL
  WHEN f.completed_at <= e.completed_at THEN 1
  WHEN e.session_id = s.session_id THEN 2
  WHEN f.completed_at IS NULL OR e.completed_at IS NULL THEN 3
END
"""
# Most are where they were: these need no closer look.
_PLAIN = f"""
EXISTS (SELECT 1 FROM enrollments e WHERE e.learner = f.learner AND e.content_id = s.content_id
  AND e.session_id = s.session_id AND (f.completed_at IS NULL OR {_SAME}))
"""
_MEANT = (
    "DROP TABLE IF EXISTS temp.meant",
    """
    CREATE TEMP TABLE meant (
      learner INTEGER, place INTEGER, content_id TEXT, session_id TEXT, PRIMARY KEY (learner, place)) WITHOUT ROWID
    """,
    f"""
    INSERT INTO temp.meant
    SELECT learner, place, content_id, meant FROM (
      SELECT *, row_number() OVER (PARTITION BY learner, place ORDER BY fit, meant <> session_id, meant) AS rank FROM (
        SELECT f.learner, f.place, s.content_id, s.session_id, e.session_id AS meant, {_FITS} AS fit,
          count(*) OVER (PARTITION BY f.learner, f.place) AS known
        FROM temp.folded f CROSS JOIN temp.spots s ON s.place = f.place
        CROSS JOIN enrollments e ON e.learner = f.learner AND e.content_id = s.content_id
        WHERE s.content_id IN (SELECT content_id FROM sessions) AND NOT {_PLAIN}
        AND (f.loose OR e.session_id IN ('', s.session_id))
      ) WHERE fit < 3 OR (fit = 3 AND known = 1)
    ) WHERE rank = 1 AND meant <> session_id
    """,
)
_ADD_SPOTS = "INSERT OR IGNORE INTO temp.spots (content_id, session_id) SELECT content_id, session_id FROM temp.meant"
_MOVE = """
UPDATE temp.told SET place = ifnull((
  SELECT s.place FROM temp.named n CROSS JOIN temp.meant m ON m.learner = n.learner AND m.place = told.place
  CROSS JOIN temp.spots s ON s.content_id = m.content_id AND s.session_id = m.session_id
  WHERE n.who = told.who), place)
"""


def find_sessions(store: Store) -> bool:
    """Move the staged records to the enrollments that they mean; returns whether any moved and is to be folded anew."""
    if not store.value(_ANY):
        return False
    for statement in _MEANT:
        store.change(statement)
    if not store.value("SELECT 1 FROM temp.meant LIMIT 1"):
        return False
    store.change(_ADD_SPOTS)
    store.change(_MOVE)
    return True
