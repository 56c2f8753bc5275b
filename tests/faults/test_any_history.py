"""Scenario H 76: whatever happens in whatever order, no completion earns two badges, and in the end each has its own.

The stand-in is the oracle. The normal run tries a few histories; ``make torture`` tries thousands (profile `torture`).
"""

import os
import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from credly_cli.sandbox import faults
from credly_cli.store.lock import locked
from tests.desk import Desk
from tests.faults.conftest import linked_desk
from tests.faults.world import ONCE, REPEATABLE, SESSIONS, KilledError, World, killed_at

LEARNERS = st.integers(1, 4)
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
}
METHODS = st.sampled_from(["POST", "POST", "GET"])

settings.register_profile(
    "short", max_examples=6, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck),
    derandomize=True, database=None,
)  # fmt: skip
settings.register_profile(
    "torture", max_examples=2000, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck),
    print_blob=True,
)  # fmt: skip


class AnyHistory(RuleBasedStateMachine):
    """A world to which anything may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="credly-history-"))
        (self.folder / "home").mkdir(mode=0o700)
        self.world = World(Desk(self.folder / "home"))
        self.completed: dict[tuple[int, str, str], str] = {}  # learner, content, session -> when
        self.counted: set[tuple[int, str, str]] = set()  # what was completed while its badge was linked
        self.linked: set[str] = set()
        self.emails: dict[int, str] = {}
        self.dropped = 0
        self.lost_history = False  # a restore may bring back an earlier link or address
        self.copy: Path | None = None
        self.skew = timedelta()  # how far this machine's clock is ahead of everybody else's
        self.desk.sandbox.now = self.right_time

    def right_time(self) -> datetime:
        return self.desk.clock.now() - self.skew

    @property
    def desk(self) -> Desk:
        return self.world.desk

    @initialize()
    def begin(self) -> None:
        linked_desk(self.desk)
        self.linked = {"first-aid", "hygiene"}
        self.desk.pass_time(hours=1)

    def email(self, learner: int) -> str:
        return self.emails.get(learner, f"l{learner}@example.org")

    def tell(self, learner: int, content: str, session: str, at: str) -> None:
        header = "learner_id,email,content_id,session_id,status,completed_at,first_name,last_name\n"
        row = f"id{learner},{self.email(learner)},{content},{session},completed,{at},First,Last\n"
        self.desk.imports("progress", header + row)

    @rule(learner=LEARNERS, place=PLACES)
    def complete(self, learner: int, place: tuple[str, str]) -> None:
        key = (learner, *place)
        self.desk.pass_time(seconds=61)
        at = self.completed.setdefault(key, self.right_time().strftime("%Y-%m-%dT%H:%M:%SZ"))
        if place[0] in self.linked:
            self.counted.add(key)
        self.tell(*key, at)
        self.desk.pass_time(seconds=61)

    @rule(learner=LEARNERS)
    def change_email(self, learner: int) -> None:
        if any(key[0] == learner for key in self.completed):
            self.emails[learner] = f"l{learner}-{len(self.emails)}@other.example"
            header = "learner_id,email,first_name,last_name\n"
            self.desk.imports("learners", f"{header}id{learner},{self.email(learner)},First,Last\n")

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
            self.tell(*key, at)
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

    @rule()
    def drop_one(self) -> None:
        if self.lost_history or not self.desk.home.joinpath("credly.db").exists():
            return
        for grant in self.world.ledger():
            if grant["state"] == "planned" and grant["attempts"] == 0:
                self.desk.json("resolve", str(grant["id"]), "--drop")
                self.dropped += 1
                return

    @invariant()
    def nothing_is_doubled(self) -> None:
        marks = Counter((badge.template_id, badge.details.issuer_earner_id) for badge in self.desk.issued())
        assert all(count == 1 for count in marks.values()), marks

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
            ran = self.desk.run("sync", "--json")
        assert ran.code == 0, ran
        sent = self.world.posts()
        assert self.desk.run("sync", "--json").code == 0
        assert self.world.posts() == sent
        self.nothing_is_doubled()
        issued = len(self.desk.issued())
        assert len(self.counted) - self.dropped <= issued <= len(self.completed), (self.counted, self.world.ledger())


settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))
TestAnyHistory = AnyHistory.TestCase
