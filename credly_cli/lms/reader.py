"""Any export of an LMS, as it is, to records: the one way in for files and for standard input."""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from credly_cli.errors import Failure
from credly_cli.lms.columns import check_mapping, match_columns, missing_columns, refuse_header, require_mapped
from credly_cli.lms.csv_reader import Sheet
from credly_cli.lms.json_reader import Value, read_values, row_of
from credly_cli.lms.records import Kind, Reading, Record, Records, Reject, RejectedError, RowReader, Understood
from credly_cli.lms.rejects import is_rejects_file
from credly_cli.lms.rows import row_reader
from credly_cli.lms.text import DamagedFileError, Text, complaint

_LOOKED_AT = 50  # JSON objects, before a file is refused because none of them has what is needed
_CHECK_NAME = "Check its name, and that you may read it."
_JSON = re.compile(r"\s*(?:\{|\[\s*(?:[\[\]{]|$))")
_Rows: TypeAlias = Iterator[tuple[int, dict[str, str]] | Reject]


@contextmanager
def open_file(kind: Kind, path: Path, reading: Reading, understood: Understood | None = None) -> Iterator[Records]:
    """Open a file of one kind, and read it into records and rejected rows, as they are asked for.

    How it was understood is noted in ``understood``. Raises ``Failure`` for what is no such file at all.
    """
    if is_rejects_file(path):
        raise Failure(
            "usage",
            f"{path.name} holds the rows that an earlier import rejected, with the reasons.",
            hint="Correct them in the file they came from, and import that again.",
        )
    try:
        stream = path.open("rb")
    except OSError as error:
        raise Failure("usage", f"{path} cannot be opened: {error.strerror}.", hint=_CHECK_NAME) from None
    with stream:
        yield read_stream(kind, stream, reading, path.name, understood)


def read_stream(
    kind: Kind, stream: BinaryIO, reading: Reading, name: str = "The input", understood: Understood | None = None
) -> Records:
    """Read a stream of bytes of one kind; its header is read at once, the rows as they are asked for.

    How it was understood is noted in ``understood``. Raises ``Failure`` for what is no such file at all.
    """
    understood = understood or Understood()
    check_mapping(kind, reading.mapping)
    _check_date_format(reading.date_format)
    text = Text(stream, name)
    pieces = text.pieces()
    first = next(filter(str.strip, pieces), "").removeprefix("\ufeff")
    if _JSON.match(first):
        return _objects(kind, text.name, read_values(text, first, pieces), reading)
    return _sheet(kind, text, itertools.chain([first], pieces), reading)


def read_objects(kind: Kind, objects: Iterable[dict[str, Any]], reading: Reading) -> Records:
    """Read objects of an API as if they were the lines of a JSON Lines file."""
    values = (Value(row, value) for row, value in enumerate(objects, 1))
    return _objects(kind, "The answer", values, reading)


def _sheet(kind: Kind, text: Text, pieces: Iterator[str], reading: Reading) -> Records:
    sheet = Sheet(text, text.lines(pieces))
    return sheet.records(_reader_of(kind, sheet.header, reading, text.name)) if sheet.header else iter(())


def _reader_of(kind: Kind, header: Sequence[str], reading: Reading, name: str, *, optional: bool = False) -> RowReader:
    """Return the reader of rows under a header, to which what is mapped to a value (``=VALUE``) is added."""
    added = [text for text in dict.fromkeys(reading.mapping.values()) if text.startswith("=")]
    columns = match_columns(kind, [*header, *added], reading.mapping, optional=optional)
    if missing_columns(kind, columns):
        raise refuse_header(kind, columns, name)
    read = row_reader(kind, columns, reading)
    values = [text[1:].strip() for text in added]
    return (lambda row, cells: read(row, [*cells[:-1], *values, ""])) if values else read


def _objects(kind: Kind, name: str, values: Iterator[Value | Reject], reading: Reading) -> Records:
    rows = _rows(values)
    shown = list(itertools.islice(rows, _LOOKED_AT))
    objects = _Objects(kind, reading, name)
    objects.refuse_strangers(shown)
    return _records(objects, itertools.chain(shown, rows))


