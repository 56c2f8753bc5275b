"""All that decides what becomes of a session for a badge, read in one place (R15-R23, R30).

Planning, ``missed``, ``widget``, ``explain`` and the last look before a grant is sent read these facts.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from credly_cli.credly.records import IssuedBadge
from credly_cli.identity import earner_id, email_key, marked_name, missing_names
from credly_cli.store import badges, grants, issued_badges, learners
from credly_cli.store.database import Row, Store
from credly_cli.store.denials import denied
from credly_cli.store.grants import NAMED_SINCE, Grant
from credly_cli.store.issued_badges import DaySession, UnownedBadge, match_days
from credly_cli.store.learners import Learner
from credly_cli.store.links import EndReason, Link
from credly_cli.store.schema import State
from credly_cli.store.views import WIRE_ID

_ROUNDS = 5  # marks that are looked for per session: a badge that a person granted again has one of its own
_ANY_MARK = "[a-z2-7]" * 16  # of any session, as SQLite's GLOB has it


@dataclass(frozen=True, slots=True)
class LearnerSession:
    """A learner's session of content, and when it was completed, as UTC text."""

    learner: int  # the store's own number
    learner_id: str | None  # as it goes out: of a named source where there is no other
    email: str
    first_name: str | None
    last_name: str | None
    content_id: str
    session_id: str  # "" of content without sessions
    completed_at: str | None


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """How a completion stands to one link that its content has or had with a badge (R4, R15)."""

    early: bool = False
    gap_started_at: str | None = None  # when the time without a connection began in which it was completed
    gap_ended_at: str | None = None
    ended_at: str | None = None
    end_reason: EndReason | None = None

    @property
    def counts(self) -> bool:
        """Whether the link counted, as long as it stood, what was completed then."""
        return not self.early and self.gap_started_at is None


@dataclass(frozen=True, slots=True)
class Facts(LearnerSession):
    """All that decides what becomes of one learner's session for one badge."""

    badge_id: str
    once: bool  # the badge forbids duplicates
    completed_latest: str | None
    links: tuple[LinkFacts, ...]  # of the badge to this content, the oldest first
    grant: State | None = None  # of the last round that was not cancelled, while it stands
    grant_round: int = 1  # of the grant that the completion would get
    dropped: bool = False  # ... cancelled by a person
    named_since: bool = False  # ... held for a name that is known by now
    lost: Literal["revoked", "deleted"] | None = None  # ... what became of the badge that it issued or was covered by
    on_its_way: int | None = None  # where the badge is earned once: an open grant of the learner
    has_badges: bool = False  # some such badge was issued to the learner, whatever became of it
    held: str | None = None  # an issued badge that the learner holds and that answers for this completion (R20)
    revoked_at: str | None = None  # when one that answers for it was revoked, after it was completed (R23)
    file: str | None = None  # the file that the completion came from
    forbidden: bool = False  # Credly did not let the badge be issued when it was last tried (R33)
    braked: bool = False  # the last plan kept back what its link would issue (R32)
    denied: bool = False  # a later file denies the completion, and nobody said since that its badge is to be sent

    @property
    def linked(self) -> bool:
        """Whether the badge is linked to the content now."""
        return bool(self.links) and self.links[-1].ended_at is None

    @property
    def counts(self) -> bool:
        """Whether it is completed, and the link that stands counts that."""
        return self.completed_at is not None and self.linked and self.links[-1].counts

    @property
    def names_known(self) -> bool:
        """Whether the learner has a first and a last name, without which nothing is sent (R21)."""
        return not missing_names(self.first_name, self.last_name)


# Whether a grant `g` by hand issued a badge that was lost before the session `x` was completed, and so does not stand
# any more (R22).
_LOST_BEFORE = (
    "(SELECT coalesce(i.deleted_at, iif(i.state = 'revoked', ifnull(i.state_updated_at, i.stored_at), NULL))"
    " <= x.completed_at FROM issued_badges i"
    " WHERE g.reason = 'manual' AND g.state = 'issued' AND i.id = g.issued_badge_id)"
)

