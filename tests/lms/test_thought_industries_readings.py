"""What is not certain of Thought Industries' API: each reading is coped with, or refused aloud."""

from typing import Any

import pytest

from tests.support.desk import Desk
from tests.support.loopback import lms
from tests.support.thought_industries import LATER, LATEST, Readings, Site

PEOPLE = 25
OF_THE_FIXTURE = 1  # completion


def completions(desk: Desk) -> int:
    with desk.store() as store:
        return int(store.value("SELECT count(*) FROM enrollments WHERE completed_at IS NOT NULL"))


def people_complete(site: Site, count: int = PEOPLE, at: str | None = None) -> None:
    for number in range(count):
        moment = at or f"2026-02-10T08:{number // 60:02d}:{number % 60:02d}.{number:03d}Z"
        site.completed(f"nr.{number:03d}@example.org", "june", moment)


READINGS: dict[str, tuple[Readings, int]] = {  # with the exit code; 0 is coped with
    "answers are plain": (Readings(), 0),
    "answers are wrapped, with aggregations": (Readings(shape="wrapped"), 0),
    "answers are data and meta": (Readings(shape="meta"), 0),
    "users and all else by page": (Readings(by_page=True), 0),
    "data and meta by page": (Readings(shape="meta", by_page=True), 0),
    "a total without hasMore": (Readings(end="total"), 0),
    "a total without hasMore by page": (Readings(end="total", by_page=True), 0),
    "a total that does not agree": (Readings(end="wrong-total"), 75),
    "nothing is said of the end": (Readings(end="silent"), 75),
    "cursors are times, exclusive": (Readings(cursor="exclusive"), 0),
    "cursors are times, inclusive": (Readings(cursor="inclusive"), 0),
    "cursors die in the run": (Readings(cursor="dies"), 75),
    "cursors lead to the first page": (Readings(cursor="loops"), 75),
    "startDate in ISO 8601 only": (Readings(dates="iso"), 0),
    "startDate is not looked at": (Readings(dates="ignored"), 0),
    "types are required": (Readings(types_required=True), 0),
    "users are wrapped": (Readings(user_shape="wrapped"), 0),
}


@pytest.mark.further
@pytest.mark.parametrize("name", READINGS)
def test_each_reading_is_coped_with_or_refused_aloud(school: Desk, site: Site, name: str) -> None:
    site.readings, code = READINGS[name]
    site.per_page = 7
    people_complete(site)
    answer = lms(school, code=code)
    assert len(site.requests) < 60, site.requests
    if code:
        assert answer["problems"], name
        return
    assert completions(school) == PEOPLE + OF_THE_FIXTURE
    site.completed("one.more@example.org", "may", LATEST)
    site.completed("no.name@example.org", "may", LATEST, userDetail={"id": "user-no"})
    site.users.append({"id": "user-no", "email": "no.name@example.org", "firstName": "No", "lastName": "Name"})
    lms(school)
    assert completions(school) == PEOPLE + OF_THE_FIXTURE + 2
    assert {"No"} <= {learner["first_name"] for learner in school.json("learners")}


@pytest.mark.parametrize("end", ["hasMore", "wrong-total", "silent"])
def test_a_list_of_one_page_is_whole_only_where_it_says_so(school: Desk, site: Site, end: str) -> None:
    site.readings = Readings(end=end)
    answer = lms(school, code=0 if end == "hasMore" else 75)
    assert len(answer["problems"]) == (0 if end == "hasMore" else 4)  # content, and each stream of events
    assert all("does not say whether there is more" in problem["message"] for problem in answer["problems"])


@pytest.mark.further
@pytest.mark.parametrize("end", [False, "false", 0, None, "none"])
def test_the_end_of_a_list_may_be_said_in_many_ways(school: Desk, site: Site, end: Any) -> None:
    page = site.answer("/events/courseCompletion", {})[1]
    page["pageInfo"]["hasMore"] = end
    lms(school)
    site.completed("bo.berg@example.org", "may", LATER)
    page["events"] = site.events["courseCompletion"]
    site.answers = [(200, {}, page)]
    assert lms(school)["lms"]["progress"]["added"] == 1


@pytest.mark.sampled
@pytest.mark.parametrize("form", ["1770710400", "1770710400000", "2026-02-10T03:00:00-05:00", "2026-02-10T08:00:00"])
def test_the_time_of_an_event_is_read_in_every_form(school: Desk, site: Site, form: str) -> None:
    lms(school)
    event = {"timestamp": form, "userDetail": {"firstName": "Bo", "lastName": "Berg"}}
    page = site.answer("/events/courseCompletion", {})[1]
    page["events"] = [{**page["events"][0], "id": "e", "user": "bo@example.org", **event}]
    site.answers = [(200, {}, page)]
    lms(school)
    with school.store() as store:
        assert store.value("SELECT max(completed_at) FROM enrollments") == "2026-02-10T08:00:00Z"


def test_a_completion_that_both_streams_tell_is_one(school: Desk, site: Site) -> None:
    detail = {"id": "b", "firstName": "Bo", "lastName": "Berg"}
    site.completed("bo@example.org", "may", "2026-02-10T08:00:00.500Z", userDetail=detail)
    site.happened("courseAction", type="status_change", source="course_completed", notifiableId="may",
                  timestamp="2026-02-10T08:00:00.100Z", user="bo@example.org", userDetail=detail)  # fmt: skip
    lms(school)
    assert completions(school) == OF_THE_FIXTURE + 1


def test_an_event_may_name_the_course_group(school: Desk, site: Site) -> None:
    site.completed("bo.berg@example.org", "group", LATER)
    lms(school)
    assert completions(school) == OF_THE_FIXTURE + 1


@pytest.mark.parametrize("status", [403, 404])
def test_a_site_without_panoramas_or_a_ping_is_read_all_the_same(school: Desk, site: Site, status: int) -> None:
    site.broken = {"/clients": status, "/ping": status}
    assert lms(school)["problems"] == []


@pytest.mark.sampled
@pytest.mark.parametrize("reset", ["{seconds}", "{seconds}000", "60", "{seconds}.5", ""])
def test_the_end_of_a_window_is_told_in_many_ways(school: Desk, site: Site, reset: str) -> None:
    at = int(school.clock.now().timestamp()) + 60
    site.headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset.format(seconds=at)}
    assert lms(school)["lms"]["progress"]["added"] == 2


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "2"}])
def test_who_is_asked_to_slow_down_goes_on_after_that(school: Desk, site: Site, headers: dict[str, str]) -> None:
    site.answers = [(429, headers, {"error": "rate_limited"})]
    assert lms(school)["lms"]["progress"]["added"] == 2
