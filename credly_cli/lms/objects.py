"""JSON exports as rows: objects with a header of their own, nested ones with dotted names (``user.email``)."""

from collections.abc import Iterator
from typing import Any

from credly_cli.lms import xapi

_ENVELOPES = ("data", "payload")  # of webhooks: the event is around, what it is about inside
_MAX_DEPTH = 6


def row_of(value: dict[str, Any]) -> dict[str, str] | None:
    """Return an object as a row of texts by header; ``None`` for one that is none of ours (a voided statement)."""
    if xapi.is_statement(value):
        row = xapi.statement_row(value)
        return None if row is None else dict(_flattened(row, "", 0))
    for envelope in _ENVELOPES:
        inside = value.get(envelope)
        if isinstance(inside, dict):
            outside = {key: item for key, item in value.items() if key != envelope}
            return dict(_flattened({**outside, **_renamed(inside, outside)}, "", 0))
    return dict(_flattened(value, "", 0))


def _renamed(inside: dict[str, Any], outside: dict[str, Any]) -> dict[str, Any]:
    """Keep apart what is inside from what is around: the id of a course is not that of the event."""
    return {key: item for key, item in inside.items() if key not in outside and key != "id"}


def _flattened(value: dict[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    for key, item in value.items():
        if isinstance(item, dict):
            if depth < _MAX_DEPTH:
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
