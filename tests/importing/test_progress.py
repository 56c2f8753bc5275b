"""Importing progress: enrollments, completions, and what a file can and cannot change."""

from typing import Any

import pytest

from tests.support.desk import Desk

HEADER = "email,content_id,session_id,progress,status,enrolled_at,completed_at,event_id\n"
EMAIL = "ada@example.org"
EARLY, LATE = "2026-01-05T10:00:00Z", "2026-02-05T10:00:00Z"


@pytest.fixture
def desk(desk: Desk) -> Desk:
    desk.imports("content", "content_id,title,session_id\nc1,One,s1\nc1,One,s2\nc2,Two,only\nc3,Three,\n")
    return desk


def learns(desk: Desk, *rows: str, code: int = 0) -> Any:
    return desk.imports("progress", HEADER + "".join(f"{row}\n" for row in rows), code=code)


def enrolled(desk: Desk) -> list[tuple[Any, ...]]:
    with desk.store() as store:
        rows = store.rows(
            "SELECT content_id, session_id, progress, ended, completed_at FROM enrollments ORDER BY 1, 2, learner"
        )
    return [tuple(row.values()) for row in rows]


def whole_store(desk: Desk) -> list[str]:
    with desk.store() as store:
        return list(store.connection.iterdump())


# Enrollments


def test_a_row_is_an_enrollment_with_or_without_a_time(desk: Desk) -> None:
    learns(desk, f"{EMAIL},c3,,,,,,", f"{EMAIL},c1,s1,40,,{EARLY},,")
    assert enrolled(desk) == [("c1", "s1", 40, 0, None), ("c3", "", None, 0, None)]


@pytest.mark.parametrize("status", ["withdrawn", "revoked_access"])
def test_withdrawn_and_revoked_access_end_it_and_a_later_row_begins_it_again(desk: Desk, status: str) -> None:
    learns(desk, f"{EMAIL},c3,,,{status},,,")
    assert enrolled(desk) == [("c3", "", None, 1, None)]
    learns(desk, f"{EMAIL},c3,,10,in progress,,,")
    assert enrolled(desk) == [("c3", "", 10, 0, None)]


def test_a_row_without_a_session_is_of_the_only_one_there_is(desk: Desk) -> None:
    learns(desk, f"{EMAIL},c2,,,,,,", f"{EMAIL},c1,,,,,,", f"{EMAIL},only,,,,,,")
    assert enrolled(desk) == [("c1", "", None, 0, None), ("c2", "only", None, 0, None)]


def test_unknown_content_is_rejected_and_makes_no_learner(desk: Desk) -> None:
    assert learns(desk, "bo@example.org,nowhere,,,,,,", f"{EMAIL},c1,no-such-session,,,,,", code=3)["rejected"] == 2
    assert desk.json("learners") == []


def test_an_unknown_learner_is_created(desk: Desk) -> None:
    desk.imports("progress", "email,content_id,first_name,last_name\nBo@example.org,c3,Bo,Berg\n")
    (learner,) = desk.json("learners")
    assert (learner["email"], learner["first_name"], learner["last_name"]) == ("Bo@example.org", "Bo", "Berg")


def test_an_id_alone_finds_a_learner_but_makes_none(desk: Desk) -> None:
    desk.imports("learners", f"email,learner_id\n{EMAIL},17\n")
    text = "learner_id,content_id\n17,c3\n18,c3\n"
    answer = desk.imports("progress", text, code=3)
    assert (answer["added"], answer["rejected"]) == (1, 1)


# Completions


def test_a_status_or_a_time_completes(desk: Desk) -> None:
    learns(desk, f"{EMAIL},c3,,,completed,,{EARLY},", f"bo@example.org,c3,,,,,{LATE},")
    assert enrolled(desk) == [("c3", "", None, 0, EARLY), ("c3", "", None, 0, LATE)]


def test_another_status_wins_over_a_time(desk: Desk) -> None:
    learns(desk, f"{EMAIL},c3,,,failed,,{EARLY},")
    assert enrolled(desk) == [("c3", "", None, 0, None)]


@pytest.mark.parametrize("row", [f"{EMAIL},c3,,,completed,,,", f"{EMAIL},c3,,100,,,,"])
def test_complete_without_a_time_is_rejected_and_never_dated_by_us(desk: Desk, row: str) -> None:
    assert learns(desk, row, code=3)["rejected"] == 1
    assert enrolled(desk) == []


