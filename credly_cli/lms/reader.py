"""Any export of an LMS, as it is, to records: the one way in for files and for standard input."""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeAlias, cast

from credly_cli.errors import Failure
from credly_cli.import_options import Kind, check_date_format
from credly_cli.lms.columns import (
    ABSENT,
    Columns,
    check_mapping,
    could_be_header,
    header_key,
    match_columns,
    missing_columns,
    note_columns,
    refuse_another_kind,
    refuse_header,
    require_mapped,
)
from credly_cli.lms.csv_reader import Layout, Sheet, refuse_parts
from credly_cli.lms.json_reader import Value, read_values, row_of
from credly_cli.lms.moodle import ActivityReader, activities_in
from credly_cli.lms.records import (
    SHOWN_ROWS,
    Cells,
    Reading,
    Record,
    Records,
    Reject,
    RejectedError,
    RowReader,
    Understood,
)
from credly_cli.lms.rejects import is_rejects_file
from credly_cli.lms.rows import row_reader
from credly_cli.lms.statuses import LeftOutError
from credly_cli.lms.text import DamagedFileError, Text, complaint
from credly_cli.lms.xapi.statements import StatementReader, statement_in
from credly_cli.text import JsonObject

_LOOKED_AT = 50  # JSON objects, before a file is refused because none of them has what is needed
_CHECK_NAME = "Check its name, and that you may read it."
_JSON = re.compile(r"\s*(?:\{|\[\s*(?:[\[\]{]|$))")


class _Statement(NamedTuple):
    value: JsonObject


_Rows: TypeAlias = Iterator[tuple[int, dict[str, str] | _Statement] | Reject]


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
    check_date_format(reading.date_format)
    text = Text(stream, name)
    pieces = text.pieces()
    first = next(filter(str.strip, pieces), "").removeprefix("\ufeff")
    if _JSON.match(first):
        records = _objects(kind, text.name, read_values(text, first, pieces), reading, understood)
    else:
        records = _sheet(kind, text, itertools.chain([first], pieces), reading, understood)
    return _shown(records, understood)


def _shown(records: Records, understood: Understood) -> Records:
    """Yield records, and keep the first of them to be shown."""
    for record in records:
        if not isinstance(record, Reject):
            understood.rows.append(record)
        yield record
        if len(understood.rows) >= SHOWN_ROWS:
            yield from records


def read_objects(kind: Kind, objects: Iterable[JsonObject], reading: Reading) -> Records:
    """Read objects of an API as if they were the lines of a JSON Lines file."""
    values = (Value(row, value) for row, value in enumerate(objects, 1))
    return _objects(kind, "The answer", values, reading, Understood(), is_file=False)


def _sheet(kind: Kind, text: Text, pieces: Iterator[str], reading: Reading, understood: Understood) -> Records:
    layout = _layout(kind, reading)
    sheet = Sheet(text, text.lines(pieces), layout, reading.header_line, understood)
    if not sheet.header:
        return iter(())
    places = activities_in(sheet.header, reading.mapping) if kind == "progress" else []
    if reading.header_line is None and not layout.is_header(sheet.header) and sheet.parts:
        raise _refuse_parts(kind, sheet, reading, text.name)
    if not places:
        _reader_of(kind, sheet.header, reading, text.name, understood)
    understood.header_line = sheet.line
    if sheet.line > 1 and reading.header_line is None:
        understood.warn(f"{text.name}: the header is line {sheet.line}.")
    if places:
        activities = ActivityReader(sheet.header, places, reading, understood)
        return _unfolded(sheet.records(cast("RowReader", activities.read)))
    ahead = sheet.look_ahead()
    if running := _running_number(kind, sheet.header, ahead, reading):
        reading = reading._replace(mapping={**reading.mapping, "learner_id": "="})
        understood.warn(f"{text.name}: {running} is a running number, and no learner's id.")
        understood.used.clear()
    return sheet.records(_reader_of(kind, sheet.header, reading, text.name, understood, ahead))


