"""`credly forget`: nothing personal stays in the store, and nobody gets a second badge for it."""

from pathlib import Path

import pytest

from credly_cli.sandbox import faults
from tests.desk import Desk
from tests.unattended.test_status import completes

ROW = "anna@example.com,first-aid,first-aid-march,completed,2026-03-02T09:31:00+00:00,Anna,Adlerstein"


def earns(desk: Desk, *, duplicates: bool = False) -> None:
    if duplicates:
        desk.sandbox.templates[desk.badge_id("First Aid at Work")]["allow_duplicate_badges"] = True
        desk.json("sync")
    desk.json("link", "First Aid at Work", "first-aid")
    desk.pass_time(minutes=1)
    desk.imports("learners", "email,first_name,last_name,learner_id\nanna@example.com,Anna,Adlerstein,lms-4711\n")
    desk.learns(ROW)
    desk.json("sync")
    assert len(desk.issued()) == 1


def found_in(home: Path, *words: str) -> list[tuple[str, str]]:
    files = [path for path in home.iterdir() if path.name.startswith("credly.db")]
    return [(path.name, word) for path in files for word in words if word.lower().encode() in path.read_bytes().lower()]


def test_no_byte_of_the_learner_stays_in_the_store(connected: Desk) -> None:
    earns(connected)
    assert found_in(connected.home, "anna@example.com", "Adlerstein", "lms-4711")
    answer = connected.json("forget", "ANNA@example.com")
    assert answer == {
        "changed": True, "learners": 1, "enrollments": 1, "grants": 1, "cancelled": 0, "issued_badges": 1,
    }  # fmt: skip
    assert found_in(connected.home, "anna@example.com", "Adlerstein", "lms-4711") == []


def test_what_a_run_reported_is_forgotten_too(connected: Desk) -> None:
    completes(connected, names=",")
    assert connected.run("sync").code == 3
    connected.json("forget", "anna@example.com")
    assert found_in(connected.home, "anna@example.com") == []
    assert connected.json("status")["grants"]["held"] == 0


def test_the_learner_is_unknown_afterwards(connected: Desk) -> None:
    earns(connected)
    connected.json("forget", "anna@example.com")
    assert connected.json("learners") == []
    assert connected.json("status")["learners"] == 0
    assert connected.json("forget", "anna@example.com", code=5)["error"]["code"] == "unknown-learner"
    (grant,) = connected.json("grants")
    assert (grant["state"], grant["email"]) == ("issued", "forgotten-1")


def test_the_next_sync_does_not_bring_the_data_back(connected: Desk) -> None:
    earns(connected)
    connected.json("forget", "anna@example.com")
    assert connected.json("sync")["issued_badges"]["changed"] == 0
    assert found_in(connected.home, "anna@example.com", "Adlerstein", "lms-4711") == []


@pytest.mark.parametrize("duplicates", [False, True])
@pytest.mark.parametrize("between", [(), ("sync",)])
def test_importing_the_same_completion_again_issues_no_second_badge(
    connected: Desk, duplicates: bool, between: tuple[str, ...]
) -> None:
    earns(connected, duplicates=duplicates)
    connected.json("forget", "anna@example.com")
    if between:
        connected.json(*between)
    connected.learns(ROW)
    assert connected.json("sync")["grants"]["issued"] == 0
    connected.imports("learners", "email,first_name,last_name,learner_id\nanna@example.com,Anna,Adlerstein,lms-4711\n")
    connected.learns(ROW)
    connected.json("link", "First Aid at Work", "first-aid", "--since", "2026-01-01")
    connected.pass_time(hours=1)
    connected.json("sync", "--full")
    assert len(connected.issued()) == 1
    assert len(connected.json("learners")) == 1


def test_the_lms_id_alone_recognises_the_learner(connected: Desk) -> None:
    earns(connected, duplicates=True)
    connected.json("forget", "anna@example.com")
    connected.imports("learners", "email,first_name,last_name,learner_id\nanna@new.example,Anna,Neu,lms-4711\n")
    connected.learns("anna@new.example,first-aid,first-aid-march,completed,2026-03-02T09:31:00+00:00,Anna,Neu")
    connected.json("sync")
    assert len(connected.issued()) == 1


def test_another_session_earns_its_badge_when_the_learner_comes_back(connected: Desk) -> None:
    earns(connected, duplicates=True)
    connected.json("forget", "anna@example.com")
    connected.pass_time(days=40)
    connected.learns("anna@example.com,first-aid,first-aid-april,completed,2026-04-11T10:00:00+00:00,Anna,Adlerstein")
    connected.json("sync")
    assert len(connected.issued()) == 2


def test_who_comes_back_sees_the_badge_again(connected: Desk) -> None:
    earns(connected)
    connected.json("forget", "anna@example.com")
    connected.learns(ROW)
    connected.json("sync")
    assert [row["resource"]["id"] for row in connected.json("learner-badges", "anna@example.com")["badges"]] == [
        "first-aid"
    ]
    (row,) = connected.json("learners")
    assert (row["email"], row["first_name"]) == ("anna@example.com", "Anna")


def test_somebody_else_is_left_alone(connected: Desk) -> None:
    earns(connected)
    connected.learns("ben@example.com,first-aid,first-aid-march,completed,2026-03-02T09:31:00+00:00,Ben,Berg")
    connected.json("sync")
    connected.json("forget", "anna@example.com")
    assert [row["email"] for row in connected.json("learners")] == ["ben@example.com"]
    assert connected.json("sync")["issued_badges"]["changed"] == 0


def test_a_badge_in_doubt_must_be_settled_first(connected: Desk) -> None:
    completes(connected)
    connected.sandbox.faults.add(faults.drops(), "POST", "badges", times=None)
    assert connected.run("sync").code == 75
    answer = connected.json("forget", "anna@example.com", code=75)
    assert "credly sync" in answer["error"]["hint"]
    assert found_in(connected.home, "anna@example.com")


def test_an_unknown_learner_is_told(connected: Desk) -> None:
    assert connected.json("forget", "nobody@example.com", code=5)["error"]["code"] == "unknown-learner"


def test_an_address_that_only_credly_knows_is_forgotten_too(connected: Desk) -> None:
    earns(connected)
    with connected.store() as store:
        store.change(
            "INSERT INTO issued_badges (id, badge_id, email, email_key, state, stored_at)"
            " VALUES ('x', 'y', 'carl@example.com', 'carl@example.com', 'accepted', '2026-03-02T00:00:00Z')"
        )
    assert connected.json("forget", "carl@example.com")["issued_badges"] == 1
    assert found_in(connected.home, "carl@example.com") == []
