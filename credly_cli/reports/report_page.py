"""The report as a page of one file: charts drawn as SVG within it, each with its numbers as a table beneath."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from credly_cli import pages
from credly_cli.reports.reporting import STATES, all_months
from credly_cli.safe_text import visible
from credly_cli.times import utc_text

_FOLDER = Path(pages.__file__).parent
_MOST_BADGES = 20  # a chart of more is a smear; the table beneath has them all
_MOST_LETTERS = 32
_MOST_LABELS = 9  # fit side by side
_THE_LIBRARYS = ("script", "style", "desc", "title")
_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: a chart, and the same as a table."""

    id: str
    title: str
    told: str
    chart: str | None
    head: Sequence[str]
    rows: Sequence[Sequence[object]]
    empty: str = "Nothing was issued yet."


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
        _months(all_months(answer["months"], at_least=6)),
        _badges(answer["badges"]),
        _expiring(answer["expiring"]),
        _failures(answer["failures"]),
    ]


def _months(rows: list[dict[str, Any]]) -> Section:
    chart = _chart("Bar", [row["month"] for row in rows], [("Issued", [row["issued"] for row in rows])])
    told = "Badges by the month they were issued in."
    table = [(row["month"], row["issued"]) for row in rows if row["issued"]]
    return Section("months", "Issued per month", told, chart, ("Month", "Issued"), table)


def _badges(rows: list[dict[str, Any]]) -> Section:
    shown = rows[:_MOST_BADGES][::-1]  # a horizontal chart begins at the bottom
    series = [(state.capitalize(), [row[state] for row in shown]) for state in STATES]
    chart = _chart("HorizontalStackedBar", [_short(row["badge"]["name"] or "") for row in shown], series)
    told = "What became of each badge that was issued."
    if len(rows) > len(shown):
        told += f" The chart shows the {_MOST_BADGES} issued most."
    table = [
        (visible(row["badge"]["name"] or row["badge"]["id"]), row["issued"], *(row[s] for s in STATES)) for row in rows
    ]
    return Section("badges", "Badges", told, chart, ("Badge", "Issued", *map(str.capitalize, STATES)), table)


def _expiring(counts: dict[str, int]) -> Section:
    chart = None
    if any(counts.values()):
        labels = [f"{days} days" for days in counts][::-1]
        chart = _chart("HorizontalBar", labels, [("Expiring", list(counts.values())[::-1])])
    table = [(f"{days} days", count) for days, count in counts.items()]
    return Section(
        "expiring",
        "Expiring soon",
        "Pending and accepted badges that end within so many days.",
        chart,
        ("Within", "Badges"),
        table,
    )


def _failures(rows: list[dict[str, Any]]) -> Section:
    shown = rows[::-1]
    chart = _chart("HorizontalBar", [row["code"] for row in shown], [("Grants", [row["count"] for row in shown])])
    table = [(row["code"], row["count"]) for row in rows]
    told = "Grants that wait for a person, by reason. To see them: credly grants --state failed --state held"
    return Section("failures", "Failed or held", told, chart, ("Reason", "Grants"), table, "Nothing failed.")


def _short(text: str) -> str:
    text = visible(text)
    return text if len(text) <= _MOST_LETTERS else text[: _MOST_LETTERS - 1] + "…"


def _chart(kind: str, labels: Sequence[str], series: Sequence[tuple[str, list[int]]]) -> str | None:
    """Draw a chart as SVG for the page's own style sheet; ``None`` where there is nothing to draw."""
    if not labels:
        return None
    import pygal  # noqa: PLC0415 - 130 ms, for this page only

    sideways, alone = kind.startswith("Horizontal"), len(series) == 1
    crowded = not sideways and len(labels) > _MOST_LABELS
    chart = getattr(pygal, kind)(
        js=[],
        classes=["chart"],
        width=880,
        height=110 + 34 * len(labels) if sideways else 320,
        style=pygal.style.Style(label_font_size=15, major_label_font_size=15, legend_font_size=15, value_font_size=15),
        show_legend=not alone,
        legend_at_bottom=True,
        legend_at_bottom_columns=len(series),
        print_values=alone and not crowded,
        print_values_position="top",
        show_minor_x_labels=not crowded,
        x_labels_major_count=_MOST_LABELS if crowded else None,
        show_y_guides=not sideways,
        show_x_guides=sideways,
        truncate_label=-1,
        margin=8,
        rounded_bars=3,
        formatter=lambda value: f"{value:,.0f}",
        order_min=0,  # whole numbers only
    )
    chart.x_labels = labels
    for name, numbers in series:
        chart.add(name, numbers)
    return _bare(chart.render_tree())


def _bare(root: Any) -> str:
    """Take out all that is style or script of the library's own: the page's policy lets neither in."""
    for parent in list(root.iter()):
        for child in list(parent):
            if not isinstance(child.tag, str) or child.tag.replace(_SVG, "") in _THE_LIBRARYS:
                parent.remove(child)
        parent.attrib.pop("style", None)
    root.attrib.pop("id", None)
    ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
    return ElementTree.tostring(root, encoding="unicode")
