"""Reading Thought Industries' API: pages of rows, in both shapes that its answers have, at the pace that it allows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from credly_cli.config import is_loopback
from credly_cli.errors import Failure
from credly_cli.http.auth import Bearer
from credly_cli.http.errors import HttpFailure
from credly_cli.http.response import Meaning, Service
from credly_cli.http.retry import Limits
from credly_cli.http.session import Session
from credly_cli.lms.source import SourceContext
from credly_cli.token import Token, read_private_file, token_from

_API = "/incoming/v2"
_ROWS = ("events", "APIEvents", "users", "contentItems", "content", "clients", "licenses", "nodes", "items", "data")
_NO_MORE = ("", "false", "0", "none")
_NOT_THERE = (400, 404, 410, 422)
_HOST = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<name>[a-z0-9.-]+|\[[0-9a-f:]+\])(?P<port>:\d{1,5})?(?:/incoming/v2)?/*", re.ASCII
)
_KEY_HINT = "Set CREDLY_LMS_TOKEN, or name a file of mode 0600 as token_file in [lms.thought_industries]."
_REFUSED = Meaning(
    "lms-token-refused",
    "{name} refused the API key.",
    f"An admin of Thought Industries makes a new one. {_KEY_HINT}",
)
_SERVICE = Service(
    "Thought Industries",
    {"unauthorized": _REFUSED, "forbidden": _REFUSED},
    hint="Nothing is lost: the next sync goes on from here.",
)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a list, and what to ask for the next ones with (``None`` on the last page)."""

    rows: list[dict[str, Any]]
    next: dict[str, str | int] | None


class Client:
    """Reads lists."""

    def __init__(self, around: SourceContext) -> None:
        self._http = Session(
            _SERVICE,
            _address(around) + _API,
            Bearer(_key(around)),
            around.clock,
            environ=around.environ,
            limits=Limits(counted=True),
            deadline=around.deadline,
            interruption=around.interruption,
            adapter=around.adapter,
        )

    def ping(self) -> None:
        """Ask whether the site is there and takes the key; raises ``HttpFailure``."""
        self._get("/ping", {})

    def page(self, path: str, parameters: Mapping[str, str | int]) -> Page:
        """Read a page; raises ``HttpFailure``."""
        rows, information = _listed(self._get(path, parameters))
        following = _following(information)
        if following and all(parameters.get(name) == value for name, value in following.items()):
            raise _unreadable("gives the same page again and again")
        return Page([row for row in rows if isinstance(row, dict)], following)

    def user(self, name: str) -> dict[str, Any] | None:
        """Read one user by id or address; ``None`` if there is none."""
        try:
            body = self._get(f"/users/{quote(name, safe='@')}", {})
        except HttpFailure as failure:
            if is_not_there(failure):
                return None
            raise
        for wrapping in ("data", "user"):
            body = body.get(wrapping, body) if isinstance(body, dict) else None
        return body if isinstance(body, dict) and body.get("email") else None

    def _get(self, path: str, parameters: Mapping[str, str | int]) -> Any:
        body = self._http.get(path, parameters).json
        if body.get("errors"):
            raise _unreadable("answered with errors")
        return body


def _address(around: SourceContext) -> str:
    host = (around.settings.lms.thought_industries.host or "").strip()
    if not host:
        raise _invalid("lms.thought_industries.host is not set.")
    told = _HOST.fullmatch(host.lower())
    if not told:
        raise _invalid(f"lms.thought_industries.host must be a host such as learn.example.com, not {host!r}.")
    scheme, name = told["scheme"], told["name"]
    local = is_loopback(name.strip("[]"))
    if scheme == "http" and not local:
        raise _invalid("lms.thought_industries.host must be reached by https://.")
    return f"{scheme or ('http' if local else 'https')}://{name}{told['port'] or ''}"


def _invalid(message: str) -> Failure:
    return Failure("config-invalid", f"In the configuration, {message}", hint='For example: host = "learn.example.com"')


def _key(around: SourceContext) -> Token:
    """Read the API key; raises ``Failure``, without repeating it."""
    path = around.settings.lms.thought_industries.token_file
    try:
        if "CREDLY_LMS_TOKEN" in around.environ:
            return token_from(around.environ["CREDLY_LMS_TOKEN"], "CREDLY_LMS_TOKEN")
        if path:
            file = Path(around.settings.folder, Path(path).expanduser())
            return token_from(read_private_file(file), f"the token file {file}")
    except Failure as failure:
        raise Failure("lms-token-refused", failure.message, hint=failure.hint or _KEY_HINT) from None
    raise Failure("lms-token-refused", "There is no API key for Thought Industries.", hint=_KEY_HINT)


def _listed(body: Any) -> tuple[list[Any], Mapping[str, Any]]:
    """Return the rows and the ``pageInfo`` of an answer, also of ``{"data": {"APIEvents": {...}}}``."""
    information: Any = {}
    while isinstance(body, dict):
        information = body.get("pageInfo", information)
        rows = next((body[name] for name in _ROWS if isinstance(body.get(name), list)), None)
        if rows is not None:
            return rows, information if isinstance(information, dict) else {}
        body = body.get("data") if "data" in body else _only(body)
    raise _unreadable("gave an answer without the list that was asked for")


def _only(body: dict[str, Any]) -> Any:
    values = list(body.values())
    return values[0] if len(values) == 1 else None


def _following(information: Mapping[str, Any]) -> dict[str, str | int] | None:
    """Return what to ask for the next page with: more without a way to it must not pass for the end."""
    if str(information.get("hasMore")).strip().lower() in _NO_MORE:
        return None
    if cursor := information.get("cursor"):
        return {"cursor": str(cursor)}
    current = str(information.get("currentPage"))
    if not current.isdecimal():
        raise _unreadable("says that there is more, and not where")
    return {"page": int(current) + 1}


def is_not_there(failure: HttpFailure) -> bool:
    """Tell whether the LMS does not know what it was asked for, such as a cursor of yesterday."""
    return failure.status in _NOT_THERE


def _unreadable(what: str) -> HttpFailure:
    return HttpFailure("server-error", f"Thought Industries {what}.", hint="The next sync tries again from here.")
