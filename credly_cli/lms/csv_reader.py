"""Delimited text (CSV, TSV, ...) in rows: any of four delimiters, quoted newlines, however large the file is."""

import contextlib
import csv
import io
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from credly_cli.errors import Failure
from credly_cli.lms.columns import match_columns, missing_columns
from credly_cli.lms.records import Cells, Record, Reject, RejectedError, RowReader, Understood
from credly_cli.lms.statuses import LeftOutError
from credly_cli.lms.text import MAX_FIELD, DamagedFileError, Text, complaint
from credly_cli.text import visible

_DELIMITERS = ",;\t|"


_HEADER_WITHIN = 30  # lines
_LOOKED_AT = 1000  # rows that are looked at before one is taken ...
_LOOKED_AT_LETTERS = 1 << 20  # ... as long as they are no longer than that


class Layout(NamedTuple):
    """What a sheet's rows are asked: whether one is the header, repeats it, or could be that of another part."""

    is_header: Callable[[Sequence[str]], bool]
    repeats: Callable[[Sequence[str], Sequence[str]], bool]
    could_be_header: Callable[[Sequence[str]], bool]


class Sheet:
    """The rows of a delimited file below its header, which is the first of 30 lines that has what is needed.

    ``header_line`` says where it is; then only the part below it is read. ``header`` is empty for an empty file; where
    no line is a header it is the first one. ``line`` counts from 1.
    """

    def __init__(
        self,
        text: Text,
        lines: Iterator[str],
        layout: Layout,
        header_line: int | None = None,
        understood: Understood | None = None,
    ) -> None:
        csv.field_size_limit(MAX_FIELD)
        self._text = text
        self._layout = layout
        self._understood = understood or Understood()
        self._short = 0
        self._is_part = header_line is not None
        first, blanks = _first_line(lines)
        head = (
            [first, *itertools.islice(lines, _HEADER_WITHIN if header_line is None else header_line)] if first else []
        )
        delimiter = self._delimiter(head, blanks, header_line)
        self._rows = csv.reader(itertools.chain(head, lines), delimiter=delimiter, skipinitialspace=True, strict=True)
        self._row = blanks
        self.first_line = blanks + 1
        self.parts: list[tuple[int, list[str]]] = []
        self.titles: dict[int, str] = {}  # of parts, by the line of their header
        self.header: list[str] = self._find_header(header_line) if first else []
        self.line = self._row
        self._ahead: list[Cells] = []
        self._error: csv.Error | DamagedFileError | None = None

    def _delimiter(self, head: Sequence[str], blanks: int, header_line: int | None) -> str:
        """Choose the delimiter by the line of the header, or by the first under which a line is one."""
        if header_line is not None and 0 <= header_line - blanks - 1 < len(head):
            return _delimiter_of(head[header_line - blanks - 1])
        candidates = list(dict.fromkeys(_delimiter_of(line) for line in head if line.strip()))
        for delimiter in candidates[1:] and candidates:
            if any(self._layout.is_header(row) for row in _rows_of(head, delimiter)):
                return delimiter
        likely = [d for d in candidates if any(self._layout.could_be_header(row) for row in _rows_of(head, d))]
        return (likely or candidates or [","])[0]

    def _find_header(self, header_line: int | None) -> list[str]:
        """Read up to the header and return it, or the first row where there is none; note what else could be one."""
        above: list[list[str]] = []
        while (header_line or _HEADER_WITHIN) > self._row:
            try:
                row = next(self._rows, None)
            except csv.Error as error:
                if above and header_line is None:
                    break
                raise _no_text(self._text.name, f"its first line {_explained(error)}") from None
            if row is None:
                break
            self._row += 1
            row = self._checked_header(row, is_first=not above)
            self._note_title(self._row, above[-1] if above else ())
            if header_line == self._row or (header_line is None and self._layout.is_header(row)):
                return row
            above.append(row)
            if self._layout.could_be_header(row):
                self.parts.append((self._row, row))
        if header_line is not None:
            raise Failure("usage", f"{self._text.name} has no line {header_line}.", hint="Lines are counted from 1.")
        return above[0] if above else []

    def look_ahead(self) -> Sequence[Cells]:
        """Return the first rows, which ``records`` will read; refuse a sheet whose parts show in them."""
        letters = 0
        while len(self._ahead) < _LOOKED_AT and letters < _LOOKED_AT_LETTERS:
            try:
                row = next(self._rows)
            except (csv.Error, DamagedFileError) as error:
                self._error = error
                break
            except StopIteration:
                break
            letters += sum(map(len, row))
            self._ahead.append(row)
        if not self._is_part:
            above: Sequence[str] = ()
            for number, row in enumerate(self._ahead, self._row + 1):
                self._note_title(number, above)
                self._refuse_part(number, row)
                above = row
        return self._ahead

    def _note_title(self, line: int, above: Sequence[str]) -> None:
        """Note what stands alone above a line: of a part it is the title."""
        filled = [cell for cell in map(str.strip, above) if cell]
        if len(filled) == 1:
            self.titles[line] = filled[0]

    def records(self, read: RowReader) -> Iterator[Record | Reject]:
        """Yield what ``read`` makes of each row."""
        yield from self._records(read)
        if self._short:
            have = "row has" if self._short == 1 else "rows have"
            self._understood.warn(f"{self._text.name}: {self._short:,} {have} fewer cells than the header.")

    def _records(self, read: RowReader) -> Iterator[Record | Reject]:
        count = itertools.count(self._row + 1)
        ahead, self._ahead = self._ahead, []
        for source in (iter(ahead), self._rows):
            error, self._error = self._error, None
            while True:
                try:
                    if error is not None and source is self._rows:
                        problem, error = error, None
                        raise problem
                    yield from self._good_records(read, zip(source, count, strict=False))
                except csv.Error as broken:
                    self._row = next(count)
                    yield Reject(self._row, "", _explained(broken))
                except DamagedFileError as damaged:
                    yield Reject(self._row + 1, "", f"{damaged.what}; nothing after row {self._row} was read")
                    return
                except _EndOfPart:
                    return
                else:
                    break
            self._error = error

    def _good_records(self, read: RowReader, numbered: Iterator[tuple[Cells, int]]) -> Iterator[Record | Reject]:
        """Yield records up to a row that cannot even be split into cells."""
        width, text, is_part = len(self.header), self._text, self._is_part
        for cells, row in numbered:
            self._row = row
            if is_part and not any(map(str.strip, cells)):
                raise _EndOfPart
            try:
                if len(cells) != width or text.suspicious:
                    self._mend(cells, row)
                cells.append("")
                yield read(row, cells)
            except RejectedError as rejected:
                if any(map(str.strip, cells)) and not self._is_repeated(cells, row):
                    yield Reject(row, rejected.column, rejected.reason)
            except LeftOutError as left:
                self._understood.leave_out(left.column, left.word)

    def _is_repeated(self, cells: Cells, row: int) -> bool:
        """Tell whether a row is the header once more; that of another part is refused, or ends this one."""
        del cells[max(len(self.header), 1) :]
        if self._layout.repeats(self.header, cells):
            return True
        is_header = self._layout.could_be_header(cells) or self._names_columns(cells)
        if self._is_part and is_header:
            raise _EndOfPart
        self._refuse_part(row, cells, is_header=is_header)
        return False

    def _names_columns(self, cells: Sequence[str]) -> bool:
        """Tell whether a row that cannot be read has the name of a column in that very column, and words beside it."""
        filled = [cell for cell in map(str.strip, cells) if cell]
        if len(filled) < 2 or any("@" in cell or not any(map(str.isalpha, cell)) for cell in filled):  # noqa: PLR2004
            return False
        pairs = zip(map(str.strip, self.header), map(str.strip, cells), strict=False)
        return any(header and header.casefold() == cell.casefold() for header, cell in pairs)

    def _refuse_part(self, line: int, cells: Sequence[str], *, is_header: bool = False) -> None:
        is_header = is_header or self._layout.could_be_header(cells)
        if is_header and not self._layout.repeats(self.header, cells):
            parts = [*self.parts, (self.line, self.header), (line, list(cells))]
            raise refuse_parts(self._text.name, parts, self.titles)

    def _mend(self, cells: Cells, row: int) -> None:
        """Bring a row to the header's width; refuse what would be in the wrong column or is no text."""
        width = len(self.header)
        if any(map(str.strip, cells[width:])):
            if self._layout.could_be_header(cells):
                if self._is_part:
                    raise _EndOfPart
                self._refuse_part(row, cells)
            raise RejectedError("", f"has {len(cells)} cells where the header has {width}")
        self._short += 0 < len(cells) < width
        if self._text.suspicious:
            self._check(cells)
        del cells[width:]
        cells.extend([""] * (width - len(cells)))

    def _check(self, cells: Cells) -> None:
        for header, cell in zip(self.header, cells, strict=False):
            if problem := complaint(cell):
                raise RejectedError(header.strip(), problem)

    def _checked_header(self, header: list[str], *, is_first: bool) -> list[str]:
        if self._text.suspicious and any("\0" in cell for cell in header):
            raise _no_text(self._text.name, "its first line holds bytes that are no text")
        header = [cell.encode(errors="replace").decode() for cell in header]
        if is_first and header and header[0].lstrip().startswith("<"):
            raise _no_text(self._text.name, "it looks like a web page or XML")
        return header


