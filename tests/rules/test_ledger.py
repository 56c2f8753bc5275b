"""A person's part: `retry` plans again what failed or was held, `resolve` says what was found out."""

from typing import Any

import pytest

from tests.rules.granting_desk import APRIL, MARCH, ONCE, completion, ledger, posts, states
from tests.support import faults
from tests.support.desk import Desk

NOON = "2026-03-02T12:00:00Z"
REFUSAL = b'{"data":{"message":"Recipient email is invalid"},"metadata":{}}'


@pytest.fixture
def failed(once: Desk) -> Desk:
    """A desk with one grant that Credly refused."""
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.sandbox.faults.add(faults.answers(422, REFUSAL), "POST")
    once.json("sync", code=3)
    return once


@pytest.fixture
def uncertain(once: Desk) -> Desk:
    """A desk with one grant of which nobody knows whether it was issued."""
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.sandbox.faults.add(faults.drops(), "POST")
    once.json("sync", code=75)
    return once


def refused(desk: Desk, *arguments: str) -> tuple[int, str]:
    """Return exit code and error code of a command."""
    ran = desk.run(*arguments, "--json")
    assert ran.err == ""
    return ran.code, ran.json["error"]["code"]


@pytest.mark.parametrize(("option", "code"), [("--email", "unknown-learner"), ("--badge", "unknown-badge")])
def test_an_empty_name_is_nobody_and_nothing(once: Desk, option: str, code: str) -> None:
    assert once.json("grants", option, "", code=5)["error"]["code"] == code


def test_on_a_narrow_terminal_a_grant_has_its_date_and_no_empty_column(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, "2026-03-02T12:00:00Z"))
    once.json("sync")
    out = once.run("grants", terminal=True, environ={"COLUMNS": "80", "NO_COLOR": "1"}).out
    assert "2026-03-02" in out
    assert "Problem" not in out


@pytest.mark.sampled
@pytest.mark.parametrize("named", [(), ("1",), ("1", "1")])
def test_retry_plans_a_failed_grant_again_and_the_next_sync_sends_it(failed: Desk, named: tuple[str, ...]) -> None:
    assert failed.json("retry", *named) == {"planned": 1}
    assert posts(failed) == 1
    assert failed.json("sync")["grants"]["issued"] == 1
    assert failed.json("grants")[0]["attempts"] == 2


@pytest.mark.further
def test_retry_sends_what_was_corrected_since(failed: Desk) -> None:
    failed.imports("learners", "email,first_name,last_name\nada@example.org,Augusta,King\n")
    failed.json("retry")
    failed.json("sync")
    assert failed.issued(ONCE)[0].details.first_name == "Augusta"


def test_retry_without_anything_to_plan_changes_nothing(once: Desk) -> None:
    assert once.json("retry") == {"planned": 0}


def test_retry_leaves_out_who_has_no_name_and_refuses_when_named(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON, ","))
    once.json("sync", code=3)
    assert once.json("retry") == {"planned": 0}
    error = once.json("retry", "1", code=6)["error"]
    assert (error["code"], error["hint"]) == ("missing-name", "Import it: credly import learners FILE")


def test_r23_retry_sends_nothing_in_the_place_of_what_was_revoked_meanwhile(failed: Desk) -> None:
    """Only of a cover that was lost does a person's word count for more."""
    badge = failed.sandbox.issue_in_credly(failed.badge_id(ONCE), "ada@example.org", "Ada", "Lovelace")
    failed.pass_time(hours=1)
    failed.sandbox.revoke(badge.id)
    failed.json("sync")
    failed.json("retry", "1")
    failed.json("sync")
    assert (states(failed), posts(failed)) == (["cancelled"], 1)


def test_retry_does_not_bring_back_what_a_link_no_longer_counts(failed: Desk) -> None:
    failed.json("unlink", ONCE)
    assert failed.json("retry") == {"planned": 0}
    assert refused(failed, "retry", "1") == (6, "grant-settled")


def test_r4_retry_does_not_bring_back_what_was_completed_while_nothing_was_connected(failed: Desk) -> None:
    """The completion is told anew, at a time without a connection."""
    failed.pass_time(days=1)
    failed.json("disconnect", "--yes")
    failed.pass_time(days=2)
    failed.connect()
    failed.learns(completion("ada@example.org", MARCH, "2026-03-04T12:00:00Z"))
    assert failed.json("retry") == {"planned": 0}
    assert refused(failed, "retry", "1") == (6, "badge-not-linked")
    failed.json("link", ONCE, "first-aid", "--since", "2026-03-01")
    assert failed.json("retry") == {"planned": 1}


