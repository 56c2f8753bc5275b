"""Linking and unlinking: R12 to R16."""

import re
from typing import Any

import pytest

from tests.support.desk import Desk

FIRST_AID = "First Aid at Work"


def linked(desk: Desk, badge: str = FIRST_AID) -> Any:
    return next(entry for entry in desk.json("badges") if entry["name"] == badge)["content"]


def complete(desk: Desk, *times: str, content: str = "hygiene") -> None:
    """Let one learner after another complete the content at a time."""
    desk.learns(*(f"u{number}@example.org,{content},,completed,{at},U,{number}" for number, at in enumerate(times)))


# R12


def test_r12_linking_says_from_when_on_it_counts_and_what_comes_next(connected: Desk) -> None:
    answer = connected.json("link", FIRST_AID, "first-aid")
    assert answer == {
        "changed": True,
        "badge": {key: value for key, value in answer["badge"].items() if key in ("id", "name", "image_url")},
        "content": {"id": "first-aid", "title": "First Aid Course", "type": "course"},
        "counts_from": "2026-03-02T09:30:00Z",
        "earlier": 0,
        "held_already": 0,
        "born_expired": 0,
        "cancelled": 0,
        "out": 0,
    }
    ran = connected.run("link", "Facilitator", "hygiene")
    assert ran.out.startswith("Linked Facilitator to Kitchen Hygiene, counting from 2026-03-02T09:30:00Z.\n")
    assert "Next: credly sync" in ran.err
    assert "Image: https://images.credly.com/" in ran.out


def test_r12_another_content_is_refused_with_the_current_one_named(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "first-aid")
    error = connected.json("link", FIRST_AID, "hygiene", code=6)["error"]
    assert error["code"] == "badge-already-linked"
    assert "First Aid Course (first-aid)" in error["message"]
    assert "credly unlink" in error["hint"]
    assert linked(connected)["id"] == "first-aid"


def test_r12_linking_the_same_pair_again_changes_nothing_and_succeeds(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "first-aid")
    connected.pass_time(days=1)
    answer = connected.json("link", FIRST_AID, "first-aid")
    assert (answer["changed"], answer["counts_from"]) == (False, "2026-03-02T09:30:00Z")
    assert "already linked" in connected.run("link", FIRST_AID, "first-aid").out


def test_r12_a_content_may_carry_several_badges(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "first-aid")
    connected.json("link", "Facilitator", "first-aid")
    content = next(entry for entry in connected.json("content") if entry["id"] == "first-aid")
    assert [badge["name"] for badge in content["badges"]] == ["Facilitator", FIRST_AID]


def test_r11_the_badges_of_content_are_listed_alphabetically_whatever_their_accents(connected: Desk) -> None:
    connected.sandbox.change_template(connected.badge_id("Facilitator"), name="\u00c4RZTE")
    connected.json("sync")
    connected.json("link", FIRST_AID, "first-aid")
    connected.json("link", "\u00c4RZTE", "first-aid")
    content = next(entry for entry in connected.json("content") if entry["id"] == "first-aid")
    assert [badge["name"] for badge in content["badges"]] == ["\u00c4RZTE", FIRST_AID]


def test_r12_an_empty_store_suggests_to_sync(desk: Desk) -> None:
    desk.connect()
    error = desk.json("link", FIRST_AID, "first-aid", code=5)["error"]
    assert (error["code"], error["hint"]) == ("unknown-badge", "Run: credly sync")


def test_r12_a_store_whose_badges_have_all_left_suggests_to_sync(connected: Desk) -> None:
    for badge in connected.json("badges"):
        connected.sandbox.archive_template(badge["id"])
    connected.json("sync", "--allow-shrink")
    assert connected.json("link", "Anything", "first-aid", code=5)["error"]["hint"] == "Run: credly sync"


def test_linking_without_content_suggests_to_import_some(desk: Desk) -> None:
    desk.connect()
    desk.json("sync")
    error = desk.json("link", FIRST_AID, "first-aid", code=5)["error"]
    assert error["code"] == "unknown-content"
    assert "credly import content" in error["hint"]


