"""How sentences are broken into lines on a terminal: between words, and within nothing that a person copies."""

import re
from unicodedata import combining, east_asian_width

_JOIN = "\ue000"  # stands for a space within what stays together; for private use, so no text has it
_POSITIONAL = {"link": 2, "grant": 2, "import": 2}  # words of a command that may look like words of the sentence
# A command within a sentence: its words are options, quoted, placeholders, or bear what words of a sentence do not
_COMMAND = re.compile(r"\bcredly( --profile \S+)? ([a-z][a-z-]*)(?=[ .,;:)]|$)")
_ARGUMENT = re.compile(r""" ('[^']*'(?:"'"'[^']*')*|"[^"]*"|[^\s]+)""")
# An option with its value, and a key of the configuration with what it is set to
_SETTING = re.compile(
    r"""--[a-z][a-z-]* (?=\S*[=\d])(?:[^\s']*'[^']*'|\S+)|\b[a-z_]+ = (?:\{(?:[^{}]|\{[^{}]*\})*\}|"[^"]*")"""
)
_NO_WORD = re.compile(r"^-|^['\"]|[@/=\d_]|[A-Z]{2}|\w-\w|\w\.\w")
_ENDS = ".,;:)"


def together(command: str) -> str:
    """Mark a command as one thing that no line break goes through."""
    return command.replace(" ", _JOIN)


def joined(text: str) -> str:
    """Mark the commands in a sentence, and the options and settings that it names."""
    result, place = "", 0
    while found := _COMMAND.search(text, place):
        end = _end_of(text, found)
        result += text[place : found.start()] + together(text[found.start() : end])
        place = end
    return _SETTING.sub(lambda setting: together(setting[0]), result + text[place:])


def _end_of(text: str, found: re.Match[str]) -> int:
    """Return where a command ends that begins there."""
    end, number, after_option = found.end(), 0, False
    while argument := _ARGUMENT.match(text, end):
        word = argument[1]
        if not (after_option or number < _POSITIONAL.get(found[2], 0) or _NO_WORD.search(word)):
            break
        end = argument.end()
        if word[-1] in _ENDS and word[0] not in "'\"":
            break
        after_option = word.startswith("--") and word not in ("--csv", "--list", "--yes", "--drop", "--dry-run")
        number += not word.startswith("-")
    return end


def plain(text: str) -> str:
    """Return a text without the marks."""
    return text.replace(_JOIN, " ")


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(one) else 2 if east_asian_width(one) in "WF" else 1 for one in text)


def wrapped(text: str, width: int) -> str:
    """Break a text between words into lines of that width, each indented as its own line was.

    What is longer than a line stays whole: a terminal goes on with it in the next one, and it is copied as one.
    """
    return "\n".join(_lines(line, width) for line in text.split("\n"))


def beside(label: str, text: str, width: int) -> str:
    """Write a text beside its label, its lines under one another; what does not fit there stands further left."""
    indent = width_of(label)
    lines, current = list[str](), label
    for word in joined(text).split():
        gap = "" if current in (label, "") else " "
        if current != label and width_of(current) + len(gap) + width_of(word) > width:
            lines.append(current)
            current, gap = " " * max(0, min(indent, width - width_of(word))), ""
        current += gap + word
    return plain("\n".join([*lines, current]))


def _lines(line: str, width: int) -> str:
    if width_of(line) <= width:
        return plain(line)
    indent = line[: len(line) - len(line.lstrip(" "))]
    text = line.rstrip(" ")
    lines, current = list[str](), indent
    for word in joined(text).split(" "):
        if not word:
            continue
        begun = current if current == indent else f"{current} "
        if current != indent and width_of(begun) + width_of(word) > width:
            lines.append(current)
            begun = indent
        current = begun + word
    return plain("\n".join([*lines, current])) + line[len(text) :]
