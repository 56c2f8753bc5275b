"""`credly missed`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from credly_cli.cli.environment import Environment
from credly_cli.cli.parameters import STDOUT, AsCsv, OfContent, OnlyBadge, or_stdout, require_stdout
from credly_cli.output import Column, Output
from credly_cli.text import Command, Hint, as_json, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from credly_cli.reports.missed import Miss, Upload

COLUMNS = (
    Column("Learner", "email", whole=True),
    Column("Badge", "badge"),
    Column("Content", "content"),
    Column("Session", "session_id", "wide", whole=True),
    Column("Completed", "completed_at", kind="date"),
    Column("Why", "reason"),
)

IN_GROUP = tuple(column for column in COLUMNS if column.key not in ("badge", "content"))

WORDS = {
    "before-link": "completed before the link",
    "disconnected": "completed while nothing was connected",
    "unlinked": "the badge was unlinked",
    "badge-not-active": "the badge was no longer active",
    "revoked": "the badge was revoked",
    "deleted": "the badge was deleted in Credly",
    "dropped": "a person dropped it",
}
_NAMED = 20  # of those left out, for one reason


def missed(
    context: typer.Context,
    badge: OnlyBadge = None,
    content: OfContent = None,
    csv: AsCsv = False,
    credly_upload: Annotated[
        Path | None,
        typer.Option(
            "--credly-upload",
            metavar="FILE",
            help="Write Credly's bulk-issue file. - is standard output.",
            callback=or_stdout,
        ),
    ] = None,
    credly_template: Annotated[
        Path | None,
        typer.Option("--credly-template", metavar="FILE", help="Credly's own template, for the header of that file."),
    ] = None,
) -> None:
    """List the completions that earned nothing, and why.

    In a pipe the reason is a code, and the first column is the learner's address: a completion has no id of its own.

    To let earlier completions count after all: credly link BADGE CONTENT --since DATE

    --credly-upload writes those that may be credited (names known, badge active, neither revoked, deleted nor dropped)
    for Credly's own bulk issue; more than 5,000 go into several files. Credly changes the header now and then: if it
    refuses the file, download its template (Badges > Issue) and name it with --credly-template.

    Example: credly missed "First Aid at Work" --csv > earlier.csv
    """
    from credly_cli.linking import names
    from credly_cli.reports import missed as missing
    from credly_cli.store import connection as connections

    environment: Environment = context.obj
    output = environment.output
    require_stdout(output, "--credly-upload", credly_upload, csv=csv)
    with environment.reading() as store:
        badge_id = names.badge(store, badge).id if badge is not None else None
        content_id = names.content(store, content).id if content is not None else None
        rows, connected = missing.missed(store, badge_id, content_id), connections.is_connected(store)
        syncing = connections.syncing(store)
        if credly_upload is not None:
            to = output.document if credly_upload == STDOUT else credly_upload
            upload = missing.write_bulk_issue(store, to, rows, credly_template)
    if credly_upload is not None and not output.as_json:
        _say_written(output, upload, credly_upload, syncing, beside=csv)
        if not csv:
            return
    shown = output.stdout.isatty() and not (csv or output.as_json)
    if shown and rows:
        _show_groups(output, rows)
    else:
        output.listing(COLUMNS, rows, empty="Every completion of linked content earned its badge.", as_csv=csv)
    if shown:
        _show_ways(output, {row.reason for row in rows}, connected=connected)


def _show_ways(output: Output, reasons: set[str], *, connected: bool) -> None:
    """Say how what was missed may be earned all the same, by what works now."""
    if reasons & {"before-link", "disconnected"}:
        command = Command("link", "BADGE", "CONTENT", "--since", "DATE")
        output.note(Hint("To let completions before a moment count after all:", command))
    if reasons and connected:
        by_hand = Command("grant", "LEARNER", "BADGE", "--issued-at", "completion")
        output.note(Hint("To issue a linked badge to one learner:", by_hand))
    if reasons & {"revoked", "deleted"}:
        output.note(
            Hint("A badge was revoked or deleted:", Command("explain", "LEARNER"), "tells why the learner has none.")
        )


def _show_groups(output: Output, rows: "Sequence[Miss]") -> None:
    """Show the rows by badge and content, each group with its count."""
    groups: dict[tuple[str, str], list[Miss]] = {}
    for row in rows:
        groups.setdefault((row.badge.id, row.content.id), []).append(row)
    with output.as_one():
        for number, group in enumerate(groups.values()):
            badge, content = group[0].badge.name, group[0].content.title
            if number:
                output.print("")
            output.print(f"{badge}, for {content}: {counted(len(group), 'completion')}", "bold")
            shown = [{**as_json(row), "reason": WORDS[row.reason]} for row in group]
            output.listing(IN_GROUP, shown, empty="", piped=False)


def _say_written(
    output: Output, upload: "Upload", path: Path, syncing: "Sequence[str | Command]", *, beside: bool
) -> None:
    """Say what was written; ``beside`` another result, which has standard output for itself."""
    name = "standard output" if path == STDOUT else str(path)
    for reason, people in upload.left_out.items():
        more = f" and {len(people) - _NAMED:,} more" if len(people) > _NAMED else ""
        output.note(f"Left out, {reason}: {', '.join(people[:_NAMED])}{more}.")
    if not upload.rows:
        message, colour = f"There is nothing to credit; {name} was not written.", "yellow"
    else:
        names = ", ".join(map(str, upload.files)) or name
        message, colour = f"Wrote {counted(upload.rows, 'row')} to {names}.", "green"
    if beside or path == STDOUT:
        output.note(message)
    else:
        output.confirm(message, colour)
    if upload.rows:
        output.note(Hint("Next: in Credly, Badges > Issue, upload the file. Then:", *syncing))
