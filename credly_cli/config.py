"""The configuration, read from ``config.toml``: a record a table; each key has its default and its meaning there."""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import tzinfo
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from credly_cli.configured_values import Key, KeyType, SourceName, checked
from credly_cli.errors import Failure, invalid_configuration
from credly_cli.import_options import FileEntry, Kind
from credly_cli.times import read_zone

_Values: TypeAlias = dict[str, Any]  # of keys, as TOML has them


def _key(kind: KeyType, default: Any, meaning: str) -> Any:
    if default == {}:
        return field(default_factory=dict, metadata={"type": kind, "meaning": meaning})
    return field(default=default, metadata={"type": kind, "meaning": meaning})


@dataclass(frozen=True, slots=True)
class CredlySettings:
    """The table ``[credly]``."""

    api_url: str | None = _key("address", None, "another Credly than production, such as its sandbox")
    organization: str | None = _key("text", None, "the organization's id, where the token has several")
    token_command: tuple[str, ...] = _key("list", (), "a program that prints the token, with its arguments; no shell")
    client_id: str | None = _key("text", None, "the id of an OAuth client, whose secret then takes the token's place")
    oauth_url: str | None = _key(
        "oauth", None, "where access tokens come from: https://www.credly.com/oauth/token, or /oauth/token at `api_url`"
    )
    parallel: int = _key("count", 4, "how many requests may be under way at once, 1 to 32")


@dataclass(frozen=True, slots=True)
class GrantSettings:
    """The table ``[grants]``."""

    settle_seconds: int = _key("seconds", 900, "how long an unclear badge must be absent before it is sent again")
    recheck_seconds: int = _key("seconds", 60, "the first wait of a grant that is tried again")
    hold_uncertain: bool = _key("bool", False, "true never sends an unclear badge again, but asks a person")
    brake: int = _key("limit", 1000, "so many badges of one link a run issues at most unasked; 0 is no limit")


@dataclass(frozen=True, slots=True)
class FilesSettings:
    """The table ``[lms.files]``: globs as texts, and tables."""

    learners: tuple[str | FileEntry, ...] = _key("files", (), "paths and globs of learner files, or tables")
    content: tuple[str | FileEntry, ...] = _key("files", (), "paths and globs of content files, or tables")
    progress: tuple[str | FileEntry, ...] = _key("files", (), "paths and globs of progress files, or tables")
    access: tuple[str | FileEntry, ...] = _key("files", (), "paths and globs of access files, or tables")

    def of(self, kind: Kind) -> tuple[FileEntry, ...]:
        """Return the entries of one kind."""
        entries: tuple[str | FileEntry, ...] = getattr(self, kind)
        return tuple(FileEntry(entry) if isinstance(entry, str) else entry for entry in entries)


class SecretFile(NamedTuple):
    """The file of a source's secret, and the key that names it, for messages."""

    key: str
    path: str | None


@dataclass(frozen=True, slots=True)
class ThoughtIndustriesSettings:
    """The table ``[lms.thought_industries]``."""

    host: str | None = _key("text", None, "the host of your Thought Industries site")
    token_file: str | None = _key("text", None, "a file of mode 0600 with its API key")
    values: Mapping[str, str] = _key(
        "words", {}, "what types and sources of events mean, as type/source or source: completed, open, ended, ..."
    )

    @property
    def secret_file(self) -> SecretFile:
        """Where the API key is."""
        return SecretFile("token_file in [lms.thought_industries]", self.token_file)


_VERBS = (
    "http://adlnet.gov/expapi/verbs/completed",
    "http://adlnet.gov/expapi/verbs/passed",
    "http://adlnet.gov/expapi/verbs/failed",
    "https://w3id.org/xapi/adl/verbs/satisfied",
    "https://w3id.org/xapi/adl/verbs/waived",
    "http://adlnet.gov/expapi/verbs/registered",
    "http://adlnet.gov/expapi/verbs/initialized",
)


