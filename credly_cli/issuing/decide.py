"""What becomes of a learner's session for a badge: one pure function, with its reasons (R15, R18-R23, R30).

Planning, ``missed``, ``widget``, ``explain`` and the last look before a grant is sent render the same outcome.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from credly_cli.store.facts import Facts, LinkFacts
from credly_cli.store.links import EndReason
from credly_cli.store.schema import State

Missed = Literal["before-link", "disconnected", "revoked", "deleted", "dropped"] | EndReason
Reason = Missed | Literal["not-completed", "held", "on-its-way", "denied", "braked", "forbidden"]


_WHY = {"planned": "it counts", "held": "a name is not known", "covered": "the learner has the badge"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a session: a grant in some state, or nothing for some reason.

    ``new`` is what the next plan brings about; else the grant is in the ledger. A grant that has a reason earned a
    badge that was lost. What is *braked* is planned once a person agrees (R32), and what is *forbidden* goes out once
    Credly lets the badge be issued (R33); before, neither is promised to anybody.
    """

    state: State | None
    reason: Reason | None = None
    new: bool = False
    covered_by: str | None = None  # an issued badge
    covered_by_grant: int | None = None

    @property
    def why(self) -> str:
        """Why it was decided so, in a word or a few, for who follows a run."""
        return self.reason or (_WHY.get(self.state, self.state) if self.new and self.state else "as it stands")

    @property
    def missed(self) -> Missed | None:
        """Why the completion earned nothing; ``None`` where it did, still will, or there is none."""
        match self.reason:
            case "not-completed" | "held" | "on-its-way" | "denied" | "braked" | "forbidden":
                return None
            case reason:
                return reason


def outcome(facts: Facts) -> Outcome:
    """Decide what becomes of a session."""
    if facts.dropped:
        return Outcome(None, "dropped")
    if facts.grant not in (None, "cancelled"):
        return _of_grant(facts)  # R18
    if facts.completed_at is None:
        return Outcome(None, "not-completed")
    return _of_completion(facts)


def _of_completion(facts: Facts) -> Outcome:
    """Decide about a completion that has no grant."""
    if facts.on_its_way is not None:  # R19
        covered = Outcome("covered", new=True, covered_by_grant=facts.on_its_way)
        return covered if facts.counts and not facts.denied else Outcome(None, "on-its-way")
    if facts.held is not None:  # R20
        covered = Outcome("covered", new=True, covered_by=facts.held)
        return covered if facts.counts and not facts.denied else Outcome(None, "held")
    if not facts.counts:
        return Outcome(None, _first_hindrance(facts))
    if facts.revoked_at is not None:
        return Outcome(None, "revoked")  # R23
    return _earned(facts)


def _earned(facts: Facts) -> Outcome:
    """Decide about a completion that earns the badge: whether it is sent, or held for a person."""
    if facts.denied:
        return Outcome("held", "denied", new=True)  # R33
    return _planned(facts) if facts.names_known else Outcome("held", new=True)  # R21


def _planned(facts: Facts) -> Outcome:
    return Outcome("planned", "braked" if facts.braked else "forbidden" if facts.forbidden else None, new=True)


def _of_grant(facts: Facts) -> Outcome:
    if facts.denied and facts.grant in ("planned", "held", "failed"):
        return Outcome("held", "denied")
    if facts.named_since:
        return _planned(facts)
    if facts.grant == "planned" and facts.forbidden:
        return Outcome("planned", "forbidden")
    held_anyway = facts.once and facts.held is not None  # another badge of the kind
    return Outcome(facts.grant, None if held_anyway else facts.lost)


def _first_hindrance(facts: Facts) -> Missed:
    """Say what happened first of all that kept a completion from earning the badge."""
    return min(_hindrances(facts), default=("", "before-link"))[1]


def _hindrances(facts: Facts) -> Iterator[tuple[str, Missed]]:
    """Yield what kept a completion from earning the badge, each with when it happened."""
    begun = [link for link in facts.links if not link.early]
    if not begun:
        return
    at = facts.completed_at or ""
    active: list[LinkFacts] = [link for link in begun if link.ended_at is None or at < link.ended_at]
    for link in active or begun[-1:]:
        if link.ended_at is not None and link.end_reason is not None:
            yield link.ended_at, link.end_reason
    gaps = [link.gap_started_at for link in active or begun[-1:]]
    if None not in gaps and gaps[0] is not None:
        yield gaps[0], "disconnected"
    if facts.revoked_at is not None:
        yield facts.revoked_at, "revoked"
