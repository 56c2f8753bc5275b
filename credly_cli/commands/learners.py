"""`credly learners`."""

from typing import TYPE_CHECKING, Annotated

import typer

from credly_cli.cli.environment import Environment
from credly_cli.cli.parameters import AsCsv
from credly_cli.output import Column
from credly_cli.text import Command, Hint, as_json

if TYPE_CHECKING:
    from credly_cli.store.finding import ListedLearner

_WHO = (
    Column("Id", "learner_id", whole=True),
    Column("Email", "email", whole=True),
    Column("First name", "first_name"),
    Column("Last name", "last_name"),
    Column("Panorama", "panorama", "wide"),
)
_ALL = (Column("Sublicenses", "sublicenses", "wide"), Column("Former addresses", "former_emails"))
ON_A_TERMINAL = (*_WHO, *_ALL)
COLUMNS = (*_WHO, Column("Sublicense", "sublicense"), *_ALL)


def learners(
    context: typer.Context,
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEXT]", help="Words of a name, an address or an id; all learners without them."),
    ] = None,
    csv: AsCsv = False,
) -> None:
    """Look learners up by words: each is found in the name, an address (also a former one) or the id.

    Words may stand in any order, with or without accents. In a pipe the first column is the id that the LMS gives the
    learner, empty where it gives none.

    Example: credly learners lovelace
    """
    from credly_cli.store import finding

    environment: Environment = context.obj
    words = " ".join(text or ())
    with environment.reading() as store:
        found = finding.matching(store, [words])
    output = environment.output
    shown = output.stdout.isatty() and not (csv or output.as_json)
    rows = [_shown(one) for one in found] if shown else found
    none = Hint("There are no learners yet. Run:", Command("import", "learners", "FILE"))
    empty = Hint(f"No learner matches {words!r}.") if words else none
    output.listing(ON_A_TERMINAL if shown else COLUMNS, rows, empty=empty, as_csv=csv)


def _shown(one: "ListedLearner") -> dict[str, object]:
    former = " ".join(f"formerly {email}" for email in one.former_emails)
    return {**as_json(one), "former_emails": former}
