"""Badges (templates): what the list holds, each with its content (R11), and what left it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import ClassVar

from credly_cli.credly.records import Badge, BadgeBrief, BadgeDetails, Template, badge_details_from
from credly_cli.store.content import CONTENT, ContentBrief
from credly_cli.store.database import Store
from credly_cli.text import folded


@dataclass(frozen=True, slots=True)
class NamedBadge(BadgeBrief):
    """A badge with all by which it may be named; ``listed`` while it is active."""

    slug: str | None
    listed: bool

    JSON: ClassVar = ("id", "name", "image_url")

    @property
    def brief(self) -> BadgeBrief:
        """The badge as answers show it."""
        return BadgeBrief(self.id, self.name, self.image_url)

    @property
    def word(self) -> str:
        """The shortest that names it on a command line: its slug, else its id."""
        return self.slug or self.id


def all_named(store: Store) -> list[NamedBadge]:
    """Return every badge ever seen, by all that it may be named by."""
    return store.records(NamedBadge, "SELECT id, name, image_url, slug, listed FROM badges")


def in_brief(store: Store, badge_id: str) -> BadgeBrief | None:
    """Return a badge of the list, or one that left it, in brief."""
    return store.record(BadgeBrief, "SELECT id, name, image_url FROM badges WHERE id = ?", (badge_id,))


# The columns of a record's ``badge``, a BadgeBrief. Alias: b badges.
BADGE = 'b.id AS "badge.id", b.name AS "badge.name", b.image_url AS "badge.image_url"'

# The address of a badge's page in Credly; nobody but its issuer can open that of one that is not public (R31).
PUBLIC_URL = (
    "CASE WHEN b.raw ->> '$.public' = 0 OR ifnull(b.raw ->> '$.visibility', '') = 'private' THEN NULL ELSE b.url END"
)


def details(store: Store, badge_ids: Iterable[str] | None = None) -> dict[str, BadgeDetails]:
    """Return what badges say to learners, by id: of these badges, or of all that ever were in the list."""
    which, ids = ("", ()) if badge_ids is None else (
        "WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(sorted(set(badge_ids))),)
    )  # fmt: skip
    return {row["id"]: badge_details_from(row["raw"]) for row in store.rows(f"SELECT id, raw FROM badges {which}", ids)}


def default_expiry(store: Store, badge_id: str) -> str | None:
    """Return the moment at which all badges of this kind expire, where the template says one; UTC text or as told."""
    told = "ifnull(raw ->> '$.default_expires_at', (raw ->> '$.default_expires_at_date') || 'T00:00:00Z')"
    found: str | None = store.value(f"SELECT {told} FROM badges WHERE id = ?", (badge_id,))
    return found


_LISTED = f"""
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


def listed(store: Store, *, unlinked: bool = False) -> list[ListedBadge]:
    """List the active badges alphabetically, each with the content it is linked to (R11)."""
    rows = store.records(ListedBadge, _LISTED + ("AND l.id IS NULL" if unlinked else ""))
    return sorted(rows, key=lambda row: (folded(row.name), row.id))


def allows_duplicates(store: Store, badge_id: str) -> bool:
    """Tell whether Credly lets somebody have a badge more than once."""
    return bool(store.value("SELECT allow_duplicates FROM badges WHERE id = ?", (badge_id,)))


def fingerprints(store: Store) -> dict[str, str]:
    """Return the fingerprint of each badge in the list, by id."""
    return {row["id"]: row["fingerprint"] for row in store.rows("SELECT id, fingerprint FROM badges WHERE listed")}


_COLUMNS = (
    "id", "name", "state", "slug", "url", "image_url", "allow_duplicates", "created_at", "updated_at", "fingerprint",
    "raw",
)  # fmt: skip
_SAVE = (
    f"INSERT INTO badges ({', '.join(_COLUMNS)}, listed) VALUES ({'?, ' * len(_COLUMNS)}1)"
    f" ON CONFLICT (id) DO UPDATE SET listed = 1, removed_at = NULL,"
    f" {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS[1:])}"
)


def save(store: Store, badges: Iterable[Badge]) -> None:
    """Add badges to the list, or bring them up to date."""
    read = attrgetter(*_COLUMNS)
    store.connection.executemany(_SAVE, (read(badge) for badge in badges))


def remove(store: Store, badge_ids: Iterable[str], now: str) -> None:
    """Take badges off the list; they stay for those who earned them (R9)."""
    for badge_id in badge_ids:
        store.change("UPDATE badges SET listed = 0, removed_at = ? WHERE id = ?", (now, badge_id))
