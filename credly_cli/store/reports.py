"""What the report counts: issued badges by month, badge, state and expiry, and grants that failed."""

from dataclasses import dataclass

from credly_cli.credly.records import BadgeBrief
from credly_cli.store.database import Store

_THERE = "deleted_at IS NULL AND replaced_by IS NULL"  # of an issued badge: Credly has it, and no other in its place
_MONTHS = f"""
SELECT substr(ifnull(issued_at, created_at), 1, 7) AS month, count(*) AS issued FROM issued_badges
WHERE {_THERE} AND ifnull(issued_at, created_at) IS NOT NULL
GROUP BY month ORDER BY month
"""
_BADGES = f"""
SELECT i.badge_id AS "badge.id", coalesce(b.name, max(i.badge_name), i.badge_id) AS "badge.name",
  ifnull(b.image_url, max(i.image_url)) AS "badge.image_url", count(*) AS issued, sum(i.state = 'pending') AS pending,
  sum(i.state = 'accepted') AS accepted, sum(i.state = 'rejected') AS rejected, sum(i.state = 'revoked') AS revoked
FROM issued_badges i LEFT JOIN badges b ON b.id = i.badge_id WHERE {_THERE}
GROUP BY i.badge_id
"""
_STATES = f"SELECT state, count(*) AS count FROM issued_badges WHERE {_THERE} GROUP BY state"
_EXPIRING = f"""
SELECT count(*) FROM issued_badges WHERE {_THERE} AND state IN ('pending', 'accepted')
AND expires_at > ? AND expires_at <= ?
"""
_FAILURES = """
SELECT ifnull(problem_code, 'unexpected') AS code, problem, count(*) AS count FROM grants
WHERE state IN ('failed', 'held') GROUP BY code, problem ORDER BY code, problem
"""


@dataclass(frozen=True, slots=True)
class MonthCount:
    """How many badges were issued in a month, such as ``2026-03`` (UTC)."""

    month: str
    issued: int


@dataclass(frozen=True, slots=True)
class BadgeCount:
    """What became of the badges that were issued from one template."""

    badge: BadgeBrief
    issued: int
    pending: int
    accepted: int
    rejected: int
    revoked: int


@dataclass(frozen=True, slots=True)
class FailureCount:
    """How many grants failed or are held with the same code and words."""

    code: str
    problem: str | None
    count: int


def months(store: Store) -> list[MonthCount]:
    """Count issued badges by month, the earliest first; months without any are left out."""
    return store.records(MonthCount, _MONTHS)


def badges(store: Store) -> list[BadgeCount]:
    """Count issued badges by template, in no order."""
    return store.records(BadgeCount, _BADGES)


def states(store: Store) -> dict[str, int]:
    """Count issued badges by state; states without any are left out."""
    return {row["state"]: row["count"] for row in store.rows(_STATES)}


def expiring(store: Store, after: str, until: str) -> int:
    """Count the pending and accepted badges that expire after one time and not after another (both UTC texts)."""
    return int(store.value(_EXPIRING, (after, until)))


def failures(store: Store) -> list[FailureCount]:
    """Count the grants that wait for a person, by code and words."""
    return store.records(FailureCount, _FAILURES)
