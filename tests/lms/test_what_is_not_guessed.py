"""What a file says otherwise than it seems: parts of a sheet, words, times, names and addresses that are none."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import credly_cli.lms
from credly_cli.errors import Failure
from credly_cli.lms.columns import key_of
from credly_cli.lms.fields import split_name
from credly_cli.lms.records import Reject
from credly_cli.lms.statuses import known_statuses
from credly_cli.lms.zones import named_in
from tests.lms.test_exports import enrollments_in, learners_in, office  # noqa: F401 - a fixture
from tests.support.desk import Desk

AT = "2026-03-02T10:00:00Z"
WORDS = tomllib.loads((Path(credly_cli.lms.__file__).with_name("words.toml")).read_text(encoding="utf-8"))

ZOOM_MEETING = """\
Meeting ID,Topic,Start Time,End Time,User Email,Duration (Minutes),Participants
99 123,Intro,03/20/2026 05:55:00 PM,03/20/2026 07:00:00 PM,host@example.org,65,2

Name (Original Name),User Email,Join Time,Leave Time,Duration (Minutes),Guest
Eve Moor,eve@example.org,03/20/2026 05:55:00 PM,03/20/2026 07:00:00 PM,65,No
"""
ZOOM_WEBINAR = """\
Attendee Report,
Topic,Webinar ID,Actual Start Time
Intro,123,"Mar 20, 2026 8:07 AM"
Host Details,
Attended,User Name (Original Name),Email,Join Time,Leave Time
Yes,Hoss T,host@example.org,"Mar 20, 2026 08:07:27","Mar 20, 2026 17:14:45"
Attendee Details,
Attended,User Name (Original Name),First Name,Last Name,Email,Leave Time,Approval Status
Yes,Eve Moor,Eve,Moor,eve@example.org,"Mar 20, 2026 09:14:45",approved
No,Al Ray,Al,Ray,al@example.org,,approved
"""


@pytest.mark.parametrize("options", [(), ("--map", "content_title=Topic"), ("--map", "content_id==C1")])
@pytest.mark.parametrize(
    ("sheet", "lines"), [(ZOOM_MEETING, ("line 1", "line 4")), (ZOOM_WEBINAR, ("line 5", "line 8"))]
)
def test_a_sheet_of_several_parts_is_refused_with_the_parts_named(
    sheet: str, lines: tuple[str, str], options: tuple[str, ...], desk: Desk
) -> None:
    if sheet is ZOOM_WEBINAR and options[1:] == ("content_title=Topic",):
        return
    ran = desk.run("import", "progress", desk.file("zoom.csv", sheet), *options)
    assert ran.code == 3
    assert all(line in ran.err for line in lines)
    assert f"--header-line {lines[1].removeprefix('line ')}" in ran.err
    assert learners_in(desk) == []


def test_of_a_report_of_teams_the_part_of_people_is_proposed_and_not_that_of_their_steps(desk: Desk) -> None:
    sheet = (
        "1. Summary\nMeeting title\tIntro\n\n2. Participants\n"
        "Name\tFirst Join\tLast Leave\tIn-Meeting Duration\tEmail\tRole\n"
        "Ada Lovelace\t3/20/2026, 9:01:00 AM\t3/20/2026, 10:00:00 AM\t59m\tada@example.org\tAttendee\n\n"
        "3. In-Meeting Activities\nName\tJoin Time\tLeave Time\tDuration\tEmail\tRole\n"
        "Ada Lovelace\t3/20/2026, 9:01:00 AM\t3/20/2026, 9:30:00 AM\t29m\tada@example.org\tAttendee\n"
    )
    path = desk.file("teams.csv", sheet)
    for options in ((), ("--map", "content_id==C1")):
        refused = desk.run("import", "progress", path, *options)
        assert (refused.code, "--header-line 5" in refused.err) == (3, True)
        assert "line 5 (2. Participants: Name, First Join" in refused.err
    desk.imports("content", "content_id,title\nC1,Intro\n")
    told = desk.json("import", "progress", path, "--header-line", "5", "--map", "content_id==C1")
    assert "--map completed_at='Last Leave'" in told["warnings"][0]


@pytest.mark.parametrize(("sheet", "line"), [(ZOOM_MEETING, "4"), (ZOOM_WEBINAR, "8")])
def test_the_part_that_is_named_by_its_header_is_read(sheet: str, line: str, office: Desk) -> None:  # noqa: F811
    status = ("--map", "status=Attended") if sheet is ZOOM_WEBINAR else ()
    told = ("--header-line", line, "--map", "content_id==C1", "--map", "completed_at=Leave Time", *status)
    office.json("import", "progress", office.file("zoom.csv", sheet), *told)
    assert ["eve@example.org", "C1"] in [each[:2] for each in enrollments_in(office) if each[2].startswith("complete")]
    assert "host@example.org" not in [row[0] for row in learners_in(office)]


def test_a_line_that_there_is_not_is_no_header(desk: Desk) -> None:
    ran = desk.run("import", "progress", desk.file("p.csv", "email,course\na@x.org,Intro\n"), "--header-line", "40")
    assert (ran.code, "has no line 40" in ran.err) == (2, True)


@pytest.mark.parametrize(
    "sheet",
    [
        "Email,First Name,Last Name\nada@example.org,Ada,Bell\n\nEmail,Boss\nboss@example.org,Bo\n",
        "User ID,Email\n7,ada@example.org\nuser id,Manager Email\n7,boss@example.org\n",
    ],
)
def test_a_line_with_the_name_of_a_column_in_that_column_begins_another_part(sheet: str, desk: Desk) -> None:
    error = desk.imports("learners", sheet, code=3)["error"]
    assert "a sheet of several parts, whose headers are in line 1" in error["message"]
    assert learners_in(desk) == []


def test_two_files_put_together_with_their_columns_in_another_order_are_refused(desk: Desk) -> None:
    text = "email,course,completed_at\na@x.org,Intro,2026-03-01\ncourse,email,completed_at\nIntro,b@x.org,2026-03-01\n"
    assert desk.run("import", "progress", desk.file("p.csv", text)).code == 3
    assert learners_in(desk) == []


def test_a_column_is_named_by_its_position(read: Callable[..., list[Any]]) -> None:
    text = "email,Intro,,x\nr@x.org,Passed,2026-03-02T10:00:00Z,\n"
    mapping = {"content_id": "=C1", "status": "Intro", "completed_at": "#3"}
    (record,) = read("progress", text, mapping=mapping)
    assert (record.content, record.completed_at) == ("C1", AT)
    with pytest.raises(Failure, match="no column '#9'"):
        read("progress", text, mapping={**mapping, "completed_at": "#9"})


@pytest.mark.parametrize(
    ("kind", "header", "other"),
    [
        ("learners", "email,first_name,course_id,status,completed_at", "progress"),
        ("learners", "email,first_name,content_id", "access"),
        ("content", "content_id,title,email,status,completed_at", "progress"),
        ("access", "content_id,email,status,completed_at", "progress"),
        ("progress", "content_id,email,panorama", "access"),
    ],
)
def test_a_file_of_another_kind_is_refused_though_it_has_the_columns(
    kind: str, header: str, other: str, read: Callable[..., list[Any]]
) -> None:
    with pytest.raises(Failure, match=f"looks like a file of {other}"):
        read(kind, f"{header}\n")
    required = {"learners": "email", "content": "title", "access": "email", "progress": "email"}[kind]
    assert read(kind, f"{header}\n", mapping={required: required}) == []


@pytest.mark.parametrize(
    ("kind", "header", "other"),
    [
        ("progress", "email,first_name,last_name,learner_id", "learners"),
        ("progress", "content_id,title,type,status", "content"),
        ("access", "content_id,title,type", "content"),
        ("learners", "learner_id,course_title,progress", "progress"),
        ("learners", "id,title", "content"),
    ],
)
def test_a_file_without_the_columns_is_refused_with_the_kind_that_it_looks_like(
    kind: str, header: str, other: str, read: Callable[..., list[Any]]
) -> None:
    with pytest.raises(Failure) as caught:
        read(kind, f"{header}\n")
    assert f"It looks like a file of {other}" in str(caught.value.hint)


@pytest.mark.parametrize("table", ["status", "role"])
def test_no_word_has_two_meanings(table: str) -> None:
    meanings: dict[str, set[str]] = {}
    for by_meaning in WORDS[table].values():
        for meaning, words in by_meaning.items():
            for word in words:
                meanings.setdefault(key_of(word), set()).add(meaning)
    assert {word: told for word, told in meanings.items() if len(told) > 1} == {}
    assert len(meanings) > 200


def test_the_words_of_our_own_agree_with_those_of_systems() -> None:
    told = {"completed": "complete", "open": "open", "failed": "open", "ended": "ended"}
    for by_meaning in WORDS["status"].values():
        for meaning, words in by_meaning.items():
            assert {word: known_statuses()[key_of(word)] for word in words} == dict.fromkeys(words, told[meaning])


@pytest.mark.parametrize(
    "word", ["Aprobado", "Aprovado", "Validé", "Beendet", "Closed", "Exempt", "OK", "P", "2", "Suspenso", "Archived"]
)
def test_a_word_that_means_two_things_rejects_its_row(word: str, one: Callable[..., Any]) -> None:
    reject = one("progress", f"email,course_id,status,completed_at\nr@x.org,C1,{word},{AT}\n")
    assert (type(reject), reject.column) == (Reject, "status")


def test_words_are_told_by_value(office: Desk) -> None:  # noqa: F811
    rows = "".join(f"{name}@example.org,C1,{word},{role},{AT}\n" for name, word, role in (
        ("a", "For Credit", "Nurse"), ("b", "Sent back", "Nurse"), ("c", "Left town", "Nurse"),
        ("d", "Test run", "Nurse"), ("e", "Completed", "Chief"), ("f", "Completed", "Teacher"),
    ))  # fmt: skip
    words = ("For credit=completed", "Sent back=open", "Left town=ended", "Test run=ignore")
    told = [option for word in words for option in ("--value", f"status:{word}")]
    told += ["--value", "role:Nurse=learner", "--value", "role:Chief=other"]
    office.imports("progress", f"email,course_id,status,role,completed_at\n{rows}", *told)
    assert enrollments_in(office) == [
        ["a@example.org", "C1", f"complete {AT}"],
        ["b@example.org", "C1", "open"],
        ["c@example.org", "C1", "ended"],
    ]


@pytest.mark.parametrize(
    "value", ["status:x", "status:x=passed", "role:x=open", "type:x=open", "x=completed", "status:=open"]
)
def test_a_value_that_tells_nothing_is_wrong_usage(value: str, desk: Desk) -> None:
    ran = desk.run("import", "progress", desk.file("p.csv", "email,course\n"), "--value", value)
    assert (ran.code, "--value" in ran.err) == (2, True)


@pytest.mark.parametrize("form", ["%d/%m/%Y %H:%M %p", "%d/%m/%Y %I:%M", "%d/%m/%Y :%M", "%d/%m", "%G-W%V-%u", "%m/%Y"])
def test_a_form_of_dates_that_loses_something_is_wrong_usage(form: str, read: Callable[..., list[Any]]) -> None:
    with pytest.raises(Failure) as caught:
        read("progress", "email,course\n", date_format=form)
    assert caught.value.code == "usage"


@pytest.mark.parametrize(
    "word",
    [
        *("1970-01-01 01:00:00", "1969-12-31T19:00:00-05:00", "1900-01-01", "30.12.1899", "0000-00-00"),
        *(
            "1/1/0001 12:00:00 AM",
            "12/31/1969",
            "12/31/1969 4:00 PM PST",
            "31.12.1899",
            "0",
            "TBD",
            "undefined",
            "#N/A",
        ),
    ],
)
def test_what_systems_write_for_no_time_is_no_completion(word: str, one: Callable[..., Any]) -> None:
    record = one("progress", f"email,course_id,completed_at\nr@x.org,C1,{word}\n")
    assert record.completed_at is None


@pytest.mark.parametrize(
    ("header", "zone", "expected"),
    [
        ("Completed At (PST/PDT)", "UTC", "2026-04-01T05:30:00Z"),
        ("Completed At (UTC)", "America/New_York", "2026-03-31T22:30:00Z"),
        ("Completed At (GMT+01:00)", "UTC", "2026-03-31T21:30:00Z"),
        ("Completed At (IST)", "Asia/Kolkata", "2026-03-31T17:00:00Z"),
        ("Completed At (IST)", "UTC", None),
        ("Completed At (CST)", "America/Chicago", "2026-04-01T04:30:00Z"),
        ("Completed At (Pacific Time)", "UTC", "2026-04-01T05:30:00Z"),
        ("Completed At (UTC-08:00) Pacific Time (US & Canada)", "UTC", "2026-04-01T05:30:00Z"),
        ("Completed At (ET)", "UTC", "2026-04-01T02:30:00Z"),
        ("Completed At EST", "UTC", "2026-04-01T03:30:00Z"),
        ("Completed At IST", "UTC", None),
        ("Completed At (UTC TimeZone)", "America/New_York", "2026-03-31T22:30:00Z"),
        ("Completed At [UTC]", "America/New_York", "2026-03-31T22:30:00Z"),
        ("Completed At (in UTC)", "America/New_York", "2026-03-31T22:30:00Z"),
        ("Completed At - UTC", "America/New_York", "2026-03-31T22:30:00Z"),
        ("completed_at_utc", "America/New_York", "2026-03-31T22:30:00Z"),
        ("completedAtUTC", "America/New_York", "2026-03-31T22:30:00Z"),
        ("UTC completed at", "America/New_York", "2026-03-31T22:30:00Z"),
        ("Completed At (Local Time)", "America/New_York", "2026-04-01T02:30:00Z"),
    ],
)
def test_a_zone_in_the_header_is_that_of_the_column(
    header: str, zone: str, expected: str | None, one: Callable[..., Any]
) -> None:
    told = {"zone": ZoneInfo(zone), "mapping": {"completed_at": header}}
    record = one("progress", f"email,course_id,{header}\nr@x.org,C1,2026-03-31 22:30:00\n", **told)
    assert expected == (None if isinstance(record, Reject) else record.completed_at)


def test_a_long_cell_is_no_header_that_names_a_zone() -> None:
    """And takes no time that grows with the square of its length."""
    assert named_in("- " * 500_000 + "UTC") is None


def test_a_zone_that_stands_in_a_column_of_its_own_is_said_not_to_be_used(office: Desk) -> None:  # noqa: F811
    text = "email,course,completed_at,Time Zone\nr@example.org,Intro,2026-03-31 22:30,EST\n"
    assert "'Time Zone' is not used" in " ".join(office.imports("progress", text)["warnings"])


@pytest.mark.parametrize("form", ["%m/%d/%Y", "%m/%d/%Y %I:%M %p", "%m/%d/%Y, %H:%M"])
def test_a_day_is_read_as_told_with_a_time_of_day_and_without(form: str, one: Callable[..., Any]) -> None:
    text = "email,course_id,enrolled_at,completed_at\nr@x.org,C1,2/1/2026,3/4/2026 10:05 PM\n"
    record = one("progress", text, date_format=form)
    assert (record.enrolled_at, record.completed_at) == ("2026-02-01T00:00:00Z", "2026-03-04T22:05:00Z")


def test_a_day_that_is_not_of_the_form_told_is_not_read(one: Callable[..., Any]) -> None:
    text = "email,course_id,completed_at\nr@x.org,C1,3/14/2026 10:05 PM\n"
    assert "is not a date in the form" in one("progress", text, date_format="%d/%m/%Y").reason


def test_a_time_of_day_with_a_dot_keeps_its_minutes(one: Callable[..., Any]) -> None:
    assert one("progress", "email,course_id,completed_at\nr@x.org,C1,2026-03-01 22.30\n").completed_at == (
        "2026-03-01T22:30:00Z"
    )


def test_a_zone_that_the_form_reads_is_used(one: Callable[..., Any]) -> None:
    text = 'email,course_id,completed_at\nr@x.org,C1,"Mar 31, 2026 11:30 PM UTC"\n'
    told = {"zone": ZoneInfo("America/Los_Angeles"), "date_format": "%b %d, %Y %I:%M %p %Z"}
    assert one("progress", text, **told).completed_at == "2026-03-31T23:30:00Z"


@pytest.mark.parametrize(
    ("full", "first", "last"),
    [
        ("Ann Bell, RN", "Ann", "Bell"),
        ("Bell, Ann, PhD", "Ann", "Bell"),
        ("Carl Dean, Jr.", "Carl", "Dean"),
        ("Carl Dean (Guest)", "Carl", "Dean"),
        ("Ann Bell MD", "Ann", "Bell"),
        ("Ann Bell, BSN, RN, CCRN", "Ann", "Bell"),
        ("Ann Bell, LPC", "Ann", "Bell"),
        ("Ann Bell, XYZZ", None, "Ann Bell, XYZZ"),
        ("Bell, AJ", "AJ", "Bell"),
        ("DE LA CRUZ, JUAN", "JUAN", "DE LA CRUZ"),
        ("Jack Ma", "Jack", "Ma"),
        ("Kim Do", "Kim", "Do"),
        ("JACK LEE MA", None, "JACK LEE MA"),
        ("Bell, Ann, Sales", None, "Bell, Ann, Sales"),
        ("佐藤 花子", None, "佐藤 花子"),
        ("null", None, None),
        ("Caf\ufffd Bell", None, None),
        ("JosÃ© Bell", None, None),
    ],
)
def test_a_name_is_split_without_titles_or_not_at_all(full: str, first: str | None, last: str | None) -> None:
    assert split_name(full) == (first, last)


@pytest.mark.parametrize(
    ("cell", "email"),
    [
        ('"=""r@x.org"""', "r@x.org"),
        ("'r@x.org", "r@x.org"),
        ("i:0#.f|membership|r@x.org", "r@x.org"),
        ('"r@x,org"', None),
        ("r@x.org/", None),
        ("SMTP:r@x.org", "r@x.org"),
        ("sip:r@x.org", None),
        ("r_x.org#EXT#@tenant.onmicrosoft.com", None),
        ("corp\\r@x.org", None),
        ("n/a", None),
    ],
)
def test_an_address_is_taken_out_of_what_is_around_it(cell: str, email: str | None, one: Callable[..., Any]) -> None:
    record = one("learners", f"email,first_name\n{cell},Robin\n")
    assert email == (None if isinstance(record, Reject) else record.email)


