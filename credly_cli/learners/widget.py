"""What a learner sees of badges: in progress, to discover, earned (R28-R31).

The facts are read first; what shows where is decided by pure functions over them. Credly is asked for what was
earned, as `learner-badges` asks it: a page must not offer what the learner has.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import ClassVar, Literal

from credly_cli.credly.client import Client
from credly_cli.credly.records import BadgeBrief
from credly_cli.identity import email_key, is_main_sublicense
from credly_cli.issuing.decide import Outcome, outcome
from credly_cli.issuing.plan import foresees_brake
from credly_cli.learners import badges
from credly_cli.learners.badges import ShownBadge
from credly_cli.linking import names
from credly_cli.store import eligibility, facts, learners
from credly_cli.store.content import ContentBrief
from credly_cli.store.database import Store
from credly_cli.store.eligibility import Audience, Discoverable, LinkedEnrollment
from credly_cli.store.facts import Facts
from credly_cli.store.learners import Learner, LearnerBrief
from credly_cli.store.schema import State
from credly_cli.text import folded
from credly_cli.times import utc_text

COMPLETE = 100

Prospect = Literal["on-its-way", "waiting", "in-progress", "spent", "left"]


@dataclass(frozen=True, slots=True)
class Session:
    """A session of content that is or was linked, which the learner is or was in, and what becomes of it."""

    enrolled: LinkedEnrollment
    facts: Facts
    outcome: Outcome

    @property
    def progress(self) -> float | None:
        """How far the learner is, in percent; ``None`` where the LMS does not say."""
        return COMPLETE if self.facts.completed_at else self.enrolled.progress


@dataclass(frozen=True, slots=True)
class InProgress:
    """A badge in progress, by the most promising of its content's sessions."""

    badge: BadgeBrief
    content: ContentBrief
    progress: float | None  # in percent; ``None`` where the LMS does not say
    on_its_way: bool
    url: str | None  # of the content


@dataclass(frozen=True, slots=True)
class Earned:
    """A badge that the learner has. Times are UTC text."""

    id: str
    badge: BadgeBrief
    content: ContentBrief | None
    awarded_at: str | None
    expires_at: str | None
    expired: bool
    state: str
    url: str | None  # Credly's page of it
    accept_url: str | None  # while pending


@dataclass(frozen=True, slots=True)
class Widget:
    """The three sections of the widget, each in its order; ``source`` and ``as_of`` are of what was earned."""

    JSON: ClassVar = ("learner", "in_progress", "discover", "earned", "source", "as_of")
    learner: LearnerBrief
    in_progress: list[InProgress]
    discover: list[Discoverable]
    earned: list[Earned]
    source: Literal["credly", "store"] = "credly"
    as_of: str | None = None
    why_store: str | None = None  # why Credly's answer is not used; without it Credly does not answer


def read(store: Store, client: Client, email: str, now: datetime, *, hide_expired: bool, brake: int = 0) -> Widget:
    """Read a learner's widget; raises ``Failure`` when neither Credly nor the store knows the address."""
    email, known = names.person(store, email)
    answer = badges.read_of(store, client, email, known, now, hide_expired=False)
    held = frozenset(shown.badge.id for shown in answer.badges)
    sessions = read_sessions(
        store, [learner.id for learner in known], is_braked=partial(foresees_brake, store, most=brake)
    )
    seen = [
        badge
        for audience in audiences(known, email_keys(store, known, email))
        for badge in eligibility.discoverable(store, audience, utc_text(now))
    ]
    return Widget(
        answer.learner,
        in_progress(sessions, held),
        discover(seen, sessions, held),
        earned(answer.badges, hide_expired=hide_expired),
        answer.source,
        answer.as_of,
        answer.why_store,
    )


def email_keys(store: Store, known: Sequence[Learner], email: str) -> tuple[str, ...]:
    """Return every address under which content may have been given to the learner."""
    return tuple(learners.addresses(store, [learner.id for learner in known])) or (email_key(email),)


def audiences(known: Sequence[Learner], keys: tuple[str, ...]) -> list[Audience]:
    """Tell whose content the learner discovers (R29): a panorama is apart from the site, sublicenses narrow it.

    Several add up; a main one has all that the panorama has.
    """
    found = [each for learner in known for each in _audiences(learner, keys)] or [Audience("learner", keys)]
    return list(dict.fromkeys(found))


def _audiences(learner: Learner, keys: tuple[str, ...]) -> Iterator[Audience]:
    panorama = learner.panorama.casefold() if learner.panorama else None
    if learner.sublicense is None:
        yield Audience("panorama", (panorama,)) if panorama else Audience("learner", keys)
        return
    if panorama and any(is_main_sublicense(name, panorama) for name in learner.sublicenses):
        yield Audience("panorama", (panorama,))
        return
    yield Audience("sublicense", tuple(name.casefold() for name in learner.sublicenses))


