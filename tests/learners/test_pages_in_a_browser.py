"""The pages in a real browser: order, links, words, hostile names, accessibility, and how they look."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from credly_cli.credly.records import BadgeBrief
from credly_cli.pages.render import write
from credly_cli.reports import report_page
from credly_cli.reports.report import STATES, FailureRow, Reason, Report
from credly_cli.store.reports import BadgeCount, MonthCount
from tests.learners.pages import busy_learner, drawn, hostile_learner, violations, written
from tests.learners.school import School

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page, Route

pytestmark = pytest.mark.slow

# what is written in a chart and is less than 12 pixels high, or reaches out of it
SMALL_OR_OUTSIDE = """[...document.querySelectorAll('.chart text')].filter(text => {
  const chart = text.ownerSVGElement.getBoundingClientRect(), box = text.getBoundingClientRect();
  return box.height < 12 || box.left < chart.left || box.right > chart.right || box.bottom > chart.bottom;
}).map(text => text.textContent)"""


@pytest.fixture
def page(chromium: "BrowserContext") -> Iterator["Page"]:
    opened = chromium.new_page()
    wanted: list[str] = []

    def answer(route: "Route") -> None:
        address = route.request.url
        wanted.append(address)
        if address.startswith("https://images.credly.com/"):
            route.fulfill(body=drawn(address), content_type="image/svg+xml")
        else:
            route.abort()

    opened.route(re.compile("^https?:"), answer)
    opened.wanted = wanted  # type: ignore[attr-defined]
    yield opened
    opened.close()


def open_page(page: "Page", path: Path, width: int = 1280, scheme: Any = "light") -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('img').forEach(image => { image.loading = 'eager' })")
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("command", ["widget", "learner-badges"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_and_passes_axe(
    school: School, page: "Page", shots: Path | None, command: str, scheme: str, width: int
) -> None:
    busy_learner(school)
    open_page(page, written(school, command), width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    if shots is not None:
        page.screenshot(path=shots / f"{command}-{width}-{scheme}.png", full_page=True)
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_report_fits_and_passes_axe(
    school: School, page: "Page", shots: Path | None, scheme: str, width: int
) -> None:
    busy_learner(school)
    school.desk.json("sync")
    path = school.desk.home / "report.html"
    assert school.desk.run("report", "--html", str(path)).code == 0
    open_page(page, path, width, scheme)
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    if shots is not None:
        page.screenshot(path=shots / f"report-{width}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.locator(".chart").count() == 2
    assert page.evaluate(SMALL_OR_OUTSIDE) == []
    heights = page.evaluate("[...document.querySelectorAll('thead')].map(head => head.offsetHeight)")
    assert max(heights) < 50  # pixels: no word is torn
    assert violations(page) == []


@pytest.mark.parametrize("width", [390, 800, 1280])
def test_a_report_of_many_months_and_long_names_fits(
    page: "Page", tmp_path: Path, shots: Path | None, width: int
) -> None:
    path = tmp_path / "report.html"
    write(path, report_page.page(big_report(), "Larkfield", datetime(2026, 3, 2, tzinfo=UTC)))
    open_page(page, path, width)
    if shots is not None:
        page.screenshot(path=shots / f"big-report-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.locator(".chart").count() == 4
    assert page.evaluate(SMALL_OR_OUTSIDE) == []
    assert violations(page) == []


def big_report() -> Report:
    name = "Certified Advanced Practitioner of Accessible Document Design, Level 3"
    message = "Credly refused: Recipient email (address) is invalid."
    return Report(
        months=[MonthCount(f"{2022 + n // 12}-{n % 12 + 1:02}", 997 * n) for n in range(40)],
        badges=[BadgeCount(BadgeBrief("", name, None), 6800, 1700, 1700, 1700, 1700) for _ in range(150)],
        funnel=dict.fromkeys(STATES, 255_000),
        expiring={"30": 0, "60": 1, "90": 255_000},
        failures=[FailureRow("unexpected", 2, (Reason(message, 2),))],
    )


def test_the_check_would_find_a_fault(school: School, page: "Page") -> None:
    busy_learner(school)
    open_page(page, written(school, "widget"))
    page.evaluate("document.querySelector('img').removeAttribute('alt')")
    page.evaluate("document.querySelector('.credly-content').style.color = '#bbb'")
    assert {fault.partition(":")[0] for fault in violations(page)} == {"image-alt", "color-contrast"}


def test_r28_the_widget_has_its_three_sections_in_order_in_the_vendors_words(school: School, page: "Page") -> None:
    busy_learner(school)
    open_page(page, written(school, "widget"))
    assert page.locator("h2").all_inner_texts() == ["In Progress", "Discover", "Earned"]
    about = "About this badge"
    assert cards(page, "In Progress") == [
        ["Onboarding Essentials", "Welcome to Larkfield", "100% Completed", "Badge on its way", "Open", about],
        ["Data Literacy \u2013 Level 1", "Reading Data", "62% Completed", "Continue", about],
        ["Data Literacy \u2013 Level 2", "Working with Data", "Not Started", "Start", about],
        ["Facilitator", "Leading Groups", "In Progress", "You will find it on your learning site.", about],
    ]
    assert cards(page, "Discover") == [
        ["Accessible Documents", "Documents for Everybody", "Learn More", about],
        ["Project Management Practitioner", "From Idea to Delivery", "Learn More", about],
    ]
    assert cards(page, "Earned") == [
        ["Webinar Participant", "Earned 2 March 2026", "Webinars of the Season", "View Badge", about],
        [
            "First Aid at Work",
            "Earned 2 March 2026",
            "First Aid Course",
            "Expires 31 December 2031",
            "Accept the Badge",
            about,
        ],
        ["Night Shift Lead", "Earned 9 January 2024", "Expires 9 January 2030", "Rejected"],
        ["Fire Warden", "Earned 4 May 2023", "Expired 4 May 2025", "Expired", "View Badge"],
    ]


def cards(page: "Page", section: str) -> list[list[str]]:
    """Return the lines of each card, without what only screen readers say after a link's words."""
    page.evaluate("document.querySelectorAll('.credly-hidden').forEach(part => part.remove())")
    texts = page.get_by_role("region", name=section, exact=True).locator(".credly-text").all_inner_texts()
    return [[line for line in text.splitlines() if line.strip()] for text in texts]


