"""The stand-in in process and over a socket, and a client of its own to ask it with."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from credly_cli.sandbox.api import Api
from credly_cli.sandbox.records import Request
from tests.support.stand_in import FaultySandbox, sandbox_with_samples


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 3, 2, 14, 31, 5, 123000, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wait(clock: Clock) -> Callable[[float], None]:
    return clock.sleep


@pytest.fixture
def sandbox(clock: Clock) -> FaultySandbox:
    return sandbox_with_samples(now=clock.now, sleep=clock.sleep, token="canary")


@pytest.fixture
def ids(sandbox: FaultySandbox) -> dict[str, str]:
    return {row["name"]: template_id for template_id, row in sandbox.templates.items()}


@pytest.fixture
def ask(sandbox: FaultySandbox) -> Callable[..., tuple[int, Any]]:
    """Ask the API about the organization: ``ask("GET", "badges", {...}, filter="state::pending")``."""
    api = Api(sandbox)
    authorization = "Basic " + base64.b64encode(f"{sandbox.token}:".encode()).decode()

    def ask(method: str, path: str, body: object = None, **query: object) -> tuple[int, Any]:
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"authorization": authorization, "content-type": "application/json"}
        whole = f"/v1/organizations/{sandbox.organization_id}/{path}"
        answer = api.handle(Request(method, whole, urlencode(query), headers, content, "http://127.0.0.1:8000"))
        return answer.status, json.loads(answer.body) if answer.body else None

    return ask


@pytest.fixture
def request_of(ids: dict[str, str]) -> Callable[..., dict[str, Any]]:
    """A request to issue a badge that lacks nothing."""

    def request_of(**changes: object) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "recipient_email": "u1@example.com",
            "badge_template_id": ids["Onboarding Essentials"],
            "issued_at": "2026-03-02 09:30:00 -0500",
            "issued_to_first_name": "Robin",
            "issued_to_last_name": "Sample",
        }
        return fields | changes

    return request_of
