"""Connecting: R1 and R2."""

import json
from typing import Any

import pytest

from credly_cli.sandbox.records import sample_organization
from tests.support import faults
from tests.support.desk import URL, Desk
from tests.support.stand_in import FaultySandbox

NEIGHBOUR = "00000000-0000-4000-8000-000000000002"
NEIGHBOUR_TOKEN = "neighbour-token"


def neighbour(desk: Desk, token: str = NEIGHBOUR_TOKEN) -> FaultySandbox:
    """Another organization of the same Credly."""
    organization = {**sample_organization().organization, "id": NEIGHBOUR, "name": "Neighbour"}
    return FaultySandbox(organization, now=desk.clock.now, sleep=desk.clock.sleep, token=token)


def move_to(desk: Desk, other: FaultySandbox) -> None:
    """Let the address be answered by another organization, as with another token or another host."""
    desk.sandbox = other


def files_of(desk: Desk) -> list[str]:
    return sorted(path.name for path in desk.home.rglob("*"))


# R1


def test_r1_connecting_says_whose_badges_these_are_in_green_and_what_comes_next(desk: Desk) -> None:
    ran = desk.run("connect", "--token-stdin", "--api-url", URL, stdin=desk.sandbox.token, terminal=True)
    assert ran.code == 0
    assert "\x1b[32mConnected to Larkfield Skills Institute." in ran.out
    assert "Next: credly sync" in ran.err


def test_r1_the_answer_for_scripts_has_all_its_keys(desk: Desk) -> None:
    answer = desk.json("connect", "--token-stdin", "--api-url", URL, stdin=desk.sandbox.token)
    assert answer == {
        "connected": True,
        "organization": {"id": desk.sandbox.organization_id, "name": "Larkfield Skills Institute"},
        "api_url": URL,
        "token_source": str(desk.home / "token"),
        "token_expires_at": "2026-08-29T09:30:00Z",
        "token_expiry": "date",
    }


def test_r1_a_refused_token_stores_nothing(desk: Desk) -> None:
    answer = desk.json("connect", "--token-stdin", "--api-url", URL, stdin="wrong", code=4)
    assert answer["error"]["code"] == "token-refused"
    assert "Authorization Tokens" in answer["error"]["hint"]
    assert files_of(desk) == []


def test_r1_a_token_without_rights_stores_nothing(desk: Desk) -> None:
    desk.sandbox.faults.add(faults.answers(403), "GET", "/organizations")
    answer = desk.json("connect", "--token-stdin", "--api-url", URL, stdin=desk.sandbox.token, code=4)
    assert answer["error"]["code"] == "token-forbidden"
    assert files_of(desk) == []


def test_r1_without_an_answer_nothing_is_stored_and_it_is_to_be_tried_again(desk: Desk) -> None:
    desk.sandbox.faults.add(faults.unreachable(), times=None)
    answer = desk.json("connect", "--token-stdin", "--api-url", URL, stdin=desk.sandbox.token, code=75)
    assert answer["error"]["code"] == "unreachable"
    assert "credly.test" in answer["error"]["message"]
    assert files_of(desk) == []


def test_r1_a_refused_token_leaves_an_earlier_connection_as_it_was(connected: Desk) -> None:
    connected.json("connect", "--token-stdin", "--api-url", URL, stdin="wrong", code=4)
    assert (connected.home / "token").read_text().strip() == connected.sandbox.token
    connected.json("sync")


def test_r1_of_several_organizations_one_has_to_be_named(desk: Desk) -> None:
    desk.sandbox.add_organization(neighbour(desk))
    answer = desk.json("connect", "--token-stdin", "--api-url", URL, stdin=desk.sandbox.token, code=5)
    assert answer["error"]["code"] == "organization-ambiguous"
    assert f"Neighbour ({NEIGHBOUR})" in answer["error"]["message"]
    assert "--organization" in answer["error"]["hint"]
    assert files_of(desk) == []


@pytest.mark.parametrize("how", ["option", "environment", "configuration"])
def test_r1_the_organization_is_named_by_option_environment_or_configuration(desk: Desk, how: str) -> None:
    desk.sandbox.add_organization(neighbour(desk))
    arguments = ["--organization", NEIGHBOUR.upper()] if how == "option" else []
    environ = {"CREDLY_ORGANIZATION": NEIGHBOUR} if how == "environment" else {}
    if how == "configuration":
        desk.config(f'[credly]\norganization = "{NEIGHBOUR}"\n')
    answer = desk.json(
        "connect", "--token-stdin", "--api-url", URL, *arguments, stdin=desk.sandbox.token, environ=environ
    )
    assert answer["organization"] == {"id": NEIGHBOUR, "name": "Neighbour"}


