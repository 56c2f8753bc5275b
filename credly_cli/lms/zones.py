"""Times of day, and time zones as exports name them: UTC, offsets, abbreviations, IANA names, and pairs ("PST/PDT")."""

import re
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from typing import NamedTuple
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
# What is said of a zone whatever the season, as CLDR has it in English.
_GENERIC = {
    "et": "America/New_York", "eastern time": "America/New_York",
    "ct": "America/Chicago", "central time": "America/Chicago",
    "mt": "America/Denver", "mountain time": "America/Denver",
    "pt": "America/Los_Angeles", "pacific time": "America/Los_Angeles",
    "central european time": "Europe/Berlin",
}  # fmt: skip
_AROUND = re.compile(r"\b(?:in|time\s?zone|tz)\b", re.IGNORECASE)
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_LIKE_ZONE = re.compile(r"(?i:\b(?:time|local|zone)\b|zeit|heure|hora\b|\bora\b|tijd)|^\s*[A-Z]{3,4}\s*$")
_AT_THE_END = re.compile(
    r"(?P<header>.*\S)(?:[\s,_:-]+(?:[Ii]n[\s_]+)?(?P<utc>(?i:UTC|GMT))(?i:[\s_]*time[\s_]?zone|[\s_]time)?"
    r"|(?<=[a-z])(?P<joined>UTC|Utc)|(?<=[a-z])[\s,-]+(?P<short>[PMECA]E?[SD]T|CES?T|CST|IST|MES?Z))\s*",
    re.DOTALL,
)
_IN_FRONT = re.compile(r"\s*(?P<utc>UTC|GMT)[\s,_:-]+(?P<header>.*\S)\s*", re.IGNORECASE | re.DOTALL)
_GERMAN = {"MEZ": "CET", "MESZ": "CEST", "WEZ": "WET", "WESZ": "WEST", "OEZ": "EET", "OESZ": "EEST"}
# What tzdata calls by one name today, people and older data call several: Bangladesh, Bougainville, Arabia ...
_SHARED = frozenset({"IST", "CST", "CDT", "BST", "AST", "ADT", "GST", "SST", "AMT", "ECT", "WST"})
_CLOCK = re.compile(
    r"(?P<before>午前|午後|上午|下午|오전|오후)?\s*(?P<hour>\d{1,2})\s*[:.h時时시]\s*(?P<minute>\d\d)"
    r"(?:\s*[:.m分분]\s*(?P<second>\d\d)(?:[.,]\d+)?)?\s*[秒分초분]?"
    r"\s*(?:uhr\b)?\s*(?:(?P<half>[AP])\.?\s?M\b\.?)?\s*(?P<zone>[a-z+(-].*)?",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_HALVES = {"午前": "A", "上午": "A", "오전": "A", "午後": "P", "下午": "P", "오후": "P"}
_OFFSET_AND_NAME = re.compile(r"(?P<offset>(?:GMT|UTC)?[+-]\d\d?:?\d{0,2})\s*\(.*\)")
_YEARS = range(2015, 2028)
_LONGEST_HOURS = 14
_LONGEST_HEADER = 200  # letters; a cell of another row may be a megabyte


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


def _is_zone(text: str) -> bool:
    """Tell whether a text names a zone or two of a pair, whether or not it says which."""
    text = _plain(text)
    if text.lower() in _UTC or text.lower() in _GENERIC or _OFFSET.fullmatch(text.lower()):
        return True
    names = [name.strip() for name in text.split("/")]
    if len(names) <= 2 and all(_NAME.fullmatch(name) and name.isupper() for name in names):  # noqa: PLR2004
        return all(name in _GERMAN or name in _SHARED or name in _bearers() for name in names)
    return "/" in text and _iana(text) is not None


def _plain(text: str) -> str:
    """Return what names a zone without the words around it, as in ``UTC TimeZone`` and ``in UTC``."""
    plain = " ".join(_AROUND.sub(" ", text).split()).strip("()[] ")
    shorter = plain.removesuffix(" time").removesuffix(" Time")
    return shorter if shorter.lower() in _UTC else plain


@cache
def read_named_zone(text: str, configured: tzinfo) -> tzinfo:
    """Return the zone that a text names; ``UnreadableTimeError`` if it is none, or one that several zones share.

    A shared name is taken only where the ``configured`` zone bears it.
    """
    text = _plain(text)
    lowered = text.lower()
    if lowered in _UTC:
        return UTC
    if generic := _GENERIC.get(lowered):
        return ZoneInfo(generic)
    if offset := _OFFSET.fullmatch(lowered):
        return _fixed(offset)
    return _of_pair(text, configured) if "/" in text else _abbreviated(_in_english(text), configured)


def _in_english(name: str) -> str:
    return _GERMAN.get(name.strip().upper(), name.strip().upper())


def _of_pair(text: str, configured: tzinfo) -> tzinfo:
    """Return the zone of two abbreviations, as in PST/PDT, or of a name as in America/New_York."""
    pair = tuple(map(_in_english, text.split("/")))
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


class Named(NamedTuple):
    """A header that names a zone: what it says without that, and the zone as it is named."""

    header: str
    zone: str


def named_in(header: str) -> Named | None:
    """Return the zone that a header names, ``None`` if it names none.

    In brackets it may be any, as in ``Completed At (PST/PDT)``; without them one of a few, as in ``completed_at_utc``.
    """
    if len(header) > _LONGEST_HEADER:
        return None
    for bracket in _BRACKETS.finditer(header) if header.rstrip()[-1:] in (")", "]") else ():
        if _is_zone(bracket[1]):
            rest = f"{header[: bracket.start()]} {header[bracket.end() :]}"
            # what Windows calls "(UTC-05:00) Eastern Time (US & Canada)" has summer time all the same
            return Named(rest, next((name for name in _GENERIC if name in rest.lower() and " " in name), bracket[1]))
    if found := _AT_THE_END.fullmatch(header) or _IN_FRONT.fullmatch(header):
        zones = {name: zone for name, zone in found.groupdict().items() if zone}
        return Named(zones.pop("header"), zones.popitem()[1])
    return None


def may_name_a_zone(header: str) -> bool:
    """Tell whether brackets behind a header may name a zone that is not known, as ``(Eastern Standard Time)``."""
    if len(header) > _LONGEST_HEADER or named_in(header) is not None:
        return False
    return any(_LIKE_ZONE.search(bracket[1]) for bracket in _BRACKETS.finditer(header))


def read_clock(text: str, zone: tzinfo) -> time:
    """Read a time of day: of 12 or 24 hours, with or without a zone, which may have a name."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise UnreadableTimeError(f"{text!r} is not a time of day")
    hour = _hour_of(int(match["hour"]), (match["half"] or _HALVES.get(match["before"], "")).upper())
    if hour is None:
        raise UnreadableTimeError(f"{text!r} is not a time of day")
    named = match["zone"]
    if named and (offset := _OFFSET_AND_NAME.fullmatch(named.upper())):
        named = offset["offset"]
    named_zone = read_named_zone(named, zone) if named else None
    return time(hour, int(match["minute"]), int(match["second"] or 0), tzinfo=named_zone)


def _hour_of(hour: int, half: str) -> int | None:
    """Return the hour of 24; ``None`` where the half of the day contradicts it."""
    noon = 12
    if not half:
        return hour
    if not 1 <= hour <= noon:
        return None
    return hour % noon + (noon if half == "P" else 0)
