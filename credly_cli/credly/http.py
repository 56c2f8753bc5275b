"""HTTP to Credly: one origin, one header, bounded answers; GET is tried again, POST never (reliability, 3.6)."""

import contextlib
import json
import random
import ssl
import threading
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3.exceptions
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.utils import should_bypass_proxies

from credly_cli import __version__
from credly_cli.config import LOOPBACK
from credly_cli.errors import ErrorCode, Failure
from credly_cli.secrets import Token
from credly_cli.times import Clock

_TIMEOUT = (5, 60)  # seconds to connect, and between two bytes of an answer
_ANSWER_SECONDS = 90  # for a whole answer: the timeout above starts anew with every byte
_PAGE_BYTES = 32 * 1024 * 1024
_ANSWER_BYTES = 1024 * 1024
_IDLE_SECONDS = 20  # a connection idle for longer may be closed just as we write to it
_GET_TRIES = 4
_LONGEST_WAIT = 120.0
_NOT_SENT = (  # urllib3's reasons for which no byte of the request has left
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.ProxyError,
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: its status, its JSON (``None`` when it is not JSON), and what its headers tell."""

    status: int
    json: Any
    date: str | None
    retry_after: float | None

    @property
    def message(self) -> str:
        """What Credly says went wrong, from ``data.message`` and ``data.errors``."""
        data = self.json.get("data") if isinstance(self.json, dict) else None
        if not isinstance(data, dict):
            return f"status {self.status}"
        texts = [data.get("message"), *_error_texts(data.get("errors"))]
        return "; ".join(dict.fromkeys(str(text) for text in texts if text)) or f"status {self.status}"


class NotSentError(Exception):
    """No byte of the request has left this machine."""


class UnclearError(Exception):
    """The request may have arrived; its answer did not, or not whole."""


class CredlyFailure(Failure):
    """A failure that Credly's answer tells, with its status (``None`` without an answer)."""

    def __init__(self, code: ErrorCode, message: str, status: int | None, hint: str | None = None) -> None:
        super().__init__(code, message, hint=hint)
        self.status = status


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
        self.deadline: float | None = None  # of the run, as a timestamp; waiting never goes beyond it
        self._authorization = "Basic " + b64encode(f"{token.reveal()}:".encode()).decode()
        self._environ = environ
        self._adapter = adapter
        self._parallel = parallel
        self._of_thread = threading.local()  # requests does not promise that threads may share a session

    def get(self, path: str, parameters: Mapping[str, str | int] | None = None) -> Reply:
        """Read; tries again after faults that pass. Raises ``CredlyFailure`` for what is no success."""
        for attempt in range(_GET_TRIES):
            try:
                reply = self._send("GET", path, _PAGE_BYTES, params=parameters)
                failure = failure_of(reply)
            except (NotSentError, UnclearError) as error:
                reply, failure = None, _unreachable(self.api_url, error)
            if failure is None and reply is not None:
                return reply
            if failure is None or not _passes(failure) or attempt + 1 == _GET_TRIES:
                break
            if not self._wait(attempt, reply):
                break
        raise failure or _unreachable(self.api_url, None)

    def post(self, path: str, body: bytes) -> Reply:
        """Write, once. Raises ``NotSentError`` or ``UnclearError``; every other answer is returned."""
        if self._idle_seconds() > _IDLE_SECONDS:
            self._session().close()
        return self._send("POST", path, _ANSWER_BYTES, data=body, headers={"Content-Type": "application/json"})

    def same_origin(self, address: object) -> bool:
        """Tell whether a link of an answer stays with the host that has our token."""
        if not isinstance(address, str):
            return False
        ours, theirs = urlsplit(self.api_url), urlsplit(urljoin(self.api_url, address))
        return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)

    def _send(self, method: str, path: str, limit: int, **options: Any) -> Reply:
        address = f"{self.api_url}{path}" if path.startswith("/") else path
        if not self.same_origin(address):
            raise NotSentError("the address is of another host")
        try:
            response = self._session().request(
                method, address, timeout=_TIMEOUT, allow_redirects=False, stream=True, **options
            )
            with contextlib.closing(response):
                body = self._read(response, limit)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise NotSentError(_reason(error)) if never_sent(error) else UnclearError(_reason(error)) from None
        finally:
            self._of_thread.used = self.clock.now().timestamp()
        self.last_date = response.headers.get("Date", self.last_date)
        return Reply(
            response.status_code,
            _json(body),
            response.headers.get("Date"),
            _retry_after(response.headers.get("Retry-After"), self.clock),
        )

    def _read(self, response: requests.Response, limit: int) -> bytes:
        started, chunks, size = self.clock.now().timestamp(), [], 0
        for chunk in response.iter_content(65536):
            size += len(chunk)
            if size > limit or self.clock.now().timestamp() - started > _ANSWER_SECONDS:
                raise requests.exceptions.ChunkedEncodingError("the answer is too long")
            chunks.append(chunk)
        return b"".join(chunks)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._of_thread, "session", None)
        if session is None:
            session = self._of_thread.session = self._new_session()
        return session

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # .netrc would replace our Authorization
        session.headers.update(
            {
                "Authorization": self._authorization,
                "Accept": "application/json",
                "User-Agent": f"credly-cli/{__version__}",
            }
        )
        session.verify = self._environ.get("REQUESTS_CA_BUNDLE") or self._environ.get("SSL_CERT_FILE") or True
        if proxy := self._proxy():
            session.proxies = {"https": proxy}
        session.mount("https://", self._adapter or HTTPAdapter(max_retries=0))
        session.mount("http://", self._adapter or HTTPAdapter(max_retries=0))
        return session

    def _proxy(self) -> str | None:
        if urlsplit(self.api_url).hostname in LOOPBACK:
            return None
        no_proxy = self._environ.get("no_proxy") or self._environ.get("NO_PROXY")
        if should_bypass_proxies(self.api_url, no_proxy):
            return None
        return self._environ.get("https_proxy") or self._environ.get("HTTPS_PROXY")

    def _idle_seconds(self) -> float:
        return self.clock.now().timestamp() - float(getattr(self._of_thread, "used", 0.0))

    def _wait(self, attempt: int, reply: Reply | None) -> bool:
        """Wait before another try; false when the run's time does not allow it."""
        told = reply.retry_after if reply else None
        seconds = told if told is not None else random.uniform(0, min(30.0, 0.5 * 2**attempt))  # noqa: S311 - spread
        if seconds > _LONGEST_WAIT:
            return False
        if self.deadline is not None and self.clock.now().timestamp() + seconds > self.deadline:
            return False
        self.clock.sleep(seconds)
        return True


