"""The ledger of grants and the history of attempts."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from credly_cli.errors import ErrorCode
from credly_cli.store import badges, content
from credly_cli.store.database import Store
from credly_cli.store.schema import STATES, State
from credly_cli.times import from_utc_text, utc_text


@dataclass(frozen=True, slots=True)
class NewGrant:
    """A grant to be recorded."""

    badge_id: str
    learner: int
    content_id: str
    session_id: str
    reason: Literal["completion", "manual"]
    state: State
    completed_at: str | None
    issued_at: str
    once: bool
    earner_id: str
    round: int = 1
    covered_by: str | None = None
    covered_by_grant: int | None = None
    problem_code: ErrorCode | None = None
    problem: str | None = None


NAMED_SINCE = (  # held for a name that is known by now: the next sync sends it (R21)
    "g.state = 'held' AND g.problem_code = 'missing-name' AND EXISTS"
    " (SELECT 1 FROM learners l WHERE l.id = g.learner AND l.first_name <> '' AND l.last_name <> '')"
)


def record(store: Store, grant: NewGrant, run_id: int | None, now: str) -> int:
    """Record a grant, or revive one that was cancelled; returns its id."""
    values = {name: getattr(grant, name) for name in NewGrant.__slots__}
    values |= {"once": int(grant.once), "run_id": run_id, "created_at": now, "updated_at": now}
    revived = {**dict.fromkeys(("issued_badge_id", "body", "body_sha256", "sent_at", "server_date"))}
    revived |= {"absent_at": None, "not_before": None, "cleared_at": None, "refusals": 0, "absences": 0, "tries": 0}
    told = ", ".join(f"{name} = excluded.{name}" for name in values if name != "created_at")
    fresh = ", ".join(f"{name} = {'NULL' if value is None else value}" for name, value in revived.items())
    identity: int = store.value(
        f"INSERT INTO grants ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})"
        f" ON CONFLICT (badge_id, learner, content_id, session_id, round) DO UPDATE SET {told}, {fresh}"
        " WHERE state = 'cancelled' AND NOT dropped RETURNING id",
        tuple(values.values()),
    )
    return identity


def of_session(store: Store, badge_id: str, learner: int, content_id: str, session_id: str) -> dict[str, Any] | None:
    """Return the latest grant of a learner's session."""
    return store.row(
        "SELECT * FROM grants WHERE badge_id = ? AND learner = ? AND content_id = ? AND session_id = ?"
        " ORDER BY round DESC LIMIT 1",
        (badge_id, learner, content_id, session_id),
    )


def completion_of(grants: str) -> str:
    """Return the beginning of a query for a grant's completion, up to its moment, as SQL."""
    return (
        f"SELECT 1 FROM enrollments e WHERE e.learner = {grants}.learner AND e.content_id = {grants}.content_id"
        f" AND e.session_id = {grants}.session_id AND e.completed_latest"
    )


# Whether a grant is still to be sent: its link stands and counts its completion (R9, R15, R16).
STILL_COUNTED = (
    "EXISTS (SELECT 1 FROM links l WHERE l.badge_id = grants.badge_id AND l.content_id = grants.content_id"
    " AND l.ended_at IS NULL"
    f" AND (grants.reason = 'manual' OR EXISTS ({completion_of('grants')} >= l.counts_from)))"
)


def plan_named_since(store: Store, run_id: int | None, now: str) -> int:
    """Plan the grants that were held for a name that is known by now; returns how many (R21)."""
    return store.change(
        "UPDATE grants AS g SET state = 'planned', problem_code = NULL, problem = NULL, updated_at = ?, run_id = ?"
        f" WHERE {NAMED_SINCE}",
        (now, run_id),
    )


def sending_to_uncertain(store: Store, run_id: int, now: str) -> int:
    """Call uncertain what a crash left between claim and result; returns how many."""
    told = "The program was stopped while this badge was being sent."
    sql = "UPDATE grants SET state = 'uncertain', problem = ?, run_id = ?, updated_at = ? WHERE state = 'sending'"
    return store.change(sql, (told, run_id, now))


def count_uncertain_of(store: Store, run_id: int) -> int:
    """Count the uncertain grants that a run brought about."""
    sql = "SELECT count(*) FROM grants WHERE state = 'uncertain' AND run_id = ?"
    return int(store.value(sql, (run_id,)))


