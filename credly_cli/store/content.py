"""Content and its sessions: what may be linked, completed and seen."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from credly_cli.lms.records import ContentRecord, Reject, UnknownContent
from credly_cli.store.counts import Tally
from credly_cli.store.database import Store
from credly_cli.store.regrouping import become_session, is_linked

# Content is released when any of its sessions is, or itself where it has none, and the moment has come.
# Alias: c content; :now.
RELEASED = """
iif(EXISTS (SELECT 1 FROM sessions s WHERE s.content_id = c.id),
  EXISTS (SELECT 1 FROM sessions s WHERE s.content_id = c.id AND s.released AND ifnull(s.released_at, '') <= :now),
  ifnull(c.released AND ifnull(c.released_at, '') <= :now, 0))
"""


def view(row: dict[str, Any], prefix: str = "content_") -> dict[str, Any]:
    """Return content in brief, as JSON answers show it."""
    return {"id": row[f"{prefix}id"], "title": row[f"{prefix}title"], "type": row[f"{prefix}type"]}


def listed(store: Store, now: str) -> list[dict[str, Any]]:
    """List all content by title, with its sessions and the badges linked to it."""
    sessions = _grouped(store, "SELECT content_id, id, title FROM sessions ORDER BY id")
    badges = _grouped(
        store,
        "SELECT l.content_id, b.id, b.name, b.image_url FROM links l JOIN badges b ON b.id = l.badge_id"
        " WHERE l.ended_at IS NULL ORDER BY b.name, b.id",
    )
    rows = store.rows(f"SELECT c.id, c.title, c.type, {RELEASED} AS released, c.url FROM content c", {"now": now})
    for row in rows:
        row["released"] = bool(row["released"])
        row["sessions"] = sessions.get(row["id"], [])
        row["badges"] = badges.get(row["id"], [])
    return sorted(rows, key=lambda row: (row["title"].casefold(), row["id"]))


def is_released(store: Store, content_id: str, now: str) -> bool:
    """Tell whether learners of the site may see the content."""
    return bool(store.value(f"SELECT {RELEASED} FROM content c WHERE c.id = :id", {"id": content_id, "now": now}))


def _grouped(store: Store, sql: str) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in store.rows(sql):
        groups.setdefault(row.pop("content_id"), []).append(row)
    return groups


class Place(NamedTuple):
    """Content and session ('' for none), and whether the session was not told."""

    content_id: str
    session_id: str
    loose: bool


@dataclass(slots=True)
class Catalogue:
    """How sources name content: by its id, a session's id, or a title."""

    ids: dict[str, str | None] = field(default_factory=dict)  # content -> its session, where it has exactly one
    sessions: dict[str, str] = field(default_factory=dict)
    titles: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, store: Store) -> "Catalogue":
        """Read the names of all content."""
        catalogue = cls(sessions={row["id"]: row["content_id"] for row in store.rows("SELECT * FROM sessions")})
        by_content: dict[str, list[str]] = {}
        for session, content in catalogue.sessions.items():
            by_content.setdefault(content, []).append(session)
        for row in store.rows("SELECT id, title FROM content"):
            own = by_content.get(row["id"], [])
            catalogue.ids[row["id"]] = own[0] if len(own) == 1 else None
            catalogue.titles.setdefault(row["title"].casefold(), []).append(row["id"])
        return catalogue

    def place(self, name: str, session: str | None, *, by_title: bool) -> Place | str:
        """Find content and session; the reason as text where there is none or more than one."""
        if by_title:
            found = self.titles.get(name.casefold(), [])
            if len(found) != 1:
                reason = f"{len(found) or 'no'} content has the title {name!r}"
                return reason if found else UnknownContent(reason)
            content = found[0]
        elif name in self.sessions and self.sessions[name] != name:
            return Place(self.sessions[name], name, loose=False)
        elif name in self.ids:
            content = name
        elif session in self.sessions:  # the name is one that only the LMS knows, such as a SKU
            return Place(self.sessions[session], session, loose=False)
        elif session in self.ids:
            content, session = session, None
        else:
            return UnknownContent(f"there is no content or session {name!r}")
        if session and self.sessions.get(session) != content:
            return f"{name!r} has no session {session!r}"
        return Place(content, session or self.ids[content] or "", loose=not session)


def take(store: Store, records: Iterable[ContentRecord], reject: Callable[[Reject], None]) -> Tally:
    """Add content and sessions or bring them up to date; says what the rows brought about."""
    records = list(records)
    intake = _Intake(store, records)
    for record in records:
        if problem := intake.apply(record):
            reject(problem)
    return intake.write()


@dataclass(slots=True)
class _Told:
    """A piece of content as it is and as the records tell it."""

    before: tuple[Any, ...] | None
    title: str
    type: str | None = None
    url: str | None = None
    released: int | None = None
    released_at: str | None = None
    panoramas: tuple[str, ...] | None = None
    sublicenses: tuple[str, ...] | None = None

    @property
    def columns(self) -> tuple[Any, ...]:
        return self.title, self.type, self.url, self.released, self.released_at


