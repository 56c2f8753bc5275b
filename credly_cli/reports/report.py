"""What has become of the badges: issued per month and badge, accepted or not, expiring soon, and what failed."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from credly_cli.store import badges
from credly_cli.store.database import Store
from credly_cli.text import without_addresses
from credly_cli.times import utc_text

STATES = ("pending", "accepted", "rejected", "revoked")
_SOON = (30, 60, 90)
_A_YEAR = 12

_MONTHS = """
SELECT substr(ifnull(issued_at, created_at), 1, 7) AS month, count(*) AS issued FROM issued_badges
WHERE deleted_at IS NULL AND ifnull(issued_at, created_at) IS NOT NULL GROUP BY month ORDER BY month
"""
_BADGES = """
SELECT i.badge_id, ifnull(b.name, max(i.badge_name)) AS badge_name, ifnull(b.image_url, max(i.image_url))
  AS badge_image_url, count(*) AS issued, sum(i.state = 'pending') AS pending, sum(i.state = 'accepted') AS accepted,
  sum(i.state = 'rejected') AS rejected, sum(i.state = 'revoked') AS revoked
FROM issued_badges i LEFT JOIN badges b ON b.id = i.badge_id WHERE i.deleted_at IS NULL GROUP BY i.badge_id
"""
_EXPIRING = """
SELECT count(*) FROM issued_badges WHERE deleted_at IS NULL AND state IN ('pending', 'accepted')
AND expires_at > ? AND expires_at <= ?
"""
_FAILURES = """
SELECT ifnull(problem_code, 'unexpected') AS code, problem, count(*) AS count FROM grants
WHERE state IN ('failed', 'held') GROUP BY code, problem ORDER BY code, problem
"""


def report(store: Store, now: datetime) -> dict[str, Any]:
    """Count what the store knows of issued badges and failed grants; badges deleted in Credly are left out."""
    return {
        "months": store.rows(_MONTHS),
        "badges": _badges(store),
        "funnel": _funnel(store),
        "expiring": {str(days): _expiring(store, now, days) for days in _SOON},
        "failures": _failures(store),
    }


def _badges(store: Store) -> list[dict[str, Any]]:
    rows = [
        {"badge": badges.view(row), **{key: row[key] for key in ("issued", *STATES)}} for row in store.rows(_BADGES)
    ]
    return sorted(rows, key=lambda row: (-row["issued"], (row["badge"]["name"] or "").casefold(), row["badge"]["id"]))


def _funnel(store: Store) -> dict[str, int]:
    counted = store.rows("SELECT state, count(*) AS n FROM issued_badges WHERE deleted_at IS NULL GROUP BY state")
    return {**dict.fromkeys(STATES, 0), **{row["state"]: row["n"] for row in counted}}


def _expiring(store: Store, now: datetime, days: int) -> int:
    return int(store.value(_EXPIRING, (utc_text(now), utc_text(now + timedelta(days=days)))))


def _failures(store: Store) -> list[dict[str, Any]]:
    """Count the grants that wait for a person, by code, and for each code by the reason in words."""
    counted: dict[str, Counter[str]] = {}
    for row in store.rows(_FAILURES):
        counted.setdefault(row["code"], Counter())[_reason(row["code"], row["problem"])] += row["count"]
    rows = [
        {
            "code": code,
            "count": reasons.total(),
            "reasons": [{"message": message, "count": count} for message, count in reasons.most_common()],
        }
        for code, reasons in counted.items()
    ]
    return sorted(rows, key=lambda row: (-row["count"], row["code"]))


def _reason(code: str, problem: str | None) -> str:
    """Say why in words that are the same for everybody."""
    if code == "missing-name":
        return "The first or the last name is not known."
    return without_addresses(problem or "No reason was noted.")


def reasons(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the reasons of all failures, the most frequent first."""
    rows = [{"code": row["code"], **reason} for row in answer["failures"] for reason in row["reasons"]]
    return sorted(rows, key=lambda row: -row["count"])


def flat(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Lay a report out as rows of one shape, for CSV and pipes."""
    return list(_flat(answer))


def _flat(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for row in answer["months"]:
        yield _row("month", row["month"], None, "issued", row["issued"])
    for row in answer["badges"]:
        for state in ("issued", *STATES):
            yield _row("badge", row["badge"]["id"], row["badge"]["name"], state, row[state])
    for state, count in answer["funnel"].items():
        yield _row("funnel", state, None, "badges", count)
    for days, count in answer["expiring"].items():
        yield _row("expiring", days, f"within {days} days", "badges", count)
    for row in reasons(answer):
        yield _row("failure", row["code"], row["message"], "grants", row["count"])


def _row(section: str, identity: str, name: str | None, measure: str, count: int) -> dict[str, Any]:
    return {"id": identity, "section": section, "name": name, "measure": measure, "count": count}


def latest_months(months: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """Return the last twelve months up to the latest badge, empty ones included, and how many were issued before."""
    filled = _all_months(months)
    return filled[-_A_YEAR:], sum(row["issued"] for row in filled[:-_A_YEAR])


def _all_months(months: list[dict[str, Any]]) -> list[dict[str, Any]]:
    counted = {row["month"]: row["issued"] for row in months}
    if not counted:
        return []
    first, last = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (min(counted), max(counted)))
    names = [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(first, last + 1)]
    return [{"month": name, "issued": counted.get(name, 0)} for name in names]