def in_doubt_for_learner(store: Store, badge_id: str, learner: int) -> bool:
    """Tell whether a badge of this kind may have been issued to the learner without our knowing."""
    sql = "SELECT 1 FROM grants WHERE badge_id = ? AND learner = ? AND state IN ('sending', 'uncertain')"
    return store.value(sql, (badge_id, learner)) is not None


@dataclass(frozen=True, slots=True)
class Due:
    """A grant that may be sent now, with all that its body needs."""

    id: int
    badge_id: str
    learner: int
    learner_id: str | None
    content_id: str
    session_id: str
    reason: str
    issued_at: str
    once: bool  # it was planned as the only one, or the badge has come to forbid a second one
    earner_id: str
    email: str
    first_name: str | None
    last_name: str | None
    locale: str | None
    body: str | None
    tries: int


_LONGEST_WAIT = timedelta(days=10)


def due(
    store: Store, now: str, limit: int, only: Sequence[int] | None = None, *, completed_from: str | None = None
) -> list[Due]:
    """Return the planned grants whose time has come, the longest waiting first.

    ``only`` narrows them to these; ``completed_from`` leaves out older completions unless Credly was asked about them.
    """
    narrowed = "" if only is None else "AND g.id IN (SELECT value FROM json_each(:only))"
    if completed_from is not None:
        narrowed += f" AND ({_RECENT} OR g.cleared_at IS NOT NULL)"
    sql = (
        f"{_DUE} WHERE g.state = 'planned' AND (ifnull(g.not_before, '') <= :now OR g.not_before > :never) {narrowed}"
        " ORDER BY g.not_before, g.id LIMIT :limit"
    )
    never = utc_text(from_utc_text(now) + _LONGEST_WAIT)  # a wait that long comes from a clock that was wrong
    values = {"now": now, "never": never, "limit": limit, "only": json.dumps(list(only or ()))}
    values["completed_from"] = completed_from
    return [_due(row) for row in store.rows(sql, values)]


def old_unsent(store: Store, completed_from: str) -> list[Due]:
    """Return the planned grants for completions before a moment that Credly was not asked about yet."""
    sql = f"{_DUE} WHERE g.state = 'planned' AND NOT ({_RECENT}) AND g.cleared_at IS NULL ORDER BY g.not_before, g.id"
    return [_due(row) for row in store.rows(sql, {"completed_from": completed_from})]


def repeatable_unsent(store: Store, now: str) -> list[Due]:
    """Return the grants that are due, and that Credly would not refuse if they were issued already."""
    sql = (
        f"{_DUE} WHERE g.state = 'planned' AND ifnull(g.not_before, '') <= ? AND NOT g.once ORDER BY g.not_before, g.id"
    )
    return [due for due in map(_due, store.rows(sql, (now,))) if not due.once and due.reason == "completion"]


_DUE = """
SELECT g.id, g.badge_id, g.learner, l.learner_id, g.content_id, g.session_id, g.reason, g.issued_at,
  g.once OR NOT b.allow_duplicates AS once, g.earner_id, l.email, l.first_name, l.last_name, l.locale, g.body, g.tries
FROM grants g JOIN learners l ON l.id = g.learner JOIN badges b ON b.id = g.badge_id
"""
_RECENT = "g.reason = 'manual' OR g.completed_at >= :completed_from"  # by hand: Credly was asked


def _due(row: dict[str, Any]) -> Due:
    return Due(**{**row, "once": bool(row["once"])})


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


def set_state(store: Store, grant_id: int, state: State, now: str, **columns: Any) -> None:
    """Move a grant to a state, with other columns beside it."""
    values = {"state": state, "updated_at": now, **columns}
    store.change(
        f"UPDATE grants SET {', '.join(f'{name} = ?' for name in values)} WHERE id = ?",
        (*values.values(), grant_id),
    )


def uncertain(store: Store) -> list[dict[str, Any]]:
    """Return the uncertain grants with the learner's address, those put back last."""
    return store.rows(
        "SELECT g.*, l.email, b.allow_duplicates FROM grants g JOIN learners l ON l.id = g.learner"
        " JOIN badges b ON b.id = g.badge_id WHERE g.state = 'uncertain' ORDER BY g.not_before, g.id"
    )


