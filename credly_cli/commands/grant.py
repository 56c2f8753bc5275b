"""`credly grant`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from credly_cli.command_line import LockWait
from credly_cli.environment import Environment
from credly_cli.errors import Exit, Failure
from credly_cli.output import Column, Output
from credly_cli.times import UnreadableTimeError, read_moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from credly_cli.by_hand import Granted

COLUMNS = (
    Column("Grant", "id", "pipe"),
    Column("Learner", "email"),
    Column("State", "state"),
    Column("Why", "why"),
)


def grant(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="EMAIL... BADGE", help="Learners, then the badge.")],
    file: Annotated[
        str | None, typer.Option("--from", metavar="FILE", help="Take the learners from a file; - is standard input.")
    ] = None,
    issued_at: Annotated[
        str | None, typer.Option("--issued-at", metavar="DATE", help="The date on the badge, instead of now.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, issue nothing.")] = False,
    lock_wait: LockWait = 10,
) -> int:
    """Issue a badge by hand to learners who are enrolled in its content and have not earned it.

    Example: credly grant robin@example.com "First Aid at Work"
    """
    from credly_cli import by_hand, connecting
    from credly_cli.granting import Terms
    from credly_cli.settling import Patience

    environment: Environment = context.obj
    settings = environment.settings
    emails, badge = _split(environment, names, file)
    moment = _moment(environment, issued_at) if issued_at else None
    with environment.writing(lock_wait, rehearse=dry_run) as (store, _):
        _, client = connecting.connected_client(store, settings, environment.network())
        terms = Terms(None, None, settings["credly.parallel"], suppress_notification=settings["suppress_notification"])
        patience = Patience(settings["grants.settle_seconds"], settings["grants.recheck_seconds"])
        counter = by_hand.Counter(store, client, environment.clock, terms, patience)
        results = counter.grant(emails, badge, moment, rehearse=dry_run)
    several = file is not None or len(emails) > 1
    if several:
        _show_several(environment.output, results, dry_run=dry_run)
        return int(by_hand.exit_code(results))
    return _show_one(environment.output, results[0], dry_run=dry_run)


def _split(environment: Environment, names: list[str], file: str | None) -> tuple[list[str], str]:
    from credly_cli.lms.addresses import addresses_of

    *emails, badge = names
    if file is None:
        if not emails:
            raise Failure(
                "usage", "Say who gets the badge.", hint='For example: credly grant robin@example.com "Badge"'
            )
        return emails, badge
    if emails:
        raise Failure("usage", "--from takes the place of the learners.", hint="credly grant --from FILE BADGE")
    try:
        text = environment.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure("usage", f"{file} cannot be read: {error}.") from None
    return addresses_of(text), badge


def _moment(environment: Environment, text: str) -> str:
    try:
        return read_moment(text, environment.settings.zone).at
    except UnreadableTimeError as error:
        hint = "Write it like 2026-01-31 or 2026-01-31T09:30:00Z."
        raise Failure("usage", f"--issued-at cannot be read: {error}.", hint=hint) from None


def _show_one(output: Output, result: "Granted", *, dry_run: bool) -> int:
    failure = result.failure
    if result.grant is None or (failure is not None and failure.code == "already-earned"):
        raise failure or Failure("unexpected", "Nothing came of it.")
    if output.as_json:
        output.json({"changed": result.changed, "grant": result.grant})
    name = result.grant["badge"]["name"]
    if failure is None:
        told = f"{result.email} would get {name}." if dry_run else f"Issued {name} to {result.email}."
        output.say(told, "green")
        output.note(f"Next: credly learner-badges {result.email}")
        return int(Exit.DONE)
    if not output.as_json:
        output.failure(failure)
    return int(Exit.PARTIAL if failure.code == "unexpected" else failure.exit_code)


def _show_several(output: Output, results: "Sequence[Granted]", *, dry_run: bool) -> None:
    if output.as_json:
        output.json({"results": [result.json() for result in results]})
        return
    rows = [
        {
            "id": result.grant["id"] if result.grant else None,
            "email": result.email,
            "state": result.grant["state"] if result.grant else "refused",
            "why": result.failure.message if result.failure else None,
        }
        for result in results
    ]
    output.listing(COLUMNS, rows, empty="The list of learners is empty.")
    issued = sum(result.changed and result.failure is None for result in results)
    output.note(f"{issued:,} of {len(results):,} issued." if not dry_run else "This is a dry run: nothing was issued.")
