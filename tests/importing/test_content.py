"""Importing content: what is released, whose sessions they are, which value wins."""

import pytest

from tests.support.desk import Desk

HEADER = "content_id,title,type,status,released_at,url,session_id,session_title\n"


def one(desk: Desk) -> dict[str, object]:
    (content,) = desk.json("content")
    return dict(content)


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("status", "released"),
    [*((word, True) for word in ("true", "yes", "1", "published", "released", "Published", "")),
     *((word, False) for word in ("false", "no", "0", "draft", "scheduled", "pending", "authoring", "archived",
                                  "deleted", "Draft"))],
)  # fmt: skip
@pytest.mark.parametrize("column", ["status", "released"])
def test_the_words_for_released_and_not(desk: Desk, column: str, status: str, *, released: bool) -> None:
    desk.imports("content", f"content_id,title,{column}\nc1,One,{status}\n")
    assert one(desk)["released"] is released


def test_any_other_word_rejects_the_row(desk: Desk) -> None:
    answer = desk.imports("content", "content_id,title,status\nc1,One,soon\nc2,Two,published\n", code=3)
    assert (answer["read"], answer["added"], answer["rejected"]) == (2, 1, 1)
    assert one(desk)["id"] == "c2"


def test_without_a_column_for_it_content_is_released(desk: Desk) -> None:
    desk.imports("content", "content_id,title\nc1,One\n")
    assert one(desk)["released"] is True


def test_what_is_released_later_becomes_released_by_itself(desk: Desk) -> None:
    desk.imports("content", f"{HEADER}c1,One,,published,2026-03-02T10:00:00Z,,,\n")
    assert one(desk)["released"] is False
    desk.pass_time(minutes=30)
    assert one(desk)["released"] is True


def test_a_date_of_release_begins_in_the_configured_zone(desk: Desk) -> None:
    desk.config('timezone = "America/New_York"\n')
    desk.imports("content", f"{HEADER}c1,One,,published,2026-03-02,,,\nc2,Two,,published,2026-03-03,,,\n")
    desk.pass_time(hours=18)
    assert [content["released"] for content in desk.json("content")] == [True, False]
    desk.pass_time(hours=1, minutes=30)
    assert [content["released"] for content in desk.json("content")] == [True, True]


def test_content_is_released_if_any_session_is(desk: Desk) -> None:
    desk.imports("content", f"{HEADER}c1,One,,draft,,,s1,\nc1,One,,published,2027-01-01,,s2,\n")
    assert one(desk)["released"] is False
    desk.imports("content", f"{HEADER}c1,One,,published,,,s3,\n")
    assert one(desk)["released"] is True


def test_once_content_has_sessions_only_they_decide(desk: Desk) -> None:
    desk.imports("content", f"{HEADER}c1,One,,published,,,,\n")
    desk.imports("content", f"{HEADER}c1,One,,draft,,,s1,\n")
    assert one(desk)["released"] is False
    desk.imports("content", f"{HEADER}c1,One,,published,,,s2,\n")
    assert one(desk)["released"] is True


def test_the_last_value_that_is_not_empty_wins(desk: Desk) -> None:
    desk.imports("content", f"{HEADER}c1,Old,course,,,https://x.test/1,s1,\nc1,New,,,,,s2,\nc1,,webinar,,,,s3,\n")
    content = one(desk)
    assert (content["title"], content["type"], content["url"]) == ("New", "webinar", "https://x.test/1")
    desk.imports("content", f"{HEADER}c1,Newest,,,,,s1,\n")
    assert (one(desk)["title"], one(desk)["type"]) == ("Newest", "webinar")


def test_a_session_under_two_contents_is_rejected(desk: Desk) -> None:
    answer = desk.imports("content", f"{HEADER}c1,One,,,,,s1,\nc2,Two,,,,,s1,\n", code=3)
    assert answer["rejected"] == 1
    assert [content["id"] for content in desk.json("content")] == ["c1"]
    assert desk.imports("content", f"{HEADER}c3,Three,,,,,s1,\n", code=3)["rejected"] == 1


def test_several_panoramas_stand_in_one_cell_and_the_last_list_wins(desk: Desk) -> None:
    desk.imports("content", "content_id,title,panoramas,sublicenses\nc1,One,North; South;,Main\n")
    assert given(desk) == [("panorama", "north"), ("panorama", "south"), ("sublicense", "main")]
    desk.imports("content", "content_id,title,panoramas,sublicenses\nc1,One,West,\n")
    assert given(desk) == [("panorama", "west"), ("sublicense", "main")]


def given(desk: Desk) -> list[tuple[str, str]]:
    with desk.store() as store:
        rows = store.rows("SELECT subject_kind, subject FROM access ORDER BY 1, 2")
    return [(row["subject_kind"], row["subject"]) for row in rows]


def test_a_title_that_two_contents_have_does_for_neither(desk: Desk) -> None:
    desk.imports("content", "content_id,title\nc1,Same\nc2,same\nc3,Other\n")
    text = "email,content_title\na@example.org,SAME\na@example.org,other\n"
    assert desk.imports("progress", text, code=3)["rejected"] == 1


def test_no_import_ever_deletes_content(desk: Desk) -> None:
    desk.imports("content", "content_id,title\nc1,One\nc2,Two\n")
    desk.imports("content", "content_id,title\nc2,Two\n")
    assert len(desk.json("content")) == 2
