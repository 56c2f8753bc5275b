"""Faults that a test puts into the stand-in strike the request that is meant, as often as is said."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import faults
from tests.support.stand_in import FaultySandbox

Ask = Callable[..., tuple[int, Any]]
Fields = Callable[..., dict[str, Any]]
Wait = Callable[[float], None]


def test_a_fault_strikes_the_nth_matching_request_so_often(ask: Ask, sandbox: FaultySandbox) -> None:
    sandbox.faults.add(faults.answers(503), "GET", r"/badges", nth=2, times=2)
    asked = [ask("GET", path)[0] for path in ("badges", "badge_templates", "badges", "badges", "badges")]
    assert asked == [200, 200, 503, 503, 200]


def test_a_fault_may_last_until_it_is_cleared(ask: Ask, sandbox: FaultySandbox) -> None:
    sandbox.faults.add(faults.answers(401), times=None)
    assert [ask("GET", "badges")[0] for _ in range(3)] == [401, 401, 401]
    sandbox.faults.clear()
    assert ask("GET", "badges")[0] == 200


def test_an_answer_may_be_lost_after_the_work(ask: Ask, sandbox: FaultySandbox, request_of: Fields) -> None:
    sandbox.faults.add(faults.works_then_answers(500), "POST")
    assert ask("POST", "badges", request_of())[0] == 500
    assert len(sandbox.issued()) == 1


def test_a_fault_without_work_leaves_everything_as_it_was(ask: Ask, sandbox: FaultySandbox, request_of: Fields) -> None:
    sandbox.faults.add(faults.answers(500), "POST")
    assert ask("POST", "badges", request_of())[0] == 500
    assert sandbox.issued() == []


def test_work_may_be_done_long_after_the_connection_was_lost(
    ask: Ask, sandbox: FaultySandbox, request_of: Fields, wait: Wait
) -> None:
    sandbox.faults.add(faults.applies_late(600), "POST")
    ask("POST", "badges", request_of())
    wait(599)
    assert ask("GET", "badges")[1]["data"] == []
    wait(1)
    assert len(ask("GET", "badges")[1]["data"]) == 1


def test_more_requests_in_a_second_than_the_limit_are_refused(ask: Ask, sandbox: FaultySandbox, wait: Wait) -> None:
    sandbox.switches.rate_limit = 2
    assert [ask("GET", "badges")[0] for _ in range(3)] == [200, 200, 429]
    wait(1)
    assert ask("GET", "badges")[0] == 200


def test_new_badges_may_show_late_in_lists(ask: Ask, sandbox: FaultySandbox, request_of: Fields, wait: Wait) -> None:
    sandbox.switches.list_lag = 60
    badge_id = ask("POST", "badges", request_of())[1]["data"]["id"]
    assert ask("GET", "badges")[1]["data"] == []
    assert ask("GET", "high_volume_issued_badge_search")[1]["data"] == []
    assert ask("GET", f"badges/{badge_id}")[0] == 200
    wait(60)
    assert len(ask("GET", "badges")[1]["data"]) == 1


def test_the_filter_may_be_ignored(ask: Ask, sandbox: FaultySandbox) -> None:
    sandbox.switches.filter_ignored = True
    assert len(ask("GET", "badge_templates", filter="state::draft")[1]["data"]) == len(sandbox.templates)


def test_an_unknown_filter_key_may_be_refused(ask: Ask, sandbox: FaultySandbox) -> None:
    sandbox.switches.unknown_filter_key = "refused"
    assert ask("GET", "badge_templates", filter="nonsense::1")[0] == 422
    assert ask("GET", "badges", filter="nonsense::1")[0] == 422


def test_metadata_may_be_null_or_missing(ask: Ask, sandbox: FaultySandbox) -> None:
    sandbox.switches.list_metadata = "null"
    assert ask("GET", "badge_templates")[1]["metadata"] is None
    sandbox.switches.list_metadata = "missing"
    assert "metadata" not in ask("GET", "badge_templates")[1]


@pytest.fixture
def pages(ask: Ask, sandbox: FaultySandbox) -> Callable[[], list[list[str]]]:
    """The ids on the first four pages of templates, four to a page."""
    sandbox.switches.page_size = 4

    def pages() -> list[list[str]]:
        answers = [ask("GET", "badge_templates", page=number)[1] for number in (1, 2, 3, 4)]
        return [[row["id"] for row in answer["data"]] for answer in answers]

    return pages


def test_pages_may_be_short(sandbox: FaultySandbox, pages: Callable[[], list[list[str]]]) -> None:
    sandbox.switches.page_trouble = "short"
    assert [len(page) for page in pages()] == [3, 3, 1, 0]


def test_pages_may_be_repeated(sandbox: FaultySandbox, pages: Callable[[], list[list[str]]]) -> None:
    sandbox.switches.page_trouble = "repeated"
    first, *others = pages()
    assert all(page == first for page in others)


def test_pages_may_be_endless(ask: Ask, sandbox: FaultySandbox, pages: Callable[[], list[list[str]]]) -> None:
    sandbox.switches.page_trouble = "endless"
    listed = pages()
    assert listed[3] == listed[0]
    assert ask("GET", "badge_templates", page=1000)[1]["metadata"]["next_page_url"].endswith("page=1001")


def test_the_next_page_may_forget_the_filter(ask: Ask, sandbox: FaultySandbox) -> None:
    sandbox.switches.page_size = 2
    sandbox.switches.next_page_keeps_filter = False
    _, body = ask("GET", "badge_templates", filter="state::active")
    assert body["metadata"]["next_page_url"].endswith("/badge_templates?page=2")


def test_the_total_may_be_wrong(ask: Ask, sandbox: FaultySandbox) -> None:
    sandbox.switches.total_count_off_by = 3
    assert ask("GET", "badge_templates")[1]["metadata"]["total_count"] == len(sandbox.templates) + 3


def test_the_search_may_be_closed(ask: Ask, sandbox: FaultySandbox) -> None:
    sandbox.switches.search_status = 403
    assert ask("GET", "high_volume_issued_badge_search")[0] == 403


def test_badges_may_be_listed_newest_first(ask: Ask, sandbox: FaultySandbox, ids: dict[str, str]) -> None:
    sandbox.switches.badges_newest_first = True
    for email in ("a@example.com", "b@example.com"):
        sandbox.issue_in_credly(ids["Facilitator"], email, "A", "B")
    assert [row["recipient_email"][0] for row in ask("GET", "badges")[1]["data"]] == ["b", "a"]


def test_the_email_filter_may_mind_case(ask: Ask, sandbox: FaultySandbox, ids: dict[str, str]) -> None:
    sandbox.switches.email_filter_minds_case = True
    sandbox.issue_in_credly(ids["Facilitator"], "a@example.com", "A", "B")
    assert ask("GET", "badges", filter="recipient_email::A@example.com")[1]["data"] == []
    assert len(ask("GET", "badges", filter="recipient_email::a@example.com")[1]["data"]) == 1


def test_the_log_counts_requests_and_holds_no_token(ask: Ask, sandbox: FaultySandbox) -> None:
    ask("GET", "badges", page=2)
    ask("POST", "badges", {})
    sandbox.faults.add(faults.drops())
    with pytest.raises(json.JSONDecodeError):
        json.loads(ask("GET", "badges")[1] or "")
    assert sandbox.log.count("GET", r"/badges\?page=2$") == 1
    assert sandbox.log.count("POST", status=422) == 1
    assert sandbox.log.count(status=0) == 1
    assert sandbox.log.totals["GET", 200] == 1
    assert "canary" not in repr(list(sandbox.log.latest))
    assert "Y2FuYXJ5" not in repr(list(sandbox.log.latest))
    sandbox.log.clear()
    assert sandbox.log.count() == 0
