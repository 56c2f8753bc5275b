"""The entries of ``[lms.files]``: a path or glob, or a table of one with what `import` takes as options."""

import difflib
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, field, replace
from typing import Any, Literal

from credly_cli.errors import Failure
from credly_cli.times import read_zone

FileKind = Literal["learners", "content", "progress", "access"]
_SAMPLE = "sample_config.toml shows every key with its default."


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A path or glob of exports, with the options of `import`; with ``max_age_days`` 0 its files never grow old."""

    path: str
    map: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # column -> word -> meaning
    ids: Mapping[str, Literal["same", "new"]] = field(default_factory=dict)
    date_format: str | None = None
    timezone: str | None = None
    header_line: int | None = None
    source: str = ""
    max_age_days: int | None = None  # None is that of [lms]


def options_of(entry: FileEntry) -> str:
    """Return a mark of the options of an entry, which another one has where they say something else."""
    _, *options = astuple(replace(entry, max_age_days=None))
    return hashlib.sha256(repr(options).encode()).hexdigest()[:16]


def read_entry(entry: str | Mapping[str, Any], where: str) -> str | FileEntry:
    """Check a glob, or a table with the options of `import`; raises ``Failure`` with the key at fault."""
    if isinstance(entry, str):
        return entry
    for name in entry:
        if name not in _CHECKS:
            close = difflib.get_close_matches(name, _CHECKS, n=1)
            hint = f"Did you mean {close[0]}?" if close else _SAMPLE
            raise Failure("config-invalid", f"The configuration has an unknown key: {where}.{name}.", hint=hint)
    if not entry.get("path"):
        raise _invalid(f"each table of {where} needs a path")
    return FileEntry(**{name: _CHECKS[name](value, f"{where}.{name}") for name, value in entry.items()})


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _invalid(f"{where} must be text")
    return value.strip()


def _timezone(value: Any, where: str) -> str:
    try:
        read_zone(_text(value, where))
    except Failure as failure:
        raise Failure("config-invalid", f"{where}: {failure.message}", hint=failure.hint) from None
    return _text(value, where)


def _number(least: int, most: int) -> Callable[[Any, str], int]:
    def check(value: Any, where: str) -> int:
        if type(value) is not int or not least <= value <= most:  # a bool is an int to Python, not to a reader
            raise _invalid(f"{where} must be a whole number from {least} to {most}")
        return value

    return check


def _texts(value: Any, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise _invalid(f"{where} must be a table of texts")
    return dict(value)


def _words(value: Any, where: str) -> dict[str, dict[str, str]]:
    if not isinstance(value, dict):
        raise _invalid(f'{where} must be a table like {{status = {{"Word" = "completed"}}}}')
    words = {}
    for column, meanings in value.items():
        if column not in _MEANINGS:
            raise _invalid(f"{where} is for words of status and role, not of {column}")
        words[column] = _one_of(meanings, f"{where}.{column}", _MEANINGS[column])
    return words


def _ids(value: Any, where: str) -> dict[str, str]:
    return _one_of(value, where, ("same", "new"))


def _one_of(value: Any, where: str, allowed: tuple[str, ...]) -> dict[str, str]:
    table = _texts(value, where)
    for word, meaning in table.items():
        if meaning not in allowed:
            raise _invalid(f"{where} must say one of {', '.join(allowed)} for {word!r}")
    return table


_MEANINGS = {"status": ("completed", "open", "ended", "ignore"), "role": ("learner", "other")}
_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "path": _text, "map": _texts, "values": _words, "ids": _ids, "date_format": _text, "timezone": _timezone,
    "header_line": _number(1, 1_000_000), "source": _text, "max_age_days": _number(0, 3650),
}  # fmt: skip


def _invalid(what: str) -> Failure:
    return Failure("config-invalid", f"In the configuration, {what}.", hint=_SAMPLE)
