"""What was done for a learner: links of badges, grants and attempts; and what is known of badges (for `explain`)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from credly_cli.store.content import CONTENT, RELEASED, ContentBrief
from credly_cli.store.database import Store
from credly_cli.store.grants import NAMED_SINCE
from credly_cli.store.links import EndReason
from credly_cli.store.needs_person import COVER_LOST
from credly_cli.store.schema import State

_OF_LEARNER = "IN (SELECT value FROM json_each(:learners))"


@dataclass(frozen=True, slots=True)
class KnownBadge:
    """A badge that is or was in the list, or of which only an issued one is known."""

    id: str
    name: str
    image_url: str | None
    slug: str | None = None
    listed: bool = False
    removed_at: str | None = None  # when a sync found that it had left the list; null where it never was there
    allow_duplicates: bool = False


@dataclass(frozen=True, slots=True)
class PastLink:
    """A link of a badge to content, standing or ended. Times are UTC text."""

    id: int
    badge_id: str
    linked_at: str
    counts_from: str
    ended_at: str | None
    end_reason: EndReason | None
    content: ContentBrief
    released: bool


@dataclass(frozen=True, slots=True)
class LearnerGrant:
    """A grant of the learner, of its session the last round. Times are UTC text."""

    id: int
    badge_id: str
    session_id: str
    reason: Literal["completion", "manual"]
    state: State
    named_since: bool  # held for a name that is known by now
    dropped: bool  # cancelled by a person
    cover_lost: bool  # the learner holds the badge no more that covered it
    covered_by: str | None
    covered_by_grant: int | None
    problem: str | None
    not_before: str | None  # a completion ahead of the clock waits for its moment
    created_at: str
    updated_at: str
    content: ContentBrief


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was sent to Credly for a grant, and what came of it; the latter is null where the program was stopped."""

    grant_id: int
    started_at: str
    ended_at: str | None
    outcome: str | None
    http_status: int | None
    detail: str | None


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


def badges(store: Store, ids: Sequence[str]) -> list[KnownBadge]:
    """Return what is known of badges, also of those that left the list."""
    return store.records(
        KnownBadge,
        "SELECT id, name, image_url, slug, listed, removed_at, allow_duplicates FROM badges"
        " WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )


def last_links(store: Store, ids: Sequence[str], now: str) -> list[PastLink]:
    """Return the last link of each badge, standing or ended, with its content."""
    return store.records(
        PastLink,
        "SELECT l.id, l.badge_id, l.linked_at, l.counts_from, l.ended_at, l.end_reason,"
        f" {CONTENT}, {RELEASED} AS released"
        " FROM links l JOIN content c ON c.id = l.content_id WHERE l.id IN"
        " (SELECT max(id) FROM links WHERE badge_id IN (SELECT value FROM json_each(:ids)) GROUP BY badge_id)",
        {"ids": json.dumps(list(ids)), "now": now},
    )


_WAITS_UNTIL = "iif(g.reason = 'completion', max(ifnull(g.not_before, ''), g.issued_at), g.not_before)"  # R18


def grants(store: Store, learners: Sequence[int]) -> list[LearnerGrant]:
    """Return the learner's grants, of each session the last round, the oldest first."""
    return store.records(
        LearnerGrant,
        f"SELECT g.id, g.badge_id, g.session_id, g.reason, g.state, {NAMED_SINCE} AS named_since, g.dropped,"
        f" {COVER_LOST} AS cover_lost,"
        f" g.covered_by, g.covered_by_grant, g.problem, {_WAITS_UNTIL} AS not_before, g.created_at, g.updated_at,"
        f" {CONTENT}"
        f" FROM grants g JOIN content c ON c.id = g.content_id WHERE g.learner {_OF_LEARNER} AND NOT EXISTS ("
        "   SELECT 1 FROM grants o WHERE o.badge_id = g.badge_id AND o.learner = g.learner"
        "   AND o.content_id = g.content_id AND o.session_id = g.session_id AND o.round > g.round) ORDER BY g.id",
        {"learners": json.dumps(list(learners))},
    )


def attempts(store: Store, learners: Sequence[int]) -> list[Attempt]:
    """Return when something was sent to Credly for the learner, and what came of it, the oldest first."""
    return store.records(
        Attempt,
        "SELECT a.grant_id, a.started_at, a.ended_at, a.outcome, a.http_status, a.detail FROM grants g"
        f" JOIN attempts a ON a.grant_id = g.id WHERE g.learner {_OF_LEARNER} ORDER BY a.id",
        {"learners": json.dumps(list(learners))},
    )
