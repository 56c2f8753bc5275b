"""`credly import`."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from credly_cli.cli.completion import one_of
from credly_cli.cli.environment import Environment
from credly_cli.cli.parameters import LockWait
from credly_cli.errors import Exit, Failure
from credly_cli.import_options import KINDS, read_ids, read_map, read_values
from credly_cli.output import Output
from credly_cli.text import Command, Hint, counted
from credly_cli.times import read_zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from credly_cli.importing.importer import ImportResult
    from credly_cli.lms.records import Reject


_SHOWN = 20  # statements that were taken back, of those that are named

MapOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="COLUMN=HEADER",
        help="Read our COLUMN from the file's HEADER; COLUMN=#6: from the sixth column; COLUMN==VALUE: the same in "
        "every row. Repeatable.",
    ),
]
ValueOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--value",
        metavar="COLUMN:WORD=MEANING",
        help="What a word means: status:WORD=completed, open, ended or ignore; role:WORD=learner or other. Repeatable.",
    ),
]
IdOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--id",
        metavar="ID=same|new",
        help="Whom an id means: ID=same: the person known by it, who has another address now; ID=new: somebody else, "
        "to whom the LMS gave it. Repeatable.",
    ),
]
SourceOption: TypeAlias = Annotated[
    str, typer.Option("--source", metavar="NAME", help="Whose numbering the ids are, where not the common one.")
]
HeaderLineOption: TypeAlias = Annotated[
    int | None, typer.Option("--header-line", metavar="N", min=1, help="The line that the header is in.")
]
DateFormatOption: TypeAlias = Annotated[
    str | None, typer.Option("--date-format", metavar="F", help="How dates are written, as in strptime.")
]
TimezoneOption: TypeAlias = Annotated[
    str | None, typer.Option("--timezone", metavar="TZ", help="The zone of times that name none.")
]


def import_(
    context: typer.Context,
    kind: Annotated[
        str,
        typer.Argument(metavar="KIND", help=f"{', '.join(KINDS[:-1])} or {KINDS[-1]}.", autocompletion=one_of(*KINDS)),
    ],
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="CSV, JSON Lines or JSON files; - is standard input.")
    ],
    mapping: MapOption = None,
    values: ValueOption = None,
    ids: IdOption = None,
    source: SourceOption = "",
    header_line: HeaderLineOption = None,
    date_format: DateFormatOption = None,
    timezone: TimezoneOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would come in, change nothing.")] = False,
    lock_wait: LockWait = 10,
) -> int:
    """Take an export of your LMS into the store, as it is.

    Known headers are recognised; --map names the others. Importing a file again changes nothing.

    Example: credly import progress completions.csv --date-format %d/%m/%Y
    """
    from credly_cli.importing.candidates import IdOptions
    from credly_cli.importing.importer import import_files
    from credly_cli.lms.records import Reading

    environment: Environment = context.obj
    if kind not in KINDS:
        raise _no_kind(kind, files)
    zone = read_zone(timezone) if timezone else environment.settings.zone
    reading = Reading(
        environment.clock.now(), zone, date_format, read_map(mapping or []), read_values(values or []), header_line
    )
    xapi = environment.settings.lms.xapi
    sources = [environment.bytes_of_stdin() if name == "-" else Path(name) for name in files]
    with (
        environment.writing(lock_wait, rehearse=dry_run, create=not dry_run) as (store, _),
        environment.output.progress("Reading") as progress,
    ):
        outcome = import_files(
            store,
            kind,
            sources,
            reading,
            environment.paths.state,
            ids=IdOptions(source.strip(), read_ids(ids or []), homes=xapi.homes, activities=xapi.activities),
            keep_rejects=not dry_run,
            progress=progress,
        )
    answer = {**outcome.json(with_rows=dry_run), "dry_run": dry_run}
    environment.output.answer(answer, lambda: _show(environment, outcome, dry_run=dry_run))
    return int(Exit.PARTIAL if outcome.counts.rejected and not dry_run else Exit.DONE)


def _no_kind(kind: str, files: "Sequence[str]") -> Failure:
    message = f"There is nothing called {kind!r} to import."
    if files[-1] in KINDS:
        hint = Hint("The kind comes first. Run:", Command("import", files[-1], kind, *files[:-1]))
        return Failure("usage", message, hint=hint)
    return Failure("usage", message, hint=f"Import {', '.join(KINDS[:-1])} or {KINDS[-1]}.")


def _show(environment: Environment, outcome: "ImportResult", *, dry_run: bool) -> None:
    output, counts = environment.output, outcome.counts
    if dry_run:
        output.confirm("This is a dry run: nothing was changed.")
    read = counted(counts.read, "row")
    output.confirm(
        f"{outcome.kind.capitalize()}: {read} read, {counts.added:,} added, {counts.changed:,} changed, "
        f"{counts.unchanged:,} unchanged, {counts.rejected:,} rejected.",
        "yellow" if counts.rejected else "green",
    )
    _show_understood(output, outcome, dry_run=dry_run)
    for sentence in outcome.taken_back(_SHOWN):
        output.warn(sentence)
    if outcome.first_reject is not None:
        output.warn(f"Rejected, {_shown(outcome.first_reject[1])}.")
    for path in outcome.rejects_files:
        output.warn(f"Rejected rows and the reasons are in {path}.")
    output.note(_next(environment, outcome, dry_run=dry_run))
    if output.quiet and outcome.rejects_files:  # the exit code alone would not say why
        rows = counted(counts.rejected, "row was", "rows were")
        files = ", ".join(map(str, outcome.rejects_files))
        output.line(f"credly import: {rows} rejected. The reasons are in {files}.")


def _show_understood(output: Output, outcome: "ImportResult", *, dry_run: bool) -> None:
    """Say what was understood of each file, and who changed their address."""
    from credly_cli.importing.candidates import sentences_of
    from credly_cli.importing.file_report import shown_rows

    for report in outcome.files:
        name = f"{report.file}: " if len(outcome.files) > 1 else ""
        for sentence in report.sentences():
            output.confirm(f"{name}{sentence}")
        for warning in outcome.warnings_of(report):
            output.warn(warning)
        for line in shown_rows(report) if dry_run else ():
            output.confirm(f"{name}{line}")
    for sentence in sentences_of(outcome.readdressed):
        output.confirm(sentence)


def _shown(reject: "Reject") -> str:
    return " ".join(part for part in (f"row {reject.row}:", reject.column, reject.reason) if part)


def _next(environment: Environment, outcome: "ImportResult", *, dry_run: bool) -> Hint:
    if outcome.first_reject is None and dry_run:
        return Hint("Next: run it again without --dry-run, which takes it in.")
    if outcome.first_reject is None:
        from credly_cli.admin import status
        from credly_cli.store import overview

        found = overview.read(environment.paths.store)
        linking = Command("link", "BADGE", "CONTENT") if outcome.kind == "content" and found.badges else None
        return Hint("Next:", status.set_up_step(found) or linking or Command("sync"))
    from credly_cli.lms.records import UnknownContent

    file, reject = outcome.first_reject
    unknown = isinstance(reject.reason, UnknownContent)
    retry = f"correct {file or 'the input'} and import it again."
    if unknown and (title := outcome.title_beside_id):
        by_title = f" --map content_title={shlex.quote(title)}, if the titles are those of content here. Else first:"
        return Hint(f"Next: match by title:{by_title}", Command("import", "content", "FILE"), f". Then {retry}")
    if unknown:
        return Hint("Next: first:", Command("import", "content", "FILE"), f". Then {retry}")
    return Hint(f"Next: {retry}")
