"""Pages of one file each, loading nothing but badge images, safe whatever a badge is called; bars as SVG."""

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from credly_cli.errors import unwritable
from credly_cli.files import followed, replacing
from credly_cli.text import inert, is_web_address

_FOLDER = Path(__file__).parent


def render(template: str, style: str, **facts: Any) -> str:
    """Render a page that loads nothing, with the style sheet of that name in it."""
    text = sheet(style)
    return templates().get_template(template).render(style=text, policy=policy(text), **facts)


@cache
def sheet(name: str) -> str:
    """Read a style sheet."""
    return (_FOLDER / name).read_text("utf-8")


@cache
def templates() -> Environment:
    """Return the templates of all pages, with the filters that they use."""
    found = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_inert,
    )
    found.filters |= {"web": web, "picture": picture}
    return found


def _inert(value: object) -> object:
    """Make each text that a template shows inert, in titles and attributes as well; our own markup stays as it is."""
    return inert(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def policy(style: str | None, *, images: bool = False, beside: bool = False) -> str:
    """Return the Content-Security-Policy: this one style, or (``None``) those beside the page; images over https.

    ``beside``: images that lie beside the page as well. Nothing else from anywhere.
    """
    digest = base64.b64encode(hashlib.sha256((style or "").encode()).digest()).decode()
    styles = "'self'" if style is None else f"'sha256-{digest}'"
    pictures = ("img-src https: 'self'; " if beside else "img-src https:; ") if images else ""
    return f"default-src 'none'; {pictures}style-src {styles}; base-uri 'none'; form-action 'none'"


def web(address: str | None) -> str | None:
    """Let through an address that a browser may open, and no other, such as ``javascript:``."""
    return address if address is not None and is_web_address(address) else None


def picture(address: str | None) -> str | None:
    """Let through the address of an image over https."""
    return address if address is not None and is_web_address(address) and address.startswith("https://") else None


def write(path: Path, page: str) -> None:
    """Write a page so that a reader sees the old one or the new one, never a part; raises ``Failure``.

    A page is there to be published: the web server must read it, so a new file gets what the umask allows (0644 as a
    rule), and one that is replaced keeps the mode that somebody gave it.
    """
    try:
        _write(followed(path), page)  # through a link to where the site keeps it
    except OSError as error:
        raise unwritable("--html", path, error) from None


def _write(target: Path, page: str) -> None:
    if target.exists() and not target.is_file():
        target.write_bytes(page.encode("utf-8", "replace"))  # a pipe or terminal
        return
    draft = target.with_name(f".{target.name}.{os.getpid()}.new")
    with replacing(target, draft, 0o666) as file:
        if target.exists():
            os.fchmod(file.fileno(), target.stat().st_mode & 0o777)
        file.write(page)


WIDTH = 420
_TOP = 8
_MOST_CELLS = 44  # fit the width
_MOST_GUIDES = 3


@dataclass(frozen=True, slots=True)
class _Form:
    """How a kind of chart is laid out."""

    row: int  # height of a row
    bar: int  # height of its bar
    bar_top: int  # within the row
    baseline: int  # of its words, within the row
    left: int  # where bars begin
    right: int  # where the longest ends


_BESIDE = _Form(row=32, bar=20, bar_top=6, baseline=21, left=92, right=WIDTH - 92)  # label left, number right
_ABOVE = _Form(row=44, bar=14, bar_top=22, baseline=16, left=8, right=WIDTH - 32)  # both stand above the bar


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, or one part of a stacked one."""

    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class Words:
    """Words, and where they stand."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, ready to be drawn; a bar's colour is that of its series."""

    named: bool
    height: int
    bar_height: int
    bottom: int  # where the last row ends
    series: list[list[Bar]]
    labels: list[Words]
    values: list[Words]
    guides: list[Words]
    legend: list[Words]
    width: int = WIDTH


def chart(labels: Sequence[str], series: Mapping[str, Sequence[int]], *, named: bool = False) -> Chart:
    """Lay bars out, the first at the top; long names stand above their bars, other labels at the left."""
    form = _ABOVE if named else _BESIDE
    totals = [sum(counts) for counts in zip(*series.values(), strict=True)]
    largest = max(totals, default=0) or 1
    scale = (form.right - form.left) / largest
    tops = [_TOP + form.row * place for place in range(len(labels))]
    bottom = _TOP + form.row * len(labels)
    ends = [form.left + total * scale for total in totals]
    return Chart(
        named=named,
        height=bottom + (56 if len(series) > 1 else 28),
        bar_height=form.bar,
        bottom=bottom,
        series=_stacked(list(series.values()), [top + form.bar_top for top in tops], form.left, scale),
        labels=[
            Words(form.left - 8, top + form.baseline, label) if not named else
            Words(form.left, top + form.baseline, _short(f"{total:,} · {label}"))
            for top, label, total in zip(tops, labels, totals, strict=True)
        ],
        values=[] if named else [
            Words(round(end + 6, 1), top + form.baseline, f"{total:,}")
            for top, end, total in zip(tops, ends, totals, strict=True)
        ],
        guides=[Words(round(form.left + guide * scale, 1), bottom + 20, f"{guide:,}") for guide in _guides(largest)],
        legend=_legend(list(series), bottom + 48) if len(series) > 1 else [],
    )  # fmt: skip


def _stacked(series: Sequence[Sequence[int]], tops: Sequence[int], left: float, scale: float) -> list[list[Bar]]:
    """Let the bars of each series begin where those of the one before it end."""
    before = [0] * len(tops)
    drawn = []
    for numbers in series:
        rows = zip(before, tops, numbers, strict=True)
        drawn.append(
            [Bar(round(left + start * scale, 1), top, round(number * scale, 1)) for start, top, number in rows]
        )
        before = [start + number for start, number in zip(before, numbers, strict=True)]
    return drawn


def _legend(names: Sequence[str], y: float) -> list[Words]:
    return [
        Words(_ABOVE.left + place * (WIDTH - _ABOVE.left) // len(names), y, name) for place, name in enumerate(names)
    ]


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
