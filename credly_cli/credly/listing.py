"""Reading a list of several pages, and knowing whether it was read completely (R10; reliability, 3.7)."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Generic, TypeVar

from credly_cli.credly.http import Http
from credly_cli.credly.records import UnreadableRecordError
from credly_cli.credly.replies import CredlyFailure
from credly_cli.errors import Exit, Failure

T = TypeVar("T")
_MOST_PAGES = 100_000
_ENOUGH_FAULTS = 3  # pages that failed for good, after which no more are asked for


@dataclass(slots=True)
class Listing(Generic[T]):
    """What a list said: its readable rows by id, and what kept it from being complete (``None`` when it is)."""

    rows: dict[str, T] = field(default_factory=dict)
    known_ids: set[str] = field(default_factory=set)
    set_aside: int = 0  # rows that cannot be read ...
    unread_ids: set[str] = field(default_factory=set)  # ... and their ids
    problem: Failure | None = None
    server_date: str | None = None  # Credly's clock when the first page was answered

    @property
    def complete(self) -> bool:
        """Whether what is not in it is not on Credly."""
        return self.problem is None


@dataclass(frozen=True, slots=True)
class _Page:
    rows: list[Any]
    total: int | None
    pages: int
    problem: Failure | None
    date: str | None


def read_listing(
    http: Http,
    path: str,
    parameters: Mapping[str, str],
    read: Callable[[object], T],
    *,
    keep: Callable[[T], bool] = lambda _: True,
    parallel: int = 4,
) -> Listing[T]:
    """Read all pages by number, several at a time; a fault after the first page makes the listing incomplete.

    Raises ``Failure`` when not even the first page can be read, or the token is refused.
    """
    source = _Source(http, path, parameters)
    listing: Listing[T] = Listing()
    first = source.page(1)
    listing.server_date = first.date
    raw_rows = _take(listing, first, read, keep)
    failed = 0
    for page in source.further_pages(first, parallel):
        if isinstance(page, Failure):
            listing.problem = listing.problem or page
            failed += 1
            source.exhausted |= failed >= _ENOUGH_FAULTS or page.code == "rate-limited"
            continue
        known = len(listing.known_ids)
        raw_rows += _take(listing, page, read, keep)
        source.exhausted |= len(listing.known_ids) == known  # what only repeats itself has no end
        if page.total != first.total:
            listing.problem = listing.problem or _incomplete("it changed while it was read")
    if listing.problem is None and not raw_rows == len(listing.known_ids) == first.total:
        found = len(listing.known_ids)
        listing.problem = _incomplete(f"it should have {first.total} rows, and {found} different ones were read")
    return listing


@dataclass(slots=True)
class _Source:
    """Where pages come from."""

    http: Http
    path: str
    parameters: Mapping[str, str]
    exhausted: bool = False  # no further page is asked for; those under way are still taken

    def page(self, number: int) -> _Page:
        reply = self.http.get(self.path, {**self.parameters, "page": number})
        rows, metadata = reply.json.get("data"), reply.json.get("metadata")
        if not isinstance(rows, list):
            return _Page([], None, 1, _incomplete("a page has no rows"), reply.date)
        metadata = metadata if isinstance(metadata, dict) else {}
        total, told, further = (metadata.get(key) for key in ("total_count", "total_pages", "next_page_url"))
        if type(total) is not int:
            untold = _incomplete("a page does not say how many rows there are")
            return _Page(rows, None, _MOST_PAGES, untold, reply.date)
        if further is not None and not self.http.same_origin(further):
            return _Page(rows, total, 1, _incomplete("a page leads to another host"), reply.date)
        pages = max(told if type(told) is int else 1, ceil(total / (len(rows) or 1)))
        return _Page(rows, total, min(pages, total + 1, _MOST_PAGES), None, reply.date)

    def further_pages(self, first: _Page, parallel: int) -> Iterator[_Page | Failure]:
        """Read the pages after the first, in order, with so many under way at once."""
        if first.pages <= 1 or not first.rows:
            return
        if first.total is None:
            parallel = 1  # how far the list goes shows only at its end
        numbers, under_way = iter(range(2, first.pages + 1)), deque[Future[_Page | Failure]]()
        with ThreadPoolExecutor(parallel) as pool:
            while True:
                while not self.exhausted and len(under_way) < self.http.in_flight(parallel):
                    number = next(numbers, None)
                    if number is None:
                        break
                    under_way.append(pool.submit(self._page_or_failure, number))
                if not under_way:
                    return
                yield under_way.popleft().result()

    def _page_or_failure(self, number: int) -> _Page | Failure:
        try:
            return self.page(number)
        except CredlyFailure as failure:
            if failure.exit_code in (Exit.NOT_CONNECTED, Exit.CONFIG):  # the whole run has to stop
                raise
            return failure


def _take(listing: Listing[T], page: _Page, read: Callable[[object], T], keep: Callable[[T], bool]) -> int:
    """Add a page's rows; returns how many it had, readable or not."""
    listing.problem = listing.problem or page.problem
    for raw in page.rows:
        identity = raw.get("id") if isinstance(raw, dict) else None
        if isinstance(identity, str):
            listing.known_ids.add(identity)
        try:
            row = read(raw)
        except (UnreadableRecordError, RecursionError):
            listing.set_aside += 1
            listing.unread_ids.add(str(identity))
            continue
        if keep(row):
            listing.rows[str(identity)] = row
    return len(page.rows)


def _incomplete(reason: str) -> CredlyFailure:
    return CredlyFailure(
        "server-error",
        f"Credly's list is incomplete: {reason}.",
        None,
        "Nothing was removed. The next sync reads it again.",
    )
