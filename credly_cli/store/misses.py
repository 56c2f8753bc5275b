"""Completions of content that is or was linked, with what is known of the badge that they did not earn."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from credly_cli.store.database import Store
from credly_cli.store.links import EndReason


@dataclass(frozen=True, slots=True)
class PastLink:
    """A link of a badge to content, standing or ended."""

    counts_from: str
    since_set_at: str | None
    ended_at: str | None
    end_reason: EndReason | None


@dataclass(frozen=True, slots=True)
class Miss:
    """A completion, the grant for it if there is one, and what the learner holds or held."""

    email: str
    first_name: str | None
    last_name: str | None
    badge_id: str
    badge_name: str
    badge_image_url: str | None
    content_id: str
    content_title: str
    content_type: str | None
    session_id: str
    completed_at: str
    completed_latest: str
    grant_state: str | None
    dropped: int | None
    issued_state: str | None
    issued_deleted: str | None
    held: int
    revoked_at: str | None

    def view(self) -> dict[str, Any]:
        """Return the completion as scripts read it, without the reason."""
        return {
            "email": self.email,
            "badge": {"id": self.badge_id, "name": self.badge_name, "image_url": self.badge_image_url},
            "content": {"id": self.content_id, "title": self.content_title, "type": self.content_type},
            "session_id": self.session_id or None,
            "completed_at": self.completed_at,
        }


# Of the grants of a session the last round speaks. Where a badge may be had twice, one that was issued for another
# session answers for nothing here, and one from elsewhere only on the same day (R20).
_MISSES = """
SELECT p.email, p.first_name, p.last_name, b.id AS badge_id, b.name AS badge_name, b.image_url AS badge_image_url,
  c.id AS content_id, c.title AS content_title, c.type AS content_type, e.session_id, e.completed_at,
  e.completed_latest, g.state AS grant_state, g.dropped, i.state AS issued_state, i.deleted_at AS issued_deleted,
  NOT b.allow_duplicates AND EXISTS (
    SELECT 1 FROM learner_issued_badges m WHERE m.learner = p.id AND m.badge_id = b.id AND m.held) AS held,
  (SELECT min(m.revoked_at) FROM learner_issued_badges m JOIN issued_badges x ON x.id = m.issued_badge_id
    WHERE m.learner = p.id AND m.badge_id = b.id AND m.revoked_at > e.completed_at
    AND (NOT b.allow_duplicates OR substr(x.issued_at, 1, 10) = substr(e.completed_at, 1, 10)
      AND NOT EXISTS (SELECT 1 FROM grants o WHERE o.issued_badge_id = x.id))) AS revoked_at
FROM enrollments e JOIN learners p ON p.id = e.learner JOIN content c ON c.id = e.content_id
JOIN badges b ON b.id = :badge
LEFT JOIN grants g ON g.id = (
  SELECT id FROM grants WHERE badge_id = b.id AND learner = e.learner AND content_id = e.content_id
  AND session_id = e.session_id ORDER BY round DESC LIMIT 1)
LEFT JOIN issued_badges i ON i.id = coalesce(g.issued_badge_id, g.covered_by,
  (SELECT o.issued_badge_id FROM grants o WHERE o.id = g.covered_by_grant))
WHERE e.content_id = :content AND e.completed_at IS NOT NULL
"""


def candidates(store: Store, badge_id: str | None = None) -> Iterator[tuple[list[PastLink], Iterator[Miss]]]:
    """Yield, for each badge and content that are or were linked, their links in order and all completions."""
    pairs: dict[tuple[str, str], list[PastLink]] = {}
    names = [field.name for field in fields(PastLink)]
    for row in store.rows(f"SELECT badge_id, content_id, {', '.join(names)} FROM links ORDER BY id"):
        if badge_id in (None, row["badge_id"]):
            link = PastLink(**{name: row[name] for name in names})
            pairs.setdefault((row["badge_id"], row["content_id"]), []).append(link)
    for (badge, content), links in pairs.items():
        rows = store.db.query(_MISSES, {"badge": badge, "content": content})
        yield links, (Miss(**row) for row in rows)
