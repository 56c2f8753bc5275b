"""A stand-in of a learning record store: the statement API of xAPI 1.0.3 and 2.0, as far as reading progress takes it.

As the standard has it: versions, Basic authentication, writing one or several statements, reading them by verb, agent,
activity, registration, ``since`` and ``until`` of the time of storing, newest first or ascending, in pages with
``more``, voided ones left out, ``X-Experience-API-Consistent-Through``. INVENTED: the form of ``more``, the words of
errors, 500 statements a page. Not there: attachments, documents, agents and activities as resources, ``format``.
"""

import json
import secrets
import threading
import uuid
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from credly_cli.sandbox.calls import as_response
from credly_cli.sandbox.records import Request, Response
from credly_cli.text import JsonObject

PATH = "/xapi"
VERSIONS = ("1.0.3", "2.0.0")
VOIDED = "http://adlnet.gov/expapi/verbs/voided"
_PER_PAGE = 500
_NEEDED = ("actor", "verb", "object")
Statement = JsonObject


class _RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(slots=True)
class Entry:
    """A statement as stored: its place in the order of storing, when that was, and its JSON."""

    number: int
    stored: str
    id: str
    verb: str
    statement: Statement
    text: bytes


@dataclass
class RecordStore:
    """Keeps statements in memory and answers requests about them."""

    user: str = "credly"
    password: str = field(default_factory=lambda: secrets.token_hex(12))
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    per_page: int = _PER_PAGE
    says_consistent: bool = True
    versions: tuple[str, ...] = VERSIONS
    entries: list[Entry] = field(default_factory=list)  # in the order of storing
    _by_id: dict[str, Entry] = field(default_factory=dict)
    _voided: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # What tests and the demo do without a request

    def store(self, *statements: Statement, stored: str | None = None) -> list[str]:
        """Store statements, now or at a time; returns their ids. One whose id is there already is not stored again."""
        at = stored or self.now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._lock:
            return [self._add(statement, at) for statement in statements]

    def _add(self, statement: Statement, at: str) -> str:
        identity = str(statement.get("id") or uuid.uuid4())
        if identity in self._by_id:
            return identity
        kept = {"timestamp": at, "version": self.versions[0], **statement, "id": identity, "stored": at}
        entry = Entry(len(self.entries), at, identity, str(kept["verb"].get("id")), kept, json.dumps(kept).encode())
        self.entries.append(entry)
        self._by_id[identity] = entry
        if entry.verb == VOIDED:
            self._voided.add(str(kept["object"].get("id")))
        return identity

    # Requests

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        try:
            answer = self._answer(request)
        except _RefusedError as refused:
            answer = as_response({"error": True, "message": refused.message}, refused.status)
        headers = {"X-Experience-API-Version": self.versions[-1], "Date": format_datetime(self.now(), usegmt=True)}
        return Response(answer.status, answer.body, {**headers, **answer.headers})

    def _answer(self, request: Request) -> Response:
        match request.method, request.path.removeprefix(PATH).rstrip("/"):
            case "GET", "/about":
                return as_response({"version": list(self.versions)})
            case "GET", "/statements":
                self._admit(request)
                return self._listed(request)
            case "POST" | "PUT", "/statements":
                self._admit(request)
                return self._written(request)
        raise _RefusedError(404, "There is nothing here")

    def _admit(self, request: Request) -> None:
        pair = b64encode(f"{self.user}:{self.password}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {pair}":
            raise _RefusedError(401, "The user or the password is wrong")
        wanted = request.headers.get("x-experience-api-version", "")
        if not any(wanted.split(".")[:2] == version.split(".")[:2] for version in self.versions):
            raise _RefusedError(400, f"X-Experience-API-Version {wanted!r} is not spoken here")

    def _written(self, request: Request) -> Response:
        try:
            body = json.loads(request.body)
        except ValueError:
            raise _RefusedError(400, "The body is not JSON") from None
        statements = body if isinstance(body, list) else [body]
        for statement in statements:
            if not isinstance(statement, dict) or not all(isinstance(statement.get(name), dict) for name in _NEEDED):
                raise _RefusedError(400, "A statement needs actor, verb and object")
        if identity := request.parameters.get("statementId"):
            statements = [{**statements[0], "id": identity}]
        ids = self.store(*statements)
        return Response(204) if request.method == "PUT" else as_json(ids)

    def _listed(self, request: Request) -> Response:
        asked = self.parameters(request)
        headers = {"Content-Type": "application/json", **self._consistent()}
        for name, wants_voided in (("statementId", False), ("voidedStatementId", True)):
            if name in asked:
                entry = self._by_id.get(asked[name])
                if entry is None or (entry.id in self._voided) != wants_voided:
                    raise _RefusedError(404, "There is no such statement")
                return Response(200, entry.text, headers)
        per_page = min(int(asked.get("limit") or 0) or self.per_page, self.per_page)
        rows, more = self.page(asked, per_page)
        listed = b",".join(row.text for row in rows)
        return Response(200, b'{"statements":[%s],"more":%s}' % (listed, json.dumps(more).encode()), headers)

    def parameters(self, request: Request) -> dict[str, str]:
        """Return what is asked for: what ``more`` stands for, or the query itself."""
        asked = request.parameters
        if "more" not in asked:
            return asked
        try:
            found: dict[str, str] = json.loads(urlsafe_b64decode(asked["more"]))
        except ValueError:
            raise _RefusedError(404, "This place is not known any more") from None
        return found

    def page(self, asked: Mapping[str, str], per_page: int) -> tuple[list[Entry], str]:
        """Return a page of statements, and where there are more."""
        rows: list[Entry] = []
        for entry in self._chosen(asked):
            if len(rows) == per_page:
                place = json.dumps({**asked, "after": str(rows[-1].number)}).encode()
                return rows, f"{PATH}/statements?more={urlsafe_b64encode(place).decode()}"
            rows.append(entry)
        return rows, ""

    def _chosen(self, asked: Mapping[str, str]) -> Iterator[Entry]:
        ascending = asked.get("ascending") == "true"
        first, last = self._range(asked)
        after = int(asked["after"]) if "after" in asked else None
        if after is not None:
            first, last = (max(first, after + 1), last) if ascending else (first, min(last, after))
        numbers: Iterable[int] = range(first, last) if ascending else range(last - 1, first - 1, -1)
        for entry in map(self.entries.__getitem__, numbers):
            if entry.id not in self._voided and self.fits(entry, asked):
                yield entry

    def _range(self, asked: Mapping[str, str]) -> tuple[int, int]:
        stored = _Times(self.entries)
        first = bisect_right(stored, _time(asked["since"])) if "since" in asked else 0
        last = bisect_right(stored, _time(asked["until"])) if "until" in asked else len(self.entries)
        return first, last

    def fits(self, entry: Entry, asked: Mapping[str, str]) -> bool:
        """Tell whether a statement is one of those asked for."""
        context = entry.statement.get("context") or {}
        if "verb" in asked and entry.verb != asked["verb"]:
            return False
        if "activity" in asked and entry.statement["object"].get("id") != asked["activity"]:
            return False
        if "registration" in asked and context.get("registration") != asked["registration"]:
            return False
        return "agent" not in asked or _is_agent(entry.statement["actor"], asked["agent"])

    def _consistent(self) -> dict[str, str]:
        at = self.now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"X-Experience-API-Consistent-Through": at} if self.says_consistent else {}


class _Times:
    """The times of storing of entries, for ``bisect``."""

    def __init__(self, entries: list[Entry]) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, number: int) -> datetime:
        return _time(self._entries[number].stored)


def as_json(value: Any) -> Response:
    """Answer any JSON."""
    return Response(200, json.dumps(value).encode(), {"Content-Type": "application/json"})


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _RefusedError(400, f"{text!r} is no time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_agent(actor: Mapping[str, Any], asked: str) -> bool:
    try:
        wanted = json.loads(asked)
    except ValueError:
        raise _RefusedError(400, "agent is not JSON") from None
    names = ("mbox", "mbox_sha1sum", "openid", "account")
    return any(wanted.get(name) and wanted[name] == actor.get(name) for name in names)
