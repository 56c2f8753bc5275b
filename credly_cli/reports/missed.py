"""Completions that earned nothing, and why: the reason that came first (R4, R15, R16, R23)."""

from collections.abc import Iterator, Sequence
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
    if miss.held:
        return None
    if links[-1].ended_at is None and _counts(miss, links[-1], windows):
        return "revoked" if miss.revoked_at else None
    return min(_hindrances(miss, links, windows), default=("", "before-link"))[1]


def _lost(miss: Miss) -> Reason | None:
    """Say what became of a badge that was earned; what was revoked may have been deleted after that."""
    if miss.issued_state == "revoked":
        return "revoked"
    return "deleted" if miss.issued_deleted else None


def _hindrances(miss: Miss, links: Sequence[PastLink], windows: Sequence[Window]) -> Iterator[tuple[str, Reason]]:
    """Yield what kept a completion from earning the badge, each with when it happened."""
    begun = [link for link in links if miss.completed_latest >= link.counts_from]
    if not begun:
        return
    standing = [link for link in begun if link.ended_at is None or miss.completed_at < link.ended_at]
    if not any(_overrides(link, miss) for link in standing):
        yield from ((window.started_at, "disconnected") for window in windows if window.holds(miss))
    for link in standing or begun[-1:]:
        if link.ended_at is not None and link.end_reason is not None:
            yield link.ended_at, link.end_reason
    if miss.revoked_at is not None:
        yield miss.revoked_at, "revoked"


def _counts(miss: Miss, link: PastLink, windows: Sequence[Window]) -> bool:
    if miss.completed_latest < link.counts_from:
        return False
    return _overrides(link, miss) or not any(window.holds(miss) for window in windows)


def _overrides(link: PastLink, miss: Miss) -> bool:
    """Tell whether `link --since` was said after a completion, so that it counts though nothing was connected (R4)."""
    return (link.since_set_at or "") >= miss.completed_at


def missed(store: Store, badge_id: str | None = None) -> list[dict[str, Any]]:
    """List the completions that earned nothing, with the reason, the oldest first."""
    found = [{**miss.view(), "reason": reason} for miss, reason in missed_with_names(store, badge_id)]
    return sorted(found, key=lambda row: (row["completed_at"], row["email"]))


def missed_with_names(store: Store, badge_id: str | None = None) -> Iterator[tuple[Miss, Reason]]:
    """Yield the completions that earned nothing, with all that is known of them."""
    windows = [Window(**row) for row in store.rows("SELECT started_at, ended_at FROM disconnections")]
    for links, misses in candidates(store, badge_id):
        for miss in misses:
            reason = why(miss, links, windows)
            if reason is not None:
                yield miss, reason
