"""HTTP to Credly: one origin, one header, bounded answers; GET is tried again, POST never (reliability, 3.6)."""

import contextlib
import logging
import threading
import time
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.utils import should_bypass_proxies
from urllib3.connection import HTTPConnection

from credly_cli import __version__
from credly_cli.config import is_loopback
from credly_cli.http.ahead import Ahead, Parameters
from credly_cli.http.errors import NotSentError, UnclearError, broken
from credly_cli.http.origin import Origin, origin_of, origin_of_link
from credly_cli.http.redaction import Redaction
from credly_cli.http.response import CredlyFailure, Reply, failure_of, read_json, read_retry_after
from credly_cli.http.retry import TRIES, Lanes, Retrying, out_of_time
from credly_cli.times import Clock
from credly_cli.token import Token

if TYPE_CHECKING:
    from credly_cli.signals import Interruption

_CONNECT_SECONDS = 5.0
_READ_SECONDS = 60.0  # between two bytes of an answer
_ANSWER_SECONDS = 90.0  # for a whole body: the timeout above starts anew with every byte
_SHORT_BACKOFF = 0.5  # for who is in a hurry
_PAGE_BYTES = 32 * 1024 * 1024
_ANSWER_BYTES = 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_IDLE_SECONDS = 20  # a connection idle for longer may be closed just as we write to it

# whatever somebody may have told the libraries to print, it would hold the token, and addresses in queries
HTTPConnection.debuglevel = 0
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


