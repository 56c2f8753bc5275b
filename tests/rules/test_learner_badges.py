"""What a learner has earned, for the support desk: R26, R27, R31."""

import csv
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest

from tests.rules.admin import FIRST_AID, HOSTILE, ROBIN, WEBINAR, complete, enroll, issue_in_credly, shown
from tests.support import faults
from tests.support.desk import ConnectedAfter, Desk

READS = ("GET", r"/badges\?")
DOWN = {
    "unreachable": faults.unreachable(),
    "dropped": faults.drops(),
    "500": faults.answers(500),
    "503": faults.answers(503),
    "429": faults.answers(429),
    "a web page": faults.answers_html(),
    "cut off": faults.cuts_body(),
}


def earn_first_aid(desk: Desk) -> None:
    desk.json("link", FIRST_AID, "first-aid")
    complete(desk)
    assert desk.json("sync")["grants"]["issued"] == 1


@pytest.fixture
def earned(connected_after: ConnectedAfter) -> Desk:
    """Robin has earned First Aid at Work by completing the First Aid Course."""
    return connected_after(earn_first_aid)


def only(desk: Desk, email: str = ROBIN) -> Any:
    (badge,) = desk.json("learner-badges", email)["badges"]
    return badge


# What is shown


def test_r26_a_badge_shows_image_name_resource_dates_state_and_credlys_link(earned: Desk) -> None:
    (issued,) = earned.issued()
    answer = earned.json("learner-badges", ROBIN)
    assert answer == {
        "learner": {"email": ROBIN, "first_name": "Robin", "last_name": "Sample", "learner_id": None},
        "source": "credly",
        "as_of": "2026-03-02T09:31:00Z",
        "badges": [
            {
                "id": issued.id,
                "badge": {"id": issued.template_id, "name": FIRST_AID, "image_url": issued.template["image_url"]},
                "resource": {"id": "first-aid", "title": "First Aid Course", "type": "course"},
                "awarded_at": "2026-03-02T09:31:00Z",
                "expires_at": (issued.details.expires_at or "").replace(".000Z", "Z"),
                "expired": False,
                "state": "pending",
                "view_url": None,
                "accept_url": f"https://www.credly.com/badges/{issued.id}/accept",
            }
        ],
    }


def test_r26_an_accepted_badge_has_a_link_to_view_it_and_a_rejected_one_none(earned: Desk) -> None:
    (issued,) = earned.issued()
    earned.sandbox.accept(issued.id)
    badge = only(earned)
    assert (badge["state"], badge["accept_url"]) == ("accepted", None)
    assert badge["view_url"] == f"https://www.credly.com/badges/{issued.id}"
    earned.sandbox.reject(issued.id)
    badge = only(earned)
    assert (badge["state"], badge["view_url"], badge["accept_url"]) == ("rejected", None, None)


def replaced(desk: Desk, old: Any) -> Any:
    """Put a new badge in the place of an old one, as somebody does in Credly."""
    fields = {
        "badge_template_id": old.template_id, "recipient_email": ROBIN, "issued_to_first_name": "Robin",
        "issued_to_last_name": "Sample", "issued_at": "2026-03-02 09:30:00 +0000",
    }  # fmt: skip
    return desk.sandbox.replace(old.id, fields)


@pytest.mark.parametrize("source", ["credly", "store"])
def test_r26_a_badge_that_replaces_another_stands_in_its_place(earned: Desk, source: str) -> None:
    new = replaced(earned, earned.sandbox.accept(earned.issued()[0].id))
    earned.pass_time(minutes=1)
    earned.json("sync")
    if source == "store":
        earned.sandbox.faults.add(DOWN["503"], *READS, times=None)
    badge = only(earned)
    assert (badge["id"], badge["state"], badge["resource"]["id"]) == (new.id, "accepted", "first-aid")
    assert badge["accept_url"] is None  # though Credly gives one
    (entry,) = earned.json("widget", ROBIN)["earned"]
    assert (entry["id"], entry["accept_url"]) == (new.id, None)
    assert earned.json("explain", ROBIN)["badges"][0]["decision"] == "earned"


def test_r23_when_the_replacement_is_revoked_the_replaced_badge_does_not_come_back(earned: Desk) -> None:
    earned.sandbox.revoke(replaced(earned, earned.issued()[0]).id)
    assert shown(earned) == []
    earned.pass_time(minutes=1)
    assert earned.json("sync")["grants"]["issued"] == 0
    assert earned.json("explain", ROBIN)["badges"][0]["decision"] == "not-granted"
    assert earned.json("grant", ROBIN, FIRST_AID)["grant"]["state"] == "issued"


