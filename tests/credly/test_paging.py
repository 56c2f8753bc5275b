"""Reading a list of several pages, and knowing whether it is complete (R10)."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
import requests_mock

from credly_cli.credly import paging
from credly_cli.credly.client import Client, session_of
from credly_cli.credly.paging import Listing
from credly_cli.credly.records import Badge
from credly_cli.http.response import HttpFailure
from credly_cli.sandbox.records import Response
from credly_cli.times import Deadline
from credly_cli.token import Token
from tests.support import faults
from tests.support.adapter import SandboxAdapter
from tests.support.desk import StillClock
from tests.support.stand_in import FaultySandbox, sandbox_with_samples

URL = "https://credly.test/v1"
ROWS = 20
Answer = Callable[[int], dict[str, Any]]


@pytest.fixture
def sandbox() -> FaultySandbox:
    """A Credly with 20 active badges, two on a page."""
    clock = StillClock()
    sandbox = sandbox_with_samples(now=clock.now, sleep=clock.sleep)
    row = next(row for row in sandbox.templates.values() if row["state"] == "active")
    sandbox.templates = {
        f"badge-{number:02}": {
            **row,
            "id": f"badge-{number:02}",
            "created_at": f"2026-01-{number + 1:02}T00:00:00.000Z",
        }
        for number in range(ROWS)
    }
    sandbox.switches.page_size = 2
    return sandbox


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def client(sandbox: FaultySandbox) -> Client:
    clock = StillClock()
    http = session_of(URL, Token(sandbox.token), clock, environ={}, adapter=SandboxAdapter(sandbox))
    return Client(http, sandbox.organization_id)


def incomplete(listing: Listing[Any], rows: int) -> str:
    """The reason for which a listing with so many rows is not complete."""
    assert not listing.complete
    assert len(listing.rows) == rows
    assert listing.problem is not None
    assert listing.problem.hint
    return listing.problem.message


def test_r10_a_whole_list_is_complete_and_in_order(client: Client, sandbox: FaultySandbox) -> None:
    listing = client.badges()
    assert listing.complete
    assert list(listing.rows) == sorted(sandbox.templates)
    assert sandbox.log.count() == 10


def test_an_empty_list_is_complete(client: Client, sandbox: FaultySandbox) -> None:
    sandbox.templates.clear()
    listing = client.badges()
    assert listing.complete
    assert listing.rows == {}
    assert sandbox.log.count() == 1


def test_links_that_lose_the_filter_do_no_harm(client: Client, sandbox: FaultySandbox) -> None:
    sandbox.switches.next_page_keeps_filter = False
    assert client.badges().complete  # pages are asked for by number


def test_every_page_is_asked_for_with_the_filter(client: Client, sandbox: FaultySandbox) -> None:
    client.badges()
    assert all("filter=state%3A%3Aactive" in request.target for request in sandbox.log.latest)


@pytest.mark.parametrize("act", [faults.answers(500), faults.answers_html(), faults.drops(), faults.cuts_body()])
def test_r10_a_failed_page_leaves_the_others(client: Client, sandbox: FaultySandbox, act: faults.Act) -> None:
    sandbox.faults.add(act, "GET", "page=3($|&)", times=None)
    listing = client.badges()
    incomplete(listing, ROWS - 2)
    assert {"badge-04", "badge-05"}.isdisjoint(listing.rows)


def test_a_page_that_fails_once_is_no_failure(client: Client, sandbox: FaultySandbox) -> None:
    sandbox.faults.add(faults.answers(503), "GET", "page=3($|&)")
    assert client.badges().complete


def test_r10_a_first_page_that_fails_is_a_failure(client: Client, sandbox: FaultySandbox) -> None:
    sandbox.faults.add(faults.answers(500), "GET", "page=1($|&)", times=None)
    with pytest.raises(HttpFailure):
        client.badges()


@pytest.mark.parametrize("status", [401, 403, 302])
def test_what_stops_the_run_is_not_swallowed_by_a_later_page(
    client: Client, sandbox: FaultySandbox, status: int
) -> None:
    sandbox.faults.add(faults.answers(status), "GET", "page=4($|&)", times=None)
    with pytest.raises(HttpFailure):
        client.badges()


def test_when_pages_fail_for_good_not_all_of_them_are_asked_for(client: Client, sandbox: FaultySandbox) -> None:
    sandbox.switches.page_size = 1
    sandbox.faults.add(faults.answers(404), "GET", r"page=([2-9]|\d\d)($|&)", times=None)
    incomplete(client.badges(), 1)
    assert sandbox.log.count() <= 1 + 3 + 4  # the first, three that fail, what was under way then


class Watch:
    """Lets requests take a moment, and notes how many are under way as each begins."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self._under_way = 0
        self._lock = threading.Lock()

    def __call__(self, work: faults.Work, _stage: faults.Stage) -> Response:
        with self._lock:
            self._under_way += 1
            self.seen.append(self._under_way)
        time.sleep(0.01)
        answer = work()
        with self._lock:
            self._under_way -= 1
        return answer


