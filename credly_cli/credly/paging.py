"""Reading a list of several pages, and knowing whether it was read completely (R10)."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from math import ceil
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import urljoin

from credly_cli.credly.records import UnreadableRecordError
from credly_cli.errors import Exit, Failure
from credly_cli.http.response import HttpFailure, Reply
from credly_cli.http.session import Parameters, Session
from credly_cli.progress import Progress
from credly_cli.text import storable


class Identified(Protocol):
    """A record with an id."""

    @property
    def id(self) -> str:
        """What tells it from others."""
        ...


T = TypeVar("T")
Row = TypeVar("Row", bound=Identified)
_MOST_PAGES = 100_000
_LONGEST_NAME = 80
_ENOUGH_FAULTS = 3  # pages that failed for good, after which no more are asked for


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row of a list that is set aside: its id and name, where they can be read, and why the row cannot."""

    id: str | None
    name: str | None
    reason: str

    def __str__(self) -> str:
        name = " ".join(filter(None, (self.name, self.id))) or "without an id"
        return f"{name} ({self.reason})"


@dataclass(slots=True)
class Listing(Generic[T]):
    """What a list said: its readable rows by id, and what kept it from being read to its end (``problem``)."""

    rows: dict[str, T] = field(default_factory=dict)
    known_ids: set[str] = field(default_factory=set)
    unreadable: list[Unreadable] = field(default_factory=list)  # rows that are set aside
    grew: bool = False  # it had more rows at its end than when it was begun
    problem: Failure | None = None
    server_date: str | None = None  # Credly's clock when the first page was answered

    @property
    def complete(self) -> bool:
        """Whether what is not in it is not on Credly: its count stood still, and it was read to its end (R10)."""
        return self.problem is None and not self.grew

    @property
    def unread_ids(self) -> set[str]:
        """The ids of the rows that are set aside."""
        return {str(row.id) for row in self.unreadable}


@dataclass(frozen=True, slots=True)
class _Page:
    rows: list[Any]
    total: int | None
    pages: int
    problem: Failure | None
    date: str | None
    is_list: bool = True


def read_listing(
    http: Session,
    path: str,
    parameters: Mapping[str, str],
    read: Callable[[object], T],
    *,
    keep: Callable[[T], bool] = lambda _: True,
    take: Callable[[list[T]], None] | None = None,
    parallel: int = 4,
    progress: Progress,
    first: Reply | None = None,
) -> Listing[T]:
    """Read all pages by number, several at a time; a fault after the first page makes the listing incomplete.

    With ``take`` its rows are handed over page by page instead of kept, so that memory grows by their ids only. Raises
    ``Failure`` when not even the first page can be read, or the token is refused.
    """
    source = _Source(http, path, parameters, parallel)
    listing: Listing[T] = Listing()

    def taken(page: _Page) -> int:
        return _take(listing, page, read, keep, take)

    first_page = source.page(1) if first is None else source.page_of(first)
    listing.server_date = first_page.date
    raw_rows, totals = taken(first_page), [first_page.total]
    for page in source.further_pages(first_page):
        progress.at(raw_rows, first_page.total)
        if isinstance(page, Failure):
            listing.problem = listing.problem or page
            continue
        raw_rows += taken(page)
        totals.append(page.total)
    if listing.problem is None and first_page.total is not None and _only_grew(totals):
        listing.grew = True
        listing.problem = _read_what_was_added(source, first_page, listing.known_ids, taken)
    listing.problem = listing.problem or _disagreement(listing, raw_rows, totals)
    return listing


def _only_grew(totals: list[int | None]) -> bool:
    numbers = [total for total in totals if total is not None]
    return len(numbers) == len(totals) and min(numbers) == numbers[0] < max(numbers)


