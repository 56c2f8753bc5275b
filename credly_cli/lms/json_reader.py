"""JSON as it comes: a line each, one array, or an object around a list; never more than one value in memory."""

import itertools
import json
import re
from collections.abc import Generator, Iterator
from typing import Any, NamedTuple

from credly_cli.lms.records import Reject
from credly_cli.lms.text import MAX_FIELD, Text, complaint
from credly_cli.lms.xapi.statements import statement_in, statement_row
from credly_cli.text import JsonObject

# The lists that systems put their rows in, and what they put around those.
_LISTS = frozenset({
    "statements", "events", "users", "learners", "contentItems", "content", "courses", "clients", "enrollments",
    "progress", "access", "items", "records", "results", "rows", "nodes", "edges", "data", "APIEvents",
})  # fmt: skip
_AROUND = frozenset({"data", "APIEvents"})
_OF_A_ROW = frozenset({"id", "email", "user", "event", "actor", "learner_id", "content_id"})
_MAX_DEPTH = 2  # {"data": {"APIEvents": {"events": [...]}}}
_MAX_VALUE = 4 * MAX_FIELD
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_decode = json.JSONDecoder().raw_decode


class Value(NamedTuple):
    """A JSON value and where it was: the line of a JSON Lines file, else its place in the list."""

    row: int
    value: Any


class BrokenJsonError(ValueError):
    """Text that is no JSON."""


def read_values(text: Text, first: str, rest: Iterator[str]) -> Iterator[Value | Reject]:
    """Yield the values of a file whose text begins with ``first``: its rows, without what is around them."""
    if _is_lines(first):
        return _line_values(text, text.lines(itertools.chain([first], rest)))
    return _document_values(first, rest)


def _is_lines(first: str) -> bool:
    """Tell JSON Lines from one document by its first line, or, where that is broken, by one that is a whole object."""
    lines = [line.strip() for line in first.lstrip("\ufeff \t\r\n").split("\n")[:50] if line.strip()]
    if not lines or not lines[0].startswith("{"):
        return False
    if (head := _parsed(lines[0])) is not None:
        return len(lines) > 1 or _list_in(head, depth=0) is None
    if lines[0].endswith(("{", "[", ",")):
        return False
    return any(line.startswith("{") and _parsed(line) is not None for line in lines)


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _line_values(text: Text, lines: Iterator[str]) -> Iterator[Value | Reject]:
    for row, line in enumerate(lines, 1):
        if not line.strip():
            continue
        value = _parsed(line)
        if value is None:
            yield Reject(row, "", (text.suspicious and complaint(line)) or "is not JSON")
        for inner in _unwrapped(value) if value is not None else ():
            yield Value(row, inner)


def _unwrapped(value: Any) -> list[Any]:
    """Return the rows of a small value: itself, or what its list of rows holds."""
    found = _list_in(value, depth=0)
    return [value] if found is None else [_without_node(item) for item in found]


def _list_in(value: Any, depth: int) -> list[Any] | None:
    if not isinstance(value, dict) or depth > _MAX_DEPTH or not _OF_A_ROW.isdisjoint(value):
        return None
    for key in _LISTS & value.keys():
        inside = value[key]
        if isinstance(inside, list):
            return inside
        if key in _AROUND and (found := _list_in(inside, depth + 1)) is not None:
            return found
    return None


def _document_values(first: str, rest: Iterator[str]) -> Iterator[Value | Reject]:
    document = _Document(first, rest)
    row = 0
    try:
        for row, value in enumerate(document.rows(), 1):
            yield Value(row, value)
    except BrokenJsonError as problem:
        yield Reject(row + 1, "", f"{problem}; nothing after it was read")


