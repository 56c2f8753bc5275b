"""Connecting to Credly, and the client of a connection (R1, R2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from credly_cli.config import PRODUCTION_URL, Settings
from credly_cli.credly.client import Client
from credly_cli.credly.http import Http
from credly_cli.credly.records import Organization
from credly_cli.errors import Failure
from credly_cli.secrets import Token, TokenSource, read_token
from credly_cli.store import connection as connections
from credly_cli.store.connection import Connection
from credly_cli.store.database import Store
from credly_cli.times import Clock, utc_text

_TOKEN_DAYS = 180
_WARN_DAYS = 14


@dataclass(frozen=True, slots=True)
class Network:
    """What a client needs of the machine: the environment's variables, and in tests a transport of their own."""

    environ: Mapping[str, str]
    clock: Clock
    adapter: Any = None


def client_for(api_url: str, token: Token, network: Network, parallel: int, organization_id: str = "") -> Client:
    """Make a client for an address and a token."""
    http = Http(api_url, token, network.clock, environ=network.environ, adapter=network.adapter, parallel=parallel)
    return Client(http, organization_id, parallel)


def check(client: Client, organization_id: str | None) -> Organization:
    """Ask Credly whose token this is; raises ``Failure`` when it is refused or several organizations answer (R1)."""
    found = client.organizations()
    if organization_id is not None:
        for organization in found:
            if organization.id == organization_id:
                return organization
        raise Failure(
            "organization-mismatch",
            f"The token does not belong to the organization {organization_id}.",
            hint=f"It belongs to: {_shown(found)}",
        )
    if not found:
        raise Failure("token-forbidden", "The token belongs to no organization.", hint="Make one in Credly's settings.")
    if len(found) > 1:
        raise Failure(
            "organization-ambiguous",
            f"The token belongs to {len(found)} organizations: {_shown(found)}.",
            hint="Say which: credly connect --organization ID",
        )
    return found[0]


def _shown(organizations: list[Organization]) -> str:
    return ", ".join(f"{organization.name} ({organization.id})" for organization in organizations)


def require_same(store: Store, organization: Organization) -> None:
    """Refuse another organization than the one whose badges are in the store (R2)."""
    known = connections.current(store)
    if known is not None and known.organization_id != organization.id:
        raise Failure(
            "organization-mismatch",
            f"This store belongs to {known.organization_name}, and the token to {organization.name}.",
            hint="Keep another organization in a profile of its own: credly connect --profile NAME",
        )


def expiry(client: Client, token: Token, clock: Clock) -> str:
    """Return when the token expires: as Credly says, else 180 days from now."""
    from credly_cli.times import read_instant  # noqa: PLC0415

    told = client.token_expiry(token.reveal())
    try:
        return read_instant(told) if told else utc_text(clock.now() + timedelta(days=_TOKEN_DAYS))
    except ValueError:
        return utc_text(clock.now() + timedelta(days=_TOKEN_DAYS))


def require_connected(store: Store) -> Connection:
    """Return the connection; raises ``Failure`` when there is none, whatever the environment holds (R3)."""
    known = connections.current(store)
    if known is None:
        raise Failure("not-connected", "This profile is not connected to Credly.", hint="Run: credly connect")
    if not known.connected:
        raise Failure(
            "not-connected",
            f"This profile was disconnected from {known.organization_name}.",
            hint="To connect again: credly connect",
        )
    return known


def token_source(environ: Mapping[str, str], settings: Settings, known: Connection | None) -> TokenSource:
    """Tell where the token is read from: the environment before what `connect` remembered."""
    if "CREDLY_TOKEN" in environ:
        return TokenSource("environment")
    if path := environ.get("CREDLY_TOKEN_FILE"):
        return TokenSource("file", Path(path).absolute())
    command = tuple(settings["credly.token_command"])
    if known is not None and known.connected:
        return known.token_source(command)
    return TokenSource("command", command=command) if command else TokenSource("environment")


def api_url_for(environ: Mapping[str, str], settings: Settings, known: Connection | None) -> str:
    """Tell the API's address: environment, then what `connect` was given, then configuration, then production."""
    from credly_cli.config import api_address  # noqa: PLC0415

    if told := environ.get("CREDLY_API_URL"):
        return api_address(told)
    if known is not None and known.api_url_given:
        return known.api_url
    return settings["credly.api_url"] or PRODUCTION_URL


def connected_client(store: Store, settings: Settings, network: Network) -> tuple[Connection, Client]:
    """Make the client of the store's connection; raises ``Failure`` when it is not connected."""
    known = require_connected(store)
    source = token_source(network.environ, settings, known)
    token = read_token(source, network.environ.get("CREDLY_TOKEN"))
    api_url = api_url_for(network.environ, settings, known)
    return known, client_for(api_url, token, network, settings["credly.parallel"], known.organization_id)


def require_own_organization(known: Connection, client: Client) -> None:
    """Refuse to sync with a token or address of another organization (R2)."""
    if known.organization_id not in {organization.id for organization in client.organizations()}:
        raise Failure(
            "organization-mismatch",
            f"The token or address does not belong to {known.organization_name}, whose badges are in this store.",
            hint="Keep another organization in a profile of its own: credly connect --profile NAME",
        )


def expiry_warning(known: Connection, clock: Clock) -> str | None:
    """Return a warning when the token expires within 14 days, ``None`` before that."""
    from credly_cli.times import from_utc_text  # noqa: PLC0415

    if known.token_expires_at is None:
        return None
    left = from_utc_text(known.token_expires_at) - clock.now()
    if left > timedelta(days=_WARN_DAYS):
        return None
    when = f"expires in {left.days} days" if left > timedelta() else "has expired"
    return f"The token {when} ({known.token_expires_at[:10]}). Make a new one in Credly, then: credly connect"