def test_r26_a_badge_issued_in_credly_itself_has_no_resource_even_if_it_is_linked(earned: Desk) -> None:
    issue_in_credly(earned, email="kim@example.com")
    issue_in_credly(earned, "Facilitator")
    assert only(earned, "kim@example.com")["resource"] is None
    resources = {row["badge"]["name"]: row["resource"] for row in earned.json("learner-badges", ROBIN)["badges"]}
    assert resources["Facilitator"] is None
    assert resources[FIRST_AID]["title"] == "First Aid Course"


def test_r26_a_completion_that_is_covered_gives_the_badge_no_resource(connected: Desk) -> None:
    issue_in_credly(connected)
    connected.json("link", FIRST_AID, "first-aid")
    complete(connected)
    assert connected.json("sync")["grants"]["covered"] == 1
    assert only(connected)["resource"] is None


def test_r26_the_newest_comes_first(connected: Desk) -> None:
    for badge, day in (("Facilitator", "02"), (FIRST_AID, "20"), (WEBINAR, "11")):
        issue_in_credly(connected, badge, issued_at=f"2026-01-{day}T10:00:00Z")
    assert shown(connected) == [FIRST_AID, WEBINAR, "Facilitator"]


def test_r26_a_revoked_badge_never_shows(earned: Desk) -> None:
    earned.sandbox.revoke(earned.issued()[0].id)
    assert shown(earned) == []
    earned.sandbox.faults.add(DOWN["500"], *READS, times=8)
    assert shown(earned) == [FIRST_AID]  # the store does not know yet
    earned.sandbox.faults.clear()
    earned.json("sync")
    earned.sandbox.faults.add(DOWN["500"], *READS, times=None)
    assert shown(earned) == []


def test_r23_a_badge_deleted_in_credly_disappears(earned: Desk) -> None:
    earned.pass_time(minutes=5)
    earned.json("sync")
    earned.sandbox.delete(earned.issued()[0].id)
    assert shown(earned) == []
    earned.pass_time(hours=1)
    earned.json("sync")
    earned.sandbox.faults.add(DOWN["unreachable"], *READS, times=None)
    assert earned.json("learner-badges", ROBIN)["badges"] == []


@pytest.mark.further
@pytest.mark.parametrize("by_hand", [True, False])
def test_r23_a_badge_just_issued_shows_while_credlys_list_lags(connected: Desk, *, by_hand: bool) -> None:
    connected.json("link", FIRST_AID, "first-aid")
    enroll(connected)
    connected.sandbox.switches.list_lag = 7200
    if by_hand:
        connected.json("grant", ROBIN, FIRST_AID)
    else:
        complete(connected)
        connected.json("sync")
    for _ in range(3):
        badge = only(connected)
        assert (badge["id"], badge["resource"]["id"]) == (connected.issued()[0].id, "first-aid")
        assert [row["id"] for row in connected.json("widget", ROBIN)["earned"]] == [badge["id"]]
        connected.pass_time(minutes=20)
        assert connected.json("sync")["issued_badges"]["removed"] == 0


def test_r23_a_badge_that_a_listing_has_shown_is_not_awaited_again(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "first-aid")
    enroll(connected)
    connected.json("grant", ROBIN, FIRST_AID)
    connected.json("sync")
    connected.sandbox.delete(connected.issued()[0].id)
    assert shown(connected) == []


def test_r26_an_archived_badge_stays_with_whoever_earned_it(earned: Desk) -> None:
    earned.sandbox.archive_template(earned.badge_id(FIRST_AID))
    earned.json("sync", code=3)
    badge = only(earned)
    assert (badge["badge"]["name"], badge["resource"]["id"]) == (FIRST_AID, "first-aid")


def test_r26_an_unlinked_badge_keeps_the_content_that_earned_it(earned: Desk) -> None:
    earned.json("unlink", FIRST_AID)
    assert only(earned)["resource"]["id"] == "first-aid"


def test_r26_all_of_more_than_fifty_badges_show(connected: Desk) -> None:
    for day in range(1, 61):
        issue_in_credly(connected, WEBINAR, issued_at=f"2025-{1 + day // 30:02}-{1 + day % 28:02}T10:00:00Z")
    assert len(shown(connected)) == 60


