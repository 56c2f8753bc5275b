"""Enrollments: who is in which session, how far, and who completed it when.

A file may hold millions of records, in any order, several of one enrollment among them. So they are staged, sorted and
folded to one for each enrollment, and then the store takes what differs: in SQL, where a million rows take seconds and
no memory.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from credly_cli.lms.records import ProgressRecord
from credly_cli.store.completions import current_rev, set_rev
from credly_cli.store.content import Catalogue
from credly_cli.store.counts import Tally
from credly_cli.store.database import Store
from credly_cli.store.people import resolve
from credly_cli.store.sessions_meant import find_sessions
from credly_cli.store.staging import TOLD, Rejecting, Stage

_LISTED = 1000  # completions undone, of those that are told one by one
_NAMES = ", ".join(TOLD)
_KEY = "learner, content_id, session_id"


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
    } | {column: f"iif({moved}, {new}.{column}, {old}.{column})" for column in TOLD[5:]}


_FOLD = ", ".join(f"{name} = {sql}" for name, sql in _merged("folded", "excluded").items())
_FOLDED = (
    "DROP TABLE IF EXISTS temp.folded",
    f"CREATE TEMP TABLE folded (learner, place, loose, {_NAMES}, PRIMARY KEY (learner, place)) WITHOUT ROWID",
    f"""
    INSERT INTO temp.folded (learner, place, loose, {_NAMES})
    SELECT n.learner, t.place, t.loose, {", ".join(f"nullif(t.{name}, '')" for name in TOLD)}
    FROM temp.told t CROSS JOIN temp.named n ON n.who = t.who WHERE n.learner IS NOT NULL ORDER BY 1, 2, t.line
    ON CONFLICT DO UPDATE SET loose = min(loose, excluded.loose), {_FOLD}
    """,
)
_ADD = f"""
INSERT INTO enrollments ({_KEY}, {_NAMES}, rev)
SELECT {_KEY}, progress, enrolled_at, ended, ifnull(open, 0), told_at, completed_at, completed_latest,
  iif(completed_at IS NULL, NULL, event_id), iif(completed_at IS NULL, 0, :rev)
FROM temp.folded CROSS JOIN temp.spots USING (place) WHERE true ON CONFLICT DO NOTHING
"""
_SAME = "e.learner = f.learner AND e.content_id = {0}.content_id AND e.session_id = {0}.session_id"
_BOTH = f"temp.folded f CROSS JOIN temp.spots s ON s.place = f.place CROSS JOIN enrollments e ON {_SAME.format('s')}"
_OLD = ", ".join(f"e.{name} AS old_{name}" for name in TOLD)
_NEW = ", ".join(f"{sql} AS {name}" for name, sql in _merged("e", "f").items())
_DIFFERENT = f"({_NAMES}) IS NOT ({', '.join(f'old_{name}' for name in TOLD)})"
_CHANGES = f"""
CREATE TEMP TABLE changes AS SELECT * FROM (
  SELECT f.learner, s.content_id, s.session_id, {_NEW}, {_OLD} FROM {_BOTH}
) WHERE {_DIFFERENT}
"""
_MOVED = "(f.completed_at, f.completed_latest) IS NOT (f.old_completed_at, f.old_completed_latest)"
_CHANGE = f"""
UPDATE enrollments AS e SET {", ".join(f"{name} = f.{name}" for name in TOLD)}, rev = iif({_MOVED}, :rev, e.rev)
FROM temp.changes f WHERE {_SAME.format("f")}
"""
_UNDONE = "completed_at IS NOT NULL AND (open OR ended)"
_STILL_UNDONE = f"""
SELECT count(*) FROM {_BOTH} WHERE (f.open OR f.ended) AND e.completed_at IS NOT NULL AND (e.open OR e.ended)
"""
_NEWLY_UNDONE = f"""
SELECT {_KEY} FROM temp.changes WHERE {_UNDONE}
AND (old_completed_at IS NULL OR NOT (old_open OR old_ended)) LIMIT {_LISTED}
"""


@dataclass(slots=True)
class ProgressWriter:
    """Takes progress records of one source."""

    store: Store
    catalogue: Catalogue
    now: str
    undone: int = 0  # completions that the source does not call complete any more ...
    newly_undone: list[tuple[int, str, str]] = field(default_factory=list)  # ... and those that it did until now

    def take(self, records: Iterable[ProgressRecord], reject: Rejecting) -> Tally:
        """Add enrollments or bring them up to date, in the transaction of the caller."""
        read = Stage(self.store, self.catalogue).take(records, reject)
        refused = resolve(self.store, reject, self.now)
        self._fold()
        if find_sessions(self.store):
            self._fold()
        return self._write(read - refused)

    def _fold(self) -> None:
        for statement in _FOLDED:
            self.store.change(statement)

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
