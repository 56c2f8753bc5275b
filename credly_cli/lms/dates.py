"""Dates and times in every form that an LMS or a person writes; what could be two moments is refused."""

import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from credly_cli.lms.months import days_of, folded, in_english, month_of
from credly_cli.lms.records import Reading, RejectedError
from credly_cli.lms.zones import named_in, read_clock, read_named_zone
from credly_cli.times import UnreadableTimeError, checked_utc_text, utc_text

_NOTHING = frozenset({"", "-", "--", "\u2013", "\u2014", "n/a", "null", "none", "never", "\\n"})
NO_VALUES = _NOTHING | {
    ".", "---", "na", "#n/a", "nil", "undefined", "unknown", "tbd", "nan", "nat", "(null)", "<null>", "[null]",
    "(blank)", "#nv", "#n/d", "#n/b",
}  # fmt: skip
_NO_TIMES = NO_VALUES | {
    "nie", "jamais", "nunca", "mai", "nooit", "なし", "keine", "aucun", "ninguno", "nenhum", "nessuno", "geen",
    "not attempted", "invalid date",
}  # fmt: skip

_SLASHED = re.compile(r"(\d{1,4})[/.-](\d{1,2})[/.-](\d{1,4})(?:[ T,]+(.*))?", re.ASCII)
_EPOCH_SECONDS = re.compile(r"\d{10}(\.\d+)?", re.ASCII)  # since 2001; one of fewer digits was cut
_EPOCH_MILLISECONDS = re.compile(r"\d{13}", re.ASCII)
_ISO_OR_EPOCH = re.compile(r"(\d{4}-\d\d-\d\d)|\d{9,}(?:\.\d+)?$", re.ASCII)
_LIKE_ISO = ("%Y-%d", "%Y-%e")
_LIKE_EPOCH = ("%d%", "%m%", "%Y%", "%y%", "%s")
_WEEKDAY = r"(?:(?P<weekday>[^\W\d_]+(?:-[^\W\d_]+)?)\.?,?\s+)?"
_MONTH = r"(?P<month>[^\W\d_]+)"
_CLOCK_AFTER = r"(?:[\s,T]+(?:(?:um|a|as|a las|las|alle ore|alle|ore|om|at|on|klo|kl\.?)\s+)?(?P<clock>.*))?"
_WORDED = tuple(
    re.compile(form, re.DOTALL)
    for form in (
        rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|e|[º°o.])?[\s./-]*(?:(?:de|of)\s+)?{_MONTH}\.?,?[\s./-]*"
        rf"(?:(?:de|del)\s+)?(?P<year>\d{{4}})(?:\s*[\u0433\u0440]\.?)?{_CLOCK_AFTER}",
        rf"{_WEEKDAY}{_MONTH}\.?[\s/-]*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?[\s/-]+(?P<year>\d{{4}}){_CLOCK_AFTER}",
        rf"{_WEEKDAY}{_MONTH}\s+(?P<day>\d{{1,2}})\s+(?P<clock>\d\d:\d\d:\d\d(?:\s+\S+)?)\s+(?P<year>\d{{4}})",
        rf"{_WEEKDAY}(?P<year>\d{{4}})[\s./-]*{_MONTH}\.?[\s./-]*(?P<day>\d{{1,2}})\.?{_CLOCK_AFTER}",
        r"(?P<year>\d{4}|\d\d)\s*[年년]\s*(?P<number>\d{1,2})\s*[月월]\s*(?P<day>\d{1,2})\s*[日일]\s*"
        r"(?:\(?(?:[月火水木金土日월화수목금토일](?:曜日?|요일)?|(?:星期|周|週)[一二三四五六日天])\)?)?[\s,]*(?P<clock>.*)",
    )
)
_YEARLESS = re.compile(rf"{_WEEKDAY}\d{{1,2}}[\s./-]*{_MONTH}\.?[\s./-]*\d\d\b.*", re.DOTALL)
_NO_DATE = re.compile(
    r"-?000[01]-.*|\d{1,2}[/. -]\d{1,2}[/. -]-?000[01]\b.*|1900-01-00\b.*|0?[01][/.]0?[01][/.]1900\b.*|0(?:\.0*)?",
    re.ASCII | re.DOTALL,
)
_ZEROS = (datetime(1970, 1, 1, tzinfo=UTC), datetime(1900, 1, 1, tzinfo=UTC), datetime(1899, 12, 30, tzinfo=UTC))
_ANY_ZONE = timedelta(hours=14)
_TIME_CODES = re.compile("%-?[HIMSpfzZTXRcs]")
_DAY_CODES = (("%d", "%e"), ("%m", "%b", "%B", "%h"), ("%Y", "%y"))
_DAY_AND_CLOCK = re.compile(r"(?P<day>.*\S)(?:\s*,\s*|\s+|T)(?P<clock>\d{1,2}[:.h]\d\d\b.*)", re.DOTALL)
_DOTTED_CLOCK = re.compile(r"[\d-]+[T ]\d\d[.,]\d", re.ASCII)
_SERIAL = re.compile(r"[2-7]\d{4}(?:[.,]\d+)?", re.ASCII)
_LAST_ZONE = re.compile(r"[A-Za-z]{1,5}(?:[+-]\d{1,2}(?::?\d\d)?)?|[+-]\d\d:?\d\d")
_CANONICAL_LENGTH = len("2026-11-23T09:30:00Z")
_DATE_LENGTH = len("2026-11-23")
_NAMING = ("%a", "%A", "%b", "%B", "%h", "%p")
_HALF = re.compile(r"(?i)\b([ap])\.?\s?m\b\.?")
_ZONE_NAME = re.compile(r"\s*(?:UTC|GMT|z)$")
_ZONE_OFFSET = re.compile(r"\s+([+-]\d\d:?\d\d)$", re.ASCII)


