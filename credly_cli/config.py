"""The configuration: one table of keys with their defaults, read from ``config.toml`` (design, section 7)."""

import difflib
import ipaddress
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from credly_cli.errors import Failure
from credly_cli.times import read_zone

PRODUCTION_URL = "https://api.credly.com/v1"
SANDBOX_URL = "https://sandbox-api.credly.com/v1"
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the configuration: its type, its default, and what it is for."""

    name: str
    type: Literal["bool", "text", "list", "seconds", "count", "timezone", "address", "source"]
    default: Any
    meaning: str


KEYS: tuple[Key, ...] = (
    Key("enabled", "bool", True, "false switches the integration off: only status, disconnect and help answer"),
    Key("timezone", "timezone", "UTC", "the zone of times that name none, in files and options"),
    Key("hide_expired_badges", "bool", False, "true leaves expired badges out of what learners see"),
    Key("suppress_notification", "bool", False, "true asks Credly not to mail the learner"),
    Key("credly.api_url", "address", None, "another Credly than production, such as its sandbox"),
    Key("credly.organization", "text", None, "the organization's id, where the token has several"),
    Key("credly.token_command", "list", [], "a program that prints the token, with its arguments; no shell"),
    Key("credly.parallel", "count", 4, "how many requests may be under way at once, 1 to 32"),
    Key("grants.settle_seconds", "seconds", 900, "how long an unclear badge must be absent before it is sent again"),
    Key("grants.recheck_seconds", "seconds", 60, "the first wait of a grant that is tried again"),
    Key("grants.hold_uncertain", "bool", False, "true never sends an unclear badge again, but asks a person"),
    Key("lms.source", "source", None, "where `credly sync` reads the LMS from: files or thought-industries"),
    Key("lms.files.learners", "list", [], "paths and globs of learner files"),
    Key("lms.files.content", "list", [], "paths and globs of content files"),
    Key("lms.files.progress", "list", [], "paths and globs of progress files"),
    Key("lms.files.access", "list", [], "paths and globs of access files"),
    Key("lms.thought_industries.host", "text", None, "the host of your Thought Industries site"),
    Key("lms.thought_industries.token_file", "text", None, "a file of mode 0600 with its API key"),
)
_BY_NAME = {key.name: key for key in KEYS}
_GROUPS = {key.name.rpartition(".")[0] for key in KEYS} | {"lms"}


class Settings:
    """What the configuration says, checked, with the defaults where it says nothing."""

    def __init__(self, values: Mapping[str, Any], folder: Path) -> None:
        self._values = values
        self.folder = folder

    def __getitem__(self, name: str) -> Any:
        return self._values.get(name, _BY_NAME[name].default)

    @property
    def zone(self) -> tzinfo:
        """The zone of times that name none."""
        return read_zone(self["timezone"])


def load(path: Path, profile: str, *, required: bool) -> Settings:
    """Read the configuration for a profile; raises ``Failure`` with the key at fault."""
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except (FileNotFoundError, NotADirectoryError):
        if required:
            raise _invalid(f"The configuration {path} does not exist.") from None
        table = {}
    except (OSError, ValueError, RecursionError) as error:
        raise _invalid(f"The configuration {path} cannot be read: {_reason(error)}.") from None
    profiles = table.pop("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(entry, dict) for entry in profiles.values()):
        raise _invalid("In the configuration, profiles must be tables like [profiles.NAME].")
    for name, entry in profiles.items():  # a mistake in another profile is a mistake all the same
        _flatten(entry, f"profiles.{name}.")
    values = {**_flatten(table), **_flatten(profiles.get(profile, {}))}
    return Settings(values, path.parent)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or "it is not a file"
    return str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is not text"


def _flatten(table: Mapping[str, Any], place: str = "", group: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {}
    for part, value in table.items():
        name = f"{group}{part}"
        if name in _GROUPS and isinstance(value, dict):
            values |= _flatten(value, place, f"{name}.")
        elif name in _BY_NAME:
            values[name] = _checked(_BY_NAME[name], value, place)
        else:
            raise _unknown(name, place)
    return values


def _unknown(name: str, place: str) -> Failure:
    if name in _GROUPS:
        return _invalid(f"In the configuration, {place}{name} must be a table: [{place}{name}].")
    last = {key.rpartition(".")[2]: key for key in _BY_NAME}  # a key in the wrong table
    close = [last[name.rpartition(".")[2]]] if name.rpartition(".")[2] in last else []
    close += difflib.get_close_matches(name, _BY_NAME, n=1)
    suggestion = f"Did you mean {close[0]}?" if close else "sample_config.toml shows every key."
    return Failure("config-invalid", f"The configuration has an unknown key: {place}{name}.", hint=suggestion)


def _checked(key: Key, value: Any, place: str) -> Any:
    expected = _CHECKS[key.type]
    if not expected.fits(value):
        raise _invalid(f"In the configuration, {place}{key.name} must be {expected.words}.")
    if key.type == "address":
        return api_address(value)
    if key.type == "timezone":
        try:
            read_zone(value)
        except Failure as failure:
            raise _invalid(failure.message) from None
    return value


@dataclass(frozen=True, slots=True)
class _Check:
    words: str
    kind: type
    at_least: int | None = None
    at_most: int | None = None
    one_of: tuple[str, ...] = ()

    def fits(self, value: Any) -> bool:
        if type(value) is not self.kind:  # not isinstance: a bool is an int to Python, not to a reader
            return False
        if self.one_of:
            return value in self.one_of
        if isinstance(value, list):
            return all(isinstance(item, str) for item in value)
        return not isinstance(value, int) or self._within(value)

    def _within(self, number: int) -> bool:
        return (self.at_least is None or number >= self.at_least) and (self.at_most is None or number <= self.at_most)


_CHECKS = {
    "bool": _Check("true or false", bool),
    "text": _Check("text", str),
    "timezone": _Check("the name of a time zone", str),
    "address": _Check("an address like https://api.credly.com", str),
    "list": _Check("a list of texts", list),
    "seconds": _Check("a whole number of seconds from 0 to a year", int, at_least=0, at_most=366 * 86400),
    "count": _Check("a whole number from 1 to 32", int, at_least=1, at_most=32),
    "source": _Check("files or thought-industries", str, one_of=("files", "thought-industries")),
}


def _invalid(message: str, hint: str = "sample_config.toml shows every key with its default.") -> Failure:
    return Failure("config-invalid", message, hint=hint)


def is_loopback(host: str) -> bool:
    """Tell an address of this machine, the only one where nobody else reads along without TLS."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def api_address(text: str) -> str:
    """Bring an address of Credly's API into one form, ``https://host/v1``; raises ``Failure`` (design, section 7)."""
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _no_address("is not an address") from None
    if "@" in parts.netloc:  # not repeated: it may hold a password
        raise _no_address("must not hold a user name or password")
    if parts.scheme not in ("https", "http") or not _HOST.fullmatch(host) or parts.query or parts.fragment:
        raise _no_address("must be https://, a host, and nothing but a path")
    if parts.scheme == "http" and not is_loopback(host):
        raise _no_address("must start with https://; http:// is for this machine only")
    path = parts.path.rstrip("/")
    if path not in ("", "/v1", "/api/v1"):
        raise _no_address("may end in nothing, /v1 or /api/v1")
    shown = f"[{host}]" if ":" in host else host
    usual = port in (None, {"https": 443, "http": 80}[parts.scheme])
    return f"{parts.scheme}://{shown}{'' if usual else f':{port}'}{path or '/v1'}"


def _no_address(reason: str) -> Failure:
    return _invalid(f"The API address {reason}.", f"For example: {PRODUCTION_URL} or {SANDBOX_URL}")
