"""How sentences and rows are laid out on a terminal: between words, and within nothing that a person copies.

A table that has no room becomes a block for each row.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
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


# Tables

NARROW = 70  # columns below which a table that does not fit becomes blocks
_GAP = 2
_SHORT = 12  # a cell without a title that stands beside the one before
_DASHES = 4  # of an id of Credly's
_WORD = 3  # a word that takes more than this part of the width may be broken


@dataclass(frozen=True, slots=True)
class Cell:
    """A text to show, and its style in Rich's words."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """A column: its title, and whether its cells are copied and so never broken."""

    title: str
    whole: bool


def laid_out(heads: Sequence[Head], rows: Sequence[Sequence[Cell]], width: int, *, coloured: bool) -> str:
    """Return rows as a table of that width, or as a block for each where a table has no room."""
    from rich.cells import cell_len  # noqa: PLC0415 - 45 ms that a pipe and --json do not pay

    natural = [max(cell_len(head.title), *(cell_len(row[n].text) for row in rows)) for n, head in enumerate(heads)]
    least = [
        size if head.whole else min(size, max(cell_len(head.title), *(_longest(row[n].text, width) for row in rows)))
        for n, (head, size) in enumerate(zip(heads, natural, strict=True))
    ]
    gaps = _GAP * (len(heads) - 1)
    if sum(least) + gaps > width or (width < NARROW and sum(natural) + gaps > width):
        return _blocks(heads, rows, width, coloured=coloured)
    return _table(heads, rows, width, _widths(natural, least, width - gaps), coloured=coloured)


def _widths(natural: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Return how wide the columns are: the widest are narrowed, as far as nothing is broken that is copied."""
    cap = room  # a cell may be as long as a book
    while cap > 1 and sum(_capped(natural, least, cap)) > room:
        cap -= 1
    widths = _capped(natural, least, cap)
    for n, size in enumerate(natural):  # what is left goes to the first of those that were narrowed
        if widths[n] == cap < size and sum(widths) < room:
            widths[n] += 1
    return widths


def _capped(natural: Sequence[int], least: Sequence[int], cap: int) -> list[int]:
    return [max(few, min(size, cap)) for size, few in zip(natural, least, strict=True)]


def _longest(text: str, width: int) -> int:
    """Return how much room the words of prose ask for: an address, id or command among them is not broken either."""
    most = width // _WORD
    words = ((word, width_of(word)) for word in joined(text).split())
    return max((size if _is_copied(word) else min(most, size) for word, size in words), default=0)


def _is_copied(word: str) -> bool:
    return (
        "@" in word
        or word.startswith(("/", "https://", "http://"))
        or word.count("-") >= _DASHES
        or plain(word) != word
    )


def _table(
    heads: Sequence[Head], rows: Sequence[Sequence[Cell]], width: int, widths: Sequence[int], *, coloured: bool
) -> str:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    written = StringIO()
    console = Console(
        file=written,
        force_terminal=coloured,
        color_system="standard" if coloured else None,
        width=width,
        markup=False,
        highlight=False,
    )
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold" if coloured else "")
    for head, size in zip(heads, widths, strict=True):
        table.add_column(head.title, overflow="fold", no_wrap=head.whole, width=size or None)
    for row in rows:
        table.add_row(*(Text(joined(cell.text), style=cell.style if coloured else "") for cell in row))
    console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in plain(written.getvalue()).splitlines())


def _blocks(heads: Sequence[Head], rows: Sequence[Sequence[Cell]], width: int, *, coloured: bool) -> str:
    """Write each row as lines of a title and a value; prose is broken between words, nothing else is."""
    bold, end = ("\x1b[1m", "\x1b[0m") if coloured else ("", "")
    written = []
    for row in rows:
        lines = list[str]()
        for head, cell in zip(heads, row, strict=True):
            if not cell.text:
                continue
            if not head.title and lines and len(cell.text) <= _SHORT:
                lines[-1] += f", {cell.text}"
                continue
            start = f"{head.title}: " if head.title else ""
            room = max(20, width - len(start))
            indent = "\n" + " " * min(len(start), 16)
            text = cell.text if head.whole else wrapped(cell.text, room).replace("\n", indent)
            lines.append(f"{bold}{start}{end}{text}")
        written.append("\n".join(lines))
    return "\n\n".join(written) + "\n"
