"""A stand-in of Thought Industries' REST API over a loopback socket.

From the published facts: the paths, the bearer, the keys of the answers in both shapes, cursor and page paging, newest
events first, ``startDate`` in epoch milliseconds, the rate headers and ``Retry-After``. Invented, because nothing says
it: the form of a cursor (base64 of the place), that a cursor stays good however many events come, 404 for one that is
not good, the statuses of enrollments, and ``courseIds`` in a client. ``Readings`` has a switch for each thing that the
vendor's documents leave open or contradict each other in.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.loopback import LoopbackHandler, LoopbackServer

KEY = "ti-key-that-nobody-guesses"
EARLY, LATER, LATEST = "2026-01-10T20:50:53.103Z", "2026-02-10T08:00:00.000Z", "2026-03-02T09:00:00.000Z"
_API = "/incoming/v2"


@dataclass
class Readings:
    """How the real service may be, where nothing certain is known of it."""

    shape: str = "plain"  # or wrapped: {"data": {"APIEvents": ...}}; meta: {"data": [...], "meta": {...}}
    end: str = "hasMore"  # or total: told without hasMore; wrong-total; silent: nothing is told
    cursor: str = "opaque"  # or inclusive, exclusive: a time; dies: each is refused; loops: leads to the first page
    by_page: bool = False
    takes_per_page: bool = False
    dates: str = "ms"  # or iso: milliseconds are refused; ignored
    types_required: bool = False
    user_shape: str = "plain"  # or wrapped: {"data": {"UserById": ...}}


@dataclass
class Site:
    """A site with its users, content and events, and how it is to answer."""

    users: list[dict[str, Any]] = field(default_factory=list)
    content: list[dict[str, Any]] = field(default_factory=list)
    clients: list[dict[str, Any]] = field(default_factory=list)
    licenses: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # by stream, newest first
    per_page: int = 100
    content_per_page: int | None = None
    not_there: tuple[str, ...] = ()  # paths
    groups: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # sessions that only a group's own list has
    counts_groups: bool = False  # /courseGroups is there, with courseCount
    readings: Readings = field(default_factory=Readings)
    broken: dict[str, int] = field(default_factory=dict)  # by path, the status that it is answered with
    requests: list[str] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], Any]] = field(
        default_factory=list
    )  # given first, in place of the true one
    headers: dict[str, str] = field(default_factory=dict)
    keys: set[str] = field(default_factory=lambda: {KEY})

    def happened(self, stream: str, **event: Any) -> None:
        """Let something happen, after all that has happened so far."""
        events = self.events.setdefault(stream, [])
        event.setdefault("id", f"{stream}-{len(events) + 1}")
        events.insert(0, event)

    def completed(self, email: str, course: str, at: str, **more: Any) -> None:
        """Let a learner complete a course."""
        first, _, last = email.partition("@")[0].partition(".")
        detail = {"id": f"user-{email}", "firstName": first.title() or None, "lastName": last.title() or None}
        fields = {"event": "courseCompletion", "type": "status_change", "source": "course_completed", "timestamp": at}
        details = {"notifiableId": course, "title": f"Title of {course}", "user": email, "userDetail": detail}
        self.happened("courseCompletion", **{**fields, **details, **more})

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, Any]:  # noqa: C901, PLR0911 - one for each path
        """Answer a request."""
        missing = 404, {"errors": [{"message": "Not found"}]}
        if path.strip("/") in self.not_there:
            return missing
        if status := self.broken.get(path):
            return status, {"errors": [{"message": f"{path} is broken"}]}
        match path.strip("/").split("/"):
            case ["ping"]:
                return 200, {"valid": True}
            case ["users", name]:
                found = [user for user in self.users if name in (user["id"], user["email"])]
                wrapped = self.readings.user_shape == "wrapped"
                return (200, {"data": {"UserById": found[0]}} if wrapped else found[0]) if found else missing
            case ["courseGroups"] if self.counts_groups:
                rows = [{"id": group, "courseCount": len(courses)} for group, courses in self.groups.items()]
                return self._listed("courseGroups", rows, query)
            case ["courseGroups", group, "courses"]:
                return (200, {"courses": self.groups[group]}) if group in self.groups else missing
            case ["content"]:
                if self.readings.types_required and "types" not in query:
                    return 400, {"errors": [{"message": "types is required"}]}
                return self._listed("contentItems", self._asked_content(query), query)
            case ["clients", client, "licenses"]:
                return self._listed("licenses", self.licenses.get(client, []), query)
            case ["events", stream]:
                if self.readings.dates == "iso" and query.get("startDate", "T").isdecimal():
                    return 400, {"errors": [{"message": "startDate must be ISO 8601"}]}
                return self._listed("events", self._asked_events(stream, query), query)
            case ["users" | "clients" as name]:
                return self._listed(name, self.users if name == "users" else self.clients, query)
        return missing

    def _asked_content(self, query: dict[str, str]) -> list[dict[str, Any]]:
        wanted = query.get("query")
        return [item for item in self.content if wanted is None or f"_id:{item['id']}" in wanted.split(" OR ")]

    def _asked_events(self, stream: str, query: dict[str, str]) -> list[dict[str, Any]]:
        events = self.events.get(stream, [])
        if self.readings.dates == "ignored":
            return events
        start, end = (_milliseconds(query[name]) if name in query else None for name in ("startDate", "endDate"))
        return [
            event
            for event in events
            if (start is None or _milliseconds(event["timestamp"]) >= start)
            and (end is None or _milliseconds(event["timestamp"]) <= end)
        ]

    def _listed(self, key: str, rows: list[dict[str, Any]], query: dict[str, str]) -> tuple[int, Any]:
        readings = self.readings
        per_page = (self.content_per_page if key == "contentItems" else None) or self.per_page
        if readings.takes_per_page:
            per_page = int(query.get("perPage", per_page))
        if key == "events" and readings.cursor in ("inclusive", "exclusive"):
            return 200, self._shaped(key, rows, *self._page_by_time(rows, query, per_page))
        start = self._start(rows, query, per_page)
        if start is None:
            return 404, {"errors": [{"message": "Cursor not found"}]}
        shown = rows[start : start + per_page]
        end = start + len(shown)
        information: dict[str, Any] = {"perPage": per_page, "hasMore": end < len(rows)}
        if readings.by_page:
            information["currentPage"] = int(query.get("page", 1))
        else:
            information["cursor"] = urlsafe_b64encode(str(len(rows) - end).encode()).decode()
        return 200, self._shaped(key, rows, shown, information)

    def _start(self, rows: list[dict[str, Any]], query: dict[str, str], per_page: int) -> int | None:
        """Return where a page begins; a cursor counts from the oldest, so that it stays good when rows come."""
        if self.readings.by_page:
            return (int(query.get("page", 1)) - 1) * per_page
        cursor = query.get("cursor")
        if cursor is None or self.readings.cursor == "loops":
            return 0
        try:
            return len(rows) - int(urlsafe_b64decode(cursor)) if self.readings.cursor != "dies" else None
        except ValueError:
            return None

    def _page_by_time(
        self, rows: list[dict[str, Any]], query: dict[str, str], per_page: int
    ) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        left = rows
        if cursor := query.get("cursor"):
            at = int(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            last = at if self.readings.cursor == "inclusive" else at - 1
            left = [row for row in rows if _milliseconds(row["timestamp"]) <= last]
        shown = left[:per_page]
        information: dict[str, Any] = {"perPage": per_page, "hasMore": len(shown) < len(left)}
        if shown:
            text = str(_milliseconds(shown[-1]["timestamp"]))
            information["cursor"] = urlsafe_b64encode(text.encode()).decode().rstrip("=")
        return shown, information

    def _shaped(
        self, key: str, rows: list[dict[str, Any]], shown: list[dict[str, Any]], information: dict[str, Any]
    ) -> dict[str, Any]:
        """Put a page into the shape that answers have."""
        readings = self.readings
        information["total"] = len(rows) + (readings.end == "wrong-total")
        if readings.end != "hasMore":
            has_more = information.pop("hasMore")
            if not has_more:
                information.pop("cursor", None)
        if readings.end == "silent":
            information = {}
        if readings.shape == "meta":
            page = {"page": information["currentPage"]} if "currentPage" in information else {}
            meta = page | {
                "perPage": information["perPage"], "totalCount": information["total"],
                "totalPages": -(-len(rows) // information["perPage"]),
                "nextCursor": information.get("cursor") if information.get("hasMore") else None,
            }  # fmt: skip
            return {"data": shown, "meta": meta}
        body = {key: shown, "pageInfo": information}
        return {"data": {"APIEvents": {**body, "aggregations": {}}}} if readings.shape == "wrapped" else body


def _milliseconds(text: str) -> int:
    if text.isdecimal():
        return int(text)
    return int(datetime.fromisoformat(text).timestamp() * 1000)


class StandIn(LoopbackServer):
    """Serves a site on loopback, as a context manager."""

    def __init__(self, site: Site) -> None:
        super().__init__(_Handler)
        self.site = site


class _Handler(LoopbackHandler):
    def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
        assert isinstance(self.server, StandIn)
        site, parts = self.server.site, urlsplit(self.path)
        site.requests.append(self.path.removeprefix(_API))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if site.answers:
            status, headers, body = site.answers.pop(0)
        elif self.headers.get("Authorization", "").removeprefix("Bearer ") not in site.keys:
            status, headers, body = 401, {}, {"error": "unauthorized", "message": "Invalid API key"}
        else:
            headers = site.headers
            status, body = site.answer(unquote(parts.path.removeprefix(_API)), query)
        self._send(status, headers, body)

    def _send(self, status: int, headers: dict[str, str], body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
