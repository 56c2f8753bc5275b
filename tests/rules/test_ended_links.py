"""A link that ended by itself needs a person until the badge is linked or unlinked by hand (R9, R16, R33)."""

from typing import Any
from uuid import UUID

import pytest

from tests.rules.admin import FIRST_AID
from tests.support.desk import Desk


@pytest.fixture
def badge_id(connected: Desk) -> str:
    """Return the id of a badge that was linked and then archived on Credly."""
    found = connected.badge_id(FIRST_AID)
    connected.json("link", FIRST_AID, "first-aid")
    connected.sandbox.archive_template(found)
    return found


def waiting(desk: Desk) -> list[dict[str, Any]]:
    answer = desk.json("status")
    assert answer["needs_person"] == len(answer["waiting_for_person"])
    return list(answer["waiting_for_person"])


def test_r33_the_run_in_which_a_link_ends_ends_with_3_and_says_how_to_avoid_and_settle_it(
    connected: Desk, badge_id: str
) -> None:
    (problem,) = connected.json("sync", code=3)["problems"]
    assert (problem["code"], problem["badge_id"]) == ("link-ended", badge_id)
    assert "Take a badge off its content before archiving or deleting it in Credly." in problem["message"]
    assert f"credly unlink {badge_id}" in problem["hint"]
    assert connected.json("sync")["problems"] == []


def test_r33_status_names_a_link_that_ended_with_its_way_out(connected: Desk, badge_id: str) -> None:
    connected.json("sync", code=3)
    connected.json("sync")
    (one,) = waiting(connected)
    assert (one["code"], one["count"]) == ("link-ended", 1)
    assert FIRST_AID in one["message"]
    assert "active again" not in one["message"]
    assert f"credly unlink {badge_id}" in one["hint"]
    assert connected.run("status", "--max-age", "1d").code == 3


@pytest.mark.parametrize("by", ["id", "name"])
def test_r16_unlink_settles_a_link_that_ended_by_itself(connected: Desk, badge_id: str, by: str) -> None:
    connected.json("sync", code=3)
    ran = connected.run("unlink", badge_id if by == "id" else FIRST_AID)
    assert (ran.code, "settled" in ran.out) == (0, True)
    assert waiting(connected) == []
    assert "settled" not in connected.run("unlink", badge_id).out


def test_r16_the_name_settles_it_also_where_a_badge_of_that_name_was_made_anew(connected: Desk, badge_id: str) -> None:
    connected.sandbox.add_template({**connected.sandbox.templates[badge_id], "id": str(UUID(int=7)), "state": "active"})
    connected.json("sync", code=3)
    answer = connected.json("unlink", FIRST_AID)
    assert (answer["changed"], answer["badge"]["id"]) == (False, badge_id)
    assert waiting(connected) == []


def test_r9_a_badge_that_is_active_again_is_said_to_be_and_link_settles_it(connected: Desk, badge_id: str) -> None:
    connected.json("sync", code=3)
    connected.sandbox.activate_template(badge_id)
    connected.json("sync")
    (one,) = waiting(connected)
    assert one["message"].endswith("The badge is active again.")
    assert f"credly link {badge_id} first-aid" in one["hint"]
    connected.json("link", badge_id, "first-aid")
    assert waiting(connected) == []


def test_r33_a_badge_without_content_that_leaves_the_list_needs_nobody(connected: Desk) -> None:
    connected.sandbox.archive_template(connected.badge_id(FIRST_AID))
    connected.json("sync")
    assert waiting(connected) == []


def test_r33_a_dry_run_records_nothing(connected: Desk, badge_id: str) -> None:
    answer = connected.json("sync", "--dry-run")
    assert [(one["code"], one["badge_id"]) for one in answer["problems"]] == [("link-ended", badge_id)]
    assert waiting(connected) == []
