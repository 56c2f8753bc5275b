"""Which completions earn a badge now, or will: facts are read, the decision is pure, the plan is recorded (R15-R23)."""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from credly_cli.errors import Problem
from credly_cli.identity import missing_names
from credly_cli.issuing.decide import Outcome, outcome
from credly_cli.store import badges, denials, duplicates, enrollments, facts, grants, links
from credly_cli.store.database import Store
from credly_cli.store.facts import Facts, LearnerSession
from credly_cli.store.grants import Grant, NewGrant, PlannedGrant
from credly_cli.store.links import Link
from credly_cli.text import Command, Hint, counted
from credly_cli.times import read_instant

_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Plan:
    """What was planned, by what became of it, and what went wrong."""

    planned: int = 0
    held: int = 0
    covered: int = 0
    braked: int = 0  # would be issued, but for the brake
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Brake:
    """How many badges of one link a run may issue unasked (R32); ``most`` 0 is no limit.

    ``off`` plans whatever there is; ``rehearsed`` plans it as well, to be shown, and says that it would not.
    """

    most: int = 0
    off: bool = False
    rehearsed: bool = False

    def stops(self, link: Link, planned: int) -> bool:
        """Tell whether so many badges of a link are more than a run may issue."""
        return not self.off and 0 < self.most < planned - link.agreed


def foresees_brake(store: Store, badge_id: str, most: int) -> bool:
    """Tell whether the next run would issue more badges of a link than it may, as far as nothing is planned yet."""
    link = links.of_badge(store, badge_id)
    return link is not None and _foresees(store, link, most)


def foreseen_brakes(store: Store, most: int) -> frozenset[str]:
    """Return the badges of which the next run would issue more than it may."""
    rev = enrollments.current_rev(store)
    new = (link for link in links.active(store) if rev > link.planned_rev)
    return frozenset(link.badge_id for link in new if _foresees(store, link, most))


def _foresees(store: Store, link: Link, most: int) -> bool:
    if not most:
        return False
    earned: set[tuple[int, str]] = set()
    for learner, session_id in links.counting(store, link):
        known = facts.of_session(store, link, learner, session_id)
        becomes = outcome(known)
        if becomes.new and becomes.state == "planned":
            earned.add((learner, "" if known.once else session_id))
            if Brake(most).stops(link, len(earned)):
                return True
    return False


class _BrakedError(Exception):
    """More badges of a link would be issued than may be: nothing of it is planned."""


def plan(store: Store, organization_id: str, run_id: int | None, now: str, brake: Brake = Brake()) -> Plan:
    """Plan a grant for each completion that counts and is new since the last plan."""
    made = Plan()
    with store.transaction():
        hold_denied(store, now, made)
        rev = enrollments.current_rev(store)
        for link in links.active(store):
            of_link = Plan()
            with suppress(_BrakedError), store.transaction():
                of_link.planned += grants.plan_named_since(store, link.badge_id, run_id, now)
                if rev > link.planned_rev:
                    _plan_link(store, link, organization_id, run_id, now, of_link)
                    links.set_planned(store, link, rev)
                if brake.stops(link, of_link.planned) and not brake.rehearsed:
                    raise _BrakedError
            _settle(store, link, of_link, brake, made)
        hold_denied(store, now, made)
    return made


def _settle(store: Store, link: Link, of_link: Plan, brake: Brake, made: Plan) -> None:
    """Add what was planned of a link, or say what the brake keeps back."""
    if brake.stops(link, of_link.planned):
        links.set_brake(store, link, agreed=link.agreed, braked=of_link.planned)
        made.braked += of_link.planned
        made.problems.append(_braked(store, link, of_link.planned, brake))
        return
    links.set_brake(store, link, agreed=max(0, link.agreed - of_link.planned), braked=0)
    made.planned += of_link.planned
    made.held += of_link.held
    made.covered += of_link.covered
    made.problems += of_link.problems


def _braked(store: Store, link: Link, number: int, brake: Brake) -> Problem:
    badge = badges.in_brief(store, link.badge_id)
    message = (
        f"One run would issue {number:,} badges of {badge.name if badge else link.badge_id}, more than"
        f" grants.brake = {brake.most} lets go out unasked: none of them is planned."
    )
    look, agree = Command("sync", "--dry-run"), Command("sync", "--allow-many")
    hint = Hint("To issue them:", agree) if brake.rehearsed else Hint("To see them:", look, "; to issue them:", agree)
    return Problem("brake", message, badge_id=link.badge_id, hint=hint)


def hold_denied(store: Store, now: str, made: Plan) -> None:
    """Hold what is unsent of completions that are denied by now; what is told again is planned afresh (R33)."""
    denials.free(store, now)
    for identity in denials.hold(store, now):
        grant = grants.of_id(store, identity)
        if grant is not None:
            made.held += 1
            message = grant.problem or "The completion is denied."
            made.problems.append(grant.as_problem("completion-denied", message, denied_hint(identity)))


def denied_hint(identity: int) -> Hint:
    """Name the ways on from a grant whose completion is denied."""
    number = str(identity)
    return Hint("To send it:", Command("retry", number), "; to drop it:", Command("resolve", number, "--drop"))