class _Intake:
    """The content that some records speak of: read, told anew, and written where it differs."""

    def __init__(self, store: Store, records: Iterable[ContentRecord]) -> None:
        self._store = store
        self._contents: dict[str, _Told] = {}
        named = {name for record in records for name in (record.content_id, record.session_id) if name}
        self._sessions: dict[str, tuple[str, str | None, int, str | None]] = {
            row["id"]: (row["content_id"], row["title"], row["released"], row["released_at"])
            for row in store.rows(
                "SELECT * FROM sessions WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(sorted(named)),)
            )
        }
        self._sessions_before = dict(self._sessions)
        self._rows: dict[tuple[str, str | None], None] = {}
        self._repeated = 0

    def apply(self, record: ContentRecord) -> Reject | None:
        record = self._as_session(record)
        session = record.session_id
        known = self._sessions.get(session) if session else None
        if known and known[0] != record.content_id:
            return Reject(record.row, "session_id", f"session {session!r} belongs to content {known[0]!r}")
        if session and session != record.content_id and is_linked(self._store, session):
            return Reject(
                record.row, "session_id", f"{session!r} is content that a badge is linked to: unlink it first"
            )
        told = self._content(record)
        told.title = record.title or told.title
        told.type = record.type or told.type
        told.url = record.url or told.url
        told.panoramas = record.panoramas or told.panoramas
        told.sublicenses = record.sublicenses or told.sublicenses
        if session is None:
            told.released, told.released_at = int(record.released), record.released_at
        else:
            title = record.session_title or (known[1] if known else None)
            self._sessions[session] = (record.content_id, title, int(record.released), record.released_at)
        key = (record.content_id, session)
        self._repeated += key in self._rows
        self._rows[key] = None
        return None

    def _as_session(self, record: ContentRecord) -> ContentRecord:
        """Take what is told as content, but known as a session of other content, for that session."""
        known = self._sessions.get(record.content_id)
        if record.session_id or known is None or known[0] == record.content_id:
            return record
        return record._replace(
            content_id=known[0], session_id=record.content_id, session_title=record.session_title or record.title,
            title=None, type=None, url=None, panoramas=(), sublicenses=(),
        )  # fmt: skip

    def _content(self, record: ContentRecord) -> _Told:
        told = self._contents.get(record.content_id)
        if told is None:
            row = self._store.row("SELECT * FROM content WHERE id = ?", (record.content_id,))
            fields = ("title", "type", "url", "released", "released_at")
            before = tuple(row[name] for name in fields) if row else None
            told = self._contents[record.content_id] = _Told(before, *(before or (record.content_id,)))
        return told

    def write(self) -> Tally:
        altered = {content for content, told in self._contents.items() if self._write_content(content, told)}
        tally = Tally(unchanged=self._repeated)
        for content, session in self._rows:
            added = self._contents[content].before is None
            changed = content in altered
            if session is not None:
                before, now = self._sessions_before.get(session), self._sessions[session]
                added, changed = before is None, changed or before != now
                if before != now:
                    self._write_session(session, now)
                if session != content:
                    become_session(self._store, session, content)
            tally.count(added=added, changed=changed)
            altered.discard(content)  # a change of the content counts for its first row
        return tally

    def _write_content(self, content: str, told: _Told) -> bool:
        changed = told.before != told.columns
        if changed:
            self._store.change(
                "INSERT INTO content (id, title, type, url, released, released_at) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET title = excluded.title, type = excluded.type, url = excluded.url,"
                " released = excluded.released, released_at = excluded.released_at",
                (content, *told.columns),
            )
        for kind, names in (("panorama", told.panoramas), ("sublicense", told.sublicenses)):
            if names is not None and self._write_access(content, kind, names):
                changed = True
        return changed

    def _write_access(self, content: str, kind: str, names: tuple[str, ...]) -> bool:
        """Write who may see content, unless a file of access told it: that one is the whole list."""
        wanted = {name.casefold() for name in names}
        place = (content, kind)
        if self._store.value("SELECT 1 FROM access WHERE content_id = ? AND told_by = 'access'", (content,)):
            return False
        sql = "FROM access WHERE content_id = ? AND told_by = 'content' AND subject_kind = ?"
        if wanted == {row["subject"] for row in self._store.rows(f"SELECT subject {sql}", place)}:
            return False
        self._store.change(f"DELETE {sql}", place)
        self._store.connection.executemany(
            "INSERT INTO access VALUES (?, 'content', ?, ?)", [(*place, name) for name in sorted(wanted)]
        )
        return True

    def _write_session(self, session: str, columns: tuple[str, str | None, int, str | None]) -> None:
        self._store.change(
            "INSERT INTO sessions (id, content_id, title, released, released_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET title = excluded.title, released = excluded.released,"
            " released_at = excluded.released_at",
            (session, *columns),
        )
