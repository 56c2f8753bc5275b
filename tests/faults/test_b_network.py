"""Scenarios B 15-30: whatever the network and Credly answer, each completion earns exactly one badge.

15-18, 21, 22, 24, 25, 27, 28, 30  in process and over a socket      here
16, 17                             cut, reset, dripping answers      here, the dripping one in process
19, 20                             late work, late lists             here, with a clock that is moved
23                                 a token refused in mid-run        here
26                                 closed keep-alive connections     here, over a socket
29                                 .netrc, proxies, certificates     tests/credly/test_http.py
"""

import json
import sqlite3
import time
from dataclasses import replace
from email.utils import format_datetime
from typing import Any
from uuid import uuid4

import pytest

from credly_cli.sandbox.records import Response
from credly_cli.signals import Interruption
from tests.support import faults
from tests.support.faults import Act
from tests.support.world import ONCE, REPEATABLE, World

UNCLEAR: dict[str, Act] = {
    "dropped": faults.drops(),
    "reset": faults.drops(reset=True),
    "answer-lost": faults.loses_answer(),
    "answer-reset": faults.loses_answer(reset=True),
    "body-cut": faults.cuts_body(30),
    "body-empty": faults.works_then_answers(201, b""),
    "created-not-said": faults.works_then_answers(201, b"{}"),
    "html": faults.works_then_answers(201, b"<html>", Content_Type="text/html"),
    "not-gzip": faults.works_then_answers(201, b"no gzip", Content_Encoding="gzip"),
    "ten-megabytes": faults.works_then_answers(201, b"x" * 10_000_000),
    "ok-without-work": faults.answers(200, b"{}"),
    "500-before": faults.answers(500),
    "500-after": faults.works_then_answers(500),
    "502-after": faults.works_then_answers(502),
    "503-after": faults.works_then_answers(503),
    "504-after": faults.works_then_answers(504),
    "408": faults.answers(408),
    "409": faults.works_then_answers(409),
    "418-page": faults.answers_html(418),
}
NOT_DONE = {"dropped", "reset", "ok-without-work", "500-before", "408", "418-page"}


@pytest.mark.sampled
@pytest.mark.parametrize("name", UNCLEAR)
def test_an_unclear_answer_is_looked_up_and_never_simply_sent_again(any_world: World, name: str) -> None:
    """Scenarios 16, 17, 18."""
    any_world.complete(1)
    any_world.desk.sandbox.faults.add(UNCLEAR[name], "POST", times=2)
    ran = any_world.sync()
    assert any_world.posts() == 3
    assert ran.code == (75 if name in NOT_DONE else 0)
    assert ran.json["grants"]["adopted"] == (0 if name in NOT_DONE else 2)
    any_world.sync()
    assert any_world.posts() == 3
    any_world.calm_down()
    assert any_world.posts() == (5 if name in NOT_DONE else 3)
    any_world.check_all()


@pytest.mark.further
def test_unreachable_is_not_sent(world: World) -> None:
    """Scenario 15."""
    world.complete(1)
    world.desk.sandbox.faults.add(faults.unreachable(), "POST", times=2)
    ran = world.sync()
    assert (ran.code, ran.json["grants"]["uncertain"], ran.json["grants"]["issued"]) == (75, 0, 1)
    assert world.states() == {"planned": 2, "issued": 1}
    world.calm_down(minutes=2)
    world.check_all()


@pytest.mark.further
def test_an_answer_that_takes_too_long_is_unclear(world: World) -> None:
    """Scenario 17: the read timeout."""
    world.complete(1)
    world.desk.sandbox.faults.add(faults.delays(61), "POST", times=None)
    ran = world.sync()
    assert (ran.code, ran.json["grants"]["adopted"]) == (0, 3)
    world.calm_down()
    world.check_all()