def _unfolded(items: Iterator[Any]) -> Records:
    """Yield the records of a report that has several in each row."""
    for item in items:
        if isinstance(item, Reject):
            yield item
        else:
            yield from item


def _layout(kind: Kind, reading: Reading) -> Layout:
    def columns(row: Sequence[str]) -> Columns:
        return match_columns(kind, [*row, *_added(reading)], reading.mapping)

    def is_header(row: Sequence[str]) -> bool:
        try:
            if kind == "progress" and activities_in(row, reading.mapping):
                return True
            return any(map(str.strip, row)) and not missing_columns(kind, columns(row))
        except Failure as problem:
            return problem.code == "import-rejected"  # it would be one, but for two columns of one name

    def repeats(header: Sequence[str], row: Sequence[str]) -> bool:
        if row[:1] == header[:1] and list(map(str.strip, row)) == list(map(str.strip, header)):
            return True
        try:
            return _may_repeat(header, row) and columns(row).places == columns(header).places
        except Failure:
            return False

    return Layout(is_header, repeats, could_be_header)


def _may_repeat(header: Sequence[str], row: Sequence[str]) -> bool:
    """Tell whether two of three headers are those of the header: the names of Qualtrics stand in two lines."""
    if not could_be_header(row):
        return False
    same = sum(header_key(one) == header_key(other) for one, other in zip(header, row, strict=False))
    return same * 3 >= len(header) * 2


def _refuse_parts(kind: Kind, sheet: Sheet, reading: Reading, name: str) -> Failure:
    """Refuse a sheet without a header that has what is needed, and say which lines could be one."""
    require_mapped([sheet.header, *(header for _, header in sheet.parts)], reading.mapping)
    columns = match_columns(kind, [*sheet.header, *_added(reading)], reading.mapping, optional=True)
    if len(sheet.parts) == 1 and sheet.parts[0][0] == sheet.first_line:
        return refuse_header(kind, columns, name)
    line, header = sheet.parts[0]
    columns = match_columns(kind, [*header, *_added(reading)], reading.mapping, optional=True)
    if len(sheet.parts) > 1 or not missing_columns(kind, columns):
        return refuse_parts(name, sheet.parts, sheet.titles)
    refused = refuse_header(kind, columns, name)
    hint = f"The header seems to be line {line}: --header-line {line}. {refused.hint}"
    return Failure("import-rejected", refused.message, hint=hint)


def _running_number(kind: Kind, header: Sequence[str], ahead: Sequence[Cells], reading: Reading) -> str | None:
    """Return the header of an id that only numbers the rows, as forms do."""
    if kind != "learners" or "learner_id" in reading.mapping:
        return None
    columns = match_columns(kind, [*header, *_added(reading)], reading.mapping)
    place = columns.at("learner_id")
    if place == ABSENT or header_key(header[place]) != "id":
        return None
    keys = {header_key(text) for text in header}
    cells = [row[place].strip() for row in ahead if len(row) > place and any(map(str.strip, row))]
    counted = [str(number) for number in range(1, len(cells) + 1)]
    if {"starttime", "completiontime"} <= keys or (cells == counted and len(cells) > 1):
        return header[place].strip()
    return None


def _added(reading: Reading) -> list[str]:
    """Return what is mapped to a value (``=VALUE``), which is added to each row."""
    return [text for text in dict.fromkeys(reading.mapping.values()) if text.startswith("=")]


def _reader_of(
    kind: Kind,
    header: Sequence[str],
    reading: Reading,
    name: str,
    understood: Understood,
    ahead: Sequence[Cells] = (),
    *,
    optional: bool = False,
    is_file: bool = True,
) -> RowReader:
    """Return the reader of rows under a header, to which what is mapped to a value (``=VALUE``) is added."""
    added = _added(reading)
    columns = match_columns(kind, [*header, *added], reading.mapping, optional=optional)
    if missing_columns(kind, columns):
        raise refuse_header(kind, columns, name)
    if is_file:
        refuse_another_kind(kind, columns, reading.mapping, name)
    note_columns(kind, columns, understood, reading)
    read = row_reader(kind, columns, reading, understood, ahead)
    values = [text[1:].strip() for text in added]
    return (lambda row, cells: read(row, [*cells[:-1], *values, ""])) if values else read


