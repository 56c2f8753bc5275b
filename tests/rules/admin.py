"""What an admin's day is made of, in the words of the tests: badges, content, and a learner called Robin."""

from typing import Any

from tests.support.desk import Desk

FIRST_AID = "First Aid at Work"  # earned once
WEBINAR = "Webinar Participant"  # may be earned again for another session
ROBIN = "robin@example.com"
MARCH, APRIL = "first-aid-march", "first-aid-april"
HOSTILE = "\x1b]0;owned\x07 <b>=1+1</b> \u202e[red]"


def enroll(
    desk: Desk, email: str = ROBIN, session: str = MARCH, name: str = "Robin,Sample", status: str = "in_progress"
) -> None:
    """Enroll a learner in a session of the First Aid Course, 40 % done."""
    desk.learns(f"{email},first-aid,{session},{status},,{name}")


def complete(desk: Desk, email: str = ROBIN, session: str = MARCH, name: str = "Robin,Sample") -> None:
    """Let a learner complete a session of the First Aid Course a minute from now."""
    desk.pass_time(minutes=1)
    at = desk.clock.time.isoformat()
    desk.learns(f"{email},first-aid,{session},completed,{at},{name}")


def issue_in_credly(desk: Desk, badge: str = FIRST_AID, email: str = ROBIN, **fields: Any) -> Any:
    """Issue a badge as somebody does in Credly's own pages."""
    return desk.sandbox.issue_in_credly(desk.badge_id(badge), email, "Robin", "Sample", **fields)


def grants(desk: Desk, *options: str) -> Any:
    """Return the ledger."""
    return desk.json("grants", *options)


def missed(desk: Desk) -> dict[tuple[str, str], str]:
    """Return the reasons of `missed`, by badge and session."""
    return {(row["badge"]["name"], row["session_id"] or ""): row["reason"] for row in desk.json("missed")}


def shown(desk: Desk, email: str = ROBIN, **how: Any) -> list[str]:
    """Return the names of the badges that `learner-badges` shows."""
    return [row["badge"]["name"] for row in desk.json("learner-badges", email, **how)["badges"]]
