"""Completions that earned nothing, and why: the reason that came first (R4, R15, R16, R23)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from credly_cli.issuing.decide import Missed, outcome
from credly_cli.store import facts, links
from credly_cli.store.database import Store
from credly_cli.store.facts import Facts
from credly_cli.store.links import Pair


@dataclass(frozen=True, slots=True)
class Miss:
    """A completion that earned nothing."""

    pair: Pair  # the badge, and the content that it is or was linked to
    facts: Facts
    reason: Missed

    def json(self) -> dict[str, Any]:
        """Return it as scripts read it."""
        pair = self.pair
        return {
            "email": self.facts.email,
            "badge": {"id": pair.badge_id, "name": pair.badge_name, "image_url": pair.badge_image_url},
            "content": {"id": pair.content_id, "title": pair.content_title, "type": pair.content_type},
            "session_id": self.facts.session_id or None,
            "completed_at": self.facts.completed_at,
            "reason": self.reason,
        }


def missed(store: Store, badge_id: str | None = None) -> list[Miss]:
    """List the completions that earned nothing, the oldest first."""
    return sorted(_all(store, badge_id), key=lambda miss: (miss.facts.completed_at or "", miss.facts.email))


def _all(store: Store, badge_id: str | None) -> Iterator[Miss]:
    for pair in links.pairs(store, badge_id):
        for known in facts.of_completions(store, pair.badge_id, pair.content_id):
            reason = outcome(known).missed
            if reason is not None:
                yield Miss(pair, known, reason)
