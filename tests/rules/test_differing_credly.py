"""A Credly that is busy, or that differs from what is known of it: lists that grow, rows that cannot be read (R10)."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from credly_cli.sandbox.records import Response
from tests.support import faults
from tests.support.desk import URL, Desk

BADGE, REPEATABLE = "First Aid at Work", "Webinar Participant"


def issue(desk: Desk, number: int, badge: str = BADGE) -> Any:
    return desk.sandbox.issue_in_credly(desk.badge_id(badge), f"l{number}@example.org", "L", "Earner")


def issues_meanwhile(desk: Desk) -> faults.Act:
    """Let somebody else issue a badge before each answer."""

    def act(work: faults.Work, _stage: faults.Stage) -> Response:
        issue(desk, 1000 + len(desk.issued()))
        return work()

    return act


def changes_rows(change: Callable[[dict[str, Any]], Any]) -> faults.Act:
    """Let each row of an answer be changed on its way."""

    def act(work: faults.Work, _stage: faults.Stage) -> Response:
        answer = work()
        body = json.loads(answer.body)
        for row in body["data"] if isinstance(body["data"], list) else [body["data"]]:
            change(row)
        return replace(answer, body=json.dumps(body).encode())

    return act


def spoils(identity: str, **values: Any) -> faults.Act:
    """Let the row of an id be one that cannot be read."""
    return changes_rows(lambda row: row.update(values) if row["id"] == identity else None)


def listings(desk: Desk) -> int:
    return len(desk.sandbox.log.matching("GET", r"/badges\?"))


# Lists that grow


@pytest.mark.further
def test_r10_a_busy_organization_syncs_well_and_the_long_list_is_read_whole_once(
    connected: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R10: with one badge more at each reading no run ended well, and each read the whole list."""
    monkeypatch.setattr("credly_cli.sync.issued_badges._SHORT", 100)
    for number in range(200):
        issue(connected, number)
    connected.sandbox.faults.add(issues_meanwhile(connected), "GET", r"/badges\?.*page=\d", times=None)
    connected.pass_time(hours=2)
    answer = connected.json("sync")
    assert answer["issued_badges"]["added"] == len(connected.issued())
    assert answer["problems"] == []
    for _ in range(3):
        connected.pass_time(hours=2)
        connected.sandbox.log.clear()
        assert connected.json("sync")["status"] == "success"
        assert listings(connected) <= 3
    with connected.store() as store:
        assert store.value("SELECT count(*) FROM issued_badges") >= 200


@pytest.mark.further
def test_r10_r23_a_list_that_grew_calls_nothing_deleted_and_the_next_that_stands_still_does(connected: Desk) -> None:
    gone = issue(connected, 0)
    for number in range(1, 60):
        issue(connected, number)
    connected.json("sync")
    connected.pass_time(hours=2)
    connected.sandbox.delete(gone.id)
    connected.sandbox.faults.add(issues_meanwhile(connected), "GET", r"/badges\?.*page=2")
    assert connected.json("sync")["issued_badges"] == {"added": 1, "changed": 0, "unchanged": 59, "removed": 0}
    connected.pass_time(hours=2)
    assert connected.json("sync")["issued_badges"]["removed"] == 1


def test_r10_a_list_of_badges_that_grew_removes_none(connected: Desk) -> None:
    connected.sandbox.switches.page_size = 2
    connected.sandbox.archive_template(connected.badge_id(BADGE))
    row = dict(next(iter(connected.sandbox.templates.values())))

    def act(work: faults.Work, _stage: faults.Stage) -> Response:
        connected.sandbox.add_template(
            {
                **row,
                "id": "00000001-1111-4111-8111-111111111111",
                "name": "New",
                "created_at": "2026-03-02T09:00:00.000Z",
            }
        )
        return work()

    connected.sandbox.faults.add(act, "GET", r"badge_templates\?.*page=2")
    answer = connected.json("sync", "--only", "badges")
    assert (answer["badges"]["added"], answer["badges"]["removed"]) == (1, 0)
    assert connected.json("sync", "--only", "badges")["badges"]["removed"] == 1


# Lists that are not sorted


@pytest.mark.parametrize("status", [400, 422, 500])
def test_r10_r26_where_issued_badges_are_not_sorted_all_works(connected: Desk, status: int) -> None:
    connected.sandbox.faults.add(faults.answers(status), "GET", "sort=", times=None)
    for number in range(3):
        issue(connected, number)
    connected.pass_time(hours=2)
    assert connected.json("sync")["issued_badges"]["added"] == 3
    answer = connected.json("learner-badges", "l1@example.org")
    assert (answer["source"], len(answer["badges"])) == ("credly", 1)


# Rows that cannot be read


def test_r10_an_issued_badge_that_cannot_be_read_is_named_and_the_others_are_stored(connected: Desk) -> None:
    badges = [issue(connected, number) for number in range(3)]
    connected.sandbox.faults.add(spoils(badges[1].id, state=None), "GET", r"/badges\?", times=None)
    answer = connected.json("sync")
    assert (answer["status"], answer["issued_badges"]["added"]) == ("success", 2)
    assert re.search(f"cannot be read: {badges[1].id}.*state is missing", answer["warnings"][0])


