"""Published pages and fragments in a real browser: eight languages, narrow and wide, light, dark and on paper."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from credly_cli.pages.page import Options, Page, render, style_sheet
from tests.learner_views.pages import drawn, full_page, hostile_page, violations
from tests.learner_views.test_languages import EVERY

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
        name = address.removeprefix(SITE).partition("#")[0]
        if address.startswith("https://images.credly.com/"):
            route.fulfill(body=drawn(address), content_type="image/svg+xml")
        elif address.startswith(SITE) and name in self.files:
            kind = {"css": "text/css", "svg": "image/svg+xml"}.get(name.rpartition(".")[2], "text/html")
            route.fulfill(body=self.files[name], content_type=f"{kind}; charset=utf-8")
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