@pytest.mark.parametrize("word", ["N/A", "-", "0", "000000", "0.0", "TBD", "null", "#N/A", "unknown", " . "])
def test_an_id_that_says_nothing_is_none(word: str, one: Callable[..., Any]) -> None:
    assert one("learners", f"email,learner_id\nr@x.org,{word}\n").learner_id is None


@pytest.mark.parametrize("word", ["1E+11", '"1,00E+11"', "1.5e+10"])
def test_an_id_that_a_spreadsheet_has_cut_rejects_its_row(word: str, one: Callable[..., Any]) -> None:
    assert one("learners", f"email,learner_id\nr@x.org,{word}\n").column == "learner_id"


@pytest.mark.parametrize(
    "names",
    [
        "-,Sample",
        "NULL,NULL",
        "Robin,.",
        "undefined,undefined",
        "N/A,Sample",
        "none,None",
        "nan,NaN",
        "robin@example.com,Sample",
        "Robin,Sample robin@example.com",
        "Robin,?",
        "***,Sample",
    ],
)
def test_r21_a_placeholder_is_no_name(names: str, one: Callable[..., Any]) -> None:
    record = one("learners", f"email,first_name,last_name\nr@x.org,{names}\n")
    assert None in (record.first_name, record.last_name)


def test_what_is_written_around_a_name_or_in_its_place_is_undone(one: Callable[..., Any]) -> None:
    record = one("learners", 'email,first_name,last_name\nr@x.org,"=""Ren&eacute;""",O&#039;Neil\n')
    assert (record.first_name, record.last_name) == ("René", "O'Neil")
    assert split_name("O&#39;Neil, Ada") == ("Ada", "O'Neil")


