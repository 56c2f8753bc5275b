"""A store of version 3 of the schema, with what its program read wrongly, is migrated, and what is wrong is named."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from credly_cli.store.schema import MIGRATIONS
from tests.support.desk import Desk

OLDER = (Path(__file__).parent / "older" / "version_3.sql").read_text(encoding="utf-8")
HEAD = "Employee ID,Email,First Name,Last Name,Course Name,Status,Completion Date\n"
BY_ID = f"""{HEAD}1001,ada@example.org,Ada,Lovelace,Intro,Completed,2026-03-01
N/A,bob@example.org,Bob,Stone,Intro,Completed,2026-03-02
N/A,cy@example.org,Cy,Young,Deep Dive,Completed,2026-03-03
"""
BY_END = """Email,First Name,Last Name,Course,Start Date,End Date
uma@example.org,Uma,Reed,Finance,2026-01-05,2026-01-20
val@example.org,Val,Hill,Finance,2026-01-05,2026-01-20
"""


@pytest.fixture
def older(desk: Desk) -> Desk:
    path = desk.home / "credly.db"
    path.touch(mode=0o600)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLDER)
    desk.connect()
    return desk


def _version(desk: Desk) -> int:
    with closing(sqlite3.connect(desk.home / "credly.db")) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_r25_people_whom_a_placeholder_made_one_are_named_and_parted_by_the_next_import(older: Desk) -> None:
    assert [(each["email"], each["first_name"]) for each in older.json("learners", "N/A")] == [
        ("cy@example.org", "Bob")
    ]
    assert _version(older) == len(MIGRATIONS)
    checks = {check["name"]: check for check in older.json("doctor", code=3)["checks"]}
    assert not checks["learner-ids"]["ok"]
    assert "'N/A' (cy@example.org). 0 grants not sent yet and 2 badges issued" in checks["learner-ids"]["message"]
    older.imports("progress", BY_ID)
    assert {"bob@example.org", "cy@example.org"} <= {each["email"] for each in older.json("learners")}
    older.json("sync")
    states = {(each["email"], each["content"]["id"]): each["state"] for each in older.json("grants")}
    assert states["bob@example.org", "C1"] == "covered"  # by the badge that went out to that address
    assert states["cy@example.org", "C2"] == "issued"
    assert older.issued() == []


def test_r33_completions_that_an_end_date_made_stay_to_be_looked_at_and_are_told_no_more(older: Desk) -> None:
    unsent = older.json("grants", "--state", "held")
    assert [(each["email"], each["content"]["title"]) for each in unsent] == [("val@example.org", "Finance")]
    answer = older.imports("progress", BY_END)
    assert (answer["completions"], answer["unchanged"] + answer["changed"]) == (0, 2)
    assert {"End Date"} <= set(answer["files"][0]["columns"]["unused"])
    assert older.json("resolve", str(unsent[0]["id"]), "--drop")["changed"]
    older.json("sync")
    assert older.json("grants", "--state", "held") == []
