"""Completions that earned nothing, each with the reason that came first: R4, R9, R15, R16, R23."""

from typing import Any

import pytest

from credly_cli.issuing.plan import plan
from tests.rules.admin import APRIL, FIRST_AID, MARCH, ROBIN, WEBINAR, complete, enroll, issue_in_credly, missed
from tests.support.desk import ConnectedAfter, Desk

IN_MARCH, IN_APRIL = (FIRST_AID, MARCH), (FIRST_AID, APRIL)


def link_first_aid(desk: Desk) -> None:
    desk.json("link", FIRST_AID, "first-aid")
    desk.pass_time(minutes=1)


@pytest.fixture
def linked(connected_after: ConnectedAfter) -> Desk:
    """First Aid at Work is linked to the First Aid Course."""
    return connected_after(link_first_aid)


def reconnect(desk: Desk) -> None:
    desk.pass_time(minutes=1)
    desk.connect()
    desk.pass_time(minutes=1)


def leave(desk: Desk) -> None:
    desk.pass_time(minutes=1)
    desk.json("disconnect", "--yes")


def unlink(desk: Desk, badge: str = FIRST_AID) -> None:
    desk.pass_time(minutes=1)
    desk.json("unlink", badge)


def link(desk: Desk, *options: str) -> None:
    desk.pass_time(minutes=1)
    desk.json("link", FIRST_AID, "first-aid", *options)


def archive(desk: Desk) -> None:
    desk.pass_time(minutes=1)
    desk.sandbox.archive_template(desk.badge_id(FIRST_AID))
    assert desk.run("sync").code in (0, 3)  # 3 where a link ends by it


def activate(desk: Desk) -> None:
    desk.sandbox.activate_template(desk.badge_id(FIRST_AID))
    desk.json("sync")


def reason(desk: Desk) -> str | None:
    return missed(desk).get(IN_MARCH)


# What the answer looks like


def test_a_missed_completion_names_learner_badge_content_session_time_and_reason(connected: Desk) -> None:
    complete(connected)
    link(connected)
    (row,) = connected.json("missed")
    badge = next(badge for badge in connected.json("badges") if badge["name"] == FIRST_AID)
    assert row == {
        "email": ROBIN,
        "badge": {key: badge[key] for key in ("id", "name", "image_url")},
        "content": {"id": "first-aid", "title": "First Aid Course", "type": "course"},
        "session_id": MARCH,
        "completed_at": "2026-03-02T09:31:00Z",
        "reason": "before-link",
    }


def test_it_is_narrowed_to_a_badge_by_id_slug_or_name(connected: Desk) -> None:
    complete(connected)
    link(connected)
    connected.json("link", WEBINAR, "first-aid")
    assert set(missed(connected)) == {IN_MARCH, (WEBINAR, MARCH)}
    for name in (WEBINAR, "webinar-participant", connected.badge_id(WEBINAR)):
        assert [row["badge"]["name"] for row in connected.json("missed", name)] == [WEBINAR]
    assert connected.json("missed", "nothing", code=5)["error"]["code"] == "unknown-badge"


def test_it_is_narrowed_to_content_by_id_session_or_title(connected: Desk) -> None:
    complete(connected)
    link(connected)
    connected.json("link", WEBINAR, "hygiene")
    connected.learns(f"{ROBIN},hygiene,,completed,2026-03-01T08:00:00Z,Robin,Sample")
    for name in ("first-aid", MARCH, "first aid COURSE"):
        assert [row["content"]["id"] for row in connected.json("missed", "--content", name)] == ["first-aid"]
    assert connected.json("missed", WEBINAR, "--content", "first-aid") == []
    assert connected.json("missed", "--content", "nothing", code=5)["error"]["code"] == "unknown-content"
    upload = connected.home / "upload.csv"
    assert connected.run("missed", "--content", "hygiene", "--credly-upload", str(upload)).code == 0
    assert [line.partition(",")[0] for line in upload.read_text().splitlines()[1:]] == [connected.badge_id(WEBINAR)]


def test_the_oldest_comes_first_in_every_form(connected: Desk) -> None:
    complete(connected, "zoe@example.com", name="Zoe,Last")
    complete(connected, "amy@example.com", name="Amy,First")
    link(connected)
    assert [row["email"] for row in connected.json("missed")] == ["zoe@example.com", "amy@example.com"]
    lines = connected.run("missed").out.splitlines()
    assert lines[0].split("\t")[:2] == ["zoe@example.com", FIRST_AID]
    assert (
        connected.run("missed", "--csv").out.splitlines()[0].startswith("email,badge,content,session_id,completed_at")
    )


