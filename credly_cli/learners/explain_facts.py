"""Everything that the store knows between one learner and badges, gathered badge by badge."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from credly_cli.credly.records import HELD_STATES
from credly_cli.learners import widget
from credly_cli.learners.widget import Session
from credly_cli.store import connection as connections
from credly_cli.store import content, eligibility, histories, learners, runs
from credly_cli.store.connection import Connection
from credly_cli.store.database import Store
from credly_cli.store.eligibility import Audience
from credly_cli.times import utc_text


@dataclass(frozen=True, slots=True)
class Person:
    """The learner, and what holds for every badge."""

    view: dict[str, Any]
    audiences: tuple[Audience, ...]
    connection: Connection | None
    listed_at: str | None  # when Credly last told all issued badges
    now: str
    zone: tzinfo  # in which days are meant, as in the configuration


@dataclass(slots=True)
class Case:
    """All that is known between a learner and a badge."""

    badge: dict[str, Any]
    link: dict[str, Any] | None = None  # the last one, standing or ended
    visible: bool = False
    sessions: list[Session] = field(default_factory=list)
    grants: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    issued: list[dict[str, Any]] = field(default_factory=list)

    @property
    def linked(self) -> bool:
        """Whether the badge is linked now."""
        return self.link is not None and self.link["ended_at"] is None

    @property
    def held(self) -> bool:
        """Whether the learner holds the badge: not revoked, not deleted."""
        return any(is_held(row) for row in self.issued)

    @property
    def content(self) -> dict[str, Any] | None:
        """The content that it is about: the linked one, else the one of the last grant or link."""
        source = self.link if self.linked or not self.grants else self.grants[-1]
        return content.view(source) if source else None


_NEVER_LISTED = {"slug": None, "removed_at": None, "allow_duplicates": 0}


def is_held(issued: dict[str, Any]) -> bool:
    """Tell whether an issued badge is held (R20)."""
    return issued["state"] in HELD_STATES and issued["deleted_at"] is None and issued["replaced_by"] is None


def read_person(store: Store, email: str, known: Sequence[dict[str, Any]], now: datetime, zone: tzinfo) -> Person:
    """Read what holds for every badge."""
    blank = {"email": email, "first_name": None, "last_name": None, "learner_id": None}
    return Person(
        learners.view(known[0]) if known else blank,
        tuple(widget.audiences(known, widget.email_keys(store, known, email))),
        connections.current(store),
        runs.last_listing(store),
        utc_text(now),
        zone,
    )


def read_cases(
    store: Store,
    wanted: Iterable[str],
    issued: Sequence[dict[str, Any]],
    known: Sequence[dict[str, Any]],
    person: Person,
) -> list[Case]:
    """Gather all that is known of the wanted badges."""
    cases = _cases(store, wanted, issued)
    _fill(store, cases, known, person)
    return list(cases.values())


def _cases(store: Store, wanted: Iterable[str], issued: Sequence[dict[str, Any]]) -> dict[str, Case]:
    """Begin a case for each badge; one that was never in the list is known by what was issued of it."""
    ids = dict.fromkeys(wanted)
    cases = {row["id"]: Case(row) for row in histories.badge_rows(store, list(ids))}
    for row in issued:
        if row["badge_id"] not in ids:
            continue
        name = row["badge_name"] or row["badge_id"]
        foreign = {"id": row["badge_id"], "name": name, "image_url": row["image_url"], "listed": None}
        case = cases.setdefault(row["badge_id"], Case({**foreign, **_NEVER_LISTED}))
        case.issued.append(row)
    return cases


def _fill(store: Store, cases: dict[str, Case], known: Sequence[dict[str, Any]], person: Person) -> None:
    people = [row["id"] for row in known]
    for link in histories.last_links(store, list(cases), person.now):
        cases[link["badge_id"]].link = link
    for session in widget.read_sessions(store, people, list(cases)):
        case = cases[session.facts.badge_id]
        if case.link and case.link["content_id"] == session.facts.content_id:
            case.sessions.append(session)
    for audience in person.audiences:
        for seen in eligibility.discoverable(store, audience, person.now):
            if seen.badge["id"] in cases:
                cases[seen.badge["id"]].visible = True
    _fill_grants(store, cases, people)


def _fill_grants(store: Store, cases: dict[str, Case], learner_ids: Sequence[int]) -> None:
    case_of: dict[int, Case] = {}
    for grant in histories.grants(store, learner_ids):
        if grant["badge_id"] in cases:
            case_of[grant["id"]] = cases[grant["badge_id"]]
            case_of[grant["id"]].grants.append(grant)
    for attempt in histories.attempts(store, learner_ids):
        if attempt["grant_id"] in case_of:
            case_of[attempt["grant_id"]].attempts.append(attempt)
