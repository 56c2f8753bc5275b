"""Who is let in to the stand-in, by which path, and to which organization."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from credly_cli.sandbox.api import Api
from credly_cli.sandbox.records import Request
from tests.support.stand_in import FaultySandbox, sandbox_with_samples

Ask = Callable[..., tuple[int, Any]]


def basic(credentials: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}


def get(sandbox: FaultySandbox, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    answer = Api(sandbox).handle(Request.to_url("GET", f"http://localhost{path}", headers or basic("canary:")))
    return answer.status, json.loads(answer.body)


@pytest.mark.parametrize("headers", [basic("other:"), basic("canary:secret"), basic("canary"), {"x": ""}])
def test_only_the_token_with_its_colon_is_let_in(sandbox: FaultySandbox, headers: dict[str, str]) -> None:
    status, body = get(sandbox, "/v1/organizations", headers)
    assert status == 401
    assert list(body) == ["data", "metadata"]


@pytest.mark.parametrize("value", ["Bearer canary", "Basic ???", "Basic /w==", "Basic"])
def test_other_schemes_and_unreadable_credentials_are_refused(sandbox: FaultySandbox, value: str) -> None:
    assert get(sandbox, "/v1/organizations", {"authorization": value})[0] == 401


def test_the_bare_token_is_let_in_by_a_switch(sandbox: FaultySandbox) -> None:
    sandbox.switches.bare_token = True
    assert get(sandbox, "/v1/organizations", basic("canary"))[0] == 200


@pytest.mark.parametrize(
    "path", ["/v1/organizations", "/api/v1/organizations/", "/v1/organizations.json", "/v1//organizations"]
)
def test_every_form_of_a_path_is_routed(sandbox: FaultySandbox, path: str) -> None:
    status, body = get(sandbox, path)
    assert status == 200
    assert body["data"][0]["id"] == sandbox.organization_id
    assert body["metadata"]["total_count"] == 1


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/organizations", "/v1/organizations/none", "/v1/nothing"])
def test_unknown_paths_and_foreign_organizations_are_not_found(sandbox: FaultySandbox, path: str) -> None:
    assert get(sandbox, path)[0] == 404


def test_an_organization_can_be_asked_for(ask: Ask, sandbox: FaultySandbox) -> None:
    assert ask("GET", "")[1] == {"data": sandbox.organization, "metadata": {}}
    assert ask("POST", "badge_templates")[0] == 404


def test_a_token_may_see_several_organizations_each_with_its_own_badges(sandbox: FaultySandbox) -> None:
    other = sandbox_with_samples()
    other.organization |= {"id": "22222222-2222-4222-8222-222222222222", "name": "Other"}
    other.delete_template(next(iter(other.templates)))
    sandbox.add_organization(other)
    assert [row["name"] for row in get(sandbox, "/v1/organizations")[1]["data"]] == [
        sandbox.organization["name"],
        "Other",
    ]
    listed = get(sandbox, f"/v1/organizations/{other.organization_id}/badge_templates")[1]["data"]
    assert len(listed) == len(sandbox.templates) - 1


def test_tokens_are_listed_with_their_end(ask: Ask, sandbox: FaultySandbox) -> None:
    (row,) = ask("GET", "authorization_tokens")[1]["data"]
    assert (row["token"], row["expires_at"]) == ("canary", "2026-08-29T14:31:05.123Z")
    sandbox.switches.tokens_status = 403
    assert ask("GET", "authorization_tokens")[0] == 403


def test_a_rotated_token_is_refused_at_once(ask: Ask, sandbox: FaultySandbox) -> None:
    status, body = ask("POST", "authorization_tokens/rotate")
    assert (status, body["data"]["token"]) == (201, sandbox.token)
    assert ask("GET", "badges")[0] == 401
    assert get(sandbox, "/v1/organizations", basic(f"{sandbox.token}:"))[0] == 200


def test_a_token_ends_after_180_days(ask: Ask, wait: Callable[[float], None]) -> None:
    wait(179 * 86400)
    assert ask("GET", "badges")[0] == 200
    wait(86400)
    assert ask("GET", "badges")[0] == 401


def test_an_expired_token_is_refused(ask: Ask, sandbox: FaultySandbox) -> None:
    sandbox.expire_token()
    assert ask("GET", "badges")[0] == 401


def test_a_token_may_lack_rights(ask: Ask, sandbox: FaultySandbox) -> None:
    sandbox.tokens[0].write_enabled = sandbox.tokens[0].delete_enabled = False
    assert ask("GET", "badges")[0] == 200
    assert ask("POST", "badges", {})[0] == 403
    assert ask("DELETE", "badges/none")[0] == 403
