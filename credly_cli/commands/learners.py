"""`credly learners`."""

from typing import Annotated

import typer

from credly_cli.cli.environment import Environment
from credly_cli.output import Column
from credly_cli.text import Command, Hint

COLUMNS = (
    Column("Id", "learner_id"),
    Column("Email", "email"),
    Column("First name", "first_name"),
    Column("Last name", "last_name"),
    Column("Panorama", "panorama", "wide"),
    Column("Sublicense", "sublicense", "wide"),
)


def learners(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="Part of a name, an address or an id; all learners without it.")] = "",
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV with a header.")] = False,
) -> None:
    """Look learners up by part of their name, email or id.

    In a pipe the first column is the id that the LMS gives the learner, empty where it gives none.

    Example: credly learners lovelace
    """
    from credly_cli.store import learners as stored

    environment: Environment = context.obj
    with environment.reading() as store:
        rows = stored.matching(store, text)
    none = Hint("There are no learners yet. Run:", Command("import", "learners", "FILE"))
    empty = Hint(f"No learner matches {text!r}.") if text else none
    environment.output.listing(COLUMNS, rows, empty=empty, as_csv=csv)
