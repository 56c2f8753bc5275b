"""The lists of badges and content, each with what it is linked to, alphabetically (R11)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from credly_cli.credly.records import Template
from credly_cli.store.badges import BadgeBrief
from credly_cli.store.content import CONTENT, RELEASED, ContentBrief
from credly_cli.store.database import Store
from credly_cli.text import folded

_BADGES = f"""
SELECT b.id, b.name, b.state, b.slug, b.url, b.image_url, b.allow_duplicates, b.created_at, b.updated_at, {CONTENT},
  l.counts_from
FROM badges b
LEFT JOIN links l ON l.badge_id = b.id AND l.ended_at IS NULL
LEFT JOIN content c ON c.id = l.content_id
WHERE b.listed
"""


@dataclass(frozen=True, slots=True)
class ListedBadge(Template):
    """An active badge, with the content that it is linked to."""

    content: ContentBrief | None
    counts_from: str | None


def badges(store: Store, *, unlinked: bool = False) -> list[ListedBadge]:
    """List the active badges alphabetically, each with the content it is linked to (R11)."""
    rows = store.records(ListedBadge, _BADGES + ("AND l.id IS NULL" if unlinked else ""))
    return sorted(rows, key=lambda row: (folded(row.name), row.id))


@dataclass(frozen=True, slots=True)
class SessionBrief:
    """A session, as JSON answers show it."""

    id: str
    title: str | None


@dataclass(frozen=True, slots=True)
class ListedContent:
    """Content with its sessions and the badges linked to it."""

    id: str
    title: str
    type: str | None
    released: bool
    url: str | None
    sessions: Sequence[SessionBrief]
    badges: Sequence[BadgeBrief]


def content(store: Store, now: str) -> list[ListedContent]:
    """List all content by title, with its sessions and the badges linked to it."""
    sessions, linked = defaultdict[str, list[SessionBrief]](list), defaultdict[str, list[BadgeBrief]](list)
    read = store.connection.execute
    for content_id, *session in read("SELECT content_id, id, title FROM sessions ORDER BY id"):
        sessions[content_id].append(SessionBrief(*session))
    for content_id, *badge in read(
        "SELECT l.content_id, b.id, b.name, b.image_url FROM links l JOIN badges b ON b.id = l.badge_id"
        " WHERE l.ended_at IS NULL"
    ):
        linked[content_id].append(BadgeBrief(*badge))
    for badges_of_one in linked.values():
        badges_of_one.sort(key=lambda badge: (folded(badge.name), badge.id))
    found = [
        ListedContent(identity, title, kind, bool(released), url, sessions[identity], linked[identity])
        for identity, title, kind, released, url in read(
            f"SELECT c.id, c.title, c.type, {RELEASED}, c.url FROM content c", {"now": now}
        )
    ]
    return sorted(found, key=lambda row: (folded(row.title), row.id))
