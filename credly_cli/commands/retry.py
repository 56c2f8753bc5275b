"""`credly retry`."""

from typing import Annotated

import typer

from credly_cli.cli.environment import Environment
from credly_cli.cli.parameters import LockWait, grant_number
from credly_cli.output import Output
from credly_cli.text import Command, Hint, counted
from credly_cli.times import utc_text


def retry(
    context: typer.Context,
    grants: Annotated[
        list[str] | None, typer.Argument(metavar="[GRANT...]", help="Only these, by their number in `credly grants`.")
    ] = None,
    lock_wait: LockWait = 10,
) -> None:
    """Plan failed and held grants again; the next sync sends them.

    Example: credly retry 17
    """
    from credly_cli.issuing import resolve
    from credly_cli.store import connection as connections

    environment: Environment = context.obj
    numbers = [grant_number(text) for text in grants or ()]
    with environment.writing(lock_wait) as (store, _):
        planned = resolve.retry(store, numbers, utc_text(environment.clock.now()))
        following = Command("sync") if connections.is_connected(store) else Command("connect")
    output = environment.output
    output.answer({"planned": planned}, lambda: _show(output, planned, following))


def _show(output: Output, planned: int, following: Command) -> None:
    output.confirm(f"{counted(planned, 'grant')} planned again." if planned else "There is nothing to plan again.")
    waiting = Hint("To see what waits:", Command("grants", "--state", "failed", "--state", "held"))
    output.note(Hint("Next:", following) if planned else waiting)
