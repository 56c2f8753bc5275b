"""`credly badges`."""

from typing import Annotated

import typer

from credly_cli.cli.environment import Environment
from credly_cli.output import Column
from credly_cli.text import Command, Hint

COLUMNS = (
    Column("Id", "id", "pipe"),
    Column("Badge", "name", link="url"),
    Column("Content", "content"),
    Column("Counts from", "counts_from", "wide", "time"),
    Column("State", "state", "pipe"),
    Column("Slug", "slug", "wide"),
    Column("Address", "url", "pipe"),
    Column("Image", "image_url", "pipe"),
    Column("Duplicates", "allow_duplicates", "wide"),
)


def badges(
    context: typer.Context,
    unlinked: Annotated[bool, typer.Option("--unlinked", help="Only badges without content.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV with a header.")] = False,
) -> None:
    """List the badges alphabetically, with the content each is linked to.

    Example: credly badges --unlinked
    """
    from credly_cli.store import badges as stored

    environment: Environment = context.obj
    with environment.reading() as store:
        rows = stored.listed(store, unlinked=unlinked)
    none = Hint("There are no badges yet. Run:", Command("sync"))
    empty = Hint("Every badge is linked.") if unlinked else none
    environment.output.listing(COLUMNS, rows, empty=empty, as_csv=csv)
