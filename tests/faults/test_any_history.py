"""Scenario H 76: whatever happens in whatever order, no completion earns two badges, and in the end each has its own.

The stand-in is the oracle. The normal run tries a few histories, always the same ones. To try thousands of others:

    HYPOTHESIS_PROFILE=torture HYPOTHESIS_EXAMPLES=2000 python -m pytest tests/faults/test_any_history.py

A history that fails is printed as a test of plain calls; as such it is kept below the machine once it is mended.
"""

import os
import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from credly_cli.identity import earner_id
from credly_cli.store.lock import locked
from tests.faults.conftest import linked_desk
from tests.support import faults
from tests.support.desk import Desk
from tests.support.world import ONCE, REPEATABLE, SESSIONS, KilledError, World, killed_at

pytestmark = pytest.mark.slow

SHARED = "desk@example.org"  # the address of learners 3 and 4
WITHOUT_ID, MERGED_INTO = 5, 6  # learner 5 is known by address alone, and may turn out to be learner 6
LEARNERS = st.integers(1, 6)
Key = tuple[int, str, str]  # learner, content, session
PLACES = st.sampled_from([("first-aid", SESSIONS[0]), ("first-aid", SESSIONS[1]), ("hygiene", "")])
BADGE_OF = {"first-aid": REPEATABLE, "hygiene": ONCE}
FAULTS = {
    "lost-request": faults.drops(),
    "lost-answer": faults.loses_answer(),
    "late": faults.applies_late(400),
    "500": faults.answers(500),
    "500-after": faults.works_then_answers(500),
    "429": faults.answers(429, Retry_After="2"),
    "401": faults.answers(401),
    "unreachable": faults.unreachable(),
    "redirect": faults.redirects("https://elsewhere.example/"),
    "nonsense": faults.works_then_answers(201, b"{}"),
    "422": faults.answers(422),
}
NAMES = "learner_id,email,first_name,last_name\n"
METHODS = st.sampled_from(["POST", "POST", "GET"])


def names_of(learner: int) -> str:
    """First and last name: each has others, but for the two who turn out to be one."""
    number = MERGED_INTO if learner == WITHOUT_ID else learner
    return f"First{number},Last{number}"


settings.register_profile(
    "short", max_examples=20, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck),
    derandomize=True, database=None,
)  # fmt: skip
settings.register_profile(
    "torture", max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "2000")), stateful_step_count=30, deadline=None,
    suppress_health_check=list(HealthCheck), print_blob=True,
)  # fmt: skip


