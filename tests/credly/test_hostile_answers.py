"""Answers and links that no decent server gives: nothing is sent twice for them, and the token goes to nobody else."""

import socket
from contextlib import suppress

import pytest

from credly_cli.credly.client import Client, session_of
from credly_cli.credly.records import BadgeRequest
from credly_cli.errors import Exit
from credly_cli.http.response import HttpFailure, UnclearError
from credly_cli.http.session import Session
from credly_cli.token import Token
from tests.credly.raw_server import Handler, head, raw_server
from tests.support.desk import StillClock

BODY = b"{}"
REQUEST = BadgeRequest("t", "a", "e", "Ada", "King", "2026-03-02T09:30:00Z")


def client_of(url: str) -> Session:
    return session_of(url, Token("canary"), StillClock(), environ={})


# The head of an answer

CREATED = "HTTP/1.1 201 Created\r\n"
HEADS = {
    "two lengths": CREATED + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a negative length": CREATED + "Content-Length: -5\r\n\r\n{}",
    "no number as length": CREATED + "Content-Length: abc\r\n\r\n{}",
    "an endless length": CREATED + f"Content-Length: {'9' * 5000}\r\n\r\n{{}}",
    "chunks of no length": CREATED + "Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
    "a bad gzip": CREATED + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    "a bad deflate": CREATED + "Content-Encoding: deflate\r\nContent-Length: 4\r\n\r\nabcd",
    "ten encodings": CREATED + f"Content-Encoding: {', '.join(['gzip'] * 10)}\r\nContent-Length: 4\r\n\r\nabcd",
    "300 headers": CREATED + "".join(f"X-{number}: y\r\n" for number in range(300)) + "Content-Length: 2\r\n\r\n{}",
    "an endless header": CREATED + f"X: {'a' * 100_000}\r\nContent-Length: 2\r\n\r\n{{}}",
    "no status": "HTTP/1.1 abc\r\n\r\n",
    "a status beyond all": "HTTP/1.1 99999 x\r\n\r\n",
    "another protocol": "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "only a body": '{"data":{}}',
    "a date and a wait beyond Latin": CREATED + "Date: \xff\xfe\r\nRetry-After: \xff\r\nContent-Length: 2\r\n\r\n{}",
    "a time beyond time": CREATED + "Date: Wed, 99 Nov 99999 99:99:99 GMT\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.mark.parametrize("answer", HEADS.values(), ids=HEADS)
def test_after_a_head_that_cannot_be_read_it_is_unclear_whether_the_badge_was_issued(answer: str) -> None:
    with raw_server(lambda connection: connection.sendall(answer.encode("latin-1"))) as url:
        http = client_of(url)
        sent = Client(http, "o").issue(REQUEST)
        http.close()
    assert sent.kind == "unclear"


@pytest.mark.parametrize("error", [MemoryError(), RecursionError(), ValueError("x"), TypeError(), UnicodeError()])
def test_whatever_breaks_once_bytes_may_have_left_is_unclear(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", breaks)
    with pytest.raises(UnclearError):
        client_of("http://127.0.0.1:9/v1").post("/organizations", BODY)


# A redirect: where it leads is never looked at, and what it says is not read

LOCATIONS = [
    "/v1/x", "http://[bad/", "http://127.0.0.1:99999999/", "http://...", "http://*a/", "foo://bar", "http:///x", "",
    "//evil.test/", "http://\xff\xfe/", "x" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300, 304])
@pytest.mark.parametrize("location", LOCATIONS, ids=lambda value: repr(value)[:20])
def test_a_redirect_stops_the_run_wherever_it_leads(status: int, location: str) -> None:
    answer = f"HTTP/1.1 {status} x\r\nLocation: {location}\r\nContent-Length: 2\r\n\r\n{{}}".encode("latin-1")
    with raw_server(lambda connection: connection.sendall(answer)) as url:
        http = client_of(url)
        with pytest.raises(HttpFailure) as caught:
            http.get("/organizations")
        sent = Client(http, "o").issue(REQUEST)
        http.close()
    assert caught.value.exit_code == Exit.CONFIG
    assert (sent.kind, sent.failure and sent.failure.exit_code) == ("stop", Exit.CONFIG)


def test_the_body_of_a_redirect_is_not_read() -> None:
    """However long it is, and however slowly it comes."""
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
            sent += 1

    with raw_server(flood) as url:
        http = client_of(url)
        assert Client(http, "o").issue(REQUEST).kind == "stop"
        http.close()
    assert sent < 50  # MiB; what the sockets hold


# Links, which two parsers read in two ways


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:{evil}\\@127.0.0.1:{good}/v1/x",
        "http://127.0.0.1:{evil}\\\\@127.0.0.1:{good}/v1/x",
        "http://127.0.0.1:{evil}/\\@127.0.0.1:{good}/v1/x",
        "http://mallory:pw@127.0.0.1:{good}/v1/x",
        "http://mallory@127.0.0.1:{good}/v1/x",
        "http://127.0.0.1:{good}@127.0.0.1:{evil}/v1/x",
        "http://127.0.0.1:{evil}#@127.0.0.1:{good}/v1/x",
        "http://127.0.0.1:{evil}?@127.0.0.1:{good}/v1/x",
        "http://127.0.0.1:{evil}%2f@127.0.0.1:{good}/v1/x",
        "\\\\127.0.0.1:{evil}/x",
        "/\\127.0.0.1:{evil}/x",
        "http://127.0.0.1:{good} /v1/x",
        "http://127.0.0.1:{good}/v1/x y",
        "http://127.0.0.1:{good}/v1/\tx",
        "\nhttp://127.0.0.1:{good}/v1/x",
        "http://127.0.0.1:{good}\x00.evil.test/",
        "http://127.0.0.1:99999999/",
        "http://[::1/",
    ],
)
def test_a_link_that_can_be_read_in_two_ways_is_not_followed(link: str) -> None:
    asked: list[str] = []

    def note(name: str) -> Handler:
        def handle(connection: socket.socket) -> None:
            asked.append(name)
            connection.sendall(head("Content-Length: 2") + BODY)

        return handle

    with raw_server(note("good")) as good, raw_server(note("evil")) as evil:
        http = client_of(good)
        address = link.format(good=port_of(good), evil=port_of(evil))
        assert not http.same_origin(address)
        with suppress(HttpFailure):
            http.get(address, tries=1)
        http.close()
    assert "evil" not in asked


def port_of(url: str) -> str:
    return url.removesuffix("/v1").rpartition(":")[2]


@pytest.mark.parametrize("link", ["/v1/x?a=%5C&b=%40c", "http://127.0.0.1:{good}/x?filter=a::b|c@d", "?q=\u00e9"])
def test_a_plain_link_is_followed_with_our_header_alone(link: str) -> None:
    with raw_server(lambda connection: connection.sendall(head("Content-Length: 2") + BODY)) as good:
        http = client_of(good)
        assert http.same_origin(link.format(good=port_of(good)))
        http.close()


def test_an_address_in_version_six_or_with_letters_of_its_own_is_asked() -> None:
    for url in ("http://[::1]:8000/v1", "https://b\u00fccher.test/v1"):
        assert client_of(url).same_origin(f"{url}/organizations?page=2")
