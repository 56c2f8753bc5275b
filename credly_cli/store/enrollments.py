"""Enrollments: who is in which session, how far, and who completed it when.

The records of an import, staged in temporary tables, are folded to one for each enrollment (``folded``), moved to the
sessions that they mean, and written where they differ from what is stored.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from credly_cli.store import denials, statements
from credly_cli.store.database import Store
from credly_cli.store.denials import Origin
from credly_cli.store.runs import bookmark, set_bookmark
from credly_cli.store.statements import Settled

_REV = "completions-rev"
_LISTED = 1000  # undone completions, of those that are listed one by one

# Folding: of several records of an enrollment, and of a record and what is stored, this stays. A newer word on progress
# and end replaces an older one; of two of the same second the order is not known and the better counts. A completion
# stays, and moves only to a later time, or to a corrected one of the same event. The two statements say the same.

_FOLD = (
    "DROP TABLE IF EXISTS temp.folded",
    """
    CREATE TEMP TABLE folded (
      learner, place, loose, progress, enrolled_at, ended, open, told_at, completed_at, completed_latest, event_id,
      dated_at, PRIMARY KEY (learner, place)) WITHOUT ROWID
    """,
    """
    INSERT INTO temp.folded
    SELECT p.learner, r.place, r.loose, nullif(r.progress, ''), nullif(r.enrolled_at, ''), r.ended, nullif(r.open, ''),
      nullif(r.told_at, ''), nullif(r.completed_at, ''), nullif(r.completed_latest, ''), nullif(r.event_id, ''),
      nullif(r.dated_at, '')
    FROM temp.records r CROSS JOIN temp.people p ON p.person = r.person
    WHERE p.learner IS NOT NULL ORDER BY p.learner, r.place, r.line
    ON CONFLICT DO UPDATE SET
      loose = min(loose, excluded.loose),
      dated_at = max(ifnull(excluded.dated_at, dated_at), ifnull(dated_at, excluded.dated_at)),
      progress = CASE
        WHEN excluded.told_at IS NULL OR excluded.told_at > ifnull(told_at, '') THEN ifnull(excluded.progress, progress)
        WHEN excluded.told_at = told_at
          THEN max(ifnull(excluded.progress, progress), ifnull(progress, excluded.progress))
        ELSE progress
      END,
      enrolled_at = max(ifnull(excluded.enrolled_at, enrolled_at), ifnull(enrolled_at, excluded.enrolled_at)),
      ended = CASE
        WHEN excluded.told_at IS NULL OR excluded.told_at > ifnull(told_at, '') THEN excluded.ended
        WHEN excluded.told_at = told_at THEN min(excluded.ended, ended)
        ELSE ended
      END,
      open = CASE
        WHEN excluded.told_at IS NULL OR excluded.told_at > ifnull(told_at, '') THEN ifnull(excluded.open, open)
        WHEN excluded.told_at = told_at THEN min(ifnull(excluded.open, open), ifnull(open, excluded.open))
        ELSE open
      END,
      told_at = max(ifnull(excluded.told_at, told_at), ifnull(told_at, excluded.told_at)),
      completed_at = iif(
        excluded.completed_at IS NOT NULL AND (
          completed_at IS NULL OR excluded.completed_at > completed_at OR excluded.event_id = event_id),
        excluded.completed_at, completed_at),
      completed_latest = iif(
        excluded.completed_at IS NOT NULL AND (
          completed_at IS NULL OR excluded.completed_at > completed_at OR excluded.event_id = event_id),
        excluded.completed_latest, completed_latest),
      event_id = iif(
        excluded.completed_at IS NOT NULL AND (
          completed_at IS NULL OR excluded.completed_at > completed_at OR excluded.event_id = event_id),
        excluded.event_id, event_id)
    """,
)
_COMPARE = (
    "DROP TABLE IF EXISTS temp.changes",
    """
    CREATE TEMP TABLE changes AS
    SELECT * FROM (
      SELECT learner, content_id, session_id,
        CASE
          WHEN is_newer THEN ifnull(progress, old_progress)
          WHEN told_at = old_told_at THEN max(ifnull(progress, old_progress), ifnull(old_progress, progress))
          ELSE old_progress
        END AS progress,
        max(ifnull(enrolled_at, old_enrolled_at), ifnull(old_enrolled_at, enrolled_at)) AS enrolled_at,
        CASE
          WHEN is_newer THEN ended
          WHEN told_at = old_told_at THEN min(ended, old_ended)
          ELSE old_ended
        END AS ended,
        CASE
          WHEN is_newer THEN ifnull(open, old_open)
          WHEN told_at = old_told_at THEN min(ifnull(open, old_open), ifnull(old_open, open))
          ELSE old_open
        END AS open,
        max(ifnull(told_at, old_told_at), ifnull(old_told_at, told_at)) AS told_at,
        iif(moves, completed_at, old_completed_at) AS completed_at,
        iif(moves, completed_latest, old_completed_latest) AS completed_latest,
        iif(moves, event_id, old_event_id) AS event_id,
        old_progress, old_enrolled_at, old_ended, old_open, old_told_at, old_completed_at, old_completed_latest,
        old_event_id
      FROM (
        SELECT f.*, s.content_id, s.session_id, e.progress AS old_progress, e.enrolled_at AS old_enrolled_at,
          e.ended AS old_ended, e.open AS old_open, e.told_at AS old_told_at, e.completed_at AS old_completed_at,
          e.completed_latest AS old_completed_latest, e.event_id AS old_event_id,
          f.told_at IS NULL OR f.told_at > ifnull(e.told_at, '') AS is_newer,
          f.completed_at IS NOT NULL AND (e.completed_at IS NULL OR f.completed_at > e.completed_at
            OR f.event_id = e.event_id OR e.denied_at IS NOT NULL) AS moves
        FROM temp.folded f CROSS JOIN temp.places s ON s.place = f.place
        CROSS JOIN enrollments e
          ON e.learner = f.learner AND e.content_id = s.content_id AND e.session_id = s.session_id
      )
    )
    WHERE (progress, enrolled_at, ended, open, told_at, completed_at, completed_latest, event_id)
      IS NOT (old_progress, old_enrolled_at, old_ended, old_open, old_told_at, old_completed_at, old_completed_latest,
        old_event_id)
    """,
)


def fold(store: Store) -> None:
    """Fold the staged records to one for each enrollment."""
    for statement in _FOLD:
        store.change(statement)


# Matching sessions: enrollments that a record without a session, or one of a session that is new, may mean


class Alternative(NamedTuple):
    """A folded record and an enrollment of its learner in the same content that it may mean; times are UTC text."""

    learner: int
    place: int
    content_id: str
    session_id: str
    loose: bool
    event_id: str | None
    completed_at: str | None
    completed_latest: str | None
    enrolled_session: str
    enrolled_event_id: str | None
    enrolled_completed_at: str | None
    enrolled_completed_latest: str | None


_HAS_SESSIONS = "SELECT 1 FROM temp.places WHERE content_id IN (SELECT content_id FROM sessions) LIMIT 1"
# Left out are records that are plainly of an enrollment in their very session: nearly all.
_ALTERNATIVES = """
SELECT f.learner, f.place, s.content_id, s.session_id, f.loose, f.event_id, f.completed_at, f.completed_latest,
  e.session_id, e.event_id, e.completed_at, e.completed_latest
