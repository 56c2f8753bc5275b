"""Granting by hand: R22, and what R20 and R23 say about it."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from credly_cli.sandbox.records import Response
from tests.rules.admin import APRIL, FIRST_AID, MARCH, ROBIN, WEBINAR, complete, enroll, grants, issue_in_credly
from tests.support import faults
from tests.support.desk import ConnectedAfter, Desk

READS, SENDS = ("GET", r"/badges\?"), ("POST", r"/badges$")


def link_two_badges(desk: Desk) -> None:
    desk.json("link", FIRST_AID, "first-aid")
    desk.json("link", WEBINAR, "first-aid")
    enroll(desk)


@pytest.fixture
def linked(connected_after: ConnectedAfter) -> Desk:
    """Two badges are linked to the First Aid Course, in whose March session Robin is enrolled."""
    return connected_after(link_two_badges)


def refusal(desk: Desk, email: str = ROBIN, badge: str = FIRST_AID, code: int = 6) -> Any:
    """Grant and be refused; nothing is issued and nothing recorded."""
    issued, recorded = len(desk.issued()), grants(desk)
    error = desk.json("grant", email, badge, code=code)["error"]
    assert (len(desk.issued()), grants(desk)) == (issued, recorded)
    return error


# One learner


def test_r22_an_enrolled_learner_gets_the_badge_now_for_the_linked_content(linked: Desk) -> None:
    answer = linked.json("grant", ROBIN, FIRST_AID)
    grant = answer["grant"]
    assert answer.keys() == {"changed", "grant"}
    assert answer["changed"]
    assert (grant["state"], grant["reason"], grant["session_id"]) == ("issued", "manual", MARCH)
    assert grant["content"] == {"id": "first-aid", "title": "First Aid Course", "type": "course"}
    assert grant["issued_at"] == "2026-03-02T09:30:00Z"
    (badge,) = linked.issued(FIRST_AID)
    assert (badge.email, badge.details.issued_at) == (ROBIN, "2026-03-02T09:30:00.000Z")
    assert (badge.id, grant["issued_badge_id"]) == (grant["issued_badge_id"], badge.id)


def test_r22_the_confirmation_says_who_got_what_and_what_to_do_next(linked: Desk) -> None:
    ran = linked.run("grant", ROBIN, FIRST_AID)
    assert (ran.code, ran.out) == (0, f"Issued {FIRST_AID} to {ROBIN}.\n")
    assert ran.err.splitlines() == [
        "Resource: First Aid Course.",
        "1 badge is out for First Aid Course. Revoking is done in Credly only. To list them:"
        " credly grants --badge first-aid-at-work --content first-aid --state issued --csv",
        f"Next: credly learner-badges {ROBIN}",
    ]


def test_r22_quietly_nothing_is_said_of_what_went_well(linked: Desk) -> None:
    ran = linked.run("grant", ROBIN, FIRST_AID, "-q")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


@pytest.mark.parametrize(
    ("told", "sent"),
    [
        ("2026-01-31", "2026-01-31T00:00:00.000Z"),
        ("2026-01-31T09:30:00+02:00", "2026-01-31T07:30:00.000Z"),
    ],
)
def test_r22_the_date_of_issue_may_be_told(linked: Desk, told: str, sent: str) -> None:
    linked.json("grant", ROBIN, FIRST_AID, "--issued-at", told)
    assert linked.issued()[0].details.issued_at == sent


@pytest.mark.sampled
@pytest.mark.parametrize("told", ["yesterday", "2026-13-01", "03/04/2026", "", "2062-03-01"])
def test_r22_a_date_that_cannot_be_meant_is_wrong_usage(linked: Desk, told: str) -> None:
    error = linked.json("grant", ROBIN, FIRST_AID, "--issued-at", told, code=2)["error"]
    assert error["code"] == "usage"
    assert "--issued-at" in error["message"]
    assert not linked.issued()


def test_r22_an_address_is_matched_without_regard_to_case(linked: Desk) -> None:
    assert linked.json("grant", "ROBIN@Example.com", FIRST_AID)["grant"]["email"] == ROBIN


def test_r22_a_dry_run_asks_credly_and_changes_nothing(linked: Desk) -> None:
    answer = linked.json("grant", ROBIN, FIRST_AID, "--dry-run")
    assert not answer["changed"]
    assert (answer["grant"]["state"], answer["grant"]["reason"]) == ("planned", "manual")
    assert (linked.issued(), grants(linked)) == ([], [])
    linked.sandbox.faults.add(faults.unreachable(), *READS, times=None)
    assert linked.json("grant", ROBIN, FIRST_AID, "--dry-run", code=75)["error"]["code"] == "unreachable"


def test_r22_a_dry_run_says_so_to_people(linked: Desk) -> None:
    ran = linked.run("grant", ROBIN, FIRST_AID, "--dry-run")
    assert (ran.code, ran.out) == (0, f"{ROBIN} would get {FIRST_AID}.\n")
    assert "nothing was issued" in ran.err


# Refusals, each with the rule and the fact


def test_r22_a_badge_that_is_not_active_any_more_is_refused(linked: Desk) -> None:
    linked.sandbox.archive_template(linked.badge_id(FIRST_AID))
    linked.json("sync", code=3)
    assert refusal(linked)["code"] == "badge-not-active"


def test_r22_a_badge_archived_since_the_last_sync_is_not_issued(linked: Desk) -> None:
    linked.sandbox.archive_template(linked.badge_id(FIRST_AID))
    answer = linked.json("grant", ROBIN, FIRST_AID, code=3)
    assert answer["grant"]["state"] == "failed"
    (problem,) = answer["problems"]
    assert problem["code"] == "grant-failed"
    assert "archived" in problem["message"]
    assert "credly sync" in problem["hint"]
    assert not linked.issued()


def test_r22_a_badge_without_content_is_refused(linked: Desk) -> None:
    error = refusal(linked, badge="Facilitator")
    assert error["code"] == "badge-not-linked"
    assert "credly link facilitator CONTENT" in error["hint"]


def test_r22_an_unknown_learner_is_not_found(linked: Desk) -> None:
    error = refusal(linked, "robyn@example.com", code=5)
    assert error["code"] == "unknown-learner"
    assert ROBIN in error["hint"]


def test_r22_an_unknown_badge_is_not_found(linked: Desk) -> None:
    assert refusal(linked, badge="First Ade at Work", code=5)["code"] == "unknown-badge"


def test_r22_whoever_is_not_enrolled_is_refused(linked: Desk) -> None:
    linked.learns("kim@example.com,hygiene,,in_progress,,Kim,Other")
    error = refusal(linked, "kim@example.com")
    assert error["code"] == "not-enrolled"
    assert "kim@example.com is not enrolled in First Aid Course" in error["message"]


def test_r22_whoever_withdrew_is_not_enrolled(linked: Desk) -> None:
    enroll(linked, status="withdrawn")
    assert refusal(linked)["code"] == "not-enrolled"


@pytest.mark.parametrize("names", ["Robin,", ",Sample", ","])
def test_r22_without_a_name_nothing_is_sent(linked: Desk, names: str) -> None:
    enroll(linked, "kim@example.com", name=names)
    error = refusal(linked, "kim@example.com")
    assert error["code"] == "missing-name"
    assert "name" in error["message"]


@pytest.mark.sampled
@pytest.mark.parametrize("badge", [FIRST_AID, WEBINAR])
@pytest.mark.parametrize("state", ["pending", "accepted", "rejected", "expired"])
def test_r22_whoever_holds_the_badge_has_earned_it(linked: Desk, badge: str, state: str) -> None:
    expires = {"expires_at": "2026-03-01T00:00:00Z"} if state == "expired" else {}
    held = issue_in_credly(linked, badge, issued_at="2025-03-01T00:00:00Z", **expires)
    if state in ("accepted", "rejected"):
        getattr(linked.sandbox, state.removesuffix("ed"))(held.id)
    error = refusal(linked, badge=badge)
    assert (error["code"], error["message"]) == ("already-earned", f"{ROBIN} has earned {badge} already.")


def test_r22_a_badge_under_another_address_of_the_learners_account_counts(linked: Desk) -> None:
    linked.sandbox.add_user("robin@private.example", ROBIN)
    issue_in_credly(linked, WEBINAR, "robin@private.example")
    assert refusal(linked, badge=WEBINAR)["code"] == "already-earned"


def test_r22_a_badge_under_the_learners_former_address_counts(connected: Desk) -> None:
    connected.json("link", WEBINAR, "first-aid")
    connected.imports("learners", f"email,first_name,last_name,learner_id\n{ROBIN},Robin,Sample,7\n")
    enroll(connected)
    issue_in_credly(connected, WEBINAR)
    connected.imports("learners", "email,first_name,last_name,learner_id\nrobin@new.example,Robin,Sample,7\n")
    assert refusal(connected, "robin@new.example", WEBINAR)["code"] == "already-earned"


def test_r22_a_strangers_badge_is_not_the_learners_when_credly_ignores_the_filter(linked: Desk) -> None:
    stranger = issue_in_credly(linked, WEBINAR, "stranger@example.com")
    linked.sandbox.accept(stranger.id)
    linked.sandbox.switches.filter_ignored = True
    assert linked.json("grant", ROBIN, WEBINAR)["changed"]


def test_r22_a_badge_granted_before_is_earned(linked: Desk) -> None:
    linked.json("grant", ROBIN, WEBINAR)
    linked.pass_time(days=100)
    assert refusal(linked, badge=WEBINAR)["code"] == "already-earned"


def test_r22_a_disconnected_profile_grants_nothing(linked: Desk) -> None:
    linked.json("disconnect", "--yes")
    assert refusal(linked, code=4)["code"] == "not-connected"


def test_r22_a_refused_token_ends_it(linked: Desk) -> None:
    linked.sandbox.expire_token()
    assert refusal(linked, code=4)["code"] == "token-refused"


@pytest.mark.parametrize(
    "arguments", [[FIRST_AID], [], ["--from", "nowhere.csv", FIRST_AID], ["--from", "-", ROBIN, "x"]]
)
def test_r22_without_a_learner_or_with_too_many_it_is_wrong_usage(linked: Desk, arguments: list[str]) -> None:
    assert linked.json("grant", *arguments, code=2)["error"]["code"] == "usage"


# After a loss


@pytest.mark.parametrize("badge", [FIRST_AID, WEBINAR])
def test_r23_what_was_revoked_may_be_granted_again_as_a_grant_of_its_own(linked: Desk, badge: str) -> None:
    first = linked.json("grant", ROBIN, badge)["grant"]
    linked.sandbox.revoke(first["issued_badge_id"])
    linked.pass_time(minutes=30)
    second = linked.json("grant", ROBIN, badge)["grant"]
    assert second["state"] == "issued"
    assert second["id"] != first["id"]
    assert [issued.state for issued in linked.issued(badge)] == ["revoked", "pending"]
    marks = {issued.details.issuer_earner_id for issued in linked.issued(badge)}
    assert len(marks) == (1 if badge == FIRST_AID else 2)


@pytest.mark.parametrize("badge", [FIRST_AID, WEBINAR])
def test_r23_what_was_deleted_may_be_granted_again_once_a_sync_has_seen_it(linked: Desk, badge: str) -> None:
    first = linked.json("grant", ROBIN, badge)["grant"]
    linked.json("sync")
    linked.pass_time(hours=1)
    linked.sandbox.delete(first["issued_badge_id"])
    linked.json("sync")
    assert linked.json("grant", ROBIN, badge)["changed"]
    assert len(linked.issued(badge)) == 1


# It stands for the latest enrolled session


@pytest.mark.parametrize("badge", [FIRST_AID, WEBINAR])
def test_r22_completing_that_session_later_earns_no_second_badge(linked: Desk, badge: str) -> None:
    linked.json("grant", ROBIN, badge)
    complete(linked)
    linked.json("sync")
    linked.json("sync")
    assert len(linked.issued(badge)) == 1


def test_r22_completing_another_session_earns_a_badge_that_may_be_had_twice(linked: Desk) -> None:
    for badge in (FIRST_AID, WEBINAR):
        linked.json("grant", ROBIN, badge)
    linked.pass_time(days=1)
    complete(linked, session=APRIL)
    linked.json("sync")
    assert (len(linked.issued(FIRST_AID)), len(linked.issued(WEBINAR))) == (1, 2)


def test_r22_it_stands_for_the_session_that_was_enrolled_in_last(linked: Desk) -> None:
    rows = [f"{ROBIN},first-aid,{APRIL},2026-01-05", f"{ROBIN},first-aid,{MARCH},2026-02-05"]
    linked.imports("progress", "email,content_id,session_id,enrolled_at\n" + "\n".join(rows) + "\n")
    assert linked.json("grant", ROBIN, WEBINAR)["grant"]["session_id"] == MARCH


def test_r22_where_nobody_says_when_it_stands_for_the_session_that_is_still_open(linked: Desk) -> None:
    linked.learns(f"{ROBIN},first-aid,{MARCH},completed,2026-01-10T10:00:00Z,Robin,Sample")
    linked.learns(f"{ROBIN},first-aid,{APRIL},in_progress,,Robin,Sample")
    assert linked.json("grant", ROBIN, WEBINAR)["grant"]["session_id"] == APRIL
    complete(linked, session=APRIL)
    linked.json("sync")
    assert len(linked.issued(WEBINAR)) == 1


def test_r22_whoever_completed_before_the_link_can_be_granted_the_badge(connected: Desk) -> None:
    connected.learns(f"{ROBIN},first-aid,{MARCH},completed,2026-01-10T10:00:00Z,Robin,Sample")
    connected.json("link", FIRST_AID, "first-aid")
    grant = connected.json("grant", ROBIN, FIRST_AID, "--issued-at", "2026-01-10")["grant"]
    assert (grant["completed_at"], grant["issued_at"]) == ("2026-01-10T10:00:00Z", "2026-01-10T00:00:00Z")
    connected.json("link", FIRST_AID, "first-aid", "--since", "2026-01-01")
    connected.json("sync")
    assert len(connected.issued()) == 1


@pytest.mark.further
def test_r22_a_grant_that_waits_for_a_name_is_sent_by_hand_once_the_name_is_known(linked: Desk) -> None:
    complete(linked, "kim@example.com", name=",")
    linked.run("sync")
    assert [grant["state"] for grant in grants(linked, "--email", "kim@example.com")] == ["held", "held"]
    linked.imports("learners", "email,first_name,last_name\nkim@example.com,Kim,Other\n")
    grant = linked.json("grant", "kim@example.com", FIRST_AID)["grant"]
    assert (grant["state"], grant["reason"]) == ("issued", "manual")
    linked.json("sync")
    assert len(linked.issued(FIRST_AID)) == 1


# When Credly does not answer


UNREACHABLE = (faults.unreachable(), "unreachable")


@pytest.mark.parametrize(
    ("fault", "code"), [UNREACHABLE, (faults.answers(503), "server-error"), (faults.answers(429), "rate-limited")]
)
def test_r22_nothing_is_stored_when_credly_cannot_be_asked(linked: Desk, fault: faults.Act, code: str) -> None:
    linked.sandbox.faults.add(fault, *READS, times=None)
    assert refusal(linked, code=75)["code"] == code
    with linked.store() as store:
        assert store.value("SELECT count(*) FROM attempts") == 0


@pytest.mark.parametrize(("fault", "code"), [UNREACHABLE, (faults.answers(429, Retry_After="600"), "rate-limited")])
def test_r22_nothing_is_stored_when_it_is_certain_that_nothing_was_sent(
    linked: Desk, fault: faults.Act, code: str
) -> None:
    linked.sandbox.faults.add(fault, *SENDS, times=None)
    assert refusal(linked, code=75)["code"] == code
    linked.sandbox.faults.clear()
    linked.json("sync")
    assert not linked.issued()
    assert linked.json("grant", ROBIN, FIRST_AID)["changed"]


def test_r22_what_was_not_stored_is_not_left_to_a_sync(linked: Desk) -> None:
    """The hint says a step that leads on."""
    linked.sandbox.faults.add(faults.answers(429, Retry_After="600"), *SENDS, times=None)
    assert refusal(linked, code=75)["hint"] == "Grant it again later."


def test_r22_a_token_that_may_not_issue_leaves_nothing_behind(linked: Desk) -> None:
    linked.sandbox.faults.add(faults.answers(403), *SENDS)
    assert refusal(linked, code=4)["code"] == "token-forbidden"


def test_r22_what_was_planned_before_is_planned_again_when_nothing_was_sent(linked: Desk) -> None:
    complete(linked)
    linked.sandbox.faults.add(faults.unreachable(), *SENDS, times=None)
    linked.run("sync")
    before = grants(linked, "--badge", FIRST_AID)
    linked.json("grant", ROBIN, FIRST_AID, code=75)
    after = grants(linked, "--badge", FIRST_AID)
    assert [{**row, "attempts": 0} for row in after] == [{**row, "attempts": 0} for row in before]


def test_r22_a_lost_answer_is_found_again_at_once(linked: Desk) -> None:
    linked.sandbox.faults.add(faults.loses_answer(), *SENDS)
    assert linked.json("grant", ROBIN, FIRST_AID)["grant"]["state"] == "issued"
    assert len(linked.issued()) == 1


def test_r22_what_stays_unclear_is_uncertain_and_the_next_sync_finds_out(linked: Desk) -> None:
    linked.sandbox.switches.list_lag = 120
    linked.sandbox.faults.add(faults.loses_answer(), *SENDS)
    answer = linked.json("grant", ROBIN, FIRST_AID, code=75)
    assert (answer["changed"], answer["grant"]["state"]) == (True, "uncertain")
    assert answer["problems"][0]["code"] == "server-error"
    assert answer["problems"][0]["grant_id"] == answer["grant"]["id"]
    again = linked.json("grant", ROBIN, FIRST_AID, code=75)["error"]
    assert "lost" in again["message"]
    assert again["hint"] == "The next sync finds out: credly sync"
    linked.pass_time(minutes=5)
    linked.json("sync")
    assert [grant["state"] for grant in grants(linked)] == ["issued"]
    assert len(linked.issued()) == 1


def test_r22_a_broken_answer_says_so_on_standard_error(linked: Desk) -> None:
    linked.sandbox.faults.add(faults.answers(500), *SENDS)
    ran = linked.run("grant", ROBIN, FIRST_AID)
    assert (ran.code, ran.out) == (75, "")
    assert "Error: Credly's answer was lost." in ran.err
    assert "credly sync" in ran.err


@pytest.mark.further
def test_r22_doubts_about_others_are_left_to_the_next_sync(linked: Desk) -> None:
    linked.sandbox.faults.add(faults.answers(500), *SENDS)
    linked.json("grant", ROBIN, FIRST_AID, code=75)
    enroll(linked, "kim@example.com", name="Kim,Other")
    linked.pass_time(hours=1)
    for _ in range(3):
        linked.pass_time(minutes=5)
        linked.run("grant", "kim@example.com", FIRST_AID)
    assert [grant["state"] for grant in grants(linked, "--email", ROBIN)] == ["uncertain"]


def test_r22_what_is_planned_for_others_is_left_to_the_next_sync(linked: Desk) -> None:
    linked.sandbox.faults.add(faults.unreachable(), *SENDS, times=None)
    complete(linked, "kim@example.com", name="Kim,Other")
    linked.run("sync")
    linked.sandbox.faults.clear()
    linked.pass_time(hours=1)
    linked.json("grant", ROBIN, FIRST_AID)
    assert [badge.email for badge in linked.issued()] == [ROBIN]
    assert {grant["state"] for grant in grants(linked, "--email", "kim@example.com")} == {"planned"}


# Several learners


@pytest.fixture
def sharing(linked: Desk) -> Desk:
    """Ann and Bob share an address; Bob alone has completed the course."""
    linked.imports("learners", "email,learner_id,first_name,last_name\nfam@x.org,1,Ann,Ames\nfam@x.org,2,Bob,Bell\n")
    at = linked.clock.now().isoformat()
    rows = f"fam@x.org,1,first-aid,{MARCH},open,\nfam@x.org,2,first-aid,{MARCH},completed,{at}\n"
    linked.imports("progress", f"email,learner_id,content_id,session_id,status,completed_at\n{rows}")
    return linked


def test_r22_of_two_who_share_an_address_none_is_guessed(sharing: Desk) -> None:
    """A badge bears a name, is public and mailed at once."""
    error = refusal(sharing, "fam@x.org", code=5)
    assert error["code"] == "ambiguous-learner"
    assert "Ann Ames id 1, Bob Bell id 2" in error["message"]
    ran = sharing.run("grant", "fam@x.org", FIRST_AID, stdin="y\n", terminal=True)
    assert (ran.code, "[y/N]" in ran.err) == (5, False)
    assert sharing.json("grant", "2", FIRST_AID, "--dry-run")["grant"]["learner_id"] == "2"


def test_r22_who_alone_completed_is_meant_by_completion(sharing: Desk) -> None:
    assert sharing.json("grant", "fam@x.org", FIRST_AID, "--issued-at", "completion")["grant"]["learner_id"] == "2"


def test_r18_r22_a_completion_ahead_of_the_clock_is_none_yet(linked: Desk) -> None:
    at = (linked.clock.now() + timedelta(hours=3)).isoformat()
    linked.learns(f"{ROBIN},first-aid,{MARCH},completed,{at},Robin,Sample")
    asked = ("grant", ROBIN, FIRST_AID, "--issued-at", "completion")
    assert linked.json(*asked, code=6)["error"]["code"] == "not-completed"
    linked.pass_time(hours=3)
    assert linked.json(*asked)["grant"]["issued_at"] == "2026-03-02T12:30:00Z"


def test_r22_what_another_at_the_address_has_is_not_earned_where_duplicates_are_allowed(sharing: Desk) -> None:
    """By the ledger it is known for whom each was issued; a badge that forbids duplicates is one for the address."""
    assert sharing.json("grant", "2", WEBINAR)["grant"]["state"] == "issued"
    assert WEBINAR in sharing.run("grant", "1", "--list").out
    assert sharing.json("grant", "1", WEBINAR)["grant"]["learner_id"] == "1"
    for learner in ("1", "2"):
        assert refusal(sharing, learner, WEBINAR)["code"] == "already-earned"
    sharing.json("grant", "2", FIRST_AID)
    assert refusal(sharing, "1", FIRST_AID)["code"] == "already-earned"


def test_r22_what_credly_has_under_the_mark_of_another_at_the_address_is_not_earned(sharing: Desk) -> None:
    """As after a store was lost: the grant that issued it is not known any more."""
    issue_in_credly(sharing, WEBINAR, "fam@x.org", issuer_earner_id="2~abcdefghijklmnop")
    assert sharing.json("grant", "1", WEBINAR)["grant"]["state"] == "issued"


@pytest.fixture
def group(linked: Desk) -> Desk:
    """Besides Robin, Kim is enrolled and Lee is not."""
    enroll(linked, "kim@example.com", name="Kim,Other")
    linked.learns("lee@example.com,hygiene,,in_progress,,Lee,Third")
    return linked


def outcomes(answer: Any) -> dict[str, str]:
    return {row["email"]: row["error"]["code"] if row["error"] else row["grant"]["state"] for row in answer["results"]}


def test_r22_of_several_each_has_its_own_result(group: Desk) -> None:
    answer = group.json("grant", ROBIN, "kim@example.com", "lee@example.com", "who@example.com", FIRST_AID, code=3)
    assert [list(row) for row in answer["results"]] == [["email", "changed", "grant", "error"]] * 4
    assert outcomes(answer) == {
        ROBIN: "issued",
        "kim@example.com": "issued",
        "lee@example.com": "not-enrolled",
        "who@example.com": "unknown-learner",
    }
    assert [row["changed"] for row in answer["results"]] == [True, True, False, False]
    assert len(group.issued()) == 2


@pytest.mark.further
def test_r22_of_several_already_earned_is_no_failure(group: Desk) -> None:
    group.json("grant", ROBIN, FIRST_AID)
    answer = group.json("grant", ROBIN, "kim@example.com", FIRST_AID)
    assert outcomes(answer) == {ROBIN: "already-earned", "kim@example.com": "issued"}
    assert [row["changed"] for row in answer["results"]] == [False, True]


def test_r22_a_learner_named_twice_gets_one(group: Desk) -> None:
    answer = group.json("grant", ROBIN, "Robin@EXAMPLE.com", ROBIN, FIRST_AID)
    assert outcomes(answer) == {ROBIN: "issued"}
    assert len(group.issued()) == 1


def test_r22_a_learner_named_by_a_former_address_too_gets_one(group: Desk) -> None:
    for email in (ROBIN, "robin@new.example"):
        group.imports("learners", f"learner_id,email\n7,{email}\n")
    answer = group.json("grant", "robin@new.example", ROBIN, FIRST_AID)
    assert [row["error"] and row["error"]["code"] for row in answer["results"]] == [None, "already-earned"]
    assert "is the same learner as robin@new.example" in answer["results"][1]["error"]["message"]
    assert len(group.issued()) == 1


def test_r22_a_dry_run_of_several_says_what_each_would_get(group: Desk) -> None:
    answer = group.json("grant", ROBIN, "lee@example.com", FIRST_AID, "--dry-run")
    assert outcomes(answer) == {ROBIN: "planned", "lee@example.com": "not-enrolled"}
    assert not any(row["changed"] for row in answer["results"])
    assert (group.issued(), grants(group)) == ([], [])


def test_r22_of_several_none_is_stored_when_credly_cannot_be_asked(group: Desk) -> None:
    group.sandbox.faults.add(faults.unreachable(), *READS, nth=4, times=None)
    answer = group.json("grant", ROBIN, "kim@example.com", "lee@example.com", FIRST_AID, code=75)
    assert outcomes(answer) == {
        ROBIN: "unreachable",
        "kim@example.com": "unreachable",
        "lee@example.com": "not-enrolled",
    }
    assert (group.issued(), grants(group)) == ([], [])


def test_r22_of_several_an_unclear_one_does_not_hide_a_refusal(group: Desk) -> None:
    group.sandbox.faults.add(faults.answers(500), *SENDS)
    group.json("grant", ROBIN, "lee@example.com", FIRST_AID, code=3)
    group.sandbox.faults.add(faults.answers(500), *SENDS)
    group.json("grant", ROBIN, "kim@example.com", FIRST_AID, code=75)


def test_r22_an_ambiguous_date_is_refused_without_naming_an_option_that_is_not_there(linked: Desk) -> None:
    error = linked.json("grant", ROBIN, FIRST_AID, "--issued-at", "03/04/2026", code=2)["error"]
    assert error["message"] == "--issued-at cannot be read: '03/04/2026' could be two dates."


def test_r22_in_a_pipe_each_result_is_a_row_that_begins_with_the_grants_id(group: Desk) -> None:
    ran = group.run("grant", ROBIN, "lee@example.com", FIRST_AID)
    assert ran.code == 3
    first, second = (line.split("\t") for line in ran.out.splitlines())
    assert first == [str(grants(group)[0]["id"]), ROBIN, "issued", ""]
    assert second == ["", "lee@example.com", "not-enrolled", "lee@example.com is not enrolled in First Aid Course."]
    assert ran.err.splitlines()[0] == "1 of 2 issued."
    assert ran.err.splitlines()[1].startswith("1 badge is out for First Aid Course. Revoking is done in Credly only.")


FILES = {
    "one a line": f"{ROBIN}\n\nkim@example.com\n",
    "csv": f"Name,Email\nRobin,{ROBIN}\nKim,kim@example.com\n",
    "semicolons": f"first_name;E-Mail\nRobin;{ROBIN}\nKim;kim@example.com\n",
    "with a mark": f"\ufeffemail\n{ROBIN}\nkim@example.com\n",
}


@pytest.mark.sampled
@pytest.mark.parametrize("form", FILES)
@pytest.mark.parametrize("by", ["file", "stdin"])
def test_r22_a_file_takes_the_addresses_place(group: Desk, form: str, by: str) -> None:
    name = "-" if by == "stdin" else group.file("people.txt", FILES[form])
    answer = group.json("grant", "--from", name, FIRST_AID, stdin=FILES[form] if by == "stdin" else "")
    assert outcomes(answer) == {ROBIN: "issued", "kim@example.com": "issued"}


def test_r22_a_file_as_excel_saves_unicode_is_read(group: Desk) -> None:
    (group.home / "people.txt").write_bytes(FILES["csv"].encode("utf-16"))
    answer = group.json("grant", "--from", str(group.home / "people.txt"), FIRST_AID)
    assert outcomes(answer) == {ROBIN: "issued", "kim@example.com": "issued"}


def test_r22_a_file_of_one_answers_like_a_file_of_many(group: Desk) -> None:
    assert group.json("grant", "--from", group.file("one.txt", ROBIN), FIRST_AID).keys() == {"results"}


def test_r10_r22_a_row_that_cannot_be_read_keeps_the_badge_from_one_learner_alone(group: Desk) -> None:
    issue_in_credly(group, WEBINAR)

    def spoil(work: faults.Work, _stage: faults.Stage) -> Response:
        answer = work()
        return replace(answer, body=re.sub(rb'"state": ?"pending"', b'"state":null', answer.body))

    group.sandbox.faults.add(spoil, *READS, times=None)
    answer = group.json("grant", ROBIN, "kim@example.com", WEBINAR, code=75)
    assert outcomes(answer) == {ROBIN: "server-error", "kim@example.com": "issued"}


def test_r22_an_empty_file_grants_nothing(group: Desk) -> None:
    assert group.json("grant", "--from", group.file("none.txt", ""), FIRST_AID) == {"results": []}


def test_r22_a_csv_without_addresses_is_wrong_usage(group: Desk) -> None:
    error = group.json("grant", "--from", group.file("x.csv", "name,age\nRobin,7\n"), FIRST_AID, code=2)["error"]
    assert "column of addresses" in error["message"]


@pytest.mark.further
def test_r22_a_hundred_learners_are_asked_about_several_at_a_time(linked: Desk) -> None:
    people = [f"person{number}@example.com" for number in range(100)]
    linked.learns(*(f"{email},first-aid,{MARCH},in_progress,,Some,One" for email in people))
    answer = linked.json("grant", "--from", linked.file("people.txt", "\n".join(people)), FIRST_AID)
    assert set(outcomes(answer).values()) == {"issued"}
    assert sorted(badge.email for badge in linked.issued()) == sorted(people)


def test_r24_the_learner_is_told_by_credly_unless_the_configuration_says_no(linked: Desk) -> None:
    linked.json("grant", ROBIN, WEBINAR)
    linked.config("suppress_notification = true\n")
    linked.json("grant", ROBIN, FIRST_AID)
    told = {badge.template["name"]: not badge.details.suppress_notification for badge in linked.issued()}
    assert told == {WEBINAR: True, FIRST_AID: False}


def test_the_clock_of_the_badge_is_utc_whatever_the_zone(linked: Desk) -> None:
    linked.config('timezone = "America/New_York"\n')
    linked.json("grant", ROBIN, FIRST_AID, "--issued-at", "2026-01-31 20:00")
    with linked.store() as store:
        sent = json.loads(store.value("SELECT body FROM attempts"))["issued_at"]
    assert sent == "2026-02-01 01:00:00 +0000"


def test_r22_of_several_a_lost_answer_weighs_less_than_a_refusal(linked: Desk) -> None:
    """The next sync settles what may have been issued before; who is not enrolled needs a person (3)."""
    linked.sandbox.faults.add(faults.drops(), *SENDS)
    linked.json("grant", ROBIN, FIRST_AID, code=75)
    results = linked.json("grant", ROBIN, "nobody@example.org", FIRST_AID, code=3)["results"]
    assert [result["error"]["code"] for result in results] == ["server-error", "unknown-learner"]


def test_r22_what_turns_out_to_be_held_as_it_is_sent_is_no_second_badge(linked: Desk) -> None:
    """Credly refuses it as a duplicate that no list showed before: covered, by what the look-up finds then."""

    def issue_elsewhere(work: faults.Work, _: faults.Stage) -> Response:
        issue_in_credly(linked, FIRST_AID, ROBIN, issued_at="2020-01-01 00:00:00 +0000")
        return work()

    linked.sandbox.faults.add(issue_elsewhere, *SENDS)
    assert linked.json("grant", ROBIN, FIRST_AID, code=6)["error"]["code"] == "already-earned"
    assert [badge.email for badge in linked.issued(FIRST_AID)] == [ROBIN]


@pytest.mark.further
@pytest.mark.parametrize("badge", [FIRST_AID, WEBINAR])
def test_r22_a_completion_after_the_hand_granted_badge_was_revoked_earns(linked: Desk, badge: str) -> None:
    first = linked.json("grant", ROBIN, badge)["grant"]
    linked.pass_time(minutes=10)
    linked.sandbox.revoke(first["issued_badge_id"])
    linked.json("sync")
    linked.pass_time(hours=1)
    complete(linked)
    assert [row["badge"]["name"] for row in linked.json("sync", "--dry-run")["plan"]] == [FIRST_AID, WEBINAR]
    linked.json("sync")
    assert [issued.state for issued in linked.issued(badge)] == ["revoked", "pending"]
    assert [row["state"] for row in grants(linked, "--badge", badge)] == ["issued", "issued"]
    assert linked.json("missed") == []
    linked.pass_time(hours=1)
    assert linked.json("sync")["grants"]["planned"] == 0
    assert len(linked.issued(badge)) == 2


@pytest.mark.parametrize("badge", [FIRST_AID, WEBINAR])
def test_r22_r23_a_completion_before_the_hand_granted_badge_was_revoked_earns_none(linked: Desk, badge: str) -> None:
    first = linked.json("grant", ROBIN, badge)["grant"]
    linked.pass_time(hours=1)
    complete(linked)
    linked.pass_time(hours=1)
    linked.sandbox.revoke(first["issued_badge_id"])
    linked.json("sync")
    assert [issued.state for issued in linked.issued(badge)] == ["revoked"]
    assert [row["reason"] for row in linked.json("missed", badge)] == ["revoked"]


@pytest.mark.further
def test_r22_the_badge_of_such_a_completion_is_is_taken_up_again_after_unlinking(linked: Desk) -> None:
    linked.json("unlink", WEBINAR)
    first = linked.json("grant", ROBIN, FIRST_AID)["grant"]
    linked.pass_time(minutes=10)
    linked.sandbox.revoke(first["issued_badge_id"])
    linked.json("sync")
    linked.pass_time(hours=1)
    complete(linked)
    linked.sandbox.faults.add(faults.unreachable(), "POST")
    linked.json("sync", code=75)
    assert linked.json("unlink", FIRST_AID)["cancelled"] == 1
    linked.json("link", FIRST_AID, "first-aid", "--since", "2026-03-02")
    linked.sandbox.faults.clear()
    linked.json("sync")
    assert [issued.state for issued in linked.issued(FIRST_AID)] == ["revoked", "pending"]


def test_r22_what_was_cancelled_and_cannot_be_sent_is_left_as_it_was(linked: Desk) -> None:
    complete(linked)
    linked.sandbox.faults.add(faults.unreachable(), "POST", times=None)
    linked.json("sync", code=75)
    linked.json("unlink", FIRST_AID)
    linked.json("link", FIRST_AID, "first-aid")
    (before,) = grants(linked, "--badge", FIRST_AID)
    linked.json("grant", ROBIN, FIRST_AID, code=75)
    (after,) = grants(linked, "--badge", FIRST_AID)
    assert after["state"] == "cancelled"
    assert after == {**before, "attempts": before["attempts"] + 1}


def test_r22_what_was_revoked_and_cannot_be_granted_anew_is_left_as_it_was(linked: Desk) -> None:
    first = linked.json("grant", ROBIN, FIRST_AID)["grant"]
    linked.pass_time(hours=1)
    linked.sandbox.revoke(first["issued_badge_id"])
    linked.json("sync")
    before = grants(linked)
    linked.sandbox.faults.add(faults.unreachable(), "POST", times=None)
    linked.json("grant", ROBIN, FIRST_AID, code=75)
    assert grants(linked) == before


def test_r22_a_dry_run_leaves_no_trace_that_looks_like_a_restored_store(linked: Desk) -> None:
    linked.json("grant", ROBIN, FIRST_AID, "--dry-run")
    assert linked.json("grant", ROBIN, FIRST_AID)["changed"]


def test_r22_of_content_without_sessions_none_is_named(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "hygiene")
    connected.learns(f"{ROBIN},hygiene,,in_progress,,Robin,Sample")
    assert [row["session_id"] for row in connected.json("grant", ROBIN, "--list")] == [None]
