"""`credly badges`."""

from typing import Annotated

import typer

from credly_cli.cli.environment import Environment
from credly_cli.cli.parameters import AsCsv
from credly_cli.output import Column
from credly_cli.text import Hint

COLUMNS = (
    Column("Id", "id", "pipe", whole=True),
    Column("Badge", "name", link="url"),
    Column("Content", "content"),
    Column("Counts from", "counts_from", "wide", "time"),
    Column("State", "state", "pipe"),
    Column("Slug", "slug", "wide", whole=True),
    Column("Address", "url", "pipe", whole=True),
    Column("Image", "image_url", "pipe", whole=True),
    Column("Duplicates", "allow_duplicates", "wide"),
)


def badges(
    context: typer.Context,
    unlinked: Annotated[bool, typer.Option("--unlinked", help="Only badges without content.")] = False,
    csv: AsCsv = False,
) -> None:
    """List the badges alphabetically, with the content each is linked to.

    Example: credly badges --unlinked
    """
    from credly_cli.store import badges, connection, runs

    environment: Environment = context.obj
    with environment.reading() as store:
        rows = badges.listed(store, unlinked=unlinked)
        synced, syncing = runs.badges_listed_at(store), connection.syncing(store)
    none = Hint("There are no badges yet. Run:", *syncing)
    empty = Hint("Every badge is linked.") if unlinked else none
    output = environment.output
    output.listing(COLUMNS, rows, empty=empty, as_csv=csv)
    if rows and synced and output.stdout.isatty() and not csv:
        output.note(Hint(f"As of the last sync, {synced}. A badge that is missing here:", *syncing))
