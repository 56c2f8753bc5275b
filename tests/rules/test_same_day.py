"""R19, R20, R23: badges of a day without our mark, issued elsewhere, and the sessions completed that day."""

import pytest

from credly_cli.store.issued_badges import DaySession, UnownedBadge, match_days
from tests.rules.granting_desk import APRIL, MARCH, ONCE, REPEATABLE, completion, posts, states
from tests.support.desk import Desk

DAY, MORNING, NOON = "2026-03-01T00:00:00Z", "2026-03-01T08:00:00Z", "2026-03-01T12:00:00Z"
S1, S2 = DaySession("c", "1", MORNING), DaySession("c", "2", NOON)


def held(identity: str, issued_at: str = DAY) -> UnownedBadge:
    return UnownedBadge(identity, "accepted", None, issued_at, issued_at)


def revoked(identity: str, at: str, issued_at: str = DAY) -> UnownedBadge:
    return UnownedBadge(identity, "revoked", None, issued_at, at)


EVENING = "2026-03-01T20:00:00Z"


@pytest.mark.parametrize(
    ("sessions", "badges", "answering"),
    [
        ([S1, S2], [held("x", NOON)], {"2": "x"}),
        ([S1, S2], [held("x", NOON), held("y")], {"1": "y", "2": "x"}),
        ([S1, S2], [held("x")], {"1": "x"}),
        ([S1, S2], [held("x"), held("y"), held("z")], {"1": "x", "2": "y"}),
        ([S1, S2], [revoked("x", EVENING)], {"1": "x"}),
        ([S1, S2], [revoked("x", EVENING, NOON)], {"2": "x"}),
        ([S1, S2], [held("x"), revoked("y", "2026-03-01T10:00:00Z")], {"1": "y", "2": "x"}),
        ([S1], [revoked("x", MORNING)], {}),
        ([S1], [held("x"), revoked("y", EVENING)], {"1": "x"}),
        ([S1], [held("x"), revoked("y", EVENING, MORNING)], {"1": "x"}),
        ([DaySession("c", "1", MORNING, by_second=True), S2], [held("x")], {"2": "x"}),
        ([DaySession("c", "1", MORNING, by_second=True), S2], [held("x", MORNING)], {"1": "x"}),
    ],
)
def test_each_badge_of_a_day_stands_for_one_session(
    sessions: list[DaySession], badges: list[UnownedBadge], answering: dict[str, str]
) -> None:
    assert {key[1]: badge.id for key, badge in match_days(sessions, badges).items()} == answering


def by_hand(desk: Desk, at: str) -> str:
    """Issue a badge in Credly itself, without our mark."""
    badge = desk.sandbox.issue_in_credly(desk.badge_id(REPEATABLE), "ada@example.org", "A", "L", issued_at=at)
    return badge.id


def complete_both(desk: Desk) -> None:
    """Complete one session at 10:00 and another at 12:00 of the same day."""
    desk.learns(
        completion("ada@example.org", MARCH, "2026-03-02T10:00:00Z"),
        completion("ada@example.org", APRIL, "2026-03-02T12:00:00Z"),
    )
    desk.pass_time(hours=6)


def test_a_badge_of_the_very_second_covers_its_session_and_the_other_is_issued(repeatable: Desk) -> None:
    """R20: an organization that moves here has issued the later one of two, and is to get the earlier one issued."""
    complete_both(repeatable)
    by_hand(repeatable, "2026-03-02 12:00:00 +0000")
    repeatable.json("sync")
    assert states(repeatable) == ["issued", "covered"]
    issued = sorted(badge.details.issued_at[:19] for badge in repeatable.issued(REPEATABLE))
    assert [at.replace("T", " ") for at in issued] == ["2026-03-02 10:00:00", "2026-03-02 12:00:00"]


def test_two_badges_of_a_day_cover_two_sessions(repeatable: Desk) -> None:
    """R20: days are matched one to one."""
    complete_both(repeatable)
    by_hand(repeatable, "2026-03-02 00:00:00 +0000")
    by_hand(repeatable, "2026-03-02 00:00:00 +0000")
    repeatable.json("sync")
    assert (states(repeatable), posts(repeatable)) == (["covered", "covered"], 0)


def test_a_revoked_badge_of_a_day_takes_one_session(repeatable: Desk) -> None:
    """R23: it is not issued again for the one that it may have been for; the other is."""
    complete_both(repeatable)
    repeatable.sandbox.revoke(by_hand(repeatable, "2026-03-02 00:00:00 +0000"))
    repeatable.json("sync")
    assert (states(repeatable), posts(repeatable)) == (["issued"], 1)
    repeatable.json("sync")
    assert posts(repeatable) == 1


def test_a_badge_of_the_second_of_another_at_the_address_is_not_taken_by_day(repeatable: Desk) -> None:
    """R20: of two who share an address, the badge goes to whose second it bears."""
    header = "learner_id,email,content_id,session_id,status,completed_at,first_name,last_name\n"
    at = {1: ("2026-03-02T10:00:00Z", MARCH), 2: ("2026-03-02T12:00:00Z", APRIL)}
    rows = (
        f"{one},ada@example.org,first-aid,{session},completed,{when},A{one},L{one}\n"
        for one, (when, session) in at.items()
    )
    repeatable.imports("progress", header + "".join(rows))
    by_hand(repeatable, "2026-03-02 12:00:00 +0000")
    repeatable.pass_time(hours=6)
    repeatable.json("sync")
    sent = [badge.details.issuer_earner_id for badge in repeatable.issued(REPEATABLE)][1:]
    assert [str(mark).partition("~")[0] for mark in sent] == ["1"]
    assert states(repeatable) == ["issued", "covered"]


def test_r20_a_badge_that_took_the_place_of_ours_stands_for_no_other_session(repeatable: Desk) -> None:
    at, later = (f"2026-03-02T{hour}:00:00Z" for hour in (13, 15))
    repeatable.pass_time(hours=3)
    repeatable.learns(completion("ada@example.org", MARCH, at))
    repeatable.json("sync")
    (ours,) = repeatable.issued()
    fields = {"badge_template_id": ours.template_id, "issued_at": "2026-03-02 15:00:00 +0000"}
    first = repeatable.sandbox.replace(ours.id, fields)
    repeatable.learns(completion("ada@example.org", APRIL, later))
    repeatable.json("sync")
    assert states(repeatable) == ["issued", "issued"]
    second = repeatable.sandbox.replace(first.id, fields)
    repeatable.json("sync")
    assert repeatable.json("grants")[0]["issued_badge_id"] == second.id


def test_r34_what_became_of_the_badge_that_took_the_place_of_ours_is_said(once: Desk) -> None:
    """It can be revoked, where one that was replaced cannot; before, the old one was said to be out for ever."""
    once.learns(completion("ada@example.org", MARCH, "2026-03-02T12:30:00Z"))
    once.json("sync")
    (ours,) = once.issued()
    fields = {"badge_template_id": ours.template_id, "issued_at": "2026-03-02 13:00:00 +0000"}
    new = once.sandbox.replace(once.sandbox.accept(ours.id).id, fields)
    once.json("sync")
    (grant,) = once.json("grants")
    assert (grant["issued_badge_id"], grant["badge_url"]) == (new.id, f"https://www.credly.com/badges/{new.id}")
    once.sandbox.revoke(new.id)
    assert once.json("sync")["grants"]["revoked"] == 1
    assert once.json("grants")[0]["badge_state"] == "revoked"
    assert [row["reason"] for row in once.json("missed")] == ["revoked"]
    assert once.json("unlink", ONCE)["out"] == 0
