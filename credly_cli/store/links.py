"""Links from badges to content, all sessions of it (R13), ended ones included; and the completions that they count."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from credly_cli.credly.records import BadgeBrief
from credly_cli.store.badges import BADGE
from credly_cli.store.content import CONTENT, ContentBrief
from credly_cli.store.database import Store
from credly_cli.store.views import COUNTS

EndReason = Literal["unlinked", "badge-not-active"]


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it stands."""

    id: int
    badge_id: str
    content_id: str
    linked_at: str
    counts_from: str
    since_set_at: str | None
    planned_rev: int
    agreed: int = 0  # so many badges somebody agreed to that a run issues (R15, R32)
    braked: int = 0  # so many the last plan kept back


def active(store: Store) -> list[Link]:
    """Return all links that stand."""
    return store.records(Link, _ACTIVE)


def of_badge(store: Store, badge_id: str) -> Link | None:
    """Return the badge's link, if it has one."""
    return store.record(Link, f"{_ACTIVE} AND badge_id = ?", (badge_id,))


_ACTIVE = (
    "SELECT id, badge_id, content_id, linked_at, counts_from, since_set_at, planned_rev, agreed, braked FROM links"
    " WHERE ended_at IS NULL"
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A badge and content that it is or was linked to."""

    badge: BadgeBrief
    content: ContentBrief
    listed: bool  # the badge is active


def pairs(store: Store, badge_id: str | None = None, content_id: str | None = None) -> list[Pair]:
    """Return every badge with each content that it is or was linked to, or those of a badge or of content."""
    return store.records(
        Pair,
        f"SELECT {BADGE}, {CONTENT}, b.listed"
        " FROM links l JOIN badges b ON b.id = l.badge_id JOIN content c ON c.id = l.content_id"
        " WHERE (:badge IS NULL OR b.id = :badge) AND (:content IS NULL OR c.id = :content)"
        " GROUP BY b.id, c.id ORDER BY min(l.id)",
        {"badge": badge_id, "content": content_id},
    )


def add(store: Store, badge_id: str, content_id: str, now: str, since: str | None) -> None:
    """Link a badge to content."""
    store.db.table("links").insert(
        {
            "badge_id": badge_id,
            "content_id": content_id,
            "linked_at": now,
            "counts_from": since or now,
            "since_set_at": now if since else None,
        }
    )


def set_moment(store: Store, link: Link, since: str, now: str) -> None:
    """Let the link count from another moment; its completions are planned afresh."""
    store.change(
        "UPDATE links SET counts_from = ?, since_set_at = ?, planned_rev = 0 WHERE id = ?", (since, now, link.id)
    )


def set_agreed(store: Store, badge_id: str, number: int) -> None:
    """Keep how many badges of a link a person agreed to."""
    store.change("UPDATE links SET agreed = ? WHERE badge_id = ? AND ended_at IS NULL", (number, badge_id))


def counted(store: Store, badge_id: str) -> set[tuple[int, str]]:
    """Return learner and session of all completions that count for the badge's link as it stands."""
    return set(
        store.connection.execute(
            "SELECT learner, session_id FROM enrollment_links WHERE badge_id = ? AND ended_at IS NULL AND counts",
            (badge_id,),
        ).fetchall()
    )


def end(store: Store, link: Link, now: str, reason: EndReason) -> None:
    """End a link; its row stays and tells why later completions earn nothing."""
    store.change("UPDATE links SET ended_at = ?, end_reason = ? WHERE id = ?", (now, reason, link.id))


def set_planned(store: Store, link: Link, rev: int) -> None:
    """Note up to which change of completions the link was planned."""
    if rev != link.planned_rev:
        store.change("UPDATE links SET planned_rev = ? WHERE id = ?", (rev, link.id))


def set_brake(store: Store, link: Link, *, agreed: int, braked: int) -> None:
    """Note how many badges are still agreed to, and how many the last plan kept back."""
    if (agreed, braked) != (link.agreed, link.braked):
        store.change("UPDATE links SET agreed = ?, braked = ? WHERE id = ?", (agreed, braked, link.id))


def set_forbidden(store: Store, badge_ids: Collection[str], *, forbidden: bool) -> None:
    """Note whether Credly lets these badges be issued (R33)."""
    store.change(
        "UPDATE links SET forbidden = :forbidden WHERE ended_at IS NULL AND forbidden <> :forbidden"
        " AND badge_id IN (SELECT value FROM json_each(:badges))",
        {"forbidden": forbidden, "badges": json.dumps(list(badge_ids))},
    )


def count_ungranted(store: Store, badge_id: str, content_id: str, counts_from: str, since_set_at: str | None) -> int:
    """Count the completions that such a link would grant and that nothing grants yet (R15)."""
    return int(
        store.value(
            f"""
            SELECT count(*) FROM enrollments e, (SELECT ? AS counts_from, ? AS since_set_at) l
            WHERE e.content_id = ? AND {COUNTS} AND NOT EXISTS (
              SELECT 1 FROM grants g WHERE g.badge_id = ? AND g.learner = e.learner AND g.content_id = e.content_id
              AND g.session_id = e.session_id AND (g.state <> 'cancelled' OR g.dropped))
            """,
            (counts_from, since_set_at, content_id, badge_id),
        )
    )


def counting(store: Store, link: Link) -> list[tuple[int, str]]:
    """Return learner and session of the completions that count for a link and are newer than its last plan.

    The earliest comes first.
    """
    return store.connection.execute(
        "SELECT learner, session_id FROM enrollment_links WHERE link_id = ? AND rev > planned_rev AND counts"
        " ORDER BY completed_at, learner, session_id",
        (link.id,),
    ).fetchall()
