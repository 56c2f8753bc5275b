"""Faults that were seen while Thought Industries was read, each with its cause."""

from typing import Any

import pytest

from tests.support.desk import Desk
from tests.support.loopback import lms
from tests.support.thought_industries import EARLY, LATER, LATEST, Readings, Site

ADA = "ada.lovelace@example.org"
BO = {"user": "bo@example.org", "userDetail": {"id": "b", "firstName": "Bo", "lastName": "Berg"}}


def completions(desk: Desk) -> list[tuple[str, str, str]]:
    with desk.store() as store:
        rows = store.rows(
            "SELECT email, content_id, session_id FROM enrollments e JOIN learners l ON l.id = e.learner"
            " WHERE completed_at IS NOT NULL ORDER BY 1, 2, 3"
        )
    return [(row["email"], row["content_id"], row["session_id"]) for row in rows]


def given(desk: Desk) -> set[tuple[str, str, str]]:
    with desk.store() as store:
        return {tuple(row.values()) for row in store.rows("SELECT content_id, subject_kind, subject FROM access")}


def link(desk: Desk, content: str = "group") -> str:
    """Link the first badge, so that what was completed before counts too."""
    desk.json("sync", "--only", "badges")
    badge: str = desk.json("badges")[0]["id"]
    desk.json("link", badge, content, "--since", "2026-01-01", "--yes")
    return badge


def messages(answer: Any) -> str:
    return " ".join([problem["message"] for problem in answer["problems"]] + answer["warnings"])


# Late and backdated


@pytest.mark.further
def test_an_hourly_sync_finds_what_is_told_hours_late(school: Desk, site: Site) -> None:
    """Every walk set the moment from which the daily look back was counted, so that it never came."""
    lms(school)
    start = school.clock.now()
    late = {"id": "late", "user": "late.comer@example.org", "userDetail": {"firstName": "Late", "lastName": "Comer"}}
    for hour in range(72):
        school.pass_time(hours=1)
        at = school.clock.now().strftime("%Y-%m-%dT%H:30:00.000Z")
        site.completed(f"hour.{hour}@example.org", "june", at.replace(":30:", ":00:"))
        if hour == 6:
            moment = start.strftime("%Y-%m-%dT%H:%M:%S.000Z")
            site.events["courseCompletion"].append({**site.events["courseCompletion"][0], **late, "timestamp": moment})
            site.events["courseCompletion"].sort(key=lambda event: event["timestamp"], reverse=True)
        lms(school)
    assert len(completions(school)) == 72 + 2


@pytest.mark.further
def test_a_completion_recorded_for_a_date_of_the_past_is_found_within_a_week(school: Desk, site: Site) -> None:
    lms(school)
    site.completed("back.dated@example.org", "june", LATEST)
    lms(school)
    site.events["courseCompletion"].append(
        {**site.events["courseCompletion"][0], "id": "old", "user": "old@example.org",
         "timestamp": "2026-01-15T00:00:00.000Z", "userDetail": {"firstName": "Old", "lastName": "Berg"}}
    )  # fmt: skip
    site.events["courseCompletion"].sort(key=lambda event: event["timestamp"], reverse=True)
    lms(school)
    assert len(completions(school)) == 2
    school.pass_time(days=7)
    lms(school)
    assert len(completions(school)) == 3
    site.requests.clear()
    lms(school)
    assert len(site.requests) == 3


# Walks that end


@pytest.mark.further
@pytest.mark.parametrize("cursor", ["dies", "loops"])
def test_a_walk_whose_cursors_are_refused_ends_aloud_and_badges_go_out(school: Desk, site: Site, cursor: str) -> None:
    lms(school)
    link(school)
    for number in range(10):
        site.completed(f"nr.{number}@example.org", "june", f"2026-02-10T08:00:0{number}Z")
    site.readings, site.per_page = Readings(cursor=cursor), 4
    site.requests.clear()
    answer = school.json("sync", code=75)
    assert len(site.requests) < 20
    assert "/events/courseCompletion" in messages(answer)
    assert answer["grants"]["issued"] > 0


@pytest.mark.further
def test_two_cursors_that_alternate_end_too(school: Desk, site: Site) -> None:
    lms(school)
    pages = [
        {"events": [{"id": f"e{number}", "timestamp": LATER, "type": "certificate"}],
         "pageInfo": {"hasMore": True, "cursor": f"c{number}"}}
        for number in (1, 2)
    ]  # fmt: skip
    site.answers = [(200, {}, pages[number % 2]) for number in range(20)]
    answer = lms(school, code=75)
    assert "again and again" in messages(answer)
    assert len(site.answers) > 2


