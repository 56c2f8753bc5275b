"""A learning record store over a loopback socket, with what real ones do otherwise than the standard says."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from credly_cli.sandbox.record_store import PATH, Entry, RecordStore
from credly_cli.sandbox.records import Request, Response
from tests.support.loopback import LoopbackHandler, LoopbackServer

USER, PASSWORD = "key", "secret of the store"
_ADL = "http://adlnet.gov/expapi/verbs/"


@dataclass
class OddStore(RecordStore):
    """A store that may be odd.

    ``ignores`` are parameters that it does not look at. ``by_timestamp`` compares times with ``timestamp``, and
    ``tells_no_verb`` tells nothing to who asks for a verb: Ralph's file backend is so, which also reverses each page
    where it is asked to ascend (``reverses``).
    """

    user: str = USER
    password: str = PASSWORD
    per_page: int = 100
    ignores: frozenset[str] = frozenset()
    by_timestamp: bool = False
    tells_no_verb: bool = False
    reverses: bool = False
    forgets_places: bool = False  # `more` is good for nothing
    more_is: str = ""  # told in place of the true one
    answers: list[Response] = field(default_factory=list)  # given first, in place of the true ones
    requests: list[str] = field(default_factory=list)
    refuses_limit: bool = False
    breaks_at: frozenset[int] = frozenset()  # requests that are answered with a fault that does not pass

    def handle(self, request: Request) -> Response:
        self.requests.append(request.target.removeprefix(PATH))
        if len(self.requests) in self.breaks_at:
            return answer(418, {"message": "broken off"})
        if self.answers:
            return self.answers.pop(0)
        if self.refuses_limit and "limit" in request.parameters:
            return answer(400, {"message": "limit is too high"})
        if self.forgets_places and "more" in request.parameters:
            return answer(404, {"message": "expired"})
        return super().handle(request)

    def parameters(self, request: Request) -> dict[str, str]:
        asked = super().parameters(request)
        if "more" in request.parameters:
            return asked
        return {name: value for name, value in asked.items() if name not in self.ignores}

    def page(self, asked: Mapping[str, str], per_page: int) -> tuple[list[Entry], str]:
        if self.tells_no_verb and "verb" in asked:
            return [], ""
        rows, more = super().page(asked, per_page)
        if self.reverses and asked.get("ascending"):
            rows.reverse()
        return rows, (self.more_is if more and self.more_is else more)

    def _chosen(self, asked: Mapping[str, str]) -> Iterator[Entry]:
        return super()._chosen({**asked, "ascending": "true"} if self.reverses else asked)

    def _range(self, asked: Mapping[str, str]) -> tuple[int, int]:
        return (0, len(self.entries)) if self.by_timestamp else super()._range(asked)

    def fits(self, entry: Entry, asked: Mapping[str, str]) -> bool:
        if self.by_timestamp:
            at = entry.statement["timestamp"]
            if at <= asked.get("since", "") or at > asked.get("until", "~"):
                return False
        return super().fits(entry, asked)

    def queries(self) -> list[dict[str, str]]:
        """Return the parameters of the requests for first pages."""
        asked = [urlsplit(target) for target in self.requests]
        found = [{name: values[0] for name, values in parse_qs(parts.query).items()} for parts in asked]
        return [each for each in found if "more" not in each]


def answer(status: int, body: Any, **headers: str) -> Response:
    """Make an answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, data, {name.replace("_", "-"): value for name, value in headers.items()})


def said(verb: str, email: str, activity: str, at: str, **more: Any) -> dict[str, Any]:
    """Make a statement: who did what to which activity."""
    first, _, last = email.partition("@")[0].partition(".")
    actor = {"objectType": "Agent", "mbox": f"mailto:{email}", "name": f"{first.title()} {last.title()}".strip()}
    identity = verb if "/" in verb else f"{_ADL}{verb}"
    return {"actor": actor, "verb": {"id": identity}, "object": {"id": activity}, "timestamp": at, **more}


def voiding(statement: str) -> dict[str, Any]:
    """Make the statement that voids another."""
    actor = {"mbox": "mailto:admin@example.org"}
    return {"actor": actor, "verb": {"id": f"{_ADL}voided"}, "object": {"objectType": "StatementRef", "id": statement}}


def configuration(url: str, more: str = "") -> str:
    """Return the configuration that reads a store."""
    return f'[lms]\nsource = "xapi"\n[lms.xapi]\nendpoint = "{url}{PATH}"\nuser = "{USER}"\n{more}'


class StoreServer(LoopbackServer):
    """Serves a store on loopback, as a context manager."""

    def __init__(self, store: RecordStore) -> None:
        super().__init__(_Handler)
        self.store = store


class _Handler(LoopbackHandler):
    def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
        assert isinstance(self.server, StoreServer)
        reply = self.server.store.handle(Request.to_url("GET", f"http://x{self.path}", dict(self.headers.items())))
        self.send_response_only(reply.status)
        for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)
