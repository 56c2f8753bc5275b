"""A server that answers byte by byte, as no decent one would."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Handler = Callable[[socket.socket], None]


def read_request(connection: socket.socket) -> None:
    """Read a request whole: to close on unread bytes is to reset."""
    received = b""
    while b"\r\n\r\n" not in received or (received.startswith(b"POST") and not received.endswith(b"}")):
        chunk = connection.recv(65536)
        if not chunk:
            raise OSError("gone")
        received += chunk


@contextmanager
def raw_server(handle: Handler, *, reads: bool = True) -> Iterator[str]:
    """A server that answers each connection as it likes, byte by byte; it ``reads`` the request before."""
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def serve_all() -> None:
        while not stopped.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    if reads:
                        read_request(connection)
                    handle(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=serve_all, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        stopped.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def head(*lines: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 201 Created", "Content-Type: application/json", *lines, "", ""]).encode()
