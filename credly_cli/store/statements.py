"""What statements of xAPI said of completions: kept, so that they can be judged together whenever they come.

Statements of an import are staged beside its records, in ``reported`` and ``voidings``. Those of known learners and
content are kept in ``statements``; a voided one leaves it for good. What is judged of them anew goes into ``judged``,
and from there among the records; ``taken_back`` has completions that count no more.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple, cast

from credly_cli.lms.records import Word
from credly_cli.store.database import Store
from credly_cli.store.denials import OF_GRANT, Origin

_STAGE = (
    "DROP TABLE IF EXISTS temp.reported",
    "DROP TABLE IF EXISTS temp.voidings",
    "DROP TABLE IF EXISTS temp.judged",
    "DROP TABLE IF EXISTS temp.taken_back",
    """
    CREATE TEMP TABLE reported (
      id TEXT PRIMARY KEY, row INTEGER, person INTEGER, place INTEGER, loose INTEGER, word TEXT, registration TEXT,
      moment TEXT, at TEXT, latest TEXT) WITHOUT ROWID
    """,
    "CREATE TEMP TABLE voidings (id TEXT PRIMARY KEY) WITHOUT ROWID",
    """
    CREATE TEMP TABLE judged (
      learner INTEGER, content_id TEXT, session_id TEXT, loose INTEGER, open INTEGER, told_at TEXT, completed_at TEXT,
      completed_latest TEXT, event_id TEXT, PRIMARY KEY (learner, content_id, session_id)) WITHOUT ROWID
    """,
    """
    CREATE TEMP TABLE taken_back (
      id TEXT PRIMARY KEY, learner INTEGER, content_id TEXT, session_id TEXT, how TEXT) WITHOUT ROWID
    """,
)
_NOTE_VOIDINGS = (
    "DELETE FROM temp.voidings WHERE id IN (SELECT id FROM voided_statements)",
    "INSERT INTO voided_statements SELECT id FROM temp.voidings",
    """
    INSERT INTO temp.taken_back
    SELECT id, learner, content_id, session_id, 'voided' FROM statements WHERE id IN (SELECT id FROM temp.voidings)
    """,
    "DELETE FROM statements WHERE id IN (SELECT id FROM temp.voidings)",
    "DELETE FROM kept_progress WHERE id IN (SELECT id FROM temp.voidings)",
)
_DROP_VOIDED = "DELETE FROM temp.reported WHERE id IN (SELECT id FROM voided_statements)"
_DROP_STRANGERS = """
DELETE FROM temp.people WHERE person NOT IN (SELECT person FROM temp.records UNION ALL SELECT person FROM temp.reported)
"""
_TAKE = (
    "DELETE FROM temp.reported WHERE id IN (SELECT id FROM statements)",
    """
    INSERT INTO statements
    SELECT s.id, p.learner, l.content_id, l.session_id, s.loose, s.word, s.registration, s.moment, s.at, s.latest
    FROM temp.reported s CROSS JOIN temp.people p ON p.person = s.person CROSS JOIN temp.places l ON l.place = s.place
    WHERE p.learner IS NOT NULL
    """,
)
_TOUCHED = """
SELECT s.learner, s.content_id, s.session_id, s.loose, s.id, s.word, s.registration, s.moment, s.at, s.latest
FROM (
  SELECT p.learner, l.content_id FROM temp.reported s CROSS JOIN temp.people p ON p.person = s.person
  CROSS JOIN temp.places l ON l.place = s.place
  UNION SELECT learner, content_id FROM temp.taken_back) t
