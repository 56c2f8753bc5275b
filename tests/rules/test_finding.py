"""Finding what a user names: learners by address, id or name, badges and content by name in any form."""

import re
from typing import Any

import pytest

from credly_cli.store.finding import emails_near
from tests.rules.admin import FIRST_AID, enroll
from tests.support.desk import ConnectedAfter, Desk

LEARNERS = """email,first_name,last_name,learner_id
maria@example.com,María,García López,1041
m.garcia@example.com,Maria,Garcia,1042
oyvind@example.com,Øyvind,Müller,1043
ada@example.com,Ada,Lovelace,1044
"""
COMMANDS = ("learner-badges", "widget", "explain", "forget")


def know_four_learners(desk: Desk) -> None:
    desk.imports("learners", "email,first_name,last_name,learner_id\nbyron@example.com,Ada,Lovelace,1044\n")
    desk.imports("learners", LEARNERS)


@pytest.fixture
def office(connected_after: ConnectedAfter) -> Desk:
    """A desk that knows four learners, of whom Ada had another address before."""
    return connected_after(know_four_learners)


def found(desk: Desk, *words: str) -> list[str]:
    return [row["learner_id"] for row in desk.json("learners", *words)]


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (("garcia maria",), ["1042", "1041"]),
        (("garcia", "maria"), ["1042", "1041"]),
        (("García, María",), ["1042", "1041"]),
        (("lopez",), ["1041"]),
        (("LÓPEZ maria@",), ["1041"]),
        (("oyvind muller",), ["1043"]),
        (("Müller",), ["1043"]),
        (("104", "example"), ["1042", "1041", "1044", "1043"]),
        (("byron",), ["1044"]),
        (("lovelace byron@example.com",), ["1044"]),
        (("1044",), ["1044"]),
        (("maria nobody",), []),
        (("\u00a0maria\u2003lopez",), ["1041"]),
    ],
)
def test_each_word_is_found_in_name_address_or_id_in_any_order(
    office: Desk, words: tuple[str, ...], ids: list[str]
) -> None:
    assert found(office, *words) == ids


def test_an_address_that_may_be_meant_is_named_once(office: Desk) -> None:
    """Beside it in the list of all, and of the same end."""
    with office.store() as store:
        near = emails_near(store, "adx@example.com")
    assert "ada@example.com" in near
    assert len(near) == len(set(near))


def test_former_addresses_are_told(office: Desk) -> None:
    (row,) = office.json("learners", "lovelace")
    assert (row["email"], row["former_emails"]) == ("ada@example.com", ["byron@example.com"])
    assert "formerly byron@example.com" in office.run("learners", "lovelace", terminal=True).out


def test_a_pipe_has_all_sublicenses_and_former_addresses_as_well(office: Desk) -> None:
    office.imports("learners", "email,panorama,sublicense\nada@example.com,P,North;South\n")
    row = ("1044", "ada@example.com", "Ada", "Lovelace", "P", "North", "North; South", "byron@example.com")
    assert office.run("learners", "lovelace").out == "\t".join(row) + "\n"
    header = office.run("learners", "lovelace", "--csv").out.partition("\n")[0]
    assert header.endswith(",panorama,sublicense,sublicenses,former_emails")
    assert "North; South" in office.run("learners", "lovelace", terminal=True, environ={"COLUMNS": "140"}).out


def test_who_is_forgotten_is_found_by_no_word(office: Desk) -> None:
    office.json("forget", "ada@example.com", "--yes")
    assert found(office, "lovelace") == found(office, "forgotten") == found(office, "byron") == []


@pytest.mark.sampled
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["ada@example.com", "ADA@example.com", "byron@example.com", "1044", "Ada Lovelace"])
def test_a_learner_is_named_by_address_former_address_id_or_name(office: Desk, command: str, name: str) -> None:
    enroll(office, "ada@example.com", name="Ada,Lovelace")
    answer = office.json(command, name, *(("--yes",) if command == "forget" else ()))
    if command != "forget":
        assert answer["learner"]["learner_id"] == "1044"
    else:
        assert found(office, "lovelace") == []


