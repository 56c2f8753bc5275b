"""What a link that has just come to count more completions will bring at the next sync (R15)."""

from collections.abc import Collection
from dataclasses import dataclass

from credly_cli.issuing.decide import outcome
from credly_cli.store import badges, facts
from credly_cli.store.database import Store
from credly_cli.store.links import Link
from credly_cli.times import read_instant


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


def _is_over(expiry: str | None, now: str) -> bool:
    try:
        return expiry is not None and read_instant(expiry) <= now
    except ValueError:
        return False  # a span of time, or a form that nobody told us
