"""What single cells of progress say: words of status, events, no value, times that are none."""

from collections.abc import Callable
from typing import Any

import pytest

from credly_cli.lms.records import Reject

ENROLLED = "2026-01-01T09:00:00Z"
LOGGED = "2026-01-05T09:00:00Z"


@pytest.mark.parametrize("how", ["status,type\nenrolled,", "status,type\n,enrollment"])
def test_an_event_of_an_enrollment_tells_when_it_began_itself_or_else_by_its_time(
    how: str, one: Callable[..., Any]
) -> None:
    header, _, values = how.partition("\n")
    start = f"email,content_id,{header},timestamp,enrolled_at\na@x.org,c1,{values},{LOGGED},"
    assert one("progress", f"{start}{ENROLLED}\n").enrolled_at == ENROLLED
    assert one("progress", f"{start}\n").enrolled_at == LOGGED


@pytest.mark.parametrize("verb", ["http://adlnet.gov/expapi/verbs/completed", "https://w3id.org/verbs/completed/"])
def test_a_status_may_be_the_address_of_a_verb(verb: str, one: Callable[..., Any]) -> None:
    record = one("progress", f"email,content_id,status,completed_at\na@x.org,c1,{verb},{LOGGED}\n")
    assert (record.status, record.completed_at) == ("complete", LOGGED)


@pytest.mark.parametrize("word", ["", "-", "--", "\u2013", "\u2014", "n/a", "NULL", "None", "never", "\\N"])
def test_what_systems_write_for_no_value_is_none(word: str, one: Callable[..., Any]) -> None:
    record = one("progress", f"email,content_id,status,completed_at\na@x.org,c1,{word},{word}\n")
    assert (record.status, record.completed_at) == (None, None)


def test_a_time_of_day_that_is_none_rejects_the_row(one: Callable[..., Any]) -> None:
    rejected = one("progress", "email,content_id,completed_at\na@x.org,c1,03/25/2026 noon\n")
    assert rejected == Reject(2, "completed_at", "'noon' is not a time of day")


def test_the_form_that_was_named_wins_over_our_own(one: Callable[..., Any]) -> None:
    text = "email,content_id,completed_at\na@x.org,c1,2026-03-02T09:30:00Z\n"
    assert one("progress", text, date_format="%Y-%d-%mT%H:%M:%SZ").completed_at == "2026-02-03T09:30:00Z"


@pytest.mark.parametrize(
    "word", ["Did not achieve pass grade", "Not passed", "Unsuccessful", "不及格", "Провалено", "Ej godkänd"]
)
def test_what_was_told_of_a_failure_is_no_completion_whatever_date_stands_beside_it(
    word: str, one: Callable[..., Any]
) -> None:
    record = one("progress", f"email,content_id,status,completed_at\na@x.org,c1,{word},{LOGGED}\n")
    assert (record.status, record.completed_at) == ("open", None)


@pytest.mark.parametrize(
    "word", ["Slutförd", "Gennemført", "Fullført", "Ukończony", "Завершено", "Bitirildi", "已完成", "수료"]
)
def test_words_of_status_are_known_in_the_languages_of_the_big_systems(word: str, one: Callable[..., Any]) -> None:
    record = one("progress", f"email,content_id,status,completed_at\na@x.org,c1,{word},{LOGGED}\n")
    assert (record.status, record.completed_at) == ("complete", LOGGED)


@pytest.mark.parametrize(
    "time",
    [
        *(
            "13 lutego 2026, 10:05",
            "пятница, 13 февраля 2026, 10:05",
            "13 Şubat 2026 10:05",
            "13. února 2026, 10:05",
        ),
        *("2026年2月13日 星期五 上午10:05", "2026년 2월 13일 오전 10:05", "fredag 13 februari 2026 kl. 10:05"),
        "13. helmikuuta 2026 klo 10:05",
        "sexta-feira, 13 de fevereiro de 2026 às 10:05",
    ],
)
def test_months_are_known_by_name_in_the_languages_of_the_big_systems(time: str, one: Callable[..., Any]) -> None:
    record = one("progress", f'email,content_id,completed_at\na@x.org,c1,"{time}"\n')
    assert record.completed_at == "2026-02-13T10:05:00Z"
