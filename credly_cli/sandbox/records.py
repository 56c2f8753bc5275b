"""The things that the stand-in keeps, and how times are written."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from uuid import uuid4

from credly_cli.sandbox.messages import Row

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
class IssuedBadge:
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
    """An authorization token and its rights."""

    value: str
    created_at: datetime
    expires_at: datetime | None
    description: str = "Sandbox"
    read_enabled: bool = True
    write_enabled: bool = True
    delete_enabled: bool = True
    id: str = field(default_factory=new_id)


@dataclass(frozen=True)
class Event:
    """Something that happened to a template or to an issued badge."""

    event_type: str
    occurred_at: str
    subject: IssuedBadge | Row
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

    def as_json(self) -> Row:
        """Return the body of the answer."""
        data: Row = {"message": self.message}
        if self.errors is not None:
            data["errors"] = self.errors
        if self.error_index is not None:
            data["error_index"] = self.error_index
        return {"data": data, "metadata": self.metadata}
