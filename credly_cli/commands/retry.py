"""`credly retry`."""

from typing import Annotated

import typer

from credly_cli.cli.environment import Environment
from credly_cli.cli.group import LockWait
from credly_cli.errors import Failure
from credly_cli.text import counted
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

    environment: Environment = context.obj
    numbers = [_number(text) for text in grants or ()]
    with environment.writing(lock_wait) as (store, _):
        planned = resolve.retry(store, numbers, utc_text(environment.clock.now()))
    output = environment.output
    if output.as_json:
        output.json({"planned": planned})
        return
    output.say(f"{counted(planned, 'grant')} planned again." if planned else "There is nothing to plan again.")
    output.note("Next: credly sync" if planned else "To see what waits: credly grants --state failed --state held")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise Failure("usage", f"{text!r} is not the number of a grant.", hint="To see the numbers: credly grants")
    return int(text)