class Moment(NamedTuple):
    """A time as told: ``at`` is what we keep and send, ``latest`` the last second that it can mean (a date's end)."""

    at: str
    latest: str


_Order: TypeAlias = Literal["year", "day", "month", "either"]
_ORDERED = re.compile(
    r"\s*(?:(\d{4})[/-]\d\d?[/-]\d\d?|(\d\d?)[/.-](\d\d?)[/.-]\d{2,4})(?:,?\s+\d\d?:\d\d(?::\d\d)?(?:\s*[AP]M)?)?\s*"
)


def _order_of(text: str) -> _Order | None:
    """Return what comes first in a date that a spreadsheet could have written."""
    found = _ORDERED.fullmatch(text)
    if found is None:
        return None
    year, first, second = found.groups()
    return "year" if year else "day" if int(first) > 12 else "month" if int(second) > 12 else "either"  # noqa: PLR2004


class NoTimeError(UnreadableTimeError):
    """What systems write where there is no time, such as the first second of Unix."""

    def __init__(self, text: str, moment: Moment | None = None) -> None:
        super().__init__(f"{text!r} is no time: systems write it for none")
        self.moment = moment  # where a person who types it may mean it all the same


def says_nothing(text: str) -> bool:
    """Tell whether a status or a number holds only what systems write for "no value"."""
    return text.strip().lower() in _NOTHING


def is_no_value(text: str) -> bool:
    """Tell whether an id, an address or a time holds only what systems and people write for "no value"."""
    return text.strip().lower() in NO_VALUES


