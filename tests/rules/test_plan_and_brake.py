"""R18, R32: who looks sees what would go out, and one run does not issue by the thousand unasked."""

from typing import Any

import pytest

from tests.rules.granting_desk import APRIL, MARCH, ONCE, REPEATABLE, completion, ledger, posts, states
from tests.support import faults
from tests.support.desk import Desk

AT = "2026-03-02T11:00:00Z"


def complete(desk: Desk, number: int, session: str = MARCH) -> None:
    desk.learns(*(completion(f"ada{one}@example.org", session, AT) for one in range(number)))
    desk.pass_time(hours=2)


@pytest.mark.further
def test_a_dry_run_shows_the_plan(once: Desk) -> None:
    """R32: each grant without a number, and until when it waits."""
    complete(once, 2)
    plan = once.json("sync", "--dry-run")["plan"]
    assert [(one["id"], one["state"], one["email"], one["completed_at"], one["waits_until"]) for one in plan] == [
        (None, "planned", "ada0@example.org", AT, None),
        (None, "planned", "ada1@example.org", AT, None),
    ]
    assert {one["badge"]["name"] for one in plan} == {ONCE}
    assert "plan" not in once.json("sync")
    assert once.json("sync", "--dry-run")["plan"] == []


def test_r11_the_plan_and_badges_of_one_moment_are_listed_by_name_without_case_and_accents(connected: Desk) -> None:
    """R32, R26."""
    names = ["äpfel", "Birnen", "citron"]
    shown = iter(("citron", "äpfel", "Birnen"))
    for row in list(connected.sandbox.templates.values())[:3]:
        connected.sandbox.change_template(row["id"], name=next(shown))
    connected.json("sync")
    for name in names:
        connected.json("link", name, "first-aid")
    connected.pass_time(hours=3)
    complete(connected, 1)
    assert [one["badge"]["name"] for one in connected.json("sync", "--dry-run")["plan"]] == names
    connected.json("sync")
    found = connected.json("learner-badges", "ada0@example.org")["badges"]
    assert [one["badge"]["name"] for one in found] == names


def test_what_waits_for_another_try_is_in_the_plan(once: Desk) -> None:
    """R32."""
    complete(once, 1)
    once.sandbox.faults.add(faults.unreachable(), "POST")
    once.json("sync", code=75)
    ran = once.json("sync", "--dry-run")
    assert [one["waits_until"] for one in ran["plan"]] == ["2026-03-02T14:31:00Z"]


@pytest.mark.further
def test_a_completion_ahead_of_the_clock_waits_for_its_moment(once: Desk) -> None:
    """R18: it is planned, shown with its moment, and sent then; waiting is no failure."""
    at = "2026-03-02T20:00:00Z"
    once.learns(completion("ada@example.org", MARCH, at))
    assert once.json("sync", "--dry-run")["plan"][0]["waits_until"] == at
    once.json("sync")
    assert (states(once), posts(once)) == (["planned"], 0)
    once.pass_time(hours=12)
    once.json("sync")
    assert (states(once), posts(once)) == (["issued"], 1)


@pytest.mark.further
@pytest.mark.parametrize(
    ("expiry", "warned"),
    [("2026-03-02T12:00:00.000Z", True), ("2026-03-03T12:00:00.000Z", False), (None, False), ("1 Year", False)],
)
def test_the_plan_warns_of_badges_that_would_be_born_expired(once: Desk, expiry: str | None, *, warned: bool) -> None:
    """R32: by the badge's default expiry, as they would be issued."""
    once.sandbox.change_template(once.badge_id(ONCE), default_expires_at=expiry)
    complete(once, 2)
    told = f"2 badges {ONCE} would be born expired, by the default expiry of this badge."
    assert once.json("sync", "--dry-run")["warnings"] == [told] * warned
    assert (told in once.run("sync", "--dry-run").err) == warned
    assert once.run("sync", "--json").json["warnings"] == []


