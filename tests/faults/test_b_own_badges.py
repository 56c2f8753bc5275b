"""Scenarios B 16, 20 and 21, and A 13: which badge is a grant's own, where several could be."""

import shutil
from pathlib import Path

import pytest

from tests.support import faults
from tests.support.world import ONCE, REPEATABLE, World

HEADER = "learner_id,email,content_id,session_id,status,completed_at,first_name,last_name\n"
ADA = "ada@example.org"


def enrolls(world: World, place: str) -> None:
    """Enrol Ada, who completes nothing yet."""
    world.desk.imports("progress", f"{HEADER}1,{ADA},{place},started,,Ada,Lovelace\n")


def completes(world: World, *places: str) -> None:
    """Let Ada complete all of this in one second."""
    now = world.desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = "".join(f"1,{ADA},{place},completed,{now},Ada,Lovelace\n" for place in places)
    world.desk.imports("progress", HEADER + rows)


def test_a_mark_is_believed_also_among_strangers_badges(world: World) -> None:
    """Scenario 21: what a list without a filter shows is there, whatever else it shows."""
    for name in (ONCE, REPEATABLE):
        world.desk.sandbox.issue_in_credly(world.desk.badge_id(name), "other@example.org", "Some", "Body")
    world.desk.sandbox.switches.filter_ignored = True
    world.desk.sandbox.faults.add(faults.loses_answer(), "POST")
    world.desk.sandbox.faults.add(faults.answers(500), "GET", "filter=badge_template", times=None)
    completes(world, "first-aid,first-aid-march")
    world.sync()
    assert world.states() == {"uncertain": 1}
    world.desk.sandbox.faults.clear()
    assert world.sync("--only", "grants").code == 0
    assert world.states() == {"issued": 1}


