"""What a badge template says to learners, as it is stored."""

import json
from typing import Any

import pytest

from credly_cli.credly.records import BadgeDetails, Step, badge_details_from

TEMPLATE: dict[str, Any] = {
    "description": " Gives first aid. ",
    "skills": ["First Aid", "", 7, "CPR"],
    "badge_template_activities": [
        {"title": "Two days", "activity_type": "Course", "activity_url": ""},
        {"title": "", "activity_type": "Course"},
        {
            "activity_type": "Badge",
            "required_badge_template_name": "Level 1",
            "required_badge_template_url": "https://www.credly.com/org/example/badge/level-1",
        },
    ],
    "global_activity_url": "https://example.org/first-aid",
    "owner": {"name": "Larkfield"},
}


def test_they_are_read_as_the_template_has_them() -> None:
    assert badge_details_from(json.dumps(TEMPLATE)) == BadgeDetails(
        description="Gives first aid.",
        skills=("First Aid", "CPR"),
        steps=(Step("Two days", None), Step("Level 1", "https://www.credly.com/org/example/badge/level-1")),
        criteria_url="https://example.org/first-aid",
        issuer="Larkfield",
    )


@pytest.mark.parametrize("value", [None, 7, True, "text", [], {}, [7], [[]], [{}], [{"title": {}}]])
def test_what_is_missing_or_of_another_type_is_left_out(value: Any) -> None:
    for raw in (
        None,
        "{}",
        json.dumps(dict.fromkeys(TEMPLATE, value) | {"description": None, "global_activity_url": None}),
    ):
        assert badge_details_from(raw) == BadgeDetails()
