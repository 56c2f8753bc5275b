"""Why a learner has, will get, or did not get a badge: what follows from the facts, and the rules behind it.

Everything comes from the store. Each rule is checked in sentences that can be read out on the phone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import ClassVar, Literal

from credly_cli.credly.records import BadgeBrief
from credly_cli.errors import Failure
from credly_cli.learners.cases import Case, read_cases, read_person
from credly_cli.learners.checks import Check, checks
from credly_cli.linking import names
from credly_cli.store import facts, issued_badges, learner_history
from credly_cli.store.content import ContentBrief
from credly_cli.store.database import Store
from credly_cli.store.learners import Learner, LearnerBrief
from credly_cli.text import Command, Hint, folded

Decision = Literal["earned", "on-its-way", "would-grant", "not-granted", "needs-person"]


@dataclass(slots=True)
class Explained:
    """What is to be said of one badge."""

    badge: BadgeBrief
    content: ContentBrief | None
    decision: Decision
    cause: str  # in one sentence
    checks: list[Check]
    file: str | None = None  # that the completion came from
    concerns: bool = True  # there is a session, a grant or a badge of the learner's

    JSON: ClassVar = ("badge", "content", "decision", "cause", "file", "checks")


@dataclass(slots=True)
class Explanation:
    """What is to be said of a learner."""

    learner: LearnerBrief
    badges: list[Explained]


def decision_of(case: Case) -> Decision:
    """Say how it stands with a badge; where it may be earned again, a session under way goes before a badge held."""
    if case.held and not case.badge.allow_duplicates:
        return "earned"
    states = {grant.state for grant in case.grants if not grant.named_since}
    if states & {"sending", "uncertain"} or ("planned" in states and not case.forbidden):
        return "on-its-way"
    if states & {"held", "failed"} or case.braked or case.forbidden:
        return "needs-person"
    new = {session.outcome.state for session in case.sessions if session.outcome.new}
    if "planned" in new or any(grant.named_since for grant in case.grants):
        return "would-grant"
    if "held" in new or any(grant.cover_lost for grant in case.grants):
        return "needs-person"  # the next sync will find a name missing (R21), or a cover was lost (R20)
    return "earned" if case.held else "not-granted"


def explain(
    store: Store, email: str, badge_name: str | None, now: datetime, zone: tzinfo = UTC, *, brake: int = 0
) -> Explanation:
    """Explain one badge, or every badge that concerns the learner; raises ``Failure`` for an unknown learner.

    Days to write down are days in ``zone``; ``brake`` is grants.brake.
    """
    email, known = _person(store, email, badge_name)
    ids = [learner.id for learner in known]
    others = facts.of_others(store, email, ids)
    issued = [badge for badge in issued_badges.of_learners(store, email, ids) if badge.id not in others]
    if not known and not issued:
        names.learner(store, email)  # fails, with a suggestion
    if badge_name is not None:
        wanted = [names.badge(store, badge_name).id]
    else:
        wanted = [*learner_history.badge_ids(store, ids), *(badge.badge_id for badge in issued)]
    person = read_person(store, email, known, now, zone, brake)
    explained = [_explained(case, checks(case, person)) for case in read_cases(store, wanted, issued, known, person)]
    return Explanation(person.brief, sorted(explained, key=lambda one: (folded(one.badge.name), one.badge.id)))


def _person(store: Store, text: str, badge_name: str | None) -> tuple[str, list[Learner]]:
    """Find who is meant, and notice when learner and badge were named in the wrong order."""
    try:
        return names.person(store, text)
    except Failure as failure:
        if badge_name is None or failure.code != "unknown-learner" or not names.is_badge(store, text):
            raise
        message = f"{text!r} is a badge: the learner comes first."
        raise Failure(failure.code, message, hint=Hint("Run:", Command("explain", badge_name, text))) from None


def _explained(case: Case, checked: list[Check]) -> Explained:
    badge = BadgeBrief(case.badge.id, case.badge.name, case.badge.image_url)
    concerns = bool(case.sessions or case.grants or case.issued)
    decision = decision_of(case)
    sentence = cause(decision, checked, _deciding_check(case))
    return Explained(badge, case.content, decision, sentence, checked, _file(case), concerns)


def _file(case: Case) -> str | None:
    """Return the file that the last completion came from."""
    completed = [session.facts for session in case.sessions if session.facts.completed_at is not None]
    return max(completed, key=lambda facts: facts.completed_at or "").file if completed else None


# Which check tells the cause of a decision, the most telling first, and whether it passed.
_CAUSES: dict[Decision, tuple[tuple[str, bool | None], ...]] = {
    "earned": (("earned", True),),
    "on-its-way": (("grant", None),),
    "would-grant": (("grant", True), ("counts", True)),
    "needs-person": (("brake", False), ("permitted", False), ("grant", False), ("denied", False), ("names", False)),
    "not-granted": (
        ("dropped", False), ("revoked", False), ("deleted", False), ("badge-active", False), ("linked", False),
        ("counts", False), ("enrolled", False), ("completed", False), ("grant", False), ("connected", False),
    ),
}  # fmt: skip


# Which check tells why a completion earned nothing
_TELLING: dict[str, str] = {
    "before-link": "counts", "disconnected": "counts", "unlinked": "linked", "badge-not-active": "linked",
    "revoked": "revoked", "deleted": "deleted", "dropped": "dropped",
}  # fmt: skip


def _deciding_check(case: Case) -> str | None:
    """Return the check that tells why the learner's last completion earned nothing."""
    missed = [session for session in case.sessions if session.outcome.missed is not None]
    last = max(missed, key=lambda session: session.facts.completed_at or "", default=None)
    return _TELLING.get(last.outcome.missed or "") if last else None


def cause(decision: Decision, checked: Sequence[Check], first: str | None = None) -> str:
    """Say in one sentence why it stands so with a badge: what the check says that decided, of ``first`` if it can."""
    preferred = ((first, False),) if first and decision == "not-granted" else ()
    for code, ok in (*preferred, *_CAUSES[decision]):
        found = [check for check in checked if check.code == code and ok in (None, check.ok)]
        if found:
            return _first_sentence(found[-1].cause or found[-1].message)
    return _first_sentence(checked[-1].message) if checked else "Nothing is known."


def _first_sentence(message: str) -> str:
    head, stop, _ = message.partition(". ")
    return head + (stop.strip() if stop else "")
