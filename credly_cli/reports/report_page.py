"""The report as a page of one file: charts drawn as SVG within it, each with its numbers as a table beneath."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from credly_cli import pages
from credly_cli.reports.charts import chart
from credly_cli.reports.report import STATES, latest_months, reasons
from credly_cli.text import visible
from credly_cli.times import utc_text

_FOLDER = Path(pages.__file__).parent
_MOST_BADGES = 20  # more are long to scroll through; the table beneath has them all


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: a sentence, and where there is something to show, a chart and the same as a table."""

    id: str
    title: str
    told: str
    chart: str | None = None
    head: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()
    opened: bool = False


def write(path: Path, answer: dict[str, Any], organization: str | None, now: datetime) -> None:
    """Write the page to a file."""
    pages.write(path, page(answer, organization, now))


def page(answer: dict[str, Any], organization: str | None, now: datetime) -> str:
    """Render the page; nothing in it is loaded from anywhere."""
    style = "".join((_FOLDER / name).read_text("utf-8") for name in ("page.css", "report.css"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    templates = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return templates.get_template("report.html").render(
        style=style,
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        organization=visible(organization or "no organization yet"),
        as_of=utc_text(now),
        funnel=answer["funnel"],
        total=sum(answer["funnel"].values()),
        sections=_sections(answer),
    )


def _sections(answer: dict[str, Any]) -> list[Section]:
    return [
        _months(answer["months"]),
        _badges(answer["badges"]),
        _expiring(answer["expiring"]),
        _failures(reasons(answer)),
    ]


def _months(months: list[dict[str, Any]]) -> Section:
    shown, before = latest_months(months)
    if not shown:
        return Section("months", "Issued per month", "Nothing was issued yet.")
    told = "Badges by the month they were issued in, the latest first."
    if before:
        told += f" The table has the {before:,} from before."
    drawn = chart([row["month"] for row in reversed(shown)], {"Issued": [row["issued"] for row in reversed(shown)]})
    table = [(row["month"], row["issued"]) for row in reversed(months)]
    return Section("months", "Issued per month", told, drawn, ("Month", "Issued"), table)


def _badges(rows: list[dict[str, Any]]) -> Section:
    if not rows:
        return Section("badges", "Badges", "Nothing was issued yet.")
    told = "What became of each badge that was issued."
    if len(rows) > _MOST_BADGES:
        told += f" Shown are the {_MOST_BADGES} issued most; the table has all {len(rows):,}."
    names = [visible(row["badge"]["name"] or row["badge"]["id"]) for row in rows]
    series = {state.capitalize(): [row[state] for row in rows[:_MOST_BADGES]] for state in STATES}
    table = [(name, row["issued"], *(row[s] for s in STATES)) for name, row in zip(names, rows, strict=True)]
    drawn = chart(names[:_MOST_BADGES], series, named=True)
    return Section("badges", "Badges", told, drawn, ("Badge", "Issued", *series), table)


def _expiring(counts: dict[str, int]) -> Section:
    if not any(counts.values()):
        return Section("expiring", "Expiring soon", f"No badge ends within {list(counts)[-1]} days.")
    table = [(f"{days} days", count) for days, count in counts.items()]
    drawn = chart([label for label, _ in table], {"Badges": list(counts.values())})
    told = "Pending and accepted badges that end within so many days."
    return Section("expiring", "Expiring soon", told, drawn, ("Within", "Badges"), table)


def _failures(rows: list[dict[str, Any]]) -> Section:
    if not rows:
        return Section("failures", "Failed or held", "Nothing failed.")
    told = "Grants that wait for a person, by reason. To see them: credly grants --state failed --state held"
    table = [(visible(row["message"]), row["count"]) for row in rows]
    drawn = chart([reason for reason, _ in table], {"Grants": [row["count"] for row in rows]}, named=True)
    return Section("failures", "Failed or held", told, drawn, ("Reason", "Grants"), table, opened=True)
