"""`credly connect`."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from credly_cli.cli.environment import Environment
from credly_cli.errors import Failure
from credly_cli.output import Output
from credly_cli.text import Command, Hint
from credly_cli.token import NOT_TOLD, Token, TokenSource, read_token, token_from, without_tokens
from credly_cli.urls import SANDBOX_URL, api_address

if TYPE_CHECKING:
    from credly_cli.connection.connect import Asked, Network

_LONGEST_TOKEN = 8192


def connect(
    context: typer.Context,
    token_stdin: Annotated[bool, typer.Option("--token-stdin", help="Read the token from standard input.")] = False,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="Read the token from this file each time; it stays there."),
    ] = None,
    client_id: Annotated[
        str | None,
        typer.Option("--client-id", metavar="ID", help="Connect as this OAuth client; its secret is given as a token."),
    ] = None,
    organization: Annotated[
        str | None, typer.Option("--organization", metavar="ID", help="Which organization, if the token has several.")
    ] = None,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Use Credly's own sandbox host.")] = False,
    api_url: Annotated[
        str | None, typer.Option("--api-url", metavar="URL", help="Use another address of the API.")
    ] = None,
) -> None:
    """Connect to Credly with an authorization token, or as an OAuth client.

    The token comes from standard input, a file, CREDLY_TOKEN or a hidden prompt, never from an argument. With
    --client-id it is the client's secret, which may also be in CREDLY_CLIENT_SECRET.

    Example: credly connect --token-stdin < token.txt
    """
    from credly_cli.connection import connect as connecting
    from credly_cli.store import connection as connections

    environment: Environment = context.obj
    is_token = token_file is not None and without_tokens(str(token_file)) == "***" and not token_file.exists()
    if context.args or is_token:  # not repeated: it may be the token
        hint = Hint("Give the token by --token-stdin or --token-file FILE, or type it after:", Command("connect"))
        wrong = "--token-file takes a file" if is_token else "connect takes no argument"
        raise Failure("usage", f"{wrong}, and never a token: other users could read it.", hint=hint)
    if token_stdin and token_file:
        raise Failure("usage", "--token-stdin and --token-file exclude each other.", hint="Give one of them.")
    if sandbox and api_url:
        raise Failure("usage", "--sandbox and --api-url exclude each other.", hint="Give one of them.")
    given = SANDBOX_URL if sandbox else api_address(api_url) if api_url is not None else None
    settings, network = environment.settings, environment.network()
    with environment.reading() as store:
        known = connections.current(store)
    client_id = client_id or settings.credly.client_id
    source, token = _token(environment, network, client_id, token_stdin=token_stdin, token_file=token_file)
    asked = connecting.ask(network, settings, known, source, token, api_url=given, organization=organization)
    with environment.writing(lock_wait=10, create=True) as (store, _):
        connecting.keep(store, asked.connection, token if source.kind == "stored" else None, network.token_file)
    _show(environment.output, asked, source)


def _show(output: Output, asked: "Asked", source: TokenSource) -> None:
    connection = asked.connection
    answer = {
        "connected": True,
        "organization": {"id": connection.organization_id, "name": connection.organization_name},
        "api_url": connection.api_url,
        "token_source": source.words,
        "token_expires_at": connection.token_expires_at,
        "token_expiry": connection.token_expiry,
    }
    output.answer(answer, lambda: _render(output, asked, source))


def _render(output: Output, asked: "Asked", source: TokenSource) -> None:
    output.confirm(f"Connected to {asked.connection.organization_name}.", "green")
    kept = "is kept" if source.kind == "stored" else "stays"
    output.confirm(f"The {'secret' if source.client_id else 'token'} {kept} in {source.words}.")
    if asked.connection.token_expiry == "not-told":  # noqa: S105
        output.note(f"{NOT_TOLD}.")
    for warning in asked.warnings:
        output.warn(warning)
    output.note(Hint("Next:", Command("sync")))


def _token(
    environment: Environment,
    network: "Network",
    client_id: str | None,
    *,
    token_stdin: bool,
    token_file: Path | None,
) -> tuple[TokenSource, Token]:
    """Return where the token is read from later, and the token; one that is typed or piped in is kept by us."""
    from credly_cli.connection import connect as connecting

    stored = TokenSource("stored", network.token_file, client_id=client_id)
    if token_stdin:
        return stored, token_from(_piped(environment), "standard input")
    if token_file is not None:
        source: TokenSource | None = TokenSource("file", token_file.absolute(), client_id=client_id)
    else:
        source = connecting.token_source(network, environment.settings, None, client_id)
    if source is None:
        return stored, _typed_token(environment, client_id)
    return source, read_token(source, environment.environ.get(source.variable))


def _piped(environment: Environment) -> str:
    return environment.bytes_of_stdin().read(_LONGEST_TOKEN).decode("utf-8-sig", "replace")


def _typed_token(environment: Environment, client_id: str | None) -> Token:
    name, variable = ("secret", "CREDLY_CLIENT_SECRET") if client_id else ("token", "CREDLY_TOKEN")
    if not environment.may_ask:
        raise Failure(
            "usage",
            f"There is no {name}, and no terminal to type one at; give it with --token-stdin or --token-file FILE.",
            hint=f"It can also be in {variable}.",
        )
    place = "OAuth Applications" if client_id else "Authorization Tokens"
    environment.output.note(f"You find a {name} in Credly under Developers > {place}.")
    return token_from(getpass.getpass(f"{name.capitalize()}: "), "what was typed")
