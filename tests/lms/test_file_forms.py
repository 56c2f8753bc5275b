"""The forms that files come in: encodings, delimiters, quoting, archives, JSON; rows that cannot be read."""

import codecs
import gzip
import io
import json
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from credly_cli.errors import Failure
from credly_cli.lms.reader import open_file, read_stream
from credly_cli.lms.records import Reading, Reject

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TABLE = "email,first_name,last_name\nr@example.org,Zoë,Müller\nk@example.org,Kim,Lee\n"


@pytest.mark.parametrize(
    "data",
    [
        TABLE.encode(),
        codecs.BOM_UTF8 + TABLE.encode(),
        codecs.BOM_UTF16_LE + TABLE.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TABLE.encode("utf-16-be"),
        TABLE.encode("utf-16-le"),
        TABLE.encode("utf-16-be"),
        TABLE.replace("\n", "\r\n").encode(),
        TABLE.replace("\n", "\r").encode(),
        TABLE.replace(",", ";").encode(),
        TABLE.replace(",", "\t").encode(),
        TABLE.replace(",", "|").encode(),
        TABLE.replace(",", ", ").encode(),
        ("sep=;\r\n" + TABLE.replace(",", ";")).encode(),
        TABLE.rstrip("\n").encode(),
        ('"' + TABLE.replace(",", '","').replace("\n", '"\n"')[:-1]).encode(),
        gzip.compress(TABLE.encode(), mtime=0),
        gzip.compress(TABLE[:30].encode(), mtime=0) + gzip.compress(TABLE[30:].encode(), mtime=0),
        gzip.compress(TABLE.encode("utf-16"), mtime=0),
    ],
)
def test_a_table_is_read_in_every_encoding_and_with_every_delimiter(
    data: bytes, read: Callable[..., list[Any]]
) -> None:
    """Scenario 38."""
    found = [(record.row, record.email, record.first_name, record.last_name) for record in read("learners", data)]
    assert found == [(2, "r@example.org", "Zoë", "Müller"), (3, "k@example.org", "Kim", "Lee")]


def test_rows_are_numbered_as_in_the_sheet(read: Callable[..., list[Any]]) -> None:
    text = 'email,last_name\na@x.org,"two\nlines"\n\n , \nb@x.org,B\nbad,C\n'
    assert [record.row for record in read("learners", text)] == [2, 5, 6]


@pytest.mark.parametrize("text", ["", "\n\n", " \r\n", "\ufeff", "email\n", "[]", '{"users": []}', "[\n]\n"])
def test_an_empty_file_has_no_rows(text: str, read: Callable[..., list[Any]]) -> None:
    assert read("learners", text) == []


def test_a_missing_cell_is_empty_and_one_too_many_is_rejected(read: Callable[..., list[Any]]) -> None:
    short, long, blank = read("learners", "email,first_name\na@x.org\nb@x.org,Smith, Robin\nc@x.org,C,,\n")
    assert (short.email, short.first_name) == ("a@x.org", None)
    assert long == Reject(3, "", "has 3 cells where the header has 2")
    assert blank.first_name == "C"


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (b"Jos\xe9", 'is not UTF-8: save the file as "CSV UTF-8" and import it again'),
        (b"Jo\0se", "holds a character that is no text"),
    ],
)
def test_a_row_that_is_no_text_is_rejected_and_the_others_go_in(
    cell: bytes, reason: str, read: Callable[..., list[Any]]
) -> None:
    first, second, third = read("learners", b"email,Given Name\na@x.org,A\nb@x.org," + cell + b"\nc@x.org,C\n")
    assert (first.email, third.email) == ("a@x.org", "c@x.org")
    assert second == Reject(3, "Given Name", reason)


@pytest.mark.further
def test_a_long_field_is_read_and_one_over_a_megabyte_rejects_its_row(read: Callable[..., list[Any]]) -> None:
    text = (
        f"email,first_name\na@x.org,{'A' * 200_000}\nb@x.org,{'B' * 1_100_000}\nc@x.org,C\nd@x.org,{'D' * 9_000_000}\n"
    )
    first, second, third, fourth = read("learners", text + "e@x.org,E\n")[:4]
    assert len(first.first_name) == 200_000
    assert (second.row, "more than 1 MB" in second.reason) == (3, True)
    assert (third.row, third.first_name) == (4, "C")
    assert fourth.row == 5
    assert isinstance(fourth, Reject)


