"""R33: a badge that Credly does not let us issue (403) is held back and named, and does not stop the others."""

import pytest

from credly_cli.issuing.plan import plan
from credly_cli.times import utc_text
from tests.rules.granting_desk import MARCH, ONCE, REPEATABLE, completion, ledger, posts, states
from tests.support import faults
from tests.support.desk import Desk

AT = "2026-03-02T13:00:00Z"


@pytest.fixture
def both(once: Desk) -> Desk:
    """A desk whose course earns two badges, with a completion of it."""
    once.json("link", REPEATABLE, "first-aid")
    once.pass_time(hours=2)
    once.learns(*(completion(f"ada{number}@example.org", MARCH, AT) for number in range(6)))
    return once


def withdraw(desk: Desk, *names: str) -> None:
    """Withdraw the authorization to issue these badges."""
    desk.sandbox.switches.withdrawn_templates = frozenset(map(desk.badge_id, names))


def first_of(desk: Desk) -> str:
    """Plan, and return the name of the badge that is to be issued first."""
    with desk.store() as store:
        plan(store, desk.sandbox.organization_id, None, utc_text(desk.clock.now()))
    return str(ledger(desk)[0]["badge"]["name"])


@pytest.mark.further
def test_one_badge_that_may_not_be_issued_does_not_stop_the_others(both: Desk) -> None:
    """R33: it is named in every run as long as it lasts, and what is planned for it goes out when it is over."""
    withdraw(both, ONCE)
    first = both.json("sync", code=3)
    assert [(one["code"], one["badge_id"]) for one in first["problems"]] == [("credly-refused", both.badge_id(ONCE))]
    assert ONCE in first["problems"][0]["message"]
    assert "withdrawn" in first["problems"][0]["message"]
    assert first["grants"]["issued"] == 6
    assert posts(both) <= 6 + 4  # one badge is tried by as many requests as are under way at once
    both.pass_time(minutes=5)
    again = both.json("sync", code=3)
    assert [one["code"] for one in again["problems"]] == ["credly-refused"]
    assert sorted(set(states(both))) == ["issued", "planned"]
    withdraw(both)
    assert both.json("sync")["grants"]["issued"] == 6


def test_where_every_badge_is_refused_the_token_is_to_blame(both: Desk) -> None:
    """R33: exit 4, and nothing is lost."""
    withdraw(both, ONCE, REPEATABLE)
    ran = both.json("sync", code=4)
    assert [one["code"] for one in ran["problems"]] == ["token-forbidden"]
    assert set(states(both)) == {"planned"}
    withdraw(both)
    assert both.json("sync")["grants"]["issued"] == 12


def test_a_badge_that_is_refused_first_of_all_is_not_taken_for_the_token(both: Desk) -> None:
    both.config("[credly]\nparallel = 1\n")
    withdraw(both, first_of(both))
    assert both.json("sync", code=3)["grants"]["issued"] == 6
    assert posts(both) == 1 + 6


def test_after_five_badges_that_are_refused_no_other_is_tried(connected: Desk) -> None:
    """R33: five badges, whatever is planned of each; none was ever issued, so it is the token."""
    connected.config("[credly]\nparallel = 1\n")
    names = [badge["name"] for badge in connected.json("badges")][:6]
    for name in names:
        connected.json("link", name, "first-aid")
    withdraw(connected, *names)
    connected.pass_time(hours=5)
    connected.learns(completion("ada@example.org", MARCH, AT))
    assert connected.json("sync", code=4)["problems"][0]["code"] == "token-forbidden"
    assert (posts(connected), states(connected)) == (5, ["planned"] * 6)


def test_an_answer_that_is_not_clear_says_nothing_of_the_token(once: Desk) -> None:
    """R33: one badge is refused, and whether the other was issued nobody knows."""
    once.json("link", REPEATABLE, "first-aid")
    once.pass_time(hours=2)
    once.config("[credly]\nparallel = 1\n")
    once.learns(completion("ada@example.org", MARCH, AT))
    withdraw(once, first_of(once))
    once.sandbox.faults.add(faults.answers(500), "POST", nth=2)
    assert once.json("sync", code=4)["problems"][0]["code"] == "token-forbidden"


@pytest.mark.further
def test_a_token_that_may_only_read_is_to_blame_whatever_another_one_issued(both: Desk) -> None:
    """R33: a token was exchanged for one that may only read, in the file where it lies; no badge is to blame."""
    both.json("sync")
    both.learns(completion("bob@example.org", MARCH, "2026-03-02T14:00:00Z"))
    both.sandbox.tokens[0].write_enabled = False
    ran = both.json("sync", code=4)
    assert [one["code"] for one in ran["problems"]] == ["token-forbidden"]
    assert both.json("status")["waiting_for_person"] == []
    both.sandbox.tokens[0].write_enabled = True
    assert both.json("sync")["grants"]["issued"] == 2


