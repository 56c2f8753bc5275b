"""Scenarios F 66-68: names that are SQL, patterns, shell or paths are names, and nothing else.

62-65 (spreadsheets, terminals, markup, pages) are tried where output is made: tests/test_output.py and
tests/learners.
"""

import re
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.desk import START, Desk

BADGE, OTHER_BADGE = "Facilitator", "Webinar Participant"
NAMES = {
    "a statement": "'; DROP TABLE grants; --",
    "a condition": "' OR '1'='1",
    "a double quote": '" OR ""="',
    "any text": "%a",
    "any letter": "_a",
    "a class of letters": "[a-z]*",
    "a backslash": "\\%a",
    "a parameter": ":id ?1 @x $y",
    "a comment": "/* */ -- x",
}
UNKNOWN = (
    ("learners", "x{}"),
    ("learner-badges", "{}@example.org"),
    ("widget", "{}@example.org"),
    ("explain", "{}@example.org"),
    ("explain", "a@example.org", "x{}"),
    ("grants", "--email", "{}@example.org"),
    ("grants", "--badge", "x{}"),
    ("grants", "--state", "{}"),
    ("missed", "x{}"),
    ("link", "x{}", "other"),
    ("link", OTHER_BADGE, "x{}"),
    ("unlink", "x{}"),
    ("grant", "{}@example.org", OTHER_BADGE),
    ("grant", "b@example.org", "x{}"),
    ("retry", "{}"),
    ("resolve", "{}", "--drop"),
    ("resolve", "1", "--issued", "{}"),
    ("forget", "{}@example.org", "--yes"),
    ("sync", "--only", "{}"),
)
NOW = START.strftime("%Y-%m-%dT%H:%M:%SZ")


def quoted(*cells: str) -> str:
    """Write a row of CSV."""
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\n"


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """A name that somebody hopes will be executed."""
    return NAMES[request.param]


