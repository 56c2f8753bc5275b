"""The stand-in of Credly as tests use it: with faults, a log of what was asked, and connections that break."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast

from credly_cli.sandbox.lists import address
from credly_cli.sandbox.records import (
    EarnedBadge,
    Request,
    Response,
    Row,
    recorded_organization,
    sample_organization,
    stamp,
)
from credly_cli.sandbox.server import Handler, SandboxServer
from credly_cli.sandbox.state import Sandbox
from credly_cli.sandbox.switches import Switches
from tests.support.faults import Delivery, Ending, Faults, Work
from tests.support.request_log import LoggedRequest, RequestLog


@dataclass
class WorseSwitches(Switches):
    """What no Credly should do, beside what the stand-in lets vary by itself."""

    total_count_off_by: int = 0
    page_trouble: Literal["none", "short", "repeated", "endless"] = "none"
    latency: float = 0.0  # seconds before each request is looked at


@dataclass(frozen=True)
class _Late:
    due: datetime
    work: Work


class FaultySandbox(Sandbox):
    """A sandbox with scripted faults and a log."""

    switches: WorseSwitches

    def __init__(
        self,
        organization: Row,
        templates: Sequence[Row] = (),
        *,
        sleep: Callable[[float], None] = time.sleep,
        **options: Any,
    ) -> None:
        super().__init__(organization, templates, **options)
        self.sleep = sleep
        self.switches = WorseSwitches()
        self.faults = Faults()
        self.log = RequestLog()
        self.earner_ids_sent: dict[str, str | None] = {}  # by issued badge, also where Credly does not keep them
        self.watch: Callable[[Request], None] | None = None  # is told of each request as it arrives
        self._late: list[_Late] = []

    def issue(self, fields: Row) -> EarnedBadge:
        """Issue a badge, and remember the id that was sent for it."""
        badge = super().issue(fields)
        self.earner_ids_sent[badge.id] = fields.get("issuer_earner_id")
        return badge

    def serve(self, request: Request, answer: Callable[[Request], Response]) -> Response:
        """Answer a request; faults and switches have their way with it."""
        started = time.perf_counter()
        self._do_late_work()
        if self.watch is not None:
            self.watch(request)
        if self.switches.latency:
            self.sleep(self.switches.latency)

        def work() -> Response:
            return self._troubled(request, answer)

        act = self.faults.act_for(request)
        response = act(work, self) if act else work()
        status = 0 if Delivery.of(response).is_lost else response.status
        took = time.perf_counter() - started
        self.log.add(LoggedRequest(request.method, request.target, status, stamp(self.now()), took))
        return response

    def do_later(self, seconds: float, work: Work) -> None:
        """Keep work until the first request that comes so many seconds later."""
        with self.lock:
            self._late.append(_Late(self.now() + timedelta(seconds=seconds), work))

    def _do_late_work(self) -> None:
        if not self._late:
            return
        with self.lock:
            now = self.now()
            due = [late for late in self._late if late.due <= now]
            self._late = [late for late in self._late if late.due > now]
            for late in due:
                late.work()

    # Lists that are wrong

    def _troubled(self, request: Request, answer: Callable[[Request], Response]) -> Response:
        response = answer(request)
        if self.switches.page_trouble == "none" and not self.switches.total_count_off_by:
            return response
        listed = json.loads(response.body) if response.body else {}
        if not isinstance(listed.get("metadata"), dict) or "total_pages" not in listed["metadata"]:
            return response
        number, pages = listed["metadata"]["current_page"], listed["metadata"]["total_pages"]
        listed["metadata"]["total_count"] += self.switches.total_count_off_by
        match self.switches.page_trouble:
            case "short":
                listed["data"] = listed["data"][:-1]
            case "repeated":
                listed["data"] = _rows_of(answer(_page_of(request, 1)))
            case "endless":
                listed["data"] = _rows_of(answer(_page_of(request, (number - 1) % pages + 1)))
                following = address(request, {**request.parameters, "page": str(number + 1)})
                listed["metadata"] |= {"total_pages": number + 1, "next_page_url": following}
        listed["metadata"]["count"] = len(listed["data"])
        return replace(response, body=json.dumps(listed, ensure_ascii=False).encode())


def _page_of(request: Request, number: int) -> Request:
    return Request.to_url(
        request.method, address(request, {**request.parameters, "page": str(number)}), request.headers, request.body
    )


def _rows_of(response: Response) -> list[Row]:
    rows: list[Row] = json.loads(response.body)["data"]
    return rows


def sandbox_with_samples(**options: Any) -> FaultySandbox:
    """Return a sandbox of the built-in organization."""
    return FaultySandbox(*sample_organization(), **options)


def sandbox_from_templates(source: Path | str | Row | Sequence[Row], **options: Any) -> FaultySandbox:
    """Return a sandbox that serves a recorded template list."""
    return FaultySandbox(*recorded_organization(source), **options)


class _FaultyHandler(Handler):
    """Sends an answer as it is to arrive."""

    def send(self, answer: Response) -> None:
        delivery = Delivery.of(answer)
        broken = delivery.ending is not Ending.WHOLE or delivery.cut_at is not None
        self.close_connection = self.close_connection or broken
        sleep = cast("FaultySandbox", cast("FaultyServer", self.server).sandbox).sleep
        if delivery.delay:
            sleep(delivery.delay)
        if delivery.ending is Ending.RESET:
            self._reset()
        elif delivery.pace:
            self.wfile.write(self.head_of(answer))
            for byte in self.body_of(answer):
                self.wfile.write(bytes([byte]))
                sleep(delivery.pace)
        elif not delivery.is_lost:
            self.wfile.write(self.head_of(answer) + self.body_of(answer)[: delivery.cut_at])

    def _reset(self) -> None:
        """Close so that the client is sent a reset, not an orderly end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()


class FaultyServer(SandboxServer):
    """The stand-in over a socket; counts its connections, and closes every one when it stops."""

    handler = _FaultyHandler

    def __init__(self, sandbox: FaultySandbox, port: int = 0) -> None:
        super().__init__(sandbox, port)
        self.connections = 0  # how many were made since the start
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()

    def stop(self) -> None:
        """Stop serving and close every connection."""
        super().stop()
        with self._open_lock:
            for connection in self._open:
                _hang_up(connection)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Take a connection and count it."""
        connection, client = super().get_request()
        with self._open_lock:
            self.connections += 1
            self._open.add(connection)
        return connection, client

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that has ended."""
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is gone already
