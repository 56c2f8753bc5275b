"""What is written where, and that no text from elsewhere is obeyed by a terminal, a spreadsheet or Rich."""

import csv
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from credly_cli.output import Column, Output
from credly_cli.text import Command, Hint, counted, is_web_address, spreadsheet_safe, visible
from tests.support import faults
from tests.support.desk import Desk, Terminal
from tests.support.installed import PROGRAM, variables

FIRST_AID, ROBIN = "First Aid at Work", "robin@example.org"
COLUMNS = (
    Column("Id", "id", "pipe"),
    Column("Name", "name", link="url"),
    Column("Content", "content"),
    Column("Slug", "slug", "wide"),
    Column("When", "at", "wide", "time"),
    Column("On", "on", "wide"),
)
ROW = {
    "id": "b-1", "name": "A badge", "url": "https://credly.test/b-1", "content": {"title": "A course"},
    "slug": "a-badge", "at": "2026-03-02T09:30:00Z", "on": True,
}  # fmt: skip


def shown(row: dict[str, Any], *, terminal: bool = False, as_csv: bool = False, **environ: str) -> str:
    """The listing of one row."""
    out = Terminal() if terminal else StringIO()
    Output(out, StringIO(), environ).listing(COLUMNS, [row], empty="Nothing.", as_csv=as_csv)
    return out.getvalue()


# Forms


def test_in_a_pipe_rows_are_tab_separated_without_header_id_first() -> None:
    assert shown(ROW) == "b-1\tA badge\tA course\ta-badge\t2026-03-02T09:30:00Z\tyes\n"


def test_in_a_pipe_nothing_is_cut_and_absent_values_are_empty() -> None:
    row = {"id": "x" * 5000, "name": "y" * 5000, "content": None, "slug": None, "at": None, "on": False}
    assert shown(row) == f"{'x' * 5000}\t{'y' * 5000}\t\t\t\tno\n"


def test_in_a_pipe_tabs_and_newlines_in_values_are_escaped() -> None:
    assert shown({**ROW, "name": "a\tb\nc\rd"}).split("\t")[1] == r"a\tb\nc\rd"


def test_csv_has_a_header_of_keys_and_every_cell_quoted() -> None:
    text = shown({**ROW, "name": 'a "quoted", name; =1'}, as_csv=True)
    header, line = text.splitlines()
    assert header == "id,name,content,slug,at,on"
    assert next(csv.reader([line])) == ["b-1", 'a "quoted", name; =1', "A course", "a-badge", ROW["at"], "yes"]
    assert line.count('","') == 5


def test_json_goes_before_csv() -> None:
    out = StringIO()
    Output(out, StringIO(), {}, as_json=True).listing(COLUMNS, [ROW], empty="Nothing.", as_csv=True)
    assert json.loads(out.getvalue()) == [ROW]


@pytest.mark.parametrize(("columns", "wide"), [("80", False), ("140", True)])
def test_a_table_has_the_columns_that_fit(columns: str, wide: bool) -> None:
    text = shown(ROW, terminal=True, COLUMNS=columns, NO_COLOR="1")
    assert "A badge" in text
    assert "A course" in text
    assert ("a-badge" in text) is wide
    assert "b-1" not in text
    assert text.splitlines()[0].split()[:2] == ["Name", "Content"]


@pytest.mark.parametrize("columns", ["20", "80", "140"])
def test_a_table_folds_what_is_long_and_loses_none_of_it(columns: str) -> None:
    name = "".join(chr(ord("a") + number % 26) for number in range(300))
    text = shown({**ROW, "name": name, "content": None}, terminal=True, COLUMNS=columns, NO_COLOR="1")
    assert "\u2026" not in text
    assert name in text.replace("\n", "") or "".join(line.split(" ")[0] for line in text.splitlines()[1:]) == name


def test_a_table_of_nothing_is_a_note() -> None:
    out, err = Terminal(), StringIO()
    Output(out, err, {}).listing(COLUMNS, [], empty="Nothing yet.")
    assert (out.getvalue(), err.getvalue()) == ("", "Nothing yet.\n")


# Colours


