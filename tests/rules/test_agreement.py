"""`missed`, `explain`, `widget` and `sync --dry-run` tell the same about each learner and badge, whatever happened.

What would be planned is taken from the ledger, in a plan that is undone; what is held, from Credly itself. To try more
histories than the normal run: HYPOTHESIS_EXAMPLES=2000 python -m pytest tests/rules/test_agreement.py
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credly_cli.issuing.plan import plan
from credly_cli.sandbox.records import Refusal
from credly_cli.times import utc_text
from tests.rules.admin import APRIL, FIRST_AID, MARCH, WEBINAR
from tests.support.desk import Desk

FACILITATOR = "Facilitator"
CONTENT_OF = {FIRST_AID: "first-aid", WEBINAR: "first-aid", FACILITATOR: "hygiene"}  # WEBINAR may be earned again
PLACES = [("first-aid", MARCH), ("first-aid", APRIL), ("hygiene", "")]
ADDRESSES = [f"{name}@example.org" for name in "abcd"]
ON_ITS_WAY, WAITING = {"planned", "sending", "uncertain"}, {"held", "failed"}


@dataclass
class Town:
    """Three learners, who move between four addresses, and all that may happen to them."""

    desk: Desk
    addresses: dict[int, str] = field(default_factory=lambda: dict(enumerate(ADDRESSES[:3])))
    nameless: set[int] = field(default_factory=lambda: {2})

    def tell(self, learner: int, place: tuple[str, str], status: str) -> None:
        header = "learner_id,email,content_id,session_id,status,completed_at,first_name,last_name\n"
        name = f"First{learner}," + ("" if learner in self.nameless else f"Last{learner}")
        row = f"id{learner},{self.addresses[learner]},{','.join(place)},{status},{name}\n"
        self.desk.imports("progress", header + row)

    def enroll(self, learner: int, place: tuple[str, str]) -> None:
        self.tell(learner, place, "started,")

    def complete(self, learner: int, place: tuple[str, str]) -> None:
        self.desk.pass_time(minutes=1)
        self.tell(learner, place, f"completed,{utc_text(self.desk.clock.now())}")

    def move(self, learner: int, address: str) -> None:
        """Give a learner an address that is free, perhaps because somebody else moved away from it."""
        if address not in self.addresses.values():
            self.addresses[learner] = address
            row = f"id{learner},{address},First{learner},Last{learner}\n"
            self.desk.imports("learners", "learner_id,email,first_name,last_name\n" + row)
            self.nameless.discard(learner)

    def issue(self, badge: str, address: str) -> None:
        """Somebody issues a badge in Credly's own pages."""
        self.desk.run("sync", "--only", "badges", "--only", "issued")
        with suppress(Refusal):  # it is archived, or the learner has it
            self.desk.sandbox.issue_in_credly(self.desk.badge_id(badge), address, "First", "Last")

    def lose(self, number: int, how: str) -> None:
        """Somebody revokes or deletes a badge in Credly."""
        self.desk.pass_time(minutes=20)
        badges = [badge for badge in self.desk.issued() if badge.state != "revoked"]
        if badges:
            getattr(self.desk.sandbox, how)(badges[number % len(badges)].id)

    def link(self, badge: str, since: str) -> None:
        self.desk.pass_time(minutes=1)
        self.desk.run("link", badge, CONTENT_OF[badge], *(("--since", since, "--yes") if since else ()))

    def unlink(self, badge: str) -> None:
        self.desk.pass_time(minutes=1)
        self.desk.run("unlink", badge)

    def be_away(self, learner: int, place: tuple[str, str]) -> None:
        """Something is completed while nothing is connected."""
        self.desk.pass_time(minutes=1)
        self.desk.json("disconnect", "--yes")
        self.complete(learner, place)
        self.desk.pass_time(minutes=1)
        self.desk.connect()
        self.desk.pass_time(minutes=1)

    def sync(self) -> None:
        self.desk.run("sync")
        self.desk.pass_time(minutes=1)

    def plan(self) -> None:
        """A run is stopped after it planned."""
        with self.desk.store() as store:
            plan(store, self.desk.sandbox.organization_id, None, utc_text(self.desk.clock.now()))

    def grant(self, learner: int, badge: str) -> None:
        self.desk.run("grant", self.addresses[learner], badge)

    def drop(self, number: int) -> None:
        waiting = [row for row in self.desk.json("grants") if row["state"] in ("planned", "held")]
        if waiting:
            self.desk.json("resolve", str(waiting[number % len(waiting)]["id"]), "--drop")

    def archive(self, badge: str) -> None:
        self.desk.sandbox.archive_template(self.desk.badge_id(badge))
        self.desk.run("sync", "--only", "badges")

    def activate(self, badge: str) -> None:
        self.desk.sandbox.activate_template(self.desk.badge_id(badge))
        self.desk.run("sync", "--only", "badges")


