import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

import pytest

from credly_cli.lms.files import Reading, read_file
from credly_cli.lms.records import Kind, Record, Reject

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def _read(
    kind: Kind,
    text: str | bytes,
    *,
    zone: tzinfo = UTC,
    date_format: str | None = None,
    mapping: Mapping[str, str] | None = None,
) -> list[Record | Reject]:
    data = text.encode() if isinstance(text, str) else text
    return list(read_file(kind, io.BytesIO(data), Reading(NOW, zone, date_format, mapping or {})))


@pytest.fixture(scope="session")
def read() -> Callable[..., list[Any]]:
    """Read all that a file holds, on 2026-11-23 at noon."""
    return _read


@pytest.fixture(scope="session")
def one() -> Callable[..., Any]:
    """Read a file that holds one row, good or rejected."""

    def only(*told: Any, **options: Any) -> Record | Reject:
        (record,) = _read(*told, **options)
        return record

    return only