def _plan_link(store: Store, link: Link, organization_id: str, run_id: int | None, now: str, made: Plan) -> None:
    for learner, session_id in links.counting(store, link):
        known = facts.of_session(store, link, learner, session_id)  # with what was planned a moment ago
        earned = outcome(known)
        _LOG.debug(
            "Decided: badge %s, content %s %s, learner %s: %s (%s)",
            *(link.badge_id, link.content_id, session_id, learner, earned.state or "no grant", earned.why),
        )
        if earned.new:
            _record(store, known, earned, organization_id, run_id, now, made)


def _record(
    store: Store, known: Facts, earned: Outcome, organization_id: str, run_id: int | None, now: str, made: Plan
) -> None:
    missing = missing_name(known) if earned.state == "held" and earned.reason is None else None
    grant = NewGrant(
        badge_id=known.badge_id,
        learner=known.learner,
        content_id=known.content_id,
        session_id=known.session_id,
        reason="completion",
        state=earned.state or "planned",
        completed_at=known.completed_at,
        issued_at=known.completed_at or "",  # what is not completed earns nothing
        once=known.once,
        earner_id=facts.own_wire_id(
            store, known, organization_id, known.badge_id, once=known.once, grant_round=known.grant_round
        ),
        round=known.grant_round,
        covered_by=earned.covered_by,
        covered_by_grant=earned.covered_by_grant,
        problem_code="missing-name" if missing else None,
        problem=missing,
    )
    identity = grants.record(store, grant, run_id, now)
    _LOG.info("Grant %s: %s", identity, grant.state)
    match earned.state:
        case "planned":
            made.planned += 1
        case "covered":
            made.covered += 1
        case "held" if missing:
            made.held += 1
    if missing:
        made.problems.append(Problem("grant-held", missing, known.email, known.badge_id, identity, TELL_NAME))


TELL_NAME = Hint("Tell both names in a file of learners:", Command("import", "learners", "FILE"))


def missing_name(session: LearnerSession) -> str:
    """Say which name is missing (R21)."""
    missing = missing_names(session.first_name, session.last_name)
    return f"The {' and the '.join(missing)} of {session.email} {'is' if len(missing) == 1 else 'are'} not known."


# What a link that has just come to count more completions will bring at the next sync (R15), and a plan (R32)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What becomes of the completions that came to count."""

    held_already: int = 0  # their learners hold the badge
    to_issue: int = 0  # badges that the others bring
    born_expired: int = 0  # of these: expired as they are issued, by the badge's default expiry


def foresee(store: Store, link: Link, counted_before: Collection[tuple[int, str]], now: str) -> Foreseen:
    """Foresee what completions before ``now`` bring that the link counts and did not count before."""
    held, issued = 0, set[tuple[int, str]]()
    for known in facts.of_completions(store, link.badge_id, link.content_id):
        session = (known.learner, known.session_id)
        if not known.counts or session in counted_before or (known.completed_at or "") >= now:
            continue
        becomes = outcome(known)
        if becomes.new and becomes.state == "covered":
            held += 1
        elif becomes.new:
            issued.add((known.learner, "" if known.once else known.session_id))
    return Foreseen(held, len(issued), len(issued) if _is_over(badges.default_expiry(store, link.badge_id), now) else 0)


def born_expired(store: Store, plan: Sequence[PlannedGrant], now: str) -> list[Hint]:
    """Say of each badge how many of a plan would be expired as they are issued, by its default expiry (R32)."""
    names = {planned.badge.id: planned.badge.name for planned in plan}
    expiries = {badge_id: badges.default_expiry(store, badge_id) for badge_id in names}
    over = Counter(
        planned.badge.id
        for planned in plan
        if _is_over(expiries[planned.badge.id], max(planned.waits_until or "", now))
    )
    expired = "would be born expired, by the default expiry of this badge."
    return [Hint(f"{counted(number, 'badge')} {names[badge_id]} {expired}") for badge_id, number in over.items()]


def _is_over(expiry: str | None, now: str) -> bool:
    try:
        return expiry is not None and read_instant(expiry) <= now
    except ValueError:
        return False  # a span of time, or a form that nobody told us


# Covers that are lost: the badge that a learner held was revoked or deleted, and a person decides (R20, R33)


def note_lost_covers(store: Store, now: str) -> list[Problem]:
    """Note the covered grants whose learners hold the badge no more; returns those that are new to need a person."""
    problems = []
    with store.transaction():
        for grant in duplicates.of_lost_covers(store):
            held = facts.of_grant(store, grant).held  # another badge that covers it
            if held is not None:
                solved = {"covered_by": held, "covered_by_grant": None, "problem_code": None, "problem": None}
                grants.set_state(store, grant.id, "covered", now, **solved)
            elif grant.problem_code != "cover-lost":
                message = "The badge that covered it was revoked or deleted, and the learner holds it by no other."
                grants.set_state(store, grant.id, "covered", now, problem_code="cover-lost", problem=message)
                problems.append(_cover_lost(grant, message))
    return problems


def _cover_lost(grant: Grant, message: str) -> Problem:
    number = str(grant.id)
    ways = Hint("To issue it:", Command("retry", number), "; to leave it:", Command("resolve", number, "--drop"))
    return Problem("cover-lost", message, grant.email, grant.badge_id, grant.id, ways)
