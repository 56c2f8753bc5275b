"""What the tests of granting share: a desk with two badges linked, one of which allows duplicates."""

from typing import Any

import pytest

from credly_cli.store import grants
from credly_cli.text import as_json
from tests.support.desk import Desk

ONCE, REPEATABLE = "First Aid at Work", "Webinar Participant"
MARCH, APRIL = "first-aid-march", "first-aid-april"


def completion(email: str, session: str, at: str, names: str = "Ada,Lovelace") -> str:
    """Write a row of progress that completes a session of the first-aid course."""
    return f"{email},first-aid,{session},completed,{at},{names}"


def ledger(desk: Desk, **narrowed: Any) -> list[dict[str, Any]]:
    """Return the grants as the ledger has them."""
    with desk.store() as store:
        return [as_json(grant) for grant in grants.listed(store, **narrowed)]


def states(desk: Desk) -> list[str]:
    """Return the states of all grants, in order of planning."""
    return [grant["state"] for grant in ledger(desk)]


def bodies(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return a list that fills with what Credly is asked to issue."""
    asked: list[dict[str, Any]] = []
    issue = desk.sandbox.issue

    def listen(fields: Any) -> Any:
        asked.append(dict(fields))
        return issue(fields)

    monkeypatch.setattr(desk.sandbox, "issue", listen)
    return asked


def posts(desk: Desk) -> int:
    """Count the requests to issue."""
    return desk.sandbox.log.count("POST", "/badges$")