def test_two_lost_answers_of_one_second_are_bound_one_to_one_where_credly_keeps_no_mark(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 16: address and time are the same, and so either badge may be either grant's, but not both."""
    issue = world.desk.sandbox.issue
    monkeypatch.setattr(world.desk.sandbox, "issue", lambda told: issue({**told, "issuer_earner_id": None}))
    world.desk.sandbox.faults.add(faults.loses_answer(), "POST", times=2)
    completes(world, "first-aid,first-aid-march", "first-aid,first-aid-april")
    assert world.sync().json["grants"]["adopted"] == 2
    assert world.states() == {"issued": 2}
    assert {grant["issued_badge_id"] for grant in world.ledger()} == {badge.id for badge in world.desk.issued()}


@pytest.mark.further
def test_a_badge_revoked_before_is_not_what_was_issued_anew(world: World) -> None:
    """R22 and R23: it bears the same id and the same day, but it was known before the request left."""
    enrolls(world, "hygiene,")
    before = world.desk.sandbox.issue_in_credly(world.desk.badge_id(ONCE), ADA, "Ada", "Lovelace", issuer_earner_id="1")
    world.desk.sandbox.revoke(before.id)
    world.sync()
    world.desk.pass_time(minutes=1)
    world.desk.sandbox.faults.add(faults.drops(), "POST")
    assert world.desk.run("grant", ADA, ONCE).code == 75
    world.desk.pass_time(minutes=16)
    world.calm_down()
    assert [badge.state for badge in world.desk.issued(ONCE)] == ["revoked", "pending"]


@pytest.mark.further
@pytest.mark.parametrize("seconds", [0, 60])
def test_what_was_granted_by_hand_after_the_copy_is_not_sent_again_before_credly_can_list_it(
    world: World, tmp_path: Path, seconds: int
) -> None:
    """Scenarios 13 and 20: the copy is known to be older by the number that is taken by hand too."""
    enrolls(world, "first-aid,first-aid-march")
    world.sync()
    for path in world.store_files():
        shutil.copy2(path, tmp_path / path.name)
    world.desk.sandbox.switches.list_lag = 600
    world.desk.json("grant", ADA, REPEATABLE)
    world.lose_store(with_lock=False)
    shutil.copy2(tmp_path / "credly.db", world.desk.home / "credly.db")
    completes(world, "first-aid,first-aid-march")
    world.desk.pass_time(seconds=seconds)
    for _ in range(4):
        world.sync()
        world.desk.pass_time(minutes=5)
    assert len(world.desk.issued(REPEATABLE)) == 1


@pytest.mark.further
@pytest.mark.parametrize("with_lock", [False, True], ids=["older", "older-without-lock"])
def test_a_lost_history_gives_nobody_the_badge_of_another_at_the_same_address(
    world: World, tmp_path: Path, with_lock: bool
) -> None:
    """Scenarios 13 and 75: both completed the session on one day, and one of the two badges was issued."""
    for path in world.store_files():
        shutil.copy2(path, tmp_path / path.name)
    times = [world.desk.clock.now().strftime(f"%Y-%m-%dT%H:{minute}:00Z") for minute in (10, 20)]
    rows = [
        f"{number},desk@example.org,first-aid,first-aid-march,completed,{at},A{number},B{number}\n"
        for number, at in enumerate(times, 1)
    ]
    world.desk.imports("progress", HEADER + "".join(rows))
    world.desk.sandbox.faults.add(faults.unreachable(), "POST", "/badges$")
    world.sync()
    assert len(world.desk.issued(REPEATABLE)) == 1
    world.lose_store(with_lock=with_lock)
    shutil.copy2(tmp_path / "credly.db", world.desk.home / "credly.db")
    world.desk.imports("progress", HEADER + "".join(rows))
    world.calm_down()
    marks = [str(badge.details.issuer_earner_id) for badge in world.desk.issued(REPEATABLE)]
    assert sorted(mark.partition("~")[0] for mark in marks) == ["1", "2"]


@pytest.mark.further
def test_a_lost_answer_is_not_taken_for_another_session_of_one_who_is_known_otherwise_by_now(world: World) -> None:
    """Scenarios 16 and 75: the mark of the first session was made of an address that has changed since."""
    now = world.desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    world.desk.imports("progress", f"{HEADER},old@example.org,first-aid,first-aid-march,completed,{now},A,B\n")
    world.desk.sandbox.faults.add(faults.loses_answer(), "POST")
    world.desk.sandbox.faults.add(faults.answers(500), "GET", "filter=badge_template", times=None)
    assert world.sync().code == 75
    for email in ("old@example.org", "new@example.org"):
        world.desk.imports("learners", f"learner_id,email,first_name,last_name\n7,{email},A,B\n")
    world.desk.imports("progress", f"{HEADER}7,new@example.org,first-aid,first-aid-april,completed,{now},A,B\n")
    world.calm_down()
    assert world.states() == {"issued": 2}
    assert len(world.desk.issued(REPEATABLE)) == 2


LEARNERS = "learner_id,email,first_name,last_name\n"


def move(world: World, *people: str) -> None:
    """Tell the addresses and names of people."""
    world.desk.imports("learners", LEARNERS + "".join(f"{one}\n" for one in people))


@pytest.mark.further
def test_a_restored_store_takes_no_badge_of_who_had_the_address_before(world: World, tmp_path: Path) -> None:
    """Scenarios 13 and 75: Bo's badge went to an address that is Ada's by now; each earns one, Bo no second."""
    move(world, "1,ada@example.org,Ada,Lovelace", "2,info@example.org,Bo,Berg")
    for path in world.store_files():
        shutil.copy2(path, tmp_path / path.name)
    now = world.desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    bo = f"2,info@example.org,first-aid,first-aid-march,completed,{now},Bo,Berg\n"
    world.desk.imports("progress", HEADER + bo)
    world.sync()
    assert world.states() == {"issued": 1}
    world.lose_store(with_lock=False)
    shutil.copy2(tmp_path / "credly.db", world.desk.home / "credly.db")
    move(world, "1,info@example.org,Ada,Lovelace", "2,bo@example.org,Bo,Berg")
    world.desk.pass_time(minutes=1)
    later = world.desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    ada = f"1,info@example.org,first-aid,first-aid-april,completed,{later},Ada,Lovelace\n"
    world.desk.imports("progress", HEADER + ada)
    world.sync()
    world.desk.imports("progress", HEADER + bo.replace("info@", "bo@"))
    world.calm_down()
    marks = [str(badge.details.issuer_earner_id).partition("~")[0] for badge in world.desk.issued(REPEATABLE)]
    assert sorted(marks) == ["1", "2"]
    assert world.states() == {"issued": 1, "covered": 1}


def test_a_badge_that_bears_the_id_alone_covers_at_any_address_once_duplicates_are_allowed(
    world: World, tmp_path: Path
) -> None:
    """R20, scenarios 13 and 41: it was issued while the badge was earned once, and the store has forgotten it."""
    move(world, f"1,{ADA},Ada,Lovelace")
    for path in world.store_files():
        shutil.copy2(path, tmp_path / path.name)
    completes(world, "hygiene,")
    world.sync()
    told = world.desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    world.lose_store(with_lock=False)
    shutil.copy2(tmp_path / "credly.db", world.desk.home / "credly.db")
    world.desk.sandbox.templates[world.desk.badge_id(ONCE)]["allow_duplicate_badges"] = True
    move(world, "1,new@example.org,Ada,Lovelace", f"2,{ADA},Bo,Berg")
    world.desk.imports("progress", f"{HEADER}1,new@example.org,hygiene,,completed,{told},Ada,Lovelace\n")
    world.calm_down()
    assert len(world.desk.issued(ONCE)) == 1
