"""`credly missed`."""

from typing import Annotated

import typer

from credly_cli.environment import Environment
from credly_cli.output import Column

COLUMNS = (
    Column("Learner", "email"),
    Column("Badge", "badge"),
    Column("Content", "content"),
    Column("Session", "session_id", "wide"),
    Column("Completed", "completed_at", kind="date"),
    Column("Why", "reason"),
)


def missed(
    context: typer.Context,
    badge: Annotated[str, typer.Argument(help="Only this badge: its id, slug or name.")] = "",
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV with a header.")] = False,
) -> None:
    """List the completions that earned nothing, and why.

    To let earlier completions count after all: credly link BADGE CONTENT --since DATE

    Example: credly missed "First Aid at Work" --csv > earlier.csv
    """
    from credly_cli import finding, missing

    environment: Environment = context.obj
    with environment.reading() as store:
        badge_id = finding.badge(store, badge)["id"] if badge else None
        rows = missing.missed(store, badge_id)
    environment.output.listing(COLUMNS, rows, empty="Every completion of linked content earned its badge.", as_csv=csv)
