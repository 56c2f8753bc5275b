"""Content gets sessions in the course of time; what was told before means the same afterwards (R18, section 6)."""

from typing import Any

import pytest

from tests.desk import Desk

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


def test_each_completed_session_still_earns_its_badge(linked: Desk) -> None:
    linked.imports("content", CONTENT + TWO)
    learns(linked, f"s1,100,completed,{NOON},", f"s2,100,completed,{NOON},", f",100,completed,{LATER},")
    linked.pass_time(hours=5)
    linked.json("sync")
    assert enrolled(linked) == [("", LATER), ("s1", NOON), ("s2", NOON)]
    assert len(linked.issued(BADGE)) == 3
