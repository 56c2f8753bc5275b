"""Scenario H 76: whatever happens in whatever order, no completion earns two badges, and in the end each has its own.

The machine does what may happen; ``truth.py`` says what must come of it. The normal run tries a few histories, always
the same ones (``tests/faults/test_any_history.py``); ``make torture`` tries thousands of others.
"""

import atexit
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from credly_cli.sandbox.records import Refusal
from credly_cli.store.lock import locked
from tests.faults.conftest import linked_desk
from tests.support import faults
from tests.support.desk import Desk, Ran
from tests.support.world import ONCE, KilledError, World, killed_at
from tests.torture.truth import APRIL, ARTICLE, BADGE_OF, MARCH, MERGED_INTO, PEOPLE, Key, Truth

LEARNERS = st.sampled_from(list(PEOPLE))
PLACES = st.sampled_from([MARCH, APRIL, ARTICLE])
CONTENT = st.sampled_from(sorted(BADGE_OF))
FAULTS = {
    "lost-request": faults.drops(),
    "lost-answer": faults.loses_answer(),
    "late": faults.applies_late(400),
    "500": faults.answers(500),
    "500-after": faults.works_then_answers(500),
    "429": faults.answers(429, Retry_After="2"),
    "401": faults.answers(401),
    "403": faults.answers(403),
    "unreachable": faults.unreachable(),
    "redirect": faults.redirects("https://elsewhere.example/"),
    "nonsense": faults.works_then_answers(201, b"{}"),
    "422": faults.answers(422),
}
ANY_FAULT = st.sampled_from(sorted(FAULTS))
IN_DOUBT = st.sampled_from(["lost-request", "lost-answer", "late", "500", "500-after", "nonsense"])
KEEPS_IDS = st.sampled_from([True, True, False])
METHODS = st.sampled_from(["POST", "POST", "GET"])
LEARNERS_FILE = "learner_id,email,first_name,last_name\n"
PROGRESS_FILE = "learner_id,email,content_id,session_id,status,completed_at,first_name,last_name\n"

SHORT = settings(
    max_examples=20, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck),
    derandomize=True, database=None,
)  # fmt: skip

TOKEN = "token-of-all-histories"
did: Counter[str] = Counter()  # commands, faults and kills of all histories so far


