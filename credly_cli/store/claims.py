"""Grants on their way: those that are due, their claims and attempts, and those that are uncertain."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import timedelta

from credly_cli.store.database import Store
from credly_cli.store.grants import GRANTS, Grant
from credly_cli.times import from_utc_text, utc_text

_LONGEST_WAIT = timedelta(days=10)
_ANOTHER_AWAITED = (
    "NOT b.allow_duplicates AND EXISTS (SELECT 1 FROM grants s"
    " WHERE s.learner = g.learner AND s.badge_id = g.badge_id AND s.state IN ('sending', 'uncertain'))"
)
_RECENT = "g.reason = 'manual' OR g.completed_at >= :completed_from"  # by hand: Credly was asked


def due(
    store: Store,
    now: str,
    limit: int,
    only: Sequence[int] | None = None,
    *,
    completed_from: str | None = None,
    held_back: Iterable[str] = (),
) -> list[Grant]:
    """Return the planned grants whose time has come, the longest waiting first.

    ``only`` narrows them to these; ``completed_from`` leaves out older completions unless Credly was asked about them,
    and ``held_back`` some badges. What was completed ahead of the clock waits for its moment (R18), and what is earned
    once for the answer to another grant of the learner (R19), planned when the badge still allowed duplicates.
    """
    narrowed = "" if only is None else "AND g.id IN (SELECT value FROM json_each(:only))"
    if completed_from is not None:
        narrowed += f" AND ({_RECENT} OR g.cleared_at IS NOT NULL)"
    if held_back:
        narrowed += " AND g.badge_id NOT IN (SELECT value FROM json_each(:held_back))"
    sql = (
        f"{GRANTS} WHERE g.state = 'planned' AND (ifnull(g.not_before, '') <= :now OR g.not_before > :never)"
        f" AND (g.issued_at <= :now OR g.reason = 'manual') AND NOT ({_ANOTHER_AWAITED}) {narrowed}"
        " ORDER BY g.not_before, g.id LIMIT :limit"
    )
    never = utc_text(from_utc_text(now) + _LONGEST_WAIT)  # a wait that long comes from a clock that was wrong
    values = {"now": now, "never": never, "limit": limit, "only": json.dumps(list(only or ()))}
    values |= {"completed_from": completed_from, "held_back": json.dumps(list(held_back))}
    return store.records(Grant, sql, values)


def old_unsent(store: Store, completed_from: str) -> list[Grant]:
    """Return the planned grants for completions before a moment that Credly was not asked about yet."""
    sql = f"{GRANTS} WHERE g.state = 'planned' AND NOT ({_RECENT}) AND g.cleared_at IS NULL ORDER BY g.not_before, g.id"
    return store.records(Grant, sql, {"completed_from": completed_from})


def repeatable_unsent(store: Store, now: str) -> list[Grant]:
    """Return the grants that are due, and that Credly would not refuse if they were issued already."""
    sql = (
        f"{GRANTS} WHERE g.state = 'planned' AND ifnull(g.not_before, '') <= ? AND NOT g.once AND b.allow_duplicates"
        " AND g.reason = 'completion' AND g.issued_at <= ? ORDER BY g.not_before, g.id"
    )
    return store.records(Grant, sql, (now, now))


def waiting_for_a_try(store: Store, now: str, held_back: Iterable[str] = ()) -> int:
    """Count the planned grants that were not sent although their moment has come, but for those of some badges."""
    sql = (
        "SELECT count(*) FROM grants WHERE state = 'planned' AND (issued_at <= ? OR reason = 'manual')"
        " AND badge_id NOT IN (SELECT value FROM json_each(?))"
    )
    return int(store.value(sql, (now, json.dumps(list(held_back)))))


def have_issued_other(store: Store, badge_ids: Iterable[str]) -> bool:
    """Tell whether Credly took a badge other than these from us since we are connected."""
    sql = (
        "SELECT 1 FROM attempts a JOIN grants g ON g.id = a.grant_id WHERE a.outcome = 'issued'"
        " AND a.started_at >= (SELECT connected_at FROM connection)"
        " AND g.badge_id NOT IN (SELECT value FROM json_each(?)) LIMIT 1"
    )
    return store.value(sql, (json.dumps(list(badge_ids)),)) is not None


def claim(store: Store, grant_id: int, body: str, run_id: int | None, now: str, server_date: str | None) -> int | None:
    """Mark a grant as being sent, with the exact body; returns the attempt, or ``None`` when it is not to go now."""
    claimed = store.change(
        "UPDATE grants SET state = 'sending', body = ?, body_sha256 = ?, sent_at = ?, server_date = ?, absences = 0,"
        " absent_at = NULL, tries = tries + 1, run_id = ?, updated_at = ? WHERE id = ? AND state = 'planned'"
        " AND NOT EXISTS (SELECT 1 FROM grants g JOIN badges b ON b.id = g.badge_id"
        f" WHERE g.id = grants.id AND {_ANOTHER_AWAITED})",
        (body, hashlib.sha256(body.encode()).hexdigest(), now, server_date, run_id, now, grant_id),
    )
    if claimed != 1:
        return None
    attempt: int = store.value(
        "INSERT INTO attempts (grant_id, run_id, started_at, body) VALUES (?, ?, ?, ?) RETURNING id",
        (grant_id, run_id, now, body),
    )
    return attempt


def sent_to(store: Store, grant_id: int) -> list[str]:
    """Return the addresses that a grant was sent to, the latest first, but for what surely went nowhere."""
    rows = store.rows(
        "SELECT json_extract(body, '$.recipient_email') AS email FROM attempts WHERE grant_id = ? AND body NOT NULL"
        " AND ifnull(outcome, '') NOT IN ('busy', 'not-sent') ORDER BY id DESC",
        (grant_id,),
    )
    return list(dict.fromkeys(row["email"] for row in rows))


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


def uncertain(store: Store) -> list[Grant]:
    """Return the uncertain grants; those whose look-up failed come last."""
    return store.records(Grant, f"{GRANTS} WHERE g.state = 'uncertain' ORDER BY g.not_before, g.id")


def put_back(store: Store, grant_id: int, now: str) -> None:
    """Let an uncertain grant that could not be looked up come after the others next time."""
    store.change("UPDATE grants SET not_before = ? WHERE id = ?", (now, grant_id))


def sending_to_uncertain(store: Store, run_id: int, now: str) -> int:
    """Call uncertain what a crash left between claim and result; returns how many."""
    problem = "The program was stopped while this badge was being sent."
    sql = "UPDATE grants SET state = 'uncertain', problem = ?, run_id = ?, updated_at = ? WHERE state = 'sending'"
    return store.change(sql, (problem, run_id, now))


def count_uncertain_of(store: Store, run_id: int) -> int:
    """Count the grants that became uncertain in a run."""
    sql = "SELECT count(*) FROM grants WHERE state = 'uncertain' AND run_id = ?"
    return int(store.value(sql, (run_id,)))


def in_doubt_for_learner(store: Store, badge_id: str, learner: int) -> bool:
    """Tell whether a badge of this kind may have been issued to the learner without our knowing."""
    sql = "SELECT 1 FROM grants WHERE badge_id = ? AND learner = ? AND state IN ('sending', 'uncertain')"
    return store.value(sql, (badge_id, learner)) is not None


def doubt_all_open(store: Store, run_id: int | None, now: str) -> int:
    """Call uncertain all that a later copy of this store may have sent; returns how many (R18)."""
    return store.change(
        f"{_DOUBT} WHERE state IN ('planned', 'sending', 'uncertain')",
        {"problem": _RESTORED, "run": run_id, "now": now},
    )


def doubt_older(store: Store, restored_at: str, run_id: int, now: str) -> int:
    """Call uncertain what is planned for completions from before a restore and not looked up since."""
    return store.change(
        f"{_DOUBT} WHERE state = 'planned' AND ifnull(cleared_at, '') < :restored_at"
        " AND (ifnull(completed_at, issued_at) <= :restored_at OR created_at < :restored_at)",
        {"problem": _RESTORED, "run": run_id, "now": now, "restored_at": restored_at},
    )


_RESTORED = "The store was restored: a later copy of it may have sent this badge."
_DOUBT = (
    "UPDATE grants SET state = 'uncertain', problem = :problem, sent_at = :now, server_date = NULL, absences = 0,"
    " absent_at = NULL, run_id = :run, updated_at = :now"
)


def note_absence(store: Store, grant_id: int, now: str) -> None:
    """Count a conclusive look-up that found nothing."""
    store.change("UPDATE grants SET absences = absences + 1, absent_at = ? WHERE id = ?", (now, grant_id))


def restart_absence(store: Store, grant_id: int, now: str) -> None:
    """Let the pause between two absent look-ups begin anew."""
    store.change("UPDATE grants SET absent_at = ? WHERE id = ?", (now, grant_id))


def set_server_date(store: Store, grant_id: int, server_date: str) -> None:
    """Note Credly's clock at the time of sending, as its ``Date`` header has it."""
    store.change("UPDATE grants SET server_date = ? WHERE id = ?", (server_date, grant_id))