CROSS JOIN statements s ON s.learner = t.learner AND s.content_id = t.content_id
ORDER BY s.learner, s.content_id, s.session_id, s.moment, s.id
"""
_JUDGED = (
    "INSERT OR IGNORE INTO temp.places (content_id, session_id) SELECT content_id, session_id FROM temp.judged",
    "INSERT OR IGNORE INTO temp.people (person, learner) SELECT DISTINCT -learner, learner FROM temp.judged",
    """
    INSERT INTO temp.records (
      row, person, place, loose, progress, enrolled_at, ended, open, told_at, completed_at, completed_latest, event_id)
    SELECT 0, -j.learner, l.place, j.loose, '', '', 0, j.open, j.told_at, ifnull(j.completed_at, ''),
      ifnull(j.completed_latest, ''), ifnull(j.event_id, '')
    FROM temp.judged j CROSS JOIN temp.places l ON l.content_id = j.content_id AND l.session_id = j.session_id
    """,
)


class StoredStatement(NamedTuple):
    """A statement of a learner about content; ``moment`` is when to the microsecond, ``at`` to the second."""

    learner: int
    content_id: str
    session_id: str
    loose: int
    id: str
    word: Word
    registration: str
    moment: str
    at: str
    latest: str


class Judged(NamedTuple):
    """What statements of one learner and place say together: a completion, or (``open``) that there is none."""

    learner: int
    content_id: str
    session_id: str
    loose: int
    open: int
    told_at: str
    completed_at: str | None
    completed_latest: str | None
    event_id: str | None


class TakenBack(NamedTuple):
    """A completion that a failure took back."""

    id: str
    learner: int
    content_id: str
    session_id: str
    how: Literal["failed", "voided"] = "failed"


def stage(store: Store) -> None:
    """Make the temporary tables anew."""
    for statement in _STAGE:
        store.change(statement)


def add(store: Store, reported: Iterable[tuple[Any, ...]], voidings: Iterable[tuple[str]]) -> None:
    """Stage statements (the columns of ``temp.reported``) and the ids of voided ones."""
    store.connection.executemany("INSERT OR IGNORE INTO temp.reported VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", reported)
    store.connection.executemany("INSERT OR IGNORE INTO temp.voidings VALUES (?)", voidings)


def are_staged(store: Store) -> bool:
    """Tell whether there are any."""
    return bool(store.value("SELECT 1 FROM temp.reported UNION ALL SELECT 1 FROM temp.voidings LIMIT 1"))


class Voided(NamedTuple):
    """How many staged statements are voided, and how many that are voided here nobody knows."""

    here: int
    unknown: int


def drop_voided(store: Store) -> Voided:
    """Let voided statements be as if never said, those of the import before anybody asks whom they mean."""
    here = store.value("SELECT count(*) FROM temp.voidings WHERE id IN (SELECT id FROM temp.reported)")
    for statement in _NOTE_VOIDINGS:
        store.change(statement)
    new = store.value("SELECT count(*) FROM temp.voidings")
    unknown = store.value(
        "SELECT count(*) FROM temp.voidings WHERE id NOT IN (SELECT id FROM temp.taken_back)"
        " AND id NOT IN (SELECT id FROM temp.reported)"
    )
    dropped = store.change(_DROP_VOIDED)
    if dropped:
        store.change(_DROP_STRANGERS)
    return Voided(max(dropped, here), min(new, unknown))


def take(store: Store) -> Iterator[StoredStatement]:
    """Keep the staged statements that are new, and return all that are to be judged anew, by learner and place."""
    for statement in _TAKE:
        store.change(statement)
    return map(StoredStatement._make, store.connection.execute(_TOUCHED).fetchall())


def judged(store: Store, rows: Iterable[Judged], taken_back: Iterable[TakenBack]) -> None:
    """Stage what was judged, among the records too."""
    store.connection.executemany("INSERT INTO temp.judged VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    store.connection.executemany("INSERT OR IGNORE INTO temp.taken_back VALUES (?, ?, ?, ?, ?)", taken_back)
    for statement in _JUDGED:
        store.change(statement)


# What is taken back: before its badge was sent it does not count; after that it stays, and is told.

_SENT = f"EXISTS (SELECT 1 FROM grants g WHERE {OF_GRANT} AND g.state IN ('sending', 'uncertain', 'issued'))"
_THE_COMPLETION = "e.learner = t.learner AND e.content_id = t.content_id AND e.event_id = t.id"
_IN_ITS_PLACE = "j.learner = t.learner AND j.content_id = t.content_id AND j.session_id = t.session_id"
_SENT_BEFORE = f"""
SELECT l.email, c.title, g.id, g.badge_id FROM temp.taken_back t CROSS JOIN enrollments e ON {_THE_COMPLETION}
CROSS JOIN grants g ON {OF_GRANT} AND g.state IN ('sending', 'uncertain', 'issued')
CROSS JOIN learners l ON l.id = e.learner CROSS JOIN content c ON c.id = e.content_id
WHERE t.how = 'voided' ORDER BY g.id
"""
_REPLACE = f"""
UPDATE enrollments AS e SET completed_at = j.completed_at, completed_latest = j.completed_latest,
  event_id = j.event_id, open = ifnull(j.open, 0), told_at = j.told_at, denied_at = NULL, denied_by = NULL, rev = :rev