def _objects(
    kind: Kind,
    name: str,
    values: Iterator[Value | Reject],
    reading: Reading,
    understood: Understood,
    *,
    is_file: bool = True,
) -> Records:
    rows = _rows(kind, values)
    shown = list(itertools.islice(rows, _LOOKED_AT))
    objects = _Objects(kind, reading, name, understood, is_file=is_file)
    objects.refuse_strangers(shown)
    return _records(objects, itertools.chain(shown, rows))


def _records(objects: "_Objects", rows: _Rows) -> Records:
    for item in rows:
        if isinstance(item, Reject):
            yield item
            continue
        try:
            record = objects.read(*item)
            if record is not None:
                yield record
        except RejectedError as rejected:
            yield Reject(item[0], rejected.column, rejected.reason)
        except LeftOutError as left:
            objects.understood.leave_out(left.column, left.word)


def _rows(kind: Kind, values: Iterator[Value | Reject]) -> _Rows:
    row = 0
    try:
        for item in _flat_rows(kind, values):
            row = item[0]
            yield item
    except DamagedFileError as error:
        yield Reject(row + 1, "", f"{error.what}; nothing after row {row} was read")


def _flat_rows(kind: Kind, values: Iterator[Value | Reject]) -> _Rows:
    for item in values:
        if isinstance(item, Reject):
            yield item
            continue
        try:
            if kind == "progress" and (statement := statement_in(item.value)) is not None:
                yield item.row, _Statement(statement)
            else:
                yield item.row, _row_of(item.value)
        except RejectedError as rejected:
            yield Reject(item.row, rejected.column, rejected.reason)


def _row_of(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise RejectedError("", "is not a JSON object")
    row = row_of(value)
    for header, cell in row.items():
        if problem := complaint(cell):
            raise RejectedError(header if complaint(header) is None else "", problem)
    return row


class _Objects:
    """Reads objects, which each have a header of their own; most of a file have the same."""

    def __init__(self, kind: Kind, reading: Reading, name: str, understood: Understood, *, is_file: bool) -> None:
        self.understood = understood
        self._is_file = is_file
        self._kind = kind
        self._reading = reading
        self._name = name
        self._readers: dict[tuple[str, ...], RowReader] = {}
        self._statements = StatementReader(reading, understood, is_file=is_file)

    def read(self, row: int, cells: dict[str, str] | _Statement) -> Record | None:
        """Read an object; ``None`` for one that says nothing of progress."""
        if isinstance(cells, _Statement):
            return self._statements.read(row, cells.value)
        header = tuple(cells)
        read = self._readers.get(header)
        if read is None:
            read = self._remember(header)
        return read(row, [*cells.values(), ""])

    def refuse_strangers(self, shown: Sequence[tuple[int, dict[str, str] | _Statement] | Reject]) -> None:
        """Refuse a file none of whose first objects is of its kind."""
        if any(not isinstance(item, Reject) and isinstance(item[1], _Statement) for item in shown):
            return
        headers = [tuple(item[1]) for item in shown if not isinstance(item, Reject) and isinstance(item[1], dict)]
        if headers:
            require_mapped(headers, self._reading.mapping)
        failure = next((_no_json(self._name, item) for item in shown if isinstance(item, Reject)), None)
        for header in headers:
            try:
                self._reader(header)
            except Failure as problem:
                failure = failure if failure and failure.code == "usage" else problem
            else:
                return
        if failure:
            raise failure

    def _reader(self, header: tuple[str, ...]) -> RowReader:
        return _reader_of(
            self._kind, header, self._reading, self._name, self.understood, optional=True, is_file=self._is_file
        )

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
