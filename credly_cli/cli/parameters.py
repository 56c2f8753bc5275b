"""Parameters that several commands take, each with its one help text; and what several write: pages, addresses."""

from collections.abc import Iterable
from math import isfinite
from pathlib import Path
from typing import Annotated

import typer

from credly_cli.cli.completion import badges, content, languages, learners
from credly_cli.errors import Failure
from credly_cli.output import Output
from credly_cli.text import Command, Hint

LearnerName = Annotated[
    str, typer.Argument(metavar="LEARNER", help="An address, an id or a full name.", autocompletion=learners)
]
BadgeName = Annotated[str, typer.Argument(metavar="BADGE", help="A badge's id, slug or name.", autocompletion=badges)]
OnlyBadge = Annotated[
    str | None,
    typer.Argument(metavar="[BADGE]", help="Only this badge: its id, slug or name.", autocompletion=badges),
]
OfContent = Annotated[
    str | None,
    typer.Option("--content", metavar="CONTENT", help="Only of this content: its id or title.", autocompletion=content),
]
AsCsv = Annotated[bool, typer.Option("--csv", help="Write CSV with a header.")]
STDOUT = Path("-")


def or_stdout(value: Path | None) -> Path | None:
    """Take the system's own name of standard output for it: nothing else is to be written there."""
    return STDOUT if str(value) in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1") else value


Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
PageFile = Annotated[
    Path | None,
    typer.Option(
        "--html",
        metavar="FILE",
        help="Write a page to publish; the umask says who may read it. - is standard output.",
        callback=or_stdout,
    ),
]
PageLanguage = Annotated[
    str | None,
    typer.Option(
        "--lang",
        metavar="L",
        help="The language of that page, such as de; else the learner's own.",
        autocompletion=languages,
    ),
]


def require_stdout(output: Output, option: str, path: Path | None, *, csv: bool = False) -> None:
    """Refuse to write a file to standard output where that has the answer."""
    taken = "--json" if output.as_json else "--csv" if csv else None
    if path == STDOUT and taken:
        message = f"{option} - and {taken} both write to standard output."
        raise Failure("usage", message, hint=f"Name a file, or leave out {taken}.")


def write_page(output: Output, path: Path, text: str) -> None:
    """Write a page to a file, or to standard output."""
    if path == STDOUT:
        output.document(text)
        return
    from credly_cli.pages.render import write  # noqa: PLC0415 - Jinja2 takes 50 ms, where there is a page to write

    write(path, text)


def show_links(output: Output, links: Iterable[tuple[str, str, str | None]]) -> None:
    """Write addresses below a table, whole: of each what it is for, of what; nothing where there is none."""
    for verb, name, address in links:
        if address:
            output.print(f"To {verb} {name}:")
            output.print(f"  {address}")


def no_stdout(value: Path | None) -> Path | None:
    """Refuse standard output for what is kept: a log, a manifest, a folder."""
    if value == STDOUT:
        raise typer.BadParameter("- is standard output, which has the answer: name another place.")
    return value


def grant_number(text: str) -> int:
    """Read the number of a grant."""
    if not (text.isascii() and text.isdigit()):
        hint = Hint("To see the numbers:", Command("grants"))
        raise Failure("usage", f"{text!r} is not the number of a grant.", hint=hint)
    return int(text)


def _seconds(value: float | None) -> float | None:
    if value is not None and not (isfinite(value) and value >= 0):
        raise typer.BadParameter("it is a number of seconds, 0 or more")
    return value


LockWait = Annotated[
    float,
    typer.Option("--lock-wait", metavar="N", help="Wait so many seconds for another run.", callback=_seconds),
]
MaxSeconds = Annotated[
    float | None,
    typer.Option("--max-seconds", metavar="N", help="Begin nothing new after so long.", callback=_seconds),
]
