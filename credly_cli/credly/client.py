"""The calls of Credly's API that this program makes, each once and by name."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import quote

from credly_cli.credly.paging import Listing, NoSearchError, follow_links, read_listing
from credly_cli.credly.records import (
    NOT_TOLD,
    Badge,
    BadgeRequest,
    IssuedBadge,
    Organization,
    Refusal,
    TokenFacts,
    UnreadableRecordError,
    badge_from,
    issued_badge_from,
    organization_from,
    refusal_of,
    token_facts_from,
)
from credly_cli.errors import Exit, Failure
from credly_cli.http.auth import Auth, Basic
from credly_cli.http.response import HttpFailure, Meaning, NotSentError, Reply, Service, UnclearError
from credly_cli.http.session import Parameters, Session
from credly_cli.progress import Progress
from credly_cli.text import Command, Hint
from credly_cli.times import Clock
from credly_cli.token import Token

_ADDRESS = Command("connect", "--api-url", "URL")
_CHECK_ADDRESS = Hint("Check the API address:", _ADDRESS)
CREDLY = Service(
    "Credly",
    {
        "not-json": Meaning(
            "server-error",
            "Credly answered with something that is not JSON.",
            Hint("Try again later. If it stays so, check the API address:", _ADDRESS),
        ),
        "redirect": Meaning(
            "config-invalid", "Credly's address answers with a redirect, which is never followed.", _CHECK_ADDRESS
        ),
        "unauthorized": Meaning(
            "token-refused",
            "Credly refused the token: {message}.",
            Hint(
                "It may have expired. Make a new one in Credly under Developers > Authorization Tokens, then:",
                Command("connect"),
            ),
        ),
        "forbidden": Meaning(
            "token-forbidden",
            "The token may not do this: {message}.",
            "It needs the rights to read and to write, in the organization that you connected.",
        ),
        "refused": Meaning(
            "server-error",
            "Credly did not accept the request: {message}.",
            Hint("Check the API address and the organization with:", Command("status")),
        ),
    },
)
_NOT_FOUND = 404
_FAULT = 500
_NO_SEARCH = (400, 403, 404, 405, 422, 500, 501)
_NO_LIST = (400, 403, 404, 405, 422, 501)  # organizations are not listed for everybody
REFUSES_SORTING = (400, 422, 500)  # an unknown column to sort by may be a fault of Credly's own
_MOST_PAGES_OF_ORGANIZATIONS = 100
_MOST_PAGES_OF_TOKENS = 20

_NOT_TOLD_BY = (408, 425)  # whether the request was applied
_MEANINGS: dict[int, "AnswerKind"] = {
    400: "rejected",
    401: "stop",
    402: "unpaid",
    403: "forbidden",
    404: "missing",
    409: "conflict",
    413: "rejected",
    415: "rejected",
    422: "refused",  # a duplicate or a mistake: the text is no contract
    429: "busy",  # refused before it was processed
}


AnswerKind = Literal[
    "issued", "not-sent", "busy", "refused", "rejected", "missing", "forbidden", "unpaid", "conflict", "stop", "unclear"
]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of sending a badge.

    ``kind``: ``issued`` (with the badge), ``not-sent`` and ``busy`` (429) (to be sent again), ``refused`` (a 422, or
    another 4xx in Credly's own form, to be looked up before it is believed), ``rejected`` (not applied, with Credly's
    words), ``missing`` (404), ``forbidden`` (403: the token lacks a right, or this badge may not be issued), ``unpaid``
    (402) and ``conflict`` (409) (not applied, with Credly's words; to be looked up once), ``stop`` (a refused token, a
    redirect: nothing was applied and the run ends), or ``unclear``. A page of a firewall is ``not-sent``: it let
    nothing through.
    """

    kind: AnswerKind
    detail: str | None = None
    reply: Reply | None = None
    badge: IssuedBadge | None = None
    cause: Failure | None = None  # why nothing could be sent at all

    @property
    def failure(self) -> Failure | None:
        """What a ``stop``, or a ``forbidden`` that concerns every badge, means for the run."""
        if self.cause is not None:
            return self.cause
        return CREDLY.failure_of(self.reply) if self.reply else None

    @property
    def attributes(self) -> tuple[str, ...]:
        """The fields that Credly found fault with, such as ``recipient_email``; a duplicate is told by one too."""
        return self.reply.attributes if self.reply else ()

    @property
    def refusal(self) -> Refusal | None:
        """What a refusal means for the grant: a 422 may be about a duplicate, what is unpaid or a conflict is not."""
        if self.kind in ("unpaid", "conflict"):
            return "invalid"
        return refusal_of(self.detail or "", self.attributes) if self.kind == "refused" else None


