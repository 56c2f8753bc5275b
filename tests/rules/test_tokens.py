"""Tokens and OAuth clients: when they end, what they may, and where their secrets go (R1, R33)."""

import json
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from credly_cli.sandbox.records import Token
from credly_cli.store import database
from credly_cli.store.database import Store
from credly_cli.store.schema import MIGRATIONS
from credly_cli.urls import oauth_url_of
from tests.support import faults
from tests.support.desk import URL, Desk
from tests.support.world import World

EXPIRING = "token-expiring"


def connect(desk: Desk, *options: str, **how: Any) -> Any:
    return desk.json("connect", "--token-stdin", "--api-url", URL, *options, stdin=desk.sandbox.token, **how)


def tells(desk: Desk, *rows: dict[str, Any]) -> None:
    """Let the list of tokens be these rows."""
    body = json.dumps({"data": rows, "metadata": {"total_pages": 1}}).encode()
    desk.sandbox.faults.add(faults.answers(200, body), "GET", "authorization_tokens", times=None)


def waiting(desk: Desk) -> list[str]:
    return [each["code"] for each in desk.json("status")["waiting_for_person"]]


# What Credly tells of the end


def test_r1_the_token_is_found_on_a_later_page_of_the_list(desk: Desk) -> None:
    desk.sandbox.switches.page_size = 2
    now = desk.clock.now()
    others = [Token(f"other-{number}", now, now) for number in range(5)]
    desk.sandbox.tokens[0].expires_at = now + timedelta(days=5)
    desk.sandbox.tokens.append(Token(desk.sandbox.token, now, now + timedelta(days=5)))
    desk.sandbox.tokens[1:1] = others
    desk.sandbox.faults.add(hides_first(), "GET", "authorization_tokens.*page=1", times=None)
    answer = connect(desk)
    assert (answer["token_expiry"], answer["token_expires_at"]) == ("date", "2026-03-07T09:30:00Z")


def hides_first() -> faults.Act:
    """Let the first page have a stranger's token only."""
    body = {"data": [{"token": "other", "expires_at": None}], "metadata": {"total_pages": 3}}
    return faults.answers(200, json.dumps(body).encode())


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("row", "expiry"),
    [
        ({"expires_at": None}, "never"),
        ({}, "not-told"),
        ({"expires_at": "soon"}, "not-told"),
        ({"expires_at": ["2026-03-07"]}, "not-told"),
        ({"token": "****", "expires_at": "2026-03-07T09:30:00Z"}, "not-told"),
        ({"token": None, "expires_at": "2026-03-07T09:30:00Z"}, "not-told"),
        ({"expires_at": "2026-03-07T09:30:00.000Z"}, "date"),
    ],
    ids=str,
)
def test_r1_only_a_date_of_this_very_token_is_a_date(desk: Desk, row: dict[str, Any], expiry: str) -> None:
    tells(desk, {"token": desk.sandbox.token, **row})
    answer = connect(desk)
    assert answer["token_expiry"] == expiry
    assert (answer["token_expires_at"] is not None) == (expiry == "date")
    assert desk.json("status")["token_expires_at"] == answer["token_expires_at"]


def test_r1_a_list_that_is_truncated_tells_nothing(desk: Desk) -> None:
    tells(desk)
    assert connect(desk)["token_expiry"] == "not-told"


# R33: a token that ends soon, or may


@pytest.mark.further
def test_r33_a_token_that_expires_within_14_days_needs_a_person_in_every_run(connected: Desk) -> None:
    connected.pass_time(days=165)
    assert connected.json("sync")["problems"] == []
    connected.pass_time(days=2)
    for _ in range(2):
        answer = connected.json("sync", code=3)
        assert [problem["code"] for problem in answer["problems"]] == [EXPIRING]
        assert "credly connect" in answer["problems"][0]["hint"]
    assert waiting(connected) == [EXPIRING]
    assert connected.json("status")["last_sync"]["finished_at"]
    connected.sandbox.rotate_token("a-new-token")
    connect(connected)
    assert waiting(connected) == []
    assert connected.json("sync")["status"] == "success"


def test_r33_a_token_that_was_exchanged_where_it_lies_is_asked_about_before_anybody_is_warned(connected: Desk) -> None:
    """The date of the old token had every run end with 3, until somebody connected again."""
    connected.pass_time(days=170)
    connected.sandbox.rotate_token("a-new-token")
    (connected.home / "token").write_text("a-new-token")
    assert connected.json("sync")["problems"] == []
    told = connected.json("status")
    assert (told["token_expires_at"], told["waiting_for_person"]) == ("2027-02-15T09:30:00Z", [])


