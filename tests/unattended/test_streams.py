"""Streams that are closed, full or gone: one sentence and an exit code, never a traceback or a word of Python's."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.desk import Desk
from tests.support.installed import first_line, variables

pytestmark = pytest.mark.slow

SLOW_TO_READ = """
import sys, time
from credly_cli.__main__ import main

class Slow:
    def find_spec(self, name, *_):
        if name == "credly_cli.app":
            print("reading", flush=True)
            time.sleep(600)

sys.meta_path.insert(0, Slow())
main()
"""


def in_a_shell(home: Path, line: str) -> "subprocess.CompletedProcess[str]":
    """Run a line of a shell in which `credly` is the program."""
    return subprocess.run(  # noqa: S602 - the shell's redirections are what is tried
        f'credly() {{ "{sys.executable}" -m credly_cli "$@"; }}; {line}',
        shell=True, capture_output=True, text=True, check=False, timeout=60,
        env=variables(home),
    )  # fmt: skip


@pytest.mark.parametrize("command", ["badges", "badges --json", "status", "--version", "badges --help"])
def test_output_that_cannot_be_written_is_one_sentence_and_74(connected: Desk, command: str) -> None:
    ran = in_a_shell(connected.home, f"credly {command} >/dev/full")
    assert ran.returncode == 74
    if "--json" not in command:
        assert "Error: The output cannot be written: No space left on device.\n" in ran.stderr
        assert "Traceback" not in ran.stderr
        assert "Exception" not in ran.stderr


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("credly badges >&-", 0),
        ("credly badges --json >&-", 0),
        ("credly badges 2>&-", 0),
        ("credly badges <&- >&- 2>&-", 0),
        ("credly nonsense 2>&-", 2),
        ("credly nonsense 2>/dev/full", 2),
        ("credly --profile new connect <&-", 2),
        ("credly --profile new connect --token-stdin <&-", 4),
        ("credly disconnect <&-", 2),
    ],
)
def test_a_closed_stream_is_as_good_as_dev_null(connected: Desk, line: str, code: int) -> None:
    ran = in_a_shell(connected.home, line)
    assert ran.returncode == code
    assert "Traceback" not in ran.stderr
    assert "Exception" not in ran.stderr


def test_no_file_of_ours_takes_the_place_of_a_closed_stream(connected: Desk) -> None:
    before = (connected.home / "credly.db.lock").read_text().splitlines()[0]
    assert in_a_shell(connected.home, "credly link 'First Aid at Work' first-aid >&- 2>&-").returncode == 0
    assert (connected.home / "credly.db.lock").read_text().splitlines()[0] == before
    assert [row["name"] for row in connected.json("badges") if row["content"]] == ["First Aid at Work"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 75)], ids=str)
def test_a_signal_while_the_program_is_still_read_from_disk_ends_it_silently(
    desk: Desk, number: signal.Signals, code: int
) -> None:
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", SLOW_TO_READ], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=variables(desk.home),
    ) as process:  # fmt: skip
        try:
            assert first_line(process.stdout) == "reading\n"
            process.send_signal(number)
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, err) == (code, "")
