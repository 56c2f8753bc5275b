"""Rule R33, and the way back: a completion that a later file denies before its badge was sent waits for a person."""

from typing import Any

import pytest

from tests.rules.granting_desk import APRIL, MARCH, ONCE, completion, posts
from tests.support import faults
from tests.support.desk import Desk

ADA = "ada@example.org"
NOON = "2026-03-02T12:00:00Z"
DONE = completion(ADA, MARCH, NOON)
OPEN = f"{ADA},first-aid,{MARCH},In progress,,Ada,Lovelace"


def grant(desk: Desk) -> Any:
    """Return the only grant."""
    (only,) = desk.json("grants")
    return only


@pytest.fixture
def denied(once: Desk) -> Desk:
    """A desk where a completion was told, and denied before it was sent."""
    once.learns(DONE)
    once.pass_time(minutes=1)
    once.learns(OPEN)
    once.pass_time(minutes=1)
    return once


@pytest.mark.parametrize("word", ["In progress", "Failed", "Not completed"])
def test_r33_a_completion_that_is_denied_before_it_was_sent_is_held(once: Desk, word: str) -> None:
    once.learns(DONE)
    once.learns(OPEN.replace("In progress", word))
    answer = once.json("sync", code=3)
    assert (answer["grants"]["planned"], answer["grants"]["held"], answer["grants"]["issued"]) == (0, 1, 0)
    assert [problem["code"] for problem in answer["problems"]] == ["completion-denied"]
    assert grant(once)["state"] == "held"
    (waiting,) = once.json("status")["waiting_for_person"]
    assert (waiting["code"], waiting["count"]) == ("completion-denied", 1)
    assert once.json("sync")["status"] == "success"
    assert once.run("status", "--max-age", "1d").code == 3
    assert posts(once) == 0


@pytest.mark.further
def test_r33_a_grant_that_was_planned_and_waits_is_held_too(once: Desk) -> None:
    once.learns(DONE)
    once.sandbox.faults.add(faults.answers(429), "POST", "/badges", times=None)
    once.run("sync")
    assert grant(once)["state"] == "planned"
    once.sandbox.faults.clear()
    once.learns(OPEN)
    once.pass_time(days=1)
    assert once.json("sync", code=3)["grants"]["held"] == 1
    assert (grant(once)["state"], once.issued(ONCE)) == ("held", [])


def test_r33_a_denied_completion_does_not_count_anywhere(denied: Desk) -> None:
    assert denied.json("link", ONCE, "first-aid", "--since", "2026-03-01")["earlier"] == 0
    assert denied.json("sync", "--dry-run")["grants"]["planned"] == 0
    (told,) = denied.json("explain", ADA, ONCE)["badges"]
    assert told["decision"] == "needs-person"
    assert told["cause"] == "A later file has the learner as not complete: it does not count."
    assert [row["on_its_way"] for row in denied.json("widget", ADA)["in_progress"]] == [False]


def test_r32_a_dry_run_names_no_grant_that_it_takes_back(denied: Desk) -> None:
    (problem,) = denied.json("sync", "--dry-run")["problems"]
    assert (problem["code"], problem["grant_id"], problem["hint"]) == ("completion-denied", None, None)
    assert "retry 1" not in denied.run("sync", "--dry-run").err
    assert "retry 1" in denied.json("sync", code=3)["problems"][0]["hint"]


@pytest.mark.further
def test_r33_what_is_told_again_is_sent(denied: Desk) -> None:
    denied.json("sync", code=3)
    denied.pass_time(minutes=1)
    denied.learns(DONE)
    assert denied.json("sync")["grants"]["issued"] == 1
    assert grant(denied)["state"] == "issued"
    assert denied.json("status")["needs_person"] == 0


def test_r33_what_is_told_again_with_another_time_is_dated_by_that(denied: Desk) -> None:
    denied.json("sync", code=3)
    denied.learns(completion(ADA, MARCH, "2026-03-02T11:00:00Z"))
    denied.json("sync")
    (issued,) = denied.issued(ONCE)
    assert issued.details.issued_at.startswith("2026-03-02T11:00:00")


@pytest.mark.further
def test_r33_retry_sends_what_was_denied_by_its_id_only(denied: Desk) -> None:
    denied.json("sync", code=3)
    assert denied.json("retry")["planned"] == 0
    assert denied.json("retry", str(grant(denied)["id"]))["planned"] == 1
    denied.learns(OPEN)  # the same again changes nothing
    assert denied.json("sync")["grants"]["issued"] == 1


