"""`[lms] source = "thought-industries"`: its REST API, read by `credly sync`."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from credly_cli.config import load
from credly_cli.lms.reading import Reading
from credly_cli.lms.sources import Surroundings
from credly_cli.lms.thought_industries.client import Client, LmsFailure
from tests.desk import START, Desk
from tests.lms.thought_industries_stand_in import KEY, Site, StandIn

EARLY, LATER, LATEST = "2026-01-10T20:50:53.103Z", "2026-02-10T08:00:00.000Z", "2026-03-02T09:00:00.000Z"


@pytest.fixture
def site() -> Site:
    site = Site(
        content=[
            {"id": "group", "kind": "courseGroup", "title": "First Aid", "status": "published", "displayCourse": "may"},
            {"id": "may", "kind": "course", "title": "First Aid (May)", "sessionTitle": "May", "status": "published",
             "courseGroup": "group"},
            {"id": "june", "kind": "course", "title": "First Aid (June)", "sessionTitle": "June", "status": "draft",
             "courseGroup": "group"},
            {"id": "path", "kind": "learningPath", "title": "Kitchen Path", "status": "loginRestriction"},
            {"id": "bundle", "kind": "bundle", "title": "All you can learn", "status": "published"},
        ],
        clients=[{"id": "client-1", "name": "North", "courseIds": ["group"], "learningPathIds": ["path"]}],
        licenses={"client-1": [{"id": "license-1", "name": "North Main", "courseIds": ["group"]}]},
        users=[
            {"id": "user-ada.lovelace@example.org", "email": "ada.lovelace@example.org", "firstName": "Ada",
             "lastName": "Lovelace", "lang": "de", "clientId": "client-1",
             "allocatedLicenses": [{"licenseId": "license-1", "licenseRole": "student"}],
             "purchasedCourses": [{"courseId": "may", "status": "active"}, {"courseId": "bundle"}],
             "allocatedLearningPaths": [{"learningPathId": "path", "status": "active"}]},
        ],
    )  # fmt: skip
    site.completed("ada.lovelace@example.org", "may", EARLY)
    return site


@pytest.fixture
def school(desk: Desk, site: Site) -> Iterator[Desk]:
    """A desk that is connected to Credly and to a site of Thought Industries."""
    with StandIn(site) as server:
        desk.environ["CREDLY_LMS_TOKEN"] = KEY
        desk.config(f'[lms]\nsource = "thought-industries"\n[lms.thought_industries]\nhost = "{server.url}"\n')
        desk.connect()
        yield desk


def lms(desk: Desk, *options: str, code: int = 0) -> Any:
    return desk.json("sync", "--only", "lms", *options, code=code)


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


@pytest.mark.parametrize("new_shape", [False, True])
@pytest.mark.parametrize("by_page", [False, True])
def test_many_pages_of_either_kind_and_either_shape_are_read_to_their_end(
    school: Desk, site: Site, *, new_shape: bool, by_page: bool
) -> None:
    site.new_shape, site.by_page, site.per_page = new_shape, by_page, 3
    for number in range(10):
        site.completed(f"nr.{number}@example.org", "june", LATER)
    answer = lms(school)
    assert answer["lms"]["progress"]["read"] == 13
    assert len(school.json("learners")) == 11


@pytest.mark.parametrize("has_more", ["true", 1, "1"])
@pytest.mark.parametrize("place", [{}, {"cursor": None, "currentPage": "1"}])
def test_more_is_read_however_the_answer_says_that_there_is_more(
    school: Desk, site: Site, has_more: Any, place: dict[str, Any]
) -> None:
    lms(school)
    for number in range(10):
        site.completed(f"nr.{number}@example.org", "june", LATER)
    site.per_page, site.by_page = 9, bool(place)
    first = site.answer("/events/courseCompletion", {})[1]
    first["pageInfo"] |= {"hasMore": has_more, **place}
    site.answers = [(200, {}, first)]
    assert lms(school)["lms"]["progress"]["added"] == 10


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


def test_a_run_by_a_clock_that_was_ahead_hides_nothing_either(school: Desk, site: Site) -> None:
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


def test_content_that_the_site_does_not_show_any_more_is_known_by_its_events(school: Desk, site: Site) -> None:
    site.completed("ada.lovelace@example.org", "deleted-course", LATER)
    lms(school)
    (gone,) = [content for content in school.json("content") if content["id"] == "deleted-course"]
    assert (gone["title"], gone["released"]) == ("Title of deleted-course", False)
    assert lms(school)["lms"]["content"]["changed"] == 0


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


def test_panoramas_that_the_site_does_not_show_keep_what_they_have(school: Desk, site: Site) -> None:
    lms(school)
    before = given(school)
    site.not_there = ("clients",)
    school.pass_time(hours=23)
    assert lms(school)["lms"]["access"]["changed"] == 0
    assert given(school) == before


# What can go wrong


def test_a_refused_key_fails_this_step_alone(school: Desk, site: Site) -> None:
    site.keys = {"another"}
    answer = school.json("sync", code=4)
    assert [entry["code"] for entry in answer["problems"]] == ["lms-token-refused"]
    assert answer["badges"]["added"] > 0
    assert KEY not in school.run("sync").err


def test_without_a_key_the_message_names_both_ways(school: Desk) -> None:
    del school.environ["CREDLY_LMS_TOKEN"]
    ran = school.run("sync", "-q")
    assert ran.code == 4
    assert "no API key" in ran.err


def test_the_key_may_be_in_a_private_file(school: Desk) -> None:
    del school.environ["CREDLY_LMS_TOKEN"]
    path = school.home / "ti.key"
    path.write_text(f"{KEY}\n")
    path.chmod(0o644)
    school.config((school.home / "config.toml").read_text() + f'token_file = "{path}"\n')
    assert "read or written by others" in str(lms(school, code=4)["problems"])
    path.chmod(0o600)
    assert lms(school)["lms"]["progress"]["added"] == 2


@pytest.mark.parametrize(
    "body",
    [
        {"events": [], "pageInfo": {"hasMore": True, "cursor": None}},
        {"data": {"APIEvents": {"events": []}, "pageInfo": {"hasMore": "true"}}},
        {"foo": []},
        {},
        {"errors": [{"message": "Something broke"}]},
        {"events": [], "errors": [{"message": "Something broke"}]},
    ],
)
def test_an_answer_that_is_not_whole_is_not_taken_for_all_there_is(school: Desk, site: Site, body: Any) -> None:
    lms(school)
    with school.store() as store:
        before = store.rows("SELECT * FROM bookmarks ORDER BY name")
    site.completed("bo.berg@example.org", "may", LATEST)
    site.answers = [(200, {}, body)]
    assert [entry["code"] for entry in lms(school, code=75)["problems"]] == ["server-error"]
    with school.store() as store:
        assert store.rows("SELECT * FROM bookmarks ORDER BY name") == before
    assert lms(school)["lms"]["progress"]["added"] == 1


def test_panoramas_that_could_not_be_read_are_read_by_the_next_run(school: Desk, site: Site) -> None:
    site.answers = [(200, {}, site.answer("/content", {})[1]), *[(500, {}, {})] * 4]
    lms(school, code=75)
    lms(school)
    assert school.json("learners")[0]["panorama"] == "North"


@pytest.mark.parametrize("form", ["{}/", "{}/incoming/v2", "{}/incoming/v2/"])
@pytest.mark.parametrize("name", ["127.0.0.1", "http://LOCALHOST"])
def test_a_host_may_be_written_as_people_paste_it(school: Desk, name: str, form: str) -> None:
    config = (school.home / "config.toml").read_text()
    url = config.partition('host = "')[2].partition('"')[0]
    school.config(config.replace(url, form.format(url.replace("http://127.0.0.1", name))))
    assert lms(school)["lms"]["progress"]["added"] == 2


@pytest.mark.parametrize("host", ["http://learn.example.com", "learn.example.com/path", "ftp://x", "", "a b"])
def test_a_host_that_is_none_or_not_safe_is_a_mistake_in_the_configuration(school: Desk, host: str) -> None:
    school.config(f'[lms]\nsource = "thought-industries"\n[lms.thought_industries]\nhost = "{host}"\n')
    answer = lms(school, code=78)
    assert "lms.thought_industries.host" in answer["problems"][0]["message"]


def test_a_site_that_does_not_answer_is_tried_again_later(school: Desk) -> None:
    school.config('[lms]\nsource = "thought-industries"\n[lms.thought_industries]\nhost = "http://127.0.0.1:9"\n')
    answer = school.json("sync", code=75)
    assert [entry["code"] for entry in answer["problems"]] == ["unreachable"]
    assert "Thought Industries" in answer["problems"][0]["message"]


def test_what_was_asked_to_wait_is_waited_for(school: Desk, site: Site) -> None:
    site.answers = [(429, {"Retry-After": "30"}, {"error": "rate_limited", "retryAfter": 30})]
    start = school.clock.now()
    assert lms(school)["lms"]["progress"]["added"] == 2
    assert (school.clock.now() - start).total_seconds() >= 30


def test_the_last_request_of_a_window_is_followed_by_none_before_the_next(school: Desk, site: Site) -> None:
    reset = int(school.clock.now().timestamp()) + 60
    site.headers = {"X-RateLimit-Limit": "250", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
    lms(school)
    assert school.clock.now().timestamp() >= reset


def test_a_window_that_is_too_far_away_ends_the_step_and_nothing_read_is_lost(school: Desk, site: Site) -> None:
    reset = int(school.clock.now().timestamp()) + 800
    site.headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
    answer = lms(school, code=75)
    assert [entry["code"] for entry in answer["problems"]] == ["rate-limited"]
    site.headers = {}
    school.pass_time(seconds=900)
    assert lms(school)["lms"]["progress"]["added"] == 2


def test_a_walk_that_broke_off_goes_on_where_it_was_and_then_reads_what_came_since(school: Desk, site: Site) -> None:
    lms(school)
    for number in range(10):
        site.completed(f"nr.{number}@example.org", "june", f"2026-02-10T08:00:0{number}Z")
    site.per_page = 2
    site.answers = [(200, {}, site.answer("/events/courseCompletion", {})[1])]
    site.answers += [(500, {}, {})] * 4
    assert lms(school, code=75)["lms"]["progress"]["added"] == 2
    site.completed("late.comer@example.org", "june", LATEST)
    site.requests.clear()
    assert lms(school)["lms"]["progress"]["added"] == 9
    assert "cursor=" in site.requests[0]
    assert site.requests[4].startswith("/events/courseCompletion?startDate=")


def test_a_forgotten_cursor_begins_the_walk_anew(school: Desk, site: Site) -> None:
    lms(school)
    with school.store() as store:
        store.change(
            "INSERT INTO bookmarks VALUES ('lms:courseCompletion:walk', ?)",
            ('{"next": {"cursor": "expired!"}, "newest": null}',),
        )
    site.completed("bo.berg@example.org", "june", LATER)
    assert lms(school)["lms"]["progress"]["added"] == 1


def test_full_reads_everything_again(school: Desk, site: Site) -> None:
    lms(school)
    site.requests.clear()
    assert lms(school, "--full")["lms"]["progress"] == {
        "read": 3, "added": 0, "changed": 0, "unchanged": 3, "rejected": 0
    }  # fmt: skip
    assert "/users" in site.requests


def test_a_dry_run_tells_what_would_come_in_and_keeps_nothing(school: Desk) -> None:
    assert lms(school, "--dry-run")["lms"]["progress"]["added"] == 2
    assert school.json("learners") == []
    assert lms(school)["lms"]["progress"]["added"] == 2


def test_users_and_content_are_read_again_by_the_next_nightly_run(school: Desk, site: Site) -> None:
    site.answers = [(429, {"Retry-After": "30"}, {"error": "rate_limited", "retryAfter": 30})]
    lms(school)
    site.users[0]["email"] = "ada@new.example.org"
    site.content[0]["title"] = "First Aid for All"
    school.clock.time = START + timedelta(hours=24)
    lms(school)
    assert school.json("learners")[0]["email"] == "ada@new.example.org"
    assert school.json("content")[0]["title"] == "First Aid for All"


def test_how_far_it_is_goes_on_from_page_to_page(school: Desk, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credly_cli.headway._SHOWN_AFTER", 0.0)
    monkeypatch.setattr("credly_cli.headway._BETWEEN", 0.0)
    for number in range(10):
        site.completed(f"nr.{number}@example.org", "june", LATER)
    site.per_page = 5
    shown = school.run("sync", "--only", "lms", terminal=True).err
    assert [count for count in range(1, 30) if f" {count} " in shown] == [4, 7, 10, 15, 20, 21]


def test_the_site_and_its_key_can_be_checked_without_reading_anything(school: Desk, site: Site) -> None:
    config = load(school.home / "config.toml", "default", required=True)
    around = Surroundings(config, Reading(START), school.clock, school.environ)
    Client(around).ping()
    site.keys = set()
    with pytest.raises(LmsFailure) as refused:
        Client(around).ping()
    assert refused.value.code == "lms-token-refused"
    assert site.requests == ["/ping", "/ping"]


@pytest.mark.slow
def test_a_first_sync_that_is_killed_again_and_again_ends_with_the_same_store() -> None:
    script = Path(__file__).resolve().parents[2] / "scripts" / "first_sync_with_kills.py"
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(script), "--events", "3000", "--kills", "4"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["The stores are the same."]), done
