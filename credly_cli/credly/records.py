"""What Credly tells, read from its JSON; unknown fields are kept in ``raw`` or ignored, never an error."""

import hashlib
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from credly_cli.identity import email_key
from credly_cli.text import JsonObject, storable
from credly_cli.times import from_utc_text, read_instant
from credly_cli.token import Expiry

HELD_STATES = ("pending", "accepted", "rejected")  # a revoked badge is not held; expiry is no state (R20)
_LOCALES = ("en", "fr", "de", "ko", "ja", "zh-CN", "pt", "es-ES", "es-US", "fr-CA", "pt-BR")
_OF_LANGUAGE = {"es": "es-ES", "zh": "zh-CN"}  # where the LMS names no region
_LONGEST_TEXT = 10_000  # characters; no name or address is near that
_MOVED_BY_ISSUING = frozenset({"badges_count", "get_issue_count", "updated_at"})


Refusal = Literal["held", "invalid"]  # a 422: the learner may have the badge already, or something else is wrong
_SAYS_HELD = re.compile(
    r"\b(already|duplicat(e|es|ed|ion)|taken|exist(s|ing)|previously|unique|(has|holds|owns) (this|the) badge)\b",
    re.IGNORECASE,
)
_OF_RECIPIENT = frozenset({"recipient_email", "user_id", "user", "issuer_earner_id"})  # which a duplicate has in common
# ... unless it says that this is no address or id at all
_SAYS_MALFORMED = re.compile(
    r"\b(invalid|not valid|not a valid|malformed|blank|empty|missing|too (long|short))\b", re.IGNORECASE
)
_ADDRESS = re.compile(r"\S*@\S*")


class UnreadableRecordError(ValueError):
    """A row of an answer that is no badge; it is set aside, the others are used."""


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization that issues badges."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What Credly tells of an authorization token: its end, and whether it may write, ``None`` where untold."""

    expiry: Expiry
    expires_at: str | None
    may_write: bool | None


NOT_TOLD = TokenFacts("not-told", None, None)


@dataclass(frozen=True, slots=True)
class BadgeBrief:
    """A badge in brief, as JSON answers show it."""

    id: str
    name: str
    image_url: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """What lists show of a badge template."""

    id: str
    name: str
    state: str
    slug: str | None
    url: str | None
    image_url: str | None
    allow_duplicates: bool
    created_at: str | None
    updated_at: str | None


@dataclass(frozen=True, slots=True)
class Badge(Template):
    """A badge template as Credly has it."""

    fingerprint: str
    raw: str


@dataclass(frozen=True, slots=True)
class Step:
    """One of the criteria of a badge: what is to be done for it, and where, if that is told."""

    title: str
    url: str | None


@dataclass(frozen=True, slots=True)
class BadgeDetails:
    """What a badge template says to learners beside its name."""

    description: str | None = None
    skills: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    criteria_url: str | None = None
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class IssuedBadge:
    """One badge issued to one person, as Credly has it."""

    id: str
    badge_id: str
    badge_name: str | None
    image_url: str | None
    email: str | None
    earner_id: str | None
    user_id: str | None
    first_name: str | None
    last_name: str | None
    state: str
    issued_at: str | None
    expires_at: str | None
    created_at: str | None
    state_updated_at: str | None
    view_url: str | None
    accept_url: str | None
    replaced_by: str | None = None  # the badge that took its place; Credly keeps the old row and its state
    stored_at: str | None = None  # when the store last heard of it; null in an answer of Credly's
    deleted_at: str | None = None  # when a complete listing no longer had it (R23)

    @property
    def held(self) -> bool:
        """Whether whoever it was issued to has it (R20)."""
        return self.state in HELD_STATES and self.replaced_by is None and self.deleted_at is None


@dataclass(frozen=True, slots=True)
class BadgeRequest:
    """A badge to be issued; ``issued_at`` is UTC text (R17, R24)."""

    badge_id: str
    email: str
    earner_id: str
    first_name: str | None
    last_name: str | None
    issued_at: str
    locale: str | None = None
    suppress_notification: bool = False

    def body(self) -> str:
        """Return what is sent; the same each time."""
        issued = from_utc_text(self.issued_at)
        fields: JsonObject = {
            "recipient_email": self.email,
            "badge_template_id": self.badge_id,
            "issued_at": issued.strftime("%Y-%m-%d %H:%M:%S +0000"),
            "issued_to_first_name": self.first_name,
            "issued_to_last_name": self.last_name,
            "issuer_earner_id": self.earner_id,
        }
        if locale := mail_locale(self.locale):
            fields["locale"] = locale
        if self.suppress_notification:
            fields["suppress_badge_notification_email"] = True
        return json.dumps(fields)

    def is_about(self, badge: IssuedBadge) -> bool:
        """Tell whether an answer is about what was sent: it names the badge, and by address or mark the learner."""
        if badge.badge_id != self.badge_id:
            return False
        if badge.email is not None and email_key(badge.email) != email_key(self.email):
            return False
        return badge.earner_id == self.earner_id or (badge.earner_id is None and badge.email is not None)


def refusal_of(message: str, attributes: Collection[str] = ()) -> Refusal:
    """Read what a refusal (422) means from what it is about and Credly's words.

    Neither is any contract, so a look-up follows all the same; what may mean that the learner has the badge is looked
    for again before it is believed to have failed.
    """
    words = _ADDRESS.sub("", message)
    if _SAYS_HELD.search(words):
        return "held"
    return "held" if not _OF_RECIPIENT.isdisjoint(attributes) and not _SAYS_MALFORMED.search(words) else "invalid"


def organization_from(row: object) -> Organization:
    """Read an organization; raises ``UnreadableRecordError``."""
    fields = _object(row)
    return Organization(_text(fields, "id"), _optional(fields, "name") or _text(fields, "id"))