def _read_what_was_added(
    source: "_Source", first: _Page, known_ids: set[str], taken: Callable[[_Page], int]
) -> Failure | None:
    """Read on from what was the last page, until a page's count is known; returns what kept that from being done."""
    size = len(first.rows)
    for number in range(max(1, ceil((first.total or 0) / size)), _MOST_PAGES):
        try:
            page = source.page(number)
        except HttpFailure as failure:
            if failure.exit_code in (Exit.NOT_CONNECTED, Exit.CONFIG):
                raise
            return failure
        taken(replace(page, rows=[row for row in page.rows if _id_of(row) not in known_ids]))
        if page.problem is not None or page.total is None:
            return page.problem
        if page.total == len(known_ids) or page.total <= number * size:
            break
    return None


def _disagreement(listing: Listing[T], raw_rows: int, totals: list[int | None]) -> Failure | None:
    """Say why the rows that were read are not all that there are; ``None`` where they are."""
    known, total = len(listing.known_ids), totals[0]
    if listing.grew:
        return None if known >= (total or 0) else _incomplete("it changed while it was read")
    if any(other != total for other in totals):
        return _incomplete("it changed while it was read")
    if raw_rows == known == total:
        return None
    read = f"{raw_rows} were read, some of them twice" if known == total else f"{known} different ones were read"
    return _incomplete(f"it should have {total} rows, and {read}")


class NoSearchError(Exception):
    """The high-volume search is not offered to this organization or token, or not in a form that can be followed."""


def follow_links(
    http: Session, address: str, parameters: Parameters | None, read: Callable[[object], Row]
) -> Iterator[list[Row]]:
    """Read the pages of a search, each of which links to the next; raises ``Failure`` when that does not end well.

    Raises ``NoSearchError`` where the first page does not say what follows, a page leads to another host, or a row
    cannot be read: whoever asks about single learners is kept waiting by the rows of these alone.
    """
    found = set[str]()
    while True:
        answer = http.get(address, parameters).json
        rows, metadata = answer.get("data"), answer.get("metadata")
        if not isinstance(rows, list) or not isinstance(metadata, dict) or "next_page_url" not in metadata:
            if not found:
                raise NoSearchError
            raise _broken_off("a page does not say what follows")
        try:
            records = [read(row) for row in rows]
        except (UnreadableRecordError, RecursionError):
            raise NoSearchError from None
        yield records
        further, known = metadata["next_page_url"], len(found)
        if further is None:
            return
        if not isinstance(further, str) or not further or not http.same_origin(further):
            raise NoSearchError  # our token goes to no other host
        found |= {record.id for record in records}
        if len(found) == known:  # the same again, or nothing: such pages have no end
            raise _broken_off("a page brings nothing new, and yet says that more follows")
        address, parameters = urljoin(http.api_url, further), None


def _broken_off(reason: str) -> HttpFailure:
    return HttpFailure(
        "server-error",
        f"Credly's search of issued badges is incomplete: {reason}.",
        hint="Nothing old is issued without it. The next sync reads it again.",
    )