def put_back(store: Store, grant_id: int, now: str) -> None:
    """Let an uncertain grant that could not be looked up come after the others next time."""
    store.change("UPDATE grants SET not_before = ? WHERE id = ?", (now, grant_id))


def still_wanted(store: Store, grant_id: int) -> bool:
    """Tell whether an unsent grant is still to be sent: its link stands and counts its completion (R9, R15, R16)."""
    return store.value(f"SELECT 1 FROM grants WHERE id = ? AND {STILL_COUNTED}", (grant_id,)) is not None


def wait_for_badge(store: Store, badge_id: str, not_before: str, now: str) -> None:
    """Let all that is planned for a badge wait."""
    store.change(
        "UPDATE grants SET not_before = ?, updated_at = ? WHERE badge_id = ? AND state = 'planned'",
        (not_before, now, badge_id),
    )


def doubt_all_open(store: Store, run_id: int | None, now: str) -> int:
    """Call uncertain all that a later copy of this store may have sent; returns how many (reliability, 3.7)."""
    return store.change(
        f"{_DOUBT} WHERE state IN ('planned', 'sending', 'uncertain')", {"told": _RESTORED, "run": run_id, "now": now}
    )


def doubt_older(store: Store, restored_at: str, run_id: int, now: str) -> int:
    """Call uncertain what is planned for completions from before a restore and not looked up since."""
    return store.change(
        f"{_DOUBT} WHERE state = 'planned' AND ifnull(cleared_at, '') < :restored_at"
        " AND (ifnull(completed_at, issued_at) <= :restored_at OR created_at < :restored_at)",
        {"told": _RESTORED, "run": run_id, "now": now, "restored_at": restored_at},
    )


_RESTORED = "The store was restored: a later copy of it may have sent this badge."
_DOUBT = (
    "UPDATE grants SET state = 'uncertain', problem = :told, sent_at = :now, server_date = NULL, absences = 0,"
    " absent_at = NULL, run_id = :run, updated_at = :now"
)


def count_by_state(store: Store) -> dict[str, int]:
    """Count the grants in each state."""
    counts = {row["state"]: row["n"] for row in store.rows("SELECT state, count(*) AS n FROM grants GROUP BY state")}
    return {state: counts.get(state, 0) for state in STATES}


_LISTED = """
SELECT g.id, g.state, g.reason, l.email, l.learner_id, g.badge_id, b.name AS badge_name,
  b.image_url AS badge_image_url, g.content_id, c.title AS content_title, c.type AS content_type, g.session_id,
  g.completed_at, g.issued_at,
  coalesce(g.issued_badge_id, g.covered_by, (SELECT o.issued_badge_id FROM grants o WHERE o.id = g.covered_by_grant))
    AS issued_badge_id,
  (SELECT count(*) FROM attempts a WHERE a.grant_id = g.id AND ifnull(a.outcome, '') <> 'busy') AS attempts,
  g.problem, g.created_at, g.updated_at
FROM grants g JOIN learners l ON l.id = g.learner JOIN badges b ON b.id = g.badge_id
JOIN content c ON c.id = g.content_id
"""


def listed(
    store: Store,
    *,
    states: Sequence[str] = (),
    learners: Sequence[int] | None = None,
    badge_id: str | None = None,
    ids: Sequence[int] | None = None,
) -> list[dict[str, Any]]:
    """List grants as JSON answers show them, newest last."""
    conditions, values = ["1"], list[Any]()
    for column, wanted in (("g.state", states or None), ("g.learner", learners), ("g.id", ids)):
        if wanted is not None:
            conditions.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            values += wanted
    if badge_id is not None:
        conditions.append("g.badge_id = ?")
        values.append(badge_id)
    rows = store.rows(f"{_LISTED} WHERE {' AND '.join(conditions)} ORDER BY g.id", values)
    return [_view(row) for row in rows]


def _view(row: dict[str, Any]) -> dict[str, Any]:
    first = {key: row[key] for key in ("id", "state", "reason", "email", "learner_id")}
    last = {
        key: row[key]
        for key in ("completed_at", "issued_at", "issued_badge_id", "attempts", "problem", "created_at", "updated_at")
    }
    session = {"session_id": row["session_id"] or None}
    return {**first, "badge": badges.view(row), "content": content.view(row), **session, **last}