@pytest.mark.sampled
@pytest.mark.parametrize("name", ["1044", "lovelace, ada", "Ada\u00a0LOVELACE", "byron@example.com"])
def test_a_badge_is_granted_to_a_learner_by_any_of_their_names(office: Desk, name: str) -> None:
    office.json("link", FIRST_AID, "first-aid")
    enroll(office, "ada@example.com", name="Ada,Lovelace")
    assert office.json("grant", name, FIRST_AID)["grant"]["email"] == "ada@example.com"
    assert [row["email"] for row in office.json("grants", "--email", name)] == ["ada@example.com"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_name_that_several_have_lists_them(office: Desk, command: str) -> None:
    office.imports("learners", "email,first_name,last_name,learner_id\nm.g@example.com,María,García,1050\n")
    error = office.json(command, "maria garcia", code=5)["error"]
    assert error["code"] == "ambiguous-learner"
    assert "m.garcia@example.com (Maria Garcia id 1042), m.g@example.com (María García id 1050)" in error["message"]
    assert error["hint"].endswith("To see them all: credly learners 'maria garcia'")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_part_of_a_name_is_nobody_and_suggests_who_matches(office: Desk, command: str) -> None:
    error = office.json(command, "lovelace", code=5)["error"]
    assert (error["code"], error["hint"]) == (
        "unknown-learner",
        'Did you mean "ada@example.com"? To see who matches: credly learners lovelace',
    )


def _badge_called(desk: Desk, name: str) -> Any:
    return desk.json("explain", "ada@example.com", name)["badges"][0]["badge"]["name"]


@pytest.mark.parametrize(
    "name", ["first aid  at work", "First\u00a0Aid at\u2009Work", "Fírst Aïd at Work", "FIRST AID AT WORK"]
)
def test_a_badge_is_named_without_case_accents_and_kinds_of_spaces(office: Desk, name: str) -> None:
    assert _badge_called(office, name) == FIRST_AID


def test_content_is_named_without_case_accents_and_kinds_of_spaces(office: Desk) -> None:
    assert office.json("link", FIRST_AID, "fírst\u00a0aid  COURSE")["content"]["id"] == "first-aid"


def test_the_wrong_order_is_recognised_and_said(office: Desk) -> None:
    error = office.json("link", "first-aid", FIRST_AID, code=5)["error"]
    assert error["message"] == "'First Aid at Work' is a badge and 'first-aid' is content: the badge comes first."
    assert error["hint"] == "Run: credly link 'First Aid at Work' first-aid"
    error = office.json("explain", FIRST_AID, "ada@example.com", code=5)["error"]
    assert error["message"] == "'First Aid at Work' is a badge: the learner comes first."
    assert error["hint"] == "Run: credly explain ada@example.com 'First Aid at Work'"


def test_a_badge_that_is_not_in_the_store_suggests_a_sync_and_says_when_the_last_one_was(office: Desk) -> None:
    """R12."""
    error = office.json("link", "First Ade at Work", "first-aid", code=5)["error"]
    assert "the last sync, at 2026-03-02T09:30:00Z: credly sync" in error["hint"]
    nothing_near = office.json("link", "Xylophone", "first-aid", code=5)["error"]["hint"]
    assert "credly badges. If it is newer than the last sync, at 2026-03-02T09:30:00Z: credly sync" in nothing_near


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (("link", "First", "Aid", "at", "Work", "first-aid"), "credly link 'First Aid at Work' first-aid"),
        (("link", "first-aid-at-work", "First", "Aid", "Course"), "credly link first-aid-at-work 'First Aid Course'"),
        (("unlink", "first", "aid", "at", "work"), "credly unlink 'first aid at work'"),
        (
            ("grant", "ada@example.com", "First", "Aid", "at", "Work"),
            "credly grant ada@example.com 'First Aid at Work'",
        ),
        (("explain", "Ada", "Lovelace"), "credly explain 'Ada Lovelace'"),
        (("widget", "Ada", "Lovelace"), "credly widget 'Ada Lovelace'"),
        (
            ("grant", "bob@example.com", "Ada", "Lovelace", "First Aid at Work"),
            "credly grant bob@example.com 'Ada Lovelace' 'First Aid at Work'",
        ),
        (
            ("grant", "Ada", "Lovelace", "First", "Aid", "at", "Work"),
            "credly grant 'Ada Lovelace' 'First Aid at Work'",
        ),
        (("link", "First", "Aid", "Course"), "credly link BADGE 'First Aid Course'"),
        (("link", "First", "Aid", "at", "Work"), "credly link 'First Aid at Work' CONTENT"),
        (("grant", "Ada", "Lovelace"), "credly grant 'Ada Lovelace' BADGE"),
        (("grant", "First", "Aid", "at", "Work"), "credly grant LEARNER 'First Aid at Work'"),
    ],
)
def test_a_name_without_quotes_is_recognised_and_said(office: Desk, typed: tuple[str, ...], meant: str) -> None:
    ran = office.run(*typed)
    assert ran.code in (2, 5), ran
    taken_apart = [name for name in re.findall("'([^']+)'", meant) if name not in typed]
    each = "is one name: put it in quotes." if len(taken_apart) == 1 else "are names: put each in quotes."
    assert each in ran.err
    assert all(name in ran.err for name in taken_apart)
    assert f"Run: {meant}\n" in ran.err


