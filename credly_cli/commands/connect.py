"""`credly connect`."""

import getpass
from pathlib import Path
from typing import Annotated

import typer

from credly_cli.config import SANDBOX_URL, api_address
from credly_cli.environment import Environment
from credly_cli.errors import Failure
from credly_cli.secrets import Token, TokenSource, read_token, store_token, token_from
from credly_cli.times import utc_text


def connect(
    context: typer.Context,
    token_stdin: Annotated[bool, typer.Option("--token-stdin", help="Read the token from standard input.")] = False,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="Read the token from this file each time; it stays there.")
    ] = None,
    organization: Annotated[
        str | None, typer.Option("--organization", metavar="ID", help="Which organization, if the token has several.")
    ] = None,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Use Credly's own sandbox host.")] = False,
    api_url: Annotated[
        str | None, typer.Option("--api-url", metavar="URL", help="Use another address of the API.")
    ] = None,
) -> None:
    """Connect to Credly with an authorization token.

    The token comes from standard input, a file, CREDLY_TOKEN or a hidden prompt, never from an argument.

    Example: credly connect --token-stdin < token.txt
    """
    from credly_cli import connecting
    from credly_cli.store import connection as connections

    environment: Environment = context.obj
    if token_stdin and token_file:
        raise Failure("usage", "--token-stdin and --token-file exclude each other.")
    if sandbox and api_url:
        raise Failure("usage", "--sandbox and --api-url exclude each other.")
    settings, network = environment.settings, environment.network()
    given = SANDBOX_URL if sandbox else api_address(api_url) if api_url else None
    address = given or connecting.api_url_for(environment.environ, settings, None)
    source, token, is_new = _token(environment, token_stdin=token_stdin, token_file=token_file)
    client = connecting.client_for(address, token, network, settings["credly.parallel"])
    wanted = organization or environment.environ.get("CREDLY_ORGANIZATION") or settings["credly.organization"]
    found = connecting.check(client, wanted)
    client.organization_id = found.id
    expires_at = connecting.expiry(client, token, environment.clock)
    with environment.writing(lock_wait=10) as (store, _):
        connecting.require_same(store, found)
        if is_new:
            store_token(environment.paths.token, token)
        connections.connect(
            store,
            connections.Connection(
                organization_id=found.id,
                organization_name=found.name,
                api_url=address,
                api_url_given=given is not None,
                token_kind=source.kind,
                token_path=source.path,
                token_expires_at=expires_at,
                connected_at=utc_text(environment.clock.now()),
            ),
        )
    output = environment.output
    if output.as_json:
        output.json(
            {
                "connected": True,
                "organization": {"id": found.id, "name": found.name},
                "api_url": address,
                "token_source": source.words,
                "token_expires_at": expires_at,
            }
        )
    output.say(f"Connected to {found.name}.", "green")
    output.say(f"The token is kept in {source.words}." if is_new else f"The token stays in {source.words}.")
    output.note("Next: credly sync")


def _token(environment: Environment, *, token_stdin: bool, token_file: Path | None) -> tuple[TokenSource, Token, bool]:
    """Return where the token is read from later, the token, and whether it is to be kept by us."""
    from credly_cli import connecting

    own = TokenSource("stored", environment.paths.token)
    if token_stdin:
        return own, token_from(environment.stdin.read(), "standard input"), True
    if token_file is not None:
        source = TokenSource("file", token_file.absolute())
    else:
        source = connecting.token_source(environment.environ, environment.settings, None)
        if source.kind == "environment" and "CREDLY_TOKEN" not in environment.environ:
            return own, _asked(environment), True
    return source, read_token(source, environment.environ.get("CREDLY_TOKEN")), False


def _asked(environment: Environment) -> Token:
    if not environment.may_ask:
        raise Failure(
            "usage",
            "There is no token, and nobody is there to type one.",
            hint="Give it with --token-stdin, --token-file FILE or CREDLY_TOKEN.",
        )
    environment.output.note("You find a token in Credly under Developers > Authorization Tokens.")
    return token_from(getpass.getpass("Token: "), "what was typed")
