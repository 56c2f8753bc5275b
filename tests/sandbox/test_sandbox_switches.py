"""What is not established about Credly can be had either way from the stand-in."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from credly_cli.sandbox.api import Api
from credly_cli.sandbox.records import Request, Response, Token
from credly_cli.sandbox.shapes import read_time
from tests.support.stand_in import FaultySandbox

Ask = Callable[..., tuple[int, Any]]
Fields = Callable[..., dict[str, Any]]


def get(sandbox: FaultySandbox, path: str, token: str = "") -> Response:
    authorization = "Basic " + base64.b64encode(f"{token or sandbox.token}:".encode()).decode()
    return Api(sandbox).handle(Request("GET", path, "", {"authorization": authorization}))


@pytest.mark.parametrize(
    ("again", "attributes"),
    [
        ({}, ["recipient_email", "user_id", "issuer_earner_id"]),
        ({"recipient_email": "second@example.com"}, ["user_id", "issuer_earner_id"]),
        ({"issuer_earner_id": "e-2"}, ["recipient_email", "user_id"]),
        ({"recipient_email": "else@example.com"}, ["issuer_earner_id"]),
    ],
)
def test_a_duplicate_is_refused_with_an_entry_for_each_rule_that_it_breaks(
    ask: Ask, request_of: Fields, sandbox: FaultySandbox, again: dict[str, str], attributes: list[str]
) -> None:
    sandbox.add_user("u1@example.com", "second@example.com")
    first = request_of(issuer_earner_id="e-1")
    assert ask("POST", "badges", first)[0] == 201
    status, body = ask("POST", "badges", first | again)
    assert (status, body["data"]["message"]) == (422, "User already has this badge")
    assert [row["attribute"] for row in body["data"]["errors"]] == attributes
    assert set(body["data"]["errors"][0]) == {"attribute", "attribute_label", "messages"}


def test_the_refusal_of_a_duplicate_may_have_other_words_and_no_more_than_attributes(
    ask: Ask, request_of: Fields, sandbox: FaultySandbox
) -> None:
    ask("POST", "badges", request_of())
    sandbox.switches.duplicate_message = "Validation failed"
    sandbox.switches.duplicate_errors = "without-messages"
    sandbox.switches.duplicate_status = 409
    assert ask("POST", "badges", request_of()) == (
        409,
        {"data": {"message": "Validation failed", "errors": [{"attribute": "recipient_email"}]}, "metadata": {}},
    )
    sandbox.switches.duplicate_errors = "missing"
    assert "errors" not in ask("POST", "badges", request_of())[1]["data"]


def test_an_address_in_another_case_may_be_no_duplicate(ask: Ask, request_of: Fields, sandbox: FaultySandbox) -> None:
    ask("POST", "badges", request_of())
    sandbox.switches.duplicates_mind_case = True
    assert ask("POST", "badges", request_of(recipient_email="U1@Example.com"))[0] == 201
    assert ask("POST", "badges", request_of())[0] == 422


@pytest.mark.parametrize("text", ["2017-06-05 10:11:12 UTC", "2017-06-05T10:11:12 Z", "2017-06-05T10:11:12GMT"])
def test_times_as_ruby_and_older_clients_write_them_are_read(text: str) -> None:
    assert read_time(text) == "2017-06-05T10:11:12.000Z"


def test_dates_may_be_refused_without_zone_or_ahead_of_the_clock(
    ask: Ask, request_of: Fields, sandbox: FaultySandbox
) -> None:
    ahead, bare = request_of(issued_at="2027-01-01 00:00:00 +0000"), request_of(issued_at="2026-01-01 10:00:00")
    sandbox.switches.dates_to_come = sandbox.switches.dates_without_zone = "refused"
    for fields in (ahead, bare):
        status, body = ask("POST", "badges", fields)
        assert (status, body["data"]["errors"][0]["attribute"]) == (422, "issued_at")
    sandbox.switches.dates_to_come = sandbox.switches.dates_without_zone = "taken"
    sandbox.switches.duplicates_mind_case = True
    assert ask("POST", "badges", ahead)[0] == 201
    assert ask("POST", "badges", bare | {"recipient_email": "u2@example.com"})[0] == 201


def test_dates_may_be_cut_to_the_day_and_earner_ids_dropped(
    ask: Ask, request_of: Fields, sandbox: FaultySandbox
) -> None:
    sandbox.switches.dates_kept_to = "day"
    sandbox.switches.earner_ids_kept = False
    badge = ask("POST", "badges", request_of(issuer_earner_id="e-1"))[1]["data"]
    assert (badge["issued_at"], badge["issuer_earner_id"]) == ("2026-03-02T00:00:00.000Z", None)
    assert ask("GET", "badges", filter="issuer_earner_id::e-1")[1]["data"] == []


def test_the_list_of_issued_badges_may_grow_while_it_is_read(
    ask: Ask, request_of: Fields, sandbox: FaultySandbox
) -> None:
    sandbox.switches.list_grows, sandbox.switches.page_size = True, 2
    for number in range(4):
        assert ask("POST", "badges", request_of(recipient_email=f"u{number}@example.com"))[0] == 201
    pages = [ask("GET", "badges", page=str(number))[1] for number in (1, 2, 3, 4)]
    assert [page["metadata"]["total_count"] for page in pages] == [4, 5, 6, 6]
    rows = [row["recipient_email"] for page in pages for row in page["data"]]
    assert len(rows) == len(set(rows)) == 6
    assert ask("GET", "badges", page="3")[1]["metadata"]["total_count"] == 6


def test_one_template_may_be_withdrawn_while_the_others_are_issued(
    ask: Ask, request_of: Fields, sandbox: FaultySandbox, ids: dict[str, str]
) -> None:
    sandbox.switches.withdrawn_templates = frozenset({ids["Facilitator"]})
    status, body = ask("POST", "badges", request_of(badge_template_id=ids["Facilitator"]))
    assert (status, list(body["data"])) == (403, ["message"])
    assert ask("POST", "badges", request_of())[0] == 201


def test_credits_may_run_out(ask: Ask, request_of: Fields, sandbox: FaultySandbox) -> None:
    sandbox.switches.credits = 1
    assert ask("POST", "badges", request_of())[0] == 201
    assert ask("POST", "badges", request_of(recipient_email="u2@example.com"))[0] == 402


def test_links_may_be_of_another_host(ask: Ask, sandbox: FaultySandbox) -> None:
    sandbox.switches.page_size = 2
    sandbox.switches.links_to = "https://www.credly.com/api/v1"
    following = ask("GET", "badge_templates")[1]["metadata"]["next_page_url"]
    expected = f"https://www.credly.com/api/v1/organizations/{sandbox.organization_id}/badge_templates?page=2"
    assert following == expected


def test_sorting_and_single_filter_keys_may_be_refused(ask: Ask, sandbox: FaultySandbox) -> None:
    sandbox.switches.sort_status = 400
    sandbox.switches.filter_keys_refused = frozenset({"recipient_email_all"})
    assert ask("GET", "badges", sort="created_at")[0] == 400
    assert ask("GET", "badges")[0] == 200
    assert ask("GET", "badge_templates", sort="created_at")[0] == 200
    assert ask("GET", "badges", filter="recipient_email_all::a@example.com")[0] == 422
    assert ask("GET", "badges", filter="recipient_email::a@example.com")[0] == 200


def test_both_filters_of_addresses_may_mind_case(ask: Ask, sandbox: FaultySandbox, ids: dict[str, str]) -> None:
    sandbox.switches.email_filter_minds_case = True
    sandbox.issue_in_credly(ids["Facilitator"], "Ada@X.example", "A", "B")
    for key in ("recipient_email", "recipient_email_all"):
        assert len(ask("GET", "badges", filter=f"{key}::Ada@X.example")[1]["data"]) == 1
        assert ask("GET", "badges", filter=f"{key}::ada@x.example")[1]["data"] == []


def test_counts_may_be_left_out(ask: Ask, sandbox: FaultySandbox) -> None:
    sandbox.switches.list_metadata = "no-pages"
    assert "total_pages" not in ask("GET", "badges")[1]["metadata"]
    sandbox.switches.list_metadata = "no-totals"
    assert "total_count" not in ask("GET", "badges")[1]["metadata"]


def test_the_search_may_tell_no_next_page(ask: Ask, sandbox: FaultySandbox) -> None:
    sandbox.switches.search_links = False
    assert ask("GET", "high_volume_issued_badge_search") == (200, {"data": [], "metadata": {}})


def test_the_batch_and_the_list_of_organizations_may_be_closed(ask: Ask, sandbox: FaultySandbox) -> None:
    sandbox.switches.batch_status = 404
    assert ask("POST", "badges/batch", {"badges": []})[0] == 404
    sandbox.switches.organizations_status = 403
    assert get(sandbox, "/v1/organizations").status == 403
    assert ask("GET", "")[0] == 200


def test_tokens_may_be_listed_masked_or_without_the_one_that_asks(ask: Ask, sandbox: FaultySandbox) -> None:
    sandbox.switches.tokens_shown = "masked"
    assert ask("GET", "authorization_tokens")[1]["data"][0]["token"] == "****nary"
    sandbox.switches.tokens_shown = "without-value"
    assert ask("GET", "authorization_tokens")[1]["data"][0]["token"] is None
    sandbox.switches.own_token_listed = False
    assert ask("GET", "authorization_tokens")[1]["data"] == []


def test_who_may_only_read_is_told_only_of_tokens_that_may_only_read(sandbox: FaultySandbox) -> None:
    reader = Token("reader", sandbox.now(), None, write_enabled=False, delete_enabled=False)
    sandbox.tokens.append(reader)
    path = f"/v1/organizations/{sandbox.organization_id}/authorization_tokens"
    assert [row["token"] for row in json.loads(get(sandbox, path).body)["data"]] == ["canary", "reader"]
    assert [row["token"] for row in json.loads(get(sandbox, path, "reader").body)["data"]] == ["reader"]


@pytest.mark.parametrize(("form", "beginning"), [("html", b"<!DOCTYPE html>"), ("empty", b"")])
def test_refusals_of_unknown_form_may_be_a_page_or_nothing(sandbox: FaultySandbox, form: Any, beginning: bytes) -> None:
    sandbox.switches.error_bodies = form
    answer = get(sandbox, "/v1/organizations", "another")
    assert answer.status == 401
    assert answer.body[:15] == beginning


def test_a_window_may_be_longer_than_a_second(ask: Ask, sandbox: FaultySandbox, wait: Callable[[float], None]) -> None:
    sandbox.switches.rate_limit, sandbox.switches.rate_limit_window = 2, 60
    sandbox.switches.rate_limit_retry_after = None
    assert [ask("GET", "badges")[0] for _ in range(3)] == [200, 200, 429]
    wait(30)
    assert ask("GET", "badges")[0] == 429
    wait(30)
    assert ask("GET", "badges")[0] == 200