@pytest.mark.sampled
@pytest.mark.parametrize("told", ["40,", ",in progress", ",withdrawn", ",revoked_access", ",failed"])
def test_a_completion_is_never_undone_by_a_file_only_reported(desk: Desk, told: str) -> None:
    learns(desk, f"{EMAIL},c3,,,completed,,{EARLY},")
    ran = desk.run("import", "progress", desk.file("again.csv", f"{HEADER}{EMAIL},c3,,{told},,,\n"))
    assert ran.code == 0
    assert "1 completion" in ran.err
    assert enrolled(desk)[0][4] == EARLY


def test_of_two_completions_the_later_stays_in_whatever_order(desk: Desk) -> None:
    learns(desk, f"{EMAIL},c3,,,,,{LATE},", f"{EMAIL},c3,,,,,{EARLY},")
    assert enrolled(desk)[0][4] == LATE
    assert learns(desk, f"{EMAIL},c3,,,,,{EARLY},")["unchanged"] == 1


def test_the_same_event_may_correct_its_time(desk: Desk) -> None:
    learns(desk, f"{EMAIL},c3,,,,,{LATE},e1")
    assert learns(desk, f"{EMAIL},c3,,,,,{EARLY},e1")["changed"] == 1
    assert enrolled(desk)[0][4] == EARLY


def test_a_time_without_a_zone_is_in_the_configured_one(desk: Desk) -> None:
    desk.config('timezone = "Europe/Vienna"\n')
    learns(desk, f"{EMAIL},c3,,,,,2026-01-05 10:00:00,")
    assert enrolled(desk)[0][4] == "2026-01-05T09:00:00Z"
    text = f"{HEADER}{EMAIL},c3,,,,,2026-02-05 10:00:00,\n"
    desk.imports("progress", text, "--timezone", "America/New_York")
    assert enrolled(desk)[0][4] == "2026-02-05T15:00:00Z"


def test_a_time_more_than_a_day_ahead_is_rejected(desk: Desk) -> None:
    assert learns(desk, f"{EMAIL},c3,,,,,2026-03-03T09:30:00Z,")["added"] == 1
    assert learns(desk, f"{EMAIL},c1,s1,,,,2026-03-03T09:30:01Z,", code=3)["rejected"] == 1


def test_a_date_that_could_be_two_is_rejected_unless_told_which(desk: Desk) -> None:
    text = f"{HEADER}{EMAIL},c3,,,,,03/02/2026,\n"
    assert desk.imports("progress", text, code=3)["rejected"] == 1
    desk.imports("progress", text, "--date-format", "%d/%m/%Y")
    assert enrolled(desk)[0][4] == "2026-02-03T00:00:00Z"


def test_a_form_of_dates_may_name_a_zone(desk: Desk) -> None:
    text = f"{HEADER}{EMAIL},c3,,,,,03/02/2026 09:30 +0100,\n"
    desk.imports("progress", text, "--date-format", "%d/%m/%Y %H:%M %z")
    assert enrolled(desk)[0][4] == "2026-02-03T08:30:00Z"


# Again


CONTRADICTING = (
    f"{EMAIL},c1,s1,40,in progress,{EARLY},,",
    f"{EMAIL},c1,s1,60,,{LATE},,",
    f"{EMAIL},c1,s1,100,completed,{EARLY},{LATE},e1",
    f"{EMAIL},c1,s1,100,completed,{EARLY},{EARLY},e2",
    f"{EMAIL},c1,s1,100,completed,{EARLY},{EARLY},e1",
    f"{EMAIL},c1,s1,10,withdrawn,,,",
    "ADA@example.org,c1,s1,20,in progress,,,",
    f"{EMAIL},c3,,,completed,,2026-01-05,",
    f"{EMAIL},c3,,,completed,,2026-01-05T08:00:00Z,",
)


def test_a_file_that_repeats_and_contradicts_itself_changes_nothing_the_second_time(desk: Desk) -> None:
    first = learns(desk, *CONTRADICTING)
    assert (first["read"], first["added"], first["changed"], first["unchanged"]) == (9, 2, 0, 7)
    before = whole_store(desk)
    again = learns(desk, *CONTRADICTING)
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 9)
    assert whole_store(desk) == before


