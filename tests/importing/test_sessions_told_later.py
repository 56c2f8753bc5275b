"""Content gets sessions in the course of time; what was told before means the same afterwards (R18)."""

from typing import Any

import pytest

from tests.support.desk import Desk

BADGE = "Webinar Participant"  # allows duplicates: a second completion would earn a second one
CONTENT = "content_id,title,session_id\n"
NONE, ONE, TWO = "c,Talk,\n", "c,Talk,s1\n", "c,Talk,s1\nc,Talk,s2\n"
PROGRESS = "email,content_id,session_id,progress,status,completed_at,event_id,first_name,last_name\n"
NOON, LATER = "2026-03-02T12:00:00Z", "2026-03-02T13:00:00Z"


@pytest.fixture
def linked(connected: Desk) -> Desk:
    connected.imports("content", CONTENT + NONE)
    connected.json("link", connected.badge_id(BADGE), "c")
    return connected


def learns(desk: Desk, *rows: str) -> Any:
    """Import rows of ``session, progress, status, time, event``."""
    text = "".join(f"ada@example.org,c,{row},Ada,Lovelace\n" for row in rows)
    return desk.imports("progress", PROGRESS + text)


def enrolled(desk: Desk) -> list[tuple[Any, ...]]:
    with desk.store() as store:
        rows = store.rows("SELECT session_id, completed_at FROM enrollments ORDER BY 1")
    return [tuple(row.values()) for row in rows]


@pytest.mark.further
@pytest.mark.parametrize(
    ("before", "first", "after", "again"),
    [
        (ONE, f",100,completed,{NOON},", TWO, f",100,completed,{NOON},"),
        (NONE, f",100,completed,{NOON},", ONE, f",100,completed,{NOON},"),
        (NONE, f",100,completed,{NOON},", TWO, f",100,completed,{NOON},"),
        (NONE, f",100,completed,{NOON},", TWO, f"s2,100,completed,{NOON},"),
        (NONE, ",100,completed,2026-03-02,", TWO, f"s2,100,completed,{NOON},"),
        (NONE, f",100,completed,{NOON},e1", TWO, f"s2,100,completed,{LATER},e1"),
        (TWO, f"s1,100,completed,{NOON},", TWO, f",100,completed,{NOON},"),
    ],
)
def test_a_completion_earns_one_badge_though_its_content_got_sessions(
    linked: Desk, before: str, first: str, after: str, again: str
) -> None:
    linked.pass_time(days=1)
    linked.imports("content", CONTENT + before)
    assert learns(linked, first)["added"] == 1
    linked.json("sync")
    linked.imports("content", CONTENT + after)
    for _ in range(2):
        answer = learns(linked, again)
        assert (answer["read"], answer["added"]) == (1, 0)
        linked.json("sync")
    assert answer["unchanged"] == 1
    assert len(linked.issued(BADGE)) == 1


@pytest.mark.sampled
@pytest.mark.parametrize(("before", "after"), [(ONE, TWO), (NONE, ONE), (NONE, TWO)])
@pytest.mark.parametrize(
    "rows",
    [
        [",40,in progress,,"],
        [f",100,completed,{NOON},e1", f",100,completed,{LATER},e2"],
        [f",100,completed,{LATER},e2", f",100,completed,{NOON},e1", ",10,in progress,,"],
    ],
)
def test_importing_a_file_again_changes_nothing_though_its_content_got_sessions(
    linked: Desk, before: str, after: str, rows: list[str]
) -> None:
    linked.imports("content", CONTENT + before)
    learns(linked, *rows)
    linked.imports("content", CONTENT + after)
    with linked.store() as store:
        stored = list(store.connection.iterdump())
    assert learns(linked, *rows)["unchanged"] == len(rows)
    with linked.store() as store:
        assert list(store.connection.iterdump()) == stored