_ORGANIZATIONS = "/organizations"
_BY_CREATION = {"sort": "created_at"}
_ACTIVE = {"filter": "state::active", **_BY_CREATION}
_AT_ONCE = 3  # the organization and the first pages of two lists
_FRESH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Organizations:
    """The organizations of a token by id; those among them whose own row cannot be read are ``unread``."""

    by_id: Mapping[str, Organization]
    unread: frozenset[str] = frozenset()


def session_of(api_url: str, auth: Auth | Token, clock: Clock, renewal: str | None = None, **options: Any) -> Session:
    """Make the way to an address of Credly's API; ``options`` are those of ``Session``.

    ``renewal`` is how a token that is refused is replaced where `connect` does not keep it.
    """
    service = CREDLY
    if renewal is not None:
        refused = CREDLY.meanings["unauthorized"]._replace(hint=renewal)
        service = replace(CREDLY, meanings={**CREDLY.meanings, "unauthorized": refused})
    return Session(service, api_url, Basic(auth) if isinstance(auth, Token) else auth, clock, **options)


class Client:
    """Credly's API, for one organization once ``organization_id`` is set."""

    def __init__(
        self, http: Session, organization_id: str = "", parallel: int = 4, *, token: Token | None = None
    ) -> None:
        self.http = http
        self.token = token  # an authorization token, to find it among those of the organization
        self.organization_id = organization_id
        self.parallel = parallel
        self.progress = Progress()  # told how far each long exchange is
        self._begun: dict[str, tuple[float, Future[Reply]]] = {}
        self._unsorted = set[str]()  # the lists that Credly does not sort

    @property
    def _organization(self) -> str:
        return f"/organizations/{quote(self.organization_id, safe='')}"

    @property
    def _badges(self) -> str:
        return f"{self._organization}/badge_templates"

    @property
    def _issued_badges(self) -> str:
        return f"{self._organization}/badges"

    def organizations(self, named: str | None = None, *, tries: int | None = None) -> Organizations:
        """List the organizations that the token belongs to; normally one. Raises ``Failure``.

        Where Credly does not list them, or the list cannot be read, it is asked for the one that is ``named``.
        """
        try:
            found, all_read = self._organizations(tries)
        except HttpFailure as failure:
            if not named or failure.status not in _NO_LIST:
                raise
            return self._organization_named(named, tries)
        if named and named not in found and not all_read:
            with suppress(HttpFailure):
                return self._organization_named(named, tries)
        if not found and not all_read:
            message = "Credly's list of organizations cannot be read."
            raise HttpFailure("server-error", message, 200, _CHECK_ADDRESS)
        return Organizations(found)

    def _organizations(self, tries: int | None) -> tuple[dict[str, Organization], bool]:
        """Read the list of organizations; returns those that can be read, and whether that is all of them."""
        found, all_read = list[Organization](), True
        for row in self._short_list(_ORGANIZATIONS, _MOST_PAGES_OF_ORGANIZATIONS, tries):
            try:
                found.append(organization_from(row))
            except UnreadableRecordError:
                all_read = False
        return {organization.id: organization for organization in found}, all_read

    def _short_list(self, path: str, most_pages: int, tries: int | None) -> Iterator[object]:
        """Yield the rows of a list of a few pages, ``None`` for a page without any; raises ``HttpFailure``."""
        for number in range(1, most_pages + 1):
            answer = self._page(path, {"page": number}, tries).json
            rows, metadata = answer.get("data"), answer.get("metadata")
            yield from rows if isinstance(rows, list) else [None]
            pages = metadata.get("total_pages") if isinstance(metadata, dict) else None
            if not rows or type(pages) is not int or number >= pages:
                return

    def _organization_named(self, named: str, tries: int | None) -> Organizations:
        reply = self.http.get(f"/organizations/{quote(named, safe='')}", tries=tries)
        try:
            found = organization_from(reply.json.get("data"))
        except UnreadableRecordError:
            return Organizations({named: Organization(named, named)}, frozenset((named,)))
        return Organizations({found.id: found})

    def token_facts(self) -> TokenFacts:
        """Find what Credly tells of the token; a list that masks it, or leaves it out, tells nothing.

        Tokens that may not write are shown the read-only ones alone.
        """
        if self.token is None:
            return TokenFacts("never", None, None)  # an OAuth client's access tokens are renewed
        with suppress(Failure):  # a courtesy: many tokens may not list tokens
            for row in self._short_list(f"{self._organization}/authorization_tokens", _MOST_PAGES_OF_TOKENS, 1):
                if isinstance(row, dict) and row.get("token") == self.token.reveal():
                    return token_facts_from(row)
        return NOT_TOLD

    def begin_reading(self, *, organization: bool, badges: bool, issued: bool) -> None:
        """Ask for what a run is about to read first, so that it waits for all of it at once."""
        if self.http.in_process or self.parallel < _AT_ONCE:
            return
        pages: dict[str, Mapping[str, str]] = {_ORGANIZATIONS: {}} if organization else {}
        pages |= {self._badges: _ACTIVE} if badges else {}
        pages |= {self._issued_badges: _BY_CREATION} if issued else {}
        pool = ThreadPoolExecutor(max(1, len(pages)))
        for path, parameters in pages.items():
            first: Parameters = {**parameters, "page": 1}
            reading = pool.submit(self.http.get, path, first, tries=1 if path == _ORGANIZATIONS else None)
            self._begun[_key(path, first)] = self.http.clock.monotonic(), reading
        pool.shutdown(wait=False)  # its threads end with their answers

    def _page(self, path: str, parameters: Parameters, tries: int | None = None) -> Reply:
        """Return the page that was begun, unless it is so old that the list may have changed, or ask for it."""
        begun_at, reading = self._begun.pop(_key(path, parameters), (0.0, None))
        if reading is not None and self.http.clock.monotonic() - begun_at < _FRESH_SECONDS:
            return reading.result()
        return self.http.get(path, parameters, tries=tries)

    def _first_page(self, path: str, parameters: Mapping[str, str]) -> tuple[Reply, Mapping[str, str]]:
        """Return the first page of a list, and by which parameters the others are to be asked for.

        Where Credly refuses to sort, the list is read in Credly's own order.
        """
        unsorted = {key: value for key, value in parameters.items() if key != "sort"}
        if path in self._unsorted:
            return self.http.get(path, {**unsorted, "page": 1}), unsorted
        try:
            return self._page(path, {**parameters, "page": 1}), parameters
        except HttpFailure as failure:
            if failure.status not in REFUSES_SORTING:
                raise
            tries = 1 if failure.status == _FAULT else None  # it was tried often enough
        reply = self.http.get(path, {**unsorted, "page": 1}, tries=tries)
        self._unsorted.add(path)
        return reply, unsorted

    def first_page_of_badges(self) -> Reply:
        """Read the first page of the active badges, as Credly answers it."""
        return self._first_page(self._badges, _ACTIVE)[0]

    def badges(self) -> Listing[Badge]:
        """List the active badges by creation date (R7)."""
        first, parameters = self._first_page(self._badges, _ACTIVE)
        return read_listing(
            self.http,
            self._badges,
            parameters,
            badge_from,
            keep=lambda badge: badge.state == "active",
            first=first,
            parallel=self.parallel,
            progress=self.progress,
        )

    def page_of_issued_badges(self, parameters: Mapping[str, str], number: int) -> Reply:
        """Read one page of the issued badges, in the order and by the filter of the parameters."""
        return self.http.get(self._issued_badges, {**parameters, "page": number})

    def issued_badges(
        self, filters: Mapping[str, str] | None = None, take: Callable[[list[IssuedBadge]], None] | None = None
    ) -> Listing[IssuedBadge]:
        """List issued badges in every state; with ``take`` they are handed over page by page instead of kept."""
        parameters = dict(_BY_CREATION)
        if filters:
            parameters["filter"] = "|".join(f"{key}::{value}" for key, value in filters.items())
        first, asked = self._first_page(self._issued_badges, parameters)
        return read_listing(
            self.http,
            self._issued_badges,
            asked,
            issued_badge_from,
            first=first,
            take=take,
            parallel=self.parallel,
            progress=self.progress,
        )

    def search_issued_badges(self) -> Iterator[list[IssuedBadge]]:
        """Read every issued badge by the high-volume search, page by page; whoever gets to the end has read them all.

        Raises ``NoSearchError`` where the search is not offered, ``Failure`` when it cannot be read to its end. Where
        it alone refuses the token, the token is good, and the search is not offered.
        """
        address = f"{self._organization}/high_volume_issued_badge_search"
        pages = follow_links(self.http, address, {"badge_format": "default"}, issued_badge_from)
        try:
            yield next(pages)
        except HttpFailure as failure:
            if failure.code == "token-refused":
                self.organizations(self.organization_id)  # raises where it is refused for everything
            elif failure.status not in _NO_SEARCH:
                raise
            raise NoSearchError from None
        yield from pages

    def issued_badge(self, badge_id: str) -> IssuedBadge | None:
        """Read one issued badge, ``None`` if Credly has none of this id. Raises ``Failure``."""
        try:
            return issued_badge_from(
                self.http.get(f"{self._issued_badges}/{quote(badge_id, safe='')}").json.get("data")
            )
        except UnreadableRecordError:
            return None
        except HttpFailure as failure:
            if failure.status == _NOT_FOUND:
                return None
            raise

    def issue(self, request: BadgeRequest) -> Answer:
        """Send a badge, once, and read the answer by the table of docs/exactly-once.md."""
        try:
            reply = self.http.post(self._issued_badges, request.body().encode())
        except NotSentError as error:
            return Answer("not-sent", detail=str(error))
        except HttpFailure as failure:  # there is no access token to send it with
            ends_run = failure.exit_code in (Exit.NOT_CONNECTED, Exit.CONFIG)
            return Answer("stop" if ends_run else "not-sent", failure.message.rstrip("."), cause=failure)
        except UnclearError as error:
            return Answer("unclear", detail=str(error))
        return _read_answer(reply, request)


