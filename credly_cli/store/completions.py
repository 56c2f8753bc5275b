"""Completions, and the change counter by which planning finds the new ones."""

from dataclasses import dataclass

from credly_cli.store.database import Store
from credly_cli.store.links import Link
from credly_cli.store.runs import bookmark, set_bookmark
from credly_cli.store.views import COUNTS

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


def counting(store: Store, link: Link) -> list[Completion]:
    """Return the completions that count for a link and are newer than its last plan, the earliest first."""
    rows = store.rows(
        "SELECT e.learner, p.learner_id, p.email, p.first_name, p.last_name, e.content_id, e.session_id, e.completed_at"
        " FROM links l CROSS JOIN enrollments e ON e.content_id = l.content_id JOIN learners p ON p.id = e.learner"
        f" WHERE l.id = ? AND e.rev > l.planned_rev AND {COUNTS} ORDER BY e.completed_at, e.learner, e.session_id",
        (link.id,),
    )
    return [Completion(**row) for row in rows]
