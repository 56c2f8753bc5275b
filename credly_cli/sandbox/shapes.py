"""The JSON of requests and answers: what a badge to be issued needs; keys and their order as recorded from Credly."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from credly_cli.sandbox.records import Details, EarnedBadge, Event, Refusal, Row, Token, User, new_id, stamp
from credly_cli.sandbox.switches import Switches

_SITE = "https://www.credly.com"
_COUNTRY_CODES = {"United States": "USA"}  # invented: the one code that was seen


def organization_url(organization: Row, origin: str) -> str:
    """Return the address of an organization's record on this server."""
    return f"{origin}/api/v1/organizations/{organization['id']}"


def template_detail(template: Row) -> Row:
    """Return a template as it is answered alone."""
    return {**template, "recommending_templates": [], "criterion_for": []}


def _nested_template(template: Row) -> Row:
    return {key: value for key, value in template.items() if key != "reporting_tags"}


def _issuing_entity(organization: Row, origin: str) -> Row:
    return {
        "type": "Organization",
        "id": organization["id"],
        "name": organization["name"],
        "url": organization_url(organization, origin),
        "vanity_url": organization.get("vanity_url"),
        "share_to_ziprecruiter": False,
        "verified": False,
    }


def _user_row(user: User | None) -> Row:
    if user is None:
        return {}
    names = [name for name in (user.first_name, user.middle_name, user.last_name) if name]
    slug = "-".join(names).lower()
    return {
        "id": user.id,
        "email": user.emails[0],
        "first_name": user.first_name,
        "middle_name": user.middle_name,
        "last_name": user.last_name,
        "current_position_name": "*****",
        "current_organization_name": "*****",
        "confirmed": True,
        "photo": None,
        "photo_url": None,
        "url": f"{_SITE}/users/{slug}",
    }


def _links(badge: EarnedBadge) -> Iterable[tuple[str, str]]:
    page = f"{_SITE}/badges/{badge.id}"
    if badge.state == "pending" or (badge.state == "accepted" and badge.replaces_badge_id):
        yield "accept_badge_url", f"{page}/accept"
    if badge.state == "accepted":
        yield "badge_url", page


def _date(moment: str | None) -> str | None:
    return moment[:10] if moment else None


def _recipient(badge: EarnedBadge) -> Row:
    details = badge.details
    return {
        "issued_to": details.full_name,
        "issued_to_first_name": details.first_name,
        "issued_to_middle_name": details.middle_name,
        "issued_to_last_name": details.last_name,
        "issuer_earner_id": details.issuer_earner_id,
        "locale": details.locale,
        "public": badge.public,
        "recipient_email": details.recipient_email,
    }


def badge_row(badge: EarnedBadge, organization: Row, origin: str) -> Row:
    """Return an issued badge in full."""
    details, template, issuer = badge.details, badge.template, _issuing_entity(organization, origin)
    return {
        "user": _user_row(badge.user),
        "created_by": issuer,
        "issuer": {
            "summary": f"issued by {organization['name']}",
            "entities": [{"label": "Issued by", "primary": True, "entity": issuer}],
        },
        "printing_enabled": not template.get("printing_disabled", False),
        "print_method": "custom",
        "badge_template": _nested_template(template),
        "id": badge.id,
        **_recipient(badge),
        "replacement_badge_id": badge.replacement_badge_id,
        "replaces_badge_id": badge.replaces_badge_id,
        "revocation_reason": badge.revocation_reason,
        "state": badge.state,
        "suppress_badge_notification_email": details.suppress_notification,
        "updated_at": badge.updated_at,
        "country": details.country,
        "country_code": _COUNTRY_CODES.get(details.country or ""),
        "state_or_province": details.state_or_province,
        "created_at": badge.created_at,
        "expires_at": details.expires_at,
        "expires_at_date": _date(details.expires_at),
        "issued_at": details.issued_at,
        "issued_at_date": _date(details.issued_at),
        "state_updated_at": badge.state_updated_at,
        "image": template.get("image"),
        "image_url": template.get("image_url"),
        "alignments": [{"name": each["name"], "description": each["description"]} for each in _alignments(template)],
        "evidence": list(details.evidence),
        **dict(_links(badge)),
    }


