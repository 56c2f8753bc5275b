"""Issuing at the stand-in: what is needed, what is refused, and the answer to the key as Credly gives it."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from credly_cli.sandbox.api import Api
from credly_cli.sandbox.records import Request
from credly_cli.sandbox.shapes import read_time
from tests.support.stand_in import FaultySandbox

Ask = Callable[..., tuple[int, Any]]
Fields = Callable[..., dict[str, Any]]

BADGE_KEYS = (
    "user created_by issuer printing_enabled print_method badge_template id issued_to issued_to_first_name "
    "issued_to_middle_name issued_to_last_name issuer_earner_id locale public recipient_email replacement_badge_id "
    "replaces_badge_id revocation_reason state suppress_badge_notification_email updated_at country country_code "
    "state_or_province created_at expires_at expires_at_date issued_at issued_at_date state_updated_at image image_url "
    "alignments evidence accept_badge_url"
)


def test_a_badge_is_issued_pending_with_the_recorded_keys(ask: Ask, request_of: Fields, sandbox: FaultySandbox) -> None:
    status, body = ask("POST", "badges", request_of(issuer_earner_id=123, expires_at=None))
    badge = body["data"]
    assert status == 201
    assert " ".join(badge) == BADGE_KEYS
    assert body["metadata"] == {}
    assert (badge["user"], badge["state"], badge["issuer_earner_id"]) == ({}, "pending", "123")
    assert (badge["issued_at"], badge["issued_at_date"]) == ("2026-03-02T14:30:00.000Z", "2026-03-02")
    assert badge["created_at"] == "2026-03-02T14:31:05.123Z"
    assert badge["accept_badge_url"] == f"https://www.credly.com/badges/{badge['id']}/accept"
    assert badge["created_by"]["url"] == f"http://127.0.0.1:8000/api/v1/organizations/{sandbox.organization_id}"
    assert ask("GET", f"badges/{badge['id']}")[1]["data"] == badge


def test_the_counters_of_the_template_move_and_nothing_else_of_it(ask: Ask, request_of: Fields) -> None:
    before = ask("GET", "badge_templates")[1]["data"][0]
    _, body = ask("POST", "badges", request_of())
    after = ask("GET", "badge_templates")[1]["data"][0]
    assert body["data"]["badge_template"]["badges_count"] == 1
    assert "reporting_tags" not in body["data"]["badge_template"]
    assert after == before | {"badges_count": 1, "get_issue_count": 1}


@pytest.mark.parametrize("as_form", [True, False])
def test_a_form_and_a_query_are_taken_too(sandbox: FaultySandbox, request_of: Fields, as_form: bool) -> None:
    pairs = urlencode(request_of() | {"expires_at": "false"})
    headers = {"authorization": "Basic Y2FuYXJ5Og==", "content-type": "application/x-www-form-urlencoded"}
    path = f"/api/v1/organizations/{sandbox.organization_id}/badges/"
    request = Request("POST", path, "" if as_form else pairs, headers, pairs.encode() if as_form else b"")
    answer = Api(sandbox).handle(request)
    assert answer.status == 201
    assert json.loads(answer.body)["data"]["issued_to"] == "Robin Sample"


@pytest.mark.parametrize("missing", ["recipient_email", "issued_to_first_name", "issued_to_last_name", "issued_at"])
def test_a_blank_required_field_is_named(ask: Ask, request_of: Fields, missing: str) -> None:
    status, body = ask("POST", "badges", request_of(**{missing: " "}))
    assert status == 422
    assert [error["attribute"] for error in body["data"]["errors"]] == [missing]
    assert body["data"]["message"].startswith("Validation failed: ")


def test_an_unknown_template_is_refused_as_recorded(ask: Ask, request_of: Fields) -> None:
    for template_id in ("", "77777777-7777-4777-8777-777777777777"):
        assert ask("POST", "badges", request_of(badge_template_id=template_id)) == (
            422,
            {"data": {"message": f"Invalid or missing Badge Template ID: {template_id}"}, "metadata": None},
        )


@pytest.mark.parametrize("name", ["Legacy CRM Administrator", "Mentoring"])
def test_only_active_templates_are_issued(ask: Ask, request_of: Fields, ids: dict[str, str], name: str) -> None:
    assert ask("POST", "badges", request_of(badge_template_id=ids[name]))[0] == 422


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2014-04-01 09:41:00 -0500", "2014-04-01T14:41:00.000Z"),
        ("2014-04-01T09:41:00Z", "2014-04-01T09:41:00.000Z"),
        ("2014-04-01T09:41:00.987+02:00", "2014-04-01T07:41:00.000Z"),
        ("2014-04-01  09:41:00 pm", "2014-04-01T21:41:00.000Z"),
    ],
)
def test_times_are_read_in_every_documented_form(text: str, time: str) -> None:
    assert read_time(text) == time


@pytest.mark.parametrize("text", ["yesterday", "2026-02-30 10:00:00 +0000", "2026-03-02 09:30:00  0000"])
def test_an_unreadable_time_is_refused(ask: Ask, request_of: Fields, text: str) -> None:
    status, body = ask("POST", "badges", request_of(issued_at=text))
    assert (status, body["data"]["errors"][0]["attribute"]) == (422, "issued_at")


def test_the_expiry_is_that_of_the_request_or_none_or_that_of_the_template(
    ask: Ask, request_of: Fields, ids: dict[str, str]
) -> None:
    def expiry(number: int, **fields: object) -> Any:
        fields |= {"badge_template_id": ids["First Aid at Work"], "recipient_email": f"u{number}@example.com"}
        return ask("POST", "badges", request_of(**fields))[1]["data"]["expires_at"]

    assert expiry(1) == expiry(2, expires_at=None) == "2031-12-31T23:59:59.000Z"
    assert expiry(3, expires_at=False) is None
    assert expiry(4, expires_at="2027-01-01 00:00:00 +0000") == "2027-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    "again",
    [
        {"recipient_email": "U1@EXAMPLE.COM"},
        {"recipient_email": "second@example.com"},
        {"recipient_email": "else@example.com", "issuer_earner_id": "e-1"},
    ],
)
def test_who_has_the_badge_by_email_user_or_earner_id_gets_no_second_one(
    ask: Ask, request_of: Fields, sandbox: FaultySandbox, again: dict[str, str]
) -> None:
    sandbox.add_user("u1@example.com", "second@example.com")
    assert ask("POST", "badges", request_of(issuer_earner_id="e-1"))[0] == 201
    status, body = ask("POST", "badges", request_of(**again))
    assert (status, body["data"]["message"]) == (422, "User already has this badge")
    assert len(sandbox.issued()) == 1


def test_a_template_that_allows_duplicates_is_issued_again(ask: Ask, request_of: Fields, ids: dict[str, str]) -> None:
    fields = request_of(badge_template_id=ids["Webinar Participant"])
    assert [ask("POST", "badges", fields)[0] for _ in range(2)] == [201, 201]


def test_the_request_may_allow_deny_or_replace_a_duplicate(
    ask: Ask, request_of: Fields, sandbox: FaultySandbox
) -> None:
    first = ask("POST", "badges", request_of(country_name="France"))[1]["data"]
    assert ask("POST", "badges", request_of(duplicate_behavior="deny"))[0] == 422
    changed = request_of(duplicate_behavior="replace", issued_to_last_name="New", issued_at="2026-05-01T00:00:00Z")
    status, body = ask("POST", "badges", changed)
    kept = body["data"]
    assert (status, kept["id"], kept["issued_to"], kept["country"]) == (201, first["id"], "Robin New", None)
    assert kept["issued_at"] == first["issued_at"]
    assert ask("POST", "badges", request_of(duplicate_behavior="allow"))[0] == 201
    assert len(sandbox.issued()) == 2


def test_whether_settled_badges_block_is_a_switch(ask: Ask, request_of: Fields, sandbox: FaultySandbox) -> None:
    badge_id = ask("POST", "badges", request_of())[1]["data"]["id"]
    sandbox.reject(badge_id)
    assert ask("POST", "badges", request_of())[0] == 422
    sandbox.switches.rejected_blocks = False
    assert ask("POST", "badges", request_of())[0] == 201
    for badge in sandbox.issued():
        sandbox.revoke(badge.id)
    sandbox.switches.revoked_blocks = True
    assert ask("POST", "badges", request_of())[0] == 422
    sandbox.switches.revoked_blocks = False
    assert ask("POST", "badges", request_of())[0] == 201


def test_a_known_user_is_named_and_may_accept_at_once(ask: Ask, request_of: Fields, sandbox: FaultySandbox) -> None:
    user = sandbox.add_user("main@example.com", "U1@example.com", auto_accept=True)
    badge = ask("POST", "badges", request_of())[1]["data"]
    assert (badge["user"]["id"], badge["user"]["email"]) == (user.id, "main@example.com")
    assert badge["state"] == "accepted"
    assert badge["badge_url"] == f"https://www.credly.com/badges/{badge['id']}"
    assert "accept_badge_url" not in badge


def test_a_batch_is_issued_as_a_whole_or_not_at_all(ask: Ask, request_of: Fields, sandbox: FaultySandbox) -> None:
    good = [request_of(recipient_email=f"u{number}@example.com") for number in range(3)]
    status, body = ask("POST", "badges/batch", {"badges": [*good, good[0]]})
    assert (status, body["data"]["error_index"]) == (422, 3)
    assert sandbox.issued() == []
    assert ask("GET", "badge_templates")[1]["data"][0]["badges_count"] == 0
    status, body = ask("POST", "badges/batch", {"badges": good})
    assert status == 201
    assert [row["recipient_email"] for row in body["data"]] == ["u0@example.com", "u1@example.com", "u2@example.com"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(sandbox: FaultySandbox, body: bytes) -> None:
    headers = {"authorization": "Basic Y2FuYXJ5Og=="}
    path = f"/v1/organizations/{sandbox.organization_id}/badges"
    assert Api(sandbox).handle(Request("POST", path, "", headers, body)).status == 400


def test_half_a_surrogate_pair_in_a_name_is_carried(ask: Ask, request_of: Fields) -> None:
    status, body = ask("POST", "badges", request_of(issued_to_last_name="\ud800"))
    assert (status, body["data"]["issued_to_last_name"]) == (201, "\ud800")