@pytest.fixture(scope="module")
def named_once(name: str, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk where a badge, its content and a learner have that name, beside others of honest names."""
    desk = Desk(tmp_path_factory.mktemp("named"))
    desk.connect()
    desk.sandbox.change_template(desk.badge_id(BADGE), name=name)
    desk.json("sync")
    desk.imports("content", "content_id,title\n" + quoted(f"id {name}", name) + quoted("other", "Other"))
    people = quoted("a@example.org", f"n {name}", "Ada", name) + quoted("b@example.org", "7", "Ben", "Other")
    desk.imports("learners", "email,learner_id,first_name,last_name\n" + people)
    desk.json("link", name, name)
    desk.json("link", OTHER_BADGE, "other")
    rows = quoted("a@example.org", f"id {name}", "completed", NOW) + quoted("b@example.org", "other", "completed", NOW)
    desk.imports("progress", "email,content_id,status,completed_at\n" + rows)
    desk.json("sync")
    return desk


@pytest.fixture
def named(home: Path, named_once: Desk) -> Desk:
    """A copy of that desk."""
    return named_once.copied_to(home)


def contents(desk: Desk) -> dict[str, Any]:
    """Return what is in every table of the store, without its bookkeeping of runs and their numbers."""
    with closing(sqlite3.connect(f"file:{desk.home / 'credly.db'}?mode=ro", uri=True)) as store, store:
        assert store.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        tables = [row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: Counter(store.execute(f"SELECT * FROM {table}"))  # noqa: S608 - names that the store gave
            for table in tables
            if table not in ("runs", "bookmarks", "sqlite_sequence")
        }


@pytest.mark.further
def test_a_name_is_found_literally_and_nothing_else_is(named: Desk, name: str) -> None:
    """Scenario 66: every command that takes text, and the store is as it was."""
    before = contents(named)
    ada = {"email": "a@example.org", "first_name": "Ada", "last_name": name, "learner_id": f"n {name}"}
    found = named.json("learners", name)
    assert [{key: row[key] for key in ada} for row in found] == [ada]
    (grant,) = named.json("grants", "--badge", name)
    assert (grant["badge"]["name"], grant["content"]["title"], grant["state"]) == (name, name, "issued")
    assert [badge["badge"]["name"] for badge in named.json("explain", "a@example.org", name)["badges"]] == [name]
    assert named.json("missed", name) == []
    assert named.json("link", name, name)["changed"] is False
    assert contents(named) == before


@pytest.mark.further
def test_a_name_that_is_nobodys_finds_nothing_and_changes_nothing(named: Desk, name: str) -> None:
    """Scenario 66."""
    before = contents(named)
    for command in UNKNOWN:
        ran = named.run(*(word.format(name) for word in command), "--json")
        assert (ran.code in (2, 5, 6) and "error" in ran.json) or ran.json == [], (command, ran)
        assert contents(named) == before, command


@pytest.mark.sampled
def test_the_headers_of_a_file_are_columns_of_nothing(named: Desk, name: str) -> None:
    """Scenario 66: an unknown column is left aside, and one that is mapped is only read."""
    before = contents(named)
    header = quoted("email", name, "learner_id; DROP TABLE learners")
    named.imports("learners", header + quoted("b@example.org", "Ben", "7"), "--map", f"first_name={name}")
    assert contents(named) == before


def test_no_value_of_ours_stands_in_a_line_of_a_shell() -> None:
    """Scenario 67: the lines of cron and systemd are fixed texts, in which ``%`` would have a meaning of its own."""
    contrib = Path(__file__).parents[2] / "contrib"
    for path in (contrib / "cron").iterdir():
        lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
        assert lines
        assert not [line for line in lines if re.search(r"%|\$\(|`", line)]


@pytest.mark.sampled
@pytest.mark.parametrize("path", ["x" * 300, "file/x"], ids=["long", "below-a-file"])
@pytest.mark.parametrize(
    "command",
    [
        ("import", "learners"),
        ("connect", "--token-file"),
        ("learner-badges", "a@example.org", "--html"),
        ("widget", "a@example.org", "--html"),
        ("report", "--html"),
        ("missed", "--credly-upload"),
        ("grant", OTHER_BADGE, "--from"),
        ("sync", "--log-file"),
    ],
    ids=lambda command: command[0],
)
def test_a_file_name_that_cannot_be_is_refused_in_a_sentence(
    connected: Desk, command: tuple[str, ...], path: str
) -> None:
    """Scenario 68; a name with NUL in it is no argument of any program."""
    connected.learns(f"a@example.org,hygiene,,completed,{NOW},A,B")
    connected.pass_time(minutes=1)
    connected.json("link", OTHER_BADGE, "hygiene")
    connected.file("file", "")
    before = {path.name for path in connected.home.iterdir()}
    ran = connected.run(*command, str(connected.home / path))
    assert ran.code in (2, 3, 4, 74), ran
    assert ran.err.startswith("Error: ")
    assert "Traceback" not in ran.err
    assert {path.name for path in connected.home.iterdir()} - before <= {"credly.db-wal", "credly.db-shm"}


@pytest.mark.parametrize("pattern", ["a\\u0000b", "x" * 300, "../../no/such/*.csv", "**/../../x"])
def test_a_pattern_that_cannot_be_finds_no_file_and_says_so(connected: Desk, pattern: str) -> None:
    """Scenario 68, R33: the configuration can hold what no argument can."""
    connected.config(f'[lms]\nsource = "files"\n[lms.files]\nlearners = ["{pattern}"]\n')
    ran = connected.run("sync", "-q")
    assert ran.code == 3, ran
    assert ran.err.startswith("credly sync: No file matches "), ran
    assert len(ran.err.splitlines()) == bool(ran.code)


@pytest.mark.parametrize("profile", ["../other", "/other", "x" * 300, "..", "a/b", ".hidden"])
def test_a_profile_is_never_a_path(desk: Desk, profile: str) -> None:
    """Scenario 68: its name becomes the name of a folder."""
    assert desk.run("status", "--profile", profile).code in (2, 78)
    assert list(desk.home.parent.rglob("other")) == []
