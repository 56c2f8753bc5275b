"""What stands between one learner and the badges that are linked now; reads only what is the learner's (R28-R30)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from credly_cli.store import badges, content
from credly_cli.store.content import RELEASED
from credly_cli.store.database import Store
from credly_cli.store.grants import NAMED_SINCE
from credly_cli.store.schema import State
from credly_cli.store.views import COUNTS

# Of the grants of a session the last round speaks. CROSS JOIN keeps the order: from the learner outwards.
_ENROLLED = f"""
SELECT b.id AS badge_id, b.name AS badge_name, b.image_url AS badge_image_url, b.allow_duplicates,
  c.id AS content_id, c.title AS content_title, c.type AS content_type, c.url AS content_url,
  e.learner, e.session_id, s.title AS session_title, e.progress, e.enrolled_at, e.ended, e.completed_at,
  e.completed_latest, {COUNTS} AS counts, g.dropped,
  CASE WHEN {NAMED_SINCE} THEN 'planned' ELSE g.state END AS grant_state
FROM json_each(:learners) me CROSS JOIN enrollments e ON e.learner = me.value
CROSS JOIN links l ON l.content_id = e.content_id AND STANDING
CROSS JOIN badges b ON b.id = l.badge_id CROSS JOIN content c ON c.id = l.content_id
LEFT JOIN sessions s ON s.id = e.session_id
LEFT JOIN grants g ON g.id = (
  SELECT id FROM grants WHERE badge_id = l.badge_id AND learner = e.learner AND content_id = e.content_id
  AND session_id = e.session_id ORDER BY round DESC LIMIT 1)
"""

_LINKED = """
SELECT b.id AS badge_id, b.name AS badge_name, b.image_url AS badge_image_url, b.url AS badge_url,
  c.id AS content_id, c.title AS content_title, c.type AS content_type
"""
_GIVEN = "SELECT a.content_id FROM access a WHERE a.subject_kind = :kind AND a.subject IN (SELECT value FROM me)"

# A panorama or sublicense has a list of its own; the site has what is released, and what was given to the learner.
_OF_TENANT = f"""
WITH me AS (SELECT value FROM json_each(:subjects)), given AS MATERIALIZED (SELECT DISTINCT * FROM ({_GIVEN}))
{_LINKED} FROM given CROSS JOIN links l ON l.content_id = given.content_id AND l.ended_at IS NULL
JOIN badges b ON b.id = l.badge_id JOIN content c ON c.id = l.content_id
"""
_OF_SITE = f"""
WITH me AS (SELECT value FROM json_each(:subjects)), given AS MATERIALIZED ({_GIVEN})
{_LINKED} FROM links l JOIN badges b ON b.id = l.badge_id JOIN content c ON c.id = l.content_id
WHERE l.ended_at IS NULL AND ({RELEASED} OR c.id IN (SELECT content_id FROM given))
"""


@dataclass(frozen=True, slots=True)
class Audience:
    """Whose list of content a learner discovers from: the site's, or that of a panorama or sublicense (R29)."""

    kind: str  # learner, panorama or sublicense, as in the table `access`
    subjects: tuple[str, ...]

    @property
    def is_site(self) -> bool:
        """Whether it is a learner of the site, who sees what is released."""
        return self.kind == "learner"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A session of linked content that the learner is or was in, and the grant for it."""

    badge: dict[str, Any]
    content: dict[str, Any]
    url: str | None
    once: bool
    learner: int
    session_id: str
    session_title: str | None
    progress: float | None
    enrolled_at: str | None
    ended: bool
    completed_at: str | None
    completed_latest: str | None
    counts: bool
    grant: State | None
    dropped: bool


@dataclass(frozen=True, slots=True)
class Discoverable:
    """A linked badge whose content the learner may see."""

    badge: dict[str, Any]
    content: dict[str, Any]
    url: str | None


def enrolled(store: Store, learners: Sequence[int], links: Sequence[int] | None = None) -> list[Enrolled]:
    """Return the learner's sessions of linked content, withdrawn and completed ones included, once for each badge.

    The links are those that stand now, or ``links``, ended ones among them.
    """
    standing = "l.ended_at IS NULL" if links is None else "l.id IN (SELECT value FROM json_each(:links))"
    told = {"learners": json.dumps(list(learners))} | ({} if links is None else {"links": json.dumps(list(links))})
    return [_enrolled(row) for row in store.rows(_ENROLLED.replace("STANDING", standing), told)]


def _enrolled(row: dict[str, Any]) -> Enrolled:
    same = ("learner", "session_id", "session_title", "progress", "enrolled_at", "completed_at", "completed_latest")
    return Enrolled(
        badge=badges.view(row),
        content=content.view(row),
        url=row["content_url"],
        once=not row["allow_duplicates"],
        ended=bool(row["ended"]),
        counts=bool(row["counts"]),
        grant=row["grant_state"],
        dropped=bool(row["dropped"]),
        **{name: row[name] for name in same},
    )


def addresses(store: Store, learners: Sequence[int]) -> list[str]:
    """Return the learner's addresses: today's, and earlier ones that nobody else has now."""
    rows = store.rows(
        "SELECT a.email_key FROM json_each(?) me CROSS JOIN learner_addresses a ON a.learner = me.value",
        (json.dumps(list(learners)),),
    )
    return list(dict.fromkeys(row["email_key"] for row in rows))


def discoverable(store: Store, audience: Audience, now: str) -> list[Discoverable]:
    """Return the linked badges whose content an audience may see (R29)."""
    sql = _OF_SITE if audience.is_site else _OF_TENANT
    told = {"kind": audience.kind, "subjects": json.dumps(audience.subjects), "now": now}
    return [
        Discoverable(badges.view(row), content.view(row), row["badge_url"])
        for row in store.rows(sql, told if audience.is_site else {key: told[key] for key in ("kind", "subjects")})
    ]
