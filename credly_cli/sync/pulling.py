"""Bringing the store up to date with Credly's lists; what is not in an incomplete one is not removed (R7-R10, R23)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from credly_cli.credly.client import Client
from credly_cli.credly.paging import Listing
from credly_cli.credly.records import Badge, IssuedBadge
from credly_cli.errors import Problem
from credly_cli.http.response import read_date
from credly_cli.store import badges, duplicates, issued_badges, links, runs
from credly_cli.store.counts import Counts
from credly_cli.store.database import Store
from credly_cli.store.runs import Listed
from credly_cli.sync.catching_up import News, read_news
from credly_cli.text import Command, Hint, counted
from credly_cli.times import from_utc_text, utc_text

_FEW = 5  # so many badges may go at once without anybody being asked
_SHORT = 1000  # so many issued badges are read whole each time: twenty requests
_DAY = timedelta(hours=24)
_OVERLAP = timedelta(hours=1)  # for what Credly lists late


class _OtherCountError(Exception):
    """Credly has more or fewer badges than would be known."""


@dataclass(slots=True)
class Pulled:
    """What a list brought about."""

    counts: Counts = field(default_factory=Counts)
    removed: int = 0
    unlinked: list[dict[str, Any]] = field(default_factory=list)
    cancelled: int = 0
    listed: Listed | None = None  # ... completely, of issued badges
    problems: list[Problem] = field(default_factory=list)

    def json(self) -> dict[str, int]:
        """Return the counts as scripts read them."""
        counts = {key: getattr(self.counts, key) for key in ("added", "changed", "unchanged")}
        return {**counts, "removed": self.removed}


def pull_badges(store: Store, client: Client, now: datetime, *, allow_shrink: bool) -> Pulled:
    """Read the active badges and bring the list up to date with them; raises ``Failure`` when none can be read."""
    listing = client.badges()
    outcome = Pulled()
    with store.transaction():
        before = badges.fingerprints(store)
        gone = [badge_id for badge_id in before if badge_id not in listing.rows]
        _save(store, listing, before, outcome)
        if listing.problem is not None:
            outcome.problems.append(Problem.of(listing.problem))
        elif listing.set_aside:
            gone = [badge_id for badge_id in gone if badge_id not in listing.unread_ids]
        if gone and listing.complete:
            suspicious = not listing.rows or (len(gone) > _FEW and len(gone) * 2 > len(before))
            if suspicious and not allow_shrink:
                outcome.problems.append(_shrunk(len(gone), len(before)))
            else:
                _remove(store, gone, utc_text(now), outcome)
    return outcome


def _shrunk(gone: int, before: int) -> Problem:
    told = f"Credly's list has lost {gone} of {before} badges; without --allow-shrink nothing is removed."
    return Problem("shrink-refused", told, hint=Hint("If that is right:", Command("sync", "--allow-shrink")))


def _save(store: Store, listing: Listing[Badge], known: dict[str, str], outcome: Pulled) -> None:
    told = list(listing.rows.values())
    news = [badge for badge in told if known.get(badge.id) != badge.fingerprint]
    badges.save(store, news)
    for badge in told:
        outcome.counts.count(added=badge.id not in known, changed=known.get(badge.id) != badge.fingerprint)
    if listing.set_aside:
        told_aside = (
            f"Credly's list has {counted(listing.set_aside, 'badge')} that cannot be read; what was known stays."
        )
        outcome.problems.append(Problem("server-error", told_aside))


def _remove(store: Store, gone: list[str], now: str, outcome: Pulled) -> None:
    """Take badges off the list and off their content (R9)."""
    for badge_id in gone:
        link = links.of_badge(store, badge_id)
        if link is None:
            continue
        outcome.unlinked.append(_unlinked(store, badge_id))
        links.end(store, link, now, "badge-not-active")
    badges.remove(store, gone, now)
    outcome.cancelled = sum(duplicates.cancel_unsent(store, badge_id, now) for badge_id in gone)
    outcome.removed = len(gone)


def _unlinked(store: Store, badge_id: str) -> dict[str, Any]:
    badge = store.row("SELECT id, name, image_url FROM badges WHERE id = ?", (badge_id,))
    content = links.linked_content(store, badge_id)
    return {"badge": badge, "content": content, "reason": "The badge is not active on Credly any more."}


def pull_issued_badges(store: Store, client: Client, now: datetime, settle_seconds: int, *, full: bool) -> Pulled:
    """Bring the issued badges up to date; raises ``Failure`` when none can be read.

    A list that is long is read whole once a day, and in between from its newest end, where Credly's count agrees with
    what is known then (R23). ``full`` reads it whole.
    """
    caught_up = None if full else _catch_up(store, client, now)
    return caught_up or _read_all(store, client, now, settle_seconds)


def _catch_up(store: Store, client: Client, now: datetime) -> Pulled | None:
    known = issued_badges.count(store)
    until, whole_at = runs.last_listed(store)
    if known <= _SHORT or until is None or whole_at is None or now - from_utc_text(whole_at) > _DAY:
        return None
    news = read_news(client, utc_text(from_utc_text(until) - _OVERLAP))
    if news is None:
        return None
    try:
        counts = _take_news(store, news, now)
    except _OtherCountError:
        return None
    counts.unchanged = known - counts.changed
    return Pulled(counts, listed=Listed(_server_time(news.server_date), whole=False))


def _take_news(store: Store, news: News, now: datetime) -> Counts:
    """Take what is new, or nothing of it where another count shows that there is more to know."""
    with store.transaction():
        counts = issued_badges.save(store, news.badges.values(), utc_text(now))
        if not issued_badges.agrees_with_count(store, news.total, news.badges.keys()):
            raise _OtherCountError
    return counts


def _read_all(store: Store, client: Client, now: datetime, settle_seconds: int) -> Pulled:
    outcome = Pulled()

    def take(page: list[IssuedBadge]) -> None:
        with store.transaction():
            outcome.counts += issued_badges.save(store, page, utc_text(now))

    listing = client.issued_badges(take=take)
    if listing.problem is not None:
        outcome.problems.append(Problem.of(listing.problem))
    else:
        outcome.listed = Listed(_server_time(listing.server_date), whole=True)
        with store.transaction():
            outcome.removed = issued_badges.compare_with_listing(store, listing.known_ids, now, settle_seconds)
    return outcome


def _server_time(date: str | None) -> str | None:
    moment = read_date(date)
    return utc_text(moment) if moment else None
