"""A long list of issued badges is read from its newest end, and whole where that does not tell all (R10, R23)."""

import pytest

from credly_cli.sandbox.records import EarnedBadge
from tests.support import faults
from tests.support.desk import Desk

BADGE = "First Aid at Work"


@pytest.fixture
def long(connected: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk whose list of issued badges counts as long, and was read whole an hour ago."""
    monkeypatch.setattr("credly_cli.sync.issued_badges._SHORT", 3)
    for number in range(6):
        issue(connected, number)
    connected.pass_time(hours=2)
    connected.json("sync")
    connected.pass_time(hours=2)
    return connected


def issue(desk: Desk, number: int) -> EarnedBadge:
    return desk.sandbox.issue_in_credly(desk.badge_id(BADGE), f"l{number}@example.org", "L", "Earner")


def caught_up(desk: Desk, *options: str) -> dict[str, int]:
    """Sync, expect that only the newest end was read, and return the counts."""
    desk.sandbox.log.clear()
    counts: dict[str, int] = desk.json("sync", *options)["issued_badges"]
    assert not was_read_whole(desk)
    return counts


def read_whole(desk: Desk, *options: str) -> dict[str, int]:
    """Sync, expect that the list was read page by page, and return the counts."""
    desk.sandbox.log.clear()
    counts: dict[str, int] = desk.json("sync", *options)["issued_badges"]
    assert was_read_whole(desk)
    return counts


def was_read_whole(desk: Desk) -> bool:
    return bool(desk.sandbox.log.matching("GET", r"/badges\?.*sort=created_at"))


def test_what_is_new_and_what_was_accepted_is_seen_from_the_newest_end(long: Desk) -> None:
    issue(long, 7)
    long.sandbox.accept(long.issued()[2].id)
    assert caught_up(long) == {"added": 1, "changed": 1, "unchanged": 5, "removed": 0}
    assert caught_up(long) == {"added": 0, "changed": 0, "unchanged": 7, "removed": 0}


def test_a_badge_that_is_gone_shows_in_the_count_and_the_list_is_read_whole(long: Desk) -> None:
    long.sandbox.delete(long.issued()[3].id)
    issue(long, 7)
    assert read_whole(long)["removed"] == 1
    long.pass_time(hours=2)
    assert caught_up(long)["unchanged"] == 6


@pytest.mark.parametrize("options", [(), ("--full",)])
def test_it_is_read_whole_once_a_day_and_when_asked_for(long: Desk, options: tuple[str, ...]) -> None:
    if not options:
        long.pass_time(hours=24)
    assert read_whole(long, *options)["unchanged"] == 6


def test_it_is_read_whole_where_no_run_has_noted_that_it_was(long: Desk) -> None:
    """As in a store that was made before runs noted that."""
    with long.store() as store, store.transaction():
        store.change("UPDATE runs SET listed_whole = 0")
    assert read_whole(long)["unchanged"] == 6


def test_a_list_in_another_order_is_read_whole(long: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    issue(long, 7)
    monkeypatch.setattr("credly_cli.sandbox.lists.sort_rows", lambda rows, *_: list(rows))
    assert read_whole(long)["added"] == 1


@pytest.mark.further
def test_what_we_issued_and_credly_does_not_list_yet_is_awaited_without_reading_all(long: Desk) -> None:
    long.json("link", BADGE, "hygiene")
    long.pass_time(hours=1)
    now = long.clock.now()
    long.learns(f"ada@example.org,hygiene,,completed,{now:%Y-%m-%dT%H:%M:%SZ},Ada,Lovelace")
    long.json("sync")
    long.sandbox.switches.list_lag = 7200
    long.pass_time(hours=1)
    assert caught_up(long)["unchanged"] == 7
    long.sandbox.switches.list_lag = 0
    assert caught_up(long) == {"added": 0, "changed": 0, "unchanged": 7, "removed": 0}
    long.sandbox.delete(long.issued()[-1].id)
    assert read_whole(long)["removed"] == 1


_ROW = '{"id": "a", "state": "pending", "badge_template": {"id": "b"}}'


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("rows", "metadata"),
    [
        pytest.param("[]", "null", id="no count"),
        pytest.param("[]", '{"total_count": "7"}', id="a count that is no number"),
        pytest.param("{}", '{"total_count": 7}', id="no list"),
        pytest.param("[{}]", '{"total_count": 7}', id="a row that cannot be read"),
        pytest.param(f"[{_ROW}]", '{"total_count": 7}', id="a row without its moment"),
    ],
)
def test_a_newest_end_that_cannot_be_read_lets_the_list_be_read_whole(long: Desk, rows: str, metadata: str) -> None:
    issue(long, 7)
    body = f'{{"data": {rows}, "metadata": {metadata}}}'.encode()
    long.sandbox.faults.add(faults.answers(200, body), "GET", "sort=-created_at")
    assert read_whole(long)["added"] == 1


def test_where_too_much_is_new_the_list_is_read_whole(long: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credly_cli.sync.issued_badges._MOST_PAGES", 1)
    long.sandbox.switches.page_size = 2
    for number in (7, 8, 9):
        issue(long, number)
    assert read_whole(long)["added"] == 3