def _key(path: str, parameters: Parameters) -> str:
    return "&".join((path, *(f"{key}={value}" for key, value in sorted(parameters.items()))))


def _read_answer(reply: Reply, request: BadgeRequest) -> Answer:
    if 200 <= reply.status < 300:  # noqa: PLR2004
        return _read_success(reply, request)
    if 300 <= reply.status < 400:  # noqa: PLR2004
        return Answer("stop", reply.message, reply)
    if reply.is_of_firewall:
        return Answer("not-sent", "a firewall answered in its place", reply)
    return Answer(_MEANINGS.get(reply.status) or _of_other_status(reply), reply.message, reply)


def _of_other_status(reply: Reply) -> AnswerKind:
    """Take a refusal in Credly's own form for one, whatever its status; what a proxy answers tells nothing."""
    refuses = 400 <= reply.status < 500 and reply.status not in _NOT_TOLD_BY  # noqa: PLR2004
    return "refused" if refuses and isinstance(reply.json, dict) else "unclear"


def _read_success(reply: Reply, request: BadgeRequest) -> Answer:
    try:
        badge = issued_badge_from(reply.json.get("data") if isinstance(reply.json, dict) else None)
    except UnreadableRecordError as error:
        return Answer("unclear", f"the answer cannot be read: {error}", reply)
    if not request.is_about(badge):
        return Answer("unclear", "the answer is about another badge", reply)
    return Answer("issued", reply=reply, badge=badge)