def test_a_kind_after_its_files_and_what_is_no_number_are_said(office: Desk) -> None:
    error = office.json("import", "a.csv", "b.csv", "learners", code=2)["error"]
    assert error["hint"] == "The kind comes first. Run: credly import learners a.csv b.csv"
    for command in (("resolve", "x@y.example", "--drop"), ("retry", "x@y.example")):
        error = office.json(*command, code=2)["error"]
        assert error["message"] == "'x@y.example' is not the number of a grant."
    assert office.json("resolve", "7", code=2)["error"]["hint"] == "For example: credly resolve 7 --drop"
    hint = office.json("resolve", "7", "8", "--issued", "abc", code=2)["error"]["hint"]
    assert hint == "For example: credly resolve 7 --issued abc"


def test_a_badge_before_its_learners_is_recognised_and_said(office: Desk) -> None:
    office.json("link", FIRST_AID, "first-aid")
    error = office.json("grant", FIRST_AID, "ada@example.com", code=5)["error"]
    assert error["message"] == "'First Aid at Work' is a badge: it comes after the learners."
    assert error["hint"] == "Run: credly grant ada@example.com 'First Aid at Work'"


def test_of_two_who_share_an_address_an_id_or_a_name_means_one(connected: Desk) -> None:
    """R26, R28: asked for Bob, all three answered with Ann's name and her content."""
    connected.json("link", FIRST_AID, "first-aid")
    connected.pass_time(minutes=1)
    connected.imports("learners", "email,learner_id,first_name,last_name\nfam@x.org,1,Ann,Ames\nfam@x.org,2,Bob,Bell\n")
    at = connected.clock.now().isoformat()
    rows = f"fam@x.org,1,hygiene,open,\nfam@x.org,2,first-aid,completed,{at}\n"
    connected.imports("progress", f"email,learner_id,content_id,status,completed_at\n{rows}")
    connected.json("sync")
    for text in ("2", "bob bell"):
        badges, widget = connected.json("learner-badges", text), connected.json("widget", text)
        explained = connected.json("explain", text, FIRST_AID)
        assert [answer["learner"]["first_name"] for answer in (badges, widget, explained)] == ["Bob"] * 3
        assert (len(badges["badges"]), len(widget["earned"]), explained["badges"][0]["decision"]) == (1, 1, "earned")
    assert connected.json("learner-badges", "1")["badges"] == []
    assert connected.json("widget", "Ann Ames")["earned"] == []
    assert connected.json("explain", "1", FIRST_AID)["badges"][0]["decision"] == "not-granted"
    assert len(connected.json("learner-badges", "fam@x.org")["badges"]) == 1