@pytest.mark.further
@pytest.mark.parametrize("settle_seconds", [900, 0])
def test_work_done_ten_minutes_late_is_waited_for_by_the_settling_time(world: World, settle_seconds: int) -> None:
    """Scenario 19: with a shorter settling time than Credly's lateness, badges are doubled; that is what it is for."""
    world.desk.config(f"[grants]\nsettle_seconds = {settle_seconds}\n")
    world.complete(1, article=False)
    world.desk.sandbox.faults.add(faults.applies_late(600), "POST", times=2)
    for minutes in (0, 2, 2, 7, 6, 2):
        world.desk.pass_time(minutes=minutes)
        world.sync()
    if settle_seconds:
        world.calm_down()
        world.check_all()
        assert world.posts() == 2
    else:
        assert len(world.desk.issued(REPEATABLE)) == 4


@pytest.mark.further
def test_a_list_that_lags_is_outlived_by_the_settling_time(world: World) -> None:
    """Scenario 20."""
    world.complete(1)
    world.desk.sandbox.switches.list_lag = 60
    world.desk.sandbox.faults.add(faults.loses_answer(), "POST", times=3)
    assert world.sync().code == 75
    world.calm_down()
    assert world.posts() == 3
    world.check_all()


@pytest.mark.further
def test_a_list_that_ignores_the_filter_proves_nothing(any_world: World) -> None:
    """Scenario 21."""
    any_world.complete(1, 2)
    any_world.desk.sandbox.faults.add(faults.loses_answer(), "POST", times=3)
    any_world.desk.sandbox.faults.add(faults.answers(500), "POST", nth=1)
    any_world.desk.sandbox.switches.filter_ignored = True
    for _ in range(3):
        assert any_world.sync("--only", "grants").code == 75
        any_world.desk.pass_time(minutes=20)
    assert any_world.posts() <= 6
    any_world.check_none_doubled()
    any_world.desk.sandbox.switches.filter_ignored = False
    any_world.calm_down()
    any_world.check_all()


@pytest.mark.further
@pytest.mark.parametrize("told", ["3", "0", "-5", "nonsense", "", "date"])
def test_a_request_to_slow_down_is_obeyed(any_world: World, told: str) -> None:
    """Scenario 22."""
    any_world.complete(1, 2, 3)
    if told == "date":
        told = format_datetime(any_world.desk.clock.now().replace(second=30), usegmt=True)
    headers: dict[str, Any] = {"Retry_After": told} if told else {}
    any_world.desk.sandbox.faults.add(faults.answers(429, **headers), "POST", times=2)
    before = any_world.desk.clock.now()
    assert any_world.sync().code == 0
    assert (any_world.desk.clock.now() - before).total_seconds() >= 5 + (3 if told == "3" else 1)
    assert any_world.posts() == 11
    assert max(grant["attempts"] for grant in any_world.ledger()) == 1
    any_world.check_all()


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("options", "told"), [(("--max-seconds", "60"), "90"), ((), "86400"), ((), "999999999999"), ((), "9" * 400)]
)
def test_a_pause_longer_than_the_run_may_take_ends_it(world: World, options: tuple[str, ...], told: str) -> None:
    """Scenario 22."""
    world.complete(1, 2)
    world.desk.sandbox.faults.add(faults.answers(429, Retry_After=told), "POST", times=None)
    before = world.desk.clock.now()
    ran = world.sync(*options)
    assert (ran.code, ran.json["problems"][0]["code"]) == (75, "rate-limited")
    assert (world.desk.clock.now() - before).total_seconds() < 60
    assert world.posts() <= 4
    assert world.states() == {"planned": 6}
    world.calm_down()
    world.check_all()


def test_a_run_with_enough_time_waits_as_long_as_it_is_asked_to(world: World) -> None:
    """Scenario 22: without an end of its own it would not."""
    world.complete(1)
    world.desk.sandbox.faults.add(faults.answers(429, Retry_After="300"), "POST")
    assert world.sync("--max-seconds", "600").code == 0
    world.check_all()


