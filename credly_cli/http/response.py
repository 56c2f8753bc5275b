"""What Credly answers: a reply, the failure that it means, and how long it asks us to wait."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from credly_cli.errors import ErrorCode, Failure
from credly_cli.text import Command, Hint, storable

_LONGEST_MESSAGE = 300
_LONGEST_WAIT = 86_400.0  # seconds; who is told to wait for longer comes back in another run all the same


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: its status, its JSON (``None`` when it is not JSON), and what its headers tell."""

    status: int
    json: Any
    date: str | None
    retry_after: float | None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """What Credly says went wrong, from ``data.message`` and ``data.errors``, without a full stop at its end."""
        data = self.json.get("data") if isinstance(self.json, dict) else None
        try:
            told = _words(data) if isinstance(data, dict) else ""
        except RecursionError:  # nested deeper than can be written down
            told = ""
        if len(told) > _LONGEST_MESSAGE:
            told = f"{told[:_LONGEST_MESSAGE]}..."
        return told or f"status {self.status}"


class CredlyFailure(Failure):
    """A failure that Credly's answer tells, with its status (``None`` without an answer)."""

    def __init__(self, code: ErrorCode, message: str, status: int | None, hint: Hint | str | None = None) -> None:
        super().__init__(code, message, hint=hint)
        self.status = status


def failure_of(reply: Reply) -> CredlyFailure | None:
    """Say what an answer that is no success means; ``None`` for a success with JSON."""
    status = reply.status
    if 200 <= status < 300:  # noqa: PLR2004
        return None if isinstance(reply.json, dict) else _not_json(reply)
    if 300 <= status < 400:  # noqa: PLR2004
        return _redirect(reply)
    return _FAILURES.get(status, _server_failure if status >= 500 else _refusal)(reply)  # noqa: PLR2004


_CONNECT_TO = Command("connect", "--api-url", "URL")


def _not_json(reply: Reply) -> CredlyFailure:
    return CredlyFailure(
        "server-error",
        "Credly answered with something that is not JSON.",
        reply.status,
        Hint("Try again later. If it stays so, check the API address:", _CONNECT_TO),
    )


def _redirect(reply: Reply) -> CredlyFailure:
    return CredlyFailure(
        "config-invalid",
        "Credly's address answers with a redirect, which is never followed.",
        reply.status,
        Hint("Check the API address:", _CONNECT_TO),
    )


def _token_refused(reply: Reply) -> CredlyFailure:
    return CredlyFailure(
        "token-refused",
        f"Credly refused the token: {reply.message}.",
        reply.status,
        Hint(
            "It may have expired. Make a new one in Credly under Developers > Authorization Tokens, then:",
            Command("connect"),
        ),
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
    return CredlyFailure(
        "server-error",
        f"Credly did not accept the request: {reply.message}.",
        reply.status,
        Hint("Check the API address and the organization with:", Command("status")),
    )


_FAILURES = {401: _token_refused, 403: _token_forbidden, 429: _rate_limited, 408: _server_failure}


def read_json(body: bytes) -> Any:
    """Read a body; ``None`` for what is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def read_retry_after(text: str | None, now: datetime) -> float | None:
    """Read seconds or an HTTP date, up to a day; what is neither, or is negative, says nothing."""
    text = (text or "").strip()
    try:
        told = float(text) if text.isascii() and text.isdigit() else (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, told), _LONGEST_WAIT)


def _words(data: Mapping[str, Any]) -> str:
    texts = [data.get("message"), *_error_texts(data.get("errors"))]
    told = "; ".join(dict.fromkeys(str(text).strip() for text in texts if text)).rstrip(". ")
    return storable(told).replace("\0", "?")  # SQLite would end the text there


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
