"""Reading Thought Industries' API: pages of rows, in both shapes that its answers have, at the pace that it allows."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from credly_cli.errors import Failure, invalid_configuration
from credly_cli.http.auth import Bearer
from credly_cli.http.response import HttpFailure, Meaning, Service
from credly_cli.http.retry import Limits
from credly_cli.http.session import Session
from credly_cli.lms.source import SecretWords, SourceContext
from credly_cli.lms.thought_industries.paging import Page, Place, Row, read_page, unreadable, unwrapped
from credly_cli.token import Token, token_from
from credly_cli.urls import is_loopback

_API = "/incoming/v2"
_NOT_THERE = (400, 404, 410, 422)
_NOT_UNDERSTOOD = (400, 422)
_MOST_REPEATED = 3
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
_TYPES = "courseGroups,courses,learningPaths,bundles,discountGroups,pickableGroups,products"
_DATES = ("startDate", "endDate")


class Dialect:
    """How the site wants to be asked where the vendor's documents differ; asked the other way once, and remembered."""

    def __init__(self, overrides: Mapping[str, bool]) -> None:
        self.types = overrides.get("types", False)  # /content wants its types named
        self.iso = overrides.get("iso", False)  # times are ISO 8601, not milliseconds

    def overrides(self) -> dict[str, bool]:
        """Return what is remembered."""
        return {name: getattr(self, name) for name in ("types", "iso") if getattr(self, name)}

    def parameters(self, path: str, parameters: Mapping[str, str | int]) -> dict[str, str | int]:
        """Return the parameters as the site wants them; times are milliseconds since 1970."""
        asked = dict(parameters)
        if self.types and path == "/content":
            asked["types"] = _TYPES
        for name in _DATES:
            if self.iso and name in asked:
                moment = datetime.fromtimestamp(int(asked[name]) / 1000, UTC)
                asked[name] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return asked

    def turn(self, path: str, parameters: Mapping[str, str | int]) -> bool:
        """Ask the other way; returns whether there is one."""
        if path == "/content":
            self.types = not self.types
            return True
        if any(name in parameters for name in _DATES):
            self.iso = not self.iso
            return True
        return False


class Client:
    """Reads lists."""

    def __init__(self, context: SourceContext) -> None:
        self._http = Session(
            _SERVICE,
            _address(context) + _API,
            Bearer(_key(context)),
            context.clock,
            environ=context.environ,
            limits=Limits(counted=True),
            deadline=context.deadline,
            interruption=context.interruption,
            adapter=context.adapter,
        )
        self.dialect = Dialect({})
        self.answered = False  # so that a list that is refused is not taken for a refused key

    def ping(self) -> None:
        """Ask whether the site is there and takes the key; raises ``HttpFailure``."""
        self._get("/ping", {})

    def page(
        self, path: str, parameters: Mapping[str, str | int], *, read_before: int = 0, must_have_end: bool = True
    ) -> Page:
        """Read a page of a list, of which so many rows were read before; raises ``HttpFailure``."""
        return read_page(self._answer(path, parameters), read_before, must_have_end=must_have_end)

    def rows(self, path: str, *, must_have_end: bool = True, **parameters: str | int) -> Iterator[Row]:
        """Read a list to its end; raises ``HttpFailure`` for one that has none."""
        following: Place | None = {}
        progress, read = Progress(), 0
        while following is not None:
            page = self.page(path, {**parameters, **following}, read_before=read, must_have_end=must_have_end)
            yield from page.rows
            read += len(page.rows)
            if page.next and not progress.brings_news(page.rows):
                raise unreadable("gives the same page again and again")
            following = page.next

    def user(self, name: str) -> Row | None:
        """Read one user by id or address; ``None`` if there is none."""
        try:
            found = unwrapped(self._get(f"/users/{quote(name, safe='@')}", {}))
        except HttpFailure as failure:
            if is_not_there(failure):
                return None
            raise
        return found if found and found.get("email") else None

    def _answer(self, path: str, parameters: Mapping[str, str | int]) -> Any:
        """Ask in the site's dialect; a first page that is refused is asked for the other way, once."""
        try:
            return self._get(path, self.dialect.parameters(path, parameters))
        except HttpFailure as refused:
            is_first = "cursor" not in parameters and "page" not in parameters
            if refused.status not in _NOT_UNDERSTOOD or not is_first or not self.dialect.turn(path, parameters):
                raise
            try:
                return self._get(path, self.dialect.parameters(path, parameters))
            except HttpFailure:
                self.dialect.turn(path, parameters)
                raise refused from None

    def _get(self, path: str, parameters: Mapping[str, str | int]) -> Any:
        body = self._http.get(path, parameters).json
        if body.get("errors"):
            raise unreadable("answered with errors")
        self.answered = True
        return body


class Progress:
    """Notices pages that bring nothing new, of a walk that would never end otherwise."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._repeated = 0

    def brings_news(self, rows: list[Row]) -> bool:
        """Tell whether to go on: a few pages may be empty, or bring again what others brought."""
        mark = hash(tuple(str(row.get("id") or sorted(row)) for row in rows))
        self._repeated = self._repeated + 1 if mark in self._seen else 0
        self._seen.add(mark)
        return self._repeated < _MOST_REPEATED


def _address(context: SourceContext) -> str:
    host = (context.settings.lms.thought_industries.host or "").strip()
    if not host:
        raise _invalid("lms.thought_industries.host is not set.")
    matched = _HOST.fullmatch(host.lower())
    if not matched:
        raise _invalid(f"lms.thought_industries.host must be a host such as learn.example.com, not {host!r}.")
    scheme, name = matched["scheme"], matched["name"]
    local = is_loopback(name.strip("[]"))
    if scheme == "http" and not local:
        raise _invalid("lms.thought_industries.host must be reached by https://.")
    return f"{scheme or ('http' if local else 'https')}://{name}{matched['port'] or ''}"


def _invalid(message: str) -> Failure:
    return invalid_configuration(f"In the configuration, {message}", 'For example: host = "learn.example.com"')


def _key(context: SourceContext) -> Token:
    """Read the API key; raises ``Failure``, without repeating it."""
    words = SecretWords("token file", "There is no API key for Thought Industries.", _KEY_HINT)
    return context.secret("thought-industries", words, token_from)


def is_not_there(failure: HttpFailure) -> bool:
    """Tell whether the LMS does not know what it was asked for, such as a cursor of yesterday."""
    return failure.status in _NOT_THERE
