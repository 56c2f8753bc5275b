"""`credly grant`."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credly_cli.cli.completion import learners_or_badges
from credly_cli.cli.environment import Environment
from credly_cli.cli.parameters import LockWait, Yes
from credly_cli.errors import Exit, Failure, Problem
from credly_cli.output import Column, Output
from credly_cli.text import Command, Hint, as_json, counted
from credly_cli.times import UnreadableTimeError, utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from credly_cli.issuing.grantable import Addressee
    from credly_cli.issuing.manual import Granted, ManualGrants
    from credly_cli.store.database import Store
    from credly_cli.store.lock import RunLock

COLUMNS = (
    Column("Grant", "id", "pipe", whole=True),
    Column("Learner", "email", whole=True),
    Column("Result", "result"),
    Column("Why", "why", "wide"),
)
GRANTABLE = (
    Column("Badge id", "id", "pipe", whole=True),
    Column("Badge", "badge"),
    Column("Resource", "content"),
    Column("Session", "session_id", "wide", whole=True),
    Column("Progress (%)", "progress"),
    Column("Completed", "completed_at", kind="date"),
)
_ASKED = 10  # so many are named before it is asked
_AHEAD = timedelta(days=1)  # clocks and zones differ


def grant(
    context: typer.Context,
    names: Annotated[
        list[str],
        typer.Argument(metavar="LEARNER... BADGE", help="Learners, then the badge.", autocompletion=learners_or_badges),
    ],
    file: Annotated[
        str | None, typer.Option("--from", metavar="FILE", help="Take the learners from a file; - is standard input.")
    ] = None,
    issued_at: Annotated[
        str | None,
        typer.Option("--issued-at", metavar="DATE", help="The date on the badge, instead of now; or: completion."),
    ] = None,
    show_list: Annotated[
        bool, typer.Option("--list", help="List what can be granted to a learner, each with its resource.")
    ] = False,
    yes: Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, issue nothing.")] = False,
    lock_wait: LockWait = 10,
) -> int:
    """Issue a badge by hand to learners who are enrolled in its content and have not earned it.

    The resource of the badge is the linked content. At a terminal it says whom it would issue to, and asks.
    --issued-at completion dates the badge by the learner's completion.

    In a pipe several learners are a row each: the grant's id (empty where there is none), address, result, why.

    Example: credly grant robin@example.com "First Aid at Work"
    """
    from credly_cli.issuing import manual

    environment: Environment = context.obj
    if show_list:
        return _list(environment, names)
    emails, badge = _split(environment, names, file)
    if file is None and len(emails) > 1:
        _require_quotes(environment, emails, badge)
    moment = _moment(environment, issued_at) if issued_at is not None else None
    if not (dry_run or yes) and environment.may_ask:
        _confirm(environment, emails, badge)
    with (
        environment.writing(lock_wait, rehearse=dry_run) as (store, lock),
        environment.output.progress("Granting") as progress,
    ):
        grants = _manual_grants(environment, store, lock)
        grants.client.progress = progress
        results = grants.grant(emails, badge, moment, rehearse=dry_run)
        out = grants.out()
    if file is None and len(emails) == 1:
        return _show_one(environment.output, results[0], out, dry_run=dry_run)
    code = manual.exit_code(results, rehearse=dry_run)
    _show_several(environment.output, results, code, out, dry_run=dry_run)
    return int(code)


def _manual_grants(environment: Environment, store: "Store", lock: "RunLock") -> "ManualGrants":
    from credly_cli.connection import connect
    from credly_cli.issuing.manual import ManualGrants
    from credly_cli.issuing.send import SendOptions

    settings = environment.settings
    _, client = connect.connected_client(store, settings, environment.network())
    options = SendOptions(
        None,
        parallel=settings.credly.parallel,
        suppress_notification=settings.suppress_notification,
        interruption=environment.interruption,
    )
    return ManualGrants(store, lock, client, environment.clock, options, settings.grants)


def _split(environment: Environment, names: list[str], file: str | None) -> tuple[list[str], str]:
    from credly_cli.lms.csv_reader import addresses_of

    *emails, badge = names
    if file is None:
        if not emails:
            hint = Hint("For example:", Command("grant", "robin@example.com", "First Aid at Work"))
            raise Failure("usage", "Say who gets the badge.", hint=hint)
        return emails, badge
    if emails:
        raise Failure(
            "usage", "--from takes the place of the learners.", hint=Hint(Command("grant", "--from", "FILE", "BADGE"))
        )
    return addresses_of(_text(environment, file)), badge


def _require_quotes(environment: Environment, emails: list[str], badge: str) -> None:
    """Notice a learner's name that a shell took apart, before the others are issued anything; raises ``Failure``."""
    from credly_cli.cli import corrections
    from credly_cli.linking import names

    words = [email for email in emails if "@" not in email]
    if not words:
        return
    with environment.reading() as store:
        for word in words:
            try:
                names.learner(store, word)
            except Failure as failure:
                meant = corrections.corrected(failure, environment, ["grant", *emails, badge])
                if meant is not failure:
                    raise meant from None


def _text(environment: Environment, file: str) -> str:
    from credly_cli.lms.text import Text

    if file == "-":
        return "".join(Text(environment.bytes_of_stdin(), "The input").pieces())
    try:
        stream = Path(file).open("rb")  # noqa: SIM115 - closed below; only opening is excused
    except OSError as error:
        raise Failure("usage", f"{file} cannot be read: {error.strerror}.", hint="Check its name.") from None
    with stream:
        return "".join(Text(stream, file).pieces())


