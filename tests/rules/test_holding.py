"""Rules R20 and R23: who holds the badge already gets no second one, and what was revoked or deleted stays so."""

from dataclasses import fields
from typing import Any

import pytest

from credly_cli.credly.records import IssuedBadge
from credly_cli.store import issued_badges, learners
from tests.rules.granting_desk import APRIL, MARCH, ONCE, REPEATABLE, completion, ledger, posts, states
from tests.support.desk import Desk

NOON = "2026-03-02T12:00:00Z"
LEARNERS = "email,first_name,last_name,learner_id\n"


def covered(desk: Desk) -> None:
    """Expect that nothing is sent, and that the only grant says which badge answers for it."""
    desk.learns(completion("ada@example.org", MARCH, NOON))
    counts = desk.json("sync")["grants"]
    assert (counts["covered"], counts["planned"], counts["issued"]) == (1, 0, 0)
    assert (ledger(desk)[0]["state"], ledger(desk)[0]["issued_badge_id"]) == ("covered", desk.issued()[0].id)
    assert posts(desk) == 0


@pytest.mark.sampled
@pytest.mark.parametrize("email", ["ada@example.org", "ADA@EXAMPLE.ORG"])
@pytest.mark.parametrize("state", ["pending", "accepted", "rejected"])
def test_r20_a_badge_issued_in_credly_covers_the_grant(once: Desk, email: str, state: str) -> None:
    badge = once.sandbox.issue_in_credly(once.badge_id(ONCE), email, "Ada", "Lovelace")
    if state != "pending":
        getattr(once.sandbox, state.removesuffix("ed"))(badge.id)
    covered(once)


def test_r20_an_expired_badge_covers_the_grant(once: Desk) -> None:
    once.sandbox.issue_in_credly(
        once.badge_id(ONCE), "ada@example.org", "Ada", "Lovelace", expires_at="2026-01-01 00:00:00 +0000"
    )
    covered(once)


def test_r20_a_badge_under_another_address_of_the_same_credly_user_covers_the_grant(once: Desk) -> None:
    once.sandbox.add_user("ada@example.org", "ada@home.example")
    once.sandbox.issue_in_credly(once.badge_id("Facilitator"), "ada@example.org", "Ada", "Lovelace")
    once.sandbox.issue_in_credly(once.badge_id(ONCE), "ada@home.example", "Ada", "Lovelace")
    once.learns(completion("ada@example.org", MARCH, NOON))
    assert once.json("sync")["grants"]["covered"] == 1
    assert posts(once) == 0


def test_r20_credly_itself_knows_other_addresses_that_we_do_not(once: Desk) -> None:
    once.sandbox.add_user("ada@example.org", "ada@home.example")
    once.sandbox.issue_in_credly(once.badge_id(ONCE), "ada@home.example", "Ada", "Lovelace")
    once.learns(completion("ada@example.org", MARCH, NOON))
    assert once.json("sync")["grants"]["covered"] == 1
    assert len(once.issued(ONCE)) == 1


def test_r20_a_badge_to_a_former_address_covers_the_grant(once: Desk) -> None:
    once.sandbox.issue_in_credly(once.badge_id(ONCE), "ada@maiden.example", "Ada", "Byron")
    once.imports("learners", LEARNERS + "ada@maiden.example,Ada,Byron,4711\n")
    once.imports("learners", LEARNERS + "ada@example.org,Ada,Lovelace,4711\n")
    covered(once)


def test_r20_a_badge_with_the_learners_id_covers_the_grant(once: Desk) -> None:
    once.sandbox.issue_in_credly(
        once.badge_id(ONCE), "somebody@else.example", "Ada", "Lovelace", issuer_earner_id="4711"
    )
    once.imports("learners", LEARNERS + "ada@example.org,Ada,Lovelace,4711\n")
    covered(once)


