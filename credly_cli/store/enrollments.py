"""Enrollments: who is in which session, how far, and who completed it when."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from credly_cli.lms.records import ProgressRecord, Reject
from credly_cli.store.completions import current_rev, set_rev
from credly_cli.store.content import Catalogue
from credly_cli.store.database import Store
from credly_cli.store.learners import Person, Roster
from credly_cli.store.tally import Tally

_COLUMNS = ("progress", "enrolled_at", "ended", "completed_at", "completed_latest", "event_id", "rev")
_Key = tuple[int, str, str]


@dataclass(slots=True)
class _Enrollment:
    """An enrollment as stored (``before``, ``None`` for a new one) and as records tell."""

    before: tuple[Any, ...] | None
    progress: float | None = None
    enrolled_at: str | None = None
    ended: int = 0
    completed_at: str | None = None
    completed_latest: str | None = None
    event_id: str | None = None
    rev: int = 0
    undone: bool = False

    @property
    def columns(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in _COLUMNS)

    def tell(self, record: ProgressRecord, rev: int) -> None:
        """Take over what a record says; a completion stays, and moves only to a later or a corrected time."""
        if record.progress is not None:
            self.progress = record.progress
        self.enrolled_at = record.enrolled_at or self.enrolled_at
        self.ended = int(record.standing == "ended")
        self.undone = record.standing == "open" and self.completed_at is not None
        if record.completed_at is None or (record.completed_at, record.completed_latest) == (
            self.completed_at,
            self.completed_latest,
        ):
            return
        corrected = record.event_id is not None and record.event_id == self.event_id
        if self.completed_at is None or corrected or record.completed_at > self.completed_at:
            self.completed_at, self.completed_latest = record.completed_at, record.completed_latest
            self.event_id = record.event_id
            self.rev = rev


@dataclass(slots=True)
class Progress:
    """Takes batches of progress records of one source."""

    store: Store
    catalogue: Catalogue
    undone: int = 0

    def take(self, records: Sequence[ProgressRecord]) -> tuple[Tally, list[Reject]]:
        """Add enrollments or bring them up to date, in the transaction of the caller."""
        placed, rejects = self._place(records)
        enrollments = self._read({person.pk for _, person, _ in placed})
        rev = current_rev(self.store) + 1
        touched: dict[_Key, _Enrollment] = {}
        repeated = 0
        for record, person, (content, session) in placed:
            key = (person.pk, content, session)
            enrollment = enrollments.get(key)
            if enrollment is None:
                enrollment = enrollments[key] = _Enrollment(None)
            repeated += key in touched
            touched[key] = enrollment
            enrollment.tell(record, rev)
        tally = Tally(unchanged=repeated)
        for enrollment in touched.values():
            tally.count(added=enrollment.before is None, changed=enrollment.before != enrollment.columns)
            self.undone += enrollment.undone
        self._write(touched, rev)
        return tally, rejects

    def _place(
        self, records: Iterable[ProgressRecord]
    ) -> tuple[list[tuple[ProgressRecord, Person, tuple[str, str]]], list[Reject]]:
        roster = Roster(self.store, ((record.email, record.learner_id) for record in records))
        placed, rejects = [], []
        for record in records:
            place = self.catalogue.place(record.content, record.session_id, by_title=record.by_title)
            if isinstance(place, str):
                rejects.append(Reject(record.row, "content_title" if record.by_title else "content_id", place))
                continue
            person = roster.find(record.email, record.learner_id)
            if isinstance(person, str):
                rejects.append(Reject(record.row, "email" if record.email else "learner_id", person))
                continue
            # names of a progress file fill gaps only: the learner file is the one that knows
            first = record.first_name if person.first_name is None else None
            last = record.last_name if person.last_name is None else None
            person.tell(record.email, record.learner_id, first, last)
            placed.append((record, person, place))
        roster.write()
        return placed, rejects

    def _read(self, learners: set[int]) -> dict[_Key, _Enrollment]:
        columns = ", ".join(_COLUMNS)
        cursor = self.store.connection.execute(
            f"SELECT learner, content_id, session_id, {columns} FROM enrollments"
            " WHERE learner IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(learners)),),
        )
        return {(row[0], row[1], row[2]): _Enrollment(row[3:], *row[3:]) for row in cursor}

    def _write(self, touched: dict[_Key, _Enrollment], rev: int) -> None:
        columns = ", ".join(_COLUMNS)
        new = [(*key, *told.columns) for key, told in touched.items() if told.before is None]
        changed = [
            (*told.columns, *key)
            for key, told in touched.items()
            if told.before is not None and told.before != told.columns
        ]
        self.store.connection.executemany(
            f"INSERT INTO enrollments (learner, content_id, session_id, {columns})"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            new,
        )
        self.store.connection.executemany(
            f"UPDATE enrollments SET {' = ?, '.join(_COLUMNS)} = ?"
            " WHERE learner = ? AND content_id = ? AND session_id = ?",
            changed,
        )
        if any(told.rev == rev for told in touched.values()):
            set_rev(self.store, rev)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A session (or content without sessions, '') that a learner is enrolled in."""

    session_id: str
    completed_at: str | None


def latest(store: Store, learner: int, content_id: str) -> Enrolled | None:
    """Return the session that the learner enrolled in last, withdrawn ones left out."""
    row = store.row(
        "SELECT session_id, completed_at FROM enrollments WHERE learner = ? AND content_id = ? AND NOT ended"
        " ORDER BY coalesce(enrolled_at, completed_at, '') DESC, id DESC LIMIT 1",
        (learner, content_id),
    )
    return Enrolled(**row) if row else None
