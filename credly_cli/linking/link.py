"""Linking a badge to content, and ending a link (R12-R16)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from credly_cli.errors import Failure
from credly_cli.linking import names
from credly_cli.store import content as contents
from credly_cli.store import duplicates, links
from credly_cli.store.badges import NamedBadge
from credly_cli.store.content import ContentBrief
from credly_cli.store.database import Store
from credly_cli.store.links import Link
from credly_cli.text import Command, Hint, as_json
from credly_cli.times import utc_text

MANY = 100  # earlier completions from which on somebody is asked


class ManyEarlierError(Exception):
    """So many earlier completions would count that somebody is to be asked; nothing was changed."""

    def __init__(self, earlier: int) -> None:
        super().__init__(earlier)
        self.earlier = earlier


@dataclass(slots=True)
class LinkChange:
    """What linking or unlinking brought about."""

    badge: NamedBadge
    content: ContentBrief | None
    counts_from: str | None
    changed: bool = False
    earlier: int = 0
    cancelled: int = 0
    left_out: int = 0  # completions that are too early to count
    unreleased: bool = False
    session_id: str | None = None  # by which the content was named

    def json(self) -> dict[str, Any]:
        """Return the answer as scripts read it."""
        return {
            "changed": self.changed,
            "badge": as_json(self.badge.brief),
            "content": as_json(self.content),
            "counts_from": self.counts_from,
            "earlier": self.earlier,
            "cancelled": self.cancelled,
        }


def link(
    store: Store,
    badge_name: str,
    content_name: str,
    since: str | None,
    now: datetime,
    *,
    agreed: bool,
) -> LinkChange:
    """Link a badge to content; raises ``ManyEarlierError`` where that is to be agreed to first, and ``Failure``."""
    badge, content = names.badge_and_content(store, badge_name, content_name)
    if not badge.listed:
        raise Failure(
            "badge-not-active",
            f"{badge.name} is not active on Credly any more.",
            hint=Hint("Activate it in Credly, then:", Command("sync")),
        )
    moment = utc_text(now)
    with store.transaction():
        current = links.of_badge(store, badge.id)
        if current is not None and current.content_id != content.id:
            raise _linked_elsewhere(store, badge)
        change = LinkChange(badge, content.brief, current.counts_from if current else since or moment)
        change.session_id = content.session_id
        change.unreleased = not contents.is_released(store, content.id, moment)
        if current is None:
            _link_anew(store, change, since, moment, agreed=agreed)
        elif since is not None:
            _move(store, current, change, since, moment, agreed=agreed)
        change.left_out = _left_out(store, badge.id, content.id, moment)
    return change


def listing_of_out(badge: str, content: str) -> Command:
    """Return the command that lists the badges which are out through a link (R34)."""
    return Command("grants", "--badge", badge, "--content", content, "--state", "issued", "--csv")


def _left_out(store: Store, badge_id: str, content_id: str, now: str) -> int:
    """Count the completions that another moment would let count."""
    link = links.of_badge(store, badge_id)
    if link is None:
        return 0
    counting = links.count_ungranted(store, badge_id, content_id, link.counts_from, link.since_set_at)
    return links.count_ungranted(store, badge_id, content_id, "", now) - counting


def _linked_elsewhere(store: Store, badge: NamedBadge) -> Failure:
    current = contents.of_badge(store, badge.id)
    if current is None:
        raise LookupError(badge.id)
    return Failure(
        "badge-already-linked",
        f"{badge.name} is already linked to {current.title} ({current.id}).",
        hint=Hint("A badge has one content. To free it:", Command("unlink", badge.word)),
    )


def _link_anew(store: Store, change: LinkChange, since: str | None, now: str, *, agreed: bool) -> None:
    badge_id, content_id = change.badge.id, change.content.id if change.content else ""
    if since is not None:
        anyway = links.count_ungranted(store, badge_id, content_id, now, None)
        change.earlier = max(0, links.count_ungranted(store, badge_id, content_id, since, now) - anyway)
    _require_agreement(change, agreed=agreed)
    links.add(store, badge_id, content_id, now, since)
    change.changed = True


def _move(store: Store, current: Link, change: LinkChange, since: str, now: str, *, agreed: bool) -> None:
    place = (current.badge_id, current.content_id)
    before = links.count_ungranted(store, *place, current.counts_from, current.since_set_at)
    change.earlier = max(0, links.count_ungranted(store, *place, since, now) - before)
    if since == current.counts_from and not change.earlier:
        return
    _require_agreement(change, agreed=agreed)
    links.set_moment(store, current, since, now)
    change.changed, change.counts_from = True, since
    if since > current.counts_from:
        change.cancelled = duplicates.cancel_unsent(store, current.badge_id, now, completed_before=since)


def _require_agreement(change: LinkChange, *, agreed: bool) -> None:
    if change.earlier > MANY and not agreed:
        raise ManyEarlierError(change.earlier)


def unlink(store: Store, badge_name: str, now: datetime) -> LinkChange:
    """End a badge's link and cancel what was not sent yet; nothing linked is nothing changed (R16)."""
    badge = names.badge(store, badge_name)
    moment = utc_text(now)
    with store.transaction():
        current = links.of_badge(store, badge.id)
        if current is None:
            return LinkChange(badge, None, None)
        content = contents.of_badge(store, badge.id)
        links.end(store, current, moment, "unlinked")
        cancelled = duplicates.cancel_unsent(store, badge.id, moment)
        return LinkChange(badge, content, current.counts_from, changed=True, cancelled=cancelled)
