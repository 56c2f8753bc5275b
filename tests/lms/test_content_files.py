"""Files of content and of access: what a row says, and what is rejected."""

from collections.abc import Callable
from typing import Any

import pytest

from credly_cli.lms.records import AccessRecord, ContentRecord


def test_a_row_with_every_column_becomes_content(one: Callable[..., Any]) -> None:
    text = (
        "content_id,title,type,status,released_at,url,session_id,session_title,panoramas,sublicenses\n"
        "C1,Python,course,published,2026-12-24,https://x.org/c1,S1,Spring, Acme;; Beta ;Acme,West\n"
    )
    assert one("content", text) == ContentRecord(
        2,
        "C1",
        "Python",
        "course",
        released=True,
        released_at="2026-12-24T00:00:00Z",
        url="https://x.org/c1",
        session_id="S1",
        session_title="Spring",
        panoramas=("Acme", "Beta"),
        sublicenses=("West",),
    )


@pytest.mark.parametrize("column", ["released", "status"])
@pytest.mark.parametrize(
    ("word", "released"),
    [
        *((word, True) for word in ("true", "yes", "1", "published", "released", "TRUE", "Published", " yes ", "")),
        *((word, False) for word in ("false", "no", "0", "draft", "scheduled", "pending", "authoring")),
        *((word, False) for word in ("archived", "deleted", "False", "Draft")),
    ],
)
def test_released_is_what_the_word_says(word: str, released: bool, column: str, one: Callable[..., Any]) -> None:
    assert one("content", f"content_id,title,{column}\nC1,Python,{word}\n").released is released


def test_content_is_released_where_no_column_says_otherwise(one: Callable[..., Any]) -> None:
    assert one("content", "content_id,title\nC1,Python\n").released is True


@pytest.mark.parametrize(("status", "released", "expected"), [("published", "no", False), ("draft", "yes", False)])
def test_both_columns_must_say_released(
    status: str,
    released: str,
    expected: bool,
    one: Callable[..., Any],
) -> None:
    text = f"content_id,title,status,released\nC1,Python,{status},{released}\n"
    assert one("content", text).released is expected


@pytest.mark.parametrize(
    ("row", "column"),
    [("C1,Python,perhaps,", "status"), (",Python,published,", "content_id"), ("C1,Python,draft,soon", "released_at")],
)
def test_content_that_cannot_be_read_is_rejected_by_its_column(row: str, column: str, one: Callable[..., Any]) -> None:
    reject = one("content", f"content_id,title,status,released_at\n{row}\n")
    assert (reject.row, reject.column) == (2, column)


def test_the_content_of_thought_industries_is_sessions_of_course_groups(read: Callable[..., list[Any]]) -> None:
    text = (
        '{"contentItems": ['
        '{"id": "g1", "kind": "courseGroup", "title": "Python", "status": "published", "displayCourse": "s1"},'
        '{"id": "s2", "kind": "course", "title": "Python", "sessionTitle": "Spring", "courseGroup": "g1"},'
        '{"id": "p1", "kind": "learningPath", "title": "Path", "status": "draft", "slug": "path"}'
        '], "pageInfo": {"hasMore": false}}'
    )
    found = [(record.content_id, record.session_id, record.type, record.released) for record in read("content", text)]
    assert found == [
        ("g1", "s1", "courseGroup", True),
        ("g1", "s2", "course", True),
        ("p1", None, "learningPath", False),
    ]


@pytest.mark.parametrize(
    ("row", "to", "subject"),
    [
        ("C1,r@example.org,,", "learner", "r@example.org"),
        ("C1,,Acme,", "panorama", "Acme"),
        ("C1,,,W", "sublicense", "W"),
    ],
)
def test_access_is_given_to_a_learner_a_panorama_or_a_sublicense(
    row: str, to: str, subject: str, one: Callable[..., Any]
) -> None:
    record = one("access", f"content_id,email,panorama,sublicense\n{row}\n")
    assert isinstance(record, AccessRecord)
    assert (record.content_id, record.to, record.subject) == ("C1", to, subject)


@pytest.mark.parametrize("row", ["C1,,,", "C1,r@example.org,Acme,", ",r@example.org,,", "C1,robin,,"])
def test_access_to_nobody_to_several_or_to_nothing_is_rejected(row: str, one: Callable[..., Any]) -> None:
    assert one("access", f"content_id,email,panorama,sublicense\n{row}\n").reason
