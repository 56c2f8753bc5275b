"""Plays a conversation: a text that shows what is typed at a terminal, what comes back, and what happens meanwhile.

- ``$ credly ...`` is typed at a terminal of 80 columns; what follows is all that it shows, with answers to questions.
- ``cron$ credly ...`` runs as cron runs it, without a terminal; what follows is what cron would mail.
- ``$ cat > FILE <<'EOF'`` writes a file, ``$ credly ... > FILE`` too, and ``$ echo $?`` shows the last exit code.
- A line in parentheses happens elsewhere: ``EVENTS``.

What stands before the first of these tells what the story is about. The home is the folder ``home`` in the one where
all this happens, and ids that Credly gives by chance are shown as the same ones each time.
"""

import csv
import os
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from credly_cli import layout
from tests.support.desk import URL, Desk, Terminal

WIDTH = 80
_TYPED = ("$ ", "cron$ ")
_FILE = re.compile(r"\$ cat > (\S+) <<'EOF'")
_INTO = re.compile(r"(.+) > (\S+)")
_ANSWER = re.compile(r"\[y/N\] ?(\w*)$", re.MULTILINE)


@dataclass
class Turn:
    """Something that is typed or happens, and what is shown of it."""

    line: str
    body: list[str] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """Return what the conversation says is shown."""
        return "\n".join(self.body).rstrip("\n")


def turns_of(text: str) -> tuple[str, list[Turn]]:
    """Return what a conversation is about, and its turns."""
    about, turns, in_file = list[str](), list[Turn](), False
    for line in text.splitlines():
        if not in_file and (line.startswith(_TYPED) or (line.startswith("(") and line.endswith(")"))):
            turns.append(Turn(line))
            in_file = bool(_FILE.fullmatch(line))
        else:
            (turns[-1].body if turns else about).append(line)
            in_file = in_file and line != "EOF"
    return "\n".join(about).strip(), turns


def written(about: str, turns: Sequence[Turn], shown: Sequence[str]) -> str:
    """Return a conversation as its file has it."""
    parts = [f"{turn.line}\n{text}\n" if text else f"{turn.line}\n" for turn, text in zip(turns, shown, strict=True)]
    return f"{about}\n\n" + "\n".join(parts)


class Person(Terminal):
    """Standard input at which somebody answers; what is typed shows on the terminal."""

    def __init__(self, answers: list[str], screen: StringIO) -> None:
        super().__init__()
        self._answers, self._screen = answers, screen

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]  # noqa: ARG002
        """Return the next answer."""
        answer = self._answers.pop(0) if self._answers else ""
        self._screen.write(f"{answer}\n")
        return f"{answer}\n"


