"""A file that turns out to be no such file after rows of it were read: none of it is taken, and the others go on."""

import pytest

from tests.lms.test_files_source import CONTENT, DONE, LEARNERS, night, put  # noqa: F401 - a fixture
from tests.support.desk import Desk

MANY = 1500  # rows: more than are looked at ahead
HEADER = "email,content_id,status,completed_at\n"
ROWS = "".join(f"p{number}@example.org,c1,completed,2026-02-01T10:00:00Z\n" for number in range(MANY))
ANOTHER_PART = f"{HEADER}{ROWS}content_id,email,completed_at,note\nc1,zoe@example.org,2026-02-02T10:00:00Z,x\n"


def test_r33_a_nightly_file_of_several_parts_stops_neither_the_others_nor_the_grants(night: Desk) -> None:  # noqa: F811
    put(night, "learners.csv", LEARNERS, 90)
    put(night, "content.csv", CONTENT, 80)
    night.json("sync")
    badge = night.json("badges")[0]["id"]
    night.json("link", badge, "c1", "--since", "2026-01-01", "--yes")
    put(night, "progress-1.csv", ANOTHER_PART, 70)
    put(night, "progress-2.csv", DONE, 60)
    for full in ([], ["--full"], []):
        answer = night.json("sync", *full, code=3)
        (problem,) = answer["problems"]
        assert problem["code"] == "lms-file-refused"
        assert f"line {MANY + 2}" in problem["message"]
        assert "header_line" in problem["hint"]
        assert [each.email for each in night.issued()] == ["ada@example.org"]
    assert [each["code"] for each in night.json("status")["waiting_for_person"]] == ["lms-file-refused"]
    (night.home / "exports" / "progress-1.csv").unlink()
    night.json("sync")


def test_an_import_of_several_files_takes_all_or_none(desk: Desk) -> None:
    desk.imports("content", CONTENT)
    good, bad = desk.file("good.csv", DONE + "x,c1,,\n"), desk.file("bad.csv", ANOTHER_PART)
    ran = desk.run("import", "progress", good, bad)
    assert (ran.code, f"line {MANY + 2}" in ran.err) == (3, True)
    assert desk.json("learners") == []
    assert not (desk.home / "good.csv.rejects.csv").exists()


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ('"zoe@example.org,c1,completed,2026-02-02T10:00:00Z\n', "opens a quote that is never closed"),
        ('zoe@example.org,"c1" x,completed,2026-02-02T10:00:00Z\n', "has a quote inside a quoted cell"),
        ("zoe@exam", "is empty"),
    ],
)
def test_a_row_that_is_broken_further_down_is_named_by_its_row(end: str, reason: str, desk: Desk) -> None:
    desk.imports("content", CONTENT)
    ran = desk.run("import", "progress", desk.file("p.csv", HEADER + ROWS + end))
    assert (ran.code, f"row {MANY + 2}" in ran.err, reason in ran.err) == (3, True, True), ran.err
    assert len(desk.json("learners")) == MANY