# Expired (R31)


def test_r31_an_expired_badge_is_shown_as_expired_or_hidden(connected: Desk) -> None:
    issue_in_credly(connected, expires_at="2026-03-02T09:30:00Z")
    issue_in_credly(connected, WEBINAR, expires_at="2026-03-02T09:30:01Z")
    badges = {row["badge"]["name"]: row["expired"] for row in connected.json("learner-badges", ROBIN)["badges"]}
    assert badges == {FIRST_AID: True, WEBINAR: False}
    assert "pending, expired" in connected.run("learner-badges", ROBIN, terminal=True).out
    connected.config("hide_expired_badges = true\n")
    assert shown(connected) == [WEBINAR]


@pytest.mark.further
def test_r26_a_badge_that_is_pending_and_expired_can_be_accepted_nowhere(connected: Desk) -> None:
    """One answer in the table, the widget and the ledger."""
    connected.json("link", FIRST_AID, "first-aid")
    complete(connected)
    connected.pass_time(minutes=5)
    connected.json("sync")
    found = _ways_to_accept(connected)
    assert len(found) == 1
    assert None not in found
    with connected.store() as store:
        store.change("UPDATE issued_badges SET expires_at = '2026-03-02T09:45:00Z'")
    for badge in connected.issued():
        badge.details = replace(badge.details, expires_at="2026-03-02T09:45:00.000Z")
    connected.pass_time(hours=1)
    assert _ways_to_accept(connected) == {None}


def _ways_to_accept(desk: Desk) -> set[str | None]:
    (badge,) = desk.json("learner-badges", ROBIN)["badges"]
    (earned,) = desk.json("widget", ROBIN)["earned"]
    (grant,) = desk.json("grants")
    return {badge["accept_url"], earned["accept_url"], grant["badge_url"]}


# Whose badges these are


def test_r26_badges_under_other_addresses_of_the_account_show_once(connected: Desk) -> None:
    connected.sandbox.add_user(ROBIN, "robin@private.example", "r.sample@work.example")
    for badge, email in (
        (FIRST_AID, ROBIN),
        (WEBINAR, "robin@private.example"),
        ("Facilitator", "r.sample@work.example"),
    ):
        issue_in_credly(connected, badge, email)
    assert sorted(shown(connected)) == sorted([FIRST_AID, WEBINAR, "Facilitator"])
    assert sorted(shown(connected, "robin@private.example")) == sorted([FIRST_AID, WEBINAR, "Facilitator"])


def test_r26_badges_only_under_another_address_of_the_account_show_too(connected: Desk) -> None:
    connected.sandbox.add_user(ROBIN, "robin@private.example")
    issue_in_credly(connected, WEBINAR, "robin@private.example")
    assert shown(connected) == [WEBINAR]


@pytest.mark.further
def test_r25_badges_under_a_former_address_show_once(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "first-aid")
    connected.imports("learners", f"email,first_name,last_name,learner_id\n{ROBIN},Robin,Sample,7\n")
    complete(connected)
    connected.json("sync")
    connected.imports("learners", "email,first_name,last_name,learner_id\nrobin@new.example,Robin,Sample,7\n")
    issue_in_credly(connected, WEBINAR, "robin@new.example")
    assert sorted(shown(connected, "robin@new.example")) == [FIRST_AID, WEBINAR]
    assert sorted(shown(connected)) == [FIRST_AID, WEBINAR]
    connected.json("sync")
    connected.sandbox.faults.add(DOWN["503"], *READS, times=None)
    assert sorted(shown(connected, "robin@new.example")) == [FIRST_AID, WEBINAR]


def test_r25_a_former_address_that_somebody_else_has_now_is_theirs(connected: Desk) -> None:
    connected.imports("learners", f"email,first_name,last_name,learner_id\n{ROBIN},Robin,Sample,7\n")
    connected.imports("learners", "email,first_name,last_name,learner_id\nrobin@new.example,Robin,Sample,7\n")
    connected.imports("learners", f"email,first_name,last_name,learner_id\n{ROBIN},Robin,Other,8\n")
    issue_in_credly(connected, WEBINAR)
    assert shown(connected, "robin@new.example") == []
    assert shown(connected) == [WEBINAR]


