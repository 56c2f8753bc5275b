"""What a person says of a file that is imported: in options of `import`, or in a table of ``[lms.files]``."""

import difflib
import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias, get_args

from credly_cli.errors import Failure, invalid_configuration
from credly_cli.times import read_zone

Kind = Literal["learners", "content", "progress", "access"]
KINDS: tuple[Kind, ...] = get_args(Kind)
IdDecision: TypeAlias = Literal["same", "new"]
"""Whose an id is that comes with another name: the person's whom it names already, or somebody else's (R25)."""

# What a word of a column may mean: ``--value role:Nurse=learner``.
_MEANINGS = {"status": ("completed", "open", "ended", "ignore"), "role": ("learner", "other")}


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A path or glob of exports, with the options of `import`; with ``max_age_days`` 0 its files never grow old."""

    path: str
    map: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # column -> word -> meaning
    ids: Mapping[str, IdDecision] = field(default_factory=dict)
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
            hints = [f"Did you mean {each}?" for each in close]
            raise invalid_configuration(f"The configuration has an unknown key: {where}.{name}.", *hints)
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
    return _one_of(value, where, get_args(IdDecision))


def _one_of(value: Any, where: str, allowed: tuple[str, ...]) -> dict[str, str]:
    table = _texts(value, where)
    for word, meaning in table.items():
        if meaning not in allowed:
            raise _invalid(f"{where} must say one of {', '.join(allowed)} for {word!r}")
    return table


_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "path": _text, "map": _texts, "values": _words, "ids": _ids, "date_format": _text, "timezone": _timezone,
    "header_line": _number(1, 1_000_000), "source": _text, "max_age_days": _number(0, 3650),
}  # fmt: skip


def _invalid(what: str) -> Failure:
    return invalid_configuration(f"In the configuration, {what}.")


# On the command line


def read_map(texts: Iterable[str]) -> dict[str, str]:
    """Read what ``--map`` says, as column -> header; raises ``Failure``."""
    pairs = {}
    for text in texts:
        column, equals, header = text.partition("=")
        if not equals or not column.strip() or not header.strip():
            raise Failure("usage", f"--map {text!r} is not COLUMN=HEADER.", hint="For example: --map email=Login")
        pairs[column.strip()] = header.strip()
    return pairs


def read_ids(texts: Iterable[str]) -> dict[str, IdDecision]:
    """Read what ``--id`` says, by id; raises ``Failure``."""
    decisions: dict[str, IdDecision] = {}
    for text in texts:
        identity, _, meaning = (part.strip() for part in text.rpartition("="))
        if not identity or meaning not in get_args(IdDecision):
            raise Failure("usage", f"--id {text!r} is not ID=same or ID=new.", hint="For example: --id 5=same")
        decisions[identity] = "same" if meaning == "same" else "new"
    return decisions


def read_values(texts: Iterable[str]) -> dict[str, dict[str, str]]:
    """Read what ``--value`` says, as column -> word -> meaning; raises ``Failure``."""
    values: dict[str, dict[str, str]] = {}
    for text in texts:
        column, _, rest = text.partition(":")
        word, _, meaning = rest.rpartition("=")
        checked = _meaning(column.strip(), word.strip(), meaning.strip(), f"--value {text!r}")
        values.setdefault(column.strip(), {})[word.strip()] = checked
    return values


def _meaning(column: str, word: str, meaning: str, what: str) -> str:
    """Return a meaning in lower case; raises ``Failure`` for what cannot be meant."""
    if column not in _MEANINGS:
        raise Failure("usage", f"{what} is not COLUMN:WORD=MEANING.", hint="COLUMN is status or role.")
    if not word or meaning.lower() not in _MEANINGS[column]:
        options = f"{', '.join(_MEANINGS[column][:-1])} or {_MEANINGS[column][-1]}"
        raise Failure("usage", f"{what} is not COLUMN:WORD=MEANING.", hint=f"A {column} means {options}.")
    return meaning.lower()


def check_date_format(form: str | None) -> None:
    """Refuse a form that describes no date, or reads a time so that part of it is lost."""
    if form is None:
        return
    if "%p" in form and "%I" not in form:
        raise _bad_format(form, "reads 11:30 PM as 11:30: %p needs %I")
    if "%I" in form and "%p" not in form:
        raise _bad_format(form, "reads 11:30 PM as 11:30: %I needs %p")
    if "%M" in form and not any(hour in form for hour in ("%H", "%I")):
        raise _bad_format(form, "has minutes and no hours (%H)")
    if any(code in form for code in ("%U", "%W", "%V", "%G", "%u", "%w", "%C")):
        raise _bad_format(form, "has a code that cannot be read back")
    example = datetime(2026, 11, 23, 21, 45, 59, tzinfo=UTC)  # any time will do, only the form is tried
    plain = form.replace("%Z", "UTC")
    with suppress(ValueError):
        # Python 3.13 warns where the form has no year; a year of the same calendar tells, for weekdays are the same
        has_year = example.strftime(plain) != example.replace(year=2037).strftime(plain)
        if has_year and datetime.strptime(example.strftime(plain), plain).date() == example.date():  # noqa: DTZ007
            return
    raise _bad_format(form, "does not describe a date")


def _bad_format(form: str, why: str) -> Failure:
    return Failure("usage", f"--date-format {form!r} {why}.", hint="For example: --date-format '%d/%m/%Y %I:%M %p'")
