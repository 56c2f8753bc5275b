"""The report as a page of one file: charts drawn as SVG within it, each with its numbers as a table beneath."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from credly_cli.pages.render import Chart, chart, render
from credly_cli.reports.report import STATES, Reason, Report
from credly_cli.store.reports import BadgeCount
from credly_cli.text import visible
from credly_cli.times import utc_text

_MOST_BADGES = 20  # more are long to scroll through; the table beneath has them all


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: a sentence, and where there is something to show, a chart and the same as a table."""

    id: str
    title: str
    sentence: str
    chart: Chart | None = None
    head: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()
    opened: bool = False


def page(report: Report, organization: str | None, now: datetime) -> str:
    """Render the page; nothing in it is loaded from anywhere."""
    return render(
        "report.html",
        "report.css",
        organization=visible(organization or "no organization yet"),
        as_of=utc_text(now),
        funnel=report.funnel,
        total=sum(report.funnel.values()),
        sections=[_months(report), _badges(report.badges), _expiring(report.expiring), _failures(report.reasons())],
    )


def _months(report: Report) -> Section:
    shown, before = report.latest_months()
    if not shown:
        return Section("months", "Issued per month", "Nothing was issued yet.")
    sentence = "Badges by the month they were issued in, the latest first."
    if before:
        sentence += f" The table has the {before:,} from before."
    drawn = chart([row.month for row in reversed(shown)], {"Issued": [row.issued for row in reversed(shown)]})
    table = [(row.month, row.issued) for row in reversed(report.months)]
    return Section("months", "Issued per month", sentence, drawn, ("Month", "Issued"), table)


def _badges(rows: Sequence[BadgeCount]) -> Section:
    if not rows:
        return Section("badges", "Badges", "Nothing was issued yet.")
    sentence = "What became of each badge that was issued."
    if len(rows) > _MOST_BADGES:
        sentence += f" Shown are the {_MOST_BADGES} issued most; the table has all {len(rows):,}."
    names = [visible(row.badge.name) for row in rows]
    series = {state.capitalize(): [getattr(row, state) for row in rows[:_MOST_BADGES]] for state in STATES}
    table = [
        (name, row.issued, *(getattr(row, each) for each in STATES)) for name, row in zip(names, rows, strict=True)
    ]
    drawn = chart(names[:_MOST_BADGES], series, named=True)
    return Section("badges", "Badges", sentence, drawn, ("Badge", "Issued", *series), table)


def _expiring(counts: dict[str, int]) -> Section:
    if not any(counts.values()):
        return Section("expiring", "Expiring soon", f"No badge ends within {list(counts)[-1]} days.")
    table = [(f"{days} days", count) for days, count in counts.items()]
    drawn = chart([label for label, _ in table], {"Badges": list(counts.values())})
    sentence = "Pending and accepted badges that end within so many days."
    return Section("expiring", "Expiring soon", sentence, drawn, ("Within", "Badges"), table)


def _failures(reasons: Sequence[Reason]) -> Section:
    if not reasons:
        return Section("failures", "Failed or held", "Nothing failed.")
    sentence = "Grants that wait for a person, by reason. To see them: credly grants --state failed --state held"
    table = [(visible(reason.message), reason.count) for reason in reasons]
    drawn = chart([message for message, _ in table], {"Grants": [count for _, count in table]}, named=True)
    return Section("failures", "Failed or held", sentence, drawn, ("Reason", "Grants"), table, opened=True)
