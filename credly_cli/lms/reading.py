"""What the readers of a file share: what they are told, how they refuse a row, and the shape of a row's reader."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from credly_cli.lms.records import Record

_LONGEST_REASON = 300  # it quotes the cell, which may be a megabyte


class Reading(NamedTuple):
    """How to read a file: the time it is now, the zone of times without one, and what the user says of the file."""

    now: datetime
    zone: tzinfo = UTC
    date_format: str | None = None
    mapping: Mapping[str, str] = MappingProxyType({})


class RejectedError(Exception):
    """A row that cannot be taken: the column that is to blame, and why."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason if len(reason) <= _LONGEST_REASON else reason[:_LONGEST_REASON] + "..."


Cells: TypeAlias = list[str]  # of a row, with an empty one added at the end, which every absent column points to
RowReader: TypeAlias = Callable[[int, Cells], Record]