@dataclass(slots=True)
class _Source:
    """Where pages come from."""

    http: Session
    path: str
    parameters: Mapping[str, str]
    parallel: int
    _last: int = _MOST_PAGES  # no page after this one is wanted
    _failed: int = 0
    _ids: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def page(self, number: int) -> _Page:
        return self.page_of(self.http.get(self.path, {**self.parameters, "page": number}))

    def page_of(self, reply: Reply) -> _Page:
        rows, metadata = reply.json.get("data"), reply.json.get("metadata")
        if not isinstance(rows, list):
            return _Page([], None, 1, _incomplete("a page has no rows"), reply.date, is_list=False)
        metadata = metadata if isinstance(metadata, dict) else {}
        total, total_pages = metadata.get("total_count"), metadata.get("total_pages")
        if type(total) is not int:
            untold = _incomplete("a page does not say how many rows there are")
            return _Page(rows, None, _MOST_PAGES, untold, reply.date)
        pages = max(total_pages if type(total_pages) is int else 1, ceil(total / (len(rows) or 1)))
        return _Page(rows, total, min(pages, total + 1, _MOST_PAGES), None, reply.date)

    def further_pages(self, first: _Page) -> Iterator[_Page | Failure]:
        """Read the pages after the first, in order, several at a time.

        More threads than may ask at once: while an answer is taken apart the next request is on its way.
        """
        if first.pages <= 1 or not first.rows:
            return
        self._brings_news(first)
        if first.total is None:
            self.parallel = 1  # how far the list goes shows only at its end
        window = 2 * self.parallel if self.parallel > 1 else 1
        numbers, waiting = iter(range(2, first.pages + 1)), deque[Future[_Page | Failure | None]]()
        with ThreadPoolExecutor(window) as pool:
            try:
                while True:
                    for number in islice(numbers, window - len(waiting)):
                        if number <= self._last:
                            waiting.append(pool.submit(self._page_or_failure, number))
                    if not waiting:
                        return
                    page = waiting.popleft().result()
                    if page is not None:
                        yield page
            finally:
                self._stop_after(0)  # whoever ends here must not wait for pages that nobody wants

    def _page_or_failure(self, number: int) -> _Page | Failure | None:
        """Read a page; ``None`` when it is not wanted any more."""
        if number > self._last:
            return None
        try:
            page = self.page(number)
        except HttpFailure as failure:
            if failure.exit_code in (Exit.NOT_CONNECTED, Exit.CONFIG):  # the whole run has to stop
                raise
            with self._lock:
                self._failed += 1
            if self._failed >= _ENOUGH_FAULTS or failure.code == "rate-limited":
                self._stop_after(0)
            return failure
        else:
            if not self._brings_news(page):
                self._stop_after(number)  # what only repeats itself has no end; pages before it may bring more
            return page

    def _brings_news(self, page: _Page) -> bool:
        ids = {str(row.get("id")) if isinstance(row, dict) else "" for row in page.rows}
        with self._lock:
            before = len(self._ids)
            self._ids |= ids
            return len(self._ids) > before or not page.is_list

    def _stop_after(self, number: int) -> None:
        """Ask for no page after this one; those under way are still taken."""
        with self._lock:
            self._last = min(self._last, number)


def _take(
    listing: Listing[T],
    page: _Page,
    read: Callable[[object], T],
    keep: Callable[[T], bool],
    take: Callable[[list[T]], None] | None,
) -> int:
    """Add a page's rows; returns how many it had, readable or not."""
    listing.problem = listing.problem or page.problem
    rows: dict[str, T] = {}
    for raw in page.rows:
        identity = _id_of(raw)
        if identity is not None:
            listing.known_ids.add(identity)
        try:
            row = read(raw)
        except (UnreadableRecordError, RecursionError) as error:
            listing.unreadable.append(_unreadable(raw, error))
            continue
        if keep(row):
            rows[str(identity)] = row
    if take is None:
        listing.rows |= rows
    else:
        take(list(rows.values()))
    return len(page.rows)


def _id_of(raw: object) -> str | None:
    identity = raw.get("id") if isinstance(raw, dict) else None
    return storable(identity) if isinstance(identity, str) else None


def _unreadable(raw: object, error: Exception) -> Unreadable:
    row = raw if isinstance(raw, dict) else {}
    identity, name = (value if isinstance(value, str) else None for value in (row.get("id"), row.get("name")))
    reason = str(error) if isinstance(error, UnreadableRecordError) else "it is nested too deeply"
    return Unreadable(
        storable(identity) if identity else None, storable(name)[:_LONGEST_NAME] if name else None, reason
    )


def _incomplete(reason: str) -> HttpFailure:
    return HttpFailure(
        "server-error",
        f"Credly's list is incomplete: {reason}.",
        hint="Nothing was removed. The next sync reads it again.",
    )
