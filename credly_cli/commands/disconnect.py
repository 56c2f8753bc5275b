"""`credly disconnect`."""

import sqlite3
from typing import TYPE_CHECKING, Annotated

import typer

from credly_cli.cli.environment import Environment
from credly_cli.cli.group import explained
from credly_cli.cli.parameters import LockWait, Yes
from credly_cli.errors import Exit, Failure
from credly_cli.text import Command, Hint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from credly_cli.connection.disconnect import Disconnected
    from credly_cli.store.connection import Connection


def disconnect(
    context: typer.Context,
    yes: Yes = False,
    purge: Annotated[bool, typer.Option("--purge", help="Remove every trace of this profile on this machine.")] = False,
    confirm: Annotated[
        str | None,
        typer.Option("--confirm", metavar="NAME", help="The organization's name, to purge without a question."),
    ] = None,
    lock_wait: LockWait = 10,
) -> None:
    """Disconnect from Credly: the token is forgotten, links are kept, nothing more is issued.

    Badges on Credly are untouched. With --purge everything that this profile stored here is removed too.

    Example: credly disconnect --yes
    """
    from credly_cli.connection import disconnect as disconnecting

    environment: Environment = context.obj
    if confirm is not None and not purge:
        raise Failure("usage", "--confirm goes with --purge.", hint="To disconnect without a question: --yes")
    try:
        outcome = _outcome(environment, lock_wait, confirm, yes=yes, purge=purge)
    except (sqlite3.Error, Failure) as error:
        failure = explained(error, environment)
        if failure.exit_code is not Exit.STORE:
            raise
        raise disconnecting.unreadable(environment.paths, failure, yes=yes or confirm is not None) from None
    environment.output.answer(outcome, lambda: _show(environment, outcome))


def _outcome(
    environment: Environment, lock_wait: float, confirm: str | None, *, yes: bool, purge: bool
) -> "Disconnected":
    from credly_cli.connection import disconnect as disconnecting
    from credly_cli.store import connection as connections
    from credly_cli.store import runs

    paths, now = environment.paths, environment.clock.now()
    if not paths.store.exists():
        return disconnecting.purge(paths, None, {}) if purge else disconnecting.disconnect(None, paths, now)
    with environment.writing(lock_wait) as (store, _):
        known = connections.current(store)
        if not purge:
            _agree(environment, known, yes=yes)
            return disconnecting.disconnect(store, paths, now)
        _confirm_purge(environment, known, confirm, yes=yes)
        elsewhere = runs.noted(store)
        store.close()
        return disconnecting.purge(paths, known, elsewhere)


def _agree(environment: Environment, known: "Connection | None", *, yes: bool) -> None:
    from credly_cli.connection.disconnect import WARNING

    if known is None or not known.connected:
        return
    _warn(environment, WARNING)
    if not yes and not environment.ask(f"Disconnect from {known.organization_name}?", "--yes"):
        raise _nothing_changed()


def _confirm_purge(environment: Environment, known: "Connection | None", confirm: str | None, *, yes: bool) -> None:
    from credly_cli.connection.disconnect import PURGE_WARNING, require_name

    _warn(environment, PURGE_WARNING)
    if known is not None:
        question = f"To remove everything, type the name {known.organization_name}"
        require_name(known, environment.typed(question, "--confirm NAME") if confirm is None else confirm)
    elif not (yes or confirm is not None or environment.ask("Remove everything that is stored here?", "--yes")):
        raise _nothing_changed()


def _warn(environment: Environment, warning: "Iterable[str]") -> None:
    from credly_cli.connection.disconnect import published_to

    for sentence in warning:
        environment.output.warn(sentence)
    for folder in published_to(environment.paths):
        environment.output.warn(
            Hint(f"Pages are in {folder}. To remove them:", Command("publish", str(folder), "--remove"))
        )


def _nothing_changed() -> Failure:
    return Failure("declined", "Nothing was changed.")


def _show(environment: Environment, outcome: "Disconnected") -> None:
    output = environment.output
    for path, reason in outcome.reasons.items():
        output.warn(f"{path} stays: {reason}.")
    if outcome.purged and environment.environ.get("CREDLY_TOKEN"):
        output.warn("CREDLY_TOKEN stays in the environment: it is your own.")
    output.confirm(_sentence(outcome), "green")
    output.note(Hint("To connect again:", Command("connect")))


def _sentence(outcome: "Disconnected") -> str:
    name = outcome.organization or "Credly"
    if outcome.purged:
        return f"Disconnected from {name} and removed what was stored here."
    if not outcome.was_connected:
        return f"This profile is not connected to {name}."
    return f"Disconnected from {name} and forgot the token."
