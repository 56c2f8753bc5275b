"""How rows are laid out on a terminal: what is copied is never broken; without room a row is a block."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO

from credly_cli import prose

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
    return _table(heads, rows, width, least, coloured=coloured)


def _longest(text: str, width: int) -> int:
    """Return how much room the words of prose ask for: an address, id or command among them is not broken either."""
    most = width // _WORD
    words = ((word, prose.width_of(word)) for word in prose.joined(text).split())
    return max((size if _is_copied(word) else min(most, size) for word, size in words), default=0)


def _is_copied(word: str) -> bool:
    return (
        "@" in word
        or word.startswith(("/", "https://", "http://"))
        or word.count("-") >= _DASHES
        or prose.plain(word) != word
    )


def _table(
    heads: Sequence[Head], rows: Sequence[Sequence[Cell]], width: int, least: Sequence[int], *, coloured: bool
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
    for head, size in zip(heads, least, strict=True):
        table.add_column(head.title, overflow="fold", no_wrap=head.whole, min_width=size)
    for row in rows:
        table.add_row(*(Text(prose.joined(cell.text), style=cell.style if coloured else "") for cell in row))
    console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in prose.plain(written.getvalue()).splitlines())


def _blocks(heads: Sequence[Head], rows: Sequence[Sequence[Cell]], width: int, *, coloured: bool) -> str:
    """Write each row as lines of a title and a value; prose is broken between words, nothing else is."""
    bold, plain = ("\x1b[1m", "\x1b[0m") if coloured else ("", "")
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
            text = cell.text if head.whole else prose.wrapped(cell.text, room).replace("\n", indent)
            lines.append(f"{bold}{start}{plain}{text}")
        written.append("\n".join(lines))
    return "\n\n".join(written) + "\n"
