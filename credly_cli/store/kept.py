"""Progress that a record store told of content or people who are not known here: kept, and tried again at each sync."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from credly_cli.store.database import Store

_STAGE = (
    "DROP TABLE IF EXISTS temp.numberings",
    "CREATE TEMP TABLE numberings (theirs TEXT PRIMARY KEY, ours TEXT) WITHOUT ROWID",
    "DROP TABLE IF EXISTS temp.names_of_content",
    "CREATE TEMP TABLE names_of_content (name TEXT PRIMARY KEY) WITHOUT ROWID",
    "DROP TABLE IF EXISTS temp.hashes",
    "CREATE TEMP TABLE hashes (hash TEXT PRIMARY KEY) WITHOUT ROWID",
)
# Worth another try: content that is here, and a learner who has an address or is known by the id or the hash.
_TO_TRY = """
SELECT k.id, k.record, k.kept_at FROM kept_progress k LEFT JOIN temp.numberings n ON n.theirs = k.numbering
WHERE k.source = :source AND k.id > :after
AND (EXISTS (SELECT 1 FROM content c WHERE c.id = k.content) OR EXISTS (SELECT 1 FROM sessions s WHERE s.id = k.content)
  OR EXISTS (SELECT 1 FROM sessions s WHERE s.id = k.session_id)
  OR k.content IN (SELECT name FROM temp.names_of_content))
AND CASE
  WHEN k.email <> '' THEN 1
  WHEN k.sha1 <> '' THEN k.sha1 IN (SELECT hash FROM temp.hashes)
  WHEN ifnull(n.ours, k.numbering) = '' THEN EXISTS (SELECT 1 FROM learners l WHERE l.learner_id = k.learner_id)
  ELSE EXISTS (
    SELECT 1 FROM learner_ids i WHERE i.source = ifnull(n.ours, k.numbering) AND i.learner_id = k.learner_id)
END
ORDER BY k.id LIMIT :count
"""


class Kept(NamedTuple):
    """A record of progress that is kept: by which name of a source, its id there, the record as JSON, and since when.

    ``content`` and ``numbering`` are what the source calls them. The learner is told by one of the last three.
    """

    source: str
    id: str
    content: str
    session_id: str
    numbering: str
    learner_id: str
    email: str
    record: list[Any]
    kept_at: str
    sha1: str = ""


class Again(NamedTuple):
    """A record that is worth another try."""

    id: str
    record: list[Any]
    kept_at: str


def keep(store: Store, rows: Iterable[Kept]) -> None:
    """Keep records; one that is kept already stays as it is."""
    store.connection.executemany(
        "INSERT OR IGNORE INTO kept_progress"
        " (source, id, content, session_id, numbering, learner_id, email, record, kept_at, sha1)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ((*row[:7], json.dumps(row.record), *row[8:]) for row in rows),
    )


def has(store: Store, source: str) -> bool:
    """Tell whether anything is kept of a source."""
    return store.value("SELECT 1 FROM kept_progress WHERE source = ? LIMIT 1", (source,)) is not None


def count(store: Store, source: str) -> int:
    """Return how many records are kept of a source."""
    return int(store.value("SELECT count(*) FROM kept_progress WHERE source = ?", (source,)))


def hashes(store: Store, source: str) -> list[str]:
    """Return the hashes of addresses that records are kept of."""
    sql = "SELECT DISTINCT sha1 FROM kept_progress WHERE source = ? AND sha1 <> ''"
    return [row["sha1"] for row in store.rows(sql, (source,))]


def expire(store: Store, source: str, before: str) -> int:
    """Forget what was kept before a moment (UTC text); returns how many."""
    return store.change("DELETE FROM kept_progress WHERE source = ? AND kept_at < ?", (source, before))


def prepare(store: Store, numberings: Mapping[str, str], content: Iterable[str], known_hashes: Iterable[str]) -> None:
    """Stage what is called otherwise here: numberings of ids, and content; and the hashes of known addresses."""
    for statement in _STAGE:
        store.change(statement)
    store.connection.executemany("INSERT OR REPLACE INTO temp.numberings VALUES (?, ?)", numberings.items())
    store.connection.executemany(
        "INSERT OR IGNORE INTO temp.names_of_content VALUES (?)", ((name,) for name in content)
    )
    store.connection.executemany("INSERT OR IGNORE INTO temp.hashes VALUES (?)", ((text,) for text in known_hashes))


def to_try(store: Store, source: str, after: str, count: int) -> list[Again]:
    """Return records that are worth another try, those whose id comes after one, so many at most."""
    rows = store.connection.execute(_TO_TRY, {"source": source, "after": after, "count": count}).fetchall()
    return [Again(identity, json.loads(record), kept_at) for identity, record, kept_at in rows]


def release(store: Store, source: str, ids: Iterable[str]) -> None:
    """Keep records no longer."""
    store.connection.executemany(
        "DELETE FROM kept_progress WHERE source = ? AND id = ?", ((source, identity) for identity in ids)
    )
