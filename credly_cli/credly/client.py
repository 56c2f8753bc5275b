"""The calls of Credly's API that this program makes, each once and by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from credly_cli.credly.paging import Listing, read_listing
from credly_cli.credly.records import (
    Badge,
    IssuedBadge,
    Organization,
    UnreadableRecordError,
    badge_from,
    issued_badge_from,
    organization_from,
)
from credly_cli.errors import Failure
from credly_cli.http.errors import NotSentError, UnclearError
from credly_cli.http.response import CredlyFailure, Reply, failure_of
from credly_cli.http.retry import TRIES
from credly_cli.http.session import Http
from credly_cli.identity import email_key
from credly_cli.progress import Progress

_MOST_PAGES_OF_ORGANIZATIONS = 100

_MEANINGS: dict[int, "AnswerKind"] = {
    400: "rejected",
    401: "stop",
    403: "stop",
    404: "missing",
    413: "rejected",
    415: "rejected",
    422: "refused",  # a duplicate or a mistake: the text is no contract
    429: "busy",  # refused before it was processed
}


AnswerKind = Literal["issued", "not-sent", "busy", "refused", "rejected", "missing", "stop", "unclear"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of sending a badge.

    ``kind``: ``issued`` (with the badge), ``not-sent`` and ``busy`` (429) (to be sent again), ``refused`` (a 422, to be
    looked up before it is believed), ``rejected`` (not applied, with Credly's words), ``missing`` (404), ``stop`` (a
    refused token, a redirect: nothing was applied and the run ends), or ``unclear``.
    """

    kind: AnswerKind
    detail: str | None = None
    reply: Reply | None = None
    badge: IssuedBadge | None = None

    @property
    def failure(self) -> Failure | None:
        """What a ``stop`` means for the run."""
        return failure_of(self.reply) if self.reply else None


_BY_CREATION = {"sort": "created_at"}
_ACTIVE = {"filter": "state::active", **_BY_CREATION}
_AT_ONCE = 3  # the organization and the first pages of two lists


class Client:
    """Credly's API, for one organization once ``organization_id`` is set."""

    def __init__(self, http: Http, organization_id: str = "", parallel: int = 4) -> None:
        self.http = http
        self.organization_id = organization_id
        self.parallel = parallel
        self.progress = Progress()  # told how far each long exchange is

    @property
    def _organization(self) -> str:
        return f"/organizations/{quote(self.organization_id, safe='')}"

    def organizations(self, *, tries: int = TRIES) -> list[Organization]:
        """List the organizations that the token belongs to; normally one. Raises ``Failure``."""
        found: list[Organization] = []
        for number in range(1, _MOST_PAGES_OF_ORGANIZATIONS + 1):
            reply = self.http.get("/organizations", {"page": number}, tries=tries)
            rows, metadata = reply.json.get("data"), reply.json.get("metadata")
            try:
                found += [organization_from(row) for row in rows]
            except (UnreadableRecordError, TypeError):
                told = "Credly's list of organizations cannot be read."
                raise CredlyFailure("server-error", told, reply.status, "Check the API address.") from None
            pages = metadata.get("total_pages") if isinstance(metadata, dict) else None
            if not rows or type(pages) is not int or number >= pages:
                break
        return found

    def token_expiry(self, token_text: str) -> str | None:
        """Find when the token expires, where Credly tells; ``None`` where it does not."""
        try:
            rows = self.http.get(f"{self._organization}/authorization_tokens", tries=1).json.get("data")
        except Failure:
            return None  # a courtesy: many tokens may not list tokens
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict) and row.get("token") == token_text and isinstance(row.get("expires_at"), str):
                return str(row["expires_at"])
        return None

    def ask_ahead(self, *, badges: bool, issued: bool) -> None:
        """Ask at once for the first pages of the lists that a run is about to read."""
        if self.parallel < _AT_ONCE:
            return
        questions: dict[str, dict[str, str | int]] = {}
        if badges:
            questions[f"{self._organization}/badge_templates"] = {**_ACTIVE, "page": 1}
        if issued:
            questions[f"{self._organization}/badges"] = {**_BY_CREATION, "page": 1}
        self.http.ask_ahead(questions)

    def badges(self) -> Listing[Badge]:
        """List the active badges by creation date (R7)."""
        return read_listing(
            self.http,
            f"{self._organization}/badge_templates",
            _ACTIVE,
            badge_from,
            keep=lambda badge: badge.state == "active",
            parallel=self.parallel,
            progress=self.progress,
        )

    def page_of_issued_badges(self, parameters: Mapping[str, str], number: int) -> Reply:
        """Read one page of the issued badges, in the order and by the filter of the parameters."""
        return self.http.get(f"{self._organization}/badges", {**parameters, "page": number})

    def issued_badges(
        self, filters: Mapping[str, str] | None = None, take: Callable[[list[IssuedBadge]], None] | None = None
    ) -> Listing[IssuedBadge]:
        """List issued badges in every state; with ``take`` they are handed over page by page instead of kept."""
        parameters = dict(_BY_CREATION)
        if filters:
            parameters["filter"] = "|".join(f"{key}::{value}" for key, value in filters.items())
        return read_listing(
            self.http,
            f"{self._organization}/badges",
            parameters,
            issued_badge_from,
            take=take,
            parallel=self.parallel,
            progress=self.progress,
        )

    def issue(self, body: bytes, expected: Mapping[str, Any]) -> Answer:
        """Send a badge, once, and read the answer by the table of reliability, 3.4."""
        try:
            reply = self.http.post(f"{self._organization}/badges", body)
        except NotSentError as error:
            return Answer("not-sent", detail=str(error))
        except UnclearError as error:
            return Answer("unclear", detail=str(error))
        return _read_answer(reply, expected)


def _read_answer(reply: Reply, expected: Mapping[str, Any]) -> Answer:
    if 200 <= reply.status < 300:  # noqa: PLR2004
        return _read_success(reply, expected)
    if 300 <= reply.status < 400:  # noqa: PLR2004
        return Answer("stop", reply.message, reply)
    return Answer(_MEANINGS.get(reply.status, "unclear"), reply.message, reply)


def _read_success(reply: Reply, expected: Mapping[str, Any]) -> Answer:
    try:
        badge = issued_badge_from(reply.json.get("data") if isinstance(reply.json, dict) else None)
    except UnreadableRecordError as error:
        return Answer("unclear", f"the answer cannot be read: {error}", reply)
    if not _is_about(badge, expected):
        return Answer("unclear", "the answer is about another badge", reply)
    return Answer("issued", reply=reply, badge=badge)


def _is_about(badge: IssuedBadge, expected: Mapping[str, Any]) -> bool:
    """Tell whether an answer is about what was sent: it names the badge, and by address or mark the learner."""
    if badge.badge_id != expected["badge_template_id"]:
        return False
    if badge.email is not None and email_key(badge.email) != email_key(expected["recipient_email"]):
        return False
    return badge.earner_id == expected["issuer_earner_id"] or (badge.earner_id is None and badge.email is not None)