def test_pages_are_read_four_at_a_time(client: Client, sandbox: FaultySandbox) -> None:
    sandbox.switches.page_size = 1
    watch = Watch()
    sandbox.faults.add(watch, "GET", times=None)
    assert client.badges().complete
    assert max(watch.seen) == 4


def test_after_a_request_to_slow_down_one_page_at_a_time_is_read(client: Client, sandbox: FaultySandbox) -> None:
    sandbox.switches.page_size = 1
    sandbox.faults.add(faults.answers(429, Retry_After="1"), "GET", "page=2($|&)")
    watch = Watch()
    sandbox.faults.add(watch, "GET", times=None)
    assert client.badges().complete
    assert set(watch.seen[-6:]) == {1}


def test_a_credly_that_asks_to_come_back_much_later_is_left_alone(client: Client, sandbox: FaultySandbox) -> None:
    sandbox.switches.page_size = 1
    sandbox.faults.add(faults.answers(429, Retry_After="86400"), "GET", r"page=([2-9]|\d\d)($|&)", times=None)
    listing = client.badges()
    assert listing.problem is not None
    assert listing.problem.code == "rate-limited"
    assert sandbox.log.count() <= 1 + 4


@pytest.mark.parametrize("off_by", [-2, -1, 1, 2, 1000])
def test_r10_a_count_that_does_not_add_up_is_incomplete(client: Client, sandbox: FaultySandbox, off_by: int) -> None:
    sandbox.switches.total_count_off_by = off_by
    incomplete(client.badges(), ROWS)


