"""Records of progress as they are told, put into tables of the connection's own: a million take no memory there.

``told`` has a row for each record, ``named`` the people whom they name, ``spots`` where they are enrolled. People and
places are numbers in ``told``: a number is written, sorted and compared much faster than four texts.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeAlias

from credly_cli.lms.records import ProgressRecord, Reject
from credly_cli.store.content import Catalogue, Place
from credly_cli.store.database import Store

TOLD = (
    "progress", "enrolled_at", "ended", "open", "told_at", "completed_at", "completed_latest", "event_id",
)  # fmt: skip
Rejecting: TypeAlias = Callable[[Reject], None]

_BATCH = 10_000
_REMEMBERED = 10_000  # people, and names of content: bounded, for a file may name any number
_ENDED: dict[str | None, int] = {"ended": 1}
_OPEN: dict[str | None, int] = {"open": 1, "complete": 0, "ended": 0}

# What is not told is '' here: Python hands over a text or a number much faster than a None.
_TABLES = (
    f"CREATE TEMP TABLE told (line INTEGER PRIMARY KEY, row INTEGER, who INTEGER, place INTEGER,"
    f" loose INTEGER, {', '.join(TOLD)})",
    """
    CREATE TEMP TABLE named (
      who INTEGER PRIMARY KEY, email TEXT, learner_id TEXT, first_name TEXT, last_name TEXT, at TEXT, learner INTEGER)
    """,
    """
    CREATE TEMP TABLE spots (
      place INTEGER PRIMARY KEY, content_id TEXT, session_id TEXT, UNIQUE (content_id, session_id))
    """,
)
_KEEP_TOLD = f"INSERT INTO temp.told VALUES (NULL{', ?' * (4 + len(TOLD))})"
_Person: TypeAlias = tuple[str, str, str, str]  # email, learner id, first and last name
_Spot: TypeAlias = tuple[int, int]  # number of the place, and 1 where the session was not told


class Stage:
    """Takes records in; a person may get several numbers, a place has one."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue
        self._people: dict[_Person, int] = {}
        self._told_at: dict[int, str] = {}  # of people: when the latest record of them was true
        self._named = 0
        self._spots: dict[tuple[str, str], int] = {}
        self._places: dict[tuple[Any, ...], _Spot | str] = {}

    def take(self, records: Iterable[ProgressRecord], reject: Rejecting) -> int:
        """Put records into the tables, made anew; returns how many have a place. What has none is rejected."""
        for table in ("told", "named", "spots"):
            self._store.change(f"DROP TABLE IF EXISTS temp.{table}")
        for statement in _TABLES:
            self._store.change(statement)
        rows, count = self._rows(records, reject), 0
        while batch := list(islice(rows, _BATCH)):
            self._store.connection.executemany(_KEEP_TOLD, batch)
            count += len(batch)
            if len(self._people) > _REMEMBERED:
                self._keep_people()
        self._keep_people()
        spots = [(place, *where) for where, place in self._spots.items()]
        self._store.connection.executemany("INSERT INTO temp.spots VALUES (?, ?, ?)", spots)
        return count

    def _rows(self, records: Iterable[ProgressRecord], reject: Rejecting) -> Iterator[tuple[Any, ...]]:
        places, people = self._places, self._people
        for record in records:
            (
                row, email, learner_id, name, by_title, session, progress, standing, enrolled_at, completed_at,
                completed_latest, event_id, first_name, last_name, reported_at,
            ) = record  # fmt: skip
            spot = places.get((name, session, by_title)) or self._find_place(record)
            if isinstance(spot, str):
                reject(Reject(row, "content_title" if by_title else "content_id", spot))
                continue
            place, loose = spot
            person = email or "", learner_id or "", first_name or "", last_name or ""
            who = people.get(person) or self._name(person)
            if reported_at and reported_at > self._told_at.get(who, ""):
                self._told_at[who] = reported_at
            yield (
                row, who, place, loose, "" if progress is None else progress, enrolled_at or "",
                _ENDED.get(standing, 0), _OPEN.get(standing, ""), reported_at or "", completed_at or "",
                completed_latest or "", event_id or "",
            )  # fmt: skip

    def _name(self, person: _Person) -> int:
        self._named += 1
        self._people[person] = self._named
        return self._named

    def _keep_people(self) -> None:
        rows = ((who, *person, self._told_at.get(who)) for person, who in self._people.items())
        self._store.connection.executemany("INSERT INTO temp.named VALUES (?, ?, ?, ?, ?, ?, NULL)", rows)
        self._people.clear()
        self._told_at.clear()

    def _find_place(self, record: ProgressRecord) -> _Spot | str:
        found = self._catalogue.place(record.content, record.session_id, by_title=record.by_title)
        place = found if isinstance(found, str) else (self._number(found), int(found.loose))
        if len(self._places) < _REMEMBERED:
            self._places[record.content, record.session_id, record.by_title] = place
        return place

    def _number(self, place: Place) -> int:
        return self._spots.setdefault((place.content_id, place.session_id), len(self._spots) + 1)
