"""Times and dates in the forms and zones of exports; what could be two moments is refused."""

from collections.abc import Callable
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from credly_cli.errors import Failure
from credly_cli.lms.dates import read_moment
from credly_cli.times import UnreadableTimeError, read_zone
from tests.support.desk import Desk

VIENNA = ZoneInfo("Europe/Vienna")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-02T09:30:00Z", "2026-03-02T09:30:00Z"),
        ("2026-03-02T09:30:00z", "2026-03-02T09:30:00Z"),
        ("2026-03-02 09:30:00Z", "2026-03-02T09:30:00Z"),
        ("2026-03-02T09:30:00.987Z", "2026-03-02T09:30:00Z"),
        ("2026-03-02T09:30:00+05:30", "2026-03-02T04:00:00Z"),
        ("2026-03-02 09:30:00 -0500", "2026-03-02T14:30:00Z"),
        ("2026-03-02 09:30:00 UTC", "2026-03-02T09:30:00Z"),
        ("2026-03-02 09:30:00 America/New_York", "2026-03-02T14:30:00Z"),
        ("2026-03-02T09:30:00", "2026-03-02T08:30:00Z"),
        ("2026-07-02 09:30:00", "2026-07-02T07:30:00Z"),
        ("2026-03-02 9:30", "2026-03-02T08:30:00Z"),
        ("2026/03/02 09:30", "2026-03-02T08:30:00Z"),
        ("3/25/2026 9:30", "2026-03-25T08:30:00Z"),
        ("25.03.2026, 21:30:15", "2026-03-25T20:30:15Z"),
        ("25-03-2026 9:30 p.m.", "2026-03-25T20:30:00Z"),
        ("3/25/2026 12:05 AM UTC", "2026-03-25T00:05:00Z"),
        ("1772443800", "2026-03-02T09:30:00Z"),
        ("1772443800.5", "2026-03-02T09:30:00Z"),
        ("1772443800123", "2026-03-02T09:30:00Z"),
        ("  2026-03-02T09:30:00Z ", "2026-03-02T09:30:00Z"),
    ],
)
def test_a_time_is_one_second_in_utc(text: str, at: str) -> None:
    """Scenario 69."""
    assert read_moment(text, VIENNA) == (at, at)


@pytest.mark.parametrize("text", ["2026-03-02", "2026-3-2", "20260302", "2026/03/02", "2026.3.2"])
def test_a_date_is_kept_as_its_day_and_may_mean_all_of_it(text: str) -> None:
    assert read_moment(text, VIENNA) == ("2026-03-02T00:00:00Z", "2026-03-02T22:59:59Z")


def test_a_date_that_reads_the_same_both_ways_is_no_riddle() -> None:
    assert read_moment("03/03/2026").at == "2026-03-03T00:00:00Z"


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "2026-02-30", "2026-02-30T00:00:00Z", "2026-13-01", "31/31/2026", "03/04/2026", "3.4.26"),
        *("12345678", "0001-01-01T00:00:00Z", "0000-00-00 00:00:00", "9999-12-31", "3/25/2026 13:00 PM"),
        *("3/25/2026 25:00", "٢٠٢٦-٠٣-٠٢", "2026-03-02 09:30 IST/GST"),
    ],
)
def test_what_is_no_time_or_could_be_two_is_refused(text: str) -> None:
    with pytest.raises(UnreadableTimeError):
        read_moment(text)


@pytest.mark.parametrize(
    ("text", "form", "at"),
    [
        ("03/04/2026", "%d/%m/%Y", "2026-04-03T00:00:00Z"),
        ("03/04/26 09:30", "%m/%d/%y %H:%M", "2026-03-04T08:30:00Z"),
        ("2 March 2026, 9:30 AM", "%d %B %Y, %I:%M %p", "2026-03-02T08:30:00Z"),
        ("02.03.2026 09:30 +0000", "%d.%m.%Y %H:%M %z", "2026-03-02T09:30:00Z"),
        ("2026-02-03 10:00:00", "%Y-%d-%m %H:%M:%S", "2026-03-02T09:00:00Z"),
        ("2026-03-02T09:30:00Z", "%d/%m/%Y", "2026-03-02T09:30:00Z"),
        ("2026-03-02", "%d/%m/%Y", "2026-03-02T00:00:00Z"),
        ("1772443800", "%d/%m/%Y", "2026-03-02T09:30:00Z"),
    ],
)
def test_a_form_says_how_to_read(text: str, form: str, at: str) -> None:
    assert read_moment(text, VIENNA, form).at == at