@dataclass(frozen=True, slots=True)
class XapiSettings:
    """The table ``[lms.xapi]``: a learning record store. ``homes``, ``activities`` are of files of statements too."""

    endpoint: str | None = _key("record store", None, "where the record store answers: what /statements follows")
    user: str | None = _key("text", None, "who may read there: the user, or key, of its Basic authentication")
    password_file: str | None = _key("text", None, "a file of mode 0600 with the password, or secret")
    verbs: tuple[str, ...] = _key("list", _VERBS, "the verbs of statements to read, beside voided")
    activities: Mapping[str, str] = _key("names", {}, "what activities are called here: their ids and ours of content")
    homes: Mapping[str, str] = _key("names", {}, "whose numbering accounts of a home page are; `` is the common one")
    since: str | None = _key("moment", None, "what was stored before is not read: a date, or a time with its zone")

    @property
    def secret_file(self) -> SecretFile:
        """Where the password is."""
        return SecretFile("password_file in [lms.xapi]", self.password_file)


@dataclass(frozen=True, slots=True)
class LmsSettings:
    """The table ``[lms]``."""

    source: SourceName | tuple[SourceName, ...] | None = _key(  # noqa: RUF009 - it makes a field
        "source", None, "where `credly sync` reads the LMS from: files, thought-industries or xapi, or a list of them"
    )
    max_age_days: int = _key("days", 7, "how old the newest progress of a source may be before it is said; 0 is never")
    files: FilesSettings = field(default_factory=FilesSettings)
    thought_industries: ThoughtIndustriesSettings = field(default_factory=ThoughtIndustriesSettings)
    xapi: XapiSettings = field(default_factory=XapiSettings)

    @property
    def sources(self) -> tuple[SourceName, ...]:
        """The sources, in the order in which they are read."""
        if self.source is None:
            return ()
        return (self.source,) if isinstance(self.source, str) else self.source

    @property
    def secret_files(self) -> dict[SourceName, SecretFile]:
        """Where the secrets are, of the sources that have one."""
        return {"thought-industries": self.thought_industries.secret_file, "xapi": self.xapi.secret_file}


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """The table ``[publish]``."""

    url: str | None = _key("web", None, "the address under which the folder of `credly publish` is to be found")
    title: str | None = _key("text", None, "what stands above each page, in the place of Credly Badges")
    logo: str | None = _key("text", None, "an image above each page: a file, or an https address")
    style: str | None = _key("text", None, "a file of CSS rules and variables of your own, for colours and fonts")
    language: str = _key("text", "en", "the language of pages of learners whose own is not known")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the configuration says, checked, with the defaults where it says nothing; ``folder`` holds the file."""

    folder: Path = Path()
    enabled: bool = _key("bool", True, "false switches all off but status, config, profiles, disconnect and help")
    timezone: str = _key("timezone", "UTC", "the zone of times that name none, in files and options")
    hide_expired_badges: bool = _key("bool", False, "true leaves expired badges out of what learners see")
    suppress_notification: bool = _key("bool", False, "true asks Credly not to mail the learner")
    credly: CredlySettings = field(default_factory=CredlySettings)
    grants: GrantSettings = field(default_factory=GrantSettings)
    lms: LmsSettings = field(default_factory=LmsSettings)
    publish: PublishSettings = field(default_factory=PublishSettings)

    @property
    def zone(self) -> tzinfo:
        """The zone of times that name none."""
        return read_zone(self.timezone)


def _keys_of(table: type[Any], prefix: str = "") -> Iterator[Key]:
    for entry in fields(table):
        name = f"{prefix}{entry.name}"
        if entry.metadata:
            default = list(entry.default) if isinstance(entry.default, tuple) else entry.default
            default = {} if entry.default is MISSING else default
            yield Key(name, entry.metadata["type"], default, entry.metadata["meaning"])
        elif entry.default_factory is not MISSING:
            yield from _keys_of(entry.default_factory, f"{name}.")  # type: ignore[arg-type]  # a record makes itself


def _record_of(table: type[Any], values: _Values, prefix: str = "", **others: Any) -> Any:
    for entry in fields(table):
        name = f"{prefix}{entry.name}"
        if entry.metadata and name in values:
            others[entry.name] = values[name]
        elif entry.default_factory is not MISSING and not entry.metadata:
            others[entry.name] = _record_of(entry.default_factory, values, f"{name}.")  # type: ignore[arg-type]
    return table(**others)


KEYS: tuple[Key, ...] = tuple(_keys_of(Settings))
_BY_NAME = {key.name: key for key in KEYS}
_GROUPS = {key.name.rpartition(".")[0] for key in KEYS} | {"lms"}


@dataclass(frozen=True, slots=True)
class Paths:
    """Where a profile keeps its files."""

    config: Path
    store: Path
    token: Path
    state: Path

    @property
    def lock(self) -> Path:
        """The lock beside the store."""
        return self.store.with_name(f"{self.store.name}.lock")

    @property
    def pages_key(self) -> Path:
        """The key that names published pages."""
        return self.store.with_name("pages.key")

    @property
    def pages_manifest(self) -> Path:
        """Whose page is which, for the LMS, unless it is told to be elsewhere."""
        return self.store.with_name("pages.csv")

    @property
    def published(self) -> Path:
        """What was published where."""
        return self.store.with_name("pages.db")

    @property
    def publishing_lock(self) -> Path:
        """The lock of publishing, beside that of the store."""
        return self.store.with_name("pages.lock")


def load(path: Path, profile: str, *, required: bool) -> Settings:
    """Read the configuration for a profile; raises ``Failure`` with the key at fault."""
    of_all, of_profile = _values(path, profile, required=required)
    settings: Settings = _record_of(Settings, {**of_all, **of_profile}, folder=path.parent)
    return settings


def origins(path: Path, profile: str, *, required: bool) -> dict[str, Literal["file", "profile"]]:
    """Tell which keys the file sets, and which of them in the profile's own table; raises ``Failure``."""
    of_all, of_profile = _values(path, profile, required=required)
    return {**dict.fromkeys(of_all, "file"), **dict.fromkeys(of_profile, "profile")}


