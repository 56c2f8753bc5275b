"""One walk through a stream of events, from the newest back to where it is known, page by page.

After each page it is noted how far the walk is, together with what the page brought, so that a run that ends anywhere
is gone on with. A cursor that is a time is asked for inclusively, since many events may share a millisecond.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from credly_cli.errors import Failure
from credly_cli.http.response import HttpFailure
from credly_cli.lms.thought_industries.client import Client, Progress, is_not_there
from credly_cli.lms.thought_industries.paging import (
    Page,
    Place,
    Row,
    cursor_at,
    happened_at,
    milliseconds_of,
    time_of_cursor,
    unreadable,
)
from credly_cli.times import from_utc_text

_NEVER_PASSES = (401, 429, None)  # a place is not refused by who refuses the key, asks to wait or does not answer
_MANY = 1000  # rows of a page, where more events share a time than a page has by itself
_MOST_PAGES = 50  # ... and pages


class Places:
    """Goes through a list from where the last run stopped; a place that is refused is begun again for once."""

    def __init__(self, client: Client, path: str, parameters: Place, following: Place, read: int) -> None:
        self._client = client
        self._path = path
        self._parameters = parameters
        self._is_old = bool(following)
        self._began_again = False
        self._progress = Progress()
        self.following = following
        self.read = read

    def page(self) -> Page:
        """Read the page at the place; raises ``HttpFailure``."""
        try:
            page = self._client.page(self._path, {**self._parameters, **self.following}, read_before=self.read)
        except HttpFailure as failure:
            if not self.following or not self._is_refusal(failure):
                raise
            if self._began_again:
                raise unreadable(f"refuses the place that it named itself: {failure.message.rstrip('.')}") from None
            self._began_again = True
            self.following, self.read = {}, 0
            page = self._client.page(self._path, self._parameters, read_before=0)
        self._is_old = False
        return page

    def expect_news(self, page: Page) -> None:
        """Raise ``HttpFailure`` for a walk that does not get on."""
        if not self._progress.brings_news(page.rows):
            raise unreadable("gives the same page again and again")

    def _is_refusal(self, failure: HttpFailure) -> bool:
        return is_not_there(failure) or (self._is_old and failure.status not in _NEVER_PASSES)


@dataclass(slots=True)
class Walk:
    """How far a walk is; times are UTC text, ``start`` is where it ends (``None``: at the very beginning)."""

    stream: str
    began_at: str
    start: str | None
    newest: str | None = None
    next: Place = field(default_factory=dict)
    read: int = 0
    kind: str = "new"  # late: some days further back; far: weeks
    again: list[str] = field(default_factory=list)  # words and content for which events are read again

    @classmethod
    def read_from(cls, stream: str, text: str, now: str, start: str | None) -> "Walk":
        """Read a walk that is under way; ``now`` and ``start`` are for one that an older program began."""
        state = {"began_at": now, "start": start, **json.loads(text)}
        names = ("newest", "read", "kind", "again")
        known = {name: state[name] for name in names if name in state}
        return cls(stream, state["began_at"], state["start"], next=state.get("next") or {}, **known)

    def text(self) -> str:
        """Return what is to be kept."""
        names = ("began_at", "start", "newest", "next", "read", "kind", "again")
        return json.dumps({name: getattr(self, name) for name in names})


class Steps:
    """Yields the events of a walk, page by page, each time with the walk as it then is and whether it is over."""

    def __init__(self, client: Client, walk: Walk) -> None:
        self._client = client
        self._walk = walk
        self._path = f"/events/{walk.stream}"
        start = walk.start
        self._parameters: Place = {"startDate": int(from_utc_text(start).timestamp()) * 1000} if start else {}
        self.problems: list[Failure] = []

    def pages(self) -> Iterator[tuple[list[Row], bool]]:
        """Walk; raises ``HttpFailure``."""
        walk = self._walk
        places = Places(self._client, self._path, self._parameters, walk.next, walk.read)
        tied: set[str] = set()  # the last events of the page before, which an inclusive place shows again
        while True:
            page = places.page()
            events = [event for event in page.rows if str(event.get("id")) not in tied]
            places.read += len(events)
            following = self._following(page, places, events)
            if isinstance(following, list):
                events, following = [*events, *following], self._below(page, places)
            tied = _last_ones(page.rows)
            is_over = following is None or self._is_below(page.rows)
            walk.next, walk.read = (following or {}), places.read
            times = [at for at in map(happened_at, events) if at]
            newest = [*(min(at, walk.began_at) for at in times), *([walk.newest] if walk.newest else [])]
            walk.newest = max(newest, default=None)
            yield events, is_over
            if is_over:
                return
            places.following = walk.next

    def _is_below(self, events: list[Row]) -> bool:
        """Tell whether a page is from before the start, which a site may not look at."""
        times = [at for at in map(happened_at, events) if at]
        return self._walk.start is not None and bool(times) and max(times) < self._walk.start

    def _following(self, page: Page, places: Places, events: list[Row]) -> Place | list[Row] | None:
        """Return the next place, or the events of one time that fill a page."""
        following = page.next
        if following is None:
            return None
        places.expect_news(page)
        time, last = time_of_cursor(following.get("cursor")), _last_time(page.rows)
        if time is None or last is None or abs(time - last) > 1:
            return following
        inclusive: Place = {"cursor": cursor_at(following["cursor"], time + 1)}
        return self._events_at(last, page) if inclusive == places.following and not events else inclusive

    def _events_at(self, time: int, page: Page) -> list[Row]:
        """Read all events of a millisecond that more than a page of events share."""
        asked: Place = {"startDate": time, "endDate": time}
        found = {_name(event): event for event in page.rows}
        is_whole = False
        for variant in ({}, {"perPage": _MANY}, *({"page": number} for number in range(2, _MOST_PAGES))):
            try:
                more = self._client.page(self._path, {**asked, **variant}, must_have_end=False)
            except HttpFailure as failure:
                if not is_not_there(failure):
                    raise
                break
            fresh = {_name(event): event for event in more.rows if milliseconds_of(event) == time}
            is_new = bool(fresh.keys() - found.keys())
            found |= fresh
            is_whole = more.next is None
            if is_whole or ("page" in variant and not is_new):
                break
        if not is_whole:
            moment = happened_at(page.rows[-1])
            self.problems.append(_too_many(self._walk.stream, str(moment), len(found)))
        return list(found.values())

    def _below(self, page: Page, places: Places) -> Place:
        """Return the place below a time that was read on its own."""
        time, last = time_of_cursor((page.next or {})["cursor"]), _last_time(page.rows)
        if time is None or last is None:  # both were looked at before
            raise unreadable("gives the same page again and again")
        for step in (last, last - 1):
            place: Place = {"cursor": cursor_at((page.next or {})["cursor"], step)}
            below = self._client.page(self._path, {**self._parameters, **place}, read_before=places.read)
            lowest = _last_time(below.rows)
            if lowest is None or lowest < last:
                return place
        raise unreadable("gives the same page again and again")


def _too_many(stream: str, moment: str, read: int) -> Failure:
    return Failure(
        "import-rejected",
        f"/events/{stream}: more events share the moment {moment} than Thought Industries shows; {read} were taken.",
        hint="Import that day from its nightly file, or from the Content Actions Log.",
    )


def _name(event: Row) -> str:
    return str(event.get("id") or json.dumps(event, sort_keys=True))


def _last_time(events: list[Row]) -> int | None:
    return min((at for at in map(milliseconds_of, events) if at is not None), default=None)


def _last_ones(events: list[Row]) -> set[str]:
    last = _last_time(events)
    return {str(event.get("id")) for event in events if event.get("id") and milliseconds_of(event) == last}