def test_whoever_was_asked_to_slow_down_sends_one_after_the_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 22: whatever may be under way at once."""
    under_way: list[int] = []
    issue = world.desk.sandbox.issue

    def count(fields: Any) -> Any:
        under_way.append(world.states()["sending"])
        return issue(fields)

    monkeypatch.setattr(world.desk.sandbox, "issue", count)
    world.complete(1, 2)
    world.desk.sandbox.faults.add(faults.answers(429), "POST", times=4)
    assert world.sync().code == 0
    assert under_way == [1] * 6


def test_an_answer_is_kept_while_another_is_awaited(world: World) -> None:
    """Scenario 17: a slow one holds up neither the others nor the store."""
    kept = []

    def wait(work: object, _stage: object) -> Response:
        end = time.monotonic() + 30
        while not world.states()["issued"] and time.monotonic() < end:
            time.sleep(0.01)
        kept.append(world.states()["issued"])
        done = work()  # type: ignore[operator]
        assert isinstance(done, Response)
        return done

    world.complete(1)
    world.desk.sandbox.faults.add(wait, "POST")
    world.sync()
    assert kept[0]
    world.check_all()


@pytest.mark.further
def test_who_is_asked_to_stop_sends_nothing_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.desk.config("[credly]\nparallel = 1\n")
    world.complete(1, 2)
    monkeypatch.setattr(Interruption, "is_set", lambda _: world.posts() >= 2)
    assert world.sync().json["problems"][-1]["code"] == "interrupted"
    assert world.states() == {"issued": 2, "planned": 4}


def test_why_a_run_stopped_first_is_what_it_says(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused token, and then somebody stops the run as well."""
    world.desk.config("[credly]\nparallel = 1\n")
    world.complete(1, 2)
    monkeypatch.setattr(Interruption, "is_set", lambda _: world.posts() >= 1)
    world.desk.sandbox.faults.add(faults.answers(401), "POST", times=None)
    assert [problem["code"] for problem in world.sync().json["problems"]] == ["token-refused"]


def test_who_asks_to_slow_down_each_time_is_not_asked_for_ever(world: World) -> None:
    """Scenario 22: five in a row, beside those that were under way, end the run."""
    world.complete(*range(6))
    world.desk.sandbox.faults.add(faults.answers(429, Retry_After="1"), "POST", times=None)
    ran = world.sync("--max-seconds", "600")
    assert (ran.code, ran.json["problems"][0]["code"]) == (75, "rate-limited")
    assert 5 <= world.posts() <= 5 + 2 * 4
    world.calm_down()
    world.check_all()


@pytest.mark.slow
def test_a_rate_limit_is_found_without_hammering(world: World) -> None:
    """Scenario 22: fewer than 10 refusals in 500 requests against 50 a second."""
    world.complete(*range(170))
    world.desk.sandbox.switches.rate_limit = 50
    for _ in range(8):
        if world.sync("--only", "grants").code == 0:
            break
    assert world.desk.sandbox.log.count("POST", status=429) < 10
    world.desk.sandbox.switches.rate_limit = None
    world.calm_down()
    world.check_all()


MANY = pytest.mark.further


@pytest.mark.further
@pytest.mark.parametrize(
    ("window", "learners"), [(60, 12), pytest.param(20, 50, marks=MANY), pytest.param(60, 50, marks=MANY)]
)
def test_a_limit_of_requests_in_a_window_is_waited_for(world: World, window: int, learners: int) -> None:
    """Scenario 22, R18: 150 badges against 20 requests a window go out in one run of ten minutes, by a still clock."""
    world.complete(*range(learners))
    switches = world.desk.sandbox.switches
    switches.rate_limit, switches.rate_limit_window, switches.rate_limit_retry_after = 20, window, None
    before = world.desk.clock.now()
    ran = world.sync("--max-seconds", "600")
    assert (ran.code, ran.json["grants"]["issued"]) == (0, 3 * learners)
    assert (world.desk.clock.now() - before).total_seconds() <= 600
    switches.rate_limit = None
    world.check_all()


