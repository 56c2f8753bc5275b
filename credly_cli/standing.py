"""Where things stand, read with the standard library alone, so that `status` answers at once."""

import re
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from credly_cli.errors import Failure
from credly_cli.store.migrations import MIGRATIONS
from credly_cli.times import from_utc_text

_STATES = ("planned", "sending", "uncertain", "issued", "covered", "held", "failed", "cancelled")
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def read(path: Path, profile: str) -> dict[str, Any]:
    """Read the answer of `status` from a store, which need not be there; raises ``Failure`` for a newer one."""
    answer: dict[str, Any] = {
        "connected": False,
        "organization": None,
        "api_url": None,
        "profile": profile,
        "store": str(path),
        "badges": 0,
        "linked": 0,
        "content": 0,
        "learners": 0,
        "grants": dict.fromkeys(_STATES, 0),
        "last_sync": None,
        "needs_person": 0,
    }
    if path.exists():
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            _read_store(connection, answer)
    return answer


def _read_store(connection: sqlite3.Connection, answer: dict[str, Any]) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise Failure(
            "store-newer",
            f"The store has version {version}; this program knows up to {len(MIGRATIONS)}.",
            hint="Install the newer credly-cli that wrote it.",
        )
    if version == 0:
        return
    for row in connection.execute(
        "SELECT organization_id, organization_name, api_url, disconnected_at FROM connection"
    ):
        answer["organization"] = {"id": row[0], "name": row[1]}
        answer["api_url"] = row[2]
        answer["connected"] = row[3] is None
    for name, sql in _COUNTS.items():
        answer[name] = connection.execute(sql).fetchone()[0]
    answer["grants"].update(connection.execute("SELECT state, count(*) FROM grants GROUP BY state").fetchall())
    answer["needs_person"] = answer["grants"]["failed"] + answer["grants"]["held"]
    for row in connection.execute("SELECT status, started_at, finished_at FROM runs ORDER BY id DESC LIMIT 1"):
        answer["last_sync"] = dict(zip(("status", "started_at", "finished_at"), row, strict=True))


_COUNTS = {
    "badges": "SELECT count(*) FROM badges WHERE listed",
    "linked": "SELECT count(*) FROM links WHERE ended_at IS NULL",
    "content": "SELECT count(*) FROM content",
    "learners": "SELECT count(*) FROM learners",
}


def read_age(text: str) -> timedelta:
    """Read an age like ``2h``; raises ``Failure``."""
    found = _AGE.fullmatch(text.strip().lower())
    if found is None:
        raise Failure("usage", f"{text!r} is not an age.", hint="Write it like 90m, 2h or 1d.")
    return timedelta(seconds=float(found[1]) * _SECONDS[found[2]])


def is_stale(answer: dict[str, Any], oldest: timedelta, now: datetime) -> bool:
    """Tell whether a monitor should call somebody: the last good sync is older, or a person is needed."""
    last = answer["last_sync"]
    good = last is not None and last["status"] == "success"
    return bool(answer["needs_person"]) or not good or now - from_utc_text(last["finished_at"]) > oldest
