"""Which column of a file is which, by its name or by ``--map``, and what is said where it cannot be known."""

from collections.abc import Callable
from typing import Any

import pytest

from credly_cli.errors import Failure

GERMAN = "Adresse,Vorname,Kurs,Fertig am\nr@example.org,Robin,Python,2026-03-02\n"


def test_map_says_which_column_is_meant(one: Callable[..., Any]) -> None:
    mapping = {"email": "Adresse", "first_name": "vorname", "content_title": "Kurs", "completed_at": "Fertig am"}
    record = one("progress", GERMAN, mapping=mapping)
    assert (record.email, record.first_name, record.content, record.by_title) == (
        "r@example.org", "Robin", "Python", True,
    )  # fmt: skip
    assert record.completed_at == "2026-03-02T00:00:00Z"


def test_a_mapped_column_wins_over_our_own_name(one: Callable[..., Any]) -> None:
    record = one("learners", "email,Work\nold@x.org,new@x.org\n", mapping={"email": "Work"})
    assert record.email == "new@x.org"


def test_a_mapped_column_serves_nothing_else(one: Callable[..., Any]) -> None:
    record = one("progress", "email,Name\nr@x.org,Python Basics\n", mapping={"content_title": "Name"})
    assert (record.content, record.first_name) == ("Python Basics", None)


def test_naming_the_content_by_map_puts_aliases_of_the_others_aside(one: Callable[..., Any]) -> None:
    text = "email,courseid,Kurs\nr@x.org,17,Python\n"
    assert one("progress", text).content == "17"
    assert one("progress", text, mapping={"content_title": "Kurs"}).content == "Python"


def test_a_session_by_its_own_name_stays_beside_a_mapped_content(one: Callable[..., Any]) -> None:
    record = one("progress", "email,Kurs,session_id\nr@x.org,C1,S1\n", mapping={"content_id": "Kurs"})
    assert (record.content, record.session_id) == ("C1", "S1")


@pytest.mark.parametrize(
    ("mapping", "said", "hint"),
    [
        ({"mail": "Adresse"}, "'mail' is not a column of progress", "email, learner_id, content_id"),
        ({"email": "E-Post"}, "The file has no column 'E-Post'", "Adresse, Vorname, Kurs, Fertig am"),
    ],
)
def test_map_names_what_there_is_when_it_is_wrong(
    mapping: dict[str, str], said: str, hint: str, read: Callable[..., list[Any]]
) -> None:
    with pytest.raises(Failure) as caught:
        read("progress", GERMAN, mapping=mapping)
    assert caught.value.code == "usage"
    assert said in caught.value.message
    assert hint in str(caught.value.hint)


@pytest.mark.parametrize("form", ["%H:%M", "%Q", "yesterday", "%d/%m", "", "%"])
def test_a_date_format_that_describes_no_date_is_wrong_usage(form: str, read: Callable[..., list[Any]]) -> None:
    with pytest.raises(Failure) as caught:
        read("progress", GERMAN, date_format=form)
    assert caught.value.code == "usage"


def test_the_missing_columns_are_named_with_what_was_found(read: Callable[..., list[Any]]) -> None:
    with pytest.raises(Failure) as caught:
        read("progress", GERMAN)
    assert caught.value.code == "import-rejected"
    assert caught.value.message == (
        "The input is no file of progress: it has no column email or learner_id and no column content_id or"
        " session_id or content_title. It has: Adresse, Vorname, Kurs, Fertig am."
    )
    assert "--map email=HEADER" in str(caught.value.hint)


def test_two_columns_of_one_name_matter_only_if_they_are_used(read: Callable[..., list[Any]]) -> None:
    assert len(read("learners", "email,Notes,Notes\nr@x.org,a,b\n")) == 1
    assert len(read("learners", "email,Email\nr@x.org,bad\n")) == 1
    with pytest.raises(Failure):
        read("learners", "Email,E-Mail\nr@x.org,s@x.org\n")


LOGINS = '{"Login": "a@x.org", "last_name": "A"}\n{"user": "b@x.org"}\n{"Login": "c@x.org", "Vorname": "C"}\n'


def test_json_objects_may_lack_what_is_mapped(read: Callable[..., list[Any]]) -> None:
    first, lacking, third = read("learners", LOGINS, mapping={"email": "Login", "first_name": "Vorname"})
    assert (first.email, first.first_name, third.first_name) == ("a@x.org", None, "C")
    assert "no column email" in lacking.reason


def test_json_none_of_whose_objects_has_what_is_mapped_is_refused(read: Callable[..., list[Any]]) -> None:
    with pytest.raises(Failure) as caught:
        read("learners", LOGINS, mapping={"first_name": "Given"})
    assert caught.value.message == "The file has no column 'Given'."


def test_a_column_may_be_the_same_in_every_row(read: Callable[..., list[Any]]) -> None:
    mapping = {"content_id": "=Course 7", "content_title": "=Course 7"}
    for text in ("email,course\nr@x.org,x\n", '{"email": "r@x.org", "course": "x"}\n'):
        (record,) = read("progress", text, mapping=mapping)
        assert (record.content, record.by_title) == ("Course 7", False)
