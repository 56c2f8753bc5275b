"""Connecting to Credly, and the client of a connection (R1, R2)."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from credly_cli.config import Settings
from credly_cli.credly.client import Client, session_of
from credly_cli.credly.records import Organization
from credly_cli.errors import Failure
from credly_cli.http.auth import Auth, Basic
from credly_cli.http.response import HttpFailure
from credly_cli.http.retry import Limits
from credly_cli.signals import Interruption
from credly_cli.store import connection as connections
from credly_cli.store import runs
from credly_cli.store.connection import Connection
from credly_cli.store.database import Store
from credly_cli.text import Command, Hint
from credly_cli.times import Clock, Deadline, utc_text
from credly_cli.token import Token, TokenSource, read_token, store_token
from credly_cli.urls import PRODUCTION_URL, api_address, oauth_url_of

SECRET = "CREDLY_CLIENT_SECRET"  # noqa: S105 - its name
READ_ONLY = "The token may only read, so no badge can be issued with it: make one in Credly that may write as well."
_ANOTHER_PROFILE = Command("connect", "--profile", "NAME")


@dataclass(frozen=True, slots=True)
class Network:
    """What a client needs of the machine and of the command that it works for."""

    environ: Mapping[str, str]
    clock: Clock
    token_file: Path  # where a token that was typed is kept
    adapter: Any = None  # a requests transport adapter, in place of the network
    deadline: Deadline | None = None  # of the whole command
    interruption: Interruption | None = None  # once set, nothing more is read


@dataclass(frozen=True, slots=True)
class Asked:
    """What Credly answered about a token: the connection that it makes, and what the user is warned of."""

    connection: Connection
    warnings: list[Hint]


def client_for(
    address: str, source: TokenSource, secret: Token, network: Network, settings: Settings, organization_id: str = ""
) -> Client:
    """Make a client for an address, with a token or, where the source is of an OAuth client, with its secret."""
    parallel = settings.credly.parallel
    options = {
        "environ": network.environ,
        "deadline": network.deadline,
        "interruption": network.interruption,
        "adapter": network.adapter,
    }
    auth: Auth = Basic(secret)
    if source.client_id is not None:
        from credly_cli.credly.oauth import access_tokens  # noqa: PLC0415 - few connect so

        oauth_url = settings.credly.oauth_url or oauth_url_of(address)
        auth = access_tokens(oauth_url, source.client_id, secret, network.clock, **options)
    http = session_of(address, auth, network.clock, source.renewal, limits=Limits(parallel), **options)
    return Client(http, organization_id, parallel, token=None if source.client_id else secret)


def ask(
    network: Network,
    settings: Settings,
    known: Connection | None,
    source: TokenSource,
    token: Token,
    *,
    api_url: str | None,
    organization: str | None,
) -> Asked:
    """Ask Credly about a token, before anything is stored (R1); ``api_url`` and ``organization`` are the user's own."""
    address = api_url or api_url_for(network.environ, settings, known)
    client = client_for(address, source, token, network, settings)
    warnings: list[Hint] = []
    found = check(client, wanted_organization(network.environ, settings, organization), known, warnings)
    client.organization_id = found.id
    facts, now = client.token_facts(), utc_text(network.clock.now())
    if facts.may_write is False:
        warnings.append(Hint(READ_ONLY))
    remembered = known is not None and known.api_url_given and known.api_url == address
    # cron lacks the shell's variables: the address that was checked is the one that is used
    is_given = api_url is not None or bool(network.environ.get("CREDLY_API_URL"))
    connection = Connection(
        organization_id=found.id,
        organization_name=found.name,
        api_url=address,
        api_url_given=is_given or remembered,
        token_kind=source.kind,
        token_path=source.path if source.kind == "file" else None,
        token_expires_at=facts.expires_at,
        token_expiry=facts.expiry,
        token_since=known.token_since if known is not None and _is_known(token, known, network) else now,
        client_id=source.client_id,
        connected_at=now,
    )
    return Asked(connection, warnings)


def _is_known(token: Token, known: Connection, network: Network) -> bool:
    """Tell whether the token is the one that we keep already: elsewhere it may have been exchanged meanwhile."""
    if not known.connected or known.token_kind != "stored":  # noqa: S105
        return False
    try:
        return read_token(TokenSource("stored", network.token_file), None).reveal() == token.reveal()
    except Failure:
        return False


