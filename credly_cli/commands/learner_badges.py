"""`credly learner-badges`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from credly_cli.cli.environment import Environment
from credly_cli.cli.parameters import (
    STDOUT,
    AsCsv,
    LearnerName,
    PageFile,
    PageLanguage,
    require_stdout,
    show_links,
    write_page,
)
from credly_cli.output import Column
from credly_cli.text import Command, Hint

if TYPE_CHECKING:
    from credly_cli.learners.badges import LearnerBadges
    from credly_cli.output import Output

COLUMNS = (
    Column("Badge", "badge", link="page"),
    Column("Resource", "resource", stays=True),
    Column("Awarded", "awarded_at", kind="date"),
    Column("Expires", "expires", kind="date", stays=True),
    Column("State", "shown_state"),
)
PIPED = tuple(
    Column(key, key)
    for key in (
        "id", "badge", "resource", "awarded_at", "expires_at", "state", "view_url", "accept_url", "image_url",
        "expired",
    )
)  # fmt: skip
_OWN = ("id", "awarded_at", "expires_at", "state", "view_url", "accept_url", "expired")


def learner_badges(
    context: typer.Context,
    email: LearnerName,
    csv: AsCsv = False,
    html: PageFile = None,
    lang: PageLanguage = None,
) -> None:
    """List every badge issued to a learner, newest first, with Credly's links to view or accept it.

    Credly is asked; when it does not answer, the store's last knowledge is shown with its date.

    Example: credly learner-badges robin@example.com --html robin.html --lang de
    """
    from credly_cli.connection import connect
    from credly_cli.learners import badges as use_case

    environment: Environment = context.obj
    settings = environment.settings
    require_stdout(environment.output, "--html", html, csv=csv)
    if lang:
        from credly_cli.pages.words import chosen

        chosen(lang)  # before Credly is asked
    with environment.reading() as store:
        connection, client = connect.connected_client(store, settings, environment.network(use_case.ANSWER_SECONDS))
        answer = use_case.read(store, client, email, environment.clock.now(), hide_expired=settings.hide_expired_badges)
        if html is not None:
            from credly_cli.pages import page

            options = page.Options(connection.organization_name, language=settings.publish.language, views=("badges",))
            text = page.render(page.of_badges(store, answer, lang), options)
            write_page(environment.output, html, text)
    environment.output.answer(answer, lambda: _show(environment.output, answer, html, csv=csv))


def _show(output: "Output", answer: "LearnerBadges", html: Path | None, *, csv: bool) -> None:
    if answer.source == "store":
        when = answer.as_of or "an unknown time"
        output.warn(f"{answer.why_store or 'Credly does not answer.'} This is what the store knows, as of {when}.")
    if html == STDOUT:
        return
    if html is not None and not csv:
        badges = "1 badge" if len(answer.badges) == 1 else f"{len(answer.badges)} badges"
        output.confirm(f"Wrote {html}: {badges}.", "green")
        output.note("Open it in a browser, or put it on your site; write it anew after each sync.")
        return
    email = answer.learner.email
    empty = Hint(f"{email} has no badges. To see why:", Command("explain", email))
    if csv or not output.stdout.isatty():
        output.listing(PIPED, _rows(answer), empty=empty, as_csv=csv)
        return
    with output.as_one():
        output.listing(COLUMNS, _rows(answer), empty=empty, piped=False)
        show_links(output, _links(answer))


def _links(answer: "LearnerBadges") -> Iterator[tuple[str, str, str | None]]:
    """Yield the addresses of each badge: to accept it, to view it, and of its image."""
    for entry in answer.badges:
        yield "accept", entry.badge.name, entry.accept_url
        yield "view", entry.badge.name, entry.view_url
        yield "see the image of", entry.badge.name, entry.badge.image_url


def _rows(answer: "LearnerBadges") -> list[dict[str, object]]:
    return [
        {
            **{name: getattr(entry, name) for name in _OWN},
            "badge": entry.badge.name,
            "resource": entry.resource.title if entry.resource else None,
            "shown_state": f"{entry.state}, expired" if entry.expired else entry.state,
            "page": entry.view_url or entry.accept_url,
            "image_url": entry.badge.image_url,
            "expires": entry.expires_at or "never",
        }
        for entry in answer.badges
    ]
