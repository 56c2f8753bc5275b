"""Content, its sessions and who may see it: how sources name them, and what rows of content and access change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from credly_cli.identity import email_key
from credly_cli.lms.records import AccessRecord, ContentRecord, Reject, UnknownContent
from credly_cli.lms.rejects import RejectFilter
from credly_cli.store import content
from credly_cli.store.content import ContentRow, SessionRow
from credly_cli.store.database import Counts, Store
from credly_cli.text import title_key


class Place(NamedTuple):
    """Content and session ('' for none); ``loose`` where the source did not name the session."""

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
        catalogue = cls(sessions=content.session_contents(store))
        by_content: dict[str, list[str]] = {}
        for session, content_id in catalogue.sessions.items():
            by_content.setdefault(content_id, []).append(session)
        for content_id, title in content.titles(store):
            sessions = by_content.get(content_id, [])
            catalogue.ids[content_id] = sessions[0] if len(sessions) == 1 else None
            catalogue.titles.setdefault(title_key(title), []).append(content_id)
        return catalogue

    def place(self, name: str, session: str | None, *, by_title: bool) -> Place | str:
        """Find content and session; the reason as text where there is none or more than one."""
        if by_title:
            found = self.titles.get(title_key(name), [])
            if len(found) != 1:
                reason = f"{len(found) or 'no'} content has the title {name!r}"
                return reason if found else UnknownContent(reason)
            content_id = found[0]
        elif name in self.sessions and self.sessions[name] != name:
            return Place(self.sessions[name], name, loose=False)
        elif name in self.ids:
            content_id = name
        elif session in self.sessions:  # the name is one that only the LMS knows, such as a SKU
            return Place(self.sessions[session], session, loose=False)
        elif session in self.ids:
            content_id, session = session, None
        else:
            return UnknownContent(f"there is no content or session {name!r}")
        if session and self.sessions.get(session) != content_id:
            return f"{name!r} has no session {session!r}"
        return Place(content_id, session or self.ids[content_id] or "", loose=not session)


def import_content(
    store: Store, batch: Sequence[ContentRecord], rows: RejectFilter, *, sessions_move: bool = False
) -> Counts:
    """Add content and sessions or bring them up to date; the last value that is not empty stays.

    A session that is stored under other content is rejected, or moves where the source may say so.
    """
    changes = _Changes(store, batch, sessions_move=sessions_move)
    for record in batch:
        if reject := changes.apply(record):
            rows.reject(reject)
    return changes.write()


@dataclass(slots=True)
class _Content:
    """A piece of content as stored (``None``: new), and as the records so far say."""

    stored: ContentRow | None
    row: ContentRow
    panoramas: tuple[str, ...] | None = None
    sublicenses: tuple[str, ...] | None = None


class _Changes:
    """The content that a batch names: as it is stored, as the records say, written where that differs."""

    def __init__(self, store: Store, batch: Sequence[ContentRecord], *, sessions_move: bool) -> None:
        self._store = store
        self._sessions_move = sessions_move
        self._contents: dict[str, _Content] = {}
        named = {name for record in batch for name in (record.content_id, record.session_id) if name}
        self._stored_sessions = content.read_sessions(store, named)
        self._sessions = dict(self._stored_sessions)
        self._named: dict[tuple[str, str | None], None] = {}  # content and session of the rows, in their order
        self._repeated = 0

    def apply(self, record: ContentRecord) -> Reject | None:
        """Take over what a row says, or return why it cannot be taken."""
        record = self._as_session(record)
        session = record.session_id
        known = self._sessions.get(session) if session else None
        if known and known.content_id != record.content_id and not self._moves(session):
            return Reject(record.row, "session_id", f"session {session!r} belongs to content {known.content_id!r}")
        if session and session != record.content_id and content.is_linked(self._store, session):
            return Reject(
                record.row, "session_id", f"{session!r} is content that a badge is linked to: unlink it first"
            )
        self._take_content(record)
        if session is not None:
            title = record.session_title or (known.title if known else None)
            self._sessions[session] = SessionRow(record.content_id, title, int(record.released), record.released_at)
        named = (record.content_id, session)
        self._repeated += named in self._named
        self._named[named] = None
        return None

    def _moves(self, session: str | None) -> bool:
        """Tell whether a session may be elsewhere now: where it was stored before, not where another row has it."""
        return (
            self._sessions_move
            and session in self._stored_sessions
            and (self._sessions[session] == self._stored_sessions[session])
        )

    def write(self) -> Counts:
        """Write what differs; a change of content counts for its first row."""
        changed = {content_id for content_id, entry in self._contents.items() if self._write_content(content_id, entry)}
        counts = Counts(unchanged=self._repeated)
        for content_id, session in self._named:
            if session is None:
                counts.count(added=self._contents[content_id].stored is None, changed=content_id in changed)
            else:
                is_written = self._write_session(session, content_id)
                is_new = session not in self._stored_sessions
                counts.count(added=is_new, changed=is_written or content_id in changed)
            changed.discard(content_id)
        return counts

    def _as_session(self, record: ContentRecord) -> ContentRecord:
        """Read a row of content that is known as a session of other content as one of that session."""
        known = self._sessions.get(record.content_id)
        if record.session_id or known is None or known.content_id == record.content_id:
            return record
        return record._replace(
            content_id=known.content_id, session_id=record.content_id,
            session_title=record.session_title or record.title, title=None, type=None, url=None,
            panoramas=(), sublicenses=(),
        )  # fmt: skip

    def _take_content(self, record: ContentRecord) -> None:
        entry = self._entry(record.content_id)
        row = entry.row._replace(
            title=record.title or entry.row.title, type=record.type or entry.row.type, url=record.url or entry.row.url
        )
        if record.session_id is None:
            row = row._replace(released=int(record.released), released_at=record.released_at)
        entry.row = row
        entry.panoramas = record.panoramas or entry.panoramas
        entry.sublicenses = record.sublicenses or entry.sublicenses

    def _entry(self, content_id: str) -> _Content:
        entry = self._contents.get(content_id)
        if entry is None:
            stored = content.read(self._store, content_id)
            entry = self._contents[content_id] = _Content(stored, stored or ContentRow(content_id))
        return entry

    def _write_content(self, content_id: str, entry: _Content) -> bool:
        is_changed = entry.stored != entry.row
        if is_changed:
            content.save(self._store, content_id, entry.row)
        for kind, names in (("panorama", entry.panoramas), ("sublicense", entry.sublicenses)):
            if names is not None and content.write_list_of_content(self._store, content_id, kind, names):
                is_changed = True
        return is_changed

    def _write_session(self, session: str, content_id: str) -> bool:
        is_changed = self._stored_sessions.get(session) != self._sessions[session]
        if is_changed:
            content.save_session(self._store, session, self._sessions[session])
            before = self._stored_sessions.get(session)
            if before is not None and before.content_id != content_id:
                content.follow_session(self._store, session, before.content_id, content_id)
        if session != content_id:
            content.become_session(self._store, session, content_id)
        return is_changed


def import_access(store: Store, rows: RejectFilter) -> tuple[Counts, bool]:
    """Take a source's records: the whole list of each content that they name; also whether these lists are complete.

    Of one that may not be, since rows could not be read, nothing is removed. A row that names no content that there is
    takes nothing from the lists of others.
    """
    entries = _Entries(rows, Catalogue.of(store))
    content.stage(store, entries)
    is_complete = rows.rejected == entries.unknown
    added, removed = content.write_staged(store, remove=is_complete)
    return Counts(added=added, changed=removed, unchanged=entries.taken - added), is_complete


class _Entries:
    """The entries of the lists, for the store; rows of unknown content are rejected on the way."""

    def __init__(self, rows: RejectFilter, catalogue: Catalogue) -> None:
        self._rows = rows
        self._catalogue = catalogue
        self.taken = 0
        self.unknown = 0

    def __iter__(self) -> Iterator[content.Entry]:
        for row in self._rows:
            record = cast("AccessRecord", row)
            place = self._catalogue.place(record.content_id, None, by_title=False)
            if isinstance(place, str):
                self.unknown += 1
                self._rows.reject(Reject(record.row, "content_id", place))
                continue
            self.taken += 1
            is_learner = record.to == "learner"
            yield place.content_id, record.to, email_key(record.subject) if is_learner else record.subject.casefold()
