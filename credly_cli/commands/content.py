"""`credly content`."""

import typer

from credly_cli.cli.environment import Environment
from credly_cli.cli.parameters import AsCsv
from credly_cli.output import Column
from credly_cli.text import Command, Hint
from credly_cli.times import utc_text

COLUMNS = (
    Column("Id", "id", whole=True),
    Column("Title", "title", link="url"),
    Column("Type", "type"),
    Column("Released", "released"),
    Column("Sessions", "sessions", "wide"),
    Column("Badges", "badges"),
    Column("Address", "url", "pipe", whole=True),
)


def content(
    context: typer.Context,
    csv: AsCsv = False,
) -> None:
    """List the content of the LMS, with its sessions and badges.

    Example: credly content --json
    """
    from credly_cli.store import content as contents

    environment: Environment = context.obj
    with environment.reading() as store:
        rows = contents.listed(store, utc_text(environment.clock.now()))
    empty = Hint("There is no content yet. Run:", Command("import", "content", "FILE"))
    environment.output.listing(COLUMNS, rows, empty=empty, as_csv=csv)
