"""What goes wrong between here and a service: whether a request can have arrived, and why in a few words."""

import ssl

import requests
import urllib3.exceptions

from credly_cli.errors import ErrorCode, Failure
from credly_cli.text import Hint

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
