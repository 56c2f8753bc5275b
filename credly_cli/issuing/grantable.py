"""What can be granted by hand, as far as the store knows: to whom, and which badges a learner can get (R22)."""

from collections.abc import Iterable
from dataclasses import dataclass

from credly_cli.credly.records import BadgeBrief
from credly_cli.errors import Failure
from credly_cli.identity import full_name
from credly_cli.linking import names
from credly_cli.store import badges, enrollments, facts, issued_badges, links
from credly_cli.store import content as contents
from credly_cli.store.content import ContentBrief
from credly_cli.store.database import Store
from credly_cli.store.learners import Learner
from credly_cli.text import folded


@dataclass(frozen=True, slots=True)
class Grantable:
    """A badge that a learner can be granted, with its resource and how far the learner is in that, in percent."""

    badge: BadgeBrief
    content: ContentBrief
    session_id: str | None
    progress: float | None
    completed_at: str | None


@dataclass(frozen=True, slots=True)
class Addressee:
    """A learner who would get a badge, as it is asked before granting."""

    email: str
    name: str
    progress: float | None  # in percent, of the linked content
    completed_at: str | None


def of_learner(store: Store, text: str) -> list[Grantable]:
    """List the badges that a learner can be granted: enrolled in the linked content, and not earned yet."""
    known = names.learner(store, text)
    found = [one for link in links.active(store) if (one := _grantable(store, known, link.badge_id, link.content_id))]
    return sorted(found, key=lambda one: (folded(one.badge.name), one.badge.id))


def _grantable(store: Store, known: Iterable[Learner], badge_id: str, content_id: str) -> Grantable | None:
    for learner in known:
        enrolled = enrollments.latest(store, learner.id, content_id)
        badge, content = badges.in_brief(store, badge_id), contents.of_badge(store, badge_id)
        if not (enrolled and badge and content):
            continue
        known_of_badge = issued_badges.of_learner_and_badge(store, learner.id, badge_id)
        session = facts.session_of(store, learner, content_id, enrolled.session_id)
        if not facts.holds(store, session, badge_id, known_of_badge):
            return Grantable(badge, content, enrolled.session_id or None, enrolled.percent, enrolled.completed_at)
    return None


@dataclass(frozen=True, slots=True)
class Preview:
    """A badge with its resource, and who would get it, as far as the store knows."""

    badge: BadgeBrief
    content: ContentBrief | None
    recipients: list[Addressee]


def recipients(store: Store, wanted: Iterable[str], badge_name: str) -> Preview:
    """Tell who would get a badge, of those who are known and enrolled; granting itself says why others do not."""
    badge = names.badge(store, badge_name)
    content = contents.of_badge(store, badge.id)
    found = [one for text in wanted if content and (one := _recipient(store, text, content.id))]
    return Preview(badge.brief, content, found)


def _recipient(store: Store, text: str, content_id: str) -> Addressee | None:
    try:
        known = names.learner(store, text)
    except Failure:
        return None
    found = [(one, session) for one in known if (session := enrollments.latest(store, one.id, content_id))]
    if len(found) != 1:
        return None
    ((learner, enrolled),) = found
    name = full_name(learner.first_name, learner.last_name)
    return Addressee(learner.email, name, enrolled.percent, enrolled.completed_at)