def test_a_page_of_a_firewall_passes(both: Desk) -> None:
    """R33: HTML with 403 is none of Credly's answers."""
    page = b"<html><body>Access denied</body></html>"
    both.sandbox.faults.add(faults.answers(403, page), "POST", times=1)
    ran = both.json("sync", code=75)
    assert {one["code"] for one in ran["problems"]} == {"unreachable"}
    both.pass_time(minutes=20)
    both.json("sync")
    assert set(states(both)) == {"issued"}


@pytest.mark.further
@pytest.mark.parametrize(("status", "words"), [(402, "There are no credits left"), (409, "Conflict")])
def test_no_credits_and_a_conflict_are_an_end_with_credlys_words(once: Desk, status: int, words: str) -> None:
    """R33: after one look-up; it is sent again when a person says so."""
    once.learns(completion("ada@example.org", MARCH, AT))
    once.sandbox.faults.add(faults.answers(status, f'{{"data":{{"message":"{words}"}}}}'.encode()), "POST")
    once.pass_time(hours=1)
    ran = once.json("sync", code=3)
    assert [one["code"] for one in ran["problems"]] == ["grant-failed"]
    assert words in ran["problems"][0]["message"]
    assert states(once) == ["failed"]
    once.json("sync")
    assert posts(once) == 1
    once.json("retry", "1")
    once.json("sync")
    assert states(once) == ["issued"]


def shown(desk: Desk, email: str = "ada1@example.org") -> tuple[str, str, list[bool]]:
    """Return what `explain` decides and gives as the cause, and what the widget promises."""
    (badge,) = desk.json("explain", email, ONCE)["badges"]
    promises = [one["on_its_way"] for one in desk.json("widget", email)["in_progress"] if one["badge"]["name"] == ONCE]
    return badge["decision"], badge["cause"], promises


@pytest.mark.further
def test_nobody_is_promised_a_badge_that_may_not_be_issued(both: Desk) -> None:
    """R30, R33: it needs a person, whether planned or only completed, until Credly lets it be issued."""
    withdraw(both, ONCE)
    both.json("sync", code=3)
    decision, cause, promises = shown(both)
    assert (decision, promises) == ("needs-person", [False])
    assert (
        cause == "Credly did not let this badge be issued when it was last tried (403): what is planned for it waits."
    )
    assert both.json("missed", ONCE) == []
    both.learns(completion("bob@example.org", MARCH, "2026-03-02T13:30:00Z"))
    assert shown(both, "bob@example.org")[0::2] == ("needs-person", [False])
    told = "Credly does not let it be issued (HTTP 403): This issuer authorization has been withdrawn."
    assert told in both.run("explain", "ada0@example.org", ONCE).out  # the first of its badge is always sent
    withdraw(both)
    both.sandbox.faults.add(faults.unreachable(), "POST", times=2)  # one is let through, two are left for later
    both.run("sync")
    states_of = {one["email"]: one["state"] for one in ledger(both) if one["badge"]["name"] == ONCE}
    waiting = next(email for email, state in states_of.items() if state == "planned")
    assert shown(both, waiting)[0::2] == ("on-its-way", [True])


@pytest.mark.further
def test_a_run_that_tries_no_such_badge_forgets_that_it_may_not_be_issued(both: Desk) -> None:
    """R33: the condition lasts as long as it is met with."""
    withdraw(both, ONCE)
    both.json("sync", code=3)
    both.json("unlink", ONCE)
    both.json("link", ONCE, "first-aid", "--since", "2026-03-02T14:00:00Z")
    both.json("sync")
    both.learns(completion("bob@example.org", MARCH, "2026-03-02T14:00:30Z"))
    assert shown(both, "bob@example.org")[0] == "would-grant"


def test_a_token_that_may_issue_nothing_says_nothing_of_a_badge(both: Desk) -> None:
    """R33: what is planned is on its way, once there is another token."""
    withdraw(both, ONCE, REPEATABLE)
    both.json("sync", code=4)
    assert shown(both)[0::2] == ("on-its-way", [True])


def test_granting_by_hand_a_badge_that_may_not_be_issued_leaves_nothing_behind(both: Desk) -> None:
    """R22, R33."""
    withdraw(both, ONCE)
    both.json("sync", code=3)
    before = ledger(both)
    both.learns("bob@example.org,first-aid,first-aid-march,started,,Bob,Bee")
    refused = both.run("grant", "bob@example.org", ONCE, "--json")
    assert (refused.code, refused.json["error"]["code"]) == (3, "credly-refused")
    assert "then grant it again" in refused.json["error"]["hint"]
    assert ledger(both) == before