def test_r10_short_pages_are_incomplete(client: Client, sandbox: FaultySandbox) -> None:
    sandbox.switches.page_trouble = "short"
    assert "different ones" in incomplete(client.badges(), ROWS // 2)


def test_r10_repeated_pages_are_incomplete_and_end(client: Client, sandbox: FaultySandbox) -> None:
    sandbox.switches.page_trouble = "repeated"
    incomplete(client.badges(), 2)
    assert sandbox.log.count() <= 1 + 4


def test_r10_endless_pages_end(client: Client, sandbox: FaultySandbox) -> None:
    sandbox.switches.page_trouble = "endless"
    listing = client.badges()
    assert len(listing.rows) == ROWS
    assert sandbox.log.count() <= 10 + 4


@pytest.mark.parametrize("metadata", ["null", "missing", "empty"])
def test_r10_without_metadata_the_list_is_read_to_its_end_and_incomplete(
    client: Client, sandbox: FaultySandbox, metadata: Any
) -> None:
    sandbox.switches.list_metadata = metadata
    assert "how many" in incomplete(client.badges(), ROWS)
    assert sandbox.log.count() == 11  # ten pages, and the empty one that ends them


def growing(sandbox: FaultySandbox, created_at: str = "2026-06-{:02}T00:00:00.000Z") -> Callable[..., Any]:
    """A fault that adds a badge before it answers."""
    row, added = dict(sandbox.templates["badge-00"]), count(1)

    def grow(work: Callable[[], Any], _stage: object) -> Any:
        number = next(added)
        sandbox.add_template({**row, "id": f"badge-new-{number:02}", "created_at": created_at.format(number)})
        return work()

    return grow


@pytest.mark.parametrize("times", [1, 2, 5])
def test_r10_a_list_that_only_grows_while_it_is_read_has_all_its_rows_but_removes_nothing(
    client: Client, sandbox: FaultySandbox, times: int
) -> None:
    """Scenario 32."""
    sandbox.faults.add(growing(sandbox), "GET", "page=([5-9]|10)($|&)", times=times)
    listing = client.badges()
    assert listing.problem is None
    assert listing.grew
    assert not listing.complete
    assert set(listing.rows) == set(sandbox.templates)
    assert len(listing.rows) == ROWS + times
    assert sandbox.log.count() <= 10 + 2 + times // 2


def test_r10_a_list_that_grows_at_its_beginning_brings_all_that_was_there(
    client: Client, sandbox: FaultySandbox
) -> None:
    client.parallel = 1  # else a page after it may have been answered before
    sandbox.faults.add(growing(sandbox, "2025-06-{:02}T00:00:00.000Z"), "GET", "page=5($|&)")
    listing = client.badges()
    assert listing.problem is None
    assert not listing.complete
    assert set(listing.rows) == set(sandbox.templates) - {"badge-new-01"}


def test_r10_a_row_that_slips_from_one_page_to_another_that_was_read_before_is_missed(
    client: Client, sandbox: FaultySandbox
) -> None:
    """Pages are read several at a time: the list grows at its beginning after page 6 was answered and before page 5."""
    grow, answered = growing(sandbox, "2025-06-{:02}T00:00:00.000Z"), threading.Event()

    def note(work: Callable[[], Any], _stage: object) -> Any:
        answer = work()
        answered.set()
        return answer

    def wait_and_grow(work: Callable[[], Any], stage: object) -> Any:
        assert answered.wait(60)
        return grow(work, stage)

    sandbox.faults.add(note, "GET", "page=6($|&)")
    sandbox.faults.add(wait_and_grow, "GET", "page=5($|&)")
    listing = client.badges()
    assert listing.problem is not None
    assert "changed" in listing.problem.message


def test_r10_a_list_that_shrinks_while_it_is_read_is_incomplete(client: Client, sandbox: FaultySandbox) -> None:
    def shrink(work: Callable[[], Any], _stage: object) -> Any:
        sandbox.templates.pop("badge-00", None)
        return work()

    sandbox.faults.add(shrink, "GET", "page=5($|&)")
    listing = client.badges()
    assert listing.problem is not None
    assert "changed" in listing.problem.message


def test_r10_a_list_that_grows_and_then_fails_is_incomplete(client: Client, sandbox: FaultySandbox) -> None:
    sandbox.faults.add(growing(sandbox), "GET", "page=10($|&)")
    sandbox.faults.add(faults.answers(500), "GET", "page=1[01]($|&)", nth=1, times=None)
    assert client.badges().problem is not None


@pytest.mark.parametrize("status", [400, 422])
def test_where_credly_does_not_sort_the_list_is_read_in_its_own_order(
    client: Client, sandbox: FaultySandbox, status: int
) -> None:
    """R10, R7: it is asked once."""
    sandbox.faults.add(faults.answers(status), "GET", "sort=", times=None)
    assert client.badges().complete
    assert sandbox.log.count() == 1 + 10
    assert client.badges().complete
    assert sandbox.log.count() == 1 + 20


@pytest.mark.parametrize("status", [400, 422])
def test_what_is_refused_without_sorting_too_is_a_failure(client: Client, sandbox: FaultySandbox, status: int) -> None:
    sandbox.faults.add(faults.answers(status), "GET", "badge_templates", times=None)
    with pytest.raises(HttpFailure):
        client.badges()
    assert sandbox.log.count() == 2


def test_r10_a_list_whose_order_changes_while_it_is_read_is_incomplete(client: Client, sandbox: FaultySandbox) -> None:
    def turn(work: Callable[[], Any], _stage: object) -> Any:
        for number, row in enumerate(sandbox.templates.values()):
            row["created_at"] = f"2025-01-{ROWS - number:02}T00:00:00.000Z"
        return work()

    client.parallel = 1
    sandbox.faults.add(turn, "GET", "page=2($|&)")
    assert "different ones" in incomplete(client.badges(), ROWS - 2)


def test_r10_a_filter_that_is_dropped_brings_no_other_rows(client: Client, sandbox: FaultySandbox) -> None:
    sandbox.templates["badge-07"]["state"] = "archived"
    sandbox.templates["badge-08"]["state"] = "draft"
    sandbox.switches.filter_ignored = True
    listing = client.badges()
    assert listing.complete
    assert set(listing.rows) == set(sandbox.templates) - {"badge-07", "badge-08"}


# Answers that no sandbox gives


@pytest.fixture
def pages() -> Iterator[Callable[[Answer], Listing[Badge]]]:
    """Read a list whose pages are made up."""

    def read(answer: Answer, total_pages: int = 3) -> Listing[Badge]:
        def page(request: Any, _context: object) -> dict[str, Any]:
            number = int(re.findall(r"page=(\d+)", request.query)[0])
            rows = [badge(number * 10 + offset) for offset in range(2)] if number <= total_pages else []
            metadata = {"total_count": total_pages * 2, "total_pages": total_pages, "next_page_url": None}
            return {"data": rows, "metadata": metadata} | answer(number)

        with requests_mock.Mocker() as mock:
            mock.get(requests_mock.ANY, json=page)
            listing = Client(session_of(URL, Token("t"), StillClock(), environ={}), "o").badges()
            asked.append(mock.call_count)
            assert {request.hostname for request in mock.request_history} == {"credly.test"}
        return listing

    asked: list[int] = []
    yield read
    assert asked[0] < 30


def badge(number: int) -> dict[str, Any]:
    return {"id": str(number), "name": f"Badge {number}", "state": "active"}


Read = Callable[[Answer], Listing[Badge]]


def test_made_up_pages_without_a_fault_are_complete(pages: Read) -> None:
    assert pages(lambda _: {}).complete


@pytest.mark.parametrize("data", [None, {}, "rows", 5])
@pytest.mark.parametrize("number", [1, 2])
def test_r10_a_page_whose_rows_are_no_list_is_incomplete(pages: Read, data: Any, number: int) -> None:
    listing = pages(lambda page: {"data": data} if page == number else {})
    incomplete(listing, 0 if number == 1 else 4)


@pytest.mark.sampled
@pytest.mark.parametrize("total", [None, "6", 6.0, True, -1, 10**30])
def test_r10_a_total_that_cannot_be_is_incomplete(pages: Read, total: Any) -> None:
    listing = pages(lambda _: {"metadata": {"total_count": total, "total_pages": 3, "next_page_url": None}})
    assert not listing.complete


@pytest.mark.parametrize(
    "link",
    [
        "https://credly.test/api/v1/x?page=2", "/v1/x?page=2", "https://www.credly.com/api/v1/x?page=2",
        "https://evil.test/v1/x?page=2", "http://credly.test/v1/x", 5, "http://[",
    ],
)  # fmt: skip
def test_r10_a_list_is_read_by_number_whatever_its_links_say_and_no_other_host_is_asked(pages: Read, link: Any) -> None:
    assert pages(lambda _: {"metadata": {"total_count": 6, "total_pages": 3, "next_page_url": link}}).complete


def test_a_list_that_forgets_how_many_pages_it_has_is_read_by_its_count(pages: Read) -> None:
    assert pages(lambda _: {"metadata": {"total_count": 6, "next_page_url": None}}).complete


def test_of_a_row_that_comes_twice_the_last_counts_and_the_list_is_incomplete(pages: Read) -> None:
    """Scenario 34."""
    again = {**badge(10), "name": "Another name"}
    listing = pages(lambda page: {"data": [again, badge(31)]} if page == 3 else {})
    incomplete(listing, 5)
    assert listing.rows["10"].name == "Another name"


def test_of_a_list_with_a_row_too_many_it_is_said(pages: Read) -> None:
    listing = pages(lambda page: {"data": [badge(10), badge(30), badge(31)]} if page == 3 else {})
    assert "7 were read, some of them twice" in incomplete(listing, 6)


@pytest.mark.parametrize(
    "row",
    [
        {"id": "x", "name": None, "state": "active"}, {"id": "x", "name": ["a"], "state": "active"},
        {"id": "x", "name": "x"}, {"id": "x", "name": "x", "state": "active", "created_at": "30 Feb"},
        {"id": "x", "name": "x", "state": "active", "image_url": {"no": 1}},
        {"id": "x", "name": "x" * 10_000_000, "state": "active"},
    ],
    ids=lambda row: str(row)[:60],
)  # fmt: skip
def test_r10_a_row_that_cannot_be_read_is_set_aside_and_the_rest_is_used(pages: Read, row: dict[str, Any]) -> None:
    """Scenario 35."""
    listing = pages(lambda page: {"data": [row, badge(31)]} if page == 3 else {})
    assert listing.complete
    assert (len(listing.unreadable), listing.unread_ids) == (1, {"x"})
    assert len(listing.rows) == 5


@pytest.mark.parametrize(
    "row", [None, 5, [], "text", {"name": "x", "state": "active"}, {"id": 7, "name": "x"}], ids=str
)
def test_r10_a_row_that_does_not_say_which_it_is_makes_the_list_incomplete(pages: Read, row: Any) -> None:
    listing = pages(lambda page: {"data": [row, badge(31)]} if page == 3 else {})
    incomplete(listing, 5)
    assert len(listing.unreadable) == 1


def test_of_a_key_that_comes_twice_the_last_counts() -> None:
    row = b'{"id": "a", "id": "x", "name": "1", "name": "2", "state": "active"}'
    twice = b'{"data": [%s], "metadata": {"total_count": 1}}' % row
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, content=twice)
        listing = Client(session_of(URL, Token("t"), StillClock(), environ={}), "o").badges()
    assert {row.id: row.name for row in listing.rows.values()} == {"x": "2"}


