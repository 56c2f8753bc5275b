"""Enrollments: who is in which session, how far, and who completed it when.

A file may hold millions of records, in any order, several of one enrollment among them. So they are first put into
tables of their own, sorted and folded to one for each enrollment, and then the store takes what differs: in SQL, where
a million rows take seconds and no memory.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from credly_cli.lms.records import ProgressRecord, Reject
from credly_cli.store.completions import current_rev, set_rev
from credly_cli.store.content import Catalogue
from credly_cli.store.database import Store
from credly_cli.store.people import resolve
from credly_cli.store.tally import Tally

_LISTED = 1000  # completions undone, of those that are told one by one
_REMEMBERED = 100_000  # names of content; bounded, for a file may hold any text

_Place: TypeAlias = tuple[str, str]  # content, session
Rejecting: TypeAlias = Callable[[Reject], None]

_COLUMNS = (
    "progress", "enrolled_at", "ended", "open", "told_at", "completed_at", "completed_latest", "event_id",
)  # fmt: skip
_NAMES = ", ".join(_COLUMNS)
_ENDED: dict[str | None, int] = {"ended": 1}
_OPEN: dict[str | None, int] = {"open": 1, "complete": 0, "ended": 0}
_KEY = "learner, content_id, session_id"

# What is told is staged with '' for what is not told: Python hands over a text or a number much faster than a None.
_STAGE = (
    f"""
    CREATE TEMP TABLE IF NOT EXISTS told (
      line INTEGER PRIMARY KEY, row INTEGER, email TEXT, learner_id TEXT, first_name TEXT, last_name TEXT,
      content_id TEXT, session_id TEXT, {_NAMES})
    """,
    f"CREATE TEMP TABLE IF NOT EXISTS folded ({_KEY}, {_NAMES}, PRIMARY KEY ({_KEY})) WITHOUT ROWID",
    "DELETE FROM temp.told",
    "DELETE FROM temp.folded",
)


def _merged(old: str, new: str) -> dict[str, str]:
    """Return each column after ``old`` was told ``new``, as SQL.

    A newer word on progress and end replaces an older one; of two of the same second the order is not known and the
    better counts. A completion stays, and moves only to a later time, or to a corrected one of the same event.
    """

    def word(newer: str, same: str, column: str) -> str:
        return (
            f"CASE WHEN {new}.told_at IS NULL OR {new}.told_at > ifnull({old}.told_at, '') THEN {newer}"
            f" WHEN {new}.told_at = {old}.told_at THEN {same} ELSE {old}.{column} END"
        )

    def filled(column: str) -> str:
        return f"ifnull({new}.{column}, {old}.{column})"

    def greatest(column: str) -> str:
        return f"max({filled(column)}, ifnull({old}.{column}, {new}.{column}))"

    moved = (
        f"({new}.completed_at IS NOT NULL AND ({old}.completed_at IS NULL OR {new}.completed_at > {old}.completed_at"
        f" OR {new}.event_id = {old}.event_id))"
    )
    return {
        "progress": word(filled("progress"), greatest("progress"), "progress"),
        "enrolled_at": greatest("enrolled_at"),
        "ended": word(f"{new}.ended", f"min({new}.ended, {old}.ended)", "ended"),
        "open": word(filled("open"), f"min({filled('open')}, ifnull({old}.open, {new}.open))", "open"),
        "told_at": greatest("told_at"),
    } | {column: f"iif({moved}, {new}.{column}, {old}.{column})" for column in _COLUMNS[5:]}


_FOLD = f"""
INSERT INTO temp.folded ({_KEY}, {_NAMES})
SELECT p.learner, t.content_id, t.session_id, {", ".join(f"nullif(t.{name}, '')" for name in _COLUMNS)}
FROM temp.told t CROSS JOIN temp.people p
ON p.email = t.email AND p.learner_id = t.learner_id AND p.first_name = t.first_name AND p.last_name = t.last_name
WHERE p.learner IS NOT NULL ORDER BY 1, 2, 3, t.line
ON CONFLICT DO UPDATE SET {", ".join(f"{name} = {sql}" for name, sql in _merged("folded", "excluded").items())}
"""
_ADD = f"""
INSERT INTO enrollments ({_KEY}, {_NAMES}, rev)
SELECT {_KEY}, progress, enrolled_at, ended, ifnull(open, 0), told_at, completed_at, completed_latest,
  iif(completed_at IS NULL, NULL, event_id), iif(completed_at IS NULL, 0, :rev)
