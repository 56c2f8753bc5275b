"""Importing learners (R25): who is who, by id and by address."""

import io
from typing import Any

import pytest

from credly_cli.importing.importer import import_files
from credly_cli.lms.records import Reading
from tests.support.desk import START, Desk

HEADER = "email,learner_id,first_name,last_name\n"


def tells(desk: Desk, *rows: str, code: int = 0) -> Any:
    return desk.imports("learners", HEADER + "".join(f"{row}\n" for row in rows), code=code)


def known(desk: Desk) -> list[tuple[str, str | None]]:
    return sorted((row["email"], row["learner_id"]) for row in desk.json("learners"))


def completes(desk: Desk, *rows: str, code: int = 0) -> Any:
    """Import completions: rows of ``email, learner_id, session, time``."""
    text = "".join(f"{email},{one},first-aid,{session},{at}\n" for email, one, session, at in map(_cells, rows))
    return desk.imports("progress", f"email,learner_id,content_id,session_id,completed_at\n{text}", code=code)


def _cells(row: str) -> list[str]:
    return row.split(",")


def test_r25_addresses_match_without_regard_to_case(desk: Desk) -> None:
    tells(desk, "Ada@Example.org,,Ada,Lovelace")
    assert tells(desk, "ada@example.ORG,,,")["changed"] == 1
    assert known(desk) == [("ada@example.ORG", None)]


def test_a_value_that_is_not_told_stays(desk: Desk) -> None:
    tells(desk, "ada@example.org,1,Ada,Lovelace")
    assert tells(desk, "ada@example.org,,,King")["changed"] == 1
    (ada,) = desk.json("learners")
    assert (ada["learner_id"], ada["first_name"], ada["last_name"]) == ("1", "Ada", "King")


def test_r25_the_id_survives_a_change_of_email_and_the_old_address_still_finds_the_learner(connected: Desk) -> None:
    tells(connected, "ada@old.org,1,Ada,Lovelace")
    completes(connected, "ada@old.org,,first-aid-march,2026-01-01T10:00:00Z")
    tells(connected, "ada@new.org,1,,")
    assert known(connected) == [("ada@new.org", "1")]
    assert completes(connected, "ada@old.org,,first-aid-march,2026-01-01T10:00:00Z")["unchanged"] == 1
    assert known(connected) == [("ada@new.org", "1")]


def test_r25_learners_at_a_shared_address_are_told_apart_by_their_ids(connected: Desk) -> None:
    tells(connected, "shared@example.org,1,Ada,Lovelace", "shared@example.org,2,Bo,Berg")
    assert known(connected) == [("shared@example.org", "1"), ("shared@example.org", "2")]
    at = "2026-01-01T10:00:00Z"
    answer = completes(connected, f"shared@example.org,2,first-aid-march,{at}", f"shared@example.org,,x,{at}", code=3)
    assert (answer["added"], answer["rejected"]) == (1, 1)
    assert completes(connected, f"shared@example.org,,first-aid-march,{at}", code=3)["rejected"] == 1


def test_r25_an_address_that_moves_to_another_learner_takes_nothing_along(connected: Desk) -> None:
    tells(connected, "desk@example.org,1,Ada,Lovelace")
    completes(connected, ",1,first-aid-march,2026-01-01T10:00:00Z")
    tells(connected, "desk@example.org,2,Bo,Berg", "ada@example.org,1,,")
    assert known(connected) == [("ada@example.org", "1"), ("desk@example.org", "2")]
    completes(connected, "desk@example.org,,first-aid-april,2026-01-02T10:00:00Z")
    with connected.store() as store:
        rows = store.rows("SELECT learner_id, session_id FROM enrollments JOIN learners ON id = learner ORDER BY 1")
    assert [tuple(row.values()) for row in rows] == [("1", "first-aid-march"), ("2", "first-aid-april")]


def test_r25_a_learner_first_known_by_address_gets_the_id_later(connected: Desk) -> None:
    completes(connected, "ada@example.org,,first-aid-march,2026-01-01T10:00:00Z")
    assert completes(connected, "ada@example.org,1,first-aid-march,2026-01-01T10:00:00Z")["unchanged"] == 1
    assert known(connected) == [("ada@example.org", "1")]


@pytest.mark.further
@pytest.mark.parametrize("by", ["learners", "progress"])
def test_r25_two_who_turn_out_to_be_one_are_made_one_and_earn_one_badge(connected: Desk, by: str) -> None:
    at = "2026-03-02T09:30:00Z"
    badge = connected.badge_id("First Aid at Work")
    connected.json("link", badge, "first-aid")
    connected.learns(f"ada@new.org,first-aid,first-aid-march,completed,{at},Ada,Lovelace")
    tells(connected, "ada@old.org,1,Ada,Lovelace")
    completes(connected, f",1,first-aid-march,{at}", f",1,first-aid-april,{at}")
    assert connected.json("sync", "--dry-run")["grants"]["planned"] == 2
    if by == "learners":
        tells(connected, "ada@new.org,1,,")
    else:
        completes(connected, f"ada@new.org,1,first-aid-march,{at}")
    assert known(connected) == [("ada@new.org", "1")]
    assert connected.json("sync")["grants"]["issued"] == 1
    assert connected.json("sync")["grants"]["issued"] == 0


