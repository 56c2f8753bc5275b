"""The people and the progress of an import, staged in temporary tables until it is known whom and what they mean.

An import may bring millions of records, in any order, several of one enrollment among them. They are staged in
temporary tables, which a million rows fill without memory: ``records`` has a row for each record, ``people`` those whom
they name, ``places`` the content and sessions. In ``records`` people and places are numbers, which are written, sorted
and compared much faster than four texts.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from credly_cli.store import statements
from credly_cli.store.database import Store

# What a record does not say is '' here: Python hands over a text or a number much faster than a None.
_STAGE = (
    "DROP TABLE IF EXISTS temp.records",
    "DROP TABLE IF EXISTS temp.people",
    "DROP TABLE IF EXISTS temp.places",
    """
    CREATE TEMP TABLE records (
      line INTEGER PRIMARY KEY, row INTEGER, person INTEGER, place INTEGER, loose INTEGER, progress, enrolled_at, ended,
      open, told_at, completed_at, completed_latest, event_id, dated_at)
    """,
    """
    CREATE TEMP TABLE people (
      person INTEGER PRIMARY KEY, email TEXT, email_key TEXT, source TEXT, learner_id TEXT, first_name TEXT,
      last_name TEXT, details TEXT, at TEXT, learner INTEGER)
    """,
    """
    CREATE TEMP TABLE places (
      place INTEGER PRIMARY KEY, content_id TEXT, session_id TEXT, UNIQUE (content_id, session_id))
    """,
)
_ADD_RECORD = "INSERT INTO temp.records VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_FORGET_PROGRESS = "UPDATE temp.records SET progress = '' WHERE progress > 0"
_ADD_ROW = "INSERT INTO temp.records (row, person) VALUES (?, ?)"
_ADD_PERSON = "INSERT INTO temp.people VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)"

# A person may have several numbers. In distinct_people each is there once, with the first of them. Who shares the
# address or the id with another one is marked: what the file says of both is judged together.
_DISTINCT_PEOPLE = (
    "DROP TABLE IF EXISTS temp.distinct_people",
    """
    CREATE TEMP TABLE distinct_people (
      person INTEGER PRIMARY KEY, email TEXT, email_key TEXT, source TEXT, learner_id TEXT, first_name TEXT,
      last_name TEXT, details TEXT, at TEXT, shares INTEGER NOT NULL DEFAULT 0, learner INTEGER, reason TEXT,
      unknown INTEGER NOT NULL DEFAULT 0)
    """,
    """
    INSERT INTO temp.distinct_people
    SELECT
      min(person), email, min(email_key), source, learner_id, first_name, last_name, details, max(at), 0, NULL, NULL, 0
    FROM temp.people GROUP BY email, source, learner_id, first_name, last_name, details ORDER BY 1
    """,
    "CREATE INDEX temp.distinct_people_key ON distinct_people (email_key, learner_id)",
    "CREATE INDEX temp.distinct_people_id ON distinct_people (learner_id, source) WHERE learner_id <> ''",
    """
    UPDATE temp.distinct_people SET shares = 1 WHERE email_key IN (
      SELECT email_key FROM temp.distinct_people WHERE email_key <> '' GROUP BY email_key HAVING count(*) > 1)
    """,
    """
    UPDATE temp.distinct_people SET shares = 1 WHERE learner_id <> '' AND (learner_id, source) IN (
      SELECT learner_id, source FROM temp.distinct_people WHERE learner_id <> '' GROUP BY learner_id, source
      HAVING count(*) > 1)
    """,
)
_COLUMNS = "person, email, email_key, source, learner_id, first_name, last_name, details, at, shares"
_NEXT = f"""
SELECT {_COLUMNS} FROM temp.distinct_people WHERE person > ? AND learner IS NULL AND reason IS NULL
ORDER BY person LIMIT ?
"""
_OF_KEYS = f"""
SELECT {_COLUMNS} FROM temp.distinct_people WHERE email_key IN (SELECT value FROM json_each(?)) AND email_key <> ''
"""
_OF_IDS = f"""
SELECT {_COLUMNS} FROM temp.distinct_people WHERE learner_id <> '' AND (learner_id, source) IN (
  SELECT json_extract(value, '$[1]'), json_extract(value, '$[0]') FROM json_each(?))
"""
_CROWDED = """
SELECT source, learner_id, count(DISTINCT email_key) FROM temp.distinct_people WHERE learner_id <> '' AND shares
GROUP BY learner_id, source HAVING count(DISTINCT email_key) > ?
"""
_HAND_OVER = """
UPDATE temp.people SET learner = (
  SELECT d.learner FROM temp.distinct_people d WHERE d.email_key = people.email_key
  AND d.learner_id = people.learner_id AND d.email = people.email AND d.source = people.source
  AND d.first_name = people.first_name AND d.last_name = people.last_name AND d.details = people.details)
"""
_UNMATCHED = """
SELECT r.row, iif(d.learner_id <> '', 'learner_id', 'email'), d.reason, d.unknown FROM temp.distinct_people d
JOIN temp.people p ON p.email_key = d.email_key AND p.learner_id = d.learner_id AND p.email = d.email
  AND p.source = d.source AND p.first_name = d.first_name AND p.last_name = d.last_name AND p.details = d.details
