"""R25: whom a row means. Nothing is guessed: who is believed to be somebody known is listed, all else is rejected."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.importing.people import People
from tests.support.desk import Desk

ADA = "ada@example.org,5,Ada,Lovelace"
BOB = "bob@example.org,6,Bob,Stone"


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    people = People(tmp_path)
    yield people
    people.store.close()


# The id is known, the address is new


@pytest.mark.sampled
@pytest.mark.parametrize("names", ["Ada,Byron", "Augusta,Lovelace", "LOVELACE,ada", "Àda,King", ","])
def test_r25_a_new_address_is_the_same_persons_where_a_name_agrees_or_none_is_told(people: People, names: str) -> None:
    people.learners(ADA)
    people.learners(f"ada@new.org,5,{names}")
    assert not people.rejected
    assert people.readdressed == [("5", "ada@example.org", "ada@new.org")]
    assert len(people.known) == 1


def test_r25_another_address_and_another_name_is_rejected_with_both_people_and_the_way_on(people: People) -> None:
    people.learners(ADA)
    people.learners("bob@example.org,5,Bob,Stone", "cy@example.org,7,Cy,Young")
    (rejected,) = people.rejected
    assert rejected.row == 2
    for part in ("id 5 is Ada Lovelace <ada@example.org>", "the row says Bob Stone <bob@example.org>"):
        assert part in rejected.reason
    for way in ("--id 5=same", "--id 5=new", "--source NAME"):
        assert way in rejected.reason
    assert people.known == ["ada@example.org 5 Ada Lovelace", "cy@example.org 7 Cy Young"]


def test_r25_a_row_of_progress_without_names_does_not_move_an_address(people: People) -> None:
    people.learners(ADA)
    people.progress("ada@new.org,5,,,C1,2026-02-01")
    assert [each.row for each in people.rejected] == [2]
    people.progress("ada@new.org,5,Ada,Lovelace,C1,2026-03-02T10:00:00Z")
    assert people.readdressed == [("5", "ada@example.org", "ada@new.org")]


def test_r25_a_row_of_progress_from_before_a_file_of_learners_moves_no_address(people: People) -> None:
    people.learners(ADA)
    people.progress("ada@old.org,5,Ada,Lovelace,C1,2026-02-01")
    assert (people.known, people.readdressed) == (["ada@example.org 5 Ada Lovelace"], [])
    people.progress("ada@old.org,5,Ada,Lovelace,C2,2026-03-02T10:00:00Z")
    assert people.readdressed == [("5", "ada@example.org", "ada@old.org")]


def test_r25_an_older_row_of_progress_moves_no_address_and_its_address_still_finds_the_learner(people: People) -> None:
    people.progress("ada@new.org,5,Ada,Lovelace,C1,2026-02-01")
    people.progress("ada@old.org,5,Ada,Lovelace,C2,2026-01-01")
    assert (people.known, people.readdressed) == (["ada@new.org 5 Ada Lovelace"], [])
    people.progress("ada@old.org,,,,C2,2026-01-01")
    assert people.completions == ["ada@new.org C1 2026-02-01", "ada@new.org C2 2026-01-01"]


def test_r25_an_id_alone_with_another_name_is_somebody_else(people: People) -> None:
    people.learners(ADA)
    people.progress(",5,Bob,Stone,C1,2026-02-01", ",5,,,C2,2026-02-01")
    assert [each.row for each in people.rejected] == [2]
    assert people.completions == ["ada@example.org C2 2026-02-01"]


def test_r25_a_person_says_that_it_is_the_same_one(people: People) -> None:
    people.learners(ADA)
    people.learners("bob@example.org,5,Bob,Stone", i5="same")
    assert people.known == ["bob@example.org 5 Bob Stone"]
    assert people.readdressed == [("5", "ada@example.org", "bob@example.org")]


def test_r25_a_person_says_that_the_lms_gave_the_id_to_somebody_else_once(people: People) -> None:
    people.progress("ada@example.org,5,Ada,Lovelace,C1,2026-01-01")
    for address in ("bob@example.org", "bob@example.org", "bob@new.org"):  # stays in the configuration
        people.learners(f"{address},5,Bob,Stone", i5="new")
        assert people.known == ["ada@example.org - Ada Lovelace", f"{address} 5 Bob Stone"]
    assert people.completions == ["ada@example.org C1 2026-01-01"]


# The id is new, the address is known


def test_r25_an_id_is_renewed_where_both_names_agree(people: People) -> None:
    people.learners("ada@example.org,007,Ada,Lovelace")
    people.learners("ada@example.org,7,lovelace,Ada")
    assert people.known == ["ada@example.org 7 lovelace Ada"]
    assert people.readdressed == [("7", "ada@example.org", "ada@example.org")]


def test_r25_neither_name_agrees_at_a_shared_address(people: People) -> None:
    people.learners("desk@example.org,1,Ada,Lovelace")
    people.learners("desk@example.org,2,Bob,Stone")
    assert people.known == ["desk@example.org 1 Ada Lovelace", "desk@example.org 2 Bob Stone"]


@pytest.mark.parametrize("names", ["Bob,Lovelace", "Ada,Stone", ","])
def test_r25_one_name_is_not_enough_for_a_new_id_nor_for_another_person(people: People, names: str) -> None:
    people.learners(ADA)
    people.learners(f"ada@example.org,9,{names}")
    (rejected,) = people.rejected
    assert "the address is of Ada Lovelace <ada@example.org>, id 5" in rejected.reason
    assert people.known == ["ada@example.org 5 Ada Lovelace"]


def test_r25_a_person_tells_a_new_id_from_another_person(people: People) -> None:
    people.learners(ADA, "desk@example.org,1,Cy,Young")
    people.learners("ada@example.org,9,Ada,King", "desk@example.org,2,Di,Young", i9="same", i2="new")
    assert people.known == [
        "ada@example.org 9 Ada King",
        "desk@example.org 1 Cy Young",
        "desk@example.org 2 Di Young",
    ]


# Both are known


def test_r25_two_are_made_one_where_one_has_no_id_and_the_names_agree(people: People) -> None:
    people.learners(ADA)
    people.progress("ada@new.org,,Ada,Lovelace,C1,2026-01-01")
    people.learners("ada@new.org,5,Ada,Lovelace")
    assert people.known == ["ada@new.org 5 Ada Lovelace"]
    assert people.completions == ["ada@new.org C1 2026-01-01"]


def test_r25_two_known_people_with_ids_or_other_names_are_not_made_one(people: People) -> None:
    people.learners(ADA, BOB, "cy@example.org,,Cy,Young")
    people.learners("bob@example.org,5,Ada,Lovelace", "cy@example.org,6,Bob,Stone")
    assert [each.row for each in people.rejected] == [2, 3]
    assert "the address is of Bob Stone <bob@example.org>, id 6" in people.rejected[0].reason
    assert people.known == [
        "ada@example.org 5 Ada Lovelace",
        "bob@example.org 6 Bob Stone",
        "cy@example.org - Cy Young",
    ]


def test_r25_an_address_is_free_where_the_file_gives_its_owner_another(people: People) -> None:
    people.learners(ADA, BOB)
    people.learners("bob@example.org,5,Ada,Lovelace", "ada@example.org,6,Bob,Stone")
    assert people.known == ["ada@example.org 6 Bob Stone", "bob@example.org 5 Ada Lovelace"]
    assert people.readdressed == [
        ("5", "ada@example.org", "bob@example.org"),
        ("6", "bob@example.org", "ada@example.org"),
    ]


def test_r25_an_address_is_not_free_where_its_owners_move_is_rejected(people: People) -> None:
    people.learners(ADA, BOB, "cy@example.org,7,Cy,Young")
    people.learners("bob@example.org,5,Ada,Lovelace", "cy@example.org,6,Bob,Stone", "new@example.org,7,Di,Hall")
    assert [each.row for each in people.rejected] == [2, 3, 4]
    assert len(people.known) == 3


# Within one file


@pytest.mark.parametrize("turned", [False, True])
def test_r25_two_people_under_one_new_id_are_both_rejected(people: People, turned: bool) -> None:
    rows = ["ada@example.org,7,Ada,Lovelace", "bob@example.org,7,Bob,Stone", "cy@example.org,8,Cy,Young"]
    people.learners(*reversed(rows) if turned else rows)
    assert len(people.rejected) == 2
    assert "Ada Lovelace <ada@example.org> and Bob Stone <bob@example.org>" in people.rejected[0].reason
    assert people.known == ["cy@example.org 8 Cy Young"]


def test_r25_who_is_known_by_the_id_is_taken_and_the_other_one_rejected(people: People) -> None:
    people.learners(ADA)
    people.learners("bob@example.org,5,Bob,Stone", ADA)
    assert [each.row for each in people.rejected] == [2]


def test_r25_an_id_that_stands_for_a_crowd_is_none(people: People) -> None:
    people.learners(*(f"p{number}@example.org,EXTERNAL,P{number},Q{number}" for number in range(200)), ADA)
    assert len(people.rejected) == 200
    assert "200 addresses" in people.rejected[0].reason
    assert people.known == ["ada@example.org 5 Ada Lovelace"]


def test_r25_two_new_ids_at_one_address_are_two_people_where_no_name_agrees(people: People) -> None:
    people.learners("d@x.org,1,Ada,Lovelace", "d@x.org,2,Bob,Stone", "d@x.org,3,Ann,Stone", "d@x.org,4,Cy,Young")
    assert [each.row for each in people.rejected] == [3, 4]
    assert people.known == ["d@x.org 1 Ada Lovelace", "d@x.org 4 Cy Young"]


# Numberings


def test_r25_a_named_source_has_a_numbering_of_its_own(people: People) -> None:
    people.progress("ada@example.org,5,Ada,Lovelace,C1,2026-01-01")
    people.progress("bob@example.org,5,Bob,Stone,C2,2026-02-01", source="canvas")
    assert people.known == ["ada@example.org 5 Ada Lovelace", "bob@example.org - Bob Stone"]
    assert people.ids == ["canvas 5 bob@example.org"]
    people.progress(",5,,,C1,2026-02-02", source="canvas")
    assert people.completions[1:] == ["bob@example.org C1 2026-02-02", "bob@example.org C2 2026-02-01"]


def test_r25_one_learner_has_an_id_in_each_source(people: People) -> None:
    people.learners(ADA)
    people.learners("ada@example.org,77,Ada,Lovelace", source="hr")
    people.learners("ada@new.org,77,Ada,Lovelace", source="hr")
    assert people.known == ["ada@new.org 5 Ada Lovelace"]
    assert people.ids == ["hr 77 ada@new.org"]
    people.learners("ada@newer.org,5,Ada,Lovelace")
    assert people.ids == ["hr 77 ada@newer.org"]


def test_r25_two_who_turn_out_to_be_one_have_the_ids_of_both(people: People) -> None:
    people.learners(ADA)
    people.learners("ada@new.org,77,Ada,Lovelace", source="hr")
    people.learners("ada@new.org,5,Ada,Lovelace")
    assert (people.known, people.ids) == (["ada@new.org 5 Ada Lovelace"], ["hr 77 ada@new.org"])


# Two people at one address, and no ids


@pytest.mark.parametrize("kind", ["learners", "progress"])
def test_r25_two_names_that_do_not_agree_at_one_address_are_not_made_one_person(people: People, kind: str) -> None:
    if kind == "learners":
        people.learners("desk@example.org,,Ada,Lovelace", "desk@example.org,,Bob,Stone", "cy@example.org,,Cy,Young")
    else:
        people.progress(
            "desk@example.org,,Ada,Lovelace,C1,2026-02-01",
            "desk@example.org,,Bob,Stone,C1,2026-02-02",
            "cy@example.org,,Cy,Young,C1,2026-02-03",
        )
    assert [each.row for each in people.rejected] == [2, 3]
    assert "Ada Lovelace" in people.rejected[0].reason
    assert "Bob Stone" in people.rejected[0].reason
    assert people.known == ["cy@example.org - Cy Young"]


@pytest.mark.parametrize("other", ["Ada,Byron", "Lovelace,Ada", "A.,Lovelace", "Augusta,", ","])
def test_r25_two_names_that_may_be_one_persons_at_one_address_are_one(people: People, other: str) -> None:
    people.learners("ada@example.org,,Ada,Lovelace", f"ada@example.org,,{other}")
    assert not people.rejected
    assert len(people.known) == 1


def test_r25_a_row_without_an_id_is_not_the_person_of_another_name_whose_id_the_file_tells(people: People) -> None:
    people.progress("desk@example.org,5,Ada,Lovelace,C1,2026-02-01", "desk@example.org,,Bob,Stone,C1,2026-02-02")
    assert [each.row for each in people.rejected] == [3]
    assert people.known == ["desk@example.org 5 Ada Lovelace"]


@pytest.mark.parametrize(
    ("header", "row", "is_said"),
    [
        ("email,first_name,last_name", "ada@example.org,Bob,Stone", True),
        ("learner_id,email,first_name,last_name", "5,ada@example.org,Bob,Stone", True),
        ("email,first_name,last_name", "ada@example.org,Ada,King", False),
        ("email,first_name,last_name", "ada@example.org,LOVELACE,Ada", False),
        ("email,first_name,last_name", "ada@example.org,Bob,", False),
        ("email", "ada@example.org", False),
    ],
)
@pytest.mark.parametrize("kind", ["learners", "progress"])
def test_r25_whom_an_address_alone_tells_is_said_where_the_names_do_not_agree(
    kind: str, header: str, row: str, is_said: bool, desk: Desk
) -> None:
    desk.imports("content", "content_id,title\nC1,Intro\n")
    desk.imports("learners", "email,first_name,last_name\nada@example.org,Ada,Lovelace\n")
    more = (",content_id,completed_at", ",C1,2026-03-01") if kind == "progress" else ("", "")
    told = desk.imports(kind, f"{header}{more[0]}\n{row}{more[1]}\n")
    assert (told["rejected"], len(told["warnings"])) == (0, int(is_said))
    if is_said:
        assert told["warnings"][0].startswith(
            "1 address is of somebody with another name: Ada Lovelace <ada@example.org>, whom the file calls Bob Stone."
        )
