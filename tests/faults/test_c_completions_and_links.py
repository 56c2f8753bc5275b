"""Scenarios C 31-41.

31-35   pages and listings                tests/rules/test_syncing_badges.py, tests/credly
36, 37  completions and links that change here
38      files                             tests/lms
39      configuration                     tests of connecting and of the configuration
40, 41  badges that change before sending here, and 404 in test_b_network.py
"""

import pytest

from tests.support import faults
from tests.support.world import ONCE, REPEATABLE, SESSIONS, World


def test_what_was_failed_and_then_passed_is_granted(world: World) -> None:
    """Scenario 36."""
    now = world.desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    world.desk.learns("a@example.org,hygiene,,failed,,A,B")
    assert world.sync().json["grants"]["planned"] == 0
    world.desk.learns(f"a@example.org,hygiene,,passed,{now},A,B")
    assert world.sync().json["grants"]["issued"] == 1


@pytest.mark.further
def test_a_repaired_address_without_a_new_id_is_granted_to_once(world: World) -> None:
    """Scenario 36: Credly refused the address, it is repaired, and a person says retry."""
    header = "learner_id,email,first_name,last_name\n"
    now = world.desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    world.desk.imports("learners", f"{header}7,a@example.invalid,A,B\n")
    world.desk.learns(f"a@example.invalid,hygiene,,completed,{now},A,B")
    world.desk.sandbox.faults.add(faults.answers(422), "POST")
    assert world.sync().code == 3
    world.desk.imports("learners", f"{header}7,a@example.org,A,B\n")
    assert world.desk.json("retry") == {"planned": 1}
    assert world.sync().code == 0
    assert [badge.email for badge in world.desk.issued()] == ["a@example.org"]


@pytest.mark.further
def test_linking_again_starts_anew(world: World) -> None:
    """Scenario 37."""
    world.complete(1, sessions=())
    world.desk.json("unlink", ONCE)
    world.desk.pass_time(hours=1)
    world.desk.json("link", ONCE, "hygiene")
    assert world.sync().json["grants"]["planned"] == 0
    world.desk.json("link", ONCE, "hygiene", "--since", "2026-01-01")
    assert world.sync().json["grants"]["issued"] == 1
    world.check_all()


@pytest.mark.further
@pytest.mark.parametrize("end", ["unlink", "archive"])
def test_what_was_covered_by_a_cancelled_grant_is_earned_under_a_later_link(world: World, end: str) -> None:
    """Scenario 37 and R19: of two sessions the first was to earn the badge; the new link counts the second only."""
    template = world.desk.badge_id(ONCE)
    world.desk.json("unlink", ONCE)
    world.desk.json("link", ONCE, "first-aid")
    world.desk.json("unlink", REPEATABLE)
    world.desk.pass_time(hours=1)
    world.desk.sandbox.faults.add(faults.unreachable(), "POST", times=None)
    world.complete(1, sessions=SESSIONS[:1], article=False)
    world.desk.pass_time(days=1)
    between = world.desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    world.complete(1, sessions=SESSIONS[1:], article=False)
    world.sync()
    assert sorted(world.states()) == ["covered", "planned"]
    if end == "unlink":
        world.desk.json("unlink", ONCE)
    else:
        world.desk.sandbox.archive_template(template)
        world.sync()
        world.desk.sandbox.activate_template(template)
        world.desk.json("sync", "--only", "badges")
    assert {row["reason"] for row in world.desk.json("missed", ONCE)} == {
        "badge-not-active" if end == "archive" else "unlinked"
    }
    world.desk.json("link", ONCE, "first-aid", "--since", between)
    world.calm_down()
    assert len(world.desk.issued(ONCE)) == 1


def test_two_badges_of_one_content_are_both_earned(world: World) -> None:
    """Scenario 37."""
    world.desk.json("link", "Accessible Documents", "hygiene")
    world.desk.pass_time(hours=1)
    world.complete(1, sessions=())
    assert world.sync().json["grants"]["issued"] == 2


def test_a_badge_swapped_for_another_is_earned_for_what_comes_later(world: World) -> None:
    """Scenario 37."""
    world.complete(1, sessions=())
    world.sync()
    world.desk.json("unlink", ONCE)
    world.desk.json("link", "Accessible Documents", "hygiene")
    world.desk.pass_time(hours=1)
    world.complete(2, sessions=())
    world.sync()
    assert [(badge.email, badge.template["name"]) for badge in world.desk.issued()] == [
        ("learner1@example.org", ONCE),
        ("learner2@example.org", "Accessible Documents"),
    ]


@pytest.mark.further
def test_a_badge_archived_before_sending_cancels_what_was_planned(world: World) -> None:
    """Scenario 40 and R9."""
    world.complete(1, sessions=())
    world.desk.sandbox.faults.add(faults.unreachable(), "POST", times=None)
    assert world.sync().code == 75
    world.desk.sandbox.faults.clear()
    world.desk.sandbox.archive_template(world.desk.badge_id(ONCE))
    ran = world.sync()
    assert (ran.code, ran.json["grants"]["cancelled"]) == (3, 1)
    world.desk.sandbox.activate_template(world.desk.badge_id(ONCE))
    world.desk.pass_time(hours=1)
    assert world.sync().json["grants"]["planned"] == 0
    assert world.posts() == 1


@pytest.mark.further
def test_a_badge_archived_between_the_listing_and_the_request_fails_with_credlys_words(world: World) -> None:
    """Scenario 40."""
    world.complete(1, sessions=())
    world.desk.json("sync", "--only", "badges")
    world.desk.sandbox.archive_template(world.desk.badge_id(ONCE))
    assert world.sync("--only", "grants").code == 3
    assert world.ledger()[0]["problem"].startswith("Credly refused: Validation failed: Badge template is archived")


@pytest.mark.further
@pytest.mark.parametrize("lost", [False, True])
def test_a_badge_that_comes_to_forbid_duplicates_is_earned_once(world: World, lost: bool) -> None:
    """Scenario 41: both sessions have marks of their own, and Credly might take both at the same moment (R19)."""
    world.complete(1, article=False)
    world.desk.sandbox.faults.add(faults.unreachable(), "POST", times=None)
    world.sync()
    world.desk.sandbox.faults.clear()
    world.desk.pass_time(minutes=10)
    world.desk.sandbox.change_template(world.desk.badge_id(REPEATABLE), allow_duplicate_badges=False)
    if lost:
        world.desk.sandbox.faults.add(faults.loses_answer(), "POST", times=None)
    before = world.posts()
    world.sync()
    world.calm_down()
    assert len(world.desk.issued(REPEATABLE)) == 1
    assert sorted(world.states()) == ["covered", "issued"]
    assert world.posts() == before + 1


def test_a_badge_that_comes_to_allow_duplicates_is_earned_by_later_sessions(world: World) -> None:
    """Scenario 41."""
    world.desk.sandbox.change_template(world.desk.badge_id(REPEATABLE), allow_duplicate_badges=False)
    world.complete(1, sessions=("first-aid-march",), article=False)
    world.sync()
    world.desk.sandbox.change_template(world.desk.badge_id(REPEATABLE), allow_duplicate_badges=True)
    world.complete(1, sessions=("first-aid-april",), article=False)
    world.sync()
    assert world.states() == {"issued": 2}
    assert len(world.desk.issued(REPEATABLE)) == 2
