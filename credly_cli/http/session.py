"""Requests to one service: one origin, one header, bounded answers; GET is tried again, POST never."""

import contextlib
import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from requests.adapters import BaseAdapter
from requests.utils import should_bypass_proxies
from urllib3.connection import HTTPConnection

from credly_cli import __version__
from credly_cli.http.auth import Auth, Redaction
from credly_cli.http.connection import LimitedAdapter, Origin, TimeLimit, origin_of, origin_of_link
from credly_cli.http.response import (
    HttpFailure,
    NotSentError,
    Reply,
    Service,
    UnclearError,
    broken,
    read_date,
    read_json,
    read_retry_after,
)
from credly_cli.http.retry import ConcurrencyLimit, Limits, Retry
from credly_cli.signals import Interruption
from credly_cli.times import Clock, Deadline
from credly_cli.urls import is_loopback

Parameters = Mapping[str, str | int]

_UNAUTHORIZED = 401
_CONNECT_SECONDS = 5.0
_READ_SECONDS = 60.0  # between two bytes of an answer
_ANSWER_SECONDS = 90.0  # for one exchange, from its connection to the end of its body
_GRACE_SECONDS = 10.0  # for a POST under way when time is up: given up it would be uncertain, and asked about later
_PAGE_BYTES = 32 * 1024 * 1024
_ANSWER_BYTES = 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_IDLE_SECONDS = 20  # a connection idle for longer may be closed just as we write to it

# whatever somebody may have told the libraries to print, it would hold the token, and addresses in queries
HTTPConnection.debuglevel = 0
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


_LOG = logging.getLogger(__name__)

Adapter: TypeAlias = BaseAdapter  # of Requests: in place of the network