@pytest.mark.parametrize(
    ("terminal", "environ", "option", "coloured"),
    [
        (True, {}, "auto", True),
        (False, {}, "auto", False),
        (True, {"NO_COLOR": "1"}, "auto", False),
        (True, {"NO_COLOR": ""}, "auto", True),
        (True, {"TERM": "dumb"}, "auto", False),
        (False, {"FORCE_COLOR": "1"}, "auto", True),
        (True, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, "auto", False),
        (True, {}, "never", False),
        (False, {"NO_COLOR": "1"}, "always", True),
    ],
)
def test_colours_are_for_those_who_can_and_want_to_see_them(
    terminal: bool, environ: dict[str, str], option: Any, coloured: bool
) -> None:
    out, err = (Terminal(), Terminal()) if terminal else (StringIO(), StringIO())
    output = Output(out, err, environ, colour=option)
    output.confirm("Done.", "green")
    output.warn("Careful.")
    assert (out.getvalue(), err.getvalue()) == (
        ("\x1b[32mDone.\x1b[0m\n", "\x1b[33mWarning: \x1b[0mCareful.\n")
        if coloured
        else ("Done.\n", "Warning: Careful.\n")
    )


@pytest.mark.parametrize("option", ["never", "auto"])
def test_a_table_without_colours_has_no_escape_at_all(option: Any) -> None:
    out = Terminal()
    Output(out, StringIO(), {"NO_COLOR": "1"}, colour=option).listing(COLUMNS, [ROW], empty="")
    assert "\x1b" not in out.getvalue()


def test_a_name_leads_to_its_address_where_the_terminal_can() -> None:
    assert "\x1b]8;" in shown(ROW, terminal=True)
    assert "https://credly.test/b-1" in shown(ROW, terminal=True)
    assert "javascript" not in shown({**ROW, "url": "javascript:alert(1)"}, terminal=True)


def test_an_odd_wish_for_colour_is_wrong_usage(desk: Desk) -> None:
    assert desk.json("badges", "--color", "sometimes", code=2)["error"]["code"] == "usage"


# Streams


def test_results_go_to_stdout_and_the_rest_to_stderr(connected: Desk) -> None:
    ran = connected.run("link", FIRST_AID, "first-aid")
    assert ran.out.startswith("Linked ")
    assert ran.err.splitlines()[-1].startswith("Next: ")


def test_quiet_leaves_data_and_errors(connected: Desk) -> None:
    assert len(connected.run("badges", "-q").out.splitlines()) == 8
    ran = connected.run("-q", "link", FIRST_AID, "first-aid")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    ran = connected.run("link", FIRST_AID, "hygiene", "-q")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (6, "", 1)


def test_quiet_leaves_which_badge_is_explained_and_the_answer(connected: Desk) -> None:
    connected.learns(f"{ROBIN},first-aid,first-aid-march,in_progress,,Robin,Sample")
    connected.json("link", FIRST_AID, "first-aid")
    ran = connected.run("-q", "explain", ROBIN, terminal=True, environ={"NO_COLOR": "1"})
    assert ran.out.startswith("First Aid at Work (First Aid Course): not granted\n")
    assert "In Progress (1)" in connected.run("-q", "widget", ROBIN, terminal=True, environ={"NO_COLOR": "1"}).out


def test_times_are_local_on_a_terminal_and_utc_elsewhere(machine_in: Callable[[str], None]) -> None:
    machine_in("America/New_York")
    shown, piped = Terminal(), StringIO()
    columns = (Column("At", "at", kind="time"), Column("Day", "day", kind="date"), Column("Told", "told"))
    row = {"at": "2026-03-02T02:00:00Z", "day": "2026-03-02T00:00:00Z", "told": "Since 2026-03-02T02:00:00Z."}
    for stream in (shown, piped):
        output = Output(stream, StringIO(), {"NO_COLOR": "1"})
        output.print("Counting from 2026-01-01T00:00:00Z.")
        output.listing(columns, [row], empty="")
    assert "Counting from 2025-12-31 19:00 EST." in shown.getvalue()
    assert shown.getvalue().split("Told")[1].split() == [
        "2026-03-01", "21:00", "EST", "2026-03-02", "Since", "2026-03-01", "21:00", "EST.",
    ]  # fmt: skip
    assert piped.getvalue() == "Counting from 2026-01-01T00:00:00Z.\n" + "\t".join(row.values()) + "\n"


def test_a_quiet_sync_says_nothing_when_all_is_well_and_one_line_when_not(connected: Desk) -> None:
    ran = connected.run("sync", "-q")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    connected.sandbox.rotate_token("new")
    ran = connected.run("sync", "--quiet")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (4, "", 1)


@pytest.mark.parametrize(
    "command", [("badges",), ("link", FIRST_AID, "first-aid"), ("sync",), ("status",), ("unlink", FIRST_AID)]
)
def test_json_is_one_value_and_stderr_is_empty_also_on_a_terminal(connected: Desk, command: tuple[str, ...]) -> None:
    for terminal in (False, True):
        ran = connected.run(*command, "--json", terminal=terminal)
        assert (ran.code, ran.err) == (0, "")
        json.loads(ran.out)