def test_on_a_terminal_the_reason_is_in_words_and_a_way_out_is_shown(connected: Desk) -> None:
    complete(connected)
    link(connected)
    ran = connected.run("missed", terminal=True, environ={"NO_COLOR": "1", "COLUMNS": "150"})
    assert "completed before the link" in ran.out
    assert "credly link BADGE CONTENT --since DATE" in ran.err
    assert connected.run("missed", "--csv", terminal=True).out.endswith('"before-link"\n')
    assert connected.run("missed").out.endswith("\tbefore-link\n")


def test_an_empty_name_is_no_badge(connected: Desk) -> None:
    assert connected.json("missed", "", code=5)["error"]["code"] == "unknown-badge"


def test_nothing_missed_is_an_empty_list(linked: Desk) -> None:
    complete(linked)
    linked.json("sync")
    assert linked.json("missed") == []
    ran = linked.run("missed", terminal=True)
    assert (ran.code, ran.out) == (0, "")
    assert "earned its badge" in ran.err


def test_what_still_will_earn_the_badge_is_not_missed(linked: Desk) -> None:
    complete(linked)
    complete(linked, "kim@example.com", name=",")
    enroll(linked, "lee@example.com", name="Lee,Third")
    assert missed(linked) == {}
    linked.run("sync")  # Kim's is held until the name is known
    assert missed(linked) == {}


def test_content_that_was_never_linked_misses_nothing(connected: Desk) -> None:
    complete(connected)
    assert missed(connected) == {}


# Each reason


def test_r15_what_was_completed_before_the_link_is_missed_until_the_link_counts_it(connected: Desk) -> None:
    complete(connected)
    link(connected)
    connected.json("sync")
    assert reason(connected) == "before-link"
    link(connected, "--since", "2026-03-01")
    assert reason(connected) is None


def test_r15_a_later_moment_makes_it_before_link(linked: Desk) -> None:
    complete(linked)
    linked.pass_time(minutes=5)
    linked.json("link", FIRST_AID, "first-aid", "--since", linked.clock.time.isoformat())
    assert reason(linked) == "before-link"


def test_r4_what_was_completed_while_disconnected_stays_missed_after_connecting_again(linked: Desk) -> None:
    leave(linked)
    complete(linked)
    assert reason(linked) == "disconnected"
    reconnect(linked)
    linked.json("sync")
    assert reason(linked) == "disconnected"
    assert not linked.issued()


def test_r16_unlinked_before_it_was_sent(linked: Desk) -> None:
    complete(linked)
    unlink(linked)
    assert reason(linked) == "unlinked"


def test_r16_unlinked_before_it_was_completed(linked: Desk) -> None:
    unlink(linked)
    complete(linked)
    assert reason(linked) == "unlinked"


def test_r16_a_cancelled_grant_is_missed(linked: Desk) -> None:
    complete(linked, name=",")
    linked.run("sync")
    unlink(linked)
    assert [grant["state"] for grant in linked.json("grants")] == ["cancelled"]
    assert reason(linked) == "unlinked"


def test_r9_completions_of_a_badge_that_was_archived_are_missed_for_that(linked: Desk) -> None:
    complete(linked, name=",")
    linked.run("sync")
    archive(linked)
    complete(linked, session=APRIL)
    assert missed(linked) == {IN_MARCH: "badge-not-active", IN_APRIL: "badge-not-active"}


@pytest.mark.further
def test_r23_a_revoked_badge_is_missed_until_it_is_granted_by_hand(linked: Desk) -> None:
    complete(linked)
    linked.json("sync")
    linked.pass_time(minutes=1)
    linked.sandbox.revoke(linked.issued()[0].id)
    linked.json("sync")
    assert reason(linked) == "revoked"
    linked.json("grant", ROBIN, FIRST_AID)
    assert reason(linked) is None


def test_r23_revoked_elsewhere_after_the_completion(linked: Desk) -> None:
    issued = issue_in_credly(linked)
    complete(linked)
    linked.pass_time(minutes=1)
    linked.sandbox.revoke(issued.id)
    assert linked.json("sync")["grants"]["issued"] == 0
    assert reason(linked) == "revoked"


def test_r23_a_badge_that_was_deleted_is_missed_as_deleted(linked: Desk) -> None:
    complete(linked)
    linked.json("sync")
    linked.pass_time(hours=1)
    linked.json("sync")
    linked.sandbox.delete(linked.issued()[0].id)
    linked.json("sync")
    assert reason(linked) == "deleted"


def test_r33_what_a_person_dropped_is_missed_as_dropped(linked: Desk) -> None:
    complete(linked, name=",")
    linked.run("sync")
    (grant,) = linked.json("grants")
    linked.json("resolve", str(grant["id"]), "--drop")
    assert reason(linked) == "dropped"


# Held after all