FROM temp.folded f CROSS JOIN temp.places s ON s.place = f.place
CROSS JOIN enrollments e ON e.learner = f.learner AND e.content_id = s.content_id
WHERE s.content_id IN (SELECT content_id FROM sessions) AND (f.loose OR e.session_id IN ('', s.session_id))
AND NOT EXISTS (
  SELECT 1 FROM enrollments o WHERE o.learner = f.learner AND o.content_id = s.content_id
  AND o.session_id = s.session_id AND (f.completed_at IS NULL OR f.event_id = o.event_id
    OR (f.completed_at <= o.completed_latest AND f.completed_latest >= o.completed_at)))
ORDER BY f.learner, f.place, e.session_id
"""
_ADD_PLACE = "INSERT OR IGNORE INTO temp.places (content_id, session_id) VALUES (?, ?)"
_STAGE_MOVES = (
    "DROP TABLE IF EXISTS temp.moves",
    """
    CREATE TEMP TABLE moves (
      learner INTEGER, place INTEGER, content_id TEXT, session_id TEXT, PRIMARY KEY (learner, place)) WITHOUT ROWID
    """,
)
_MOVE = """
UPDATE temp.records SET place = ifnull((
  SELECT s.place FROM temp.people p CROSS JOIN temp.moves m ON m.learner = p.learner AND m.place = records.place
  CROSS JOIN temp.places s ON s.content_id = m.content_id AND s.session_id = m.session_id
  WHERE p.person = records.person), place)