def test_r33_where_the_end_is_not_told_a_token_in_use_for_150_days_needs_a_person(desk: Desk) -> None:
    desk.sandbox.switches.tokens_status = 403
    connect(desk)
    desk.sandbox.tokens[0].expires_at = None
    desk.pass_time(days=149)
    desk.json("sync")
    desk.pass_time(days=1)
    (problem,) = desk.json("sync", code=3)["problems"]
    assert problem["code"] == EXPIRING
    assert "not known" in problem["message"]
    assert "180 days" in problem["message"]
    assert "2026-08" not in problem["message"]
    assert waiting(desk) == [EXPIRING]
    assert desk.run("status", "--max-age", "2h", "-q").code == 3


def test_r33_a_token_that_is_given_again_has_been_in_use_since_before(desk: Desk) -> None:
    desk.sandbox.switches.tokens_status = 403
    connect(desk)
    desk.sandbox.tokens[0].expires_at = None
    desk.pass_time(days=149)
    connect(desk)
    desk.pass_time(days=2)
    assert desk.json("sync", code=3)["problems"][0]["code"] == EXPIRING


def test_r33_a_token_that_never_ends_is_never_warned_of(desk: Desk) -> None:
    desk.sandbox.tokens[0].expires_at = None
    connect(desk)
    desk.pass_time(days=400)
    assert desk.json("sync")["problems"] == []


def test_connecting_and_doctor_say_that_the_end_is_not_known(desk: Desk) -> None:
    desk.sandbox.switches.tokens_status = 403
    ran = desk.run("connect", "--token-stdin", "--api-url", URL, stdin=desk.sandbox.token)
    assert "180 days" in ran.err
    desk.json("sync")
    check = next(check for check in desk.json("doctor")["checks"] if check["name"] == "expiry")
    assert (check["ok"], check["warning"]) == (True, True)
    assert "not known" in check["message"]


def test_a_store_of_before_takes_an_end_that_was_assumed_for_not_told(tmp_path: Path) -> None:
    path = tmp_path / "credly.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", MIGRATIONS[:7])
        with Store.open(path) as store:
            store.change(
                "INSERT INTO connection (id, organization_id, organization_name, api_url, api_url_given, token_kind,"
                " token_expires_at, connected_at)"
                " VALUES (1, 'o', 'O', 'u', 0, 'stored', '2026-08-29T09:30:00Z', '2026-03-02T09:30:00Z')"
            )
    with Store.open(path) as store:
        row = store.row("SELECT token_expiry, token_expires_at, token_since FROM connection")
    assert row == {"token_expiry": "not-told", "token_expires_at": None, "token_since": "2026-03-02T09:30:00Z"}


# What a token may


def test_r1_a_read_only_token_connects_with_a_warning_and_doctor_fails(desk: Desk) -> None:
    desk.sandbox.tokens[0].write_enabled = False
    ran = desk.run("connect", "--token-stdin", "--api-url", URL, stdin=desk.sandbox.token)
    assert ran.code == 0
    assert "only read" in ran.err
    desk.json("sync")
    checks = {check["name"]: check for check in desk.json("doctor", code=4)["checks"]}
    assert not checks["token"]["ok"]
    assert "only read" in checks["token"]["message"]


# Where secrets go


@pytest.mark.parametrize("options", [(), ("--json",), ("-v",)])
def test_a_token_given_as_an_argument_by_a_slip_is_not_repeated(desk: Desk, options: tuple[str, ...]) -> None:
    ran = desk.run("connect", "s3cret-token-value", *options)
    assert ran.code == 2
    assert "s3cret" not in ran.out + ran.err
    assert "--token-stdin" in ran.out + ran.err


@pytest.mark.parametrize(
    "words",
    [["TOKEN"], ["connect", "--token-file", "TOKEN"], ["connect", "--token", "TOKEN"], ["sync", "TOKEN"]],
    ids=" ".join,
)
def test_r1_a_token_given_where_none_belongs_is_not_repeated(desk: Desk, words: list[str]) -> None:
    token = "m1M9r9StL05qh2B4-Xr1AreKpbF0WtKQObpQ"
    for option in ([], ["--json"]):
        ran = desk.run(*option, *(token if word == "TOKEN" else word for word in words))
        assert ran.code == 2
        assert token not in ran.out + ran.err


