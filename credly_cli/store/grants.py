"""The ledger of grants: what a grant is, how one is recorded and moved, and what answers show of it.

What sending and reconciling ask for stands in ``claims``.
"""

import json
import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, ClassVar, Literal

from credly_cli.credly.records import BadgeBrief, Refusal
from credly_cli.errors import ErrorCode, Problem
from credly_cli.store.badges import BADGE
from credly_cli.store.content import CONTENT, ContentBrief
from credly_cli.store.database import Store
from credly_cli.store.schema import COUNT_REVOKED, IS_GONE, STATES, State
from credly_cli.store.views import NAMED
from credly_cli.text import Command, Hint, folded

_LOG = logging.getLogger(__name__)
_LONGEST_CHAIN = 20  # of badges of which each replaced the one before


@dataclass(frozen=True, slots=True)
class NewGrant:
    """A grant to be recorded: all that is fixed when it is planned (R17)."""

    badge_id: str
    learner: int  # the store's own number of the learner
    content_id: str
    session_id: str  # "" for content without sessions
    reason: Literal["completion", "manual"]
    state: State
    completed_at: str | None
    issued_at: str
    once: bool  # the badge forbade duplicates when this was planned
    earner_id: str  # ``issuer_earner_id``: the learner's id, with the grant's own mark unless ``once``
    round: int = 1
    covered_by: str | None = None
    covered_by_grant: int | None = None
    problem_code: ErrorCode | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(NewGrant):
    """A grant as the ledger has it, with today's facts about its learner and badge. Times are UTC text."""

    id: int
    dropped: bool  # cancelled by a person: not planned again
    issued_badge_id: str | None  # the badge that this grant issued
    refusal: Refusal | None  # what Credly's last refusal (422) means
    refusals: int
    body: str | None  # what was sent, where that may have been applied
    body_sha256: str | None
    sent_at: str | None
    server_date: str | None  # Credly's own clock when it was sent, as its ``Date`` header has it
    absences: int  # conclusive look-ups after settling that found nothing
    absent_at: str | None
    tries: int
    not_before: str | None
    confirmed_at: str | None  # when a person said that it is to be sent, although denied, or revoked before
    cleared_at: str | None  # when Credly was last found to have no badge for it
    run_id: int | None
    created_at: str
    updated_at: str
    # of the learner
    learner_id: str | None
    email: str
    first_name: str | None
    last_name: str | None
    locale: str | None
    # of the badge
    allow_duplicates: bool

    @property
    def earned_once(self) -> bool:
        """Whether it was planned as the only one, or the badge has come to forbid a second one."""
        return self.once or not self.allow_duplicates

    def as_problem(self, code: ErrorCode, message: str, hint: Hint | None = None) -> Problem:
        """Return what went wrong with this grant, as answers show it."""
        return Problem(code, message, self.email, self.badge_id, self.id, hint)

    @property
    def way_on(self) -> Hint:
        """The way out for a grant that failed."""
        return Hint("When the reason is gone:", Command("retry", str(self.id)))


_OF_LEARNER = ("learner_id", "email", "first_name", "last_name", "locale")
_COLUMNS = tuple(field.name for field in fields(Grant) if field.name not in (*_OF_LEARNER, "allow_duplicates"))
GRANTS = f"""
SELECT {", ".join(f"g.{name}" for name in _COLUMNS)},
  {", ".join(f"l.{name}" for name in _OF_LEARNER)}, b.allow_duplicates
FROM grants g JOIN learners l ON l.id = g.learner JOIN badges b ON b.id = g.badge_id
"""  # the beginning of each query for ``Grant``

NAMED_SINCE = (  # held for a name that is known by now: the next sync sends it (R21)
    "g.state = 'held' AND g.problem_code = 'missing-name'"
    f" AND EXISTS (SELECT 1 FROM learners p WHERE p.id = g.learner AND {NAMED})"
)