FROM temp.taken_back t LEFT JOIN temp.judged j ON {_IN_ITS_PLACE}
WHERE {_THE_COMPLETION} AND (t.how = 'voided' OR j.completed_at IS NOT NULL) AND NOT {_SENT}
RETURNING learner, content_id, session_id
"""
_CANCEL = """
UPDATE grants SET state = 'cancelled', problem_code = NULL, problem = NULL, covered_by = NULL, covered_by_grant = NULL,
  updated_at = ?
WHERE learner = ? AND content_id = ? AND session_id = ? AND reason = 'completion'
AND state IN ('planned', 'held', 'failed', 'covered')
"""
_NEVER_SAID = """
DELETE FROM enrollments AS e WHERE learner = ? AND content_id = ? AND session_id = ?
AND completed_at IS NULL AND enrolled_at IS NULL AND progress IS NULL AND NOT open
AND NOT EXISTS (SELECT 1 FROM statements s WHERE s.learner = e.learner AND s.content_id = e.content_id)
AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.learner = e.learner AND g.content_id = e.content_id)
"""
_DENY = f"""
UPDATE enrollments AS e SET denied_at = :now, denied_by = :file, rev = :rev
FROM temp.taken_back t LEFT JOIN temp.judged j ON {_IN_ITS_PLACE}
WHERE {_THE_COMPLETION} AND t.how = 'failed' AND j.completed_at IS NULL AND e.denied_at IS NULL
"""
_ALLOW = """
UPDATE enrollments AS e SET denied_at = NULL, denied_by = NULL, open = 0, told_at = j.told_at, rev = :rev
FROM temp.judged j WHERE e.learner = j.learner AND e.content_id = j.content_id AND e.event_id = j.event_id
AND j.completed_at IS NOT NULL AND e.denied_at > ''
"""


class SentBefore(NamedTuple):
    """A completion that was voided after its badge was sent: whose, of what, and the grant that sent it."""

    email: str
    title: str
    grant_id: int
    badge_id: str


class Settled(NamedTuple):
    """What became of completions that count no more, or again: how many changed, and whose badges are out."""

    changed: int = 0
    has_cancelled: bool = False  # grants, so that others may be released
    sent_before: tuple[SentBefore, ...] = ()


def settle(store: Store, origin: Origin, rev: int, now: str) -> Settled:
    """Settle the completions that statements took back, after the records were written."""
    if not store.value("SELECT 1 FROM temp.taken_back UNION ALL SELECT 1 FROM temp.judged LIMIT 1"):
        return Settled()
    sent = tuple(map(SentBefore._make, store.connection.execute(_SENT_BEFORE)))
    replaced = cast("list[tuple[int, str, str]]", store.connection.execute(_REPLACE, {"rev": rev}).fetchall())
    for place in replaced:
        store.change(_CANCEL, (now, *place))
        store.change(_NEVER_SAID, place)
    denied = store.change(_DENY, {"now": now, "file": origin.file, "rev": rev})
    return Settled(len(replaced) + denied + store.change(_ALLOW, {"rev": rev}), bool(replaced), sent)
