"""Delimited text (CSV, TSV, ...) in rows: any of four delimiters, quoted newlines, however large the file is."""

import csv
import io
import itertools
from collections.abc import Iterator

from credly_cli.errors import Failure
from credly_cli.lms.columns import match_columns, missing_columns
from credly_cli.lms.records import Cells, Record, Reject, RejectedError, RowReader
from credly_cli.lms.text import MAX_FIELD, DamagedFileError, Text, complaint

_DELIMITERS = ",;\t|"


class Sheet:
    """The rows of a delimited file below its header, which is row 1 unless blank lines come before it."""

    def __init__(self, text: Text, lines: Iterator[str]) -> None:
        csv.field_size_limit(MAX_FIELD)
        self._text = text
        first, blanks = _first_line(lines)
        self._rows = csv.reader(
            itertools.chain([first], lines), delimiter=_delimiter_of(first), skipinitialspace=True, strict=True
        )
        self.header: list[str] = self._read_header() if first else []
        self._row = blanks + 1

    def records(self, read: RowReader) -> Iterator[Record | Reject]:
        """Yield what ``read`` makes of each row."""
        numbered = zip(itertools.count(self._row + 1), self._rows, strict=False)
        while True:
            try:
                yield from self._good_records(read, numbered)
            except csv.Error as error:
                self._row += 1
                yield Reject(self._row, "", _explained(error))
            except DamagedFileError as error:
                yield Reject(self._row + 1, "", f"{error.what}; nothing after row {self._row} was read")
                return
            else:
                return

    def _good_records(self, read: RowReader, numbered: Iterator[tuple[int, Cells]]) -> Iterator[Record | Reject]:
        """Yield records up to a row that cannot even be split into cells."""
        width = len(self.header)
        for row, cells in numbered:
            self._row = row
            try:
                if len(cells) != width or self._text.suspicious:
                    self._mend(cells)
                cells.append("")
                yield read(row, cells)
            except RejectedError as rejected:
                if any(map(str.strip, cells)):
                    yield Reject(row, rejected.column, rejected.reason)

    def _mend(self, cells: Cells) -> None:
        """Bring a row to the header's width; refuse what would be in the wrong column or is no text."""
        width = len(self.header)
        if any(map(str.strip, cells[width:])):
            raise RejectedError("", f"has {len(cells)} cells where the header has {width}")
        if self._text.suspicious:
            self._check(cells)
        del cells[width:]
        cells.extend([""] * (width - len(cells)))

    def _check(self, cells: Cells) -> None:
        for header, cell in zip(self.header, cells, strict=False):
            if problem := complaint(cell):
                raise RejectedError(header.strip(), problem)

    def _read_header(self) -> list[str]:
        try:
            header = next(self._rows, [])
        except csv.Error as error:
            raise _no_text(self._text.name, f"its first line {_explained(error)}") from None
        if self._text.suspicious and any("\0" in cell for cell in header):
            raise _no_text(self._text.name, "its first line holds bytes that are no text")
        header = [cell.encode(errors="replace").decode() for cell in header]
        if header and header[0].lstrip().startswith("<"):
            raise _no_text(self._text.name, "it looks like a web page or XML")
        return header


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
