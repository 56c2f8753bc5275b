"""`credly status`, and `credly` alone."""

from typing import Annotated, Any

import typer

from credly_cli.environment import Environment
from credly_cli.errors import Exit
from credly_cli.output import Output, local_time


def status(
    context: typer.Context,
    max_age: Annotated[
        str | None,
        typer.Option(
            "--max-age",
            metavar="AGE",
            help="Exit 3 when the last good sync is older, like 90m or 2h, or something waits for a person.",
        ),
    ] = None,
) -> int:
    """Say where things stand, at once and offline.

    For a monitor: credly status --max-age 2h -q prints nothing and exits 0 while all is well.

    Example: credly status --max-age 2h
    """
    from credly_cli import expiring
    from credly_cli.upkeep import standing

    environment: Environment = context.obj
    oldest = standing.read_age(max_age) if max_age is not None else None
    answer = standing.read(environment.paths.store, environment.profile)
    now = environment.clock.now()
    if environment.output.as_json:
        environment.output.json(answer)
    else:
        _show(environment.output, answer, expiring.token_warning(answer["token_expires_at"], now))
    reason = standing.overdue(answer, oldest, now) if oldest is not None else None
    if reason is None:
        return int(Exit.DONE)
    environment.output.line(f"credly status: {reason} Next: {_next(answer)}")
    return int(Exit.PARTIAL)


def _show(output: Output, answer: dict[str, Any], warning: str | None) -> None:
    organization, profile = answer["organization"], answer["profile"]
    if answer["connected"]:
        output.say(f"Connected to {organization['name']} at {answer['api_url']} (profile {profile}).", "green")
    elif organization:
        output.say(f"Disconnected from {organization['name']} (profile {profile}).", "yellow")
    else:
        output.say(f"Not connected (profile {profile}).", "yellow")
    _show_counts(output, answer)
    _show_runs(output, answer)
    if warning and answer["connected"]:
        output.warn(warning)
    output.note(f"Next: {_next(answer)}")


def _show_counts(output: Output, answer: dict[str, Any]) -> None:
    output.say(
        f"{answer['badges']:,} badges, {answer['linked']:,} linked; "
        f"{answer['content']:,} pieces of content; {answer['learners']:,} learners."
    )
    told = [f"{number:,} {state}" for state, number in answer["grants"].items() if number]
    output.say(f"Grants: {', '.join(told) or 'none'}.")
    if answer["needs_person"]:
        output.say(f"Waiting for a person: {answer['needs_person']:,}.", "yellow")


def _show_runs(output: Output, answer: dict[str, Any]) -> None:
    last, good = answer["last_sync"], answer["last_good_sync"]
    if last is None:
        output.say("Last sync: never.")
        return
    ended = local_time(last["finished_at"]) if last["finished_at"] else f"begun {local_time(last['started_at'])}"
    output.say(f"Last sync: {last['status'] or 'not finished'}, {ended}.")
    if good != last["finished_at"]:
        output.say(f"Last good sync: {local_time(good) if good else 'never'}.")


def _next(answer: dict[str, Any]) -> str:
    if not answer["connected"]:
        return "credly connect"
    if answer["grants"]["failed"] or answer["grants"]["held"]:
        return "credly grants --state failed --state held"
    if not answer["badges"] or answer["needs_person"]:
        return "credly sync"
    if not answer["content"]:
        return "credly import content FILE"
    return "credly sync" if answer["linked"] else "credly link BADGE CONTENT"
