"""Rules that many questions share, each stated once, as views that last as long as the connection.

They are made at open and not by a migration, so that the rules of a store are always those of the program that reads
it: a changed rule needs no new version of the schema, and no view of an older program is left behind in the file.
Every part of a view leads from its first table outwards (CROSS JOIN keeps the order), so that a question about one
learner costs the same among a million; ``tests/speed`` holds them to indexes. Within a row of another question a view
may be asked for rows or by EXISTS, but not for a sum of them (min, max, count): SQLite would then read all of it.
"""

import sqlite3

from credly_cli.credly.records import HELD_STATES
from credly_cli.identity import earner_id, marked_name

# Whose addresses: today's, and former ones that nobody has now (R25).
_LEARNER_ADDRESSES = """
CREATE TEMP VIEW learner_addresses (learner, email_key) AS
SELECT id, email_key FROM learners
UNION ALL
SELECT f.learner, f.email_key FROM former_emails f
WHERE NOT EXISTS (SELECT 1 FROM learners o WHERE o.email_key = f.email_key)
"""

# Who was forgotten has a mark in place of the address, which begins so (`privacy.py`).
FORGOTTEN = "forgotten:"
KEPT = f"email_key NOT LIKE '{FORGOTTEN}%'"  # of a learner, or a former address: nobody who was forgotten

# Whether an issued badge `i` is held: not revoked, not deleted, not replaced; an expired one is held (R20).
HELD = f"(i.state IN {HELD_STATES} AND i.deleted_at IS NULL AND i.replaced_by IS NULL)"

# When an issued badge `i` was revoked; null where it was not, or where it was deleted after that (R23).
_REVOKED_AT = "CASE WHEN i.state = 'revoked' AND i.deleted_at IS NULL THEN ifnull(i.state_updated_at, i.stored_at) END"

# The id that goes out for a learner `p`: the LMS's, else that of a named source, with its name (R17).
WIRE_ID = """
ifnull(p.learner_id, (
  SELECT n.source || char(31) || n.learner_id FROM learner_ids n WHERE n.learner = p.id ORDER BY n.source LIMIT 1))
"""

# Whether both names of a learner `p` are known, as ``identity.missing_names`` has it (R21).
NAMED = "(p.first_name <> '' AND p.last_name <> '')"

# An id may be somebody else's by now (R25): what we issued to another learner under it stays theirs.
_NOT_ANOTHERS = "NOT EXISTS (SELECT 1 FROM grants g WHERE g.issued_badge_id = i.id AND g.learner <> {})"

# By what an issued badge `i` is the learner's: each way from the learner's number to the badge, and its name.
_WAYS = (
    ("address", "a.learner", "learner_addresses a CROSS JOIN issued_badges i ON i.email_key = a.email_key"),
    (
        "id",  # what we or the LMS call the learner, now or before the LMS's id was known (R17)
        "l.id",
        "learners l CROSS JOIN issued_badges i"
        " ON i.earner_id IN (earner_id(l.learner_id, l.email), earner_id(NULL, l.email)) AND "
        + _NOT_ANOTHERS.format("l.id"),
    ),
    (
        "id",  # ... with the mark of a grant behind it
        "l.id",
        "learners l CROSS JOIN issued_badges i"
        " ON i.earner_id > marked_name(l.learner_id, l.email) || '~'"
        " AND i.earner_id < marked_name(l.learner_id, l.email) || x'7f' AND " + _NOT_ANOTHERS.format("l.id"),
    ),
    (
        "id",  # what a named source calls the learner (R25)
        "n.learner",
        "learner_ids n CROSS JOIN issued_badges i"
        " ON i.earner_id = earner_id(n.source || char(31) || n.learner_id, '') AND "
        + _NOT_ANOTHERS.format("n.learner"),
    ),
    (
        "id",  # ... with a mark
        "n.learner",
        "learner_ids n CROSS JOIN issued_badges i"
        " ON i.earner_id > marked_name(n.source || char(31) || n.learner_id, '') || '~'"
        " AND i.earner_id < marked_name(n.source || char(31) || n.learner_id, '') || x'7f' AND "
        + _NOT_ANOTHERS.format("n.learner"),
    ),
    (
        "account",  # the Credly account behind one of the learner's addresses may have other addresses
        "a.learner",
        "learner_addresses a CROSS JOIN issued_badges k ON k.email_key = a.email_key"
        " CROSS JOIN issued_badges i ON i.user_id = k.user_id",
    ),
    ("grant", "g.learner", "grants g CROSS JOIN issued_badges i ON i.id = g.issued_badge_id"),
)

# Whose issued badges, deleted and revoked ones too. A badge may be there more than once, by different ways.
_LEARNER_ISSUED_BADGES = (
    "CREATE TEMP VIEW learner_issued_badges (learner, issued_badge_id, badge_id, matched_by, held, revoked_at) AS\n"
    + "\nUNION ALL\n".join(
        f"SELECT {learner}, i.id, i.badge_id, '{matched_by}', {HELD}, {_REVOKED_AT} FROM {tables}"
        for matched_by, learner, tables in _WAYS
    )
)

# A completion is too early for a link that counts from a later moment (R15). Aliases: e enrollments, l links.
_EARLY = "e.completed_latest < l.counts_from"
# It happened wholly in a time `d` without a connection, and `link --since` was not said after it (R4).
_GAP = """
e.completed_at >= d.started_at AND e.completed_latest < ifnull(d.ended_at, '9999')
AND ifnull(l.since_set_at, '') < e.completed_at
"""
# ... whether or not it is denied, which holds what it earns for a person.
_COUNTED = f"(e.completed_at IS NOT NULL AND NOT {_EARLY} AND NOT EXISTS (SELECT 1 FROM disconnections d WHERE {_GAP}))"
COUNTS = f"({_COUNTED} AND e.denied_at IS NULL)"

# How each enrollment stands to each link that its content has or had (R4, R15).
_ENROLLMENT_LINKS = f"""
CREATE TEMP VIEW enrollment_links AS
SELECT e.learner, e.content_id, e.session_id, e.progress, e.enrolled_at, e.ended AS withdrawn, e.completed_at,
  e.completed_latest, e.rev, e.file, e.denied_at, l.id AS link_id, l.badge_id, l.planned_rev, l.ended_at, l.end_reason,
  l.braked > 0 AND l.ended_at IS NULL AS braked, l.forbidden AND l.ended_at IS NULL AS forbidden,
  ifnull({_EARLY}, 0) AS early,
  (SELECT min(d.started_at) FROM disconnections d WHERE {_GAP}) AS gap_started_at,
  (SELECT min(d.ended_at) FROM disconnections d WHERE {_GAP}) AS gap_ended_at, {_COUNTED} AS counts
FROM enrollments e JOIN links l ON l.content_id = e.content_id
"""


def create(connection: sqlite3.Connection) -> None:
    """Make the views, and the functions that they use, for a connection."""
    connection.create_function("earner_id", 2, earner_id, deterministic=True)
    connection.create_function("marked_name", 2, marked_name, deterministic=True)
    for view in (_LEARNER_ADDRESSES, _LEARNER_ISSUED_BADGES, _ENROLLMENT_LINKS):
        connection.execute(view)
