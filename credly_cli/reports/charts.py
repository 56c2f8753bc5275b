"""Bar charts as SVG for a page: drawn for a telephone's width, coloured by the page's own style sheet."""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any
from unicodedata import east_asian_width
from xml.etree import ElementTree

_WIDTH = 420
_LETTERS = 16  # high, in the same measure as the width; report.css says the same
_MOST_CELLS = 44  # fit the width
_MOST_GUIDES = 3
_ROOM_FOR_VALUES = 1.3
_THE_LIBRARYS = ("script", "style", "desc", "title")


def chart(labels: Sequence[str], series: Mapping[str, Sequence[int]], *, named: bool = False) -> str:
    """Draw bars, the first at the top; long names stand above their bars, other labels at the left."""
    import pygal  # noqa: PLC0415 - 130 ms, for this page only

    totals = [sum(counts) for counts in zip(*series.values(), strict=True)]
    largest = max(totals) or 1
    drawn = pygal.HorizontalStackedBar(
        classes=["chart", "named"] if named else ["chart"],
        js=[],
        width=_WIDTH,
        height=(44 if named else 32) * len(labels) + (72 if len(series) > 1 else 42),
        margin=8,
        style=pygal.style.Style(
            **dict.fromkeys((f"{of}_font_size" for of in ("label", "major_label", "legend", "value")), _LETTERS)
        ),
        value_formatter=lambda number: f"{number:,.0f}",
        range=(0, largest if named else largest * _ROOM_FOR_VALUES),
        y_labels=_guides(largest),
        show_x_guides=False,
        show_y_labels=not named,
        print_labels=named,
        print_values=not named,
        print_values_position="bottom" if named else "top",
        show_legend=len(series) > 1,
        legend_at_bottom=True,
        legend_at_bottom_columns=len(series),
        truncate_label=-1,
        truncate_legend=-1,
    )
    drawn.x_labels = labels[::-1]
    first = next(iter(series))
    for name, numbers in series.items():
        drawn.add(name, _labelled(labels, totals, numbers) if named and name == first else numbers[::-1])
    return _bare(drawn.render_tree())


def _labelled(labels: Sequence[str], totals: Sequence[int], numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Let each bar carry the total and the name."""
    rows = zip(labels, totals, numbers, strict=True)
    return [{"value": number, "label": _short(f"{total:,} · {label}")} for label, total, number in [*rows][::-1]]


def _short(text: str) -> str:
    cells = 0
    for place, letter in enumerate(text):
        cells += 2 if east_asian_width(letter) in "WF" else 1
        if cells > _MOST_CELLS:
            return text[: place - 1] + "…"
    return text


def _guides(largest: int) -> list[int]:
    """Choose a few round and whole numbers up to the largest."""
    steps = (digit * 10**zeros for zeros in count() for digit in (1, 2, 5))
    return list(range(0, largest + 1, next(step for step in steps if largest <= _MOST_GUIDES * step)))


def _bare(root: Any) -> str:
    """Take out all that is style or script of the library's own: the page's policy lets neither in."""
    for parent in list(root.iter()):
        for child in list(parent):
            if not isinstance(child.tag, str) or child.tag in _THE_LIBRARYS:
                parent.remove(child)
        parent.attrib.pop("style", None)
    for name in ("id", "xmlns"):
        root.attrib.pop(name, None)
    return ElementTree.tostring(root, encoding="unicode")