@pytest.mark.further
def test_retry_refuses_what_is_settled_or_may_be_issued(failed: Desk) -> None:
    assert refused(failed, "retry", "99") == (5, "unknown-grant")
    failed.json("retry")
    failed.json("sync")
    assert refused(failed, "retry", "1") == (6, "grant-settled")


def test_retry_never_sends_an_uncertain_grant(uncertain: Desk) -> None:
    assert uncertain.json("retry") == {"planned": 0}
    assert refused(uncertain, "retry", "1") == (6, "grant-settled")
    assert states(uncertain) == ["uncertain"]


def test_retry_plans_nothing_when_one_of_the_named_cannot_be(failed: Desk) -> None:
    assert failed.run("retry", "1", "99").code == 5
    assert states(failed) == ["failed"]


@pytest.mark.further
def test_resolve_drop_cancels_and_is_not_planned_again(uncertain: Desk) -> None:
    answer = uncertain.json("resolve", "1", "--drop")
    assert (answer["changed"], answer["grant"]["state"]) == (True, "cancelled")
    assert uncertain.json("resolve", "1", "--drop")["changed"] is False
    uncertain.json("link", ONCE, "first-aid", "--since", "2026-01-01")
    uncertain.learns(completion("ada@example.org", MARCH, NOON))
    uncertain.pass_time(hours=2)
    assert uncertain.json("sync")["grants"]["planned"] == 0
    assert posts(uncertain) == 1


def test_resolve_drop_refuses_what_no_person_cancelled(failed: Desk) -> None:
    failed.json("unlink", ONCE)
    assert states(failed) == ["cancelled"]
    assert refused(failed, "resolve", "1", "--drop") == (6, "grant-settled")


def test_r33_resolve_drops_several_at_once_or_none(failed: Desk) -> None:
    failed.learns(completion("bob@example.org", MARCH, NOON), completion("cyd@example.org", MARCH, NOON))
    failed.sandbox.faults.add(faults.answers(422), "POST", times=2)
    failed.json("sync", code=3)
    assert refused(failed, "resolve", "1", "2", "99", "--drop") == (5, "unknown-grant")
    assert refused(failed, "resolve", "1", "2", "--issued", "x") == (2, "usage")
    assert states(failed) == ["failed"] * 3
    answer = failed.json("resolve", "1", "3", "1", "--drop")
    assert (answer["changed"], answer["grant"]["id"]) == (True, 1)
    assert [(one["changed"], one["grant"]["state"]) for one in answer["results"]] == [(True, "cancelled")] * 2
    said = failed.run("resolve", "1", "2", "3", "--drop").out.splitlines()
    assert [line.split(":")[0] for line in said] == [
        "Grant 1 was resolved so before.", "Grant 2 is dropped", "Grant 3 was resolved so before.",
    ]  # fmt: skip


@pytest.mark.further
def test_resolve_issued_binds_the_badge_that_a_person_found(uncertain: Desk) -> None:
    badge = uncertain.sandbox.issue_in_credly(uncertain.badge_id(ONCE), "ADA@example.org", "Ada", "Lovelace")
    answer = uncertain.json("resolve", "1", "--issued", badge.id)
    assert (answer["changed"], answer["grant"]["state"]) == (True, "issued")
    assert answer["grant"]["issued_badge_id"] == badge.id
    assert uncertain.json("resolve", "1", "--issued", badge.id)["changed"] is False
    assert uncertain.json("sync")["grants"] == dict.fromkeys(uncertain.json("sync")["grants"], 0)


@pytest.mark.parametrize(("badge", "email"), [("Facilitator", "ada@example.org"), (ONCE, "b@example.org"), (None, "")])
def test_resolve_issued_refuses_a_badge_that_cannot_be_the_grants(
    uncertain: Desk, badge: str | None, email: str
) -> None:
    found: Any = badge and uncertain.sandbox.issue_in_credly(uncertain.badge_id(badge), email, "A", "L")
    identity = found.id if found else "11111111-1111-4111-8111-111111111111"
    assert refused(uncertain, "resolve", "1", "--issued", identity) == (5, "unknown-badge")
    assert states(uncertain) == ["uncertain"]


