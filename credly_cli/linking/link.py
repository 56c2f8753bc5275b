"""Linking a badge to content, and ending a link (R12-R16)."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from credly_cli.errors import Failure
from credly_cli.linking import names
from credly_cli.store import connection as connections
from credly_cli.store import content as contents
from credly_cli.store import duplicates, grants, links, needs_person
from credly_cli.store.badges import NamedBadge
from credly_cli.store.content import ContentBrief
from credly_cli.store.database import Store
from credly_cli.store.links import Link
from credly_cli.text import Command, Hint
from credly_cli.times import utc_text

MANY = 10  # badges that would be issued, above which somebody is asked (R15)


class Foreseen(Protocol):
    """What earlier completions bring: of learners who hold the badge, badges to issue, and of these born expired."""

    @property
    def held_already(self) -> int: ...  # noqa: D102
    @property
    def to_issue(self) -> int: ...  # noqa: D102
    @property
    def born_expired(self) -> int: ...  # noqa: D102


Foresee = Callable[[Store, Link, Collection[tuple[int, str]], str], Foreseen]


class ManyEarlierError(Exception):
    """Earlier completions would bring so many badges that somebody is to be asked; nothing was changed."""

    def __init__(self, change: "LinkChange") -> None:
        super().__init__(change.to_issue)
        self.change = change


@dataclass(slots=True)
class LinkChange:
    """What linking or unlinking changed."""

    badge: NamedBadge
    content: ContentBrief | None
    counts_from: str | None
    changed: bool = False
    earlier: int = 0
    held_already: int = 0  # of them: the learner has the badge
    to_issue: int = 0  # badges that the others bring
    born_expired: int = 0  # of these: expired as they are issued, by the badge's default expiry
    cancelled: int = 0
    out: int = 0  # badges that are out through the link, and that the change does not touch (R34)
    left_out: int = 0  # completions that are too early to count
    connected: bool = True  # without which nothing is issued
    unreleased: bool = False  # learners of the site do not see the content yet (R14)
    session_id: str | None = None  # by which the content was named
    settled: bool = False  # the link had ended by itself, which no longer waits for a person (R9)

    JSON: ClassVar = (
        "changed", "badge", "content", "counts_from", "earlier", "held_already", "born_expired", "cancelled", "out",
    )  # fmt: skip


def link(
    store: Store,
    badge_name: str,
    content_name: str,
    since: str | None,
    now: datetime,
    foresee: Foresee,
    *,
    agreed: bool,
) -> LinkChange:
    """Link a badge to content; raises ``ManyEarlierError`` where that is to be agreed to first, and ``Failure``."""
    badge, content = names.badge_and_content(store, badge_name, content_name)
    if not badge.listed:
        raise Failure(
            "badge-not-active",
            f"{badge.name} is not active on Credly any more.",
            hint=Hint("Activate it in Credly, then:", *connections.syncing(store)),
        )
    moment = utc_text(now)
    with store.transaction():
        current = links.of_badge(store, badge.id)
        if current is not None and current.content_id != content.id:
            raise _linked_elsewhere(store, badge)
        change = LinkChange(badge, content.brief, current.counts_from if current else since or moment)
        change.session_id = content.session_id
        connection = connections.current(store)
        change.connected = connection is not None and connection.connected
        change.unreleased = not contents.is_released(store, content.id, moment)
        if current is None:
            _link_anew(store, change, since, moment, foresee, agreed=agreed)
            needs_person.settle(store, needs_person.of_ended_link(badge.id))
        elif since is not None:
            _move(store, current, change, since, moment, foresee, agreed=agreed)
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


def _link_anew(
    store: Store, change: LinkChange, since: str | None, now: str, foresee: Foresee, *, agreed: bool
) -> None:
    badge_id, content_id = change.badge.id, change.content.id if change.content else ""
    if since is not None:
        anyway = links.count_ungranted(store, badge_id, content_id, now, None)
        change.earlier = max(0, links.count_ungranted(store, badge_id, content_id, since, now) - anyway)
    links.add(store, badge_id, content_id, now, since)
    _note_foreseen(store, change, foresee, (), now)
    _require_agreement(store, change, agreed=agreed)
    change.changed = True


def _move(
    store: Store, current: Link, change: LinkChange, since: str, now: str, foresee: Foresee, *, agreed: bool
) -> None:
    place = (current.badge_id, current.content_id)
    before = links.count_ungranted(store, *place, current.counts_from, current.since_set_at)
    change.earlier = max(0, links.count_ungranted(store, *place, since, now) - before)
    if since == current.counts_from and not change.earlier:
        return
    counted_before = links.counted(store, current.badge_id) if change.earlier else set()
    links.set_moment(store, current, since, now)
    _note_foreseen(store, change, foresee, counted_before, now)
    _require_agreement(store, change, agreed=agreed)
    change.changed, change.counts_from = True, since
    if since > current.counts_from:
        change.cancelled = duplicates.cancel_unsent(store, current.badge_id, now, completed_before=since)
        change.out = grants.count_out(store, *place, completed_before=since)


def _note_foreseen(
    store: Store, change: LinkChange, foresee: Foresee, before: Collection[tuple[int, str]], now: str
) -> None:
    """Note what the link, as it stands in this transaction, will bring."""
    link = links.of_badge(store, change.badge.id)
    if link is not None and change.earlier:
        found = foresee(store, link, before, now)
        change.held_already, change.to_issue = found.held_already, found.to_issue
        change.born_expired = found.born_expired


def _require_agreement(store: Store, change: LinkChange, *, agreed: bool) -> None:
    if change.to_issue > MANY and not agreed:
        raise ManyEarlierError(change)
    if change.to_issue:
        links.set_agreed(store, change.badge.id, change.to_issue)


def unlink(store: Store, badge_name: str, now: datetime) -> LinkChange:
    """End a badge's link and cancel what was not sent yet; nothing linked is nothing changed (R16).

    A link that ended by itself is settled.
    """
    badge = names.badge(store, badge_name)
    moment = utc_text(now)
    with store.transaction():
        current = links.of_badge(store, badge.id)
        if current is None:
            # one of its name may have been made anew in Credly, and be in the list in its place
            meant = [badge, *(left for left in names.left_badges(store, badge_name) if left.id != badge.id)]
            ended = [one for one in meant if needs_person.settle(store, needs_person.of_ended_link(one.id))]
            return LinkChange(ended[0] if ended else badge, None, None, settled=bool(ended))
        content = contents.of_badge(store, badge.id)
        links.end(store, current, moment, "unlinked")
        cancelled = duplicates.cancel_unsent(store, badge.id, moment)
        out = grants.count_out(store, badge.id, current.content_id)
        return LinkChange(badge, content, current.counts_from, changed=True, cancelled=cancelled, out=out)