class DateReader:
    """Reads the times of one column, whose header may name their zone; ``ahead`` are cells to judge it by."""

    def __init__(self, reading: Reading, header: str, ahead: Iterable[str] = ()) -> None:
        self._header = header
        self._orders: dict[_Order, str] = {}  # with an example of each
        self._zone = reading.zone
        self._problem: UnreadableTimeError | None = None
        if named := named_in(header):
            try:
                self._zone = read_named_zone(named.zone, reading.zone)
            except UnreadableTimeError as problem:
                self._problem = problem
        self._form = reading.date_format
        self._latest = utc_text(reading.now + timedelta(days=1))
        self.past = lru_cache(maxsize=8192)(self._past)  # an export repeats its times by the thousand
        for text in ahead:
            with suppress(RejectedError):
                self.any(text)

    def _past(self, text: str) -> Moment | None:
        """Read the time of something that happened: not more than a day ahead, for clocks differ."""
        if not text:
            return None
        if self._is_our_own(text):
            return Moment(text, text)
        moment = self.any(text)
        if moment and moment.at > self._latest:
            raise RejectedError(self._header, f"{text.strip()!r} is in the future")
        return moment

    def _is_our_own(self, text: str) -> bool:
        """Tell a time in the form that we keep; a file may have a million of them."""
        if text[4:19:3] != "--T::" or text[19:] != "Z" or not "1971" < text <= self._latest or self._form is not None:
            return False
        try:
            return bool(datetime.fromisoformat(text))
        except ValueError:
            return False

    def beginning(self, text: str) -> str | None:
        """Read when something begins: of a date its first moment in the zone."""
        moment = self.any(text)
        if moment is None or moment.at == moment.latest:
            return moment and moment.at
        return utc_text(datetime.combine(date.fromisoformat(moment.at[:10]), time(), self._zone))

    def any(self, text: str) -> Moment | None:
        """Read a time; ``None`` where the cell has none."""
        try:
            moment = _read_cell(text, self._zone, self._form)
        except NoTimeError:
            return None
        except UnreadableTimeError as problem:
            if text.strip().lower() in _NO_TIMES:
                return None
            raise RejectedError(self._header, str(problem)) from None
        if self._problem:
            raise RejectedError(self._header, str(self._problem))
        if order := _order_of(text):
            self._refuse_mixed(order, text)
        return moment

    def _refuse_mixed(self, order: _Order, text: str) -> None:
        """Refuse a date in a column of two orders: a spreadsheet changes those that it takes for its own."""
        orders = self._orders
        orders.setdefault(order, text.strip())
        if ("year" in orders and len(orders) > 1) or {"day", "month"} <= orders.keys():
            one, other, *_ = orders.values()
            raise RejectedError(
                self._header,
                f"the column has {one!r} and {other!r}: a spreadsheet may have changed one of them; "
                "export it anew, or import the rows of each form by themselves",
            )


