"""Completion in the three shells, by the installed program: offline, silent, and safe whatever a badge is called."""

import os
import pty
import re
import select
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.desk import Desk

PROGRAM = Path(sys.executable).with_name("credly")
HOSTILE = [
    "$(touch hacked)",
    "`touch hacked`",
    "a'; touch hacked; '",
    'b"$(touch hacked)"',
    "c\\$(touch hacked)",
    "d\nx",
]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not PROGRAM.exists(), reason="the program is not installed")]


def run(desk: Desk, command: list[str], **environ: str) -> "subprocess.CompletedProcess[str]":
    path = f"{PROGRAM.parent}:{os.environ['PATH']}"
    variables = {"CREDLY_HOME": str(desk.home), "PATH": path, "HOME": str(desk.home), "LC_ALL": "C.UTF-8", **environ}
    return subprocess.run(  # noqa: S603 - our own program and shells
        command, env=variables, cwd=desk.home, capture_output=True, text=True, check=False, timeout=60
    )


def asked(desk: Desk, shell: str, line: str, **environ: str) -> str:
    """Ask as Typer's own scripts do."""
    words = {"_TYPER_COMPLETE_ARGS": line}
    if shell == "bash":
        words = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    told = {"_CREDLY_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    ran = run(desk, [str(PROGRAM)], **words, **told, **environ)
    assert ran.stderr == ""
    return ran.stdout


def in_shell(desk: Desk, shell: str, line: str) -> list[str]:
    """Load the program's script into a real shell, and complete a line there."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not here")
    script = run(desk, [str(PROGRAM)], _CREDLY_COMPLETE=f"source_{shell}").stdout
    (desk.home / f"script.{shell}").write_text(script)
    ask = {
        "bash": 'source script.bash; _credly_completion credly; printf "%s\\n" "${COMPREPLY[@]}"',
        "zsh": "compdef() { }; _files() { };"
        ' _arguments() { print -r -- "${1#\\*: :}" | sed \'s/" "/"\\n"/g\' | tr -d \'()"\' | sed "s/:.*//" };'
        " source script.zsh;"
        ' words=("$LINE"); CURRENT=1; _credly_completion',
        "fish": 'source script.fish; complete -C "$LINE"',
    }[shell]
    if shell == "bash":  # it breaks words at @, : and = too, and puts the place of the cursor beside them
        words = [word for word in re.split(r"([@:=])|\s", line) if word] + ([""] if line.endswith(" ") else [])
        ask = f"COMP_WORDS=({' '.join(map(shlex.quote, words))}); COMP_CWORD={len(words) - 1}; {ask}"
    ran = run(desk, [shell, "-c", ask], LINE=line)
    assert ran.stderr == ""
    return [word.partition("\t")[0] for word in ran.stdout.splitlines()]


def with_slugs(desk: Desk, *slugs: str) -> None:
    """Give badges other slugs, which like everything in the store come from elsewhere."""
    with sqlite3.connect(desk.home / "credly.db") as connection:
        ids = [row[0] for row in connection.execute("SELECT id FROM badges WHERE listed ORDER BY name, id")]
        for identity, slug in zip(ids, slugs, strict=False):
            connection.execute("UPDATE badges SET slug = ? WHERE id = ?", (slug, identity))
    connection.close()


SHELLS = pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])


@SHELLS
def test_commands_and_options_are_offered(connected: Desk, shell: str) -> None:
    assert "learner-badges" in asked(connected, shell, "credly learner")
    assert "--allow-shrink" in asked(connected, shell, "credly sync --allow")


@SHELLS
def test_slugs_ids_and_addresses_from_the_store_are_offered(connected: Desk, shell: str) -> None:
    connected.learns("anna@example.com,hygiene,,started,,Anna,Adler")
    assert "first-aid-at-work" in asked(connected, shell, "credly link ")
    assert "hygiene" in asked(connected, shell, "credly link x ")
    assert "anna@example.com" in asked(connected, shell, "credly learner-badges ")
    assert "anna@example.com" in asked(connected, shell, "credly grants --email ")
    assert "uncertain" in asked(connected, shell, "credly grants --state ")
    assert "pt-BR" in asked(connected, shell, "credly widget --lang p")
    assert "de" in asked(connected, shell, "credly learner-badges anna@example.com --lang ")
    identity = connected.badge_id("First Aid at Work")
    assert identity in asked(connected, shell, f"credly unlink {identity[:6]}")


@SHELLS
@pytest.mark.parametrize("begun", ["anna", "anna@", "anna@ex"])
def test_an_address_is_completed_at_and_beyond_its_at_sign(connected: Desk, shell: str, begun: str) -> None:
    connected.learns("anna@example.com,hygiene,,started,,Anna,Adler")
    done = begun[: begun.find("@") + 1] if shell == "bash" else ""  # bash replaces what comes after it
    for line in (f"credly learner-badges {begun}", f"credly grants --email {begun}", f"credly grant {begun}"):
        assert in_shell(connected, shell, line) == ["anna@example.com".removeprefix(done)]


def test_bash_completes_the_value_behind_an_equals_sign(connected: Desk) -> None:
    connected.learns("anna@example.com,hygiene,,started,,Anna,Adler")
    assert in_shell(connected, "bash", "credly grants --email=an") == ["anna@example.com"]
    assert in_shell(connected, "bash", "credly grants --email=anna@e") == ["example.com"]
    assert in_shell(connected, "bash", "credly grants --state=unc") == ["uncertain"]


@SHELLS
def test_what_is_no_plain_word_is_never_offered(connected: Desk, shell: str) -> None:
    with_slugs(connected, *HOSTILE)
    found = in_shell(connected, shell, "credly link ")
    assert len(found) > 1
    assert all(re.fullmatch(r"[\w@.+-]+", word, re.ASCII) for word in found)
    if shell == "bash":
        for word in found:  # what the shell makes of each word that it may put on the line
            run(connected, ["bash", "-c", f"true {word}"])
    assert not (connected.home / "hacked").exists()


@SHELLS
@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("credly report --html pa", True),
        ("credly import learners ", True),
        ("credly grant --from ", True),
        ("credly connect --token-file ", True),
        ("credly sync --only ", False),
        ("credly unlink first-aid", False),
    ],
)
def test_files_are_offered_where_files_are_taken_and_not_in_place_of_names(
    connected: Desk, shell: str, line: str, files: bool
) -> None:
    told = {"_CREDLY_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": line}
    bash = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    ran = run(connected, [str(PROGRAM)], **told, **bash, _TYPER_COMPLETE_FISH_ACTION="is-args")
    offered = {"bash": ran.stdout == "\n", "zsh": "_files" in ran.stdout, "fish": ran.returncode == 1}[shell]
    assert offered == files


def installed(desk: Desk, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not here")
    ran = run(desk, [shell, "-c", "credly --install-completion; true"])
    assert f"{shell} completion installed" in ran.stdout, ran


@SHELLS
def test_completion_installs_itself_in_each_shell(connected: Desk, shell: str) -> None:
    installed(connected, shell)


def test_zsh_answers_in_a_new_shell(connected: Desk) -> None:
    installed(connected, "zsh")
    child, terminal = pty.fork()
    if child == 0:
        path = f"{PROGRAM.parent}:{os.environ['PATH']}"
        os.execvpe("zsh", ["zsh", "-i"], {"HOME": str(connected.home), "PATH": path, "TERM": "dumb"})  # noqa: S606, S607
    try:
        read_until(terminal, b"\x1b[?2004h")  # it takes input now
        os.write(terminal, b"credly unl\t\t")  # the first TAB loads the script
        read_until(terminal, b"ink ")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


def read_until(terminal: int, wanted: bytes) -> None:
    shown = b""
    while wanted not in shown:
        assert select.select([terminal], [], [], 20)[0], shown
        shown += os.read(terminal, 4096)


@SHELLS
def test_badges_with_one_slug_are_offered_by_id(connected: Desk, shell: str) -> None:
    with_slugs(connected, "twin", "twin")
    out = asked(connected, shell, "credly link ")
    assert "twin" not in out


@SHELLS
@pytest.mark.parametrize("trouble", ["absent", "damaged", "newer"])
def test_a_shell_hears_nothing_of_a_broken_store_or_configuration(desk: Desk, shell: str, trouble: str) -> None:
    if trouble == "damaged":
        (desk.home / "credly.db").write_bytes(b"no database" * 1000)
    if trouble == "newer":
        sqlite3.connect(desk.home / "credly.db").execute("PRAGMA user_version = 99").connection.close()
    desk.config("this is no toml")
    nothing = {"bash": "", "zsh": "_files", "fish": ""}[shell]
    assert asked(desk, shell, "credly link ").strip() == nothing


def test_the_profile_on_the_line_is_the_one_that_is_asked(connected: Desk) -> None:
    assert asked(connected, "fish", "credly --profile other link ").strip() == ""
    assert "first-aid-at-work" in asked(connected, "fish", "credly --profile default link ")


def test_completion_changes_nothing(connected: Desk) -> None:
    before = {path.name: path.read_bytes() for path in connected.home.iterdir()}
    asked(connected, "bash", "credly link ")
    assert {path.name: path.read_bytes() for path in connected.home.iterdir() if path.name in before} == before


HEAVY = ("requests", "rich", "sqlite_utils", "pydantic", "urllib3", "jinja2")
LOADED = f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
COUNTED = f"import atexit, sys; atexit.register(lambda: {LOADED})\nfrom credly_cli.__main__ import main; main()"


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (["--version"], {}),
        (["status"], {}),
        (["--help"], {}),
        (["profiles", "--json"], {}),
        ([], {"_CREDLY_COMPLETE": "complete_fish", "_TYPER_COMPLETE_ARGS": "credly link f"}),
        ([], {"_CREDLY_COMPLETE": "complete_bash", "COMP_WORDS": "credly link ", "COMP_CWORD": "2"}),
    ],
)
def test_what_must_answer_at_once_loads_nothing_heavy(
    connected: Desk, arguments: list[str], environ: dict[str, str]
) -> None:
    script = connected.home / "credly"  # named like the program, for the shell's variable is made of that
    script.write_text(COUNTED)
    ran = run(connected, [sys.executable, str(script), *arguments], _TYPER_COMPLETE_FISH_ACTION="get-args", **environ)
    assert ran.stderr.splitlines()[-1] == "[]"
    assert ran.stdout
