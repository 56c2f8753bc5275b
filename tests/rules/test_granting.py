"""Rules R17, R18, R19, R21, R24 and R25: what is granted, once, and with what it is sent."""

import re

import pytest

from tests.rules.granting_desk import APRIL, MARCH, ONCE, REPEATABLE, bodies, completion, ledger, posts, states
from tests.support import faults
from tests.support.desk import Desk

NOON = "2026-03-02T12:00:00Z"


def test_r17_the_required_fields_go_out_as_credly_wants_them(once: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = bodies(once, monkeypatch)
    once.imports("learners", "email,first_name,last_name,learner_id\nAda@Example.org,Ada,Lovelace,4711\n")
    once.learns(completion("ada@example.org", MARCH, "2026-03-02T12:00:05+01:00"))
    once.json("sync")
    assert asked == [
        {
            "badge_template_id": once.badge_id(ONCE),
            "recipient_email": "Ada@Example.org",
            "issued_to_first_name": "Ada",
            "issued_to_last_name": "Lovelace",
            "issued_at": "2026-03-02 11:00:05 +0000",
            "issuer_earner_id": "4711",
        }
    ]


def test_r17_without_an_id_of_the_lms_the_learner_has_a_stable_hash_of_the_email(
    once: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = bodies(once, monkeypatch)
    once.learns(completion("ada@example.org", MARCH, NOON), completion("ADA@example.org", APRIL, NOON))
    once.json("sync")
    assert re.fullmatch(r"[a-z2-7]{16}", asked[0]["issuer_earner_id"])
    assert len(asked) == 1


def test_r17_where_duplicates_are_allowed_each_session_has_a_mark_behind_the_learners_id(
    repeatable: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = bodies(repeatable, monkeypatch)
    repeatable.imports("learners", "email,first_name,last_name,learner_id\nada@example.org,Ada,Lovelace,4711\n")
    repeatable.learns(completion("ada@example.org", MARCH, NOON), completion("ada@example.org", APRIL, NOON))
    repeatable.json("sync")
    marks = {fields["issuer_earner_id"] for fields in asked}
    assert len(marks) == 2
    assert all(re.fullmatch(r"4711~[a-z2-7]{16}", mark) for mark in marks)


@pytest.mark.sampled
@pytest.mark.parametrize(("told", "sent"), [("de_AT", "de"), ("pt-br", "pt-BR"), ("it", None), ("", None)])
def test_r17_the_learners_locale_goes_along_where_credly_has_it(
    once: Desk, monkeypatch: pytest.MonkeyPatch, told: str, sent: str | None
) -> None:
    asked = bodies(once, monkeypatch)
    once.imports("learners", f"email,first_name,last_name,locale\nada@example.org,Ada,Lovelace,{told}\n")
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.json("sync")
    assert asked[0].get("locale") == sent


def test_r24_credly_is_asked_to_be_silent_where_the_configuration_says_so(
    once: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    once.config("suppress_notification = true\n")
    asked = bodies(once, monkeypatch)
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.json("sync")
    assert asked[0]["suppress_badge_notification_email"] is True


def test_r18_the_same_completion_told_again_earns_no_second_badge(repeatable: Desk) -> None:
    for _ in range(3):
        repeatable.learns(completion("ada@example.org", MARCH, NOON))
        repeatable.json("sync")
    assert posts(repeatable) == len(repeatable.issued(REPEATABLE)) == 1


def test_r18_a_completion_with_a_corrected_time_earns_no_second_badge(repeatable: Desk) -> None:
    repeatable.learns(completion("ada@example.org", MARCH, NOON))
    repeatable.json("sync")
    repeatable.learns(completion("ada@example.org", MARCH, "2026-03-02T13:00:00Z"))
    assert repeatable.json("sync")["grants"]["issued"] == 0
    assert posts(repeatable) == 1


@pytest.mark.parametrize("in_one_run", [True, False])
def test_r19_each_session_earns_the_badge_where_duplicates_are_allowed(repeatable: Desk, in_one_run: bool) -> None:
    repeatable.learns(completion("ada@example.org", MARCH, NOON))
    if not in_one_run:
        repeatable.json("sync")
    repeatable.learns(completion("ada@example.org", APRIL, NOON))
    repeatable.json("sync")
    assert states(repeatable) == ["issued", "issued"]
    assert len(repeatable.issued(REPEATABLE)) == 2


@pytest.mark.parametrize("in_one_run", [True, False])
def test_r19_a_learner_earns_it_once_where_duplicates_are_forbidden(once: Desk, in_one_run: bool) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON))
    first = once.json("sync")["grants"] if not in_one_run else None
    once.learns(completion("ada@example.org", APRIL, "2026-03-02T13:00:00Z"))
    last = once.json("sync")["grants"]
    assert states(once) == ["issued", "covered"]
    assert posts(once) == 1
    counts = {name: last[name] + (first[name] if first else 0) for name in ("planned", "issued", "covered")}
    assert counts == {"planned": 1, "issued": 1, "covered": 1}
    march, april = ledger(once)
    assert april["issued_badge_id"] == march["issued_badge_id"] == once.issued(ONCE)[0].id


@pytest.mark.parametrize("status", [400, 422])
def test_r19_what_was_covered_by_a_grant_that_fails_is_planned_instead(once: Desk, status: int) -> None:
    """At once, or after a look whether the badge that was refused (422) is there already."""
    once.sandbox.faults.add(faults.answers(status), "POST")
    once.learns(
        completion("ada@example.org", MARCH, NOON), completion("ada@example.org", APRIL, "2026-03-02T12:10:00Z")
    )
    once.run("sync")
    once.run("sync")
    assert sorted(states(once)) == ["failed", "issued"]
    assert len(once.issued(ONCE)) == 1


@pytest.mark.sampled
@pytest.mark.parametrize("names", ["Ada,", ",Lovelace", ","])
def test_r21_without_a_name_the_grant_is_held_and_sent_once_the_name_is_known(once: Desk, names: str) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON, names))
    answer = once.json("sync", code=3)
    assert (answer["status"], answer["grants"]["held"], answer["grants"]["planned"]) == ("partial", 1, 0)
    assert [(entry["code"], entry["email"]) for entry in answer["problems"]] == [("grant-held", "ada@example.org")]
    assert answer["problems"][0]["grant_id"] == ledger(once)[0]["id"]
    assert posts(once) == 0
    assert once.json("sync")["grants"]["held"] == 0  # it was told once; nothing new needs a person
    once.imports("learners", "email,first_name,last_name\nada@example.org,Ada,Lovelace\n")
    counts = once.json("sync")["grants"]
    assert (counts["planned"], counts["issued"]) == (1, 1)


def test_r25_learners_are_matched_by_email_without_regard_to_case(once: Desk) -> None:
    once.learns(completion("ADA@Example.ORG", MARCH, NOON), completion("ada@example.org", APRIL, NOON))
    once.json("sync")
    assert len(once.issued(ONCE)) == 1
    assert len(once.json("grants")) == 2


def test_r25_the_learner_id_survives_a_change_of_email(repeatable: Desk) -> None:
    repeatable.imports("learners", "email,first_name,last_name,learner_id\nada@example.org,Ada,Byron,4711\n")
    repeatable.learns(completion("ada@example.org", MARCH, NOON))
    repeatable.json("sync")
    repeatable.imports("learners", "email,first_name,last_name,learner_id\nada@other.example,Ada,Lovelace,4711\n")
    repeatable.learns(completion("ada@other.example", MARCH, NOON), completion("ada@other.example", APRIL, NOON))
    assert repeatable.json("sync")["grants"]["issued"] == 1
    assert [badge.email for badge in repeatable.issued(REPEATABLE)] == ["ada@example.org", "ada@other.example"]