@pytest.mark.further
@pytest.mark.parametrize("badge", [FIRST_AID, WEBINAR])
def test_r25_what_the_former_address_earned_stays_the_learners(connected: Desk, badge: str) -> None:
    connected.json("link", badge, "first-aid")
    connected.imports("learners", f"email,first_name,last_name,learner_id\n{ROBIN},Robin,Sample,7\n")
    complete(connected)
    connected.json("sync")
    connected.imports("learners", "email,first_name,last_name,learner_id\nrobin@new.example,Robin,Sample,7\n")
    connected.imports("learners", f"email,first_name,last_name,learner_id\n{ROBIN},Robin,Other,8\n")
    connected.json("sync")
    issue_in_credly(connected, "Facilitator")
    assert shown(connected, "robin@new.example") == [badge]
    connected.sandbox.revoke(connected.issued(badge)[0].id)
    assert shown(connected, "robin@new.example") == []


def test_r25_the_store_knows_whose_a_passed_on_address_is(connected: Desk) -> None:
    connected.imports("learners", f"email,first_name,last_name,learner_id\n{ROBIN},Robin,Sample,7\n")
    connected.imports("learners", "email,first_name,last_name,learner_id\nrobin@new.example,Robin,Sample,7\n")
    connected.imports("learners", f"email,first_name,last_name,learner_id\n{ROBIN},Robin,Other,8\n")
    issue_in_credly(connected, WEBINAR)
    connected.json("sync")
    connected.sandbox.faults.add(DOWN["503"], *READS, times=None)
    assert shown(connected, "robin@new.example") == []
    assert shown(connected) == [WEBINAR]


def test_r25_case_does_not_matter_even_if_credly_minds_it(connected: Desk) -> None:
    connected.sandbox.switches.email_filter_minds_case = True
    enroll(connected, "Robin@Example.com")
    issue_in_credly(connected, WEBINAR, "Robin@Example.com")
    assert shown(connected, "ROBIN@example.COM") == [WEBINAR]


def test_r26_what_the_store_has_and_no_list_of_credlys_shows_is_asked_for_by_its_id(connected: Desk) -> None:
    enroll(connected)
    badge = issue_in_credly(connected, WEBINAR)
    connected.json("sync")
    connected.sandbox.switches.list_lag = 10**9
    assert shown(connected) == [WEBINAR]
    connected.sandbox.delete(badge.id)
    assert shown(connected) == []


@pytest.mark.parametrize("accounts", [0, 1, 2])
def test_r26_a_filter_that_credly_ignores_never_shows_strangers(connected: Desk, accounts: int) -> None:
    for number in range(3):
        stranger = issue_in_credly(connected, FIRST_AID, f"stranger{number}@example.com")
        if number < accounts:
            connected.sandbox.accept(stranger.id)
    enroll(connected)
    connected.sandbox.switches.filter_ignored = True
    assert shown(connected) == []
    issue_in_credly(connected, WEBINAR)
    assert shown(connected) == [WEBINAR]


@pytest.mark.sampled
@pytest.mark.parametrize("email", ["a,b@example.com", "a|b@example.com", "a::b@example.com", "a+b@example.com"])
def test_r26_an_address_that_no_filter_can_carry_is_asked_for_by_the_learners_id(connected: Desk, email: str) -> None:
    connected.json("link", FIRST_AID, "first-aid")
    connected.imports("learners", f'email,first_name,last_name,learner_id\n"{email}",Robin,Sample,7\n')
    connected.imports("progress", "learner_id,content_id,session_id\n7,first-aid,first-aid-march\n")
    connected.json("grant", email, FIRST_AID)
    issue_in_credly(connected, WEBINAR, "stranger@example.com")
    assert shown(connected, email) == [FIRST_AID]


# Who is known


def test_r27_a_learner_without_badges_has_an_empty_list(connected: Desk) -> None:
    enroll(connected)
    assert connected.json("learner-badges", ROBIN)["badges"] == []
    ran = connected.run("learner-badges", ROBIN, terminal=True)
    assert (ran.code, ran.out) == (0, "")
    assert f"{ROBIN} has no badges." in ran.err


def test_r27_whom_neither_credly_nor_the_store_knows_is_not_found(connected: Desk) -> None:
    assert connected.json("learner-badges", ROBIN, code=5)["error"]["code"] == "unknown-learner"


@pytest.mark.parametrize("command", ["learner-badges", "widget"])
def test_r27_a_slip_in_the_address_is_answered_with_the_closest_one(connected: Desk, command: str) -> None:
    enroll(connected)
    error = connected.json(command, "robbin@example.com", code=5)["error"]
    assert error["hint"] == f'Did you mean "{ROBIN}"?'


