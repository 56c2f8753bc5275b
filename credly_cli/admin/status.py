"""Where things stand, read with the standard library alone, so that `status` answers at once."""

import json
import re
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from credly_cli.errors import Failure
from credly_cli.store.schema import MIGRATIONS
from credly_cli.text import Command, Hint
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
        "connected_at": None,
        "token_expires_at": None,
        "profile": profile,
        "store": str(path),
        "badges": 0,
        "linked": 0,
        "content": 0,
        "learners": 0,
        "grants": dict.fromkeys(_STATES, 0),
        "last_sync": None,
        "last_good_sync": None,
        "needs_person": 0,
    }
    if path.exists():
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
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
    _read_connection(connection, answer)
    for name, sql in _COUNTS.items():
        answer[name] = connection.execute(sql).fetchone()[0]
    answer["grants"].update(connection.execute("SELECT state, count(*) FROM grants GROUP BY state").fetchall())
    _read_runs(connection, answer)
    answer["needs_person"] += answer["grants"]["failed"] + answer["grants"]["held"]


def _read_connection(connection: sqlite3.Connection, answer: dict[str, Any]) -> None:
    for row in connection.execute(
        "SELECT organization_id, organization_name, api_url, disconnected_at, token_expires_at, connected_at"
        " FROM connection"
    ):
        answer["organization"] = {"id": row[0], "name": row[1]}
        answer["api_url"] = row[2]
        answer["connected"] = row[3] is None
        answer["token_expires_at"] = row[4]
        answer["connected_at"] = row[5]


def _read_runs(connection: sqlite3.Connection, answer: dict[str, Any]) -> None:
    """Read the last run, what it left to a person beside grants, and when one last ended well."""
    for *run, summary in connection.execute(
        "SELECT status, started_at, finished_at, summary FROM runs ORDER BY id DESC LIMIT 1"
    ):
        answer["last_sync"] = dict(zip(("status", "started_at", "finished_at"), run, strict=True))
        problems = json.loads(summary)["problems"] if summary else []
        first = {key: problems[0][key] for key in ("code", "message")} if problems else None
        answer["last_sync"]["problem"] = first
        answer["needs_person"] = sum(problem["code"] in _LEFT_TO_A_PERSON for problem in problems)
    for row in connection.execute("SELECT max(finished_at) FROM runs WHERE status = 'success'"):
        answer["last_good_sync"] = row[0]


_LEFT_TO_A_PERSON = ("shrink-refused", "import-rejected")
_COUNTS = {
    "badges": "SELECT count(*) FROM badges WHERE listed",
    "linked": "SELECT count(*) FROM links WHERE ended_at IS NULL",
    "content": "SELECT count(*) FROM content",
    "learners": "SELECT count(*) FROM learners WHERE email_key NOT LIKE 'forgotten:%'",
}


def read_age(text: str) -> timedelta:
    """Read an age like ``2h``; raises ``Failure``."""
    found = _AGE.fullmatch(text.strip().lower())
    try:
        if found is not None:
            return timedelta(seconds=float(found[1]) * _SECONDS[found[2]])
    except OverflowError:
        pass
    raise Failure("usage", f"{text!r} is not an age.", hint="Write it like 90m, 2h or 1d.")


def overdue(answer: dict[str, Any], oldest: timedelta, now: datetime) -> str | None:
    """Say why a monitor should call somebody: the last good sync is older, or a person is needed; else ``None``."""
    if answer["needs_person"]:
        waiting = answer["needs_person"]
        return f"{waiting:,} thing{' waits' if waiting == 1 else 's wait'} for a person."
    good = answer["last_good_sync"]
    if good is None:
        return "No sync has ended well yet."
    age = now - from_utc_text(good)
    return None if age <= oldest else f"The last good sync ended {_words(age)} ago."


_WAYS_OUT = {
    "token-refused": Command("connect"),
    "token-forbidden": Command("connect"),
    "lms-token-refused": Command("doctor"),
    "shrink-refused": Command("sync", "--allow-shrink"),
}


def next_step(answer: dict[str, Any]) -> Hint:
    """Return what to do next, by where things stand."""
    if not answer["enabled"]:
        return Hint(f"Next: set enabled = true in {answer['configuration']}")
    return Hint("Next:", _next_command(answer))


def _next_command(answer: dict[str, Any]) -> Command:
    if not answer["connected"]:
        return Command("connect")
    last = answer["last_sync"]
    problem = last["problem"] if last and (last["finished_at"] or "") >= answer["connected_at"] else None
    if problem and problem["code"] in _WAYS_OUT:
        return _WAYS_OUT[problem["code"]]
    return _next_work(answer)


def _next_work(answer: dict[str, Any]) -> Command:
    if answer["grants"]["failed"] or answer["grants"]["held"]:
        return Command("grants", "--state", "failed", "--state", "held")
    if not answer["badges"] or answer["needs_person"]:
        return Command("sync")
    if not answer["content"]:
        return Command("import", "content", "FILE")
    return Command("sync") if answer["linked"] else Command("link", "BADGE", "CONTENT")


def _words(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 120:  # noqa: PLR2004
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // 1440} days"