# What a user may call a badge or content


@pytest.mark.parametrize(
    "badge", ["fa50dad1-f12a-41f0-9a18-19980e199f78", "FIRST-AID-AT-WORK", "first aid AT WORK", "  First Aid at Work "]
)
def test_a_badge_is_named_by_id_slug_or_name_in_any_case(connected: Desk, badge: str) -> None:
    assert connected.json("link", badge, "first-aid")["badge"]["name"] == FIRST_AID


@pytest.mark.parametrize("content", ["first-aid", "FIRST-AID", "first aid course", " First Aid Course"])
def test_content_is_named_by_id_or_title_in_any_case(connected: Desk, content: str) -> None:
    assert connected.json("link", FIRST_AID, content)["content"]["id"] == "first-aid"


def test_an_id_goes_before_a_slug_and_a_slug_before_a_name(connected: Desk) -> None:
    facilitator = connected.badge_id("Facilitator")
    connected.sandbox.change_template(facilitator, name="first-aid-at-work")
    connected.sandbox.change_template(connected.badge_id("Accessible Documents"), vanity_slug=facilitator)
    connected.json("sync")
    assert connected.json("link", "first-aid-at-work", "first-aid")["badge"]["name"] == FIRST_AID
    assert connected.json("link", facilitator, "hygiene")["badge"]["id"] == facilitator


def test_a_slug_is_matched_to_the_letter_and_a_name_in_any_case(connected: Desk) -> None:
    facilitator, twin = connected.badge_id("Facilitator"), connected.badge_id("Webinar Participant")
    connected.sandbox.change_template(twin, name="Facilitator", vanity_slug="facilitator.2")
    connected.json("sync")
    assert connected.json("link", "Facilitator", "first-aid", code=5)["error"]["code"] == "ambiguous-badge"
    assert connected.json("link", "facilitator.2", "first-aid")["badge"]["id"] == twin
    assert connected.json("link", "facilitator", "first-aid")["badge"]["id"] == facilitator
    assert connected.json("link", "FACILITATOR.2", "first-aid")["badge"]["id"] == twin  # nothing else is called so


def test_a_content_id_goes_before_a_session_and_a_session_before_a_title(connected: Desk) -> None:
    header = "content_id,title,type,status,session_id\n"
    connected.imports("content", header + "one,two,course,published,three\ntwo,three,course,published,\n")
    assert connected.json("link", FIRST_AID, "two")["content"]["id"] == "two"
    assert connected.json("link", "Facilitator", "three")["content"]["id"] == "one"


def test_an_ambiguous_badge_lists_its_candidates(connected: Desk) -> None:
    ids = [connected.badge_id("Facilitator"), connected.badge_id("Webinar Participant")]
    for badge_id in ids:
        connected.sandbox.change_template(badge_id, name="Twin")
    connected.json("sync")
    error = connected.json("link", "twin", "first-aid", code=5)["error"]
    assert error["code"] == "ambiguous-badge"
    assert all(badge_id in error["message"] for badge_id in ids)
    assert error["hint"]


def test_an_id_of_content_is_matched_to_the_letter_and_a_title_in_any_case(connected: Desk) -> None:
    connected.imports("content", "content_id,title,type,status\nABC,Letters,course,published\nx,abc,course,published\n")
    assert connected.json("link", FIRST_AID, "ABC")["content"]["id"] == "ABC"
    assert connected.json("link", "Facilitator", "aBC")["content"]["id"] == "x"