@pytest.mark.further
def test_a_window_beyond_the_time_of_the_run_is_not_waited_for(world: World) -> None:
    """Scenario 22."""
    world.complete(*range(20))
    switches = world.desk.sandbox.switches
    switches.rate_limit, switches.rate_limit_window, switches.rate_limit_retry_after = 20, 60, None
    before = world.desk.clock.now()
    ran = world.sync("--max-seconds", "50")
    assert ran.code == 75
    assert (world.desk.clock.now() - before).total_seconds() <= 55
    assert "rate-limited" in {problem["code"] for problem in ran.json["problems"]}
    switches.rate_limit = None
    world.calm_down()
    world.check_all()


@pytest.mark.further
def test_a_token_refused_in_mid_run_stops_it_and_touches_no_grant(world: World) -> None:
    """Scenario 23."""
    world.complete(*range(20))
    world.desk.sandbox.faults.add(faults.answers(401), "POST", nth=3, times=None)
    ran = world.sync()
    assert ran.code == 4
    assert world.posts() <= 3 + 4
    assert set(world.states()) == {"issued", "planned"}
    assert ran.json["status"] == "partial"
    world.calm_down()
    world.check_all()


def test_a_page_of_a_firewall_is_no_refused_token_and_passes(world: World) -> None:
    """R18: it let nothing through, so the badge is sent again."""
    world.complete(1)
    world.desk.sandbox.faults.add(faults.answers_html(403), "POST", "/badges$")
    ran = world.sync()
    assert ran.code == 75
    assert {problem["code"] for problem in ran.json["problems"]}.isdisjoint({"token-forbidden", "token-refused"})
    world.calm_down()
    world.check_all()


@pytest.mark.further
@pytest.mark.parametrize("badge", [ONCE, REPEATABLE])
def test_a_duplicate_that_credly_refuses_is_covered(world: World, badge: str) -> None:
    """Scenario 24; where duplicates were allowed when it was planned, they are not any more."""
    world.complete(1, sessions=(), article=badge == ONCE)
    if badge == REPEATABLE:
        world.complete(1, sessions=("first-aid-march",), article=False)
    world.desk.sandbox.templates[world.desk.badge_id(badge)]["allow_duplicate_badges"] = False
    world.desk.sandbox.issue_in_credly(
        world.desk.badge_id(badge), "learner1@example.org", "A", "B", issued_at="2020-01-01 00:00:00 +0000"
    )
    ran = world.sync("--only", "grants")
    assert (ran.code, ran.json["grants"]["covered"]) == (0, 1)
    assert world.posts() == 1
    assert world.sync().code == 0
    assert world.posts() == 1


@pytest.mark.sampled
@pytest.mark.parametrize(
    "message",
    [
        "Invalid or missing Badge Template ID: x",
        "Recipient email is invalid",
        "Recipient email already@example.org is invalid",
        "",
        r"Name \ud83d is invalid",
    ],
)
def test_any_other_refusal_fails_with_credlys_words(any_world: World, message: str) -> None:
    """Scenario 24: known by its absence on Credly, not by its text."""
    any_world.complete(1, sessions=())
    body = f'{{"data":{{"message":"{message}"}},"metadata":null}}'.encode()
    any_world.desk.sandbox.faults.add(faults.answers(422, body), "POST", times=None)
    assert any_world.sync().code == 3
    assert any_world.states() == {"failed": 1}
    assert (json.loads(f'"{message}"') or "status 422").replace("\ud83d", "?") in any_world.ledger()[0]["problem"]
    any_world.desk.pass_time(hours=1)
    assert any_world.sync().code == 0
    assert any_world.posts() == 1