def read_sessions(
    store: Store,
    learner_ids: Sequence[int],
    badge_ids: Sequence[str] | None = None,
    *,
    is_braked: Callable[[str], bool] = lambda _: False,
) -> list[Session]:
    """Read the learner's sessions of content that is linked now, or was ever to these badges.

    ``is_braked`` foresees of a badge that the next run would keep it back (R32).
    """
    rows = eligibility.enrolled(store, learner_ids, badge_ids)
    known = ((row, facts.whole(store, row.facts)) for row in rows)
    return _keep_back([Session(row, whole, outcome(whole)) for row, whole in known], is_braked)


def _keep_back(sessions: list[Session], is_braked: Callable[[str], bool]) -> list[Session]:
    """Mark what the next run would plan, but for the brake."""
    planned = {one.facts.badge_id for one in sessions if one.outcome.new and one.outcome.state == "planned"}
    stopped = set(filter(is_braked, planned))
    return [_kept_back(one) if one.facts.badge_id in stopped else one for one in sessions]


def _kept_back(session: Session) -> Session:
    known = replace(session.facts, braked=True)
    return Session(session.enrolled, known, outcome(known))


def prospect(session: Session) -> Prospect:
    """Tell what a session means for its badge; nobody is promised what will not come (R30)."""
    if session.outcome.reason in ("braked", "forbidden"):
        return "waiting"  # for a person (R32, R33)
    if session.outcome.state is not None:
        return _PROSPECTS.get(session.outcome.state, "spent")
    if session.outcome.reason != "not-completed":
        return "spent"
    return "left" if session.enrolled.ended else "in-progress"


_PROSPECTS: dict[State, Prospect] = {
    "planned": "on-its-way",
    "sending": "on-its-way",
    "uncertain": "on-its-way",
    "held": "waiting",  # for a person: complete it is, but nothing is promised
    "failed": "waiting",
}


def in_progress(sessions: Iterable[Session], held: frozenset[str]) -> list[InProgress]:
    """Return the badges in progress: highest percentage first, unknown last, then by name (R28)."""
    by_badge: dict[str, list[Session]] = {}
    for session in sessions:
        if not (session.facts.once and session.facts.badge_id in held):
            by_badge.setdefault(session.facts.badge_id, []).append(session)
    shown = [entry for group in by_badge.values() if (entry := _in_progress(group)) is not None]
    return sorted(shown, key=_by_progress)


def _in_progress(sessions: Sequence[Session]) -> InProgress | None:
    """Return one badge by the most promising of its content's sessions, ``None`` when none promises anything."""
    for kind in ("on-its-way", "waiting", "in-progress"):
        if found := [session for session in sessions if prospect(session) == kind]:
            best = max(found, key=lambda session: -1 if session.progress is None else session.progress)
            row = best.enrolled
            return InProgress(row.badge, row.content, _plain(best.progress), kind == "on-its-way", row.url)
    return None


def _plain(progress: float | None) -> float | None:
    return int(progress) if progress is not None and progress == int(progress) else progress


def _by_progress(entry: InProgress) -> tuple[bool, float, str, str]:
    unknown = entry.progress is None
    return (unknown, -(entry.progress or 0), *_by_name(entry.badge))


def _by_name(badge: BadgeBrief) -> tuple[str, str]:
    return folded(badge.name), badge.id


def discover(seen: Iterable[Discoverable], sessions: Iterable[Session], held: frozenset[str]) -> list[Discoverable]:
    """Return the badges to discover, by name: not held, and with content that the learner never came to (R28)."""
    known = begun(sessions, held)
    new = {found.badge.id: found for found in seen if found.badge.id not in known}
    return by_name(new.values())


def begun(sessions: Iterable[Session], held: frozenset[str]) -> frozenset[str]:
    """Return the badges that are held, or to whose content the learner ever came: they are not to be discovered."""
    return held | {session.facts.badge_id for session in sessions if prospect(session) != "left"}


def by_name(found: Iterable[Discoverable]) -> list[Discoverable]:
    """Return badges to discover in their order."""
    return sorted(found, key=lambda one: _by_name(one.badge))


def earned(shown: Iterable[ShownBadge], *, hide_expired: bool) -> list[Earned]:
    """Return the badges earned, newest first; expired ones are marked or hidden (R31)."""
    return [
        Earned(
            one.id, one.badge, one.resource, one.awarded_at, one.expires_at, one.expired, one.state, one.view_url,
            one.accept_url,
        )
        for one in shown
        if not (one.expired and hide_expired)
    ]  # fmt: skip
