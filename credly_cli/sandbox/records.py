"""What the stand-in keeps (badges, people, tokens, events) and exchanges (requests and answers)."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from credly_cli.text import JsonObject

Row: TypeAlias = JsonObject  # one JSON object as the API sends or receives it
BadgeState = Literal["pending", "accepted", "rejected", "revoked"]


def new_id() -> str:
    """Return a fresh id, as Credly writes them."""
    return str(uuid4())


def stamp(moment: datetime) -> str:
    """Write a time as ``2026-03-14T07:33:44.113Z``; such texts sort by time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


@dataclass(frozen=True)
class Details:
    """What a request to issue says about a badge, read and checked."""

    recipient_email: str
    first_name: str
    last_name: str
    issued_at: str
    middle_name: str | None = None
    expires_at: str | None = None
    issuer_earner_id: str | None = None
    locale: str = "en"
    suppress_notification: bool = False
    country: str | None = None
    state_or_province: str | None = None
    evidence: tuple[Row, ...] = ()

    @property
    def full_name(self) -> str:
        """First, middle and last name."""
        return " ".join(name for name in (self.first_name, self.middle_name, self.last_name) if name)


@dataclass(eq=False)
class User:
    """A person with a Credly account, owner of one address or more."""

    emails: list[str]
    first_name: str
    last_name: str
    middle_name: str | None = None
    auto_accept: bool = False
    id: str = field(default_factory=new_id)


@dataclass(eq=False)
class EarnedBadge:
    """One badge issued to one person. ``template`` is the live row of its template."""

    id: str
    number: int
    template: Row
    details: Details
    created_at: str
    updated_at: str
    state: BadgeState = "pending"
    state_updated_at: str | None = None
    user: User | None = None
    public: bool = True
    revocation_reason: str | None = None
    replaces_badge_id: str | None = None
    replacement_badge_id: str | None = None

    @property
    def template_id(self) -> str:
        """The id of the badge's template."""
        return str(self.template["id"])

    @property
    def email(self) -> str:
        """The address that it was issued to, as it was sent."""
        return self.details.recipient_email


@dataclass(eq=False)
class Token:
    """An authorization token, or the access token of an OAuth client, and its rights."""

    value: str
    created_at: datetime
    expires_at: datetime | None
    description: str = "Sandbox"
    read_enabled: bool = True
    write_enabled: bool = True
    delete_enabled: bool = True
    scopes: frozenset[str] | None = None  # of an access token
    id: str = field(default_factory=new_id)


@dataclass(frozen=True)
class Event:
    """Something that happened to a template or to an issued badge."""

    event_type: str
    occurred_at: str
    subject: EarnedBadge | Row
    id: str = field(default_factory=new_id)