def test_a_refusal_as_duplicate_that_cannot_be_found_settles_and_fails(world: World) -> None:
    """Scenario 24, R20: one look-up after the settling time tells, since nothing of it was applied."""
    world.complete(1, sessions=())
    body = b'{"data":{"message":"User already has this badge"},"metadata":{}}'
    world.desk.sandbox.faults.add(faults.answers(422, body), "POST", times=None)
    codes = []
    for minutes in (0, 16, 2, 1):
        world.desk.pass_time(minutes=minutes)
        codes.append(world.sync().code)
    assert codes == [75, 3, 0, 0]
    assert world.posts() == 1


def test_a_refusal_is_not_believed_where_the_badge_is_there(world: World) -> None:
    """A 422 may follow an earlier request that was applied: the badge is found by its mark."""
    world.complete(1, sessions=("first-aid-march",), article=False)
    world.desk.sandbox.faults.add(faults.works_then_answers(422), "POST")
    ran = world.sync()
    assert (ran.code, ran.json["grants"]["adopted"]) == (0, 1)
    world.check_all()


@pytest.mark.parametrize("status", [400, 413, 415])
def test_what_credly_cannot_read_fails_and_others_go_on(world: World, status: int) -> None:
    """Scenario 24."""
    world.complete(1)
    world.desk.sandbox.faults.add(faults.answers(status), "POST")
    assert world.sync().code == 3
    assert world.states() == {"failed": 1, "issued": 2}


@pytest.mark.sampled
@pytest.mark.parametrize("status", [405, 406, 410, 418, 423, 451])
def test_a_refusal_of_another_status_ends_with_credlys_words(world: World, status: int) -> None:
    """R33: it was uncertain for ever, and sent again each time that it settled."""
    world.complete(1)
    world.desk.sandbox.faults.add(faults.answers(status, b'{"data":{"message":"Not like this"}}'), "POST")
    ran = world.sync()
    assert (ran.code, [problem["code"] for problem in ran.json["problems"]]) == (3, ["grant-failed"])
    assert "Not like this" in ran.json["problems"][0]["message"]
    assert world.states() == {"failed": 1, "issued": 2}
    assert world.posts() == 3


@pytest.mark.further
@pytest.mark.parametrize(
    ("status", "target"),
    [
        (301, "same"),
        (302, "https://elsewhere.example/v1/x"),
        (303, "same"),
        (307, "http://elsewhere.example/"),
        (308, "same"),
    ],
)
def test_a_redirect_is_never_followed(any_world: World, status: int, target: str) -> None:
    """Scenario 25."""
    any_world.complete(1, 2, 3)
    target = "/v1/organizations" if target == "same" else target
    any_world.desk.sandbox.faults.add(faults.redirects(target, status), "POST", times=None)
    ran = any_world.sync()
    assert ran.code == 78
    assert any_world.posts() <= 4
    assert set(any_world.states()) == {"planned"}
    any_world.calm_down()
    any_world.check_all()


@pytest.mark.further
def test_a_connection_that_was_closed_is_no_lost_badge(any_world: World) -> None:
    """Scenario 26."""
    any_world.complete(1, 2, 3)
    any_world.desk.sandbox.faults.add(faults.hangs_up(), "POST", times=None)
    any_world.sync()
    any_world.complete(4, 5)
    any_world.desk.pass_time(seconds=40)
    any_world.sync()
    any_world.calm_down()
    any_world.check_all()


@pytest.mark.further
def test_five_failures_in_a_row_stop_the_run(any_world: World) -> None:
    """Scenario 27."""
    any_world.complete(*range(12))
    any_world.desk.sandbox.faults.add(faults.answers(503), "POST", times=None)
    ran = any_world.sync()
    assert (ran.code, ran.json["problems"][-1]["code"]) == (75, "server-error")
    assert any_world.posts() <= 5 + 4
    any_world.calm_down()
    any_world.check_all()


