"""The languages of pages: words from gettext catalogs, dates and percentages as Babel (CLDR) writes them.

A language is one file more in ``languages``, such as ``pl.po``. What a page says in English is what catalogs translate.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError, dates, numbers
from babel.messages.pofile import read_po
from markupsafe import Markup

from credly_cli.errors import Failure
from credly_cli.text import inert

FOLDER = Path(__file__).parent / "languages"
ENGLISH = "en"
_DAYS_OF_ENGLISH = "en_GB"  # 2 March 2026, where no country is told
_TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|[0-9]{3}))?(?:[.@].*)?", re.IGNORECASE | re.ASCII)


@cache
def languages() -> dict[str, str]:
    """Return the languages that pages can be in, as they are written (``pt-BR``), each by its first part (``pt``)."""
    found = sorted(path.stem.replace("_", "-") for path in FOLDER.glob("*.po"))
    return {tag.partition("-")[0]: tag for tag in (ENGLISH, *found)}


@lru_cache(maxsize=512)
def known(locale: str | None) -> str | None:
    """Return the language of pages for a locale as systems write it (``de_AT``, ``pt-BR``, ``fr_CA.UTF-8``)."""
    read = _TAG.fullmatch(locale.strip()) if locale else None
    return languages().get(read[1].lower()) if read else None


def chosen(language: str) -> str:
    """Return a language that somebody asked for; raises ``Failure`` where there are no pages in it."""
    if known(language) is None:
        raise Failure("usage", no_such(language), hint=choice())
    return language


def no_such(language: str) -> str:
    """Say that there is no such language."""
    return f"There are no pages in {language!r}."


def choice() -> str:
    """Name the languages that there are."""
    return f"Choose one of: {', '.join(languages().values())}."


@cache
def catalog(tag: str) -> dict[str, str]:
    """Read what a language says for each English text; English says the same."""
    if tag == ENGLISH:
        return {}
    with (FOLDER / f"{tag.replace('-', '_')}.po").open("rb") as file:
        return {str(entry.id): str(entry.string) for entry in read_po(file) if entry.id and entry.string}


@lru_cache(maxsize=512)
def language(locale: str | None, otherwise: str = ENGLISH) -> "Language":
    """Return the language of a learner, or where their locale is none of ours, the page's; the same for the same."""
    spoken = locale if locale and known(locale) else otherwise
    tag = known(spoken) or ENGLISH
    return _language(tag, str(_locale(tag, spoken)))


@cache
def _language(tag: str, locale: str) -> "Language":
    return Language(tag, Locale.parse(locale))


class Language:
    """Says things in one language; dates as they are written in a country where the locale names one."""

    def __init__(self, tag: str, locale: Locale) -> None:
        self.tag = tag  # as HTML has it
        self._words = catalog(tag)
        self._locale = locale
        self._days: Callable[[str], str] = lru_cache(maxsize=4096)(self._write_day)

    def say(self, text: str, **values: str) -> Markup:
        """Return a text with values for its ``%(name)s``; markup is left as it is, all else escaped and inert."""
        found = Markup(self._words.get(text, text))  # noqa: S704 - our own words
        return found % {name: _fit(value) for name, value in values.items()} if values else found

    def day(self, text: str) -> str:
        """Write the day of a UTC time: completions known by date only are kept as its midnight there."""
        return self._days(text[:10])

    def _write_day(self, text: str) -> str:
        return dates.format_date(date.fromisoformat(text), "long", locale=self._locale)

    def moment(self, text: str) -> str:
        """Write a time for people, in UTC."""
        time = dates.format_time(datetime.fromisoformat(text), "short", locale=self._locale)
        both = str(dates.get_datetime_format("medium", locale=self._locale)).replace("'", "")
        return f"{both.replace('{1}', self.day(text)).replace('{0}', time)} UTC"

    def percent(self, progress: float) -> str:
        """Write a percentage without needless digits; only what is complete reads 100."""
        whole = Decimal(int(progress)) if progress >= 1 else Decimal(str(progress))
        return numbers.format_percent(whole / 100, locale=self._locale, decimal_quantization=False)


def _fit(value: str) -> str:
    return value if isinstance(value, Markup) else inert(value)


def _locale(tag: str, locale: str) -> Locale:
    """Return the locale that was asked for, if there is such a one, else that of the language."""
    read = _TAG.fullmatch(locale.strip())
    of_country = [f"{read[1].lower()}_{read[3].upper()}"] if read and read[3] else []
    plain = _DAYS_OF_ENGLISH if tag == ENGLISH else tag.replace("-", "_")
    return _first([*of_country, plain])


def _first(names: Iterable[str]) -> Locale:
    for name in names:
        try:
            return Locale.parse(name)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse(ENGLISH)
