"""An admin with a report as it is gets from message to message to a right import."""

import re
import shlex

from tests.lms.test_exports import enrollments_in, office  # noqa: F401 - a fixture
from tests.support.desk import Desk

COURSERA = """\
Name,Email,Course,Course ID,Enrollment Time,Overall Progress,Completed,Removed From Program,Completion Time
Ann Bell,ann@example.org,Intro,x-1,2026-01-05T10:00:00Z,100.0,Yes,No,2026-02-01T09:00:00Z
Carl Dean,carl@example.org,Intro,x-1,2026-01-05T10:00:00Z,40.0,No,No,
"""
CORNERSTONE = """\
User ID,User Full Name,User Email,Learning Object,Transcript Status,Registration Date,Transcript Completed Date
1001,"Bell, Ann",ann@example.org,Intro,Completed,1/5/2026,2/14/2026
1002,"Dean, Carl",carl@example.org,Intro,In Progress,1/5/2026,
"""
UDEMY = """\
User Name,User Surname,User Email,Course Id,Course Title,Completion Ratio,Enroll Date,First Completion Date
Ann,Bell,ann@example.org,123,Intro,100.0,2026-01-05T10:00:00Z,2026-02-01T09:00:00Z
Carl,Dean,carl@example.org,123,Intro,12.5,2026-01-05T10:00:00Z,
"""


def _follow(desk: Desk, name: str, text: str, headers: dict[str, str]) -> list[str]:
    """Do as each message says, HEADER being one of the file's own, until nothing is left to do."""
    options: list[str] = []
    for _ in range(5):
        ran = desk.run("import", "progress", desk.file(name, text), *options)
        told = re.findall(r"--map (\w+=(?:'[^']*'|[^\s,.:]+))", ran.out + ran.err)
        new = [shlex.split(each)[0] for each in told]
        new = [f"{column}={headers.get(column, header)}" for column, _, header in (each.partition("=") for each in new)]
        new = [each for each in new if each not in options and each.partition("=")[0] in headers]
        if not new:
            return options
        options += [part for each in new[:1] for part in ("--map", each)]
    return options


def _done(desk: Desk) -> list[str]:
    return [email for email, _, state in enrollments_in(desk) if state.startswith("complete")]


def test_a_report_whose_time_stands_in_another_column_names_it(office: Desk) -> None:  # noqa: F811
    ran = office.run("import", "progress", office.file("c.csv", COURSERA))
    assert "Completed is complete, but when is not said: --map completed_at='Completion Time'" in ran.err
    _follow(office, "c.csv", COURSERA, {"completed_at": "Completion Time", "content_title": "Course"})
    assert _done(office) == ["ann@example.org"]


def test_ids_of_courses_that_are_not_known_suggest_the_titles_beside_them(office: Desk) -> None:  # noqa: F811
    ran = office.run("import", "progress", office.file("u.csv", UDEMY))
    assert "--map content_title='Course Title'" in ran.err
    headers = {"content_title": "Course Title", "completed_at": "First Completion Date"}
    _follow(office, "u.csv", UDEMY, headers)
    assert _done(office) == ["ann@example.org"]


def test_a_report_with_a_title_by_another_name_is_read_by_the_messages_alone(office: Desk) -> None:  # noqa: F811
    ran = office.run("import", "progress", office.file("c.csv", CORNERSTONE))
    assert "by titles --map content_title=HEADER" in ran.err
    headers = {"content_title": "Learning Object", "completed_at": "Transcript Completed Date"}
    _follow(office, "c.csv", CORNERSTONE, headers)
    assert _done(office) == ["ann@example.org"]


def test_a_column_called_user_holds_a_name_or_a_login(office: Desk) -> None:  # noqa: F811
    header = "User,Email,Course,Course completion status,Completion date\n"
    rows = "Ann Bell,ann@example.org,Intro,Completed,2026-02-14\ncarl,carl@example.org,Intro,Not attempted,-\n"
    office.imports("progress", header + rows)
    names = {each["email"]: (each["first_name"], each["last_name"]) for each in office.json("learners")}
    assert names == {"ann@example.org": ("Ann", "Bell"), "carl@example.org": (None, None)}