def tidied(text: str) -> str:
    """Return a text with plain spaces and digits, without characters that are not seen."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("\u2212", "-")
        text = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    return " ".join(text.split())


def read_moment(text: str, zone: tzinfo = UTC, form: str | None = None) -> Moment:
    """Read a time as an LMS or a person writes it.

    Without a zone of its own a time is in ``zone``; a date is that whole day in ``zone`` and is kept as its first
    second in UTC, so that the day does not shift. ``form`` is a strptime format; what it does not fit may still be ISO
    8601 or an epoch. Raises ``UnreadableTimeError``.
    """
    try:
        return _read_cell(text, zone, form)
    except NoTimeError as none:
        if none.moment is None:
            raise
        return none.moment


def _read_cell(text: str, zone: tzinfo, form: str | None) -> Moment:
    """Read a time of a file; ``NoTimeError`` for what systems write where there is none."""
    if form is None and (at := _read_plain(text, zone)):
        return Moment(at, at)
    return _read_other(tidied(text), zone, form)


def _read_plain(text: str, zone: tzinfo) -> str | None:
    """Read ISO 8601 with seconds, at once: a file may hold millions of them. ``None`` for any other form."""
    if text[4:19:3] not in ("--T::", "-- ::"):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not "1971" <= text <= "3":
        return None
    if moment.tzinfo is not UTC and not (moment.tzinfo is None and zone is UTC):
        return checked_utc_text(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    return text if len(text) == _CANONICAL_LENGTH and text[10] == "T" else f"{text[:10]}T{text[11:19]}Z"


@lru_cache(maxsize=4096)  # an export repeats its times and dates by the thousand
def _read_other(text: str, zone: tzinfo, form: str | None) -> Moment:
    if _NO_DATE.fullmatch(text):
        raise NoTimeError(text)
    if form is None and _SERIAL.fullmatch(text):
        raise UnreadableTimeError(f"{text!r} is the number of a day in a spreadsheet", "format the column as a date")
    try:
        return _read_free(text, zone) if form is None else _read_mostly_by_form(text, zone, form)
    except UnreadableTimeError:
        raise
    except (ValueError, OverflowError, OSError):
        if form is None:
            hint = "its form can be told with --date-format"
            raise UnreadableTimeError(f"{text!r} is not a date or time", hint) from None
        raise UnreadableTimeError(f"{text!r} is not a date in the form {form!r}") from None


def _read_mostly_by_form(text: str, zone: tzinfo, form: str) -> Moment:
    """Read by the form that was told, and else what is ISO 8601 or an epoch, where the form is nothing like it.

    Where the other column of a file has dates without a time of day, or with one, the day is read as told all the same.
    """
    try:
        return _read_by_form(text, zone, form)
    except ValueError:
        if (moment := _read_day_by_form(text, zone, form)) is not None:
            return moment
        like = _ISO_OR_EPOCH.match(text)
        if not like or form.startswith(_LIKE_ISO if like[1] else _LIKE_EPOCH):
            raise
        return _read_free(text, zone)


def _read_day_by_form(text: str, zone: tzinfo, form: str) -> Moment | None:
    """Read a date by the part of a form that is one, and the time of day beside it, if any, as it stands."""
    day_form = _TIME_CODES.split(form)[0].rstrip(" ,T-").replace("%-", "%")
    if not all(any(code in day_form for code in codes) for codes in _DAY_CODES):
        return None
    parts = _DAY_AND_CLOCK.fullmatch(text)
    with suppress(ValueError):
        day = _read_by_form(parts["day"] if parts else text, zone, day_form)
        return _at_clock(date.fromisoformat(day.at[:10]), parts["clock"], zone) if parts else day
    return None


def _read_by_form(text: str, zone: tzinfo, form: str) -> Moment:
    if "%Z" in form:
        return _read_with_zone(text, zone, form)
    if not text.isascii() or any(code in form for code in _NAMING):
        text = in_english(_HALF.sub(r"\1M", text), form)
    moment = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is added where the format has none
    has_time = any(code in form for code in ("%H", "%I", "%c", "%X", "%s", "%T", "%R"))
    return _instant(moment, zone) if has_time else _whole_day(moment.date(), zone)


def _read_with_zone(text: str, zone: tzinfo, form: str) -> Moment:
    """Read a time whose form has a zone by name, which ``strptime`` would read and throw away."""
    problem: UnreadableTimeError | None = None
    for name in reversed(list(_LAST_ZONE.finditer(text))):
        if name[0].upper() in ("AM", "PM"):
            continue
        rest = " ".join((text[: name.start()] + text[name.end() :]).split())
        try:
            _read_by_form(rest, zone, plain := " ".join(form.replace("%Z", "").split()))
        except ValueError:
            continue
        try:
            return _read_by_form(rest, read_named_zone(name[0], zone), plain)
        except UnreadableTimeError as unknown:
            problem = unknown
    raise problem or ValueError(text)


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
    if (worded := _read_worded(text, zone)) is not None:
        return worded
    return _instant(datetime.fromisoformat(text), zone)


def _read_iso(text: str, zone: tzinfo) -> Moment:
    """Read ISO 8601, and the like of ``2026-03-02 09:30:00 -0500`` and ``... UTC``."""
    if len(text) <= _DATE_LENGTH:
        return _whole_day(date.fromisoformat(text), zone)
    if _DOTTED_CLOCK.match(text):
        raise ValueError(text)  # which ISO 8601 would read as a part of an hour
    text = _ZONE_OFFSET.sub(r"\1", _ZONE_NAME.sub("Z", text))
    return _instant(datetime.fromisoformat(text), zone)


def _read_worded(text: str, zone: tzinfo) -> Moment | None:
    """Read a date with its month by name, or with the signs of Japanese; ``None`` if it is none of these."""
    plain = folded(text)
    for form in _WORDED:
        found = form.fullmatch(plain)
        parts = found.groupdict() if found else {}
        if found is None or not (month := int(parts.get("number") or 0) or month_of(parts["month"])):
            continue
        year = int(found["year"]) + (2000 if len(found["year"]) == 2 else 0)  # noqa: PLR2004 - only where its place is told
        day = date(year, month, int(found["day"]))
        if (weekday := parts.get("weekday")) and day.weekday() not in days_of(weekday):
            raise UnreadableTimeError(f"{text!r} is not a date: the day of the week does not fit")
        return _at_clock(day, parts.get("clock"), zone)
    named = _YEARLESS.fullmatch(plain)
    if named and month_of(named["month"]):
        raise UnreadableTimeError(f"{text!r} has no year of four digits", "say its form with --date-format")
    return None


def _at_clock(day: date, clock: str | None, zone: tzinfo) -> Moment:
    if not clock or not clock.strip():
        return _whole_day(day, zone)
    try:
        moment = read_clock(clock, zone)
    except UnreadableTimeError:
        if _is_zero(day):  # in whatever zone
            raise NoTimeError(f"{day.isoformat()} {clock.strip()}") from None
        raise
    return _instant(datetime.combine(day, moment), zone)


def _read_slashed(match: re.Match[str], zone: tzinfo) -> Moment:
    first, second, third, clock = match.groups()
    if len(first) == 4:  # noqa: PLR2004 - a year
        if len(third) < len(second) and (second[0] == "0" or match.string[4] == "-"):
            raise UnreadableTimeError(f"{match.string!r} is not a date: its day is cut off")
        day = date(int(first), int(second), int(third))
    elif len(third) != 4:  # noqa: PLR2004
        raise UnreadableTimeError(f"{match.string!r} has no year of four digits", "say its form with --date-format")
    else:
        day = _day_of(int(first), int(second), int(third), match.string)
    return _at_clock(day, clock, zone)


def _day_of(first: int, second: int, year: int, text: str) -> date:
    readings = {(month, day) for month, day in ((first, second), (second, first)) if month <= 12}  # noqa: PLR2004
    if len(readings) > 1:
        raise UnreadableTimeError(f"{text!r} could be two dates", "say which with --date-format")
    if not readings:
        raise UnreadableTimeError(f"{text!r} is not a date")
    month, day = readings.pop()
    return date(year, month, day)


def _instant(moment: datetime, zone: tzinfo) -> Moment:
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    if moment.year <= 1970 and any(abs(moment - zero) <= _ANY_ZONE for zero in _ZEROS):  # noqa: PLR2004
        at = utc_text(moment)
        raise NoTimeError(at, Moment(at, at))
    text = checked_utc_text(moment)
    return Moment(text, text)


def _is_zero(day: date) -> bool:
    return any(zero.date() - timedelta(days=1) <= day <= zero.date() for zero in _ZEROS)  # the day before in America


def _whole_day(day: date, zone: tzinfo) -> Moment:
    end = datetime.combine(day + timedelta(days=1), time(), zone) - timedelta(seconds=1)
    begins = f"{day.isoformat()}T00:00:00Z"
    if _is_zero(day):
        raise NoTimeError(day.isoformat(), Moment(begins, utc_text(end)))
    return Moment(begins, checked_utc_text(end))