"""


class SessionMove(NamedTuple):
    """Records of a learner and a place that mean the learner's enrollment in another session of the content."""

    learner: int
    place: int
    content_id: str
    session_id: str


def alternatives(store: Store) -> Iterator[Alternative]:
    """Yield what folded records may mean, by learner and place; only of content that has sessions."""
    if store.value(_HAS_SESSIONS):
        yield from map(Alternative._make, store.connection.execute(_ALTERNATIVES))


def move_records(store: Store, moves: Iterable[SessionMove]) -> bool:
    """Move staged records to the sessions that they mean; returns whether there were any."""
    for statement in _STAGE_MOVES:
        store.change(statement)
    store.connection.executemany("INSERT INTO temp.moves VALUES (?, ?, ?, ?)", moves)
    places = store.connection.execute("SELECT content_id, session_id FROM temp.moves").fetchall()
    if not places:
        return False
    store.connection.executemany(_ADD_PLACE, places)
    store.change(_MOVE)
    return True


# Writing

_ADD = """
INSERT INTO enrollments (learner, content_id, session_id, progress, enrolled_at, ended, open, told_at, completed_at,
  completed_latest, event_id, rev, source, file)
SELECT learner, content_id, session_id, progress, enrolled_at, ended, ifnull(open, 0), told_at, completed_at,
  completed_latest, iif(completed_at IS NULL, NULL, event_id), iif(completed_at IS NULL, 0, :rev), :source,
  iif(completed_at IS NULL, NULL, :file)
FROM temp.folded CROSS JOIN temp.places USING (place) WHERE true ON CONFLICT DO NOTHING
"""
_HAS_MOVED = "(c.completed_at, c.completed_latest) IS NOT (c.old_completed_at, c.old_completed_latest)"
_CHANGE = f"""
UPDATE enrollments AS e SET progress = c.progress, enrolled_at = c.enrolled_at, ended = c.ended, open = c.open,
  told_at = c.told_at, completed_at = c.completed_at, completed_latest = c.completed_latest, event_id = c.event_id,
  rev = iif({_HAS_MOVED}, :rev, e.rev), source = iif({_HAS_MOVED}, :source, e.source),
  file = iif({_HAS_MOVED}, :file, e.file)
FROM temp.changes c WHERE e.learner = c.learner AND e.content_id = c.content_id AND e.session_id = c.session_id
"""
_STILL_UNDONE = """
SELECT count(*) FROM temp.folded f CROSS JOIN temp.places s ON s.place = f.place
CROSS JOIN enrollments e ON e.learner = f.learner AND e.content_id = s.content_id AND e.session_id = s.session_id
WHERE (f.open OR f.ended) AND e.completed_at IS NOT NULL AND (e.open OR e.ended)
"""
_NEWLY_UNDONE = f"""
SELECT l.email, t.title FROM temp.changes c CROSS JOIN learners l ON l.id = c.learner
CROSS JOIN content t ON t.id = c.content_id
WHERE c.completed_at IS NOT NULL AND (c.open OR c.ended)
AND (c.old_completed_at IS NULL OR NOT (c.old_open OR c.old_ended))
AND NOT EXISTS (  -- what was not sent yet does not stay as it is, but waits for a person
  SELECT 1 FROM enrollments e WHERE e.learner = c.learner AND e.content_id = c.content_id
  AND e.session_id = c.session_id AND e.denied_at IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM grants g WHERE g.learner = e.learner AND g.content_id = e.content_id
    AND g.session_id = e.session_id AND g.state IN ('sending', 'uncertain', 'issued', 'covered')))
LIMIT {_LISTED}
"""


