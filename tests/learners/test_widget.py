"""R28-R31: the widget, through the command."""

import pytest

from credly_cli.issuing.plan import plan
from tests.learners.school import AGAIN, BADGE, ROBIN, School
from tests.support import faults
from tests.support.desk import Desk


@pytest.mark.further
def test_r28_badges_in_progress_highest_first_unknown_last_then_by_name(school: School) -> None:
    school.has()
    told = {
        "data-literacy-level-1": "40", "data-literacy-level-2": "0", "Facilitator": "", "onboarding-essentials": "",
        "Accessible Documents": "40", BADGE: "99.5",
    }  # fmt: skip
    for badge, progress in told.items():
        school.teaches(f"about {badge}", f"About {badge}", badge)
        school.enrolls(f"about {badge}", progress=progress)
    shown = [(entry["badge"]["name"], entry["progress"]) for entry in school.widget()["in_progress"]]
    assert shown == [
        (BADGE, 99.5),
        ("Accessible Documents", 40),
        ("Data Literacy \u2013 Level 1", 40),
        ("Data Literacy \u2013 Level 2", 0),
        ("Facilitator", None),
        ("Onboarding Essentials", None),
    ]


@pytest.mark.further
def test_r28_what_each_section_says_and_opens(school: School) -> None:
    school.has(learner_id="17")
    school.teaches("first-aid", "First Aid Course", BADGE, url="https://learn.example.org/first-aid")
    school.teaches("groups", "Leading Groups", "Facilitator", url="https://learn.example.org/groups")
    school.teaches("hygiene", "Kitchen Hygiene", AGAIN)
    school.enrolls("first-aid", progress="40")
    school.completes("hygiene")
    school.desk.json("sync")
    (issued,) = school.desk.json("learner-badges", ROBIN)["badges"]
    badge = {row["name"]: row for row in school.desk.json("badges")}

    def short(name: str) -> dict[str, str]:
        return {key: badge[name][key] for key in ("id", "name", "image_url")}

    answer = school.widget()
    assert answer == {
        "learner": {"email": ROBIN, "first_name": "Robin", "last_name": "Lark", "learner_id": "17"},
        "in_progress": [
            {
                "badge": short(BADGE),
                "content": {"id": "first-aid", "title": "First Aid Course", "type": "course"},
                "progress": 40,
                "on_its_way": False,
                "url": "https://learn.example.org/first-aid",
            }
        ],
        "discover": [
            {
                "badge": short("Facilitator"),
                "content": {"id": "groups", "title": "Leading Groups", "type": "course"},
                "url": badge["Facilitator"]["url"],
            }
        ],
        "earned": [
            {
                "id": issued["id"],
                "badge": short(AGAIN),
                "content": {"id": "hygiene", "title": "Kitchen Hygiene", "type": "course"},
                "awarded_at": issued["awarded_at"],
                "expires_at": issued["expires_at"],
                "expired": False,
                "state": "pending",
                "url": issued["view_url"],
                "accept_url": issued["accept_url"],
            }
        ],
        "source": "credly",
        "as_of": "2026-03-02T09:35:00Z",
    }


def test_r28_badges_to_discover_are_listed_by_name(school: School) -> None:
    school.has()
    for badge in ("onboarding-essentials", "Accessible Documents", "Facilitator"):
        school.teaches(f"about {badge}", "About it", badge)
    assert school.names("discover") == ["Accessible Documents", "Facilitator", "Onboarding Essentials"]


