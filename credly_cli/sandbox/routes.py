"""What is done for each route: reads the request, calls the state, gives the answer its shape."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from credly_cli.sandbox import shapes
from credly_cli.sandbox.listing import Listings
from credly_cli.sandbox.messages import Request, Response, Row
from credly_cli.sandbox.paging import address, cut_page, enveloped
from credly_cli.sandbox.records import IssuedBadge, Refusal
from credly_cli.sandbox.state import Sandbox

CREATED = 201
_JSON = {"Content-Type": "application/json; charset=utf-8"}
_NOT_FIELDS = {"filter", "sort", "page", "per"}


@dataclass(frozen=True)
class Call:
    """A request on its way: whose organization it is about, and the id in its path."""

    sandbox: Sandbox
    listings: Listings
    request: Request
    id: str = ""

    def parameter(self, name: str) -> str:
        """Return a parameter of the query, empty if it is not there."""
        return self.request.parameters.get(name, "")

    def badge_row(self, badge: IssuedBadge) -> Row:
        """Return an issued badge in full."""
        return shapes.badge_row(badge, self.sandbox.organization, self.request.origin)


def as_response(body: Row, status: int = 200) -> Response:
    """Write an answer as JSON."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    try:
        return Response(status, text.encode(), _JSON)
    except UnicodeEncodeError:  # half a surrogate pair, which only an escape can carry
        return Response(status, json.dumps(body, separators=(",", ":")).encode(), _JSON)


def _single(row: Row, status: int = 200) -> Response:
    return as_response({"data": row, "metadata": {}}, status)


def _listed(call: Call, rows: Any, render: Callable[[Any], Row]) -> Response:
    page = cut_page(rows, call.request, call.sandbox.switches)
    return as_response(enveloped([render(row) for row in page.rows], page.metadata, call.sandbox.switches))


def read_fields(request: Request) -> dict[str, Any]:
    """Return what was sent, as JSON or as a form, over what the query says."""
    fields: dict[str, Any] = {name: value for name, value in request.parameters.items() if name not in _NOT_FIELDS}
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


def list_organizations(call: Call) -> Response:
    """GET /organizations."""
    return _listed(call, call.sandbox.organizations(), lambda sandbox: sandbox.organization)


def get_organization(call: Call) -> Response:
    """GET /organizations/<org>."""
    return _single(call.sandbox.organization)


def list_tokens(call: Call) -> Response:
    """GET .../authorization_tokens."""
    if status := call.sandbox.switches.tokens_status:
        raise Refusal("Not available", status=status)  # invented
    organization, origin = call.sandbox.organization, call.request.origin
    return _listed(call, call.sandbox.tokens, lambda token: shapes.token_row(token, organization, origin))


def rotate_token(call: Call) -> Response:
    """POST .../authorization_tokens/rotate."""
    token = call.sandbox.rotate_token()
    return _single(shapes.token_row(token, call.sandbox.organization, call.request.origin), CREATED)


def list_templates(call: Call) -> Response:
    """GET .../badge_templates."""
    rows = call.listings.templates(call.parameter("filter"), call.parameter("sort"))
    return _listed(call, rows, lambda row: row)


def get_template(call: Call) -> Response:
    """GET .../badge_templates/<id>."""
    template = call.sandbox.templates.get(call.id)
    if template is None:
        raise Refusal("Badge template not found", status=404)  # invented
    return _single(shapes.template_detail(template))


def list_badges(call: Call) -> Response:
    """GET .../badges."""
    return _listed(call, call.listings.badges(call.parameter("filter"), call.parameter("sort")), call.badge_row)


def get_badge(call: Call) -> Response:
    """GET .../badges/<id>."""
    return _single(call.badge_row(call.sandbox.badge(call.id)))


def issue_badge(call: Call) -> Response:
    """POST .../badges."""
    return _single(call.badge_row(call.sandbox.issue(read_fields(call.request))), CREATED)


def issue_batch(call: Call) -> Response:
    """POST .../badges/batch."""
    batch = read_fields(call.request).get("badges")
    if not isinstance(batch, list) or not all(isinstance(each, Mapping) for each in batch):
        raise Refusal("Bad request", status=400)  # invented
    if len(batch) > call.sandbox.switches.batch_limit:
        raise Refusal("Too many badges in one batch")  # invented
    badges = call.sandbox.issue_all(batch)
    return as_response({"data": [call.badge_row(badge) for badge in badges], "metadata": {}}, CREATED)


def replace_badge(call: Call) -> Response:
    """POST .../badges/<id>/replace."""
    return _single(call.badge_row(call.sandbox.replace(call.id, read_fields(call.request))), CREATED)


def revoke_badge(call: Call) -> Response:
    """PUT .../badges/<id>/revoke."""
    reason = read_fields(call.request).get("reason")
    return _single(call.badge_row(call.sandbox.revoke(call.id, None if reason is None else str(reason))))


def delete_badge(call: Call) -> Response:
    """DELETE .../badges/<id>."""
    call.sandbox.delete(call.id)
    return Response(204)


def search_badges(call: Call) -> Response:
    """GET .../high_volume_issued_badge_search."""
    if status := call.sandbox.switches.search_status:
        raise Refusal("Not available", status=status)  # invented
    badges, cursor = call.listings.badges_after(call.parameter("filter"), call.parameter("page_token"))
    render = shapes.minimal_badge_row if call.parameter("badge_format") == "minimal" else call.badge_row
    following = call.request.parameters | {"page_token": cursor} if cursor else None  # invented: its name
    next_page_url = address(call.request, following) if following else None
    return as_response({"data": [render(badge) for badge in badges], "metadata": {"next_page_url": next_page_url}})


def list_events(call: Call) -> Response:
    """GET .../events."""
    organization, origin = call.sandbox.organization, call.request.origin
    return _listed(call, call.sandbox.events, lambda event: shapes.event_row(event, organization, origin))


def get_event(call: Call) -> Response:
    """GET .../events/<id>."""
    for event in call.sandbox.events:
        if event.id == call.id:
            return _single(shapes.event_row(event, call.sandbox.organization, call.request.origin))
    raise Refusal("Event not found", status=404)  # invented


Handler = Callable[[Call], Response]

ROUTES: dict[tuple[str, str], Handler] = {
    ("GET", ""): get_organization,
    ("GET", "authorization_tokens"): list_tokens,
    ("POST", "authorization_tokens/rotate"): rotate_token,
    ("GET", "badge_templates"): list_templates,
    ("GET", "badge_templates/*"): get_template,
    ("GET", "badges"): list_badges,
    ("POST", "badges"): issue_badge,
    ("POST", "badges/batch"): issue_batch,
    ("GET", "badges/*"): get_badge,
    ("DELETE", "badges/*"): delete_badge,
    ("POST", "badges/*/replace"): replace_badge,
    ("PUT", "badges/*/revoke"): revoke_badge,
    ("GET", "high_volume_issued_badge_search"): search_badges,
    ("GET", "events"): list_events,
    ("GET", "events/*"): get_event,
}