# A row for each link. Of the grants of a session the last round speaks, of those that stand before cancelled ones.
FACTS = f"""
x.learner, {WIRE_ID} AS learner_id, p.email, p.first_name, p.last_name, x.badge_id, NOT b.allow_duplicates AS once,
x.content_id, x.session_id, x.file, {denied("x")} AS denied,
x.completed_at, x.completed_latest, x.early, x.gap_started_at, x.gap_ended_at, x.ended_at, x.end_reason,
x.braked, x.forbidden,
g.state AS grant_state, ifnull(g.round, 1) AS round, ifnull({_LOST_BEFORE}, 0) AS lost_before,
ifnull(g.dropped, 0) AS dropped, ifnull({NAMED_SINCE}, 0) AS named_since,
(SELECT CASE WHEN i.state = 'revoked' THEN 'revoked' WHEN i.deleted_at IS NOT NULL THEN 'deleted' END
  FROM issued_badges i WHERE i.id = coalesce(g.issued_badge_id, g.covered_by,
    (SELECT o.issued_badge_id FROM grants o WHERE o.id = g.covered_by_grant))) AS lost,
(SELECT min(o.id) FROM grants o WHERE NOT b.allow_duplicates AND o.learner = x.learner AND o.badge_id = x.badge_id
  AND o.state IN ('planned', 'sending', 'uncertain', 'held')) AS on_its_way,
EXISTS (SELECT 1 FROM learner_issued_badges m WHERE m.learner = x.learner AND m.badge_id = x.badge_id) AS has_badges
"""
FACTS_FROM = """
CROSS JOIN learners p ON p.id = x.learner CROSS JOIN badges b ON b.id = x.badge_id
LEFT JOIN grants g ON g.id = (
  SELECT id FROM grants WHERE badge_id = x.badge_id AND learner = x.learner AND content_id = x.content_id
  AND session_id = x.session_id ORDER BY state = 'cancelled' AND NOT dropped, round DESC LIMIT 1)
"""


def _row_of(store: Store, link: Link, learner: int, session_id: str) -> Facts:
    """Read the facts of one session for the badge of a link that stands."""
    sql = (
        f"SELECT {FACTS} FROM enrollment_links x {FACTS_FROM}"
        " WHERE x.link_id = ? AND x.learner = ? AND x.session_id = ?"
    )
    row = store.row(sql, (link.id, learner, session_id))
    if row is None:
        raise LookupError((link.id, learner, session_id))
    return facts_from([row])


def _completed(store: Store, badge_id: str, content_id: str) -> Iterator[Facts]:
    """Read the facts of all completions of content that a badge is or was linked to."""
    sql = (
        f"SELECT {FACTS} FROM enrollment_links x {FACTS_FROM} WHERE x.badge_id = ? AND x.content_id = ?"
        " AND x.completed_at IS NOT NULL ORDER BY x.learner, x.session_id, x.link_id"
    )
    rows = store.each(sql, (badge_id, content_id))
    for _, links in groupby(rows, lambda row: (row["learner"], row["session_id"])):
        yield facts_from(list(links))