@pytest.mark.sampled
@pytest.mark.parametrize("status", [400, 403, 404, 410, 422, 500])
def test_a_cursor_of_yesterday_may_be_refused_in_any_way(school: Desk, site: Site, status: int) -> None:
    lms(school)
    with school.store() as store:
        store.change(
            "INSERT INTO bookmarks VALUES ('lms:courseCompletion:walk', ?)",
            ('{"next": {"cursor": "MQ"}, "newest": null, "began_at": "2026-03-01T00:00:00Z", "start": null}',),
        )
    site.completed("bo.berg@example.org", "june", LATER)
    site.answers = [(status, {}, {"error": "no", "message": "The cursor has expired"})] * (4 if status == 500 else 1)
    assert lms(school)["lms"]["progress"]["added"] == 1


# Times as cursors


@pytest.mark.further
@pytest.mark.parametrize("takes_per_page", [True, False])
@pytest.mark.parametrize("cursor", ["inclusive", "exclusive"])
def test_many_events_of_one_millisecond_are_neither_lost_nor_a_wall(
    school: Desk, site: Site, cursor: str, *, takes_per_page: bool
) -> None:
    lms(school)
    site.readings, site.per_page = Readings(cursor=cursor, takes_per_page=takes_per_page), 20
    for number in range(30):
        site.completed(f"before.{number}@example.org", "june", f"2026-02-09T08:00:{number:02d}.000Z")
    for number in range(50):
        site.completed(f"tied.{number}@example.org", "june", "2026-02-10T00:00:00.000Z")
    for number in range(30):
        site.completed(f"after.{number}@example.org", "june", f"2026-02-11T08:00:{number:02d}.000Z")
    answer = lms(school, code=0 if takes_per_page else 3)
    found = {email.partition(".")[0] for email, *_ in completions(school)}
    assert found >= {"before", "after", "tied"}
    assert len(completions(school)) == (111 if takes_per_page else 81)
    assert takes_per_page or "more events share the moment 2026-02-10T00:00:00Z" in messages(answer)
    site.completed("news@example.org", "june", LATEST, userDetail={"firstName": "N", "lastName": "N"})
    lms(school)
    assert "news@example.org" in {email for email, *_ in completions(school)}


@pytest.mark.further
@pytest.mark.parametrize("cursor", ["inclusive", "exclusive"])
def test_events_of_one_time_that_a_page_parts_are_all_taken(school: Desk, site: Site, cursor: str) -> None:
    lms(school)
    site.readings, site.per_page = Readings(cursor=cursor), 20
    for number in range(60):
        site.completed(f"nr.{number}@example.org", "june", f"2026-02-10T08:00:{number // 7:02d}.000Z")
    lms(school)
    assert len(completions(school)) == 61


# Sessions and groups


@pytest.mark.further
@pytest.mark.parametrize("counts", [True, False])
def test_a_session_that_the_content_list_does_not_show_is_asked_for(school: Desk, site: Site, *, counts: bool) -> None:
    site.counts_groups = counts
    site.groups = {"group": [{"id": "c9", "title": "First Aid"}, {"id": "may"}, {"id": "june"}]}
    lms(school)
    link(school)
    site.completed("bo.berg@example.org", "c9", LATER, title="First Aid")
    assert school.json("sync")["grants"]["issued"] == 2
    assert ("bo.berg@example.org", "group", "c9") in completions(school)


@pytest.mark.further
def test_a_completion_of_an_unlisted_session_waits_until_it_is_listed(school: Desk, site: Site) -> None:
    lms(school)
    link(school)
    site.completed("bo.berg@example.org", "c9", EARLY, title="First Aid")
    answer = lms(school, code=3)
    assert "1 completion of 'First Aid' (c9), which Thought Industries does not list" in messages(answer)
    assert school.json("status")["needs_person"] > 0
    site.completed("cy.clark@example.org", "may", LATEST)
    lms(school, code=3)
    site.groups = {"group": [{"id": "c9", "title": "First Aid"}]}
    school.json("sync")
    assert school.json("sync")["problems"] == []
    assert ("bo.berg@example.org", "group", "c9") in completions(school)
    assert {badge.details.issued_at for badge in school.issued() if badge.email.startswith("bo")} == {
        "2026-01-10T20:50:53.000Z"
    }


@pytest.mark.further
def test_a_session_that_moves_follows_its_group(school: Desk, site: Site) -> None:
    lms(school)
    site.content[1]["courseGroup"] = "other"
    site.content.append({"id": "other", "kind": "courseGroup", "title": "Other", "status": "published"})
    site.content[0]["displayCourse"] = "june"
    school.pass_time(hours=23)
    lms(school)
    assert completions(school) == [(ADA, "other", "may")]
    link(school, "other")
    assert school.json("sync")["grants"]["issued"] == 1


