"""The values of single cells, and of the cells that say whom a row is about: addresses, names, percentages."""

import re
from functools import lru_cache

from credly_cli.lms.columns import ABSENT, Columns, key_of
from credly_cli.lms.dates import says_nothing
from credly_cli.lms.records import Cells, RejectedError

plain_email = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]+@[\w.-]+", re.ASCII).fullmatch  # needs no second look
_DISPLAYED = re.compile(r"[^<>]*<([^<>]*)>")
_PERCENTAGE = re.compile(r"(\d{1,3}(?:[.,]\d*)?)\s*%?", re.ASCII)


def read_email(text: str, column: str) -> str | None:
    """Read an address, also as ``mailto:r@x.com`` or ``Robin <r@x.com>``; ``None`` for an empty cell."""
    text = text.strip()
    if displayed := _DISPLAYED.fullmatch(text):
        text = displayed[1].strip()
    if text[:7].lower() == "mailto:":
        text = text[7:].strip()
    if not text:
        return None
    name, at, domain = text.partition("@")
    if not (name and at and domain) or "@" in domain or " " in text or not text.isprintable():
        raise RejectedError(column, f"{text!r} is not an email address")
    return text


def split_name(text: str) -> tuple[str | None, str | None]:
    """Split a full name into first and last: at the comma of "Last, First", else at the last space."""
    text = " ".join(text.split())
    if "@" in text:
        return None, None
    if "," in text:
        last, first = (part.strip() for part in text.split(",", 1))
    else:
        first, _, last = text.rpartition(" ")
        first, last = (first, last) if first else (last, "")
    return first or None, last or None


@lru_cache(maxsize=4096)
def read_percentage(text: str) -> float | None:
    """Read ``40``, ``40 %`` or ``40,5``; ``None`` for an empty cell, ``ValueError`` for anything not in 0..100."""
    if says_nothing(text):
        return None
    match = _PERCENTAGE.fullmatch(text.strip())
    value = float(match[1].replace(",", ".")) if match else -1.0
    if not 0 <= value <= 100:  # noqa: PLR2004 - per cent
        raise ValueError(f"{text.strip()!r} is not a percentage from 0 to 100")
    return value


_MAYBE_NO_EMAIL = frozenset({"user", "username", "learner", "student"})  # hold an address or a login name


class PersonReader:
    """Reads the person of a row."""

    def __init__(self, columns: Columns) -> None:
        self._email = columns.emails[0] if columns.emails else ABSENT
        self._emails = tuple((place, columns.header_at(place, "email")) for place in columns.emails)
        self.learner_id = columns.at("learner_id")
        self._first = columns.at("first_name")
        self._last = columns.at("last_name")
        self._full = columns.at("full_name")
        self._is_login = key_of(columns.label("full_name")) == "username"

    def email(self, cells: Cells) -> str | None:
        """Return the address, ``None`` where the row has none."""
        email = cells[self._email]
        return email if plain_email(email) else self._other_email(cells)

    def names(self, cells: Cells) -> tuple[str | None, str | None]:
        """Return first and last name, from the full name where that is all there is."""
        first = cells[self._first].strip() or None
        last = cells[self._last].strip() or None
        if self._full != ABSENT and first is None and last is None:
            return self._split(cells)
        return first, last

    def _other_email(self, cells: Cells) -> str | None:
        for place, header in self._emails:
            text = cells[place]
            if "@" not in text and key_of(header) in _MAYBE_NO_EMAIL:
                continue
            if email := read_email(text, header):
                return email
        return None

    def _split(self, cells: Cells) -> tuple[str | None, str | None]:
        full = cells[self._full].strip()
        if self._is_login and " " not in full:
            return None, None
        return split_name(full)