@pytest.mark.parametrize("levels", [100, 900])
def test_a_deeply_nested_field_keeps_no_row_from_being_used(pages: Read, levels: int) -> None:
    deep: Any = "x"
    for _ in range(levels):
        deep = [deep]
    row = {**badge(30), "custom": deep}
    listing = pages(lambda page: {"data": [row, badge(31)]} if page == 3 else {})
    assert len(listing.rows) + len(listing.unreadable) == 6
    assert "31" in listing.rows


def test_hostile_text_in_a_row_is_no_reason_to_lose_it(pages: Read) -> None:
    row = {"id": "x", "name": "\ud800 a\x00b \u202e", "state": "active", "number": 10**30, "nan": float("nan")}
    listing = pages(lambda page: {"data": [row, badge(31)]} if page == 3 else {})
    assert listing.complete
    listing.rows["x"].raw.encode()
    assert listing.rows["x"].name == "? a\x00b \u202e"


def test_an_id_that_is_no_text_can_be_compared_and_stored(pages: Read) -> None:
    row = {"id": "\ud800x", "name": None, "state": "active"}
    listing = pages(lambda page: {"data": [row, badge(31)]} if page == 3 else {})
    assert (len(listing.unreadable), listing.unread_ids) == (1, {"?x"})


def test_pages_without_end_end_with_the_time_of_the_run_and_what_was_read_is_kept(clock: StillClock) -> None:
    http = session_of(URL, Token("t"), clock, environ={})
    http.deadline = Deadline(clock, 5)

    def fresh(request: Any, _context: object) -> dict[str, Any]:
        clock.sleep(1)
        number = int(re.findall(r"page=(\d+)", request.query)[0])
        return {"data": [badge(number)], "metadata": {"total_count": 10**6, "next_page_url": None}}

    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, json=fresh)
        listing = Client(http, "o", parallel=1).badges()
        assert mock.call_count == 5
        with pytest.raises(HttpFailure, match="time allowed"):
            Client(http, "o").badges()
    assert listing.problem is not None
    assert (len(listing.rows), listing.complete, listing.problem.code) == (5, False, "rate-limited")


