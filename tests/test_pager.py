"""A list that is longer than the terminal goes through a pager; nothing else does."""

import fcntl
import os
import pty
import struct
import termios
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import IO

import pytest

from credly_cli.commands.missed import _show_groups
from credly_cli.credly.records import BadgeBrief
from credly_cli.output import Column, Output
from credly_cli.reports.missed import Miss
from credly_cli.store.content import ContentBrief
from credly_cli.store.facts import Facts
from credly_cli.store.links import Pair
from tests.support.desk import Desk

LINES = 24
COLUMNS = (Column("Id", "id", whole=True), Column("Name", "name"))


@dataclass
class Screen:
    """A terminal of 24 lines, and pagers that put what they are given into files instead of showing it."""

    folder: Path
    keyboard: int
    stream: IO[str]

    def pager(self, name: str) -> str:
        return f"sh -c 'cat > {self.folder / name}'"

    def output(self, **environ: str) -> Output:
        path = {"PATH": os.environ["PATH"], "NO_COLOR": "1"}
        return Output(self.stream, StringIO(), {**path, **environ})

    def paged(self, name: str) -> str | None:
        file = self.folder / name
        return file.read_text() if file.exists() else None

    def seen(self) -> str:
        """Return what came on the screen itself."""
        os.set_blocking(self.keyboard, False)
        seen = b""
        while True:
            try:
                seen += os.read(self.keyboard, 1_000_000)
            except BlockingIOError:
                return seen.decode()


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    keyboard, terminal = pty.openpty()
    tty.setraw(terminal)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, 80, 0, 0))
    with os.fdopen(terminal, "w") as stream:
        yield Screen(tmp_path, keyboard, stream)
    os.close(keyboard)


def show(output: Output, number: int, *, as_csv: bool = False) -> None:
    rows = [{"id": f"id-{one}", "name": f"Name {one}"} for one in range(number)]
    output.listing(COLUMNS, rows, empty="", as_csv=as_csv)
    output.stdout.flush()


def test_a_list_longer_than_the_terminal_goes_through_the_pager(screen: Screen) -> None:
    show(screen.output(PAGER=screen.pager("pager")), LINES)
    paged = screen.paged("pager")
    assert paged is not None
    assert len(paged.splitlines()) == LINES + 1
    assert "id-23" in paged
    assert screen.seen() == ""


def test_a_list_that_fits_is_shown_as_it_is(screen: Screen) -> None:
    show(screen.output(PAGER=screen.pager("pager")), LINES - 2)
    assert screen.paged("pager") is None
    assert "id-21" in screen.seen()


def test_the_programs_own_variable_goes_before_the_common_one(screen: Screen) -> None:
    show(screen.output(PAGER=screen.pager("pager"), CREDLY_PAGER=screen.pager("own")), LINES)
    assert (screen.paged("pager"), screen.paged("own") is not None) == (None, True)


@pytest.mark.parametrize("pager", ["no-such-pager-anywhere", "'less", "/"])
def test_a_pager_that_cannot_be_started_does_not_swallow_the_list(screen: Screen, pager: str) -> None:
    show(screen.output(PAGER=pager), LINES)
    assert "id-23" in screen.seen()


@pytest.mark.parametrize("how", ["no-pager", "quiet", "dumb", "csv"])
def test_no_pager_where_it_is_not_wanted(screen: Screen, how: str) -> None:
    output = screen.output(PAGER=screen.pager("pager"), **({"TERM": "dumb"} if how == "dumb" else {}))
    output.pages, output.quiet = how != "no-pager", how == "quiet"
    show(output, LINES, as_csv=how == "csv")
    assert screen.paged("pager") is None
    assert "id-23" in screen.seen()


def test_no_pager_in_a_pipe(screen: Screen) -> None:
    output = Output(StringIO(), StringIO(), {"PATH": os.environ["PATH"], "PAGER": screen.pager("pager")})
    show(output, 100)
    assert screen.paged("pager") is None
    assert isinstance(output.stdout, StringIO)
    assert output.stdout.getvalue().count("\n") == 100


def missed(number: int) -> Miss:
    """Return a completion that earned nothing, of one of three badges."""
    badge_id = str(number % 3)
    known = Facts(
        learner=number, learner_id=None, email=f"ada{number}@example.org", first_name="Ada", last_name="King",
        badge_id=badge_id, once=True, content_id="c", session_id="", completed_at="2026-03-02T09:30:00Z",
        completed_latest="2026-03-02T09:30:00Z", links=(),
    )  # fmt: skip
    return Miss(
        Pair(BadgeBrief(badge_id, f"Badge {badge_id}", None), ContentBrief("c", "A course", None), True),
        known,
        "before-link",
    )


def test_groups_go_through_the_pager_as_a_whole(screen: Screen) -> None:
    """A list of several parts is one for who reads it, though each part would fit."""
    rows = [missed(number) for number in range(30)]
    _show_groups(screen.output(PAGER=screen.pager("pager")), rows)
    paged = screen.paged("pager")
    assert paged is not None
    assert paged.count(", for A course: 10 completions") == 3
    assert screen.seen() == ""


def test_what_is_noted_between_lists_stands_between_them_in_the_pager(screen: Screen) -> None:
    output = screen.output(PAGER=screen.pager("pager"))
    output.stderr = output.stdout
    with output.as_one():
        output.print("Nothing first")
        output.listing(COLUMNS, [], empty="There is none.")
        show(output, LINES)
    paged = screen.paged("pager")
    assert paged is not None
    assert paged.splitlines()[:2] == ["Nothing first", "There is none."]
    assert screen.seen() == ""


@pytest.mark.parametrize("command", ["explain", "learner-badges", "widget", "report"])
def test_what_is_shown_in_several_parts_goes_through_the_pager_as_a_whole(
    command: str, connected: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected.json("link", "First Aid at Work", "first-aid")
    connected.pass_time(minutes=1)
    connected.learns("ada@example.org,first-aid,first-aid-march,completed,2026-03-02T09:31:00Z,Ada,King")
    connected.json("sync")
    words = (command,) if command == "report" else (command, "ada@example.org")
    whole = connected.run(*words, terminal=True, environ={"NO_COLOR": "1"}).out
    monkeypatch.setattr(Output, "_height", lambda _: 4)
    pager = {"PAGER": f"sh -c 'cat > {tmp_path / 'paged'}'", "PATH": os.environ["PATH"], "NO_COLOR": "1"}
    assert connected.run(*words, terminal=True, environ=pager).out == ""
    assert whole.strip().splitlines()[-1] in (tmp_path / "paged").read_text()
