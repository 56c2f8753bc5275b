"""`credly explain`: why a learner has, will get, or did not get a badge."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.learners.school import AGAIN, BADGE, ROBIN, School
from tests.support import faults


def checks(school: School, badge: str = BADGE) -> dict[str, tuple[bool, str]]:
    """Return the checks of a badge by code, the last of each."""
    return {check["code"]: (check["ok"], check["message"]) for check in school.explained(badge)["checks"]}


def decision(school: School, badge: str = BADGE) -> str:
    return str(school.explained(badge)["decision"])


@pytest.mark.further
def test_a_badge_from_completion_to_acceptance_with_what_credly_answered(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.enrolls("first-aid", progress="40", enrolled_at="2026-03-01T12:00:00Z")
    assert decision(school) == "not-granted"
    assert checks(school)["enrolled"] == (True, "Enrolled in First Aid Course since 2026-03-01T12:00:00Z.")
    assert checks(school)["completed"] == (False, "Not completed: 40 percent so far.")
    school.completes("first-aid")
    assert decision(school) == "would-grant"
    assert checks(school)["counts"] == (True, "It counts: that is not before 2026-03-02T09:30:00Z.")
    assert checks(school)["grant"] == (True, "Not planned yet: the next sync plans and sends it.")
    school.desk.json("sync")
    assert decision(school) == "earned"
    told = checks(school)
    assert told["linked"] == (
        True,
        "Linked to First Aid Course on 2026-03-02T09:30:00Z; it counts completions from 2026-03-02T09:30:00Z.",
    )
    assert told["completed"] == (True, "Completed on 2026-03-02T09:32:00Z.")
    assert told["names"] == (True, "The name is known: Robin Lark.")
    issued = school.desk.issued()[0].id
    assert told["earned"] == (
        True,
        f"The learner has the badge: issued on 2026-03-02T09:32:00Z ({issued}), pending; "
        "it expires on 2031-12-31T23:59:59Z.",
    )
    assert told["answer"] == (True, "Sent on 2026-03-02T09:33:00Z; Credly issued the badge (HTTP 201).")


@pytest.mark.further
def test_the_rules_are_checked_in_the_order_in_which_a_badge_comes_about(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.completes("first-aid")
    school.desk.json("sync")
    assert [check["code"] for check in school.explained()["checks"]] == [
        "connected", "badge-active", "linked", "released", "enrolled", "completed", "counts", "names", "earned",
        "grant", "answer",
    ]  # fmt: skip


def test_r15_completed_before_the_link_and_how_to_let_it_count(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course")
    school.completes("first-aid")
    school.desk.json("link", BADGE, "first-aid")
    ok, told = checks(school)["counts"]
    assert not ok
    assert told == (
        "It does not count: completions count from 2026-03-02T09:32:00Z."
        " To issue it to this learner: credly grant robin@example.org first-aid-at-work --issued-at completion;"
        " to let everybody's completions since then count: credly link first-aid-at-work first-aid --since 2026-03-02"
    )
    assert decision(school) == "not-granted"
    school.desk.json("link", "first-aid-at-work", "first-aid", "--since", "2026-03-02")
    assert decision(school) == "would-grant"


@pytest.mark.sampled
def test_r15_a_badge_without_a_slug_is_named_by_its_id(school: School) -> None:
    sandbox = school.desk.sandbox
    sandbox.change_template(school.desk.badge_id(BADGE), vanity_slug=None)
    school.desk.json("sync")
    school.has()
    school.teaches("first-aid", "First Aid Course")
    school.completes("first-aid")
    school.desk.json("link", BADGE, "first-aid")
    assert f"credly link {school.desk.badge_id(BADGE)} first-aid" in checks(school)["counts"][1]


@pytest.mark.parametrize("at", ["2026-03-02T02:00:00Z", "2026-03-02"])
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_r15_the_advice_is_right_where_days_are_not_those_of_utc(school: School, zone: str, at: str) -> None:
    school.desk.config(f'timezone = "{zone}"\n')
    school.has()
    school.teaches("first-aid", "First Aid Course")
    school.enrolls("first-aid", completed_at=at)
    school.desk.pass_time(days=2)
    school.desk.json("link", BADGE, "first-aid")
    since = checks(school)["counts"][1].rpartition("--since ")[2]
    assert since == at or "T" in at
    school.desk.json("link", BADGE, "first-aid", "--since", since)
    assert decision(school) == "would-grant"


def test_r22_whoever_is_withdrawn_is_not_advised_to_be_granted(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course")
    school.completes("first-aid")
    school.enrolls("first-aid", status="withdrawn")
    school.desk.json("link", BADGE, "first-aid")
    assert "credly grant" not in checks(school)["counts"][1]


def test_on_a_terminal_times_are_local_and_marks_are_coloured(
    school: School, machine_in: Callable[[str], None]
) -> None:
    machine_in("Asia/Tokyo")
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.completes("first-aid")
    ran = school.desk.run("explain", ROBIN, BADGE, terminal=True, environ={"COLUMNS": "200"})
    assert "Completed on 2026-03-02 18:32 JST." in ran.out
    assert "Z." not in ran.out
    assert "\x1b[32m✓" in ran.out
    assert "\x1b[31m✗" in ran.out


def test_a_completion_known_by_date_only(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.enrolls("first-aid", completed_at="2026-03-02")
    assert checks(school)["completed"] == (True, "Completed on 2026-03-02.")
    school.enrolls("first-aid", enrolled_at="2026-03-01")
    assert checks(school)["enrolled"] == (True, "Enrolled in First Aid Course since 2026-03-01.")
    assert checks(school)["counts"][0]


@pytest.mark.further
def test_what_a_person_dropped_is_not_granted_and_it_says_when(school: School) -> None:
    school.has(last_name="")
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.completes("first-aid")
    school.desk.json("sync", code=3)
    school.desk.json("resolve", "1", "--drop")
    assert decision(school) == "not-granted"
    assert checks(school)["dropped"][1].startswith("A person dropped grant 1 on 2026-03-02T")


def test_r4_completed_while_nothing_was_connected(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.desk.json("disconnect", "--yes")
    school.completes("first-aid")
    assert checks(school)["connected"] == (
        False,
        "Disconnected from Larkfield Skills Institute since 2026-03-02T09:31:00Z: nothing is issued.",
    )
    assert "from 2026-03-02T09:31:00Z to now nothing was connected" in checks(school)["counts"][1]
    school.desk.connect()
    assert "from 2026-03-02T09:31:00Z to 2026-03-02T09:33:00Z nothing" in checks(school)["counts"][1]
    assert decision(school) == "not-granted"


def test_r16_unlinked_before_it_was_sent(school: School) -> None:
    school.has(last_name="")
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.completes("first-aid")
    school.desk.json("sync", code=3)
    school.desk.json("unlink", BADGE)
    assert decision(school) == "not-granted"
    told = checks(school)
    assert told["linked"] == (
        False,
        "The link to First Aid Course ended on 2026-03-02T09:33:00Z: somebody unlinked it.",
    )
    assert told["grant"] == (False, "Grant 1: cancelled on 2026-03-02T09:33:00Z, before it was sent.")


def test_r9_archived_before_it_was_earned(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.desk.sandbox.archive_template(school.desk.badge_id(BADGE))
    school.desk.json("sync", code=3)
    school.completes("first-aid")
    told = checks(school)
    assert decision(school) == "not-granted"
    assert told["badge-active"][0] is False
    assert told["badge-active"][1].endswith("Nobody can earn it any more.")
    assert told["counts"] == (False, "It does not count: by then the link had ended.")


def test_r21_a_name_is_missing(school: School) -> None:
    school.has(last_name="")
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.completes("first-aid")
    assert decision(school) == "needs-person"  # before the sync that will find it so
    school.desk.json("sync", code=3)
    assert decision(school) == "needs-person"
    told = checks(school)
    assert told["names"] == (False, "The last name is not known. Import it: credly import learners FILE")
    assert told["grant"][1].startswith("Grant 1: held since 2026-03-02T09:33:00Z. The last name of")


def test_r21_a_name_that_is_known_by_now_needs_nobody(school: School) -> None:
    school.has(last_name="")
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.completes("first-aid")
    school.desk.json("sync", code=3)
    school.has(last_name="Lark")
    assert decision(school) == "would-grant"
    ok, told = checks(school)["grant"]
    assert (ok, told.endswith("for a name that is known by now; the next sync sends it.")) == (True, True)
    (entry,) = school.widget()["in_progress"]
    assert (entry["progress"], entry["on_its_way"]) == (100, True)
    assert school.desk.json("sync")["grants"]["issued"] == 1


@pytest.mark.further
def test_what_credly_refused_needs_a_person(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.completes("first-aid")
    refusal = b'{"data": {"message": "The card was declined", "errors": []}}'
    school.desk.sandbox.faults.add(faults.answers(400, refusal), "POST")
    school.desk.run("sync")
    told = checks(school)
    assert decision(school) == "needs-person"
    assert told["answer"][0] is False
    assert "Credly refused it (HTTP 400): " in told["answer"][1]


@pytest.mark.further
def test_a_grant_whose_answer_was_lost_is_on_its_way(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.completes("first-aid")
    school.desk.sandbox.switches.list_lag = 300
    school.desk.sandbox.faults.add(faults.loses_answer(), "POST")
    school.desk.run("sync")
    assert decision(school) == "on-its-way"
    ok, told = checks(school)["grant"]
    assert (ok, told.endswith("The next sync finds out.")) == (False, True)


def test_r20_issued_in_credly_itself(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.desk.sandbox.issue_in_credly(school.desk.badge_id(BADGE), ROBIN, "Robin", "Lark")
    school.desk.json("sync")
    school.completes("first-aid")
    assert decision(school) == "earned"
    school.desk.json("sync")
    issued = school.desk.issued()[0].id
    assert checks(school)["grant"][1] == (
        f"Grant 1: covered by the badge {issued}, which the learner has already or is to get."
    )


def test_r23_what_was_revoked_or_deleted_is_not_granted_again_and_it_says_why(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.teaches("groups", "Leading Groups", "Facilitator")
    school.completes("first-aid")
    school.completes("groups")
    school.desk.json("sync")
    school.desk.pass_time(hours=1)
    school.desk.json("sync")  # sees what the first one issued
    school.desk.sandbox.revoke(school.desk.issued(BADGE)[0].id)
    school.desk.sandbox.delete(school.desk.issued("Facilitator")[0].id)
    school.desk.json("sync")
    assert (decision(school), decision(school, "Facilitator")) == ("not-granted", "not-granted")
    assert "was revoked on 2026-03-02T" in checks(school)["revoked"][1]
    assert "is not on Credly any more" in checks(school, "Facilitator")["deleted"][1]


def test_not_enrolled_and_whether_it_can_be_discovered(school: School) -> None:
    school.has()
    school.teaches("closed", "Closed Course", BADGE, status="draft")
    told = checks(school)
    assert told["released"] == (False, "Closed Course is not released; a completion counts all the same.")
    assert told["visible"] == (
        False,
        "Closed Course cannot be discovered: it is neither released nor given to this learner.",
    )
    assert told["enrolled"] == (False, "Not enrolled in Closed Course.")
    school.gives("closed", email=ROBIN)
    assert checks(school)["visible"] == (True, "Closed Course can be discovered.")
    school.has(panorama="Acme")
    told = checks(school)
    assert told["visible"][1] == "Closed Course cannot be discovered: the panorama acme does not have it."


@pytest.mark.further
def test_each_session_is_told(school: School) -> None:
    school.has()
    school.teaches("webinars", "Webinars", AGAIN, session_id="march", session_title="March")
    school.teaches("webinars", "Webinars", session_id="april", session_title="April")
    school.completes("webinars", session="march")
    school.desk.json("sync")
    school.enrolls("webinars", session="april", status="withdrawn")
    told = [check["message"] for check in school.explained(AGAIN)["checks"] if check["code"] == "enrolled"]
    assert told == [
        "No longer enrolled in Webinars, session April: withdrawn, or access was revoked.",
        "Enrolled in Webinars, session March.",
    ]


@pytest.mark.further
def test_where_a_badge_may_be_earned_again_a_session_under_way_goes_before_the_badge_held(school: School) -> None:
    school.has()
    school.teaches("webinars", "Webinars", AGAIN, session_id="march")
    school.teaches("webinars", "Webinars", session_id="april")
    school.completes("webinars", session="march")
    school.desk.json("sync")
    assert decision(school, AGAIN) == "earned"
    school.completes("webinars", session="april")
    assert decision(school, AGAIN) == "would-grant"


def named(answer: dict[str, Any]) -> list[str]:
    return [entry["badge"]["name"] for entry in answer["badges"]]


@pytest.mark.further
def test_without_a_badge_every_linked_one_and_what_the_learner_has_or_completed(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.teaches("groups", "Leading Groups", "Facilitator")
    school.teaches("old", "Old Course", "Accessible Documents")
    school.desk.json("unlink", "Accessible Documents")
    assert named(school.desk.json("explain", ROBIN)) == ["Facilitator", BADGE]
    school.completes("old")
    school.desk.sandbox.issue_in_credly(school.desk.badge_id(AGAIN), ROBIN, "Robin", "Lark")
    school.desk.json("sync")
    assert named(school.desk.json("explain", ROBIN)) == ["Accessible Documents", "Facilitator", BADGE, AGAIN]


def test_a_learner_whom_only_credly_knows(school: School) -> None:
    school.desk.sandbox.issue_in_credly(school.desk.badge_id(BADGE), ROBIN, "Robin", "Lark")
    school.desk.json("sync")
    answer = school.desk.json("explain", ROBIN)
    assert [(entry["decision"], entry["content"]) for entry in answer["badges"]] == [("earned", None)]


def test_an_unknown_learner_or_badge(school: School) -> None:
    school.has()
    assert school.desk.json("explain", "nobody@example.org", code=5)["error"]["code"] == "unknown-learner"
    for name in ("No Such Badge", ""):
        assert school.desk.json("explain", ROBIN, name, code=5)["error"]["code"] == "unknown-badge"


def test_r3_it_works_on_the_store_after_disconnecting_and_asks_nobody(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.completes("first-aid")
    school.desk.json("sync")
    school.desk.json("disconnect", "--yes")
    school.desk.sandbox.faults.add(faults.unreachable(), times=None)
    assert decision(school) == "earned"


def test_a_completion_ahead_of_the_clock_is_sent_after_its_moment(school: School) -> None:
    """R18: it is planned by the next sync, and sent by the one that follows its moment."""
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.enrolls("first-aid", status="completed", completed_at="2026-03-02T15:00:00Z")
    assert decision(school) == "would-grant"
    told = "Not planned yet: the next sync plans it; the next after 2026-03-02T15:00:00Z sends it."
    assert checks(school)["grant"] == (True, told)


@pytest.mark.further
def test_on_a_terminal_of_80_columns_nothing_is_cut_and_the_rest_is_named(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.teaches("groups", "Leading Groups", "Facilitator")
    school.completes("first-aid")
    ran = school.desk.run("explain", ROBIN, terminal=True, environ={"NO_COLOR": "1", "COLUMNS": "80"})
    lines = ran.out.splitlines()
    assert lines[0] == "First Aid at Work (First Aid Course): the next sync grants it"
    assert max(map(len, lines)) <= 80
    assert "Facilitator" not in ran.out
    assert ran.err == "Not enrolled in the content of: Facilitator.\n"
    words = " ".join(line[17:].strip() for line in lines)
    assert "Not planned yet: the next sync plans and sends it." in words


def test_in_a_pipe_the_cause_comes_first_and_then_one_row_a_check(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    rows = [row.split("\t") for row in school.desk.run("explain", ROBIN).out.splitlines()]
    assert {tuple(row[:4]) for row in rows} == {
        (school.desk.badge_id(BADGE), BADGE, "First Aid Course", "not-granted"),
    }
    assert rows[0][4:] == ["cause", "", "Not enrolled in First Aid Course."]
    assert [row[4:6] for row in rows][1:3] == [["connected", "yes"], ["badge-active", "yes"]]