def _alignments(template: Row) -> list[Row]:
    return template.get("alignments") or []


def minimal_badge_row(badge: EarnedBadge) -> Row:
    """Return an issued badge as the high-volume search gives it in its minimal format."""
    details = badge.details
    return {
        "id": badge.id,
        "issued_to": details.full_name,
        "issued_to_first_name": details.first_name,
        "issued_to_last_name": details.last_name,
        "issuer_earner_id": details.issuer_earner_id,
        "public": badge.public,
        "recipient_email": details.recipient_email,
        "state": badge.state,
        **{name: link for name, link in _links(badge) if name == "badge_url"},
        "updated_at": badge.updated_at,
        "created_at": badge.created_at,
        "expires_at": details.expires_at,
        "issued_at": details.issued_at,
        "state_updated_at": badge.state_updated_at,
        "badge_template": {"id": badge.template["id"], "name": badge.template["name"]},
        "user": {"id": badge.user.id} if badge.user else {},
    }


def event_row(event: Event, organization: Row, origin: str) -> Row:
    """Return an event with the badge or the template that it is about, as that is now."""
    subject: Row = (
        {"badge": badge_row(event.subject, organization, origin)}
        if isinstance(event.subject, EarnedBadge)
        else {"badge_template": event.subject}
    )
    return {
        "id": event.id,
        "event_type": event.event_type,
        "organization_id": organization["id"],
        "occurred_at": event.occurred_at,
        **subject,
    }


def token_row(token: Token, organization: Row, origin: str, shown: str = "whole") -> Row:
    """Return an authorization token, its value in clear as Credly is documented to do."""
    values = {"whole": token.value, "masked": f"****{token.value[-4:]}", "without-value": None}
    return {
        "id": token.id,
        "token": values[shown],
        "owner_id": organization["id"],
        "description": token.description,
        "write_enabled": token.write_enabled,
        "read_enabled": token.read_enabled,
        "delete_enabled": token.delete_enabled,
        "created_at": stamp(token.created_at),
        "expires_at": stamp(token.expires_at) if token.expires_at else None,
        "owner": {
            "type": "Organization",
            "id": organization["id"],
            "name": organization["name"],
            "url": organization_url(organization, origin),
        },
    }


# Reading a request to issue a badge

NAMELESS = ("recipient_email", "issued_at")  # what was required in 2017
REQUIRED = ("recipient_email", "issued_to_first_name", "issued_to_last_name", "issued_at")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_SPACED_OFFSET = re.compile(r"\s+([+-]\d\d:?\d\d)$")
_UTC = re.compile(r"\s*(?:UTC|GMT|Z)$", re.IGNORECASE)  # Ruby writes UTC; a space before Z was sent by Credly's own
_TWELVE_HOURS = re.compile(r"\d{4}-\d\d-\d\d\s+\d\d:\d\d:\d\d\s*[aApP][mM]")


def read_time(text: str) -> str:
    """Read a time in a form that Credly takes and write it as Credly answers it; ``ValueError`` if it is none.

    A date alone is midnight UTC, and a time without zone is UTC.  # invented: Credly's readings are not known
    """
    text = text.strip()
    if _TWELVE_HOURS.fullmatch(text):
        moment = datetime.strptime(" ".join(text.upper().split()), "%Y-%m-%d %I:%M:%S %p").replace(tzinfo=UTC)
    else:
        moment = datetime.fromisoformat(_SPACED_OFFSET.sub(r"\1", _UTC.sub("+00:00", text)))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _has_zone(text: str) -> bool:
    """Tell whether a time names its zone; one with am or pm is UTC."""
    text = text.strip()
    named = _UTC.search(text) or re.search(r"[+-]\d\d:?\d\d$", text[10:])
    return named is not None or _TWELVE_HOURS.fullmatch(text) is not None


