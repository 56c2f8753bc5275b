"""The documents do not rot: every command in them runs, and the reference is what the program says of itself."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from credly_cli.app import app
from credly_cli.config import KEYS, load
from tests.desk import URL, Desk

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
_BLOCK = re.compile(r"^ *```console\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_COMMANDS = {str(command.name): command for command in app.registered_commands}

FILES = {
    "courses.csv": "content_id,title,type\nfirst-aid,First Aid Course,course\nhygiene,Kitchen Hygiene,article\n",
    "people.csv": "email,first_name,last_name\nada@example.org,Ada,Lovelace\nbob@example.org,Bob,Stone\n",
    "completions.csv": "email,content_id,status,completed_at\n"
    "ada@example.org,first-aid,completed,2026-03-01T08:00:00Z\nbob@example.org,first-aid,enrolled,\n",
    "portal.csv": "Login,Course,Finished\nada@example.org,Kitchen Hygiene,01/03/2026\n",
}


def commands_of(page: Path) -> list[str]:
    lines = "".join(_BLOCK.findall(page.read_text(encoding="utf-8"))).splitlines()
    told = [line.strip().removeprefix("$ ").partition("  #")[0].strip() for line in lines]
    return [line for line in told if line.startswith("credly ")]


@pytest.fixture
def reader(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk with the files that the documents speak of, in the folder where their reader stands."""
    for name, text in FILES.items():
        desk.file(name, text)
    monkeypatch.chdir(desk.home)
    desk.environ["CREDLY_API_URL"] = URL
    return desk


@pytest.mark.parametrize("page", [page for page in PAGES if commands_of(page)], ids=lambda page: page.stem)
def test_every_command_of_a_page_runs(reader: Desk, page: Path) -> None:
    lines = commands_of(page)
    if not lines[0].startswith("credly connect"):
        for line in ("connect --token-stdin", "sync", "import content courses.csv", "import learners people.csv",
                     'link "First Aid at Work" first-aid', "import progress completions.csv"):  # fmt: skip
            assert reader.run(*shlex.split(line), stdin=reader.sandbox.token).code == 0
    for line in lines:
        _, *arguments = shlex.split(line.partition(" < ")[0])
        if arguments[0] in ("demo", "sandbox") or arguments[0] not in _COMMANDS:
            continue  # the demo has tests of its own, the sandbox does not end
        if arguments == ["connect"]:
            arguments.append("--token-stdin")
        if arguments == ["disconnect"]:
            arguments.append("--yes")
        ran = reader.run(*arguments, stdin=reader.sandbox.token)
        assert ran.code == 0, (line, ran)


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_command_has_a_sentence_and_an_example(name: str) -> None:
    function = _COMMANDS[name].callback
    assert function is not None
    words = function.__doc__ or ""
    assert f"Example: credly {name}" in words
    assert (ROOT / "docs" / "reference.md").read_text(encoding="utf-8").count(f"### credly {name}\n") == 1


def test_the_reference_is_what_the_program_says() -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, ROOT / "scripts" / "reference.py", "--check"],
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
        assert settings[key.name] == key.default
        assert re.search(rf"^(# )?{key.name.rpartition('.')[2]} = ", text, re.MULTILINE), key.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_between_the_documents_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