@pytest.mark.parametrize("names", ["Na,Li", "Jennifer,Null", "Nat,Cole", "Nan,Goldin"])
def test_r21_people_are_called_na_and_null(names: str, one: Callable[..., Any]) -> None:
    record = one("learners", f"email,first_name,last_name\nr@x.org,{names}\n")
    assert f"{record.first_name},{record.last_name}" == names


def test_a_course_that_is_called_course_is_no_header_of_another_part(connected: Desk) -> None:
    counts = connected.imports("content", "content_id,title,type,status\ncourse,Course,course,published\n")
    assert (counts["added"], counts["rejected"]) == (1, 0)


# A failure is one in whatever column it stands


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ("Success Status", "FAILED"),
        ("Result", "Not passed"),
        ("Pass/Fail", "Fail"),
        ("Attendance Status", "No show"),
        ("Grade", "Nicht bestanden"),
        ("Passed", "No"),
        ("Grade Status", "Did not achieve pass grade"),
        ("Completed successfully", "No"),
        ("Pass Status", "Not Pass"),
        ("has_passed", "false"),
        ("Success", "0"),
    ],
)
@pytest.mark.parametrize("status", ["", "Completed"])
def test_r33_a_failure_beside_the_status_or_the_date_is_no_completion(
    status: str,
    header: str,
    word: str,
    office: Desk,  # noqa: F811
) -> None:
    text = f"email,course,status,completed_at,{header}\na@example.org,Intro,{status},2026-03-01,{word}\n"
    told = office.imports("progress", text)
    assert (told["completions"], told["rejected"]) == (0, 0)
    assert f"a status that is none: {word} in {header} (1)" in " ".join(told["warnings"])
    assert enrollments_in(office) == [["a@example.org", "C1", "open"]]


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ("Success Status", "UNKNOWN"),
        ("Result", "85"),
        ("Passed", ""),
        ("Grade", "B"),
        ("Module 1 Result", "Failed"),
        ("Payment Status", "Failed"),
        ("Quizzes", "0"),
    ],
)
def test_what_says_nothing_of_the_whole_leaves_a_completion_as_it_is(header: str, word: str, office: Desk) -> None:  # noqa: F811
    text = f"email,course,status,completed_at,{header}\na@example.org,Intro,Completed,2026-03-01,{word}\n"
    assert office.imports("progress", text)["completions"] == 1


