"""`credly grants`."""

from typing import Annotated

import typer

from credly_cli.cli.completion import badges, learners, one_of
from credly_cli.cli.environment import Environment
from credly_cli.cli.parameters import AsCsv, OfContent
from credly_cli.errors import Failure
from credly_cli.output import Column
from credly_cli.store.schema import STATES
from credly_cli.text import Command, Hint
from credly_cli.times import utc_text

COLUMNS = (
    Column("Grant", "id", whole=True),
    Column("State", "state"),
    Column("Learner", "email", whole=True),
    Column("Badge", "badge"),
    Column("Content", "content", "wide"),
    Column("Session", "session_id", "wide", whole=True),
    Column("Completed", "completed_at", kind="date"),
    Column("Reason", "reason", "pipe"),
    Column("Issued badge", "issued_badge_id", "pipe", whole=True),
    Column("Attempts", "attempts", "pipe"),
    Column("Problem", "problem"),
    Column("Badge state", "badge_state"),
    Column("Badge address", "badge_url", "pipe", whole=True),
)


def grants(
    context: typer.Context,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state", metavar="STATE", help="Only in this state; repeatable.", autocompletion=one_of(*STATES)
        ),
    ] = None,
    email: Annotated[
        str | None,
        typer.Option("--email", metavar="EMAIL", help="Only of this learner.", autocompletion=learners),
    ] = None,
    badge: Annotated[
        str | None,
        typer.Option(
            "--badge", metavar="BADGE", help="Only of this badge: its id, slug or name.", autocompletion=badges
        ),
    ] = None,
    content: OfContent = None,
    csv: AsCsv = False,
) -> None:
    """List the grants: who is to get which badge, and what became of it.

    Example: credly grants --state failed --state held
    """
    from credly_cli.linking import names
    from credly_cli.store import grants as stored

    environment: Environment = context.obj
    for name in state or ():
        if name not in STATES:
            revoked = " What was revoked is issued, with its state in Credly." if name == "revoked" else ""
            hint = f"The states are {', '.join(STATES)}.{revoked}"
            raise Failure("usage", f"There is no state {name!r}.", hint=hint)
    with environment.reading() as store:
        learners = [learner.id for learner in names.learner(store, email)] if email is not None else None
        badge_id = names.badge(store, badge).id if badge is not None else None
        content_id = names.content(store, content).id if content is not None else None
        rows = stored.listed(
            store,
            states=state or (),
            learners=learners,
            badge_id=badge_id,
            content_id=content_id,
            now=utc_text(environment.clock.now()),
        )
    output = environment.output
    output.listing(COLUMNS, rows, empty="There are no such grants.", as_csv=csv)
    if output.stdout.isatty() and any(row.badge_state in ("revoked", "deleted") for row in rows):
        output.note(
            Hint("A badge was revoked or deleted:", Command("explain", "LEARNER"), "tells why the learner has none.")
        )