def test_the_fifth_failure_stops_the_run_and_no_earlier_one(world: World) -> None:
    """Scenario 27."""
    world.complete(*range(3))
    world.desk.config("[credly]\nparallel = 1\n")
    world.desk.sandbox.faults.add(faults.answers(503), "POST", times=None)
    assert "failed 5 times in a row" in world.sync().json["problems"][-1]["message"]
    assert world.posts() == 5


@pytest.mark.further
@pytest.mark.parametrize("act", [faults.answers(500), faults.answers(422), faults.drops()])
def test_one_grant_that_always_fails_never_stops_the_others(world: World, act: Act) -> None:
    """Scenario 28."""
    world.complete(*range(12))
    poison = {"learner7@example.org"}

    def answer(work: object, stage: object) -> Response:
        counted = len(world.desk.sandbox.book)
        done = work()  # type: ignore[operator]
        new = world.desk.sandbox.book.in_order[counted:]
        if new and new[0].email in poison:
            world.desk.sandbox.delete(new[0].id)
            return act(lambda: done, stage)  # type: ignore[arg-type]
        assert isinstance(done, Response)
        return done

    world.desk.config("[credly]\nparallel = 1\n")
    world.desk.sandbox.faults.add(answer, "POST", times=None)
    world.sync()
    assert len(world.desk.issued()) == 11 * 3


@pytest.mark.further
def test_a_badge_that_credly_does_not_know_makes_its_grants_wait_and_others_go_on(world: World) -> None:
    """Scenario 40, and 404 of the table of answers."""
    world.complete(1, 2)
    unknown = world.desk.badge_id(ONCE)

    def answer(work: object, _stage: object) -> Response:
        counted = len(world.desk.sandbox.book)
        done = work()  # type: ignore[operator]
        new = world.desk.sandbox.book.in_order[counted:]
        if new and new[0].template_id == unknown:
            world.desk.sandbox.delete(new[0].id)
            return faults.answers(404)(lambda: done, None)  # type: ignore[arg-type]
        assert isinstance(done, Response)
        return done

    world.desk.config("[credly]\nparallel = 1\n")
    world.desk.sandbox.faults.add(answer, "POST", times=None)
    ran = world.sync()
    assert (ran.code, ran.json["grants"]["issued"], ran.json["grants"]["failed"]) == (75, 4, 0)
    assert world.posts() == 5
    world.calm_down()
    world.check_all()


@pytest.mark.further
def test_an_answer_about_another_grant_is_unclear(world: World) -> None:
    """Scenario 30."""
    world.complete(1)
    answers: list[Response] = []

    def swap(work: object, _stage: object) -> Response:
        answers.append(work())  # type: ignore[operator]
        return answers[0]

    world.desk.config("[credly]\nparallel = 1\n")
    world.desk.sandbox.faults.add(swap, "POST", times=None)
    ran = world.sync()
    assert (ran.code, ran.json["grants"]["adopted"]) == (0, 2)
    world.calm_down()
    world.check_all()


@pytest.mark.sampled
@pytest.mark.parametrize(
    "wrong",
    [
        {"badge_template": {"id": "x", "name": "X"}},
        {"issuer_earner_id": "x"},
        {"issuer_earner_id": None, "recipient_email": "somebody@example.org"},
        {"issuer_earner_id": None, "recipient_email": None},
        {"recipient_email": "somebody@example.org"},
    ],
    ids=str,
)
def test_an_answer_about_something_else_is_looked_up(world: World, wrong: dict[str, Any]) -> None:
    """Scenario 30."""
    world.complete(1, sessions=())

    def distort(work: object, _stage: object) -> Response:
        answer: Response = work()  # type: ignore[operator]
        data = json.loads(answer.body)["data"]
        return replace(answer, body=json.dumps({"data": {**data, "id": str(uuid4()), **wrong}}).encode())

    world.desk.sandbox.faults.add(distort, "POST")
    ran = world.sync()
    assert (ran.code, ran.json["grants"]["adopted"]) == (0, 1)
    world.check_all()