@pytest.mark.further
@pytest.mark.parametrize(("first", "second"), [("ada@new.org", "ada@old.org"), ("ada@old.org", "ada@new.org")])
def test_r25_what_one_of_the_two_earned_already_is_not_earned_again(connected: Desk, first: str, second: str) -> None:
    session = "first-aid,first-aid-march,completed,2026-03-02T09:30:00Z,Ada,Lovelace"
    connected.json("link", connected.badge_id("First Aid at Work"), "first-aid")
    tells(connected, "ada@old.org,1,Ada,Lovelace")
    connected.learns(f"{first},{session}")
    assert connected.json("sync")["grants"]["issued"] == 1
    connected.learns(f"{second},{session}")
    tells(connected, "ada@new.org,1,,")  # the LMS says that both are one
    assert known(connected) == [("ada@new.org", "1")]
    assert connected.json("sync")["grants"]["issued"] == 0
    with connected.store() as store:
        assert store.value("SELECT count(*) FROM enrollments") == 1
        assert store.value("SELECT count(DISTINCT learner) FROM grants") == 1


def test_a_file_of_progress_fills_gaps_and_the_file_of_learners_knows_best(connected: Desk) -> None:
    tells(connected, "ada@example.org,1,Ada,Lovelace")
    connected.learns("ADA@example.org,first-aid,first-aid-march,,,Adele,King")
    (ada,) = connected.json("learners")
    assert (ada["email"], ada["first_name"], ada["last_name"]) == ("ada@example.org", "Ada", "Lovelace")


@pytest.mark.further
def test_two_files_that_differ_about_an_address_come_to_rest(connected: Desk) -> None:
    tells(connected, "ada@work.org,1,Ada,Lovelace")
    header = "email,learner_id,content_id,session_id,completed_at,first_name,last_name\n"
    row = "ada@home.org,1,first-aid,first-aid-march,2026-01-01T10:00:00Z,Ada,Lovelace\n"
    connected.imports("progress", header + row)
    for _ in range(2):
        tells(connected, "ada@work.org,1,Ada,Lovelace")
        connected.imports("progress", header + row)
    assert known(connected) == [("ada@work.org", "1")]
    assert tells(connected, "ada@work.org,1,Ada,Lovelace")["unchanged"] == 1


def test_an_old_event_does_not_bring_an_old_address_back(connected: Desk) -> None:
    header = "id,event,type,source,timestamp,notifiableId,user,userDetail.id,userDetail.firstName,userDetail.lastName\n"
    event = (
        "{0},courseCompletion,status_change,course_completed,2026-0{0}-01T10:00:00Z,first-aid-march,{1},7,Ada,King\n"
    )
    connected.imports("progress", header + event.format(2, "new@example.org") + event.format(1, "old@example.org"))
    assert known(connected) == [("new@example.org", "7")]


def test_within_one_file_a_new_address_is_known_from_its_row_on(connected: Desk) -> None:
    tells(connected, "ada@old.org,1,Ada,Lovelace")
    tells(connected, "ada@new.org,1,,", "ada@new.org,,Adele,")
    assert known(connected) == [("ada@new.org", "1")]


def test_importing_learners_again_changes_nothing(desk: Desk) -> None:
    rows = (
        "ada@example.org,1,Ada,Lovelace",
        "Ada@example.org,1,Adele,",
        "bo@example.org,,Bo,Berg",
        "bo@example.org,,,",
    )
    first = tells(desk, *rows)
    assert (first["read"], first["added"], first["unchanged"]) == (4, 2, 2)
    with desk.store() as store:
        before = list(store.connection.iterdump())
    assert tells(desk, *rows)["unchanged"] == 4
    with desk.store() as store:
        assert list(store.connection.iterdump()) == before


@pytest.mark.further
def test_unknown_ids_cost_the_same_each_however_many_they_are(connected: Desk) -> None:
    def cost(count: int) -> int:
        """Count the thousands of steps that the database takes for a file of ids that nobody has."""
        text = "learner_id,content_id\n" + "".join(f"nobody-{number},hygiene\n" for number in range(count))
        steps: list[None] = []
        with connected.store() as store:
            store.connection.set_progress_handler(lambda: steps.append(None), 1000)
            source = io.BytesIO(text.encode())
            outcome = import_files(store, "progress", [source], Reading(START), connected.home, keep_rejects=False)
        assert outcome.counts.rejected == count
        return len(steps)

    assert cost(2000) < 6 * cost(500)


def test_r29_what_a_file_of_learners_says_no_more_is_taken_away(desk: Desk) -> None:
    header = "email,panorama,sublicense\n"
    desk.imports("learners", header + "ada@example.org,Acme,East;West\nbob@example.org,Acme,East\n")
    desk.imports("learners", "email,first_name\nada@example.org,Ada\n")  # tells nothing of panoramas
    desk.imports("learners", header + "bob@example.org,-,\n")
    told = [(one["email"], one["panorama"], one["sublicenses"]) for one in desk.json("learners")]
    assert sorted(told) == [("ada@example.org", "Acme", ["East", "West"]), ("bob@example.org", None, [])]
