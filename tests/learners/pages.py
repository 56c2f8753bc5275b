"""Pages to look at: a learner with a badge of every kind, and a learner at a school of hostile names."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credly_cli.credly.records import BadgeBrief, BadgeDetails, Step
from credly_cli.learners.widget import Earned, InProgress
from credly_cli.pages.page import Page
from credly_cli.store.content import ContentBrief
from credly_cli.store.eligibility import Discoverable
from tests.learners.school import AGAIN, BADGE, ROBIN, School

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab

COLOURS = ("#2f6fd0", "#7a4fc0", "#b4552d", "#2b8a6b", "#a03a6a", "#4a5a7a")
SCRIPT = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
HOSTILE = f"{SCRIPT}\u202eev\u2066i\u200fl\x1b[31m\x07"


def busy_learner(school: School) -> None:
    """Let Robin have badges in progress, to discover, and earned: pending, accepted, rejected, expired."""
    sandbox = school.desk.sandbox
    url = "https://learn.example.org/"
    school.has()
    school.teaches("onboarding", "Welcome to Larkfield", "Onboarding Essentials", url=f"{url}onboarding")
    school.teaches("data-1", "Reading Data", "data-literacy-level-1", url=f"{url}data-1")
    school.teaches("data-2", "Working with Data", "data-literacy-level-2", url=f"{url}data-2")
    school.teaches("facilitator", "Leading Groups", "Facilitator", type="learningPath")
    school.teaches("documents", "Documents for Everybody", "Accessible Documents", url=f"{url}documents")
    school.teaches("project", "From Idea to Delivery", "project-management-practitioner", url=f"{url}project")
    school.teaches("first-aid", "First Aid Course", BADGE, url=f"{url}first-aid")
    school.teaches("webinars", "Webinars of the Season", AGAIN, type="webinar", url=f"{url}webinars")
    school.completes("first-aid")
    school.completes("webinars")
    school.desk.json("sync")
    sandbox.accept(school.desk.issued(AGAIN)[0].id)
    archived = dict(sandbox.templates[school.desk.badge_id(BADGE)], id="a1", name="Fire Warden", state="active")
    sandbox.add_template(archived)
    who = (ROBIN, "Robin", "Lark")
    old = sandbox.issue_in_credly("a1", *who, issued_at="2023-05-04 10:00:00 +0000", expires_at="2025-05-04")
    sandbox.accept(old.id)
    sandbox.add_template(dict(archived, id="a2", name="Night Shift Lead", image_url=None, image=None))
    declined = sandbox.issue_in_credly("a2", *who, issued_at="2024-01-09 10:00:00 +0000", expires_at="2030-01-09")
    sandbox.reject(declined.id)
    school.enrolls("data-1", progress="62.5")
    school.enrolls("data-2", progress="0")
    school.enrolls("facilitator")
    school.completes("onboarding")


def hostile_learner(school: School) -> None:
    """Let everything be called what nothing should be called, with addresses that must not be opened."""
    templates = school.desk.sandbox.templates
    evil = dict(templates[school.desk.badge_id(BADGE)], id="evil-1", name=HOSTILE, vanity_slug="evil-1")
    evil |= {"url": "javascript:document.title='owned'", "image_url": "javascript:document.title='owned'", "image": {}}
    for number in (1, 2, 3):
        school.desk.sandbox.add_template({**evil, "id": f"evil-{number}", "vanity_slug": f"evil-{number}"})
    school.desk.json("sync")
    name = HOSTILE.replace('"', '""')
    school.desk.imports("learners", f'email,first_name,last_name\n{ROBIN},"{name}",Lark\n')
    for number in (1, 2, 3):
        school.desk.imports(
            "content",
            f'content_id,title,type,status,url\nevil-{number},"{name}{number}",course,published,'
            "javascript:document.title='owned'\n",
        )
        school.desk.json("link", f"evil-{number}", f"evil-{number}")
    school.enrolls("evil-1", progress="40")
    school.desk.sandbox.issue_in_credly("evil-3", ROBIN, "Robin", "Lark")


def written(school: School, command: str, name: str = "page.html") -> Path:
    """Write a page and return where."""
    path = school.desk.home / name
    ran = school.desk.run(command, ROBIN, "--html", str(path))
    assert ran.code == 0, ran
    return path


def drawn(address: str) -> str:
    """Draw a badge, as no badge of Credly's is at hand."""
    colour = COLOURS[sum(map(ord, address)) % len(COLOURS)]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
        f'<path d="M50 3 91 26v48L50 97 9 74V26z" fill="{colour}"/>'
        '<path d="M50 12 83 31v38L50 88 17 69V31z" fill="none" stroke="#fff" stroke-width="2"/>'
        '<path d="m50 28 6 14 15 1-11 10 3 15-13-8-13 8 3-15-11-10 15-1z" fill="#fff"/></svg>'
    )