class _EndOfPart(Exception):  # noqa: N818 - no error
    """The part of a sheet that was asked for is at its end."""


# What says of a part that it has the single steps of those who are in another, as in the report of Teams.
_OF_STEPS = re.compile(r"activit|aktivit|activid|attivit|atividad|アクティビティ|活動", re.IGNORECASE)


def refuse_parts(name: str, parts: Sequence[tuple[int, Sequence[str]]], titles: Mapping[int, str]) -> Failure:
    """Say that a sheet has several parts, which, and how one of them is read."""
    parts_named = "; ".join(f"line {line} ({_shown(cells, titles.get(line, ''))})" for line, cells in parts)
    whole = [line for line, _ in parts if not _OF_STEPS.search(titles.get(line, ""))]
    return Failure(
        "import-rejected",
        f"{name} is a sheet of several parts, whose headers are in {parts_named}.",
        hint=f"Say which part is meant by the line of its header: --header-line {whole[-1] if whole else parts[-1][0]}",
    )


def _shown(cells: Sequence[str], title: str) -> str:
    texts = [text[:40] for text in map(str.strip, cells) if text]
    return visible((f"{title[:40]}: " if title else "") + ", ".join(texts[:4]) + (", ..." if len(texts) > 4 else ""))  # noqa: PLR2004


