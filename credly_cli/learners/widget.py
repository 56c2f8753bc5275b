"""What a learner sees of badges: in progress, to discover, earned (R28-R31).

The facts are read first; what shows where is decided by pure functions over them. Credly is asked for what was
earned, as `learner-badges` asks it: a page must not offer what the learner has.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from credly_cli.credly.client import Client
from credly_cli.identity import email_key
from credly_cli.issuing.decide import Outcome, outcome
from credly_cli.learners import badges
from credly_cli.store import eligibility, facts, learners
from credly_cli.store.database import Store
from credly_cli.store.eligibility import Audience, Discoverable, Enrolled
from credly_cli.store.facts import Facts
from credly_cli.store.schema import State
from credly_cli.times import utc_text

COMPLETE = 100

Prospect = Literal["on-its-way", "waiting", "in-progress", "spent", "left"]


@dataclass(frozen=True, slots=True)
class Session:
    """A session of content that is or was linked, which the learner is or was in, and what becomes of it."""

    enrolled: Enrolled
    facts: Facts
    outcome: Outcome

    @property
    def progress(self) -> float | None:
        """How far the learner is, in percent; ``None`` where the LMS does not say."""
        return COMPLETE if self.facts.completed_at else self.enrolled.progress


@dataclass(slots=True)
class Widget:
    """The three sections of the widget, each in its order; ``source`` and ``as_of`` are of what was earned."""

    learner: dict[str, Any]
    in_progress: list[dict[str, Any]]
    discover: list[dict[str, Any]]
    earned: list[dict[str, Any]]
    source: Literal["credly", "store"] = field(default="credly")
    as_of: str | None = None

    def json(self) -> dict[str, Any]:
        """Return the answer as scripts read it."""
        return asdict(self)


def read(store: Store, client: Client, email: str, now: datetime, *, hide_expired: bool) -> Widget:
    """Read a learner's widget; raises ``Failure`` when neither Credly nor the store knows the address."""
    answer = badges.read(store, client, email, now, hide_expired=False)
    held = frozenset(entry["badge"]["id"] for entry in answer.badges)
    known = learners.of_email(store, email)
    sessions = read_sessions(store, [row["id"] for row in known])
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
    )


def email_keys(store: Store, known: Sequence[dict[str, Any]], email: str) -> tuple[str, ...]:
    """Return every address under which content may have been given to the learner."""
    return tuple(eligibility.addresses(store, [row["id"] for row in known])) or (email_key(email),)


def audiences(known: Sequence[dict[str, Any]], keys: tuple[str, ...]) -> list[Audience]:
    """Tell whose content the learner discovers: a sublicense narrows its panorama, which is apart from the site."""
    found = [_audience(row, keys) for row in known] or [Audience("learner", keys)]
    return list(dict.fromkeys(found))


def _audience(learner: dict[str, Any], keys: tuple[str, ...]) -> Audience:
    for kind in ("sublicense", "panorama"):
        if learner[kind]:
            return Audience(kind, (learner[kind].casefold(),))
    return Audience("learner", keys)


def read_sessions(store: Store, learner_ids: Sequence[int], badge_ids: Sequence[str] | None = None) -> list[Session]:
    """Read the learner's sessions of content that is linked now, or was ever to these badges."""
    rows = eligibility.enrolled(store, learner_ids, badge_ids)
    known = ((row, facts.whole(store, row.facts)) for row in rows)
    return [Session(row, whole, outcome(whole)) for row, whole in known]


def prospect(session: Session) -> Prospect:
    """Tell what a session means for its badge; nobody is promised what will not come (R30)."""
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


def in_progress(sessions: Iterable[Session], held: frozenset[str]) -> list[dict[str, Any]]:
    """Return the badges in progress: highest percentage first, unknown last, then by name (R28)."""
    by_badge: dict[str, list[Session]] = {}
    for session in sessions:
        if not (session.facts.once and session.enrolled.badge["id"] in held):
            by_badge.setdefault(session.enrolled.badge["id"], []).append(session)
    shown = [entry for group in by_badge.values() if (entry := _in_progress(group)) is not None]
    return sorted(shown, key=_by_progress)


def _in_progress(sessions: Sequence[Session]) -> dict[str, Any] | None:
    """Return one badge by the most promising of its content's sessions, ``None`` when none promises anything."""
    for kind in ("on-its-way", "waiting", "in-progress"):
        if found := [session for session in sessions if prospect(session) == kind]:
            best = max(found, key=lambda session: -1 if session.progress is None else session.progress)
            return {
                "badge": best.enrolled.badge,
                "content": best.enrolled.content,
                "progress": _plain(best.progress),
                "on_its_way": kind == "on-its-way",
                "url": best.enrolled.url,
            }
    return None


def _plain(progress: float | None) -> float | None:
    return int(progress) if progress is not None and progress == int(progress) else progress


def _by_progress(entry: dict[str, Any]) -> tuple[Any, ...]:
    unknown = entry["progress"] is None
    return (unknown, 0 if unknown else -entry["progress"], *_by_name(entry))


def _by_name(entry: dict[str, Any]) -> tuple[str, str]:
    return entry["badge"]["name"].casefold(), entry["badge"]["id"]


def discover(seen: Iterable[Discoverable], sessions: Iterable[Session], held: frozenset[str]) -> list[dict[str, Any]]:
    """Return the badges to discover, by name: not held, and with content that the learner never came to (R28)."""
    begun = {session.enrolled.badge["id"] for session in sessions if prospect(session) != "left"} | held
    new = {badge.badge["id"]: asdict(badge) for badge in seen if badge.badge["id"] not in begun}
    return sorted(new.values(), key=_by_name)


def earned(shown: Iterable[dict[str, Any]], *, hide_expired: bool) -> list[dict[str, Any]]:
    """Return the badges earned, newest first; expired ones are marked or hidden (R31)."""
    return [
        {
            **{key: entry[key] for key in ("id", "badge")},
            "content": entry["resource"],
            **{key: entry[key] for key in ("awarded_at", "expires_at", "expired", "state")},
            "url": entry["view_url"],
            "accept_url": entry["accept_url"],
        }
        for entry in shown
        if not (entry["expired"] and hide_expired)
    ]
