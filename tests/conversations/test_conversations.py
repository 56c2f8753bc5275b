"""Each conversation goes to the letter as its file has it, and each step that it suggests works."""

import getpass
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conversations.runner import Conversation, commands_in, turns_of
from tests.support.desk import Desk

STORIES = sorted(Path(__file__).parent.glob("*.txt"))
_READS = ("link", "unlink", "retry", "resolve", "forget", "import", "config")  # of Credly: nothing changes there


@pytest.fixture
def conversation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine_in: Callable[[str], None]) -> Conversation:
    """A terminal in an empty folder, whose home is in it and not there yet."""
    machine_in("UTC")
    monkeypatch.chdir(tmp_path)
    at_desk = Conversation(Desk(Path("home")), tmp_path)
    monkeypatch.setattr(getpass, "getpass", at_desk.typed_token)
    return at_desk


@pytest.mark.sampled
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.stem)
def test_it_goes_to_the_letter(story: Path, conversation: Conversation) -> None:
    _, turns = turns_of(story.read_text(encoding="utf-8"))
    for turn in turns:
        assert (turn.line, conversation.play(turn)) == (turn.line, turn.shown)


@pytest.mark.further
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.stem)
def test_no_step_that_is_suggested_fails(story: Path, conversation: Conversation) -> None:
    """Each command that a hint names works at that moment, tried on a copy of the home."""
    _, turns = turns_of(story.read_text(encoding="utf-8"))
    for turn in turns:
        shown = conversation.play(turn)
        if "credly " in turn.line and "cat >" not in turn.line:
            for words in commands_in(shown):
                assert tried(conversation, words) in (0, 3), (turn.line, words)


def tried(conversation: Conversation, words: list[str]) -> int:
    """Run a command on a copy of the home, in a way that changes nothing in Credly; returns its exit code."""
    copy = Desk(conversation.folder / "copy", conversation.desk.clock, conversation.desk.environ)
    copy.sandbox = conversation.desk.sandbox
    if conversation.desk.home.exists():
        shutil.copytree(conversation.desk.home, copy.home)
    stdin, more = "", list[str]()
    match words[0]:
        case "connect":
            stdin, more = copy.sandbox.token, ["--token-stdin"]
        case "sync" | "grant":
            more = ["--dry-run"]
        case "link" | "disconnect" | "forget":
            more = ["--yes"]
    ran = copy.run(*words, *(option for option in more if option not in words), stdin=stdin)
    shutil.rmtree(copy.home, ignore_errors=True)
    return ran.code


def test_on_the_first_day_each_hint_is_followed() -> None:
    """Whoever does what the last line says gets to the first badge."""
    story = next(path for path in STORIES if path.stem == "a-first-day")
    _, turns = turns_of(story.read_text(encoding="utf-8"))
    typed = [turn for turn in turns if turn.line.startswith("$ credly")]
    for before, after in pairwise(typed):
        hints = [line.removeprefix("Next: ") for line in before.body if line.startswith("Next: credly")]
        for hint in hints:
            words = [word for word in hint.split()[1:] if not word.isupper()]
            assert after.line.split()[2 : 2 + len(words)] == words, (before.line, after.line)