@pytest.mark.parametrize(("number", "told"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1000, "1,000 rows")])
def test_one_is_one_and_several_are_many(number: int, told: str) -> None:
    assert counted(number, "row") == told


def test_a_next_step_keeps_to_the_profile_of_the_option() -> None:
    err = StringIO()
    output = Output(StringIO(), err, {}, profile="second")
    output.note(Hint("Next:", Command("sync"), ", or:", Command("grants", "--state", "held")))
    output.note("Another credly is at work.")
    output.note(Hint(Command("sync", "--profile", "NAME")))
    assert err.getvalue().splitlines() == [
        "Next: credly --profile second sync, or: credly --profile second grants --state held",
        "Another credly is at work.",
        "credly sync --profile NAME",
    ]


# Hostile text


HOSTILE = {
    "colour": ("a\x1b[31mb", r"a\x1b[31mb"),
    "a link": ("\x1b]8;;https://evil.test\x07click\x1b]8;;\x07", r"\x1b]8;;https://evil.test\x07click\x1b]8;;\x07"),
    "the clipboard": ("\x1b]52;c;ZXZpbA==\x07", r"\x1b]52;c;ZXZpbA==\x07"),
    "the title": ("\x1b]0;owned\x1b\\", "\\x1b]0;owned\\x1b\\"),
    "C1": ("a\x9b31mb\x85", r"a\x9b31mb\x85"),
    "bell and backspace": ("abc\x07\x08\x08", r"abc\x07\x08\x08"),
    "NUL and DEL": ("a\x00b\x7f", r"a\x00b\x7f"),
    "right to left": ("invoice\u202efdp.exe", r"invoice\u202efdp.exe"),
    "isolates": ("a\u2066b\u2069", r"a\u2066b\u2069"),
    "zero width": ("pay\u200bpal\ufeff\u2060", r"pay\u200bpal\ufeff\u2060"),
    "lines": ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
    "tags": ("a\U000e0041b", r"a\U000e0041b"),
    "a lone surrogate": ("a\ud800b", r"a\ud800b"),
    "markup": (
        "[red]a[/] [bold [link=https://evil.test]x[/link] [/",
        "[red]a[/] [bold [link=https://evil.test]x[/link] [/",
    ),
    "emoji": (":smile: \U0001f600 \u00e9 \u4e2d", ":smile: \U0001f600 \u00e9 \u4e2d"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_is_shown_and_never_obeyed(kind: str) -> None:
    """Scenarios 63 and 64."""
    text, safe = HOSTILE[kind]
    assert visible(text) == safe
    assert shown({**ROW, "name": text}).split("\t")[1] == safe
    assert next(csv.reader([shown({**ROW, "name": text}, as_csv=True).splitlines()[1]]))[1] == safe
    assert safe in shown({**ROW, "name": text}, terminal=True, COLUMNS="200", NO_COLOR="1")
    out, err = Terminal(), Terminal()
    output = Output(out, err, {"NO_COLOR": "1"})
    output.confirm(text)
    output.note(text)
    output.warn(text)
    assert (out.getvalue(), err.getvalue()) == (f"{safe}\n", f"{safe}\nWarning: {safe}\n")


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_survives_json(kind: str) -> None:
    out = StringIO()
    Output(out, StringIO(), {}, as_json=True).json({"name": HOSTILE[kind][0]})
    assert out.getvalue().isascii()
    assert out.getvalue().replace("\n", "").isprintable()
    assert json.loads(out.getvalue()) == {"name": HOSTILE[kind][0]}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "\t=", "\n=", "\r", "\uff1d", "\uff20", "  @"])
def test_a_spreadsheet_runs_no_cell(start: str) -> None:
    """Scenario 62."""
    text = f'{start}cmd|"/c calc"!A1'
    assert spreadsheet_safe(text).startswith("'")
    row = next(csv.reader([shown({**ROW, "name": text}, as_csv=True).splitlines()[1]]))
    assert row[1] == f"'{visible(text)}"


def test_an_honest_cell_is_left_as_it_is() -> None:
    assert spreadsheet_safe("Level 1 = good") == "Level 1 = good"


