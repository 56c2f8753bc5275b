"""What is new in Thought Industries: content and users once a day, events since the last time.

Events come newest first. A walk goes from the newest back to where the last walk began, some minutes further for those
that were told late; it is noted after each page how far it is, together with what the page brought, so that a run that
ends anywhere is gone on with. What came after a walk had begun is for the next walk. An event read twice changes
nothing.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from credly_cli.lms.files import read_objects
from credly_cli.lms.records import Kind
from credly_cli.lms.sources import Batch, Known, Part, Surroundings
from credly_cli.lms.thought_industries import rows
from credly_cli.lms.thought_industries.client import Client, LmsFailure, Page
from credly_cli.lms.thought_industries.rows import Row
from credly_cli.times import UnreadableTimeError, from_utc_text, read_moment, utc_text

_NAME = "Thought Industries"
_STREAMS = ("courseCompletion", "courseAction", "learningPathAction")
_OVERLAP = timedelta(minutes=10)
_DAY = timedelta(hours=24)


class ThoughtIndustries:
    """Reads one site through its API."""

    def __init__(self, client: Client, around: Surroundings) -> None:
        self._client = client
        self._around = around

    @classmethod
    def configured(cls, around: Surroundings) -> "ThoughtIndustries":
        """Make the source that the configuration describes; raises ``Failure`` for what it lacks."""
        return cls(Client(around), around)

    def batches(self, bookmarks: Mapping[str, str], known: Known) -> Iterator[Batch]:
        """Read what is new."""
        if self._is_due("catalogue", bookmarks):
            yield self._catalogue()
            yield self._panoramas(known)
        if self._is_due("users", bookmarks):
            yield from self._users(bookmarks, known)
        for stream in _STREAMS:
            was_under_way = f"{stream}:walk" in bookmarks
            yield from self._walk(stream, bookmarks, known)
            if was_under_way:
                yield from self._walk(stream, bookmarks, known)

    def _is_due(self, name: str, bookmarks: Mapping[str, str]) -> bool:
        read_at = bookmarks.get(f"{name}:read_at")
        return read_at is None or self._around.clock.now() - from_utc_text(read_at) >= _DAY

    def _now(self) -> str:
        return utc_text(self._around.clock.now())

    def _part(self, kind: Kind, objects: Iterable[Row]) -> Part:
        return Part(kind, read_objects(kind, objects, self._around.reading), _NAME)

    # Content, panoramas, users

    def _catalogue(self) -> Batch:
        items = rows.content_rows(self._all("/content"))
        return Batch(iter([self._part("content", items)] if items else []), {"catalogue:read_at": self._now()})

    def _panoramas(self, known: Known) -> Batch:
        clients = list(self._all_if_there("/clients"))
        licenses = [entry for client in clients for entry in self._all_if_there(f"/clients/{client['id']}/licenses")]
        given = [row for client in clients for row in rows.access_rows(client, "panorama")]
        given += [row for entry in licenses for row in rows.access_rows(entry, "sublicense")]
        given = [row for row in given if known.content(row["content_id"])]
        names = {name: json.dumps({entry["id"]: rows.name_of(entry) for entry in entries})
                 for name, entries in (("panoramas", clients), ("licenses", licenses))}  # fmt: skip
        return Batch(iter([self._part("access", given)] if given else []), {**names})

    def _users(self, bookmarks: Mapping[str, str], known: Known) -> Iterator[Batch]:
        panoramas = json.loads(bookmarks.get("panoramas", "{}"))
        licenses = json.loads(bookmarks.get("licenses", "{}"))
        following: dict[str, Any] | None = json.loads(bookmarks.get("users:next", "{}"))
        while following is not None:
            page = self._page_or_first("/users", {}, following)
            users = [user for user in page.rows if user.get("email")]
            enrolled = [row for user in users for row in rows.enrollment_rows(user) if known.content(row["session_id"])]
            parts = [self._part("learners", [rows.learner_row(user, panoramas, licenses) for user in users])] * bool(
                users
            )
            parts += [self._part("progress", enrolled)] * bool(enrolled)
            following = page.next
            left_off = json.dumps(following) if following else None
            yield Batch(iter(parts), {"users:next": left_off} | ({} if following else {"users:read_at": self._now()}))

    def _all(self, path: str) -> Iterator[Row]:
        following: dict[str, Any] | None = {}
        while following is not None:
            page = self._client.page(path, following)
            yield from page.rows
            following = page.next

    def _all_if_there(self, path: str) -> Iterator[Row]:
        """Read a list that not every site has."""
        try:
            yield from (row for row in self._all(path) if row.get("id"))
        except LmsFailure as failure:
            if not failure.is_not_there and failure.status != 403:  # noqa: PLR2004
                raise

    def _page_or_first(self, path: str, parameters: dict[str, Any], following: dict[str, Any]) -> Page:
        """Go on where the last run stopped, or from the beginning where the LMS has forgotten the place."""
        try:
            return self._client.page(path, {**parameters, **following})
        except LmsFailure as failure:
            if not following or not failure.is_not_there:
                raise
            return self._client.page(path, parameters)

    # Events

    def _walk(self, stream: str, bookmarks: Mapping[str, str], known: Known) -> Iterator[Batch]:
        """Walk back through one stream of events to where the last walk began."""
        since = bookmarks.get(f"{stream}:since")
        walk = json.loads(bookmarks.get(f"{stream}:walk", "{}"))
        following: dict[str, Any] | None = walk.get("next", {})
        newest = walk.get("newest") or since
        start = utc_text(from_utc_text(since) - _OVERLAP) if since else None
        while following is not None:
            page = self._page_or_first(f"/events/{stream}", _from(start), following)
            told = [at for at in map(_told_at, page.rows) if at]
            newest = max([*told, *([newest] if newest else [])], default=None)
            is_over = start is not None and bool(told) and max(told) < start
            following = None if is_over else page.next
            under_way = json.dumps({"next": following, "newest": newest}) if following else None
            marks: dict[str, str | None] = {f"{stream}:walk": under_way}
            if following is None and newest:
                marks[f"{stream}:since"] = newest
            yield Batch(iter(self._told(stream, page.rows, known)), marks)

    def _told(self, stream: str, events: list[Row], known: Known) -> list[Part]:
        """Return what a page of events tells, after what it needs that the store does not know yet."""
        unknown = {str(event["notifiableId"]): event for event in events if event.get("notifiableId")}
        unknown = {identity: event for identity, event in unknown.items() if not known.content(identity)}
        content = self._content(unknown) if unknown else []
        learners = [rows.learner_row(user, {}, {}) for user in self._nameless(events, known)]
        told = [rows.event_row(event, stream) for event in events]
        parts: tuple[tuple[Kind, list[Row]], ...] = (("content", content), ("learners", learners), ("progress", told))
        return [self._part(kind, objects) for kind, objects in parts if objects]

    def _content(self, unknown: Mapping[str, Row]) -> list[Row]:
        """Ask for content that is new; of what the LMS does not show any more, the event is all that is known."""
        query = " OR ".join(f"_id:{identity}" for identity in unknown)
        page = self._client.page("/content", {"query": query})
        found = rows.content_rows(item for item in page.rows if str(item.get("id")) in unknown)
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


def _from(start: str | None) -> dict[str, Any]:
    return {"startDate": int(from_utc_text(start).timestamp() * 1000)} if start else {}


def _told_at(event: Row) -> str | None:
    try:
        return read_moment(str(event.get("timestamp") or "")).at
    except UnreadableTimeError:
        return None
