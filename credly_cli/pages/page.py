"""What a learner's page is made of, how it is to look, and the page: the widget, and the badges one click from it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain, zip_longest
from typing import Any, Literal

from markupsafe import Markup, escape

from credly_cli.credly.records import BadgeBrief, BadgeDetails
from credly_cli.errors import Failure
from credly_cli.identity import full_name
from credly_cli.learners.badges import LearnerBadges
from credly_cli.learners.widget import COMPLETE, Earned, InProgress, Widget, earned
from credly_cli.pages.render import picture, policy, sheet, templates, web
from credly_cli.pages.words import ENGLISH, Language, choice, chosen, known, language, no_such
from credly_cli.store import badges, learners
from credly_cli.store.content import ContentBrief
from credly_cli.store.database import Store
from credly_cli.store.eligibility import Discoverable
from credly_cli.store.learners import LearnerBrief
from credly_cli.text import inert

ViewName = Literal["overview", "badges"]
STYLE_SHEET = "badges.css"
_FILE_NAME = re.compile(r"[\w-][\w.-]*")
_FILLING = re.compile(r"/\*.*?\*/|\n *", re.DOTALL)  # of a style sheet, which each page has in it
_NOTHING = BadgeDetails()
_KEPT = 2048  # cards of each kind and language; two megabytes
_BETWEEN = 50.0  # stands for all that is neither 0 nor 100 percent
_SLOT = Markup("\0")  # in no text from elsewhere: it is taken out of all (`inert`)
TITLES = {"overview": "Credly Badges", "badges": "Badges"}
HEADINGS = {
    "overview": "Overview",
    "badges": "My badges",
    "in-progress": "In Progress",
    "discover": "Discover",
    "earned": "Earned",
}
NOTE = (
    "To accept a badge, sign in to Credly or create an account there. From there you can also share your badges, "
    "for example on LinkedIn, X or Facebook."
)


@dataclass(frozen=True, slots=True)
class Page:
    """A learner's page: the widget, and the badges as their tab shows them (R26, R28)."""

    name: str  # of the learner; empty where none is known: no published page shows an address
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
    language: str = ENGLISH  # of those whose locale is none of ours
    fragment: bool = False  # without <html>, for a site with a template of its own
    sheet: str | None = None  # the name of the style sheet beside; None: it is in the page
    views: tuple[ViewName, ...] = ("overview", "badges")

    def __post_init__(self) -> None:
        """Refuse a language that there is not; raises ``Failure``."""
        if known(self.language) is None:
            raise Failure("config-invalid", f"publish.language: {no_such(self.language)}", hint=choice())


@dataclass(frozen=True, slots=True)
class _Section:
    id: str
    title: Markup
    cards: Markup


@dataclass(frozen=True, slots=True)
class _View:
    """One of the two parts of a page, of which a browser shows one at a time."""

    id: ViewName
    title: Markup
    sections: list[_Section]
    note: Markup | None


def of_widget(store: Store, answer: Widget, lang: str | None = None) -> Page:
    """Return the page of a widget that was read for the support desk; ``lang``: in this language, not the learner's.

    Raises ``Failure`` for a language that there is not.
    """
    parts: tuple[Sequence[InProgress | Discoverable | Earned], ...] = (
        answer.in_progress,
        answer.discover,
        answer.earned,
    )
    shown = (entry.badge.id for part in parts for entry in part)
    return Page(
        _named(answer.learner),
        answer.in_progress,
        answer.discover,
        answer.earned,
        badges.details(store, shown),
        answer.as_of,
        chosen(lang) if lang else learners.locale(store, answer.learner.email),
    )


def of_badges(store: Store, answer: LearnerBadges, lang: str | None = None) -> Page:
    """Return the page of a learner's badges that were read for the support desk; ``lang`` as in ``of_widget``."""
    return Page(
        _named(answer.learner),
        earned=earned(answer.badges, hide_expired=False),
        details=badges.details(store, (entry.badge.id for entry in answer.badges)),
        as_of=answer.as_of,
        locale=chosen(lang) if lang else learners.locale(store, answer.learner.email),
    )


def _named(learner: LearnerBrief) -> str:
    return full_name(learner.first_name, learner.last_name) or learner.email


def render(page: Page, options: Options) -> str:
    """Render a learner's page, or the fragment of one."""
    return _renderer(options, language(page.locale, options.language)).page(page)


def style_sheet(rules: str = "") -> str:
    """Return the style sheet that lies beside pages, with the owner's own rules at its end."""
    return f"{sheet(STYLE_SHEET)}\n{rules}"