def violations(page: "Tab") -> list[str]:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    answer = axe.Axe().run(page).response
    return [f"{rule['id']}: {node['target']}" for rule in answer["violations"] for node in rule["nodes"]]


FIRST_AID = BadgeDetails(
    "Gives first aid at the workplace until help arrives. Valid until the end of the current cycle.",
    ("First Aid", "Safety", "CPR"),
    (Step("Two days in person", None), Step("Practical examination", "https://larkfield.example/examination")),
    "https://larkfield.example/badges/first-aid-at-work",
    "Larkfield Skills Institute",
)
LONG = "Donaudampfschifffahrtsgesellschaftskapit\u00e4nspatent und Rindfleischetikettierungs\u00fcberwachungsaufgaben"
WIDE = "\u30c7\u30fc\u30bf\u30ea\u30c6\u30e9\u30b7\u30fc\u3068\u5b89\u5168\u885b\u751f\u306e\u57fa\u790e" * 3


def badge(number: int, name: str) -> BadgeBrief:
    return BadgeBrief(f"badge-{number}", name, f"https://images.credly.com/images/{number}/badge.png")


def course(number: int, title: str) -> ContentBrief:
    return ContentBrief(f"course-{number}", title, "course")


def issued(number: int, name: str, state: str, end: str | None, *, course_title: str | None = None) -> Earned:
    """Return a badge that was earned in March; one of 2025 is over."""
    address = f"https://www.credly.com/badges/{number:08}-0000-4000-8000-000000000000"
    over = end is not None and end < "2026"
    content = course(number, course_title) if course_title else None
    view, accept = (None, f"{address}/accept") if state == "pending" else (address, None)
    at = "2026-03-02T08:00:00Z" if not over else "2023-05-04T08:00:00Z"
    return Earned(str(number), badge(number, name), content, at, end, over, state, view, accept)


def full_page(locale: str) -> Page:
    """Return a page with a card of every kind, some of them of the longest words."""
    site = "https://learn.example.org/"
    return Page(
        "Robin Lark",
        [
            InProgress(badge(1, "Onboarding Essentials"), course(1, "Welcome to Larkfield"), 100, True, f"{site}1"),
            InProgress(badge(2, LONG), course(2, LONG), 62.5, False, f"{site}2"),
            InProgress(badge(3, "Data Literacy \u2013 Level 2"), course(3, "Working with Data"), 0, False, f"{site}3"),
            InProgress(badge(4, "Facilitator"), course(4, "Leading Groups"), None, False, None),
        ],
        [
            Discoverable(badge(5, "Accessible Documents"), course(5, "Documents for Everybody"), f"{site}5"),
            Discoverable(badge(6, WIDE), course(6, WIDE), None),
        ],
        [
            issued(7, "First Aid at Work", "pending", "2031-12-31T00:00:00Z", course_title="First Aid Course"),
            issued(8, LONG, "accepted", None, course_title=LONG),
            issued(9, "Night Shift Lead", "rejected", "2030-01-09T00:00:00Z"),
            issued(10, "Fire Warden", "accepted", "2025-05-04T00:00:00Z"),
        ],
        {f"badge-{number}": FIRST_AID for number in range(1, 9)} | {"badge-2": BadgeDetails(LONG * 3, (LONG, WIDE))},
        "2026-03-02T09:30:00Z",
        locale,
    )


def hostile_page() -> Page:
    """Return a page on which everything is called what nothing should be called, and leads where nobody should go."""
    evil = "javascript:document.title='owned'"
    named = BadgeBrief(HOSTILE, HOSTILE, evil)
    content = ContentBrief(HOSTILE, HOSTILE, HOSTILE)
    about = BadgeDetails(HOSTILE, (HOSTILE, HOSTILE), (Step(HOSTILE, evil),), evil, HOSTILE)
    return Page(
        HOSTILE,
        [InProgress(named, content, 40, False, evil)],
        [Discoverable(named, content, evil)],
        [Earned(HOSTILE, named, content, "2026-03-02T08:00:00Z", None, False, "pending", evil, evil)],
        {HOSTILE: about},
        "2026-03-02T09:30:00Z",
        "<script>",
    )


def pleasant_page(locale: str) -> Page:
    """Return a page as most learners have one."""
    shown = full_page(locale)
    level = InProgress(
        badge(2, "Data Literacy \u2013 Level 1"), course(2, "Reading Data"), 62.5, False, "https://a.example"
    )
    return replace(
        shown,
        in_progress=[shown.in_progress[0], level, shown.in_progress[2]],
        discover=[
            shown.discover[0],
            Discoverable(
                badge(6, "Project Management Practitioner"), course(6, "From Idea to Delivery"), "https://a.example"
            ),
        ],
        earned=[
            shown.earned[0],
            issued(8, "Webinar Participant", "accepted", None, course_title="Webinars of the Season"),
            shown.earned[3],
        ],
        details=dict.fromkeys(shown.details, FIRST_AID),
    )
