"""OAuth client credentials at the stand-in, as a public client of Credly asks for them."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from credly_cli.sandbox.api import Api
from credly_cli.sandbox.records import Request
from tests.support.stand_in import FaultySandbox

SCOPES = "badge_templates issued_badges"


def basic(sandbox: FaultySandbox, secret: str = "") -> dict[str, str]:
    client = sandbox.clients[0]
    pair = f"{client.id}:{secret or client.secret}"
    return {"authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def ask_for_token(
    sandbox: FaultySandbox, headers: dict[str, str], path: str = "/oauth/token", **fields: str
) -> tuple[int, Any]:
    form = {"content-type": "application/x-www-form-urlencoded", **headers}
    body = urlencode({"grant_type": "client_credentials", "scope": SCOPES, **fields}).encode()
    answer = Api(sandbox).handle(Request("POST", path, "", form, body, "http://127.0.0.1:8000"))
    return answer.status, json.loads(answer.body)


def get(sandbox: FaultySandbox, token: str, path: str = "/v1/organizations") -> int:
    headers = {"authorization": f"Bearer {token}"}
    return Api(sandbox).handle(Request("GET", path, "", headers, b"", "http://127.0.0.1:8000")).status


def test_id_and_secret_bring_an_access_token_for_two_hours(sandbox: FaultySandbox) -> None:
    status, body = ask_for_token(sandbox, basic(sandbox))
    assert status == 200
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 7200, SCOPES)
    assert get(sandbox, body["access_token"]) == 200


def test_id_and_secret_may_also_stand_in_the_form(sandbox: FaultySandbox) -> None:
    client = sandbox.clients[0]
    body = ask_for_token(sandbox, {}, client_id=client.id, client_secret=client.secret)[1]
    assert get(sandbox, body["access_token"]) == 200


def test_an_access_token_ends_and_the_next_one_is_good(sandbox: FaultySandbox, wait: Callable[[float], None]) -> None:
    first = ask_for_token(sandbox, basic(sandbox))[1]["access_token"]
    wait(7199)
    assert get(sandbox, first) == 200
    wait(1)
    assert get(sandbox, first) == 401
    second = ask_for_token(sandbox, basic(sandbox))[1]["access_token"]
    assert get(sandbox, second) == 200
    sandbox.expire_access_tokens()
    assert get(sandbox, second) == 401


def test_an_access_token_is_no_authorization_token_nor_the_other_way_round(sandbox: FaultySandbox) -> None:
    access = ask_for_token(sandbox, basic(sandbox))[1]["access_token"]
    as_basic = {"authorization": "Basic " + base64.b64encode(f"{access}:".encode()).decode()}
    assert Api(sandbox).handle(Request("GET", "/v1/organizations", "", as_basic)).status == 401
    assert get(sandbox, sandbox.token) == 401


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"scope": "everything"}, 400, "invalid_scope"),
    ],
)
def test_other_grants_and_scopes_are_refused(
    sandbox: FaultySandbox, fields: dict[str, str], status: int, code: str
) -> None:
    answered, body = ask_for_token(sandbox, basic(sandbox), **fields)
    assert (answered, body["error"]) == (status, code)


def test_a_wrong_secret_brings_none(sandbox: FaultySandbox) -> None:
    status, body = ask_for_token(sandbox, basic(sandbox, "other"))
    assert (status, body["error"]) == (401, "invalid_client")
    assert ask_for_token(sandbox, {})[0] == 401
    assert ask_for_token(sandbox, {"authorization": "Basic ???"})[0] == 401


def test_a_scope_that_was_not_asked_for_does_not_open_its_paths(sandbox: FaultySandbox) -> None:
    token = ask_for_token(sandbox, basic(sandbox), scope="badge_templates")[1]["access_token"]
    within = f"/v1/organizations/{sandbox.organization_id}"
    assert get(sandbox, token, f"{within}/badge_templates") == 200
    assert get(sandbox, token, f"{within}/badges") == 403


def test_the_life_of_tokens_and_the_answer_for_them_can_be_switched(
    sandbox: FaultySandbox, wait: Callable[[float], None]
) -> None:
    sandbox.switches.oauth_seconds = 5
    body = ask_for_token(sandbox, basic(sandbox))[1]
    assert body["expires_in"] == 5
    wait(5)
    assert get(sandbox, body["access_token"]) == 401
    sandbox.switches.oauth_status = 503
    assert ask_for_token(sandbox, basic(sandbox))[0] == 503


@pytest.mark.parametrize("path", ["//oauth/token", "/oauth/token/"])
def test_slashes_too_many_do_not_matter(sandbox: FaultySandbox, path: str) -> None:
    assert ask_for_token(sandbox, basic(sandbox), path)[0] == 200
    assert Api(sandbox).handle(Request("GET", "/oauth/token")).status == 404