@pytest.mark.parametrize(
    ("text", "form"), [("25/03/2026", "%m/%d/%Y"), ("2026-03-25", "%Y-%d-%m"), ("310220261200", "%d%m%Y%H%M")]
)
def test_what_is_neither_in_the_form_nor_plain_is_refused(text: str, form: str) -> None:
    with pytest.raises(UnreadableTimeError):
        read_moment(text, VIENNA, form)


def test_a_zone_is_found_by_its_name() -> None:
    assert read_zone("Europe/Vienna") == VIENNA
    assert read_zone("utc") is UTC


@pytest.mark.parametrize("name", ["Nowhere", "America", "../etc/passwd", "/etc/passwd", "", "\0"])
def test_an_unknown_zone_is_wrong_usage(name: str) -> None:
    with pytest.raises(Failure) as caught:
        read_zone(name)
    assert caught.value.code == "usage"


ORDERS = {
    "year": ["2026-04-03", "2026-03-14 10:00:00", "2026/05/06"],
    "day": ["25/12/2025", "13.03.2026", "14-03-2026 10:00"],
    "month": ["12/25/2025", "3/14/2026 10:00 AM"],
}


@pytest.mark.sampled
@pytest.mark.parametrize("option", [(), ("--date-format", "%d/%m/%Y")])
@pytest.mark.parametrize(("one", "other"), [("year", "day"), ("year", "month"), ("day", "month")])
@pytest.mark.parametrize("later", [0, 1500])
def test_dates_of_two_orders_in_one_column_are_rejected_whichever_comes_first(
    one: str, other: str, later: int, option: tuple[str, ...], desk: Desk
) -> None:
    desk.imports("content", "content_id,title\nC1,Intro\n")
    for first, then in ((one, other), (other, one)):
        rows = [f"a{row}@x.org,C1,{first}" for row, first in enumerate(ORDERS[first])]
        rows += [f"b{row}@x.org,C1,2026-03-01T10:00:00Z" for row in range(later)]
        rows += [f"c{row}@x.org,C1,{second}" for row, second in enumerate(ORDERS[then])]
        text = "email,course_id,completed_at\n" + "\n".join(rows) + "\n"
        answer = desk.json("import", "progress", desk.file("p.csv", text), *option, "--dry-run")
        rejected = len(ORDERS[then]) + (0 if later else len(ORDERS[first]))  # further down only what comes then
        if option and "year" not in (one, other):
            rejected = len(ORDERS["month"])  # by their form alone
        assert answer["rejected"] >= rejected
        assert answer["read"] - answer["rejected"] >= later
    told = desk.run("import", "progress", desk.file("p.csv", text), *option)
    assert told.code == 3
    assert later or option or "a spreadsheet may have changed one of them" in told.err


@pytest.mark.parametrize("no_date", ["0000-00-00", "01/01/1970", "1/0/1900", "-", ""])
def test_what_is_no_date_is_in_no_order(no_date: str, read: Callable[..., list[Any]]) -> None:
    rows = f"a@x.org,C1,{no_date}\nb@x.org,C1,25/12/2025\nc@x.org,C1,05/05/2026\n"
    found = read("progress", f"email,course_id,completed_at\n{rows}")
    assert [record.completed_at for record in found] == [None, "2025-12-25T00:00:00Z", "2026-05-05T00:00:00Z"]


def test_times_that_no_spreadsheet_writes_stand_beside_dates_that_it_does(read: Callable[..., list[Any]]) -> None:
    rows = "a@x.org,C1,2026-03-01T10:00:00Z\nb@x.org,C1,25/12/2025\nc@x.org,C1,1 March 2026\n"
    found = read("progress", f"email,course_id,completed_at\n{rows}")
    assert [record.completed_at[:10] for record in found] == ["2026-03-01", "2025-12-25", "2026-03-01"]