def note_refusal(store: Store, grant_id: int, refusal: str) -> None:
    """Count a refusal of Credly's (422), and what it means."""
    store.change("UPDATE grants SET refusals = refusals + 1, refusal = ? WHERE id = ?", (refusal, grant_id))


def is_owned_by_another(store: Store, issued_badge_id: str, grant: Grant, *, bears_id: bool) -> bool:
    """Tell whether another grant issued a badge, or is covered by it.

    That of somebody else who has the address by now may be covered by one that bears the id of the grant's learner.
    """
    covers = "covered_by = :badge AND (learner = :learner OR NOT :bears_id)"
    sql = f"SELECT 1 FROM grants WHERE (issued_badge_id = :badge OR ({covers})) AND id <> :grant"
    values = {"badge": issued_badge_id, "grant": grant.id, "learner": grant.learner, "bears_id": bears_id}
    return store.value(sql, values) is not None


def was_known_before(store: Store, issued_badge_id: str, grant_id: int) -> bool:
    """Tell whether the store had an issued badge before a grant was first sent."""
    sql = "SELECT i.stored_at < min(a.started_at) FROM issued_badges i JOIN attempts a ON a.grant_id = ? WHERE i.id = ?"
    return bool(store.value(sql, (grant_id, issued_badge_id)))
