"""Dates and times in every form that an LMS or a person writes; what could be two moments is refused."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

from credly_cli.lms.records import Reading, RejectedError
from credly_cli.times import UnreadableTimeError, checked_utc_text, utc_text

_NOTHING = frozenset({"", "-", "--", "\u2013", "\u2014", "n/a", "null", "none", "never", "\\n"})

_SLASHED = re.compile(r"(\d{1,4})[/.-](\d{1,2})[/.-](\d{1,4})(?:[ T,]+(.*))?", re.ASCII)
_EPOCH_SECONDS = re.compile(r"\d{9,10}(\.\d+)?", re.ASCII)
_EPOCH_MILLISECONDS = re.compile(r"\d{12,13}", re.ASCII)
_ISO_OR_EPOCH = re.compile(r"(\d{4}-\d\d-\d\d)|\d{9,}(?:\.\d+)?$", re.ASCII)
_LIKE_ISO = ("%Y-%d", "%Y-%e")
_LIKE_EPOCH = ("%d%", "%m%", "%Y%", "%y%", "%s")
_CLOCK = re.compile(
    r"(?P<hour>\d{1,2}):(?P<rest>\d\d(?::\d\d(?:\.\d+)?)?)\s*(?:(?P<half>[AP])\.?M\.?)?\s*(?P<zone>UTC|GMT|Z|[+-]\d\d:?\d\d)?",
    re.ASCII | re.IGNORECASE,
)
_CANONICAL_LENGTH = len("2026-11-23T09:30:00Z")
_DATE_LENGTH = len("2026-11-23")
_ZONE_NAME = re.compile(r"\s*(?:UTC|GMT|z)$")
_ZONE_OFFSET = re.compile(r"\s+([+-]\d\d:?\d\d)$", re.ASCII)


class Moment(NamedTuple):
    """A time as told: ``at`` is what we keep and send, ``latest`` the last second that it can mean (a date's end)."""

    at: str
    latest: str


def says_nothing(text: str) -> bool:
    """Tell whether a cell holds only what systems write for "no value"."""
    return text.strip().lower() in _NOTHING


class DateReader:
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
            return bool(datetime.fromisoformat(text))
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


def read_moment(text: str, zone: tzinfo = UTC, form: str | None = None) -> Moment:
    """Read a time as an LMS or a person writes it.

    Without a zone of its own a time is in ``zone``; a date is that whole day in ``zone`` and is kept as its first
    second in UTC, so that the day does not shift. ``form`` is a strptime format; what it does not fit may still be ISO
    8601 or an epoch. Raises ``UnreadableTimeError``.
    """
    if form is None and (at := _read_plain(text, zone)):
        return Moment(at, at)
    return _read_other(text.strip(), zone, form)


def _read_plain(text: str, zone: tzinfo) -> str | None:
    """Read ISO 8601 with seconds, at once: a file may hold millions of them. ``None`` for any other form."""
    if text[4:19:3] not in ("--T::", "-- ::"):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is not UTC and not (moment.tzinfo is None and zone is UTC):
        return checked_utc_text(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    if not "1900" <= text <= "3":
        return None
    return text if len(text) == _CANONICAL_LENGTH and text[10] == "T" else f"{text[:10]}T{text[11:19]}Z"


@lru_cache(maxsize=4096)  # an export repeats its times and dates by the thousand
def _read_other(text: str, zone: tzinfo, form: str | None) -> Moment:
    try:
        return _read_free(text, zone) if form is None else _read_told(text, zone, form)
    except UnreadableTimeError:
        raise
    except (ValueError, OverflowError, OSError):
        expected = "a date or time" if form is None else f"a date in the form {form!r}"
        raise UnreadableTimeError(f"{text!r} is not {expected}") from None


def _read_told(text: str, zone: tzinfo, form: str) -> Moment:
    """Read by the form that was told, and else what is ISO 8601 or an epoch, where the form is nothing like it."""
    try:
        return _read_by_form(text, zone, form)
    except ValueError:
        like = _ISO_OR_EPOCH.match(text)
        if not like or form.startswith(_LIKE_ISO if like[1] else _LIKE_EPOCH):
            raise
        return _read_free(text, zone)


def _read_by_form(text: str, zone: tzinfo, form: str) -> Moment:
    moment = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is added where the format has none
    has_time = any(code in form for code in ("%H", "%I", "%c", "%X", "%s", "%T", "%R"))
    return _instant(moment, zone) if has_time else _whole_day(moment.date(), zone)


def _read_free(text: str, zone: tzinfo) -> Moment:
    if text[4:5] == "-" or len(text) == len("20261123"):
        with suppress(ValueError):
            return _read_iso(text, zone)
    if _EPOCH_MILLISECONDS.fullmatch(text):
        return _instant(datetime.fromtimestamp(int(text) / 1000, UTC), zone)
    if _EPOCH_SECONDS.fullmatch(text):
        return _instant(datetime.fromtimestamp(float(text), UTC), zone)
    if slashed := _SLASHED.fullmatch(text):
        return _read_slashed(slashed, zone)
    return _instant(datetime.fromisoformat(text), zone)


def _read_iso(text: str, zone: tzinfo) -> Moment:
    """Read ISO 8601, and the like of ``2026-03-02 09:30:00 -0500`` and ``... UTC``."""
    if len(text) <= _DATE_LENGTH:
        return _whole_day(date.fromisoformat(text), zone)
    text = _ZONE_OFFSET.sub(r"\1", _ZONE_NAME.sub("Z", text))
    return _instant(datetime.fromisoformat(text), zone)


def _read_slashed(match: re.Match[str], zone: tzinfo) -> Moment:
    first, second, third, clock = match.groups()
    if len(first) == 4:  # noqa: PLR2004 - a year
        day = date(int(first), int(second), int(third))
    elif len(third) != 4:  # noqa: PLR2004
        raise UnreadableTimeError(f"{match.string!r} has no year of four digits", "say its form with --date-format")
    else:
        day = _day_of(int(first), int(second), int(third), match.string)
    if not clock:
        return _whole_day(day, zone)
    return _instant(datetime.combine(day, _clock_time(clock)), zone)


def _day_of(first: int, second: int, year: int, text: str) -> date:
    readings = {(month, day) for month, day in ((first, second), (second, first)) if month <= 12}  # noqa: PLR2004
    if len(readings) > 1:
        raise UnreadableTimeError(f"{text!r} could be two dates", "say which with --date-format")
    if not readings:
        raise UnreadableTimeError(f"{text!r} is not a date")
    month, day = readings.pop()
    return date(year, month, day)


def _clock_time(text: str) -> time:
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise UnreadableTimeError(f"{text!r} is not a time of day")
    hour, half, zone = int(match["hour"]), match["half"], match["zone"]
    if half:
        hour = datetime.strptime(f"{hour} {half}M", "%I %p").hour  # noqa: DTZ007 - only the hour is taken
    zone = "Z" if zone in ("UTC", "GMT") else zone
    return time.fromisoformat(f"{hour:02}:{match['rest']}{zone or ''}")


def _instant(moment: datetime, zone: tzinfo) -> Moment:
    text = checked_utc_text(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    return Moment(text, text)


def _whole_day(day: date, zone: tzinfo) -> Moment:
    end = datetime.combine(day + timedelta(days=1), time(), zone) - timedelta(seconds=1)
    return Moment(f"{day.isoformat()}T00:00:00Z", checked_utc_text(end))