class Session:
    """Requests to one address of a service, with what proves who sends them.

    ``deadline`` is the end of the work that they are for, and ``interruption`` is set once somebody asks it to stop:
    then nothing more is read nor waited for, and a POST that is under way has ten seconds for its answer.
    """

    def __init__(
        self,
        service: Service,
        api_url: str,
        auth: Auth,
        clock: Clock,
        *,
        environ: Mapping[str, str],
        limits: Limits | None = None,
        deadline: Deadline | None = None,
        interruption: Interruption | None = None,
        adapter: Adapter | None = None,
    ) -> None:
        limits = limits or Limits()
        self.service = service
        self.api_url = api_url
        self.clock = clock
        self.deadline = deadline or Deadline(clock)
        self.interruption = interruption or Interruption()
        self.last_date: str | None = None  # the service's own clock, as its last answer tells it
        self._auth = auth
        self._tries = limits.tries
        self._retry = Retry(service, limits, clock)
        self._places = ConcurrencyLimit(limits.parallel)
        self._origin = origin_of_link(api_url, api_url)
        self._adapter = adapter
        self._proxy = _proxy(api_url, environ)  # asked once: requests' helper is not safe between threads
        self._verify = _ca_bundle(environ)
        self._of_thread = threading.local()  # requests does not promise that threads may share a session
        self._sessions: list[requests.Session] = []

    def get(
        self,
        path: str,
        parameters: Parameters | None = None,
        *,
        tries: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Read; tries again after faults that pass. Raises ``HttpFailure``, or ``Stopped`` once interrupted."""
        attempt = self._tries - (tries or self._tries)
        while True:
            self._stop_if_interrupted()
            self._retry.admit(self.deadline)
            self._stop_if_interrupted()
            try:
                return self._get_once(path, parameters, headers)
            except HttpFailure as failure:
                self._stop_if_interrupted()
                if failure.code == "rate-limited":
                    self._places.reduce_to_one()
                if not self._retry.waits_to_retry(attempt, failure, self.deadline):
                    raise
            attempt += 1

    def _stop_if_interrupted(self) -> None:
        if self.interruption.is_set():
            raise self.interruption.failure()

    def _get_once(self, path: str, parameters: Parameters | None, headers: Mapping[str, str] | None) -> Reply:
        try:
            request = self._prepared("GET", path, params=parameters, headers=headers)  # before it takes a place
            with self._places:
                limit = TimeLimit(_ANSWER_SECONDS, self.deadline, self.interruption)
                response, body = self._authorized(limit, request, _PAGE_BYTES)
        except (NotSentError, UnclearError) as error:
            host = urlsplit(self.api_url).netloc
            raise self.service.failure("silent", message=f": {error}", host=host) from None
        reply = self._reply(response, body)
        self._retry.note(reply)
        if failure := self.service.failure_of(reply):
            raise failure
        return reply

    def post(self, path: str, body: bytes, content_type: str = "application/json") -> Reply:
        """Write, once. Raises ``NotSentError`` or ``UnclearError``; every other answer is returned.

        What is refused for an access token that ended was not looked at: that alone is sent again, with a new one.
        Raises ``HttpFailure`` where none can be had: then nothing was sent.
        """
        if self._idle_seconds() > _IDLE_SECONDS:
            self._session().close()
        limit = TimeLimit(_ANSWER_SECONDS, self.deadline, self.interruption, _GRACE_SECONDS)
        headers = {"Content-Type": content_type}
        request = self._prepared("POST", path, data=body, headers=headers)
        return self._reply(*self._authorized(limit, request, _ANSWER_BYTES))

    @property
    def in_process(self) -> bool:
        """Whether something answers within this process, which keeps nobody waiting."""
        return self._adapter is not None

    def same_origin(self, link: object) -> bool:
        """Tell whether a link of an answer stays with the host that has our token."""
        return self._is_ours(origin_of_link(self.api_url, link))

    def _is_ours(self, origin: Origin | None) -> bool:
        return origin is not None and origin == self._origin

    def close(self) -> None:
        """Close all connections."""
        for session in self._sessions:
            session.close()

    def _authorized(
        self, limit: TimeLimit, request: requests.PreparedRequest, longest: int
    ) -> tuple[requests.Response, bytes]:
        """Send a request; once more where its access token was refused and another is had."""
        response, body = self._exchange(limit, request, longest)
        refused = str(request.headers["Authorization"])
        if response.status_code == _UNAUTHORIZED and self._auth.renew(refused):
            return self._exchange(limit, request, longest)
        return response, body

    def _exchange(
        self, limit: TimeLimit, request: requests.PreparedRequest, longest: int
    ) -> tuple[requests.Response, bytes]:
        """Send a request once and read its answer, of up to so many bytes, within the limit."""
        request.headers["Authorization"] = self._auth.header()
        _LOG.info("%s %s", request.method, urlsplit(request.url or "").path)  # no query: it may hold addresses
        left = limit.left()
        if left <= 0:
            raise NotSentError("no answer in time")
        timeout = min(_CONNECT_SECONDS, left), min(_READ_SECONDS, left)
        try:
            with limit.applied():
                response = self._session().send(request, timeout=timeout, allow_redirects=False, stream=True)
                with contextlib.closing(response):
                    return response, self._body(response, longest, limit)
        except UnclearError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the request may have left
            raise broken(error) from None
        finally:
            self._of_thread.used = self.clock.now().timestamp()

    def _prepared(self, method: str, path: str, **options: Any) -> requests.PreparedRequest:
        """Prepare a request, and make sure where it goes: it is given the token as it leaves."""
        address = f"{self.api_url}{path}" if path.startswith("/") else path  # else a link of an answer
        try:
            request = self._session().prepare_request(requests.Request(method, address, **options))
        except (requests.RequestException, ValueError):
            raise NotSentError("the address is none") from None
        if not self._is_ours(origin_of(request)):
            raise NotSentError("the address is of another host")
        return request

    def _body(self, response: requests.Response, longest: int, limit: TimeLimit) -> bytes:
        """Read the body, but of a redirect, which is not followed."""
        redirected = 300 <= response.status_code < 400  # noqa: PLR2004
        return b"" if redirected else _read_body(response, longest, limit)

    def _reply(self, response: requests.Response, body: bytes) -> Reply:
        date, answer = response.headers.get("Date"), read_json(body)
        theirs = read_date(date)
        self.last_date = date if theirs else self.last_date
        return Reply(
            response.status_code,
            answer if response.ok else Redaction(self._auth).struck(answer),
            date if theirs else None,
            read_retry_after(response.headers.get("Retry-After"), theirs or self.clock.now()),
            response.headers,
            is_page=answer is None and bool(body.strip()),
        )

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._of_thread, "session", None)
        if session is None:
            session = self._of_thread.session = self._new_session()
            self._sessions.append(session)
        return session

    def _new_session(self) -> requests.Session:
        session = _Unredirected()
        session.trust_env = False  # .netrc would replace our Authorization
        session.headers.update({"Accept": "application/json", "User-Agent": f"credly-cli/{__version__}"})
        session.verify = self._verify
        if self._proxy:
            session.proxies = {"https": self._proxy}
        adapter = self._adapter or LimitedAdapter(max_retries=0)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session

    def _idle_seconds(self) -> float:
        return self.clock.now().timestamp() - float(getattr(self._of_thread, "used", 0.0))


class _Unredirected(requests.Session):
    """A session that looks no redirect after: to see where it leads, requests would read its body without a limit."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return nothing: no answer leads elsewhere."""


def _read_body(response: requests.Response, longest: int, limit: TimeLimit) -> bytes:
    """Read the body as it comes, so that neither a long nor a dripping one holds us; raises ``UnclearError``."""
    body = bytearray()
    try:
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
            body += chunk
            if len(body) > longest:
                raise UnclearError("the answer is too long")
            if limit.left() <= 0:
                raise UnclearError("the answer takes too long")
    except (urllib3.exceptions.HTTPError, OSError) as error:
        if limit.left() <= 0:
            raise UnclearError("the answer takes too long") from None
        slow = isinstance(error, urllib3.exceptions.TimeoutError)
        raise UnclearError("no answer in time" if slow else "the answer broke off") from None
    return bytes(body)


def _proxy(api_url: str, environ: Mapping[str, str]) -> str | None:
    if is_loopback(urlsplit(api_url).hostname or ""):
        return None
    no_proxy = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if should_bypass_proxies(api_url, no_proxy):
        return None
    return environ.get("https_proxy") or environ.get("HTTPS_PROXY") or None


def _ca_bundle(environ: Mapping[str, str]) -> str | bool:
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        if path := environ.get(name):
            if not Path(path).exists():
                hint = f"Correct {name}, or unset it to use the certificates that come with the program."
                raise HttpFailure("config-invalid", f"{name} names {path}, which is not there.", hint=hint)
            return path
    return True
