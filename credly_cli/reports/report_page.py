"""The report as a page of one file: bars that fit any width, and where these leave something out, a table beneath."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from credly_cli import pages
from credly_cli.reports.reporting import STATES, latest_months, reasons
from credly_cli.safe_text import visible
from credly_cli.times import utc_text

_FOLDER = Path(pages.__file__).parent
_MOST_BADGES = 20  # more are a smear; the table beneath has them all
_LEAST_WIDTH = 0.5  # percent: what is there is seen


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar, in percent of the longest one."""

    look: str
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    """What is counted, how many there are, and how that is drawn."""

    label: str
    count: int
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: bars, what their colours mean, and a table of what they do not say."""

    id: str
    title: str
    told: str
    bars: Sequence[Bar]
    empty: str
    legend: Sequence[str] = ()
    head: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()


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
    told = "Badges by the month they were issued in, the latest first."
    bars = _bars([(row["month"], {"one": row["issued"]}) for row in reversed(shown)])
    if not before:
        return Section("months", "Issued per month", told, bars, "Nothing was issued yet.")
    table = [(row["month"], row["issued"]) for row in reversed(months)]
    told += f" The table has the {before:,} from before."
    return Section("months", "Issued per month", told, bars, "", (), ("Month", "Issued"), table)


def _badges(rows: list[dict[str, Any]]) -> Section:
    told = "What became of each badge that was issued."
    if len(rows) > _MOST_BADGES:
        told += f" Shown are the {_MOST_BADGES} issued most; the table has all {len(rows):,}."
    names = [visible(row["badge"]["name"] or row["badge"]["id"]) for row in rows]
    bars = _bars([(name, {s: row[s] for s in STATES}) for name, row in zip(names, rows[:_MOST_BADGES], strict=False)])
    table = [(name, row["issued"], *(row[s] for s in STATES)) for name, row in zip(names, rows, strict=True)]
    head = ("Badge", "Issued", *map(str.capitalize, STATES))
    return Section("badges", "Badges", told, bars, "Nothing was issued yet.", STATES, head, table)


def _expiring(counts: dict[str, int]) -> Section:
    bars = _bars([(f"{days} days", {"one": count}) for days, count in counts.items()])
    return Section("expiring", "Expiring soon", "Pending and accepted badges that end within so many days.", bars, "")


def _failures(rows: list[dict[str, Any]]) -> Section:
    told = "Grants that wait for a person, by reason. To see them: credly grants --state failed --state held"
    bars = _bars([(visible(row["message"]), {"one": row["count"]}) for row in rows])
    return Section("failures", "Failed or held", told, bars, "Nothing failed.")


def _bars(counted: Sequence[tuple[str, dict[str, int]]]) -> list[Bar]:
    largest = max((sum(counts.values()) for _, counts in counted), default=0) or 1
    return [Bar(label, sum(counts.values()), _parts(counts, largest)) for label, counts in counted]


def _parts(counts: dict[str, int], largest: int) -> list[Part]:
    parts, start = [], 0.0
    for look, count in counts.items():
        if count:
            width = max(round(100 * count / largest, 2), _LEAST_WIDTH)
            parts.append(Part(look, round(start, 2), width))
            start += width
    return parts
