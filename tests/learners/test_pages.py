"""Pages as files: what is written, where, for whom to read, and what is said of it."""

import os
import re
import stat
from dataclasses import replace
from pathlib import Path
from time import process_time
from unicodedata import category

import pytest

from credly_cli.pages import render
from credly_cli.pages.page import Options
from credly_cli.pages.page import render as render_page
from credly_cli.text import inert
from tests.learners.pages import HOSTILE, full_page, hostile_learner, hostile_page, written
from tests.learners.school import BADGE, ROBIN, School
from tests.support import faults

PAGES = Path(render.__file__).parent
COMMANDS = pytest.mark.parametrize("command", ["widget", "learner-badges"])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@COMMANDS
def test_it_says_what_was_written_and_what_to_do_next(school: School, command: str) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.completes("first-aid")
    school.desk.json("sync")
    path = school.desk.home / "robin.html"
    ran = school.desk.run(command, ROBIN, "--html", str(path))
    told = {"widget": "0 in progress, 0 to discover, 1 earned", "learner-badges": "1 badge"}[command]
    assert ran.out == f"Wrote {path}: {told}.\n"
    assert ran.err == "Open it in a browser, or put it on your site; write it anew after each sync.\n"
    assert "<h1 " in path.read_text("utf-8")


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
@COMMANDS
def test_a_page_goes_to_standard_output_alone_where_that_is_named(school: School, command: str, name: str) -> None:
    school.has()
    ran = school.desk.run(command, ROBIN, "--html", name)
    assert ran.out == written(school, command, "robin.html").read_text("utf-8")
    assert (ran.code, ran.err) == (0, "")


@COMMANDS
def test_with_json_the_answer_is_printed_beside_the_page(school: School, command: str) -> None:
    school.has()
    path = school.desk.home / "robin.html"
    answer = school.desk.json(command, ROBIN, "--html", str(path))
    assert answer == school.desk.json(command, ROBIN)
    assert path.exists()


@COMMANDS
def test_the_web_server_may_read_a_new_page_and_the_umask_is_respected(school: School, command: str) -> None:
    school.has()
    before = os.umask(0o022)
    try:
        assert mode(written(school, command, "open.html")) == 0o644
        os.umask(0o077)
        assert mode(written(school, command, "private.html")) == 0o600
    finally:
        os.umask(before)


def test_a_page_that_is_replaced_keeps_its_mode_and_the_link_that_leads_to_it(school: School) -> None:
    school.has()
    site = school.desk.home / "site"
    site.mkdir()
    target, link = site / "robin.html", school.desk.home / "page.html"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    written(school, "widget")
    assert link.is_symlink()
    assert (mode(target), target.read_text()[:15]) == (0o640, "<!doctype html>")
    assert list(site.iterdir()) == [target]


