"""`credly status`, and `credly` alone."""

from typing import TYPE_CHECKING, Annotated

import typer

from credly_cli.cli.environment import Environment
from credly_cli.errors import Exit
from credly_cli.output import Output
from credly_cli.text import Command, Hint, as_json, counted

if TYPE_CHECKING:
    from credly_cli.store.overview import Overview


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
    from credly_cli.admin import status as use_case
    from credly_cli.store import overview

    environment: Environment = context.obj
    output, paths, now = environment.output, environment.paths, environment.clock.now()
    oldest = use_case.read_age(max_age) if max_age is not None else None
    enabled = environment.settings.enabled
    found = overview.read(paths.store)
    expiring = found.token_life.warning(now) if found.connected else None
    warning = expiring.sentence if expiring else None
    next_step = use_case.next_step(found, paths.config, enabled=enabled)
    if not (output.quiet and oldest) or output.as_json:
        setting = {"enabled": enabled, "configuration": paths.config}
        answer = {"profile": environment.profile, "store": paths.store, **setting, **as_json(found)}
        output.answer(answer, lambda: _show(environment, found, warning, next_step))
    if oldest is None:
        return int(Exit.DONE)
    reason = use_case.call_for(found, oldest, now, warning)
    if reason:
        output.line("credly status:", reason)
    return int(Exit.PARTIAL if reason else Exit.DONE)


def _show(environment: Environment, found: "Overview", warning: Hint | None, next_step: Hint | None) -> None:
    output, paths = environment.output, environment.paths
    _show_connection(output, found, environment.profile)
    if not environment.settings.enabled:
        output.print("The integration is switched off.", "yellow")
    _show_counts(output, found)
    _show_runs(output, found)
    for name, path in (("Configuration", paths.config), ("Store", paths.store)):
        output.print(f"{name}: {path}{'' if path.exists() else ' (not there)'}.")
    if warning:
        output.warn(warning)
    if next_step:
        output.note(next_step)


def _show_connection(output: Output, found: "Overview", profile: str) -> None:
    name = found.organization.name if found.organization else None
    if found.connected:
        output.print(f"Connected to {name} at {found.api_url} (profile {profile}).", "green")
    elif name is not None:
        output.print(f"Disconnected from {name} (profile {profile}).", "yellow")
    else:
        output.print(f"Not connected (profile {profile}).", "yellow")


def _show_counts(output: Output, found: "Overview") -> None:
    output.print(
        f"{counted(found.badges, 'badge')}, {found.linked:,} linked; "
        f"{counted(found.content, 'piece of content', 'pieces of content')}; {counted(found.learners, 'learner')}."
    )
    grants = [f"{number:,} {state}" for state, number in found.grants.items() if number]
    output.print(f"Grants: {', '.join(grants) or 'none'}.")
    if found.grants["revoked"]:
        were = counted(found.grants["revoked"], "issued badge was", "issued badges were")
        listed, why = Command("grants", "--state", "issued"), Command("explain", "LEARNER")
        output.note(Hint(f"{were} revoked or deleted in Credly. To see which:", listed, ";", why, "tells why."))
    if found.needs_person:
        output.print(f"Waiting for a person: {found.needs_person:,}.", "yellow")
    for waiting in found.waiting_for_person:
        hint = f" {output.words(Hint.of(waiting.hint))}" if waiting.hint else ""
        output.print(f"  {waiting.message}{hint}", "yellow")


def _show_runs(output: Output, found: "Overview") -> None:
    last, good = found.last_sync, found.last_good_sync
    if last is None:
        output.print("Last sync: never.")
        return
    ended = last.finished_at or f"begun {last.started_at}"
    output.print(f"Last sync: {last.status or 'not finished'}, {ended}.")
    if last.problem:
        output.print(f"  {last.problem.message}", "yellow")
    if good != last.finished_at:
        output.print(f"Last good sync: {good or 'never'}.")
