"""Cards of badges in one language. What many learners see alike is rendered once: cards, details, dates."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain, zip_longest
from typing import Any

from markupsafe import Markup, escape

from credly_cli.credly.records import BadgeDetails
from credly_cli.learners.widget import COMPLETE, Earned, InProgress
from credly_cli.pages.render import templates, web
from credly_cli.pages.words import Language
from credly_cli.store.badges import BadgeBrief
from credly_cli.store.content import ContentBrief
from credly_cli.store.learner_history import Discoverable

_KEPT = 2048  # of each kind and language; two megabytes
_BETWEEN = 50.0  # stands for all that is neither 0 nor 100 percent
_SLOT = Markup("\0")  # in no text from elsewhere: it is taken out of all (`inert`)


class Cards:
    """Renders cards, with names as headings of a level."""

    def __init__(self, language: Language, level: int) -> None:
        self._macros: Any = templates().get_template("cards.html").make_module({"_": language.say, "level": level})
        self._language = language
        keep = lru_cache(_KEPT)
        self.details = keep(self._details)
        self._how_far = keep(self._tell_how_far)
        self._begun = keep(self._in_progress_in_parts)
        self._new = keep(self._discover)
        self._same: dict[tuple[int, int], tuple[Discoverable, BadgeDetails, str]] = {}
        self._parts = keep(self._earned_in_parts)

    def _details(self, badge: BadgeBrief, about: BadgeDetails) -> Markup:
        return Markup(self._macros.details(badge, about))  # noqa: S704 - escaped by its template

    def in_progress(self, entry: InProgress, about: BadgeDetails) -> str:
        """Render a badge in progress; those that are as far as others differ in nothing but that."""
        between = entry.progress is not None and 0 < entry.progress < COMPLETE
        form = replace(entry, progress=_BETWEEN) if between else entry
        far = (self._how_far(entry.progress), f"{entry.progress:g}") if between else ()
        return _filled(self._begun(form, about), (*far, *far[:1]))

    def _in_progress_in_parts(self, form: InProgress, about: BadgeDetails) -> list[str]:
        between = form.progress == _BETWEEN
        far, value = (_SLOT, _SLOT) if between else (self._tell_how_far(form.progress), f"{form.progress or 0:g}")
        return str(self._macros.in_progress(form, far, value, self.details(form.badge, about))).split(_SLOT)

    def _tell_how_far(self, progress: float | None) -> Markup:
        if progress is None:
            return self._language.say("In Progress")
        if not progress:
            return self._language.say("Not Started")
        return self._language.say("%(percent)s Completed", percent=self._language.percent(progress))

    def discover(self, entry: Discoverable, about: BadgeDetails) -> str:
        """Render a badge to discover; of one list for many learners each is known by being the same object."""
        same = (id(entry), id(about))
        found = self._same.get(same)
        if found is None:
            if len(self._same) >= _KEPT:
                self._same.clear()
            found = self._same[same] = (entry, about, self._new(entry, about))  # kept, so that no other has its id
        return found[2]

    def _discover(self, entry: Discoverable, about: BadgeDetails) -> str:
        return str(self._macros.discover(entry, self.details(entry.badge, about)))

    def earned(self, entry: Earned, about: BadgeDetails | None) -> tuple[str, str]:
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
        return short, f"{start}{self.details(entry.badge, about)}{end}" if about else short

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
