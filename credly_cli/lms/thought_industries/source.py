"""What is new in Thought Industries: content and users once a day, events since the last time.

Events come newest first. A walk goes from the newest back to where the last walk began, some minutes further for those
that were told late, and once a day some days further. After each page it is noted how far it is, together with what the
page brought, so that a run that ends anywhere is gone on with. What came after a walk had begun is for the next one. An
event read twice changes nothing, and one that cannot be taken is reported once.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from datetime import timedelta
from typing import Any

from credly_cli.http.errors import HttpFailure
from credly_cli.lms.dates import read_moment
from credly_cli.lms.reader import read_objects
from credly_cli.lms.records import Kind, Reject
from credly_cli.lms.source import Batch, Known, Part, SourceContext
from credly_cli.lms.thought_industries import rows
from credly_cli.lms.thought_industries.client import Client, Page, is_not_there
from credly_cli.lms.thought_industries.rows import Row
from credly_cli.times import UnreadableTimeError, from_utc_text, utc_text

_NAME = "Thought Industries"
_STREAMS = ("courseCompletion", "courseAction", "learningPathAction")
_OVERLAP = timedelta(minutes=10)
_DAILY_OVERLAP = timedelta(days=3)
_DAY = timedelta(hours=20)  # not quite, so that a nightly run never comes too early


class ThoughtIndustries:
    """Reads one site through its API."""

    def __init__(self, client: Client, around: SourceContext) -> None:
        self._client = client
        self._around = around

    @classmethod
    def configured(cls, around: SourceContext) -> "ThoughtIndustries":
        """Make the source that the configuration describes; raises ``Failure`` for what it lacks."""
        return cls(Client(around), around)

    def batches(self, bookmarks: Mapping[str, str], known: Known) -> Iterator[Batch]:
        """Read what is new."""
        if self._is_due("catalogue", bookmarks):
            started_at = self._now()
            yield self._catalogue()
            yield self._panoramas(bookmarks, known, started_at)
        if self._is_due("users", bookmarks) or "users:next" in bookmarks:
            yield from self._users(bookmarks, known)
        for stream in _STREAMS:
            was_under_way = f"{stream}:walk" in bookmarks
            yield from self._walk(stream, bookmarks, known)
            if was_under_way:
                yield from self._walk(stream, bookmarks, known)

    def _is_due(self, name: str, bookmarks: Mapping[str, str]) -> bool:
        """Tell whether something that is read once a day is to be read; a time ahead is of a clock that was wrong."""
        read_at = bookmarks.get(f"{name}:read_at")
        return read_at is None or not timedelta(0) <= self._around.clock.now() - from_utc_text(read_at) < _DAY

    def _now(self) -> str:
        return utc_text(self._around.clock.now())

    def _part(self, kind: Kind, objects: Iterable[Row]) -> Part:
        return Part(kind, read_objects(kind, objects, self._around.reading), _NAME)

    def _parts(self, *told: tuple[Kind, list[Row]]) -> list[Part]:
        return [self._part(kind, objects) for kind, objects in told if objects]

    # Content, panoramas, users

    def _catalogue(self) -> Batch:
        items = rows.content_rows(self._all("/content"))
        return Batch(iter([self._part("content", items)] if items else []))

    def _panoramas(self, bookmarks: Mapping[str, str], known: Known, started_at: str) -> Batch:
        """Tell what panoramas and sublicenses have; what they had the last time and have no more, nobody is given."""
        marks: dict[str, str | None] = {"catalogue:read_at": started_at}
        clients = self._all_if_there("/clients")
        if clients is None:
            return Batch(iter(()), marks)
        licenses = [
            entry for client in clients for entry in self._all_if_there(f"/clients/{client['id']}/licenses") or ()
        ]
        given = [row for client in clients for row in rows.access_rows(client, "panorama")]
        given += [row for entry in licenses for row in rows.access_rows(entry, "sublicense")]
        given = [row for row in given if known.content(row["content_id"])]
        for name, entries in (("panoramas", clients), ("licenses", licenses)):
            marks[name] = json.dumps({entry["id"]: rows.name_of(entry) for entry in entries})
        content = {row["content_id"] for row in given}
        marks["given"] = json.dumps(sorted(content))
        no_more = set(json.loads(bookmarks.get("given", "[]"))) - content
        return Batch(iter([self._part("access", given)] if given else []), marks, given_no_more=no_more)

    def _users(self, bookmarks: Mapping[str, str], known: Known) -> Iterator[Batch]:
        panoramas = json.loads(bookmarks.get("panoramas", "{}"))
        licenses = json.loads(bookmarks.get("licenses", "{}"))
        following: dict[str, Any] | None = json.loads(bookmarks.get("users:next", "{}"))
        marks: dict[str, str | None] = {} if following else {"users:read_at": self._now()}
        while following is not None:
            page = self._page_or_first("/users", {}, following)
            users = [user for user in page.rows if user.get("email")]
            enrolled = [row for user in users for row in rows.enrollment_rows(user) if known.content(row["session_id"])]
            learners = [rows.learner_row(user, panoramas, licenses) for user in users]
            parts = self._parts(("learners", learners), ("progress", enrolled))
            following = page.next
            yield Batch(iter(parts), marks | {"users:next": json.dumps(following) if following else None})

    def _all(self, path: str, **parameters: str) -> Iterator[Row]:
        following: dict[str, Any] | None = {}
        while following is not None:
            page = self._client.page(path, {**parameters, **following})
            yield from page.rows
            following = page.next

    def _all_if_there(self, path: str) -> list[Row] | None:
        """Read a list that not every site has."""
        try:
            return [row for row in self._all(path) if row.get("id")]
        except HttpFailure as failure:
            if not is_not_there(failure) and failure.status != 403:  # noqa: PLR2004
                raise
            return None

    def _page_or_first(self, path: str, parameters: dict[str, Any], following: dict[str, Any]) -> Page:
        """Go on where the last run stopped, or from the beginning where the LMS has forgotten the place."""
        try:
            return self._client.page(path, {**parameters, **following})
        except HttpFailure as failure:
            if not following or not is_not_there(failure):
                raise
            return self._client.page(path, parameters)

    # Events

    def _walk(self, stream: str, bookmarks: Mapping[str, str], known: Known) -> Iterator[Batch]:
        """Walk back through one stream of events to where the last walk began."""
        walk = json.loads(bookmarks.get(f"{stream}:walk", "{}"))
        began_at = walk.get("began_at") or self._now()
        since = self._since(stream, bookmarks)
        overlap = _DAILY_OVERLAP if self._is_due(stream, bookmarks) else _OVERLAP
        start = utc_text(from_utc_text(since) - overlap) if since else None
        following: dict[str, Any] | None = walk.get("next", {})
        newest = walk.get("newest") or since
        while following is not None:
            page = self._page_or_first(f"/events/{stream}", _from(start), following)
            told = [at for at in map(_told_at, page.rows) if at]
            newest = max([*(min(at, began_at) for at in told), *([newest] if newest else [])], default=None)
            is_over = start is not None and bool(told) and max(told) < start
            following = None if is_over else page.next
            under_way = {"next": following, "newest": newest, "began_at": began_at}
            marks: dict[str, str | None] = {f"{stream}:walk": json.dumps(under_way) if following else None}
            if following is None:
                marks |= {f"{stream}:read_at": began_at} | ({f"{stream}:since": newest} if newest else {})
            oldest = utc_text(from_utc_text(newest) - _DAILY_OVERLAP) if newest else ""
            rejected = _Rejected(f"{stream}:rejected", page.rows, bookmarks, marks, oldest)
            yield Batch(iter(self._told(stream, page.rows, known, rejected)), marks)

    def _since(self, stream: str, bookmarks: Mapping[str, str]) -> str | None:
        """Return where the last walk began; one that is ahead is no good, for what came since would be left out."""
        since = bookmarks.get(f"{stream}:since")
        return since if since and since <= self._now() else None

    def _told(self, stream: str, events: list[Row], known: Known, rejected: "_Rejected") -> list[Part]:
        """Return what a page of events tells, after what it needs that the store does not know yet."""
        unknown = {str(event["notifiableId"]): event for event in events if event.get("notifiableId")}
        unknown = {identity: event for identity, event in unknown.items() if not known.content(identity)}
        content = self._content(unknown) if unknown else []
        learners = [rows.learner_row(user, {}, {}) for user in self._nameless(events, known)]
        parts = self._parts(("content", content), ("learners", learners))
        if events:
            told = self._part("progress", [rows.event_row(event, stream) for event in events])
            parts.append(told._replace(is_news=rejected.is_news))
        return parts

    def _content(self, unknown: Mapping[str, Row]) -> list[Row]:
        """Ask for content that is new; of what the LMS does not show any more, the event is all that is known."""
        query = " OR ".join(f"_id:{identity}" for identity in unknown)
        found = rows.content_rows(item for item in self._all("/content", query=query) if str(item.get("id")) in unknown)
        names = {str(row[key]) for row in found for key in ("content_id", "session_id") if row[key]}
        return found + [rows.stand_in_content(event) for identity, event in unknown.items() if identity not in names]

    def _nameless(self, events: list[Row], known: Known) -> Iterator[Row]:
        """Ask for the users of events without names, whom the store does not know either."""
        asked = set()
        for event in events:
            detail = event.get("userDetail") or {}
            email = detail.get("email") or event.get("user")
            name = detail.get("id") or email
            if not name or name in asked or (detail.get("firstName") and detail.get("lastName")):
                continue
            asked.add(name)
            if not known.learner(detail.get("id"), email) and (user := self._client.user(str(name))):
                yield {**user, "clientId": None, "allocatedLicenses": None}  # their names are known once a day


class _Rejected:
    """The events of a page that cannot be taken: each is reported once, however often it is read."""

    def __init__(
        self,
        mark: str,
        events: list[Row],
        bookmarks: Mapping[str, str],
        marks: MutableMapping[str, str | None],
        oldest: str,
    ) -> None:
        self._mark = mark
        self._events = events
        self._marks = marks
        self._oldest = oldest  # what is before is not read again
        earlier = json.loads(bookmarks.get(mark, "{}"))
        self._reported: dict[str, str] = {event: at for event, at in earlier.items() if at >= oldest}

    def is_news(self, reject: Reject) -> bool:
        """Tell whether an event was not reported yet, and note that it now is."""
        event = self._events[reject.row - 1]
        name = str(event.get("id") or json.dumps(event, sort_keys=True))
        is_news = name not in self._reported
        at = _told_at(event) or self._oldest
        if is_news and at >= self._oldest:
            self._reported[name] = at
            self._marks[self._mark] = json.dumps(self._reported)
        return is_news


def _from(start: str | None) -> dict[str, Any]:
    return {"startDate": int(from_utc_text(start).timestamp() * 1000)} if start else {}


def _told_at(event: Row) -> str | None:
    try:
        return read_moment(str(event.get("timestamp") or "")).at
    except UnreadableTimeError:
        return None