def test_the_plan_warns_of_what_expires_before_its_moment_comes(once: Desk) -> None:
    """R18, R32: it is issued once the completion's moment has come."""
    once.sandbox.change_template(once.badge_id(ONCE), default_expires_at="2026-03-02T18:00:00.000Z")
    once.learns(completion("ada@example.org", MARCH, "2026-03-02T20:00:00Z"))
    assert "born expired" in once.json("sync", "--dry-run")["warnings"][0]


def braked(desk: Desk, code: int, *options: str) -> Any:
    answer = desk.json("sync", *options, code=code)
    return answer, [problem["code"] for problem in answer["problems"]]


@pytest.mark.further
def test_more_than_the_brake_is_not_planned_until_a_person_says_so(once: Desk) -> None:
    """R32: nothing of that link, run after run; the dry run lists them."""
    once.config("[grants]\nbrake = 3\n")
    complete(once, 4)
    for _ in range(2):
        answer, codes = braked(once, 3)
        assert codes == ["brake"]
        assert "grants.brake" in answer["problems"][0]["message"]
        assert (ledger(once), posts(once)) == ([], 0)
    answer, codes = braked(once, 0, "--dry-run")
    assert (len(answer["plan"]), codes) == (4, ["brake"])
    assert once.json("status")["needs_person"] == 1
    assert braked(once, 0, "--allow-many")[0]["grants"]["issued"] == 4
    assert once.json("status")["needs_person"] == 0


def test_other_links_go_on_under_the_brake(once: Desk) -> None:
    """R32."""
    once.json("link", REPEATABLE, "hygiene")
    once.pass_time(hours=1)
    once.config("[grants]\nbrake = 3\n")
    complete(once, 4)
    once.learns("bob@example.org,hygiene,,completed,2026-03-02T14:00:00Z,Bob,Bee")
    once.pass_time(hours=1)
    answer, codes = braked(once, 3)
    assert (answer["grants"]["issued"], codes) == (1, ["brake"])


@pytest.mark.parametrize("brake", [4, 0])
def test_as_many_as_the_brake_go_out(once: Desk, brake: int) -> None:
    """R32: 0 is no limit."""
    once.config(f"[grants]\nbrake = {brake}\n")
    complete(once, 4)
    assert [row["on_its_way"] for row in once.json("widget", "ada0@example.org")["in_progress"]] == [True]
    assert braked(once, 0)[0]["grants"]["issued"] == 4


def on_its_way(desk: Desk, email: str) -> list[bool]:
    return [row["on_its_way"] for row in desk.json("widget", email)["in_progress"]]


def test_the_brake_is_foreseen_of_what_is_new_and_by_badges(once: Desk) -> None:
    """R19, R32: two sessions of a badge that is earned once bring one, and what is planned already is agreed to."""
    once.config("[grants]\nbrake = 3\n")
    complete(once, 2)
    complete(once, 2, APRIL)
    later = "2026-03-02T12:00:00Z"
    assert on_its_way(once, "ada0@example.org") == [True]
    once.sandbox.faults.add(faults.unreachable(), "POST", times=None)
    braked(once, 75)
    for session in (MARCH, APRIL):
        once.learns(*(completion(f"ada{one}@example.org", session, later) for one in range(4)))
    assert on_its_way(once, "ada3@example.org") == [True]


def test_what_was_agreed_to_goes_out_once(repeatable: Desk) -> None:
    """R15, R32: the number kept with the link, and no more of it the next time."""
    repeatable.config("[grants]\nbrake = 3\n")
    with repeatable.store() as store:
        store.change("UPDATE links SET agreed = 4")
    complete(repeatable, 4)
    assert braked(repeatable, 0)[0]["grants"]["issued"] == 4
    complete(repeatable, 4, APRIL)
    assert braked(repeatable, 3)[1] == ["brake"]


