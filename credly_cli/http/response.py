"""What comes back from a service: its answer and what that means, or why there is none."""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import requests
import urllib3.exceptions

from credly_cli.errors import ErrorCode, Failure
from credly_cli.text import Hint, storable

_NOT_SENT = (  # urllib3's reasons for which no byte of the request has left
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
)
_NEVER_BEGUN = (  # of a request that was prepared: there is no way to the host, or its proxy has no address
    requests.ConnectTimeout,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
)


class NotSentError(Exception):
    """No byte of the request has left this machine."""


class UnclearError(Exception):
    """The request may have arrived; its answer did not, or not whole."""


class HttpFailure(Failure):
    """A failure that a service's answer means, with its HTTP status (``None`` without an answer).

    ``retry_after`` is how many seconds the service asks to wait, where it says so.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        status: int | None = None,
        hint: Hint | str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(code, message, hint=hint)
        self.status = status
        self.retry_after = retry_after


def out_of_time() -> HttpFailure:
    """Return what it means for reading that the run's time was used up."""
    return HttpFailure(
        "rate-limited", "The time allowed was used up.", hint="The next sync goes on where this one ended."
    )


def broken(error: BaseException) -> NotSentError | UnclearError:
    """Say what a failed request is to its sender."""
    return NotSentError(reason(error)) if never_sent(error) else UnclearError(reason(error))


def never_sent(error: BaseException) -> bool:
    """Tell from the reason within, not from the class: requests.ConnectionError is both refused and reset."""
    if isinstance(error, _NEVER_BEGUN):
        return True
    inner = _inner(error)
    if isinstance(inner, urllib3.exceptions.SSLError):  # at the handshake; a later one may follow the request
        return bool(inner.args) and isinstance(inner.args[0], ssl.SSLCertVerificationError)
    return isinstance(inner, _NOT_SENT) or _is_refused_by_proxy(inner)


def reason(error: BaseException) -> str:
    """Name the fault without its text, which may hold the address with an email in its query."""
    inner = _inner(error)
    if isinstance(inner, urllib3.exceptions.NameResolutionError):
        return "its name is unknown"
    if _is_refused_by_proxy(inner):
        return "the proxy does not let us through"
    if isinstance(inner, urllib3.exceptions.NewConnectionError):
        return "no connection"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted"
    return "the connection broke"


def _is_refused_by_proxy(inner: object) -> bool:
    """Tell a proxy that lets nobody through from a tunnel that closed later, which urllib3 calls by the same name."""
    if not isinstance(inner, urllib3.exceptions.ProxyError):
        return False
    cause = inner.original_error
    return isinstance(cause, _NOT_SENT) or (type(cause) is OSError and cause.errno is None)  # a refused CONNECT


def _inner(error: BaseException) -> object:
    inner = error.args[0] if error.args else None
    return getattr(inner, "reason", None) or inner


_LONGEST_MESSAGE = 300
_LONGEST_WAIT = 86_400.0  # seconds; who is told to wait for longer comes back in another run all the same


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: its status, its JSON (``None`` when it is not JSON), and what its headers tell.

    ``date`` is the text of the header, by the service's clock, where it can be read; ``retry_after`` is in seconds from
    when the answer came. ``is_page`` where the body is something else than JSON, such as a page of HTML.
    """

    status: int
    json: Any
    date: str | None
    retry_after: float | None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_page: bool = False

    @property
    def message(self) -> str:
        """What the service says went wrong, from ``message`` and ``errors`` in ``data`` or without it; no full stop.

        Credly has them in ``data``, Thought Industries has none.
        """
        data = self.json.get("data", self.json) if isinstance(self.json, dict) else None
        try:
            message = _words(data) if isinstance(data, dict) else ""
        except RecursionError:  # nested deeper than can be written down
            message = ""
        if len(message) > _LONGEST_MESSAGE:
            message = f"{message[:_LONGEST_MESSAGE]}..."
        return message or f"status {self.status}"

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names of what the service found fault with, from ``attribute`` of each of ``data.errors``."""
        data = self.json.get("data") if isinstance(self.json, dict) else None
        errors = data.get("errors") if isinstance(data, dict) else None
        rows = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
        named = [error.get("attribute") for error in rows]
        return tuple(dict.fromkeys(name for name in named if isinstance(name, str)))

    @property
    def is_of_firewall(self) -> bool:
        """Whether a 403 is no answer of the service, which answers in JSON."""
        return self.status == _FORBIDDEN and self.is_page