def test_ambiguous_content_lists_its_candidates(connected: Desk) -> None:
    connected.imports("content", "content_id,title\nh2,Kitchen hygiene\n")
    error = connected.json("link", FIRST_AID, "Kitchen Hygiene", code=5)["error"]
    assert error["code"] == "ambiguous-content"
    assert "hygiene (Kitchen Hygiene)" in error["message"]
    assert "h2 (Kitchen hygiene)" in error["message"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Frist Aid at Work", FIRST_AID),
        ("facilitater", "Facilitator"),
        ("first aid", FIRST_AID),
        ("frist aid", FIRST_AID),
        ("work aid", FIRST_AID),
        ("project managment", "Project Management Practitioner"),
    ],
)
def test_an_unknown_badge_suggests_the_closest(connected: Desk, typed: str, meant: str) -> None:
    error = connected.json("link", typed, "first-aid", code=5)["error"]
    assert error["code"] == "unknown-badge"
    assert meant in error["hint"]


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("First Aid at Wrok", f'Did you mean "{FIRST_AID}"?'),
        ("first-aid-at-wrok", 'Did you mean "first-aid-at-work"?'),
        ("Hidden Course", "To see what there is: credly badges"),
        ("", "To see what there is: credly badges"),
    ],
)
def test_a_suggestion_names_each_badge_once_and_nothing_far_off(connected: Desk, typed: str, hint: str) -> None:
    assert connected.json("link", typed, "first-aid", code=5)["error"]["hint"].startswith(hint)


@pytest.mark.parametrize(
    ("typed", "meant"), [("kitchen hygeine", "Kitchen Hygiene"), ("frist-aid", "first-aid"), ("kitchn", "Kitchen")]
)
def test_unknown_content_suggests_the_closest(connected: Desk, typed: str, meant: str) -> None:
    error = connected.json("link", FIRST_AID, typed, code=5)["error"]
    assert error["code"] == "unknown-content"
    assert meant in error["hint"]


def test_what_is_like_nothing_says_where_to_look(connected: Desk) -> None:
    assert "credly badges" in connected.json("link", "zzzz", "first-aid", code=5)["error"]["hint"]
    assert "credly content" in connected.json("link", FIRST_AID, "zzzz", code=5)["error"]["hint"]


def test_an_empty_name_is_unknown_also_where_a_badge_has_no_slug(connected: Desk) -> None:
    connected.sandbox.change_template(connected.badge_id(FIRST_AID), vanity_slug=None)
    connected.json("sync")
    assert connected.json("link", "", "first-aid", code=5)["error"]["code"] == "unknown-badge"
    assert connected.json("link", FIRST_AID, " ", code=5)["error"]["code"] == "unknown-content"


# R13


def test_r13_naming_a_session_links_its_content_and_says_so(connected: Desk) -> None:
    ran = connected.run("link", FIRST_AID, "first-aid-march")
    assert "first-aid-march is a session; all sessions of First Aid Course share the badge." in ran.out
    assert linked(connected)["id"] == "first-aid"


def test_r13_all_sessions_share_the_badge(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "first-aid-march")
    assert not connected.json("link", FIRST_AID, "first-aid-april")["changed"]
    connected.pass_time(hours=1)
    connected.learns(
        "ada@example.org,first-aid,first-aid-march,completed,2026-03-02T10:00:00Z,Ada,Lovelace",
        "bob@example.org,first-aid,first-aid-april,completed,2026-03-02T10:00:00Z,Bob,Stone",
    )
    assert connected.json("sync")["grants"]["issued"] == 2


# R14


@pytest.mark.parametrize(
    "kind",
    ["course", "learningPath", "article", "video", "webinar", "in-person event", "assessment", "scorm", "xapi", ""],
)
def test_r14_every_type_of_content_can_be_linked(connected: Desk, kind: str) -> None:
    connected.imports("content", f"content_id,title,type\nthing,Thing,{kind}\n")
    assert connected.json("link", FIRST_AID, "thing")["content"]["type"] == (kind or None)


@pytest.mark.parametrize(
    ("columns", "warned"),
    [
        ("status\nthing,Thing,draft", True),
        ("status\nthing,Thing,published", False),
        ("status,released_at\nthing,Thing,published,2026-03-03T00:00:00Z", True),
        ("status,released_at\nthing,Thing,published,2026-03-01T00:00:00Z", False),
    ],
)
def test_r14_linking_unreleased_content_warns_and_links(connected: Desk, columns: str, warned: bool) -> None:
    connected.imports("content", f"content_id,title,{columns}\n")
    ran = connected.run("link", FIRST_AID, "thing")
    assert ran.code == 0
    assert linked(connected)["id"] == "thing"
    assert ("Warning: Thing is not released" in ran.err) is warned


