"""Content that turns out to be a session of other content: an event told of it before its group was known."""

from credly_cli.store.completions import current_rev, set_rev
from credly_cli.store.database import Store

# What was completed and granted goes along, so that the session earns no second badge (R18).
_MOVES = (
    "UPDATE OR IGNORE enrollments SET content_id = :group, session_id = :id, rev = iif(completed_at IS NULL, 0, :rev)"
    " WHERE content_id = :id AND session_id = ''",
    "UPDATE OR IGNORE grants SET content_id = :group, session_id = :id WHERE content_id = :id AND session_id = ''",
    "UPDATE links SET content_id = :group WHERE content_id = :id",
    "UPDATE OR IGNORE access SET content_id = :group WHERE content_id = :id",
    "DELETE FROM access WHERE content_id = :id",
    "DELETE FROM enrollments WHERE content_id = :id AND session_id = ''",
)
_GONE = "DELETE FROM content WHERE id = :id AND NOT EXISTS (SELECT 1 FROM grants WHERE content_id = :id)"
_ALONE = "SELECT 1 FROM content WHERE id = :id AND NOT EXISTS (SELECT 1 FROM sessions WHERE content_id = :id)"


def is_linked(store: Store, content_id: str) -> bool:
    """Tell whether a badge is linked to the content."""
    return bool(store.value("SELECT 1 FROM links WHERE content_id = ? AND ended_at IS NULL", (content_id,)))


def become_session(store: Store, session_id: str, content_id: str) -> None:
    """Make content of that id, where there is any, the session of other content that it is."""
    rev = current_rev(store) + 1
    told = {"id": session_id, "group": content_id, "rev": rev}
    if store.value(_ALONE, told):
        for statement in (*_MOVES, _GONE):
            store.change(statement, told)
        set_rev(store, rev)  # so that the group's links plan what came to it
