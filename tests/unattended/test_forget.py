"""`credly forget`: nothing personal stays in the store, and nobody gets a second badge for it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from credly_cli.issuing.lookup import Recipient
from credly_cli.store import database, learners
from credly_cli.store.database import Store
from tests.support import faults
from tests.support.desk import Desk, completes

HEADER = "email,first_name,last_name,learner_id\n"
ROW = "anna@example.com,first-aid,first-aid-march,completed,2026-03-02T09:31:00+00:00,Anna,Adlerstein"


def earns(desk: Desk, *, duplicates: bool = False) -> None:
    if duplicates:
        desk.sandbox.templates[desk.badge_id("First Aid at Work")]["allow_duplicate_badges"] = True
        desk.json("sync")
    desk.json("link", "First Aid at Work", "first-aid")
    desk.pass_time(minutes=1)
    desk.imports("learners", f"{HEADER}anna@example.com,Anna,Adlerstein,lms-4711\n")
    desk.learns(ROW)
    desk.json("sync")
    assert len(desk.issued()) == 1


def found_in(home: Path, *words: str) -> list[tuple[str, str]]:
    files = [path for path in home.iterdir() if path.name.startswith("credly.db")]
    return [(path.name, word) for path in files for word in words if word.lower().encode() in path.read_bytes().lower()]


def test_no_byte_of_the_learner_stays_in_the_store(connected: Desk) -> None:
    earns(connected)
    assert found_in(connected.home, "anna@example.com", "Adlerstein", "lms-4711")
    answer = connected.json("forget", "ANNA@example.com", "--yes")
    assert answer == {
        "changed": True, "learners": 1, "enrollments": 1, "grants": 1, "cancelled": 0, "issued_badges": 1,
        "wiped": True, "pages": 0, "folders": [], "left": [],
    }  # fmt: skip
    assert found_in(connected.home, "anna@example.com", "Adlerstein", "lms-4711") == []


def test_what_a_run_reported_is_forgotten_too(connected: Desk) -> None:
    completes(connected, names=",")
    assert connected.run("sync").code == 3
    connected.json("forget", "anna@example.com", "--yes")
    assert found_in(connected.home, "anna@example.com") == []
    assert connected.json("status")["grants"]["held"] == 0


def test_addresses_that_the_learner_had_before_go_too(connected: Desk) -> None:
    completes(connected, names="Anna,")
    connected.run("sync")  # reports the missing name, with the address
    connected.imports("access", "content_id,email\nfirst-aid,anna@example.com\n")
    connected.imports("learners", f"{HEADER}anna@example.com,Anna,,lms-4711\n")
    connected.imports("learners", f"{HEADER}anna@new.example,Anna,,lms-4711\n")
    connected.json("forget", "anna@new.example", "--yes")
    assert found_in(connected.home, "anna@", "lms-4711") == []


def test_whose_address_ends_like_the_learners_stays_named_in_what_runs_reported(connected: Desk) -> None:
    completes(connected, email="joanna@example.com", names=",")
    connected.learns("anna@example.com,first-aid,first-aid-march,completed,2026-03-02T09:31:00+00:00,,")
    connected.run("sync")
    connected.json("forget", "anna@example.com", "--yes")
    with connected.store() as store:
        (told,) = store.rows("SELECT summary FROM runs WHERE summary LIKE '%grant-held%'")
    assert "name of joanna@example.com" in told["summary"]
    assert '"anna@example.com' not in told["summary"]


def test_while_somebody_reads_the_store_it_says_that_copies_stay(
    connected: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    earns(connected)
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0)
    with closing(sqlite3.connect(connected.home / "credly.db")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM learners").fetchone()
        ran = connected.run("forget", "anna@example.com", "--yes")
    assert (ran.code, "copies stay" in ran.err) == (0, True)
    connected.run("badges")
    assert found_in(connected.home, "anna@example.com", "Adlerstein", "lms-4711") == []


@pytest.mark.further
def test_what_waited_for_a_grant_that_is_cancelled_is_cancelled_with_it(connected: Desk) -> None:
    completes(connected, names=",")
    connected.run("sync")
    april = "anna@example.com,first-aid,first-aid-april,completed,2026-04-02T09:31:00+00:00,,"
    connected.pass_time(days=60)
    connected.learns(april)
    connected.run("sync")
    assert connected.json("forget", "anna@example.com", "--yes")["cancelled"] == 2
    assert {grant["state"] for grant in connected.json("grants")} == {"cancelled"}


@pytest.mark.further
def test_the_learner_is_unknown_afterwards(connected: Desk) -> None:
    earns(connected)
    connected.json("forget", "anna@example.com", "--yes")
    assert connected.json("learners") == []
    assert connected.json("status")["learners"] == 0
    assert connected.json("forget", "anna@example.com", "--yes", code=5)["error"]["code"] == "unknown-learner"
    (grant,) = connected.json("grants")
    assert (grant["state"], grant["email"]) == ("issued", "forgotten-1")


@pytest.mark.further
def test_the_next_sync_does_not_bring_the_data_back(connected: Desk) -> None:
    earns(connected)
    connected.json("forget", "anna@example.com", "--yes")
    assert connected.json("sync")["issued_badges"]["changed"] == 0
    assert found_in(connected.home, "anna@example.com", "Adlerstein", "lms-4711") == []


@pytest.mark.further
@pytest.mark.parametrize("duplicates", [False, True])
@pytest.mark.parametrize("between", [(), ("sync",)])
def test_importing_the_same_completion_again_issues_no_second_badge(
    connected: Desk, duplicates: bool, between: tuple[str, ...]
) -> None:
    earns(connected, duplicates=duplicates)
    connected.json("forget", "anna@example.com", "--yes")
    if between:
        connected.json(*between)
    connected.learns(ROW)
    assert connected.json("sync")["grants"]["issued"] == 0
    connected.imports("learners", f"{HEADER}anna@example.com,Anna,Adlerstein,lms-4711\n")
    connected.learns(ROW)
    connected.json("link", "First Aid at Work", "first-aid", "--since", "2026-01-01")
    connected.pass_time(hours=1)
    connected.json("sync", "--full")
    assert len(connected.issued()) == 1
    assert len(connected.json("learners")) == 1


@pytest.mark.further
def test_the_lms_id_alone_recognises_the_learner(connected: Desk) -> None:
    earns(connected, duplicates=True)
    connected.json("forget", "anna@example.com", "--yes")
    connected.imports("learners", f"{HEADER}anna@new.example,Anna,Neu,lms-4711\n")
    connected.learns("anna@new.example,first-aid,first-aid-march,completed,2026-03-02T09:31:00+00:00,Anna,Neu")
    connected.json("sync")
    assert len(connected.issued()) == 1


@pytest.mark.further
def test_the_lms_id_without_an_address_brings_nobody_back(connected: Desk) -> None:
    earns(connected)
    connected.json("forget", "anna@example.com", "--yes")
    row = "lms-4711,first-aid,first-aid-april,completed,2026-03-02T09:31:00Z,Anna,Adlerstein\n"
    header = "learner_id,content_id,session_id,status,completed_at,first_name,last_name\n"
    assert connected.imports("progress", header + row, code=3)["rejected"] == 1
    assert connected.json("learners") == []


@pytest.mark.further
def test_who_came_back_unrecognised_is_recognised_by_the_id_later(connected: Desk) -> None:
    earns(connected, duplicates=True)
    connected.json("forget", "anna@example.com", "--yes")
    connected.pass_time(days=41)
    april = "first-aid,first-aid-april,completed,2026-04-11T10:00:00Z"
    connected.learns(f"anna@new.example,{april},Anna,Neu")
    connected.json("sync")
    connected.imports("learners", f"{HEADER}anna@new.example,Anna,Neu,lms-4711\n")
    connected.imports("progress", f"learner_id,content_id,session_id,status,completed_at\nlms-4711,{april}\n")
    connected.json("sync")
    assert len(connected.issued()) == 2
    assert len(connected.json("learners")) == 1


@pytest.mark.further
def test_an_address_that_comes_back_with_a_new_id_is_one_learner(connected: Desk) -> None:
    earns(connected)
    connected.json("forget", "anna@example.com", "--yes")
    connected.imports("learners", f"{HEADER}anna@example.com,Anna,Adlerstein,lms-9999\n")
    connected.pass_time(days=41)
    connected.learns("anna@example.com,first-aid,first-aid-april,completed,2026-04-11T10:00:00Z,Anna,Adlerstein")
    assert connected.json("sync")["grants"]["covered"] == 1
    assert [row["learner_id"] for row in connected.json("learners")] == ["lms-9999"]


@pytest.mark.further
def test_credly_is_told_and_asked_nothing_of_marks(connected: Desk) -> None:
    earns(connected, duplicates=True)
    connected.json("forget", "anna@example.com", "--yes")
    connected.pass_time(days=41)
    connected.learns("anna@example.com,first-aid,first-aid-april,completed,2026-04-11T10:00:00Z,Anna,Adlerstein")
    connected.json("sync")
    assert [row["learner_id"] for row in connected.json("learners")] == [None]
    with connected.store() as store:
        (row,) = learners.of_email(store, "anna@example.com")
        recipient = Recipient.of_learners(store, "anna@example.com", [row])
        sent = store.rows("SELECT body FROM attempts WHERE body IS NOT NULL")
    assert "forgotten" not in f"{recipient} {sent}"


@pytest.mark.further
def test_another_session_earns_its_badge_when_the_learner_comes_back(connected: Desk) -> None:
    earns(connected, duplicates=True)
    connected.json("forget", "anna@example.com", "--yes")
    connected.pass_time(days=41)
    connected.learns("anna@example.com,first-aid,first-aid-april,completed,2026-04-11T10:00:00+00:00,Anna,Adlerstein")
    connected.json("sync")
    assert len(connected.issued()) == 2


@pytest.mark.further
def test_who_comes_back_sees_the_badge_again(connected: Desk) -> None:
    earns(connected)
    connected.json("forget", "anna@example.com", "--yes")
    connected.learns(ROW)
    connected.json("sync")
    assert [row["resource"]["id"] for row in connected.json("learner-badges", "anna@example.com")["badges"]] == [
        "first-aid"
    ]
    (row,) = connected.json("learners")
    assert (row["email"], row["first_name"]) == ("anna@example.com", "Anna")


@pytest.mark.further
def test_somebody_else_is_left_alone(connected: Desk) -> None:
    earns(connected)
    connected.learns("ben@example.com,first-aid,first-aid-march,completed,2026-03-02T09:31:00+00:00,Ben,Berg")
    connected.json("sync")
    connected.json("forget", "anna@example.com", "--yes")
    assert [row["email"] for row in connected.json("learners")] == ["ben@example.com"]
    assert connected.json("sync")["issued_badges"]["changed"] == 0


def test_another_learner_with_the_same_account_on_credly_keeps_the_badges(connected: Desk) -> None:
    earns(connected)
    connected.imports("learners", f"{HEADER}anna@home.example,Anna,Adler,lms-5\n")
    with connected.store() as store:
        store.change("UPDATE issued_badges SET user_id = 'anna'")
        knows(store, "anna@home.example", user_id="anna")
    assert connected.json("forget", "anna@example.com", "--yes")["issued_badges"] == 1
    assert found_in(connected.home, "anna@home.example")


def test_a_badge_in_doubt_must_be_settled_first(connected: Desk) -> None:
    completes(connected)
    connected.sandbox.faults.add(faults.drops(), "POST", "badges", times=None)
    assert connected.run("sync").code == 75
    answer = connected.json("forget", "anna@example.com", "--yes", code=75)
    assert "credly sync" in answer["error"]["hint"]
    assert found_in(connected.home, "anna@example.com")


def test_an_unknown_learner_is_told(connected: Desk) -> None:
    assert connected.json("forget", "nobody@example.com", "--yes", code=5)["error"]["code"] == "unknown-learner"


def knows(store: Store, email: str, **columns: str) -> None:
    told = {"id": "x", "badge_id": "y", "state": "accepted", "stored_at": "2026-03-02T00:00:00Z"}
    store.db.table("issued_badges").insert({**told, "email": email, "email_key": email, **columns})


@pytest.mark.parametrize("columns", [{}, {"deleted_at": "2026-03-02T00:00:00Z"}])
def test_an_address_that_only_credly_knows_is_forgotten_too(connected: Desk, columns: dict[str, str]) -> None:
    earns(connected)
    with connected.store() as store:
        knows(store, "carl@example.com", **columns)
    assert connected.json("forget", "carl@example.com", "--yes")["issued_badges"] == 1
    assert found_in(connected.home, "carl@example.com") == []


def test_an_address_that_only_an_access_file_names_is_forgotten_too(connected: Desk) -> None:
    earns(connected)
    connected.imports("access", "content_id,email\nfirst-aid,zoe@example.com\n")
    connected.json("forget", "zoe@example.com", "--yes")
    assert found_in(connected.home, "zoe@example.com") == []