def test_a_person_may_say_that_a_word_beside_the_status_is_no_failure(office: Desk) -> None:  # noqa: F811
    text = "email,course,completed_at,Attendance\na@example.org,Intro,2026-03-01,Absent\n"
    assert office.imports("progress", text, "--value", "status:Absent=completed")["completions"] == 1


def test_a_failure_in_a_log_is_none_of_its_completions(office: Desk) -> None:  # noqa: F811
    text = (
        "timestamp,event,email,course,Result\n"
        "2026-03-01T10:00:00Z,course.completed,a@example.org,Intro,Failed\n"
        "2026-03-01T10:00:00Z,course.completed,b@example.org,Intro,Passed\n"
    )
    assert office.imports("progress", text)["completions"] == 1


def test_an_activity_of_moodles_report_that_is_called_result_says_nothing_of_the_others(office: Desk) -> None:  # noqa: F811
    text = (
        ",Email address,Intro,,Result,\n"
        'Ada Lovelace,a@example.org,Completed,"2 March 2026, 10:05 AM",Failed,"2 March 2026, 10:06 AM"\n'
    )
    assert office.imports("progress", text)["completions"] == 1


# Names in two columns, of which one alone may mean both


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("user_name,user_surname", "Mary Ann,Smith"),
        ("Name,Vorname", "Smith,Mary Ann"),
        ("Nom,Prénom", "Smith,Mary Ann"),
        ("Nombre,Apellido(s)", "Mary Ann,Smith"),
        ("Nome,Cognome", "Mary Ann,Smith"),
        ("Naam,Voornaam", "Smith,Mary Ann"),
        ("Name,Surname", "Mary Ann,Smith"),
        ("Name,Surname", "Mary Ann Smith,Smith"),
        ("Name,First Name", "Mary Ann Smith,Mary Ann"),
        ("Name,First Name", '"Smith, Mary Ann",Mary Ann'),
        ("Participant First Name,Participant Last Name", "Mary Ann,Smith"),
        ("Etunimi,Sukunimi", "Mary Ann,Smith"),
    ],
)
def test_a_column_of_names_is_the_other_name_where_one_has_its_own(
    header: str, cells: str, one: Callable[..., Any]
) -> None:
    record = one("learners", f"email,{header}\nm@x.org,{cells}\n")
    assert (record.first_name, record.last_name) == ("Mary Ann", "Smith")