@pytest.mark.further
def test_r33_a_person_drops_what_was_denied(denied: Desk) -> None:
    denied.json("sync", code=3)
    denied.json("resolve", str(grant(denied)["id"]), "--drop")
    denied.learns(DONE)
    denied.json("sync")
    assert (grant(denied)["state"], posts(denied)) == ("cancelled", 0)


@pytest.mark.further
def test_r33_a_name_that_becomes_known_frees_no_denied_completion(once: Desk) -> None:
    once.learns(completion(ADA, MARCH, NOON, ","))
    once.json("sync", code=3)
    once.learns(OPEN.replace("Ada,Lovelace", ","))
    once.json("sync", code=3)
    once.imports("learners", f"email,first_name,last_name\n{ADA},Ada,Lovelace\n")
    once.json("sync")
    assert (grant(once)["state"], posts(once)) == ("held", 0)


@pytest.mark.sampled
@pytest.mark.parametrize(
    "row",
    [
        f"{ADA},first-aid,{MARCH},Withdrawn,,Ada,Lovelace",
        f"{ADA},first-aid,{MARCH},Expired,,Ada,Lovelace",
        f"{ADA},first-aid,{APRIL},In progress,,Ada,Lovelace",
        f"bob@example.org,first-aid,{MARCH},In progress,,Bob,Stone",
    ],
)
def test_r33_what_ended_another_session_and_no_row_deny_nothing(once: Desk, row: str) -> None:
    once.learns(DONE)
    once.learns(row)
    assert once.json("sync")["grants"]["issued"] == 1


def test_r33_another_attempt_denies_nothing(once: Desk) -> None:
    once.learns(DONE)
    header = "email,content_id,session_id,status,enrolled_at,completed_at\n"
    once.imports("progress", f"{header}{ADA},first-aid,{MARCH},In progress,2026-03-02T12:30:00Z,\n")
    assert once.json("sync")["grants"]["issued"] == 1


def test_r33_an_open_row_with_the_time_of_the_completion_denies_nothing(once: Desk) -> None:
    once.learns(DONE)
    once.learns(OPEN.replace("In progress,", f"In progress,{NOON}"))
    assert once.json("sync")["grants"]["issued"] == 1


@pytest.mark.parametrize(("word", "at"), [("In progress", "2026-03-02T11:00:00Z"), ("Failed", NOON)])
def test_r33_an_open_row_with_another_time_and_a_failure_deny(once: Desk, word: str, at: str) -> None:
    once.learns(DONE)
    once.learns(OPEN.replace("In progress,", f"{word},{at}"))
    assert once.json("sync", code=3)["grants"]["held"] == 1


def test_r33_within_one_file_the_completion_wins(once: Desk) -> None:
    once.learns(DONE, OPEN)
    assert once.json("sync")["grants"]["issued"] == 1


def test_r33_another_source_denies_nothing(once: Desk) -> None:
    once.learns(DONE)
    header = "email,content_id,session_id,status,completed_at,first_name,last_name\n"
    once.imports("progress", header + OPEN + "\n", "--source", "another")
    assert once.json("sync")["grants"]["issued"] == 1


def test_r33_a_completion_whose_badge_was_sent_is_only_reported(once: Desk) -> None:
    once.learns(DONE)
    once.json("sync")
    once.learns(OPEN)
    assert once.json("sync")["status"] == "success"
    assert grant(once)["state"] == "issued"
    assert len(once.issued(ONCE)) == 1


def test_r33_the_cause_is_the_denial_also_before_a_sync_has_held_the_grant(denied: Desk) -> None:
    (told,) = denied.json("explain", ADA, ONCE)["badges"]
    assert told["decision"] == "needs-person"
    assert told["cause"] == "A later file has the learner as not complete: it does not count."


def test_r33_grants_and_explain_name_the_file_of_a_completion(once: Desk) -> None:
    once.learns(DONE)
    (told,) = once.json("explain", ADA, ONCE)["badges"]
    assert told["file"].endswith("progress.csv")
    once.json("sync")
    assert grant(once)["file"].endswith("progress.csv")


def test_what_a_file_takes_back_is_told_to_scripts_too(once: Desk) -> None:
    header = "email,content_id,session_id,status,completed_at,first_name,last_name\n"
    once.learns(DONE)
    assert once.imports("progress", f"{header}{OPEN}\n")["warnings"] == [
        "No row is a completion.",
        "1 completion is not complete in this file any more; what was sent stays, what was not waits for a person.",
    ]
