"""Scenarios B 20, 21 and 28, looked at from the look-up: what a list proves, and whom a fault keeps waiting."""

from types import SimpleNamespace
from typing import cast

import pytest

from credly_cli.credly.client import Client
from credly_cli.errors import ErrorCode, Failure
from credly_cli.issuing.lookup import Found, look_up_all
from credly_cli.progress import Progress
from tests.support import faults
from tests.support.world import ONCE, REPEATABLE, World

LOOK_UPS = ("GET", "filter=badge_template")
HOLDER = "holder@example.org"


@pytest.mark.further
def test_a_strangers_badge_covers_nobody_where_the_filter_of_accounts_is_ignored(world: World) -> None:
    """Scenario 21: only one key of the filter is not obeyed."""
    world.desk.sandbox.switches.filter_keys_ignored = frozenset({"recipient_email_all"})
    world.desk.sandbox.issue_in_credly(world.desk.badge_id(ONCE), HOLDER, "Some", "Body")
    world.complete(1, sessions=())
    world.desk.sandbox.faults.add(faults.drops(), "POST")
    assert world.sync().code == 75
    world.calm_down()
    assert [badge.email for badge in world.desk.issued(ONCE)] == [HOLDER, "learner1@example.org"]


def test_one_filter_that_is_not_obeyed_proves_no_absence(world: World) -> None:
    """Scenario 21: however often it is asked, nothing is sent again."""
    world.desk.sandbox.switches.filter_keys_ignored = frozenset({"recipient_email"})
    world.desk.sandbox.issue_in_credly(world.desk.badge_id(ONCE), HOLDER, "Some", "Body")
    world.complete(1, sessions=())
    world.desk.sandbox.faults.add(faults.drops(), "POST")
    for _ in range(4):
        assert world.sync().code == 75
        world.desk.pass_time(minutes=16)
    assert world.posts() == 1


def test_a_badge_under_another_address_of_the_account_covers_the_learner(world: World) -> None:
    """Scenario 21: where the filter is obeyed, what it finds is the learner's."""
    world.desk.sandbox.add_user(HOLDER, "learner1@example.org")
    world.desk.sandbox.issue_in_credly(world.desk.badge_id(ONCE), HOLDER, "Learner", "One")
    world.complete(1, sessions=())
    world.desk.sandbox.faults.add(faults.drops(), "POST")
    world.sync()
    assert world.states() == {"covered": 1}


@pytest.mark.parametrize("listed", [False, True], ids=["by the look-up", "by the listing"])
def test_a_badge_with_the_grants_own_mark_is_found_in_any_list(world: World, listed: bool) -> None:
    """Scenario 21: a list that ignores the filter proves no absence, but what it shows is there."""
    world.desk.sandbox.switches.filter_ignored = True
    world.desk.sandbox.faults.add(faults.loses_answer(), "POST")
    world.complete(1, sessions=("first-aid-march",), article=False)
    ran = world.sync(*(() if listed else ("--only", "grants")))
    if listed:
        world.desk.sandbox.faults.add(faults.answers(500), *LOOK_UPS, times=None)
        ran = world.sync()
    assert world.states() == {"issued": 1}
    assert ran.code == 0


def poison(world: World, count: int) -> None:
    """Let the look-ups of the first grants fail, always, and no others."""
    world.desk.sandbox.faults.clear()
    with world.desk.store() as store:
        rows = store.rows("SELECT earner_id FROM grants ORDER BY id LIMIT ?", (count,))
    for row in rows:
        world.desk.sandbox.faults.add(faults.answers(500), "GET", row["earner_id"], times=None)


@pytest.mark.further
def test_uncertain_grants_that_cannot_be_looked_up_keep_no_others_waiting(world: World) -> None:
    """Scenario 28, of look-ups: five that always fail, and one behind them."""
    world.desk.sandbox.faults.add(faults.answers(500), *LOOK_UPS, times=None)
    world.desk.sandbox.faults.add(faults.loses_answer(), "POST", times=6)
    for learners in ((1, 2, 3), (4, 5), (6,)):
        world.complete(*learners, sessions=())
        assert world.sync("--only", "grants").code == 75
    poison(world, 5)
    for _ in range(2):
        world.desk.pass_time(minutes=16)
        assert world.sync("--only", "grants").code == 75
    assert world.states() == {"issued": 1, "uncertain": 5}


@pytest.mark.further
def test_planned_grants_about_which_credly_does_not_answer_keep_no_others_waiting(world: World) -> None:
    """Scenario 28: what Credly would issue twice is asked about first, where no list of issued badges was read."""
    world.desk.sandbox.faults.add(faults.answers(500), *LOOK_UPS, times=None)
    world.complete(1, 2, 3, 4, 5, 6, sessions=("first-aid-march",), article=False)
    assert world.sync("--only", "grants").code == 75
    poison(world, 5)
    for _ in range(2):
        world.desk.pass_time(minutes=16)
        assert world.sync("--only", "grants").code == 75
    assert world.states() == {"issued": 1, "planned": 5}