def test_r10_a_long_list_with_a_row_that_cannot_be_read_is_not_read_whole_each_time(
    connected: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("credly_cli.sync.issued_badges._SHORT", 3)
    badges = [issue(connected, number) for number in range(6)]
    connected.sandbox.faults.add(spoils(badges[1].id, state=None), "GET", r"/badges\?", times=None)
    connected.pass_time(hours=2)
    connected.json("sync")
    connected.pass_time(hours=2)
    issue(connected, 7)
    connected.sandbox.log.clear()
    assert connected.json("sync")["issued_badges"]["added"] == 1
    assert not connected.sandbox.log.matching("GET", r"/badges\?.*sort=created_at")


def test_r27_where_the_learners_own_badge_cannot_be_read_the_store_answers_and_says_so(connected: Desk) -> None:
    """R10, R27."""
    ours, other = issue(connected, 1), issue(connected, 2)
    connected.json("sync")
    connected.sandbox.faults.add(spoils(ours.id, issued_at="soon"), "GET", r"/badges\?", times=None)
    answer = connected.json("learner-badges", "l1@example.org")
    assert (answer["source"], [badge["id"] for badge in answer["badges"]]) == ("store", [ours.id])
    assert answer["as_of"]
    ran = connected.run("learner-badges", "l1@example.org")
    assert f"cannot be read: {ours.id}" in ran.err
    assert "what the store knows" in ran.err
    answer = connected.json("learner-badges", "l2@example.org")
    assert (answer["source"], [badge["id"] for badge in answer["badges"]]) == ("credly", [other.id])


def test_r27_the_widget_too_says_that_an_answer_cannot_be_read(connected: Desk) -> None:
    badge = issue(connected, 1)
    connected.sandbox.faults.add(spoils(badge.id, state=None), "GET", r"/badges\?", times=None)
    connected.imports("learners", "email,first_name,last_name\nl1@example.org,L,Earner\n")
    for command in ("learner-badges", "widget"):
        ran = connected.run(command, "l1@example.org")
        assert (ran.code, "cannot be read" in ran.err, "does not answer" in ran.err) == (0, True, False)


def test_r10_r18_an_unreadable_row_keeps_only_those_waiting_whom_it_may_concern(connected: Desk) -> None:
    now = connected.clock.now()
    connected.json("link", REPEATABLE, "first-aid")
    connected.pass_time(hours=1)
    stranger, own = issue(connected, 1, REPEATABLE), issue(connected, 2, REPEATABLE)
    for badge in (stranger, own):
        connected.sandbox.faults.add(spoils(badge.id, state=None), "GET", r"/badges\?", times=None)
    now = connected.clock.now()
    for number in (2, 3):
        connected.learns(f"l{number}@example.org,first-aid,first-aid-march,completed,{now:%Y-%m-%dT%H:%M:%SZ},L,Earner")
    connected.pass_time(minutes=1)
    ran = connected.run("sync", "--json")
    assert ran.json["grants"]["issued"] == 1
    assert [grant["email"] for grant in connected.json("grants", "--state", "issued")] == ["l3@example.org"]


# Organizations


@pytest.mark.sampled
@pytest.mark.parametrize("status", [400, 403, 404, 405, 422, 501])
@pytest.mark.parametrize("how", ["option", "store"])
def test_r1_where_organizations_are_not_listed_the_one_that_is_named_is_asked_for(
    desk: Desk, status: int, how: str
) -> None:
    """R1: also the one that is in the store already."""
    if how == "store":
        desk.connect()
    desk.sandbox.faults.add(faults.answers(status), "GET", r"/organizations(\?|$)", times=None)
    named = ("--organization", desk.sandbox.organization_id) if how == "option" else ()
    answer = desk.json("connect", "--token-stdin", "--api-url", URL, *named, stdin=desk.sandbox.token)
    assert answer["organization"] == {"id": desk.sandbox.organization_id, "name": "Larkfield Skills Institute"}
    assert desk.json("sync")["status"] == "success"
    assert desk.json("doctor")


def test_r1_without_a_name_a_list_that_is_refused_is_a_failure(desk: Desk) -> None:
    desk.sandbox.faults.add(faults.answers(403), "GET", r"/organizations(\?|$)", times=None)
    answer = desk.json("connect", "--token-stdin", "--api-url", URL, stdin=desk.sandbox.token, code=4)
    assert answer["error"]["code"] == "token-forbidden"


def test_r1_a_neighbours_row_that_cannot_be_read_does_not_matter(desk: Desk) -> None:
    own = desk.sandbox.organization_id
    body = {"data": [{"id": None}, {"id": own, "name": "Larkfield Skills Institute"}, 5], "metadata": {}}
    desk.sandbox.faults.add(faults.answers(200, json.dumps(body).encode()), "GET", r"/organizations\?", times=None)
    assert (
        desk.json("connect", "--token-stdin", "--api-url", URL, stdin=desk.sandbox.token)["organization"]["id"] == own
    )


def test_r1_where_our_own_row_cannot_be_read_the_store_answers_and_says_so(connected: Desk) -> None:
    broken = changes_rows(lambda row: row.update(name={"a": 1}))
    connected.sandbox.faults.add(broken, "GET", r"/organizations(\?|$|/[^/]+$)", times=None)
    ran = connected.run("connect", "--token-stdin", stdin=connected.sandbox.token)
    assert ran.code == 0, ran
    assert "Connected to Larkfield Skills Institute" in ran.out
    assert "cannot be read" in ran.err
    assert connected.json("sync")["status"] == "success"
    token = next(check for check in connected.json("doctor")["checks"] if check["name"] == "token")
    assert "cannot be read" in token["message"]