def token_facts_from(row: JsonObject) -> TokenFacts:
    """Read what the list of tokens says of one; an end that is missing or no time is not told, ``null`` is never."""
    may_write = row.get("write_enabled")
    may_write = may_write if isinstance(may_write, bool) else None
    if "expires_at" in row and row["expires_at"] is None:
        return TokenFacts("never", None, may_write)
    try:
        expires_at = _time(row, "expires_at")
    except UnreadableRecordError:
        expires_at = None
    return TokenFacts("date" if expires_at else "not-told", expires_at, may_write)


def badge_from(row: object) -> Badge:
    """Read a badge template; raises ``UnreadableRecordError``."""
    fields = _object(row)
    return Badge(
        id=_text(fields, "id"),
        name=_text(fields, "name"),
        state=_text(fields, "state"),
        slug=_optional(fields, "vanity_slug"),
        url=_optional(fields, "url"),
        image_url=_image(fields),
        allow_duplicates=fields.get("allow_duplicate_badges") is True,
        created_at=_time(fields, "created_at"),
        updated_at=_time(fields, "updated_at"),
        fingerprint=fingerprint(fields),
        raw=_storable(fields),
    )


def badge_details_from(raw: str | None) -> BadgeDetails:
    """Read what a stored template says to learners; what is missing or of another type is left out."""
    fields = json.loads(raw) if raw else {}
    owner = fields.get("owner")
    steps = [
        Step(title, _plain_text(row, "activity_url") or _plain_text(row, "required_badge_template_url"))
        for row in _objects(fields.get("badge_template_activities"))
        if (title := _plain_text(row, "title") or _plain_text(row, "required_badge_template_name"))
    ]
    skills = fields.get("skills")
    return BadgeDetails(
        description=_plain_text(fields, "description"),
        skills=tuple(skill for skill in skills if isinstance(skill, str) and skill) if isinstance(skills, list) else (),
        steps=tuple(steps),
        criteria_url=_plain_text(fields, "global_activity_url") or _plain_text(fields, "criteria_url"),
        issuer=_plain_text(owner, "name") if isinstance(owner, dict) else None,
    )


def issued_badge_from(row: object) -> IssuedBadge:
    """Read an issued badge, of the full or the minimal form; raises ``UnreadableRecordError``."""
    fields = _object(row)
    template = _object(fields.get("badge_template"))
    user = fields.get("user")
    return IssuedBadge(
        id=_text(fields, "id"),
        badge_id=_text(template, "id"),
        badge_name=_optional(template, "name"),
        image_url=_image(fields) or _image(template),
        email=_optional(fields, "recipient_email"),
        earner_id=_optional(fields, "issuer_earner_id"),
        user_id=_optional(user, "id") if isinstance(user, dict) else None,
        first_name=_optional(fields, "issued_to_first_name"),
        last_name=_optional(fields, "issued_to_last_name"),
        state=_text(fields, "state"),
        issued_at=_time(fields, "issued_at"),
        expires_at=_time(fields, "expires_at"),
        created_at=_time(fields, "created_at"),
        state_updated_at=_time(fields, "state_updated_at"),
        view_url=_optional(fields, "badge_url"),
        accept_url=_optional(fields, "accept_badge_url"),
        replaced_by=_optional(fields, "replacement_badge_id"),
    )


def mail_locale(locale: str | None) -> str | None:
    """Return the locale to send for what the LMS tells, ``None`` where Credly has no such language.

    Credly refuses a badge with a locale it does not know, so ``de_AT`` becomes ``de`` and ``it`` nothing.
    """
    if not locale:
        return None
    text = locale.strip().replace("_", "-").casefold()
    for known in _LOCALES:
        if known.casefold() == text:
            return known
    language = text.partition("-")[0]
    return language if language in _LOCALES else _OF_LANGUAGE.get(language)


def fingerprint(fields: JsonObject) -> str:
    """Tell two versions of a badge apart, whatever the order of keys and the counters that each issue moves (R8)."""
    lasting = {key: value for key, value in fields.items() if key not in _MOVED_BY_ISSUING}
    return hashlib.sha256(json.dumps(lasting, sort_keys=True).encode()).hexdigest()


def _storable(fields: JsonObject) -> str:
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate cannot be stored; as an escape it can
        return json.dumps(fields, separators=(",", ":"))
    return text


def _object(value: object) -> JsonObject:
    if not isinstance(value, dict):
        raise UnreadableRecordError("an object was expected")
    return value


def _objects(value: object) -> list[JsonObject]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _plain_text(fields: JsonObject, key: str) -> str | None:
    """Return a text, ``None`` where there is none: what a page can do without stops no page."""
    value = fields.get(key)
    return value.strip() or None if isinstance(value, str) else None


def _text(fields: JsonObject, key: str) -> str:
    value = _optional(fields, key)
    if value is None:
        raise UnreadableRecordError(f"{key} is missing")
    return value


def _optional(fields: JsonObject, key: str) -> str | None:
    value = fields.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, bool | dict | list):
        raise UnreadableRecordError(f"{key} is not text")
    text = str(value)
    if len(text) > _LONGEST_TEXT:
        raise UnreadableRecordError(f"{key} is too long")
    return storable(text)


def _image(fields: JsonObject) -> str | None:
    address = _optional(fields, "image_url")
    if address is None and isinstance(fields.get("image"), dict):
        return _optional(fields["image"], "url")
    return address


def _time(fields: JsonObject, key: str) -> str | None:
    value = _optional(fields, key)
    if value is None:
        return None
    try:
        return read_instant(value)
    except (ValueError, OverflowError):
        raise UnreadableRecordError(f"{key} is no time") from None
