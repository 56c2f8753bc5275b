"""The records of an import of progress, staged.

An import may bring millions of records, in any order, several of one enrollment among them. They are staged in
temporary tables, which a million rows fill without memory: ``records`` has a row for each record, ``people`` those whom
they name, ``places`` the content and sessions. In ``records`` people and places are numbers, which are written, sorted
and compared much faster than four texts.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from credly_cli.store.database import Store

# What a record does not say is '' here: Python hands over a text or a number much faster than a None.
_STAGE = (
    "DROP TABLE IF EXISTS temp.records",
    "DROP TABLE IF EXISTS temp.people",
    "DROP TABLE IF EXISTS temp.places",
    """
    CREATE TEMP TABLE records (
      line INTEGER PRIMARY KEY, row INTEGER, person INTEGER, place INTEGER, loose INTEGER, progress, enrolled_at, ended,
      open, told_at, completed_at, completed_latest, event_id)
    """,
    """
    CREATE TEMP TABLE people (
      person INTEGER PRIMARY KEY, email TEXT, learner_id TEXT, first_name TEXT, last_name TEXT, at TEXT,
      learner INTEGER)
    """,
    """
    CREATE TEMP TABLE places (
      place INTEGER PRIMARY KEY, content_id TEXT, session_id TEXT, UNIQUE (content_id, session_id))
    """,
)
_ADD_RECORD = "INSERT INTO temp.records VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ADD_PERSON = "INSERT INTO temp.people VALUES (?, ?, ?, ?, ?, ?, NULL)"

# A person may have several numbers. In distinct_people each is there once, with the first of them.
_DISTINCT_PEOPLE = (
    "DROP TABLE IF EXISTS temp.distinct_people",
    """
    CREATE TEMP TABLE distinct_people (
      email TEXT, learner_id TEXT, first_name TEXT, last_name TEXT, at TEXT, person INTEGER, learner INTEGER,
      reason TEXT, PRIMARY KEY (email, learner_id, first_name, last_name)) WITHOUT ROWID
    """,
    """
    INSERT INTO temp.distinct_people
    SELECT email, learner_id, first_name, last_name, max(at), min(person), NULL, NULL
    FROM temp.people GROUP BY email, learner_id, first_name, last_name
    """,
)
_PEOPLE = """
SELECT nullif(email, ''), nullif(learner_id, ''), nullif(first_name, ''), nullif(last_name, ''), at
FROM temp.distinct_people ORDER BY person
"""
_MATCH = """
UPDATE temp.distinct_people SET learner = ?, reason = ?
WHERE email = ? AND learner_id = ? AND first_name = ? AND last_name = ?
"""
_HAND_OVER = """
UPDATE temp.people SET learner = (
  SELECT d.learner FROM temp.distinct_people d WHERE d.email = people.email AND d.learner_id = people.learner_id
  AND d.first_name = people.first_name AND d.last_name = people.last_name)
"""
_UNMATCHED = """
SELECT r.row, iif(d.email <> '', 'email', 'learner_id'), d.reason FROM temp.distinct_people d
JOIN temp.people p ON p.email = d.email AND p.learner_id = d.learner_id
  AND p.first_name = d.first_name AND p.last_name = d.last_name
JOIN temp.records r ON r.person = p.person WHERE d.reason IS NOT NULL ORDER BY r.line
"""


class StagedPerson(NamedTuple):
    """What records say of a person; ``at`` is when the latest of them was true (UTC text), where they say so."""

    email: str | None
    learner_id: str | None
    first_name: str | None
    last_name: str | None
    at: str | None


class PersonMatch(NamedTuple):
    """The learner whom records mean, or the reason why that is not known."""

    person: StagedPerson
    learner: int | None
    reason: str | None


def stage(store: Store) -> None:
    """Make the temporary tables anew."""
    for statement in _STAGE:
        store.change(statement)


def stage_records(store: Store, rows: Iterable[tuple[Any, ...]]) -> None:
    """Add records: the columns of ``temp.records`` but its first, '' for what a record does not say."""
    store.connection.executemany(_ADD_RECORD, rows)


def stage_people(store: Store, rows: Iterable[tuple[int, str, str, str, str, str | None]]) -> None:
    """Add people: number, email, learner id, first name, last name ('' where not known), when that was true."""
    store.connection.executemany(_ADD_PERSON, rows)


def stage_places(store: Store, rows: Iterable[tuple[int, str, str]]) -> None:
    """Add places: number, content, session ('' for none)."""
    store.connection.executemany("INSERT INTO temp.places VALUES (?, ?, ?)", rows)


def collect_people(store: Store) -> None:
    """Bring the staged people together, each once."""
    for statement in _DISTINCT_PEOPLE:
        store.change(statement)


def staged_people(store: Store) -> Iterator[StagedPerson]:
    """Yield the staged people in the order in which the records name them first."""
    return map(StagedPerson._make, store.connection.execute(_PEOPLE))


def match_people(store: Store, matches: Iterable[PersonMatch], merged: Iterable[tuple[int, int]]) -> None:
    """Note whom the staged people are; ``merged`` are learners who are others now, each with that one's number."""
    run = store.connection.executemany
    run("UPDATE temp.distinct_people SET learner = ? WHERE learner = ?", ((now, then) for then, now in merged))
    run(_MATCH, ((match.learner, match.reason, *(text or "" for text in match.person[:4])) for match in matches))


def hand_over_people(store: Store) -> None:
    """Give each number of a person the learner who that is."""
    store.change(_HAND_OVER)


def unmatched(store: Store) -> Iterator[tuple[int, str, str]]:
    """Yield the records whose learner is not known: row, column and reason."""
    if store.value("SELECT 1 FROM temp.distinct_people WHERE reason IS NOT NULL LIMIT 1"):
        yield from store.connection.execute(_UNMATCHED)