@dataclass
class Conversation:
    """A person at a terminal, cron, and what happens in Credly and the LMS meanwhile."""

    desk: Desk
    folder: Path
    screen: Terminal = field(default_factory=Terminal)
    code: int = 0

    def __post_init__(self) -> None:
        """Let the desk stand beside this terminal."""
        self.desk.environ = {"CREDLY_API_URL": URL, "NO_COLOR": "1", "COLUMNS": str(WIDTH)}

    def play(self, turn: Turn) -> str:
        """Do what a turn says and return what is shown."""
        if turn.line.startswith("("):
            self._happen(turn.line[1:-1].rstrip("."))
            return ""
        if found := _FILE.fullmatch(turn.line):
            return self._write(found[1], turn.body)
        prompt, _, line = turn.line.partition("$ ")
        if line == "echo $?":
            return str(self.code)
        into = _INTO.fullmatch(line)
        program, *words = shlex.split(self._actual(into[1] if into else line))
        assert program == "credly", line
        text, self.code = self._at_terminal(words, turn, into) if not prompt else self._by_cron(words)
        return "\n".join(line.rstrip() for line in self._told(text).splitlines()).rstrip("\n")

    def _write(self, name: str, body: list[str]) -> str:
        lines = body[: body.index("EOF")]
        file, now = self.folder / name, self.desk.clock.now().timestamp()
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        os.utime(file, (now, now))
        return "\n".join([*lines, "EOF"])

    def _at_terminal(self, words: list[str], turn: Turn, into: re.Match[str] | None) -> tuple[str, int]:
        self.screen = Terminal()
        out = StringIO() if into else self.screen
        person = Person(_ANSWER.findall(turn.shown), self.screen)
        ran = self.desk.run_on(out, self.screen, person, *words)
        if into:
            (self.folder / into[2]).write_text(ran.out, encoding="utf-8")
        return ran.err, ran.code

    def _by_cron(self, words: list[str]) -> tuple[str, int]:
        ran = self.desk.run(*words)
        return ran.out + ran.err, ran.code

    def typed_token(self, prompt: str = "") -> str:
        """Type the token, which does not show."""
        self.screen.write(f"{prompt}\n")
        return self.desk.sandbox.token

    # What is told and what it stands for

    def _told(self, text: str) -> str:
        for actual, told in self._ids():
            text = text.replace(actual, told)
        return text

    def _actual(self, line: str) -> str:
        for actual, told in self._ids():
            line = line.replace(told, actual)
        return line

    def _ids(self) -> Iterator[tuple[str, str]]:
        seen = Counter[str]()
        for badge in self.desk.issued():
            key = f"{badge.template_id} {badge.email} {badge.details.issued_at}"
            seen[key] += 1
            yield badge.id, str(uuid5(NAMESPACE_URL, f"{key} {seen[key]}"))

    # What happens elsewhere

    def _happen(self, sentence: str) -> None:
        for pattern, act in EVENTS.items():
            if found := re.fullmatch(pattern, sentence):
                return act(self, *found.groups())
        raise AssertionError(f"nobody knows how this happens: {sentence}")

    def pass_time(self, number: str, unit: str) -> None:
        """Let time pass."""
        self.desk.pass_time(**{f"{unit}s": 1 if number in ("A", "An") else int(number)})

    def archive(self, badge: str) -> None:
        """Archive a badge, which is then no longer active."""
        self.desk.sandbox.archive_template(self.desk.badge_id(badge))

    def activate(self, badge: str) -> None:
        """Activate a badge again."""
        self.desk.sandbox.activate_template(self.desk.badge_id(badge))

    def revoke(self, badge: str, email: str) -> None:
        """Revoke what somebody holds of a badge."""
        for one in self.desk.issued(badge):
            if one.email == email and one.state != "revoked":
                self.desk.sandbox.revoke(one.id, "Issued by mistake")

    def revoke_all(self, file: str) -> None:
        """Revoke each badge of a list of grants."""
        with (self.folder / file).open(encoding="utf-8", newline="") as listed:
            for row in csv.DictReader(listed):
                self.desk.sandbox.revoke(row["issued_badge_id"], "Issued by mistake")

    def lose(self, file: str) -> None:
        """Let a file be no more."""
        (self.folder / file).unlink()


EVENTS: dict[str, Callable[..., None]] = {
    r"(\d+|An?) (second|minute|hour|day)s? pass(?:es)?": Conversation.pass_time,
    r"In Credly somebody archives (.+)": Conversation.archive,
    r"In Credly somebody activates (.+) again": Conversation.activate,
    r"In Credly the admin revokes each badge of (\S+)": Conversation.revoke_all,
    r"In Credly the admin revokes (.+) of (\S+)": Conversation.revoke,
    r"The LMS deletes (\S+)": Conversation.lose,
}


def commands_in(text: str) -> list[list[str]]:
    """Return the commands that a text tells somebody to type, without those that have a word in capitals."""
    words = (layout.plain(word).rstrip(".;,)") for line in text.splitlines() for word in layout.joined(line).split(" "))
    told = [word for word in words if re.match(r"credly [\w-]+( |$)", word) and not re.search(r"\b[A-Z]{2,}\b", word)]
    return [shlex.split(word)[1:] for word in told]
