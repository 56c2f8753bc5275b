"""What serves the stand-ins of LMSs on loopback."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.support.desk import Desk


def lms(desk: Desk, *options: str, code: int = 0) -> Any:
    """Run the step that reads the LMS and return its answer."""
    return desk.json("sync", "--only", "lms", *options, code=code)


class LoopbackServer(ThreadingHTTPServer):
    """A server on a free port of loopback, as a context manager."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that was killed."""

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class LoopbackHandler(BaseHTTPRequestHandler):
    """Answers quietly, over connections that stay open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_: object) -> None:
        pass