def test_r1_the_option_goes_before_the_environment(desk: Desk) -> None:
    desk.sandbox.add_organization(neighbour(desk))
    answer = desk.json(
        "connect", "--token-stdin", "--api-url", URL, "--organization", desk.sandbox.organization_id,
        stdin=desk.sandbox.token, environ={"CREDLY_ORGANIZATION": NEIGHBOUR},
    )  # fmt: skip
    assert answer["organization"]["id"] == desk.sandbox.organization_id


def test_r1_a_new_token_of_several_organizations_stays_with_the_one_in_the_store(connected: Desk) -> None:
    connected.sandbox.add_organization(neighbour(connected))
    answer = connected.json("connect", "--token-stdin", stdin=connected.sandbox.token)
    assert answer["organization"]["id"] == connected.sandbox.organization_id


def test_r1_an_organization_that_the_token_does_not_have_is_refused(desk: Desk) -> None:
    answer = desk.json(
        "connect", "--token-stdin", "--api-url", URL, "--organization", NEIGHBOUR, stdin=desk.sandbox.token, code=6
    )
    assert answer["error"]["code"] == "organization-mismatch"
    assert "Larkfield" in answer["error"]["message"]
    assert files_of(desk) == []


def test_r1_organizations_on_a_later_page_are_found(desk: Desk) -> None:
    desk.sandbox.switches.page_size = 1
    desk.sandbox.add_organization(neighbour(desk))
    answer = desk.json(
        "connect", "--token-stdin", "--api-url", URL, "--organization", NEIGHBOUR, stdin=desk.sandbox.token
    )
    assert answer["organization"]["name"] == "Neighbour"


@pytest.mark.parametrize("body", [b'{"data": null}', b'{"data": [{}]}', b'{"data": ["x"]}', b"{}"])
def test_r1_a_list_of_organizations_that_cannot_be_read_is_a_fault_of_the_server(desk: Desk, body: bytes) -> None:
    desk.sandbox.faults.add(faults.answers(200, body), "GET", "/organizations", times=None)
    answer = desk.json("connect", "--token-stdin", "--api-url", URL, stdin=desk.sandbox.token, code=75)
    assert answer["error"]["code"] == "server-error"


def test_r1_a_token_of_no_organization_is_refused(desk: Desk) -> None:
    desk.sandbox.faults.add(faults.answers(200, b'{"data": [], "metadata": {}}'), "GET", "/organizations", times=None)
    answer = desk.json("connect", "--token-stdin", "--api-url", URL, stdin=desk.sandbox.token, code=4)
    assert answer["error"]["code"] == "token-forbidden"


def test_r1_an_old_answer_without_paging_is_enough_to_connect(desk: Desk) -> None:
    desk.sandbox.switches.list_metadata = "empty"
    assert desk.json("connect", "--token-stdin", "--api-url", URL, stdin=desk.sandbox.token)["connected"]


def test_the_expiry_is_what_credly_tells(desk: Desk) -> None:
    desk.sandbox.tokens[0].expires_at = desk.clock.now().replace(month=4)
    answer = desk.json("connect", "--token-stdin", "--api-url", URL, stdin=desk.sandbox.token)
    assert answer["token_expires_at"] == "2026-04-02T09:30:00Z"


def test_the_expiry_is_not_told_where_credly_does_not_tell(desk: Desk) -> None:
    desk.sandbox.switches.tokens_status = 403
    answer = desk.json("connect", "--token-stdin", "--api-url", URL, stdin=desk.sandbox.token)
    assert (answer["token_expires_at"], answer["token_expiry"]) == (None, "not-told")


def test_asking_for_the_expiry_is_not_worth_a_long_wait(desk: Desk) -> None:
    busy = faults.answers(429, Retry_After="100")
    desk.sandbox.faults.add(busy, "GET", "authorization_tokens", times=None)
    before = desk.clock.now()
    desk.connect()
    assert (desk.clock.now() - before).total_seconds() < 5


def test_sync_warns_14_days_before_the_token_expires_and_not_earlier(connected: Desk) -> None:
    connected.pass_time(days=165, hours=23, minutes=50)
    assert "expires" not in connected.run("sync").err
    connected.pass_time(minutes=20)
    assert "The token expires in 13 days (2026-08-29)" in connected.run("sync").err


