"""The keys of the configuration: of what type each is, and what its value must be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal, get_args

from credly_cli.errors import Failure, invalid_configuration
from credly_cli.import_options import read_entry
from credly_cli.text import is_web_address
from credly_cli.times import read_zone, utc_text
from credly_cli.urls import api_address, oauth_address, record_store_address

SourceName = Literal["files", "thought-industries", "xapi"]
_SOURCES: tuple[SourceName, ...] = get_args(SourceName)
KeyType = Literal[
    "bool", "text", "list", "seconds", "count", "limit", "days", "timezone", "address", "web", "oauth", "source",
    "words", "names", "record store", "moment", "files",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the configuration: its type, its default, and what it is for."""

    name: str
    type: KeyType
    default: Any
    meaning: str


@dataclass(frozen=True, slots=True)
class _Check:
    """What a value must be: in words, by its type, and within which bounds or of which."""

    words: str
    kind: type
    at_least: int | None = None
    at_most: int | None = None
    one_of: tuple[str, ...] = ()
    items: tuple[type, ...] = (str,)  # of a list

    def fits(self, value: Any) -> bool:
        """Tell whether a value may be."""
        if self.one_of and isinstance(value, list):
            return (
                bool(value) and len(set(map(str, value))) == len(value) and all(item in self.one_of for item in value)
            )
        if type(value) is not self.kind:  # not isinstance: a bool is an int to Python, not to a reader
            return False
        if self.one_of:
            return value in self.one_of
        if isinstance(value, list):
            return all(isinstance(item, self.items) for item in value)
        return not isinstance(value, int) or self._within(value)

    def _within(self, number: int) -> bool:
        return (self.at_least is None or number >= self.at_least) and (self.at_most is None or number <= self.at_most)


_CHECKS: dict[KeyType, _Check] = {
    "bool": _Check("true or false", bool),
    "text": _Check("text", str),
    "timezone": _Check("the name of a time zone", str),
    "oauth": _Check("an address like https://www.credly.com/oauth/token", str),
    "address": _Check("an address like https://api.credly.com", str),
    "web": _Check("an address that begins with https:// or http://", str),
    "list": _Check("a list of texts", list),
    "seconds": _Check("a whole number of seconds from 0 to a year", int, at_least=0, at_most=366 * 86400),
    "count": _Check("a whole number from 1 to 32", int, at_least=1, at_most=32),
    "limit": _Check("a whole number from 0", int, at_least=0, at_most=1_000_000_000),
    "words": _Check('a table like {"path_completed" = "completed"}', dict),
    "days": _Check("a whole number of days from 0 to 3650", int, at_least=0, at_most=3650),
    "files": _Check("a list of paths, globs or tables", list, items=(str, dict)),
    "names": _Check('a table like {"https://lms.example/course/7" = "first-aid"}', dict),
    "record store": _Check("an address like https://lrs.example.com/xapi", str),
    "moment": _Check("a date or a time such as 2026-01-01 or 2026-01-01T00:00:00Z, in quotes", str),
    "source": _Check(f"{', '.join(_SOURCES[:-1])} or {_SOURCES[-1]}, or a list of them", str, one_of=_SOURCES),
}


def checked(key: Key, value: Any, place: str) -> Any:
    """Return the value of a key as it is used, ``place`` being where it stands; raises ``Failure``."""
    if key.type == "moment" and isinstance(value, date):
        value = value.isoformat()  # TOML knows dates and times
    expected = _CHECKS[key.type]
    if not expected.fits(value) or (key.type == "web" and not is_web_address(value)):
        raise _not_as_wanted(key, place)
    if key.type in _ADDRESSES:
        return _ADDRESSES[key.type](value)
    if key.type in _READERS:
        return _READERS[key.type](key, value, place)
    if key.type == "files":
        return tuple(read_entry(entry, f"{place}{key.name}") for entry in value)
    return tuple(value) if isinstance(value, list) else value


def _not_as_wanted(key: Key, place: str) -> Failure:
    return invalid_configuration(f"In the configuration, {place}{key.name} must be {_CHECKS[key.type].words}.")


def _zone_name(_key: Key, value: str, _place: str) -> str:
    try:
        read_zone(value)
    except Failure as failure:
        raise invalid_configuration(failure.message) from None
    return value


_ADDRESSES = {"address": api_address, "oauth": oauth_address, "record store": record_store_address}


def _names(key: Key, value: Mapping[str, Any], place: str) -> dict[str, str]:
    if not all(isinstance(name, str) for name in value.values()):
        raise _not_as_wanted(key, place)
    return {given.strip().rstrip("/") if key.name.endswith("homes") else given: name for given, name in value.items()}


def _moment(key: Key, value: str, place: str) -> str:
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        raise _not_as_wanted(key, place) from None
    return utc_text(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


_MEANINGS = ("completed", "open", "ended", "enrolled", "ignore")


def _words(key: Key, value: Mapping[str, Any], place: str) -> dict[str, str]:
    """Check what words mean; those of a column may stand in a table of their own."""
    found: dict[str, str] = {}
    for word, meaning in value.items():
        if isinstance(meaning, dict):
            found |= _words(key, meaning, place)
        elif meaning in _MEANINGS:
            found[word] = meaning
        else:
            ways = ", ".join(_MEANINGS)
            raise invalid_configuration(f"In the configuration, {place}{key.name} must say one of {ways} for {word!r}.")
    return found


_READERS: dict[str, Callable[[Key, Any, str], Any]] = {
    "words": _words, "names": _names, "moment": _moment, "timezone": _zone_name,
}  # fmt: skip