def record(store: Store, grant: NewGrant, run_id: int | None, now: str) -> int:
    """Record a grant, or revive one that was cancelled; returns its id."""
    values = {name: getattr(grant, name) for name in NewGrant.__slots__}
    values |= {"once": int(grant.once), "run_id": run_id, "created_at": now, "updated_at": now}
    revived = {**dict.fromkeys(("issued_badge_id", "body", "body_sha256", "sent_at", "server_date", "refusal"))}
    revived |= {
        "absent_at": None,
        "not_before": None,
        "cleared_at": None,
        "confirmed_at": None,
        "refusals": 0,
        "absences": 0,
        "tries": 0,
    }
    updates = ", ".join(f"{name} = excluded.{name}" for name in values if name != "created_at")
    fresh = ", ".join(f"{name} = {'NULL' if value is None else value}" for name, value in revived.items())
    identity: int = store.value(
        f"INSERT INTO grants ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})"
        f" ON CONFLICT (badge_id, learner, content_id, session_id, round) DO UPDATE SET {updates}, {fresh}"
        " WHERE state = 'cancelled' AND NOT dropped RETURNING id",
        tuple(values.values()),
    )
    return identity


def of_session(store: Store, badge_id: str, learner: int, content_id: str, session_id: str) -> Grant | None:
    """Return the latest grant of a learner's session."""
    return store.record(
        Grant,
        f"{GRANTS} WHERE g.badge_id = ? AND g.learner = ? AND g.content_id = ? AND g.session_id = ?"
        " ORDER BY g.round DESC LIMIT 1",
        (badge_id, learner, content_id, session_id),
    )


def are_any(store: Store) -> bool:
    """Tell whether the ledger has any grant."""
    return store.value("SELECT 1 FROM grants LIMIT 1") is not None


def of_id(store: Store, grant_id: int) -> Grant | None:
    """Return a grant by its number."""
    return store.record(Grant, f"{GRANTS} WHERE g.id = ?", (grant_id,))


def in_states(store: Store, states: Collection[State]) -> list[Grant]:
    """Return the grants in some states, the oldest first."""
    sql = f"{GRANTS} WHERE g.state IN (SELECT value FROM json_each(?)) ORDER BY g.id"
    return store.records(Grant, sql, (json.dumps(list(states)),))


def owner_of(store: Store, issued_badge_id: str) -> int | None:
    """Return the number of the grant that issued a badge."""
    found: int | None = store.value("SELECT id FROM grants WHERE issued_badge_id = ?", (issued_badge_id,))
    return found


def issued_to(store: Store, learners: Collection[int]) -> set[str]:
    """Return the issued badges of these learners' grants."""
    sql = (
        "SELECT issued_badge_id FROM grants WHERE issued_badge_id IS NOT NULL"
        " AND learner IN (SELECT value FROM json_each(?))"
    )
    return {row["issued_badge_id"] for row in store.rows(sql, (json.dumps(list(learners)),))}


def follow_replacements(store: Store) -> None:
    """Let a grant whose badge was replaced in Credly have the badge that took its place, of the same template (R34).

    That one can be revoked, and says what became of it; left without a grant, it would stand for another session (R20).
    """
    replaced = (
        "SELECT g.id, n.id AS issued_badge_id FROM issued_badges i CROSS JOIN grants g ON g.issued_badge_id = i.id"
        " CROSS JOIN issued_badges n ON n.id = i.replaced_by AND n.badge_id = i.badge_id"
        " WHERE i.replaced_by IS NOT NULL AND NOT EXISTS (SELECT 1 FROM grants o WHERE o.issued_badge_id = n.id)"
        " ORDER BY g.id"
    )
    for _ in range(_LONGEST_CHAIN):
        rows = {row["issued_badge_id"]: row["id"] for row in store.rows(replaced)}
        if not rows:
            return
        for issued_badge_id, grant_id in rows.items():
            store.change("UPDATE grants SET issued_badge_id = ? WHERE id = ?", (issued_badge_id, grant_id))


def completion_of(grants: str) -> str:
    """Return the beginning of a query for a grant's completion, up to its moment, as SQL."""
    return (
        f"SELECT 1 FROM enrollments e WHERE e.learner = {grants}.learner AND e.content_id = {grants}.content_id"
        f" AND e.session_id = {grants}.session_id AND e.completed_latest"
    )


# Whether a grant is still to be sent: its link stands and counts its completion (R4, R9, R15, R16).
STILL_COUNTED = """
iif(grants.reason = 'manual',
  EXISTS (SELECT 1 FROM links l WHERE l.badge_id = grants.badge_id AND l.content_id = grants.content_id
    AND l.ended_at IS NULL),
  EXISTS (SELECT 1 FROM enrollment_links x WHERE x.learner = grants.learner AND x.content_id = grants.content_id
    AND x.session_id = grants.session_id AND x.badge_id = grants.badge_id AND x.ended_at IS NULL AND x.counts))
"""


