"""What is really so in a random history, whatever the program believes; and what it must never do.

The stand-in is the oracle: it knows each badge that was issued, and what was sent for it. Four kinds of harm are told
apart: a badge that is *doubled*, a completion whose badge is *lost*, a badge that is *given to the wrong person*, and a
grant that is *bound* to another badge than its own.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Literal

from credly_cli.identity import earner_id
from credly_cli.sandbox.records import EarnedBadge, Request
from tests.support.desk import Desk
from tests.support.world import ONCE, REPEATABLE, SESSIONS

Key = tuple[int, str, str]  # learner, content, session
Harm = Literal["doubled", "lost", "given to the wrong person", "bound to another"]

MARCH, APRIL, ARTICLE = ("first-aid", SESSIONS[0]), ("first-aid", SESSIONS[1]), ("hygiene", "")
BADGE_OF = {"first-aid": REPEATABLE, "hygiene": ONCE}
SHARED = "desk@example.org"  # the address of learners 3 and 4
WITHOUT_ID, MERGED_INTO = 5, 6  # learner 5 is known by address alone, and may turn out to be learner 6
PEOPLE = range(1, 7)


class HarmError(AssertionError):
    """The program has done what it must never do."""

    def __init__(self, harm: Harm, evidence: object) -> None:
        super().__init__(f"{harm}: {evidence}")
        self.harm = harm


@dataclass
class Truth:
    """Who is who, who completed what, and what of it counts."""

    desk: Desk
    completed: dict[Key, str] = field(default_factory=dict)  # when
    enrolled: set[Key] = field(default_factory=set)
    counted: set[Key] = field(default_factory=set)  # what was completed while its badge was linked
    linked: set[str] = field(default_factory=set)
    dropped: set[Key] = field(default_factory=set)
    merged: bool = False
    once_may_double: bool = False  # the badge that is earned once has come to allow duplicates
    granted_by_hand: bool = False  # since the last copy of the store
    moved: bool = False  # somebody has another address since the last copy of the store

    def __post_init__(self) -> None:
        self.emails = {one: f"l{one}@example.org" for one in PEOPLE} | {3: SHARED, 4: SHARED}
        self.ever: dict[int, set[str]] = {one: {email} for one, email in self.emails.items()}
        self.names = {one: (f"First{one}", f"Last{one}") for one in PEOPLE}
        self.names[WITHOUT_ID] = self.names[MERGED_INTO]
        self.harm: list[HarmError] = []  # seen while a request was under way
        self.suspects: dict[str, str] = {}  # by what was sent: why it would be one too many
        self._begun, self._trouble, self._by_hand = 0, 0, False
        self.desk.sandbox.watch = self.watch

    # People

    def learner_id(self, learner: int) -> str:
        """Return the id of a learner in the LMS."""
        if learner == WITHOUT_ID:
            return f"id{MERGED_INTO}" if self.merged else ""
        return f"id{learner}"

    def moves(self, learner: int, email: str) -> None:
        """Give a learner another address."""
        self.emails[learner] = email
        self.ever[learner].add(email)
        self.moved = True

    def row(self, learner: int) -> str:
        """Return the row of a file of learners."""
        return ",".join((self.learner_id(learner), self.emails[learner], *self.names[learner]))

    def merge(self) -> None:
        """The learner without an id has one, under which somebody with another address was known."""
        self.moved = self.moved or not self.merged
        self.merged = True
        self.emails[MERGED_INTO] = self.emails[WITHOUT_ID]
        self.ever[MERGED_INTO] |= self.ever[WITHOUT_ID]
        self.ever[WITHOUT_ID] = self.ever[MERGED_INTO]

    def sessions_of(self, key: Key) -> set[Key]:
        """Return the sessions that are one, as two learners turned out to be one."""
        if self.merged and key[0] in (WITHOUT_ID, MERGED_INTO):
            return {(one, *key[1:]) for one in (WITHOUT_ID, MERGED_INTO)}
        return {key}

    def completed_at(self, key: Key) -> str | None:
        """Return when a session was completed, under whichever name; the LMS denies nothing that it has told."""
        return self.completed.get(key) or next(
            filter(None, map(self.completed.get, sorted(self.sessions_of(key)))), None
        )

    def marks(self, key: Key) -> set[str]:
        """Return what may have been sent as the id of the badge for a session."""
        return set().union(*(self._marks(one) for one in self.sessions_of(key)))

    def _marks(self, key: Key) -> frozenset[str]:
        return _marks_of(key, self.emails[key[0]], self._badge_id(key[1]), self.desk.sandbox.organization_id)

    def _badge_id(self, content: str) -> str:
        return self.desk.badge_id(BADGE_OF[content])

    # What Credly has

    def ours(self, badge: EarnedBadge) -> str | None:
        """Return the id that was sent for a badge; ``None`` for one that was issued elsewhere."""
        return self.desk.sandbox.earner_ids_sent.get(badge.id)

    def issued_for(self, content: str) -> dict[str, EarnedBadge]:
        """Return the badges of content that the program has issued, by the id that was sent."""
        return {mark: badge for badge in self.desk.issued(BADGE_OF[content]) if (mark := self.ours(badge))}

    def elsewhere(self, content: str) -> list[EarnedBadge]:
        """Return the badges of content that somebody else has issued."""
        return [badge for badge in self.desk.issued(BADGE_OF[content]) if self.ours(badge) is None]

    # While requests are under way

    def begin_command(self, *, by_hand: bool = False) -> None:
        """Note what is there as a command begins."""
        badges = self.desk.sandbox.book.in_order
        self._begun = badges[-1].number if badges else 0
        self._by_hand, self._trouble = by_hand, self._faults_of_reading()

    def _faults_of_reading(self) -> int:
        return sum(fault.fired for fault in self.desk.sandbox.faults.scripted if fault.method != "POST")

    def watch(self, request: Request) -> None:
        """Look at each request to issue as it arrives."""
        if request.method != "POST" or not request.path.endswith("/badges"):
            return
        sent = json.loads(request.body)
        key = self._key_of(sent)
        if key is None:
            self.harm.append(HarmError("given to the wrong person", ("nobody's", sent)))
            return
        names = (sent["issued_to_first_name"], sent["issued_to_last_name"])
        if (sent["recipient_email"], names) != (self.emails[key[0]], self.names[key[0]]):
            self.harm.append(HarmError("given to the wrong person", (sent, self.row(key[0]))))
        if (why := self._why_one_too_many(key, sent)) is not None:
            self.suspects[sent["issuer_earner_id"]] = why

    def _key_of(self, sent: Mapping[str, Any]) -> Key | None:
        mark, badge_id = sent["issuer_earner_id"], sent["badge_template_id"]
        keys = (key for key in sorted(self.enrolled) if self._badge_id(key[1]) == badge_id)
        return next((key for key in keys if mark in self.marks(key)), None)

    def _why_one_too_many(self, key: Key, sent: Mapping[str, Any]) -> str | None:
        """Tell why a badge is not to be issued: one of elsewhere answers for it that this command has read."""
        if self._faults_of_reading() != self._trouble:
            return None  # it could not know
        email = sent["recipient_email"]
        theirs = [
            badge
            for badge in self.elsewhere(key[1])
            if badge.number <= self._begun and badge.email.casefold() == email.casefold()
            if not (self._by_hand and badge.email != email)  # whose spelling no list has told yet
        ]
        if key[1] == "hygiene":
            return f"held: {_in_brief(theirs)}" if theirs and not self.once_may_double else None
        at = datetime.fromisoformat(sent["issued_at"]).strftime("%Y-%m-%dT%H:%M:%S")
        of_day = [badge for badge in theirs if badge.details.issued_at[:10] == at[:10]]
        if any(badge.details.issued_at[:19] == at for badge in of_day):
            return f"one of that second: {_in_brief(of_day)}"
        free = len(of_day) > self._competitors(key, email, at[:10], of_day)
        return f"one of that day is free: {_in_brief(of_day)}" if free else None

    def _competitors(self, key: Key, email: str, day: str, badges: Sequence[EarnedBadge]) -> int:
        """Count the other sessions of a day for which one of these badges may stand: that had no own one before."""
        first = min((badge.number for badge in badges), default=0)
        own_before = {mark for mark, badge in self.issued_for("first-aid").items() if badge.number < first}
        others = {
            other
            for other, at in self.completed.items()
            if other[1] == "first-aid" and at[:10] == day and email in self.ever[other[0]]
            if other not in self.sessions_of(key) and not self.marks(other) & own_before
        }
        return len(others)

    # What must hold at any moment

    def check(self) -> None:
        """Raise ``HarmError`` where the program has done harm."""
        for harm in self.harm:
            raise harm
        marks = Counter((badge.template_id, mark) for badge in self.desk.issued() if (mark := self.ours(badge)))
        if any(count > 1 for count in marks.values()):
            raise HarmError("doubled", marks)
        names = Counter(mark.partition("~")[0] for mark in self.issued_for("hygiene"))
        if any(count > 1 for count in names.values()):
            raise HarmError("doubled", names)
        for _, mark in marks:
            if mark in self.suspects:
                raise HarmError("doubled", (mark, self.suspects[mark]))
        for key in self.enrolled - self.dropped:  # what was dropped in doubt may be granted by hand beside a late badge
            if len(self._marks(key) & self.issued_for(key[1]).keys()) > 1:
                raise HarmError("doubled", (key, _in_brief(self.issued_for(key[1]).values())))
        self._check_bonds()

    def _check_bonds(self) -> None:
        """Each issued grant has the badge that was issued for it, or one of its second that bears no mark."""
        badges = {badge.id: badge for badge in self.desk.issued()}
        for issued_badge_id, mark, issued_at in self.rows(
            "SELECT issued_badge_id, earner_id, issued_at FROM grants WHERE state = 'issued'"
        ):
            badge = badges[issued_badge_id]
            sent = self.ours(badge)
            if sent != mark and not (sent is None and badge.details.issued_at[:19] == issued_at[:19]):
                raise HarmError("bound to another", (mark, _in_brief([badge])))

    def rows(self, sql: str) -> Sequence[Any]:
        """Ask the store, past the program."""
        path = self.desk.home / "credly.db"
        if not path.exists():
            return []
        with closing(sqlite3.connect(path)) as store:
            return store.execute(sql).fetchall()

    # What must hold in the end

    def check_end(self) -> None:
        """What counts has its badge, but for what somebody dropped; and no badge is for what never was."""
        self.check()
        for content in BADGE_OF:
            issued = self.issued_for(content)
            open_keys = [key for key in self._wanted(content) if not self.marks(key) & issued.keys()]
            if content == "hygiene":
                lost = [key for key in open_keys if not self._holds_once(key[0])]
            else:
                lost = self._unanswered(open_keys)
            if lost:
                raise HarmError("lost", (lost, self.rows("SELECT * FROM grants")))
            known = set().union(*map(self.marks, self.enrolled)) if self.enrolled else set()
            if not issued.keys() <= known:
                raise HarmError("given to the wrong person", issued.keys() - known)

    def _wanted(self, content: str) -> Iterator[Key]:
        """Return what counts, each session of those who turned out to be one only once."""
        seen = set[Key]()
        for key in sorted(self.counted):
            sessions = self.sessions_of(key)
            if key[1] == content and not sessions & (self.dropped | seen):
                yield key
            seen |= sessions

    def _holds_once(self, learner: int) -> bool:
        """Tell whether Credly has the badge under an address of the learner's: it refuses another one."""
        addresses = {email.casefold() for email in self.ever[learner]}
        return any(badge.email.casefold() in addresses for badge in self.desk.issued(ONCE))

    def _unanswered(self, keys: Iterable[Key]) -> list[Key]:
        """Return the sessions for which no badge of their day, issued elsewhere, stands; each stands for one."""
        fitting = {key: [badge.id for badge in self.elsewhere("first-aid") if self._fits(badge, key)] for key in keys}
        taken: dict[str, Key] = {}
        return [key for key in fitting if not _takes(key, fitting, taken, set())]

    def _fits(self, badge: EarnedBadge, key: Key) -> bool:
        addresses = {email.casefold() for email in self.ever[key[0]]}
        return badge.email.casefold() in addresses and badge.details.issued_at[:10] == self.completed[key][:10]


@cache
def _marks_of(key: Key, email: str, badge_id: str, organization_id: str) -> frozenset[str]:
    learner, content, session = key
    learner_id = None if learner == WITHOUT_ID else f"id{learner}"
    earner = earner_id(learner_id, email)
    where = f"{organization_id}|{badge_id}|{earner}|{session or content}"
    rounds = (where, *(f"{where}|{number}" for number in range(2, 6)))  # what a person grants again has one more
    return frozenset({earner, *(earner_id(learner_id, email, one) for one in rounds)})


def _in_brief(badges: Iterable[EarnedBadge]) -> list[tuple[str, str, str | None]]:
    return [(badge.email, badge.details.issued_at, badge.details.issuer_earner_id) for badge in badges]


def _takes(key: Key, fitting: Mapping[Key, Sequence[str]], taken: dict[str, Key], tried: set[str]) -> bool:
    """Let a session take a badge that fits, if need be from another that can take one as well."""
    for badge in fitting[key]:
        if badge not in tried:
            tried.add(badge)
            if badge not in taken or _takes(taken[badge], fitting, taken, tried):
                taken[badge] = key
                return True
    return False
