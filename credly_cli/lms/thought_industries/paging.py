"""What a page of Thought Industries' lists says: its rows, and where the next page is or that there is none.

Its documents contradict each other: a page tells its end by ``pageInfo.hasMore``, or by ``meta`` with ``nextCursor`` or
``totalPages``, and a cursor may be any text or a time in milliseconds. Each is read by what it says.
"""

import binascii
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any, TypeAlias

from credly_cli.http.response import HttpFailure
from credly_cli.lms.dates import read_moment
from credly_cli.text import JsonObject
from credly_cli.times import UnreadableTimeError, from_utc_text

Row: TypeAlias = JsonObject
Place: TypeAlias = dict[str, str | int]  # what to ask for a page with

_ROWS = (
    "events", "APIEvents", "users", "contentItems", "content", "clients", "licenses", "courseGroups", "courses",
    "nodes", "items", "data",
)  # fmt: skip
_ENVELOPES = ("pageInfo", "meta")
_NO_MORE = ("", "false", "0", "none")
_EARLIEST, _LATEST = 10**12, 10**13  # milliseconds since 1970: 2001 to 2286


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a list, and what to ask for the next ones with (``None`` on the last page)."""

    rows: list[Row]
    next: Place | None


def read_page(body: Any, read_before: int, *, must_have_end: bool) -> Page:
    """Read a page of a list of which so many rows were read; raises ``HttpFailure`` for one that is not whole.

    With ``must_say`` it has to tell whether there is more.
    """
    rows, information = _listed(body)
    following = _following(information, read_before + len(rows), has_rows=bool(rows), must_have_end=must_have_end)
    return Page([row for row in rows if isinstance(row, dict)], following)


def unwrapped(body: Any) -> Row | None:
    """Return one object that may lie in others, such as ``{"data": {"UserById": {...}}}``."""
    while isinstance(body, dict) and "email" not in body and "id" not in body:
        body = body.get("data", body.get("user", _only(body)))
    return body if isinstance(body, dict) else None


def _listed(body: Any) -> tuple[list[Any], Row]:
    """Return the rows of an answer and what it says of its pages."""
    information: Row = {}
    while isinstance(body, dict):
        envelopes = (body[name] for name in _ENVELOPES if isinstance(body.get(name), dict))
        information = next(envelopes, information)
        rows = next((body[name] for name in _ROWS if isinstance(body.get(name), list)), None)
        if rows is not None:
            return rows, information
        body = body.get("data") if "data" in body else _inside(body)
    raise unreadable("gave an answer without the list that was asked for")


def _inside(body: Row) -> Any:
    """Return what lies in an object, beside what is told of pages and of the whole."""
    inner = [value for key, value in body.items() if key not in _ENVELOPES and isinstance(value, dict)]
    return inner[0] if len(inner) == 1 else None


def _only(body: Row) -> Any:
    values = list(body.values())
    return values[0] if len(values) == 1 else None


def _following(information: Row, read: int, *, has_rows: bool, must_have_end: bool) -> Place | None:
    """Return where the next page is: more without a way to it must not pass for the end."""
    cursor = information.get("cursor") or information.get("nextCursor")
    page = _number(information, "currentPage", "page")
    more = _has_more(information, page, read, has_rows=has_rows)
    if more is None:
        if must_have_end:
            raise unreadable("does not say whether there is more")
        return None
    if not more:
        return None
    if cursor:
        return {"cursor": str(cursor)}
    if page is None:
        raise unreadable("says that there is more, and not where")
    return {"page": page + 1}


def _has_more(information: Row, page: int | None, read: int, *, has_rows: bool) -> bool | None:
    """Tell whether there is more, ``None`` where nothing says so."""
    if "hasMore" in information:
        return str(information["hasMore"]).strip().lower() not in _NO_MORE
    pages = _number(information, "totalPages")
    if pages is not None and page is not None:
        return page < pages
    total = _number(information, "total", "totalCount")
    if "nextCursor" in information and (information["nextCursor"] or pages is None or total is None or read >= total):
        return bool(information["nextCursor"])
    if total is None:
        return None
    if read >= total:
        return False
    return True if has_rows and (information.get("cursor") or page is not None) else None


def _number(information: Row, *names: str) -> int | None:
    text = next((str(information[name]) for name in names if information.get(name) is not None), "")
    return int(text) if text.isdecimal() else None


def unreadable(what: str) -> HttpFailure:
    """Say that an answer cannot be relied on."""
    return HttpFailure("server-error", f"Thought Industries {what}.", hint="The next sync tries again from here.")


# Times


def happened_at(event: Row) -> str | None:
    """Return when an event happened, as UTC text."""
    try:
        return read_moment(str(event.get("timestamp") or "")).at
    except UnreadableTimeError:
        return None


def milliseconds_of(event: Row) -> int | None:
    """Return when an event happened, in milliseconds since 1970."""
    text = str(event.get("timestamp") or "").strip()
    if text.isdecimal() and _EARLIEST <= int(text) < _LATEST:
        return int(text)
    at = happened_at(event)
    if at is None:
        return None
    fraction = text.partition("T")[2].partition(".")[2]
    digits = fraction[: next((n for n, character in enumerate(fraction) if not character.isdecimal()), len(fraction))]
    return int(from_utc_text(at).timestamp()) * 1000 + int(f"{digits}000"[:3])


def time_of_cursor(cursor: object) -> int | None:
    """Return the time that a cursor is, in milliseconds since 1970; ``None`` for any other."""
    text = str(cursor)
    for form in (text, _decoded(text)):
        if form.isascii() and form.isdecimal() and _EARLIEST <= int(form) < _LATEST:
            return int(form)
    return None


def cursor_at(cursor: object, milliseconds: int) -> str:
    """Write a time as a cursor, in the form of another one."""
    text = str(cursor)
    if text.isdecimal():
        return str(milliseconds)
    coded = b64encode(str(milliseconds).encode()).decode()
    return coded if text.endswith("=") else coded.rstrip("=")


def _decoded(text: str) -> str:
    try:
        return b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return ""