def plan_named_since(store: Store, badge_id: str, run_id: int | None, now: str) -> int:
    """Plan the grants of a badge that were held for a name that is known by now; returns how many (R21)."""
    return store.change(
        "UPDATE grants AS g SET state = 'planned', problem_code = NULL, problem = NULL, updated_at = ?, run_id = ?"
        f" WHERE g.badge_id = ? AND {NAMED_SINCE}",
        (now, run_id, badge_id),
    )


def restore_previous(store: Store, grant_id: int, before: Grant | None) -> None:
    """Bring back what a grant was before it was recorded anew; one that was new goes, with its attempts.

    Only for what Credly, as is certain, did not take.
    """
    with store.transaction():
        if before is None:
            store.change("DELETE FROM attempts WHERE grant_id = ?", (grant_id,))
            store.change("DELETE FROM grants WHERE id = ?", (grant_id,))
            return
        columns = [name for name in _COLUMNS if name != "id"]
        store.change(
            f"UPDATE grants SET {', '.join(f'{name} = ?' for name in columns)} WHERE id = ?",
            (*(getattr(before, name) for name in columns), grant_id),
        )


def set_state(store: Store, grant_id: int, state: State, now: str, **columns: Any) -> None:
    """Move a grant to a state, with other columns beside it."""
    _LOG.info("Grant %s: %s", grant_id, state)
    values = {"state": state, "updated_at": now, **columns}
    store.change(
        f"UPDATE grants SET {', '.join(f'{name} = ?' for name in values)} WHERE id = ?",
        (*values.values(), grant_id),
    )


def still_wanted(store: Store, grant_id: int) -> bool:
    """Tell whether an unsent grant is still to be sent: its link stands and counts its completion."""
    return store.value(f"SELECT 1 FROM grants WHERE id = ? AND {STILL_COUNTED}", (grant_id,)) is not None


def count_by_state(store: Store) -> dict[str, int]:
    """Count the grants in each state."""
    counts = {row["state"]: row["n"] for row in store.rows("SELECT state, count(*) AS n FROM grants GROUP BY state")}
    return {state: counts.get(state, 0) for state in STATES}


@dataclass(frozen=True, slots=True)
class ListedGrant:
    """A grant as answers show it."""

    id: int | None  # ``None`` of one that is only planned in a dry run
    state: State
    reason: Literal["completion", "manual"]
    email: str
    learner_id: str | None
    badge: BadgeBrief
    content: ContentBrief
    session_id: str | None
    completed_at: str | None
    issued_at: str
    issued_badge_id: str | None  # the badge that it issued, or that covers it
    badge_state: str | None  # of that badge in Credly, also ``deleted``
    badge_url: str | None  # Credly's own link to it: its page or, while pending and not expired, the one to accept it
    file: str | None  # that the completion came from
    attempts: int  # times that it was sent, but for those that Credly was too busy to look at
    problem: str | None
    created_at: str
    updated_at: str
    not_before: str | None = None  # when it is tried again

    JSON: ClassVar[tuple[str, ...]] = (
        "id", "state", "reason", "email", "learner_id", "badge", "content", "session_id", "completed_at", "issued_at",
        "issued_badge_id", "badge_state", "badge_url", "file", "attempts", "problem", "created_at", "updated_at",
    )  # fmt: skip


_LISTED = f"""
SELECT g.id, g.state, g.reason, l.email, l.learner_id, {BADGE}, {CONTENT},
  nullif(g.session_id, '') AS session_id, g.completed_at, g.issued_at,
  coalesce(g.issued_badge_id, g.covered_by, (SELECT o.issued_badge_id FROM grants o WHERE o.id = g.covered_by_grant))
    AS issued_badge_id,
  iif(i.deleted_at IS NULL, i.state, 'deleted') AS badge_state,
  iif(i.deleted_at IS NULL, coalesce(
    iif(i.state = 'pending' AND ifnull(i.expires_at, '9999') > ?, i.accept_url, NULL), i.view_url), NULL) AS badge_url,
  g.not_before,
  (SELECT e.file FROM enrollments e WHERE e.learner = g.learner AND e.content_id = g.content_id
    AND e.session_id = g.session_id AND g.completed_at IS NOT NULL) AS file,
  (SELECT count(*) FROM attempts a WHERE a.grant_id = g.id AND ifnull(a.outcome, '') <> 'busy') AS attempts,
  g.problem, g.created_at, g.updated_at
FROM grants g JOIN learners l ON l.id = g.learner JOIN badges b ON b.id = g.badge_id
JOIN content c ON c.id = g.content_id
LEFT JOIN issued_badges i ON i.id = coalesce(g.issued_badge_id, g.covered_by,
  (SELECT o.issued_badge_id FROM grants o WHERE o.id = g.covered_by_grant))
"""