class _Document:
    """A JSON text read value by value."""

    def __init__(self, first: str, rest: Iterator[str]) -> None:
        self._buffer = first
        self._at = 0
        self._rest = rest

    def rows(self) -> Iterator[Any]:
        """Yield the rows of all values at the top."""
        while character := self._next_character():
            if character == "[":
                yield from self._elements()
            elif character == "{":
                alone = yield from self._members(depth=0)
                if alone is not None:
                    yield alone
            else:
                yield self._value()

    def _elements(self) -> Iterator[Any]:
        for _ in self._separated("[", "]"):
            yield _without_node(self._value())

    def _members(self, depth: int) -> Generator[Any, None, JsonObject | None]:
        """Yield the rows inside an object; return the object itself where it has no list of rows."""
        alone: JsonObject = {}
        found = False
        for _ in self._separated("{", "}"):
            key = self._key()
            opening = self._next_character() if key in _LISTS and _OF_A_ROW.isdisjoint(alone) else ""
            if opening == "[":
                found = True
                yield from self._elements()
            elif opening == "{" and key in _AROUND and depth < _MAX_DEPTH:
                inside = yield from self._members(depth + 1)
                found = found or inside is None
                alone[key] = inside
            else:
                alone[key] = self._value()
        return None if found else alone

    def _separated(self, opening: str, closing: str) -> Iterator[None]:
        self._expect(opening)
        if self._next_character() == closing:
            self._at += 1
            return
        while True:
            yield
            if self._next_character() == closing:
                self._at += 1
                return
            self._expect(",")

    def _key(self) -> str:
        key = self._value()
        if not isinstance(key, str):
            raise BrokenJsonError("is not JSON")
        self._expect(":")
        return key

    def _expect(self, character: str) -> None:
        if self._next_character() != character:
            raise BrokenJsonError("is cut off" if not self._next_character() else "is not JSON")
        self._at += 1

    def _next_character(self) -> str:
        while True:
            self._at = _end_of_space(self._buffer, self._at)
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def _value(self) -> Any:
        self._next_character()
        while True:
            try:
                value, end = _decode(self._buffer, self._at)
            except (ValueError, RecursionError):
                end = len(self._buffer)
            if end < len(self._buffer):  # a number that ends with the buffer may go on
                self._at = end
                return value
            if not self._grow():
                return self._last_value()

    def _last_value(self) -> Any:
        try:
            value, self._at = _decode(self._buffer, self._at)
        except (ValueError, RecursionError):
            raise BrokenJsonError("is not JSON, or cut off") from None
        return value

    def _grow(self) -> bool:
        """Double what is in memory of the value, so that trying again costs no more than reading it once."""
        wanted = 2 * (len(self._buffer) - self._at)
        if wanted > 2 * _MAX_VALUE:
            return False
        grown = False
        while len(self._buffer) - self._at < wanted and self._more():
            grown = True
        return grown

    def _more(self) -> bool:
        piece = next((piece for piece in self._rest if piece), "")
        self._buffer = self._buffer[self._at :] + piece
        self._at = 0
        return bool(piece)


def _without_node(value: Any) -> Any:
    if isinstance(value, dict) and isinstance(value.get("node"), dict):
        return value["node"]
    return value


def _end_of_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


# Objects as rows: nested ones with dotted names (``user.email``)

_ENVELOPES = ("data", "payload")  # of webhooks: the event is around, what it is about inside
_MAX_NESTING = 6


def row_of(value: JsonObject) -> dict[str, str]:
    """Return an object as a row of texts by header."""
    if (statement := statement_in(value)) is not None:
        return dict(_flattened(statement_row(statement), "", 0))
    for envelope in _ENVELOPES:
        inside = value.get(envelope)
        if isinstance(inside, dict):
            outside = {key: item for key, item in value.items() if key != envelope}
            return dict(_flattened({**outside, **_renamed(inside, outside)}, "", 0))
    return dict(_flattened(value, "", 0))


def _renamed(inside: JsonObject, outside: JsonObject) -> JsonObject:
    """Keep apart what is inside from what is around: the id of a course is not that of the event."""
    return {key: item for key, item in inside.items() if key not in outside and key != "id"}


def _flattened(value: JsonObject, prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    for key, item in value.items():
        if isinstance(item, dict):
            if depth < _MAX_NESTING:
                yield from _flattened(item, f"{prefix}{key}.", depth + 1)
        else:
            yield prefix + key, _text_of(item)


def _text_of(item: object) -> str:
    if item is None:
        return ""
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, list):
        return ";".join(_text_of(part) for part in item if not isinstance(part, dict | list))
    return str(item)
