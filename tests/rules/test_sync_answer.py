"""What `sync` answers: counts, problems, status and exit codes; a rehearsal and an unchanged run write nothing."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.rules.granting_desk import APRIL, MARCH, ONCE, completion, ledger, posts, states
from tests.support import faults
from tests.support.desk import Desk

NOON = "2026-03-02T12:00:00Z"
NONE = {"added": 0, "changed": 0, "unchanged": 0, "removed": 0}


def dump(desk: Desk) -> dict[str, list[str]]:
    """Return everything in the store, by table."""
    with desk.store() as store:
        tables = [row["name"] for row in store.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(map(repr, store.rows(f"SELECT * FROM {name}"))) for name in tables}  # noqa: S608


def files(home: Path) -> dict[str, str]:
    """Return what every file holds."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(home.rglob("*")) if path.is_file()
    }


@pytest.mark.further
def test_an_unchanged_sync_writes_nothing_but_its_own_row_and_its_moment(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON), completion("b@example.org", APRIL, NOON))
    once.json("sync")
    once.pass_time(hours=1)
    once.json("sync")
    before = dump(once)
    once.pass_time(hours=1)
    answer = once.json("sync")
    assert answer["grants"] == dict.fromkeys(answer["grants"], 0)
    after = dump(once)
    assert {name for name in after if after[name] != before[name]} <= {
        "runs",
        "sqlite_sequence",
        "page_clock",
        "bookmarks",
    }
    (moment,) = set(after["bookmarks"]) - set(before["bookmarks"])
    assert "badges-listed" in moment
    assert len(after["runs"]) == len(before["runs"]) + 1
    assert set(before["runs"]) < set(after["runs"])


def test_r18_a_dry_run_shows_the_plan_and_changes_nothing(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON), completion("b@example.org", MARCH, NOON, ","))
    before, requests = files(once.home), posts(once)
    rehearsed = once.json("sync", "--dry-run")
    assert files(once.home) == before
    assert posts(once) == requests
    assert (rehearsed["dry_run"], rehearsed["status"]) == (True, "success")
    done = once.json("sync", code=3)
    assert {name: rehearsed["grants"][name] for name in ("planned", "held", "covered")} == {
        name: done["grants"][name] for name in ("planned", "held", "covered")
    }
    assert done["dry_run"] is False


def test_a_dry_run_counts_all_that_would_be_sent(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.sandbox.faults.add(faults.unreachable(), "POST", times=None)
    once.json("sync", code=75)
    once.sandbox.faults.clear()
    assert once.json("sync", "--dry-run")["grants"]["planned"] == 1


def test_a_dry_run_that_cannot_ask_credly_is_no_plan(once: Desk) -> None:
    once.sandbox.faults.add(faults.unreachable(), times=None)
    assert once.run("sync", "--dry-run").code == 75


def test_only_does_the_named_steps_and_no_others(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.sandbox.log.clear()
    answer = once.json("sync", "--only", "badges")
    assert answer["badges"]["unchanged"] == 8
    assert (posts(once), once.sandbox.log.count("GET", "/badges[?]")) == (0, 0)
    assert once.json("sync", "--only", "issued")["badges"] == NONE
    answer = once.json("sync", "--only", "grants")
    assert (answer["badges"], answer["grants"]["issued"]) == (NONE, 1)


def answered(desk: Desk) -> tuple[Any, ...]:
    """Run `sync` and return exit code, status, codes of the problems, and the counts that are not zero."""
    ran = desk.run("sync", "--json")
    counts = {name: count for name, count in ran.json["grants"].items() if count}
    return ran.code, ran.json["status"], [entry["code"] for entry in ran.json["problems"]], counts


def test_a_refused_grant_fails_with_credlys_own_words(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON))
    words = b'{"data":{"message":"Issued to last name is odd"},"metadata":{}}'
    once.sandbox.faults.add(faults.answers(422, words), "POST")
    assert answered(once) == (3, "partial", ["grant-failed"], {"planned": 1, "failed": 1})
    assert ledger(once)[0]["problem"] == "Credly refused: Issued to last name is odd."
    assert answered(once) == (0, "success", [], {})
    assert posts(once) == 1


def test_a_lost_answer_is_found_at_once(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.sandbox.faults.add(faults.loses_answer(), "POST")
    assert answered(once) == (0, "success", [], {"planned": 1, "issued": 1, "adopted": 1})


def test_a_lost_request_leaves_the_grant_uncertain(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.sandbox.faults.add(faults.drops(), "POST")
    assert answered(once) == (75, "partial", [], {"planned": 1, "uncertain": 1})
    assert answered(once) == (75, "partial", [], {})
    assert posts(once) == 1


def test_r18_what_a_crash_left_in_sending_is_uncertain_and_not_sent_again(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.json("sync", "--only", "badges")
    once.sandbox.faults.add(faults.answers(429), "POST", times=None)
    once.run("sync", "--only", "grants")
    once.sandbox.faults.clear()
    with once.store() as store:
        store.change("UPDATE grants SET state = 'sending', sent_at = ?, not_before = NULL", (NOON,))
    requests = posts(once)
    assert answered(once)[0::3] == (75, {"uncertain": 1})
    assert (states(once), posts(once)) == (["uncertain"], requests)


def test_unreachable_and_a_held_grant_end_with_75(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON), completion("b@example.org", MARCH, NOON, ","))
    once.sandbox.faults.add(faults.unreachable(), "POST", times=None)
    code, status, codes, _ = answered(once)
    assert (code, status) == (75, "partial")
    assert set(codes) == {"grant-held", "unreachable"}


def test_a_refused_token_and_a_held_grant_end_with_4(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON), completion("b@example.org", MARCH, NOON, ","))
    once.sandbox.faults.add(faults.answers(401), "POST")
    assert answered(once)[0] == 4


def test_a_refused_token_stops_the_run_before_its_later_steps(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.sandbox.faults.add(faults.answers(401), times=None)
    ran = once.run("sync", "--json")
    assert ran.code == 4
    assert posts(once) == 0
    assert states(once) == []


def test_when_credly_is_down_the_run_says_error(once: Desk) -> None:
    once.sandbox.faults.add(faults.unreachable(), times=None)
    ran = once.run("sync", "--json")
    assert ran.code == 75


def test_a_step_that_fails_does_not_stop_the_later_ones(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.sandbox.faults.add(faults.answers(500), "GET", "badge_templates", times=None)
    assert answered(once) == (75, "partial", ["server-error"], {"planned": 1, "issued": 1})


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_a_quiet_sync_says_one_line_when_it_does_not_end_well(once: Desk, option: tuple[str, ...]) -> None:
    ran = once.run("sync", "-q")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    once.learns(completion("ada@example.org", MARCH, NOON, ","))
    ran = once.run("sync", "-q", *option)
    assert ran.code == 3
    assert len(ran.err.splitlines()) == (0 if option else 1)


def test_r16_what_is_uncertain_when_its_link_ends_is_settled_and_not_sent(once: Desk) -> None:
    once.learns(completion("ada@example.org", MARCH, NOON))
    once.sandbox.faults.add(faults.drops(), "POST")
    once.json("sync", code=75)
    assert once.json("unlink", ONCE)["cancelled"] == 0
    for _ in range(3):
        once.pass_time(minutes=20)
        once.run("sync")
    assert states(once) == ["cancelled"]
    assert posts(once) == 1