def _rows_of(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """Split lines into cells, as far as they can be."""
    rows = []
    with contextlib.suppress(csv.Error):
        for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True):
            rows.append(row)  # noqa: PERF402 - what was read before an error is kept
    return rows


def _first_line(lines: Iterator[str]) -> tuple[str, int]:
    """Return the header's line and how many blank ones came before it; Excel's ``sep=;`` is none of a sheet's rows."""
    blanks = 0
    for line in lines:
        if line[:4].lower() == "sep=":
            continue
        if line.strip():
            return line, blanks
        blanks += 1
    return "", blanks


def _delimiter_of(line: str) -> str:
    unquoted = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=unquoted.count)


def _explained(error: csv.Error) -> str:
    text = str(error)
    if "field limit" in text:
        return "has a cell of more than 1 MB, perhaps since a quote is left open; what is inside was not read"
    if "end of data" in text:
        return "opens a quote that is never closed; nothing after it was read"
    return "has a quote inside a quoted cell that is not doubled"


def _no_text(name: str, why: str) -> Failure:
    return Failure(
        "import-rejected",
        f"{name} is no CSV or JSON Lines file: {why}.",
        hint="Export it as CSV (UTF-8) or JSON Lines.",
    )


# A list of learners' addresses: one a line, or the column of a CSV


def addresses_of(text: str) -> list[str]:
    """Read the addresses of a text; raises ``Failure`` for a CSV without a column of addresses."""
    lines = [line.strip() for line in text.removeprefix("\ufeff").splitlines() if line.strip()]
    if not lines or "@" in lines[0]:
        return lines
    rows = csv.reader(io.StringIO("\n".join(lines)), delimiter=max(_DELIMITERS, key=lines[0].count))
    columns = match_columns("learners", header := next(rows), {})
    if missing_columns("learners", columns):
        raise Failure(
            "usage",
            f"There is no column of addresses among: {', '.join(header)}.",
            hint="Call the column email, or give one address a line.",
        )
    place = columns.at("email") if "email" in columns.places else columns.emails[0]
    addresses = (row[place].strip() for row in rows if len(row) > place)
    return [address for address in addresses if address]