JOIN (
  SELECT row, person, line FROM temp.records UNION ALL SELECT row, person, 0 FROM temp.reported
) r ON r.person = p.person WHERE d.reason IS NOT NULL ORDER BY r.line, r.row
"""


class StagedPerson(NamedTuple):
    """What records say of a person, '' for what they do not; ``at`` (UTC text) is when the latest of them was true.

    ``source`` names the numbering of ``learner_id``. ``details`` is what else a learners file says, as JSON.
    ``shares`` is 1 where others of the file have the address or the id.
    """

    number: int
    email: str
    email_key: str
    source: str
    learner_id: str
    first_name: str
    last_name: str
    details: str
    at: str
    shares: int

    @property
    def names(self) -> tuple[str, str]:
        """First and last name."""
        return self.first_name, self.last_name


class PersonMatch(NamedTuple):
    """The learner whom the records of a person mean, or the reason why that is not known.

    ``unknown`` is 1 where it is nobody who is known here (yet).
    """

    learner: int | None
    reason: str | None
    unknown: int
    number: int  # the person's


def stage(store: Store) -> None:
    """Make the temporary tables anew."""
    for statement in _STAGE:
        store.change(statement)
    statements.stage(store)


def stage_records(store: Store, rows: Iterable[tuple[Any, ...]]) -> None:
    """Add records: the columns of ``temp.records`` but its first, '' for what a record does not say."""
    store.connection.executemany(_ADD_RECORD, rows)


def stage_rows(store: Store, rows: Iterable[tuple[int, int]]) -> None:
    """Add records that say nothing but who a person is: row and person."""
    store.connection.executemany(_ADD_ROW, rows)


def stage_people(store: Store, rows: Iterable[tuple[int | str, ...]]) -> None:
    """Add people: the columns of ``temp.people`` but the last, '' for what is not known."""
    store.connection.executemany(_ADD_PERSON, rows)


def forget_progress(store: Store) -> None:
    """Let staged records not say how far their learners are, but for those who have not begun."""
    store.change(_FORGET_PROGRESS)


def stage_places(store: Store, rows: Iterable[tuple[int, str, str]]) -> None:
    """Add places: number, content, session ('' for none)."""
    store.connection.executemany("INSERT INTO temp.places VALUES (?, ?, ?)", rows)


def collect_people(store: Store) -> None:
    """Bring the staged people together, each once."""
    for statement in _DISTINCT_PEOPLE:
        store.change(statement)


def each_person(store: Store) -> Iterator[StagedPerson]:
    """Yield the staged people."""
    return map(StagedPerson._make, store.connection.execute(f"SELECT {_COLUMNS} FROM temp.distinct_people"))


def next_people(store: Store, after: int, count: int) -> list[StagedPerson]:
    """Return staged people who are not matched yet, in the order in which the records name them first."""
    return list(map(StagedPerson._make, store.connection.execute(_NEXT, (after, count))))


def people_of(store: Store, ids: Iterable[tuple[str, str]], email_keys: Iterable[str]) -> list[StagedPerson]:
    """Return the staged people of these ids (source and id) and addresses."""
    found: list[StagedPerson] = []
    for sql, keys in ((_OF_IDS, list(ids)), (_OF_KEYS, list(email_keys))):
        if keys:
            found += map(StagedPerson._make, store.connection.execute(sql, (json.dumps(keys),)))
    return found


def names_ids(store: Store) -> bool:
    """Tell whether any of the staged people has an id."""
    return store.value("SELECT 1 FROM temp.distinct_people WHERE learner_id <> '' LIMIT 1") is not None


def crowded_ids(store: Store, most: int) -> list[tuple[str, str, int]]:
    """Return the ids that the records give more people than these: source, id, and how many addresses."""
    return store.connection.execute(_CROWDED, (most,)).fetchall()


def refuse_id(store: Store, source: str, learner_id: str, reason: str) -> None:
    """Note of all people of an id why it is not known who they are."""
    sql = "UPDATE temp.distinct_people SET reason = ? WHERE learner_id = ? AND source = ? AND learner_id <> ''"
    store.change(sql, (reason, learner_id, source))


def match_people(store: Store, matches: Iterable[PersonMatch]) -> None:
    """Note whom the staged people are."""
    store.connection.executemany(
        "UPDATE temp.distinct_people SET learner = ?, reason = ?, unknown = ? WHERE person = ?", matches
    )


def hand_over_people(store: Store) -> None:
    """Give each number of a person the learner who that is."""
    store.change(_HAND_OVER)


def unmatched(store: Store) -> Iterator[tuple[int, str, str, int]]:
    """Yield the records whose learner is not known: row, column, reason, and 1 where it is nobody who is known."""
    if store.value("SELECT 1 FROM temp.distinct_people WHERE reason IS NOT NULL LIMIT 1"):
        yield from store.connection.execute(_UNMATCHED)