def read_details(fields: Row, template: Row, switches: Switches, now: str, before: Details | None = None) -> Details:
    """Check a request and read it; ``before`` is the badge to be replaced, whose holder stays the same."""
    if before is not None:
        fields = {**_holder_fields(before), **{name: value for name, value in fields.items() if value is not None}}
    details = _checked(fields, template, REQUIRED if switches.names_required else NAMELESS)
    if switches.dates_to_come == "refused" and details.issued_at > now:
        raise Refusal.of_rules([("issued_at", "can't be in the future")])  # invented
    if switches.dates_without_zone == "refused" and not _has_zone(_text(fields.get("issued_at"))):
        raise Refusal.of_rules([("issued_at", "is not a valid date")])  # invented
    if switches.dates_kept_to == "day":
        details = replace(details, issued_at=f"{details.issued_at[:10]}T00:00:00.000Z")
    return details if switches.earner_ids_kept else replace(details, issuer_earner_id=None)


def refused_duplicate(rules: Iterable[str], switches: Switches) -> Refusal:
    """Refuse a second badge; ``rules`` are the attributes that it has in common with one that is held."""
    refusal = Refusal.of_rules(
        [(rule, "already has this badge") for rule in rules],  # invented: the words beside the attribute
        switches.duplicate_message,
        status=switches.duplicate_status,
    )
    if switches.duplicate_errors == "missing":
        refusal.errors = None
    elif switches.duplicate_errors == "without-messages":
        refusal.errors = [{"attribute": row["attribute"]} for row in refusal.errors or ()]
    return refusal


def _checked(fields: Row, template: Row, required: Iterable[str]) -> Details:
    problems = [(name, "can't be blank") for name in required if not _text(fields.get(name))]  # invented
    times = {name: _time_or_problem(name, fields.get(name), problems) for name in ("issued_at", "expires_at")}
    email = _text(fields.get("recipient_email"))
    if email and not _EMAIL.fullmatch(email):
        problems.append(("recipient_email", "is invalid"))  # invented
    evidence = fields.get("evidence") or []
    if not isinstance(evidence, list) or not all(isinstance(each, dict) for each in evidence):
        problems.append(("evidence", "is invalid"))  # invented
    if problems:
        raise Refusal.of_rules(problems)
    never = fields.get("expires_at") in (False, "false")
    return Details(
        recipient_email=email,
        first_name=_text(fields.get("issued_to_first_name")),
        last_name=_text(fields.get("issued_to_last_name")),
        middle_name=_text(fields.get("issued_to_middle_name")) or None,
        issued_at=times["issued_at"] or "",
        expires_at=None if never else times["expires_at"] or template.get("default_expires_at"),
        issuer_earner_id=_text(fields.get("issuer_earner_id")) or None,
        locale=_text(fields.get("locale")) or "en",
        suppress_notification=fields.get("suppress_badge_notification_email") in (True, "true", "1"),
        country=_text(fields.get("country_name")) or None,
        state_or_province=_text(fields.get("state_or_province")) or None,
        evidence=tuple(_evidence_row(each) for each in evidence),
    )


def updated_details(before: Details, after: Details, *, pending: bool) -> Details:
    """Return a badge's details after ``duplicate_behavior: replace``: the day of issue stays, and mostly the email."""
    same_earner = before.issuer_earner_id is not None and before.issuer_earner_id == after.issuer_earner_id
    email = after.recipient_email if pending and same_earner else before.recipient_email
    return replace(after, issued_at=before.issued_at, recipient_email=email)


def _holder_fields(details: Details) -> Row:
    return {
        "recipient_email": details.recipient_email,
        "issued_to_first_name": details.first_name,
        "issued_to_last_name": details.last_name,
        "locale": details.locale,
    }


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _time_or_problem(name: str, value: object, problems: list[tuple[str, str]]) -> str | None:
    text = _text(value)
    if text in ("", "False", "false"):
        return None
    try:
        return read_time(text)
    except (ValueError, OverflowError):
        problems.append((name, "is not a valid date"))  # invented
        return None


def _evidence_row(evidence: Row) -> Row:
    if evidence.get("type") == "IdEvidence":
        return {"id": evidence.get("id") or new_id(), "type": "IdEvidence", "name": evidence.get("title")}
    return {"id": new_id(), **evidence}
