"""What a person says of a file: what a word means (``--value role:Nurse=learner``), how dates are written."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

from credly_cli.errors import Failure

MEANINGS: Mapping[str, tuple[str, ...]] = {
    "status": ("completed", "open", "ended", "ignore"),
    "role": ("learner", "other"),
}


def read_values(texts: Iterable[str]) -> dict[str, dict[str, str]]:
    """Read what ``--value`` says, as column -> word -> meaning; raises ``Failure``."""
    values: dict[str, dict[str, str]] = {}
    for text in texts:
        column, _, rest = text.partition(":")
        word, _, meaning = rest.rpartition("=")
        checked = check_value(column.strip(), word.strip(), meaning.strip(), f"--value {text!r}")
        values.setdefault(column.strip(), {})[word.strip()] = checked
    return values


def check_value(column: str, word: str, meaning: str, what: str) -> str:
    """Return a meaning in lower case; raises ``Failure`` for what cannot be meant."""
    if column not in MEANINGS:
        raise Failure("usage", f"{what} is not COLUMN:WORD=MEANING.", hint="COLUMN is status or role.")
    if not word or meaning.lower() not in MEANINGS[column]:
        options = f"{', '.join(MEANINGS[column][:-1])} or {MEANINGS[column][-1]}"
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