def test_the_old_page_stays_when_the_new_one_cannot_be_written(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    school.has()
    path = written(school, "widget")
    before = path.read_text()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    school.desk.pass_time(days=1)
    assert school.desk.run("widget", ROBIN, "--html", str(path)).code == 74
    assert path.read_text() == before
    assert [file.name for file in path.parent.iterdir() if file.name.endswith(".new")] == []


def test_a_folder_that_is_not_there_is_named(school: School) -> None:
    school.has()
    ran = school.desk.run("widget", ROBIN, "--html", str(school.desk.home / "nowhere" / "page.html"))
    assert ran.code == 74
    assert "nowhere" in ran.err


def test_a_pipe_is_written_to_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    render.write(pipe, "a page")
    assert os.read(reader, 100) == b"a page"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@COMMANDS
def test_the_page_says_as_of_when_the_store_speaks_for_credly(school: School, command: str) -> None:
    school.has()
    school.desk.json("sync")
    school.desk.pass_time(days=3)
    school.desk.sandbox.faults.add(faults.answers(503), times=None)
    path = school.desk.home / "page.html"
    ran = school.desk.run(command, ROBIN, "--html", str(path))
    assert ran.code == 0
    assert "Credly does not answer." in ran.err
    assert 'As of <time datetime="2026-03-02T09:30:00Z">2 March 2026, 09:30 UTC</time>' in path.read_text()


@pytest.mark.further
@COMMANDS
def test_hostile_names_are_text(school: School, command: str) -> None:
    """Scenario 65."""
    hostile_learner(school)
    page = written(school, command).read_text("utf-8")
    assert "<script" not in page
    assert "<img" not in page  # an address that is not https is no picture
    assert "javascript:" not in page
    assert page.count("&lt;script&gt;") > 2
    assert is_inert(page)


@pytest.mark.parametrize("fragment", [False, True])
def test_hostile_names_are_text_on_published_pages_too(fragment: bool) -> None:
    options = Options(HOSTILE, title=HOSTILE, logo="javascript:alert(1)", fragment=fragment, sheet="credly-badges.css")
    page = render_page(hostile_page(), options)
    assert "<script" not in page
    assert "<img" not in page
    assert "To accept a badge" not in page  # there is nothing by which to
    assert 'src="javascript:' not in page
    assert 'href="javascript:' not in page
    assert is_inert(page)


def test_a_published_page_is_not_to_be_found_and_shows_no_address_of_the_learner() -> None:
    page = render_page(replace(full_page("en"), name=""), Options("Larkfield", sheet="credly-badges.css"))
    assert '<meta name="robots" content="noindex">' in page
    assert '<meta name="referrer" content="no-referrer">' in page
    assert "credly-learner" not in page
    assert "@" not in page
    assert '<link rel="stylesheet" href="credly-badges.css">' in page


def test_a_fragment_is_the_same_without_the_page_around_it() -> None:
    options = Options("Larkfield", sheet="credly-badges.css")
    page, fragment = (render_page(full_page("en"), replace(options, fragment=f)) for f in (False, True))
    assert fragment.lstrip().startswith('<div class="credly-badges" lang="en">')
    for tag in ("html", "head", "body", "main", "title", "meta", "link", "style", "h1"):
        assert f"<{tag}" not in fragment.replace('class="credly-title"', "").replace("<header", "")
    assert page.count('<li class="credly-card') == fragment.count('<li class="credly-card') == 10 + 4
    assert "&lt;" not in page  # what is escaped once is not escaped again
    assert (page.count("<h2"), fragment.count("<h3")) == (4, 4)


def test_the_document_has_every_class_and_variable_that_a_site_may_style() -> None:
    name = r"credly-[a-z]+(?:-[a-z]+)*"
    templates, sheet = ((PAGES / file).read_text("utf-8") for file in ("cards.html", "badges.css"))
    templates += (PAGES / "page.html").read_text("utf-8")
    told = (PAGES.parents[1] / "docs" / "how-to" / "show-badges-in-your-lms.md").read_text("utf-8")
    assert set(re.findall(name, templates)) - {"credly-page"} == set(re.findall(f"`({name})`", told)) - {"credly-page"}
    variables = told.partition("The variables are")[2].partition("light-dark(")[0]
    assert {f"--credly{part}" for part in re.findall(r"`(?:--credly)?(-[a-z-]+)`", variables)} == set(
        re.findall(rf"--{name}", sheet)
    )


def test_a_card_without_an_address_says_where_to_go_and_parts_without_cards_are_left_out() -> None:
    shown = full_page("en")
    page = render_page(replace(shown, in_progress=shown.in_progress[3:], discover=(), earned=()), Options("Larkfield"))
    assert page.count("You will find it on your learning site.") == 1
    assert ("In Progress</h2>" in page, "Discover</h2>" in page, "Earned</h2>" in page) == (True, False, False)
    assert page.count("The badges you earn will be here.") == 1  # among the badges, one click away


def is_inert(page: str) -> bool:
    """Tell whether nothing in a page controls or reorders, anywhere: in its title, its texts or its attributes."""
    return not [letter for letter in page if category(letter) in ("Cc", "Cf", "Cs") and letter not in "\n\u200c\u200d"]


def test_a_name_keeps_what_joins_its_letters_and_loses_what_reorders_them() -> None:
    assert inert("Nam\u202ee") == "Name"
    assert inert("one\r\ntwo\x1b[31m") == "one  two[31m"
    family = "\U0001f469\u200d\U0001f467 \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    assert inert(family) == family


@COMMANDS
def test_an_organizations_name_in_the_title_is_inert(school: School, command: str) -> None:
    school.has()
    school.desk.sandbox.organization["name"] = "Good \u202eLive\u2028 School\x1b]0;owned\x07"
    assert is_inert(written(school, command).read_text("utf-8"))


@pytest.mark.sampled
@COMMANDS
@pytest.mark.parametrize(("expires", "offered"), [("2025-05-04", False), ("2030-05-04", True)])
def test_a_badge_that_expired_before_it_was_accepted_cannot_be_accepted(
    school: School, command: str, expires: str, offered: bool
) -> None:
    school.has()
    badge = school.desk.badge_id(BADGE)
    school.desk.sandbox.issue_in_credly(
        badge, ROBIN, "Robin", "Lark", issued_at="2023-05-04 10:00:00 +0000", expires_at=expires
    )
    page = written(school, command).read_text("utf-8")
    assert ("Accept the Badge" in page) == offered
    assert ('<p class="credly-state credly-bad">Expired</p>' in page) != offered


def test_a_lone_surrogate_does_not_break_the_page(tmp_path: Path) -> None:
    render.write(tmp_path / "page.html", "a \ud800 badge")
    assert (tmp_path / "page.html").read_text("utf-8") == "a ? badge"


@pytest.mark.parametrize(
    ("address", "link", "picture"),
    [
        ("https://a.example/b", True, True),
        ("http://a.example/b", True, False),
        ("javascript:alert(1)", False, False),
        ("data:text/html,x", False, False),
        ("//a.example/b", False, False),
        ("https://a.example/\nb", False, False),
        (None, False, False),
    ],
)
def test_only_web_addresses_are_opened_and_only_https_is_loaded(address: str | None, link: bool, picture: bool) -> None:
    assert (render.web(address) is not None, render.picture(address) is not None) == (link, picture)


@pytest.mark.slow
def test_a_page_with_five_badges_takes_half_a_millisecond() -> None:
    """1.5 ms a page is what publishing may take in all; ``make bench`` measures that."""
    options = Options("Larkfield", sheet="credly-badges.css")
    shown = full_page("de")
    pages = [
        replace(
            shown,
            name=f"Robin {number}",
            in_progress=[replace(entry, progress=number % 100) for entry in shown.in_progress],
            earned=[
                replace(entry, id=f"{number}", awarded_at=f"2026-03-02T{number % 24:02}:{number % 60:02}:00Z")
                for entry in (*shown.earned, shown.earned[0])
            ],
        )
        for number in range(500)
    ]
    render_page(pages[0], options)
    fastest = float("inf")
    for _ in range(5):
        started = process_time()
        for page in pages:
            render_page(page, options)
        fastest = min(fastest, (process_time() - started) / len(pages))
    assert fastest < 0.0006, f"{fastest * 1000:.2f} ms"
