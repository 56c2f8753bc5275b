"""The grants that are to be sent now, their claims, and the history of attempts."""

import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta

from credly_cli.store.database import Store
from credly_cli.store.grants import GRANTS, Grant
from credly_cli.times import from_utc_text, utc_text

_LONGEST_WAIT = timedelta(days=10)
_RECENT = "g.reason = 'manual' OR g.completed_at >= :completed_from"  # by hand: Credly was asked


def due(
    store: Store, now: str, limit: int, only: Sequence[int] | None = None, *, completed_from: str | None = None
) -> list[Grant]:
    """Return the planned grants whose time has come, the longest waiting first.

    ``only`` narrows them to these; ``completed_from`` leaves out older completions unless Credly was asked about them.
    """
    narrowed = "" if only is None else "AND g.id IN (SELECT value FROM json_each(:only))"
    if completed_from is not None:
        narrowed += f" AND ({_RECENT} OR g.cleared_at IS NOT NULL)"
    sql = (
        f"{GRANTS} WHERE g.state = 'planned' AND (ifnull(g.not_before, '') <= :now OR g.not_before > :never) {narrowed}"
        " ORDER BY g.not_before, g.id LIMIT :limit"
    )
    never = utc_text(from_utc_text(now) + _LONGEST_WAIT)  # a wait that long comes from a clock that was wrong
    values = {"now": now, "never": never, "limit": limit, "only": json.dumps(list(only or ()))}
    values["completed_from"] = completed_from
    return store.records(Grant, sql, values)


def old_unsent(store: Store, completed_from: str) -> list[Grant]:
    """Return the planned grants for completions before a moment that Credly was not asked about yet."""
    sql = f"{GRANTS} WHERE g.state = 'planned' AND NOT ({_RECENT}) AND g.cleared_at IS NULL ORDER BY g.not_before, g.id"
    return store.records(Grant, sql, {"completed_from": completed_from})


def repeatable_unsent(store: Store, now: str) -> list[Grant]:
    """Return the grants that are due, and that Credly would not refuse if they were issued already."""
    sql = (
        f"{GRANTS} WHERE g.state = 'planned' AND ifnull(g.not_before, '') <= ? AND NOT g.once AND b.allow_duplicates"
        " AND g.reason = 'completion' ORDER BY g.not_before, g.id"
    )
    return store.records(Grant, sql, (now,))


def claim(store: Store, grant_id: int, body: str, run_id: int | None, now: str, server_date: str | None) -> int | None:
    """Mark a grant as being sent, with the exact body; returns the attempt, or ``None`` when it is not planned now."""
    claimed = store.change(
        "UPDATE grants SET state = 'sending', body = ?, body_sha256 = ?, sent_at = ?, server_date = ?, absences = 0,"
        " absent_at = NULL, tries = tries + 1, run_id = ?, updated_at = ? WHERE id = ? AND state = 'planned'",
        (body, hashlib.sha256(body.encode()).hexdigest(), now, server_date, run_id, now, grant_id),
    )
    if claimed != 1:
        return None
    attempt: int = store.value(
        "INSERT INTO attempts (grant_id, run_id, started_at, body) VALUES (?, ?, ?, ?) RETURNING id",
        (grant_id, run_id, now, body),
    )
    return attempt


def note_attempt(store: Store, attempt: int, now: str, outcome: str, status: int | None, detail: str | None) -> None:
    """Note what came of an attempt."""
    store.change(
        "UPDATE attempts SET ended_at = ?, outcome = ?, http_status = ?, detail = ? WHERE id = ? AND ended_at IS NULL",
        (now, outcome, status, detail, attempt),
    )


def wait_for_badge(store: Store, badge_id: str, not_before: str, now: str) -> None:
    """Let all that is planned for a badge wait."""
    store.change(
        "UPDATE grants SET not_before = ?, updated_at = ? WHERE badge_id = ? AND state = 'planned'",
        (not_before, now, badge_id),
    )


def is_awaiting(store: Store, grant_id: int, states: Sequence[str]) -> bool:
    """Tell whether a grant is in one of these states still: past the lock, another run may have moved it."""
    sql = "SELECT 1 FROM grants WHERE id = ? AND state IN (SELECT value FROM json_each(?))"
    return store.value(sql, (grant_id, json.dumps(list(states)))) is not None


def clear(store: Store, grant_id: int, now: str) -> None:
    """Note that Credly was asked about a grant for a completion from before this store (R18)."""
    store.change("UPDATE grants SET cleared_at = ? WHERE id = ?", (now, grant_id))
