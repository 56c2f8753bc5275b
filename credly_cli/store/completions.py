"""Completions, and the change counter by which planning finds the new ones."""

from dataclasses import dataclass

from credly_cli.store.database import Store
from credly_cli.store.links import Link
from credly_cli.store.runs import bookmark, set_bookmark

_REV = "completions-rev"


@dataclass(frozen=True, slots=True)
class Completion:
    """A completion, and who did it."""

    learner: int
    learner_id: str | None
    email: str
    first_name: str | None
    last_name: str | None
    content_id: str
    session_id: str
    completed_at: str


def current_rev(store: Store) -> int:
    """Return the change counter: the number of the last change that brought or moved completions."""
    return int(bookmark(store, _REV) or 0)


def set_rev(store: Store, rev: int) -> None:
    """Move the change counter."""
    set_bookmark(store, _REV, str(rev))


def counting(store: Store, link: Link) -> list[tuple[int, str]]:
    """Return learner and session of the completions that count for a link and are newer than its last plan.

    The earliest comes first.
    """
    return store.connection.execute(
        "SELECT learner, session_id FROM enrollment_links WHERE link_id = ? AND rev > planned_rev AND counts"
        " ORDER BY completed_at, learner, session_id",
        (link.id,),
    ).fetchall()
