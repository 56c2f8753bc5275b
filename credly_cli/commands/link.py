"""`credly link` and `credly unlink`."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from credly_cli.cli.completion import content as contents
from credly_cli.cli.environment import Environment
from credly_cli.cli.parameters import BadgeName, LockWait
from credly_cli.errors import Failure
from credly_cli.text import Command, Hint, counted
from credly_cli.times import UnreadableTimeError, utc_text

if TYPE_CHECKING:
    from credly_cli.linking.link import LinkChange
    from credly_cli.output import Output


def link(
    context: typer.Context,
    badge: BadgeName,
    content: Annotated[
        str,
        typer.Argument(
            metavar="CONTENT", help="Content's id, one of its sessions' ids, or its title.", autocompletion=contents
        ),
    ],
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="Count completions from this moment on, not from now.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, however many completions that adds.")] = False,
    lock_wait: LockWait = 10,
) -> None:
    """Link a badge to content: whoever completes it from now on earns the badge.

    All sessions of the content share the badge. With --since earlier completions count too.

    Example: credly link "First Aid at Work" first-aid --since 2026-01-01
    """
    from credly_cli.issuing.plan import foresee
    from credly_cli.linking import link as linking

    environment: Environment = context.obj
    moment = _moment(environment, since) if since is not None else None

    def change(*, agreed: bool) -> "LinkChange":
        with environment.writing(lock_wait) as (store, _):
            return linking.link(store, badge, content, moment, environment.clock.now(), foresee, agreed=agreed)

    try:
        done = change(agreed=yes)
    except linking.ManyEarlierError as many:  # asked with the store free: sync must not wait for an answer
        question = _question(many.change)
        if not environment.ask(question, "--yes"):
            raise Failure("declined", "Nothing was linked.", hint="Say another moment with --since DATE.") from None
        done = change(agreed=True)
    environment.output.answer(done, lambda: _show_link(environment, done))


def _question(change: "LinkChange") -> str:
    content = change.content.title if change.content else ""
    sentence = (
        f"{_earlier(change)} The next sync issues {counted(change.to_issue, 'badge')}, which Credly mails at once."
    )
    return f"{sentence} Link {change.badge.name} to {content}?"


def _earlier(change: "LinkChange") -> str:
    """Say what the moment adds."""
    sentence = f"{counted(change.earlier, 'earlier completion')} will earn it"
    if change.held_already:
        sentence += f", but {change.held_already:,} of learners who hold it already"
    if change.born_expired:
        are = "badge would be" if change.born_expired == 1 else "badges would be"
        sentence += f"; {change.born_expired:,} {are} born expired, by the default expiry of this badge"
    return f"{sentence}."


def _show_link(environment: Environment, change: "LinkChange") -> None:
    output = environment.output
    found = change.content
    if found is None:
        raise AssertionError("what is linked has content")
    if change.session_id:
        output.confirm(f"{change.session_id} is a session; all sessions of {found.title} share the badge.")
    if change.unreleased:
        output.warn(f"{found.title} is not released: learners of the site do not see it yet.")
    if not change.changed:
        output.confirm(f"{change.badge.name} is already linked to {found.title}.")
        _show_image(output, change)
        return
    output.confirm(f"Linked {change.badge.name} to {found.title}, counting from {change.counts_from}.", "green")
    if change.earlier:
        output.confirm(_earlier(change))
    if change.cancelled:
        output.confirm(f"{counted(change.cancelled, 'grant not yet sent was', 'grants not yet sent were')} cancelled.")
    _show_out(output, change, "It does not touch")
    _show_moment(output, change, found.id, utc_text(environment.clock.now()))
    _show_image(output, change)
    output.note(Hint("Next:", Command("sync") if change.connected else Command("connect")))


def _show_image(output: "Output", change: "LinkChange") -> None:
    if change.badge.image_url:
        output.confirm(f"Image: {change.badge.image_url}")


def _show_out(output: "Output", change: "LinkChange", start: str) -> None:
    """Say how many badges are out, how to list them, and where they are revoked (R34)."""
    if change.out and change.content:
        from credly_cli.linking import link as linking

        are = "badge that is" if change.out == 1 else "badges that are"
        sentence = f"{start} {change.out:,} {are} out. Revoking is done in Credly only. To list them:"
        output.note(Hint(sentence, linking.listing_of_out(change.badge.word, change.content.id)))


def _show_moment(output: "Output", change: "LinkChange", content_id: str, now: str) -> None:
    """Say what the moment from which completions count leaves out."""
    if (change.counts_from or "") > now:
        output.warn(f"{change.counts_from} is in the future: nothing completed before then counts.")
    if change.left_out:
        name, many = change.badge.word, change.left_out > 1
        they, them = ("completions are", "them") if many else ("completion is", "it")
        output.note(
            Hint(
                f"{change.left_out:,} {they} earlier and earn{'' if many else 's'} nothing. To see {them}:",
                Command("missed", name),
                f"; to let {them} count:",
                Command("link", name, content_id, "--since", "DATE"),
            )
        )


def _moment(environment: Environment, text: str) -> str:
    """Read from when on completions count: a time, or the first second of a day."""
    from credly_cli.lms.dates import read_moment

    zone = environment.settings.zone
    try:
        moment = read_moment(text, zone)
    except UnreadableTimeError as error:
        hint = "Write it like 2026-01-31 or 2026-01-31T09:30:00Z."
        raise Failure("usage", f"--since cannot be read: {error.reason}.", hint=hint) from None
    if moment.at == moment.latest:
        return moment.at
    return utc_text(datetime.fromisoformat(moment.at[:10]).replace(tzinfo=zone))


def unlink(
    context: typer.Context,
    badge: BadgeName,
    lock_wait: LockWait = 10,
) -> None:
    """End the link of a badge: nobody earns it any more; what was earned stays.

    Example: credly unlink "First Aid at Work"
    """
    from credly_cli.linking import link as linking

    environment: Environment = context.obj
    with environment.writing(lock_wait) as (store, _):
        change = linking.unlink(store, badge, environment.clock.now())
    environment.output.answer(change, lambda: _show_unlink(environment.output, change))


def _show_unlink(output: "Output", change: "LinkChange") -> None:
    if change.content is None:
        output.confirm(f"{change.badge.name} is not linked.")
        if change.settled:
            output.confirm("That its link ended by itself is settled.", "green")
    else:
        output.confirm(f"Unlinked {change.badge.name} from {change.content.title}.", "green")
        if change.cancelled:
            were = counted(change.cancelled, "grant not yet sent was", "grants not yet sent were")
            output.confirm(f"{were} cancelled, as credly missed shows.")
        _show_out(output, change, "It leaves")
        name = change.badge.word
        output.note(Hint("Nobody earns it any more. To link it again:", Command("link", name, "CONTENT")))