def _records(objects: "_Objects", rows: _Rows) -> Records:
    for item in rows:
        if isinstance(item, Reject):
            yield item
            continue
        try:
            yield objects.read(*item)
        except RejectedError as rejected:
            yield Reject(item[0], rejected.column, rejected.reason)


def _rows(values: Iterator[Value | Reject]) -> _Rows:
    row = 0
    try:
        for item in _flat_rows(values):
            row = item[0]
            yield item
    except DamagedFileError as error:
        yield Reject(row + 1, "", f"{error.what}; nothing after row {row} was read")


def _flat_rows(values: Iterator[Value | Reject]) -> _Rows:
    for item in values:
        if isinstance(item, Reject):
            yield item
            continue
        try:
            row = _row_of(item.value)
        except RejectedError as rejected:
            yield Reject(item.row, rejected.column, rejected.reason)
        else:
            if row is not None:
                yield item.row, row


def _row_of(value: Any) -> dict[str, str] | None:
    if not isinstance(value, dict):
        raise RejectedError("", "is not a JSON object")
    row = row_of(value)
    for header, cell in (row or {}).items():
        if problem := complaint(cell):
            raise RejectedError(header if complaint(header) is None else "", problem)
    return row


class _Objects:
    """Reads objects, which each have a header of their own; most of a file have the same."""

    def __init__(self, kind: Kind, reading: Reading, name: str) -> None:
        self._kind = kind
        self._reading = reading
        self._name = name
        self._readers: dict[tuple[str, ...], RowReader] = {}

    def read(self, row: int, cells: dict[str, str]) -> Record:
        """Read an object."""
        header = tuple(cells)
        read = self._readers.get(header)
        if read is None:
            read = self._remember(header)
        return read(row, [*cells.values(), ""])

    def refuse_strangers(self, shown: Sequence[tuple[int, dict[str, str]] | Reject]) -> None:
        """Refuse a file none of whose first objects is of its kind."""
        failure: Failure | None = None
        if headers := [tuple(item[1]) for item in shown if not isinstance(item, Reject)]:
            require_mapped(headers, self._reading.mapping)
        for item in shown:
            if isinstance(item, Reject):
                failure = failure or _no_json(self._name, item)
                continue
            try:
                self._reader(tuple(item[1]))
            except Failure as problem:
                failure = failure if failure and failure.code == "usage" else problem
            else:
                return
        if failure:
            raise failure

    def _reader(self, header: tuple[str, ...]) -> RowReader:
        return _reader_of(self._kind, header, self._reading, self._name, optional=True)

    def _remember(self, header: tuple[str, ...]) -> RowReader:
        try:
            read = self._reader(header)
        except Failure as problem:
            raise RejectedError("", f"cannot be read like the others: {problem.message}") from None
        if len(self._readers) > 100:  # noqa: PLR2004 - memory must not grow with the file
            self._readers.clear()
        self._readers[header] = read
        return read


def _no_json(name: str, item: Reject) -> Failure:
    return Failure(
        "import-rejected",
        f"{name} is no JSON that can be read: row {item.row} {item.reason}.",
        hint="Export it again as JSON Lines or CSV.",
    )


def _check_date_format(form: str | None) -> None:
    if form is None:
        return
    example = datetime(2026, 11, 23, 21, 45, 59, tzinfo=UTC)  # any time will do, only the form is tried
    with suppress(ValueError):
        # Python 3.13 warns where the form has no year; a year of the same calendar tells, for weekdays are the same
        has_year = example.strftime(form) != example.replace(year=2037).strftime(form)
        if has_year and datetime.strptime(example.strftime(form), form).date() == example.date():  # noqa: DTZ007
            return
    raise Failure(
        "usage", f"--date-format {form!r} does not describe a date.", hint="For example: --date-format %d/%m/%Y"
    )
