"""`credly resolve`."""

from typing import TYPE_CHECKING, Annotated

import typer

from credly_cli.cli.environment import Environment
from credly_cli.cli.parameters import LockWait, grant_number
from credly_cli.errors import Failure
from credly_cli.output import Output
from credly_cli.text import Command, Hint
from credly_cli.times import utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from credly_cli.issuing.resolve import Resolved


def resolve(
    context: typer.Context,
    grants: Annotated[
        list[str], typer.Argument(metavar="GRANT...", help="Its number in `credly grants`; several with --drop.")
    ],
    issued: Annotated[
        str | None, typer.Option("--issued", metavar="BADGE_ID", help="This issued badge of Credly's is the grant's.")
    ] = None,
    drop: Annotated[bool, typer.Option("--drop", help="Give it up; it is not planned again.")] = False,
    lock_wait: LockWait = 10,
) -> None:
    """Say what you found out about a grant: which badge was issued for it, or that none is to be.

    Several can be dropped at once: all of them, or none where one of them cannot be.

    Example: credly resolve 17 --drop
    """
    from credly_cli.connection import connect
    from credly_cli.issuing import resolve as ledger
    from credly_cli.store import connection as connections

    environment: Environment = context.obj
    numbers = [grant_number(text) for text in grants]
    if (issued is None) == (not drop):
        hint = Hint("For example:", Command("resolve", *map(str, numbers), "--drop"))
        raise Failure("usage", "Say either --issued BADGE_ID or --drop.", hint=hint)
    if issued is not None and len(numbers) > 1:
        hint = Hint("For example:", Command("resolve", str(numbers[0]), "--issued", issued))
        raise Failure("usage", "--issued is for one grant: an issued badge is of one.", hint=hint)
    with environment.writing(lock_wait) as (store, _):
        known = connections.current(store)
        client = None
        if issued is not None and known is not None and known.connected:
            _, client = connect.connected_client(store, environment.settings, environment.network())
        now = utc_text(environment.clock.now())
        if issued is None:
            resolved = ledger.drop_all(store, numbers, now)
        else:
            resolved = [ledger.bind(store, client, numbers[0], issued.strip(), now)]
    environment.output.answer(_answer(resolved), lambda: _show(environment.output, resolved, drop=drop))


def _answer(resolved: "Sequence[Resolved]") -> "Resolved | dict[str, object]":
    """Return what scripts read: of several whether anything changed, the first grant, and each as alone."""
    first = resolved[0]
    if len(resolved) == 1:
        return first
    return {"changed": any(one.changed for one in resolved), "grant": first.grant, "results": resolved}


def _show(output: Output, resolved: "Sequence[Resolved]", *, drop: bool) -> None:
    for one in resolved:
        number, name, email = one.grant.id, one.grant.badge.name, one.grant.email
        if not one.changed:
            output.confirm(f"Grant {number} was resolved so before.")
        elif drop:
            output.confirm(f"Grant {number} is dropped: {email} gets no {name} for it.")
        else:
            output.confirm(f"Grant {number} is issued: {name} for {email}.", "green")