class Http:
    """Requests to one address of Credly's API, with the token."""

    def __init__(
        self,
        api_url: str,
        token: Token,
        clock: Clock,
        *,
        environ: Mapping[str, str],
        adapter: BaseAdapter | None = None,
        parallel: int = 4,
    ) -> None:
        self.api_url = api_url
        self.clock = clock
        self.last_date: str | None = None  # Credly's own clock, from its last answer
        self.interruption: Interruption | None = None  # once set, nothing more is read, nor waited for
        self._retrying = Retrying(clock)
        self._lanes = Lanes(parallel)
        self._give_up_at: float | None = None  # on the machine's monotonic clock
        self._origin = origin_of_link(api_url, api_url)
        self._authorization = f"Basic {b64encode(f'{token.reveal()}:'.encode()).decode()}"
        self._redaction = Redaction(token)
        self._adapter = adapter
        self._proxy = _proxy(api_url, environ)  # asked once: requests' helper is not safe between threads
        self._verify = _ca_bundle(environ)
        self._of_thread = threading.local()  # requests does not promise that threads may share a session
        self._sessions: list[requests.Session] = []
        self._ahead = Ahead(self._get)

    @property
    def deadline(self) -> float | None:
        """When the run must end, as a timestamp."""
        return self._retrying.deadline

    @deadline.setter
    def deadline(self, deadline: float | None) -> None:
        self._retrying.deadline = deadline

    def hurry(self, seconds: float) -> None:
        """Answer within so long or not at all: somebody is waiting."""
        self._give_up_at = time.monotonic() + seconds
        self.deadline = self.clock.now().timestamp() + seconds
        self._retrying.longest_backoff = _SHORT_BACKOFF

    def get(self, path: str, parameters: Parameters | None = None, *, tries: int = TRIES) -> Reply:
        """Read; tries again after faults that pass, less patiently in a hurry. Raises ``CredlyFailure``."""
        tries = tries if self._give_up_at is None else min(tries, 3)
        with self.interruption.breaking() if self.interruption else contextlib.nullcontext():
            asked = self._ahead.take(path, parameters)
            return self._get(path, parameters, tries) if asked is None else asked.result()

    def ask_ahead(self, questions: Mapping[str, Parameters]) -> None:
        """Ask now for what ``get`` will want soon; not of an adapter in process, which keeps nobody waiting."""
        if self._adapter is None:
            self._ahead.ask(questions)

    def _get(self, path: str, parameters: Parameters | None, tries: int = TRIES) -> Reply:
        attempt = TRIES - tries
        while True:
            self._retrying.admit()
            self._check_that_it_goes_on()
            reply, failure = self._get_once(path, parameters)
            if reply is not None and failure is None:
                return reply
            failure = failure or _unreachable(self.api_url, None)
            if failure.code == "rate-limited":
                self._lanes.narrow()
            if not self._retrying.again(attempt, failure, reply):
                raise failure
            attempt += 1

    def _check_that_it_goes_on(self) -> None:
        """Raise what ends all reading: somebody asks to stop, or the run has no time left."""
        if self.interruption is not None and self.interruption.is_set():
            raise self.interruption.failure()
        if self._give_up_at is None and self._retrying.is_over():  # who is in a hurry is told of each request
            raise out_of_time()

    def _get_once(self, path: str, parameters: Parameters | None) -> tuple[Reply | None, CredlyFailure | None]:
        try:
            reply = self._send("GET", path, _PAGE_BYTES, params=parameters)
        except (NotSentError, UnclearError) as error:
            return None, _unreachable(self.api_url, error)
        return reply, failure_of(reply)

    def post(self, path: str, body: bytes) -> Reply:
        """Write, once. Raises ``NotSentError`` or ``UnclearError``; every other answer is returned."""
        if self._idle_seconds() > _IDLE_SECONDS:
            self._session().close()
        return self._send("POST", path, _ANSWER_BYTES, data=body, headers={"Content-Type": "application/json"})

    def same_origin(self, link: object) -> bool:
        """Tell whether a link of an answer stays with the host that has our token."""
        return self._is_ours(origin_of_link(self.api_url, link))

    def _is_ours(self, origin: Origin | None) -> bool:
        return origin is not None and origin == self._origin

    def close(self) -> None:
        """Close all connections."""
        for session in self._sessions:
            session.close()

    def _send(self, method: str, path: str, limit: int, **options: Any) -> Reply:
        request = self._prepared(method, path, **options)
        left = self._seconds_left()
        if left <= 0:
            raise NotSentError("no answer in time")
        timeout = min(_CONNECT_SECONDS, left), min(_READ_SECONDS, left)
        try:
            with self._lanes if method == "GET" else contextlib.nullcontext():
                response = self._session().send(request, timeout=timeout, allow_redirects=False, stream=True)
                with contextlib.closing(response):
                    body = self._body(response, limit)
            return self._reply(response, body)
        except UnclearError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the request may have left
            raise broken(error) from None
        finally:
            self._of_thread.used = self.clock.now().timestamp()

    def _prepared(self, method: str, path: str, **options: Any) -> requests.PreparedRequest:
        """Prepare a request, and give it the token once it is sure where it goes."""
        address = f"{self.api_url}{path}" if path.startswith("/") else path  # else a link of an answer
        try:
            request = self._session().prepare_request(requests.Request(method, address, **options))
        except (requests.RequestException, ValueError):
            raise NotSentError("the address is none") from None
        if not self._is_ours(origin_of(request)):
            raise NotSentError("the address is of another host")
        request.headers["Authorization"] = self._authorization
        return request

    def _body(self, response: requests.Response, limit: int) -> bytes:
        """Read the body, but of a redirect, which is not followed."""
        redirected = 300 <= response.status_code < 400  # noqa: PLR2004
        return b"" if redirected else _read_body(response, limit, self._seconds_left())

    def _reply(self, response: requests.Response, body: bytes) -> Reply:
        date, told = response.headers.get("Date"), read_json(body)
        theirs = _server_time(date)
        self.last_date = date if theirs else self.last_date
        return Reply(
            response.status_code,
            told if response.ok else self._redaction.struck(told),
            date if theirs else None,
            read_retry_after(response.headers.get("Retry-After"), theirs or self.clock.now()),
            response.headers,
        )

    def _seconds_left(self) -> float:
        """Return how long an answer may take: less, where somebody is waiting for it."""
        if self._give_up_at is None:
            return _ANSWER_SECONDS
        return min(_ANSWER_SECONDS, self._give_up_at - time.monotonic())

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._of_thread, "session", None)
        if session is None:
            session = self._of_thread.session = self._new_session()
            self._sessions.append(session)
        return session

    def _new_session(self) -> requests.Session:
        session = _Session()
        session.trust_env = False  # .netrc would replace our Authorization
        session.headers.update(
            {
                "Accept": "application/json",
                "User-Agent": f"credly-cli/{__version__}",
            }
        )
        session.verify = self._verify
        if self._proxy:
            session.proxies = {"https": self._proxy}
        adapter = self._adapter or HTTPAdapter(max_retries=0)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session

    def _idle_seconds(self) -> float:
        return self.clock.now().timestamp() - float(getattr(self._of_thread, "used", 0.0))


class _Session(requests.Session):
    """A session that looks no redirect after: to see where it leads, requests would read its body without a limit."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return nothing: no answer leads elsewhere."""


def _read_body(response: requests.Response, limit: int, seconds: float) -> bytes:
    """Read the body as it comes, so that neither a long nor a dripping one holds us; raises ``UnclearError``."""
    end, body = time.monotonic() + seconds, bytearray()
    try:
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
            body += chunk
            if len(body) > limit:
                raise UnclearError("the answer is too long")
            if time.monotonic() > end:
                raise UnclearError("the answer takes too long")
    except (urllib3.exceptions.HTTPError, OSError) as error:
        slow = isinstance(error, urllib3.exceptions.TimeoutError)
        raise UnclearError("no answer in time" if slow else "the answer broke off") from None
    return bytes(body)


def _server_time(date: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(date) if date else None
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


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
                raise CredlyFailure("config-invalid", f"{name} names {path}, which is not there.", None, hint)
            return path
    return True


def _unreachable(api_url: str, error: Exception | None) -> CredlyFailure:
    host = urlsplit(api_url).netloc
    reason = f": {error}" if error else ""
    return CredlyFailure(
        "unreachable", f"Credly ({host}) does not answer{reason}.", None, "Check the network, then try again."
    )