def test_r21_a_login_is_no_name_beside_a_first_name(one: Callable[..., Any]) -> None:
    record = one("learners", "email,Username,First Name\nm@x.org,msmith,Mary\n")
    assert (record.first_name, record.last_name) == ("Mary", None)


def test_a_column_that_looks_like_addresses_is_named_where_a_file_has_no_others(office: Desk) -> None:  # noqa: F811
    text = "Email - Primary Work,employee_id,course,completed_at\na@example.org,7,Intro,2026-03-01\n"
    told = office.imports("progress", text, code=3)
    assert "--map email='Email - Primary Work' if it is the learner's" in " ".join(told["warnings"])


@pytest.mark.parametrize("login", ["Login", "UserName", "User"])
def test_a_login_is_no_address_where_the_file_has_one_by_a_name_that_is_not_known(login: str, office: Desk) -> None:  # noqa: F811
    text = f"{login},E-mail for badges,course,completed_at\nada@login.example,ada@example.org,Intro,2026-03-01\n"
    error = office.imports("progress", text, code=3)["error"]
    assert (error["code"], error["hint"]) == (
        "import-rejected", "Say which column has the learner's address: --map email='E-mail for badges'",
    )  # fmt: skip
    assert learners_in(office) == []


@pytest.mark.parametrize(
    ("header", "cells", "email"),
    [
        ("Login,Primary e-mail", "ada@login.example,ada@example.org", "ada@example.org"),
        ("Login,Manager Email", "ada@login.example,boss@example.org", "ada@login.example"),
        ("Login,Email verified", "ada@login.example,yes", "ada@login.example"),
    ],
)
def test_a_login_is_an_address_beside_that_of_somebody_else(
    header: str, cells: str, email: str, one: Callable[..., Any]
) -> None:
    assert one("learners", f"{header}\n{cells}\n").email == email