@cache
def _prepared() -> Desk:
    """Connect and link once for all histories of this process."""
    home = Path(tempfile.mkdtemp(prefix="credly-prepared-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    desk = Desk(home)
    desk.sandbox.rotate_token(TOKEN)
    linked_desk(desk)
    return desk


def at_linked_desk(home: Path) -> Desk:
    """Return a desk with a copy of the home that is prepared."""
    prepared = _prepared()
    shutil.copytree(prepared.home, home)
    home.chmod(0o700)
    desk = Desk(home)
    desk.clock.time = prepared.clock.time
    desk.sandbox.rotate_token(TOKEN)
    did["commands"] += 5
    return desk


class AnyHistory(RuleBasedStateMachine):
    """A world to which anything may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="credly-history-"))
        self.world = World(at_linked_desk(self.folder / "home"))
        self.truth = Truth(self.desk)
        self.copy: Path | None = None
        self.skew = timedelta()  # how far this machine's clock is ahead of everybody else's
        self.desk.sandbox.now = self.right_time

    def right_time(self) -> datetime:
        return self.desk.clock.now() - self.skew

    @property
    def desk(self) -> Desk:
        return self.world.desk

    def command(self, *arguments: str, by_hand: bool = False) -> Ran:
        """Run a command that may issue."""
        did["commands"] += 1
        self.truth.begin_command(by_hand=by_hand)
        return self.desk.run(*arguments, "--json")

    # Beginning and end

    @initialize(
        name=ANY_FAULT, nth=st.integers(1, 6), killed=st.integers(1, 20), keeps_ids=KEEPS_IDS,
        minds_case=st.sampled_from(["nowhere", "in filters", "everywhere"]), parallel=st.sampled_from([1, 4]),
    )  # fmt: skip
    def begin(self, name: str, nth: int, killed: int, keeps_ids: bool, minds_case: str, parallel: int) -> None:
        """Begin where much is under way already: of seven completions one meets a fault, and the run may be killed."""
        self.desk.config(f"[credly]\nparallel = {parallel}\n")
        switches = self.desk.sandbox.switches
        switches.earner_ids_kept, switches.page_size = keeps_ids, 6
        switches.email_filter_minds_case = minds_case != "nowhere"
        switches.duplicates_mind_case = minds_case == "everywhere"
        self.truth.linked = {"first-aid", "hygiene"}
        self.desk.pass_time(hours=1)
        under_way = ((1, MARCH), (1, APRIL), (1, ARTICLE), (3, MARCH), (4, MARCH), (5, MARCH), (6, ARTICLE))
        self.completed(*((learner, *place) for learner, place in under_way))
        self.back_up()
        self.fault(name, "POST", nth=nth, times=1)
        self.kill(killed, before=False)

    def teardown(self) -> None:
        try:
            self.end_well()
        finally:
            did["histories"] += 1
            self.clear_faults()
            shutil.rmtree(self.folder, ignore_errors=True)

    def clear_faults(self) -> None:
        did["faults"] += sum(fault.fired for fault in self.desk.sandbox.faults.scripted)
        self.desk.sandbox.faults.clear()

    def end_well(self) -> None:
        """Faults stop; after a few runs all that counts has its badge, and a further run sends nothing."""
        if not (self.desk.home / "credly.db").exists():
            return
        self.clear_faults()
        self.withdraw(None)
        self.grows(on=False)
        for content in BADGE_OF:
            self.link(content)
        self.clock_jumps(-int(self.skew.total_seconds()) // 3600)
        self.desk.pass_time(days=2)  # whatever this machine's clock said before
        ran = self.calm_down()
        assert ran.code == 0, ran
        sent = self.world.posts()
        assert self.command("sync").code == 0
        assert self.world.posts() == sent
        self.truth.check_end()

    def calm_down(self) -> Ran:
        """Run until nothing is open, six times at most."""
        for _ in range(6):
            self.desk.pass_time(minutes=16)
            self.retry()  # what was refused may turn out to be so only now
            ran = self.command("sync")
            still_open = self.truth.rows("SELECT 1 FROM grants WHERE state NOT IN ('issued', 'covered', 'cancelled')")
            if ran.code == 0 and not still_open:
                break
        return ran

    @invariant()
    def no_harm_is_done(self) -> None:
        self.truth.check()

    # What the LMS tells

    def tell(self, *keys: Key) -> None:
        """Import progress."""
        rows = (self.row(key, self.truth.completed_at(key)) for key in keys)
        did["commands"] += 1
        self.desk.imports("progress", PROGRESS_FILE + "".join(rows))

    def row(self, key: Key, at: str | None) -> str:
        learner, content, session = key
        status = "started," if at is None else f"completed,{at}"
        email, names = self.truth.emails[learner], ",".join(self.truth.names[learner])
        return f"{self.truth.learner_id(learner)},{email},{content},{session},{status},{names}\n"

    def import_learners(self, *learners: int) -> None:
        """Import a file of learners."""
        did["commands"] += 1
        self.desk.imports("learners", LEARNERS_FILE + "".join(f"{self.truth.row(one)}\n" for one in learners))

    def completed(self, *keys: Key) -> None:
        """Let sessions be completed, one after another."""
        for key in keys:
            self.desk.pass_time(seconds=61)
            self.truth.completed.setdefault(key, self.right_time().strftime("%Y-%m-%dT%H:%M:%SZ"))
            self.truth.enrolled.add(key)
            if key[1] in self.truth.linked:
                self.truth.counted.add(key)
        self.tell(*keys)
        self.desk.pass_time(seconds=61)

    @rule(learner=LEARNERS, place=PLACES)
    def enroll(self, learner: int, place: tuple[str, str]) -> None:
        self.truth.enrolled.add((learner, *place))
        self.tell((learner, *place))

    @rule(learner=LEARNERS, place=PLACES)
    def complete(self, learner: int, place: tuple[str, str]) -> None:
        self.completed((learner, *place))

    @rule(learner=LEARNERS, place=PLACES, name=ANY_FAULT)
    def complete_in_trouble(self, learner: int, place: tuple[str, str], name: str) -> None:
        """What matters most, at once: something goes wrong with the very request that is sent for it."""
        self.complete(learner, place)
        self.fault(name, "POST", nth=1, times=1)
        self.run()

    @rule(learner=st.sampled_from([1, 2, MERGED_INTO]))
    def change_email(self, learner: int) -> None:
        if any(key[0] == learner for key in self.truth.enrolled) and not self.truth.merged:
            self.truth.moves(learner, f"l{learner}-{len(self.truth.ever[learner])}@other.example")
            self.import_learners(learner)

    @rule(giver=st.sampled_from([1, 2]), swapped=st.booleans())
    def hand_address_over(self, giver: int, swapped: bool) -> None:
        """One gets the address of the other, who gets a new one or that of the first."""
        taker, truth = 3 - giver, self.truth
        old, theirs = truth.emails[giver], truth.emails[taker]
        truth.moves(taker, old)
        truth.moves(giver, theirs if swapped else f"l{giver}-{len(truth.ever[giver])}@new.example")
        self.import_learners(giver, taker)

    @rule(giver=st.sampled_from([1, 2]), place=PLACES, name=IN_DOUBT, swapped=st.booleans(), both=st.booleans())
    def move_between_a_lost_request_and_its_resend(
        self, giver: int, place: tuple[str, str], name: str, swapped: bool, both: bool
    ) -> None:
        """The address that it was sent to is somebody else's by the time it is looked for."""
        self.complete(giver, place)
        self.fault(name, "POST", nth=1, times=1)
        self.fault("500", "GET", nth=3, times=6)  # else what was issued is found at once
        self.run()
        self.clear_faults()
        self.hand_address_over(giver, swapped)
        if both:
            self.complete(3 - giver, place)
        self.run_later(400)
        self.run_later(1000)
        self.run_later(90)

    @rule(learner=st.sampled_from([1, 2, 3, 4]))
    def correct_a_name(self, learner: int) -> None:
        first, last = self.truth.names[learner]
        self.truth.names[learner] = (first, f"{last}e")
        self.import_learners(learner)

    @rule()
    def two_turn_out_to_be_one(self) -> None:
        """The learner without an id has one, under which somebody with another address was known."""
        self.truth.merge()
        self.import_learners(MERGED_INTO)

    # What somebody does at a desk

    @rule(learner=LEARNERS, content=CONTENT)
    def grant_by_hand(self, learner: int, content: str) -> None:
        ran = self.command("grant", self.truth.emails[learner], BADGE_OF[content], by_hand=True)
        assert ran.code in (0, 3, 4, 5, 6, 75, 78), ran
        self.truth.granted_by_hand = True

    @rule()
    def retry(self) -> None:
        assert self.command("retry").code == 0

    @rule()
    def run(self) -> None:
        self.command("sync")

    @rule(seconds=st.sampled_from([5, 90, 400, 1000]))
    def run_later(self, seconds: int) -> None:
        self.desk.pass_time(seconds=seconds)
        self.run()

    @rule(content=CONTENT)
    def unlink(self, content: str) -> None:
        self.command("unlink", BADGE_OF[content])
        self.truth.linked.discard(content)

    @rule(content=CONTENT)
    def link(self, content: str) -> None:
        if content not in self.truth.linked:
            assert self.command("link", BADGE_OF[content], content, "--since", "2026-01-01", "--yes").code == 0
            self.truth.linked.add(content)
            self.truth.counted |= {key for key in self.truth.completed if key[1] == content}

    @rule(state=st.sampled_from(["planned", "uncertain"]))
    def drop_one(self, state: str) -> None:
        for grant in self.world.ledger():
            if grant["state"] == state:
                self.desk.json("resolve", str(grant["id"]), "--drop")
                learner = int((grant["learner_id"] or "id5").removeprefix("id"))
                self.truth.dropped.add((learner, grant["content"]["id"], grant["session_id"] or ""))
                return

    # What befalls this machine

    @rule(number=st.integers(1, 12), before=st.booleans())
    def kill(self, number: int, before: bool) -> None:
        with self.killed(number, before=before):
            self.run()

    @rule(learner=LEARNERS, content=CONTENT, number=st.integers(1, 6), before=st.booleans())
    def kill_by_hand(self, learner: int, content: str, number: int, before: bool) -> None:
        with self.killed(number, before=before):
            self.grant_by_hand(learner, content)
        self.truth.granted_by_hand = True

    @contextmanager
    def killed(self, number: int, *, before: bool) -> Iterator[None]:
        try:
            with killed_at(number, before_commit=before):
                yield
        except KilledError:
            did["kills"] += 1

    @rule()
    def overlap(self) -> None:
        with locked(self.desk.home / "credly.db.lock", 0, self.desk.clock):
            assert self.command("sync", "--lock-wait", "0").code == 75

    @rule()
    def back_up(self) -> None:
        self.copy = Path(tempfile.mkdtemp(dir=self.folder))
        for path in self.world.store_files():
            shutil.copy2(path, self.copy / path.name)
        self.truth.moved = self.truth.granted_by_hand = False

    @precondition(lambda self: self.copy is not None and self.can_be_found_again)
    @rule()
    def restore(self) -> None:
        assert self.copy is not None
        self.world.lose_store(with_lock=False)
        for path in self.copy.iterdir():
            shutil.copy2(path, self.desk.home / path.name)
        self.import_learners(*PEOPLE)  # the LMS tells it all again
        if self.truth.enrolled:
            self.tell(*sorted(self.truth.enrolled))
        self.truth.linked = {content for content in BADGE_OF if self.is_linked(content)}

    @property
    def can_be_found_again(self) -> bool:
        """Whether what a restored store has forgotten can be told from what Credly keeps of it."""
        return self.desk.sandbox.switches.earner_ids_kept or not (self.truth.moved or self.truth.granted_by_hand)

    def is_linked(self, content: str) -> bool:
        return any(row["content"] and row["content"]["id"] == content for row in self.desk.json("badges"))

    @rule(hours=st.sampled_from([-20, -1, 1, 20]))
    def clock_jumps(self, hours: int) -> None:
        """This machine's clock is put forward or back, within a day of the right time; Credly's own goes on."""
        if abs(self.skew + timedelta(hours=hours)) < timedelta(hours=21):
            self.skew += timedelta(hours=hours)
            self.desk.pass_time(hours=hours)

    # What happens in Credly

    @rule(name=ANY_FAULT, method=METHODS, nth=st.integers(1, 4), times=st.integers(1, 3))
    def fault(self, name: str, method: str, nth: int, times: int) -> None:
        self.desk.sandbox.faults.add(FAULTS[name], method, "/badges", nth=nth, times=times)

    @rule(learner=LEARNERS, place=PLACES, when=st.sampled_from(["second", "day", "years ago"]), spelled=st.booleans())
    def issued_elsewhere(self, learner: int, place: tuple[str, str], when: str, spelled: bool) -> None:
        """Another system, or a person, issues the badge: of the completion's second or day, or long before."""
        at = self.truth.completed.get((learner, *place), self.right_time().strftime("%Y-%m-%dT%H:%M:%SZ"))
        issued_at = {"second": at, "day": f"{at[:10]}T12:00:00Z", "years ago": "2020-01-01T00:00:00Z"}[when]
        email = self.truth.emails[learner]
        names = self.truth.names[learner]
        with suppress(Refusal):
            self.desk.sandbox.issue_in_credly(
                self.desk.badge_id(BADGE_OF[place[0]]), email.title() if spelled else email, *names, issued_at=issued_at
            )

    @rule(learner=LEARNERS, place=PLACES, when=st.sampled_from(["second", "day"]), spelled=st.booleans())
    def moved_here_from_another_system(self, learner: int, place: tuple[str, str], when: str, spelled: bool) -> None:
        """What is completed was issued already before it is known here."""
        self.complete(learner, place)
        self.issued_elsewhere(learner, place, when, spelled)
        self.run()

    @rule(content=st.sampled_from([None, *sorted(BADGE_OF)]))
    def withdraw(self, content: str | None) -> None:
        """Credly does not let this badge be issued any more: 403."""
        withdrawn = [self.desk.badge_id(BADGE_OF[content])] if content else []
        self.desk.sandbox.switches.withdrawn_templates = frozenset(withdrawn)

    @rule(on=st.booleans())
    def grows(self, on: bool) -> None:
        """The list of issued badges grows while it is read."""
        self.desk.sandbox.switches.list_grows = on

    @rule(on=st.booleans())
    def lists_newest_first(self, on: bool) -> None:
        self.desk.sandbox.switches.badges_newest_first = on

    @rule(allowed=st.booleans())
    def template_flips(self, allowed: bool) -> None:
        """The badge that is earned once may come to allow duplicates and back: it is of one article, so none comes."""
        self.desk.sandbox.templates[self.desk.badge_id(ONCE)]["allow_duplicate_badges"] = allowed
        self.truth.once_may_double = self.truth.once_may_double or allowed
