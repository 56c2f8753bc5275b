"""The badges of one learner: from Credly, or from the store when Credly does not answer (R26, R27, R31)."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import ClassVar, Literal

from credly_cli.credly.client import Client
from credly_cli.credly.records import BadgeBrief, IssuedBadge
from credly_cli.errors import Failure
from credly_cli.http.response import HttpFailure
from credly_cli.issuing.lookup import Recipient, UnreadableAnswer, look_up
from credly_cli.linking import names
from credly_cli.store import badges, facts, issued_badges, runs
from credly_cli.store.content import ContentBrief
from credly_cli.store.database import Store
from credly_cli.store.learners import Learner, LearnerBrief
from credly_cli.text import folded
from credly_cli.times import utc_text

_PASSING = ("unreachable", "server-error", "rate-limited")
_PASSING_STATUSES = (408, 429)
ANSWER_SECONDS = 20.0  # that Credly has; somebody is on the phone, and after that the store answers (R27)


@dataclass(frozen=True, slots=True)
class ShownBadge:
    """An issued badge as its learner may see it. Times are UTC text."""

    id: str
    badge: BadgeBrief
    resource: ContentBrief | None  # the content that earned it
    awarded_at: str | None
    expires_at: str | None
    expired: bool
    state: str
    view_url: str | None  # Credly's own links; none is made up
    accept_url: str | None  # while pending


@dataclass(frozen=True, slots=True)
class LearnerBadges:
    """A learner and the badges that they may see, newest first."""

    JSON: ClassVar = ("learner", "source", "as_of", "badges")
    learner: LearnerBrief
    source: Literal["credly", "store"]
    as_of: str | None
    badges: list[ShownBadge]
    why_store: str | None = None  # why Credly's answer is not used; without it Credly does not answer


def read(store: Store, client: Client, email: str, now: datetime, *, hide_expired: bool) -> LearnerBadges:
    """Read a learner's badges; raises ``Failure`` when neither Credly nor the store knows who is meant."""
    email, known = names.person(store, email)
    return read_of(store, client, email, known, now, hide_expired=hide_expired)


def read_of(
    store: Store, client: Client, email: str, known: Sequence[Learner], now: datetime, *, hide_expired: bool
) -> LearnerBadges:
    """Read the badges of learners who were found by an address; raises ``Failure`` as ``read`` does."""
    ids = [learner.id for learner in known]
    others = facts.of_others(store, email, ids)
    try:
        found = look_up(client, Recipient.of_learners(store, email, known)).badges
    except Failure as failure:
        if not _is_outage(failure):
            raise
        stored = [badge for badge in issued_badges.of_learners(store, email, ids) if badge.deleted_at is None]
        stored = [badge for badge in stored if badge.id not in others]
        if not known and not stored:
            raise
        why = failure.message if isinstance(failure, UnreadableAnswer) else None
        as_of = runs.last_listing(store) or max((badge.stored_at or "" for badge in stored), default=None)
        shown = _shown(store, stored, now, hide_expired=hide_expired)
        return LearnerBadges(_learner(email, known, ()), "store", as_of, shown, why)
    if not known and not found:
        raise Failure(
            "unknown-learner",
            f"Neither Credly nor the store knows {email}.",
            hint=names.learner_hint(store, email),
        )
    unseen = issued_badges.unseen_of_learners(store, ids)  # Credly's lists lag behind what it issues
    every = {badge.id: badge for badge in (*unseen, *found)}
    every |= {badge.id: badge for badge in _only_stored(store, client, email, ids, every)}
    theirs = [badge for badge in every.values() if badge.id not in others]
    shown = _shown(store, theirs, now, hide_expired=hide_expired)
    return LearnerBadges(_learner(email, known, found), "credly", utc_text(now), shown)


def _only_stored(
    store: Store, client: Client, email: str, ids: Sequence[int], known: Container[str]
) -> Iterator[IssuedBadge]:
    """Yield the badges that only the store has: a filter of Credly's may mind how an address is spelled (R26).

    Credly is asked about each by its id: one that it deleted since is none any more.
    """
    is_reachable = True
    for badge in issued_badges.of_learners(store, email, ids):
        if badge.deleted_at is not None or badge.id in known:
            continue
        try:
            current = client.issued_badge(badge.id) if is_reachable else badge
        except Failure:
            current, is_reachable = badge, False
        if current is not None:
            yield current


def _learner(email: str, known: Sequence[Learner], found: Sequence[IssuedBadge]) -> LearnerBrief:
    """Return the learner under the address that was asked for; where only Credly knows one, as Credly does."""
    if known:
        return replace(known[0].brief, email=email)
    first, last = (found[0].first_name, found[0].last_name) if found else (None, None)
    return LearnerBrief(email, first, last, None)


def _is_outage(failure: Failure) -> bool:
    """Tell whether Credly does not answer for now; what it refuses is a fault of address or configuration."""
    status = failure.status if isinstance(failure, HttpFailure) else None
    return failure.code in _PASSING and (status not in range(400, 500) or status in _PASSING_STATUSES)


def _shown(store: Store, issued: Sequence[IssuedBadge], now: datetime, *, hide_expired: bool) -> list[ShownBadge]:
    listed = partial(badges.in_brief, store)
    return shown(issued, resources(store, issued), listed, utc_text(now), hide_expired=hide_expired)


def shown(
    issued: Iterable[IssuedBadge],
    resources: Mapping[str, ContentBrief],
    listed: Callable[[str], BadgeBrief | None],
    moment: str,
    *,
    hide_expired: bool,
) -> list[ShownBadge]:
    """Bring badges into the form that answers show; nothing revoked or replaced, ever.

    ``resources`` is what earned each, by its id; ``listed`` is what the list has of a badge; ``moment`` is UTC text.
    """
    found = []
    by_name = sorted(issued, key=lambda badge: (folded(badge.badge_name or ""), badge.id))
    for badge in sorted(by_name, key=_when, reverse=True):  # of those issued at once the first by name comes first
        expired = badge.expires_at is not None and badge.expires_at <= moment
        if badge.held and not (expired and hide_expired):
            found.append(
                ShownBadge(
                    id=badge.id,
                    badge=_brief(badge, listed),
                    resource=resources.get(badge.id),
                    awarded_at=badge.issued_at,
                    expires_at=badge.expires_at,
                    expired=expired,
                    state=badge.state,
                    view_url=badge.view_url,
                    accept_url=badge.accept_url if badge.state == "pending" and not expired else None,
                )
            )
    return found


def resources(store: Store, issued: Sequence[IssuedBadge]) -> dict[str, ContentBrief]:
    """Return the content that earned each badge; one that took another's place was earned by the same."""
    found = issued_badges.resources(store, [badge.id for badge in issued])
    for badge in sorted(issued, key=lambda badge: badge.created_at or ""):
        if badge.replaced_by and badge.id in found:
            found.setdefault(badge.replaced_by, found[badge.id])
    return found


def _when(badge: IssuedBadge) -> tuple[str, str]:
    return badge.issued_at or "", badge.created_at or ""


def _brief(issued: IssuedBadge, listed: Callable[[str], BadgeBrief | None]) -> BadgeBrief:
    """Return name and image as issued, and from the list where Credly's short form left them out."""
    known = listed(issued.badge_id) if issued.badge_name is None or issued.image_url is None else None
    name = issued.badge_name or (known.name if known else issued.badge_id)
    return BadgeBrief(issued.badge_id, name, issued.image_url or (known.image_url if known else None))
