"""The stand-in in process and over a socket behave alike, faults of the connection included."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

import credly_cli
from tests.support import faults
from tests.support.adapter import URL, mount
from tests.support.installed import first_line
from tests.support.stand_in import FaultySandbox, FaultyServer

Fields = Callable[..., dict[str, Any]]


@pytest.fixture(params=["in process", "over a socket"])
def base(request: pytest.FixtureRequest, sandbox: FaultySandbox, session: requests.Session) -> Iterator[str]:
    """The address of the organization, by both ways to it."""
    if request.param == "in process":
        mount(session, sandbox)
        yield f"{URL}/v1/organizations/{sandbox.organization_id}"
    else:
        with FaultyServer(sandbox) as server:
            yield f"{server.url}/v1/organizations/{sandbox.organization_id}"


@pytest.fixture
def session(sandbox: FaultySandbox) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.auth = (sandbox.token, "")
        yield session


def test_issuing_and_listing_work_alike(session: requests.Session, base: str, request_of: Fields) -> None:
    issued = session.post(f"{base}/badges", json=request_of())
    assert (issued.status_code, issued.reason) == (201, "Created")
    listed = session.get(f"{base}/badges")
    assert listed.headers["Content-Type"] == "application/json; charset=utf-8"
    assert listed.headers["Date"] == "Mon, 02 Mar 2026 14:31:05 GMT"
    assert listed.json()["data"] == [issued.json()["data"]]
    assert session.delete(f"{base}/badges/{issued.json()['data']['id']}").status_code == 204


def test_links_lead_back_to_where_they_came_from(session: requests.Session, base: str, sandbox: FaultySandbox) -> None:
    sandbox.switches.page_size = 4
    url: str | None = f"{base}/badge_templates"
    seen: list[str] = []
    while url:
        body = session.get(url).json()
        seen += [row["id"] for row in body["data"]]
        url = body["metadata"]["next_page_url"]
    assert sorted(seen) == sorted(sandbox.templates)


@pytest.mark.parametrize("reset", [False, True])
def test_a_lost_answer_is_a_lost_connection(
    session: requests.Session, base: str, sandbox: FaultySandbox, request_of: Fields, reset: bool
) -> None:
    sandbox.faults.add(faults.loses_answer(reset=reset), "POST")
    with pytest.raises(requests.ConnectionError, match="aborted"):
        session.post(f"{base}/badges", json=request_of())
    assert len(sandbox.issued()) == 1
    assert session.post(f"{base}/badges", json=request_of()).status_code == 422


@pytest.mark.parametrize("act", [faults.drops(), faults.drops(reset=True), faults.unreachable()])
def test_a_dropped_connection_does_no_work(
    session: requests.Session, base: str, sandbox: FaultySandbox, request_of: Fields, act: faults.Act
) -> None:
    sandbox.faults.add(act, "POST")
    with pytest.raises(requests.ConnectionError):
        session.post(f"{base}/badges", json=request_of())
    assert sandbox.issued() == []


def test_a_body_may_be_cut(session: requests.Session, base: str, sandbox: FaultySandbox) -> None:
    sandbox.faults.add(faults.cuts_body(30))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        session.get(f"{base}/badges")


def test_a_body_may_be_no_gzip(session: requests.Session, base: str, sandbox: FaultySandbox) -> None:
    sandbox.faults.add(faults.answers(200, b"{}", Content_Encoding="gzip"))
    with pytest.raises(requests.exceptions.ContentDecodingError):
        session.get(f"{base}/badges")


def test_a_slow_answer_takes_its_time(session: requests.Session, base: str, sandbox: FaultySandbox) -> None:
    sandbox.faults.add(faults.delays(30))
    before = sandbox.now()
    session.get(f"{base}/badges")
    assert (sandbox.now() - before).total_seconds() == 30


def test_an_answer_slower_than_the_client_has_patience_is_a_timeout(
    session: requests.Session, base: str, sandbox: FaultySandbox, request_of: Fields
) -> None:
    released = threading.Event()

    def sleep(seconds: float) -> None:
        released.wait(seconds)

    sandbox.sleep = sleep
    sandbox.faults.add(faults.delays(30), "POST")
    with pytest.raises(requests.ReadTimeout):
        session.post(f"{base}/badges", json=request_of(), timeout=(1, 0.05))
    released.set()
    assert len(sandbox.issued()) == 1


@pytest.mark.parametrize(
    ("act", "status", "text"),
    [
        (faults.answers(429, Retry_After="7"), 429, '{"data"'),
        (faults.answers_html(), 200, "<!DOCTYPE"),
        (faults.answers_nothing(), 200, ""),
        (faults.answers_bad_json(), 200, '{"data": ['),
        (faults.answers_empty_object(201), 201, "{}"),
        (faults.hangs_up(), 200, '{"data"'),
        (faults.trickles(0.001), 200, '{"data"'),
        (faults.works_late(1), 200, '{"data"'),
        (faults.redirects("https://elsewhere.example/"), 302, ""),
    ],
)
def test_other_answers_arrive_as_scripted(
    session: requests.Session, base: str, sandbox: FaultySandbox, act: faults.Act, status: int, text: str
) -> None:
    sandbox.faults.add(act)
    answer = session.get(f"{base}/badges", allow_redirects=False)
    assert answer.status_code == status
    assert answer.text.startswith(text)


def test_one_session_needs_one_connection_until_the_server_hangs_up(
    session: requests.Session, sandbox: FaultySandbox
) -> None:
    with FaultyServer(sandbox) as server:
        for _ in range(5):
            assert session.get(f"{server.url}/v1/organizations").status_code == 200
        assert server.connections == 1
        sandbox.faults.add(faults.hangs_up())
        assert session.get(f"{server.url}/v1/organizations").status_code == 200
        with suppress(requests.ConnectionError):  # the client may or may not have noticed yet
            session.get(f"{server.url}/v1/organizations")
        assert session.get(f"{server.url}/v1/organizations").status_code == 200
        assert server.connections == 2


def test_a_server_that_has_stopped_refuses_connections(session: requests.Session, sandbox: FaultySandbox) -> None:
    with FaultyServer(sandbox) as server:
        url = f"{server.url}/v1/organizations"
        assert session.get(url).status_code == 200
    with pytest.raises(requests.ConnectionError):
        session.get(url)


def test_a_taken_port_is_an_error(sandbox: FaultySandbox) -> None:
    with FaultyServer(sandbox) as server, pytest.raises(OSError, match="in use"):
        FaultyServer(sandbox, server.port)


SERVING = """
from credly_cli.sandbox.records import sample_organization
from credly_cli.sandbox.server import serve_until_stopped
from credly_cli.sandbox.state import Sandbox
sandbox = Sandbox(*sample_organization(), token="canary")
serve_until_stopped(sandbox, on_start=lambda server: print(server.url, flush=True))
print("stopped")
"""


@pytest.mark.further
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serving_ends_in_good_order_when_told_to(session: requests.Session, number: signal.Signals) -> None:
    command, folder = [sys.executable, "-c", SERVING], Path(credly_cli.__file__).parents[1]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder) as process:  # noqa: S603
        url = first_line(process.stdout).strip()
        assert session.get(f"{url}/v1/organizations").status_code == 200
        process.send_signal(number)
        assert process.communicate(timeout=60)[0].strip() == "stopped"
    assert process.returncode == 0
