"""R20, R25, R26: who holds a badge holds it, by what Credly answers or by what the store knows, under any spelling."""

import pytest

from tests.rules.granting_desk import MARCH, ONCE, bodies, completion, ledger, posts, states
from tests.support import faults
from tests.support.desk import Desk

AT = "2026-03-02T11:00:00Z"


@pytest.fixture
def spelled(once: Desk) -> Desk:
    """A Credly whose filters mind case, and that has the badge under another spelling of the learner's address."""
    once.sandbox.switches.email_filter_minds_case = True
    once.sandbox.issue_in_credly(once.badge_id(ONCE), "Ada@X.org", "Ada", "L", issued_at="2020-01-01 00:00:00 +0000")
    once.learns(completion("ada@x.org", MARCH, AT))
    once.pass_time(hours=2)
    return once


def test_a_badge_under_another_spelling_is_shown(spelled: Desk) -> None:
    """R26: once a sync has told the store how Credly writes the address."""
    spelled.json("sync")
    assert [badge["badge"]["name"] for badge in spelled.json("learner-badges", "ada@x.org")["badges"]] == [ONCE]
    spelled.sandbox.delete(spelled.issued(ONCE)[0].id)
    assert spelled.json("learner-badges", "ada@x.org")["badges"] == []


def test_a_badge_under_another_spelling_covers(spelled: Desk) -> None:
    """R20: the store is asked, too."""
    spelled.json("sync")
    assert (states(spelled), posts(spelled)) == (["covered"], 0)


def test_what_was_refused_as_a_duplicate_is_covered_by_what_the_list_of_that_sync_has(spelled: Desk) -> None:
    """R20: the filters found nothing, the list has it."""
    spelled.json("sync", "--only", "grants", code=75)  # it was refused: the store has no list yet
    assert (states(spelled), posts(spelled)) == (["uncertain"], 1)
    spelled.json("sync")
    assert (states(spelled), posts(spelled)) == (["covered"], 1)


EMPTY = b'{"data":[],"metadata":{"count":0,"current_page":1,"total_count":0,"total_pages":1,"per":50}}'


def test_what_the_list_has_covers_though_no_filter_finds_it(spelled: Desk) -> None:
    """R20: whatever Credly answers about the learner, what it has told of all is believed too."""
    spelled.json("sync", "--only", "grants", code=75)
    spelled.sandbox.faults.add(faults.answers(200, EMPTY), "GET", "filter=badge_template", times=None)
    spelled.json("sync")
    assert (states(spelled), posts(spelled)) == (["covered"], 1)


def asked(desk: Desk, address: str) -> bool:
    """Tell whether Credly was asked for the badges of an address in this very spelling."""
    return desk.sandbox.log.count("GET", f"filter=[^&]*recipient_email(%3A%3A|::){address}".replace("@", "(%40|@)")) > 0


@pytest.mark.further
def test_each_spelling_that_the_store_knows_is_asked_for(spelled: Desk) -> None:
    """R20, R26: in settling a grant, and to show."""
    spelled.json("sync", "--only", "grants", code=75)
    assert not asked(spelled, "Ada@X.org")
    spelled.json("sync")
    assert asked(spelled, "ada@x.org")
    assert asked(spelled, "Ada@X.org")
    spelled.sandbox.log.clear()
    spelled.json("learner-badges", "ada@x.org")
    assert asked(spelled, "Ada@X.org")


TAKEN = '{"data":{"message":"Validation failed","errors":[{"attribute":"%s","messages":%s}]}}'


@pytest.mark.sampled
@pytest.mark.parametrize(
    "body",
    [
        TAKEN % ("recipient_email", '["is not available"]'),
        TAKEN % ("user_id", "[]"),
        TAKEN % ("issuer_earner_id", '["must be unique"]'),
        '{"data":{"message":"Duplicate badge"}}',
        '{"data":{"message":"Recipient has already been issued this"}}',
        '{"data":{"message":"The earner was previously issued this badge"}}',
        '{"data":{"message":"Ada has this badge"}}',
    ],
)
def test_what_may_mean_that_the_learner_has_it_is_looked_for_until_it_has_settled(once: Desk, body: str) -> None:
    """R20: the badge shows only later; until then the grant has not failed."""
    once.learns(completion("ada@example.org", MARCH, AT))
    once.pass_time(hours=2)
    once.sandbox.faults.add(faults.answers(422, body.encode()), "POST", times=1)
    once.json("sync", code=75)
    assert states(once) == ["uncertain"]
    once.sandbox.issue_in_credly(
        once.badge_id(ONCE), "ada@example.org", "A", "L", issued_at="2020-01-01 00:00:00 +0000"
    )
    once.pass_time(minutes=5)
    once.json("sync")
    assert (states(once), posts(once)) == (["covered"], 1)


def test_what_settles_without_a_badge_has_failed_with_credlys_words(once: Desk) -> None:
    """R20: `settle_seconds` after the refusal."""
    once.learns(completion("ada@example.org", MARCH, AT))
    once.pass_time(hours=2)
    once.sandbox.faults.add(faults.answers(422, b'{"data":{"message":"Duplicate badge"}}'), "POST", times=1)
    once.json("sync", code=75)
    once.pass_time(minutes=16)
    assert once.json("sync", code=3)["problems"][0]["code"] == "grant-failed"
    assert ledger(once)[0]["problem"] == "Credly refused: Duplicate badge."


def test_a_refusal_that_is_about_a_malformed_address_fails_at_once(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, AT))
    once.pass_time(hours=2)
    once.sandbox.faults.add(faults.answers(422, (TAKEN % ("recipient_email", '["is invalid"]')).encode()), "POST")
    once.json("sync", code=3)
    assert states(once) == ["failed"]


@pytest.mark.parametrize("course", ["once", "repeatable"])
def test_r25_whom_the_lms_gave_the_id_of_another_earns_a_badge_of_their_own(
    course: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk: Desk = request.getfixturevalue(course)
    header = "learner_id,email,first_name,last_name,content_id,completed_at\n"
    asked = bodies(desk, monkeypatch)
    desk.imports("progress", f"{header}5,ada@example.org,Ada,Lovelace,first-aid,{AT}\n")
    desk.json("sync")
    zoe = f"{header}5,zoe@example.org,Zoe,Quill,first-aid,{AT}\n"
    assert desk.imports("progress", zoe, code=3)["rejected"] == 1
    desk.imports("progress", zoe, "--id", "5=new")
    assert desk.json("sync")["grants"]["issued"] == 1
    assert [(body["recipient_email"], body["issued_to_first_name"]) for body in asked] == [
        ("ada@example.org", "Ada"),
        ("zoe@example.org", "Zoe"),
    ]
    first, second = (body["issuer_earner_id"].partition("~")[0] for body in asked)
    assert first == "5" != second
    for email in ("ada@example.org", "zoe@example.org"):
        (badge,) = desk.json("learner-badges", email)["badges"]
        assert [one["id"] for one in desk.json("widget", email)["earned"]] == [badge["id"]]
    desk.pass_time(days=1)
    assert desk.json("sync")["grants"]["planned"] == 0