@pytest.mark.further
def test_resolve_issued_refuses_the_badge_of_another_grant(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.json("sync")
    once.sandbox.revoke(once.issued(ONCE)[0].id)
    once.pass_time(days=1)
    once.json("sync")
    once.sandbox.faults.add(faults.drops(), "POST")
    once.learns(completion("ada@example.org", APRIL, "2026-03-03T10:00:00Z"))
    once.run("sync")
    assert states(once) == ["issued", "uncertain"]
    assert refused(once, "resolve", "2", "--issued", once.issued(ONCE)[0].id) == (6, "already-earned")


def test_resolve_trusts_the_store_where_credly_is_silent(uncertain: Desk) -> None:
    badge = uncertain.sandbox.issue_in_credly(uncertain.badge_id("Facilitator"), "ada@example.org", "A", "L")
    uncertain.json("sync", "--only", "issued", code=75)
    uncertain.sandbox.faults.add(faults.unreachable(), times=None)
    assert refused(uncertain, "resolve", "1", "--issued", badge.id) == (5, "unknown-badge")
    assert refused(uncertain, "resolve", "1", "--issued", "unheard-of") == (75, "unreachable")


def test_resolve_does_not_trust_the_store_where_credly_refuses_to_answer(uncertain: Desk) -> None:
    badge = uncertain.sandbox.issue_in_credly(uncertain.badge_id(ONCE), "ada@example.org", "Ada", "Lovelace")
    uncertain.json("sync", "--only", "issued", code=75)
    uncertain.sandbox.faults.add(faults.answers(401), times=None)
    assert refused(uncertain, "resolve", "1", "--issued", badge.id) == (4, "token-refused")
    assert states(uncertain) == ["uncertain"]


@pytest.mark.parametrize("option", [("--drop",), ("--issued", "x")])
def test_resolve_refuses_what_is_settled_and_what_is_not_there(failed: Desk, option: tuple[str, ...]) -> None:
    failed.json("retry")
    failed.json("sync")
    assert refused(failed, "resolve", "1", *option) == (6, "grant-settled")
    assert refused(failed, "resolve", "2", *option) == (5, "unknown-grant")


@pytest.mark.parametrize("option", [(), ("--drop", "--issued", "x")])
def test_resolve_wants_one_word(failed: Desk, option: tuple[str, ...]) -> None:
    assert refused(failed, "resolve", "1", *option) == (2, "usage")


@pytest.mark.further
def test_hold_uncertain_leaves_it_to_a_person(once: Desk) -> None:
    once.config("[grants]\nhold_uncertain = true\n")
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.sandbox.faults.add(faults.drops(), "POST")
    once.json("sync", code=75)
    once.pass_time(minutes=16)
    once.json("sync", code=75)
    once.pass_time(minutes=2)
    answer = once.json("sync", code=3)
    assert (answer["grants"]["held"], answer["grants"]["planned"]) == (1, 0)
    assert once.json("sync")["grants"]["held"] == 0
    before = ledger(once)[0]
    assert "hold_uncertain keeps it from being sent again" in before["problem"]
    assert once.json("retry") == {"planned": 1}
    once.json("sync")
    assert (states(once), posts(once), before["state"]) == (["issued"], 2, "held")


def test_r18_what_is_to_be_sent_again_is_counted_as_planned(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.sandbox.faults.add(faults.drops(), "POST")
    planned = []
    for minutes in (0, 16, 2):
        once.pass_time(minutes=minutes)
        planned.append(once.run("sync", "--json").json["grants"]["planned"])
    assert planned == [1, 0, 1]
    once.json("sync")
    assert (states(once), posts(once)) == (["issued"], 2)


def test_what_a_dropped_grant_covered_is_planned_for_itself(once: Desk) -> None:
    """R18: a person who drops one session's grant does not take the badge from the other session."""
    once.learns(completion("ada@example.org", MARCH, NOON), completion("ada@example.org", APRIL, NOON))
    once.sandbox.faults.add(faults.drops(), "POST")
    once.json("sync", code=75)
    assert states(once) == ["uncertain", "covered"]
    once.json("resolve", "1", "--drop")
    assert states(once) == ["cancelled", "planned"]


@pytest.mark.further
def test_retry_refuses_by_name_what_failed_after_its_link_had_ended(once: Desk) -> None:
    """R16: an uncertain grant is settled though its badge was unlinked; what fails then is not planned again."""
    already = b'{"data":{"message":"User already has this badge"},"metadata":{}}'
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.sandbox.faults.add(faults.answers(422, already), "POST")
    once.json("sync", code=75)
    once.json("unlink", ONCE)
    once.pass_time(minutes=16)
    once.json("sync", code=3)
    assert states(once) == ["failed"]
    assert refused(once, "retry", "1") == (6, "badge-not-linked")
    assert once.json("retry") == {"planned": 0}


def test_while_nothing_is_connected_only_a_badge_that_the_store_knows_can_be_a_grants(uncertain: Desk) -> None:
    uncertain.json("disconnect", "--yes")
    assert refused(uncertain, "resolve", "1", "--issued", "5b4ba1b0-0000-4000-8000-000000000000") == (
        5,
        "unknown-badge",
    )
