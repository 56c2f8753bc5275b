"""HTTP to Credly: what is tried again, what never is, and what each answer and each fault means."""

import gzip
import json
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.client import BadStatusLine, HTTPConnection, LineTooLong, RemoteDisconnected
from pathlib import Path
from typing import Any

import pytest
import requests
import requests_mock
import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    IncompleteRead,
    InvalidChunkLength,
    InvalidHeader,
    LocationParseError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ResponseError,
    SSLError,
)

from credly_cli import __version__
from credly_cli.cli.environment import SystemClock
from credly_cli.credly.client import Client, session_of
from credly_cli.credly.records import BadgeRequest
from credly_cli.http.auth import Auth, Basic, Bearer
from credly_cli.http.response import (
    HttpFailure,
    Meaning,
    NotSentError,
    Reply,
    Service,
    UnclearError,
    never_sent,
    read_retry_after,
)
from credly_cli.http.retry import Limits
from credly_cli.http.session import Session
from credly_cli.signals import Interruption, Stopped
from credly_cli.times import Deadline
from credly_cli.token import Token
from tests.credly.raw_server import Handler, head, raw_server
from tests.support import faults
from tests.support.desk import START, StillClock
from tests.support.stand_in import FaultySandbox, FaultyServer, sandbox_with_samples

URL = "https://credly.test/v1"
TOKEN = "canary"
AUTHORIZATION = f"Basic {b64encode(b'canary:').decode()}"


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


def client_of(url: str, clock: StillClock, **environ: str) -> Session:
    return session_of(url, Token(TOKEN), clock, environ=environ)


@pytest.fixture
def http(clock: StillClock) -> Iterator[Session]:
    http = client_of(URL, clock)
    yield http
    http.close()


@pytest.fixture
def sandbox(clock: StillClock) -> FaultySandbox:
    return sandbox_with_samples(now=clock.now, sleep=clock.sleep, token=TOKEN)


@pytest.fixture
def server(sandbox: FaultySandbox) -> Iterator[FaultyServer]:
    with FaultyServer(sandbox) as server:
        yield server


@pytest.fixture
def wired(server: FaultyServer, clock: StillClock) -> Iterator[Session]:
    """A client whose answers come over a real socket."""
    http = client_of(f"{server.url}/v1", clock)
    yield http
    http.close()


def slept(clock: StillClock) -> float:
    return (clock.now() - START).total_seconds()


def failing(http: Session, *, code: str) -> HttpFailure:
    with pytest.raises(HttpFailure) as caught:
        http.get("/organizations")
    assert caught.value.code == code
    assert caught.value.hint
    return caught.value


# What is tried again


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_reading_is_tried_again_until_it_works(wired: Session, sandbox: FaultySandbox, status: int) -> None:
    sandbox.faults.add(faults.answers(status), times=3)
    assert wired.get("/organizations").status == 200
    assert sandbox.log.count() == 4


@pytest.mark.parametrize("act", [faults.drops(), faults.drops(reset=True), faults.cuts_body(9), faults.answers_html()])
def test_reading_is_tried_again_after_a_broken_answer(wired: Session, sandbox: FaultySandbox, act: faults.Act) -> None:
    sandbox.faults.add(act, times=2)
    assert wired.get("/organizations").json["data"]
    assert sandbox.log.count() == 3


@pytest.mark.parametrize(
    ("status", "code"), [(500, "server-error"), (408, "server-error"), (503, "server-error"), (429, "rate-limited")]
)
def test_after_four_tries_it_is_given_up(wired: Session, sandbox: FaultySandbox, status: int, code: str) -> None:
    sandbox.faults.add(faults.answers(status), times=None)
    assert failing(wired, code=code).status == status
    assert sandbox.log.count() == 4


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "server-error"), (401, "token-refused"), (403, "token-forbidden"), (404, "server-error"),
        (422, "server-error"), (301, "config-invalid"), (501, "server-error"),
    ],
)  # fmt: skip
def test_what_will_not_pass_is_not_tried_again(wired: Session, sandbox: FaultySandbox, status: int, code: str) -> None:
    sandbox.faults.add(faults.answers(status), times=None)
    failing(wired, code=code)
    assert sandbox.log.count() == 1


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_writing_is_never_tried_again(wired: Session, sandbox: FaultySandbox, status: int) -> None:
    sandbox.faults.add(faults.answers(status, Retry_After="0"), times=None)
    assert wired.post("/organizations", b"{}").status == status
    assert sandbox.log.count() == 1