Fault = Literal["silent", "not-json", "redirect", "unauthorized", "forbidden", "firewall", "busy", "broken", "refused"]


class Meaning(NamedTuple):
    """What a fault is to the user: a code and two sentences, with ``{name}`` of the service and ``{message}`` of it."""

    code: ErrorCode
    sentence: str
    hint: Hint | str


_MEANINGS: dict[Fault, Meaning] = {
    "silent": Meaning("unreachable", "{name} ({host}) does not answer{message}.", "Check the network, then try again."),
    "not-json": Meaning("server-error", "{name} answered with something that is not JSON.", "Try again later."),
    "redirect": Meaning(
        "server-error",
        "The address of {name} answers with a redirect, which is never followed.",
        "Check the address.",
    ),
    "unauthorized": Meaning("token-refused", "{name} refused the token: {message}.", "Make a new one."),
    "forbidden": Meaning("token-forbidden", "The token may not do this: {message}.", "It needs more rights."),
    "firewall": Meaning(
        "server-error",
        "Something between here and {name}, such as a firewall, answered in its place: {message}.",
        "Try again later. If it stays so, ask who runs the network.",
    ),
    "busy": Meaning("rate-limited", "{name} asks to slow down.", "Try again in a few minutes; nothing is lost."),
    "broken": Meaning("server-error", "{name} has a fault of its own: {message}.", "Try again later."),
    "refused": Meaning("server-error", "{name} did not accept the request: {message}.", "Check the address."),
}
_FORBIDDEN = 403
_OF_STATUS: dict[int, Fault] = {401: "unauthorized", 403: "forbidden", 429: "busy", 408: "broken"}


@dataclass(frozen=True, slots=True)
class Service:
    """Whom we speak to: its name in sentences, what its faults mean where that differs, and a hint for the others."""

    name: str
    meanings: Mapping[Fault, Meaning] = field(default_factory=dict)
    hint: str | None = None

    def failure(self, fault: Fault, reply: Reply | None = None, *, message: str = "", host: str = "") -> HttpFailure:
        """Make the failure that a fault means; ``message`` is of our own where there is no answer."""
        particular = self.meanings.get(fault)
        code, sentence, hint = particular or _MEANINGS[fault]
        hint = hint if particular else self.hint or hint
        text = sentence.format(name=self.name, message=reply.message if reply else message, host=host)
        return HttpFailure(code, text, reply.status if reply else None, hint, reply.retry_after if reply else None)

    def failure_of(self, reply: Reply) -> HttpFailure | None:
        """Say what an answer that is no success means; ``None`` for a success with a JSON object."""
        status = reply.status
        if 200 <= status < 300:  # noqa: PLR2004
            return None if isinstance(reply.json, dict) else self.failure("not-json", reply)
        if 300 <= status < 400:  # noqa: PLR2004
            return self.failure("redirect", reply)
        if reply.is_of_firewall:
            return self.failure("firewall", reply)
        return self.failure(_OF_STATUS.get(status, "broken" if status >= 500 else "refused"), reply)  # noqa: PLR2004


def read_json(body: bytes) -> Any:
    """Read a body; ``None`` for what is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


@lru_cache(maxsize=16)  # the answers of a second bear the same one
def read_date(text: str | None) -> datetime | None:
    """Read a ``Date`` header, or a time that was stored as one; ``None`` for what is none, or has no time zone."""
    try:
        moment = parsedate_to_datetime(text) if text else None
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def read_retry_after(text: str | None, now: datetime) -> float | None:
    """Read how many seconds to wait, up to a day, from seconds or an HTTP date; what is neither says nothing."""
    text = (text or "").strip()
    try:
        if text.isascii() and text.isdigit():
            seconds = float(text)
        elif moment := read_date(text):
            seconds = (moment - now).total_seconds()
        else:
            return None
    except OverflowError:
        return None
    return min(max(0.0, seconds), _LONGEST_WAIT)


def _words(data: Mapping[str, Any]) -> str:
    texts = [data.get("message"), *_error_texts(data.get("errors"))]
    message = "; ".join(dict.fromkeys(str(text).strip() for text in texts if text)).rstrip(". ")
    return storable(message).replace("\0", "?")  # SQLite would end the text there


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
