"""Content, its sessions and who was given it: what may be linked, completed and seen."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from credly_cli.credly.records import BadgeBrief
from credly_cli.store.database import Store
from credly_cli.store.enrollments import current_rev, set_rev
from credly_cli.text import folded, title_key

# Content is released when any of its sessions is, or itself where it has none, and the moment has come.
# Alias: c content; :now.
RELEASED = """
iif(EXISTS (SELECT 1 FROM sessions s WHERE s.content_id = c.id),
  EXISTS (SELECT 1 FROM sessions s WHERE s.content_id = c.id AND s.released AND ifnull(s.released_at, '') <= :now),
  ifnull(c.released AND ifnull(c.released_at, '') <= :now, 0))
"""

# The moments at which linked content is released.
RELEASED_AT = """
SELECT c.released_at AS at FROM links l JOIN content c ON c.id = l.content_id
WHERE l.ended_at IS NULL AND c.released AND c.released_at IS NOT NULL
UNION ALL SELECT s.released_at FROM links l JOIN sessions s ON s.content_id = l.content_id
WHERE l.ended_at IS NULL AND s.released AND s.released_at IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class ContentBrief:
    """Content in brief, as JSON answers show it."""

    id: str
    title: str
    type: str | None


# The columns of a record's ``content``, a ContentBrief. Alias: c content.
CONTENT = 'c.id AS "content.id", c.title AS "content.title", c.type AS "content.type"'


@dataclass(frozen=True, slots=True)
class NamedContent(ContentBrief):
    """Content by which it may be named, with the session where that names it."""

    session_id: str | None = None

    @property
    def brief(self) -> ContentBrief:
        """The content as answers show it."""
        return ContentBrief(self.id, self.title, self.type)


def named(store: Store) -> list[NamedContent]:
    """Return all content."""
    return store.records(NamedContent, "SELECT id, title, type FROM content")


def sessions_named(store: Store) -> list[NamedContent]:
    """Return all sessions, each as its content with the session's id."""
    sql = "SELECT c.id, c.title, c.type, s.id AS session_id FROM sessions s JOIN content c ON c.id = s.content_id"
    return store.records(NamedContent, sql)


def of_badge(store: Store, badge_id: str) -> ContentBrief | None:
    """Return the content that the badge is linked to, in brief."""
    return store.record(
        ContentBrief,
        "SELECT c.id, c.title, c.type FROM links l JOIN content c ON c.id = l.content_id"
        " WHERE l.badge_id = ? AND l.ended_at IS NULL",
        (badge_id,),
    )


def is_released(store: Store, content_id: str, now: str) -> bool:
    """Tell whether learners of the site may see the content."""
    return bool(store.value(f"SELECT {RELEASED} FROM content c WHERE c.id = :id", {"id": content_id, "now": now}))


# The list


@dataclass(frozen=True, slots=True)
class SessionBrief:
    """A session, as JSON answers show it."""

    id: str
    title: str | None


@dataclass(frozen=True, slots=True)
class ListedContent:
    """Content with its sessions and the badges linked to it."""

    id: str
    title: str
    type: str | None
    released: bool
    url: str | None
    sessions: Sequence[SessionBrief]
    badges: Sequence[BadgeBrief]


def listed(store: Store, now: str) -> list[ListedContent]:
    """List all content by title, with its sessions and the badges linked to it."""
    sessions, linked = defaultdict[str, list[SessionBrief]](list), defaultdict[str, list[BadgeBrief]](list)
    select = store.connection.execute
    for content_id, *session in select("SELECT content_id, id, title FROM sessions ORDER BY id"):
        sessions[content_id].append(SessionBrief(*session))
    for content_id, *badge in select(
        "SELECT l.content_id, b.id, b.name, b.image_url FROM links l JOIN badges b ON b.id = l.badge_id"
        " WHERE l.ended_at IS NULL"
    ):
        linked[content_id].append(BadgeBrief(*badge))
    for badges_of_one in linked.values():
        badges_of_one.sort(key=lambda badge: (folded(badge.name), badge.id))
    found = [
        ListedContent(identity, title, kind, bool(released), url, sessions[identity], linked[identity])
        for identity, title, kind, released, url in select(
            f"SELECT c.id, c.title, c.type, {RELEASED}, c.url FROM content c", {"now": now}
        )
    ]
    return sorted(found, key=lambda row: (folded(row.title), row.id))


