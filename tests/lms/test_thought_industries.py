"""`[lms] source = "thought-industries"`: its REST API, read by `credly sync`."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.desk import START, Desk
from tests.support.loopback import lms
from tests.support.thought_industries import EARLY, LATER, LATEST, Readings, Site


def enrollments(desk: Desk) -> list[tuple[Any, ...]]:
    with desk.store() as store:
        rows = store.rows(
            "SELECT email, content_id, session_id, completed_at, ended FROM enrollments e"
            " JOIN learners l ON l.id = e.learner ORDER BY 1, 2, 3"
        )
    return [tuple(row.values()) for row in rows]


def given(desk: Desk) -> list[tuple[Any, ...]]:
    with desk.store() as store:
        rows = store.rows("SELECT content_id, subject_kind, subject FROM access ORDER BY 1, 2")
    return [tuple(row.values()) for row in rows]


def test_the_whole_way_from_an_empty_home_to_an_issued_badge(school: Desk, site: Site) -> None:
    first = school.json("sync")
    assert first["badges"]["added"] > 0
    assert first["lms"]["progress"]["added"] == 2
    badge = school.json("badges")[0]
    linked = school.json("link", badge["id"], "group", "--since", "2026-01-01", "--yes")
    assert linked["earlier"] == 1
    assert school.json("sync")["grants"]["issued"] == 1
    (issued,) = school.issued()
    assert (issued.email, issued.details.issued_at) == ("ada.lovelace@example.org", "2026-01-10T20:50:53.000Z")
    site.requests.clear()
    school.json("sync")
    assert [path.partition("?")[0] for path in site.requests] == [
        "/events/courseCompletion", "/events/courseAction", "/events/learningPathAction"
    ]  # fmt: skip
    assert "startDate=" in site.requests[0]


def test_content_has_its_sessions_under_the_course_group_with_its_title(school: Desk) -> None:
    lms(school)
    first_aid, path = school.json("content")
    assert (first_aid["id"], first_aid["title"], first_aid["type"]) == ("group", "First Aid", "courseGroup")
    assert {(session["id"], session["title"]) for session in first_aid["sessions"]} == {
        ("may", "May"),
        ("june", "June"),
    }
    assert first_aid["released"] is True
    assert (path["id"], path["type"], path["released"]) == ("path", "learningPath", True)


def test_learners_have_their_panorama_and_sublicense_by_name(school: Desk) -> None:
    lms(school)
    (ada,) = school.json("learners")
    assert (ada["panorama"], ada["sublicense"]) == ("North", "North Main")
    assert given(school) == [
        ("group", "panorama", "north"), ("group", "sublicense", "north main"), ("path", "panorama", "north")
    ]  # fmt: skip


def test_enrollments_come_with_the_users_and_completions_with_the_events(school: Desk) -> None:
    lms(school)
    email = "ada.lovelace@example.org"
    assert enrollments(school) == [
        (email, "group", "may", "2026-01-10T20:50:53Z", 0), (email, "path", "", None, 0)
    ]  # fmt: skip


@pytest.mark.further
@pytest.mark.parametrize("new_shape", [False, True])
@pytest.mark.parametrize("by_page", [False, True])
def test_many_pages_of_either_kind_and_either_shape_are_read_to_their_end(
    school: Desk, site: Site, *, new_shape: bool, by_page: bool
) -> None:
    site.readings = Readings(shape="wrapped" if new_shape else "plain", by_page=by_page)
    site.per_page = 3
    for number in range(10):
        site.completed(f"nr.{number}@example.org", "june", LATER)
    answer = lms(school)
    assert answer["lms"]["progress"]["read"] == 13
    assert len(school.json("learners")) == 11


@pytest.mark.further
@pytest.mark.parametrize("has_more", ["true", 1, "1"])
@pytest.mark.parametrize("place", [{}, {"cursor": None, "currentPage": "1"}])
def test_more_is_read_however_the_answer_says_that_there_is_more(
    school: Desk, site: Site, has_more: Any, place: dict[str, Any]
) -> None:
    lms(school)
    for number in range(10):
        site.completed(f"nr.{number}@example.org", "june", LATER)
    site.per_page, site.readings.by_page = 9, bool(place)
    first = site.answer("/events/courseCompletion", {})[1]
    first["pageInfo"] |= {"hasMore": has_more, **place}
    site.answers = [(200, {}, first)]
    assert lms(school)["lms"]["progress"]["added"] == 10


@pytest.mark.further
def test_nothing_new_changes_nothing(school: Desk) -> None:
    lms(school)
    with school.store() as store:
        before = list(store.connection.iterdump())
    answer = lms(school)
    with school.store() as store:
        after = list(store.connection.iterdump())
    counts = [answer["lms"][kind][count] for kind in answer["lms"] for count in ("added", "changed", "rejected")]
    assert counts == [0] * 12
    changed = set(after) ^ set(before)
    assert all('"runs"' in line or "sqlite_sequence" in line for line in changed), changed


def test_an_event_that_came_late_is_still_found(school: Desk, site: Site) -> None:
    site.completed("bo.berg@example.org", "may", LATER)
    lms(school)
    site.completed("cy.clark@example.org", "may", "2026-02-10T07:55:00Z")
    assert lms(school)["lms"]["progress"]["added"] == 1


@pytest.mark.further
def test_an_event_that_came_some_days_late_is_found_the_next_day(school: Desk, site: Site) -> None:
    site.completed("bo.berg@example.org", "may", LATER)
    lms(school)
    site.completed("cy.clark@example.org", "may", "2026-02-08T07:55:00Z")
    assert lms(school)["lms"]["progress"]["added"] == 0
    school.pass_time(hours=23)
    assert lms(school)["lms"]["progress"]["added"] == 1
    site.requests.clear()
    lms(school)
    assert len(site.requests) == 3


def test_an_event_of_the_future_hides_none_that_comes_later(school: Desk, site: Site) -> None:
    site.completed("bo.berg@example.org", "may", "2026-03-03T09:00:00Z")
    lms(school)
    school.pass_time(hours=1)
    site.completed("cy.clark@example.org", "may", "2026-03-02T10:00:00Z")
    assert lms(school)["lms"]["progress"]["added"] == 1


@pytest.mark.further
def test_a_run_by_a_clock_that_was_ahead_hides_nothing_either(school: Desk, site: Site) -> None:
    school.sandbox.tokens[0].expires_at = None
    school.connect()
    school.pass_time(days=400)
    site.completed("bo.berg@example.org", "may", "2027-04-01T00:00:00Z")
    lms(school)
    school.pass_time(days=-400)
    site.completed("cy.clark@example.org", "may", LATEST)
    site.users[0]["lastName"] = "King"
    assert lms(school, code=3)["lms"]["progress"]["added"] == 1
    assert "King" in {learner["last_name"] for learner in school.json("learners")}


def test_content_that_appeared_since_is_asked_for_when_an_event_names_it(school: Desk, site: Site) -> None:
    lms(school)
    site.content.append({"id": "july", "kind": "course", "title": "First Aid", "courseGroup": "group",
                         "sessionTitle": "July", "status": "published"})  # fmt: skip
    site.completed("ada.lovelace@example.org", "july", LATER)
    site.content.append({**site.content[-1], "id": "august", "sessionTitle": "August"})
    site.completed("bo.berg@example.org", "august", LATER)
    site.content_per_page = 1
    lms(school)
    assert {row[1:4] for row in enrollments(school)} >= {
        ("group", "july", "2026-02-10T08:00:00Z"), ("group", "august", "2026-02-10T08:00:00Z")
    }  # fmt: skip


def test_a_completion_of_what_the_site_does_not_list_is_no_content_of_our_making(school: Desk, site: Site) -> None:
    site.completed("ada.lovelace@example.org", "deleted-course", LATER)
    answer = lms(school)
    (told,) = answer["warnings"]
    assert "1 completion of 'Title of deleted-course' (deleted-course)" in told
    assert "deleted-course" not in {content["id"] for content in school.json("content")}
    assert lms(school)["warnings"] == []


@pytest.mark.further
def test_names_that_an_event_lacks_are_asked_for(school: Desk, site: Site) -> None:
    lms(school)
    site.users.append({"id": "user-bo", "email": "bo@example.org", "firstName": "Bo", "lastName": "Berg"})
    site.completed("bo@example.org", "may", LATER, userDetail={"id": "user-bo"})
    lms(school)
    (bo,) = [learner for learner in school.json("learners") if learner["email"] == "bo@example.org"]
    assert (bo["first_name"], bo["last_name"], bo["learner_id"]) == ("Bo", "Berg", "user-bo")


def test_an_event_of_nobody_is_a_problem_and_the_others_go_in(school: Desk, site: Site) -> None:
    site.completed("", "may", LATER, userDetail={})
    answer = lms(school, code=3)
    assert answer["lms"]["progress"]["rejected"] == 1
    assert [entry["code"] for entry in answer["problems"]] == ["import-rejected"]
    assert enrollments(school)[0][3] is not None


@pytest.mark.further
@pytest.mark.parametrize("nobody", [{"user": ""}, {"user": "", "id": None}, {"timestamp": "2030-01-01T00:00:00Z"}])
def test_an_event_that_cannot_be_taken_is_reported_once(school: Desk, site: Site, nobody: dict[str, Any]) -> None:
    site.completed("bo@example.org", "may", LATEST, userDetail={}, **nobody)
    assert len(lms(school, code=3)["problems"]) == 1
    assert lms(school)["problems"] == []
    school.pass_time(hours=23)
    assert lms(school)["problems"] == []
    site.completed("", "may", "2026-03-03T08:30:00Z", userDetail={})
    assert len(lms(school, code=3)["problems"]) == 1


def test_revoked_access_ends_an_enrollment_whatever_order_the_events_have(school: Desk, site: Site) -> None:
    who = {"user": "bo@example.org", "userDetail": {"id": "b", "firstName": "Bo", "lastName": "Berg"}}
    site.happened("courseAction", type="enrollment", source="registration", notifiableId="may", timestamp=EARLY, **who)
    site.happened("courseAction", type="revoked_access", source="x", notifiableId="may", timestamp=LATER, **who)
    site.happened("courseAction", type="enrollment", source="registration", notifiableId="june", timestamp=EARLY, **who)
    site.happened("courseAction", type="revoked_access", source="x", notifiableId="june", timestamp=LATER, **who)
    site.happened(
        "courseAction", type="enrollment", source="registration", notifiableId="june", timestamp=LATEST, **who
    )
    lms(school)
    assert [(row[2], row[4]) for row in enrollments(school) if row[0] == "bo@example.org"] == [("june", 0), ("may", 1)]


@pytest.mark.further
def test_a_completion_that_is_undone_stays_and_is_reported_once(school: Desk, site: Site) -> None:
    lms(school)
    who = {"user": "ada.lovelace@example.org", "userDetail": {"id": "user-ada.lovelace@example.org"}}
    site.happened("courseAction", type="revoked_access", source="x", notifiableId="may", timestamp=LATEST, **who)
    (told,) = lms(school, code=3)["problems"]
    assert (told["code"], told["email"]) == ("import-rejected", "ada.lovelace@example.org")
    assert "First Aid" in told["message"]
    assert enrollments(school)[0][3] == "2026-01-10T20:50:53Z"
    assert lms(school)["problems"] == []


def test_a_learning_path_is_completed_by_its_own_events(school: Desk, site: Site) -> None:
    site.happened("learningPathAction", type="status_change", source="learning_path_completed", notifiableId="path",
                  timestamp=LATER, user="ada.lovelace@example.org",
                  userDetail={"id": "user-ada.lovelace@example.org"})  # fmt: skip
    lms(school)
    assert enrollments(school)[1][1:4] == ("path", "", "2026-02-10T08:00:00Z")


@pytest.mark.further
def test_content_that_a_panorama_has_no_more_is_taken_from_it_and_from_nobody_else(school: Desk, site: Site) -> None:
    school.imports("content", "content_id,title\nown,Own\n")
    school.imports("access", "content_id,panorama\nown,North\n")
    lms(school)
    school.imports("access", "content_id,email\npath,ada.lovelace@example.org\n")
    site.clients[0]["learningPathIds"] = []
    site.licenses = {}
    school.pass_time(hours=23)
    assert lms(school)["lms"]["access"]["changed"] == 1
    assert given(school) == [
        ("group", "panorama", "north"), ("own", "panorama", "north"), ("path", "learner", "ada.lovelace@example.org")
    ]  # fmt: skip
    site.clients[0]["courseIds"] = []
    school.pass_time(hours=23)
    assert lms(school)["lms"]["access"]["changed"] == 1
    assert [content for content, *_ in given(school)] == ["own", "path"]


@pytest.mark.further
def test_panoramas_that_the_site_does_not_show_keep_what_they_have(school: Desk, site: Site) -> None:
    lms(school)
    before = given(school)
    site.not_there = ("clients",)
    school.pass_time(hours=23)
    assert lms(school)["lms"]["access"]["changed"] == 0
    assert given(school) == before


@pytest.mark.further
def test_full_reads_everything_again(school: Desk, site: Site) -> None:
    lms(school)
    site.requests.clear()
    assert lms(school, "--full")["lms"]["progress"] == {
        "read": 3, "added": 0, "changed": 0, "unchanged": 3, "rejected": 0
    }  # fmt: skip
    assert "/users" in site.requests


@pytest.mark.further
def test_a_dry_run_tells_what_would_come_in_and_keeps_nothing(school: Desk) -> None:
    assert lms(school, "--dry-run")["lms"]["progress"]["added"] == 2
    assert school.json("learners") == []
    assert lms(school)["lms"]["progress"]["added"] == 2


@pytest.mark.further
def test_users_and_content_are_read_again_by_the_next_nightly_run(school: Desk, site: Site) -> None:
    site.answers = [(429, {"Retry-After": "30"}, {"error": "rate_limited", "retryAfter": 30})]
    lms(school)
    site.users[0]["email"] = "ada@new.example.org"
    site.content[0]["title"] = "First Aid for All"
    school.clock.time = START + timedelta(hours=24)
    lms(school)
    assert school.json("learners")[0]["email"] == "ada@new.example.org"
    assert school.json("content")[0]["title"] == "First Aid for All"


@pytest.mark.further
def test_how_far_it_is_goes_on_from_page_to_page(school: Desk, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credly_cli.progress._SHOWN_AFTER", 0.0)
    monkeypatch.setattr("credly_cli.progress._BETWEEN", 0.0)
    for number in range(10):
        site.completed(f"nr.{number}@example.org", "june", LATER)
    site.per_page = 5
    shown = school.run("sync", "--only", "lms", terminal=True).err
    assert [count for count in range(1, 30) if f" {count} " in shown] == [4, 7, 10, 15, 20, 21]
