"""`credly widget`."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from credly_cli.cli.environment import Environment
from credly_cli.cli.parameters import (
    STDOUT,
    LearnerName,
    PageFile,
    PageLanguage,
    require_stdout,
    show_links,
    write_page,
)
from credly_cli.output import Column, Output

if TYPE_CHECKING:
    from credly_cli.learners.widget import Earned, InProgress, Widget
    from credly_cli.store.eligibility import Discoverable

Row = dict[str, object]  # of a listing, by the keys of its columns

_BADGE = Column("Badge", "badge", link="url")
_CONTENT = Column("Content", "content")
IN_PROGRESS = (_BADGE, _CONTENT, Column("Progress", "far"))
DISCOVER = (_BADGE, _CONTENT)
EARNED = (
    _BADGE,
    _CONTENT,
    Column("Earned", "awarded_at", kind="date"),
    Column("Expires", "until", kind="date", stays=True),
    Column("State", "shown_state"),
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
    email: LearnerName,
    html: PageFile = None,
    lang: PageLanguage = None,
) -> None:
    """Show what a learner sees of badges: in progress, to discover, earned.

    Credly is asked for what was earned; when it does not answer, the store's last knowledge is shown with its date.

    Example: credly widget robin@example.com --html robin.html --lang de
    """
    from credly_cli.connection import connect
    from credly_cli.learners import widget as use_case
    from credly_cli.learners.badges import ANSWER_SECONDS

    environment: Environment = context.obj
    settings = environment.settings
    require_stdout(environment.output, "--html", html)
    if lang:
        from credly_cli.pages.words import chosen

        chosen(lang)  # before Credly is asked
    with environment.reading() as store:
        connection, client = connect.connected_client(store, settings, environment.network(ANSWER_SECONDS))
        answer = use_case.read(
            store,
            client,
            email,
            environment.clock.now(),
            hide_expired=settings.hide_expired_badges,
            brake=settings.grants.brake,
        )
        if html is not None:
            from credly_cli.pages import page

            options = page.Options(
                connection.organization_name, language=settings.publish.language, views=("overview",)
            )
            text = page.render(page.of_widget(store, answer, lang), options)
            write_page(environment.output, html, text)
    environment.output.answer(answer, lambda: _show(environment.output, answer, html))


def _show(output: Output, answer: "Widget", html: Path | None) -> None:
    if answer.source == "store":
        when = answer.as_of or "an unknown time"
        why = answer.why_store or "Credly does not answer."
        output.warn(f"{why} What was earned is what the store knows, as of {when}.")
    if html == STDOUT:
        return
    if html is not None:
        output.confirm(
            f"Wrote {html}: {len(answer.in_progress)} in progress, {len(answer.discover)} to discover,"
            f" {len(answer.earned)} earned.",
            "green",
        )
        output.note("Open it in a browser, or put it on your site; write it anew after each sync.")
    elif output.stdout.isatty():
        with output.as_one():
            _show_sections(output, answer)
    else:
        output.listing(PIPED, _piped(answer), empty="")


def _show_sections(output: Output, answer: "Widget") -> None:
    output.print(f"In Progress ({len(answer.in_progress)})", "bold")
    rows = [_row(entry) | {"far": _progress_text(entry)} for entry in answer.in_progress]
    output.listing(IN_PROGRESS, rows, empty="Nothing is in progress.", piped=False)
    show_links(output, (("open", entry.content.title, entry.url) for entry in answer.in_progress))
    output.print("")
    output.print(f"Discover ({len(answer.discover)})", "bold")
    rows = [_row(entry) for entry in answer.discover]
    output.listing(DISCOVER, rows, empty="There is nothing to discover.", piped=False)
    show_links(output, (("learn more of", entry.badge.name, entry.url) for entry in answer.discover))
    output.print("")
    output.print(f"Earned ({len(answer.earned)})", "bold")
    rows = [_earned(entry) for entry in answer.earned]
    output.listing(EARNED, rows, empty="No badge was earned yet.", piped=False)
    show_links(
        output,
        (
            (verb, entry.badge.name, address)
            for entry in answer.earned
            for verb, address in (("accept", entry.accept_url), ("view", entry.url))
        ),
    )


def _row(entry: "InProgress | Discoverable | Earned") -> Row:
    title = entry.content.title if entry.content else None
    return {"id": entry.badge.id, "badge": entry.badge.name, "content": title, "url": entry.url}


def _earned(entry: "Earned") -> Row:
    return _row(entry) | {
        "awarded_at": entry.awarded_at,
        "until": entry.expires_at or "never",
        "shown_state": f"{entry.state}, expired" if entry.expired else entry.state,
    }


def _progress_text(entry: "InProgress") -> str:
    progress = "unknown" if entry.progress is None else f"{_bar(entry.progress)} {entry.progress:g}%"
    return f"{progress}, badge on its way" if entry.on_its_way else progress


def _bar(progress: float) -> str:
    done = int(progress / 100 * _BAR)
    return "■" * done + "□" * (_BAR - done)


def _piped(answer: "Widget") -> list[Row]:
    begun: list[Row] = [
        {**_row(one), "progress": one.progress, "on_its_way": one.on_its_way, "section": "in_progress"}
        for one in answer.in_progress
    ]
    new = [_row(one) | {"section": "discover"} for one in answer.discover]
    had = [
        {**_row(one), "id": one.id, "section": "earned", "awarded_at": one.awarded_at, "expires_at": one.expires_at}
        | {"state": one.state, "accept_url": one.accept_url}
        for one in answer.earned
    ]
    return [*begun, *new, *had]