def test_pages_before_an_empty_one_are_read_though_that_one_was_answered_first(
    clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of five pages the fourth is empty; the third is begun only once that is known."""
    fourth_is_read = threading.Event()
    own = paging._Source._page_or_failure

    def in_this_order(source: paging._Source, number: int) -> Any:
        if number == 3:
            assert fourth_is_read.wait(30)
        try:
            return own(source, number)
        finally:
            if number == 4:
                fourth_is_read.set()

    def page(request: Any, _context: object) -> dict[str, Any]:
        number = int(re.findall(r"page=(\d+)", request.query)[0])
        return {"data": [badge(number)] if number < 4 else [], "metadata": {"total_count": 5, "total_pages": 5}}

    monkeypatch.setattr(paging._Source, "_page_or_failure", in_this_order)
    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, json=page)
        listing = Client(session_of(URL, Token("t"), clock, environ={}), "o").badges()
    assert (set(listing.rows), listing.complete) == ({"1", "2", "3"}, False)


def test_the_first_pages_of_a_run_are_asked_for_at_once_and_used_while_they_are_fresh(clock: StillClock) -> None:
    asked: list[str] = []
    all_three = threading.Event()

    def page(request: Any, _context: object) -> dict[str, Any]:
        asked.append(request.path.rpartition("/")[2])
        if len(asked) == 3:
            all_three.set()
        return {"data": [badge(1)], "metadata": {"total_count": 1, "total_pages": 1}}

    with requests_mock.Mocker() as mock:
        mock.get(requests_mock.ANY, json=page)
        client = Client(session_of(URL, Token("t"), clock, environ={}), "o")
        client.begin_reading(organization=True, badges=True, issued=True)
        assert all_three.wait(30)
        assert set(client.badges().rows) == {"1"}
        assert set(client.organizations("o").by_id) == {"1"}
        assert sorted(asked) == ["badge_templates", "badges", "organizations"]
        clock.sleep(6)
        client.issued_badges()
        client.badges()
    assert asked[3:] == ["badges", "badge_templates"]