def test_five_look_ups_in_a_row_that_fail_end_them_and_an_answer_begins_the_count_anew() -> None:
    """Scenario 28: four, an answer, and five more."""
    client = cast("Client", SimpleNamespace(parallel=1, progress=Progress()))
    nothing = Found([], conclusive=True, server_date=None)

    def ask(_client: Client, number: int) -> Found:
        if number != 4:
            raise Failure("server-error", "Credly failed.")
        return nothing

    answers = [answer for _, answer in look_up_all(client, range(20), ask)]
    assert [isinstance(answer, Failure) for answer in answers] == [*[True] * 4, False, *[True] * 5]


@pytest.mark.parametrize("code", ["token-refused", "rate-limited"])
def test_what_concerns_all_look_ups_ends_them_at_once(code: ErrorCode) -> None:
    client = cast("Client", SimpleNamespace(parallel=1, progress=Progress()))

    def ask(_client: Client, _number: int) -> Found:
        raise Failure(code, "No.")

    assert len(list(look_up_all(client, range(20), ask))) == 1


@pytest.mark.further
def test_a_badge_that_was_there_before_is_not_taken_for_the_one_sent(world: World) -> None:
    """R22 and R23: the learner's earlier badge was revoked, and the request to issue anew never arrived."""
    now = world.desk.clock.now()
    header = "learner_id,email,content_id,status,completed_at,first_name,last_name\n"
    row = f"1,ada@example.org,hygiene,completed,{now:%Y-%m-%dT%H:%M:%SZ},Ada,Lovelace\n"
    held = world.desk.sandbox.issue_in_credly(
        world.desk.badge_id(ONCE), "ada@example.org", "Ada", "Lovelace", issuer_earner_id="1"
    )
    world.desk.imports("progress", header + row)
    world.sync()
    assert world.states() == {"covered": 1}
    world.desk.sandbox.revoke(held.id)
    world.sync()
    world.desk.sandbox.faults.add(faults.drops(), "POST")
    issued_at = f"{now:%Y-%m-%d}"
    assert world.desk.run("grant", "ada@example.org", ONCE, "--issued-at", issued_at).code == 75
    world.desk.pass_time(minutes=16)
    world.calm_down()
    assert [badge.state for badge in world.desk.issued(ONCE)] == ["revoked", "pending"]


@pytest.mark.further
def test_what_was_issued_by_hand_is_not_missed_by_a_list_that_lags(world: World) -> None:
    """Scenario 20 and R23: never yet seen in a listing, so not deleted, and not issued a second time."""
    world.desk.config("[grants]\nsettle_seconds = 60\n")
    now = world.desk.clock.now()
    world.desk.learns(f"ada@example.org,first-aid,first-aid-march,in progress,{now:%Y-%m-%dT%H:%M:%SZ},Ada,Lovelace")
    world.desk.sandbox.switches.list_lag = 3600
    world.desk.json("grant", "ada@example.org", REPEATABLE)
    world.desk.pass_time(minutes=10)
    assert world.sync().json["issued_badges"]["removed"] == 0
    assert world.desk.json("grant", "ada@example.org", REPEATABLE, code=6)["error"]["code"] == "already-earned"
    world.desk.sandbox.switches.list_lag = 0
    world.sync()
    world.desk.sandbox.delete(world.desk.issued()[0].id)
    world.desk.pass_time(minutes=10)
    assert world.sync().json["issued_badges"]["removed"] == 1


def test_where_the_filter_of_marks_is_not_obeyed_nothing_is_proved_and_badges_wait(world: World) -> None:
    """Scenario 21: only one key of the filter is ignored, so its list shows a stranger's badge."""
    world.desk.sandbox.switches.filter_keys_ignored = frozenset({"issuer_earner_id"})
    world.desk.sandbox.issue_in_credly(world.desk.badge_id(REPEATABLE), HOLDER, "Some", "Body")
    world.complete(1, sessions=("first-aid-march",), article=False)
    ran = world.sync("--only", "grants")
    assert (ran.code, world.states(), world.posts()) == (75, {"planned": 1}, 0)
    assert [problem["message"] for problem in ran.json["problems"]] == [
        "Credly did not tell what some learners hold, so their badges wait."
    ]