@pytest.mark.further
def test_content_that_is_gone_is_not_released_any_more_and_comes_back(school: Desk, site: Site) -> None:
    def released() -> dict[str, bool]:
        return {content["id"]: content["released"] for content in school.json("content")}

    lms(school)
    gone, site.content[:] = site.content[3], [site.content[0], *site.content[2:3], *site.content[4:]]
    school.pass_time(hours=23)
    lms(school)
    assert released() == {"group": True, "path": False}
    site.content.append(gone)
    school.pass_time(hours=23)
    lms(school)
    assert released()["path"]
    site.content.clear()
    school.pass_time(hours=23)
    assert "empty all of a sudden" in messages(lms(school, code=3))
    assert released()["path"]


# Words


PATH = {"notifiableId": "path", "timestamp": LATER, **BO}


@pytest.mark.further
@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("status_change", "completed"),
        ("status_change", "path_completed"),
        ("status_change", "manager_marked_complete"),
        ("completion", "learning_path_completed"),
        ("learning_path_completed", None),
        ("completed", None),
    ],
)
def test_words_that_sound_complete_and_are_not_known_need_a_person(
    school: Desk, site: Site, kind: str, source: str | None
) -> None:
    """They were enrollments, without a word: no badge of the learning path ever."""
    site.happened("learningPathAction", type=kind, source=source, **PATH)
    answer = lms(school, code=3)
    assert f"1 event of learningPathAction of type {kind!r} and source {source or ''!r}" in messages(answer)
    assert all(email != "bo@example.org" for email, *_ in completions(school))
    lms(school, code=3)
    config = (school.home / "config.toml").read_text()
    school.config(config + f'values = {{"{kind}/{source or ""}" = "completed"}}\n')
    assert lms(school)["problems"] == []
    assert ("bo@example.org", "path", "") in completions(school)


@pytest.mark.further
def test_other_unknown_words_are_told_once_with_an_example(school: Desk, site: Site) -> None:
    for number in range(3):
        site.happened("learningPathAction", id=f"m{number}", type="milestone", source="reached", **PATH)
    answer = lms(school)
    (told,) = answer["warnings"]
    assert told.startswith("3 events of learningPathAction of type 'milestone' and source 'reached' (m2)")
    assert 'values = {"milestone/reached" = "completed"}' in told
    assert all(learner["email"] != "bo@example.org" for learner in school.json("learners"))
    assert lms(school)["warnings"] == []


@pytest.mark.further
@pytest.mark.parametrize("source", ["course_not_completed", "course_started"])
def test_a_completion_that_is_denied_after_its_badge_was_sent_is_reported(
    school: Desk, site: Site, source: str
) -> None:
    lms(school)
    link(school)
    school.json("sync")
    site.happened("courseAction", type="status_change", source=source, notifiableId="may", timestamp=LATEST,
                  user=ADA, userDetail={"id": f"user-{ADA}"})  # fmt: skip
    assert "First Aid" in messages(lms(school, code=3))


@pytest.mark.parametrize(
    "values", ['{ path_completed = "completed" }', '{ source = { path_completed = "completed" } }']
)
def test_a_source_alone_may_be_told(school: Desk, site: Site, values: str) -> None:
    school.config((school.home / "config.toml").read_text() + f"values = {values}\n")
    site.happened("learningPathAction", type="status_change", source="path_completed", **PATH)
    lms(school)
    assert ("bo@example.org", "path", "") in completions(school)


def test_a_meaning_that_is_none_is_a_mistake_in_the_configuration(school: Desk) -> None:
    school.config((school.home / "config.toml").read_text() + 'values = { x = "done" }\n')
    assert "must say one of completed" in school.run("sync", "-q").err


@pytest.mark.further
def test_a_completion_that_is_denied_before_its_badge_is_sent_is_held(school: Desk, site: Site) -> None:
    lms(school)
    link(school)
    site.happened("courseAction", type="status_change", source="course_not_completed", notifiableId="may",
                  timestamp=LATEST, user=ADA, userDetail={"id": f"user-{ADA}"})  # fmt: skip
    answer = school.json("sync", code=3)
    assert (answer["grants"]["issued"], answer["grants"]["held"]) == (0, 1)
    school.pass_time(hours=23)
    answer = school.json("sync")
    assert answer["grants"]["issued"] == 0
    site.completed(ADA, "may", "2026-03-04T07:00:00.000Z")
    school.pass_time(days=2)
    assert school.json("sync")["grants"]["issued"] == 1


