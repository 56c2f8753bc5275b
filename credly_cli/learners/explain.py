"""Why a learner has, will get, or did not get a badge: what follows from the facts, and the rules behind it.

Everything comes from the store; the sentences are in ``explaining_checks``.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal

from credly_cli.learners.explain_checks import Check, checks
from credly_cli.learners.explain_facts import Case, read_cases, read_person
from credly_cli.linking import names
from credly_cli.store import histories, learners
from credly_cli.store.database import Store

Decision = Literal["earned", "on-its-way", "would-grant", "not-granted", "needs-person"]


@dataclass(slots=True)
class Explained:
    """What is to be said of one badge."""

    badge: dict[str, Any]
    content: dict[str, Any] | None
    decision: Decision
    checks: list[Check]
    concerns: bool = True  # there is a session, a grant or a badge of the learner's

    def json(self) -> dict[str, Any]:
        """Return the answer as scripts read it."""
        answer = asdict(self)
        return {key: answer[key] for key in ("badge", "content", "decision", "checks")}


@dataclass(slots=True)
class Explanation:
    """What is to be said of a learner."""

    learner: dict[str, Any]
    badges: list[Explained]

    def json(self) -> dict[str, Any]:
        """Return the answer as scripts read it."""
        return {"learner": self.learner, "badges": [badge.json() for badge in self.badges]}


def decide(case: Case) -> Decision:
    """Say how it stands with a badge; where it may be earned again, a session under way goes before a badge held."""
    if case.held and not case.badge["allow_duplicates"]:
        return "earned"
    states = {grant["state"] for grant in case.grants if not grant["named_since"]}
    if states & {"planned", "sending", "uncertain"}:
        return "on-its-way"
    if states & {"held", "failed"}:
        return "needs-person"
    new = {session.outcome.state for session in case.sessions if session.outcome.new}
    if "planned" in new or any(grant["named_since"] for grant in case.grants):
        return "would-grant"
    if "held" in new:
        return "needs-person"  # the next sync will find a name missing (R21)
    return "earned" if case.held else "not-granted"


def explain(store: Store, email: str, badge_name: str | None, now: datetime, zone: tzinfo = UTC) -> Explanation:
    """Explain one badge, or every badge that concerns the learner; raises ``Failure`` for an unknown learner.

    Days to write down are days in ``zone``.
    """
    known = learners.of_email(store, email)
    ids = [row["id"] for row in known]
    issued = histories.issued(store, email, ids)
    if not known and not issued:
        names.learner(store, email)  # fails, with a suggestion
    if badge_name is not None:
        wanted = [names.badge(store, badge_name)["id"]]
    else:
        wanted = [*histories.badge_ids(store, ids), *(row["badge_id"] for row in issued)]
    person = read_person(store, email, known, now, zone)
    told = [_explained(case, checks(case, person)) for case in read_cases(store, wanted, issued, known, person)]
    return Explanation(person.view, sorted(told, key=lambda one: (one.badge["name"].casefold(), one.badge["id"])))


def _explained(case: Case, checked: list[Check]) -> Explained:
    badge = {key: case.badge[key] for key in ("id", "name", "image_url")}
    concerns = bool(case.sessions or case.grants or case.issued)
    return Explained(badge, case.content, decide(case), checked, concerns)
