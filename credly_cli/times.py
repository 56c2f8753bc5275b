"""Times: read in every form that an LMS or a person writes, kept as UTC text of fixed width."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple, Protocol


class Clock(Protocol):
    """Where the time comes from; tests bring their own."""

    def now(self) -> datetime:
        """Return the current time, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Moment(NamedTuple):
    """A time as told: ``at`` is what we keep and send, ``latest`` the last second that it can mean (a date's end)."""

    at: str
    latest: str


class UnreadableTimeError(ValueError):
    """A text that is no time, or that could be two."""


def utc_text(moment: datetime) -> str:
    """Write a time as ``2026-11-23T09:30:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_utc_text(text: str) -> datetime:
    """Read what ``utc_text`` wrote."""
    return datetime.fromisoformat(text)


def read_instant(text: str) -> str:
    """Read an ISO 8601 time with its zone, as Credly writes it, to the second; ``ValueError`` if it is none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise UnreadableTimeError(f"{text!r} has no time zone")
    return _checked_text(moment)


_CANONICAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_DATE_FIRST = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_SLASHED = re.compile(r"(\d{1,4})[/.](\d{1,2})[/.](\d{1,4})(?:[ T,]+(.*))?")
_EPOCH_SECONDS = re.compile(r"\d{9,10}(\.\d+)?")
_EPOCH_MILLISECONDS = re.compile(r"\d{12,13}")


@lru_cache(maxsize=4096)  # an export repeats its times and dates by the thousand
def read_moment(text: str, zone: tzinfo = UTC, form: str | None = None) -> Moment:
    """Read a time as an LMS or a person writes it (design, section 6).

    Without a zone of its own a time is in ``zone``; a date is that whole day in ``zone`` and is kept as its first
    second in UTC, so that the day does not shift. ``form`` is a strptime format. Raises ``UnreadableTimeError``.
    """
    text = text.strip()
    try:
        if form is not None:
            return _read_by_form(text, zone, form)
        if _CANONICAL.fullmatch(text):
            datetime.fromisoformat(text)  # the shape is right; this checks the calendar
            return Moment(text, text)
        return _read_free(text, zone)
    except UnreadableTimeError:
        raise
    except (ValueError, OverflowError, OSError):
        raise UnreadableTimeError(f"{text!r} is not a date or time") from None


def _read_by_form(text: str, zone: tzinfo, form: str) -> Moment:
    moment = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is added where the format has none
    has_time = any(code in form for code in ("%H", "%I", "%c", "%X", "%s", "%T", "%R"))
    return _instant(moment, zone) if has_time else _whole_day(moment.date(), zone)


def _read_free(text: str, zone: tzinfo) -> Moment:
    if _EPOCH_MILLISECONDS.fullmatch(text):
        return _instant(datetime.fromtimestamp(int(text) / 1000, UTC), zone)
    if _EPOCH_SECONDS.fullmatch(text):
        return _instant(datetime.fromtimestamp(float(text), UTC), zone)
    if slashed := _SLASHED.fullmatch(text):
        return _read_slashed(slashed, zone)
    if _DATE_FIRST.fullmatch(text):
        year, month, day = (int(part) for part in text.split("-"))
        return _whole_day(date(year, month, day), zone)
    return _instant(datetime.fromisoformat(_isoformat_of(text)), zone)


def _isoformat_of(text: str) -> str:
    """Bring ``2026-03-02 09:30:00 -0500`` and ``... UTC`` into the form that ``fromisoformat`` reads."""
    text = re.sub(r"\s*(UTC|GMT)$", "Z", text)
    return re.sub(r"\s+([+-]\d\d:?\d\d)$", r"\1", text)


def _read_slashed(match: re.Match[str], zone: tzinfo) -> Moment:
    first, second, third, clock = match.groups()
    if len(first) == 4:  # noqa: PLR2004 - a year
        day = date(int(first), int(second), int(third))
    elif len(third) != 4:  # noqa: PLR2004
        raise UnreadableTimeError(f"{match.string!r} has no year of four digits; say its form with --date-format")
    else:
        day = _day_of(int(first), int(second), int(third), match.string)
    if not clock:
        return _whole_day(day, zone)
    return _instant(datetime.combine(day, _clock_time(clock)), zone)


def _day_of(first: int, second: int, year: int, text: str) -> date:
    readings = {(month, day) for month, day in ((first, second), (second, first)) if month <= 12}  # noqa: PLR2004
    if len(readings) > 1:
        raise UnreadableTimeError(f"{text!r} could be two dates; say which with --date-format")
    if not readings:
        raise UnreadableTimeError(f"{text!r} is not a date")
    month, day = readings.pop()
    return date(year, month, day)


def _clock_time(text: str) -> time:
    for form in ("%I:%M %p", "%I:%M:%S %p"):
        try:
            return datetime.strptime(text, form).time()  # noqa: DTZ007 - only the time of day is taken
        except ValueError:
            continue
    return time.fromisoformat(re.sub(r"\s+", "", text))


def _instant(moment: datetime, zone: tzinfo) -> Moment:
    text = _checked_text(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    return Moment(text, text)


def _whole_day(day: date, zone: tzinfo) -> Moment:
    end = datetime.combine(day + timedelta(days=1), time(), zone) - timedelta(seconds=1)
    return Moment(f"{day.isoformat()}T00:00:00Z", _checked_text(end))


def _checked_text(moment: datetime) -> str:
    moment = moment.astimezone(UTC)
    if not 1900 <= moment.year <= 2999:  # noqa: PLR2004 - what an LMS writes for "never" is no date
        raise UnreadableTimeError(f"the year {moment.year} cannot be meant")
    return utc_text(moment)