@pytest.mark.parametrize("act", [faults.drops(), faults.drops(reset=True), faults.loses_answer(), faults.cuts_body(20)])
def test_writing_is_not_tried_again_when_the_answer_is_lost(
    wired: Session, sandbox: FaultySandbox, act: faults.Act
) -> None:
    sandbox.faults.add(act, times=None)
    with pytest.raises(UnclearError):
        wired.post("/organizations", b"{}")
    assert sandbox.log.count() == 1


def test_writing_does_not_use_a_connection_that_was_idle_for_long(
    wired: Session, server: FaultyServer, clock: StillClock
) -> None:
    wired.post("/organizations", b"{}")
    wired.post("/organizations", b"{}")
    assert server.connections == 1
    clock.sleep(21)
    wired.post("/organizations", b"{}")
    assert server.connections == 2


def test_headers_and_body_leave_together(wired: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []
    send = HTTPConnection.send

    def noted(connection: HTTPConnection, data: bytes) -> None:
        sent.append(data)
        send(connection, data)

    monkeypatch.setattr(HTTPConnection, "send", noted)
    wired.post("/organizations", b'{"a": 1}')
    wired.get("/organizations")
    post, get = sent
    assert post.startswith(b"POST ")
    assert post.endswith(b'\r\n\r\n{"a": 1}')
    assert get.startswith(b"GET ")


def test_a_credly_in_trouble_is_not_asked_much_more_often(http: Session) -> None:
    """Retries are at most ten and a tenth of all requests."""
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, status_code=503)
        for _ in range(100):
            failing(http, code="server-error")
        assert 100 + 10 <= mock.call_count <= 100 + 10 + 12


# How long it waits


@pytest.mark.parametrize(
    ("told", "at_least", "at_most"),
    [
        ("7", 7, 7),
        (format_datetime(START + timedelta(seconds=9), usegmt=True), 9, 9),
        ("0", 1, 1),
        ("-5", 1, 1),
        (format_datetime(START - timedelta(days=1), usegmt=True), 1, 1),
        ("soon", 1, 1),
        ("Mon, 99 Foo 99999 99:99:99 GMT", 1, 1),
        ("\u00b2", 1, 1),
        ("", 1, 1),
        ("120", 120, 120),
        ("1e2", 1, 1),
        ("+5", 1, 1),
        ("Mon, 02 Mar 2026 09:30:05 -0000", 1, 1),
    ],
)
def test_after_a_request_to_slow_down_it_waits_as_told_and_a_second_at_least(
    http: Session, clock: StillClock, told: str, at_least: float, at_most: float
) -> None:
    with requests_mock.Mocker() as mock:
        busy = {"status_code": 429, "headers": {"Retry-After": told, "Date": format_datetime(START, usegmt=True)}}
        mock.get(f"{URL}/organizations", [busy, {"json": {"data": []}}])
        http.get("/organizations")
    assert at_least <= slept(clock) <= at_most


def test_a_date_to_wait_for_is_taken_by_credlys_own_clock(http: Session, clock: StillClock) -> None:
    theirs = START + timedelta(hours=1)  # our clock is an hour behind
    headers = {"Date": format_datetime(theirs, usegmt=True)}
    headers["Retry-After"] = format_datetime(theirs + timedelta(seconds=4), usegmt=True)
    with requests_mock.Mocker() as mock:
        mock.get(f"{URL}/organizations", [{"status_code": 503, "headers": headers}, {"json": {"data": []}}])
        http.get("/organizations")
    assert slept(clock) == 4


