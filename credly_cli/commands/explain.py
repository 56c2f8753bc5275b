"""`credly explain`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from credly_cli.cli.environment import Environment
from credly_cli.cli.parameters import LearnerName, OnlyBadge
from credly_cli.output import Column
from credly_cli.text import as_json

if TYPE_CHECKING:
    from credly_cli.learners.explain import Explained, Explanation

PIPED = tuple(Column(key, key) for key in ("id", "badge", "content", "decision", "code", "ok", "message"))
_LABEL = 15  # columns for the name of a rule

_DECISIONS = {
    "earned": ("earned", "green"),
    "on-its-way": ("on its way", "green"),
    "would-grant": ("the next sync grants it", "green"),
    "not-granted": ("not granted", "yellow"),
    "needs-person": ("a person is needed", "red"),
}


def explain(
    context: typer.Context,
    email: LearnerName,
    badge: OnlyBadge = None,
) -> None:
    """Explain why a learner has, will get, or did not get a badge: each rule checked, with its facts.

    Everything comes from the store, so it answers at once and offline. In a pipe the first row of each badge has the
    cause.

    Example: credly explain robin@example.com "First Aid at Work"
    """
    from credly_cli.learners import explain as explaining

    environment: Environment = context.obj
    with environment.reading() as store:
        settings, now = environment.settings, environment.clock.now()
        answer = explaining.explain(store, email, badge, now, settings.zone, brake=settings.grants.brake)
    output = environment.output
    output.answer(answer, lambda: _render(environment, answer, every=badge is not None))


def _render(environment: Environment, answer: "Explanation", *, every: bool) -> None:
    if environment.output.stdout.isatty():
        with environment.output.as_one():
            _show(environment, answer, every=every)
    else:
        rows = [row for one in answer.badges for row in _rows(one)]
        environment.output.listing(PIPED, rows, empty="")


def _rows(one: "Explained") -> list[dict[str, object]]:
    """Return the rows of a badge: what decided first, then each check."""
    fields = {"id": one.badge.id, **as_json(one)}
    cause = {**fields, "code": "cause", "ok": None, "message": one.cause}
    return [cause, *({**fields, **asdict(check)} for check in one.checks)]


def _show(environment: Environment, answer: "Explanation", *, every: bool) -> None:
    """Show the badges that concern the learner in full, and only name the others."""
    output = environment.output
    shown = [one for one in answer.badges if one.concerns or every]
    others = [one for one in answer.badges if not (one.concerns or every)]
    for number, one in enumerate(shown):
        if number:
            output.print("")
        _show_one(environment, one)
    if others:
        names = ", ".join(one.badge.name for one in others[:10])
        more = f", and {len(others) - 10:,} more" if len(others) > 10 else ""  # noqa: PLR2004 - as many as fit
        output.note(f"Not enrolled in the content of: {names}{more}.")
    if not answer.badges:
        output.note("No badge is linked, and the learner has none.")


def _show_one(environment: Environment, one: "Explained") -> None:
    words, colour = _DECISIONS[one.decision]
    content = f" ({one.content.title})" if one.content else ""
    environment.output.print(f"{one.badge.name}{content}: {words}", colour)
    environment.output.print(one.cause)
    for check in one.checks:
        mark, colour = ("✓", "green") if check.ok else ("✗", "red")
        environment.output.item(mark, colour, f"{check.code.replace('-', ' '):{_LABEL}}", check.message)
    if one.file:
        environment.output.print(f"The completion came from {Path(one.file).name}.", "dim")
