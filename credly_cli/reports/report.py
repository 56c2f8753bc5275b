"""What has become of the badges: issued per month and badge, accepted or not, expiring soon, and what failed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from credly_cli.store import reports
from credly_cli.store.database import Store
from credly_cli.store.reports import BadgeCount, MonthCount
from credly_cli.text import folded, without_addresses
from credly_cli.times import utc_text

STATES = ("pending", "accepted", "rejected", "revoked")
_SOON = (30, 60, 90)  # days
_A_YEAR = 12  # months


@dataclass(frozen=True, slots=True)
class Reason:
    """Why so many grants failed or are held, in words without addresses."""

    message: str
    count: int


@dataclass(frozen=True, slots=True)
class FailureRow:
    """How many grants failed or are held with an error code, and why."""

    code: str
    count: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report; ``expiring`` is by days from now, each count with those of fewer days."""

    months: list[MonthCount]
    badges: list[BadgeCount]
    funnel: dict[str, int]
    expiring: dict[str, int]
    failures: list[FailureRow]

    def reasons(self) -> list[Reason]:
        """Return the reasons of all failures, the most frequent first."""
        return sorted((reason for row in self.failures for reason in row.reasons), key=lambda reason: -reason.count)

    def latest_months(self) -> tuple[list[MonthCount], int]:
        """Return the last twelve months up to the latest badge, empty ones too, and how many were issued before."""
        filled = _all_months(self.months)
        return filled[-_A_YEAR:], sum(row.issued for row in filled[:-_A_YEAR])

    def flat(self) -> list["FlatRow"]:
        """Lay the report out as rows of one shape, for CSV and pipes."""
        return list(_flat(self))


def report(store: Store, now: datetime) -> Report:
    """Count what the store knows of issued badges and failed grants; badges deleted in Credly are left out."""
    return Report(
        months=reports.months(store),
        badges=sorted(reports.badges(store), key=lambda row: (-row.issued, folded(row.badge.name), row.badge.id)),
        funnel={**dict.fromkeys(STATES, 0), **reports.states(store)},
        expiring={
            str(days): reports.expiring(store, utc_text(now), utc_text(now + timedelta(days=days))) for days in _SOON
        },
        failures=_failures(store),
    )


def _failures(store: Store) -> list[FailureRow]:
    """Count the grants that wait for a person, by code, and for each code by the reason in words."""
    counted: dict[str, Counter[str]] = {}
    for row in reports.failures(store):
        counted.setdefault(row.code, Counter())[_reason(row.code, row.problem)] += row.count
    rows = [
        FailureRow(code, reasons.total(), tuple(Reason(*each) for each in reasons.most_common()))
        for code, reasons in counted.items()
    ]
    return sorted(rows, key=lambda row: (-row.count, row.code))


def _reason(code: str, problem: str | None) -> str:
    """Say why in words that are the same for everybody."""
    if code == "missing-name":
        return "The first or the last name is not known."
    return without_addresses(problem or "No reason was noted.")


@dataclass(frozen=True, slots=True)
class FlatRow:
    """One number of the report: of a month, a badge, a state, days or an error code."""

    id: str
    section: str
    name: str | None
    measure: str
    count: int


def _flat(answer: Report) -> Iterator[FlatRow]:
    for month in answer.months:
        yield FlatRow(month.month, "month", None, "issued", month.issued)
    for row in answer.badges:
        for state in ("issued", *STATES):
            yield FlatRow(row.badge.id, "badge", row.badge.name, state, getattr(row, state))
    for state, count in answer.funnel.items():
        yield FlatRow(state, "funnel", None, "badges", count)
    for days, count in answer.expiring.items():
        yield FlatRow(days, "expiring", f"within {days} days", "badges", count)
    for code, reason in _codes_and_reasons(answer):
        yield FlatRow(code, "failure", reason.message, "grants", reason.count)


def _codes_and_reasons(answer: Report) -> list[tuple[str, Reason]]:
    pairs = [(row.code, reason) for row in answer.failures for reason in row.reasons]
    return sorted(pairs, key=lambda pair: -pair[1].count)


def _all_months(months: list[MonthCount]) -> list[MonthCount]:
    counted = {row.month: row.issued for row in months}
    if not counted:
        return []
    first, last = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (min(counted), max(counted)))
    names = [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(first, last + 1)]
    return [MonthCount(name, counted.get(name, 0)) for name in names]