class Refusal(Exception):  # noqa: N818 - an answer of the API, not an error of the program
    """What the API answers instead of doing what was asked."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 422,
        errors: list[Row] | None = None,
        metadata: Row | None = None,
        no_metadata: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.errors = errors
        self.error_index: int | None = None
        self.metadata: Row | None = None if no_metadata else metadata or {}

    @classmethod
    def of_rules(cls, broken: Iterable[tuple[str, str]], message: str | None = None, *, status: int = 422) -> "Refusal":
        """Name the attribute of each rule that was broken, with what is wrong about it."""
        rows = [
            {"attribute": name, "attribute_label": name.replace("_", " ").capitalize(), "messages": [wrong]}
            for name, wrong in broken
        ]
        sentence = ", ".join(f"{row['attribute_label']} {row['messages'][0]}" for row in rows)
        return cls(f"Validation failed: {sentence}" if message is None else message, errors=rows, status=status)

    def as_json(self) -> Row:
        """Return the body of the answer."""
        data: Row = {"message": self.message}
        if self.errors is not None:
            data["errors"] = self.errors
        if self.error_index is not None:
            data["error_index"] = self.error_index
        return {"data": data, "metadata": self.metadata}


Key = tuple[str, ...]


def _keys_of(badge: EarnedBadge) -> Iterator[Key]:
    template = badge.template_id
    yield ("template", template)
    holders = (
        ("email", badge.email.casefold()),
        ("user", badge.user.id if badge.user else None),
        ("earner", badge.details.issuer_earner_id),
    )
    for kind, value in holders:
        if value is not None:
            yield (kind, value)
            yield (kind, value, template)


class BadgeBook:
    """Issued badges by id, by template and by holder: ``("email"|"user"|"earner", value[, template id])``."""

    def __init__(self) -> None:
        self.in_order: list[EarnedBadge] = []
        self._by_id: dict[str, EarnedBadge] = {}
        self._by_key: dict[Key, dict[str, EarnedBadge]] = {}

    def __len__(self) -> int:
        return len(self.in_order)

    def add(self, badge: EarnedBadge) -> None:
        """Take in a new badge."""
        self.in_order.append(badge)
        self._by_id[badge.id] = badge
        self._enter(badge)

    def remove(self, badge: EarnedBadge) -> None:
        """Strike a badge out."""
        self.in_order.remove(badge)
        del self._by_id[badge.id]
        self._leave(badge)

    def get(self, badge_id: str) -> EarnedBadge | None:
        """Return the badge of an id."""
        return self._by_id.get(badge_id)

    def under(self, *keys: Key) -> list[EarnedBadge]:
        """Return the badges under any of the keys, in order of issue."""
        if len(keys) == 1:
            return sorted(self._by_key.get(keys[0], {}).values(), key=_number)
        found = {badge.id: badge for key in keys for badge in self._by_key.get(key, {}).values()}
        return sorted(found.values(), key=_number)

    @contextmanager
    def changing(self, badges: Iterable[EarnedBadge]) -> Iterator[None]:
        """Keep the look-ups right while holder or template of the badges change."""
        badges = list(badges)
        for badge in badges:
            self._leave(badge)
        try:
            yield
        finally:
            for badge in badges:
                self._enter(badge)

    def _enter(self, badge: EarnedBadge) -> None:
        for key in _keys_of(badge):
            self._by_key.setdefault(key, {})[badge.id] = badge

    def _leave(self, badge: EarnedBadge) -> None:
        for key in _keys_of(badge):
            self._by_key[key].pop(badge.id, None)


def _number(badge: EarnedBadge) -> int:
    return badge.number


@dataclass(frozen=True)
class Request:
    """One HTTP request; the names of its headers are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    origin: str = "https://sandbox.invalid"

    @classmethod
    def to_url(cls, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> "Request":
        """Build a request from a whole address."""
        parts = urlsplit(url)
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        origin = f"{parts.scheme}://{parts.netloc}"
        return cls(method, parts.path, parts.query, lowered, body, origin)

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The parameters of the query; of a repeated one the last."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def target(self) -> str:
        """The path with its query."""
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(frozen=True)
class Response:
    """An answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


_ORGANIZATION_OF_OWNER = ("id", "name", "enable_blockchain", "vanity_url", "vanity_slug", "verified")


class Organization(NamedTuple):
    """An organization with its badge templates, as ``Sandbox`` takes them."""

    organization: Row
    templates: Sequence[Row]


def sample_organization() -> Organization:
    """Return the organization that is built in."""
    data = json.loads(resources.files("credly_cli.sandbox").joinpath("samples.json").read_text("utf-8"))
    return Organization(data["organization"], data["badge_templates"])


def recorded_organization(source: Path | str | Row | Sequence[Row]) -> Organization:
    """Return the owner of a recorded template list (a file or its JSON, with or without envelope) and its rows.

    ``OSError`` if the file cannot be read, ``ValueError`` if it is no such list.
    """
    rows = _rows_of(_read(Path(source)) if isinstance(source, Path | str) else source)
    owners = {row["owner"]["id"]: row["owner"] for row in rows}
    if len(owners) != 1:
        raise ValueError("the templates belong to several organizations, or there are none")
    return Organization(_organization_of(*owners.values()), rows)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8-sig"))
    except (ValueError, RecursionError):
        raise ValueError(f"{path} is not a JSON file") from None


def _rows_of(source: Any) -> list[Row]:
    rows = source.get("data") if isinstance(source, Mapping) else source
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not all(_is_template(row) for row in rows):
        raise ValueError("this is no list of badge templates as Credly answers it")
    return list(rows)


def _is_template(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and {"id", "name", "state", "created_at", "owner"} <= row.keys()
        and isinstance(row["owner"], dict)
        and {"id", "name"} <= row["owner"].keys()
    )


def _organization_of(owner: Row) -> Row:
    """Return an organization's record that says no more than a template's owner does; its other keys are null."""
    blank = dict.fromkeys(sample_organization().organization)
    known = {key: owner.get(key) for key in _ORGANIZATION_OF_OWNER}
    known["vanity_url"] = known["vanity_url"] or f"https://www.credly.com/org/{owner['id']}"
    return blank | known
