"""The values of single cells: addresses, names, percentages, times."""

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from credly_cli.lms.reading import Reading, RejectedError
from credly_cli.times import Moment, UnreadableTimeError, read_moment, utc_text

plain_email = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]+@[\w.-]+", re.ASCII).fullmatch  # needs no second look
_DISPLAYED = re.compile(r"[^<>]*<([^<>]*)>")
_PERCENTAGE = re.compile(r"(\d{1,3}(?:[.,]\d*)?)\s*%?", re.ASCII)
_fromisoformat = datetime.fromisoformat
_NOTHING = frozenset({"", "-", "--", "\u2013", "\u2014", "n/a", "null", "none", "never", "\\n"})


def says_nothing(text: str) -> bool:
    """Tell whether a cell holds only what systems write for "no value"."""
    return text.strip().lower() in _NOTHING


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


class Times:
    """Reads the times of one file."""

    def __init__(self, reading: Reading) -> None:
        self._zone = reading.zone
        self._form = reading.date_format
        self._latest = utc_text(reading.now + timedelta(days=1))
        self.past = lru_cache(maxsize=8192)(self._past)  # an export repeats its times by the thousand

    def _past(self, text: str, column: str) -> Moment | None:
        """Read the time of something that happened: not more than a day ahead, for clocks differ."""
        if not text:
            return None
        if self._is_our_own(text):
            return Moment(text, text)
        moment = self.any(text, column)
        if moment and moment.at > self._latest:
            raise RejectedError(column, f"{text.strip()!r} is in the future")
        return moment

    def _is_our_own(self, text: str) -> bool:
        """Tell a time in the form that we keep; a file may have a million of them."""
        if text[4:19:3] != "--T::" or text[19:] != "Z" or not "1900" < text <= self._latest or self._form is not None:
            return False
        try:
            return bool(_fromisoformat(text))
        except ValueError:
            return False

    def beginning(self, text: str, column: str) -> str | None:
        """Read when something begins: of a date its first moment in the zone."""
        moment = self.any(text, column)
        if moment is None or moment.at == moment.latest:
            return moment and moment.at
        return utc_text(datetime.combine(date.fromisoformat(moment.at[:10]), time(), self._zone))

    def any(self, text: str, column: str) -> Moment | None:
        """Read a time; ``None`` where the cell has none."""
        try:
            return read_moment(text, self._zone, self._form)
        except UnreadableTimeError as problem:
            if says_nothing(text):
                return None
            raise RejectedError(column, str(problem)) from None
