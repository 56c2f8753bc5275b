"""Syncing badges: R7 to R11."""

from copy import deepcopy
from typing import Any

import pytest

from credly_cli.text import folded
from tests.support import faults
from tests.support.desk import Desk

FIRST_AID = "First Aid at Work"
COUNTS = {"added": 0, "changed": 0, "unchanged": 8, "removed": 0}


def names(desk: Desk) -> list[str]:
    return [badge["name"] for badge in desk.json("badges")]


def raw_of(desk: Desk, name: str) -> str:
    with desk.store() as store:
        return str(store.value("SELECT raw FROM badges WHERE name = ?", (name,)))


# R7


def test_r7_badges_are_asked_for_by_creation_date_and_only_active_ones(desk: Desk) -> None:
    desk.connect()
    desk.json("sync", "--only", "badges")
    (asked,) = desk.sandbox.log.matching("GET", "badge_templates")
    assert "sort=created_at" in asked.target
    assert "filter=state%3A%3Aactive" in asked.target


@pytest.mark.parametrize("ignored", [False, True], ids=["filter obeyed", "filter ignored"])
def test_r7_drafts_and_archived_badges_never_show(desk: Desk, ignored: bool) -> None:
    desk.sandbox.switches.filter_ignored = ignored
    desk.connect()
    assert desk.json("sync", "--only", "badges")["badges"]["added"] == 8
    assert not {"Legacy CRM Administrator", "Mentoring"} & set(names(desk))
    assert {badge["state"] for badge in desk.json("badges")} == {"active"}
    with desk.store() as store:
        assert store.value("SELECT count(*) FROM badges") == 8


# R8


def test_r8_a_second_sync_finds_all_unchanged_and_writes_nothing_but_its_own_row(connected: Desk) -> None:
    with connected.store() as store:
        before = list(store.connection.iterdump())
    assert connected.json("sync")["badges"] == COUNTS
    with connected.store() as store:
        after = list(store.connection.iterdump())
    assert [
        line for line in after if line not in before and '"runs"' not in line and "sqlite_sequence" not in line
    ] == []


def test_r8_a_new_badge_is_added(connected: Desk) -> None:
    row = deepcopy(connected.sandbox.templates[connected.badge_id(FIRST_AID)])
    connected.sandbox.add_template({**row, "id": "11111111-1111-4111-8111-111111111111", "name": "Brand New"})
    assert connected.json("sync")["badges"] == {**COUNTS, "added": 1}
    assert "Brand New" in names(connected)


