"""The account that the questions are asked with: few badges, no mail, and every badge revoked at the end."""

import contextlib
import copy
import http.client
import json
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from credly_cli.http.auth import Auth
from credly_cli.http.connection import TimeLimit
from credly_cli.http.response import NotSentError, Reply, UnclearError
from credly_cli.http.session import Session
from credly_cli.times import Clock

MOST_BADGES = 10
PATIENCE = 30  # seconds to wait for a badge to be listed
ISSUED_AT = "2025-03-01 09:41:07 +0000"
_BYTES = 32 * 1024 * 1024
_SECONDS = 90.0


class NotAskedError(Exception):
    """A question cannot be asked with this account; says why."""


@dataclass(frozen=True)
class _Header:
    """Another header than the account's own."""

    own: Auth
    value: str

    def header(self) -> str:
        return self.value

    def renew(self, refused: str) -> bool:  # noqa: ARG002 - as the others are called
        return False

    def secrets(self) -> tuple[str, ...]:
        return (*self.own.secrets(), self.value)


class Wire(Session):
    """Requests as the program makes them, each once, whose every answer is told."""

    def without_colon(self) -> "Wire":
        """Return the same with the token alone in its header, as some clients send it."""
        return self._with_header(b64encode(b64decode(self._header().removeprefix("Basic ")).removesuffix(b":")))

    def is_own(self, token: str) -> bool:
        """Tell whether this is the account's own token."""
        return token in self._auth.secrets()

    def with_token(self, token: str) -> "Wire":
        """Return the same with another token."""
        return self._with_header(b64encode(f"{token}:".encode()))

    def _header(self) -> str:
        return self._auth.header()

    def _with_header(self, pair: bytes) -> "Wire":
        other = copy.copy(self)
        other._auth = _Header(self._auth, f"Basic {pair.decode()}")
        return other

    def send_and_leave(self, path: str, body: dict[str, Any]) -> None:
        """Send a request and close the connection before its answer."""
        parts = urlsplit(self.api_url)
        secure = parts.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        with contextlib.closing(connect(parts.hostname or "", parts.port, timeout=10)) as connection:
            headers = {"Authorization": self._header(), "Content-Type": "application/json"}
            connection.request("POST", f"{parts.path}{path}", json.dumps(body), headers)

    def ask(self, method: str, path: str, **options: Any) -> Reply:
        try:
            limit = TimeLimit(_SECONDS, self.deadline, self.interruption)
            return self._reply(*self._exchange(limit, self._prepared(method, path, **options), _BYTES))
        except (NotSentError, UnclearError) as error:
            raise NotAskedError(f"no answer ({error})") from None


