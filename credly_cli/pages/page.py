"""What a learner's page is made of, and how it is to look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from credly_cli.credly.records import BadgeDetails
from credly_cli.learners.widget import Earned, InProgress
from credly_cli.pages import render as templates
from credly_cli.store.learner_history import Discoverable
from credly_cli.store.learners import LearnerBrief


@dataclass(frozen=True, slots=True)
class Page:
    """A learner's page: the widget, and the badges as their tab shows them (R26, R28)."""

    name: str  # of the learner; empty where none is known: no page shows an address
    in_progress: Sequence[InProgress] = ()
    discover: Sequence[Discoverable] = ()
    earned: Sequence[Earned] = ()
    details: Mapping[str, BadgeDetails] = field(default_factory=dict)  # what templates say, by the badge's id
    as_of: str | None = None  # UTC text
    locale: str | None = None  # of the learner, as the LMS writes it


@dataclass(frozen=True, slots=True)
class Options:
    """How pages are to be; the same for all that are published together."""

    organization: str
    title: str | None = None  # above each page, in the place of "Credly Badges"
    logo: str | None = None  # an https address, or the name of a file beside the page
    language: str = "en"  # of those whose locale is not known
    fragment: bool = False  # without <html>, for a site with a template of its own
    sheet: str | None = None  # the name of the style sheet beside; None: it is in the page


def render(page: Page, options: Options) -> str:
    """Render a learner's page, or the fragment of one."""
    learner = LearnerBrief(page.name, page.name, None, None)
    return templates.render("widget.html", answer=page, learner=learner, organization=options.organization)


def style_sheet(own: str = "") -> str:
    """Return the style sheet that lies beside pages, with the owner's own rules at its end."""
    return f"{templates.sheet('page.css')}\n{own}"
