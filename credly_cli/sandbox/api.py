"""The stand-in Credly API: a request in, an answer out, over whatever transport.

Shapes, routes and status codes are as documented by Credly or recorded from it. The following is INVENTED, because
nothing is known of it; each place says ``# invented``, and no test of the tool may depend on it:

- the text and most of the body of every 400, 401, 402, 403, 404, 429 and 500, and 404 for another organization's id or
  a wrong method, 403 for a token without the right
- the texts of 422 for blank or unreadable fields, unknown filter keys, archived or draft templates, a badge revoked
  twice, a batch too large, and the words beside each attribute of a duplicate (the attributes, the texts about the
  template's id, "User already has this badge" and "already been replaced" are recorded)
- page size (1,000), ``page_token`` and form of the cursor of the high-volume search, and that it is in order of issue
- issued badges and events are listed in order of issue; a ``page`` that is no number means the first
- ``total_pages`` of lists that are not templates; that ``per`` is ignored
- a date alone is midnight UTC, a time without zone is UTC, fractions are cut, times to come are taken
- the default expiry of a template is an absolute time in ``default_expires_at``
- deleting a badge counts the template's counters back, revoking does not; a replaced badge does not block re-issuing
- ``duplicate_behavior: replace`` answers 201 with the badge that was changed; a batch of more than 50 is refused
- country codes other than that of the United States; ``print_method`` of every badge is "custom"
- which scope of OAuth opens which path
- a lag of the lists hides new badges only, changes show at once

Not there: webhooks, writing organizations and templates, Open Badges.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import format_datetime
from threading import Lock

from credly_cli.sandbox import shapes
from credly_cli.sandbox.calls import Call, as_response, listed, read_fields, single
from credly_cli.sandbox.lists import Listings, address, is_last_page
from credly_cli.sandbox.oauth import OAuthError, bearer, granted, needed_scope, requested_scopes
from credly_cli.sandbox.records import Refusal, Request, Response, Token
from credly_cli.sandbox.state import Sandbox

CREATED = 201
_UNKNOWN_BODIES = (401, 403, 404, 429)


def list_organizations(call: Call) -> Response:
    """GET /organizations."""
    if status := call.sandbox.switches.organizations_status:
        raise Refusal("Not available", status=status)  # invented
    return listed(call, call.sandbox.organizations(), lambda sandbox: sandbox.organization)


def get_organization(call: Call) -> Response:
    """GET /organizations/<org>."""
    return single(call.sandbox.organization)


def list_tokens(call: Call) -> Response:
    """GET .../authorization_tokens."""
    if status := call.sandbox.switches.tokens_status:
        raise Refusal("Not available", status=status)  # invented
    organization, origin, switches = call.sandbox.organization, call.request.origin, call.sandbox.switches
    tokens = [
        token
        for token in call.sandbox.tokens
        if (switches.own_token_listed or token is not call.token)
        and (_may_change(call.token) or not _may_change(token))
    ]
    return listed(call, tokens, lambda token: shapes.token_row(token, organization, origin, switches.tokens_shown))


def rotate_token(call: Call) -> Response:
    """POST .../authorization_tokens/rotate."""
    token = call.sandbox.rotate_token()
    return single(shapes.token_row(token, call.sandbox.organization, call.request.origin), CREATED)


def list_templates(call: Call) -> Response:
    """GET .../badge_templates."""
    rows = call.listings.templates(call.parameter("filter"), call.parameter("sort"))
    return listed(call, rows, lambda row: row)


def get_template(call: Call) -> Response:
    """GET .../badge_templates/<id>."""
    template = call.sandbox.templates.get(call.id)
    if template is None:
        raise Refusal("Badge template not found", status=404)  # invented
    return single(shapes.template_detail(template))


def list_badges(call: Call) -> Response:
    """GET .../badges."""
    badges = call.listings.badges(call.parameter("filter"), call.parameter("sort"))
    answer = listed(call, badges, call.badge_row)
    if call.sandbox.switches.list_grows and not is_last_page(badges, call.request, call.sandbox.switches):
        call.sandbox.issue_to_stranger()
    return answer


def get_badge(call: Call) -> Response:
    """GET .../badges/<id>."""
    return single(call.badge_row(call.sandbox.badge(call.id)))


def issue_badge(call: Call) -> Response:
    """POST .../badges."""
    return single(call.badge_row(call.sandbox.issue(read_fields(call.request))), CREATED)


def issue_batch(call: Call) -> Response:
    """POST .../badges/batch."""
    if status := call.sandbox.switches.batch_status:
        raise Refusal("Not available", status=status)  # invented
    batch = read_fields(call.request).get("badges")
    if not isinstance(batch, list) or not all(isinstance(each, Mapping) for each in batch):
        raise Refusal("Bad request", status=400)  # invented
    if len(batch) > call.sandbox.switches.batch_limit:
        raise Refusal("Too many badges in one batch")  # invented
    badges = call.sandbox.issue_all(batch)
    return as_response({"data": [call.badge_row(badge) for badge in badges], "metadata": {}}, CREATED)


def replace_badge(call: Call) -> Response:
    """POST .../badges/<id>/replace."""
    return single(call.badge_row(call.sandbox.replace(call.id, read_fields(call.request))), CREATED)


def revoke_badge(call: Call) -> Response:
    """PUT .../badges/<id>/revoke."""
    reason = read_fields(call.request).get("reason")
    return single(call.badge_row(call.sandbox.revoke(call.id, None if reason is None else str(reason))))


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
    next_page_url = address(call.request, following, call.sandbox.switches.links_to) if following else None
    metadata = {"next_page_url": next_page_url} if call.sandbox.switches.search_links else {}
    return as_response({"data": [render(badge) for badge in badges], "metadata": metadata})


def list_events(call: Call) -> Response:
    """GET .../events."""
    organization, origin = call.sandbox.organization, call.request.origin
    return listed(call, call.sandbox.events, lambda event: shapes.event_row(event, organization, origin))


def get_event(call: Call) -> Response:
    """GET .../events/<id>."""
    for event in call.sandbox.events:
        if event.id == call.id:
            return single(shapes.event_row(event, call.sandbox.organization, call.request.origin))
    raise Refusal("Event not found", status=404)  # invented


def list_employees(call: Call) -> Response:
    """GET .../employees."""
    return listed(call, list(call.sandbox.staff.employees.values()), lambda row: row)


def get_employee(call: Call) -> Response:
    """GET .../employees/<id>, and with ``data`` after it."""
    return single(call.sandbox.staff.employee(call.id))


def add_employee(call: Call) -> Response:
    """POST .../employees."""
    return single(call.sandbox.staff.add(read_fields(call.request), call.sandbox.now()), CREATED)


def change_employee(call: Call) -> Response:
    """PUT .../employees/<id>."""
    return single(call.sandbox.staff.change(call.id, read_fields(call.request), call.sandbox.now()))


def delete_employee(call: Call) -> Response:
    """DELETE .../employees/<id>."""
    call.sandbox.staff.employees.pop(str(call.sandbox.staff.employee(call.id)["id"]))
    return Response(204)


def invite_employees(call: Call) -> Response:
    """POST .../employees/send_invitations."""
    invited = call.sandbox.staff.invite(read_fields(call.request), call.sandbox.now())
    return as_response({"data": invited, "metadata": {}})  # invented


def list_issuers(call: Call) -> Response:
    """GET .../issuers: who may issue for this organization."""
    return listed(call, list(call.sandbox.staff.issuers.values()), lambda row: row)


def remove_issuer(call: Call) -> Response:
    """DELETE .../issuers/<id>."""
    call.sandbox.staff.remove_issuer(call.id)
    return Response(204)


def list_grantors(call: Call) -> Response:
    """GET .../grantors: for whom this organization may issue."""
    return listed(call, call.sandbox.staff.grantors, lambda row: row)


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
    ("GET", "employees"): list_employees,
    ("POST", "employees"): add_employee,
    ("POST", "employees/send_invitations"): invite_employees,
    ("GET", "employees/*"): get_employee,
    ("PUT", "employees/*"): change_employee,
    ("DELETE", "employees/*"): delete_employee,
    ("GET", "employees/*/data"): get_employee,
    ("GET", "issuers"): list_issuers,
    ("DELETE", "issuers/*"): remove_issuer,
    ("GET", "grantors"): list_grantors,
}


class Api:
    """The API over one sandbox (and the organizations beside it)."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._listings = {id(sandbox): Listings(sandbox)}
        self._window: tuple[int, int] = (0, 0)  # the number of the current one, and how many requests it has seen
        self._window_lock = Lock()

    def handle(self, request: Request) -> Response:
        """Answer a request, at the sandbox's time."""
        response = self.sandbox.serve(request, self._answer)
        date = format_datetime(self.sandbox.now(), usegmt=True)
        return replace(response, headers={"Date": date, **response.headers})

    def _answer(self, request: Request) -> Response:
        if self._is_too_much():
            return self._slow_down()
        try:
            with self.sandbox.lock:
                if _segments(request.path) == ["oauth", "token"]:
                    return self._access_token(request)
                return self._route(request, self._checked_token(request))
        except Refusal as refusal:
            return self._refused(refusal)
        except OAuthError as error:
            return error.as_response()

    def _access_token(self, request: Request) -> Response:
        """POST /oauth/token, which is outside of ``/v1``."""
        if status := self.sandbox.switches.oauth_status:
            raise Refusal("Not available", status=status)  # invented
        if request.method != "POST":
            raise Refusal("Not found", status=404)  # invented
        scopes = requested_scopes(request, self.sandbox.clients)
        token = self.sandbox.new_access_token(scopes)
        return granted(token.value, scopes, self.sandbox.switches.oauth_seconds, int(token.created_at.timestamp()))

    def _refused(self, refusal: Refusal) -> Response:
        form = self.sandbox.switches.error_bodies if refusal.status in _UNKNOWN_BODIES else "json"
        if form == "json":
            return as_response(refusal.as_json(), refusal.status)
        page = f"<!DOCTYPE html><title>{refusal.status}</title><h1>{refusal.message}</h1>" if form == "html" else ""
        return Response(refusal.status, page.encode(), {"Content-Type": "text/html; charset=utf-8"})

    def _is_too_much(self) -> bool:
        limit = self.sandbox.switches.rate_limit
        if limit is None:
            return False
        window = int(self.sandbox.now().timestamp()) // self.sandbox.switches.rate_limit_window
        with self._window_lock:
            current, seen = self._window
            self._window = (window, seen + 1 if current == window else 1)
            return self._window[1] > limit

    def _slow_down(self) -> Response:
        response = self._refused(Refusal("Too many requests", status=429))  # invented
        after = self.sandbox.switches.rate_limit_retry_after
        return replace(response, headers={**response.headers, "Retry-After": after}) if after else response

    def _checked_token(self, request: Request) -> Token:
        token = self._token_of(request.headers.get("authorization", ""))
        if token is None:
            raise Refusal("Invalid authorization token", status=401)  # invented
        if not _may(token, request.method, _parts(request.path)[2:]):
            raise Refusal("This token may not do that", status=403)  # invented
        return token

    def _token_of(self, authorization: str) -> Token | None:
        if value := bearer(authorization):
            return self.sandbox.find_access_token(value)
        name = _user_name(authorization, bare=self.sandbox.switches.bare_token)
        return self.sandbox.find_token(name) if name else None

    def _route(self, request: Request, token: Token) -> Response:
        match _parts(request.path):
            case ["organizations"] if request.method == "GET":
                return list_organizations(Call(self.sandbox, self._listings_of(self.sandbox), request, token))
            case ["organizations", organization_id, *rest]:
                sandbox = self.sandbox.find_organization(organization_id)
                if sandbox is None:
                    raise Refusal("Organization not found", status=self.sandbox.switches.foreign_organization_status)
                return self._route_within(sandbox, request, token, rest)
        raise Refusal("Not found", status=404)  # invented

    def _route_within(self, sandbox: Sandbox, request: Request, token: Token, rest: list[str]) -> Response:
        handler = ROUTES.get((request.method, "/".join(rest)))
        if handler is None and len(rest) > 1:
            handler = ROUTES.get((request.method, "/".join([rest[0], "*", *rest[2:]])))
        if handler is None:
            raise Refusal("Not found", status=404)  # invented
        with sandbox.lock:
            identity = rest[1] if len(rest) > 1 else ""
            return handler(Call(sandbox, self._listings_of(sandbox), request, token, identity))

    def _listings_of(self, sandbox: Sandbox) -> Listings:
        return self._listings.setdefault(id(sandbox), Listings(sandbox))


def _may_change(token: Token) -> bool:
    return token.write_enabled or token.delete_enabled


def _may(token: Token, method: str, parts: list[str]) -> bool:
    scope = needed_scope(parts)
    if token.scopes is not None and scope is not None and scope not in token.scopes:
        return False
    if method == "GET":
        return token.read_enabled
    return token.delete_enabled if method == "DELETE" else token.write_enabled


def _segments(path: str) -> list[str]:
    """Take a path apart; a doubled slash counts as one, as Rails has it."""
    return [part for part in path.split("/") if part]


def _parts(path: str) -> list[str]:
    """Take a path apart, without the prefix, a trailing slash and ``.json``; nothing if the prefix is another."""
    parts = _segments(path.rstrip("/").removesuffix(".json"))
    if parts[:1] == ["api"]:
        parts = parts[1:]
    return parts[1:] if parts[:1] == ["v1"] else []


def _user_name(authorization: str, *, bare: bool) -> str:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    name, colon, password = decoded.partition(":")
    return name if (colon or bare) and not password else ""
