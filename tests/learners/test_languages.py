"""Pages in each language: no word is missing, dates and percentages are local, and the learner's locale decides."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from credly_cli.pages import page as pages
from credly_cli.pages import words
from credly_cli.pages.words import FOLDER, known, language, languages
from tests.learners.pages import written
from tests.learners.school import BADGE, ROBIN, School

EVERY = ("de", "en", "es", "fr", "it", "ja", "nl", "pt-BR")
TEMPLATES = Path(pages.__file__).parent


def said() -> Iterator[str]:
    """Yield every English text of a page: those of its templates, and those that its parts are called by."""
    source = (TEMPLATES / "page.py").read_text("utf-8")
    yield from re.findall(r'language\.say\(\s*"([^"]+)"', source)
    for name in ("cards.html", "page.html"):
        with (TEMPLATES / name).open("rb") as file:
            found = babel_extract(file, ("_",), (), {"trim_blocks": "true"})
            yield from (text if isinstance(text, str) else str((text or ("",))[0]) for _, _, text, _ in found)
    yield from (*pages.TITLES.values(), *pages.HEADINGS.values(), pages.NOTE)


def test_the_texts_of_pages_are_found() -> None:
    assert {"In Progress", "Discover", "Earned", "Overview", "My badges", "Learn More", "Badges"} < set(said())


@pytest.mark.parametrize("tag", [tag for tag in EVERY if tag != "en"])
def test_a_language_has_each_word_and_none_that_no_page_says(tag: str) -> None:
    with (FOLDER / f"{tag.replace('-', '_')}.po").open("rb") as file:
        told = read_po(file, abort_invalid=True)
    there = {str(entry.id): str(entry.string) for entry in told if entry.id}
    assert set(there) == set(said())
    assert [text for text, meaning in there.items() if not meaning] == []
    for text, meaning in there.items():
        assert sorted(re.findall(r"%\(\w+\)s", meaning)) == sorted(re.findall(r"%\(\w+\)s", text))
        assert "<" not in meaning


def test_a_catalog_is_all_that_a_language_needs() -> None:
    assert sorted(languages().values()) == sorted(EVERY)


@pytest.mark.parametrize(
    ("locale", "found"),
    [
        ("de", "de"), ("de_AT", "de"), ("de-CH", "de"), ("DE", "de"), ("fr_CA.UTF-8", "fr"), ("es-419", "es"),
        ("pt", "pt-BR"), ("pt-BR", "pt-BR"), ("pt_PT", "pt-BR"), ("ja-JP", "ja"), ("en_US", "en"), (" nl ", "nl"),
        ("zh-Hant-TW", None), ("tlh", None), ("", None), (None, None), ("German", None), ("de/../it", None),
        ("../de", None),
    ],
)  # fmt: skip
def test_a_locale_is_understood_as_systems_write_it(locale: str | None, found: str | None) -> None:
    assert known(locale) == found


@pytest.mark.parametrize(
    ("locale", "day", "moment", "percent"),
    [
        ("en", "2 March 2026", "2 March 2026, 09:05 UTC", "62%"),
        ("en_US", "March 2, 2026", "March 2, 2026, 9:05\u202fAM UTC", "62%"),
        ("de", "2. März 2026", "2. März 2026, 09:05 UTC", "62\xa0%"),
        ("fr", "2 mars 2026", "2 mars 2026, 09:05 UTC", "62\u202f\xa0%"),
        ("es", "2 de marzo de 2026", "2 de marzo de 2026, 9:05 UTC", "62\xa0%"),
        ("pt_BR", "2 de março de 2026", "2 de março de 2026, 09:05 UTC", "62%"),
        ("it", "2 marzo 2026", "2 marzo 2026, 09:05 UTC", "62%"),
        ("nl", "2 maart 2026", "2 maart 2026 09:05 UTC", "62%"),
        ("ja", "2026年3月2日", "2026年3月2日 9:05 UTC", "62%"),
    ],
)
def test_dates_and_percentages_are_written_as_people_there_do(locale: str, day: str, moment: str, percent: str) -> None:
    speech = language(locale)
    assert speech.day("2026-03-02T23:59:59Z") == day  # in UTC, whatever the machine's zone
    assert plain(speech.moment("2026-03-02T09:05:00Z")) == plain(moment)
    assert plain(speech.percent(62.5)) == plain(percent)


def plain(text: str) -> str:
    """Leave kinds of spaces and commas to the version of CLDR."""
    return re.sub(r"[\s,]+", "", text)


def test_however_many_locales_are_told_there_are_as_many_languages_as_differ() -> None:
    told = [f"x{number}" for number in range(1000)] + ["de", "de_DE", "de-DE.UTF-8", "DE", "de_XX"]
    assert len({id(language(locale)) for locale in told}) == 3  # English, German, German as in Germany


def test_january_in_austria_is_not_that_of_germany() -> None:
    days = [language(locale).day("2026-01-02T00:00:00Z") for locale in ("de", "de_AT", "de_XX")]
    assert days == ["2. Januar 2026", "2. Jänner 2026", "2. Januar 2026"]


@pytest.mark.parametrize(
    ("progress", "shown"), [(40, "40%"), (62.5, "62%"), (99.9, "99%"), (100, "100%"), (0.5, "0.5%"), (0.3, "0.3%")]
)
def test_a_percentage_reads_100_only_when_complete(progress: float, shown: str) -> None:
    assert language("en").percent(progress) == shown


def test_what_is_put_into_a_sentence_is_escaped_and_inert() -> None:
    shown = language("de").say("Issued by %(organization)s through Credly.", organization="A\u202e & <b>%(x)s")
    assert shown == "Ausgestellt von A &amp; &lt;b&gt;%(x)s über Credly."


@pytest.mark.further
@pytest.mark.parametrize("command", ["widget", "learner-badges"])
def test_a_page_is_in_the_learners_language_else_in_that_of_pages_unless_it_is_chosen(
    school: School, command: str
) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.completes("first-aid")
    school.desk.json("sync")
    assert lang_of(written(school, command)) == "en"
    school.desk.config('[publish]\nlanguage = "fr"\n')
    assert lang_of(written(school, command)) == "fr"
    school.has(locale="de_AT")
    page = written(school, command)
    assert lang_of(page) == "de"
    assert "Erhalten am <time" in page.read_text("utf-8")
    assert school.desk.run(command, ROBIN, "--html", str(page), "--lang", "ja").code == 0
    assert lang_of(page) == "ja"


def lang_of(page: Path) -> str:
    found = re.search(r'<html lang="([^"]*)"', page.read_text("utf-8"))
    assert found is not None
    return found[1]


@pytest.mark.parametrize("command", ["widget", "learner-badges"])
def test_a_language_that_there_is_not_is_named_with_those_that_there_are(school: School, command: str) -> None:
    school.has()
    path = school.desk.home / "page.html"
    ran = school.desk.run(command, ROBIN, "--html", str(path), "--lang", "tlh")
    assert ran.code == 2
    assert "There are no pages in 'tlh'." in ran.err
    assert all(tag in ran.err for tag in EVERY)
    assert not path.exists()
    assert school.desk.run(command, ROBIN, "--lang", "tlh").code == 2


def test_a_language_of_the_configuration_that_there_is_not_is_named(school: School) -> None:
    school.has()
    school.desk.config('[publish]\nlanguage = "tlh"\n')
    folder = school.desk.home / "site"
    for arguments in (("widget", ROBIN, "--html", str(folder)), ("publish", str(folder))):
        ran = school.desk.run(*arguments)
        assert ran.code == 78
        assert "publish.language: There are no pages in 'tlh'." in ran.err
        assert "pt-BR" in ran.err


def test_words_are_read_without_a_step_of_building() -> None:
    assert words.catalog("nl")["Learn More"] == "Meer informatie"
    assert sorted(path.suffix for path in FOLDER.iterdir()) == [".po"] * (len(EVERY) - 1)