@pytest.mark.parametrize(
    ("address", "opens"),
    [
        ("https://credly.test/x", True),
        ("http://credly.test", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("https://credly.test/ x", False),
        ("https://credly.test/\x1b\\", False),
        ("", False),
    ],
)
def test_only_addresses_of_the_web_are_opened(address: str, opens: bool) -> None:
    assert is_web_address(address) is opens


@pytest.mark.sampled
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_badge_comes_through_the_whole_program_unharmed(desk: Desk, kind: str) -> None:
    text, safe = HOSTILE[kind]
    desk.connect()
    desk.sandbox.change_template(desk.badge_id(FIRST_AID), name=text)
    desk.json("sync")
    kept = text.replace("\ud800", "?")
    assert kept in [badge["name"] for badge in desk.json("badges")]
    assert safe.replace(r"\ud800", "?") in desk.run("badges").out
    error = desk.run("link", text, "nothing", terminal=True, environ={"NO_COLOR": "1"})
    assert error.code == 5
    assert "\x1b" not in error.err
    assert "\u202e" not in error.err


def test_what_credly_says_is_no_more_trusted(desk: Desk) -> None:
    desk.sandbox.faults.add(faults.answers(403, b'{"data": {"message": "\\u001b[31mred [/] \\u202e"}}'), times=None)
    ran = desk.run("connect", "--token-stdin", stdin="x", terminal=True, environ={"NO_COLOR": "1"})
    assert r"\x1b[31mred [/] \u202e" in ran.err
    assert "\x1b" not in ran.err


# The real thing


def installed(home: Path, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[bytes]":
    environ = variables(home, options.pop("environ", {}))
    return subprocess.run([*PROGRAM, *arguments], env=environ, check=False, timeout=60, **options)  # noqa: S603


@pytest.mark.further
def test_a_stream_that_lacks_a_letter_shows_it_as_an_escape(connected: Desk) -> None:
    ran = installed(connected.home, "badges", environ={"PYTHONIOENCODING": "ascii"}, capture_output=True)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert rb"Data Literacy \u2013 Level 1" in ran.stdout


def test_output_by_itself_does_not_break_on_a_narrow_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    written = BytesIO()
    narrow = TextIOWrapper(written, "ascii")
    monkeypatch.setattr(sys, "stdout", narrow)
    Output(stderr=StringIO()).confirm("\u2013")
    narrow.flush()
    assert written.getvalue() == b"\\u2013\n"


@pytest.mark.further
@pytest.mark.parametrize(("environ", "escapes"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_on_a_real_terminal_there_is_a_table_in_the_colours_that_it_wants(
    connected: Desk, environ: dict[str, str], escapes: bool
) -> None:
    ours, theirs = pty.openpty()
    ran = installed(connected.home, "badges", environ={"TERM": "xterm", "COLUMNS": "100", **environ}, stdout=theirs)
    os.close(theirs)
    text = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:
            break
        text += chunk
    os.close(ours)
    assert ran.returncode == 0
    assert b"Badge" in text.splitlines()[0]
    assert (b"\x1b" in text) is escapes


@pytest.mark.further
def test_a_reader_that_goes_away_ends_it_quietly(connected: Desk) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = installed(connected.home, "badges", stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (0, b"")


# How far a long work is


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show a bar at once and at every word."""
    monkeypatch.setattr("credly_cli.progress._SHOWN_AFTER", 0.0)
    monkeypatch.setattr("credly_cli.progress._BETWEEN", 0.0)


def worked(output: Output) -> str:
    with output.progress("Grants") as progress:
        progress.at(1_250, 3_000)
        progress.at(1_300, 3_000)
    return str(output.stderr.getvalue())  # type: ignore[attr-defined]


def test_a_work_of_less_than_a_second_shows_no_bar() -> None:
    assert worked(Output(Terminal(), Terminal(), {})) == ""


@pytest.mark.usefixtures("impatient")
def test_the_bar_of_grants_counts_the_answers(connected: Desk) -> None:
    connected.json("link", "First Aid at Work", "first-aid")
    connected.pass_time(minutes=1)
    now = connected.clock.now().isoformat()
    for email in (ROBIN, "kim@example.com"):
        connected.learns(f"{email},first-aid,first-aid-march,completed,{now},Robin,Sample")
    shown = connected.run("sync", terminal=True).err
    assert "2 of 2" in shown
    assert "3 of " not in shown


@pytest.mark.usefixtures("impatient")
def test_a_work_of_over_a_second_shows_on_a_terminal_what_is_done_of_what() -> None:
    shown = worked(Output(Terminal(), Terminal(), {"COLUMNS": "80"}))
    assert "Grants" in shown
    assert "1,300 of 3,000" in shown


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "output",
    [
        Output(Terminal(), StringIO(), {}),
        Output(Terminal(), Terminal(), {}, quiet=True),
        Output(Terminal(), Terminal(), {}, as_json=True),
        Output(Terminal(), Terminal(), {"TERM": "dumb"}),
    ],
    ids=["no terminal", "quiet", "json", "dumb"],
)
def test_there_is_no_bar_where_nobody_waits(output: Output) -> None:
    assert worked(output) == ""
