"""Published pages and fragments in a real browser: eight languages, narrow and wide, light, dark and on paper."""

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from credly_cli.pages.page import Options, Page, render, style_sheet
from tests.learners.pages import busy_learner, drawn, full_page, hostile_page, pleasant_page, violations
from tests.learners.school import ROBIN, School
from tests.learners.test_languages import EVERY

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Route
    from playwright.sync_api import Page as Tab

pytestmark = pytest.mark.slow

SITE = "https://learn.example.org/badges/"
OPTIONS = Options("Larkfield Skills Institute", sheet="credly-badges.css", logo="credly-logo.svg")
FRAGMENT = replace(OPTIONS, fragment=True)
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" width="96" height="48"><path d="M0 0h96v48H0z" fill="#2b8a6b"/></svg>'

# a site with a template and a look of its own, as an LMS has it
AROUND = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>My learning</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="credly-badges.css"><style>
body {{ margin: 0; font: 17px/1.6 Georgia, serif; color: #222; background: #fff }}
main {{ max-width: 60rem; margin: auto }}
h1, h2, h3, h4 {{ font-family: cursive; margin: 3rem 0; text-transform: uppercase; color: #b00 }}
ul {{ padding-left: 4rem; list-style: square }} li {{ margin: 2rem }} p {{ margin: 2rem 0 }} a {{ color: #b00 }}
img {{ border-radius: 50% }}
</style></head><body><main><h1>My learning</h1>{fragment}</main></body></html>"""

TOO_WIDE = """(() => { const root = document.documentElement;
  return [...document.querySelectorAll('.credly-badges *')].filter(part => {
    const box = part.getBoundingClientRect();
    return box.width > 1 && (box.right > root.clientWidth + 1 || box.left < -1);
  }).map(part => part.className).concat(root.scrollWidth > root.clientWidth ? ['the page'] : []) })()"""
UNEVEN = """[...document.querySelectorAll('.credly-list')].filter(list => {
  const heights = [...list.children].map(card => Math.round(card.getBoundingClientRect().height));
  return Math.max(...heights) - Math.min(...heights) > 1;
}).length"""


class Site:
    """A site that serves what it has, and nothing from elsewhere but images of badges."""

    def __init__(self, tab: "Tab") -> None:
        self.tab = tab
        self.files: dict[str, str] = {"credly-badges.css": style_sheet(), "credly-logo.svg": LOGO}
        self.refused: list[str] = []
        tab.route(re.compile("^https?:"), self._answer)

    def _answer(self, route: "Route") -> None:
        address = route.request.url
        name = address.removeprefix(SITE).partition("#")[0]  # of a file here, or a whole address elsewhere
        if address.startswith("https://images.credly.com/"):
            route.fulfill(body=drawn(address), content_type="image/svg+xml")
        elif name in self.files:
            kind = {"css": "text/css", "svg": "image/svg+xml"}.get(name.rpartition(".")[2], "text/html")
            route.fulfill(body=self.files[name], content_type=f"{kind}; charset=utf-8")
        elif address.startswith("https://learn.example.org/"):
            route.fulfill(body="<!doctype html><title>Content</title>", content_type="text/html")
        else:
            self.refused.append(address)
            route.abort()

    def opens(self, html: str, at: str = "page.html") -> "Tab":
        """Open a page that is not the one that was open before."""
        self.files["page.html"] = html
        self.tab.goto("about:blank")
        self.tab.goto(SITE + at)
        self.tab.evaluate("document.querySelectorAll('img').forEach(image => { image.loading = 'eager' })")
        return self.tab

    def looks(self, width: int, scheme: Any = "light", media: Any = "screen") -> None:
        """Turn to a width, a colour scheme and paper or screen."""
        self.tab.set_viewport_size({"width": width, "height": 900})
        self.tab.emulate_media(color_scheme=scheme, media=media)


@pytest.fixture
def site(chromium: "BrowserContext") -> Iterator[Site]:
    tab = chromium.new_page()
    yield Site(tab)
    tab.close()


def inside(page: Page, lang: str) -> str:
    """Return a page of a site with a fragment in it."""
    return AROUND.format(lang=lang, fragment=render(page, FRAGMENT))


def fits(site: Site, name: str, shots: Path | None, widths: tuple[int, ...]) -> None:
    """Look at a page at widths, also with all that can be opened."""
    for width in widths:
        site.looks(width)
        assert site.tab.evaluate(TOO_WIDE) == []
        if width == 1280:
            assert site.tab.evaluate(UNEVEN) == 0
        if shots is not None:
            site.tab.wait_for_load_state("networkidle")
            site.tab.screenshot(path=shots / f"{name}-{width}.png", full_page=True)
    site.tab.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    for width in widths:
        site.looks(width)
        assert site.tab.evaluate(TOO_WIDE) == []


WIDTHS = (1280, 640, 390)  # 640: what is left of 1280 at 200 % zoom


@pytest.mark.parametrize("lang", EVERY)
def test_it_fits_and_passes_axe_in_each_language(site: Site, shots: Path | None, lang: str) -> None:
    page = full_page(lang)
    site.opens(inside(page, lang))
    fits(site, f"fragment-{lang}", shots, WIDTHS)
    site.opens(render(page, OPTIONS))
    fits(site, f"page-{lang}", shots, WIDTHS)
    assert violations(site.tab) == []
    assert site.refused == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("form", ["page", "fragment"])
def test_it_passes_axe_wide_light_and_dark(site: Site, shots: Path | None, form: str, scheme: str) -> None:
    page = full_page("en")
    site.looks(1280, scheme)
    site.opens(render(page, OPTIONS) if form == "page" else inside(page, "en"))
    if shots is not None:
        site.tab.wait_for_load_state("networkidle")
        site.tab.screenshot(path=shots / f"{form}-{scheme}.png", full_page=True)
    site.tab.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    assert violations(site.tab) == []


def test_the_badges_are_one_click_from_the_widget_and_have_an_address(site: Site, shots: Path | None) -> None:
    site.looks(1280)
    tab = site.opens(render(full_page("en"), OPTIONS))
    assert tab.locator("h2:visible").all_inner_texts() == ["In Progress", "Discover", "Earned"]
    tab.locator("nav:visible").get_by_role("link", name="My badges").click()
    assert tab.url == f"{SITE}page.html#credly-badges"
    assert tab.locator("h2:visible").all_inner_texts() == ["Earned"]
    assert tab.locator("nav:visible [aria-current]").all_inner_texts() == ["My badges"]
    assert tab.locator(".credly-title").is_visible()
    if shots is not None:
        tab.screenshot(path=shots / "badges-en.png", full_page=True)
    assert violations(tab) == []
    tab.go_back()
    assert tab.locator("h2:visible").all_inner_texts() == ["In Progress", "Discover", "Earned"]
    tab = site.opens(render(full_page("en"), OPTIONS), "page.html#credly-badges")
    assert tab.locator("h2:visible").all_inner_texts() == ["Earned"]


def test_a_badge_has_the_facts_of_the_native_tab_in_their_order(site: Site) -> None:
    site.looks(1280)
    tab = site.opens(render(full_page("en"), OPTIONS), "page.html#credly-badges")
    card = tab.locator(".credly-card:visible").first
    assert card.locator("img").bounding_box() is not None
    lines = [line for line in card.locator(".credly-text").inner_text().splitlines() if line]
    assert lines[:5] == [
        "First Aid at Work",
        "Earned 2 March 2026",
        "First Aid Course",
        "Expires 31 December 2031",
        "Accept the Badge",
    ]
    card.locator("summary").click()
    assert "Gives first aid" in card.inner_text()
    assert card.locator(".credly-skills li").all_inner_texts() == ["First Aid", "Safety", "CPR"]
    steps = card.locator(".credly-steps li").all_inner_texts()
    assert [step.partition("(opens")[0].strip() for step in steps] == [
        "Two days in person", "Practical examination", "The criteria in full"
    ]  # fmt: skip
    assert "Issuer\nLarkfield Skills Institute" in card.inner_text().replace("\n\n", "\n")


def test_on_paper_all_is_said_in_light_colours_and_links_are_written_out(site: Site, shots: Path | None) -> None:
    tab = site.opens(render(full_page("en"), OPTIONS), "page.html#credly-badges")
    site.looks(794, "dark", "print")  # A4 at 96 dots an inch
    assert tab.locator("nav:visible").count() == 0
    assert tab.get_by_text("Gives first aid at the workplace").last.is_visible()
    assert tab.evaluate("getComputedStyle(document.querySelector('.credly-badges')).color") == "rgb(27, 33, 48)"
    script = "getComputedStyle(document.querySelector('#credly-badges .credly-button'), '::after').content"
    assert "https://www.credly.com/badges/" in tab.evaluate(script)
    assert tab.evaluate(TOO_WIDE) == []
    if shots is not None:
        tab.screenshot(path=shots / "print.png", full_page=True)


@pytest.mark.parametrize("width", [390, 1280])
def test_text_of_twice_the_size_fits(site: Site, shots: Path | None, width: int) -> None:
    site.looks(width)
    tab = site.opens(render(full_page("de"), OPTIONS))
    tab.evaluate("document.documentElement.style.fontSize = '200%'")
    assert tab.evaluate(TOO_WIDE) == []
    if shots is not None:
        tab.screenshot(path=shots / f"twice-{width}.png", full_page=True)


def test_a_fragment_keeps_its_look_and_is_as_dark_as_its_site(site: Site) -> None:
    site.looks(1280, "dark")
    tab = site.opens(inside(full_page("en"), "en"))
    ink = "getComputedStyle(document.querySelector('.credly-name')).color"
    assert tab.evaluate(ink) == "rgb(27, 33, 48)"  # the site is light, whatever the reader prefers
    tab.evaluate("document.documentElement.style.colorScheme = 'light dark'")
    assert tab.evaluate(ink) == "rgb(238, 241, 247)"
    script = "getComputedStyle(document.querySelector('.credly-name'))"
    assert tab.evaluate(f"{script}.textTransform") == "none"
    assert tab.evaluate(f"{script}.marginTop") == "0px"
    assert tab.locator("h1").count() == 1  # the site's own


def test_the_owners_sheet_has_the_last_word(site: Site) -> None:
    site.looks(1280)
    site.files["credly-badges.css"] = style_sheet(".credly-badges { --credly-accent: rgb(122, 31, 162) }")
    tab = site.opens(render(full_page("en"), replace(OPTIONS, title="Larkfield Badges")))
    script = "getComputedStyle(document.querySelector('.credly-button-main')).backgroundColor"
    assert tab.evaluate(script) == "rgb(122, 31, 162)"
    assert tab.locator("h1").all_inner_texts() == ["Larkfield Badges"]
    assert tab.evaluate("document.querySelector('.credly-logo').naturalWidth") > 0


@pytest.mark.parametrize("form", ["page", "fragment"])
def test_hostile_names_do_nothing(site: Site, shots: Path | None, form: str) -> None:
    page = hostile_page()
    tab = site.opens(render(page, OPTIONS) if form == "page" else inside(page, "en"))
    site.looks(390)
    if shots is not None:
        tab.screenshot(path=shots / f"hostile-{form}.png", full_page=True)
    assert tab.evaluate("document.scripts.length") == 0
    assert tab.locator("[onerror]").count() == 0
    assert tab.locator(".credly-badges img:not(.credly-logo)").count() == 0
    assert tab.evaluate("[...document.links].filter(link => !link.hash).length") == 0
    assert tab.evaluate(TOO_WIDE) == []
    assert "owned" not in tab.title().partition("·")[0]
    assert site.refused == []


def test_a_policy_lets_nothing_else_in(site: Site) -> None:
    planted = "<script>document.title = 'owned'</script><style>h1 { color: red }</style></main>"
    tab = site.opens(render(full_page("en"), OPTIONS).replace("</main>", planted))
    assert tab.title() == "Credly Badges · Robin Lark"
    assert tab.evaluate("getComputedStyle(document.querySelector('h1')).color") != "rgb(255, 0, 0)"


# What `credly publish` wrote, in a site that shows it as the document says

DOCUMENT = Path(__file__).parents[2] / "docs" / "how-to" / "show-badges-in-your-lms.md"
FOLDER = "https://badges.example.org/badges/"


def html_of_document(start: str) -> str:
    """Return an example of the document."""
    found = re.search(rf"```html\n({start}.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def published(school: School, site: Site, *options: str) -> str:
    """Publish a page for a learner with a badge of every kind; serve the folder, and return the page's address."""
    busy_learner(school)
    school.desk.json("sync")
    folder, manifest = school.desk.home / "site", school.desk.home / "manifest.csv"
    ran = school.desk.run("publish", str(folder), "--url", FOLDER, "--manifest", str(manifest), *options)
    assert ran.code == 0, ran
    site.files |= {FOLDER + path.name: path.read_text("utf-8") for path in folder.iterdir() if path.suffix != ""}
    (row,) = csv.DictReader(manifest.read_text("utf-8").splitlines())
    assert row["email"] == ROBIN
    return row["url"]


def test_a_published_page_works_in_an_iframe_of_another_site(site: Site, school: School, shots: Path | None) -> None:
    address = published(school, site)
    iframe = html_of_document("<iframe").replace("https://badges.example.org/badges/PAGE.html", address)
    assert address in iframe
    site.looks(1280)
    tab = site.opens(f"<!doctype html><html lang=en><title>My learning</title><h1>My learning</h1>{iframe}")
    frame = tab.frame_locator("iframe")
    assert frame.locator("h2:visible").all_inner_texts() == ["In Progress", "Discover", "Earned"]
    if shots is not None:
        tab.wait_for_load_state("networkidle")
        tab.screenshot(path=shots / "iframe.png", full_page=True)
    frame.locator("nav:visible").get_by_role("link", name="My badges").click()
    assert frame.locator("h2:visible").all_inner_texts() == ["Earned"]
    with tab.expect_popup() as opened:  # Credly opens beside the site ...
        frame.locator(".credly-button:visible").get_by_text("View Badge").first.click()
    opened.value.close()
    frame.locator("nav:visible").get_by_role("link", name="Overview").click()
    frame.get_by_role("link", name="Continue").first.click()  # ... and content in its place
    tab.wait_for_url("https://learn.example.org/data-1")
    assert [address for address in site.refused if not address.startswith("https://www.credly.com/")] == []


def test_a_published_fragment_works_in_a_page_of_the_site(site: Site, school: School, shots: Path | None) -> None:
    address = published(school, site, "--fragment")
    link = html_of_document("<link").replace("/pieces/", FOLDER)
    host = AROUND.replace('<link rel="stylesheet" href="credly-badges.css">', link)
    site.looks(1280)
    tab = site.opens(host.format(lang="en", fragment=site.files[address]))
    assert tab.locator("h3:visible").all_inner_texts() == ["In Progress", "Discover", "Earned"]
    assert tab.evaluate("getComputedStyle(document.querySelector('.credly-card')).display") == "flex"
    if shots is not None:
        tab.wait_for_load_state("networkidle")
        tab.screenshot(path=shots / "in-a-site.png", full_page=True)
    assert tab.evaluate(TOO_WIDE) == []
    assert violations(tab) == []


def test_the_pictures_of_the_document_are_drawn_where_somebody_asks_for_them(site: Site, shots: Path | None) -> None:
    """``SCREENSHOTS=docs`` with this test draws them anew."""
    for name in ("pages-wide.png", "pages-narrow.png"):
        assert (DOCUMENT.parents[1] / name).stat().st_size < 100_000
    if shots is None:
        return
    for name, lang, width, height, scheme, at in (
        ("pages-wide.png", "en", 1120, 820, "light", "page.html"),
        ("pages-narrow.png", "de", 390, 844, "dark", "page.html#credly-badges"),
    ):
        site.opens(render(pleasant_page(lang), replace(OPTIONS, logo=None)), at)
        site.looks(width, scheme)
        site.tab.set_viewport_size({"width": width, "height": height})
        site.tab.wait_for_load_state("networkidle")
        site.tab.screenshot(path=shots / name)
