"""The runs of `sync`, where its readers left off, and the files written at places of the user's choice."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from credly_cli.store.database import Store
from credly_cli.text import JsonObject

_NUMBER = "number"


def number(store: Store) -> int:
    """Return the number that was taken last, by a run or by who issues by hand."""
    return max(last(store), int(bookmark(store, _NUMBER) or 0))


def take_number(store: Store, lock_number: int | None) -> int:
    """Take a number above all earlier ones, in the store and in the lock file, for what is issued by hand."""
    taken = _next(store, lock_number)
    set_bookmark(store, _NUMBER, str(taken))
    return taken


def begin(store: Store, lock_number: int | None, started_at: str) -> int:
    """Record a run under a number above all earlier ones, in the store and in the lock file; returns it."""
    taken = _next(store, lock_number)
    store.change("INSERT INTO runs (id, started_at) VALUES (?, ?)", (taken, started_at))
    return taken


def _next(store: Store, lock_number: int | None) -> int:
    return max(number(store), lock_number or 0) + 1


@dataclass(frozen=True, slots=True)
class Listed:
    """How far a run came to know the issued badges: up to when, by Credly's clock, and whether page by page."""

    until: str | None
    whole: bool


def finish(store: Store, number: int, summary: JsonObject, listed: Listed | None, *, good: bool) -> None:
    """Record how a run ended; ``listed`` is ``None`` where it does not know all issued badges.

    A ``good`` one did its work, although it may have brought up something that needs a person (R33).
    """
    store.change(
        "UPDATE runs SET finished_at = ?, status = ?, summary = ?, good = ?, issued_badges_listed = ?,"
        " listed_until = ?, listed_whole = ? WHERE id = ?",
        (
            *(summary["finished_at"], summary["status"], json.dumps(summary), int(good), int(listed is not None)),
            *((listed.until, int(listed.whole)) if listed else (None, 0)),
            number,
        ),
    )


def last_listed(store: Store) -> tuple[str | None, str | None]:
    """Return up to when the issued badges are known, by Credly's clock, and when they were last read page by page."""
    until = store.value("SELECT listed_until FROM runs WHERE issued_badges_listed ORDER BY id DESC LIMIT 1")
    return until, store.value("SELECT started_at FROM runs WHERE listed_whole ORDER BY id DESC LIMIT 1")


def last(store: Store) -> int:
    """Return the number of the last run begun, 0 before the first."""
    return store.value("SELECT max(id) FROM runs") or 0


def last_good(store: Store) -> str | None:
    """Return when a run last did its work."""
    found: str | None = store.value("SELECT max(finished_at) FROM runs WHERE good")
    return found


_BADGES_LISTED = "badges-listed"


def note_badges_listed(store: Store, now: str) -> None:
    """Note that the list of badges was read to its end."""
    set_bookmark(store, _BADGES_LISTED, now)


def badges_listed_at(store: Store) -> str | None:
    """Return as of when the list of badges is; in a store in which that was never noted, when its last run ended."""
    found: str | None = bookmark(store, _BADGES_LISTED) or store.value("SELECT max(finished_at) FROM runs")
    return found


def first_started_at(store: Store) -> str | None:
    """Return when the first run over this store began: what was completed before may be known to an earlier store."""
    value: str | None = store.value("SELECT started_at FROM runs ORDER BY id LIMIT 1")
    return value


def bookmark(store: Store, name: str) -> str | None:
    """Return where a reader left off."""
    value: str | None = store.value("SELECT value FROM bookmarks WHERE name = ?", (name,))
    return value


def bookmarks(store: Store, prefix: str) -> dict[str, str]:
    """Return all bookmarks whose name begins with a prefix, by the rest of their name."""
    rows = store.connection.execute(
        "SELECT name, value FROM bookmarks WHERE name GLOB ? ORDER BY name", (f"{prefix}*",)
    )
    return {name.removeprefix(prefix): value for name, value in rows}


def set_bookmark(store: Store, name: str, value: str | None) -> None:
    """Note where a reader left off, ``None`` to forget it; writes nothing where that is unchanged."""
    if value is None:
        store.change("DELETE FROM bookmarks WHERE name = ?", (name,))
        return
    store.change(
        "INSERT INTO bookmarks (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE value <> excluded.value",
        (name, value),
    )


def last_listing(store: Store) -> str | None:
    """Return when the issued badges were last listed completely."""
    found: str | None = store.value("SELECT finished_at FROM runs WHERE issued_badges_listed ORDER BY id DESC LIMIT 1")
    return found


Kind = Literal["log", "rejects", "token"]
_PREFIX = "trace:"  # among all bookmarks


def note(store: Store, kind: Kind, path: Path) -> None:
    """Remember a file."""
    name = f"{_PREFIX}{path.absolute()}"
    store.change("INSERT INTO bookmarks (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (name, kind))


def noted(store: Store) -> dict[Path, Kind]:
    """Return the files that were remembered."""
    return {Path(name): cast("Kind", kind) for name, kind in bookmarks(store, _PREFIX).items()}
