"""Reading a request to issue a badge: which fields it needs, how its dates are written, what is wrong with it."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from credly_cli.sandbox.messages import Row
from credly_cli.sandbox.records import Details, Refusal, new_id

REQUIRED = ("recipient_email", "issued_to_first_name", "issued_to_last_name", "issued_at")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_SPACED_OFFSET = re.compile(r"\s+([+-]\d\d:?\d\d)$")
_TWELVE_HOURS = re.compile(r"\d{4}-\d\d-\d\d\s+\d\d:\d\d:\d\d\s*[aApP][mM]")


def read_time(text: str) -> str:
    """Read a time in a form that Credly takes and write it as Credly answers it; ``ValueError`` if it is none.

    A date alone is midnight UTC, and a time without zone is UTC.  # invented: Credly's readings are not known
    """
    text = text.strip()
    if _TWELVE_HOURS.fullmatch(text):
        moment = datetime.strptime(" ".join(text.upper().split()), "%Y-%m-%d %I:%M:%S %p").replace(tzinfo=UTC)
    else:
        moment = datetime.fromisoformat(_SPACED_OFFSET.sub(r"\1", text))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def read_details(fields: Mapping[str, Any], template: Row, *, before: Details | None = None) -> Details:
    """Check a request and read it; ``before`` is the badge to be replaced, whose holder stays the same."""
    if before is not None:
        fields = {**_holder_fields(before), **{name: value for name, value in fields.items() if value is not None}}
    problems = [(name, "can't be blank") for name in REQUIRED if not _text(fields.get(name))]  # invented
    times = {name: _time_or_problem(name, fields.get(name), problems) for name in ("issued_at", "expires_at")}
    email = _text(fields.get("recipient_email"))
    if email and not _EMAIL.fullmatch(email):
        problems.append(("recipient_email", "is invalid"))  # invented
    evidence = fields.get("evidence") or []
    if not isinstance(evidence, list) or not all(isinstance(each, dict) for each in evidence):
        problems.append(("evidence", "is invalid"))  # invented
    if problems:
        raise _validation_failed(problems)
    never = fields.get("expires_at") in (False, "false")
    return Details(
        recipient_email=email,
        first_name=_text(fields["issued_to_first_name"]),
        last_name=_text(fields["issued_to_last_name"]),
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


def _validation_failed(problems: list[tuple[str, str]]) -> Refusal:
    rows = [
        {"attribute": name, "attribute_label": name.replace("_", " ").capitalize(), "messages": [message]}
        for name, message in problems
    ]
    sentence = ", ".join(
        f"{row['attribute_label']} {message}" for row, (_, message) in zip(rows, problems, strict=True)
    )
    return Refusal(f"Validation failed: {sentence}", errors=rows)


def _evidence_row(evidence: Row) -> Row:
    if evidence.get("type") == "IdEvidence":
        return {"id": evidence.get("id") or new_id(), "type": "IdEvidence", "name": evidence.get("title")}
    return {"id": new_id(), **evidence}
