"""The learners of staged progress records: most are found or added in one statement, the rest one by one."""

from itertools import islice

from credly_cli.identity import email_key
from credly_cli.lms.records import Reject
from credly_cli.store.database import Store
from credly_cli.store.privacy import recall
from credly_cli.store.roster import Who, identify
from credly_cli.store.staging import Rejecting

_BATCH = 10_000
_SAME = "p.email = {0}.email AND p.learner_id = {0}.learner_id AND p.first_name = {0}.first_name" + (
    " AND p.last_name = {0}.last_name"
)
_STAGE = (
    "DROP TABLE IF EXISTS temp.people",
    """
    CREATE TEMP TABLE people (
      email TEXT, learner_id TEXT, first_name TEXT, last_name TEXT, at TEXT, who INTEGER, email_key TEXT,
      learner INTEGER, refused TEXT, PRIMARY KEY (email, learner_id, first_name, last_name)) WITHOUT ROWID
    """,
    """
    INSERT INTO temp.people
    SELECT email, learner_id, first_name, last_name, max(at), min(who), email_key(email), NULL, NULL
    FROM temp.named GROUP BY email, learner_id, first_name, last_name
    """,
)
# Known by address alone, and nothing new is said of them; an address that several have needs a closer look.
_KNOWN_BY_EMAIL = """
UPDATE temp.people SET learner = (
  SELECT iif(count(*) = 1 AND (people.first_name = '' OR max(l.first_name) IS NOT NULL)
    AND (people.last_name = '' OR max(l.last_name) IS NOT NULL), max(l.id), NULL)
  FROM learners l WHERE l.email_key = people.email_key)
WHERE learner_id = '' AND email <> '' AND learner IS NULL
"""
_KNOWN_BY_ID = """
UPDATE temp.people SET learner = l.id FROM learners l
WHERE people.learner_id <> '' AND l.learner_id = people.learner_id AND people.email_key IN ('', l.email_key)
AND (people.first_name = '' OR l.first_name IS NOT NULL) AND (people.last_name = '' OR l.last_name IS NOT NULL)
"""
# Nobody has the address or the id, now or before, and no other record has either: plainly somebody new.
_NEW = """
INSERT INTO learners (email, email_key, learner_id, first_name, last_name, email_at)
SELECT email, email_key, nullif(learner_id, ''), nullif(first_name, ''), nullif(last_name, ''), ifnull(at, ?)
FROM temp.people p WHERE learner IS NULL AND email <> ''
AND NOT EXISTS (SELECT 1 FROM learners l WHERE l.email_key = p.email_key)
AND NOT EXISTS (SELECT 1 FROM former_emails f WHERE f.email_key = p.email_key)
AND (learner_id = '' OR NOT EXISTS (SELECT 1 FROM learners l WHERE l.learner_id = p.learner_id))
AND email_key NOT IN (SELECT email_key FROM temp.people GROUP BY email_key HAVING count(*) > 1)
AND (learner_id = '' OR learner_id NOT IN (SELECT learner_id FROM temp.people GROUP BY learner_id HAVING count(*) > 1))
ORDER BY who
"""
_HAND_OVER = f"""
UPDATE temp.named SET learner = (SELECT p.learner FROM temp.people p WHERE {_SAME.format("named")})
"""
_REFUSED = f"""
SELECT t.row, iif(p.email <> '', 'email', 'learner_id'), p.refused FROM temp.people p
JOIN temp.named n ON {_SAME.format("n")} JOIN temp.told t ON t.who = n.who WHERE p.refused IS NOT NULL ORDER BY t.line
"""


def resolve(store: Store, reject: Rejecting, now: str) -> int:
    """Find or make the learner of each staged record; returns how many records name nobody who can be told."""
    store.connection.create_function("email_key", 1, email_key, deterministic=True)
    for statement in _STAGE:
        store.change(statement)
    staged = store.connection.execute("SELECT DISTINCT email, learner_id FROM temp.people")
    recall(store, (Who(email or None, learner_id or None) for email, learner_id in staged), now)
    for statement in (_KNOWN_BY_EMAIL, _KNOWN_BY_ID):
        store.change(statement)
    if store.change(_NEW, (now,)):
        store.change(_KNOWN_BY_EMAIL)
        store.change(_KNOWN_BY_ID)
    somebody_refused = _look_closer(store, now)
    store.change(_HAND_OVER)
    return _refuse(store, reject) if somebody_refused else 0


def _look_closer(store: Store, now: str) -> bool:
    """Identify the rest one by one; returns whether some cannot be told, and notes why."""
    refused = False
    rest = store.connection.execute(
        "SELECT email, learner_id, first_name, last_name, at FROM temp.people WHERE learner IS NULL ORDER BY who"
    )
    for batch in iter(lambda: list(islice(rest, _BATCH)), []):
        told = {Who(*(text or None for text in row[:4])): row[4] for row in batch}
        found, merged = identify(store, told, now)
        store.connection.executemany("UPDATE temp.people SET learner = ? WHERE learner = ?", merged)
        refused |= any(isinstance(learner, str) for learner in found.values())
        store.connection.executemany(
            "UPDATE temp.people SET learner = ?, refused = ?"
            " WHERE email = ? AND learner_id = ? AND first_name = ? AND last_name = ?",
            [
                (*((None, pk) if isinstance(pk, str) else (pk, None)), *(text or "" for text in who))
                for who, pk in found.items()
            ],
        )
    return refused


def _refuse(store: Store, reject: Rejecting) -> int:
    rows = store.connection.execute(_REFUSED).fetchall()
    for row in rows:
        reject(Reject(*row))
    return len(rows)
