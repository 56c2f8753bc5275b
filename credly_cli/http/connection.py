"""Where a connection leads, and for how long it is waited for: connecting, headers and body have one time together."""

import http.client
import io
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util import parse_url
from urllib3.util.connection import allowed_gai_family

from credly_cli.signals import Interruption
from credly_cli.times import Deadline

Origin = tuple[str, str, int | None]  # scheme, host, port
_PORTS = {"https": 443, "http": 80}
_ODD = re.compile(r"[\x00-\x20\x7f\\]")  # what one parser drops or turns, and another does not
_CONNECT_SECONDS = 5.0  # for an address of a host
_BUFFER_BYTES = 64 * 1024
_TICK_SECONDS = 0.2  # so soon a signal is noticed while a server is silent


def origin_of_link(base: str, link: object) -> Origin | None:
    """Return the origin that a link of an answer leads to; ``None`` for what is no link, or not a clear one."""
    if not isinstance(link, str):
        return None
    request = requests.PreparedRequest()
    try:
        request.prepare_url(urljoin(base, link), None)
    except (requests.RequestException, ValueError):
        return None
    return None if _ODD.search(link) else origin_of(request)


def origin_of(request: requests.PreparedRequest) -> Origin | None:
    """Return the origin that a prepared request goes to; ``None`` where it is not clear, or names a user.

    Two parsers stand between an address and a connection, and they must agree.
    """
    address = request.url or ""
    try:
        ours, theirs = urlsplit(address), parse_url(address)
        origin = ours.scheme, ours.hostname or "", ours.port
    except ValueError:
        return None
    if "@" in ours.netloc or origin != (theirs.scheme, (theirs.host or "").strip("[]"), theirs.port):
        return None
    return *origin[:2], ours.port or _PORTS.get(ours.scheme)


class TimeLimit:
    """How long one exchange may take, from looking up the name to the last byte of the body.

    It has ``seconds``, and no longer than the caller's deadline and ``grace`` seconds more; a signal leaves it the
    grace alone. It is counted on the machine's monotonic clock.
    """

    def __init__(self, seconds: float, deadline: Deadline, interruption: Interruption, grace: float = 0.0) -> None:
        self._end = time.monotonic() + min(seconds, deadline.remaining() + grace)
        self._interruption = interruption
        self._grace = grace

    def left(self) -> float:
        """Return the seconds that are left; none or fewer when it is over."""
        now = time.monotonic()
        if self._interruption.is_set():
            self._end = min(self._end, now + self._grace)
        return self._end - now

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Hold what this thread sends during the block to the limit."""
        token = _LIMIT.set(self)
        try:
            yield
        finally:
            _LIMIT.reset(token)


_LIMIT: ContextVar[TimeLimit | None] = ContextVar("limit of the request that this thread sends", default=None)


class _Reader(io.RawIOBase):
    """The bytes of a socket; before each is waited for it is asked whether there is time left.

    A timeout of a socket starts anew with each byte, so that a server that drips them has for ever.
    """

    def __init__(self, sock: socket.socket, limit: TimeLimit | None) -> None:
        self._sock = sock
        self._held = sock.makefile("rb", buffering=0)  # keeps the socket open until the answer is read
        self._limit = limit
        self._idle = sock.gettimeout() or float("inf")  # what the request allows between two bytes

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there; raises ``TimeoutError``."""
        end = time.monotonic() + self._idle
        while True:
            left = min(end - time.monotonic(), self._limit.left() if self._limit else self._idle)
            if left <= 0:
                raise TimeoutError("timed out")
            self._sock.settimeout(min(left, _TICK_SECONDS))
            try:
                return self._sock.recv_into(buffer)
            except TimeoutError as error:
                if error.errno is not None:  # of the network, not of our own tick
                    raise

    def close(self) -> None:
        """Let go of the socket."""
        self._held.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        unlimited, self.fp = self.fp, io.BufferedReader(_Reader(sock, _LIMIT.get()), _BUFFER_BYTES)
        unlimited.close()


class _Connection(HTTPConnection):
    response_class = _Response
    _held: list[Any] | None = None  # parts of a request that leave together

    def request(self, *arguments: Any, **options: Any) -> None:
        """Send a request whole: headers and body by themselves are two packets, and wake the other side twice."""
        held: list[Any] = []
        self._held = held
        try:
            super().request(*arguments, **options)
        finally:
            self._held = None
        self.send(b"".join(held))

    def send(self, data: Any) -> None:
        """Send a part of a request, or hold it until the last one is there."""
        if self._held is None:
            super().send(data)
        else:
            self._held.append(data)

    def _new_conn(self) -> socket.socket:
        """Connect to the first address that answers; all of them and the look-up of the name have one time."""
        name, timeout, limit = self._dns_host, self.timeout, _LIMIT.get()
        seconds = timeout or _CONNECT_SECONDS
        left = limit.left if limit else lambda: seconds
        *others, last = _look_up(self, left)
        for address in (*others, last):
            self._dns_host, self.timeout = address, max(0.001, min(seconds, left()))
            try:
                return super()._new_conn()
            except (NewConnectionError, ConnectTimeoutError):
                if address == last or left() <= 0:
                    raise
            finally:
                self._dns_host, self.timeout = name, timeout
        raise AssertionError("the last address returns or raises")


class _SecureConnection(_Connection, HTTPSConnection):
    pass


def _look_up(connection: HTTPConnection, left: Callable[[], float]) -> list[str]:
    """Look up the host's addresses; the system's call knows no time limit, so it has a thread of its own."""
    host, found = connection._dns_host.strip("[]"), SimpleQueue[list[str] | Exception]()
    threading.Thread(target=_ask_resolver, args=(host, connection.port, found), daemon=True).start()
    answer: list[str] | Exception | None = None
    while answer is None:
        with suppress(Empty):
            answer = found.get(timeout=max(0.001, min(left(), _TICK_SECONDS)))
        if answer is None and left() <= 0:
            raise ConnectTimeoutError(connection, "The name was not found in time.")
    if isinstance(answer, socket.gaierror):
        raise NameResolutionError(host, connection, answer)
    if isinstance(answer, Exception):
        raise answer
    if not answer:
        raise NewConnectionError(connection, "The name has no address.")
    return answer


def _ask_resolver(host: str, port: int, found: SimpleQueue[list[str] | Exception]) -> None:
    try:
        rows = socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM)
        found.put(list(dict.fromkeys(str(row[4][0]) for row in rows)))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where it is waited for
        found.put(error)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class LimitedAdapter(HTTPAdapter):
    """The network, with connections that keep to the ``TimeLimit`` that is applied."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        """Make the pools of connections through a proxy."""
        manager = super().proxy_manager_for(*arguments, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager
