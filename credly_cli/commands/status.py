"""`credly status`, and `credly` alone."""

from pathlib import Path
from typing import Annotated, Any

import typer

from credly_cli.cli.environment import Environment
from credly_cli.errors import Exit
from credly_cli.output import Output
from credly_cli.text import Hint


def status(
    context: typer.Context,
    max_age: Annotated[
        str | None,
        typer.Option(
            "--max-age",
            metavar="AGE",
            help="Exit 3 when the last good sync is older, like 90m or 2h, or anything needs a person.",
        ),
    ] = None,
) -> int:
    """Say where things stand, at once and offline.

    For a monitor: credly status --max-age 2h -q prints nothing and exits 0 while all is well.

    Example: credly status --max-age 2h
    """
    from credly_cli.admin import status as standing
    from credly_cli.connection import expiring

    environment: Environment = context.obj
    output, paths = environment.output, environment.paths
    oldest = standing.read_age(max_age) if max_age is not None else None
    configured = {"enabled": environment.settings.enabled, "configuration": str(paths.config)}
    answer = standing.read(paths.store, environment.profile) | configured
    now = environment.clock.now()
    warning = expiring.token_warning(answer["token_expires_at"], now) if answer["connected"] else None
    next_step = standing.next_step(answer)
    if not (output.quiet and oldest) or output.as_json:
        output.answer(answer, lambda: _show(output, answer, warning, next_step))
    if oldest is None:
        return int(Exit.DONE)
    reason = standing.overdue(answer, oldest, now)
    if reason or warning:
        output.line(f"credly status: {reason}" if reason else "credly status:", next_step if reason else warning)
    return int(Exit.PARTIAL if reason or warning else Exit.DONE)


def _show(output: Output, answer: dict[str, Any], warning: Hint | None, next_step: Hint) -> None:
    _show_connection(output, answer)
    _show_counts(output, answer)
    _show_runs(output, answer)
    for what in ("configuration", "store"):
        there = "" if Path(answer[what]).exists() else " (not there)"
        output.tell(f"{what.capitalize()}: {answer[what]}{there}.")
    if warning:
        output.warn(warning)
    output.note(next_step)


def _show_connection(output: Output, answer: dict[str, Any]) -> None:
    organization, profile = answer["organization"], answer["profile"]
    if answer["connected"]:
        output.tell(f"Connected to {organization['name']} at {answer['api_url']} (profile {profile}).", "green")
    elif organization:
        output.tell(f"Disconnected from {organization['name']} (profile {profile}).", "yellow")
    else:
        output.tell(f"Not connected (profile {profile}).", "yellow")
    if not answer["enabled"]:
        output.tell("The integration is switched off.", "yellow")


def _show_counts(output: Output, answer: dict[str, Any]) -> None:
    output.tell(
        f"{answer['badges']:,} badges, {answer['linked']:,} linked; "
        f"{answer['content']:,} pieces of content; {answer['learners']:,} learners."
    )
    told = [f"{number:,} {state}" for state, number in answer["grants"].items() if number]
    output.tell(f"Grants: {', '.join(told) or 'none'}.")
    if answer["needs_person"]:
        output.tell(f"Waiting for a person: {answer['needs_person']:,}.", "yellow")


def _show_runs(output: Output, answer: dict[str, Any]) -> None:
    last, good = answer["last_sync"], answer["last_good_sync"]
    if last is None:
        output.tell("Last sync: never.")
        return
    ended = last["finished_at"] or f"begun {last['started_at']}"
    output.tell(f"Last sync: {last['status'] or 'not finished'}, {ended}.")
    if last["problem"]:
        output.tell(f"  {last['problem']['message']}", "yellow")
    if good != last["finished_at"]:
        output.tell(f"Last good sync: {good or 'never'}.")
