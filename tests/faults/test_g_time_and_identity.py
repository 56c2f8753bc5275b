"""Scenarios G 69-75: clocks that jump, addresses that change or hold odd signs.

69          how times are read        tests/lms/test_times.py, tests/lms/test_progress_files.py
70, 72      odd hours and odd times   test_g_times_and_addresses.py
71          clocks that jump          here
73          one learner, many forms   test_g_times_and_addresses.py
74          odd addresses in filters  here
75          addresses that change     here
"""

from datetime import timedelta

import pytest

from tests.support import faults
from tests.support.world import ONCE, REPEATABLE, World


@pytest.mark.further
@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(days=-1), timedelta(days=-20000)])
def test_a_jump_of_our_clock_does_not_shorten_the_settling(world: World, jump: timedelta) -> None:
    """Scenario 71: the request is applied 10 minutes late, and our clock says much later, or much earlier."""
    world.complete(1, sessions=("first-aid-march",), article=False)
    world.desk.sandbox.faults.add(faults.applies_late(600), "POST")
    skew = timedelta()
    clock = world.desk.clock
    world.desk.sandbox.now = lambda: clock.now() - skew
    assert world.sync().code == 75
    skew += jump
    clock.time += jump
    for _ in range(4):
        world.desk.pass_time(minutes=2)
        assert world.sync().code == 75
        assert world.posts() == 1
    world.desk.pass_time(minutes=3)
    assert world.sync().code == 0
    world.check_all()


@pytest.mark.further
def test_absence_is_believed_on_both_clocks(world: World) -> None:
    """Scenario 71: two absences after the settling time, and a pause between them."""
    world.complete(1, sessions=("first-aid-march",), article=False)
    world.desk.sandbox.faults.add(faults.drops(), "POST")
    for seconds, posts in ((0, 1), (880, 1), (20, 1), (30, 1), (40, 2)):
        world.desk.pass_time(seconds=seconds)
        world.sync()
        assert world.posts() == posts, seconds
    world.check_all()


@pytest.mark.sampled
@pytest.mark.parametrize(
    "email", ["a+b@example.org", "o'neil@example.org", "a%2Bb@example.org", "a|b@example.org", "a,b@example.org",
              "a::b@example.org", "MÜLLER@example.org", "a&filter=x@example.org"],
)  # fmt: skip
@pytest.mark.parametrize("badge", [ONCE, REPEATABLE])
def test_an_odd_address_is_found_again(world: World, email: str, badge: str) -> None:
    """Scenario 74: what a filter cannot carry is found by the mark alone."""
    place = "hygiene," if badge == ONCE else "first-aid,first-aid-march"
    now = world.desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    header = "email,content_id,session_id,status,completed_at,first_name,last_name\n"
    world.desk.imports("progress", f'{header}"{email}",{place},completed,{now},A,B\n')
    world.desk.sandbox.faults.add(faults.loses_answer(), "POST")
    ran = world.sync()
    assert (ran.code, ran.json["grants"]["adopted"]) == (0, 1)
    assert [issued.email for issued in world.desk.issued()] == [email]


@pytest.mark.parametrize("email", ["a+b@example.org", "a&b=c@example.org", "a%2Bb@example.org"])
def test_an_odd_address_is_found_where_credly_keeps_no_mark(
    world: World, monkeypatch: pytest.MonkeyPatch, email: str
) -> None:
    """Scenario 74: then address and exact time must do."""
    issue = world.desk.sandbox.issue
    monkeypatch.setattr(
        world.desk.sandbox, "issue", lambda told: issue({**told, "issuer_earner_id": None}), raising=True
    )
    now = world.desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    world.desk.learns(f"{email},first-aid,first-aid-march,completed,{now},A,B")
    world.desk.sandbox.faults.add(faults.loses_answer(), "POST")
    ran = world.sync()
    assert (ran.code, ran.json["grants"]["adopted"]) == (0, 1)


@pytest.mark.sampled
@pytest.mark.parametrize("badge", [ONCE, REPEATABLE])
@pytest.mark.parametrize("act", [faults.loses_answer(), faults.drops()], ids=["applied", "not-applied"])
def test_an_address_that_changes_before_the_answer_is_found_earns_no_second_badge(
    world: World, badge: str, act: faults.Act
) -> None:
    """Scenario 75."""
    place = "hygiene," if badge == ONCE else "first-aid,first-aid-march"
    header = "learner_id,email,content_id,session_id,status,completed_at,first_name,last_name\n"
    now = world.desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    world.desk.imports("progress", f"{header}77,old@example.org,{place},completed,{now},A,B\n")
    world.desk.sandbox.faults.add(act, "POST")
    world.desk.sandbox.faults.add(faults.answers(500), "GET", "filter=badge_template", times=None)
    assert world.sync().code == 75
    world.desk.imports("learners", "learner_id,email,first_name,last_name\n77,new@example.org,A,B\n")
    world.calm_down()
    sent_to = "old@example.org" if world.posts() == 1 else "new@example.org"  # a resend goes to the address of today
    assert [issued.email for issued in world.desk.issued()] == [sent_to]
    assert world.states() == {"issued": 1}


def test_two_learners_who_share_an_address_share_a_badge_that_is_earned_once(world: World) -> None:
    """Scenario 75."""
    header = "learner_id,email,content_id,status,completed_at,first_name,last_name\n"
    now = world.desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = "".join(f"{number},desk@example.org,hygiene,completed,{now},A{number},B{number}\n" for number in (1, 2))
    world.desk.imports("progress", header + rows)
    assert world.sync().code == 0
    assert len(world.desk.issued(ONCE)) == 1
    assert world.states() == {"issued": 1, "covered": 1}


@pytest.mark.further
def test_a_clock_that_was_a_year_ahead_makes_nothing_wait_for_a_year(world: World) -> None:
    """Scenario 71: what was noted with a wrong clock is told by Credly's, or does not count."""
    world.desk.sandbox.tokens[0].expires_at = None
    world.desk.connect()
    world.complete(1)
    skew = timedelta(days=365)
    clock = world.desk.clock
    clock.time += skew
    world.desk.sandbox.now = lambda: clock.now() - skew
    world.desk.sandbox.faults.add(faults.drops(), "POST")
    world.desk.sandbox.faults.add(faults.unreachable(), "POST")
    assert world.sync().code == 75
    clock.time -= skew
    skew = timedelta()
    world.calm_down()
    world.check_all()
