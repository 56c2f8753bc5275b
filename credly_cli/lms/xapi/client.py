"""Asking a learning record store for statements, in the way that it understands.

The standard leaves little open, and stores differ all the same: one refuses a version or a limit, one tells nothing
when it is asked for a verb, one compares ``since`` with another time, one does not know ``ascending``. What was learned
of a store is its ``Dialect``, which is remembered.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urljoin

from credly_cli.errors import Failure, invalid_configuration
from credly_cli.http.auth import Basic
from credly_cli.http.response import HttpFailure, Meaning, Reply, Service, read_date
from credly_cli.http.session import Session
from credly_cli.lms.source import SecretWords, SourceContext
from credly_cli.lms.xapi.statements import precise
from credly_cli.text import JsonObject
from credly_cli.token import Token

VERSIONS = ("1.0.3", "2.0.0")
_LIMIT = 500  # statements of a page; a store may give fewer
_NOT_UNDERSTOOD = (400, 406, 409, 412, 422)
_GONE = (400, 404, 410, 422)
_GIVE_IT = "Set CREDLY_LMS_TOKEN, or name a file of mode 0600 as password_file in [lms.xapi]."
_REFUSED = Meaning(
    "lms-token-refused",
    "{name} refused the user or the password.",
    f"Its admin makes new ones. {_GIVE_IT}",
)
_FORBIDDEN = Meaning(
    "lms-token-refused",
    "{name} does not let this user read statements: {message}.",
    "Its admin lets the user read all statements (statements/read, or all/read).",
)
SERVICE = Service(
    "The record store",
    {"unauthorized": _REFUSED, "forbidden": _FORBIDDEN, "firewall": _FORBIDDEN},
    hint="Nothing is lost: the next sync goes on from here.",
)


@dataclass(slots=True)
class Dialect:
    """How a store wants to be asked, as far as that is not as the standard says."""

    version: str = VERSIONS[0]
    limit: bool = True  # takes a limit
    ascending: bool = True  # gives the oldest first when asked to
    verb: bool = True  # filters statements by their verb
    since: bool = True  # compares `since` with the time of storing
    by_verb: bool = False  # it has so much else that each verb is asked for
    probed: bool = False  # it is known how it compares `since`

    @classmethod
    def of(cls, overrides: JsonObject) -> "Dialect":
        """Read what is remembered."""
        return cls(**{name: overrides[name] for name in cls.__slots__ if name in overrides})

    def overrides(self) -> JsonObject:
        """Return what is to be remembered."""
        usual = Dialect()
        return {name: value for name, value in asdict(self).items() if value != getattr(usual, name)}


class Page(NamedTuple):
    """Statements, where to go on (``None`` at the end), and what the headers say.

    Times, and the ``stored`` of statements, are as ``precise`` writes them, ``None`` where they cannot be read.

    ``through`` is up to when of storing the answer is complete, ``date`` the store's clock.
    """

    statements: list[JsonObject]
    more: str | None
    through: str | None
    date: str | None
    version: str | None


class Client:
    """Reads statements."""

    def __init__(self, context: SourceContext) -> None:
        settings = context.settings.lms.xapi
        if not settings.endpoint:
            raise _invalid("lms.xapi.endpoint is not set.", 'endpoint = "https://lrs.example.com/xapi"')
        if not (settings.user or "").strip():
            raise _invalid("lms.xapi.user is not set.", 'user = "credly"')
        self._http = Session(
            SERVICE,
            settings.endpoint,
            Basic(Token(str(settings.user)), secret_of(context)),
            context.clock,
            environ=context.environ,
            deadline=context.deadline,
            interruption=context.interruption,
            adapter=context.adapter,
        )
        self._origin = settings.endpoint
        self.dialect = Dialect()

    def versions(self) -> list[str] | None:
        """Return the versions that the store speaks, ``None`` where it does not say; raises ``HttpFailure``."""
        try:
            versions = self._get("/about", {}).json.get("version")
        except HttpFailure as failure:
            if failure.status is None or failure.code != "server-error":
                raise
            return None
        return list(map(str, versions)) if isinstance(versions, list) else None

    @property
    def date(self) -> datetime | None:
        """The store's clock, as its last answer gave it."""
        return read_date(self._http.last_date)

    def first_page(self, **parameters: str) -> Page:
        """Ask for statements; another version is tried where one is refused. Raises ``HttpFailure``."""
        variants = [(version, limit) for limit in (True, False) for version in VERSIONS]
        now = (self.dialect.version, self.dialect.limit)
        variants.sort(key=lambda variant: variant != now)
        refused: HttpFailure | None = None
        for version, limit in variants:
            self.dialect.version, self.dialect.limit = version, limit
            asked = {"limit": str(_LIMIT), **parameters} if limit else parameters
            try:
                return self._page(self._get("/statements", asked))
            except HttpFailure as failure:
                if failure.status not in _NOT_UNDERSTOOD:
                    raise
                refused = refused or failure
        self.dialect.version, self.dialect.limit = now
        raise refused or unreadable("does not answer")

    def page(self, more: str) -> Page:
        """Follow where a page said to go on; raises ``HttpFailure``."""
        return self._page(self._get(urljoin(self._origin, more), None))

    def leads_elsewhere(self, more: str) -> bool:
        """Tell whether a place is at another host, which does not get the password."""
        return not self._http.same_origin(urljoin(self._origin, more))

    def _get(self, path: str, parameters: Mapping[str, str] | None) -> Reply:
        return self._http.get(path, parameters, headers={"X-Experience-API-Version": self.dialect.version})

    def _page(self, reply: Reply) -> Page:
        rows = reply.json.get("statements")
        if not isinstance(rows, list):
            raise unreadable("gave an answer without statements")
        more = reply.json.get("more")
        date = read_date(reply.date)
        statements = [row for row in rows if isinstance(row, dict)]
        for row in statements:
            row["stored"] = precise(row.get("stored") or row.get("timestamp"))
        return Page(
            statements,
            str(more) if more else None,
            precise(reply.headers.get("X-Experience-API-Consistent-Through")),
            precise(date.isoformat()) if date else None,
            reply.headers.get("X-Experience-API-Version"),
        )


def is_gone(failure: HttpFailure) -> bool:
    """Tell whether the store does not know a place any more that it named before."""
    return failure.status in _GONE


def unreadable(what: str) -> HttpFailure:
    """Say that an answer cannot be relied on."""
    return HttpFailure("server-error", f"{SERVICE.name} {what}.", hint="The next sync tries again from here.")


def _invalid(message: str, example: str) -> Failure:
    return invalid_configuration(f"In the configuration, {message}", f"For example: {example}")


def secret_of(context: SourceContext) -> Token:
    """Read the password; raises ``Failure``, without repeating it."""
    words = SecretWords("password file", "There is no password for the record store.", _GIVE_IT)
    return context.secret("xapi", words, _secret)


def _secret(text: str, origin: str) -> Token:
    secret = text.strip("\r\n")
    if not secret.strip() or not secret.isprintable():
        raise Failure("lms-token-refused", f"What {origin} holds is no password.", hint=_GIVE_IT)
    return Token(secret)
