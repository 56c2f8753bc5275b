"""The invented organization that is measured with: the server answers it, the stores are built from it."""

import functools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

ORGANIZATION = "11111111-1111-4111-8111-111111111111"
TOKEN = "benchmark-token"  # noqa: S105 - invented
TEMPLATE_BYTES = 3_900  # of a real row, as recorded from Credly
_START = datetime(2025, 1, 1, tzinfo=UTC)
_FAR_APART = timedelta(seconds=30)  # a million badges are issued within a year

_OWNER = {
    "type": "Organization",
    "id": ORGANIZATION,
    "name": "Benchmark College",
    "enable_blockchain": False,
    "url": f"https://api.credly.com/api/v1/organizations/{ORGANIZATION}",
    "vanity_url": "https://www.credly.com/org/benchmark",
    "vanity_slug": "benchmark",
    "verified": False,
    "viewable": True,
}


def stamp(moment: datetime) -> str:
    """Write a time as Credly does."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def stamp_now() -> str:
    """Write the current time as Credly does."""
    return stamp(datetime.now(UTC))


def moment_of(number: int) -> datetime:
    """Return when the template or the badge of a number was made."""
    return _START + number * _FAR_APART


def template_id(number: int) -> str:
    """Return the id of a template."""
    return f"33333333-3333-4333-8333-{number:012d}"


def badge_id(number: int) -> str:
    """Return the id of an issued badge."""
    return f"77777777-7777-4777-8777-{number:012d}"


def email(number: int) -> str:
    """Return a learner's address."""
    return f"learner{number}@example.com"


def template(number: int) -> dict[str, Any]:
    """Return a template with every field of a recorded one, of a recorded one's size."""
    image = f"https://images.credly.com/images/44444444-4444-4444-8444-{number:012d}/badge.png"
    row = {
        "id": template_id(number),
        "allow_duplicate_badges": number % 10 == 0,
        "cost": None,
        "description": "",
        "global_activity_url": f"https://www.example.org/badges/{number}",
        "level": "Foundational",
        "lock_badge_state": False,
        "name": f"Badge {number}",
        "state": "active",
        "public": True,
        "badges_count": number,
        "recipient_type": "User",
        "vanity_slug": f"badge-{number}",
        "type_category": "Learning",
        "visibility": "public",
        "certification": True,
        "state_updated_at": None,
        "created_at": stamp(moment_of(number)),
        "updated_at": stamp(moment_of(number)),
        "get_issue_count": number,
        "image": {"id": f"44444444-4444-4444-8444-{number:012d}", "url": image},
        "image_url": image,
        "url": f"https://www.credly.com/org/benchmark/badge/badge-{number}",
        "owner": _OWNER,
        "alignments": [],
        "recommendations": [],
        "required_badge_templates": [],
        "badge_template_activities": [
            {"id": f"6666-{number}-{step}", "title": f"Step {step}", "activity_type": "Course", "activity_url": ""}
            for step in range(5)
        ],
        "skills": [f"Skill {number + step}" for step in range(8)],
        "reporting_tags": [],
    }
    row["description"] = "Knows what the course teaches. ".ljust(TEMPLATE_BYTES - len(json.dumps(row)), "x")
    return row


@functools.cache
def _nested(number: int) -> dict[str, Any]:
    return {key: value for key, value in template(number).items() if key != "reporting_tags"}


def issued(number: int) -> dict[str, Any]:
    """Return one of the badges that were issued before the benchmark; three of four are accepted a day later."""
    made = moment_of(number)
    accepted = number % 4 != 0
    page = f"https://www.credly.com/badges/{badge_id(number)}"
    return {
        "user": {"id": f"88888888-8888-4888-8888-{number:012d}", "email": email(number)} if accepted else {},
        "badge_template": _nested(number % 500),
        "id": badge_id(number),
        "issued_to": f"Robin Sample{number}",
        "issued_to_first_name": "Robin",
        "issued_to_last_name": f"Sample{number}",
        "issuer_earner_id": f"L{number}",
        "locale": "en",
        "public": True,
        "recipient_email": email(number),
        "state": "accepted" if accepted else "pending",
        "created_at": stamp(made),
        "updated_at": stamp(made),
        "issued_at": stamp(made),
        "expires_at": None,
        "state_updated_at": stamp(made + timedelta(days=1)) if accepted else None,
        "image_url": "https://images.credly.com/images/44444444-4444-4444-8444-444444444444/badge.png",
        **({"badge_url": page} if accepted else {"accept_badge_url": f"{page}/accept"}),
    }


def page_of(rows: list[Any], number: int, total: int, size: int = 50) -> dict[str, Any]:
    """Put a page into its envelope."""
    pages = max(1, -(-total // size))
    further = f"/v1/organizations/{ORGANIZATION}?page={number + 1}" if number < pages else None
    metadata = {"count": len(rows), "current_page": number, "total_count": total, "total_pages": pages, "per": size}
    return {"data": rows, "metadata": {**metadata, "previous_page_url": None, "next_page_url": further}}
