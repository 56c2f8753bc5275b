"""`credly report`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from credly_cli.cli.environment import Environment
from credly_cli.cli.parameters import STDOUT, AsCsv, or_stdout, require_stdout, write_page
from credly_cli.output import Column, Output
from credly_cli.text import Command, Hint

if TYPE_CHECKING:
    from credly_cli.reports.report import Report

_FLAT = tuple(Column(key.capitalize(), key) for key in ("id", "section", "name", "measure", "count"))
_BAR = 30  # characters of the longest bar
_MONTHS = (Column("Month", "name"), Column("Issued", "count"), Column("", "bar"))
_BADGES = (
    Column("Badge", "badge"),
    Column("Issued", "issued"),
    Column("Pending", "pending"),
    Column("Accepted", "accepted"),
    Column("Rejected", "rejected"),
    Column("Revoked", "revoked"),
)
_STATES = (Column("State", "name"), Column("Badges", "count"), Column("", "bar"))
_EXPIRING = (Column("Within", "name"), Column("Badges", "count"), Column("", "bar"))
_FAILURES = (Column("Grants", "count"), Column("Reason", "message"))


def report(
    context: typer.Context,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FILE",
            help="Write a page with charts; it loads nothing. - is standard output.",
            callback=or_stdout,
        ),
    ] = None,
    csv: AsCsv = False,
) -> None:
    """Report what was issued per month and badge, what was accepted, what expires soon and what failed.

    It counts what the last sync brought, without asking Credly. Badges deleted in Credly are left out. A terminal shows
    the last twelve months; --json, --csv and a pipe have all.

    In a pipe and with --csv each row has one number: id (a month, a badge's id, a state, days, an error code), section
    (month, badge, funnel, expiring, failure), name, measure, count.

    Example: credly report --html report.html
    """
    from credly_cli.reports import report as reporting

    environment: Environment = context.obj
    output, now = environment.output, environment.clock.now()
    require_stdout(output, "--html", html, csv=csv)
    with environment.reading() as store:
        answer = reporting.report(store, now)
    if html is not None:
        _write_page(environment, html, answer)
    output.answer(answer, lambda: _render(output, answer, html, csv=csv))


def _render(output: Output, answer: "Report", html: Path | None, *, csv: bool) -> None:
    if csv or not output.stdout.isatty():
        if html is None or csv:
            output.listing(_FLAT, answer.flat(), empty="", as_csv=csv)
    elif html is None:
        with output.as_one():
            _show(output, answer)


def _write_page(environment: Environment, path: Path, answer: "Report") -> None:
    from credly_cli.reports import report_page
    from credly_cli.store import overview

    organization = overview.read(environment.paths.store).organization
    text = report_page.page(answer, organization.name if organization else None, environment.clock.now())
    write_page(environment.output, path, text)
    if path == STDOUT:
        return
    environment.output.confirm(f"Wrote the report to {path}.", "green")
    environment.output.note(f"Next: open {path} in a browser.")


def _show(output: Output, answer: "Report") -> None:
    months, before = answer.latest_months()
    after = f"and {before:,} before" if before else ""
    issued = {row.month: row.issued for row in months}
    _table(output, "Issued per month", _MONTHS, _barred(issued), "Nothing was issued yet.", after)
    _table(output, "Badges", _BADGES, answer.badges, "Nothing was issued yet.")
    _table(output, "Accepted or not", _STATES, _barred(answer.funnel), "")
    expiring = {f"{days} days": count for days, count in answer.expiring.items()}
    _table(output, "Expiring soon", _EXPIRING, _barred(expiring), "")
    _table(output, "Failed or held", _FAILURES, answer.reasons(), "Nothing failed.")
    if answer.failures:
        output.note(Hint("Next:", Command("grants", "--state", "failed", "--state", "held")))


def _table(
    output: Output,
    title: str,
    columns: Sequence[Column],
    rows: Sequence[object],
    empty: str,
    after: str = "",
) -> None:
    output.confirm(title, "bold")
    output.listing(columns, rows, empty=empty)
    if after:
        output.confirm(after)
    output.confirm("")


@dataclass(frozen=True, slots=True)
class _Barred:
    """A number with its bar, as long as the number against the largest."""

    name: str
    count: int
    bar: str


def _barred(counts: Mapping[str, int]) -> list[_Barred]:
    largest = max(counts.values(), default=0) or 1
    return [_Barred(name, count, "█" * max(round(count / largest * _BAR), count > 0)) for name, count in counts.items()]
