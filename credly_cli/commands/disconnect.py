"""`credly disconnect`."""

from typing import TYPE_CHECKING, Annotated

import typer

from credly_cli.command_line import LockWait
from credly_cli.environment import Environment
from credly_cli.errors import Failure

if TYPE_CHECKING:
    from credly_cli.disconnecting import Disconnected
    from credly_cli.store.connection import Connection


def disconnect(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    purge: Annotated[bool, typer.Option("--purge", help="Remove every trace of this profile on this machine.")] = False,
    confirm: Annotated[
        str | None,
        typer.Option("--confirm", metavar="NAME", help="The organization's name, to purge without a question."),
    ] = None,
    lock_wait: LockWait = 10,
) -> None:
    """Disconnect from Credly: the token is forgotten, links are kept, nothing more is issued.

    Badges on Credly are untouched. With --purge everything that this profile stored here is removed too.

    Example: credly disconnect --yes
    """
    from credly_cli import disconnecting
    from credly_cli.store import connection as connections

    environment: Environment = context.obj
    if confirm is not None and not purge:
        raise Failure("usage", "--confirm goes with --purge.")
    with environment.writing(lock_wait) as (store, _):
        known = connections.current(store)
        _warn(environment, known)
        if purge:
            _confirm_purge(environment, known, confirm)
            store.close()
            outcome = disconnecting.purge(environment.paths, known)
        else:
            _agree(environment, known, yes=yes)
            outcome = disconnecting.disconnect(store, environment.paths, environment.clock.now())
    _show(environment, outcome)


def _warn(environment: Environment, known: "Connection | None") -> None:
    from credly_cli.disconnecting import WARNING

    if known is not None and known.connected:
        for sentence in WARNING:
            environment.output.warn(sentence)


def _agree(environment: Environment, known: "Connection | None", *, yes: bool) -> None:
    if known is None or not known.connected or yes:
        return
    if not environment.ask(f"Disconnect from {known.organization_name}?", "--yes"):
        raise Failure("interrupted", "Nothing was changed.")


def _confirm_purge(environment: Environment, known: "Connection | None", confirm: str | None) -> None:
    from credly_cli.disconnecting import require_name

    if known is None:
        return
    if confirm is None:
        confirm = environment.typed(
            f"To remove everything, type the name {known.organization_name}: ", "--confirm NAME"
        )
    require_name(known, confirm)


def _show(environment: Environment, outcome: "Disconnected") -> None:
    output = environment.output
    if output.as_json:
        output.json(outcome.json())
        return
    name = outcome.organization or "Credly"
    done = "and removed everything that was stored here" if outcome.purged else "and forgot the token"
    output.say(f"Disconnected from {name} {done}.", "green")
    for path in outcome.left:
        output.warn(f"This file stays and is yours to remove: {path}")
    output.note("To connect again: credly connect")
