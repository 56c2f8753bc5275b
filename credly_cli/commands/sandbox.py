"""`credly sandbox` and `credly demo`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from credly_cli.cli.environment import Environment
from credly_cli.cli.parameters import no_stdout
from credly_cli.errors import Exit, Failure

_TEMPLATES_HINT = "Give --templates a list as Credly's API answers it, or leave it out to serve samples."

_LRS = """\
Record store: {endpoint}, user {user}, password {password}
To read it, in config.toml (the password goes into CREDLY_LMS_TOKEN, or a file that password_file names):
  [lms]
  source = "xapi"
  [lms.xapi]
  endpoint = "{endpoint}"
  user = "{user}"
"""


def sandbox(
    context: typer.Context,
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="The port; one that is free by default.")
    ] = 0,
    templates: Annotated[
        Path | None, typer.Option("--templates", metavar="FILE", help="Serve this recorded list of badge templates.")
    ] = None,
    lrs: Annotated[bool, typer.Option("--lrs", help="Serve a stand-in of a learning record store too.")] = False,
) -> None:
    """Serve a stand-in of Credly's API on this machine, to try everything out without an account.

    It prints its token and the line that connects to it, and runs until Ctrl-C. With --lrs it is a learning record
    store (xAPI) too, and prints what the configuration needs to read it.

    Example: credly sandbox --port 8808
    """
    from credly_cli.sandbox.record_store import PATH, RecordStore
    from credly_cli.sandbox.records import recorded_organization, sample_organization
    from credly_cli.sandbox.server import SandboxServer, serve_until_stopped
    from credly_cli.sandbox.state import Sandbox

    environment: Environment = context.obj
    output = environment.output
    record_store = RecordStore() if lrs else None
    try:
        stand_in = Sandbox(*(recorded_organization(templates) if templates else sample_organization()))
    except OSError as error:
        raise Failure("usage", f"{templates} cannot be read: {error.strerror}.", hint=_TEMPLATES_HINT) from None
    except ValueError as error:
        raise Failure("usage", f"{templates} cannot be served: {error}.", hint=_TEMPLATES_HINT) from None

    def announce(server: SandboxServer) -> None:
        line = f"printf %s {stand_in.token} | credly connect --api-url {server.url} --token-stdin"
        client = stand_in.clients[0]
        facts: dict[str, Any] = {"url": server.url, "token": stand_in.token, "connect": line}
        facts["organization"] = stand_in.organization_id
        facts |= {"client_id": client.id, "client_secret": client.secret, "oauth_url": f"{server.url}/oauth/token"}
        lines = f"Serving at {server.url}\nToken: {stand_in.token}\n"
        lines += f"OAuth client: {client.id}, its secret: {client.secret}, at {server.url}/oauth/token\n"
        lines += f"Connect with:\n  {line}\n"
        if record_store is not None:
            endpoint = f"{server.url}{PATH}"
            facts["lrs"] = {"endpoint": endpoint, "user": record_store.user, "password": record_store.password}
            lines += _LRS.format(**facts["lrs"])
        output.answer(facts, lambda: output.stdout.write(lines))
        output.stdout.flush()

    try:
        serve_until_stopped(stand_in, port, announce, record_store)
    except OSError as error:
        raise Failure(
            "usage", f"Port {port} cannot be used: {error.strerror}.", hint="Choose another --port."
        ) from None


def demo(
    context: typer.Context,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="DIR", help="Leave the demo's home in this folder.", callback=no_stdout),
    ] = None,
) -> int:
    """Show the whole story on this machine: real commands, their real output, no account and no network.

    Example: credly demo --keep ./demo-home
    """
    from credly_cli.sandbox.demo import Story

    environment: Environment = context.obj
    output = environment.output
    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise Failure("file-exists", f"{keep} is not empty.", hint="Name a folder that is not there yet.")
    story = Story(output)
    story.tell(keep)
    output.answer({"steps": story.steps, "home": keep}, lambda: None)  # which was told step by step
    return int(Exit.DONE if story.went_well else Exit.UNEXPECTED)
