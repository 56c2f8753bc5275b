"""The stand-in Credly API: a request in, an answer out, over whatever transport.

Shapes, routes and status codes are as documented by Credly or recorded from it. The following is INVENTED, because
nothing is known of it; each place says ``# invented``, and no test of the tool may depend on it:

- the text and most of the body of every 400, 401, 403, 404, 429 and 500, and 404 for another organization's id or a
  wrong method, 403 for a token without the right
- the texts of 422 for blank or unreadable fields, unknown filter keys, archived or draft templates, a badge revoked
  twice, a batch too large (the texts about the template's id, "User already has this badge" and "already been
  replaced" are recorded)
- page size (1,000), ``page_token`` and form of the cursor of the high-volume search, and that it is in order of issue
- issued badges and events are listed in order of issue; a ``page`` that is no number means the first
- ``total_pages`` of lists that are not templates; that ``per`` is ignored
- a date alone is midnight UTC, a time without zone is UTC, fractions are cut, times to come are taken
- the default expiry of a template is an absolute time in ``default_expires_at``
- deleting a badge counts the template's counters back, revoking does not; a replaced badge does not block re-issuing
- ``duplicate_behavior: replace`` answers 201 with the badge that was changed; a batch of more than 50 is refused
- country codes other than that of the United States; ``print_method`` of every badge is "custom"
- a lag of the lists hides new badges only, changes show at once

Not there: OAuth, webhooks, writing organizations and templates, Open Badges.
"""

import base64
import binascii
import time
from dataclasses import replace
from email.utils import format_datetime
from threading import Lock

from credly_cli.sandbox.listing import Listings
from credly_cli.sandbox.messages import Ending, Request, Response
from credly_cli.sandbox.records import Refusal, Token, stamp
from credly_cli.sandbox.request_log import LoggedRequest
from credly_cli.sandbox.routes import ROUTES, Call, as_response, list_organizations
from credly_cli.sandbox.state import Sandbox

_UNSENT = frozenset({Ending.DROPPED, Ending.RESET, Ending.UNREACHABLE})


class Api:
    """The API over one sandbox (and the organizations beside it)."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._listings = {id(sandbox): Listings(sandbox)}
        self._second: tuple[int, int] = (0, 0)  # the current second, and how many requests it has seen
        self._second_lock = Lock()

    def handle(self, request: Request) -> Response:
        """Answer a request; faults and switches have their way with it."""
        started = time.perf_counter()
        response = self._perform(request)
        status = 0 if response.ending in _UNSENT else response.status
        now = self.sandbox.now()
        took = time.perf_counter() - started
        self.sandbox.log.add(LoggedRequest(request.method, request.target, status, stamp(now), took))
        return replace(response, headers={"Date": format_datetime(now, usegmt=True), **response.headers})

    def _perform(self, request: Request) -> Response:
        sandbox = self.sandbox
        sandbox.do_late_work()
        if sandbox.switches.latency:
            sandbox.sleep(sandbox.switches.latency)
        act = sandbox.faults.act_for(request)
        return act(lambda: self._answer(request), sandbox) if act else self._answer(request)

    def _answer(self, request: Request) -> Response:
        if self._is_too_much():
            return self._slow_down()
        try:
            with self.sandbox.lock:
                self._check_token(request)
                return self._route(request)
        except Refusal as refusal:
            return as_response(refusal.as_json(), refusal.status)

    def _is_too_much(self) -> bool:
        limit = self.sandbox.switches.rate_limit
        if limit is None:
            return False
        second = int(self.sandbox.now().timestamp())
        with self._second_lock:
            current, seen = self._second
            self._second = (second, seen + 1 if current == second else 1)
            return self._second[1] > limit

    def _slow_down(self) -> Response:
        response = as_response(Refusal("Too many requests").as_json(), 429)  # invented
        after = self.sandbox.switches.rate_limit_retry_after
        return replace(response, headers={**response.headers, "Retry-After": after}) if after else response

    def _check_token(self, request: Request) -> None:
        name = _user_name(request.headers.get("authorization", ""), bare=self.sandbox.switches.bare_token)
        token = self.sandbox.find_token(name) if name else None
        if token is None:
            raise Refusal("Invalid authorization token", status=401)  # invented
        if not _may(token, request.method):
            raise Refusal("This token may not do that", status=403)  # invented

    def _route(self, request: Request) -> Response:
        match _parts(request.path):
            case ["organizations"] if request.method == "GET":
                return list_organizations(Call(self.sandbox, self._listings_of(self.sandbox), request))
            case ["organizations", organization_id, *rest]:
                sandbox = self.sandbox.find_organization(organization_id)
                if sandbox is None:
                    raise Refusal("Organization not found", status=self.sandbox.switches.foreign_organization_status)
                return self._route_within(sandbox, request, rest)
        raise Refusal("Not found", status=404)  # invented

    def _route_within(self, sandbox: Sandbox, request: Request, rest: list[str]) -> Response:
        handler = ROUTES.get((request.method, "/".join(rest)))
        if handler is None and len(rest) > 1:
            handler = ROUTES.get((request.method, "/".join([rest[0], "*", *rest[2:]])))
        if handler is None:
            raise Refusal("Not found", status=404)  # invented
        with sandbox.lock:
            return handler(Call(sandbox, self._listings_of(sandbox), request, rest[1] if len(rest) > 1 else ""))

    def _listings_of(self, sandbox: Sandbox) -> Listings:
        return self._listings.setdefault(id(sandbox), Listings(sandbox))


def _may(token: Token, method: str) -> bool:
    if method == "GET":
        return token.read_enabled
    return token.delete_enabled if method == "DELETE" else token.write_enabled


def _parts(path: str) -> list[str]:
    """Take a path apart, without the prefix, a trailing slash and ``.json``; nothing if the prefix is another."""
    parts = path.rstrip("/").removesuffix(".json").lstrip("/").split("/")
    if parts[0] == "api":
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