def test_a_badge_issued_by_hand_is_not_taken_for_a_lost_one(world: World) -> None:
    """docs/exactly-once.md, 5: a badge of the same learner that is of another day and mark is not this grant's."""
    world.complete(1, sessions=("first-aid-march",), article=False)
    by_hand = {"issued_at": "2020-01-01 00:00:00 +0000", "issuer_earner_id": "by-hand"}
    world.desk.sandbox.issue_in_credly(world.desk.badge_id(REPEATABLE), "learner1@example.org", "A", "B", **by_hand)
    world.desk.sandbox.faults.add(faults.drops(), "POST")
    assert world.sync().code == 75
    world.calm_down()
    assert (world.posts(), len(world.desk.issued())) == (2, 2)


def test_a_badge_held_from_elsewhere_covers_an_uncertain_grant(world: World) -> None:
    """R20: it is not said to be issued by us."""
    world.complete(1, sessions=())
    world.desk.json("sync", "--only", "issued")
    by_hand = {"issued_at": "2020-01-01 00:00:00 +0000", "issuer_earner_id": "by-hand"}
    world.desk.sandbox.issue_in_credly(world.desk.badge_id(ONCE), "learner1@example.org", "A", "B", **by_hand)
    world.desk.sandbox.faults.add(faults.drops(), "POST")
    ran = world.sync("--only", "grants")
    assert (ran.code, ran.json["grants"]["covered"], ran.json["grants"]["adopted"]) == (0, 1, 0)


def test_a_resend_bears_the_same_mark_and_time_and_the_name_of_today(world: World) -> None:
    """docs/exactly-once.md, 5; R17: what was corrected since the first try goes out right."""
    world.complete(1, sessions=("first-aid-march",), article=False)
    world.desk.sandbox.faults.add(faults.drops(), "POST")
    assert world.sync().code == 75
    world.desk.imports("learners", "email,first_name,last_name\nlearner1@example.org,Other,Name\n")
    world.calm_down()
    with world.desk.store() as store:
        first, second = (json.loads(row["body"]) for row in store.rows("SELECT body FROM attempts ORDER BY id"))
        assert json.loads(store.value("SELECT body FROM grants")) == second
    names = {"issued_to_first_name": "Other", "issued_to_last_name": "Name"}
    assert second == first | names
    assert world.desk.issued()[0].details.first_name == "Other"


@pytest.mark.further
@pytest.mark.parametrize("badge", [ONCE, REPEATABLE])
def test_a_resend_goes_to_the_address_of_today_when_another_has_the_old_one(world: World, badge: str) -> None:
    """R17, R18: the request never arrived, and meanwhile the LMS gave Ann a new address and her old one to Bob."""
    place = "hygiene," if badge == ONCE else "first-aid,first-aid-march"
    header = "learner_id,email,content_id,session_id,status,completed_at,first_name,last_name\n"
    now = world.desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    world.desk.imports("progress", f"{header}1,a@example.org,{place},completed,{now},Ann,Aye\n")
    world.desk.sandbox.faults.add(faults.drops(), "POST")
    assert world.sync().code == 75
    world.desk.imports("learners", "learner_id,email,first_name,last_name\n1,ann@example.org,Ann,Aye\n")
    world.desk.imports("learners", "learner_id,email,first_name,last_name\n2,a@example.org,Bob,Bee\n")
    world.desk.pass_time(minutes=1)
    now = world.desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    world.desk.imports("progress", f"{header}2,a@example.org,{place},completed,{now},Bob,Bee\n")
    world.calm_down()
    issued = {(one.email, one.details.first_name) for one in world.desk.issued()}
    assert issued == {("ann@example.org", "Ann"), ("a@example.org", "Bob")}
    assert world.states() == {"issued": 2}