def test_r27_whom_only_credly_knows_is_called_as_credly_does(connected: Desk) -> None:
    issue_in_credly(connected)
    learner = connected.json("learner-badges", ROBIN)["learner"]
    assert learner == {"email": ROBIN, "first_name": "Robin", "last_name": "Sample", "learner_id": None}


def test_r27_whose_only_badge_was_revoked_is_known_and_has_none(connected: Desk) -> None:
    connected.sandbox.revoke(issue_in_credly(connected).id)
    assert connected.json("learner-badges", ROBIN)["badges"] == []


# When Credly does not answer


@pytest.mark.sampled
@pytest.mark.parametrize("fault", DOWN)
def test_r27_the_store_answers_with_its_date_when_credly_does_not(earned: Desk, fault: str) -> None:
    live = earned.json("learner-badges", ROBIN)
    earned.pass_time(hours=2)
    earned.sandbox.faults.add(DOWN[fault], *READS, times=None)
    answer = earned.json("learner-badges", ROBIN)
    assert (answer["source"], answer["as_of"]) == ("store", "2026-03-02T09:31:00Z")
    assert (answer["learner"], answer["badges"]) == (live["learner"], live["badges"])


def test_r27_people_are_told_that_it_is_the_stores_knowledge(earned: Desk) -> None:
    earned.sandbox.faults.add(DOWN["503"], *READS, times=None)
    ran = earned.run("learner-badges", ROBIN, terminal=True)
    assert ran.code == 0
    assert "Credly does not answer" in ran.err
    assert "2026-03-02" in ran.err


def test_r27_nobody_waits_for_a_credly_that_asks_to_come_back_later(earned: Desk) -> None:
    earned.sandbox.faults.add(faults.answers(429, Retry_After="100"), *READS, times=None)
    before = earned.clock.time
    assert earned.json("learner-badges", ROBIN)["source"] == "store"
    assert (earned.clock.time - before).total_seconds() < 11


def test_r27_a_fault_that_passes_is_not_noticed(earned: Desk) -> None:
    earned.sandbox.faults.add(DOWN["503"], *READS, times=2)
    assert earned.json("learner-badges", ROBIN)["source"] == "credly"


def test_r27_a_page_that_fails_is_no_shorter_list(connected: Desk) -> None:
    for day in range(1, 61):
        issue_in_credly(connected, WEBINAR, issued_at=f"2025-{1 + day // 30:02}-{1 + day % 28:02}T10:00:00Z")
    connected.json("sync")
    connected.sandbox.faults.add(DOWN["500"], "GET", r"/badges\?.*page=2", times=None)
    answer = connected.json("learner-badges", ROBIN)
    assert (answer["source"], len(answer["badges"])) == ("store", 60)


def test_r27_the_store_includes_other_addresses_of_the_account(connected: Desk) -> None:
    connected.sandbox.add_user(ROBIN, "robin@private.example")
    issue_in_credly(connected, FIRST_AID)
    issue_in_credly(connected, WEBINAR, "robin@private.example")
    connected.json("sync")
    connected.sandbox.faults.add(DOWN["500"], *READS, times=None)
    assert sorted(shown(connected)) == [FIRST_AID, WEBINAR]


def test_r27_whom_the_store_does_not_know_is_asked_for_again_later(connected: Desk) -> None:
    connected.sandbox.faults.add(DOWN["unreachable"], *READS, times=None)
    assert connected.json("learner-badges", ROBIN, code=75)["error"]["code"] == "unreachable"


@pytest.mark.parametrize("status", [400, 404])
def test_r27_a_refused_request_is_no_outage(earned: Desk, status: int) -> None:
    earned.sandbox.faults.add(faults.answers(status), *READS, times=None)
    error = earned.json("learner-badges", ROBIN, code=75)["error"]
    assert error["code"] == "server-error"
    assert "did not accept the request" in error["message"]


def test_r27_a_refused_token_is_no_outage(earned: Desk) -> None:
    earned.sandbox.expire_token()
    assert earned.json("learner-badges", ROBIN, code=4)["error"]["code"] == "token-refused"


def test_r3_a_disconnected_profile_shows_nothing(earned: Desk) -> None:
    earned.json("disconnect", "--yes")
    token = {"CREDLY_TOKEN": earned.sandbox.token}
    assert earned.json("learner-badges", ROBIN, code=4, environ=token)["error"]["code"] == "not-connected"