@pytest.mark.further
def test_a_row_after_one_that_is_too_long_is_read(read: Callable[..., list[Any]]) -> None:
    assert read("learners", f"email\n{'D' * 9_000_000}\ne@x.org\n")[-1].email == "e@x.org"


def test_a_quote_that_is_never_closed_is_rejected_not_swallowed(read: Callable[..., list[Any]]) -> None:
    first, reject = read("learners", 'email,first_name\na@x.org,A\nb@x.org,"B\nc@x.org,C\n')
    assert first.email == "a@x.org"
    assert reject == Reject(3, "", "opens a quote that is never closed; nothing after it was read")


def test_a_quote_in_the_middle_rejects_its_row_only(read: Callable[..., list[Any]]) -> None:
    reject, last = read("learners", 'email,first_name\na@x.org,"Best" A\nb@x.org,B\n')
    assert (reject.row, last.row) == (2, 3)


LEARNERS = [{"email": "a@x.org", "first_name": "A"}, {"email": "b@x.org", "first_name": None, "more": {"x": [1]}}]


@pytest.mark.parametrize(
    "text",
    [
        "".join(json.dumps(learner) + "\n" for learner in LEARNERS),
        "\n\n".join(json.dumps(learner) for learner in LEARNERS),
        json.dumps(LEARNERS),
        json.dumps(LEARNERS, indent=2),
        "[" + ",\n".join(json.dumps(learner) for learner in LEARNERS) + "]",
        "\n".join(json.dumps(learner, indent=2) for learner in LEARNERS),
        json.dumps({"users": LEARNERS, "pageInfo": {}}),
        json.dumps({"pageInfo": {}, "users": LEARNERS}, indent=1),
        '{"users":[\n' + ",\n".join(json.dumps(learner) for learner in LEARNERS) + "\n]}",
        '{"users":[' + ",\n".join(json.dumps(learner) for learner in LEARNERS) + "]}\n",
        '{"users":[' + "\n,".join(json.dumps(learner) for learner in LEARNERS) + "]}\n",
        "\ufeff" + json.dumps(LEARNERS),
    ],
)
def test_json_is_read_as_lines_as_an_array_and_with_something_around(text: str, read: Callable[..., list[Any]]) -> None:
    for data in (text.encode(), text.encode("utf-16"), gzip.compress(text.encode())):
        assert [(record.email, record.first_name) for record in read("learners", data)] == [
            ("a@x.org", "A"),
            ("b@x.org", None),
        ]


def test_a_bad_line_of_json_lines_is_rejected_by_its_number(read: Callable[..., list[Any]]) -> None:
    text = (
        '{"email": "a@x.org"}\n\n{"email": \n7\n{"email": "\\ud800@x.org"}\n{"mail": 1, "e": 2}\n{"email": "b@x.org"}\n'
    )
    first, *rejects, last = read("learners", text)
    assert (first.row, last.row) == (1, 7)
    assert [(reject.row, reject.reason) for reject in rejects[:3]] == [
        (3, "is not JSON"),
        (4, "is not a JSON object"),
        (5, "holds a character that is no text"),
    ]


def test_json_lines_may_begin_with_a_bad_line(read: Callable[..., list[Any]]) -> None:
    reject, record = read("learners", '{"email": \n{"email": "a@x.org"}\n')
    assert (reject.row, record.row) == (1, 2)


def test_rows_of_a_document_in_one_line_are_numbered_by_their_place(read: Callable[..., list[Any]]) -> None:
    found = read("learners", json.dumps({"users": [{"email": "a@x.org"}, {"email": "bad"}, {"email": "bad"}]}))
    assert [record.row for record in found] == [1, 2, 3]


def test_a_list_that_is_cut_off_gives_what_came_before(read: Callable[..., list[Any]]) -> None:
    first, reject = read("learners", '[{"email": "a@x.org"}, {"email": "b@x')
    assert first.email == "a@x.org"
    assert reject == Reject(2, "", "is not JSON, or cut off; nothing after it was read")


