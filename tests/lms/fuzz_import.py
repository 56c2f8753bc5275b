"""The changes of ``fuzz``, through `import` into a store, and what `sync` would then send: to whom, for what, when.

``python -m tests.lms.fuzz_import --count 2000`` says what became of each kind of change. A changed file is imported
into an empty store, after the same file unchanged (as on the next night), or after the file of another system, which
numbers other people from the same numbers. A change is silent, which is a fault, where nothing is said and a learner, a
name, a completion, its day or a badge to be sent is another one, or missing.
"""

import io
import random
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from credly_cli.errors import Failure
from credly_cli.importing.importer import import_files
from credly_cli.issuing.plan import plan
from credly_cli.lms.records import Reading
from credly_cli.store.database import Store
from tests.lms.fuzz import BASES, CHANGES, NOW, Export, report

_AT = "2026-11-28T00:00:00Z"
_ORDERS = ("alone", "next night", "other system")
# People of another system: other names and addresses, the same numbers.
_OTHERS = {
    "ada@example.org": ("ned@example.net", "Ada", "Ned", "Lovelace", "Flanders"),
    "bob@example.org": ("pat@example.net", "Bob", "Pat", "Stone", "Quill"),
    "zoe@example.org": ("kim@example.net", "Zoë", "Kim", "Müller", "Park"),
    "cy@example.org": ("lou@example.net", "Cy", "Lou", "Stone", "Reed"),
    "mia@example.org": ("ivy@example.net", "Mia", "Ivy", "O'Hara", "Brook"),
    "jo@example.org": ("max@example.net", "Jo", "Max", "Van Dam", "Frost"),
}


class Outcome(NamedTuple):
    """What a store holds and would send, and whether something was said of what it does not."""

    people: dict[str, tuple[str | None, str | None]]
    completions: set[tuple[str, str, str]]
    sent: set[tuple[str, str | None, str | None, str, str]]
    loud: bool


@cache
def _office() -> sqlite3.Connection:
    """Return a store with two courses and a badge linked to each."""
    store = Store.in_memory()
    with store.transaction():
        for number, title in ((1, "Intro"), (2, "Deep Dive")):
            values = (f"C{number}", title)
            store.change("INSERT INTO content (id, title, type, released) VALUES (?, ?, 'course', 1)", values)
            store.change(
                "INSERT INTO badges (id, name, state, allow_duplicates, listed, fingerprint, raw)"
                " VALUES (:id, :id, 'active', 0, 1, '', '{}')",
                {"id": f"b{number}"},
            )
            store.change(
                "INSERT INTO links (badge_id, content_id, linked_at, counts_from) VALUES (?, ?, ?, ?)",
                (f"b{number}", f"C{number}", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            )
    return store.connection


def outcome_of(*exports: Export) -> Outcome:
    """Import files one after the other, and plan."""
    connection = sqlite3.connect(":memory:")
    _office().backup(connection)
    loud = False
    with Store(connection, None) as store:
        for export in exports:
            try:
                reading = Reading(NOW, mapping=export.options)
                result = import_files(
                    store, "progress", [io.BytesIO(export.data())], reading, Path(), keep_rejects=False
                )
            except Failure:
                loud = True
                continue
            loud |= bool(
                result.counts.rejected or result.readdressed or result.undone
                or any(file.left_out or file.understood.dated_otherwise for file in result.files)
                or any("fewer cells" in told or "No row is" in told for told in result.json()["warnings"])
            )  # fmt: skip
        plan(store, "organization", None, _AT)
        people = store.connection.execute("SELECT email, first_name, last_name FROM learners").fetchall()
        completions = store.connection.execute(
            "SELECT l.email, e.content_id, substr(e.completed_at, 1, 10) FROM enrollments e JOIN learners l"
            " ON l.id = e.learner WHERE e.completed_at IS NOT NULL AND e.denied_at IS NULL"
        ).fetchall()
        sent = store.connection.execute(
            "SELECT l.email, l.first_name, l.last_name, g.content_id, substr(g.completed_at, 1, 10) FROM grants g"
            " JOIN learners l ON l.id = g.learner WHERE g.state = 'planned'"
        ).fetchall()
        loud |= bool(store.value("SELECT 1 FROM grants WHERE state IN ('held', 'failed')"))
    return Outcome({email: (first, last) for email, first, last in people}, set(completions), set(sent), loud)


def fault_in(told: Outcome, right: Outcome, *, fewer: bool) -> str | None:
    """Return what is wrong without a word; what is said may be missing, and never be another."""
    for email, names in told.people.items():
        if email not in right.people:
            if not told.loud:
                return f"another person: {email}"
        elif any(has and has != was for has, was in zip(names, right.people[email], strict=True)) and not told.loud:
            return f"another name: {email} is {names}"
    for what in ("completions", "sent"):
        has, wanted = getattr(told, what), getattr(right, what)
        if (more := has - wanted) and not told.loud:
            return f"another of {what}: {min(more, key=str)}"
        if not fewer and not told.loud and (missing := wanted - has):
            return f"missing of {what}: {min(missing, key=str)}"
    return None


def other_system(export: Export) -> Export:
    """Return the export of a system that numbers other people from the same numbers."""
    rows = []
    for cells in export.rows:
        email = next(cell for cell in cells if "@" in cell)
        new, first, other_first, last, other_last = _OTHERS[email]
        told = [cell.replace(email, new) for cell in cells]
        told = [other_first if cell == first else other_last if cell == last else cell for cell in told]
        rows.append([cell.replace(f"{last}, {first}", f"{other_last}, {other_first}") for cell in told])
    return replace(export, rows=rows)


def changed(seed: int, count: int) -> Iterator[tuple[str, str, int, str | None]]:
    """Yield for each of so many changes how it was imported, its kind, its seed and what is wrong without a word."""
    number = 0
    while number < count:
        seed += 1
        draw = random.Random(seed)  # noqa: S311 - a test
        name, change, order = draw.choice(list(BASES)), draw.choice(CHANGES), draw.choice(_ORDERS)
        base = BASES[name]
        export, fewer = change(base, draw)
        if export.data() == base.data():
            continue
        number += 1
        first = _first(order, name)
        told = outcome_of(*first, export)
        right = _right(order, name)
        yield order, change.__name__, seed, fault_in(told, right, fewer=fewer)


def _first(order: str, name: str) -> Sequence[Export]:
    if order == "other system":
        return [other_system(BASES[name])]
    return [BASES[name]] if order == "next night" else []


@cache
def _right(order: str, name: str) -> Outcome:
    """Return what is right: what each of the files says of its own people, whatever the other one has."""
    alone = [outcome_of(export) for export in (*_first(order, name), BASES[name])]
    return Outcome(
        {email: names for each in alone for email, names in each.people.items()},
        set().union(*(each.completions for each in alone)),
        set().union(*(each.sent for each in alone)),
        loud=False,
    )


if __name__ == "__main__":
    sys.exit(report(__doc__, changed, 2_000))