# On paper


def test_on_a_terminal_the_name_leads_to_the_page_where_colours_are_on(earned: Desk) -> None:
    ran = earned.run("learner-badges", ROBIN, terminal=True)
    assert f"https://www.credly.com/badges/{earned.issued()[0].id}/accept\x1b\\{FIRST_AID}" in ran.out
    assert "First Aid Course" in ran.out


def test_on_a_terminal_without_colours_the_link_is_written_out(earned: Desk) -> None:
    ran = earned.run("learner-badges", ROBIN, terminal=True, environ={"NO_COLOR": "1"})
    assert "\x1b" not in ran.out
    assert f"  https://www.credly.com/badges/{earned.issued()[0].id}/accept\n" in ran.out


@pytest.mark.parametrize("width", ["80", "200"])
def test_on_a_terminal_the_address_to_accept_a_badge_can_be_read(earned: Desk, width: str) -> None:
    ran = earned.run("learner-badges", ROBIN, terminal=True, environ={"COLUMNS": width})
    address = f"https://www.credly.com/badges/{earned.issued()[0].id}/accept"
    assert f"To accept {FIRST_AID}:\n  {address}\n" in ran.out
    assert ran.out.count(f"  {address}") == 1


@pytest.mark.parametrize("form", [(), ("--csv",)])
def test_for_programs_the_state_is_plain_and_expired_a_column(connected: Desk, form: tuple[str, ...]) -> None:
    issue_in_credly(connected, expires_at="2026-03-02T09:30:00Z")
    row = connected.run("learner-badges", ROBIN, *form).out.splitlines()[-1].replace('"', "").replace(",", "\t")
    assert row.split("\t")[5] == "pending"
    assert row.split("\t")[-1] == "yes"


def test_in_a_pipe_a_badge_is_a_row_with_everything(earned: Desk) -> None:
    (issued,) = earned.issued()
    ran = earned.run("learner-badges", ROBIN)
    (row,) = [line.split("\t") for line in ran.out.splitlines()]
    assert row[:4] == [issued.id, FIRST_AID, "First Aid Course", "2026-03-02T09:31:00Z"]
    assert f"https://www.credly.com/badges/{issued.id}/accept" in row
    assert issued.template["image_url"] in row
    assert ran.err == ""


def test_as_csv_it_has_a_header(earned: Desk) -> None:
    (row,) = csv.DictReader(StringIO(earned.run("learner-badges", ROBIN, "--csv").out))
    assert (row["id"], row["badge"], row["state"]) == (earned.issued()[0].id, FIRST_AID, "pending")


@pytest.mark.parametrize("how", [{"terminal": True, "environ": {"NO_COLOR": "1"}}, {}])
def test_hostile_names_are_shown_and_do_nothing(earned: Desk, how: dict[str, Any]) -> None:
    earned.sandbox.change_template(earned.badge_id(FIRST_AID), name=HOSTILE)
    ran = earned.run("learner-badges", ROBIN, **how)
    assert ran.code == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(ran.out)
    assert "\\x1b]0;owned" in ran.out
    assert only(earned)["badge"]["name"] == HOSTILE


def test_a_link_that_is_no_web_address_is_no_link(earned: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credly_cli.sandbox.shapes._SITE", "javascript:alert(1)//")
    ran = earned.run("learner-badges", ROBIN, terminal=True)
    assert "\x1b]8;" not in ran.out


def test_learners_are_found_by_part_of_name_email_or_id(connected: Desk) -> None:
    connected.imports(
        "learners",
        f"email,first_name,last_name,learner_id,panorama,sublicense\n{ROBIN},Robin,Sample,1041,North,\n"
        "zoe@example.com,Zoë,Östlund,1042,,\n",
    )
    row = {"email": ROBIN, "first_name": "Robin", "last_name": "Sample", "learner_id": "1041"}
    for text in ("obin", "SAMPLE", "robin sam", "1041", "robin@"):
        assert connected.json("learners", text) == [
            {**row, "panorama": "North", "sublicense": None, "sublicenses": [], "former_emails": []}
        ]
    assert [found["learner_id"] for found in connected.json("learners", "öst")] == ["1042"]
    assert len(connected.json("learners")) == 2
    assert connected.json("learners", "100%") == []
    assert connected.run("learners", "nobody").code == 0
    assert connected.run("learners", "1041").out == f"1041\t{ROBIN}\tRobin\tSample\tNorth\t\t\t\n"