def _list(environment: Environment, names: list[str]) -> int:
    from credly_cli.issuing import grantable
    from credly_cli.store import connection as connections

    if len(names) != 1:
        raise Failure("usage", "--list is for one learner.", hint=Hint(Command("grant", "LEARNER", "--list")))
    with environment.reading() as store:
        connections.require_connected(store)
        rows = [as_json(row) for row in grantable.of_learner(store, names[0])]
    output = environment.output
    shown = rows if output.as_json else [_grantable(row) for row in rows]
    empty = f"Nothing can be granted to {names[0]}: who gets a badge is enrolled in its content and has not earned it."
    output.listing(GRANTABLE, shown, empty=empty)
    return int(Exit.DONE)


def _grantable(row: "Mapping[str, Any]") -> dict[str, object]:
    progress = None if row["progress"] is None else f"{row['progress']:g}"
    return {**row, "id": row["badge"]["id"], "progress": progress}


def _confirm(environment: Environment, emails: list[str], badge: str) -> None:
    """Say who would get the badge, and ask; the store is free meanwhile."""
    from credly_cli.issuing import grantable
    from credly_cli.store import connection as connections

    with environment.reading() as store:
        connections.require_connected(store)
        plan = grantable.recipients(store, emails, badge)
    if not plan.recipients or plan.content is None:
        return  # granting says why not
    for one in plan.recipients[:_ASKED]:
        environment.output.line(f"{one.name or 'Name not known'} <{one.email}>, {_far(one)}")
    more = len(plan.recipients) - _ASKED
    if more > 0:
        environment.output.line(f"... and {more:,} more.")
    to = plan.recipients[0].email if len(plan.recipients) == 1 else counted(len(plan.recipients), "learner")
    question = f"Issue {plan.badge.name} (resource: {plan.content.title}) to {to}?"
    if not environment.ask(question, "--yes"):
        raise Failure("declined", "Nothing was issued.", hint="Answer y to issue it.")


def _far(one: "Addressee") -> str:
    if one.completed_at:
        return f"completed on {one.completed_at[:10]}"
    return "progress not known" if one.progress is None else f"{one.progress:g} % done"


def _moment(environment: Environment, text: str) -> str:
    if text == "completion":
        return text
    from credly_cli.lms.dates import read_moment

    try:
        moment = read_moment(text, environment.settings.zone).at
    except UnreadableTimeError as error:
        hint = "Write it like 2026-01-31 or 2026-01-31T09:30:00Z, or completion."
        raise Failure("usage", f"--issued-at cannot be read: {error.reason}.", hint=hint) from None
    if moment > utc_text(environment.clock.now() + _AHEAD):
        raise Failure("usage", f"--issued-at is in the future: {text}.", hint="Give the day on which it was earned.")
    return moment


def _show_one(output: Output, result: "Granted", out: Hint, *, dry_run: bool) -> int:
    failure, grant = result.failure, result.grant
    if grant is None or (failure is not None and failure.code == "already-earned"):
        raise failure or Failure("unexpected", "Nothing came of it.", hint=Hint("Run:", Command("grants")))
    answer: dict[str, object] = {"changed": result.changed, "grant": grant}
    if failure is not None:
        problem = Problem(failure.code, failure.message, grant.email, grant.badge.id, grant.id, failure.hint)
        answer["problems"] = [problem]
    output.answer(answer, lambda: _render_one(output, result, out, dry_run=dry_run))
    if failure is None:
        return int(Exit.DONE)
    return int(failure.exit_code)


def _render_one(output: Output, result: "Granted", out: Hint, *, dry_run: bool) -> None:
    if result.failure is not None or result.grant is None:
        output.failure(result.failure or Failure("unexpected", "Nothing came of it."))
        return
    email, name = result.email, result.grant.badge.name
    output.confirm(f"{email} would get {name}." if dry_run else f"Issued {name} to {email}.", "green")
    output.note(f"Resource: {result.grant.content.title}.")
    if dry_run:
        output.note("This is a dry run: nothing was issued.")
        return
    output.note(out)
    output.note(Hint("Next:", Command("learner-badges", email)))


def _show_several(output: Output, results: "Sequence[Granted]", code: Exit, out: Hint, *, dry_run: bool) -> None:
    output.answer({"results": results}, lambda: _render_several(output, results, code, out, dry_run=dry_run))


def _render_several(output: Output, results: "Sequence[Granted]", code: Exit, out: Hint, *, dry_run: bool) -> None:
    output.listing(COLUMNS, [_row(result) for result in results], empty="The list of learners is empty.")
    failures = [result.failure for result in results if result.failure and result.failure.exit_code == code]
    if failures and code is not Exit.PARTIAL:
        output.failure(failures[0])
    if dry_run:
        free = sum(result.failure is None for result in results)
        output.note(f"This is a dry run: nothing was issued. {free:,} of {len(results):,} would get it.")
        return
    issued = sum(result.changed and result.failure is None for result in results)
    earned = sum(result.failure is not None and result.failure.code == "already-earned" for result in results)
    had = f" {earned:,} had it already." if earned else ""
    output.note(f"{issued:,} of {len(results):,} issued.{had}")
    if any(result.changed and result.grant for result in results):
        output.note(out)


def _row(result: "Granted") -> dict[str, object]:
    refused = result.failure is not None and (result.grant is None or result.failure.code == "already-earned")
    return {
        "id": result.grant.id if result.grant else None,
        "email": result.email,
        "result": result.failure.code if refused and result.failure else result.grant and result.grant.state,
        "why": result.failure.message if result.failure else None,
    }