# For importing


class ContentRow(NamedTuple):
    """What is stored of content but its id; ``released_at`` is UTC text."""

    title: str
    type: str | None = None
    url: str | None = None
    released: int | None = None
    released_at: str | None = None


class SessionRow(NamedTuple):
    """What is stored of a session but its id; ``released_at`` is UTC text."""

    content_id: str
    title: str | None
    released: int
    released_at: str | None


_SAVE = """
INSERT INTO content (id, title, type, url, released, released_at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET title = excluded.title, type = excluded.type, url = excluded.url,
  released = excluded.released, released_at = excluded.released_at
"""
_SAVE_SESSION = """
INSERT INTO sessions (id, content_id, title, released, released_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET title = excluded.title, released = excluded.released,
  released_at = excluded.released_at, content_id = excluded.content_id
"""


def titles(store: Store) -> list[tuple[str, str]]:
    """Return id and title of all content."""
    return store.connection.execute("SELECT id, title FROM content").fetchall()


def session_contents(store: Store) -> dict[str, str]:
    """Return the content of each session."""
    return dict(store.connection.execute("SELECT id, content_id FROM sessions").fetchall())


def read(store: Store, content_id: str) -> ContentRow | None:
    """Return what is stored of content."""
    sql = "SELECT title, type, url, released, released_at FROM content WHERE id = ?"
    row = store.connection.execute(sql, (content_id,)).fetchone()
    return ContentRow(*row) if row else None


def read_sessions(store: Store, ids: Iterable[str]) -> dict[str, SessionRow]:
    """Return what is stored of those of these ids that are sessions."""
    rows = store.connection.execute(
        "SELECT id, content_id, title, released, released_at FROM sessions"
        " WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(ids)),),
    )
    return {identity: SessionRow(*row) for identity, *row in rows}


def save(store: Store, content_id: str, row: ContentRow) -> None:
    """Add content or bring it up to date."""
    store.change(_SAVE, (content_id, *row))


def save_session(store: Store, session_id: str, row: SessionRow) -> None:
    """Add a session or bring it up to date."""
    store.change(_SAVE_SESSION, (session_id, *row))


def exists(store: Store, identity: str) -> bool:
    """Tell whether there is content or a session of this id."""
    sql = "SELECT 1 FROM content WHERE id = :id UNION ALL SELECT 1 FROM sessions WHERE id = :id"
    return store.value(sql, {"id": identity}) is not None


def linked(store: Store) -> dict[str, str]:
    """Return the content that a badge is linked to: title by id."""
    sql = "SELECT c.id, c.title FROM links l JOIN content c ON c.id = l.content_id WHERE l.ended_at IS NULL"
    return dict(store.connection.execute(sql).fetchall())


def with_title(store: Store, title: str) -> list[str]:
    """Return the ids of content with a title, without regard to case."""
    wanted = title_key(title)
    return [identity for identity, known in titles(store) if wanted and title_key(known) == wanted]


# Content that turns out to be a session of other content: an event named it before its group was known

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
    ids = {"id": session_id, "group": content_id, "rev": rev}
    if store.value(_ALONE, ids):
        for statement in (*_MOVES, _GONE):
            store.change(statement, ids)
        set_rev(store, rev)  # so that the group's links plan what came to it


# What was completed and granted in a session goes along to another group; planning then reads it as new there.
_FOLLOW = (
    "UPDATE OR IGNORE enrollments SET content_id = :group, rev = iif(completed_at IS NULL, 0, :rev)"
    " WHERE content_id = :old AND session_id = :id",
    "DELETE FROM enrollments WHERE content_id = :old AND session_id = :id",
    "UPDATE OR IGNORE grants SET content_id = :group WHERE content_id = :old AND session_id = :id",
)


def follow_session(store: Store, session_id: str, old: str, content_id: str) -> None:
    """Take what learners did in a session along to the content that it belongs to now."""
    rev = current_rev(store) + 1
    for statement in _FOLLOW:
        store.change(statement, {"id": session_id, "old": old, "group": content_id, "rev": rev})
    set_rev(store, rev)


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
