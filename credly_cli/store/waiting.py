"""What needs a person until it is settled (R33): grants that are held or failed, and conditions that last.

A condition is recorded under the place where it was found: a step of a run, which replaces all of its own each time
that it ends (``replace``), or a thing of its own, such as a file with rejected rows (``open_one``, ``settle``).
"""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from credly_cli.errors import ErrorCode, Problem
from credly_cli.store.database import Store
from credly_cli.store.grants import COVER_LOST
from credly_cli.text import Command, Hint, counted, without_addresses

# What lasts until it is over, and is said by each run until then.
LASTING: frozenset[ErrorCode] = frozenset(
    {
        "shrink-refused", "brake", "credly-refused", "lms-file-refused", "lms-file-missing", "lms-stale",
        "token-expiring",
    }
)  # fmt: skip

_ENDED_LINK = "link-ended:"  # and the badge's id


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for a person: what it is, the way out, and how many things of its kind it stands for."""

    code: ErrorCode
    message: str
    hint: Hint | str | None
    count: int


def replace(store: Store, place: str, problems: Sequence[Problem], *, is_whole: bool = True) -> None:
    """Record the conditions that last among the problems of a step, in place of what it said before.

    Where the step did not come to its end (``is_whole``), what it said before stays.
    """
    record(store, place, [problem for problem in problems if problem.code in LASTING], is_whole=is_whole)


def record(store: Store, place: str, found: Sequence[Problem], *, is_whole: bool = True) -> None:
    """Record conditions in place of those that were recorded there before, or beside them."""
    with store.transaction():
        if is_whole:
            settle(store, place)
        known = {row["message"] for row in store.rows("SELECT message FROM waiting WHERE place = ?", (place,))}
        for problem in found:
            if without_addresses(problem.message) not in known:
                _add(store, place, Waiting(problem.code, problem.message, problem.hint, 1))


def open_one(store: Store, place: str, waiting: Waiting) -> None:
    """Record that one thing waits for a person, in place of what was recorded of it before."""
    with store.transaction():
        settle(store, place)
        _add(store, place, waiting)


def settle(store: Store, place: str) -> bool:
    """Record that a place has nothing that waits for a person; returns whether it had."""
    return bool(store.change("DELETE FROM waiting WHERE place = ?", (place,)))


def of_ended_link(badge_id: str) -> str:
    """Return the place where it is recorded that the link of a badge ended by itself (R9)."""
    return f"{_ENDED_LINK}{badge_id}"


def places(store: Store, prefix: str) -> list[str]:
    """Return the places that have something waiting and whose names begin with a prefix, without it."""
    rows = store.rows(
        "SELECT DISTINCT place FROM waiting WHERE substr(place, 1, ?) = ? ORDER BY place", (len(prefix), prefix)
    )
    return [row["place"].removeprefix(prefix) for row in rows]


def _add(store: Store, place: str, waiting: Waiting) -> None:
    hint = str(waiting.hint) if waiting.hint else None
    store.change(
        "INSERT INTO waiting (place, code, message, hint, count) VALUES (?, ?, ?, ?, ?)",
        (place, waiting.code, without_addresses(waiting.message), hint, waiting.count),
    )


def gather(connection: sqlite3.Connection) -> list[Waiting]:
    """Return all that waits for a person, grants first; of a store of this version or an older one."""
    return [*_grants(connection), *_conditions(connection)]


# Grants that wait, by the code that says why: the condition on `grants g`, what to call them, and the way out.
_GRANTS: tuple[tuple[ErrorCode, str, str, Hint], ...] = (
    (
        "grant-failed",
        "g.state = 'failed'",
        "grant failed|grants failed",
        Hint(Command("grants", "--state", "failed"), "tells why; then", Command("retry")),
    ),
    (
        "grant-held",
        "g.state = 'held' AND ifnull(g.problem_code, '') <> 'completion-denied'",
        "grant is held|grants are held",
        Hint(Command("grants", "--state", "held"), "tells why."),
    ),
    (
        "cover-lost",
        COVER_LOST,
        "learner holds a badge no more by which a grant was covered|learners hold badges no more by which grants were"
        " covered",
        Hint("To issue it:", Command("retry", "GRANT"), "; to leave it:", Command("resolve", "GRANT", "--drop")),
    ),
    (
        "completion-denied",
        "g.state = 'held' AND g.problem_code = 'completion-denied'",
        "grant is held because a later file denies its completion|grants are held because later files deny their"
        " completions",
        Hint("To send it:", Command("retry", "GRANT"), "; to drop it:", Command("resolve", "GRANT", "--drop")),
    ),
)


def _grants(connection: sqlite3.Connection) -> Iterator[Waiting]:
    for code, condition, words, hint in _GRANTS:
        sql = f"SELECT count(*), min(g.id) FROM grants g WHERE {condition}"
        number, first = connection.execute(sql).fetchone()
        if number:
            one, _, many = words.partition("|")
            yield Waiting(code, f"{counted(number, one, many)}, the first of them {first}.", hint, number)


def _conditions(connection: sqlite3.Connection) -> Iterator[Waiting]:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'waiting'").fetchone():
        return
    for code, message, hint, count, badge_id, content_id in connection.execute(_CONDITIONS, (_ENDED_LINK,)):
        if badge_id is None:
            yield Waiting(code, message, hint, count)
        else:
            again = Command("link", badge_id, content_id or "CONTENT")
            way = Hint("To link it again:", again, "; to leave it unlinked:", Command("unlink", badge_id))
            yield Waiting(code, f"{message} The badge is active again.", way, count)


# What was recorded; of a link that ended, the badge where it is active again, and the content that it had.
_CONDITIONS = """
SELECT w.code, w.message, w.hint, w.count, b.id,
       (SELECT l.content_id FROM links l WHERE l.badge_id = b.id ORDER BY l.id DESC LIMIT 1)
FROM waiting w LEFT JOIN badges b ON w.place = ? || b.id AND b.listed
ORDER BY w.number
"""


def total(waiting: Collection[Waiting]) -> int:
    """Return how many things wait for a person."""
    return sum(each.count for each in waiting)
