"""Times: the clock, and UTC text of fixed width, in which every time is kept."""

from datetime import UTC, datetime, tzinfo
from math import inf
from typing import Protocol
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
    return checked_utc_text(moment)


def checked_utc_text(moment: datetime) -> str:
    """Write a time as ``utc_text`` does; raises ``UnreadableTimeError`` for a year that cannot be meant."""
    moment = moment.astimezone(UTC)
    if not 1900 <= moment.year <= 2999:  # noqa: PLR2004
        raise UnreadableTimeError(f"the year {moment.year} cannot be meant")
    return utc_text(moment)


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
