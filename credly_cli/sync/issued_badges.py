"""The third step of a run: the issued badges, which a short list brings whole and a long one from its newest end (R23).

Read whole, a long list would be thousands of requests, nearly all for what is known. Between two whole readings it is
read from its newest end: what is new, and whose state has changed, since a moment. What cannot be seen from there (a
badge that is gone) shows in the count.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from credly_cli.credly.client import REFUSES_SORTING, Client
from credly_cli.credly.records import IssuedBadge, UnreadableRecordError, issued_badge_from
from credly_cli.errors import Problem
from credly_cli.http.response import HttpFailure, Reply, read_date
from credly_cli.store import grants, issued_badges, runs
from credly_cli.store.database import Counts, Store
from credly_cli.store.runs import Listed
from credly_cli.sync.badges import ListCounts, unreadable
from credly_cli.times import from_utc_text, utc_text

_SHORT = 1000  # so many issued badges are read whole each time: twenty requests
_WHOLE_EVERY = timedelta(hours=24)
_OVERLAP = timedelta(hours=1)  # for what Credly lists late
_MOST_PAGES = 100  # of the newest end; where more is new, the whole list tells as well
_UNREAD = "issued-badges-unread"  # how many of the list are not in the store, as they cannot be read
_CREATED = {"sort": "-created_at"}
_MOVED = {"sort": "-state_updated_at", "filter": "state::accepted,rejected,revoked"}  # pending never moved


@dataclass(slots=True)
class IssuedBadgesSynced:
    """What the list of issued badges changed; ``listed`` where the store knows them by now.

    Then it knows all that can be read: those that cannot are named in ``unreadable``.
    """

    counts: ListCounts = field(default_factory=ListCounts)
    listed: Listed | None = None
    unreadable: str | None = None
    problems: list[Problem] = field(default_factory=list)


def sync_issued_badges(
    store: Store, client: Client, now: datetime, settle_seconds: int, *, full: bool
) -> IssuedBadgesSynced:
    """Bring the issued badges up to date; raises ``Failure`` when none can be read.

    A list that is long is read whole once a day, and in between from its newest end, where Credly's count agrees with
    what is known then. ``full`` reads it whole.
    """
    caught_up = None if full else _catch_up(store, client, now)
    synced = caught_up or _read_all(store, client, now, settle_seconds)
    with store.transaction():
        grants.follow_replacements(store)
    return synced


def _read_all(store: Store, client: Client, now: datetime, settle_seconds: int) -> IssuedBadgesSynced:
    outcome, saved = IssuedBadgesSynced(), Counts()

    def take(page: list[IssuedBadge]) -> None:
        nonlocal saved
        with store.transaction():
            saved += issued_badges.save(store, page, utc_text(now))

    listing = client.issued_badges(take=take)
    outcome.counts = ListCounts(saved.added, saved.changed, saved.unchanged)
    if listing.problem is not None:
        outcome.problems.append(Problem.of(listing.problem))
        return outcome
    outcome.listed = Listed(_server_time(listing.server_date), whole=True)
    if listing.unreadable:
        message = unreadable(listing, "issued badge")
        outcome.unreadable = f"Credly's list has {message}; what was known of it stays, and whom it may concern waits."
    with store.transaction():
        unknown = listing.unread_ids - issued_badges.known_among(store, listing.unread_ids)
        runs.set_bookmark(store, _UNREAD, str(len(unknown)))
        gone = issued_badges.compare_with_listing(
            store, listing.known_ids, now, settle_seconds, complete=listing.complete
        )
    outcome.counts.removed = gone
    return outcome


def _server_time(date: str | None) -> str | None:
    moment = read_date(date)
    return utc_text(moment) if moment else None


class _OtherCountError(Exception):
    """Credly has more or fewer badges than would be known."""


class _NoOrderError(Exception):
    """The list is not in the order that was asked for, or cannot be read: it does not tell what is new."""


@dataclass(frozen=True, slots=True)
class _News:
    """The badges that are new or have moved, how many there are in all, and Credly's clock when it was asked."""

    badges: Mapping[str, IssuedBadge]
    total: int
    server_date: str | None


def _catch_up(store: Store, client: Client, now: datetime) -> IssuedBadgesSynced | None:
    """Read a long list from its newest end; ``None`` where only the whole list can tell what is new."""
    known = issued_badges.count(store)
    until, whole_at = runs.last_listed(store)
    if known <= _SHORT or until is None or whole_at is None or now - from_utc_text(whole_at) > _WHOLE_EVERY:
        return None
    try:
        news = _read_news(client, utc_text(from_utc_text(until) - _OVERLAP))
    except HttpFailure as failure:
        if failure.status not in REFUSES_SORTING:
            raise
        return None
    if news is None:
        return None
    try:
        saved = _save_news(store, news, now)
    except _OtherCountError:
        return None
    counts = ListCounts(saved.added, saved.changed, known - saved.changed)
    return IssuedBadgesSynced(counts, Listed(_server_time(news.server_date), whole=False))


def _save_news(store: Store, news: _News, now: datetime) -> Counts:
    """Save what is new, or nothing of it where another count shows that there is more to know."""
    with store.transaction():
        saved = issued_badges.save(store, news.badges.values(), utc_text(now))
        total = news.total - int(runs.bookmark(store, _UNREAD) or 0)
        if not issued_badges.agrees_with_count(store, total, news.badges.keys()):
            raise _OtherCountError
    return saved


def _read_news(client: Client, since: str) -> _News | None:
    """Return what is new since a moment of Credly's clock; raises ``Failure`` when Credly does not answer."""
    first = client.page_of_issued_badges(_CREATED, 1)
    metadata = first.json.get("metadata")
    total = metadata.get("total_count") if isinstance(metadata, dict) else None
    if type(total) is not int:
        return None
    try:
        created = _since(_badges(client, _CREATED, first), since, lambda badge: badge.created_at)
        moved = _since(_badges(client, _MOVED), since, lambda badge: badge.state_updated_at)
    except _NoOrderError:
        return None
    return _News({badge.id: badge for badge in (*created, *moved)}, total, first.date)


def _since(badges: Iterator[IssuedBadge], since: str, moment: Callable[[IssuedBadge], str | None]) -> list[IssuedBadge]:
    found: list[IssuedBadge] = []
    latest = "9"  # above each year
    for badge in badges:
        at = moment(badge)
        if at is None or at > latest:
            raise _NoOrderError
        if at < since:
            break
        latest = at
        found.append(badge)
    return found


def _badges(client: Client, parameters: Mapping[str, str], first: Reply | None = None) -> Iterator[IssuedBadge]:
    for number in count(1):
        page = first if first is not None and number == 1 else client.page_of_issued_badges(parameters, number)
        rows: Any = page.json.get("data")
        if not isinstance(rows, list) or number > _MOST_PAGES:
            raise _NoOrderError
        if not rows:
            return
        try:
            yield from map(issued_badge_from, rows)
        except UnreadableRecordError:
            raise _NoOrderError from None