@pytest.mark.parametrize("told", ["86400", "121", "9" * 400, "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_nobody_waits_for_a_day(http: Session, clock: StillClock, told: str) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(f"{URL}/organizations", status_code=429, headers={"Retry-After": told})
        failing(http, code="rate-limited")
        assert mock.call_count == 1
    assert slept(clock) == 0


def test_it_never_waits_beyond_the_end_of_the_run(http: Session, clock: StillClock) -> None:
    http.deadline = Deadline(clock, 30)
    with requests_mock.Mocker() as mock:
        mock.get(f"{URL}/organizations", status_code=503, headers={"Retry-After": "31"})
        failing(http, code="server-error")
    assert slept(clock) == 0


def test_without_a_word_the_waits_grow_and_are_spread(clock: StillClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: (low, high)[1])
    http = client_of(URL, clock)
    with requests_mock.Mocker() as mock:
        mock.get(f"{URL}/organizations", status_code=503)
        failing(http, code="server-error")
    assert slept(clock) == 0.5 + 1 + 2


def test_the_third_request_to_slow_down_without_a_word_waits_for_the_next_window(
    http: Session, clock: StillClock
) -> None:
    busy = {"status_code": 429}
    with requests_mock.Mocker() as mock:
        mock.get(f"{URL}/organizations", [busy, busy, busy, {"json": {"data": []}}])
        http.get("/organizations")
    assert slept(clock) == 1 + 2 + 60


def test_it_waits_for_no_window_beyond_the_end_of_the_run(http: Session, clock: StillClock) -> None:
    http.deadline = Deadline(clock, 50)
    with requests_mock.Mocker() as mock:
        mock.get(f"{URL}/organizations", status_code=429)
        failing(http, code="rate-limited")
    assert slept(clock) == 1 + 2


@pytest.mark.parametrize("status", [429, 503])
def test_who_was_asked_to_stop_asks_for_nothing_more(http: Session, status: int) -> None:
    asked_to_stop = http.interruption = Interruption()

    def stop(_request: object, context: Any) -> str:
        asked_to_stop.set()
        context.status_code = status
        return ""

    with requests_mock.Mocker() as mock:
        mock.get(f"{URL}/organizations", text=stop)
        with pytest.raises(Stopped):
            http.get("/organizations")
        assert mock.call_count == 1


def test_one_request_to_slow_down_holds_all_that_follow(http: Session, clock: StillClock) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(f"{URL}/organizations", [{"status_code": 429, "headers": {"Retry-After": "8"}}, {"json": {}}])
        http.get("/organizations")
    assert slept(clock) == 8


# Where the token goes


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", ["/v1/organizations", "https://evil.test/v1/organizations", "http://credly.test/"])
def test_a_redirect_is_never_followed(http: Session, status: int, to: str) -> None:
    with requests_mock.Mocker() as mock:
        mock.register_uri(requests_mock.ANY, requests_mock.ANY, status_code=status, headers={"Location": to})
        assert "redirect" in failing(http, code="config-invalid").message
        assert http.post("/organizations", b"{}").status == status
        assert mock.call_count == 2


def test_a_redirect_is_not_followed_even_where_its_target_is_looked_at(
    http: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two things keep us from it; each alone is enough."""
    looked_after = requests.Session.get_redirect_target
    monkeypatch.setattr("credly_cli.http.session._Unredirected.get_redirect_target", looked_after)
    with requests_mock.Mocker() as mock:
        mock.register_uri(requests_mock.ANY, requests_mock.ANY, status_code=307, headers={"Location": f"{URL}/else"})
        assert http.post("/organizations", b"{}").status == 307
        assert mock.call_count == 1


def test_the_header_is_the_token_with_a_colon_and_nothing_replaces_it(
    server: FaultyServer, clock: StillClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 29."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password geheim\ndefault login other password geheim\n")
    netrc.chmod(0o600)
    for name, value in (
        ("NETRC", str(netrc)),
        ("HTTPS_PROXY", "http://127.0.0.1:9"),
        ("HTTP_PROXY", "http://127.0.0.1:9"),
    ):
        monkeypatch.setenv(name, value)
    http = client_of(f"{server.url}/v1", clock, NETRC=str(netrc), HTTP_PROXY="http://127.0.0.1:9")
    assert http.get("/organizations").status == 200  # the stand-in takes no other token
    http.close()


def test_every_request_carries_the_header(http: Session) -> None:
    with requests_mock.Mocker() as mock:
        mock.register_uri(requests_mock.ANY, requests_mock.ANY, json={})
        http.get("/organizations")
        http.post("/organizations", b"{}")
        assert [request.headers["Authorization"] for request in mock.request_history] == [AUTHORIZATION] * 2
        assert mock.request_history[1].headers["Content-Type"] == "application/json"
        assert {request.headers["User-Agent"] for request in mock.request_history} == {f"credly-cli/{__version__}"}


def test_what_the_libraries_are_told_to_print_has_neither_token_nor_address(
    wired: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("http.client.HTTPConnection.debuglevel", 1)
    caplog.set_level(0)
    wired.get("/organizations", {"filter": "recipient_email::ada@example.org"})
    wired.post("/organizations", b'{"recipient_email": "ada@example.org"}')
    captured = capfd.readouterr()
    printed = f"{caplog.text}{captured.out}{captured.err}"
    assert "ada" not in printed
    assert AUTHORIZATION not in printed


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.test/v1/x", "http://credly.test/v1/x", "https://credly.test:444/v1/x", "//evil.test/x",
        "https://credly.test@evil.test/", "https://credly.test.evil.test/", "http://[", "file:///etc/passwd", None, 5,
    ],
)  # fmt: skip
def test_another_origin_is_never_asked(http: Session, address: Any) -> None:
    assert not http.same_origin(address)
    if isinstance(address, str) and not address.startswith("/"):
        with requests_mock.Mocker() as mock:
            with pytest.raises(HttpFailure):
                http.get(address, tries=1)
            assert mock.call_count == 0


@pytest.mark.parametrize(
    "address", ["https://credly.test/api/v1/x?page=2", "/api/v1/x", "https://CREDLY.test:443/x", "?page=2"]
)
def test_both_prefixes_and_relative_links_are_of_our_origin(http: Session, address: str) -> None:
    assert http.same_origin(address)


def test_an_address_that_names_the_usual_port_takes_links_without_it(clock: StillClock) -> None:
    assert client_of("https://credly.test:443/v1", clock).same_origin("https://credly.test/api/v1/x")


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        (URL, {}, {}),
        (URL, {"HTTPS_PROXY": "http://proxy.test:1"}, {"https": "http://proxy.test:1"}),
        (
            URL,
            {"https_proxy": "http://lower.test:1", "HTTPS_PROXY": "http://upper.test:1"},
            {"https": "http://lower.test:1"},
        ),
        (URL, {"HTTP_PROXY": "http://proxy.test:1", "ALL_PROXY": "http://proxy.test:1"}, {}),
        (URL, {"HTTPS_PROXY": "http://proxy.test:1", "NO_PROXY": "credly.test"}, {}),
        ("https://127.0.0.1:8443/v1", {"HTTPS_PROXY": "http://proxy.test:1"}, {}),
        ("https://localhost/v1", {"HTTPS_PROXY": "http://proxy.test:1"}, {}),
    ],
)
def test_a_proxy_is_used_only_where_one_is_configured_and_never_for_this_machine(
    clock: StillClock, url: str, environ: dict[str, str], proxy: dict[str, str]
) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(f"{url}/organizations", json={})
        client_of(url, clock, **environ).get("/organizations")
        assert dict(mock.request_history[0].proxies) == proxy


def test_certificates_are_checked_with_the_bundle_that_is_configured(clock: StillClock, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("")
    with requests_mock.Mocker() as mock:
        mock.get(f"{URL}/organizations", json={})
        client_of(URL, clock).get("/organizations")
        client_of(URL, clock, REQUESTS_CA_BUNDLE=str(bundle)).get("/organizations")
        assert [request.verify for request in mock.request_history] == [True, str(bundle)]


def test_a_bundle_that_is_not_there_is_an_invalid_configuration(clock: StillClock) -> None:
    with pytest.raises(HttpFailure, match="REQUESTS_CA_BUNDLE") as caught:
        client_of(URL, clock, REQUESTS_CA_BUNDLE="/no/such/bundle")
    assert caught.value.code == "config-invalid"


# Answers that are too much


def unclear(handle: Handler, clock: StillClock) -> str:
    """Post to such a server; the words for what went wrong."""
    with raw_server(handle) as url:
        http = client_of(url, clock)
        with pytest.raises(UnclearError) as caught:
            http.post("/organizations", b"{}")
        http.close()
    return str(caught.value)


@pytest.mark.parametrize("chunked", [False, True], ids=["plain", "chunked"])
def test_a_dripping_answer_is_given_up_in_time(
    clock: StillClock, monkeypatch: pytest.MonkeyPatch, chunked: bool
) -> None:
    monkeypatch.setattr("credly_cli.http.session._ANSWER_SECONDS", 0.3)

    sent = 0

    def drip(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(head("Transfer-Encoding: chunked" if chunked else "Content-Length: 1000"))
        for _ in range(1000):
            connection.sendall(b"1\r\n \r\n" if chunked else b" ")
            sent += 1
            time.sleep(0.02)

    assert "too long" in unclear(drip, clock)
    assert sent < 1000, "it was read to its end"


@pytest.mark.slow
def test_who_is_in_a_hurry_waits_no_longer_than_told_for_all_answers_together(
    clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    send = requests.Session.send

    def noting(self: requests.Session, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        waits.extend(how["timeout"])
        return send(self, request, **how)

    monkeypatch.setattr(requests.Session, "send", noting)

    answered = threading.Event()

    def late(connection: socket.socket) -> None:
        if answered.is_set():
            connection.recv(1)  # until the client is gone
        time.sleep(0.6)
        connection.sendall(head("Content-Length: 12") + b'{"data": []}')
        answered.set()

    with raw_server(late) as url:
        http = client_of(url, clock)
        http.deadline = Deadline(SystemClock(), 4.0)
        assert http.get("/organizations").json == {"data": []}
        for _ in range(2):
            with pytest.raises(HttpFailure, match=r"no answer in time|time allowed was used up"):
                http.get("/organizations")
        http.close()
    assert max(waits[:2]) <= 4.0
    assert max(waits[2:]) <= 4.0 - 0.6, "what the first answer took is gone"


def test_the_answer_to_a_post_is_read_up_to_a_mebibyte(clock: StillClock) -> None:
    def flood(connection: socket.socket) -> None:
        connection.sendall(head("Content-Length: 99999999999") + b" " * 4 * 1024 * 1024)

    assert "too long" in unclear(flood, clock)


def test_a_page_may_be_longer_than_the_answer_to_a_post(http: Session) -> None:
    body = json.dumps({"data": ["x" * 2 * 1024 * 1024]})
    with requests_mock.Mocker() as mock:
        mock.register_uri(requests_mock.ANY, requests_mock.ANY, text=body)
        assert http.get("/organizations").json["data"]
        with pytest.raises(UnclearError):
            http.post("/organizations", b"{}")


@pytest.mark.further
def test_a_page_beyond_32_mebibytes_is_not_read(http: Session) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, content=b" " * (32 * 1024 * 1024 + 1))
        with pytest.raises(HttpFailure, match="too long"):
            http.get("/organizations", tries=1)


def test_a_compressed_answer_is_as_long_as_it_unfolds(http: Session) -> None:
    headers = {"Content-Encoding": "gzip"}
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, content=gzip.compress(b'{"data": []}'), headers=headers)
        assert http.get("/organizations").json == {"data": []}
        mock.post(requests_mock.ANY, content=gzip.compress(b" " * 2 * 1024 * 1024), headers=headers)
        with pytest.raises(UnclearError, match="too long"):
            http.post("/organizations", b"{}")
        mock.post(requests_mock.ANY, content=b"no gzip", headers=headers)
        with pytest.raises(UnclearError, match="broke off"):
            http.post("/organizations", b"{}")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 20",
        b"nonsense\r\n\r\n",
        head("Content-Length: 10") + b"{",
        head("Transfer-Encoding: chunked") + b"5\r\n{",
    ],
    ids=["nothing", "a cut status", "nonsense", "a cut body", "a cut chunk"],
)
def test_an_answer_that_breaks_off_is_unclear(clock: StillClock, answer: bytes) -> None:
    unclear(lambda connection: connection.sendall(answer), clock)


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b'"text"', b"[" * 100_000, b"\xff\xfe"], ids=range(6))
def test_what_is_no_json_object_is_a_fault_of_the_server(http: Session, body: bytes) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(f"{URL}/organizations", content=body)
        assert "not JSON" in failing(http, code="server-error").message


# What Credly says


def told(**data: Any) -> dict[str, Any]:
    return {"data": data, "metadata": None}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (told(message="Invalid or missing Badge Template ID: "), "Invalid or missing Badge Template ID:"),
        (told(message="Ends with a stop."), "Ends with a stop"),
        (
            told(message="No", errors=[{"attribute": "email", "attribute_label": "E-mail", "messages": ["a", "b"]}]),
            "No; E-mail: a, b",
        ),
        (
            told(message="No", errors=[{"attribute": "email", "messages": "text"}, "plain", 5]),
            "No; email: text; plain",
        ),
        (told(message="No", errors=[{"messages": ["nobody's fault"]}]), "No; nobody's fault"),
        (told(errors=[{"message": "no label"}]), "no label"),
        (told(message={"odd": 1}), "{'odd': 1}"),
        ({"data": None}, "status 422"),
        ([], "status 422"),
        (told(message="x" * 1000), "x" * 300 + "..."),
        (told(message="Name \ud83d is\0invalid"), "Name ? is?invalid"),
    ],
)
def test_the_text_of_an_error_is_read_from_where_credly_puts_it(http: Session, body: Any, said: str) -> None:
    with requests_mock.Mocker() as mock:
        mock.post(requests_mock.ANY, json=body, status_code=422)
        assert http.post("/organizations", b"{}").message == said


@pytest.mark.further
def test_an_error_that_is_nested_beyond_writing_is_its_status() -> None:
    nested: Any = "x"
    for _ in range(100_000):  # more than any Python writes, whatever its limit of recursion
        nested = [nested]
    assert Reply(422, told(errors=[{"messages": [nested]}]), None, None).message == "status 422"


@pytest.mark.parametrize("told", ["86400", "86401", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_wait_of_more_than_a_day_is_a_day(told: str) -> None:
    assert read_retry_after(told, START) == 86_400


@pytest.mark.parametrize("date", ["nonsense", "Wed, 99 Nov 99999 99:99:99 GMT", "Thu, 26 Nov 2026 10:00:00 -0000"])
def test_a_date_that_is_none_is_not_kept_as_credlys_clock(http: Session, date: str) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(f"{URL}/organizations", json={}, headers={"Date": date})
        assert http.get("/organizations").date is None
    assert http.last_date is None


def test_credlys_own_clock_is_remembered(http: Session) -> None:
    date = format_datetime(datetime(2026, 5, 1, tzinfo=UTC), usegmt=True)
    with requests_mock.Mocker() as mock:
        mock.get(f"{URL}/organizations", [{"json": {}, "headers": {"Date": date}}, {"json": {}}])
        http.get("/organizations")
        http.get("/organizations")
    assert http.last_date == date


# Not sent, or unclear: decided by the reason within


POOL = urllib3.connection.HTTPConnection("credly.test")


def wrapped(reason: Exception) -> requests.ConnectionError:
    return requests.ConnectionError(MaxRetryError(None, "/", reason))  # type: ignore[arg-type]


def through_proxy(cause: Exception) -> requests.exceptions.ProxyError:
    return requests.exceptions.ProxyError(MaxRetryError(None, "/", ProxyError("no", cause)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "unsent"),
    [
        (wrapped(NewConnectionError(POOL, "refused")), True),
        (wrapped(NameResolutionError("credly.test", POOL, socket.gaierror())), True),
        (requests.ConnectTimeout(MaxRetryError(None, "/", ConnectTimeoutError())), True),  # type: ignore[arg-type]
        (requests.exceptions.SSLError(MaxRetryError(None, "/", SSLError(ssl.SSLCertVerificationError()))), True),  # type: ignore[arg-type]
        (requests.exceptions.SSLError(MaxRetryError(None, "/", SSLError(ssl.SSLEOFError()))), False),  # type: ignore[arg-type]
        (requests.exceptions.SSLError(MaxRetryError(None, "/", SSLError(ssl.SSLZeroReturnError()))), False),  # type: ignore[arg-type]
        (through_proxy(NewConnectionError(POOL, "refused")), True),
        (through_proxy(ConnectTimeoutError()), True),
        (through_proxy(OSError("Tunnel connection failed: 403 Forbidden")), True),
        (through_proxy(RemoteDisconnected("gone")), False),
        (through_proxy(ConnectionResetError(104, "reset")), False),
        (through_proxy(OSError(113, "no route")), False),
        (through_proxy(TimeoutError("timed out")), False),
        (through_proxy(BadStatusLine("nonsense")), False),
        (requests.exceptions.InvalidURL("no"), True),
        (requests.exceptions.InvalidProxyURL("no"), True),
        (requests.exceptions.InvalidSchema("no SOCKS"), True),
        (requests.exceptions.InvalidHeader(InvalidHeader("two lengths")), False),
        (requests.exceptions.MissingSchema("of a redirect"), False),
        (requests.TooManyRedirects(), False),
        (requests.exceptions.RetryError(MaxRetryError(None, "/", ResponseError("too many"))), False),  # type: ignore[arg-type]
        (InvalidChunkLength(urllib3.HTTPResponse(), b"ZZ"), False),
        (IncompleteRead(1, 2), False),
        (DecodeError("gzip"), False),
        (LocationParseError("http://["), False),
        (LineTooLong("header line"), False),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "no"), False),
        (ValueError("anything"), False),
        (TypeError(), False),
        (RecursionError(), False),
        (MemoryError(), False),
        (requests.ConnectionError(ProtocolError("aborted", RemoteDisconnected("gone"))), False),
        (requests.ConnectionError(ProtocolError("aborted", ConnectionResetError(104, "reset"))), False),
        (requests.ReadTimeout(), False),
        (requests.ConnectionError(), False),
        (requests.exceptions.ChunkedEncodingError(ProtocolError("broken")), False),
        (requests.exceptions.ContentDecodingError(), False),
        (OSError("anything"), False),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_whether_a_request_can_have_arrived(error: Exception, unsent: bool) -> None:
    assert never_sent(error) is unsent


def test_a_refused_connection_was_not_sent(clock: StillClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    http = client_of(f"http://127.0.0.1:{port}/v1", clock)
    with pytest.raises(NotSentError, match="no connection"):
        http.post("/organizations", b"{}")
    assert "127.0.0.1" in failing(http, code="unreachable").message


def test_an_unknown_name_was_not_sent(clock: StillClock, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NotSentError, match="its name is unknown"):
        client_of("https://no-such-host.test/v1", clock).post("/organizations", b"{}")


def test_a_proxy_that_refuses_means_not_sent(clock: StillClock) -> None:
    with raw_server(lambda connection: connection.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")) as proxy:
        http = client_of("https://credly.test/v1", clock, HTTPS_PROXY=proxy.removesuffix("/v1"))
        with pytest.raises(NotSentError, match="proxy"):
            http.post("/organizations", b"{}")
        http.close()


def test_no_email_of_a_query_is_in_what_is_said(clock: StillClock) -> None:
    http = client_of("http://127.0.0.1:9/v1", clock)
    with pytest.raises(HttpFailure) as caught:
        http.get("/badges", {"filter": "recipient_email::ada@example.org"}, tries=1)
    assert "ada" not in f"{caught.value} {caught.value.hint}"


# What an answer to a badge that was sent means

ISSUED_ID = "5d0c3a1e-0b7f-4f43-9c39-2f6d3a0c9b11"
REQUEST = BadgeRequest("t", "Ada@example.org", "e", "Ada", "King", "2026-03-02T09:30:00Z")


def issued(**changes: Any) -> dict[str, Any]:
    row = {"id": ISSUED_ID, "state": "pending", "badge_template": {"id": "t"}}
    row |= {"issuer_earner_id": "e", "recipient_email": "ada@Example.org", **changes}
    return {"json": {"data": row}, "status_code": 201}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (issued(), "issued"),
        ({**issued(), "status_code": 200}, "issued"),
        (issued(id=ISSUED_ID.upper()), "issued"),
        (issued(issuer_earner_id=None), "issued"),
        (issued(recipient_email=None), "issued"),
        (issued(issuer_earner_id=None, recipient_email=None), "unclear"),
        (issued(issuer_earner_id=None, recipient_email="bob@example.org"), "unclear"),
        (issued(recipient_email="bob@example.org"), "unclear"),
        (issued(issuer_earner_id="another"), "unclear"),
        (issued(badge_template={"id": "another"}), "unclear"),
        (issued(id=None), "unclear"),
        ({"status_code": 201, "text": ""}, "unclear"),
        ({"status_code": 201, "text": "<html>"}, "unclear"),
        ({"status_code": 201, "json": {}}, "unclear"),
        ({"status_code": 201, "json": []}, "unclear"),
        ({"status_code": 204}, "unclear"),
        ({"status_code": 302}, "stop"),
        ({"status_code": 401}, "stop"),
        ({"status_code": 402}, "unpaid"),
        ({"status_code": 403}, "forbidden"),
        ({"status_code": 403, "json": {"data": {"message": "No"}}}, "forbidden"),
        ({"status_code": 403, "text": "<html><title>Blocked</title></html>"}, "not-sent"),
        ({"status_code": 400}, "rejected"),
        ({"status_code": 413}, "rejected"),
        ({"status_code": 415}, "rejected"),
        ({"status_code": 404}, "missing"),
        ({"status_code": 422}, "refused"),
        ({"status_code": 429}, "busy"),
        ({"status_code": 408}, "unclear"),
        ({"status_code": 409}, "conflict"),
        ({"status_code": 500}, "unclear"),
        ({"status_code": 503}, "unclear"),
        ({"exc": wrapped(NewConnectionError(POOL, "refused"))}, "not-sent"),
        ({"exc": requests.ReadTimeout()}, "unclear"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_an_answer_to_an_issue_is_read_by_the_table(http: Session, answer: dict[str, Any], kind: str) -> None:
    with requests_mock.Mocker() as mock:
        mock.post(f"{URL}/organizations/o/badges", **answer)
        assert Client(http, "o").issue(REQUEST).kind == kind
        assert mock.call_count == 1


def test_a_stop_says_what_it_means_for_the_run(http: Session) -> None:
    for status, code in ((302, "config-invalid"), (401, "token-refused"), (403, "token-forbidden")):
        with requests_mock.Mocker() as mock:
            mock.post(requests_mock.ANY, status_code=status)
            failure = Client(http, "o").issue(REQUEST).failure
        assert failure is not None
        assert failure.code == code


@pytest.mark.parametrize(
    ("errors", "named"),
    [
        ([{"attribute": "recipient_email", "messages": ["already has this badge"]}], ("recipient_email",)),
        ([{"attribute": "user_id"}, {"attribute": "issuer_earner_id"}] * 2, ("user_id", "issuer_earner_id")),
        (["text", {"attribute": None}, {"messages": "x"}, {"attribute": ["a"]}, None], ()),
        ("text", ()), (None, ()), ({"attribute": "user_id"}, ()),
    ],
    ids=str,
)  # fmt: skip
def test_a_refusal_names_the_attributes_that_it_is_about(http: Session, errors: Any, named: tuple[str, ...]) -> None:
    with requests_mock.Mocker() as mock:
        mock.post(requests_mock.ANY, status_code=422, json={"data": {"message": "No", "errors": errors}})
        answer = Client(http, "o").issue(REQUEST)
    assert answer.kind == "refused"
    assert answer.attributes == named


def test_a_page_of_a_firewall_is_no_answer_of_credly_and_passes(wired: Session, sandbox: FaultySandbox) -> None:
    sandbox.faults.add(faults.answers_html(403), times=2)
    assert wired.get("/organizations").status == 200
    sandbox.faults.add(faults.answers_html(403), times=None)
    failure = failing(wired, code="server-error")
    assert "firewall" in failure.message
    assert failure.hint


def test_an_organization_id_cannot_lead_elsewhere(http: Session) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, json={"data": [], "metadata": {"total_count": 0}})
        Client(http, "../evil?x=").badges()
        assert mock.request_history[0].path == "/v1/organizations/..%2fevil%3fx%3d/badge_templates"


# Another service, with what is its own


OTHER = Service(
    "Record Store",
    {"unauthorized": Meaning("lms-token-refused", "{name} refused the key.", "Ask for another.")},
    hint="It is tried again.",
)


def other(clock: StillClock, auth: Auth, **options: Any) -> Session:
    return Session(OTHER, URL, auth, clock, environ={}, **options)


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        (Bearer(Token("k")), "Bearer k"),
        (Basic(Token("user"), Token("pass")), f"Basic {b64encode(b'user:pass').decode()}"),
    ],
    ids=["bearer", "basic"],
)
def test_a_service_is_asked_with_its_own_header(clock: StillClock, auth: Auth, header: str) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, json={})
        other(clock, auth).get("/statements")
        assert mock.request_history[0].headers["Authorization"] == header


@pytest.mark.parametrize(
    "auth", [Bearer(Token("s3cret/k")), Basic(Token("user-name"), Token("s3cret/k"))], ids=["bearer", "basic"]
)
def test_no_form_of_a_key_is_left_in_an_error(clock: StillClock, auth: Auth) -> None:
    repeated = {"data": {"message": f"I was sent {auth.header()}, that is s3cret/k or s3cret%2fk"}}
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, json=repeated, status_code=400)
        with pytest.raises(HttpFailure) as caught:
            other(clock, auth).get("/statements")
    assert "s3cret" not in caught.value.message
    assert auth.header().partition(" ")[2] not in caught.value.message


@pytest.mark.parametrize(
    ("status", "code", "sentence", "hint"),
    [
        (401, "lms-token-refused", "Record Store refused the key.", "Ask for another."),
        (429, "rate-limited", "Record Store asks to slow down.", "It is tried again."),
        (500, "server-error", "Record Store has a fault of its own: status 500.", "It is tried again."),
        (301, "server-error", "The address of Record Store answers with a redirect, which is never followed.", None),
    ],
)
def test_failures_bear_the_services_own_name_codes_and_hints(
    clock: StillClock, status: int, code: str, sentence: str, hint: str | None
) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, status_code=status)
        with pytest.raises(HttpFailure) as caught:
            other(clock, Bearer(Token("k"))).get("/statements", tries=1)
    assert (caught.value.code, caught.value.message, caught.value.status) == (code, sentence, status)
    assert str(caught.value.hint) == (hint or "It is tried again.")


def test_a_service_that_counts_requests_is_asked_again_when_it_allows_it(clock: StillClock) -> None:
    reset = int(START.timestamp()) + 40
    used_up = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, json={}, headers=used_up)
        session = other(clock, Bearer(Token("k")), limits=Limits(counted=True))
        session.get("/statements")
        session.get("/statements")
        assert slept(clock) == 40
        session.deadline = Deadline(clock, 5)
        mock.get(requests_mock.ANY, json={}, headers={**used_up, "X-RateLimit-Reset": str(reset + 60)})
        session.get("/statements")
        with pytest.raises(HttpFailure, match="time allowed"):
            session.get("/statements")
        session.deadline = Deadline(clock)
        mock.get(requests_mock.ANY, json={}, headers={**used_up, "X-RateLimit-Reset": str(reset + 900)})
        session.get("/statements")
        with pytest.raises(HttpFailure, match="Record Store allows no more requests for 14 minutes"):
            session.get("/statements")