FROM temp.folded WHERE true ON CONFLICT DO NOTHING
"""
_SAME = "e.learner = f.learner AND e.content_id = f.content_id AND e.session_id = f.session_id"
_OLD = ", ".join(f"e.{name} AS old_{name}" for name in _COLUMNS)
_NEW = ", ".join(f"{sql} AS {name}" for name, sql in _merged("e", "f").items())
_DIFFERENT = f"({_NAMES}) IS NOT ({', '.join(f'old_{name}' for name in _COLUMNS)})"
_CHANGES = f"""
CREATE TEMP TABLE changes AS SELECT * FROM (
  SELECT f.learner, f.content_id, f.session_id, {_NEW}, {_OLD}
  FROM temp.folded f CROSS JOIN enrollments e ON {_SAME}
) WHERE {_DIFFERENT}
"""
_MOVED = "(f.completed_at, f.completed_latest) IS NOT (f.old_completed_at, f.old_completed_latest)"
_CHANGE = f"""
UPDATE enrollments AS e SET {", ".join(f"{name} = f.{name}" for name in _COLUMNS)}, rev = iif({_MOVED}, :rev, e.rev)
FROM temp.changes f WHERE {_SAME}
"""
_UNDONE = "completed_at IS NOT NULL AND (open OR ended)"
_STILL_UNDONE = f"""
SELECT count(*) FROM temp.folded f CROSS JOIN enrollments e ON {_SAME}
WHERE (f.open OR f.ended) AND e.completed_at IS NOT NULL AND (e.open OR e.ended)
"""
_NEWLY_UNDONE = f"""
SELECT {_KEY} FROM temp.changes WHERE {_UNDONE}
AND (old_completed_at IS NULL OR NOT (old_open OR old_ended)) LIMIT {_LISTED}
"""


@dataclass(slots=True)
class Progress:
    """Takes progress records of one source."""

    store: Store
    catalogue: Catalogue
    now: str
    undone: int = 0  # completions that the source does not call complete any more ...
    newly_undone: list[tuple[int, str, str]] = field(default_factory=list)  # ... and those that it did until now
    _places: dict[tuple[Any, ...], _Place | str] = field(default_factory=dict)

    def take(self, records: Iterable[ProgressRecord], reject: Rejecting) -> Tally:
        """Add enrollments or bring them up to date, in the transaction of the caller."""
        for statement in _STAGE:
            self.store.change(statement)
        self.store.connection.executemany(
            f"INSERT INTO temp.told VALUES (NULL{', ?' * (7 + len(_COLUMNS))})", self._placed(records, reject)
        )
        read = self.store.value("SELECT count(*) FROM temp.told")
        refused = resolve(self.store, reject, self.now)
        self.store.change(_FOLD)
        return self._write(read - refused)

    def _placed(self, records: Iterable[ProgressRecord], reject: Rejecting) -> Iterator[tuple[Any, ...]]:
        places = self._places
        for record in records:
            (
                row, email, learner_id, name, by_title, session, progress, standing, enrolled_at, completed_at,
                completed_latest, event_id, first_name, last_name, reported_at,
            ) = record  # fmt: skip
            place = places.get((name, session, by_title)) or self._find_place(record)
            if type(place) is str:
                reject(Reject(row, "content_title" if by_title else "content_id", place))
                continue
            yield (
                row, email or "", learner_id or "", first_name or "", last_name or "", *place,
                "" if progress is None else progress, enrolled_at or "", _ENDED.get(standing, 0),
                _OPEN.get(standing, ""), reported_at or "", completed_at or "", completed_latest or "", event_id or "",
            )  # fmt: skip

    def _find_place(self, record: ProgressRecord) -> _Place | str:
        place = self.catalogue.place(record.content, record.session_id, by_title=record.by_title)
        if len(self._places) < _REMEMBERED:
            self._places[record.content, record.session_id, record.by_title] = place
        return place

    def _write(self, taken: int) -> Tally:
        """Write the folded records; what is left of ``taken`` when new and changed ones are counted is unchanged."""
        rev = current_rev(self.store) + 1
        self.store.change("DROP TABLE IF EXISTS temp.changes")
        self.store.change(_CHANGES)
        added = self.store.change(_ADD, {"rev": rev})
        changed = self.store.change(_CHANGE, {"rev": rev})
        moved = f"SELECT 1 FROM temp.changes f WHERE {_MOVED} LIMIT 1"
        if added or self.store.value(moved):
            set_rev(self.store, rev)
        self.undone += self.store.value(_STILL_UNDONE)
        self.newly_undone += [tuple(row.values()) for row in self.store.rows(_NEWLY_UNDONE)]
        return Tally(added=added, changed=changed, unchanged=taken - added - changed)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A session (or content without sessions, '') that a learner is enrolled in."""

    session_id: str
    completed_at: str | None


def latest(store: Store, learner: int, content_id: str) -> Enrolled | None:
    """Return the session that the learner enrolled in last, withdrawn ones left out."""
    row = store.row(
        "SELECT session_id, completed_at FROM enrollments WHERE learner = ? AND content_id = ? AND NOT ended"
        " ORDER BY coalesce(enrolled_at, completed_at, '') DESC, session_id DESC LIMIT 1",
        (learner, content_id),
    )
    return Enrolled(**row) if row else None