class AnyHistory(RuleBasedStateMachine):
    """A world to which anything may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="credly-history-"))
        (self.folder / "home").mkdir(mode=0o700)
        self.world = World(Desk(self.folder / "home"))
        self.completed: dict[Key, str] = {}  # when
        self.enrolled: set[Key] = set()
        self.counted: set[Key] = set()  # what was completed while its badge was linked
        self.linked: set[str] = set()
        self.emails = {3: SHARED, 4: SHARED}
        self.merged = False
        self.dropped: set[Key] = set()
        self.lost_history = False  # a restore may bring back an earlier link or address
        self.copy: Path | None = None
        self.skew = timedelta()  # how far this machine's clock is ahead of everybody else's
        self.desk.sandbox.now = self.right_time

    def right_time(self) -> datetime:
        return self.desk.clock.now() - self.skew

    @property
    def desk(self) -> Desk:
        return self.world.desk

    @initialize(name=st.sampled_from(sorted(FAULTS)), nth=st.integers(1, 6), killed=st.integers(1, 20))
    def begin(self, name: str, nth: int, killed: int) -> None:
        """Begin where much is under way already: of seven completions one meets a fault, and the run may be killed."""
        linked_desk(self.desk)
        self.linked = {"first-aid", "hygiene"}
        self.desk.pass_time(hours=1)
        march, april, article = ("first-aid", SESSIONS[0]), ("first-aid", SESSIONS[1]), ("hygiene", "")
        for learner, place in ((1, march), (1, april), (1, article), (3, march), (4, march), (5, march), (6, article)):
            self.complete(learner, place)
        self.back_up()
        self.fault(name, "POST", nth=nth, times=1)
        self.kill(killed, before=False)

    def email(self, learner: int) -> str:
        return self.emails.get(learner, f"l{learner}@example.org")

    def learner_id(self, learner: int) -> str:
        if learner == WITHOUT_ID:
            return f"id{MERGED_INTO}" if self.merged else ""
        return f"id{learner}"

    def tell(self, key: Key, status: str) -> None:
        learner, content, session = key
        header = "learner_id,email,content_id,session_id,status,completed_at,first_name,last_name\n"
        row = f"{self.learner_id(learner)},{self.email(learner)},{content},{session},{status},{names_of(learner)}\n"
        self.desk.imports("progress", header + row)

    @rule(learner=LEARNERS, place=PLACES)
    def enroll(self, learner: int, place: tuple[str, str]) -> None:
        self.enrolled.add((learner, *place))
        self.tell((learner, *place), "started,")

    @rule(learner=LEARNERS, place=PLACES)
    def complete(self, learner: int, place: tuple[str, str]) -> None:
        key = (learner, *place)
        self.desk.pass_time(seconds=61)
        at = self.completed.setdefault(key, self.right_time().strftime("%Y-%m-%dT%H:%M:%SZ"))
        self.enrolled.add(key)
        if place[0] in self.linked:
            self.counted.add(key)
        self.tell(key, f"completed,{at}")
        self.desk.pass_time(seconds=61)

    @rule(learner=LEARNERS, place=PLACES, name=st.sampled_from(sorted(FAULTS)))
    def complete_in_trouble(self, learner: int, place: tuple[str, str], name: str) -> None:
        """What matters most, at once: something goes wrong with the very request that is sent for it."""
        self.complete(learner, place)
        self.fault(name, "POST", nth=1, times=1)
        self.run()

    @rule(learner=st.sampled_from([1, 2, MERGED_INTO]))
    def change_email(self, learner: int) -> None:
        if any(key[0] == learner for key in self.enrolled) and not self.merged:
            self.emails[learner] = f"l{learner}-{len(self.emails)}@other.example"
            self.desk.imports("learners", f"{NAMES}id{learner},{self.email(learner)},{names_of(learner)}\n")

    @rule()
    def two_turn_out_to_be_one(self) -> None:
        """The learner without an id has one, under which somebody with another address was known."""
        self.merged = True
        self.emails[MERGED_INTO] = self.email(WITHOUT_ID)
        self.desk.imports("learners", f"{NAMES}id{MERGED_INTO},{self.email(MERGED_INTO)},{names_of(MERGED_INTO)}\n")

    @rule(learner=LEARNERS, content=st.sampled_from(sorted(BADGE_OF)))
    def grant_by_hand(self, learner: int, content: str) -> None:
        ran = self.desk.run("grant", self.email(learner), BADGE_OF[content], "--json")
        assert ran.code in (0, 3, 4, 5, 6, 75, 78), ran

    @rule()
    def retry(self) -> None:
        assert self.desk.run("retry").code == 0

    @rule()
    def run(self) -> None:
        self.desk.run("sync", "--json")

    @rule(seconds=st.sampled_from([5, 90, 400, 1000]))
    def run_later(self, seconds: int) -> None:
        self.desk.pass_time(seconds=seconds)
        self.desk.run("sync", "--json")

    @rule(name=st.sampled_from(sorted(FAULTS)), method=METHODS, nth=st.integers(1, 4), times=st.integers(1, 3))
    def fault(self, name: str, method: str, nth: int, times: int) -> None:
        self.desk.sandbox.faults.add(FAULTS[name], method, "/badges", nth=nth, times=times)

    @rule(number=st.integers(1, 12), before=st.booleans())
    def kill(self, number: int, before: bool) -> None:
        with killed_at(number, before_commit=before), suppress(KilledError):
            self.desk.run("sync", "--json")

    @rule(learner=LEARNERS, content=st.sampled_from(sorted(BADGE_OF)), number=st.integers(1, 6), before=st.booleans())
    def kill_by_hand(self, learner: int, content: str, number: int, before: bool) -> None:
        with killed_at(number, before_commit=before), suppress(KilledError):
            self.grant_by_hand(learner, content)

    @rule()
    def overlap(self) -> None:
        with locked(self.desk.home / "credly.db.lock", 0, self.desk.clock):
            assert self.desk.run("sync", "--lock-wait", "0", "--json").code == 75

    @rule()
    def back_up(self) -> None:
        self.copy = Path(tempfile.mkdtemp(dir=self.folder))
        for path in self.world.store_files():
            shutil.copy2(path, self.copy / path.name)

    @precondition(lambda self: self.copy is not None)
    @rule()
    def restore(self) -> None:
        assert self.copy is not None
        self.world.lose_store(with_lock=False)
        for path in self.copy.iterdir():
            shutil.copy2(path, self.desk.home / path.name)
        for key, at in self.completed.items():  # the LMS tells it all again
            self.tell(key, f"completed,{at}")
        self.lost_history = True
        self.linked = {content for content in BADGE_OF if self.is_linked(content)}

    def is_linked(self, content: str) -> bool:
        return any(row["content"] and row["content"]["id"] == content for row in self.desk.json("badges"))

    @rule(hours=st.sampled_from([-20, -1, 1, 20]))
    def clock_jumps(self, hours: int) -> None:
        """This machine's clock is put forward or back, within a day of the right time; Credly's own goes on."""
        if abs(self.skew + timedelta(hours=hours)) < timedelta(hours=21):
            self.skew += timedelta(hours=hours)
            self.desk.pass_time(hours=hours)

    @rule(content=st.sampled_from(sorted(BADGE_OF)))
    def unlink(self, content: str) -> None:
        self.desk.run("unlink", BADGE_OF[content])
        self.linked.discard(content)

    @rule(content=st.sampled_from(sorted(BADGE_OF)))
    def link(self, content: str) -> None:
        if content not in self.linked:
            assert self.desk.run("link", BADGE_OF[content], content, "--since", "2026-01-01", "--yes").code == 0
            self.linked.add(content)
            self.counted |= {key for key in self.completed if key[1] == content}

    @rule(allowed=st.booleans())
    def template_flips(self, allowed: bool) -> None:
        """The badge that is earned once may come to allow duplicates and back: it is of one article, so none comes."""
        self.desk.sandbox.templates[self.desk.badge_id(ONCE)]["allow_duplicate_badges"] = allowed

    @rule(state=st.sampled_from(["planned", "uncertain"]))
    def drop_one(self, state: str) -> None:
        for grant in self.world.ledger():
            if grant["state"] == state:
                self.desk.json("resolve", str(grant["id"]), "--drop")
                learner = int((grant["learner_id"] or f"id{WITHOUT_ID}").removeprefix("id"))
                self.dropped.add((learner, grant["content"]["id"], grant["session_id"] or ""))
                return

    def marks(self, key: Key) -> set[str]:
        """Return what a badge for this completion may bear."""
        learner, content, session = key
        told = [f"id{learner}"] if learner != WITHOUT_ID else [None, f"id{MERGED_INTO}"]
        badge = self.desk.badge_id(BADGE_OF[content])
        names = {one: earner_id(one, self.email(learner)) for one in told}
        where = {
            who: f"{self.desk.sandbox.organization_id}|{badge}|{who}|{session or content}" for who in names.values()
        }
        return {*names.values(), *(earner_id(one, self.email(learner), where[who]) for one, who in names.items())}

    @invariant()
    def nothing_is_doubled(self) -> None:
        marks = Counter((badge.template_id, badge.details.issuer_earner_id) for badge in self.desk.issued())
        assert all(count == 1 for count in marks.values()), marks
        names = Counter(str(badge.details.issuer_earner_id).partition("~")[0] for badge in self.desk.issued(ONCE))
        assert all(count == 1 for count in names.values()), names

    @invariant()
    def what_is_issued_is_bound_to_its_own_badge(self) -> None:
        if not (self.desk.home / "credly.db").exists():
            return
        marks = {badge.id: badge.details.issuer_earner_id for badge in self.desk.issued()}
        with self.desk.store() as store:
            for row in store.rows("SELECT issued_badge_id, earner_id FROM grants WHERE state = 'issued'"):
                assert marks.get(row["issued_badge_id"]) == row["earner_id"], row

    def teardown(self) -> None:
        try:
            self.end_well()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def end_well(self) -> None:
        """Faults stop; after a few runs all that counts has its badge, and a further run sends nothing."""
        if not (self.desk.home / "credly.db").exists():
            return
        self.desk.sandbox.faults.clear()
        for content in BADGE_OF:
            self.link(content)
        self.clock_jumps(-int(self.skew.total_seconds()) // 3600)
        self.desk.pass_time(days=2)  # whatever this machine's clock said before
        for _ in range(6):
            self.desk.pass_time(minutes=16)
            self.retry()  # what was refused may turn out to be so only now
            ran = self.desk.run("sync", "--json")
        assert ran.code == 0, ran
        sent = self.world.posts()
        assert self.desk.run("sync", "--json").code == 0
        assert self.world.posts() == sent
        self.nothing_is_doubled()
        self.each_has_its_own()

    def each_has_its_own(self) -> None:
        """What counts has its badge, but for what somebody dropped; and no badge is for what never was."""
        found = {badge.details.issuer_earner_id: badge for badge in self.desk.issued()}
        for key in self.counted - self.dropped:
            assert self.marks(key) & found.keys() or self.has_another(key), (key, self.world.ledger())
        known = set().union(*map(self.marks, self.enrolled))
        assert found.keys() <= known, (found.keys() - known, self.enrolled)

    def has_another(self, key: Key) -> bool:
        """Tell whether the learner holds the badge from an address that is shared, or as whom they turned out to be."""
        learner, content, session = key
        if self.merged and learner in (WITHOUT_ID, MERGED_INTO):
            same = {(one, content, session) for one in (WITHOUT_ID, MERGED_INTO)}
            marks = set().union(*map(self.marks, same))
            return bool(same & self.dropped or [b for b in self.desk.issued() if b.details.issuer_earner_id in marks])
        if content == "hygiene":
            return any(badge.email == self.email(learner) for badge in self.desk.issued(ONCE))
        # R20: a store that was restored may not know the other one at a shared address, and a badge of that day at this
        # address that no grant owns covers.
        return self.email(learner) == SHARED and any(badge.email == SHARED for badge in self.desk.issued(REPEATABLE))


settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))
TestAnyHistory = AnyHistory.TestCase