LEARNERS, BADGES = st.integers(0, 2), st.sampled_from(sorted(CONTENT_OF))
EVENTS = st.one_of(
    st.tuples(st.just("complete"), LEARNERS, st.sampled_from(PLACES)),
    st.tuples(st.just("complete"), LEARNERS, st.sampled_from(PLACES)),
    st.tuples(st.just("enroll"), LEARNERS, st.sampled_from(PLACES)),
    st.tuples(st.just("be_away"), LEARNERS, st.sampled_from(PLACES)),
    st.tuples(st.just("move"), LEARNERS, st.sampled_from(ADDRESSES)),
    st.tuples(st.just("move"), LEARNERS, st.sampled_from(ADDRESSES)),
    st.tuples(st.just("issue"), BADGES, st.sampled_from(ADDRESSES)),
    st.tuples(st.just("lose"), st.integers(0, 5), st.sampled_from(["revoke", "delete"])),
    st.tuples(st.just("link"), BADGES, st.sampled_from(["", "2026-01-01"])),
    st.tuples(st.just("unlink"), BADGES),
    st.tuples(st.just("grant"), LEARNERS, BADGES),
    st.tuples(st.just("drop"), st.integers(0, 5)),
    st.tuples(st.just("archive"), BADGES),
    st.tuples(st.just("activate"), BADGES),
    st.tuples(st.just("plan")),
    st.tuples(st.just("sync")),
)


@pytest.fixture
def town(connected: Desk) -> Town:
    return Town(connected)


def test_who_moved_away_from_an_address_is_not_taken_for_whoever_has_it_now(town: Town) -> None:
    town.complete(0, ("hygiene", ""))
    town.move(0, ADDRESSES[3])
    town.move(1, ADDRESSES[0])
    town.issue(FACILITATOR, ADDRESSES[0])
    town.link(FACILITATOR, "")
    check(town.desk)
    (row,) = town.desk.json("missed")
    assert (row["email"], row["reason"]) == (ADDRESSES[3], "before-link")


SAME_EACH_TIME = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)  # fmt: skip
HISTORIES = st.lists(EVENTS, min_size=4, max_size=14)


@pytest.mark.slow
@settings(SAME_EACH_TIME, max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "15")))
@given(events=HISTORIES)
def test_all_tell_the_same_whatever_happened(
    connected_once: Desk, tmp_path_factory: pytest.TempPathFactory, events: list[tuple[Any, ...]]
) -> None:
    check_history(connected_once, tmp_path_factory, events)


@settings(SAME_EACH_TIME, max_examples=2)
@given(events=HISTORIES)
def test_all_tell_the_same_in_a_few_histories(
    connected_once: Desk, tmp_path_factory: pytest.TempPathFactory, events: list[tuple[Any, ...]]
) -> None:
    check_history(connected_once, tmp_path_factory, events)


def check_history(
    connected_once: Desk, tmp_path_factory: pytest.TempPathFactory, events: list[tuple[Any, ...]]
) -> None:
    """Let a history happen, and expect that all commands agree about it."""
    home = tmp_path_factory.mktemp("town") / "home"
    try:
        check(lived(home, connected_once, events))
    finally:
        shutil.rmtree(home.parent)


def lived(home: Path, begun: Desk, events: list[tuple[Any, ...]]) -> Desk:
    """Let a history happen at a copy of a desk, where two badges are linked from the beginning."""
    desk = begun.copied_to(home)
    town = Town(desk)
    town.link(FIRST_AID, "")
    town.link(WEBINAR, "")
    for what, *how in events:
        getattr(town, what)(*how)
    return desk


@dataclass(frozen=True)
class Truth:
    """What is so of one learner and badge: Credly's word, and the ledger after a plan that was undone."""

    email: str
    badge_id: str
    linked: bool
    once: bool
    shown: bool  # among the learner's badges
    states: frozenset[str]  # of the grants, after the plan
    new: frozenset[str]  # ... of those that the plan made
    cover_lost: bool  # of some grant
    completions: frozenset[tuple[str, str]]  # content and session
    granted: frozenset[tuple[str, str]]  # ... with a grant that was not lost

    @property
    def has_it(self) -> bool:
        return self.once and self.shown

    @property
    def decision(self) -> str:
        """What `explain` is to say."""
        if self.has_it:
            return "earned"
        if self.states & ON_ITS_WAY:
            return "on-its-way" if (self.states - self.new) & ON_ITS_WAY else "would-grant"
        if self.states & WAITING or self.cover_lost:
            return "needs-person"
        return "earned" if self.shown else "not-granted"


