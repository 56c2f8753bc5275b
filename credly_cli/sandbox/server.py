"""The stand-in over a loopback socket."""

import signal
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType
from typing import Any, Self, cast

from credly_cli.sandbox.api import Api
from credly_cli.sandbox.record_store import PATH, RecordStore
from credly_cli.sandbox.records import Request, Response
from credly_cli.sandbox.state import Sandbox

LOOPBACK = "127.0.0.1"
_NO_BODY = frozenset({204, 304})
_REASONS = BaseHTTPRequestHandler.responses


class Handler(BaseHTTPRequestHandler):
    """Reads a request, has it answered and sends the answer."""

    protocol_version = "HTTP/1.1"
    server_version = "CredlySandbox"

    def _serve(self) -> None:
        server = cast("SandboxServer", self.server)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        host = self.headers.get("Host") or f"{LOOPBACK}:{server.port}"
        headers = dict(self.headers.items())
        self.send(server.answer(Request.to_url(self.command, f"http://{host}{self.path}", headers, body)))

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _serve  # noqa: N815

    def send(self, answer: Response) -> None:
        """Send an answer whole."""
        self.wfile.write(self.head_of(answer) + self.body_of(answer))

    def head_of(self, answer: Response) -> bytes:
        """Return status line and headers."""
        lines = [f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, ('',))[0]}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        if answer.status not in _NO_BODY:
            lines.append(f"Content-Length: {len(answer.body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")

    def body_of(self, answer: Response) -> bytes:
        """Return the body, or nothing if it was not asked for."""
        return b"" if self.command == "HEAD" else answer.body

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class SandboxServer(ThreadingHTTPServer):
    """Serves one sandbox on loopback. As a context manager it does so in a thread of its own.

    Port 0 lets the system choose. ``OSError`` if the port is taken.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128
    handler: type[Handler] = Handler

    def __init__(self, sandbox: Sandbox, port: int = 0, record_store: RecordStore | None = None) -> None:
        super().__init__((LOOPBACK, port), self.handler)
        self.sandbox = sandbox
        self.record_store = record_store
        self.api = Api(sandbox)
        self._thread: threading.Thread | None = None

    def answer(self, request: Request) -> Response:
        """Answer a request, to Credly or to the record store beside it."""
        if self.record_store is not None and request.path.startswith(f"{PATH}/"):
            return self.record_store.handle(request)
        return self.api.handle(request)

    @property
    def port(self) -> int:
        """The port, also where the system has chosen it."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """The address to connect to."""
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), name="credly-sandbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
            self._thread = None
        self.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def server_bind(self) -> None:
        """Bind without asking for the host's name, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = LOOPBACK, self.port

    def get_request(self) -> tuple[socket.socket, Any]:
        """Take a connection; answers on it leave at once."""
        connection, client = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, client

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that are killed in the middle of things: that is what this is for."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def serve_until_stopped(
    sandbox: Sandbox,
    port: int = 0,
    on_start: Callable[[SandboxServer], None] | None = None,
    record_store: RecordStore | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM comes; ``on_start`` is called with the server once it answers."""
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with SandboxServer(sandbox, port, record_store) as server:
            if on_start is not None:
                on_start(server)
            stopped.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
