"""Scenarios B 18, 23, 30 and 47, looked at from the sending: what an answer may change, and what may still be sent."""

import json
from threading import Event
from typing import Any

import pytest

from credly_cli.credly.client import Answer, Client
from credly_cli.http.response import Reply
from credly_cli.sandbox.records import Response
from credly_cli.store import claims
from tests.support import faults
from tests.support.world import ONCE, World


def test_the_first_answer_that_stops_a_run_says_why_whatever_comes_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 23: the token is refused, and a request that was under way then is answered by a redirect."""
    world.desk.config("[credly]\nparallel = 2\n")
    world.complete(1, 2, sessions=())
    statuses, first_is_taken, note_attempt = [401, 301], Event(), claims.note_attempt

    def issue(*_: object) -> Answer:
        status = statuses.pop(0)
        assert status == 401 or first_is_taken.wait(30)
        return Answer("stop", reply=Reply(status, {}, None, None))

    def note(*arguments: Any) -> None:
        note_attempt(*arguments)
        first_is_taken.set()

    monkeypatch.setattr(Client, "issue", issue)
    monkeypatch.setattr(claims, "note_attempt", note)
    ran = world.sync("--only", "grants")
    assert statuses == []
    assert (ran.code, [problem["code"] for problem in ran.json["problems"]]) == (4, ["token-refused"])
    assert world.states() == {"planned": 2}


@pytest.mark.further
def test_a_badge_that_another_grant_owns_is_not_taken_for_ours(world: World) -> None:
    """Scenario 30: the answer has our mark and the id of an earlier badge; the look-up finds the right one."""
    world.complete(1, article=False, sessions=("first-aid-march",))
    world.sync()
    (first,) = world.desk.issued()
    world.complete(1, article=False, sessions=("first-aid-april",))

    def names_another(work: faults.Work, _: faults.Stage) -> Response:
        answer = json.loads(work().body)
        answer["data"]["id"] = first.id
        return Response(201, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    world.desk.sandbox.faults.add(names_another, "POST")
    ran = world.sync()
    assert (ran.code, ran.json["grants"]["adopted"]) == (0, 1)
    world.check_all()


def test_what_was_revoked_while_it_waited_is_not_sent(world: World) -> None:
    """R23: the request never left, and meanwhile the badge was issued in Credly and revoked."""
    world.complete(1, sessions=())
    world.desk.sandbox.faults.add(faults.unreachable(), "POST")
    assert world.sync().code == 75
    badge = world.desk.sandbox.issue_in_credly(world.desk.badge_id(ONCE), "learner1@example.org", "First1", "Last1")
    world.desk.sandbox.revoke(badge.id)
    world.desk.pass_time(minutes=10)
    posts = world.posts()
    ran = world.sync()
    assert (ran.code, ran.json["grants"]["cancelled"]) == (0, 1)
    assert (world.states(), world.posts()) == ({"cancelled": 1}, posts)


def test_an_answer_changes_nothing_of_a_grant_that_another_run_has_moved(world: World) -> None:
    """Scenario 47: past the lock, another run has called it uncertain; only a badge may still end that."""
    world.complete(1, sessions=())

    def moved_meanwhile(_work: faults.Work, _: faults.Stage) -> Response:
        with world.desk.store() as store:
            store.change("UPDATE grants SET state = 'uncertain'")
        return Response(400, b"{}")

    world.desk.sandbox.faults.add(moved_meanwhile, "POST")
    ran = world.sync("--only", "grants")
    assert ran.json["grants"]["failed"] == 0
    assert world.states() == {"uncertain": 1}
