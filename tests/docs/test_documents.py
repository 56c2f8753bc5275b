"""The documents do not rot: every command in them runs, and the reference is what the program says of itself."""

import os
import re
import shlex
import signal
import subprocess
import sys
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
import typer

from credly_cli.app import app
from credly_cli.config import KEYS, load

ROOT = Path(__file__).resolve().parents[2]
README, DOCS = ROOT / "README.md", ROOT / "docs"
FIRST = DOCS / "how-to" / "first-set-up.md"
PAGES = sorted([README, ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")])
BY_THEMSELVES = ("first-set-up", "moving-from-the-native-integration")  # the other pages go on where the first one ends
FROM_NOTHING = ("from-a-record-store",)  # with stand-ins of its own, in a test of its own
_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_SHOWN = re.compile(r"^```text\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FIVE_MINUTES = re.compile(r"^## Your first badge.*?(?=^## )", re.MULTILINE | re.DOTALL)
_IN_A_SENTENCE = re.compile(r"`(credly [^`\n]+)`")
_ELSEWHERE = re.compile(r"^(exec )?(sudo|make) ", re.MULTILINE)  # a command of its own, not a word in a comment
_COMMANDS = {str(command.name): command for command in app.registered_commands}
GROUP: Any = typer.main.get_command(app)  # made once, which takes 10 ms
_INSTALLING = ("python3 -m venv", ". ~/credly-venv", "pip install")


def all_blocks_of(text: str) -> list[str]:
    """Return the blocks of commands of a text as somebody copies them."""
    return [re.sub(r"^ {3}", "", block, flags=re.MULTILINE) for block in _BLOCK.findall(text)]


def blocks_of(text: str) -> str:
    """Return the commands of a text, without blocks that call make or change the whole machine (test_server.py)."""
    return "".join(block for block in all_blocks_of(text) if not _ELSEWHERE.search(block))


def follow(commands: str, home: Path, folder: Path) -> str:
    """Let a shell run the commands in an empty home until one fails; returns what it showed."""
    folder.mkdir(exist_ok=True)
    path = f"{Path(sys.executable).parent}:{os.defpath}"
    environment = {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8"}
    script = f"trap 'kill $(jobs -p) 2>/dev/null || :; wait' EXIT\n{commands}"
    with subprocess.Popen(  # noqa: S603 - our own pages
        ["/bin/bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    ) as shell:  # fmt: skip
        try:
            shown, _ = shell.communicate(timeout=300)
        finally:  # whatever ends this test, nothing that the page started goes on
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, f"{commands}\n{shown}"
    return shown


@pytest.mark.slow
def test_the_readme_leads_from_nothing_to_the_first_badge(tmp_path: Path) -> None:
    section = _FIVE_MINUTES.search(README.read_text(encoding="utf-8"))
    assert section is not None
    lines = blocks_of(section[0]).splitlines(keepends=True)
    assert [line for line in lines if line.startswith(_INSTALLING)] == lines[: len(_INSTALLING)]
    shown = follow("".join(lines[len(_INSTALLING) :]), tmp_path, tmp_path)
    assert "Grants: 1 planned, 1 issued." in shown
    assert re.search(r"First Aid at Work\tFirst Aid Course\t2025-03-01T08:00:00Z\t\S+\tpending", shown), shown
    assert [path.name for path in tmp_path.rglob("credly.db*")] == [], "the last step takes everything away"


def starting_points(page: Path) -> str:
    """Return what the documents say comes before a page."""
    stand_in = blocks_of((DOCS / "README.md").read_text(encoding="utf-8"))
    return stand_in if page.stem in BY_THEMSELVES else stand_in + blocks_of(FIRST.read_text(encoding="utf-8"))


def commands_after_the_first_badge(page: Path) -> str:
    text = page.read_text(encoding="utf-8")
    return blocks_of(_FIVE_MINUTES.sub("", text) if page == README else text)


WITH_COMMANDS = [
    page
    for page in PAGES
    if page != DOCS / "README.md" and page.stem not in FROM_NOTHING and commands_after_the_first_badge(page)
]


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.stem)
def test_a_page_can_be_followed_to_the_letter(page: Path, tmp_path: Path) -> None:
    shown = follow(starting_points(page) + commands_after_the_first_badge(page), tmp_path, tmp_path / "here")
    for line in shown_on(page):
        assert f"{line}\n" in shown, line


def shown_on(page: Path) -> list[str]:
    """Return the lines that a page shows as what commands answer."""
    return [line for block in _SHOWN.findall(page.read_text(encoding="utf-8")) for line in block.splitlines()]


@pytest.mark.slow
def test_a_badge_is_issued_from_a_statement_of_a_record_store(tmp_path: Path) -> None:
    page = DOCS / "how-to" / f"{FROM_NOTHING[0]}.md"
    shown = follow(blocks_of(page.read_text(encoding="utf-8")), tmp_path, tmp_path)
    assert "Grants: 1 planned, 1 issued." in shown
    assert re.search(r"First Aid at Work\tFirst Aid Course\t", shown), shown


def words_of(line: str) -> list[str]:
    """Return the words of a line after the program's name, without what is the shell's."""
    return shlex.split(re.split(r" (?:<|>|\||&&) ?", line.replace("\\", ""))[0], comments=True)[1:]


def parse(line: str) -> None:
    """Let the program take a line apart as it does when it runs; fails where an argument or a value is wrong."""
    words = words_of(line)
    with GROUP.make_context("credly", words, resilient_parsing=False) as context:
        rest = [*context._protected_args, *context.args]
        command = GROUP.commands[rest[0]]
        command.make_context(rest[0], rest[1:], parent=context)


TOLD = sorted({told for page in PAGES for told in _IN_A_SENTENCE.findall(page.read_text(encoding="utf-8"))})


@pytest.mark.parametrize("told", TOLD)
def test_a_command_within_a_sentence_has_its_name_options_and_arguments(told: str) -> None:
    words = words_of(told)
    name = next((word for word in words if not word.startswith("-")), None)
    assert name is None or name in GROUP.commands or name.isupper(), told
    parameters = [*GROUP.params, *(GROUP.commands[name].params if name in GROUP.commands else ())]
    known = {option for parameter in parameters for option in parameter.opts} | {"--help"}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known
    if name in GROUP.commands and len(words) > 1 and "--help" not in words:
        parse(told.replace("GRANT...", "1 2").replace("GRANT", "1"))


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_command_has_a_sentence_and_an_example_that_it_takes(name: str) -> None:
    function = _COMMANDS[name].callback
    assert function is not None
    words = function.__doc__ or ""
    example = re.search(rf"Example: (credly {name}\b[^\n]*)", words)
    assert example is not None
    parse(example[1].strip().rstrip("."))
    assert (ROOT / "docs" / "reference.md").read_text(encoding="utf-8").count(f"### credly {name}\n") == 1


LOCKED = f"typer=={typer.__version__}\n" in (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")


@pytest.mark.skipif(not LOCKED, reason="the words of help are those of the locked version of Typer")
@pytest.mark.parametrize("script", ["reference.py", "man_page.py"])
def test_the_reference_and_the_man_page_are_what_the_program_says(script: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, ROOT / "scripts" / script, "--check"],
        cwd=ROOT,
        check=False,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, "run: make reference"


def test_the_sample_configuration_shows_every_key_with_its_default() -> None:
    sample = ROOT / "sample_config.toml"
    settings = load(sample, "default", required=True)
    text = sample.read_text(encoding="utf-8")
    for key in KEYS:
        found = attrgetter(key.name)(settings)
        assert (list(found) if isinstance(found, tuple) else found) == key.default
        assert re.search(rf"^(# )?{key.name.rpartition('.')[2]} = ", text, re.MULTILINE), key.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_between_the_documents_leads_somewhere(page: Path) -> None:
    for target, _, heading in (link.partition("#") for link in _LINK.findall(page.read_text(encoding="utf-8"))):
        there = page.parent / target if target else page
        assert there.exists(), target
        if heading:
            assert heading in headings_of(there), f"{target}#{heading}"


_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)")


def headings_of(page: Path) -> set[str]:
    """Return the names by which the headings of a page are linked to."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    lines = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}