def test_an_older_file_imported_again_brings_no_older_completion_back(linked: Desk) -> None:
    linked.imports("content", CONTENT + ONE)
    files = f",100,completed,{NOON},", f",100,completed,{LATER},"
    for row in files:
        learns(linked, row)
    linked.imports("content", CONTENT + TWO)
    assert [learns(linked, row)["unchanged"] for row in files] == [1, 1]
    assert enrolled(linked) == [("s1", LATER)]


def test_who_was_enrolled_in_the_only_session_completes_that_one(linked: Desk) -> None:
    linked.imports("content", CONTENT + ONE)
    learns(linked, ",40,in progress,,")
    linked.imports("content", CONTENT + TWO)
    learns(linked, f",100,completed,{NOON},")
    assert enrolled(linked) == [("s1", NOON)]


@pytest.mark.further
@pytest.mark.parametrize(("first", "then", "place"), [("", "s1", "s1"), ("s1", "s2", "s2"), ("s1", "", "")])
def test_another_completion_is_another_one(linked: Desk, first: str, then: str, place: str) -> None:
    linked.imports("content", CONTENT + TWO)
    learns(linked, f"{first},100,completed,{NOON},")
    for added in (1, 0):
        assert learns(linked, f"{then},100,completed,{LATER},")["added"] == added
    assert set(enrolled(linked)) == {(first, NOON), (place, LATER)}


@pytest.mark.further
def test_each_completed_session_still_earns_its_badge(linked: Desk) -> None:
    linked.imports("content", CONTENT + TWO)
    learns(linked, f"s1,100,completed,{NOON},", f"s2,100,completed,{NOON},", f",100,completed,{LATER},")
    linked.pass_time(hours=5)
    linked.json("sync")
    assert enrolled(linked) == [("", LATER), ("s1", NOON), ("s2", NOON)]
    assert len(linked.issued(BADGE)) == 3


# Content that turns out to be a session


@pytest.fixture
def alone(connected: Desk) -> Desk:
    """A desk where s9 was told as content of its own, and completed."""
    connected.imports("content", CONTENT + "s9,Talk of May,\n")
    connected.pass_time(hours=5)
    assert talks(connected)["added"] == 1
    return connected


def talks(desk: Desk) -> Any:
    return desk.imports("progress", PROGRESS + f"ada@example.org,s9,,100,completed,{NOON},,Ada,Lovelace\n")


@pytest.mark.further
def test_what_was_completed_in_it_is_completed_in_the_session(alone: Desk) -> None:
    for added in (1, 0):
        assert alone.imports("content", CONTENT + "g9,Talk,s9\n")["added"] == added
        assert {content["id"] for content in alone.json("content")} == {"first-aid", "hygiene", "g9"}
        assert talks(alone)["unchanged"] == 1
    assert alone.imports("content", CONTENT + "s9,Talk of May,\n")["added"] == 0
    alone.json("link", alone.badge_id(BADGE), "g9", "--since", "2026-03-01")
    for _ in range(2):
        alone.json("sync")
    assert len(alone.issued(BADGE)) == 1


def test_the_link_of_the_group_finds_what_came_to_it(alone: Desk) -> None:
    alone.imports("content", CONTENT + "g9,Talk,\n")
    alone.json("link", alone.badge_id(BADGE), "g9", "--since", "2026-03-01")
    alone.json("sync")
    alone.imports("content", CONTENT + "g9,Talk,s9\n")
    alone.json("sync")
    assert len(alone.issued(BADGE)) == 1


@pytest.mark.further
def test_while_a_badge_is_linked_to_it_it_stays_and_what_it_earned_is_not_earned_again(alone: Desk) -> None:
    badge = alone.badge_id(BADGE)
    alone.json("link", badge, "s9", "--since", "2026-03-01")
    alone.json("sync")
    assert alone.imports("content", CONTENT + "g9,Talk,s9\n", code=3)["rejected"] == 1
    alone.json("unlink", badge)
    assert alone.imports("content", CONTENT + "g9,Talk,s9\n")["rejected"] == 0
    talks(alone)
    alone.json("link", badge, "g9", "--since", "2026-03-01")
    alone.json("sync")
    assert len(alone.issued(BADGE)) == 1
