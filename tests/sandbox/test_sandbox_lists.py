"""Lists of the stand-in: order, filters and pages."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.stand_in import FaultySandbox

Ask = Callable[..., tuple[int, Any]]

TEMPLATE_KEYS = (
    "id allow_duplicate_badges cost description global_activity_url level lock_badge_state name state public "
    "badges_count recipient_type send_expiring_badge_notifications show_badge_lmi show_lmi_jobs show_skill_tag_links "
    "vanity_slug record_to_blockchain time_to_earn type_category printing_disabled visibility criteria_url_name "
    "criteria_url certification state_updated_at created_at updated_at show_template_settings get_issue_count image "
    "image_url url owner alignments recommendations required_badge_templates badge_template_activities skills "
    "reporting_tags"
)


def names(answer: tuple[int, Any]) -> list[str]:
    assert answer[0] == 200
    return [row["name"] for row in answer[1]["data"]]


def emails(answer: tuple[int, Any]) -> list[str]:
    assert answer[0] == 200
    return [row["recipient_email"] for row in answer[1]["data"]]


@pytest.fixture
def earners(sandbox: FaultySandbox, ids: dict[str, str]) -> FaultySandbox:
    essentials, webinar = ids["Onboarding Essentials"], ids["Webinar Participant"]
    sandbox.issue_in_credly(essentials, "ann@example.com", "Ann", "Ash", issuer_earner_id="e-1")
    sandbox.issue_in_credly(webinar, "Ann@Example.com", "Ann", "Ash", issued_at="2026-01-05", issuer_earner_id="e-1")
    sandbox.issue_in_credly(webinar, "bo+x@example.com", "Bo", "Birch", issued_at="2026-02-05")
    sandbox.issue_in_credly(ids["First Aid at Work"], "cy@example.com", "Cy", "Cedar", issued_at="2026-02-06")
    return sandbox


def test_templates_are_listed_oldest_first_in_all_states(ask: Ask) -> None:
    _, body = ask("GET", "badge_templates")
    created = [row["created_at"] for row in body["data"]]
    assert created == sorted(created)
    assert {row["state"] for row in body["data"]} == {"active", "archived", "draft"}


def test_a_template_has_the_recorded_keys_in_the_recorded_order(ask: Ask, ids: dict[str, str]) -> None:
    _, body = ask("GET", "badge_templates")
    assert " ".join(body["data"][0]).startswith(TEMPLATE_KEYS)
    _, single = ask("GET", f"badge_templates/{ids['Facilitator']}")
    assert list(single["data"])[-2:] == ["recommending_templates", "criterion_for"]
    assert single["metadata"] == {}


def test_an_empty_list_has_one_page(ask: Ask) -> None:
    assert ask("GET", "badges")[1] == {
        "data": [],
        "metadata": {
            "count": 0,
            "current_page": 1,
            "total_count": 0,
            "total_pages": 1,
            "per": 50,
            "previous_page_url": None,
            "next_page_url": None,
        },
    }


def test_pages_hold_fifty_rows_and_name_their_neighbours(ask: Ask, sandbox: FaultySandbox, ids: dict[str, str]) -> None:
    for number in range(120):
        sandbox.issue_in_credly(ids["Onboarding Essentials"], f"u{number}@example.com", "A", "B")
    root = f"http://127.0.0.1:8000/api/v1/organizations/{sandbox.organization_id}/badges"
    _, first = ask("GET", "badges")
    assert first["metadata"]["next_page_url"] == f"{root}?page=2"
    _, last = ask("GET", "badges", page=3, filter="state::pending")
    assert last["metadata"] == {
        "count": 20,
        "current_page": 3,
        "total_count": 120,
        "total_pages": 3,
        "per": 50,
        "previous_page_url": f"{root}?filter=state%3A%3Apending&page=2",
        "next_page_url": None,
    }
    assert ask("GET", "badges", page=4)[1]["data"] == []


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("state::archived", ["Legacy CRM Administrator"]),
        ("state::archived,draft", ["Legacy CRM Administrator", "Mentoring"]),
        ("name::data literacy", ["Data Literacy \u2013 Level 1", "Data Literacy \u2013 Level 2"]),
        ('name::"Facilitator"', ["Facilitator"]),
        ("query::screen reader", ["Accessible Documents"]),
        ("skills::CPR,Accessibility", ["First Aid at Work", "Accessible Documents"]),
        ("created_at_max::2024-01-01", ["Onboarding Essentials"]),
        ("created_at_min::2024-09-25|state::archived,draft", ["Legacy CRM Administrator", "Mentoring"]),
        ("public::False", []),
        ("state::draft|nonsense::1", ["Mentoring"]),
    ],
)
def test_templates_are_filtered(ask: Ask, condition: str, expected: list[str]) -> None:
    assert names(ask("GET", "badge_templates", filter=condition)) == expected


def test_templates_are_sorted_up_and_down(ask: Ask) -> None:
    rising = names(ask("GET", "badge_templates", sort="name"))
    assert rising == sorted(rising, key=str.casefold)
    assert names(ask("GET", "badge_templates", sort="-name")) == rising[::-1]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("recipient_email::ANN@example.com", ["ann@example.com", "Ann@Example.com"]),
        ("recipient_email::bo+x@example.com", ["bo+x@example.com"]),
        ("issuer_earner_id::e-1", ["ann@example.com", "Ann@Example.com"]),
        ("query::birch", ["bo+x@example.com"]),
        ("issued_at_date_min::2026-02-05|issued_at_date_max::2026-02-05", ["bo+x@example.com"]),
        ("expires_at_date_max::2031-12-31", ["cy@example.com"]),
        ("badge_templates[vanity_slug]::first-aid-at-work", ["cy@example.com"]),
        ("state::revoked,rejected", []),
    ],
)
def test_issued_badges_are_filtered(ask: Ask, earners: FaultySandbox, condition: str, expected: list[str]) -> None:
    assert earners
    assert emails(ask("GET", "badges", filter=condition)) == expected


def test_several_conditions_must_all_hold(ask: Ask, earners: FaultySandbox, ids: dict[str, str]) -> None:
    assert earners
    condition = f"recipient_email::ann@example.com|badge_template_id::{ids['Webinar Participant']}"
    assert emails(ask("GET", "badges", filter=condition)) == ["Ann@Example.com"]


def test_all_addresses_of_a_user_are_found_by_any_of_them(ask: Ask, earners: FaultySandbox) -> None:
    earners.add_user("ann@example.com", "cy@example.com")
    found = emails(ask("GET", "badges", filter="recipient_email_all::cy@example.com"))
    assert found == ["ann@example.com", "Ann@Example.com", "cy@example.com"]
    assert emails(ask("GET", "badges", filter="recipient_email::cy@example.com")) == ["cy@example.com"]


def test_issued_badges_are_sorted(ask: Ask, earners: FaultySandbox) -> None:
    assert earners
    assert emails(ask("GET", "badges", sort="issued_at"))[0] == "Ann@Example.com"
    assert emails(ask("GET", "badges", sort="badge_templates[name]|-issued_at"))[0] == "cy@example.com"


def test_a_list_asked_for_again_shows_what_has_changed(ask: Ask, earners: FaultySandbox) -> None:
    assert len(emails(ask("GET", "badges", filter="state::pending"))) == 4
    earners.reject(earners.issued()[0].id)
    assert len(emails(ask("GET", "badges", filter="state::pending"))) == 3


def test_the_high_volume_search_hands_out_its_pages_by_token(ask: Ask, earners: FaultySandbox) -> None:
    earners.switches.search_page_size = 3
    _, first = ask("GET", "high_volume_issued_badge_search", badge_format="minimal", filter="state::pending")
    assert [row["recipient_email"] for row in first["data"]][-1] == "bo+x@example.com"
    assert list(first["metadata"]) == ["next_page_url"]
    assert "badge_format=minimal" in first["metadata"]["next_page_url"]
    query = dict(pair.split("=") for pair in first["metadata"]["next_page_url"].partition("?")[2].split("&"))
    _, second = ask("GET", "high_volume_issued_badge_search", page_token=query["page_token"].replace("%3D", "="))
    assert [row["recipient_email"] for row in second["data"]] == ["cy@example.com"]
    assert second["metadata"] == {"next_page_url": None}


def test_the_search_gives_few_keys_unless_asked_for_more(ask: Ask, earners: FaultySandbox) -> None:
    earners.accept(earners.issued()[0].id)
    _, minimal = ask("GET", "high_volume_issued_badge_search", badge_format="minimal")
    assert " ".join(minimal["data"][0]) == (
        "id issued_to issued_to_first_name issued_to_last_name issuer_earner_id public recipient_email state "
        "badge_url updated_at created_at expires_at issued_at state_updated_at badge_template user"
    )
    _, default = ask("GET", "high_volume_issued_badge_search", badge_format="default")
    assert default["data"] == ask("GET", "badges")[1]["data"]
