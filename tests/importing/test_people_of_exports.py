"""R25 by the command: exports as systems write them, with placeholders for ids and numberings that clash."""

from typing import Any

import pytest

from credly_cli.identity import earner_id, sourced_id
from tests.support.desk import Desk


@pytest.fixture
def desk(connected: Desk) -> Desk:
    connected.imports("content", "content_id,title\nC1,Intro\nC2,Deep Dive\n")
    return connected


def known(desk: Desk) -> list[tuple[str, Any]]:
    return sorted((row["email"], row["learner_id"]) for row in desk.json("learners"))


@pytest.mark.sampled
@pytest.mark.parametrize("nothing", ["N/A", "-", "0", "000000", "NULL", "#N/A", "none", "tbd"])
def test_r25_a_placeholder_makes_nobody_one(desk: Desk, nothing: str) -> None:
    header = "Employee ID,Email,First Name,Last Name,Course Name,Status,Completion Date\n"
    rows = [
        "1001,ada@example.org,Ada,Lovelace,Intro,Completed,2026-01-01\n",
        f"{nothing},bob@example.org,Bob,Stone,Intro,Completed,2026-01-02\n",
        f"{nothing},cy@example.org,Cy,Young,Intro,Completed,2026-01-03\n",
    ]
    desk.imports("progress", header + "".join(rows))
    assert known(desk) == [("ada@example.org", "1001"), ("bob@example.org", None), ("cy@example.org", None)]


def test_r25_a_word_that_is_no_id_and_nobody_knows_makes_nobody_one_either(desk: Desk) -> None:
    text = (
        "user_id,email,first_name,last_name\nContractor,bob@example.org,Bob,Stone\nContractor,cy@example.org,Cy,Young\n"
    )
    assert desk.imports("learners", text, code=3)["rejected"] == 2
    assert known(desk) == []


MOODLE = "userid,email,firstname,lastname,courseid,timecompleted\n5,ada@example.org,Ada,Lovelace,C1,1767261600\n"
CANVAS = (
    "user_id,email,first_name,last_name,course_id,completed_at\n5,bob@example.org,Bob,Stone,C2,2026-01-05T10:00:00Z\n"
)


def test_r25_two_systems_that_number_from_one_are_told_apart_or_asked_about(desk: Desk) -> None:
    desk.imports("progress", MOODLE)
    assert desk.imports("progress", CANVAS, code=3)["rejected"] == 1
    assert known(desk) == [("ada@example.org", "5")]
    answer = desk.imports("progress", CANVAS, "--source", "canvas")
    assert (answer["added"], answer["rejected"], answer["readdressed"]) == (1, 0, [])
    assert known(desk) == [("ada@example.org", "5"), ("bob@example.org", None)]
    assert desk.imports("progress", CANVAS, "--source", "canvas")["unchanged"] == 1


def test_r25_an_id_of_another_numbering_at_a_shared_address_is_asked_about(desk: Desk) -> None:
    header = "learner_id,email,first_name,last_name\n"
    two = "1,shared@example.org,Ada,Stone\n2,shared@example.org,Bob,Stone\n"
    desk.imports("learners", header + two, "--id", "1=new", "--id", "2=new")
    third = f"{header}9,shared@example.org,Cy,Stone\n"
    assert desk.imports("learners", third, "--source", "canvas", code=3)["rejected"] == 1
    assert [row["first_name"] for row in desk.json("learners")] == ["Ada", "Bob"]


def test_r25_who_changed_their_address_is_listed_and_said(desk: Desk) -> None:
    desk.imports("progress", MOODLE)
    file = desk.file("later.csv", CANVAS.replace("bob@example.org,Bob,Stone", "byron@example.org,Ada,Byron"))
    assert "ada@example.org is now byron@example.org" in desk.run("import", "progress", file, "--dry-run").out
    answer = desk.json("import", "progress", file)
    assert answer["readdressed"] == [{"learner_id": "5", "from": "ada@example.org", "to": "byron@example.org"}]


@pytest.mark.parametrize(
    ("decision", "people"),
    [
        ("5=same", [("bob@example.org", "5")]),
        ("5=new", [("ada@example.org", None), ("bob@example.org", "5")]),
    ],
)
def test_r25_a_person_decides_on_an_id(desk: Desk, decision: str, people: list[tuple[str, Any]]) -> None:
    desk.imports("progress", MOODLE)
    desk.imports("progress", CANVAS, "--id", decision)
    assert known(desk) == people


@pytest.mark.parametrize("wrong", ["5", "5=", "=same", "5=other"])
def test_a_decision_that_is_none_is_wrong_usage(desk: Desk, wrong: str) -> None:
    ran = desk.run("import", "learners", desk.file("x.csv", "email\n"), "--id", wrong)
    assert ran.code == 2
    assert "ID=same or ID=new" in ran.err


@pytest.mark.parametrize("by_hand", [False, True])
def test_r17_who_has_an_id_of_a_named_source_alone_goes_out_by_a_hash_of_both(desk: Desk, by_hand: bool) -> None:
    desk.json("link", desk.badge_id("First Aid at Work"), "C2")
    now = desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    desk.imports("progress", CANVAS.replace("2026-01-05T10:00:00Z", now), "--source", "canvas")
    if by_hand:
        desk.json("grant", "bob@example.org", "First Aid at Work")
    else:
        assert desk.json("sync")["grants"]["issued"] == 1
    with desk.store() as store:
        name = store.value("SELECT earner_id FROM issued_badges")
    assert name == earner_id(sourced_id("canvas", "5"), "any@example.org")
    assert name not in ("5", earner_id(None, "bob@example.org"), earner_id(sourced_id("moodle", "5"), ""))
    assert desk.json("sync")["grants"]["issued"] == 0


def test_a_forgotten_learner_of_a_named_source_is_recognised_by_its_id(desk: Desk) -> None:
    desk.imports("progress", CANVAS, "--source", "canvas")
    desk.json("forget", "bob@example.org", "--yes")
    with desk.store() as store:
        assert store.rows("SELECT * FROM learner_ids") == []
    desk.imports("progress", CANVAS.replace("bob@", "robert@"), "--source", "canvas")
    with desk.store() as store:
        assert store.value("SELECT count(*) FROM learners") == 1
        assert store.value("SELECT count(*) FROM learner_ids") == 1
