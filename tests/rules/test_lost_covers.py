"""R20, R23, R33: where the badge that covers a grant is lost, a person decides."""

import pytest

from tests.rules.granting_desk import MARCH, ONCE, completion, ledger, posts, states
from tests.support.desk import Desk

AT = "2026-03-02T11:00:00Z"


@pytest.fixture
def covered(once: Desk) -> Desk:
    """A desk with a grant that is covered by a badge issued in Credly."""
    once.sandbox.issue_in_credly(
        once.badge_id(ONCE), "ada@example.org", "Ada", "L", issued_at="2020-01-01 00:00:00 +0000"
    )
    once.learns(completion("ada@example.org", MARCH, AT))
    once.pass_time(hours=2)
    once.json("sync")
    assert states(once) == ["covered"]
    return once


@pytest.mark.further
@pytest.mark.parametrize("loss", ["revoke", "delete"])
def test_a_lost_cover_needs_a_person_until_it_is_settled(covered: Desk, loss: str) -> None:
    """R33: an event of the run that finds it, which counts in status until then."""
    getattr(covered.sandbox, loss)(covered.issued(ONCE)[0].id)
    covered.pass_time(hours=1)
    ran = covered.json("sync", "--allow-shrink", code=3)
    assert [(one["code"], one["grant_id"]) for one in ran["problems"]] == [("cover-lost", 1)]
    assert covered.json("sync")["problems"] == []
    status = covered.json("status")
    assert (status["needs_person"], [one["code"] for one in status["waiting_for_person"]]) == (1, ["cover-lost"])
    assert (states(covered), posts(covered)) == (["covered"], 0)
    assert covered.json("retry") == {"planned": 0}
    assert covered.json("retry", "1") == {"planned": 1}
    covered.json("sync")
    assert (states(covered), posts(covered)) == (["issued"], 1)
    assert covered.json("status")["needs_person"] == 0


@pytest.mark.further
def test_a_lost_cover_can_be_left(covered: Desk) -> None:
    covered.sandbox.revoke(covered.issued(ONCE)[0].id)
    covered.json("sync", code=3)
    covered.json("resolve", "1", "--drop")
    covered.json("sync")
    assert (states(covered), posts(covered)) == (["cancelled"], 0)


def test_another_badge_that_the_learner_holds_covers_as_well(covered: Desk) -> None:
    covered.sandbox.revoke(covered.issued(ONCE)[0].id)
    covered.sandbox.issue_in_credly(
        covered.badge_id(ONCE), "ada@example.org", "Ada", "L", issued_at="2020-01-02 00:00:00 +0000"
    )
    covered.json("sync")
    assert ledger(covered)[0]["issued_badge_id"] == covered.issued(ONCE)[1].id
    assert ledger(covered)[0]["badge_state"] == "pending"


def test_a_badge_that_comes_back_settles_it(covered: Desk) -> None:
    covered.sandbox.revoke(covered.issued(ONCE)[0].id)
    covered.json("sync", code=3)
    covered.sandbox.issue_in_credly(
        covered.badge_id(ONCE), "ada@example.org", "Ada", "L", issued_at="2020-01-02 00:00:00 +0000"
    )
    covered.json("sync")
    assert covered.json("status")["needs_person"] == 0


def test_a_lost_cover_needs_a_person_in_explain(covered: Desk) -> None:
    """R20, R32, R33: with the ways out, and it is promised to nobody."""
    covered.sandbox.revoke(covered.issued(ONCE)[0].id)
    covered.json("sync", code=3)
    explained = covered.json("explain", "ada@example.org", ONCE)["badges"][0]
    assert explained["decision"] == "needs-person"
    assert "holds the badge no more that covered it" in explained["cause"]
    assert any("credly retry 1" in check["message"] for check in explained["checks"])
    assert covered.json("widget", "ada@example.org")["in_progress"] == []
