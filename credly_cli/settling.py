"""Settling uncertain grants: found on Credly is conclusive at once, absent only after a time (reliability, 3.5)."""

from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from credly_cli.credly.client import Client
from credly_cli.credly.records import HELD_STATES, IssuedBadge
from credly_cli.errors import Failure
from credly_cli.identity import email_key
from credly_cli.planning import problem
from credly_cli.store import grants, issued_badges
from credly_cli.store.database import Store
from credly_cli.times import Clock, from_utc_text, utc_text

_ABSENCES = 2


@dataclass(frozen=True, slots=True)
class Patience:
    """How long absence must last before it is believed."""

    settle_seconds: int = 900
    recheck_seconds: int = 60
    hold_uncertain: bool = False


@dataclass(slots=True)
class Settled:
    """What settling brought about."""

    adopted: int = 0
    covered: int = 0
    failed: int = 0
    held: int = 0
    planned: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)
    stopped: Failure | None = None


def settle(store: Store, client: Client, clock: Clock, patience: Patience) -> Settled:
    """Look every uncertain grant up on Credly and settle what can be settled."""
    outcome = Settled()
    for grant in grants.uncertain(store):
        try:
            found, server_date = _look_up(client, grant)
        except Failure as failure:
            outcome.stopped = failure
            break
        if found is None:
            continue  # inconclusive: neither found nor absent
        now = utc_text(clock.now())
        with store.transaction():
            issued_badges.save(store, found, now)
            ours, held = _match(store, grant, found)
            if ours is not None:
                _adopt(store, grant, ours, now, outcome)
            elif held is not None:
                grants.set_state(
                    store, grant["id"], "covered", now, covered_by=held.id, problem_code=None, problem=None
                )
                outcome.covered += 1
            else:
                _absent(store, grant, clock, server_date, patience, outcome)
    return outcome


def _look_up(client: Client, grant: dict[str, Any]) -> tuple[list[IssuedBadge] | None, str | None]:
    """Read the badges that may be this grant's: by its mark, then by email; ``None`` when the answer proves nothing."""
    by_badge = {"badge_template_id": grant["badge_id"]}
    questions = [
        {**by_badge, "issuer_earner_id": grant["earner_id"]},
        {**by_badge, "recipient_email": grant["email"]},
        {**by_badge, "recipient_email_all": grant["email"]},
    ]
    server_date = None
    for number, question in enumerate(questions):
        listing = client.issued_badges(question)
        server_date = listing.server_date
        if listing.problem is not None or listing.set_aside:
            return None, server_date
        badges = list(listing.rows.values())
        if not all(_answers(badge, question, number) for badge in badges):
            return None, server_date  # a filter that is not obeyed proves nothing
        if badges and (number > 0 or any(badge.earner_id == grant["earner_id"] for badge in badges)):
            return badges, server_date
    return [], server_date


def _answers(badge: IssuedBadge, question: dict[str, str], number: int) -> bool:
    if badge.badge_id != question["badge_template_id"]:
        return False
    if number == 0:
        return badge.earner_id == question["issuer_earner_id"]
    if number == 1:
        return email_key(badge.email or "") == email_key(question["recipient_email"])
    return True  # the user's other addresses are not ours to know


def _match(
    store: Store, grant: dict[str, Any], found: list[IssuedBadge]
) -> tuple[IssuedBadge | None, IssuedBadge | None]:
    """Tell the badge that this grant issued, and a badge that the learner holds anyway."""
    free = [badge for badge in found if not _is_of_another(store, badge.id, grant["id"])]
    ours = [badge for badge in free if _is_ours(badge, grant)]
    held = [badge for badge in found if grant["once"] and badge.state in HELD_STATES]
    return (ours[0] if ours else None), (held[0] if held else None)


def _is_ours(badge: IssuedBadge, grant: dict[str, Any]) -> bool:
    same_time = badge.issued_at is None or badge.issued_at[:10] == grant["issued_at"][:10]
    if badge.earner_id is None:  # Credly kept no mark: address and the exact time must do
        return badge.issued_at == grant["issued_at"] and email_key(badge.email or "") == email_key(grant["email"])
    return badge.earner_id == grant["earner_id"] and (not grant["once"] or same_time)


def _is_of_another(store: Store, issued_badge_id: str, grant_id: int) -> bool:
    sql = "SELECT 1 FROM grants WHERE issued_badge_id = ? AND id <> ?"
    return store.value(sql, (issued_badge_id, grant_id)) is not None


def _adopt(store: Store, grant: dict[str, Any], badge: IssuedBadge, now: str, outcome: Settled) -> None:
    grants.set_state(store, grant["id"], "issued", now, issued_badge_id=badge.id, problem_code=None, problem=None)
    outcome.adopted += 1


def _absent(
    store: Store, grant: dict[str, Any], clock: Clock, server_date: str | None, patience: Patience, outcome: Settled
) -> None:
    """Count a conclusive absence, and draw the conclusion after the second."""
    refused = grant["refusals"] > 0
    now = clock.now()
    if not refused and not _is_settled(grant, clock, server_date, patience):
        return
    if grant["absent_at"] is not None:
        again = from_utc_text(grant["absent_at"]) + timedelta(seconds=patience.recheck_seconds)
        if now < again:
            return
    absences = grant["absences"] + 1
    says_held = refused and "already" in (grant["problem"] or "")
    # a refusal that names no badge of the learner's needs no second look: nothing was applied
    if absences < _ABSENCES and not (refused and not says_held):
        store.change(
            "UPDATE grants SET absences = ?, absent_at = ? WHERE id = ?", (absences, utc_text(now), grant["id"])
        )
        return
    _conclude(store, grant, utc_text(now), patience, outcome)


def _conclude(store: Store, grant: dict[str, Any], now: str, patience: Patience, outcome: Settled) -> None:
    if grant["refusals"] > 0:
        grants.set_state(store, grant["id"], "failed", now, problem_code="unexpected")
        outcome.failed += 1
        outcome.problems.append(problem("unexpected", grant["problem"], grant))
        grants.release_covered(store, now)
    elif patience.hold_uncertain:
        told = "It is not on Credly, and hold_uncertain keeps it from being sent again."
        grants.set_state(store, grant["id"], "held", now, problem_code="unexpected", problem=told)
        outcome.held += 1
        outcome.problems.append(problem("unexpected", told, grant))
    elif not _still_wanted(store, grant):
        grants.set_state(store, grant["id"], "cancelled", now, problem_code=None, problem=None)
    else:
        grants.set_state(store, grant["id"], "planned", now, problem_code=None, problem=None, not_before=None)
        outcome.planned += 1


def _is_settled(grant: dict[str, Any], clock: Clock, server_date: str | None, patience: Patience) -> bool:
    """Tell whether the settling time has passed, on Credly's clock too: a jump of ours cannot shorten it."""
    wait = timedelta(seconds=patience.settle_seconds)
    if grant["sent_at"] is not None and clock.now() < from_utc_text(grant["sent_at"]) + wait:
        return False
    if grant["server_date"] is None or server_date is None:
        return True
    try:
        return parsedate_to_datetime(server_date) - parsedate_to_datetime(grant["server_date"]) >= wait
    except (ValueError, TypeError):
        return True


def _still_wanted(store: Store, grant: dict[str, Any]) -> bool:
    """Tell whether an absent grant is still to be sent: its link stands, or a person asked for it (R9, R16)."""
    linked = "SELECT 1 FROM links WHERE badge_id = ? AND content_id = ? AND ended_at IS NULL"
    return store.value(linked, (grant["badge_id"], grant["content_id"])) is not None
