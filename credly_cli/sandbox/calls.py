"""One request on its way through the stand-in, and the forms of answers."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from credly_cli.sandbox import shapes
from credly_cli.sandbox.lists import Listings, cut_page, enveloped
from credly_cli.sandbox.records import EarnedBadge, Refusal, Request, Response, Row, Token
from credly_cli.sandbox.state import Sandbox

_JSON = {"Content-Type": "application/json; charset=utf-8"}
_NOT_FIELDS = {"filter", "sort", "page", "per"}


@dataclass(frozen=True)
class Call:
    """A request on its way: whose organization it is about, and the id in its path."""

    sandbox: Sandbox
    listings: Listings
    request: Request
    token: Token
    id: str = ""

    def parameter(self, name: str) -> str:
        """Return a parameter of the query, empty if it is not there."""
        return self.request.parameters.get(name, "")

    def badge_row(self, badge: EarnedBadge) -> Row:
        """Return an issued badge in full."""
        return shapes.badge_row(badge, self.sandbox.organization, self.request.origin)


def as_response(body: Row, status: int = 200) -> Response:
    """Write an answer as JSON."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    try:
        return Response(status, text.encode(), _JSON)
    except UnicodeEncodeError:  # half a surrogate pair, which only an escape can carry
        return Response(status, json.dumps(body, separators=(",", ":")).encode(), _JSON)


def single(row: Row, status: int = 200) -> Response:
    """Answer one row."""
    return as_response({"data": row, "metadata": {}}, status)


def listed(call: Call, rows: Any, render: Callable[[Any], Row]) -> Response:
    """Answer the page of rows that was asked for."""
    page = cut_page(rows, call.request, call.sandbox.switches)
    return as_response(enveloped([render(row) for row in page.rows], page.metadata, call.sandbox.switches))


def read_fields(request: Request) -> Row:
    """Return what was sent, as JSON or as a form, over what the query says."""
    fields: Row = {name: value for name, value in request.parameters.items() if name not in _NOT_FIELDS}
    if not request.body.strip():
        return fields
    if "x-www-form-urlencoded" in request.headers.get("content-type", ""):
        return fields | dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise Refusal("Bad request", status=400) from None  # invented
    if not isinstance(body, dict):
        raise Refusal("Bad request", status=400)  # invented
    return fields | body