_COMPLETIONS = "SELECT count(completed_at), min(completed_at), max(completed_at) FROM temp.folded"


class UndoneCompletion(NamedTuple):
    """A completion that the LMS does not call complete any more: whose, and the title of the content."""

    email: str
    title: str


@dataclass(frozen=True, slots=True)
class Written:
    """What writing the folded records did; ``undone`` counts all completions that the records contradict."""

    added: int
    changed: int
    undone: int
    newly_undone: list[UndoneCompletion]
    settled: Settled  # by statements
    completions: int = 0  # that the records tell, and the days that they span
    completed_from: str | None = None
    completed_to: str | None = None


def write(store: Store, origin: Origin, now: str) -> Written:
    """Write the folded records where they differ from what is stored."""
    rev = current_rev(store) + 1
    for statement in _COMPARE:
        store.change(statement)
    params = {"rev": rev, "source": origin.source, "file": origin.file}
    added = store.change(_ADD, params)
    changed = store.change(_CHANGE, params)
    denied = denials.write(store, origin, rev, now)
    settled = statements.settle(store, origin, rev, now)
    if added or denied or settled.changed or store.value(f"SELECT 1 FROM temp.changes c WHERE {_HAS_MOVED} LIMIT 1"):
        set_rev(store, rev)
    newly_undone = list(map(UndoneCompletion._make, store.connection.execute(_NEWLY_UNDONE)))
    totals = store.connection.execute(_COMPLETIONS).fetchone()
    undone = store.value(_STILL_UNDONE)
    return Written(added, changed + settled.changed, undone, newly_undone, settled, *totals)


# What issuing asks


def current_rev(store: Store) -> int:
    """Return the change counter: the number of the last change that brought or moved completions."""
    return int(bookmark(store, _REV) or 0)


def set_rev(store: Store, rev: int) -> None:
    """Move the change counter."""
    set_bookmark(store, _REV, str(rev))


@dataclass(frozen=True, slots=True)
class Enrollment:
    """A session (or content without sessions, '') that a learner is enrolled in."""

    session_id: str
    completed_at: str | None
    progress: float | None = None  # in percent, as the LMS says

    @property
    def percent(self) -> float | None:
        """How far the learner is."""
        return 100 if self.completed_at else self.progress


def latest_completed(store: Store, learner: int, content_id: str, now: str) -> Enrollment | None:
    """Return the session that the learner completed last; what is ahead of ``now`` (UTC text) is not completed yet."""
    row = store.row(
        "SELECT session_id, completed_at FROM enrollments WHERE learner = ? AND content_id = ?"
        " AND completed_at <= ? AND denied_at IS NULL ORDER BY completed_at DESC, session_id DESC LIMIT 1",
        (learner, content_id, now),
    )
    return Enrollment(**row) if row else None


def latest(store: Store, learner: int, content_id: str) -> Enrollment | None:
    """Return the session that the learner enrolled in last, withdrawn ones left out.

    Where nobody says when, what is completed was enrolled in by then, and before what is still open.
    """
    row = store.row(
        "SELECT session_id, iif(denied_at IS NULL, completed_at, NULL) AS completed_at, progress FROM enrollments"
        " WHERE learner = ? AND content_id = ? AND NOT ended"
        " ORDER BY coalesce(enrolled_at, completed_at, '9999') DESC, session_id DESC LIMIT 1",
        (learner, content_id),
    )
    return Enrollment(**row) if row else None
