"""Scenario 75: people who turn out to be one, who share an address, or who hand an address on. Nobody loses a badge."""

import pytest

from tests.support import faults
from tests.support.world import ONCE, REPEATABLE, World

MARCH, APRIL = "first-aid,first-aid-march", "first-aid,first-aid-april"
HEADER = "learner_id,email,content_id,session_id,status,completed_at,first_name,last_name\n"


def completes(world: World, who: str, place: str, names: str = "Ada,Lovelace") -> None:
    """Let ``who`` (``id,email``) complete content and session, now."""
    now = world.desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    world.desk.imports("progress", f"{HEADER}{who},{place},completed,{now},{names}\n")


def becomes(world: World, who: str) -> None:
    """Tell the names of ``who`` (``id,email``), and that the address is theirs now."""
    world.desk.imports("learners", f"learner_id,email,first_name,last_name\n{who},Ada,Lovelace\n")


def merged(world: World) -> None:
    """The learner known by old@ alone turns out to be learner 7, known by new@ until now."""
    becomes(world, "7,old@example.org")


@pytest.fixture
def earned_once(world: World) -> World:
    """A world whose course earns a badge that each learner earns once."""
    world.desk.json("unlink", REPEATABLE)
    world.desk.json("unlink", ONCE)
    world.desk.json("link", ONCE, "first-aid")
    world.desk.pass_time(hours=1)
    return world


@pytest.mark.further
def test_of_two_sessions_that_wait_for_a_name_one_is_issued_after_a_merge(earned_once: World) -> None:
    world = earned_once
    completes(world, ",old@example.org", MARCH, names=",")
    completes(world, ",old@example.org", APRIL, names=",")
    assert world.sync().code == 3
    becomes(world, "7,new@example.org")
    merged(world)
    assert world.sync().code == 0
    assert world.states() == {"issued": 1, "covered": 1}
    assert len(world.desk.issued(ONCE)) == 1


@pytest.mark.further
def test_what_was_refused_is_not_retried_once_the_same_session_turns_out_to_be_earned(world: World) -> None:
    completes(world, ",old@example.org", MARCH)
    world.sync()
    world.desk.sandbox.faults.add(faults.answers(422), "POST")
    completes(world, "7,new@example.org", MARCH)
    assert world.sync().code == 3
    merged(world)
    assert world.desk.json("retry") == {"planned": 0}
    world.sync()
    assert world.states() == {"issued": 1, "covered": 1}
    assert len(world.desk.issued(REPEATABLE)) == 1


@pytest.mark.further
def test_a_planned_grant_survives_a_merge_with_one_that_was_cancelled(world: World) -> None:
    completes(world, "7,new@example.org", MARCH)
    world.desk.sandbox.faults.add(faults.unreachable(), "POST", times=None)
    world.sync()
    world.desk.json("unlink", REPEATABLE)
    world.desk.json("link", REPEATABLE, "first-aid")
    world.desk.pass_time(hours=1)
    completes(world, ",old@example.org", MARCH)
    world.sync()
    merged(world)
    world.desk.sandbox.faults.clear()
    world.calm_down()
    assert len(world.desk.issued(REPEATABLE)) == 1


def test_of_two_planned_grants_of_who_turns_out_to_be_one_one_stands_for_both(earned_once: World) -> None:
    """R19: the other is covered at once, not only when it would be sent."""
    earned_once.desk.sandbox.faults.add(faults.unreachable(), "POST", times=None)
    completes(earned_once, ",old@example.org", MARCH)
    completes(earned_once, "7,new@example.org", APRIL)
    earned_once.sync()
    assert earned_once.states() == {"planned": 2}
    merged(earned_once)
    assert earned_once.states() == {"planned": 1, "covered": 1}


def test_a_merge_leaves_others_their_grants(world: World) -> None:
    world.desk.sandbox.faults.add(faults.unreachable(), "POST", times=None)
    completes(world, "8,eve@example.org", MARCH, "Eve,Dawn")
    completes(world, "7,new@example.org", MARCH)
    completes(world, ",old@example.org", MARCH)
    world.sync()
    merged(world)
    world.desk.sandbox.faults.clear()
    world.calm_down()
    assert sorted(badge.email for badge in world.desk.issued(REPEATABLE)) == ["eve@example.org", "old@example.org"]


@pytest.mark.further
def test_what_a_person_dropped_stays_dropped_after_a_merge_and_keeps_its_attempts(world: World) -> None:
    world.desk.sandbox.faults.add(faults.drops(), "POST")
    world.desk.sandbox.faults.add(faults.answers(500), "GET", "filter=badge_template", times=None)
    completes(world, ",old@example.org", MARCH)
    assert world.sync().code == 75
    world.desk.json("resolve", "1", "--drop")
    world.desk.sandbox.faults.add(faults.unreachable(), "POST", times=None)
    completes(world, "7,new@example.org", MARCH)
    world.sync()
    with world.desk.store() as store:
        before = store.value("SELECT count(*) FROM attempts")
    merged(world)
    world.calm_down()
    assert world.desk.issued() == []
    with world.desk.store() as store:
        assert store.value("SELECT count(*) FROM attempts") >= before
        assert store.value("SELECT count(*) FROM attempts WHERE grant_id NOT IN (SELECT id FROM grants)") == 0


def test_two_learners_of_one_address_each_earn_a_badge_that_allows_duplicates(world: World) -> None:
    """The first one's answer is lost: its badge must not be taken for the second one's."""
    world.desk.sandbox.faults.add(faults.loses_answer(), "POST")
    world.desk.sandbox.faults.add(faults.answers(500), "GET", "filter=badge_template", times=None)
    completes(world, "1,desk@example.org", MARCH)
    assert world.sync().code == 75
    completes(world, "2,desk@example.org", MARCH, "Bo,Berg")
    world.calm_down()
    assert world.states() == {"issued": 2}
    assert len(world.desk.issued(REPEATABLE)) == 2


def test_an_address_that_was_handed_on_brings_nobody_the_badge_of_its_new_owner(world: World) -> None:
    becomes(world, "1,info@example.org")
    becomes(world, "1,b@example.org")
    completes(world, "2,info@example.org", "hygiene,")
    world.sync()
    completes(world, "1,b@example.org", "hygiene,")
    assert world.sync().code == 0
    assert sorted(badge.email for badge in world.desk.issued(ONCE)) == ["b@example.org", "info@example.org"]


def test_the_badge_of_a_lost_answer_is_its_grants_though_the_new_owner_of_the_address_completes_too(
    earned_once: World,
) -> None:
    """It bears the first one's id: the new owner is covered by it, as Credly has one such badge for an address."""
    world = earned_once
    completes(world, "7,ada@example.org", MARCH)
    world.desk.sandbox.faults.add(faults.loses_answer(), "POST")
    world.desk.sandbox.faults.add(faults.answers(503), "GET", "issuer_earner_id|recipient_email", times=None)
    world.sync()
    world.desk.sandbox.faults.clear()
    rows = "7,ada.new@example.org,Ada,Lovelace\n8,ada@example.org,Bob,Bell\n"
    world.desk.imports("learners", f"learner_id,email,first_name,last_name\n{rows}")
    world.desk.pass_time(minutes=1)
    completes(world, "8,ada@example.org", MARCH, names="Bob,Bell")
    world.calm_down()
    assert [(grant["learner_id"], grant["state"]) for grant in world.ledger()] == [("7", "issued"), ("8", "covered")]
    assert len(world.desk.issued(ONCE)) == 1
