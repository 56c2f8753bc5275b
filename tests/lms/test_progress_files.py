"""Files of progress: which rows are completions, of when, and what else a row says (R17)."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from credly_cli.lms.records import ProgressRecord

DONE = "2026-03-02T10:00:00Z"


def test_a_row_with_every_column_becomes_progress(one: Callable[..., Any]) -> None:
    text = (
        "email,learner_id,content_id,session_id,progress,status,enrolled_at,completed_at,event_id,first_name,last_name\n"
        f"r@example.org,u1,C1,S1,100,completed,2026-01-01T09:00:00Z,{DONE},e1,Robin,Smith\n"
    )
    assert one("progress", text) == ProgressRecord(
        2, "r@example.org", "u1", "C1", False, "S1", 100.0, "complete",
        "2026-01-01T09:00:00Z", DONE, DONE, "e1", "Robin", "Smith",
    )  # fmt: skip


# What progress, status and completed_at say together: the outcome, and whether the time counts.
@pytest.mark.parametrize(
    ("progress", "status", "completed_at", "outcome", "completes"),
    [
        ("", "", "", None, False),
        ("0", "", "", "open", False),
        ("40", "", "", "open", False),
        ("40", "", DONE, "complete", True),
        ("", "", DONE, "complete", True),
        ("100", "", DONE, "complete", True),
        ("100", "in_progress", "", "open", False),
        ("100", "in_progress", DONE, "open", False),
        ("100", "failed", DONE, "open", False),
        ("", "enrolled", DONE, "open", False),
        ("", "withdrawn", DONE, "ended", False),
        ("100", "withdrawn", "", "ended", False),
        ("", "revoked_access", "", "ended", False),
        ("30", "completed", DONE, "complete", True),
        ("", "", "-", None, False),
        ("", "null", DONE, "complete", True),
    ],
)
def test_a_row_is_a_completion_when_it_says_so(
    progress: str,
    status: str,
    completed_at: str,
    outcome: str | None,
    completes: bool,
    one: Callable[..., Any],
) -> None:
    text = f"email,content_id,progress,status,completed_at\nr@example.org,C1,{progress},{status},{completed_at}\n"
    record = one("progress", text)
    assert record.status == outcome
    assert record.completed_at == record.completed_latest == (DONE if completes else None)


@pytest.mark.parametrize(
    "word",
    [
        "completed",
        "Complete",
        "PASSED",
        "satisfied",
        "course_completed",
        "Course Completed",
        "done",
        "yes",
        "true",
        "1",
    ],
)
def test_these_words_mean_complete(word: str, one: Callable[..., Any]) -> None:
    assert one("progress", f"email,course_id,status,completed_at\nr@x.org,C1,{word},{DONE}\n").status == "complete"


@pytest.mark.parametrize(
    "word",
    [
        *("enrolled", "in_progress", "In Progress", "in-progress", "not started", "started", "assigned", "failed"),
        *("incomplete", "expired", "overdue", "not-completed", "suspended", "no", "false", "0", "unknown"),
    ],
)
def test_these_words_mean_not_complete(word: str, one: Callable[..., Any]) -> None:
    record = one("progress", f"email,course_id,status,completed_at\nr@x.org,C1,{word},{DONE}\n")
    assert (record.status, record.completed_at) == ("expired" if word == "expired" else "open", None)


def test_an_unknown_status_rejects_the_row_and_is_named(one: Callable[..., Any]) -> None:
    reject = one("progress", f"email,course_id,Status,completed_at\nr@x.org,C1,wer weiß,{DONE}\n")
    assert (reject.column, reject.reason) == (
        "Status",
        "'wer weiß' is not a known status; say what it means: --value status:'wer weiß'=MEANING",
    )


@pytest.mark.parametrize("row", ["100,,", "100 %,,", ",completed,", "40,passed,", ",yes,-"])
def test_complete_without_a_time_is_rejected_never_dated_by_us(row: str, one: Callable[..., Any]) -> None:
    reject = one("progress", f"email,course_id,progress,status,Date Completed\nr@x.org,C1,{row}\n")
    assert (reject.column, reject.reason) == ("Date Completed", "is complete, but when is not said")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0.0),
        ("40", 40.0),
        ("40%", 40.0),
        (" 40 % ", 40.0),
        ("40,5", 40.5),
        ("99.9", 99.9),
        ("0.4", 0.4),
        ("-", None),
    ],
)
def test_progress_is_a_percentage(text: str, value: float | None, one: Callable[..., Any]) -> None:
    assert one("progress", f'email,course_id,progress\nr@x.org,C1,"{text}"\n').progress == value


@pytest.mark.parametrize("text", ["-1", "100.1", "101", "half", "nan", "1e1", "5/10", "1_0"])
def test_what_is_no_percentage_is_rejected(text: str, one: Callable[..., Any]) -> None:
    assert one("progress", f"email,course_id,Percent Complete\nr@x.org,C1,{text}\n").column == "Percent Complete"


@pytest.mark.parametrize(
    ("cell", "form", "zone", "at", "latest"),
    [
        ("2026-03-02T10:00:00Z", None, "UTC", "2026-03-02T10:00:00Z", "2026-03-02T10:00:00Z"),
        ("2026-03-02 10:00", None, "Europe/Vienna", "2026-03-02T09:00:00Z", "2026-03-02T09:00:00Z"),
        ("2026-03-02T10:00:00-05:00", None, "UTC", "2026-03-02T15:00:00Z", "2026-03-02T15:00:00Z"),
        ("2026-03-02", None, "UTC", "2026-03-02T00:00:00Z", "2026-03-02T23:59:59Z"),
        ("2026-03-02", None, "America/New_York", "2026-03-02T00:00:00Z", "2026-03-03T04:59:59Z"),
        ("1772445600", None, "UTC", "2026-03-02T10:00:00Z", "2026-03-02T10:00:00Z"),
        ("1772445600000", None, "UTC", "2026-03-02T10:00:00Z", "2026-03-02T10:00:00Z"),
        ("25/02/2026", None, "UTC", "2026-02-25T00:00:00Z", "2026-02-25T23:59:59Z"),
        ("03/02/2026", "%m/%d/%Y", "UTC", "2026-03-02T00:00:00Z", "2026-03-02T23:59:59Z"),
        ("03/02/2026", "%d/%m/%Y", "UTC", "2026-02-03T00:00:00Z", "2026-02-03T23:59:59Z"),
        ("2026-11-24T11:59:59Z", None, "UTC", "2026-11-24T11:59:59Z", "2026-11-24T11:59:59Z"),
    ],
)
def test_a_time_is_read_in_its_zone_and_form(
    cell: str, form: str | None, zone: str, at: str, latest: str, one: Callable[..., Any]
) -> None:
    text = f"email,course_id,completed_at\nr@x.org,C1,{cell}\n"
    record = one("progress", text, date_format=form, zone=ZoneInfo(zone))
    assert (record.completed_at, record.completed_latest) == (at, latest)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("03/02/2026", "could be two dates; say which with --date-format"),
        ("03-02-2026", "could be two dates"),
        ("2026-11-24T12:00:01Z", "is in the future"),
        ("2026-02-30", "is not a date or time"),
        ("tomorrow", "is not a date or time"),
        ("3/2/26", "has no year of four digits"),
    ],
)
@pytest.mark.parametrize("column", ["completed_at", "enrolled_at"])
def test_a_time_that_cannot_be_meant_is_rejected(cell: str, reason: str, column: str, one: Callable[..., Any]) -> None:
    reject = one("progress", f"email,course_id,{column}\nr@x.org,C1,{cell}\n")
    assert reject.column == column
    assert reason in reject.reason


@pytest.mark.parametrize(
    ("row", "content", "by_title", "session_id"),
    [
        ("C1,S1,Python", "C1", False, "S1"),
        ("C1,,Python", "C1", False, None),
        (",S1,Python", "S1", False, None),
        (",,Python", "Python", True, None),
    ],
)
def test_content_is_named_by_id_then_session_then_title(
    row: str,
    content: str,
    by_title: bool,
    session_id: str | None,
    one: Callable[..., Any],
) -> None:
    record = one("progress", f"email,content_id,session_id,content_title\nr@x.org,{row}\n")
    assert (record.content, record.by_title, record.session_id) == (content, by_title, session_id)


@pytest.mark.parametrize(("row", "column"), [(",,C1", "email"), ("r@x.org,u1,", "course_id"), ("robin,u1,C1", "email")])
def test_progress_of_nobody_or_in_nothing_is_rejected(row: str, column: str, one: Callable[..., Any]) -> None:
    assert one("progress", f"email,learner_id,course_id\n{row}\n").column == column


def test_a_learner_may_be_known_by_id_only(one: Callable[..., Any]) -> None:
    record = one("progress", "learner_id,course_id\nu1,C1\n")
    assert (record.email, record.learner_id) == (None, "u1")


@pytest.mark.parametrize(
    ("cell", "outcome"), [("no", "open"), ("false", "open"), ("Not completed", "open"), (DONE, "complete"), ("", None)]
)
def test_a_column_called_completed_holds_a_time_or_a_word(
    cell: str, outcome: str | None, one: Callable[..., Any]
) -> None:
    assert one("progress", f"email,course_id,completed\nr@x.org,C1,{cell}\n").status == outcome


def test_a_time_in_another_form_than_was_said_is_rejected(one: Callable[..., Any]) -> None:
    reject = one("progress", "email,course_id,completed_at\nr@x.org,C1,3/25/2026\n", date_format="%d/%m/%Y")
    assert reject.reason == "'3/25/2026' is not a date in the form '%d/%m/%Y'"


def test_an_id_is_an_event_s_only_in_a_file_of_events(one: Callable[..., Any]) -> None:
    assert one("progress", "id,email,course_id\n7,r@x.org,C1\n").event_id is None
    assert one("progress", "id,email,course_id,timestamp,type\n7,r@x.org,C1,,\n").event_id == "7"