def failure_of(reply: Reply) -> CredlyFailure | None:
    """Say what an answer that is no success means; ``None`` for a success with JSON."""
    status = reply.status
    if 200 <= status < 300:  # noqa: PLR2004
        if isinstance(reply.json, dict):
            return None
        return CredlyFailure("server-error", "Credly answered with something that is not JSON.", status)
    if 300 <= status < 400:  # noqa: PLR2004
        return CredlyFailure(
            "config-invalid",
            "Credly's address answers with a redirect, which is never followed.",
            status,
            "Check the API address: credly connect --api-url URL",
        )
    return _FAILURES.get(status, _server_failure if status >= 500 else _refusal)(reply)  # noqa: PLR2004


def _token_refused(reply: Reply) -> CredlyFailure:
    return CredlyFailure(
        "token-refused",
        f"Credly refused the token: {reply.message}.",
        reply.status,
        "It may have expired. Make a new one in Credly under Developers > Authorization Tokens, then: credly connect",
    )


def _token_forbidden(reply: Reply) -> CredlyFailure:
    return CredlyFailure(
        "token-forbidden",
        f"The token may not do this: {reply.message}.",
        reply.status,
        "It needs the rights to read and to write, in the organization that you connected.",
    )


def _rate_limited(reply: Reply) -> CredlyFailure:
    return CredlyFailure(
        "rate-limited", "Credly asks to slow down.", reply.status, "Try again in a few minutes; nothing is lost."
    )


def _server_failure(reply: Reply) -> CredlyFailure:
    return CredlyFailure(
        "server-error", f"Credly has a fault of its own: {reply.message}.", reply.status, "Try again later."
    )


def _refusal(reply: Reply) -> CredlyFailure:
    return CredlyFailure("server-error", f"Credly did not accept the request: {reply.message}.", reply.status)


_FAILURES = {401: _token_refused, 403: _token_forbidden, 429: _rate_limited, 408: _server_failure}


def _passes(failure: CredlyFailure) -> bool:
    """Tell a fault that may be gone on the next try."""
    return failure.status is None or failure.status in (408, 429, 200, 500, 502, 503, 504)


def _unreachable(api_url: str, error: Exception | None) -> CredlyFailure:
    host = urlsplit(api_url).netloc
    return CredlyFailure(
        "unreachable", f"Credly ({host}) does not answer: {error}.", None, "Check the network, then try again."
    )


def never_sent(error: BaseException) -> bool:
    """Tell from the reason within, not from the class: requests.ConnectionError is both refused and reset."""
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return True
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", None) or inner
    if isinstance(reason, urllib3.exceptions.SSLError):  # at the handshake; a later one may follow the request
        return bool(reason.args) and isinstance(reason.args[0], ssl.SSLCertVerificationError)
    return isinstance(error, requests.ConnectTimeout) or isinstance(reason, _NOT_SENT)


def _reason(error: BaseException) -> str:
    """Name the fault without its text, which may hold the address with an email in its query."""
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", None) or inner
    if isinstance(reason, urllib3.exceptions.NameResolutionError):
        return "its name is unknown"
    if isinstance(reason, urllib3.exceptions.NewConnectionError):
        return "no connection"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted"
    return "the connection broke"


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _retry_after(text: str | None, clock: Clock) -> float | None:
    """Read seconds or an HTTP date; what is neither, or lies in the past, says nothing."""
    if not text:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, (moment - clock.now()).total_seconds())
    except (ValueError, TypeError):
        return None


def _error_texts(errors: object) -> list[str]:
    """Read ``data.errors``, whose ``messages`` is a text or a list of them."""
    texts: list[str] = []
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, str):
            texts.append(error)
        elif isinstance(error, dict):
            messages = error.get("messages") or error.get("message") or ""
            words = ", ".join(map(str, messages)) if isinstance(messages, list) else str(messages)
            label = error.get("attribute_label") or error.get("attribute") or ""
            texts.append(f"{label}: {words}" if label else words)
    return texts
