"""Whose page may have changed since somebody looked last (R35); `page_triggers.py` says what tells of a change."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from credly_cli.store.content import RELEASED_AT
from credly_cli.store.database import Store
from credly_cli.store.page_triggers import TRIGGERS

EVERYBODY = 0
_WATCHED = "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = 'page_learner_comes'"


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the changes of a store were looked at; the last run tells a store that was restored since."""

    number: int
    run: int | None
    run_started_at: str | None


def watch(store: Store) -> None:
    """Note changes from now on, if they are not noted yet; what was before is as of when the store was last written."""
    if store.value(_WATCHED):
        return
    with store.transaction():
        for trigger in TRIGGERS:
            store.connection.execute(trigger)
        store.change(
            "UPDATE page_changes SET number = (SELECT max(number) + 1 FROM page_changes),"
            " at = (SELECT at FROM page_clock) WHERE learner = ?",
            (EVERYBODY,),
        )


def mark(store: Store) -> Mark:
    """Return how far the changes go now."""
    run = store.row("SELECT id, started_at FROM runs ORDER BY id DESC LIMIT 1") or {"id": None, "started_at": None}
    return Mark(_last(store), run["id"], run["started_at"])


def continues(store: Store, seen: Mark) -> bool:
    """Tell whether the store goes on from where it was looked at: an older copy does not."""
    run = store.value("SELECT started_at FROM runs WHERE id = ?", (seen.run,))
    return run == seen.run_started_at and _last(store) >= seen.number


def _last(store: Store) -> int:
    return int(store.value("SELECT max(number) FROM page_changes") or 0)


def since(store: Store, seen: Mark, most: int) -> list[int] | None:
    """Return the learners who may have changed since, in order; ``None`` where that is everybody, or so many."""
    sql = "SELECT learner FROM page_changes WHERE number > ? ORDER BY number LIMIT ?"
    rows = [row[0] for row in store.connection.execute(sql, (seen.number, most + 1))]
    return None if len(rows) > most or EVERYBODY in rows else sorted(rows)


def times(store: Store, learners: Sequence[int]) -> dict[int, str]:
    """Return when each of these learners' facts last changed, as far as is known, as UTC text."""
    sql = "SELECT learner, at FROM page_changes WHERE learner IN (SELECT value FROM json_each(?))"
    known = dict(store.connection.execute(sql, (json.dumps([EVERYBODY, *learners]),)).fetchall())
    everybodys = known.get(EVERYBODY, "")
    return {learner: max(known.get(learner, ""), everybodys) for learner in learners}


def set_clock(store: Store, now: str) -> None:
    """Say when the command began that writes from now on."""
    store.change("UPDATE page_clock SET at = :now WHERE at <> :now", {"now": now})


def releases(store: Store, now: str) -> tuple[str | None, str | None]:
    """Return when linked content was last released by the passing of time, and when it will be next."""
    row = store.row(
        f"SELECT max(iif(at <= :now, at, NULL)) AS last, min(iif(at > :now, at, NULL)) AS next FROM ({RELEASED_AT})",
        {"now": now},
    )
    return (row["last"], row["next"]) if row else (None, None)
