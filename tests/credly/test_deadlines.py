"""A server that keeps us waiting byte by byte: whoever asked has its answer, or none, when its time is over."""

import json
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credly_cli.cli.environment import SystemClock
from credly_cli.credly.client import session_of
from credly_cli.http.connection import TimeLimit
from credly_cli.http.response import HttpFailure, NotSentError, UnclearError
from credly_cli.http.session import Session
from credly_cli.signals import Interruption, Stopped
from credly_cli.times import Deadline
from credly_cli.token import Token
from tests.credly.raw_server import Handler
from tests.support.desk import StillClock
from tests.support.processes import Site

if TYPE_CHECKING:
    import subprocess

ENOUGH = 60.0  # seconds; each server goes on for far longer
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"


def dripping(start: bytes, again: bytes) -> Handler:
    """Send the start at once, and then the same few bytes again and again, for longer than any test may take."""

    def handle(connection: socket.socket) -> None:
        connection.sendall(start)
        end = time.monotonic() + 2 * ENOUGH
        while time.monotonic() < end:
            connection.sendall(again)
            time.sleep(0.02)

    return handle


SLOW = {
    "nothing": lambda connection: connection.recv(1) and None,
    "a dripping status line": dripping(b"HTTP/1.1 200 ", b"O"),
    "a dripping header": dripping(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
    "many dripping headers": dripping(b"HTTP/1.1 200 OK\r\n", b"X:"),
    "100 Continue without an end": dripping(b"", CONTINUE),
    "a dripping body": dripping(HEADERS, b" "),
}
slow_servers = pytest.mark.parametrize("handle", SLOW.values(), ids=SLOW)


@contextmanager
def server(handle: Handler) -> Iterator[str]:
    """A server with a thread for each connection, which ends when its client does."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(2 * ENOUGH)
            connection.recv(65536)
            handle(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=listener.accept()[:1], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@contextmanager
def takes_less_than(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def client_of(url: str, seconds: float | None = None, interruption: Interruption | None = None) -> Session:
    clock = SystemClock(interruption)
    return session_of(url, Token("t"), clock, environ={}, deadline=Deadline(clock, seconds), interruption=interruption)


@pytest.mark.sampled
@slow_servers
def test_reading_ends_with_the_deadline(handle: Handler) -> None:
    with server(handle) as url, takes_less_than(ENOUGH), pytest.raises(HttpFailure) as caught:
        client_of(url, 0.3).get("/organizations")
    assert caught.value.code == "unreachable"


@pytest.mark.sampled
@slow_servers
def test_a_signal_ends_reading(handle: Handler) -> None:
    interruption = Interruption()
    threading.Timer(0.3, interruption.set).start()
    with server(handle) as url, takes_less_than(ENOUGH), pytest.raises(Stopped):
        client_of(url, interruption=interruption).get("/organizations")


@pytest.mark.sampled
@slow_servers
def test_a_post_is_unclear_when_its_time_is_over(handle: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credly_cli.http.session._ANSWER_SECONDS", 0.3)
    with server(handle) as url, takes_less_than(ENOUGH), pytest.raises(UnclearError):
        client_of(url).post("/organizations", b"{}")


def test_a_post_under_way_has_some_seconds_more_than_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(connection: socket.socket) -> None:
        time.sleep(0.6)
        connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}")

    monkeypatch.setattr("credly_cli.http.session._GRACE_SECONDS", ENOUGH)
    with server(late) as url:
        assert client_of(url, 0.1).post("/organizations", b"{}").status == 201


def test_a_signal_leaves_a_post_the_grace_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credly_cli.http.session._GRACE_SECONDS", 0.3)
    interruption = Interruption()
    interruption.set()
    with server(SLOW["a dripping header"]) as url, takes_less_than(ENOUGH), pytest.raises(UnclearError):
        client_of(url, interruption=interruption).post("/organizations", b"{}")


def test_a_server_that_takes_no_connection_was_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its queue is full, so that connecting takes as long as it is let."""
    monkeypatch.setattr("credly_cli.http.session._ANSWER_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(8)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        with takes_less_than(ENOUGH), pytest.raises(NotSentError, match="no answer in time"):
            client_of(f"http://127.0.0.1:{address[1]}/v1").post("/organizations", b"{}")
        for filler in fillers:
            filler.close()


def test_all_addresses_of_a_host_have_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty addresses that drop what they are sent take no longer than one."""
    tried: list[str] = []

    def hang(address: tuple[str, int], timeout: float, **_: object) -> socket.socket:
        tried.append(address[0])
        time.sleep(timeout)
        raise TimeoutError("timed out")

    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (f"192.0.2.{number}", 443)) for number in range(50)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr("urllib3.util.connection.create_connection", hang)
    with takes_less_than(ENOUGH), pytest.raises(HttpFailure, match="no answer in time"):
        client_of("https://credly.test/v1", 0.3).get("/organizations")
    assert tried == ["192.0.2.0"]


def test_the_next_address_is_tried_where_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(lambda it: it.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) as url:
        port = int(url.removesuffix("/v1").rpartition(":")[2])
        own = socket.getaddrinfo
        rows = [own(address, port, type=socket.SOCK_STREAM)[0] for address in ("127.0.0.2", "127.0.0.1")]
        by_name = {"credly.test": rows, "127.0.0.1": rows[1:], "127.0.0.2": rows[:1]}
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, *_, **__: by_name[host])
        assert client_of(f"http://credly.test:{port}/v1", 30).get("/organizations").status == 200


def test_a_name_that_is_not_found_in_time_was_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ended.wait(10 * ENOUGH))
    with takes_less_than(ENOUGH), pytest.raises(HttpFailure, match="no answer in time"):
        client_of("https://credly.test/v1", 0.3).get("/organizations")
    ended.set()


def test_what_is_left_is_never_more_than_the_sooner_end() -> None:
    clock, interruption = StillClock(), Interruption()
    assert 4 < TimeLimit(5, Deadline(clock), interruption).left() <= 5
    assert 4 < TimeLimit(90, Deadline(clock, 5), interruption).left() <= 5
    assert 14 < TimeLimit(90, Deadline(clock, 5), interruption, grace=10).left() <= 15
    limit = TimeLimit(90, Deadline(clock), interruption, grace=10)
    interruption.set()
    assert 9 < limit.left() <= 10
    assert TimeLimit(90, Deadline(clock), interruption).left() <= 0


def test_a_deadline_is_absolute() -> None:
    clock = StillClock()
    deadline = Deadline(clock, 5)
    clock.sleep(3)
    assert (deadline.remaining(), deadline.is_over) == (2, False)
    clock.sleep(2)
    assert deadline.is_over
    assert not Deadline(clock).is_over


# Commands, as processes of their own


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a command of a profile that is connected to a server; it is ended with the test."""
    with Site(tmp_path) as site:
        site.complete(1)

        def begin(url: str, *arguments: str) -> "subprocess.Popen[str]":
            return site.start(*arguments, environ={"CREDLY_API_URL": url})

        yield begin


@pytest.mark.slow
@slow_servers
def test_a_run_with_so_many_seconds_ends_with_them(start: Start, handle: Handler) -> None:
    with server(handle) as url:
        process = start(url, "sync", "--json", "--max-seconds", "2")
        out, _ = process.communicate(timeout=ENOUGH)
    assert process.returncode == 75
    assert json.loads(out)["problems"]


@pytest.mark.slow
@slow_servers
def test_a_run_that_is_asked_to_end_ends(start: Start, handle: Handler) -> None:
    asked = threading.Event()

    def noted(connection: socket.socket) -> None:
        asked.set()
        handle(connection)

    with server(noted) as url:
        process = start(url, "sync", "--json")
        assert asked.wait(ENOUGH)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=ENOUGH)
    assert process.returncode == 75


@pytest.mark.slow
@slow_servers
def test_a_learners_badges_come_from_the_store_in_time(start: Start, handle: Handler) -> None:
    """R27."""
    with server(handle) as url:
        process = start(url, "learner-badges", "l0@example.org", "--json")
        out, err = process.communicate(timeout=ENOUGH)
    assert (process.returncode, json.loads(out)["source"]) == (0, "store"), err