def test_r20_a_badge_that_comes_to_be_held_while_the_grant_waits_covers_it(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.sandbox.switches.rate_limit = 0
    once.run("sync", "--only", "grants", "--max-seconds", "30")
    once.sandbox.switches.rate_limit = None
    once.sandbox.issue_in_credly(once.badge_id(ONCE), "ada@example.org", "Ada", "Lovelace")
    once.pass_time(hours=1)
    assert once.json("sync")["grants"]["covered"] == 1
    assert len(once.issued(ONCE)) == 1


def test_r20_a_revoked_badge_is_not_held(once: Desk) -> None:
    badge = once.sandbox.issue_in_credly(once.badge_id(ONCE), "ada@example.org", "Ada", "Lovelace")
    once.sandbox.revoke(badge.id)
    once.pass_time(hours=1)
    once.learns(completion("ada@example.org", MARCH, "2026-03-02T13:00:00Z"))
    assert once.json("sync")["grants"]["issued"] == 1


def test_r20_a_badge_of_the_same_day_that_nothing_owns_covers_one_grant_where_duplicates_are_allowed(
    repeatable: Desk,
) -> None:
    repeatable.sandbox.issue_in_credly(
        repeatable.badge_id(REPEATABLE), "Ada@example.org", "Ada", "L", issued_at="2026-03-02 23:59:59 +0000"
    )
    repeatable.learns(completion("ada@example.org", MARCH, NOON), completion("ada@example.org", APRIL, NOON))
    counts = repeatable.json("sync")["grants"]
    assert (counts["covered"], counts["issued"]) == (1, 1)
    assert len(repeatable.issued(REPEATABLE)) == 2


@pytest.mark.parametrize(
    ("email", "day", "badge"),
    [("ada@example.org", "2026-03-01", REPEATABLE), ("b@example.org", "2026-03-02", REPEATABLE),
     ("ada@example.org", "2026-03-02", "Facilitator")],
)  # fmt: skip
def test_r20_a_badge_of_another_day_learner_or_kind_covers_nothing(
    repeatable: Desk, email: str, day: str, badge: str
) -> None:
    repeatable.sandbox.issue_in_credly(repeatable.badge_id(badge), email, "Ada", "L", issued_at=f"{day} 12:00:00 +0000")
    repeatable.learns(completion("ada@example.org", MARCH, NOON))
    assert repeatable.json("sync")["grants"]["issued"] == 1


def test_r20_is_kept_by_looking_up_where_the_list_of_issued_badges_was_not_read(repeatable: Desk) -> None:
    repeatable.sandbox.issue_in_credly(
        repeatable.badge_id(REPEATABLE), "ada@example.org", "Ada", "L", issued_at="2026-03-02 08:00:00 +0000"
    )
    repeatable.learns(completion("ada@example.org", MARCH, NOON))
    assert repeatable.json("sync", "--only", "grants")["grants"]["covered"] == 1
    assert len(repeatable.issued(REPEATABLE)) == 1


@pytest.mark.further
@pytest.mark.parametrize("name", [ONCE, REPEATABLE])
def test_r23_a_revoked_badge_is_not_issued_again_for_the_same_completion(connected: Desk, name: str) -> None:
    connected.json("link", name, "first-aid")
    connected.pass_time(hours=4)
    connected.learns(completion("ada@example.org", MARCH, NOON))
    connected.json("sync")
    connected.sandbox.revoke(connected.issued(name)[0].id)
    for _ in range(2):
        connected.pass_time(days=1)
        connected.learns(completion("ada@example.org", MARCH, NOON))
        assert connected.json("sync")["grants"]["issued"] == 0
    assert len(connected.issued(name)) == 1


def test_r23_a_completion_from_before_the_revocation_earns_nothing_and_a_later_one_does(once: Desk) -> None:
    badge = once.sandbox.issue_in_credly(once.badge_id(ONCE), "ada@example.org", "Ada", "Lovelace")
    once.pass_time(hours=6)
    once.sandbox.revoke(badge.id)
    once.learns(completion("ada@example.org", MARCH, NOON))
    counts = once.json("sync")["grants"]
    assert (counts["planned"], counts["issued"], counts["covered"]) == (0, 0, 0)
    once.pass_time(days=2)
    once.learns(completion("ada@example.org", APRIL, "2026-03-03T12:00:00Z"))
    assert once.json("sync")["grants"]["issued"] == 1


def test_r23_where_each_session_earns_what_is_completed_after_a_revocation_of_that_day_earns_its_own(
    repeatable: Desk,
) -> None:
    badge = repeatable.sandbox.issue_in_credly(repeatable.badge_id(REPEATABLE), "ada@example.org", "Ada", "L")
    repeatable.pass_time(minutes=1)
    repeatable.sandbox.revoke(badge.id)
    repeatable.pass_time(minutes=10)
    repeatable.learns(completion("ada@example.org", MARCH, repeatable.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")))
    repeatable.pass_time(minutes=1)
    repeatable.json("sync")
    assert [badge.state for badge in repeatable.issued(REPEATABLE)] == ["revoked", "pending"]


def test_r20_a_badge_without_an_address_is_the_learners_by_id(once: Desk) -> None:
    once.imports("learners", "learner_id,email,first_name,last_name\n17,ada@example.org,Ada,Lovelace\n")
    nowhere = dict.fromkeys(field.name for field in fields(IssuedBadge))
    badge: dict[str, Any] = {
        **nowhere,
        "id": "i",
        "badge_id": once.badge_id(ONCE),
        "state": "accepted",
        "earner_id": "17",
    }
    with once.store() as store:
        issued_badges.save(store, [IssuedBadge(**badge)], "2026-03-02T10:00:00Z")
        (ada,) = learners.of_email(store, "ada@example.org")
        assert issued_badges.held_by(store, ada.id, once.badge_id(ONCE)) == "i"
        assert [badge.email for badge in issued_badges.of_learners(store, ada.email, [ada.id])] == [None]


@pytest.mark.further
def test_r23_what_a_complete_listing_no_longer_has_was_deleted_and_is_not_granted_again(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.json("sync")
    once.json("sync")
    once.pass_time(hours=1)
    once.sandbox.delete(once.issued(ONCE)[0].id)
    answer = once.json("sync")
    assert (answer["issued_badges"]["removed"], answer["grants"]["issued"]) == (1, 0)
    assert once.json("sync")["issued_badges"]["removed"] == 0
    once.learns(completion("ada@example.org", APRIL, "2026-03-02T13:00:00Z"))
    assert once.json("sync")["grants"]["issued"] == 1  # deleted is not held


@pytest.mark.further
def test_r23_a_badge_that_credlys_list_does_not_show_yet_is_not_missed(once: Desk) -> None:
    once.sandbox.switches.list_lag = 7200
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.json("sync")
    for _ in range(3):
        once.pass_time(minutes=25)
        assert once.json("sync")["issued_badges"]["removed"] == 0
    once.pass_time(hours=2)
    assert once.json("sync")["issued_badges"]["removed"] == 0
    assert states(once) == ["issued"]


@pytest.mark.further
def test_r23_a_badge_that_was_seen_and_is_younger_than_the_settling_time_is_not_missed(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.json("sync")
    once.pass_time(minutes=1)
    once.json("sync")
    once.sandbox.delete(once.issued(ONCE)[0].id)
    once.pass_time(minutes=10)
    assert once.json("sync")["issued_badges"]["removed"] == 0
    once.pass_time(minutes=10)
    assert once.json("sync")["issued_badges"]["removed"] == 1


def test_r23_an_incomplete_listing_misses_nothing(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.json("sync")
    once.json("sync")
    once.pass_time(hours=1)
    once.sandbox.delete(once.issued(ONCE)[0].id)
    once.sandbox.switches.total_count_off_by = 1
    assert once.json("sync", code=75)["issued_badges"]["removed"] == 0
