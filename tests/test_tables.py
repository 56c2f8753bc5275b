"""Tables on a terminal: what is copied is never broken; columns left out are named."""

from io import StringIO

import pytest

from credly_cli.commands import grant, learners
from credly_cli.commands.grants import COLUMNS
from credly_cli.output import Column, Output
from tests.support.desk import Terminal

CHECKS = (Column("Name", "name"), Column("Passed", "ok"), Column("What was found", "message"))
EMAIL = "wilhelmina.featherstonehaugh-cholmondeley@department.example.org"
ROW = {
    "id": 4711, "state": "failed", "email": EMAIL, "badge": {"name": "Project Management Fundamentals - Level 1"},
    "content": {"title": "Introduction to Project Management"}, "session_id": "session-2026-03-a",
    "completed_at": "2026-03-02T09:30:00Z", "problem": "Credly refused: recipient_email is not an address.",
}  # fmt: skip


def shown(width: int) -> tuple[str, str]:
    out, err = Terminal(), StringIO()
    Output(out, err, {"COLUMNS": str(width), "NO_COLOR": "1"}).listing(COLUMNS, [ROW], empty="")
    return out.getvalue(), err.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140, 200])
def test_an_address_is_never_broken(width: int) -> None:
    assert EMAIL in shown(width)[0]


@pytest.mark.parametrize("columns", [grant.COLUMNS, grant.GRANTABLE, learners.COLUMNS, COLUMNS])
def test_addresses_and_ids_are_whole_in_every_list_of_learners_and_grants(columns: tuple[Column, ...]) -> None:
    copied = [column for column in columns if column.key in ("id", "email", "learner_id", "session_id")]
    assert copied
    assert all(column.whole for column in copied)


@pytest.mark.parametrize("width", [60, 80, 140])
def test_prose_wraps_between_words(width: int) -> None:
    words = set(str(ROW["problem"]).split())
    assert words <= set(shown(width)[0].split())


def test_at_60_columns_a_row_is_a_block() -> None:
    out, _ = shown(60)
    assert f"Learner: {EMAIL}\n" in out
    assert "Grant: 4711\n" in out


def test_columns_left_out_are_named() -> None:
    row = {**ROW, "email": "a@example.org", "problem": "", "badge": {"name": "A"}}
    out, err = Terminal(), StringIO()
    Output(out, err, {"COLUMNS": "80", "NO_COLOR": "1"}).listing(COLUMNS, [row], empty="")
    assert "a@example.org" in out.getvalue().splitlines()[1]
    assert err.getvalue() == "Columns left out: Content, Session. --json has them, and a pipe.\n"


@pytest.mark.parametrize("width", [60, 80, 140])
def test_an_address_or_id_within_prose_is_not_broken_either(width: int) -> None:
    identity = "662bf6c4-c2e4-441b-9474-76a76db4cbe1"
    out = Terminal()
    row = {
        "name": "earned",
        "ok": "passed",
        "message": f"Run credly grant {EMAIL} badge; it has {identity}.",
    }
    Output(out, StringIO(), {"COLUMNS": str(width), "NO_COLOR": "1"}).listing(CHECKS, [row], empty="")
    assert EMAIL in out.getvalue()
    assert identity in out.getvalue()


@pytest.mark.parametrize("width", [72, 80])
def test_an_id_within_prose_is_whole_also_where_the_other_column_wants_the_room(width: int) -> None:
    identity = "662bf6c4-c2e4-441b-9474-76a76db4cbe1"
    out = Terminal()
    row = {"name": "a name of many words " * 4, "ok": "passed", "message": f"It has {identity}, which is long."}
    Output(out, StringIO(), {"COLUMNS": str(width), "NO_COLOR": "1"}).listing(CHECKS, [row], empty="")
    assert identity in out.getvalue()
