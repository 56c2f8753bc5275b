"""Which completions earn a badge now: the facts are read, the decision is pure, the plan is recorded (R15-R23)."""

from dataclasses import dataclass, field, replace
from typing import Literal

from credly_cli.errors import Problem
from credly_cli.identity import earner_id
from credly_cli.store import completions, grants, issued_badges, learners, links
from credly_cli.store.completions import Completion
from credly_cli.store.database import Store
from credly_cli.store.grants import NewGrant
from credly_cli.store.links import Link

_ROUNDS = 5  # so often is a badge looked for that a person has granted again for the same session
_ANY_MARK = "[a-z2-7]" * 16  # of any session, as SQLite's GLOB has it


@dataclass(frozen=True, slots=True)
class Facts:
    """What the decision about a completion rests on."""

    granted: bool = False  # this learner's session has a grant, or a person dropped it
    on_its_way: int | None = None  # a grant for another session, where the badge is earned once
    held: str | None = None  # an issued badge that the learner holds and that answers for this completion
    revoked: bool = False  # ... one that was revoked after this completion
    names_known: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a completion: a grant in some state, or nothing."""

    state: Literal["planned", "held", "covered"] | None
    covered_by: str | None = None
    covered_by_grant: int | None = None


def decide(facts: Facts) -> Decision:
    """Decide about a completion that counts."""
    if facts.granted:
        return Decision(None)  # R18
    if facts.on_its_way is not None:
        return Decision("covered", covered_by_grant=facts.on_its_way)  # R19
    if facts.held is not None:
        return Decision("covered", covered_by=facts.held)  # R20
    if facts.revoked:
        return Decision(None)  # R23
    return Decision("planned" if facts.names_known else "held")  # R21


@dataclass(slots=True)
class Plan:
    """What planning brought about."""

    planned: int = 0
    held: int = 0
    covered: int = 0
    problems: list[Problem] = field(default_factory=list)


def plan(store: Store, organization_id: str, run_id: int | None, now: str) -> Plan:
    """Plan a grant for each completion that counts and is new since the last plan."""
    outcome = Plan()
    with store.transaction():
        outcome.planned += grants.plan_named_since(store, run_id, now)
        rev = completions.current_rev(store)
        for link in links.active(store):
            if rev > link.planned_rev:
                _plan_link(store, link, organization_id, run_id, now, outcome)
                links.set_planned(store, link, rev)
    return outcome


def _plan_link(store: Store, link: Link, organization_id: str, run_id: int | None, now: str, outcome: Plan) -> None:
    once = not store.value("SELECT allow_duplicates FROM badges WHERE id = ?", (link.badge_id,))
    for completion in completions.counting(store, link):
        decision = decide(read_facts(store, completion, link.badge_id, organization_id, once=once))
        if decision.state is None:
            continue
        missing = decision.state == "held"
        grant = NewGrant(
            badge_id=link.badge_id,
            learner=completion.learner,
            content_id=completion.content_id,
            session_id=completion.session_id,
            reason="completion",
            state=decision.state,
            completed_at=completion.completed_at,
            issued_at=completion.completed_at,
            once=once,
            earner_id=wire_id(completion, organization_id, link.badge_id, once=once),
            covered_by=decision.covered_by,
            covered_by_grant=decision.covered_by_grant,
            problem_code="missing-name" if missing else None,
            problem=missing_name(completion) if missing else None,
        )
        identity = grants.record(store, grant, run_id, now)
        setattr(outcome, decision.state, getattr(outcome, decision.state) + 1)
        if missing:
            told = missing_name(completion)
            outcome.problems.append(Problem("missing-name", told, completion.email, link.badge_id, identity))


def read_facts(
    store: Store, completion: Completion, badge_id: str, organization_id: str | None = None, *, once: bool
) -> Facts:
    """Read what the decision about a completion rests on; the organization is the store's."""
    if grants.stands(store, badge_id, completion.learner, completion.content_id, completion.session_id):
        return Facts(granted=True)
    organization_id = organization_id or str(store.value("SELECT organization_id FROM connection"))
    facts = badges_of(store, completion, badge_id, organization_id, once=once)
    return replace(facts, on_its_way=grants.open_for_learner(store, badge_id, completion.learner) if once else None)


def badges_of(store: Store, completion: Completion, badge_id: str, organization_id: str, *, once: bool) -> Facts:
    """Read which issued badge answers for a completion (R20, R23)."""
    facts = Facts(names_known=bool(completion.first_name and completion.last_name))
    if once:
        own = (completion.learner, badge_id)
        revoked_at = issued_badges.last_revoked(store, *own)
        revoked = revoked_at is not None and completion.completed_at < revoked_at
        return replace(facts, held=issued_badges.held_by(store, *own), revoked=revoked)
    same = []
    if issued_badges.has_marked(store, badge_id, _marked_names(completion)):  # rarely: the marks cost more than this
        same = issued_badges.unowned_of_marks(store, badge_id, _marks(completion, organization_id, badge_id))
    if not same:
        day, others = completion.completed_at[:10], [f"{who}~{_ANY_MARK}" for who in _names(completion)]
        same = issued_badges.unowned_of_day(store, completion.learner, badge_id, day, others)
        same = [row for row in same if row["state"] != "revoked" or completion.completed_at < row["moved_at"]]
        same = [row for row in same if not _is_anothers(store, row["earner_id"], completion)]
    held = [row["id"] for row in same if row["state"] != "revoked"]
    return replace(facts, held=held[0] if held else None, revoked=bool(same) and not held)


def _is_anothers(store: Store, mark: str | None, completion: Completion) -> bool:
    """Tell whether a badge bears the mark of somebody else at the same address."""
    name = (mark or "").rpartition("~")[0]
    others = [row for row in learners.of_email(store, completion.email) if row["id"] != completion.learner]
    return any(name in _marked_names(replace(completion, learner_id=other["learner_id"])) for other in others)


def _names(completion: Completion) -> set[str]:
    """Return what the learner may have been called on the wire: by id, or by email before the id was known."""
    return {earner_id(completion.learner_id, completion.email), earner_id(None, completion.email)}


def _marked_names(completion: Completion) -> set[str]:
    """Return what stands before the mark, where a badge bears one of this learner."""
    names = (earner_id(told, completion.email, "any") for told in (completion.learner_id, None))
    return {name.rpartition("~")[0] for name in names}


def _marks(completion: Completion, organization_id: str, badge_id: str) -> list[str]:
    """Return what a badge for this session may bear, also one of a store that is lost."""
    known = {completion.learner_id, None}
    return [
        wire_id(replace(completion, learner_id=told), organization_id, badge_id, once=False, grant_round=number)
        for told in known
        for number in range(1, _ROUNDS + 1)
    ]


def wire_id(completion: Completion, organization_id: str, badge_id: str, *, once: bool, grant_round: int = 1) -> str:
    """Return the ``issuer_earner_id`` of a grant: the learner's id, with the grant's mark unless earned once (R17)."""
    if once:
        return earner_id(completion.learner_id, completion.email)
    place = completion.session_id or completion.content_id
    who = earner_id(completion.learner_id, completion.email)
    again = "" if grant_round == 1 else f"|{grant_round}"
    return earner_id(completion.learner_id, completion.email, f"{organization_id}|{badge_id}|{who}|{place}{again}")


def missing_name(who: Completion) -> str:
    """Say which name is missing (R21)."""
    missing = [word for word, name in (("first name", who.first_name), ("last name", who.last_name)) if not name]
    return f"The {' and the '.join(missing)} of {who.email} {'is' if len(missing) == 1 else 'are'} not known."
