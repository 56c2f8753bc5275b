"""Cards of badges in one language. What many learners see alike is rendered once: cards, details, dates."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, zip_longest
from typing import Any

from markupsafe import Markup, escape

from credly_cli.credly.records import BadgeDetails
from credly_cli.learners.widget import Earned, InProgress
from credly_cli.pages.render import templates, web
from credly_cli.pages.words import Language
from credly_cli.store.badges import BadgeBrief
from credly_cli.store.content import ContentBrief
from credly_cli.store.learner_history import Discoverable

_KEPT = 8192  # of each kind; some megabytes
_SLOT = Markup("\0")  # in no text from elsewhere: it is taken out of all (`inert`)


@dataclass(frozen=True, slots=True)
class _Form:
    """An earned card without what is the learner's own: what it has of dates, details and addresses."""

    badge: BadgeBrief
    content: ContentBrief | None
    expired: bool
    state: str
    has_day: bool
    has_end: bool
    has_acceptance: bool
    has_page: bool


class Cards:
    """Renders cards, with names as headings of a level."""

    def __init__(self, language: Language, level: int) -> None:
        words = {"_": language.say, "percent": language.percent, "level": level}
        self._macros: Any = templates().get_template("cards.html").make_module(words)
        self._language = language
        keep = lru_cache(_KEPT)
        self.details = keep(self._details)
        self.in_progress = keep(self._in_progress)
        self.discover = keep(self._discover)
        self._date = keep(self._write_date)
        self._parts = keep(self._earned_in_parts)

    def _details(self, badge: BadgeBrief, about: BadgeDetails) -> Markup:
        return Markup(self._macros.details(badge, about))  # noqa: S704 - escaped by its template

    def _in_progress(self, entry: InProgress, about: BadgeDetails) -> str:
        return str(self._macros.in_progress(entry, self.details(entry.badge, about)))

    def _discover(self, entry: Discoverable, about: BadgeDetails) -> str:
        return str(self._macros.discover(entry, self.details(entry.badge, about)))

    def earned(self, entry: Earned, about: BadgeDetails | None) -> str:
        """Render an earned badge; ``about``: what to say of it, ``None`` for nothing."""
        page = web(entry.url)
        acceptance = web(entry.accept_url) if entry.state == "pending" and not entry.expired else None
        has_day, has_end = entry.awarded_at is not None, entry.expires_at is not None
        form = _Form(
            entry.badge,
            entry.content,
            entry.expired,
            entry.state,
            has_day,
            has_end,
            acceptance is not None,
            page is not None,
        )
        fills = (
            *((self._date(entry.awarded_at),) if entry.awarded_at else ()),
            *((self._date(entry.expires_at),) if entry.expires_at else ()),
            *((escape(acceptance),) if acceptance else ()),
            *((escape(page),) if page else ()),
            self.details(entry.badge, about) if about else "",
        )
        return "".join(chain.from_iterable(zip_longest(self._parts(form), fills, fillvalue="")))

    def _earned_in_parts(self, form: _Form) -> list[str]:
        """Render a card with slots, and cut it at these."""
        entry = Earned(
            id="",
            badge=form.badge,
            content=form.content,
            awarded_at=_SLOT if form.has_day else None,
            expires_at=_SLOT if form.has_end else None,
            expired=form.expired,
            state=form.state,
            url=_SLOT if form.has_page else None,
            accept_url=_SLOT if form.has_acceptance else None,
        )
        return str(self._macros.earned(entry, _SLOT)).split(_SLOT)

    def _write_date(self, at: str) -> str:
        return Markup('<time datetime="{}">{}</time>').format(at, self._language.day(at))
