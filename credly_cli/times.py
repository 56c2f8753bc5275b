"""Times: read in every form that an LMS or a person writes, kept as UTC text of fixed width."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from math import inf
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from credly_cli.errors import Failure


class Clock(Protocol):
    """Where the time comes from; tests bring their own."""

    def now(self) -> datetime:
        """Return the current time, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds of a clock that nobody sets; only the difference of two means something."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Deadline:
    """When a work must have ended, ``seconds`` from now on a clock that nobody sets; without them it may take for ever.

    Whoever begins the work makes it, and whatever waits on the way asks it.
    """

    def __init__(self, clock: Clock, seconds: float | None = None) -> None:
        self._clock = clock
        self._end = inf if seconds is None else clock.monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds that are left: infinitely many without an end, none or fewer when it is over."""
        return self._end - self._clock.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether no time is left."""
        return self.remaining() <= 0


class Moment(NamedTuple):
    """A time as told: ``at`` is what we keep and send, ``latest`` the last second that it can mean (a date's end)."""

    at: str
    latest: str


class UnreadableTimeError(ValueError):
    """A text that is no time, or that could be two; ``reason`` says why without what to do about it in a file."""

    def __init__(self, reason: str, in_a_file: str | None = None) -> None:
        super().__init__(f"{reason}; {in_a_file}" if in_a_file else reason)
        self.reason = reason


def utc_text(moment: datetime) -> str:
    """Write a time as ``2026-11-23T09:30:00Z``."""
    return moment.astimezone(UTC).isoformat()[:19] + "Z"


def from_utc_text(text: str) -> datetime:
    """Read what ``utc_text`` wrote."""
    return datetime.fromisoformat(text)


def read_instant(text: str) -> str:
    """Read an ISO 8601 time with its zone, as Credly writes it, to the second; ``ValueError`` if it is none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise UnreadableTimeError(f"{text!r} has no time zone")
    return _checked_text(moment)


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


def read_moment(text: str, zone: tzinfo = UTC, form: str | None = None) -> Moment:
    """Read a time as an LMS or a person writes it (design, section 6).

    Without a zone of its own a time is in ``zone``; a date is that whole day in ``zone`` and is kept as its first
    second in UTC, so that the day does not shift. ``form`` is a strptime format; what it does not fit may still be ISO
    8601 or an epoch. Raises ``UnreadableTimeError``.
    """
    if form is None and (at := _read_plain(text, zone)):
        return Moment(at, at)
    return _read_other(text.strip(), zone, form)


def read_zone(name: str) -> tzinfo:
    """Find a time zone by its IANA name (``Europe/Vienna``); ``Failure`` if there is none of that name."""
    if name.strip().upper() in ("UTC", "Z", "GMT"):
        return UTC
    try:
        return ZoneInfo(name.strip())
    except (KeyError, ValueError, OSError):
        raise Failure(
            "usage", f"{name!r} is not a time zone.", hint="Use a name such as UTC, Europe/Vienna or America/New_York."
        ) from None


def _read_plain(text: str, zone: tzinfo) -> str | None:
    """Read ISO 8601 with seconds, at once: a file may hold millions of them. ``None`` for any other form."""
    if text[4:19:3] not in ("--T::", "-- ::"):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is not UTC and not (moment.tzinfo is None and zone is UTC):
        return _checked_text(moment if moment.tzinfo else moment.replace(tzinfo=zone))
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
