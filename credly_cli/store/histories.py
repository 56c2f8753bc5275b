"""What happened between one learner and badges: links, grants, attempts, issued badges, ended and lost ones too."""

import json
from collections.abc import Sequence
from typing import Any

from credly_cli.store import issued_badges
from credly_cli.store.content import RELEASED
from credly_cli.store.database import Store
from credly_cli.store.grants import NAMED_SINCE

_OF_LEARNER = "IN (SELECT value FROM json_each(:learners))"


def badge_ids(store: Store, learners: Sequence[int]) -> list[str]:
    """Return the badges linked now, those with a grant of the learner, and those whose content the learner completed.

    The last also where the link has ended since: that is what the learner asks about.
    """
    rows = store.rows(
        f"SELECT badge_id FROM links WHERE ended_at IS NULL"
        f" UNION SELECT badge_id FROM grants WHERE learner {_OF_LEARNER}"
        " UNION SELECT l.badge_id FROM json_each(:learners) me CROSS JOIN enrollments e ON e.learner = me.value"
        " CROSS JOIN links l ON l.content_id = e.content_id WHERE e.completed_at IS NOT NULL",
        {"learners": json.dumps(list(learners))},
    )
    return [row["badge_id"] for row in rows]


def badge_rows(store: Store, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return what is known of badges, also of those that left the list."""
    return store.rows(
        "SELECT id, slug, name, image_url, listed, removed_at, allow_duplicates FROM badges"
        " WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )


def last_links(store: Store, ids: Sequence[str], now: str) -> list[dict[str, Any]]:
    """Return the last link of each badge, standing or ended, with its content."""
    return store.rows(
        "SELECT l.id, l.badge_id, l.linked_at, l.counts_from, l.ended_at, l.end_reason,"
        f" c.id AS content_id, c.title AS content_title, c.type AS content_type, {RELEASED} AS released"
        " FROM links l JOIN content c ON c.id = l.content_id WHERE l.id IN"
        " (SELECT max(id) FROM links WHERE badge_id IN (SELECT value FROM json_each(:ids)) GROUP BY badge_id)",
        {"ids": json.dumps(list(ids)), "now": now},
    )


def grants(store: Store, learners: Sequence[int]) -> list[dict[str, Any]]:
    """Return the learner's grants, of each session the last round, the oldest first."""
    return store.rows(
        f"SELECT g.id, g.badge_id, g.session_id, g.reason, g.state, {NAMED_SINCE} AS named_since, g.dropped,"
        " g.issued_badge_id, g.covered_by,"
        " g.covered_by_grant, g.problem, g.not_before, g.created_at, g.updated_at,"
        " c.id AS content_id, c.title AS content_title, c.type AS content_type"
        f" FROM grants g JOIN content c ON c.id = g.content_id WHERE g.learner {_OF_LEARNER} AND NOT EXISTS ("
        "   SELECT 1 FROM grants o WHERE o.badge_id = g.badge_id AND o.learner = g.learner"
        "   AND o.content_id = g.content_id AND o.session_id = g.session_id AND o.round > g.round) ORDER BY g.id",
        {"learners": json.dumps(list(learners))},
    )


def attempts(store: Store, learners: Sequence[int]) -> list[dict[str, Any]]:
    """Return when something was sent to Credly for the learner, and what came of it, the oldest first."""
    return store.rows(
        "SELECT a.grant_id, a.started_at, a.ended_at, a.outcome, a.http_status, a.detail FROM grants g"
        f" JOIN attempts a ON a.grant_id = g.id WHERE g.learner {_OF_LEARNER} ORDER BY a.id",
        {"learners": json.dumps(list(learners))},
    )


def issued(store: Store, email: str, learners: Sequence[int]) -> list[dict[str, Any]]:
    """Return the badges issued to the learner, revoked and deleted ones too, the oldest first."""
    rows = issued_badges.of_learners(store, email, learners)
    return sorted(rows, key=lambda row: (row["issued_at"] or "", row["id"]))