@pytest.mark.parametrize("header", ["Enrollment Role", "Participant role", "Role in course", "Member Role"])
def test_whoever_teaches_is_left_out_by_whatever_column_says_so(header: str, office: Desk) -> None:  # noqa: F811
    text = f"email,course,completed_at,{header}\na@example.org,Intro,2026-03-01,Teacher\n"
    told = office.imports("progress", text)
    assert (told["left_out"], told["completions"]) == (1, 0)


def test_brackets_that_may_name_a_zone_are_said_to_be_none_that_is_known(office: Desk) -> None:  # noqa: F811
    header = "Completion Date (Eastern Standard Time)"
    text = f"email,course,{header}\na@example.org,Intro,2026-03-01 22:30\n"
    told = office.imports("progress", text, "--map", f"completed_at={header}")
    assert told["warnings"] == [
        f"'{header}' names no zone that is known: a time without one is read by --timezone (UTC)."
    ]
    zone = "America/New_York"
    assert office.imports("progress", text, "--map", f"completed_at={header}", "--timezone", zone)["warnings"] == []


def test_the_line_of_the_header_of_moodles_report_is_said_and_a_login_in_it_is_no_name(office: Desk) -> None:  # noqa: F811
    text = "Report\n\n,Username,Email address,Intro,\nAda Lovelace,ada,a@example.org,Completed,2026-03-01 10:00\n"
    told = office.imports("progress", text)
    assert told["warnings"] == ["progress.csv: the header is line 3."]
    assert learners_in(office) == [["a@example.org", "", "Ada", "Lovelace"]]