# R15


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("completed_at", "earned"),
    [
        ("2026-03-02T09:29:59Z", 0),
        ("2026-03-02T09:30:00Z", 1),
        ("2026-03-02T09:30:01Z", 1),
        ("2026-03-02", 1),
        ("2026-03-01", 0),
    ],
)
def test_r15_completions_count_from_the_second_of_the_link_or_its_day(
    connected: Desk, completed_at: str, earned: int
) -> None:
    connected.json("link", FIRST_AID, "hygiene")
    complete(connected, completed_at)
    connected.pass_time(minutes=1)
    assert connected.json("sync")["grants"]["issued"] == earned


def test_r15_completions_that_were_there_before_the_link_do_not_count(connected: Desk) -> None:
    complete(connected, "2026-03-02T09:29:59Z", "2026-03-02T09:30:00Z", "2026-03-02")
    connected.json("link", FIRST_AID, "hygiene")
    assert connected.json("sync")["grants"]["issued"] == 2


@pytest.mark.parametrize(
    ("since", "counts_from"),
    [
        ("2026-01-01", "2025-12-31T23:00:00Z"),
        ("2026-01-01T08:00:00Z", "2026-01-01T08:00:00Z"),
        ("2026-01-01 08:00:00", "2026-01-01T07:00:00Z"),
        ("2026-07-01", "2026-06-30T22:00:00Z"),
    ],
)
def test_r15_since_is_a_moment_in_the_configured_zone(connected: Desk, since: str, counts_from: str) -> None:
    connected.config('timezone = "Europe/Vienna"\n')
    assert connected.json("link", FIRST_AID, "hygiene", "--since", since)["counts_from"] == counts_from


def test_r15_since_says_how_many_completions_it_adds(connected: Desk) -> None:
    complete(connected, "2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z", "2026-02-02", "2026-03-02T09:30:00Z")
    answer = connected.json("link", FIRST_AID, "hygiene", "--since", "2026-02-01")
    assert (answer["earlier"], answer["counts_from"]) == (2, "2026-02-01T00:00:00Z")
    assert connected.json("sync")["grants"]["issued"] == 3
    assert connected.run("unlink", FIRST_AID).code == 0
    assert (
        "1 earlier completion will earn it"
        in connected.run("link", "Facilitator", "hygiene", "--since", "2026-02-02").out
    )


@pytest.mark.parametrize(
    ("completed", "note"),
    [
        (1, "1 completion is earlier and earns nothing. To see it: credly missed first-aid-at-work; to let it count:"),
        (2, "2 completions are earlier and earn nothing. To see them: credly missed first-aid-at-work; to let them "),
        (0, ""),
    ],
)
def test_r15_a_link_says_which_completions_it_leaves_out(connected: Desk, completed: int, note: str) -> None:
    complete(connected, *(f"2026-01-0{day}T10:00:00Z" for day in range(1, completed + 1)))
    ran = connected.run("link", FIRST_AID, "hygiene")
    assert ran.err.startswith(note)
    assert ("credly link first-aid-at-work hygiene --since DATE" in ran.err) == bool(completed)
    assert len(connected.json("missed")) == completed
    again = connected.run("link", FIRST_AID, "hygiene", "--since", "2026-01-01")
    assert "earlier and earn" not in again.err


def test_r15_a_moment_in_the_future_is_warned_of(connected: Desk) -> None:
    ran = connected.run("link", FIRST_AID, "hygiene", "--since", "2027-01-01")
    assert "Warning: 2027-01-01T00:00:00Z is in the future: nothing completed before then counts." in ran.err


def test_r12_the_way_to_free_a_badge_names_it_by_its_slug(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "hygiene")
    hint = connected.json("link", FIRST_AID, "first-aid", code=6)["error"]["hint"]
    assert hint.endswith("credly unlink first-aid-at-work")