@dataclass
class Account:
    """What the owner lets us use: an organization, an address, and badges to issue."""

    wire: Wire
    clock: Clock
    email: str
    badges: tuple[str, ...] = ()  # ids that the owner named; else one that allows duplicates is taken
    organization_id: str = ""
    templates: list[dict[str, Any]] = field(default_factory=list)
    issued: dict[str, str] = field(default_factory=dict)  # id of each badge, with its state
    marks: list[str] = field(default_factory=list)
    mark_of_first: str = ""
    _first: dict[str, Any] = field(default_factory=dict)

    def open(self) -> str:
        """Find the organization and its badges; returns the organization's name."""
        rows = rows_of(self.wire.ask("GET", "/organizations"))
        if len(rows) != 1:
            raise NotAskedError(f"the token has {len(rows)} organizations, or none was told")
        self.organization_id = rows[0]["id"]
        self.templates = rows_of(self.get("/badge_templates", filter="state::active", sort="created_at"))
        return str(rows[0]["name"])

    def get(self, path: str, **parameters: str | int) -> Reply:
        return self.wire.ask("GET", f"/organizations/{self.organization_id}{path}", params=parameters)

    def badge(self, *, repeatable: bool | None = None) -> str:
        """Return a badge to issue: one that allows duplicates, or one that does not; the former if that is all one."""
        wanted = (True, False) if repeatable is None else (repeatable,)
        for allows in wanted:
            for row in self.templates:
                named = row["id"] in self.badges if self.badges else allows
                if named and (row.get("allow_duplicate_badges") is True) == allows:
                    return str(row["id"])
        kind = {True: " that allows duplicates", False: " that forbids duplicates", None: ""}[repeatable]
        raise NotAskedError(f"needs an active badge{kind} in CREDLY_TEST_BADGES")

    def new_mark(self) -> str:
        """Return an earner id of 64 characters, in all the letters that the program uses."""
        mark = f"Contract.test_{secrets.token_hex(8)}~".ljust(63, "-") + "Z"
        self.marks.append(mark)
        return mark

    def first(self) -> dict[str, Any]:
        """Return the first badge, as it was answered; issues it when it is first wanted."""
        if not self._first:
            reply = self.issue(self.badge())
            if reply.status != 201:
                raise NotAskedError(f"the first badge was answered with {told(reply)}")
            self.mark_of_first, self._first = self.marks[-1], data_of(reply)
        return self._first

    def body(self, badge_id: str, **changes: Any) -> dict[str, Any]:
        usual = {"issued_at": ISSUED_AT, "issued_to_first_name": "Contract", "issued_to_last_name": "Test"}
        fields = {"recipient_email": self.email, "badge_template_id": badge_id, **usual, **changes}
        fields["issuer_earner_id"] = fields.get("issuer_earner_id") or self.new_mark()
        return {**fields, "suppress_badge_notification_email": True}

    def issue(self, badge_id: str, *, headers: dict[str, str] | None = None, **changes: Any) -> Reply:
        """Try to issue a badge, and remember it."""
        if len(self.issued) >= MOST_BADGES:
            raise NotAskedError(f"{MOST_BADGES} badges are enough")
        return self.post("/badges", self.body(badge_id, **changes), headers)

    def post(self, path: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> Reply:
        reply = self.wire.ask(
            "POST", f"/organizations/{self.organization_id}{path}", data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **(headers or {})},
        )  # fmt: skip
        if identity := data_of(reply).get("id"):
            self.issued[identity] = data_of(reply).get("state", "")
        return reply

    def revoke(self, identity: str) -> Reply:
        reason = {"reason": "Issued by a test.", "suppress_revoke_notification_email": True}
        reply = self.wire.ask(
            "PUT", f"/organizations/{self.organization_id}/badges/{identity}/revoke",
            data=json.dumps(reason).encode(), headers={"Content-Type": "application/json"},
        )  # fmt: skip
        if reply.status == 200:
            self.issued[identity] = "revoked"
        return reply

    def found(self, **filters: str) -> list[dict[str, Any]]:
        """List issued badges by a filter."""
        return rows_of(self.get("/badges", filter="|".join(f"{key}::{value}" for key, value in filters.items())))

    def seconds_until_found(self, mark: str) -> int | None:
        """Wait for a badge to be listed under its mark; ``None`` if it is not in time."""
        for second in range(PATIENCE + 1):
            if rows := self.found(issuer_earner_id=mark):
                self._remember(mark, rows)
                return second
            self.clock.sleep(1)
        return None

    def _remember(self, mark: str, rows: list[dict[str, Any]]) -> None:
        self.issued |= {row["id"]: row["state"] for row in rows if row.get("issuer_earner_id") == mark}

    def close(self) -> list[str]:
        """Revoke every badge, also those whose answers were lost; returns what could not be revoked."""
        with contextlib.suppress(NotAskedError):
            for mark in self.marks:
                self._remember(mark, self.found(issuer_earner_id=mark))
        for identity in [identity for identity, state in self.issued.items() if state != "revoked"]:
            with contextlib.suppress(NotAskedError):
                self.revoke(identity)
        return [identity for identity, state in self.issued.items() if state != "revoked"]


def rows_of(reply: Reply) -> list[dict[str, Any]]:
    """Return the rows of a list; none of an answer that is no list."""
    rows = reply.json.get("data") if isinstance(reply.json, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def data_of(reply: Reply) -> dict[str, Any]:
    """Return the object of an answer that succeeded, an empty one for any other."""
    data = reply.json.get("data") if reply.status in (200, 201) and isinstance(reply.json, dict) else None
    return data if isinstance(data, dict) else {}


def told(reply: Reply) -> str:
    """Say what came back: the status, and Credly's words and the attributes that it names, where there are any."""
    words = "" if reply.message == f"status {reply.status}" else f": {reply.message}"
    data = reply.json.get("data") if isinstance(reply.json, dict) else None
    errors = data.get("errors") if isinstance(data, dict) else None
    rows = [row for row in errors if isinstance(row, dict)] if isinstance(errors, list) else []
    named = f" [{', '.join(str(row.get('attribute')) for row in rows)}]" if rows else ""
    return f"{reply.status}{words}{named}"
