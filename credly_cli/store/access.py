"""Who was given which content: learners, panoramas, sublicenses."""

from collections.abc import Iterable
from typing import TypeAlias

from credly_cli.store.database import Store

Entry: TypeAlias = tuple[str, str, str]  # content, kind of subject, subject (compared without regard to case)

_STAGE = (
    "DROP TABLE IF EXISTS temp.given",
    """
    CREATE TEMP TABLE given (
      content_id TEXT, subject_kind TEXT, subject TEXT, PRIMARY KEY (content_id, subject_kind, subject)) WITHOUT ROWID
    """,
)
_ADD = "INSERT OR IGNORE INTO access SELECT content_id, 'access', subject_kind, subject FROM temp.given"
# An access file is the whole list: it also wins over what a file of content told of who may see it.
_REMOVE = """
DELETE FROM access WHERE content_id IN (SELECT content_id FROM temp.given) AND NOT EXISTS (
  SELECT 1 FROM temp.given g WHERE g.content_id = access.content_id AND g.subject_kind = access.subject_kind
  AND g.subject = access.subject AND access.told_by = 'access')
"""
_OF_CONTENT = "FROM access WHERE content_id = ? AND told_by = 'content' AND subject_kind = ?"


def stage(store: Store, entries: Iterable[Entry]) -> None:
    """Put entries aside, to be written together once all are read."""
    for statement in _STAGE:
        store.change(statement)
    store.connection.executemany("INSERT OR IGNORE INTO temp.given VALUES (?, ?, ?)", entries)


def write_staged(store: Store, *, remove: bool) -> tuple[int, int]:
    """Write the staged lists; with ``remove`` they are whole. Returns how many entries were added and removed."""
    added = store.change(_ADD)
    return added, store.change(_REMOVE) if remove else 0


def write_list_of_content(store: Store, content_id: str, kind: str, names: Iterable[str]) -> bool:
    """Write which panoramas or sublicenses may see content, unless an access file, which is the whole list, named it.

    Returns whether anything changed.
    """
    wanted = {name.casefold() for name in names}
    if store.value("SELECT 1 FROM access WHERE content_id = ? AND told_by = 'access'", (content_id,)):
        return False
    stored = store.connection.execute(f"SELECT subject {_OF_CONTENT}", (content_id, kind))
    if wanted == {subject for (subject,) in stored}:
        return False
    store.change(f"DELETE {_OF_CONTENT}", (content_id, kind))
    store.connection.executemany(
        "INSERT INTO access VALUES (?, 'content', ?, ?)", [(content_id, kind, name) for name in sorted(wanted)]
    )
    return True


def remove_tenants(store: Store, name: str) -> int:
    """Take content, or that of a session, from all panoramas and sublicenses; returns from how many."""
    return store.change(
        "DELETE FROM access WHERE told_by = 'access' AND subject_kind <> 'learner'"
        " AND content_id = ifnull((SELECT content_id FROM sessions WHERE id = :name), :name)",
        {"name": name},
    )