@pytest.mark.further
def test_names_that_become_known_are_braked_too(once: Desk) -> None:
    """R21, R32: what was held for a name goes out no more unasked than anything else."""
    once.config("[grants]\nbrake = 3\n")
    once.learns(*(completion(f"ada{one}@example.org", MARCH, AT, ",") for one in range(4)))
    once.pass_time(hours=2)
    answer = once.json("sync", code=3)
    assert [problem["code"] for problem in answer["problems"]] == ["grant-held"] * 4
    once.imports("learners", "email,first_name,last_name\n" + "".join(f"ada{n}@example.org,A,L\n" for n in range(4)))
    assert braked(once, 3)[1] == ["brake"]
    assert set(states(once)) == {"held"}
    assert braked(once, 0, "--allow-many")[0]["grants"]["issued"] == 4


def test_on_a_terminal_the_plan_is_counted_and_each_learner_has_a_row(once: Desk) -> None:
    """R32."""
    complete(once, 2)
    ran = once.run("sync", "--dry-run", terminal=True, environ={"NO_COLOR": "1", "COLUMNS": "200"})
    counted, _, rows = ran.out.partition("Learner")
    assert f"In the plan: {ONCE}, for First Aid Course: 2 badges." in counted
    assert [line.split()[0] for line in rows.splitlines() if "@" in line] == ["ada0@example.org", "ada1@example.org"]
    assert "2026-03-02" in rows
    assert "Waits until" not in ran.out


def test_in_a_pipe_the_plan_is_rows_alone(once: Desk) -> None:
    """R32: the counts go to standard error."""
    later = "2026-03-02T20:00:00Z"
    complete(once, 1)
    once.learns(completion("bob@example.org", MARCH, later))
    ran = once.run("sync", "--dry-run")
    rows = [line.split("\t") for line in ran.out.splitlines()]
    assert [(row[0], row[1], *row[3:]) for row in rows] == [
        ("ada0@example.org", ONCE, AT, ""),
        ("bob@example.org", ONCE, later, later),
    ]
    assert f"In the plan: {ONCE}, for First Aid Course: 2 badges." in ran.err
    assert once.run("sync", "--dry-run", "-q").out == ""


@pytest.mark.further
def test_what_the_brake_keeps_back_needs_a_person_and_is_promised_to_nobody(once: Desk) -> None:
    """R30, R32: in explain and in the widget, until a person agrees."""
    once.config("[grants]\nbrake = 3\n")
    complete(once, 4)
    who = "ada0@example.org"
    assert once.json("explain", who, ONCE)["badges"][0]["decision"] == "needs-person"  # it is foreseen
    assert [row["on_its_way"] for row in once.json("widget", who)["in_progress"]] == [False]
    braked(once, 3)
    explained = once.json("explain", who, ONCE)["badges"][0]
    assert explained["decision"] == "needs-person"
    assert "grants.brake" in explained["cause"]
    assert all("next sync" not in check["message"] for check in explained["checks"])
    assert [row["on_its_way"] for row in once.json("widget", who)["in_progress"]] == [False]
    assert once.json("missed") == []
    braked(once, 0, "--allow-many")
    assert once.json("explain", who, ONCE)["badges"][0]["decision"] == "earned"


@pytest.mark.further
def test_names_that_become_known_under_the_brake_need_a_person(once: Desk) -> None:
    """R21, R32."""
    once.config("[grants]\nbrake = 3\n")
    once.learns(*(completion(f"ada{one}@example.org", MARCH, AT, ",") for one in range(4)))
    once.pass_time(hours=2)
    once.json("sync", code=3)
    once.imports("learners", "email,first_name,last_name\n" + "".join(f"ada{n}@example.org,A,L\n" for n in range(4)))
    braked(once, 3)
    explained = once.json("explain", "ada0@example.org", ONCE)["badges"][0]
    assert explained["decision"] == "needs-person"
    assert "grants.brake" in explained["cause"]
    assert all("next sync" not in check["message"] for check in explained["checks"])
    assert [row["on_its_way"] for row in once.json("widget", "ada0@example.org")["in_progress"]] == [False]