def facts_from(rows: Sequence[Row]) -> Facts:
    """Make the facts of one session from its rows, one for each link, the oldest first."""
    row = rows[-1]
    return Facts(
        learner=row["learner"],
        learner_id=row["learner_id"],
        email=row["email"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        badge_id=row["badge_id"],
        once=bool(row["once"]),
        content_id=row["content_id"],
        session_id=row["session_id"],
        completed_at=row["completed_at"],
        completed_latest=row["completed_latest"],
        links=tuple(
            LinkFacts(
                bool(link["early"]), link["gap_started_at"], link["gap_ended_at"], link["ended_at"], link["end_reason"]
            )
            for link in rows
        ),
        grant=None if row["lost_before"] else row["grant_state"],
        grant_round=row["round"] + 1 if row["lost_before"] else row["round"],
        dropped=bool(row["dropped"]),
        named_since=bool(row["named_since"]),
        lost=None if row["lost_before"] else row["lost"],
        on_its_way=row["on_its_way"],
        has_badges=bool(row["has_badges"]),
        file=row["file"],
        forbidden=bool(row["forbidden"]),
        braked=bool(row["braked"]),
        denied=bool(row["denied"]),
    )


def of_session(store: Store, link: Link, learner: int, session_id: str) -> Facts:
    """Read all facts of one session for the badge of a link that stands."""
    return whole(store, _row_of(store, link, learner, session_id))


def of_completions(store: Store, badge_id: str, content_id: str) -> Iterator[Facts]:
    """Read all facts of the completions of content that a badge is or was linked to."""
    return (whole(store, facts) for facts in _completed(store, badge_id, content_id))


def of_grant(store: Store, grant: Grant) -> Facts:
    """Read the facts of the completion of a grant, or of the moment that it is dated by, as if it was not planned."""
    known = Facts(
        **{name: getattr(grant, name) for name in LearnerSession.__slots__ if name != "completed_at"},
        completed_at=grant.issued_at,
        completed_latest=grant.issued_at,
        badge_id=grant.badge_id,
        once=grant.earned_once,
        links=(LinkFacts(),),
        has_badges=True,
    )
    return whole(store, known)


def session_of(
    store: Store, learner: Learner, content_id: str, session_id: str, completed_at: str | None = None
) -> LearnerSession:
    """Return a learner's session, completed or not."""
    learner_id = learner.learner_id or next(iter(learners.sourced_ids(store, learner.id)), None)
    return LearnerSession(
        learner.id, learner_id, learner.email, learner.first_name, learner.last_name, content_id, session_id,
        completed_at,
    )  # fmt: skip


def of_others(store: Store, email: str, meant: Sequence[int]) -> set[str]:
    """Return the badges that were issued for others who share the address of whoever is meant."""
    sharing = {learner.id for learner in learners.of_email(store, email)}
    others = sharing.difference(meant)
    return grants.issued_to(store, others) if others else set()


def holds(store: Store, session: LearnerSession, badge_id: str, found: Iterable[IssuedBadge]) -> bool:
    """Tell whether the learner holds any of the badges found by address and id (R20, R22).

    One that may be earned again is not held by all who share the address, where it is known for whom it was issued.
    """
    held = [badge for badge in found if badge.held]
    if held and badges.allows_duplicates(store, badge_id):
        others = of_others(store, session.email, [session.learner])
        return any(badge.id not in others and not _is_anothers(store, badge.earner_id, session) for badge in held)
    return bool(held)


def whole(store: Store, facts: Facts) -> Facts:
    """Add to what is known of a session the issued badges that answer for it."""
    granted = facts.grant not in (None, "cancelled") and facts.lost is None
    if granted or facts.completed_at is None or not facts.has_badges:
        return facts
    if facts.once:
        held, revoked_at = issued_badges.of_kind(store, facts.learner, facts.badge_id, facts.completed_at)
        return replace(facts, held=held, revoked_at=revoked_at)
    return _of_session(store, facts)


def _of_session(store: Store, facts: Facts) -> Facts:
    """Find the badge of a kind that each session earns: by this session's mark, else by the second, else by the day."""
    marked = _of_marks(store, facts, facts.badge_id)
    held = next((badge.id for badge in marked if not badge.is_revoked), None)
    if marked:
        revoked = [badge.moved_at for badge in marked if badge.is_revoked]
        return replace(facts, held=held, revoked_at=min(revoked) if revoked and not held else None)
    of_day = _of_day(store, facts, facts.badge_id)
    if not of_day:
        return facts
    answering = match_days(_sessions_of_day(store, facts, facts.badge_id), of_day)
    badge = answering.get((facts.content_id, facts.session_id, facts.learner))
    if badge is None:
        return facts
    return replace(facts, revoked_at=badge.moved_at) if badge.is_revoked else replace(facts, held=badge.id)


def _of_marks(store: Store, session: LearnerSession, badge_id: str) -> list[UnownedBadge]:
    """Return the badges that no grant owns and that bear a mark of this session."""
    if not issued_badges.has_marked(store, badge_id, _marked_names(session)):
        return []  # mostly: the marks cost more than this
    return issued_badges.unowned_of_marks(store, badge_id, _marks(store, session, badge_id))


def _of_day(store: Store, session: LearnerSession, badge_id: str) -> list[UnownedBadge]:
    """Return the badges of the completion's day that no grant owns: without a mark of ours, or with the id alone."""
    day, others = _day_of(session), [f"{name}~{_ANY_MARK}" for name in _names(session)]
    unowned = issued_badges.unowned_of_day(store, session.learner, _names(session), badge_id, day, others)
    return [badge for badge in unowned if not _is_anothers(store, badge.earner_id, session)]


# Who has one of a learner's addresses, or had it: what was sent to it then may be theirs.
_SHARING = """
(SELECT :learner AS id UNION
 SELECT o.learner FROM learner_addresses a CROSS JOIN learner_addresses o ON o.email_key = a.email_key
 WHERE a.learner = :learner UNION
 SELECT f.learner FROM learner_addresses a CROSS JOIN former_emails f ON f.email_key = a.email_key
 WHERE a.learner = :learner) who
"""
_SESSIONS_OF_DAY = f"""
SELECT p.id, {WIRE_ID} AS learner_id, p.email, x.content_id, x.session_id, x.completed_at, x.counts, (
  SELECT iif(state = 'cancelled', iif(dropped, 'dropped', NULL), state) FROM grants g WHERE
  g.badge_id = x.badge_id AND g.learner = x.learner AND g.content_id = x.content_id
  AND g.session_id = x.session_id ORDER BY state = 'cancelled' AND NOT dropped, round DESC LIMIT 1) AS state
FROM {_SHARING} CROSS JOIN learners p ON p.id = who.id CROSS JOIN enrollment_links x ON x.learner = p.id
WHERE x.badge_id = :badge_id AND x.ended_at IS NULL AND substr(x.completed_at, 1, 10) = :day
"""
_IN_DOUBT_OF_DAY = f"""
SELECT g.content_id, g.session_id, g.issued_at AS completed_at, 1 AS by_second, g.learner
FROM {_SHARING} CROSS JOIN grants g ON g.learner = who.id
WHERE g.badge_id = :badge_id AND g.state IN ('sending', 'uncertain') AND substr(g.issued_at, 1, 10) = :day
"""


def _sessions_of_day(store: Store, session: LearnerSession, badge_id: str) -> list[DaySession]:
    """Return the sessions that compete for badges of a day: this one, and those that have no badge of their own.

    What is in doubt competes by the second that was sent, and so do sessions of others who have or had the address.
    """
    values = {"learner": session.learner, "badge_id": badge_id, "day": _day_of(session)}
    this = DaySession(session.content_id, session.session_id, session.completed_at or "", learner=session.learner)
    in_doubt = {one.key: one for one in store.records(DaySession, _IN_DOUBT_OF_DAY, values) if one.key != this.key}
    others = []
    for row in store.rows(_SESSIONS_OF_DAY, values):
        by_second = not row["counts"] or row["state"] == "failed" or row["id"] != this.learner
        other = DaySession(row["content_id"], row["session_id"], row["completed_at"], by_second, row["id"])
        settled = other.key in in_doubt or row["state"] in ("issued", "covered", "dropped")
        named = replace(
            session, learner=row["id"], learner_id=row["learner_id"], email=row["email"],
            content_id=other.content_id, session_id=other.session_id,
        )  # fmt: skip
        if other.key != this.key and not settled and not _of_marks(store, named, badge_id):
            others.append(other)
    return [this, *in_doubt.values(), *others]


def _is_anothers(store: Store, mark: str | None, session: LearnerSession) -> bool:
    """Tell whether a badge bears the mark of somebody else: at the same address, now or before, or known by the id."""
    name, tilde, _ = (mark or "").partition("~")
    if not name:
        return False
    keys = {email_key(session.email), *learners.addresses(store, [session.learner])}
    # an id alone may be of another's numbering, and says something only of who had the address
    known = learners.candidates(store, [("", name)] if tilde else [], keys)
    others = [other for other in known if other.id != session.learner]
    named, names_of = (marked_name, _marked_names) if tilde else (earner_id, _names)
    ids = ((other, (other.learner_id, *learners.sourced_ids(store, other.id))) for other in others)
    return name not in names_of(session) and any(
        name == named(learner_id, email)
        for other, known_as in ids
        for learner_id in known_as
        for email in (other.email, session.email)
    )


def _day_of(session: LearnerSession) -> str:
    """Return the day of a session that is completed, as ``2026-03-02``."""
    return (session.completed_at or "")[:10]


def _names(session: LearnerSession) -> set[str]:
    """Return what the learner may have been called on the wire: by id, or by email before the id was known."""
    return {earner_id(session.learner_id, session.email), earner_id(None, session.email)}


def _marked_names(session: LearnerSession) -> set[str]:
    """Return what stands before the mark, where a badge bears one of this learner."""
    return {marked_name(learner_id, session.email) for learner_id in (session.learner_id, None)}


def _marks(store: Store, session: LearnerSession, badge_id: str) -> list[str]:
    """Return what a badge for this session may bear, also one of a store that is lost."""
    organization_id = _organization(store)
    known = {session.learner_id, None, *learners.sourced_ids(store, session.learner)}
    return [
        wire_id(replace(session, learner_id=learner_id), organization_id, badge_id, once=False, grant_round=number)
        for learner_id in known
        for number in range(1, _ROUNDS + 1)
    ]


def mark_of(store: Store, known: Facts) -> str:
    """Return the ``issuer_earner_id`` of the badge that a completion earns."""
    organization_id = _organization(store)
    return own_wire_id(store, known, organization_id, known.badge_id, once=known.once, grant_round=known.grant_round)


def _organization(store: Store) -> str:
    return str(store.value("SELECT organization_id FROM connection"))


def own_wire_id(
    store: Store, session: LearnerSession, organization_id: str, badge_id: str, *, once: bool, grant_round: int
) -> str:
    """Return the ``issuer_earner_id`` of a grant to be made; an id under which badges went to somebody else is none.

    The LMS has given such an id to another since (R25); by their address they are told apart.
    """
    names = {named(session.learner_id, session.email) for named in (earner_id, marked_name)}
    if session.learner_id and issued_badges.went_to_another(store, session.learner, names):
        session = replace(session, learner_id=None)
    return wire_id(session, organization_id, badge_id, once=once, grant_round=grant_round)


def wire_id(session: LearnerSession, organization_id: str, badge_id: str, *, once: bool, grant_round: int = 1) -> str:
    """Return the ``issuer_earner_id`` of a grant: the learner's id, with the grant's mark unless earned once (R17)."""
    if once:
        return earner_id(session.learner_id, session.email)
    place = session.session_id or session.content_id
    name = earner_id(session.learner_id, session.email)
    suffix = "" if grant_round == 1 else f"|{grant_round}"
    return earner_id(session.learner_id, session.email, f"{organization_id}|{badge_id}|{name}|{place}{suffix}")