@pytest.mark.further
def test_r15_since_sets_another_moment_on_an_existing_link(connected: Desk) -> None:
    complete(connected, "2026-01-15T00:00:00Z", "2026-02-15T00:00:00Z")
    connected.json("link", FIRST_AID, "hygiene")
    assert connected.json("sync")["grants"]["issued"] == 0
    answer = connected.json("link", FIRST_AID, "hygiene", "--since", "2026-02-01")
    assert (answer["changed"], answer["earlier"]) == (True, 1)
    assert connected.json("sync")["grants"]["issued"] == 1
    answer = connected.json("link", FIRST_AID, "hygiene", "--since", "2026-01-01")
    assert answer["earlier"] == 1  # the other one has its badge
    assert connected.json("sync")["grants"]["issued"] == 1
    assert not connected.json("link", FIRST_AID, "hygiene", "--since", "2026-01-01")["changed"]


def test_r15_a_later_moment_cancels_unsent_grants_before_it(connected: Desk) -> None:
    connected.learns(
        "early@example.org,hygiene,,completed,2026-01-15T00:00:00Z,,",
        "late@example.org,hygiene,,completed,2026-02-15T00:00:00Z,,",
        "done@example.org,hygiene,,completed,2026-01-15T00:00:00Z,Done,Already",
    )
    connected.json("link", FIRST_AID, "hygiene", "--since", "2026-01-01")
    assert connected.json("sync", code=3)["grants"]["held"] == 2
    answer = connected.json("link", FIRST_AID, "hygiene", "--since", "2026-02-01")
    assert (answer["changed"], answer["cancelled"], answer["earlier"]) == (True, 1, 0)
    states = {grant["email"]: grant["state"] for grant in connected.json("grants")}
    assert states == {"early@example.org": "cancelled", "late@example.org": "held", "done@example.org": "issued"}


def many(desk: Desk, number: int) -> None:
    complete(desk, *["2026-01-15T00:00:00Z"] * number)


def test_r15_up_to_10_earlier_completions_need_no_question(connected: Desk) -> None:
    many(connected, 10)
    assert connected.json("link", FIRST_AID, "hygiene", "--since", "2026-01-01")["earlier"] == 10


def test_r15_more_than_10_need_yes_where_nobody_can_be_asked(connected: Desk) -> None:
    many(connected, 11)
    for how in ({}, {"environ": {"CREDLY_NO_INPUT": "1"}}):
        error = connected.json("link", FIRST_AID, "hygiene", "--since", "2026-01-01", code=2, **how)["error"]
        assert error["code"] == "usage"
        assert "11" in error["message"]
        assert "--yes" in error["hint"]
    assert linked(connected) is None
    assert connected.json("link", FIRST_AID, "hygiene", "--since", "2026-01-01", "--yes")["earlier"] == 11


@pytest.mark.sampled
@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("YES\n", 0), ("n\n", 6), ("\n", 6), ("", 6)])
def test_r15_more_than_10_are_asked_for_on_a_terminal(connected: Desk, typed: str, code: int) -> None:
    many(connected, 11)
    ran = connected.run("link", FIRST_AID, "hygiene", "--since", "2026-01-01", stdin=typed, terminal=True)
    assert ran.code == code
    assert re.search(r"11 earlier completions (.|\n)* \[y/N\]", ran.err)
    assert (linked(connected) is not None) is (code == 0)


def test_r15_the_same_question_is_asked_for_an_existing_link(connected: Desk) -> None:
    many(connected, 11)
    connected.json("link", FIRST_AID, "hygiene")
    connected.json("link", FIRST_AID, "hygiene", "--since", "2026-01-01", code=2)
    assert connected.json("link", FIRST_AID, "hygiene")["counts_from"] == "2026-03-02T09:30:00Z"