def count_out(store: Store, badge_id: str, content_id: str, *, completed_before: str = "9999") -> int:
    """Count the badges that are out through a link: issued by it, and not revoked or deleted since (R34)."""
    return int(
        store.value(
            "SELECT count(*) FROM grants g JOIN issued_badges i ON i.id = g.issued_badge_id"
            " LEFT JOIN enrollments e ON e.learner = g.learner AND e.content_id = g.content_id"
            " AND e.session_id = g.session_id AND e.completed_at = g.completed_at"
            f" WHERE g.badge_id = ? AND g.content_id = ? AND g.state = 'issued' AND NOT {IS_GONE}"
            " AND coalesce(e.completed_latest, g.completed_at, '') < ?",  # of a date the whole day (R15)
            (badge_id, content_id, completed_before),
        )
    )


@dataclass(frozen=True, slots=True)
class Moved:
    """A grant that came into a state, told by ids alone."""

    grant_id: int
    state: State
    badge_id: str
    content_id: str
    issued_badge_id: str | None  # or the badge that covers it
    code: str | None  # of its problem
    moved_at: str


def moved_since(store: Store, moment: str) -> Iterator[Moved]:
    """Return the grants that were planned or came into another state since a moment, in UTC."""
    rows = store.each(
        "SELECT id AS grant_id, state, badge_id, content_id, coalesce(issued_badge_id, covered_by) AS issued_badge_id,"
        " problem_code AS code, updated_at AS moved_at FROM grants WHERE updated_at >= ? ORDER BY id",
        (moment,),
    )
    return (Moved(**row) for row in rows)


def last_id(store: Store) -> int:
    """Return the number of the newest grant, 0 before the first."""
    return int(store.value("SELECT ifnull(max(id), 0) FROM grants"))


def count_revoked(store: Store) -> int:
    """Count the grants that issued a badge which was revoked or deleted since."""
    return int(store.value(COUNT_REVOKED))


@dataclass(frozen=True, slots=True)
class PlannedGrant(ListedGrant):
    """A grant as a dry run shows it: it has no number yet, and may wait for its moment or for another try (R32)."""

    waits_until: str | None = None

    JSON: ClassVar[tuple[str, ...]] = (*ListedGrant.JSON, "waits_until")


def plan_of(store: Store, now: str) -> list[PlannedGrant]:
    """Return all that is planned, also what waits, by badge, content and completion."""
    rows = store.records(PlannedGrant, f"{_LISTED} WHERE g.state = 'planned' ORDER BY g.id", ("",))
    key = cache(folded)  # as in every list by name; of many rows few names
    rows.sort(key=lambda row: (key(row.badge.name), row.badge.id, key(row.content.title), row.completed_at or ""))
    return [replace(row, id=None, waits_until=_waits_until(row, now)) for row in rows]


def _waits_until(row: ListedGrant, now: str) -> str | None:
    """Return when a planned grant is sent, where that is not at once."""
    moments = [row.not_before or "", row.issued_at if row.reason == "completion" else ""]
    return max(moments) if max(moments) > now else None


def listed(
    store: Store,
    *,
    states: Sequence[str] = (),
    learners: Sequence[int] | None = None,
    badge_id: str | None = None,
    content_id: str | None = None,
    ids: Sequence[int] | None = None,
    now: str = "",
) -> list[ListedGrant]:
    """List grants as answers show them, newest last; what has expired by ``now``, in UTC, cannot be accepted."""
    conditions, values = ["1"], list[Any]([now])
    for column, wanted in (("g.state", states or None), ("g.learner", learners), ("g.id", ids)):
        if wanted is not None:
            conditions.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            values += wanted
    for column, one in (("g.badge_id", badge_id), ("g.content_id", content_id)):
        if one is not None:
            conditions.append(f"{column} = ?")
            values.append(one)
    return store.records(ListedGrant, f"{_LISTED} WHERE {' AND '.join(conditions)} ORDER BY g.id", values)