@pytest.mark.parametrize("row", ["{i}@x.org\n", '{{"email": "{i}@x.org"}}\n'])
def test_a_gzip_file_that_is_cut_off_gives_what_came_before(row: str, read: Callable[..., list[Any]]) -> None:
    text = ("email\n" if row[0] == "{" and row[1] == "i" else "") + "".join(row.format(i=i) for i in range(10_000))
    *records, reject = read("learners", gzip.compress(text.encode())[:-50])
    assert len(records) > 1000
    assert "damaged or cut off; nothing after row" in reject.reason


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04....[Content_Types].xml", "is an Excel workbook"),
        (b"PK\x03\x04....", "is a zip archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an Excel workbook"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is a picture"),
        (b"%PDF-1.7", "is a PDF"),
        (b"SQLite format 3\0", "is a database"),
        (b"\x00\x01\x02\x03\x04\xff\xfe", "holds bytes that are no text"),
        (b"<!doctype html><title>Sign in</title>", "looks like a web page"),
        (b"colour,size\nred,1\n", "has no column email. It has: colour, size."),
        (b"just some words", "has no column email"),
        (b'{"colour": "red"}\n', "has no column email"),
        (b'{"email"', "is no JSON that can be read"),
        (b"[{1, 2]", "is no JSON that can be read"),
        (gzip.compress(TABLE.encode(), mtime=0)[:-9], "is a gzip file that is damaged or cut off"),
        (b"First Name,email,firstName\nA,a@x.org,B\n", "Two columns of the file are called 'First Name'"),
    ],
)
def test_what_is_no_such_file_is_refused_with_the_reason(
    data: bytes, said: str, read: Callable[..., list[Any]]
) -> None:
    with pytest.raises(Failure) as caught:
        read("learners", data)
    assert caught.value.code == "import-rejected"
    assert said in caught.value.message
    assert caught.value.hint


def test_what_is_no_such_file_is_refused_before_a_row_is_asked_for() -> None:
    with pytest.raises(Failure):
        read_stream("learners", io.BytesIO(b"colour\nred\n"), Reading(NOW))


def test_a_file_of_another_kind_is_recognised() -> None:
    with pytest.raises(Failure) as caught:
        read_stream("content", io.BytesIO(b"email,content_id,progress\n"), Reading(NOW))
    assert "It looks like a file of progress" in str(caught.value.hint)


def test_a_file_is_opened_read_and_closed(tmp_path: Path) -> None:
    path = tmp_path / "learners.csv"
    path.write_text(TABLE)
    with open_file("learners", path, Reading(NOW)) as records:
        assert len(list(records)) == 2
    path.write_text(TABLE + "many@example.org,Many,Rows\n" * 100_000)
    with open_file("learners", path, Reading(NOW)) as records:
        next(records)
    with pytest.raises(ValueError, match="closed file"):
        list(records)


@pytest.mark.parametrize("name", ["missing.csv", ".", "learners.csv.rejects.csv", "Learners.REJECTS.csv"])
def test_what_cannot_be_opened_or_is_our_own_is_wrong_usage(name: str, tmp_path: Path) -> None:
    (tmp_path / "learners.csv.rejects.csv").write_text("row,column,reason\n")
    with pytest.raises(Failure) as caught, open_file("learners", tmp_path / name, Reading(NOW)):
        pass
    assert caught.value.code == "usage"


LONG = "A" * 500


def read_whole(path: Path) -> None:
    with open_file("learners", path, Reading(NOW)) as records:
        for _ in records:
            pass


@pytest.mark.parametrize(
    ("head", "row", "count", "limit"),
    [
        ("email,first_name\n", f"a@x.org,{LONG}\n", 10_000, 1_500_000),  # with the first thousand rows, looked at ahead
        ("", f'{{"email": "a@x.org", "x": "{LONG}"}}\n', 10_000, 1_000_000),
        ('{"users": [{"email": "a@x.org"}', f',{{"email": "a@x.org", "x": "{LONG}"}}', 10_000, 1_500_000),
        ("email,first_name\n", "a@x.org,A,", 3_000_000, 20_000_000),
    ],
)
@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(head: str, row: str, count: int, limit: int, tmp_path: Path) -> None:
    path = tmp_path / "learners"
    path.write_text(head + row)
    read_whole(path)  # tables of words are loaded once
    path.write_text(head + row * count)
    tracemalloc.start()
    read_whole(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < limit
