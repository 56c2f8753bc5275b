"""One walk through the statements of a record store, page by page, and what it tells of the store.

After each page it is noted how far the walk is, together with what the page brought, so that a run that ends anywhere
is gone on with. Times here are UTC text to the microsecond.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from credly_cli.http.response import HttpFailure
from credly_cli.lms.xapi.client import Client, Page, is_gone, unreadable
from credly_cli.lms.xapi.statements import moved
from credly_cli.text import JsonObject

_MOST_REPEATED = 3
_LEAST_TAIL = 10
_MOST_TAIL = 5000
Tail = list[tuple[str, str]]  # time of storing and id of the newest statements, the oldest first


def stored_at(statement: JsonObject) -> str | None:
    """Return when a statement of a page was stored."""
    at: str | None = statement["stored"]
    return at


def identity_of(statement: JsonObject) -> str:
    """Return the id of a statement."""
    return str(statement.get("id") or "").lower()


def verb_id(statement: JsonObject) -> str:
    """Return the address of a statement's verb."""
    verb = statement.get("verb")
    return str(verb.get("id")) if isinstance(verb, dict) else ""


def direction(times: list[str]) -> int:
    """Tell the order of times: above 0 where they rise, below where they fall."""
    return sum((after > before) - (after < before) for before, after in pairwise(times))


@dataclass(slots=True)
class Walk:
    """How far a walk is: of one verb, or of all (""), of what was stored after ``since``."""

    verb: str
    since: str | None
    next: str | None = None  # where to go on
    last: str | None = None  # what led to the page before that
    newest: str | None = None  # up to which time of storing it is complete
    lowest: str | None = None
    order: int = 0  # of the pages so far: above 0 where they rise
    until: str | None = None  # where a walk that fell was begun again

    @classmethod
    def read_from(cls, text: str) -> "Walk":
        """Read a walk that is under way."""
        return cls(**json.loads(text))

    def text(self) -> str:
        """Return what is to be kept."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__})


@dataclass(slots=True)
class Steps:
    """Yields the statements of a walk, page by page, each time with the walk as it then is and whether it is over."""

    client: Client
    walk: Walk
    is_first_ever: bool = False  # nothing of the store is known
    tail: Tail = field(default_factory=list)
    through: str | None = None
    _followed: set[str] = field(default_factory=set)
    _pages: dict[int, int] = field(default_factory=dict)
    _began_again: str | None = None  # at which time the walk was when its place was refused

    def pages(self) -> Iterator[tuple[list[JsonObject], bool]]:
        """Walk; raises ``HttpFailure``."""
        walk = self.walk
        while True:
            page = self._page()
            times = [at for at in map(stored_at, page.statements) if at]
            self._note(page, times)
            new = self._new_ones(page)
            walk.last, walk.next = walk.next, page.more
            is_lost = page.more is not None and self.client.leads_elsewhere(page.more)
            if is_lost:
                self._begin_again()
            is_below = walk.since is not None and bool(times) and max(times) <= walk.since
            is_over = page.more is None or (is_below and walk.order < 0)
            yield new, is_over
            if is_over:
                return
            if is_lost:
                raise unreadable("leads to another host for more, which is not followed")
            self._expect_news(page)

    def _new_ones(self, page: Page) -> list[JsonObject]:
        """Return what was stored after the start, also where the store does not look at that."""
        since = self.walk.since
        if since is None:
            return page.statements
        return [each for each in page.statements if (stored_at(each) or "~") > since]

    def _page(self) -> Page:
        walk = self.walk
        if walk.next is None:
            return self.first()
        try:
            return self.client.page(walk.next)
        except HttpFailure as failure:
            if not is_gone(failure) or self._began_again == (walk.newest or ""):
                raise
            self._began_again = walk.newest or ""
            self._begin_again()
            return self.first()

    def _begin_again(self) -> None:
        """Leave a place that the store does not know any more for one that a time names."""
        walk, dialect = self.walk, self.client.dialect
        walk.next = walk.last = None
        if dialect.since and walk.order > 0 and walk.newest:
            walk.since = max(walk.since or "", moved(walk.newest, seconds=-1))
        elif dialect.since and walk.order < 0:
            walk.until = walk.lowest

    def first(self) -> Page:
        """Ask for the first page, and learn how the store answers."""
        page = self._first_page()
        dialect = self.client.dialect
        times = [at for at in map(stored_at, page.statements) if at]
        is_nothing = self.is_first_ever and not page.statements
        if dialect.ascending and (direction(times) < 0 or is_nothing):
            dialect.ascending = False
            page = self._first_page()
            dialect.ascending = is_nothing and not page.statements
        if self._was_asked_since() and times and min(times) <= moved(str(self.walk.since), seconds=-1):
            dialect.since = False
        return page

    def _was_asked_since(self) -> bool:
        return self.walk.since is not None and self.client.dialect.since

    def _first_page(self) -> Page:
        walk, dialect = self.walk, self.client.dialect
        asked = {"verb": walk.verb} if walk.verb else {}
        if walk.since and dialect.since:
            asked["since"] = f"{walk.since[:23]}Z"  # to the millisecond, as the standard has it
        if walk.until and dialect.since:
            asked["until"] = walk.until
        if dialect.ascending:
            asked["ascending"] = "true"
        return self.client.first_page(**asked)

    def _note(self, page: Page, times: list[str]) -> None:
        """Note up to when all is known, and the order of its statements."""
        walk = self.walk
        if page.through:
            self.through = page.through
        if not times:
            return
        before = walk.newest
        bounds = [page.through] if page.through else []
        bounds += [moved(page.date, seconds=1)] if page.date else []
        complete_to = min([max(times), *bounds])
        walk.order += direction(times) or (0 if before is None else (complete_to > before) - (complete_to < before))
        walk.newest = max(complete_to, before or "")
        walk.lowest = min([min(times), *([walk.lowest] if walk.lowest else [])])
        most = max(len(page.statements) // 2, _LEAST_TAIL)
        stored_ids = [(at, identity_of(each)) for each in page.statements if (at := stored_at(each))]
        newest = sorted({*self.tail, *stored_ids})
        complete = [at for at, _ in newest if at <= walk.newest][-most:]
        least = complete[0] if complete else ""
        self.tail = [each for each in newest if each[0] >= least][-_MOST_TAIL:]  # with all of one time, and all later

    def _expect_news(self, page: Page) -> None:
        """Raise ``HttpFailure`` for a walk that does not get on."""
        mark = hash(tuple(map(identity_of, page.statements)))
        self._pages[mark] = self._pages.get(mark, 0) + 1
        if str(page.more) in self._followed or self._pages[mark] >= _MOST_REPEATED:
            raise unreadable("gives the same page again and again")
        self._followed.add(str(page.more))
