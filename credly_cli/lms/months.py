"""Months and days of the week by name, in the languages of the big systems, as CLDR has them."""

import re
import unicodedata
from functools import cache

# Where countries of one language write a month otherwise (Jänner, juill., sep, setiembre), they are named too.
# Croatian is not here: its listopad is October, that of Polish and Czech November.
_LOCALES = (
    "en", "en_GB", "de", "de_AT", "fr", "fr_CA", "es", "es_MX", "es_PE", "pt", "pt_PT", "it", "nl", "sv", "da", "nb",
    "fi", "pl", "cs", "hu", "ro", "tr", "ru", "uk", "el", "ca",
)  # fmt: skip
_ALSO = {"mrz": 3, "febr": 2, "feber": 2, "sett": 9, "maa": 3, "set": 9, "setiembre": 9}
_ACCENTS = re.compile("[\u0300-\u036f]")
_WORD = re.compile(r"[^\W\d_]+\.?")
_ENGLISH = (
    "", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_ENGLISH_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def folded(text: str) -> str:
    """Return a text in lower case and without accents."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", text))).casefold()


@cache
def _names() -> tuple[dict[str, int], dict[str, set[int]]]:
    """Return months (1 to 12) and days of the week (0 is Monday) by their names; no name means two months."""
    from babel import Locale  # noqa: PLC0415 - takes 100 ms, and few files name months

    months: dict[str, int] = dict(_ALSO)
    days: dict[str, set[int]] = {}
    for locale in map(Locale.parse, _LOCALES):
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for month, name in locale.months[context][width].items():
                    months[folded(name).rstrip(".")] = month
                for day, name in locale.days[context][width].items():
                    days.setdefault(folded(name).rstrip("."), set()).add(day)
    return months, days


def month_of(word: str) -> int | None:
    """Return the month of a name, ``None`` if it is none."""
    return _names()[0].get(folded(word).rstrip("."))


def days_of(word: str) -> set[int]:
    """Return the days of the week that a name may mean, none if it is no such name; 0 is Monday."""
    return _names()[1].get(folded(word).rstrip("."), set())


def in_english(text: str, form: str) -> str:
    """Return a text with the names of months and days in English, as ``strptime`` reads them for a form."""
    codes = re.findall("%[aAbBh]", form)

    def english(found: re.Match[str]) -> str:
        if not codes:
            return found[0]
        dot = "." if found[0].endswith(".") and f"{codes[0]}." in form else ""
        if codes[0] in ("%a", "%A"):
            name = next((_ENGLISH_DAYS[day] for day in days_of(found[0])), None)
        else:
            name = _ENGLISH[month_of(found[0]) or 0]
        return found[0] if not name else (name if codes.pop(0) in ("%A", "%B") else name[:3]) + dot

    return _WORD.sub(english, text)