def test_r28_only_linked_badges_are_in_progress_or_to_discover(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course")
    school.enrolls("first-aid", progress="40")
    assert school.names("in_progress") == school.names("discover") == []


def test_r28_a_learning_path_shows_like_any_content(school: School) -> None:
    school.has()
    school.teaches("path", "The Long Way", BADGE, type="learningPath")
    assert school.names("discover") == [BADGE]
    school.enrolls("path", progress="20")
    assert school.names("in_progress") == [BADGE]
    assert school.widget()["in_progress"][0]["content"]["type"] == "learningPath"


def test_r28_the_sessions_of_a_content_show_as_one_badge_with_the_farthest_progress(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE, session_id="march", session_title="March")
    school.teaches("first-aid", "First Aid Course", session_id="april", session_title="April")
    school.enrolls("first-aid", session="march", progress="80")
    school.enrolls("first-aid", session="april", progress="5")
    (entry,) = school.widget()["in_progress"]
    assert (entry["content"]["title"], entry["progress"]) == ("First Aid Course", 80)


@pytest.mark.further
def test_r28_where_duplicates_are_allowed_another_session_is_in_progress_beside_the_badge_earned(
    school: School,
) -> None:
    school.has()
    school.teaches("webinars", "Webinars", AGAIN, session_id="march")
    school.teaches("webinars", "Webinars", session_id="april")
    school.completes("webinars", session="march")
    school.desk.json("sync")
    assert school.names("in_progress") == []
    school.enrolls("webinars", session="april", progress="30")
    assert [entry["progress"] for entry in school.widget()["in_progress"]] == [30]
    assert school.names("earned") == [AGAIN]


@pytest.mark.further
def test_r28_where_they_are_not_a_badge_earned_is_earned_only(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE, session_id="march")
    school.teaches("first-aid", "First Aid Course", session_id="april")
    school.completes("first-aid", session="march")
    school.desk.json("sync")
    school.enrolls("first-aid", session="april", progress="30")
    assert (school.names("in_progress"), school.names("discover"), school.names("earned")) == ([], [], [BADGE])


def test_r28_what_somebody_earned_in_credly_itself_is_not_offered_again(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.desk.sandbox.issue_in_credly(school.desk.badge_id(BADGE), ROBIN, "Robin", "Lark")
    (entry,) = school.widget()["earned"]  # Credly is asked: no sync has seen it
    assert entry["content"] is None
    assert school.names("discover") == []


@pytest.mark.further
def test_r29_a_site_learner_discovers_what_is_released_or_given_to_them(school: School) -> None:
    school.has()
    school.teaches("open", "Open", "Facilitator")
    school.teaches("closed", "Closed", "Accessible Documents", status="draft")
    school.teaches("given", "Given", BADGE, status="draft")
    school.gives("given", email=ROBIN.upper())
    school.teaches("elsewhere", "Elsewhere", AGAIN, status="draft")
    school.gives("elsewhere", panorama="Acme")
    assert school.names("discover") == ["Facilitator", BADGE]


def test_r29_content_scheduled_for_later_is_to_be_discovered_from_then_on(school: School) -> None:
    school.has()
    school.teaches("soon", "Soon", BADGE, released_at="2026-03-03T00:00:00Z")
    assert school.names("discover") == []
    school.desk.pass_time(days=1)
    assert school.names("discover") == [BADGE]


@pytest.mark.further
def test_r29_content_is_released_when_one_of_its_sessions_is(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE, session_id="march", status="draft")
    assert school.names("discover") == []
    school.teaches("first-aid", "First Aid Course", session_id="april")
    assert school.names("discover") == [BADGE]


@pytest.mark.parametrize("told_by", ["access", "content"])
def test_r29_a_learner_of_a_panorama_discovers_only_what_it_has_released_or_not(school: School, told_by: str) -> None:
    school.has(panorama="Acme")
    school.teaches("open", "Open", "Facilitator")
    school.teaches("theirs", "Theirs", BADGE, status="draft", **({"panoramas": "ACME"} if told_by == "content" else {}))
    if told_by == "access":
        school.gives("theirs", panorama="ACME")
    assert school.names("discover") == [BADGE]


@pytest.mark.further
def test_r29_several_sublicenses_add_up_and_a_main_one_has_all_of_its_panorama(school: School) -> None:
    school.teaches("wide", "Wide", "Facilitator", panoramas="Acme")
    school.teaches("north", "North", BADGE, sublicenses="Acme North")
    school.teaches("south", "South", AGAIN, sublicenses="Acme South")
    school.has(panorama="Acme", sublicense="Acme North;Acme South")
    assert sorted(school.names("discover")) == sorted([BADGE, AGAIN])
    (robin,) = school.desk.json("learners")
    assert (robin["sublicense"], robin["sublicenses"]) == ("Acme North", ["Acme North", "Acme South"])
    school.has(panorama="Acme", sublicense="Main")
    assert school.names("discover") == ["Facilitator"]


def test_r29_a_sublicense_narrows_the_panorama(school: School) -> None:
    school.has(panorama="Acme", sublicense="Acme North")
    school.teaches("wide", "Wide", "Facilitator", panoramas="Acme")
    school.teaches("narrow", "Narrow", BADGE, status="draft", sublicenses="Acme North;Acme South")
    assert school.names("discover") == [BADGE]


def test_r29_whoever_is_enrolled_sees_the_badge_in_progress_wherever_they_belong(school: School) -> None:
    school.has(panorama="Acme")
    school.teaches("closed", "Closed", BADGE, status="draft")
    school.enrolls("closed", progress="10")
    assert school.names("in_progress") == [BADGE]


@pytest.mark.further
def test_r30_a_badge_is_on_its_way_from_the_completion_until_it_is_issued(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.completes("first-aid")
    on_its_way = [(100, True)]
    assert promises(school) == on_its_way  # no sync has seen it
    sandbox = school.desk.sandbox
    sandbox.faults.add(faults.answers(429), "POST", times=None)
    school.desk.run("sync")
    assert (states(school), promises(school)) == (["planned"], on_its_way)
    sandbox.faults.clear()
    sandbox.switches.list_lag = 300
    sandbox.faults.add(faults.loses_answer(), "POST")
    school.desk.run("sync")
    assert (states(school), promises(school)) == (["uncertain"], on_its_way)
    school.desk.pass_time(minutes=10)
    school.desk.json("sync")
    assert (promises(school), school.names("earned")) == ([], [BADGE])


def states(school: School) -> list[str]:
    return [grant["state"] for grant in school.desk.json("grants")]


def promises(school: School) -> list[tuple[float | None, bool]]:
    return [(entry["progress"], entry["on_its_way"]) for entry in school.widget()["in_progress"]]


@pytest.mark.further
def test_r30_a_grant_that_is_held_shows_the_completion_and_promises_nothing(school: School) -> None:
    school.has(last_name="")
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.completes("first-aid")
    assert promises(school) == [(100, False)]  # the next sync will hold it
    school.desk.json("sync", code=3)
    assert promises(school) == [(100, False)]
    school.has(last_name="Lark")
    school.desk.json("sync")
    assert (promises(school), school.names("earned")) == ([], [BADGE])


def test_r30_a_completion_before_the_link_shows_nowhere(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course")
    school.completes("first-aid")
    school.desk.json("link", BADGE, "first-aid")
    assert (school.names("in_progress"), school.names("discover")) == ([], [])


@pytest.mark.further
def test_r30_a_revoked_badge_shows_nowhere_until_a_later_session_may_earn_it(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE, session_id="march")
    school.teaches("first-aid", "First Aid Course", session_id="april")
    school.completes("first-aid", session="march")
    school.desk.json("sync")
    school.desk.pass_time(hours=1)
    school.desk.sandbox.revoke(school.desk.issued()[0].id)
    everywhere = [school.names(section) for section in ("in_progress", "discover", "earned")]
    assert everywhere == [[], [], []]  # Credly is asked: no sync has seen it
    school.desk.json("sync")
    school.enrolls("first-aid", session="april", progress="10")
    assert promises(school) == [(10, False)]


@pytest.mark.further
def test_r30_a_session_whose_badge_was_granted_by_hand_promises_no_second_one(school: School) -> None:
    school.has()
    school.teaches("webinars", "Webinars", AGAIN)
    school.enrolls("webinars", progress="40")
    school.desk.json("grant", ROBIN, AGAIN)
    assert (promises(school), school.names("earned")) == ([], [AGAIN])


@pytest.mark.further
def test_r30_what_credly_refused_promises_nothing(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.completes("first-aid")
    school.desk.sandbox.faults.add(faults.answers(400), "POST")
    school.desk.run("sync")
    assert (states(school), promises(school)) == (["failed"], [(100, False)])
    school.desk.json("resolve", "1", "--drop")
    assert (promises(school), school.names("discover")) == ([], [])


def test_r30_a_badge_granted_by_hand_is_on_its_way_from_where_the_learner_is(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.enrolls("first-aid", progress="40")
    school.desk.sandbox.switches.list_lag = 300
    school.desk.sandbox.faults.add(faults.loses_answer(), "POST")
    school.desk.run("grant", ROBIN, BADGE)
    assert (states(school), promises(school)) == (["uncertain"], [(40, True)])


def test_r31_expired_badges_are_shown_as_expired_or_hidden_and_never_offered_again(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    past = {"issued_at": "2024-01-01 10:00:00 +0000", "expires_at": "2025-01-01"}
    school.desk.sandbox.issue_in_credly(school.desk.badge_id(BADGE), ROBIN, "Robin", "Lark", **past)
    assert [entry["expired"] for entry in school.widget()["earned"]] == [True]
    school.desk.config("hide_expired_badges = true\n")
    assert school.names("earned") == []
    assert school.names("discover") == []


@pytest.mark.parametrize("told", [{"public": False}, {"visibility": "private"}])
def test_r31_a_badge_that_is_not_public_has_no_link_to_its_page(school: School, told: dict[str, object]) -> None:
    school.desk.sandbox.templates[school.desk.badge_id(BADGE)].update(told)
    school.desk.json("sync")
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.teaches("webinars", "Webinars", AGAIN)
    assert [bool(entry["url"]) for entry in school.widget()["discover"]] == [False, True]


def test_r3_after_disconnecting_there_is_no_widget(school: School) -> None:
    school.has()
    school.desk.json("disconnect", "--yes")
    for command in (["widget", ROBIN], ["widget", ROBIN, "--html", str(school.desk.home / "page.html")]):
        answer = school.desk.json(*command, code=4, environ={"CREDLY_TOKEN": school.desk.sandbox.token})
        assert answer["error"]["code"] == "not-connected"
    assert not (school.desk.home / "page.html").exists()


def test_r25_the_address_is_matched_without_regard_to_case(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.enrolls("first-aid", progress="40")
    assert school.names("in_progress", ROBIN.upper()) == [BADGE]


def test_an_address_that_nobody_knows_is_an_unknown_learner(school: School) -> None:
    assert school.desk.json("widget", "stranger@example.org", code=5)["error"]["code"] == "unknown-learner"


@pytest.mark.further
def test_when_credly_does_not_answer_the_store_tells_what_was_earned(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.completes("first-aid")
    school.desk.json("sync")
    breaks(school.desk)
    assert school.names("earned") == [BADGE]
    ran = school.desk.run("widget", ROBIN)
    assert (ran.code, "as of" in ran.err) == (0, True)


def breaks(desk: Desk) -> None:
    """Let Credly answer nothing but errors."""
    desk.sandbox.faults.add(faults.answers(503), times=None)


def test_on_a_terminal_the_sections_have_their_titles(school: School) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.teaches("groups", "Leading Groups", "Facilitator")
    school.completes("first-aid")
    school.enrolls("groups", progress="42")
    ran = school.desk.run("widget", ROBIN, terminal=True, environ={"NO_COLOR": "1"})
    lines = [line.split("  ")[0].strip() for line in ran.out.splitlines() if line]
    assert lines == ["In Progress (2)", "Badge", BADGE, "Facilitator", "Discover (0)", "Earned (0)"]
    assert "■■■■■■■■■■ 100%, badge on its way" in ran.out
    assert "■■■■□□□□□□ 42%" in ran.out


def test_in_a_pipe_there_is_one_row_a_badge_with_its_section(school: School) -> None:
    school.has()
    school.teaches("groups", "Leading Groups", "Facilitator")
    school.enrolls("groups", progress="42")
    (row,) = school.desk.run("widget", ROBIN).out.splitlines()
    assert row.split("\t")[:6] == [
        school.desk.badge_id("Facilitator"), "in_progress", "Facilitator", "Leading Groups", "42", "no",
    ]  # fmt: skip


@pytest.mark.sampled
@pytest.mark.parametrize("state", ["planned", "sending", "uncertain"])
def test_r30_a_badge_is_on_its_way_until_credly_has_answered(school: School, state: str) -> None:
    school.has()
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.completes("first-aid")
    with school.desk.store() as store:
        plan(store, school.desk.sandbox.organization_id, None, "2026-03-02T12:00:00Z")
        assert store.change("UPDATE grants SET state = ?", (state,)) == 1
    (entry,) = school.widget()["in_progress"]
    assert (entry["progress"], entry["on_its_way"]) == (100, True)


@pytest.mark.further
def test_r29_who_is_known_to_credly_alone_discovers_what_is_released_or_given_to_the_address(school: School) -> None:
    school.teaches("first-aid", "First Aid Course", BADGE)
    school.teaches("hygiene", "Kitchen Hygiene", AGAIN, status="draft")
    school.teaches("secret", "For Others", "Facilitator", status="draft")
    school.gives("hygiene", email="guest@example.org")
    school.desk.sandbox.issue_in_credly(
        school.desk.badge_id("Accessible Documents"), "guest@example.org", "Gil", "Guest"
    )
    assert school.names("discover", "guest@example.org") == [BADGE, AGAIN]
    assert school.names("earned", "guest@example.org") == ["Accessible Documents"]
