"""`credly widget`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credly_cli.cli.completion import learners
from credly_cli.cli.environment import Environment
from credly_cli.output import Column

if TYPE_CHECKING:
    from credly_cli.learners.widget import Widget

_BADGE = Column("Badge", "badge", link="url")
_CONTENT = Column("Content", "content")
IN_PROGRESS = (_BADGE, _CONTENT, Column("Progress", "told"))
DISCOVER = (_BADGE, _CONTENT)
EARNED = (
    _BADGE,
    _CONTENT,
    Column("Earned", "awarded_at", kind="date"),
    Column("Expires", "expires", kind="date", stays=True),
    Column("State", "told"),
)
PIPED = tuple(
    Column(key, key)
    for key in (
        "id", "section", "badge", "content", "progress", "on_its_way", "awarded_at", "expires_at", "state", "url",
        "accept_url",
    )
)  # fmt: skip

_BAR = 10


def widget(
    context: typer.Context,
    email: Annotated[str, typer.Argument(help="The learner's address, id or full name.", autocompletion=learners)],
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page to publish; the umask says who may read it."),
    ] = None,
) -> None:
    """Show what a learner sees of badges: in progress, to discover, earned.

    Credly is asked for what was earned; when it does not answer, the store's last knowledge is shown with its date.

    Example: credly widget robin@example.com --html robin.html
    """
    from credly_cli.connection import connect
    from credly_cli.learners import widget as use_case
    from credly_cli.learners.badges import ANSWER_SECONDS

    environment: Environment = context.obj
    settings = environment.settings
    with environment.reading() as store:
        connection, client = connect.connected_client(store, settings, environment.network(ANSWER_SECONDS))
        answer = use_case.read(store, client, email, environment.clock.now(), hide_expired=settings.hide_expired_badges)
    if html is not None:
        from credly_cli.pages import render

        render.write(html, render.widget(answer, connection.organization_name))
    environment.output.answer(answer.json(), lambda: _show(environment, answer, html))


def _show(environment: Environment, answer: "Widget", html: Path | None) -> None:
    output = environment.output
    if answer.source == "store":
        when = answer.as_of or "an unknown time"
        output.warn(f"Credly does not answer. What was earned is what the store knows, as of {when}.")
    if html is not None:
        output.say(
            f"Wrote {html}: {len(answer.in_progress)} in progress, {len(answer.discover)} to discover,"
            f" {len(answer.earned)} earned.",
            "green",
        )
        output.note("Open it in a browser, or put it on your site; write it anew after each sync.")
    elif output.stdout.isatty():
        _show_sections(environment, answer)
    else:
        output.listing(PIPED, _piped(answer), empty="")


def _show_sections(environment: Environment, answer: "Widget") -> None:
    output = environment.output
    sections = (
        ("In Progress", IN_PROGRESS, "in_progress", "Nothing is in progress."),
        ("Discover", DISCOVER, "discover", "There is nothing to discover."),
        ("Earned", EARNED, "earned", "No badge was earned yet."),
    )
    told = answer.json()
    for number, (title, columns, section, empty) in enumerate(sections):
        rows = told[section]
        output.tell(f"{title} ({len(rows)})", "bold")
        output.listing(columns, [_told(row) for row in rows], empty=empty, piped=False)
        _write_links(environment, section, rows)
        if number < len(sections) - 1:
            output.tell("")


def _write_links(environment: Environment, section: str, rows: list[dict[str, Any]]) -> None:
    """Write the addresses below the table, whole: to open the content, to learn more, to accept and to view."""
    verb = {"in_progress": "open", "discover": "learn more of", "earned": "view"}[section]
    for row in rows:
        name = row["content"]["title"] if section == "in_progress" else row["badge"]["name"]
        for word, address in (("accept", row.get("accept_url")), (verb, row["url"])):
            if address:
                environment.output.tell(f"To {word} {name}:")
                environment.output.tell(f"  {address}")


def _told(row: dict[str, Any]) -> dict[str, Any]:
    if "state" in row:
        told = f"{row['state']}, expired" if row["expired"] else row["state"]
        return {**row, "told": told, "expires": row["expires_at"] or "never"}
    if "progress" not in row:
        return row
    told = "unknown" if row["progress"] is None else f"{_bar(row['progress'])} {row['progress']:g}%"
    return {**row, "told": f"{told}, badge on its way" if row["on_its_way"] else told}


def _bar(progress: float) -> str:
    done = int(progress / 100 * _BAR)
    return "■" * done + "□" * (_BAR - done)


def _piped(answer: "Widget") -> list[dict[str, Any]]:
    rows, told = [], answer.json()
    for section in ("in_progress", "discover", "earned"):
        rows += [{"id": row["badge"]["id"], "section": section, **row} for row in told[section]]
    return rows