def test_no_input_is_not_asked_even_on_a_terminal(connected: Desk) -> None:
    many(connected, 11)
    ran = connected.run("link", FIRST_AID, "hygiene", "--since", "2026-01-01", "--no-input", stdin="y\n", terminal=True)
    assert ran.code == 2
    assert "--yes" in ran.err


@pytest.mark.parametrize("since", ["yesterday", "2026-02-30", "03/04/2026", "", "0001-01-01", "9999-12-31"])
def test_a_moment_that_cannot_be_read_is_wrong_usage(connected: Desk, since: str) -> None:
    error = connected.json("link", FIRST_AID, "hygiene", "--since", since, code=2)["error"]
    assert error["code"] == "usage"
    assert "--date-format" not in error["message"]
    assert "2026-01-31" in error["hint"]
    assert linked(connected) is None


def test_r15_unlinking_and_linking_again_starts_anew(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "hygiene", "--since", "2026-01-01")
    connected.json("unlink", FIRST_AID)
    complete(connected, "2026-02-01T00:00:00Z")
    connected.pass_time(hours=1)
    assert connected.json("link", FIRST_AID, "hygiene")["counts_from"] == "2026-03-02T10:30:00Z"
    assert connected.json("sync")["grants"]["issued"] == 0


# R16


def test_r16_unlinking_says_what_it_ended(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "hygiene")
    answer = connected.json("unlink", FIRST_AID)
    assert (answer["changed"], answer["content"]["id"], answer["cancelled"]) == (True, "hygiene", 0)
    assert answer["counts_from"] == "2026-03-02T09:30:00Z"
    assert linked(connected) is None


def test_r16_after_unlinking_nobody_earns_it_and_what_was_earned_stays(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "hygiene")
    complete(connected, "2026-03-02T09:30:00Z")
    connected.json("sync")
    connected.json("unlink", FIRST_AID)
    connected.learns("new@example.org,hygiene,,completed,2026-03-02T09:30:00Z,New,One")
    assert connected.json("sync")["grants"]["issued"] == 0
    assert [badge.state for badge in connected.issued(FIRST_AID)] == ["pending"]
    assert [grant["state"] for grant in connected.json("grants")] == ["issued"]


def test_r16_grants_not_yet_sent_are_cancelled_and_it_says_how_many(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "hygiene")
    connected.learns(
        "a@example.org,hygiene,,completed,2026-03-02T09:30:00Z,,",
        "b@example.org,hygiene,,completed,2026-03-02T09:30:00Z,,",
    )
    connected.json("sync", code=3)
    ran = connected.run("unlink", FIRST_AID)
    assert "2 grants not yet sent were cancelled" in ran.out
    assert {grant["state"] for grant in connected.json("grants")} == {"cancelled"}


def test_r16_unlinking_what_is_not_linked_changes_nothing_and_succeeds(connected: Desk) -> None:
    answer = connected.json("unlink", FIRST_AID)
    assert (answer["changed"], answer["content"], answer["counts_from"]) == (False, None, None)
    ran = connected.run("unlink", FIRST_AID)
    assert (ran.code, ran.out) == (0, f"{FIRST_AID} is not linked.\n")


def test_r16_unlinking_an_unknown_badge_is_an_error(connected: Desk) -> None:
    assert connected.json("unlink", "No such badge", code=5)["error"]["code"] == "unknown-badge"


def test_linking_needs_no_connection_to_credly(connected: Desk) -> None:
    connected.sandbox.log.clear()
    connected.json("link", FIRST_AID, "hygiene", environ={"CREDLY_TOKEN": "whatever"})
    connected.json("unlink", FIRST_AID)
    assert connected.sandbox.log.count() == 0


# R15 and R34: what is held, born expired, and out already


