"""Everything that the store knows between one learner and badges, gathered badge by badge."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import partial

from credly_cli.credly.records import IssuedBadge
from credly_cli.issuing.plan import foresees_brake
from credly_cli.learners import widget
from credly_cli.learners.widget import Session
from credly_cli.store import connection as connections
from credly_cli.store import eligibility, learner_history, runs
from credly_cli.store.connection import Connection
from credly_cli.store.content import ContentBrief
from credly_cli.store.database import Store
from credly_cli.store.eligibility import Audience
from credly_cli.store.learner_history import Attempt, KnownBadge, LearnerGrant, PastLink
from credly_cli.store.learners import Learner, LearnerBrief
from credly_cli.times import utc_text


@dataclass(frozen=True, slots=True)
class Person:
    """The learner, and what holds for every badge."""

    brief: LearnerBrief
    audiences: tuple[Audience, ...]
    connection: Connection | None
    listed_at: str | None  # when Credly last told all issued badges
    now: str
    zone: tzinfo  # in which days are meant, as in the configuration
    brake: int = 0  # grants.brake

    @property
    def connected(self) -> bool:
        """Whether the profile is connected, so that a badge can be granted by hand."""
        return self.connection is not None and self.connection.connected


@dataclass(slots=True)
class Case:
    """All that is known between a learner and a badge."""

    badge: KnownBadge
    link: PastLink | None = None  # the last one
    visible: bool = False
    sessions: list[Session] = field(default_factory=list)  # of the content of that link
    grants: list[LearnerGrant] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    issued: list[IssuedBadge] = field(default_factory=list)

    @property
    def linked(self) -> bool:
        """Whether the badge is linked now."""
        return self.link is not None and self.link.ended_at is None

    @property
    def held(self) -> bool:
        """Whether the learner holds the badge."""
        return any(badge.held for badge in self.issued)

    @property
    def braked(self) -> bool:
        """Whether the brake keeps back what a session earned (R32)."""
        return any(session.outcome.reason == "braked" for session in self.sessions)

    @property
    def forbidden(self) -> bool:
        """Whether Credly does not let what a session earned be issued (R33)."""
        return any(session.outcome.reason == "forbidden" for session in self.sessions)

    @property
    def content(self) -> ContentBrief | None:
        """The content that it is about: the linked one, else the one of the last grant or link."""
        source = self.link if self.linked or not self.grants else self.grants[-1]
        return source.content if source else None


def read_person(
    store: Store, email: str, known: Sequence[Learner], now: datetime, zone: tzinfo, brake: int = 0
) -> Person:
    """Read what holds for every badge."""
    return Person(
        known[0].brief if known else LearnerBrief(email, None, None, None),
        tuple(widget.audiences(known, widget.email_keys(store, known, email))),
        connections.current(store),
        runs.last_listing(store),
        utc_text(now),
        zone,
        brake,
    )


def read_cases(
    store: Store,
    wanted: Iterable[str],
    issued: Sequence[IssuedBadge],
    known: Sequence[Learner],
    person: Person,
) -> list[Case]:
    """Gather all that is known of the wanted badges."""
    cases = _cases(store, wanted, issued)
    _fill(store, cases, [learner.id for learner in known], person)
    return list(cases.values())


def _cases(store: Store, wanted: Iterable[str], issued: Sequence[IssuedBadge]) -> dict[str, Case]:
    """Begin a case for each badge; one that was never in the list is known by what was issued of it."""
    ids = dict.fromkeys(wanted)
    cases = {badge.id: Case(badge) for badge in learner_history.badges(store, list(ids))}
    for one in issued:
        if one.badge_id in ids:
            foreign = KnownBadge(one.badge_id, one.badge_name or one.badge_id, one.image_url)
            cases.setdefault(one.badge_id, Case(foreign)).issued.append(one)
    return cases


def _fill(store: Store, cases: dict[str, Case], learner_ids: Sequence[int], person: Person) -> None:
    for link in learner_history.last_links(store, list(cases), person.now):
        cases[link.badge_id].link = link
    is_braked = partial(foresees_brake, store, most=person.brake)
    for session in widget.read_sessions(store, learner_ids, list(cases), is_braked=is_braked):
        case = cases[session.facts.badge_id]
        if case.link and case.link.content.id == session.facts.content_id:
            case.sessions.append(session)
    for audience in person.audiences:
        for seen in eligibility.discoverable(store, audience, person.now):
            if seen.badge.id in cases:
                cases[seen.badge.id].visible = True
    _fill_grants(store, cases, learner_ids)


def _fill_grants(store: Store, cases: dict[str, Case], learner_ids: Sequence[int]) -> None:
    case_of: dict[int, Case] = {}
    for grant in learner_history.grants(store, learner_ids):
        if grant.badge_id in cases:
            case_of[grant.id] = cases[grant.badge_id]
            case_of[grant.id].grants.append(grant)
    for attempt in learner_history.attempts(store, learner_ids):
        if attempt.grant_id in case_of:
            case_of[attempt.grant_id].attempts.append(attempt)