@pytest.mark.further
def test_whoever_has_the_badge_from_another_session_missed_nothing(connected: Desk) -> None:
    complete(connected)
    link(connected)
    connected.json("link", WEBINAR, "first-aid")
    complete(connected, session=APRIL)
    connected.json("sync")
    assert missed(connected) == {(WEBINAR, MARCH): "before-link"}  # may be had again for each session


def test_whoever_has_the_badge_from_credly_missed_nothing(connected: Desk) -> None:
    complete(connected)
    link(connected)
    issue_in_credly(connected)
    connected.json("sync")
    assert missed(connected) == {}


def test_whoever_has_the_badge_under_another_address_missed_nothing(connected: Desk) -> None:
    complete(connected)
    connected.sandbox.add_user(ROBIN, "robin@private.example")
    issue_in_credly(connected, "Facilitator")  # by which the store learns of the account
    issue_in_credly(connected, email="robin@private.example")
    link(connected)
    connected.json("sync")
    assert missed(connected) == {}


# The one that happened first


STEPS: dict[str, Any] = {
    "complete": complete,
    "link": link,
    "since": lambda desk: link(desk, "--since", "2026-03-01"),
    "unlink": unlink,
    "leave": leave,
    "back": reconnect,
    "archive": archive,
    "activate": activate,
    "sync": lambda desk: desk.run("sync"),
}


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("complete link unlink", "before-link"),
        ("complete link leave back", "before-link"),
        ("complete link archive", "before-link"),
        ("leave complete back link", "before-link"),
        ("link unlink complete link", "unlinked"),
        ("link unlink complete archive", "unlinked"),
        ("link complete unlink archive", "unlinked"),
        ("link complete unlink leave back", "unlinked"),
        ("link archive complete leave back", "badge-not-active"),
        ("link complete archive leave back", "badge-not-active"),
        ("link leave complete back unlink", "disconnected"),
        ("link leave complete back sync archive", "disconnected"),
        ("link leave complete back leave back", "disconnected"),
        ("link leave unlink complete back", "disconnected"),
        ("link unlink leave complete back", "unlinked"),
        ("link unlink link leave complete back", "disconnected"),
        ("link unlink link complete unlink", "unlinked"),
        ("link leave complete back since", None),
        ("link leave complete back since unlink", "unlinked"),
        ("link leave complete back since archive", "badge-not-active"),
        ("link complete archive activate since unlink", "badge-not-active"),
        ("link since leave complete back", "disconnected"),
        ("complete link unlink since", None),
        ("link leave back complete", None),
    ],
)
def test_of_several_reasons_the_first_is_told(connected: Desk, story: str, expected: str | None) -> None:
    for step in story.split():
        STEPS[step](connected)
    assert reason(connected) == expected


@pytest.mark.further
def test_r23_a_badge_revoked_and_then_deleted_was_revoked_first(linked: Desk) -> None:
    complete(linked)
    linked.json("sync")
    linked.pass_time(hours=1)
    issued = linked.issued()[0].id
    linked.sandbox.revoke(issued)
    linked.json("sync")
    linked.sandbox.delete(issued)
    linked.json("sync")
    assert reason(linked) == "revoked"


def test_r23_a_badge_revoked_before_its_link_ended_was_revoked_first(linked: Desk) -> None:
    issued = issue_in_credly(linked)
    complete(linked)
    linked.pass_time(minutes=1)
    linked.sandbox.revoke(issued.id)
    linked.json("sync")
    unlink(linked)
    assert reason(linked) == "revoked"


# Whoever has the badge, or is to get it, misses nothing


def test_what_a_later_link_let_count_before_it_ended_was_unlinked_and_not_disconnected(linked: Desk) -> None:
    leave(linked)
    complete(linked)
    reconnect(linked)
    unlink(linked)
    assert reason(linked) == "disconnected"
    link(linked, "--since", "2026-01-01")
    unlink(linked)
    assert reason(linked) == "unlinked"


@pytest.mark.further
def test_who_holds_another_badge_of_the_kind_misses_none_that_was_revoked(linked: Desk) -> None:
    complete(linked)
    linked.json("sync")
    linked.sandbox.revoke(linked.issued(FIRST_AID)[0].id)
    linked.json("sync")
    assert reason(linked) == "revoked"
    issue_in_credly(linked)
    linked.json("sync")
    assert reason(linked) is None


def test_who_is_to_get_the_badge_for_another_session_misses_none(connected: Desk) -> None:
    complete(connected)
    connected.pass_time(minutes=1)
    connected.json("link", FIRST_AID, "first-aid")
    assert set(missed(connected)) == {IN_MARCH}
    complete(connected, session=APRIL)
    with connected.store() as store:
        plan(store, connected.sandbox.organization_id, None, "2026-03-02T12:00:00Z")
    assert missed(connected) == {}
