"""Reading a list of several pages, and knowing whether it was read completely (R10; reliability, 3.7)."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Generic, TypeVar

from credly_cli.credly.http import CredlyFailure, Http
from credly_cli.credly.records import UnreadableRecordError
from credly_cli.errors import Failure

T = TypeVar("T")
_MOST_PAGES = 100_000


@dataclass(slots=True)
class Listing(Generic[T]):
    """What a list said: its readable rows by id, and what kept it from being complete (``None`` when it is)."""

    rows: dict[str, T] = field(default_factory=dict)
    known_ids: set[str] = field(default_factory=set)
    set_aside: int = 0
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
    listing: Listing[T] = Listing()
    first = _read_page(http, path, parameters, 1)
    listing.server_date = first.date
    raw_rows = _take(listing, first, read, keep)
    for page in _further_pages(http, path, parameters, first, parallel):
        if isinstance(page, Failure):
            listing.problem = listing.problem or page
            continue
        raw_rows += _take(listing, page, read, keep)
        if page.total != first.total:
            listing.problem = listing.problem or _incomplete("it changed while it was read")
    if listing.problem is None and not raw_rows == len(listing.known_ids) == first.total:
        found = len(listing.known_ids)
        listing.problem = _incomplete(f"it should have {first.total} rows, and {found} different ones were read")
    return listing


def _further_pages(
    http: Http, path: str, parameters: Mapping[str, str], first: _Page, parallel: int
) -> Iterator[_Page | Failure]:
    if first.pages <= 1:
        return
    with ThreadPoolExecutor(parallel) as pool:
        numbers = range(2, first.pages + 1)
        yield from pool.map(lambda number: _read_or_fail(http, path, parameters, number), numbers)


def _read_or_fail(http: Http, path: str, parameters: Mapping[str, str], number: int) -> _Page | Failure:
    try:
        return _read_page(http, path, parameters, number)
    except CredlyFailure as failure:
        if failure.code in ("token-refused", "token-forbidden"):
            raise
        return failure


def _read_page(http: Http, path: str, parameters: Mapping[str, str], number: int) -> _Page:
    reply = http.get(path, {**parameters, "page": number})
    rows, metadata = reply.json.get("data"), reply.json.get("metadata")
    if not isinstance(rows, list):
        return _Page([], None, 1, _incomplete("a page has no rows"), reply.date)
    metadata = metadata if isinstance(metadata, dict) else {}
    total, told, further = (metadata.get(key) for key in ("total_count", "total_pages", "next_page_url"))
    if type(total) is not int:
        return _Page(rows, None, 1, _incomplete("a page does not say how many rows there are"), reply.date)
    if further is not None and not http.same_origin(further):
        return _Page(rows, total, 1, _incomplete("a page leads to another host"), reply.date)
    pages = max(told if type(told) is int else 1, ceil(total / (len(rows) or 1)))
    return _Page(rows, total, min(pages, total + 1, _MOST_PAGES), None, reply.date)


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