def _values(path: Path, profile: str, *, required: bool) -> tuple[_Values, _Values]:
    """Read what the file says for every profile, and for this one; raises ``Failure`` with the key at fault."""
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except (FileNotFoundError, NotADirectoryError):
        if required:
            raise invalid_configuration(f"The configuration {path} does not exist.") from None
        table = {}
    except (OSError, ValueError, RecursionError) as error:
        raise invalid_configuration(f"The configuration {path} cannot be read: {_reason(error)}.") from None
    profiles = table.pop("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(entry, dict) for entry in profiles.values()):
        raise invalid_configuration("In the configuration, profiles must be tables like [profiles.NAME].")
    for name, entry in profiles.items():  # a mistake in another profile is a mistake all the same
        _flatten(entry, f"profiles.{name}.")
    return _flatten(table), _flatten(profiles.get(profile, {}))


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or "it is not a file"
    return str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is not text"


def _flatten(table: _Values, place: str = "", group: str = "") -> _Values:
    values: _Values = {}
    for part, value in table.items():
        name = f"{group}{part}"
        if name in _GROUPS and isinstance(value, dict):
            values |= _flatten(value, place, f"{name}.")
        elif name in _BY_NAME:
            values[name] = checked(_BY_NAME[name], value, place)
        else:
            raise _unknown(name, place)
    return values


def _unknown(name: str, place: str) -> Failure:
    if name in _GROUPS:
        return invalid_configuration(f"In the configuration, {place}{name} must be a table: [{place}{name}].")
    last = {key.rpartition(".")[2]: key for key in _BY_NAME}  # a key in the wrong table
    close = [last[name.rpartition(".")[2]]] if name.rpartition(".")[2] in last else []
    close += difflib.get_close_matches(name, _BY_NAME, n=1)
    suggestion = f"Did you mean {close[0]}?" if close else "sample_config.toml shows every key."
    return invalid_configuration(f"The configuration has an unknown key: {place}{name}.", suggestion)