# Who sees what


def discovers(desk: Desk, email: str = ADA) -> set[str]:
    return {entry["content"]["id"] for entry in desk.json("widget", email)["discover"]}


def tenants(site: Site) -> None:
    """Make a panorama with three sublicenses."""
    for identity in ("a1", "a2", "a3"):
        site.content.append({"id": identity, "kind": "article", "title": f"Title of {identity}", "status": "published"})
    site.clients = [{"id": "p1", "name": "Acme", "courseIds": ["a1", "a2"], "learningPathIds": []}]
    site.licenses = {
        "p1": [{"id": "s0", "name": "Main"}, {"id": "s1", "name": "East", "courseIds": ["a1"]},
               {"id": "s2", "name": "West", "courseIds": ["a2"]}]
    }  # fmt: skip


def belongs(site: Site, *licenses: Any, client: str | None = "p1") -> None:
    entries = [
        entry if isinstance(entry, dict) else {"licenseId": entry, "licenseRole": "student"} for entry in licenses
    ]
    site.users[0] |= {"clientId": client, "allocatedLicenses": entries}


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("licenses", "names", "seen"),
    [
        (["s0"], ["Main"], {"a1", "a2"}),
        (["s1"], ["East"], {"a1"}),
        (["s1", "s2"], ["East", "West"], {"a1", "a2"}),
        ([{"licenseId": "s1", "status": "revoked"}, "s2"], ["West"], {"a2"}),
        ([{"licenseId": "s1", "status": "revoked"}], [], set()),
        ([{"licenseId": "s1", "licenseRole": "manager"}], [], {"a1", "a2"}),
        ([], [], {"a1", "a2"}),
    ],
)
def test_r29_sublicenses_add_up(
    school: Desk, site: Site, licenses: list[Any], names: list[str], seen: set[str]
) -> None:
    tenants(site)
    belongs(site, *licenses)
    lms(school)
    school.json("sync", "--only", "badges")
    for badge, content in zip(school.json("badges"), ("a1", "a2", "a3"), strict=False):
        school.json("link", badge["id"], content)
    (ada,) = school.json("learners")
    assert (ada["panorama"], ada["sublicense"], ada["sublicenses"]) == ("Acme", names[0] if names else None, names)
    assert discovers(school) == seen


@pytest.mark.parametrize("nothing", [None, []])
def test_r29_what_the_site_says_no_more_is_taken_away(school: Desk, site: Site, nothing: Any) -> None:
    """An explicit null was read as if nothing were told."""
    tenants(site)
    belongs(site, "s1")
    lms(school)
    school.pass_time(hours=23)
    site.users[0]["allocatedLicenses"] = nothing
    lms(school)
    assert school.json("learners")[0]["sublicenses"] == []
    school.pass_time(hours=23)
    site.users[0]["clientId"] = None
    lms(school)
    assert school.json("learners")[0]["panorama"] is None
    site.users[0] |= {"clientId": "p1", "allocatedLicenses": [{"licenseId": "s2"}]}
    school.pass_time(hours=23)
    lms(school)
    del site.users[0]["clientId"], site.users[0]["allocatedLicenses"]
    school.pass_time(hours=23)
    lms(school)
    (ada,) = school.json("learners")
    assert (ada["panorama"], ada["sublicenses"]) == ("Acme", ["West"])


@pytest.mark.further
@pytest.mark.parametrize("status", [403, 404])
def test_sublicenses_that_are_refused_once_leave_what_is_known(school: Desk, site: Site, status: int) -> None:
    tenants(site)
    belongs(site, "s1")
    lms(school)
    before = given(school)
    site.broken = {"/clients/p1/licenses": status}
    school.pass_time(hours=23)
    assert "The sublicenses of 'Acme'" in messages(lms(school, code=3))
    assert given(school) == before
    assert school.json("learners")[0]["sublicenses"] == ["East"]


def test_where_a_new_learner_belongs_is_read_from_the_event(school: Desk, site: Site) -> None:
    """It was read with the users only: until the next day the learner was one of the site."""
    tenants(site)
    lms(school)
    school.pass_time(hours=1)
    site.completed("bo@example.org", "may", "2026-03-02T09:30:00Z", license="s1",
                   userDetail={"id": "b", "firstName": "Bo", "lastName": "Berg", "client": "p1"})  # fmt: skip
    lms(school)
    bo = next(learner for learner in school.json("learners") if learner["learner_id"] == "b")
    assert (bo["panorama"], bo["sublicenses"]) == ("Acme", ["East"])


