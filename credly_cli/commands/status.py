"""`credly status`, and `credly` alone."""

from typing import Annotated, Any

import typer

from credly_cli.environment import Environment
from credly_cli.errors import Exit
from credly_cli.output import local_time


def status(
    context: typer.Context,
    max_age: Annotated[
        str | None,
        typer.Option("--max-age", metavar="AGE", help="Exit 3 when the last good sync is older, like 90m or 2h."),
    ] = None,
) -> int:
    """Say where things stand, at once and offline.

    Example: credly status --max-age 2h
    """
    from credly_cli import standing

    environment: Environment = context.obj
    oldest = standing.read_age(max_age) if max_age else None
    answer = standing.read(environment.paths.store, environment.profile)
    if environment.output.as_json:
        environment.output.json(answer)
    else:
        _show(environment, answer)
    if oldest is not None and standing.is_stale(answer, oldest, environment.clock.now()):
        return int(Exit.PARTIAL)
    return int(Exit.DONE)


def _show(environment: Environment, answer: dict[str, Any]) -> None:
    output = environment.output
    organization = answer["organization"]
    if answer["connected"]:
        output.say(
            f"Connected to {organization['name']} at {answer['api_url']} (profile {answer['profile']}).", "green"
        )
    elif organization:
        output.say(f"Disconnected from {organization['name']} (profile {answer['profile']}).", "yellow")
    else:
        output.say(f"Not connected (profile {answer['profile']}).", "yellow")
    output.say(
        f"{answer['badges']:,} badges, {answer['linked']:,} linked; "
        f"{answer['content']:,} pieces of content; {answer['learners']:,} learners."
    )
    told = [f"{number:,} {state}" for state, number in answer["grants"].items() if number]
    output.say(f"Grants: {', '.join(told) or 'none'}.")
    last = answer["last_sync"]
    if last:
        ended = local_time(last["finished_at"]) if last["finished_at"] else "not finished"
        output.say(f"Last sync: {last['status'] or 'broken off'}, {ended}.")
    else:
        output.say("Last sync: never.")
    output.note(f"Next: {_next(answer)}")


def _next(answer: dict[str, Any]) -> str:
    if not answer["connected"]:
        return "credly connect"
    if answer["needs_person"]:
        return "credly grants --state failed --state held"
    if not answer["badges"]:
        return "credly sync"
    if not answer["content"]:
        return "credly import content FILE"
    return "credly sync" if answer["linked"] else "credly link BADGE CONTENT"
