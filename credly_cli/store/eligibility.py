"""What a learner is enrolled in, and which badges there are to discover for whom (R28, R29)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from credly_cli.credly.records import BadgeBrief
from credly_cli.store.badges import BADGE, PUBLIC_URL
from credly_cli.store.content import CONTENT, RELEASED, ContentBrief
from credly_cli.store.database import Row, Store
from credly_cli.store.facts import FACTS, FACTS_FROM, Facts, facts_from

_OF_LEARNER = "IN (SELECT value FROM json_each(:learners))"


_ENROLLED = f"""
SELECT {FACTS}, x.withdrawn, x.progress, x.enrolled_at, b.name AS badge_name, b.image_url AS badge_image_url,
  c.title AS content_title, c.type AS content_type, c.url AS content_url, s.title AS session_title
FROM json_each(:learners) me CROSS JOIN enrollment_links x ON x.learner = me.value {FACTS_FROM}
CROSS JOIN content c ON c.id = x.content_id LEFT JOIN sessions s ON s.id = x.session_id
"""

_LINKED = f"""
SELECT {BADGE}, {PUBLIC_URL} AS url, {CONTENT}
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
class LinkedEnrollment:
    """A session of content that is or was linked to a badge, which the learner is or was in."""

    badge: BadgeBrief
    content: ContentBrief
    url: str | None
    session_title: str | None
    progress: float | None
    enrolled_at: str | None
    ended: bool  # withdrawn, or access was revoked
    facts: Facts


@dataclass(frozen=True, slots=True)
class Discoverable:
    """A linked badge whose content the learner may see."""

    badge: BadgeBrief
    content: ContentBrief
    url: str | None


def enrolled(store: Store, learners: Sequence[int], badge_ids: Sequence[str] | None = None) -> list[LinkedEnrollment]:
    """Return the learner's sessions of linked content, withdrawn and completed ones included, once for each badge.

    The links are those that stand now, or all that the badges of ``badge_ids`` have or had.
    """
    those = "x.ended_at IS NULL" if badge_ids is None else "x.badge_id IN (SELECT value FROM json_each(:badges))"
    rows = store.rows(
        f"{_ENROLLED} WHERE {those} ORDER BY x.learner, x.content_id, x.session_id, x.badge_id, x.link_id",
        {"learners": json.dumps(list(learners))} | ({} if badge_ids is None else {"badges": json.dumps(badge_ids)}),
    )
    key = itemgetter("learner", "content_id", "session_id", "badge_id")
    return [_enrolled(list(links)) for _, links in groupby(rows, key)]


def guests(store: Store, keys: Sequence[str]) -> frozenset[str]:
    """Return those of these addresses to which some content was given directly."""
    sql = (
        "SELECT DISTINCT a.subject FROM json_each(?) k CROSS JOIN access a"
        " ON a.subject_kind = 'learner' AND a.subject = k.value"
    )
    return frozenset(row[0] for row in store.connection.execute(sql, (json.dumps(list(keys)),)))


def _enrolled(links: Sequence[Row]) -> LinkedEnrollment:
    row = links[-1]
    return LinkedEnrollment(
        badge=BadgeBrief(row["badge_id"], row["badge_name"], row["badge_image_url"]),
        content=ContentBrief(row["content_id"], row["content_title"], row["content_type"]),
        url=row["content_url"],
        session_title=row["session_title"],
        progress=row["progress"],
        enrolled_at=row["enrolled_at"],
        ended=bool(row["withdrawn"]),
        facts=facts_from(links),
    )


def discoverable(store: Store, audience: Audience, now: str) -> list[Discoverable]:
    """Return the linked badges whose content an audience may see (R29)."""
    sql = _OF_SITE if audience.is_site else _OF_TENANT
    values = {"kind": audience.kind, "subjects": json.dumps(audience.subjects)}
    return store.records(Discoverable, sql, {**values, "now": now} if audience.is_site else values)
