"""The first step of a run: the list of active badges; what is not in an incomplete one is not removed (R7-R10).

What is a change of a badge, and what Credly moves with each issue, tells its fingerprint (`credly/records.py`).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from credly_cli.credly.client import Client
from credly_cli.credly.paging import Listing
from credly_cli.credly.records import Badge, BadgeBrief
from credly_cli.errors import Problem
from credly_cli.store import badges, duplicates, links, needs_person, runs
from credly_cli.store import content as contents
from credly_cli.store.content import ContentBrief
from credly_cli.store.database import Store
from credly_cli.store.needs_person import Waiting
from credly_cli.text import Command, Hint, counted
from credly_cli.times import utc_text

_NAMED = 3  # rows of a list that cannot be read
_FEW = 5  # so many badges may go at once without anybody being asked


@dataclass(slots=True)
class ListCounts:
    """What a list of Credly's changed in the store."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Unlinked:
    """A link that ended by itself."""

    badge: BadgeBrief
    content: ContentBrief
    reason: str


@dataclass(slots=True)
class BadgesSynced:
    """What the list of badges changed."""

    counts: ListCounts = field(default_factory=ListCounts)
    unlinked: list[Unlinked] = field(default_factory=list)
    cancelled: int = 0  # grants of badges that left the list
    problems: list[Problem] = field(default_factory=list)


def sync_badges(store: Store, client: Client, now: datetime, *, allow_shrink: bool) -> BadgesSynced:
    """Read the active badges and bring the store up to date with them; raises ``Failure`` when none can be read."""
    listing = client.badges()
    outcome = BadgesSynced()
    with store.transaction():
        before = badges.fingerprints(store)
        gone = [badge_id for badge_id in before if badge_id not in listing.rows]
        _save(store, listing, before, outcome)
        if listing.problem is not None:
            outcome.problems.append(Problem.of(listing.problem))
        else:
            runs.note_badges_listed(store, utc_text(now))
            gone = [badge_id for badge_id in gone if badge_id not in listing.unread_ids]
        if gone and listing.complete:
            suspicious = not listing.rows or (len(gone) > _FEW and len(gone) * 2 > len(before))
            if suspicious and not allow_shrink:
                outcome.problems.append(_shrunk(len(gone), len(before)))
            else:
                _remove(store, gone, utc_text(now), outcome)
    return outcome


def _shrunk(gone: int, before: int) -> Problem:
    message = f"Credly's list has lost {gone} of {before} badges; without --allow-shrink nothing is removed."
    return Problem("shrink-refused", message, hint=Hint("If that is right:", Command("sync", "--allow-shrink")))


def _save(store: Store, listing: Listing[Badge], known: dict[str, str], outcome: BadgesSynced) -> None:
    read = list(listing.rows.values())
    differing = [badge for badge in read if known.get(badge.id) != badge.fingerprint]
    badges.save(store, differing)
    outcome.counts.added = sum(badge.id not in known for badge in differing)
    outcome.counts.changed = len(differing) - outcome.counts.added
    outcome.counts.unchanged = len(read) - len(differing)
    if listing.unreadable:
        message = f"Credly's list has {unreadable(listing, 'badge')}; what was known stays."
        outcome.problems.append(Problem("server-error", message))


def unreadable(listing: Listing[Any], noun: str) -> str:
    """Name the rows of a list that cannot be read, the first of many."""
    rows = listing.unreadable
    named = ", ".join(map(str, rows[:_NAMED])) + (", ..." if len(rows) > _NAMED else "")
    return f"{counted(len(rows), noun)} that cannot be read: {named}"


def _remove(store: Store, gone: list[str], now: str, outcome: BadgesSynced) -> None:
    """Take badges off the list and off their content (R9)."""
    for badge_id in gone:
        link = links.of_badge(store, badge_id)
        if link is None:
            continue
        badge, content = badges.in_brief(store, badge_id), contents.of_badge(store, badge_id)
        if badge is not None and content is not None:
            outcome.unlinked.append(Unlinked(badge, content, "The badge is not active on Credly any more."))
            outcome.problems.append(_ended(store, badge, content))
        links.end(store, link, now, "badge-not-active")
    badges.remove(store, gone, now)
    outcome.cancelled = sum(duplicates.cancel_unsent(store, badge_id, now) for badge_id in gone)
    outcome.counts.removed = len(gone)


def _ended(store: Store, badge: BadgeBrief, content: ContentBrief) -> Problem:
    """Record that a link ended by itself, which needs a person until the badge is linked or unlinked (R33)."""
    message = (
        f"The link of {badge.name} to {content.title} ended: the badge is not active on Credly any more."
        " Take a badge off its content before archiving or deleting it in Credly."
    )
    hint = Hint("To settle it:", Command("unlink", badge.id))
    needs_person.open_one(store, needs_person.of_ended_link(badge.id), Waiting("link-ended", message, hint, 1))
    return Problem("link-ended", message, badge_id=badge.id, hint=hint)
