"""The stand-in in process: a ``requests`` transport that asks no network."""

from http.client import RemoteDisconnected, responses
from io import BytesIO

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from credly_cli.sandbox.api import Api
from credly_cli.sandbox.records import Request
from tests.support.faults import Delivery, Ending
from tests.support.stand_in import FaultySandbox

URL = "https://sandbox.invalid"


class SandboxAdapter(HTTPAdapter):
    """Answers prepared requests from a sandbox; what a network would do to them is raised as ``requests`` does."""

    def __init__(self, sandbox: FaultySandbox) -> None:
        super().__init__()
        self.sandbox = sandbox
        self._api = Api(sandbox)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002 - the base class calls it so
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,  # noqa: ARG002
        cert: str | tuple[str, str] | None = None,  # noqa: ARG002
        proxies: dict[str, str] | None = None,  # noqa: ARG002
    ) -> requests.Response:
        """Answer a request."""
        answer = Delivery.of(self._api.handle(_read(request)))
        _raise_if_unsent(answer, request)
        self._wait(answer, timeout, request)
        raw = HTTPResponse(
            body=BytesIO(answer.body[: answer.cut_at]),
            headers={**answer.headers, "Content-Length": str(len(answer.body))},
            status=answer.status,
            reason=responses.get(answer.status, ""),
            preload_content=False,
            request_method=request.method,
            enforce_content_length=True,
        )
        return self.build_response(request, raw)

    def _wait(self, answer: Delivery, timeout: object, request: requests.PreparedRequest) -> None:
        patience = timeout[1] if isinstance(timeout, tuple) else timeout
        wait = answer.delay + answer.pace
        if isinstance(patience, int | float) and wait > patience:
            self.sandbox.sleep(patience)
            raise requests.ReadTimeout("Read timed out.", request=request)
        if wait:
            self.sandbox.sleep(wait)


def mount(session: requests.Session, sandbox: FaultySandbox, url: str = URL) -> None:
    """Let a session find the sandbox at an address."""
    session.mount(url, SandboxAdapter(sandbox))


def _read(request: requests.PreparedRequest) -> Request:
    body = request.body or b""
    content = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b""
    headers = {name: str(value) for name, value in request.headers.items()}
    return Request.to_url(request.method or "GET", request.url or "", headers, content)


def _raise_if_unsent(answer: Delivery, request: requests.PreparedRequest) -> None:
    if answer.ending is Ending.UNREACHABLE:
        reason = NewConnectionError(HTTPConnection("sandbox.invalid"), "Connection refused")
        raise requests.ConnectionError(MaxRetryError(None, request.url or "", reason), request=request)  # type: ignore[arg-type]
    if answer.ending is Ending.DROPPED:
        lost = RemoteDisconnected("Remote end closed connection without response")
        raise requests.ConnectionError(ProtocolError("Connection aborted.", lost), request=request)
    if answer.ending is Ending.RESET:
        reset = ConnectionResetError(104, "Connection reset by peer")
        raise requests.ConnectionError(ProtocolError("Connection aborted.", reset), request=request)