def test_r15_it_says_how_many_are_held_already_and_keeps_the_number_agreed_to(connected: Desk) -> None:
    many(connected, 12)
    connected.sandbox.issue_in_credly(connected.badge_id(FIRST_AID), "l0@example.com", "L", "Zero")
    connected.json("sync", "--only", "issued")
    emails = sorted(row["email"] for row in connected.json("learners"))
    connected.sandbox.issue_in_credly(connected.badge_id(FIRST_AID), emails[0], "A", "B")
    connected.json("sync", "--only", "issued")
    answer = connected.json("link", FIRST_AID, "hygiene", "--since", "2026-01-01", "--yes")
    assert (answer["earlier"], answer["held_already"], answer["born_expired"]) == (12, 1, 0)
    with connected.store() as store:
        assert store.value("SELECT agreed FROM links") == 11


def test_r15_what_counts_already_is_not_asked_about_again(connected: Desk) -> None:
    """Of twelve completions six are new to the link; more than ten would have to be agreed to."""
    complete(connected, *["2026-02-15T00:00:00Z"] * 6, *["2026-01-15T00:00:00Z"] * 6)
    connected.json("link", FIRST_AID, "hygiene", "--since", "2026-02-01")
    assert connected.json("link", FIRST_AID, "hygiene", "--since", "2026-01-01")["changed"]


@pytest.mark.parametrize(("badge", "number"), [(FIRST_AID, 1), ("Webinar Participant", 2)])
def test_r15_r19_two_sessions_bring_one_badge_or_two(connected: Desk, badge: str, number: int) -> None:
    connected.sandbox.change_template(connected.badge_id(badge), default_expires_at="2026-03-01T00:00:00.000Z")
    connected.json("sync", "--only", "badges")
    for session in ("march", "april"):
        connected.learns(f"u@example.org,first-aid,first-aid-{session},completed,2026-01-15T00:00:00Z,U,One")
    answer = connected.json("link", badge, "first-aid", "--since", "2026-01-01")
    assert answer["born_expired"] == number


@pytest.mark.parametrize(
    "told",
    [
        {"default_expires_at": "2026-03-01T00:00:00.000Z"},
        {"default_expires_at": None, "default_expires_at_date": "2026-03-01"},
    ],
)
def test_r15_badges_that_would_be_born_expired_are_told(connected: Desk, told: dict[str, str | None]) -> None:
    connected.sandbox.change_template(connected.badge_id(FIRST_AID), **told)
    connected.json("sync", "--only", "badges")
    many(connected, 2)
    ran = connected.run("link", FIRST_AID, "hygiene", "--since", "2026-01-01")
    assert "2 badges would be born expired" in ran.out


def test_r34_unlinking_and_a_later_moment_say_what_is_out_and_how_to_list_it(connected: Desk) -> None:
    many(connected, 3)
    connected.json("link", FIRST_AID, "hygiene", "--since", "2026-01-01")
    assert connected.json("sync")["grants"]["issued"] == 3
    listing = "credly grants --badge first-aid-at-work --content hygiene --state issued --csv"
    ran = connected.run("link", FIRST_AID, "hygiene", "--since", "2026-03-02")
    out = f"3 badges that are out. Revoking is done in Credly only. To list them: {listing}"
    assert f"It does not touch {out}" in ran.err
    ran = connected.run("unlink", FIRST_AID)
    assert f"It leaves {out}" in ran.err


def test_r34_what_is_revoked_is_counted_and_listed_with_its_state(connected: Desk) -> None:
    many(connected, 2)
    connected.json("link", FIRST_AID, "hygiene", "--since", "2026-01-01")
    connected.json("sync")
    first, second = connected.json("grants", "--content", "hygiene", "--state", "issued")
    assert (first["badge_state"], first["badge_url"].startswith("https://")) == ("pending", True)
    connected.sandbox.revoke(first["issued_badge_id"])
    connected.pass_time(hours=1)
    assert connected.json("sync")["grants"]["revoked"] == 1
    assert connected.json("sync")["grants"]["revoked"] == 0
    assert connected.json("status")["grants"]["revoked"] == 1
    states = [row["badge_state"] for row in connected.json("grants", "--content", "Kitchen Hygiene")]
    assert states == ["revoked", second["badge_state"]]
    assert connected.json("grants", "--content", "first-aid") == []
    assert connected.json("unlink", FIRST_AID)["out"] == 1
