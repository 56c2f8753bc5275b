"""Time zones as exports name them: UTC, offsets, abbreviations, IANA names, and pairs in a header ("PST/PDT")."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from credly_cli.times import UnreadableTimeError

_UTC = frozenset({"utc", "gmt", "z", "ut", "coordinated universal time", "greenwich mean time"})
_OFFSET = re.compile(r"(?:(?:utc|gmt)\s*)?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d\d))?", re.ASCII)
_NAME = re.compile(r"[A-Za-z]{2,5}", re.ASCII)
_PAIRS = {
    ("PST", "PDT"): "America/Los_Angeles",
    ("MST", "MDT"): "America/Denver",
    ("EST", "EDT"): "America/New_York",
    ("AKST", "AKDT"): "America/Anchorage",
    ("GMT", "BST"): "Europe/London",
    ("WET", "WEST"): "Europe/Lisbon",
    ("CET", "CEST"): "Europe/Berlin",
    ("EET", "EEST"): "Europe/Athens",
    ("AEST", "AEDT"): "Australia/Sydney",
    ("NZST", "NZDT"): "Pacific/Auckland",
}
_GERMAN = {"MEZ": "CET", "MESZ": "CEST", "WEZ": "WET", "WESZ": "WEST", "OEZ": "EET", "OESZ": "EEST"}
# What tzdata calls by one name today, people and older data call several: Bangladesh, Bougainville, Arabia ...
_SHARED = frozenset({"IST", "CST", "CDT", "BST", "AST", "ADT", "GST", "SST", "AMT", "ECT", "WST"})
_YEARS = range(2015, 2028)
_LONGEST_HOURS = 14


@cache
def _bearers() -> dict[str, dict[str, timedelta]]:
    """Return for each abbreviation in use since 2015 the zones that bear it, each with the offset that it means there.

    Reads all zones, which takes a tenth of a second: only where a file names one.
    """
    moments = [datetime(year, month, 1, tzinfo=UTC) for year in _YEARS for month in (1, 7)]
    found: dict[str, dict[str, timedelta]] = {}
    for name in available_timezones():
        if name.startswith(("Etc/", "posix", "right", "Factory")) or "/" not in name:
            continue
        zone = ZoneInfo(name)
        for moment in moments:
            local = moment.astimezone(zone)
            abbreviation, offset = local.tzname() or "", local.utcoffset()
            if abbreviation.isalpha() and offset is not None:
                found.setdefault(abbreviation, {})[name] = offset
    return found


def is_zone(text: str) -> bool:
    """Tell whether a text names a zone or two of a pair, whether or not it says which."""
    text = text.strip().strip("()").strip()
    lowered = text.lower()
    if lowered in _UTC or _OFFSET.fullmatch(lowered):
        return True
    names = [name.strip() for name in text.split("/")]
    if len(names) <= 2 and all(_NAME.fullmatch(name) and name.isupper() for name in names):  # noqa: PLR2004
        return all(name in _GERMAN or name in _SHARED or name in _bearers() for name in names)
    return "/" in text and _iana(text) is not None


@cache
def read_named_zone(text: str, configured: tzinfo) -> tzinfo:
    """Return the zone that a text names; ``UnreadableTimeError`` if it is none, or one that several zones share.

    A shared name is taken only where the ``configured`` zone bears it.
    """
    text = text.strip().strip("()").strip()
    lowered = text.lower()
    if lowered in _UTC:
        return UTC
    if offset := _OFFSET.fullmatch(lowered):
        return _fixed(offset)
    if "/" in text:
        pair = tuple(_GERMAN.get(name.strip().upper(), name.strip().upper()) for name in text.split("/"))
        known = _PAIRS.get((pair[0], pair[1])) or _PAIRS.get((pair[1], pair[0])) if len(pair) == 2 else None  # noqa: PLR2004
        if known:
            return ZoneInfo(known)
        if len(pair) == 2 and all(str(configured) in _bearers().get(name, {}) for name in pair):  # noqa: PLR2004
            return configured
        if (zone := _iana(text)) is not None:
            return zone
        if all(name in _bearers() for name in pair):
            raise _shared(text)
        raise UnreadableTimeError(f"{text!r} is not a time zone")
    return _abbreviated(_GERMAN.get(text.upper(), text.upper()), configured)


def _abbreviated(name: str, configured: tzinfo) -> tzinfo:
    bearers = _bearers().get(name, {})
    if not bearers:
        raise UnreadableTimeError(f"{name!r} is not a time zone that is known", "say it with --timezone")
    if str(configured) in bearers:
        return timezone(bearers[str(configured)])
    offsets = set(bearers.values())
    if len(offsets) > 1 or name in _SHARED:
        raise _shared(name)
    return timezone(offsets.pop())


def _shared(name: str) -> UnreadableTimeError:
    return UnreadableTimeError(f"{name} is the name of several time zones", "say which with --timezone")


def _fixed(offset: re.Match[str]) -> tzinfo:
    hours, minutes = int(offset["hours"]), int(offset["minutes"] or 0)
    if hours > _LONGEST_HOURS or minutes > 59:  # noqa: PLR2004
        raise UnreadableTimeError(f"{offset[0]!r} is not an offset from UTC")
    distance = timedelta(hours=hours, minutes=minutes)
    return timezone(-distance if offset["sign"] == "-" else distance)


def _iana(text: str) -> ZoneInfo | None:
    wanted = text.strip().casefold()
    for name in available_timezones() if re.fullmatch(r"[a-z_]+(?:/[a-z_+-]+)+", wanted) else ():
        if name.casefold() == wanted:
            return ZoneInfo(name)
    return None


def zone_in(header: str) -> str | None:
    """Return the zone that a header names in brackets, as in ``Completed At (PST/PDT)``."""
    inside = header.rstrip().rstrip(")").rpartition("(")[2] if header.rstrip().endswith(")") else ""
    return inside if inside and is_zone(inside) else None