def test_of_two_times_of_completion_that_of_the_course_is_taken_and_the_other_is_said(office: Desk) -> None:  # noqa: F811
    text = "email,course,Completion Date,Course Completion Date\na@example.org,Intro,2026-03-01,2026-03-05\n"
    told = office.imports("progress", text)
    assert told["completed_from"] == "2026-03-05T00:00:00Z"
    assert told["warnings"] == [
        "'Completion Date' is not used, but 'Course Completion Date': "
        "--map completed_at='Completion Date' if it is the time of completion."
    ]
    chosen = office.imports("progress", text, "--map", "completed_at=Completion Date")
    assert (chosen["completed_from"], chosen["warnings"]) == ("2026-03-01T00:00:00Z", [])


def test_a_time_alone_is_no_completion_and_the_way_on_is_said(office: Desk) -> None:  # noqa: F811
    told = office.imports("progress", "Timestamp,email,course,Score\n2026-03-01T10:00:00Z,a@example.org,Intro,5 / 5\n")
    assert told["completions"] == 0
    (warning,) = told["warnings"]
    assert warning.endswith("--map completed_at=Timestamp if each row is one")
    beside_progress = "Timestamp,email,course,Progress\n2026-03-01T10:00:00Z,a@example.org,Intro,1\n"
    assert office.imports("progress", beside_progress)["warnings"] == ["No row is a completion."]


def test_a_percentage_that_may_be_a_grade_completes_nothing(office: Desk) -> None:  # noqa: F811
    text = "Timestamp,email,course,Percentage\n2026-03-01T10:00:00Z,a@example.org,Intro,100\n"
    assert office.imports("progress", text)["completions"] == 0
    assert office.imports("progress", text, "--map", "progress=Percentage")["completions"] == 1