def check(client: Client, wanted: str | None, known: Connection | None, warnings: list[Hint]) -> Organization:
    """Ask Credly whose token this is; raises ``Failure`` when it is refused or not of one known organization (R1, R2).

    ``wanted`` is the id that the user names; of several the one whose badges are in the store is taken unasked. Adds to
    ``warnings`` what is odd about the answer.
    """
    answer = client.organizations(wanted or (known.organization_id if known else None))
    found = answer.by_id
    if not found:
        hint = "Make the token in the settings of an organization."
        raise Failure("token-forbidden", "The token belongs to no organization.", hint=hint)
    if wanted is None and len(found) > 1 and (known is None or known.organization_id not in found):
        raise Failure(
            "organization-ambiguous",
            f"The token belongs to {len(found)} organizations: {_shown(found)}.",
            hint=Hint("Say which:", Command("connect", "--organization", "ID")),
        )
    preferred = wanted or (known.organization_id if known else "")
    organization = found.get(preferred) or next(iter(found.values()))
    if known is not None and organization.id != known.organization_id:
        raise another_organization(known)
    if wanted is not None and organization.id != wanted:
        raise Failure(
            "organization-mismatch",
            f"The token does not belong to the organization {wanted}, but to: {_shown(found)}.",
            hint=Hint(
                "Use a token of that organization, or its own id with --organization; another organization is best kept"
                " in a profile of its own:",
                _ANOTHER_PROFILE,
            ),
        )
    if organization.id not in answer.unread:
        return organization
    name = known.organization_name if known else organization.id
    message = f"What Credly says of this organization cannot be read; it is called {name} here, as the store has it."
    warnings.append(Hint(message if known else "What Credly says of this organization cannot be read."))
    return Organization(organization.id, name)


def _shown(organizations: Mapping[str, Organization]) -> str:
    return ", ".join(f"{organization.name} ({organization.id})" for organization in organizations.values())


def another_organization(known: Connection) -> Failure:
    """Say that token, address or configuration is not of the organization whose badges are in the store (R2)."""
    return Failure(
        "organization-mismatch",
        f"This store holds the badges of {known.organization_name} ({known.organization_id}), and the token, the"
        " address or the configuration is of another organization, which needs a profile of its own: --profile NAME.",
        hint=Hint("Run:", _ANOTHER_PROFILE),
    )


def keep(store: Store, connection: Connection, typed: Token | None, token_file: Path) -> None:
    """Keep the connection, and the token where it was typed; another organization's is refused (R2).

    A token that was kept before and is read no more goes.
    """
    known = connections.current(store)
    if known is not None and known.organization_id != connection.organization_id:
        raise another_organization(known)
    with store.transaction():
        connections.connect(store, connection)
        if connection.token_path is not None:
            runs.note(store, "token", connection.token_path)
        if typed is not None:
            store_token(token_file, typed)
    if connection.token_kind != "stored" and not _is_same(connection.token_path, token_file):  # noqa: S105
        with suppress(OSError):
            token_file.unlink()


def _is_same(path: Path | None, other: Path) -> bool:
    return path is not None and path.resolve() == other.resolve()


def token_source(
    network: Network, settings: Settings, known: Connection | None, client_id: str | None = None
) -> TokenSource | None:
    """Tell where the token is read from: the environment before what `connect` remembered; ``None`` for nowhere.

    Of an OAuth client (``client_id``, or the one that is remembered or configured) it is the secret.
    """
    environ, command = network.environ, settings.credly.token_command
    current = known if known is not None and known.connected else None
    client_id = client_id or (current.client_id if current else settings.credly.client_id)
    if client_id is not None and environ.get(SECRET):
        return TokenSource("environment", variable=SECRET, client_id=client_id)
    if client_id is None and environ.get("CREDLY_TOKEN"):
        return TokenSource("environment")
    if path := environ.get("CREDLY_TOKEN_FILE"):
        return TokenSource("file", Path(path).expanduser().absolute(), client_id=client_id)
    if current is not None:
        # our own file moves with the home, which is another folder in another container
        stored = network.token_file if current.token_kind == "stored" else None  # noqa: S105
        variable = SECRET if client_id else "CREDLY_TOKEN"
        return TokenSource(current.token_kind, current.token_path or stored, command, variable, client_id)
    return TokenSource("command", command=command, client_id=client_id) if command else None


def wanted_organization(environ: Mapping[str, str], settings: Settings, option: str | None = None) -> str | None:
    """Return the organization's id that the user names: option, then environment, then configuration."""
    named = option or environ.get("CREDLY_ORGANIZATION") or settings.credly.organization or ""
    return named.strip().lower() or None


def api_url_for(environ: Mapping[str, str], settings: Settings, known: Connection | None) -> str:
    """Tell the API's address: environment, then what `connect` was given, then configuration, then production."""
    if variable := environ.get("CREDLY_API_URL"):
        return api_address(variable)
    if known is not None and known.api_url_given:
        return known.api_url
    return settings.credly.api_url or PRODUCTION_URL


def connected_client(store: Store, settings: Settings, network: Network) -> tuple[Connection, Client]:
    """Make the client of the store's connection; raises ``Failure`` when it is not connected."""
    known = connections.require_connected(store)
    wanted = wanted_organization(network.environ, settings)
    if wanted is not None and wanted != known.organization_id:
        raise another_organization(known)
    source = token_source(network, settings, known) or TokenSource("environment")
    token = read_token(source, network.environ.get(source.variable))
    api_url = api_url_for(network.environ, settings, known)
    return known, client_for(api_url, source, token, network, settings, known.organization_id)


def require_own_organization(known: Connection, client: Client) -> None:
    """Refuse to work with a token or address of another organization (R2); raises ``Failure`` for that alone.

    Whether Credly answers at all, and takes the token, is for the steps to find out: the LMS can be read without it.
    """
    try:
        found = client.organizations(known.organization_id, tries=1).by_id
    except HttpFailure:
        return
    if found and known.organization_id not in found:
        raise another_organization(known)