def test_content_given_by_tags_is_said_not_to_be_read(school: Desk, site: Site) -> None:
    tenants(site)
    site.clients[0]["courseTagIds"] = ["t"]
    assert "by tags is not read: Acme" in messages(lms(school))


def test_sublicenses_of_one_name_in_two_panoramas_are_kept_apart(school: Desk, site: Site) -> None:
    tenants(site)
    site.clients.append({"id": "p2", "name": "Globex", "courseIds": ["a3"]})
    site.licenses["p2"] = [{"id": "s9", "name": "East", "courseIds": ["a3"]}, {"id": "s8", "name": "Main"}]
    belongs(site, "s9", client="p2")
    lms(school)
    assert ("a3", "sublicense", "globex / east") in given(school)
    assert ("a3", "sublicense", "acme / east") not in given(school)
    assert school.json("learners")[0]["sublicenses"] == ["Globex / East"]


# One that fails keeps none of the others back


@pytest.mark.further
def test_a_user_that_cannot_be_asked_keeps_no_event_back(school: Desk, site: Site) -> None:
    lms(school)
    link(school)
    site.broken = {"/users/user-bo": 500}
    site.completed("bo@example.org", "may", LATER, userDetail={"id": "user-bo"})
    for number in range(4):
        site.completed(f"nr.{number}@example.org", "may", LATER)
    answer = school.json("sync", code=75)
    assert answer["grants"]["issued"] == 5
    assert answer["grants"]["held"] == 1


def test_a_stream_that_fails_keeps_none_of_the_others_back_and_is_told_once(school: Desk, site: Site) -> None:
    site.broken = {"/events/courseCompletion": 500}
    site.happened("learningPathAction", type="status_change", source="learning_path_completed", **PATH)
    answer = lms(school, code=75)
    (told,) = answer["problems"]
    assert told["message"].startswith("/events/courseCompletion: ")
    assert completions(school) == [("bo@example.org", "path", "")]


@pytest.mark.sampled
@pytest.mark.parametrize("path", ["/events/courseAction", "/users", "/content"])
def test_one_list_that_is_not_for_this_key_is_named_and_stops_nothing(school: Desk, site: Site, path: str) -> None:
    if path == "/content":
        lms(school)
        school.pass_time(hours=23)
        site.completed("bo.berg@example.org", "may", LATEST)
    site.broken = {path: 403}
    answer = lms(school, code=3)
    (told,) = answer["problems"]
    assert told["message"].startswith(path)
    assert completions(school)


def test_a_key_that_may_see_nothing_is_refused(school: Desk, site: Site) -> None:
    site.answers = [(403, {}, {})] * 40
    assert [problem["code"] for problem in lms(school, code=4)["problems"]] == ["lms-token-refused"]


# Its own words, and the other way


def test_an_error_is_told_in_the_words_of_the_vendor(school: Desk, site: Site) -> None:
    site.broken = {"/events/courseAction": 409}
    assert "/events/courseAction is broken" in messages(lms(school, code=75))


@pytest.mark.further
def test_what_is_refused_one_way_is_asked_the_other_way_once_and_remembered(school: Desk, site: Site) -> None:
    site.readings = Readings(dates="iso", types_required=True)
    lms(school)
    site.completed("bo.berg@example.org", "may", LATEST)
    lms(school)
    site.requests.clear()
    school.pass_time(hours=23)
    lms(school)
    assert all("types=" in request for request in site.requests if request.startswith("/content"))
    assert all("T" in request for request in site.requests if "startDate" in request)


def test_an_event_without_an_address_asks_for_it(school: Desk, site: Site) -> None:
    lms(school)
    site.users.append({"id": "u1", "email": "bo@example.org", "firstName": "Bo", "lastName": "Berg"})
    site.completed("", "may", LATEST, user=None, userDetail={"id": "u1", "firstName": "Bo", "lastName": "Berg"})
    lms(school)
    assert ("bo@example.org", "group", "may") in completions(school)


# Percentages


def test_percentages_come_from_a_file_as_a_second_source(school: Desk) -> None:
    report = school.home / "progress.csv"
    report.write_text(f"email,course_id,percent complete\n{ADA},path,40\n")
    config = (
        (school.home / "config.toml").read_text().replace('"thought-industries"', '["thought-industries", "files"]')
    )
    school.config(f'{config}[lms.files]\nprogress = ["{report}"]\n')
    lms(school)
    link(school, "path")
    (entry,) = school.json("widget", ADA)["in_progress"]
    assert (entry["content"]["id"], entry["progress"]) == ("path", 40)