def check(desk: Desk) -> None:
    """Expect that all commands agree about each learner and badge."""
    desk.pass_time(minutes=20)
    desk.run("sync", "--only", "badges", "--only", "issued")
    missed = {(row["email"], row["badge"]["id"], row["content"]["id"], row["session_id"] or "") for row in
              desk.json("missed")}  # fmt: skip
    for truth in truths(desk):
        who = (truth.email, truth.badge_id)
        told = {(content, session) for *of, content, session in missed if tuple(of) == who}
        explained = _explained(desk, truth)
        assert explained == truth.decision, truth
        assert told.isdisjoint(truth.granted), truth
        if truth.once:
            spoken_for = truth.completions if truth.has_it or truth.states & (ON_ITS_WAY | {"held"}) else truth.granted
            assert told == truth.completions - spoken_for, truth
        elif not truth.shown:
            assert told == truth.completions - truth.granted, truth
        _check_widget(desk, truth, explained)


def _explained(desk: Desk, truth: Truth) -> str:
    answer = desk.json("explain", truth.email, truth.badge_id)
    return str(answer["badges"][0]["decision"])


def _check_widget(desk: Desk, truth: Truth, explained: str) -> None:
    widget = desk.json("widget", truth.email)
    promised = {row["badge"]["id"] for row in widget["in_progress"] if row["on_its_way"]}
    assert (truth.badge_id in {row["badge"]["id"] for row in widget["earned"]}) == truth.shown, truth
    if truth.linked:
        assert (truth.badge_id in promised) == (explained in ("on-its-way", "would-grant")), truth
    if truth.shown:
        assert truth.badge_id not in {row["badge"]["id"] for row in widget["discover"]}, truth


def truths(desk: Desk) -> Iterator[Truth]:
    """Yield what is so of each learner and badge; the dry run is to plan as much as the plan does."""
    before, after = _ledgers(desk)
    dry = desk.json("sync", "--dry-run", "--only", "grants")["grants"]
    for state in ("held", "covered"):
        assert dry[state] == sum(row["state"] == state and before.get(row["id"]) != state for row in after), after
    assert dry["planned"] == sum(row["state"] == "planned" for row in after), after
    with desk.store() as store:
        learners = store.rows("SELECT id, email FROM learners")
        badges = store.rows("SELECT id, name, allow_duplicates FROM badges")
        linked = {row["badge_id"] for row in store.rows("SELECT badge_id FROM links WHERE ended_at IS NULL")}
        completions = store.rows("SELECT learner, content_id, session_id FROM enrollments WHERE completed_at NOTNULL")
        linked_once = {(row["badge_id"], row["content_id"]) for row in store.rows("SELECT * FROM links")}
    for learner in learners:
        shown = {row["badge"]["id"] for row in desk.json("learner-badges", learner["email"])["badges"]}
        for badge in badges:
            if badge["name"] not in CONTENT_OF:
                continue
            mine = [row for row in after if (row["learner"], row["badge_id"]) == (learner["id"], badge["id"])]
            yield Truth(
                email=learner["email"],
                badge_id=badge["id"],
                linked=badge["id"] in linked,
                once=not badge["allow_duplicates"],
                shown=badge["id"] in shown,
                states=frozenset(row["state"] for row in mine),
                new=frozenset(row["state"] for row in mine if before.get(row["id"]) != row["state"]),
                cover_lost=any(row["state"] == "covered" and row["problem_code"] == "cover-lost" for row in mine),
                completions=frozenset(
                    (row["content_id"], row["session_id"])
                    for row in completions
                    if row["learner"] == learner["id"] and (badge["id"], row["content_id"]) in linked_once
                ),
                granted=frozenset(
                    (row["content_id"], row["session_id"])
                    for row in mine
                    if row["state"] != "cancelled" and not row["lost"]
                ),
            )


def _ledgers(desk: Desk) -> tuple[dict[int, str], list[dict[str, Any]]]:
    """Return the states of the grants before a plan, and the ledger after it; the plan is undone."""
    with desk.store() as store, store.rehearsal():
        before = {row["id"]: row["state"] for row in store.rows("SELECT id, state FROM grants")}
        plan(store, desk.sandbox.organization_id, None, utc_text(desk.clock.now()))
        return before, store.rows(
            "SELECT g.*, i.state = 'revoked' OR i.deleted_at IS NOT NULL AS lost FROM grants g"
            " LEFT JOIN issued_badges i ON i.id = coalesce(g.issued_badge_id, g.covered_by,"
            " (SELECT o.issued_badge_id FROM grants o WHERE o.id = g.covered_by_grant))"
        )