@pytest.mark.sampled
@pytest.mark.parametrize(
    "change",
    [
        {"name": "Renamed"},
        {"description": "Another text."},
        {"image_url": "https://images.credly.com/new.png"},
        {"allow_duplicate_badges": True},
        {"default_expires_at": "2030-01-01T00:00:00.000Z"},
        {"a_field_of_the_future": {"deep": [1, 2]}},
        {"skills": ["One", "Two"]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_r8_a_changed_badge_is_updated(connected: Desk, change: dict[str, Any]) -> None:
    connected.sandbox.change_template(connected.badge_id(FIRST_AID), **change)
    assert connected.json("sync")["badges"] == {**COUNTS, "unchanged": 7, "changed": 1}
    assert connected.json("sync")["badges"] == COUNTS


def test_r8_what_changed_is_what_badges_shows(connected: Desk) -> None:
    badge_id = connected.badge_id(FIRST_AID)
    connected.sandbox.change_template(
        badge_id, name="First Aid", allow_duplicate_badges=True, image_url="https://x.test/i"
    )
    connected.json("sync")
    badge = next(badge for badge in connected.json("badges") if badge["id"] == badge_id)
    assert (badge["name"], badge["allow_duplicates"], badge["image_url"]) == ("First Aid", True, "https://x.test/i")


@pytest.mark.parametrize(
    "change", [{"badges_count": 99, "get_issue_count": 99}, {"updated_at": "2030-01-01T00:00:00.000Z"}], ids=str
)
def test_r8_counters_and_updated_at_alone_are_no_change(connected: Desk, change: dict[str, Any]) -> None:
    row = connected.sandbox.templates[connected.badge_id(FIRST_AID)]
    row.update(change)
    assert connected.json("sync")["badges"] == COUNTS


def test_r8_issuing_a_badge_changes_no_badge(connected: Desk) -> None:
    connected.sandbox.issue_in_credly(connected.badge_id(FIRST_AID), "ada@example.org", "Ada", "Lovelace")
    assert connected.json("sync")["badges"] == COUNTS


def test_r8_the_order_of_keys_is_no_change(connected: Desk) -> None:
    for badge_id, row in connected.sandbox.templates.items():
        turned = {
            key: dict(reversed(value.items())) if isinstance(value, dict) else value for key, value in row.items()
        }
        connected.sandbox.templates[badge_id] = dict(reversed(turned.items()))
    assert connected.json("sync")["badges"] == COUNTS


def test_r8_a_counter_of_that_name_deeper_down_is_a_field_like_any_other(connected: Desk) -> None:
    row = connected.sandbox.templates[connected.badge_id(FIRST_AID)]
    row["owner"] = {**row["owner"], "updated_at": "2030-01-01T00:00:00.000Z"}
    assert connected.json("sync")["badges"]["changed"] == 1


def test_what_credly_says_is_kept_so_that_a_field_of_the_future_loses_nothing(connected: Desk) -> None:
    connected.sandbox.change_template(connected.badge_id(FIRST_AID), a_field_of_the_future="kept \u2013 whole")
    connected.json("sync")
    assert '"a_field_of_the_future":"kept \u2013 whole"' in raw_of(connected, FIRST_AID)


def test_a_dry_run_counts_the_same_and_changes_nothing(connected: Desk) -> None:
    connected.sandbox.archive_template(connected.badge_id("Facilitator"))
    connected.sandbox.change_template(connected.badge_id(FIRST_AID), name="Renamed")
    counts = {"added": 0, "changed": 1, "unchanged": 6, "removed": 1}
    last = connected.json("status")["last_sync"]
    assert connected.json("sync", "--dry-run")["badges"] == counts
    assert {FIRST_AID, "Facilitator"} <= set(names(connected))
    assert connected.json("status")["last_sync"] == last
    assert connected.json("sync")["badges"] == counts


# R9


@pytest.mark.further
@pytest.mark.parametrize("way", ["archived", "draft", "deleted"])
def test_r9_a_badge_that_is_no_longer_active_leaves_the_list_and_its_content_and_that_is_told(
    connected: Desk, way: str
) -> None:
    badge_id = connected.badge_id(FIRST_AID)
    connected.json("link", FIRST_AID, "first-aid")
    if way == "deleted":
        connected.sandbox.delete_template(badge_id)
    else:
        connected.sandbox.change_template(badge_id, state=way)
    answer = connected.json("sync", code=3)
    assert answer["badges"] == {**COUNTS, "unchanged": 7, "removed": 1}
    (unlinked,) = answer["unlinked"]
    assert (unlinked["badge"]["id"], unlinked["content"]["id"]) == (badge_id, "first-aid")
    assert unlinked["reason"]
    assert FIRST_AID not in names(connected)
    assert [content["badges"] for content in connected.json("content")] == [[], []]


def test_r9_people_are_told_of_the_removal(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "first-aid")
    connected.sandbox.archive_template(connected.badge_id(FIRST_AID))
    out = connected.run("sync").out
    assert "Badges: 7 unchanged, 1 removed." in out
    assert f"Unlinked: {FIRST_AID} from First Aid Course." in out


def test_r9_nobody_earns_it_any_more_and_grants_not_yet_sent_are_cancelled(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "first-aid")
    connected.pass_time(hours=1)
    connected.learns("ada@example.org,first-aid,first-aid-march,completed,2026-03-02T10:00:00Z,,")
    connected.json("sync", code=3)  # held: there is no name
    connected.sandbox.archive_template(connected.badge_id(FIRST_AID))
    connected.learns("ada@example.org,first-aid,first-aid-march,completed,2026-03-02T10:00:00Z,Ada,Lovelace")
    assert connected.json("sync", code=3)["grants"]["cancelled"] == 1
    assert connected.issued(FIRST_AID) == []


@pytest.mark.further
def test_r9_activating_it_again_restores_neither_link_nor_grants(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "first-aid")
    connected.sandbox.archive_template(connected.badge_id(FIRST_AID))
    connected.json("sync", code=3)
    connected.sandbox.activate_template(connected.badge_id(FIRST_AID))
    assert connected.json("sync")["badges"]["added"] == 1
    connected.learns("ada@example.org,first-aid,first-aid-march,completed,2026-03-02T10:00:00Z,Ada,Lovelace")
    assert connected.json("sync")["grants"]["issued"] == 0
    badge = next(badge for badge in connected.json("badges") if badge["name"] == FIRST_AID)
    assert (badge["content"], badge["counts_from"]) == (None, None)


def test_r9_a_badge_that_left_the_list_cannot_be_linked(connected: Desk) -> None:
    connected.sandbox.archive_template(connected.badge_id(FIRST_AID))
    connected.json("sync")
    error = connected.json("link", FIRST_AID, "first-aid", code=6)["error"]
    assert error["code"] == "badge-not-active"
    assert "credly sync" in error["hint"]


# R10


def test_r10_a_failed_page_removes_nothing_but_adds_and_changes(connected: Desk) -> None:
    """Scenario 31."""
    connected.sandbox.switches.page_size = 2
    connected.sandbox.archive_template(connected.badge_id("Facilitator"))
    connected.sandbox.change_template(connected.badge_id("Onboarding Essentials"), name="Onboarding, renamed")
    connected.sandbox.faults.add(faults.answers(500), "GET", r"badge_templates.*page=3", times=None)
    answer = connected.json("sync", "--only", "badges", code=75)
    assert answer["badges"] == {"added": 0, "changed": 1, "unchanged": 4, "removed": 0}
    assert answer["status"] == "partial"
    assert answer["problems"][0]["code"] == "server-error"
    assert {"Facilitator", "Onboarding, renamed"} <= set(names(connected))


@pytest.mark.parametrize("off_by", [-1, 1])
def test_r10_a_count_that_does_not_add_up_removes_nothing(connected: Desk, off_by: int) -> None:
    connected.sandbox.archive_template(connected.badge_id("Facilitator"))
    connected.sandbox.switches.total_count_off_by = off_by
    answer = connected.json("sync", "--only", "badges", code=75)
    assert answer["badges"]["removed"] == 0
    assert "Facilitator" in names(connected)


@pytest.mark.parametrize("trouble", ["short", "repeated"])
def test_r10_pages_with_a_row_too_few_or_twice_remove_nothing(connected: Desk, trouble: Any) -> None:
    connected.sandbox.archive_template(connected.badge_id("Facilitator"))
    connected.sandbox.switches.page_size = 3
    connected.sandbox.switches.page_trouble = trouble
    assert connected.json("sync", "--only", "badges", code=75)["badges"]["removed"] == 0
    assert len(names(connected)) == 8


@pytest.mark.further
@pytest.mark.parametrize("metadata", ["null", "missing", "empty"])
def test_r10_a_list_that_does_not_say_how_long_it_is_removes_nothing_and_is_read_to_its_end(
    desk: Desk, metadata: Any
) -> None:
    desk.connect()
    desk.sandbox.switches.page_size = 3
    desk.sandbox.switches.list_metadata = metadata
    assert desk.json("sync", "--only", "badges", code=75)["badges"]["added"] == 8
    desk.sandbox.archive_template(desk.badge_id("Facilitator"))
    assert desk.json("sync", "--only", "badges", code=75)["badges"]["removed"] == 0


def test_r10_a_first_page_that_fails_changes_nothing(connected: Desk) -> None:
    connected.sandbox.faults.add(faults.answers_html(502), "GET", "badge_templates", times=None)
    answer = connected.json("sync", "--only", "badges", code=75)
    assert answer["badges"] == {"added": 0, "changed": 0, "unchanged": 0, "removed": 0}
    assert answer["status"] == "error"
    assert len(names(connected)) == 8


def test_r10_a_complete_list_without_badges_removes_nothing_unless_allowed(connected: Desk) -> None:
    """Scenario 33."""
    for badge in connected.json("badges"):
        connected.sandbox.archive_template(badge["id"])
    answer = connected.json("sync", code=3)
    assert answer["badges"]["removed"] == 0
    assert answer["problems"][0]["code"] == "shrink-refused"
    assert "--allow-shrink" in answer["problems"][0]["message"]
    assert len(names(connected)) == 8
    assert connected.json("sync", "--allow-shrink")["badges"]["removed"] == 8
    assert names(connected) == []


@pytest.mark.parametrize(("lost", "refused"), [(5, False), (6, True)])
def test_r10_losing_more_than_half_and_more_than_five_is_refused(connected: Desk, lost: int, refused: bool) -> None:
    for badge in connected.json("badges")[:lost]:
        connected.sandbox.archive_template(badge["id"])
    assert connected.json("sync", code=3 if refused else 0)["badges"]["removed"] == (0 if refused else lost)


def test_r10_losing_six_of_twelve_is_half_and_not_more(connected: Desk) -> None:
    row = connected.sandbox.templates[connected.badge_id(FIRST_AID)]
    for number in range(4):
        connected.sandbox.add_template(
            {**row, "id": f"0000000{number}-1111-4111-8111-111111111111", "name": str(number)}
        )
    connected.json("sync")
    for badge in connected.json("badges")[:6]:
        connected.sandbox.archive_template(badge["id"])
    assert connected.json("sync")["badges"]["removed"] == 6


def test_r10_new_badges_do_not_hide_how_many_are_lost(connected: Desk) -> None:
    row = deepcopy(connected.sandbox.templates[connected.badge_id(FIRST_AID)])
    for badge in connected.json("badges")[:6]:
        connected.sandbox.archive_template(badge["id"])
    for number in range(9):
        connected.sandbox.add_template(
            {**row, "id": f"0000000{number}-1111-4111-8111-111111111111", "name": str(number)}
        )
    answer = connected.json("sync", code=3)
    assert (answer["badges"]["added"], answer["badges"]["removed"]) == (9, 0)


def test_r10_the_first_sync_of_an_organization_without_badges_is_fine(desk: Desk) -> None:
    desk.sandbox.templates.clear()
    desk.connect()
    assert desk.json("sync")["status"] == "success"


@pytest.mark.parametrize(
    "broken", [{"name": None}, {"name": {"a": 1}}, {"created_at": "soon"}, {"state": True}], ids=str
)
def test_r10_a_row_that_cannot_be_read_is_set_aside_and_its_badge_stays(
    connected: Desk, broken: dict[str, Any]
) -> None:
    connected.sandbox.faults.clear()
    connected.sandbox.templates[connected.badge_id(FIRST_AID)].update(broken)
    connected.sandbox.archive_template(connected.badge_id("Facilitator"))
    connected.sandbox.switches.filter_ignored = True  # the stand-in's own filter would drop a state that is none
    answer = connected.json("sync", "--only", "badges", code=75)
    assert answer["badges"] == {"added": 0, "changed": 0, "unchanged": 6, "removed": 1}
    assert FIRST_AID in names(connected)
    assert "Facilitator" not in names(connected)


def test_r10_a_row_without_an_id_makes_the_list_incomplete(connected: Desk) -> None:
    connected.sandbox.templates[connected.badge_id(FIRST_AID)]["id"] = None
    connected.sandbox.archive_template(connected.badge_id("Facilitator"))
    assert connected.json("sync", "--only", "badges", code=75)["badges"]["removed"] == 0
    assert len(names(connected)) == 8


def test_r10_what_an_incomplete_list_says_is_stored_all_or_not_at_all(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash while badges are stored leaves the store as it was."""
    desk.connect()
    monkeypatch.setattr("credly_cli.store.badges.remove", lambda *_: 1 / 0)
    desk.json("sync", "--only", "badges")
    desk.sandbox.archive_template(desk.badge_id("Facilitator"))
    desk.sandbox.change_template(desk.badge_id(FIRST_AID), name="Renamed")
    assert desk.json("sync", "--only", "badges", code=1)["error"]["code"] == "unexpected"
    assert FIRST_AID in names(desk)


# R11


def test_r11_badges_are_listed_alphabetically_whatever_their_case(connected: Desk) -> None:
    connected.sandbox.change_template(connected.badge_id("Facilitator"), name="aardvark Keeping")
    connected.sandbox.change_template(connected.badge_id("Webinar Participant"), name="\u00c4RZTE")
    connected.json("sync")
    shown = names(connected)
    assert shown == sorted(shown, key=folded)
    assert shown.index("\u00c4RZTE") < shown.index("Data Literacy \u2013 Level 1")
    assert shown[0] == "aardvark Keeping"
    assert [line.split("\t")[1] for line in connected.run("badges").out.splitlines()] == shown


def test_r11_the_title_of_the_linked_content_is_shown_also_when_a_session_was_named(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "first-aid-march")
    badge = next(badge for badge in connected.json("badges") if badge["name"] == FIRST_AID)
    assert badge["content"] == {"id": "first-aid", "title": "First Aid Course", "type": "course"}
    assert badge["counts_from"] == "2026-03-02T09:30:00Z"
    line = next(line for line in connected.run("badges").out.splitlines() if FIRST_AID in line)
    assert "First Aid Course" in line.split("\t")


def test_r11_the_list_is_as_of_when_it_was_read_and_of_no_later_run(connected: Desk) -> None:
    connected.json("sync", "--only", "badges")
    connected.pass_time(days=1)
    connected.json("sync", "--only", "lms")
    connected.sandbox.faults.add(faults.answers(503), "GET", "badge_templates", times=None)
    connected.json("sync", "--only", "badges", code=75)
    assert "As of the last sync, 2026-03-02 09:30 UTC." in connected.run("badges", terminal=True).err
    hint = connected.json("link", "Knitting", "first-aid", code=5)["error"]["hint"]
    assert "newer than the last sync, at 2026-03-02" in hint


def test_r11_only_badges_without_content_on_request(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "first-aid")
    shown = [badge["name"] for badge in connected.json("badges", "--unlinked")]
    assert len(shown) == 7
    assert FIRST_AID not in shown


def test_an_empty_list_says_how_to_fill_it(desk: Desk) -> None:
    assert desk.json("badges") == []
    assert "credly sync" in desk.run("badges", terminal=True).err