# The address


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://credly.test", "https://credly.test/v1"),
        ("https://credly.test/", "https://credly.test/v1"),
        ("https://credly.test/v1/", "https://credly.test/v1"),
        ("https://credly.test/api/v1", "https://credly.test/api/v1"),
        ("HTTPS://Credly.Test:443/v1", "https://credly.test/v1"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1"),
        ("http://localhost/v1", "http://localhost/v1"),
        ("http://[::1]:9", "http://[::1]:9/v1"),
    ],
)
def test_the_address_may_end_in_nothing_v1_or_api_v1(desk: Desk, given: str, used: str) -> None:
    answer = desk.json("connect", "--token-stdin", "--api-url", given, stdin=desk.sandbox.token)
    assert answer["api_url"] == used
    assert desk.json("sync")["badges"]["added"] == 8


@pytest.mark.parametrize(
    "given",
    [
        "http://credly.test", "http://192.168.0.1", "http://127.0.0.1.evil.test", "ftp://credly.test", "credly.test",
        "https://", "https://credly.test/v2", "https://credly.test/v1?x=1", "https://credly.test/v1#x",
        "https://user:geheim@credly.test", "https://:geheim@credly.test", "https://geheim@[bad", "https://cr\u00e9dly.test",
        "https://credly.test:99999", "https://credly .test", "",
    ],
)  # fmt: skip
def test_any_other_address_is_a_wrong_configuration_and_is_not_repeated(desk: Desk, given: str) -> None:
    """Scenario 55."""
    for option in (["--api-url", given], []):
        environ = {} if option else {"CREDLY_API_URL": given or " "}
        answer = desk.json("connect", "--token-stdin", *option, stdin=desk.sandbox.token, environ=environ, code=78)
        assert answer["error"]["code"] == "config-invalid"
        assert "https://api.credly.com/v1" in answer["error"]["hint"]
        assert "geheim" not in json.dumps(answer)
    assert desk.sandbox.log.count() == 0


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("how", "used"),
    [
        ({"option": True, "environment": True, "file": True}, "https://option.test/v1"),
        ({"environment": True, "file": True}, "https://environment.test/v1"),
        ({"file": True}, "https://file.test/v1"),
        ({"sandbox": True, "environment": True}, "https://sandbox-api.credly.com/v1"),
        ({}, "https://api.credly.com/v1"),
    ],
)
def test_the_address_comes_from_option_environment_or_file_in_this_order(
    desk: Desk, how: dict[str, bool], used: str
) -> None:
    if how.get("file"):
        desk.config('[credly]\napi_url = "https://file.test"\n')
    environ = {"CREDLY_API_URL": "https://environment.test"} if how.get("environment") else {}
    option = ["--api-url", "https://option.test"] if how.get("option") else []
    option += ["--sandbox"] if how.get("sandbox") else []
    answer = desk.json("connect", "--token-stdin", *option, stdin=desk.sandbox.token, environ=environ)
    assert answer["api_url"] == used


def test_a_new_token_goes_to_the_address_of_the_connection(desk: Desk) -> None:
    desk.json("connect", "--token-stdin", "--sandbox", stdin=desk.sandbox.token)
    answer = desk.json("connect", "--token-stdin", stdin=desk.sandbox.token)
    assert answer["api_url"] == "https://sandbox-api.credly.com/v1"


@pytest.mark.parametrize(
    "arguments", [("--sandbox", "--api-url", URL), ("--token-stdin", "--token-file", "token")], ids=["address", "token"]
)
def test_options_that_exclude_each_other_are_wrong_usage(desk: Desk, arguments: tuple[str, ...]) -> None:
    answer = desk.json("connect", *arguments, stdin=desk.sandbox.token, code=2)
    assert answer["error"]["code"] == "usage"
    assert answer["error"]["hint"]


# R2


def refusal_of(answer: Any) -> Any:
    assert answer["error"]["code"] == "organization-mismatch"
    assert "Larkfield" in answer["error"]["message"]
    assert "--profile" in answer["error"]["hint"]
    return answer


def test_r2_connect_refuses_a_token_of_another_organization(connected: Desk) -> None:
    before = (connected.home / "token").read_bytes()
    move_to(connected, neighbour(connected))
    refusal_of(connected.json("connect", "--token-stdin", "--api-url", URL, stdin="neighbour-token", code=6))
    assert (connected.home / "token").read_bytes() == before
    assert connected.json("status")["organization"]["name"] == "Larkfield Skills Institute"


