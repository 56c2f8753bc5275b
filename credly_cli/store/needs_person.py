"""What needs a person until it is settled (R33): grants that are held or failed, and conditions that last.

A condition is recorded under the place where it was found: a step of a run, which replaces all of its own each time
that it ends (``replace``), or a thing of its own, such as a file with rejected rows (``open_one``, ``settle``).
"""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from credly_cli.errors import ErrorCode, Problem
from credly_cli.store.database import Store
from credly_cli.text import Command, Hint, without_addresses

# Whether the badge that covered a grant `g` was found lost, and nobody settled it (R33).
COVER_LOST = "(g.state = 'covered' AND ifnull(g.problem_code, '') = 'cover-lost')"

# Conditions that last: each run reports them until they are over.
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


# Grants that wait, by the code that says why: the condition on `grants g`, what is said of one and of many, the state.
_GRANTS: tuple[tuple[ErrorCode, str, str, str, str], ...] = (
    ("grant-failed", "g.state = 'failed'", "failed", "failed", "failed"),
    (
        "grant-held",
        "g.state = 'held' AND ifnull(g.problem_code, '') <> 'completion-denied'",
        "is held",
        "are held",
        "held",
    ),
    (
        "cover-lost",
        COVER_LOST,
        "was covered by a badge that its learner holds no more",
        "were covered by badges that their learners hold no more",
        "covered",
    ),
    (
        "completion-denied",
        "g.state = 'held' AND g.problem_code = 'completion-denied'",
        "is held because a later file denies its completion",
        "are held because later files deny their completions",
        "held",
    ),
)


def _grants(connection: sqlite3.Connection) -> Iterator[Waiting]:
    for code, condition, one, many, state in _GRANTS:
        sql = f"SELECT count(*), min(g.id) FROM grants g WHERE {condition}"
        number, first = connection.execute(sql).fetchone()
        if number:
            message = (
                f"Grant {first} {one}." if number == 1 else f"{number:,} grants {many}, the first of them {first}."
            )
            yield Waiting(code, message, _way_out(code, state, str(first) if number == 1 else "GRANT"), number)


def _way_out(code: ErrorCode, state: str, grant: str) -> Hint:
    """Return what to do about grants that wait; those for which a person decides are named one by one."""
    why = (Command("grants", "--state", state), "tells why")
    match code:
        case "grant-failed":
            return Hint(*why, "; then", Command("retry"))
        case "grant-held":
            return Hint(*why, ".")
    first = "To issue it:" if code == "cover-lost" else "To send it:"
    second = "; to leave it:" if code == "cover-lost" else "; to drop it:"
    ways = (first, Command("retry", grant), second, Command("resolve", grant, "--drop"))
    return Hint(*ways) if grant.isdigit() else Hint(why[0], "lists them.", *ways)


def _conditions(connection: sqlite3.Connection) -> Iterator[Waiting]:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'waiting'").fetchone():
        return
    for code, message, hint, count, badge_id, content_id in connection.execute(_CONDITIONS, (_ENDED_LINK,)):
        if badge_id is None:
            yield Waiting(code, message, hint, count)
        else:
            link = Command("link", badge_id, content_id or "CONTENT")
            way_out = Hint("To link it again:", link, "; to leave it unlinked:", Command("unlink", badge_id))
            yield Waiting(code, f"{message} The badge is active again.", way_out, count)


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