def test_a_token_command_is_not_given_other_secrets(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = desk.home / "seen"
    script = f"import json, os; json.dump(dict(os.environ), open({str(seen)!r}, 'w')); print({desk.sandbox.token!r})"
    desk.config(f"[credly]\ntoken_command = {json.dumps([sys.executable, '-c', script])}\n")
    for name in ("CREDLY_TOKEN", "CREDLY_CLIENT_SECRET", "CREDLY_LMS_TOKEN", "ORDINARY"):
        monkeypatch.setenv(name, "value")
    desk.json("connect", "--api-url", URL)
    assert {"CREDLY_TOKEN", "CREDLY_CLIENT_SECRET", "CREDLY_LMS_TOKEN", "ORDINARY"} & set(
        json.loads(seen.read_text())
    ) == {"ORDINARY"}


# OAuth clients


def as_client(desk: Desk, *options: str, code: int = 0, **how: Any) -> Any:
    client = desk.sandbox.clients[0]
    given = {"stdin": client.secret, **how}
    arguments = ("connect", "--client-id", client.id, "--token-stdin", "--api-url", URL)
    return desk.json(*arguments, *options, code=code, **given)


def test_r1_an_oauth_client_connects_and_its_access_tokens_are_nowhere(desk: Desk) -> None:
    answer = as_client(desk)
    assert answer["organization"]["id"] == desk.sandbox.organization_id
    assert (answer["token_expires_at"], answer["token_expiry"]) == (None, "never")
    assert desk.json("sync")["badges"]["added"] == 8
    assert desk.json("doctor")
    access = [token.value for token in desk.sandbox.access_tokens]
    assert access
    for path in desk.home.rglob("*"):
        assert not any(value.encode() in path.read_bytes() for value in access)
    assert (desk.home / "token").read_text().strip() == desk.sandbox.clients[0].secret


@pytest.mark.further
def test_r1_the_secret_is_given_as_a_token_is(desk: Desk) -> None:
    client, file = desk.sandbox.clients[0], desk.home / "secret"
    file.write_text(client.secret)
    file.chmod(0o600)
    desk.json("connect", "--client-id", client.id, "--token-file", str(file), "--api-url", URL)
    desk.json("sync")
    environ = {"CREDLY_CLIENT_SECRET": client.secret}
    answer = desk.json("connect", "--client-id", client.id, "--api-url", URL, environ=environ)
    assert answer["token_source"] == "CREDLY_CLIENT_SECRET"
    desk.json("sync", environ=environ)
    assert desk.json("sync", code=4)["error"]["code"] == "not-connected"
    desk.config(f'[credly]\nclient_id = "{client.id}"\noauth_url = "https://credly.test/oauth/token"\n')
    desk.json("connect", "--token-stdin", stdin=client.secret)
    desk.json("sync")


def test_r1_a_client_that_is_refused_stores_nothing(desk: Desk) -> None:
    answer = as_client(desk, stdin="wrong-secret", code=4)
    assert answer["error"]["code"] == "token-refused"
    assert "Credly refused the OAuth client" in answer["error"]["message"]
    assert "OAuth Applications" in answer["error"]["hint"]
    assert "wrong-secret" not in json.dumps(answer)
    assert list(desk.home.iterdir()) == []


@pytest.mark.parametrize("body", [b'{"error": "invalid_client"}', b'{"error": 1, "error_description": "Unknown id"}'])
def test_why_a_client_is_refused_is_said_in_credlys_words(desk: Desk, body: bytes) -> None:
    desk.sandbox.faults.add(faults.answers(401, body), "POST", "/oauth/token", times=None)
    message = as_client(desk, code=4)["error"]["message"]
    assert message in (
        "Credly refused the OAuth client: invalid_client.",
        "Credly refused the OAuth client: Unknown id.",
    )


def test_a_token_endpoint_that_does_not_answer_is_to_be_tried_again(desk: Desk) -> None:
    desk.sandbox.faults.add(faults.unreachable(), "POST", "/oauth/token", times=None)
    assert as_client(desk, code=75)["error"]["code"] == "unreachable"
    desk.sandbox.faults.clear()
    desk.sandbox.faults.add(faults.answers(503), "POST", "/oauth/token", times=1)
    assert as_client(desk)["connected"]


@pytest.mark.parametrize(
    "body", [b"{}", b'{"access_token": ""}', b'{"access_token": 5}', b'{"access_token": "a b"}', b"[]"]
)
def test_an_answer_without_an_access_token_is_a_fault_of_the_server(desk: Desk, body: bytes) -> None:
    desk.sandbox.faults.add(faults.answers(200, body), "POST", "/oauth/token", times=None)
    assert as_client(desk, code=75)["error"]["code"] == "server-error"


def test_r1_where_no_access_tokens_are_given_the_key_of_their_address_is_named(desk: Desk) -> None:
    desk.sandbox.switches.oauth_status = 404
    client = desk.sandbox.clients[0]
    how = ("--client-id", client.id, "--token-stdin", "--api-url", URL)
    error = desk.json("connect", *how, stdin=client.secret, code=75)["error"]
    assert "https://credly.test/oauth/token" in error["message"]
    assert "credly.oauth_url" in error["hint"]


@pytest.mark.parametrize(
    ("api_url", "oauth_url"),
    [
        ("https://api.credly.com/v1", "https://www.credly.com/oauth/token"),
        ("https://sandbox-api.credly.com/v1", "https://sandbox-api.credly.com/oauth/token"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/oauth/token"),
    ],
)
def test_access_tokens_come_from_the_address_that_is_documented_or_from_the_apis_host(
    api_url: str, oauth_url: str
) -> None:
    assert oauth_url_of(api_url) == oauth_url


@pytest.fixture
def world(connected: Desk) -> World:
    """A world with both badges linked."""
    world = World(connected)
    world.link()
    return world


@pytest.fixture
def by_client(world: World) -> World:
    """A world whose desk is connected as an OAuth client."""
    as_client(world.desk)
    return world


@pytest.mark.further
def test_r1_an_access_token_is_renewed_ahead_of_its_end_in_mid_run(by_client: World) -> None:
    desk = by_client.desk
    desk.sandbox.switches.oauth_seconds = 100
    by_client.complete(*range(10))
    desk.sandbox.faults.add(faults.works_late(5), "POST", "/badges$", times=None)
    before = desk.sandbox.log.count("POST", "/oauth/token")
    assert by_client.sync().json["grants"]["issued"] == 30
    assert desk.sandbox.log.count("POST", "/oauth/token") > before + 1
    assert desk.sandbox.log.count(status=401) == 0
    assert by_client.posts() == 30
    by_client.check_all()


def test_r18_an_access_token_that_ends_early_is_renewed_and_no_badge_is_issued_twice(by_client: World) -> None:
    """R1: what was refused was not looked at; what was applied is not sent again."""
    desk = by_client.desk
    by_client.complete(*range(10))

    def ends(work: faults.Work, _stage: faults.Stage) -> Any:
        desk.sandbox.access_tokens.clear()
        return work()

    desk.sandbox.faults.add(ends, "POST", "/badges$", nth=5, times=1)
    ran = by_client.sync()
    assert (ran.code, ran.json["grants"]["issued"]) == (0, 30)
    assert desk.sandbox.log.count("POST", "/badges$", status=201) == 30
    by_client.check_all()


@pytest.mark.further
def test_a_client_that_is_withdrawn_in_mid_run_ends_it_and_touches_no_grant(by_client: World) -> None:
    desk = by_client.desk
    by_client.complete(*range(10))

    def withdrawn(work: faults.Work, _stage: faults.Stage) -> Any:
        desk.sandbox.access_tokens.clear()
        desk.sandbox.switches.oauth_status = 401
        return work()

    desk.sandbox.faults.add(withdrawn, "POST", "/badges$", nth=5, times=1)
    ran = by_client.sync()
    assert ran.code == 4
    assert [problem["code"] for problem in ran.json["problems"]] == ["token-refused"]
    assert set(by_client.states()) == {"issued", "planned"}
    desk.sandbox.switches.oauth_status = None
    by_client.calm_down()
    by_client.check_all()


@pytest.mark.further
def test_disconnecting_forgets_the_client_too(desk: Desk) -> None:
    as_client(desk)
    desk.json("disconnect", "--yes")
    with desk.store() as store:
        assert store.value("SELECT client_id FROM connection") is None
    assert not (desk.home / "token").exists()
    connect(desk)
    assert re.search("Larkfield", desk.run("sync").out + desk.json("status")["organization"]["name"])
