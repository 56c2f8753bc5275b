"""`credly resolve`."""

from typing import TYPE_CHECKING, Annotated

import typer

from credly_cli.cli.environment import Environment
from credly_cli.cli.group import LockWait
from credly_cli.errors import Failure
from credly_cli.output import Output
from credly_cli.text import Command, Hint
from credly_cli.times import utc_text

if TYPE_CHECKING:
    from credly_cli.issuing.resolve import Resolved

_EXAMPLE = Hint("For example:", Command("resolve", "17", "--drop"))


def resolve(
    context: typer.Context,
    grant: Annotated[int, typer.Argument(metavar="GRANT", help="Its number in `credly grants`.")],
    issued: Annotated[
        str | None, typer.Option("--issued", metavar="BADGE_ID", help="This issued badge of Credly's is the grant's.")
    ] = None,
    drop: Annotated[bool, typer.Option("--drop", help="Give it up; it is not planned again.")] = False,
    lock_wait: LockWait = 10,
) -> None:
    """Say what you found out about a grant: which badge was issued for it, or that none is to be.

    Example: credly resolve 17 --drop
    """
    from credly_cli.connection import connect
    from credly_cli.issuing import resolve as ledger
    from credly_cli.store import connection as connections

    environment: Environment = context.obj
    if (issued is None) == (not drop):
        raise Failure("usage", "Say either --issued BADGE_ID or --drop.", hint=_EXAMPLE)
    with environment.writing(lock_wait) as (store, _):
        known = connections.current(store)
        client = None
        if issued is not None and known is not None and known.connected:
            _, client = connect.connected_client(store, environment.settings, environment.network())
        now = utc_text(environment.clock.now())
        if issued is None:
            resolved = ledger.drop(store, grant, now)
        else:
            resolved = ledger.bind(store, client, grant, issued.strip(), now)
    environment.output.answer(resolved, lambda: _show(environment.output, grant, resolved, drop=drop))


def _show(output: Output, grant: int, resolved: "Resolved", *, drop: bool) -> None:
    name, email = resolved.grant.badge.name, resolved.grant.email
    if not resolved.changed:
        output.say(f"Grant {grant} was resolved so before.")
    elif drop:
        output.say(f"Grant {grant} is dropped: {email} gets no {name} for it.")
    else:
        output.say(f"Grant {grant} is issued: {name} for {email}.", "green")
