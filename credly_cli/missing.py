"""Completions that earned nothing, and why: the reason that came first (R4, R15, R16, R23)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from credly_cli.store.database import Store
from credly_cli.store.misses import Miss, PastLink, candidates

Reason = Literal["before-link", "disconnected", "unlinked", "badge-not-active", "revoked", "deleted", "dropped"]


@dataclass(frozen=True, slots=True)
class Window:
    """A time without a connection."""

    started_at: str
    ended_at: str | None

    def holds(self, miss: Miss) -> bool:
        """Tell whether the completion happened wholly within."""
        return miss.completed_at >= self.started_at and miss.completed_latest < (self.ended_at or "9999")


def why(miss: Miss, links: Sequence[PastLink], windows: Sequence[Window]) -> Reason | None:
    """Say why a completion earned nothing; ``None`` when it did, or still will."""
    if miss.grant_state == "cancelled" and miss.dropped:
        return "dropped"
    if miss.grant_state not in (None, "cancelled"):
        return _lost(miss)
    current = links[-1] if links[-1].ended_at is None else None
    if current is not None and _counts(miss, current, windows):
        return "revoked" if miss.revoked_since else None
    return None if miss.held else _never_counted(miss, links[0], windows)


def _never_counted(miss: Miss, first: PastLink, windows: Sequence[Window]) -> Reason | None:
    """Say what kept a completion from counting; the first link tells what happened first."""
    if miss.completed_latest < first.counts_from:
        return "before-link"
    if first.ended_at is not None and miss.completed_at >= first.ended_at:
        return first.end_reason
    if any(window.holds(miss) for window in windows):
        return "disconnected"
    return first.end_reason if first.ended_at is not None else "before-link"


def _lost(miss: Miss) -> Reason | None:
    """Say what became of a badge that was earned once."""
    if miss.issued_deleted:
        return "deleted"
    return "revoked" if miss.issued_state == "revoked" else None


def _counts(miss: Miss, link: PastLink, windows: Sequence[Window]) -> bool:
    if miss.completed_latest < link.counts_from:
        return False
    overridden = (link.since_set_at or "") >= miss.completed_at
    return overridden or not any(window.holds(miss) for window in windows)


def missed(store: Store, badge_id: str | None = None) -> list[dict[str, Any]]:
    """List the completions that earned nothing, with the reason, the oldest first."""
    windows = [Window(**row) for row in store.rows("SELECT started_at, ended_at FROM disconnections")]
    found = [
        {**miss.view(), "reason": reason}
        for links, misses in candidates(store, badge_id)
        for miss in misses
        if (reason := why(miss, links, windows)) is not None
    ]
    return sorted(found, key=lambda row: (row["completed_at"], row["email"]))