def test_r28_content_opens_here_and_credly_in_a_new_tab(school: School, page: "Page") -> None:
    busy_learner(school)
    answer = school.widget()
    open_page(page, written(school, "widget"))
    links = [(link.get_attribute("href"), link) for link in page.locator(".credly-actions a").all()]
    content = [entry["url"] for entry in answer["in_progress"] if entry["url"]]
    discover = [entry["url"] for entry in answer["discover"]]
    earned = [entry["url"] or entry["accept_url"] for entry in answer["earned"] if entry["state"] != "rejected"]
    assert [address for address, _ in links] == [*content, *discover, *earned]
    for address, link in links:
        opens_a_tab = link.get_attribute("target") == "_blank"
        assert opens_a_tab == (address not in content)
        assert ("noopener" in (link.get_attribute("rel") or "")) == opens_a_tab


def test_nothing_is_loaded_but_badge_images(school: School, page: "Page") -> None:
    busy_learner(school)
    for command in ("widget", "learner-badges"):
        open_page(page, written(school, command))
    wanted = page.wanted  # type: ignore[attr-defined]
    assert wanted
    assert [address for address in wanted if not address.startswith("https://images.credly.com/")] == []


@pytest.mark.parametrize("command", ["widget", "learner-badges"])
def test_a_hostile_name_does_nothing(school: School, page: "Page", shots: Path | None, command: str) -> None:
    hostile_learner(school)
    open_page(page, written(school, command), 390)
    if shots is not None:
        page.screenshot(path=shots / f"hostile-{command}.png", full_page=True)
    assert "owned" not in page.title().partition("·")[0]
    assert page.evaluate("document.scripts.length") == 0
    assert page.locator("img").count() == 0
    assert page.locator("[onerror]").count() == 0
    assert [link.get_attribute("href") for link in page.locator("a").all() if not is_expected(link)] == []
    assert page.get_by_role("heading", level=3).first.inner_text().startswith("<img src=x onerror=")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.wanted == []  # type: ignore[attr-defined]


def is_expected(link: "Locator") -> bool:
    return (link.get_attribute("href") or "").startswith(("https://www.credly.com/", "https://www.larkfield.example/"))


def test_the_policy_holds_even_where_escaping_would_not(school: School, page: "Page") -> None:
    busy_learner(school)
    path = written(school, "widget")
    planted = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\">"
    path.write_text(path.read_text().replace("</main>", f"{planted}<style>h1 {{ color: red }}</style></main>"))
    open_page(page, path)
    assert page.title() == "Credly Badges · Robin Lark"
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") != "rgb(255, 0, 0)"


def test_the_keyboard_reaches_every_link_in_order_and_shows_where_it_is(school: School, page: "Page") -> None:
    busy_learner(school)
    open_page(page, written(school, "widget"))
    wanted = [part.inner_text() for part in page.locator(".credly-actions a, summary").all()]
    assert len(wanted) > 10
    for words in wanted:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.innerText") == words
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_screen_readers_hear_where_they_are_and_how_far_the_learner_is(school: School, page: "Page") -> None:
    busy_learner(school)
    open_page(page, written(school, "widget"))
    for role in ("banner", "main", "contentinfo"):
        assert page.get_by_role(role).count() == 1
    assert page.get_by_role("progressbar", name="62% Completed").get_attribute("value") == "62.5"
    assert page.get_by_role("img", name="Badge image: First Aid at Work").count() == 1
    assert page.get_by_role("link", name="Continue Reading Data").count() == 1
    name = "Accept the Badge First Aid at Work (opens Credly in a new tab)"
    assert page.get_by_role("link", name=name).count() == 1


def test_a_badge_without_a_picture_has_a_plain_medal(school: School, page: "Page") -> None:
    busy_learner(school)
    page.route(re.compile("^https:"), lambda route: route.abort())
    open_page(page, written(school, "widget"))
    script = "getComputedStyle(document.querySelector('.credly-image img'), '::after').content"
    assert page.evaluate(script).startswith('"O"')


def test_an_empty_widget_is_friendly(school: School, page: "Page", shots: Path | None) -> None:
    school.has()
    open_page(page, written(school, "widget"), 390)
    assert page.locator(".credly-empty").all_inner_texts() == ["The badges you earn will be here."]
    assert page.locator("section").count() == 0
    assert violations(page) == []
    if shots is not None:
        page.screenshot(path=shots / "empty.png", full_page=True)