def test_a_lost_badge_is_found_under_the_address_of_then(world: World) -> None:
    """R18: the answer was lost and Credly keeps no ids; the address that it was sent to is asked for, too."""
    header = "learner_id,email,content_id,session_id,status,completed_at,first_name,last_name\n"
    now = world.desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    world.desk.imports("progress", f"{header}1,a@example.org,hygiene,,completed,{now},Ann,Aye\n")
    world.desk.sandbox.switches.earner_ids_kept = False
    world.desk.sandbox.faults.add(faults.loses_answer(), "POST")
    world.desk.sandbox.faults.add(faults.answers(500), "GET", "filter=badge_template", times=None)
    assert world.sync("--only", "grants").code == 75
    world.desk.imports("learners", "learner_id,email,first_name,last_name\n1,ann@example.org,Ann,Aye\n")
    world.desk.imports("learners", "learner_id,email,first_name,last_name\n2,a@example.org,Bob,Bee\n")
    world.desk.sandbox.faults.clear()
    assert world.sync("--only", "grants").json["grants"]["adopted"] == 1


@pytest.mark.further
@pytest.mark.parametrize("by_hand", [False, True])
def test_a_lost_badge_covers_nobody_who_has_the_address_by_now(world: World, *, by_hand: bool) -> None:
    """R18, R20: Credly keeps no ids, and Bob completes on the day on which Ann's badge went to the address of both."""
    header = "learner_id,email,content_id,session_id,status,completed_at,first_name,last_name\n"
    place, desk = "first-aid,first-aid-march", world.desk
    now = desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    status = "started," if by_hand else f"completed,{now}"
    desk.imports("progress", f"{header}1,a@example.org,{place},{status},Ann,Aye\n")
    desk.sandbox.switches.earner_ids_kept = False
    desk.sandbox.faults.add(faults.loses_answer(), "POST")
    desk.sandbox.faults.add(faults.answers(500), "GET", "filter=badge_template", nth=4 if by_hand else 1, times=None)
    assert (desk.run("grant", "a@example.org", REPEATABLE) if by_hand else world.sync()).code == 75
    desk.imports(
        "learners", "learner_id,email,first_name,last_name\n1,ann@example.org,Ann,Aye\n2,a@example.org,Bob,Bee\n"
    )
    desk.pass_time(minutes=1)
    now = desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    desk.imports("progress", f"{header}2,a@example.org,{place},completed,{now},Bob,Bee\n")
    world.sync()
    world.calm_down()
    assert sorted(one.details.first_name for one in desk.issued()) == ["Ann", "Bob"]
    assert world.states() == {"issued": 2}


@pytest.mark.sampled
@pytest.mark.parametrize("badge", [ONCE, REPEATABLE])
@pytest.mark.parametrize("fate", ["accept", "reject", "revoke"])
def test_a_lost_answer_is_found_whatever_became_of_the_badge(world: World, badge: str, fate: str) -> None:
    """docs/exactly-once.md, 5: there is no filter by state; one that was revoked meanwhile was issued all the same."""
    world.complete(1, sessions=("first-aid-march",) if badge == REPEATABLE else (), article=badge == ONCE)
    world.desk.sandbox.faults.add(faults.loses_answer(), "POST")
    world.desk.sandbox.faults.add(faults.answers(500), "GET", "filter=badge_template", times=None)
    assert world.sync().code == 75
    getattr(world.desk.sandbox, fate)(world.desk.issued()[0].id)
    world.desk.sandbox.faults.clear()
    assert world.sync("--only", "grants").code == 0  # by the look-up alone, without the list of issued badges
    assert (world.states(), world.posts()) == ({"issued": 1}, 1)


def test_no_two_grants_own_one_badge(world: World) -> None:
    """docs/exactly-once.md, 1: the store itself refuses it."""
    world.complete(1)
    world.sync()
    with world.desk.store() as store, pytest.raises(sqlite3.IntegrityError):
        store.change("UPDATE grants SET issued_badge_id = (SELECT max(issued_badge_id) FROM grants)")