def test_look_ups_that_fail_with_answers_between_them_do_not_end_the_others(world: World) -> None:
    """Five failures in a row end the look-ups; eight of ten, never five in a row, do not."""
    world.complete(*range(11, 21), sessions=("first-aid-march",), article=False)
    for number in (11, 12, 13, 14, 16, 17, 18, 19):
        world.desk.sandbox.faults.add(faults.answers(500), "GET", f"recipient_email.*learner{number}", times=None)
    assert world.sync("--only", "grants").code == 75
    issued = {badge.email for badge in world.desk.issued()}
    assert issued == {"learner15@example.org", "learner20@example.org"}


@pytest.mark.further
def test_a_grant_is_looked_up_once_in_a_run(world: World) -> None:
    """R18: the second absence that lets a badge be sent again belongs to another run, however short the pause."""
    world.desk.config("[grants]\nrecheck_seconds = 0\n")
    world.complete(1, sessions=("first-aid-march",), article=False)
    world.desk.sandbox.faults.add(faults.drops(), "POST")
    assert world.sync().code == 75
    world.desk.sandbox.faults.clear()
    world.desk.pass_time(minutes=16)
    world.desk.sandbox.log.clear()
    assert world.sync().code == 75
    assert world.states() == {"uncertain": 1}
    assert world.desk.sandbox.log.count("GET", "issuer_earner_id") == 1
    assert world.sync().code == 0
    world.check_all()


@pytest.mark.further
def test_a_clock_that_goes_back_between_two_looks_lets_the_pause_begin_anew(world: World) -> None:
    """Scenario 71: the second absence counts only when the pause has passed since the clock was set."""
    world.desk.config("[grants]\nrecheck_seconds = 600\n")
    world.complete(1, sessions=("first-aid-march",), article=False)
    world.desk.sandbox.faults.add(faults.drops(), "POST")
    world.sync()
    world.desk.sandbox.faults.clear()
    for minutes, state in ((40, "uncertain"), (-15, "uncertain"), (9, "uncertain"), (2, "issued")):
        world.desk.pass_time(minutes=minutes)
        world.sync()
        assert world.states() == {state: 1}, minutes
    world.check_all()


def test_a_token_refused_while_credly_is_asked_about_old_grants_ends_the_run(world: World) -> None:
    """Scenario 23, of look-ups: what cannot be asked about is not sent."""
    world.complete(1, sessions=("first-aid-march",), article=False)
    world.desk.sandbox.faults.add(faults.answers(401), *LOOK_UPS, times=None)
    ran = world.sync("--only", "grants")
    assert (ran.code, [problem["code"] for problem in ran.json["problems"]]) == (4, ["token-refused"])
    assert (world.states(), world.posts()) == ({"planned": 1}, 0)


@pytest.mark.further
@pytest.mark.parametrize(("issued_at", "state"), [("2026-02-27 10:00:00 +0000", "covered"), (None, "issued")])
def test_a_badge_with_the_learners_mark_is_the_grants_only_where_it_bears_its_day(
    world: World, issued_at: str | None, state: str
) -> None:
    """The mark of a badge that is earned once is the learner's: one from another day was issued elsewhere (R20)."""
    world.complete(1, sessions=())
    world.desk.sandbox.faults.add(faults.drops(), "POST")
    assert world.sync().code == 75
    (grant,) = world.ledger()
    with world.desk.store() as store:
        ((mark,),) = store.connection.execute("SELECT earner_id FROM grants")
    badge, at = world.desk.badge_id(ONCE), issued_at or grant["completed_at"]
    who = (badge, "learner1@example.org", "First1", "Last1")
    world.desk.sandbox.issue_in_credly(*who, issued_at=at, issuer_earner_id=mark)
    world.calm_down()
    assert world.states() == {state: 1}
    assert len(world.desk.issued(ONCE)) == 1


def test_of_two_badges_with_a_grants_mark_and_day_the_one_of_its_second_is_adopted(world: World) -> None:
    """Somebody issued the badge beside ours, on the same day: ours is the one that bears the time that was sent."""
    world.complete(1, sessions=())
    (at,) = [at for *_, at in world.completed]
    badge, who = world.desk.badge_id(ONCE), ("learner1@example.org", "First1", "Last1")
    world.desk.sandbox.faults.add(faults.loses_answer(), "POST")
    world.desk.sandbox.faults.add(faults.answers(500), *LOOK_UPS, times=None)
    world.sync()
    with world.desk.store() as store:
        ((mark,),) = store.connection.execute("SELECT earner_id FROM grants")
    (ours,) = world.desk.issued(ONCE)
    beside = {"issued_at": f"{at[:10]} 00:00:01 +0000", "issuer_earner_id": mark, "duplicate_behavior": "allow"}
    world.desk.sandbox.issue_in_credly(badge, *who, **beside).created_at = "2026-03-01T00:00:00.000Z"  # the older one
    world.desk.sandbox.faults.clear()
    world.sync("--only", "grants")
    assert [grant["issued_badge_id"] for grant in world.ledger()] == [ours.id]
