"""What becomes of a badge and of a template at the stand-in, and which events tell it."""

from collections.abc import Callable
from typing import Any

import pytest

from credly_cli.sandbox.records import EarnedBadge, Refusal
from tests.support.stand_in import FaultySandbox

Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def issued(sandbox: FaultySandbox, ids: dict[str, str]) -> EarnedBadge:
    return sandbox.issue_in_credly(ids["Onboarding Essentials"], "u1@example.com", "Robin", "Sample")


def test_an_accepted_badge_has_a_user_and_a_page(
    ask: Ask, sandbox: FaultySandbox, issued: EarnedBadge, wait: Callable[[float], None]
) -> None:
    wait(60)
    sandbox.accept(issued.id)
    row = ask("GET", f"badges/{issued.id}")[1]["data"]
    assert (row["state"], row["state_updated_at"]) == ("accepted", "2026-03-02T14:32:05.123Z")
    assert row["user"]["first_name"] == "Robin"
    assert list(row)[-1] == "badge_url"
    assert "accept_badge_url" not in row


def test_a_revoked_badge_has_no_links(ask: Ask, issued: EarnedBadge) -> None:
    status, body = ask("PUT", f"badges/{issued.id}/revoke", {"reason": "Mistake"})
    row = body["data"]
    assert (status, row["state"], row["revocation_reason"]) == (200, "revoked", "Mistake")
    assert not {"badge_url", "accept_badge_url"} & row.keys()
    assert row["state_updated_at"] is not None


def test_a_rejected_badge_has_no_links(ask: Ask, sandbox: FaultySandbox, issued: EarnedBadge) -> None:
    sandbox.reject(issued.id)
    assert not {"badge_url", "accept_badge_url"} & ask("GET", f"badges/{issued.id}")[1]["data"].keys()


def test_a_deleted_badge_is_gone(ask: Ask, sandbox: FaultySandbox, issued: EarnedBadge) -> None:
    assert ask("DELETE", f"badges/{issued.id}") == (204, None)
    assert ask("GET", f"badges/{issued.id}")[0] == 404
    assert ask("GET", "badges", filter="recipient_email::u1@example.com")[1]["data"] == []
    with pytest.raises(Refusal):
        sandbox.delete(issued.id)


def test_a_badge_is_replaced_once(ask: Ask, sandbox: FaultySandbox, issued: EarnedBadge, ids: dict[str, str]) -> None:
    sandbox.accept(issued.id)
    fields = {"badge_template_id": ids["Facilitator"], "issued_at": "2026-03-03T00:00:00Z", "expires_at": None}
    status, body = ask("POST", f"badges/{issued.id}/replace", fields)
    new = body["data"]
    assert (status, new["replaces_badge_id"], new["state"]) == (201, issued.id, "accepted")
    assert {"badge_url", "accept_badge_url"} <= new.keys()
    assert ask("GET", f"badges/{issued.id}")[1]["data"]["replacement_badge_id"] == new["id"]
    status, body = ask("POST", f"badges/{issued.id}/replace", fields)
    assert (status, body["metadata"]) == (422, {"current_badge_id": new["id"]})
    assert "already been replaced" in body["data"]["message"]


def test_events_tell_what_happened_and_can_be_asked_for_again(
    ask: Ask, sandbox: FaultySandbox, issued: EarnedBadge
) -> None:
    sandbox.accept(issued.id)
    sandbox.archive_template(issued.template_id)
    _, body = ask("GET", "events")
    assert [row["event_type"] for row in body["data"]] == [
        "badge.created",
        "badge.state.changed",
        "badge_template.changed",
    ]
    first = body["data"][0]
    assert list(first) == ["id", "event_type", "organization_id", "occurred_at", "badge"]
    assert first["badge"]["id"] == issued.id
    assert "badge_template" in body["data"][2]
    assert ask("GET", f"events/{first['id']}")[1] == {"data": first, "metadata": {}}
    assert ask("GET", "events/none")[0] == 404


def test_a_template_can_be_added_changed_archived_and_deleted(
    ask: Ask, sandbox: FaultySandbox, issued: EarnedBadge
) -> None:
    row = sandbox.add_template(issued.template | {"id": "new", "name": "New"})
    assert ask("GET", "badge_templates/new")[1]["data"]["name"] == row["name"]
    sandbox.change_template("new", name="Newer")
    assert ask("GET", "badge_templates/new")[1]["data"]["updated_at"] == "2026-03-02T14:31:05.123Z"
    sandbox.archive_template("new")
    assert ask("GET", "badge_templates", filter="state::active|name::Newer")[1]["data"] == []
    sandbox.activate_template("new")
    assert len(ask("GET", "badge_templates", filter="state::active|name::Newer")[1]["data"]) == 1
    sandbox.delete_template("new")
    assert ask("GET", "badge_templates/new")[0] == 404


def test_badges_of_a_deleted_template_stay(ask: Ask, sandbox: FaultySandbox, issued: EarnedBadge) -> None:
    sandbox.delete_template(issued.template_id)
    assert ask("GET", f"badges/{issued.id}")[1]["data"]["badge_template"]["name"] == "Onboarding Essentials"


def test_evidence_is_given_ids(sandbox: FaultySandbox, ids: dict[str, str], ask: Ask) -> None:
    evidence = [{"type": "UrlEvidence", "name": "Essay", "value": "https://example.com/e"}]
    badge = sandbox.issue_in_credly(ids["Facilitator"], "u2@example.com", "A", "B", evidence=evidence)
    (row,) = ask("GET", f"badges/{badge.id}")[1]["data"]["evidence"]
    assert list(row) == ["id", "type", "name", "value"]