LOG = """Email,Panorama Name,Content Type,Content Title,Type,Source,Timestamp
ada@example.org,,Course,Three,enrollment,registration,2026-02-20T10:00:00Z
ada@example.org,,Course,Three,revoked_access,manager,2026-02-10T10:00:00Z
ada@example.org,,Course,Three,status_change,course_completed,2026-02-01T10:00:00Z
ada@example.org,,Course,Three,enrollment,registration,2026-01-01T10:00:00Z
bo@example.org,,Course,Three,revoked_access,manager,2026-02-10T10:00:00Z
bo@example.org,,Course,Three,enrollment,registration,2026-02-10T10:00:00Z
cy@example.org,,Course,Three,revoked_access,manager,2026-02-10T10:00:00Z
cy@example.org,,Course,Three,enrollment,registration,2026-01-10T10:00:00Z
"""


@pytest.mark.parametrize("newest_first", [True, False])
def test_the_rows_of_a_log_count_by_their_time_not_by_their_order(desk: Desk, *, newest_first: bool) -> None:
    header, *rows = LOG.splitlines(keepends=True)
    text = header + "".join(rows if newest_first else rows[::-1])
    desk.imports("progress", text)
    with desk.store() as store:
        ended = store.rows("SELECT email, ended FROM enrollments e JOIN learners l ON l.id = e.learner ORDER BY 1")
    assert [row["ended"] for row in ended] == [0, 0, 1]
    before = whole_store(desk)
    desk.imports("progress", text)
    assert whole_store(desk) == before
    desk.imports("progress", header + rows[-1])
    assert whole_store(desk) == before


def test_a_log_in_two_files_ends_the_same_in_either_order(desk: Desk) -> None:
    header, *rows = LOG.splitlines(keepends=True)
    desk.imports("progress", header + "".join(rows[:3]))
    desk.imports("progress", header + "".join(rows[3:]))
    one_way = enrolled(desk)
    desk.imports("progress", LOG)
    assert enrolled(desk) == one_way


@pytest.mark.parametrize("title", ["KITCHEN HYGIENE", "Kitchen\u00a0Hygiene", "Kitchen  Hygiene"])
def test_a_title_is_found_without_regard_to_case_and_kinds_of_spaces(connected: Desk, title: str) -> None:
    text = f"email,content_title,completed_at\nada@example.org,{title},2026-03-01\n"
    assert connected.imports("progress", text)["completions"] == 1


@pytest.mark.parametrize(
    ("cells", "kept"),
    [
        (("0.45", "1", "0", ""), [None, None, 0.0, None]),
        (("0,3", "1.0"), [None, None]),
        (("0.45", "45"), [0.45, 45.0]),
        (("0.5 %", "1 %"), [0.5, 1.0]),
        (("1", "0"), [1.0, 0.0]),
    ],
)
def test_progress_that_may_be_fractions_is_said_and_not_read(
    cells: tuple[str, ...], kept: list[float | None], desk: Desk
) -> None:
    desk.imports("content", "content_id,title\nC1,Intro\n")
    rows = "".join(f'u{number}@example.org,C1,"{cell}"\n' for number, cell in enumerate(cells))
    path = desk.file("progress.csv", f"email,content_id,progress\n{rows}")
    shown = desk.json("import", "progress", path, "--dry-run")["files"][0]["rows"]
    told = desk.json("import", "progress", path)
    with desk.store() as store:
        stored = [row["progress"] for row in store.rows("SELECT progress FROM enrollments ORDER BY learner")]
    assert stored == [row["progress"] for row in shown] == kept
    is_said = any(warning.startswith("No progress is above 1") for warning in told["warnings"])
    assert (is_said, told["completions"]) == (kept[0] is None, 0)


def test_progress_that_may_be_fractions_completes_no_event(desk: Desk) -> None:
    desk.imports("content", "content_id,title\nC1,Intro\n")
    log = "timestamp,email,content_id,progress\n2026-03-01T10:00:00Z,a@example.org,C1,1\n,b@example.org,C1,0.5\n"
    assert desk.imports("progress", log)["completions"] == 0