def test_r2_connect_refuses_another_organization_of_the_same_token(connected: Desk) -> None:
    connected.sandbox.add_organization(neighbour(connected))
    arguments = ("connect", "--token-stdin", "--organization", NEIGHBOUR)
    refusal_of(connected.json(*arguments, stdin=connected.sandbox.token, code=6))


def test_r2_connect_refuses_another_organization_after_disconnecting_too(connected: Desk) -> None:
    connected.json("disconnect", "--yes")
    move_to(connected, neighbour(connected))
    refusal_of(connected.json("connect", "--token-stdin", "--api-url", URL, stdin="neighbour-token", code=6))


def test_r2_sync_refuses_a_token_of_another_organization_before_anything_is_changed(connected: Desk) -> None:
    connected.learns("ada@example.org,first-aid,first-aid-march,completed,2026-03-02T10:00:00Z,Ada,Lovelace")
    before = connected.json("status")
    move_to(connected, neighbour(connected))
    refusal_of(connected.json("sync", environ={"CREDLY_TOKEN": "neighbour-token"}, code=6))
    assert connected.json("status") == before
    assert len(connected.json("badges")) == 8


def test_r2_sync_refuses_an_address_of_another_organization(connected: Desk) -> None:
    move_to(connected, neighbour(connected, connected.sandbox.token))
    environ = {"CREDLY_API_URL": "https://elsewhere.test"}
    refusal_of(connected.json("sync", environ=environ, code=6))


def test_r2_sync_refuses_a_configuration_of_another_organization(connected: Desk) -> None:
    refusal_of(connected.json("sync", environ={"CREDLY_ORGANIZATION": NEIGHBOUR}, code=6))


@pytest.mark.parametrize("how", ["environment", "configuration"])
def test_r2_naming_the_organization_that_is_connected_changes_nothing(connected: Desk, how: str) -> None:
    own = connected.sandbox.organization_id
    environ = {"CREDLY_ORGANIZATION": own.upper()} if how == "environment" else {}
    if how == "configuration":
        connected.config(f'[credly]\norganization = "{own}"\n')
    assert connected.json("sync", environ=environ)["status"] == "success"


def test_r2_a_dry_run_refuses_it_too(connected: Desk) -> None:
    move_to(connected, neighbour(connected))
    refusal_of(connected.json("sync", "--dry-run", environ={"CREDLY_TOKEN": "neighbour-token"}, code=6))


def test_r2_another_organization_has_a_profile_of_its_own(connected: Desk) -> None:
    home = connected.sandbox
    move_to(connected, neighbour(connected))
    connected.json("connect", "--token-stdin", "--api-url", URL, "--profile", "second", stdin="neighbour-token")
    assert connected.json("--profile", "second", "badges") == []
    move_to(connected, home)
    assert len(connected.json("badges")) == 8


def test_a_silent_credly_does_not_keep_the_run_from_its_other_steps(connected: Desk) -> None:
    connected.sandbox.faults.add(faults.unreachable(), times=None)
    answer = connected.json("sync", "--only", "badges", "--only", "lms", code=75)
    assert [entry["code"] for entry in answer["problems"]] == ["unreachable"]  # of the badges' step alone
    assert connected.json("status")["last_sync"]["finished_at"] == answer["finished_at"]


def test_reading_the_lms_alone_asks_credly_nothing(connected: Desk) -> None:
    connected.sandbox.log.clear()
    connected.json("sync", "--only", "lms")
    assert connected.sandbox.log.count() == 0


@pytest.mark.further
def test_r1_a_token_that_was_kept_goes_once_another_is_read_from_elsewhere(desk: Desk) -> None:
    """Of a token in the environment or in a file of the user's only the source is remembered."""
    own = desk.home / "own-token"
    own.write_text(desk.sandbox.token)
    own.chmod(0o600)
    kept = desk.home / "token"
    for options, environ in (
        ((), {"CREDLY_TOKEN": desk.sandbox.token}),
        (("--token-file", str(own)), {}),
    ):
        desk.connect()
        assert kept.exists()
        desk.json("connect", "--api-url", URL, *options, environ=environ)
        assert not kept.exists()
    desk.connect()
    desk.json("connect", "--api-url", URL, "--token-file", str(kept))
    assert kept.exists()
    assert own.exists()
