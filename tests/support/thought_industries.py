"""A stand-in of Thought Industries' REST API over a loopback socket.

From the published facts: the paths, the bearer, the keys of the answers in both shapes, cursor and page paging, newest
events first, ``startDate`` in epoch milliseconds, the rate headers and ``Retry-After``. Invented, because nothing says
it: the form of a cursor (base64 of the place), that a cursor stays good however many events come, 404 for one that is
not good, the statuses of enrollments, and ``courseIds`` in a client.
"""

import json
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from credly_cli.lms.dates import read_moment
from tests.support.desk import Desk

KEY = "ti-key-that-nobody-guesses"
EARLY, LATER, LATEST = "2026-01-10T20:50:53.103Z", "2026-02-10T08:00:00.000Z", "2026-03-02T09:00:00.000Z"
_API = "/incoming/v2"


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
    new_shape: bool = False
    by_page: bool = False
    requests: list[str] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], Any]] = field(
        default_factory=list
    )  # given first, in place of the true one
    headers: dict[str, str] = field(default_factory=dict)
    keys: set[str] = field(default_factory=lambda: {KEY})

    def happened(self, stream: str, **event: Any) -> None:
        """Let something happen, after all that has happened so far."""
        told = self.events.setdefault(stream, [])
        event.setdefault("id", f"{stream}-{len(told) + 1}")
        told.insert(0, event)

    def completed(self, email: str, course: str, at: str, **more: Any) -> None:
        """Let a learner complete a course."""
        first, _, last = email.partition("@")[0].partition(".")
        detail = {"id": f"user-{email}", "firstName": first.title() or None, "lastName": last.title() or None}
        told = {"event": "courseCompletion", "type": "status_change", "source": "course_completed", "timestamp": at}
        about = {"notifiableId": course, "title": f"Title of {course}", "user": email, "userDetail": detail}
        self.happened("courseCompletion", **{**told, **about, **more})

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, Any]:  # noqa: PLR0911 - one for each path
        """Answer a request."""
        missing = 404, {"errors": [{"message": "Not found"}]}
        if path.strip("/") in self.not_there:
            return missing
        match path.strip("/").split("/"):
            case ["ping"]:
                return 200, {"valid": True}
            case ["users", name]:
                found = [user for user in self.users if name in (user["id"], user["email"])]
                return (200, found[0]) if found else missing
            case ["content"]:
                return self._listed("contentItems", self._asked_content(query), query)
            case ["clients", client, "licenses"]:
                return self._listed("licenses", self.licenses.get(client, []), query)
            case ["events", stream]:
                return self._listed("events", self._asked_events(stream, query), query)
            case ["users" | "clients" as name]:
                return self._listed(name, self.users if name == "users" else self.clients, query)
        return missing

    def _asked_content(self, query: dict[str, str]) -> list[dict[str, Any]]:
        wanted = query.get("query")
        return [item for item in self.content if wanted is None or f"_id:{item['id']}" in wanted.split(" OR ")]

    def _asked_events(self, stream: str, query: dict[str, str]) -> list[dict[str, Any]]:
        events = self.events.get(stream, [])
        if "startDate" not in query:
            return events
        start = read_moment(query["startDate"]).at
        return [event for event in events if read_moment(event["timestamp"]).at >= start]

    def _listed(self, key: str, rows: list[dict[str, Any]], query: dict[str, str]) -> tuple[int, Any]:
        left = len(rows)  # a cursor counts from the oldest, so that it stays good when something new comes
        if cursor := query.get("cursor"):
            try:
                left = int(urlsafe_b64decode(cursor))
            except ValueError:
                return 404, {"errors": [{"message": "Cursor not found"}]}
        per_page = (self.content_per_page if key == "contentItems" else None) or self.per_page
        start = (int(query.get("page", 1)) - 1) * per_page if self.by_page else len(rows) - left
        shown = rows[start : start + per_page]
        end = start + len(shown)
        information: dict[str, Any] = {"perPage": per_page, "total": len(rows), "hasMore": end < len(rows)}
        if self.by_page:
            information["currentPage"] = int(query.get("page", 1))
        else:
            information["cursor"] = urlsafe_b64encode(str(len(rows) - end).encode()).decode()
        body = {key: shown, "pageInfo": information}
        return 200, {"data": {"APIEvents": body}} if self.new_shape else body


def lms(desk: Desk, *options: str, code: int = 0) -> Any:
    """Run the step that reads the site and return its answer."""
    return desk.json("sync", "--only", "lms", *options, code=code)


class StandIn(ThreadingHTTPServer):
    """Serves a site on loopback, as a context manager."""

    daemon_threads = True

    def __init__(self, site: Site) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.site = site

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> "StandIn":
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that was killed."""

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
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

    def log_message(self, *_: object) -> None:
        pass
