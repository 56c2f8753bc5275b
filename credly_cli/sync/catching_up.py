"""Reading a long list of issued badges from its newest end: what is new, and whose state has changed, since a moment.

A short list is read whole each time. Of a long one that would be thousands of requests, nearly all for what is known.
What cannot be seen from the newest end (a badge that is gone) shows in the count.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from credly_cli.credly.client import Client
from credly_cli.credly.records import IssuedBadge, UnreadableRecordError, issued_badge_from
from credly_cli.http.response import Reply

_MOST_PAGES = 100  # more is no news any more: then the whole list tells as well
_CREATED = {"sort": "-created_at"}
_MOVED = {"sort": "-state_updated_at", "filter": "state::accepted,rejected,revoked"}  # pending never moved


@dataclass(frozen=True, slots=True)
class News:
    """The badges that are new or have moved, how many there are in all, and Credly's clock when it was asked."""

    badges: Mapping[str, IssuedBadge]
    total: int
    server_date: str | None


class _NoOrderError(Exception):
    """The list is not in the order that was asked for, or cannot be read: it does not tell what is new."""


def read_news(client: Client, since: str) -> News | None:
    """Return what is new since a moment of Credly's clock; ``None`` where only the whole list can tell that.

    Raises ``Failure`` when Credly does not answer.
    """
    first = client.page_of_issued_badges(_CREATED, 1)
    metadata = first.json.get("metadata")
    total = metadata.get("total_count") if isinstance(metadata, dict) else None
    if type(total) is not int:
        return None
    try:
        created = _since(_badges(client, _CREATED, first), since, lambda badge: badge.created_at)
        moved = _since(_badges(client, _MOVED), since, lambda badge: badge.state_updated_at)
        return News({badge.id: badge for badge in (*created, *moved)}, total, first.date)
    except _NoOrderError:
        return None


def _since(badges: Iterator[IssuedBadge], since: str, moment: Callable[[IssuedBadge], str | None]) -> list[IssuedBadge]:
    found: list[IssuedBadge] = []
    latest = "9"
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