class _Renderer:
    """Renders pages of the same options in one language."""

    def __init__(self, options: Options, speech: Language) -> None:
        level = 2 if options.fragment else 1  # of the title: around a fragment there is a page with one of its own
        self._options = options
        self._say = speech.say
        self._cards = _Cards(speech, level + 2)
        self._template = templates().get_template("page.html")
        style = None if options.sheet else _FILLING.sub("", sheet(STYLE_SHEET))
        beside = options.logo is not None and _FILE_NAME.fullmatch(options.logo) is not None
        self._shared = {
            "_": speech.say,
            "moment": speech.moment,
            "language": speech.tag,
            "level": level,
            "fragment": options.fragment,
            "title": options.title or speech.say(TITLES[options.views[0]]),
            "logo": options.logo if beside else picture(options.logo),
            "organization": options.organization,
            "issuer": Markup("<bdi>{}</bdi>").format(inert(options.organization)),
            "sheet": options.sheet,
            "style": style,
            "policy": policy(style, images=True, beside=beside),
        }

    def page(self, page: Page) -> str:
        """Render one page."""
        cards = [self._cards.earned(entry, page.details.get(entry.badge.id)) for entry in page.earned]
        in_full = [card for _, card in cards]
        in_short = in_full if len(self._options.views) == 1 else [card for card, _ in cards]  # in full one click away
        views = [
            self._overview(page, in_short) if name == "overview" else self._view("badges", {"earned": in_full}, page)
            for name in self._options.views
        ]
        return self._template.render(self._shared, name=page.name, views=views, as_of=page.as_of)

    def _overview(self, page: Page, earned: list[str]) -> _View:
        cards, details = self._cards, page.details
        begun = [cards.in_progress(entry, details.get(entry.badge.id, _NOTHING)) for entry in page.in_progress]
        new = [cards.discover(entry, details.get(entry.badge.id, _NOTHING)) for entry in page.discover]
        return self._view("overview", {"in-progress": begun, "discover": new, "earned": earned}, page)

    def _view(self, name: ViewName, sections: Mapping[str, list[str]], page: Page) -> _View:
        """Put a view together; sections without cards are left out."""
        shown = [
            _Section(section, self._say(HEADINGS[section]), Markup("".join(cards)))  # noqa: S704 - escaped already
            for section, cards in sections.items()
            if cards
        ]
        has_links = any(web(entry.accept_url) or web(entry.url) for entry in page.earned)
        return _View(name, self._say(HEADINGS[name]), shown, self._say(NOTE) if has_links else None)


_renderer = lru_cache(maxsize=64)(_Renderer)


class _Cards:
    """Renders cards of badges in one language, with names as headings of a level.

    What many learners see alike is rendered once: cards, details, dates.
    """

    def __init__(self, language: Language, level: int) -> None:
        self._macros: Any = templates().get_template("cards.html").make_module({"_": language.say, "level": level})
        self._language = language
        keep = lru_cache(_KEPT)
        self.details = keep(self._details)
        self._progress = keep(self._progress_text)
        self._begun = keep(self._in_progress_in_parts)
        self._new = keep(self._discover)
        self._shown: dict[tuple[int, int], tuple[Discoverable, BadgeDetails, str]] = {}
        self._parts = keep(self._earned_in_parts)

    def _details(self, badge: BadgeBrief, details: BadgeDetails) -> Markup:
        return Markup(self._macros.details(badge, details))  # noqa: S704 - escaped by its template

    def in_progress(self, entry: InProgress, details: BadgeDetails) -> str:
        """Render a badge in progress; those that are as far as others differ in nothing but that."""
        between = entry.progress is not None and 0 < entry.progress < COMPLETE
        form = replace(entry, progress=_BETWEEN) if between else entry
        progress = (self._progress(entry.progress), f"{entry.progress:g}") if between else ()
        return _filled(self._begun(form, details), (*progress, *progress[:1]))

    def _in_progress_in_parts(self, form: InProgress, details: BadgeDetails) -> list[str]:
        between = form.progress == _BETWEEN
        progress, value = (_SLOT, _SLOT) if between else (self._progress_text(form.progress), f"{form.progress or 0:g}")
        return str(self._macros.in_progress(form, progress, value, self.details(form.badge, details))).split(_SLOT)

    def _progress_text(self, progress: float | None) -> Markup:
        if progress is None:
            return self._language.say("In Progress")
        if not progress:
            return self._language.say("Not Started")
        return self._language.say("%(percent)s Completed", percent=self._language.percent(progress))

    def discover(self, entry: Discoverable, details: BadgeDetails) -> str:
        """Render a badge to discover; of one list for many learners each is known by being the same object."""
        key = (id(entry), id(details))
        found = self._shown.get(key)
        if found is None:
            if len(self._shown) >= _KEPT:
                self._shown.clear()
            found = self._shown[key] = (entry, details, self._new(entry, details))  # kept, so that no other has its id
        return found[2]

    def _discover(self, entry: Discoverable, details: BadgeDetails) -> str:
        return str(self._macros.discover(entry, self.details(entry.badge, details)))

    def earned(self, entry: Earned, details: BadgeDetails | None) -> tuple[str, str]:
        """Render an earned badge in short, and with what its template says of it."""
        page = web(entry.url)
        acceptance = web(entry.accept_url) if entry.state == "pending" and not entry.expired else None
        fills = (
            self._date(entry.awarded_at) if entry.awarded_at else None,
            self._date(entry.expires_at) if entry.expires_at else None,
            str(escape(acceptance)) if acceptance else None,
            str(escape(page)) if page else None,
        )
        has = (fills[0] is not None, fills[1] is not None, fills[2] is not None, fills[3] is not None)
        *parts, end = self._parts(entry.badge, entry.content, entry.expired, entry.state, has)
        start = _filled(parts, [fill for fill in fills if fill is not None])
        short = f"{start}{end}"
        return short, f"{start}{self.details(entry.badge, details)}{end}" if details else short

    def _earned_in_parts(
        self, badge: BadgeBrief, content: ContentBrief | None, expired: bool, state: str, has: tuple[bool, ...]
    ) -> list[str]:
        """Render a card with slots for what is the learner's own and for details, and cut it at these."""
        slots: tuple[Markup | None, ...] = tuple(_SLOT if one else None for one in has)
        awarded_at, expires_at, accept_url, url = slots
        entry = Earned("", badge, content, awarded_at, expires_at, expired, state, url, accept_url)
        return str(self._macros.earned(entry, _SLOT)).split(_SLOT)

    def _date(self, at: str) -> str:
        return f'<time datetime="{escape(at)}">{escape(self._language.day(at))}</time>'


def _filled(parts: Sequence[str], fills: Sequence[str]) -> str:
    return "".join(chain.from_iterable(zip_longest(parts, fills, fillvalue="")))
