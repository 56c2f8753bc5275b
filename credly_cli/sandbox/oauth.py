"""OAuth 2.0 client credentials: a client's id and secret are given for an access token, which ends after two hours.

The address ``/oauth/token`` under the API's host, the scopes and the two hours are what a public client sends and
expects; the texts of refusals are those of RFC 6749.
"""

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from secrets import compare_digest
from urllib.parse import parse_qsl, unquote

from credly_cli.sandbox.records import Request, Response, Row

SCOPES = (
    "authorization_tokens", "badge_templates", "events", "invitations", "issued_badges", "memberships",
    "recommendations", "workforce",
)  # fmt: skip
_SCOPE_OF_PATH = {  # invented: which paths need which
    "authorization_tokens": "authorization_tokens",
    "badge_templates": "badge_templates",
    "badges": "issued_badges",
    "employees": "workforce",
    "events": "events",
    "high_volume_issued_badge_search": "issued_badges",
}
_UNAUTHORIZED = 401


@dataclass(eq=False)
class Client:
    """An OAuth application of the organization."""

    id: str
    secret: str
    scopes: tuple[str, ...] = SCOPES


class OAuthError(Exception):
    """A request for an access token that is refused; ``code`` is one of RFC 6749."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.status = status

    def as_response(self) -> Response:
        """Return the answer."""
        headers = {"WWW-Authenticate": 'Basic realm="Credly"'} if self.status == _UNAUTHORIZED else {}
        return _as_response(
            {"error": self.code, "error_description": self.code.replace("_", " ")}, self.status, headers
        )


def _as_response(body: Row, status: int, headers: dict[str, str]) -> Response:
    headers = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store", **headers}
    return Response(status, json.dumps(body).encode(), headers)


def requested_scopes(request: Request, clients: Iterable[Client]) -> tuple[str, ...]:
    """Return the scopes that a request for an access token is granted; raises ``OAuthError``."""
    fields = _fields(request)
    client = _client_of(*(_basic(request) or (fields.get("client_id", ""), fields.get("client_secret", ""))), clients)
    if fields.get("grant_type") != "client_credentials":
        raise OAuthError("unsupported_grant_type")
    asked = fields.get("scope", "").split()
    if not set(asked) <= set(client.scopes):
        raise OAuthError("invalid_scope")
    return tuple(asked) or client.scopes


def granted(value: str, scopes: tuple[str, ...], seconds: int, created_at: int) -> Response:
    """Return the answer that brings an access token; ``created_at`` in seconds of Unix time."""
    body = {"access_token": value, "token_type": "Bearer", "expires_in": seconds, "scope": " ".join(scopes)}
    return _as_response({**body, "created_at": created_at}, 200, {})


def bearer(authorization: str) -> str:
    """Return the access token of an Authorization header, empty if there is none."""
    scheme, _, value = authorization.partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def needed_scope(parts: list[str]) -> str | None:
    """Return the scope that a path under an organization needs, if any."""
    return _SCOPE_OF_PATH.get(parts[0]) if parts else None


def _fields(request: Request) -> dict[str, str]:
    if "json" in request.headers.get("content-type", ""):
        try:
            read = json.loads(request.body)
        except (ValueError, RecursionError):
            read = None
        return {name: str(value) for name, value in read.items()} if isinstance(read, dict) else {}
    return request.parameters | dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise OAuthError("invalid_client", _UNAUTHORIZED) from None
    return unquote(name), unquote(password)


def _client_of(client_id: str, secret: str, clients: Iterable[Client]) -> Client:
    for client in clients:
        if client.id == client_id and compare_digest(client.secret.encode(), secret.encode()):
            return client
    raise OAuthError("invalid_client", _UNAUTHORIZED)
