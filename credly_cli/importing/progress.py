"""Records of progress: staged, matched with learners and sessions, folded to enrollments and written."""

from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import Any, TypeAlias, cast

from credly_cli.importing.candidates import IdOptions, Readdressed
from credly_cli.importing.content import Catalogue, Place
from credly_cli.importing.keeping import Keeping
from credly_cli.importing.learners import StagedPeople, match_learners, reject_unmatched
from credly_cli.importing.statements import drop_voided, judge_staged
from credly_cli.lms.records import (
    Activity,
    ProgressRecord,
    Reject,
    Statement,
    Understood,
    UnknownContent,
    VoidingRecord,
)
from credly_cli.lms.rejects import RejectFilter
from credly_cli.store import enrollments, staging, statements
from credly_cli.store.database import Counts, Store
from credly_cli.store.denials import Origin
from credly_cli.store.duplicates import release_superseded
from credly_cli.store.enrollments import Alternative, SessionMove, Written

_BATCH = 10_000
_REMEMBERED = 10_000  # people, and names of content: bounded, for a file may name any number
_ENDED: dict[str | None, int] = {"ended": 1}
_OPEN: dict[str | None, int] = {"open": 1, "expired": 2, "complete": 0, "ended": 0}  # 1 denies a completion
_FRACTIONS = (
    "No progress is above 1, and some is between 0 and 1: whether 0.5 means 50 % is not said, so it is not read."
    " Export it in per cent."
)
_NumberedPlace: TypeAlias = tuple[int, int]  # number, and 1 where the session was not named


def import_progress(
    store: Store,
    rows: RejectFilter,
    now: str,
    ids: IdOptions,
    origin: Origin,
    understood: Understood,
    keeping: Keeping | None = None,
) -> tuple[Counts, Written, list[Readdressed]]:
    """Add enrollments or bring them up to date, in the transaction of the caller."""
    staged = _Stage(store, Catalogue.of(store), ids, keeping).take(rows)
    if understood.has_fractions:
        staging.forget_progress(store)
        understood.warn(_FRACTIONS)
    has_statements = statements.are_staged(store)
    if has_statements:
        drop_voided(store, understood)
    matched = match_learners(store, "progress", now, ids)
    matched.warn(understood)
    staging.hand_over_people(store)
    unmatched = reject_unmatched(store, rows, keeping)
    if has_statements:
        judge_staged(store)
    enrollments.fold(store)
    if match_sessions(store):
        enrollments.fold(store)
    written = enrollments.write(store, origin, now)
    if written.settled.has_cancelled:
        release_superseded(store, now)
    unchanged = max(0, staged - unmatched - written.added - written.changed)
    counts = Counts(added=written.added, changed=written.changed, unchanged=unchanged)
    if keeping is not None:
        keeping.close()
    return counts, written, matched.readdressed


class _Stage:
    """Puts records into the store's temporary tables, with numbers for people and places.

    A person may get several numbers, a place has one. Statements that are judged with others are staged beside them.
    """

    def __init__(self, store: Store, catalogue: Catalogue, ids: IdOptions, keeping: Keeping | None) -> None:
        self._store = store
        self._ids = ids
        self._keeping = keeping
        self._catalogue = catalogue
        self._judged: list[tuple[Any, ...]] = []
        self._voidings: list[tuple[str]] = []
        self._apart = 0  # records that are staged beside the others
        self._people = StagedPeople(store)
        self._numbers: dict[tuple[str, str], int] = {}  # of places, by content and session
        self._places: dict[tuple[Any, ...], _NumberedPlace | str] = {}  # by what a record calls it

    def take(self, rows: RejectFilter) -> int:
        """Stage records; returns how many have a place. What has none is rejected."""
        staging.stage(self._store)
        staged, count = self._staged(rows), 0
        while batch := list(islice(staged, _BATCH)):
            staging.stage_records(self._store, batch)
            count += len(batch)
            self._people.flush(_REMEMBERED)
            self._flush_statements()
        self._people.flush()
        self._flush_statements()
        staging.stage_places(self._store, ((number, *place) for place, number in self._numbers.items()))
        return count + self._apart

    def _flush_statements(self) -> None:
        if self._judged or self._voidings:
            statements.add(self._store, self._judged, self._voidings)
            self._apart += len(self._judged) + len(self._voidings)
            self._judged.clear()
            self._voidings.clear()

    def _staged(self, rows: RejectFilter) -> Iterator[tuple[Any, ...]]:
        places, number_of, common, numberings = self._places, self._people.number, self._ids.source, self._ids.homes
        for record in rows:
            if type(record) is VoidingRecord:
                self._voidings.append((record.statement,))
                continue
            (
                row, email, learner_id, name, by_title, session, progress, status, enrolled_at, completed_at,
                completed_latest, event_id, first_name, last_name, reported_at, source, statement, sha1, _, dated_at,
            ) = progress_record = cast("ProgressRecord", record)  # fmt: skip
            place = places.get((name, session, by_title)) or self._find_place(name, session, by_title=by_title)
            if statement is not None and not session and not isinstance(place, str):
                place = self._of_registration(place, statement, name)
            if isinstance(place, str):
                self._without_place(rows, progress_record, place)
                continue
            if sha1 and not email and (email := self._address_of(sha1)) is None:
                self._of_nobody(rows, progress_record)
                continue
            if self._keeping is not None:
                self._keeping.note(progress_record)
            number, loose = place
            numbering = common if source is None else numberings.get(source, source)
            person = number_of(
                (email or "", numbering, learner_id or "", first_name or "", last_name or "", ""),
                reported_at or completed_at,
            )
            if statement is not None:
                at, latest = completed_at or reported_at, completed_latest or completed_at or reported_at
                identity, word, registration, moment = statement
                self._judged.append((identity, row, person, number, loose, word, registration, moment, at, latest))
                continue
            yield (
                row, person, number, loose, "" if progress is None else progress, enrolled_at or "",
                _ENDED.get(status, 0), _OPEN.get(status, ""), reported_at or "", completed_at or "",
                completed_latest or "", event_id or "", dated_at or "",
            )  # fmt: skip

    def _without_place(self, rows: RejectFilter, record: ProgressRecord, reason: str) -> None:
        """Leave out, keep or reject a record of content that is not known."""
        if isinstance(record.content, Activity):
            record.content.leave_out()
        elif self._keeping is not None and isinstance(reason, UnknownContent):
            self._keeping.keep_of_content(record)
        else:
            rows.reject(Reject(record.row, "content_title" if record.by_title else "content_id", reason))

    def _of_nobody(self, rows: RejectFilter, record: ProgressRecord) -> None:
        """Keep or reject a record of a learner of whom a hash is told that nobody's address has."""
        if self._keeping is not None:
            self._keeping.keep_of_person(record)
        else:
            rows.reject(Reject(record.row, "actor", "no learner here has the address of the mbox_sha1sum"))

    def _address_of(self, sha1: str) -> str | None:
        return self._keeping.addresses.of_sha1(sha1) if self._keeping is not None else None

    def _of_registration(self, place: _NumberedPlace, statement: Statement, name: str) -> _NumberedPlace:
        """Return the session that an attempt is, where a row of content says so; else an attempt is no session."""
        if not place[1] or not statement.registration:
            return place
        content = self._ids.activities.get(name, name)
        found = self._catalogue.sessions.get(statement.registration)
        if found != content:
            return place
        return self._number_place(Place(content, statement.registration, loose=False)), 0

    def _find_place(self, name: str, session: str | None, *, by_title: bool) -> _NumberedPlace | str:
        called = name if by_title else self._ids.activities.get(name, name)
        found = self._catalogue.place(called, session, by_title=by_title)
        place = found if isinstance(found, str) else (self._number_place(found), int(found.loose))
        if len(self._places) < _REMEMBERED:
            self._places[name, session, by_title] = place
        return place

    def _number_place(self, place: Place) -> int:
        return self._numbers.setdefault((place.content_id, place.session_id), len(self._numbers) + 1)


# How well an enrollment fits a record, the best first.
_SAME_COMPLETION = 0
_LATER_COMPLETION = 1  # which an older one does not undo
_SAME_SESSION = 2
_ONLY_ENROLLMENT = 3


def match_sessions(store: Store) -> bool:
    """Move the staged records to the enrollments that they mean; returns whether any moved and is to be folded anew."""
    return enrollments.move_records(store, _moves(enrollments.alternatives(store)))


def _moves(alternatives: Iterator[Alternative]) -> Iterator[SessionMove]:
    for (learner, place), group in groupby(alternatives, key=lambda each: (each.learner, each.place)):
        best = best_of(list(group))
        if best is not None and best.enrolled_session != best.session_id:
            yield SessionMove(learner, place, best.content_id, best.enrolled_session)


def best_of(alternatives: Sequence[Alternative]) -> Alternative | None:
    """Return the enrollment that a record means, of all that it may mean, ``None`` where it is another one.

    Of two that fit as well that in the record's own session is meant, else that of the first session by its id.
    """
    ranked = [(fit, each) for each in alternatives if (fit := _fit(each)) is not None]
    if len(alternatives) > 1:
        ranked = [(fit, each) for fit, each in ranked if fit != _ONLY_ENROLLMENT]
    if not ranked:
        return None
    return min(
        ranked, key=lambda pair: (pair[0], pair[1].enrolled_session != pair[1].session_id, pair[1].enrolled_session)
    )[1]


def _fit(each: Alternative) -> int | None:
    """Rank how well an enrollment fits a record; ``None`` if not at all."""
    if _is_same_completion(each):
        return _SAME_COMPLETION
    if not each.loose:
        return None
    both = each.completed_at is not None and each.enrolled_completed_at is not None
    if both and str(each.completed_at) <= str(each.enrolled_completed_at):
        return _LATER_COMPLETION
    if each.enrolled_session == each.session_id:
        return _SAME_SESSION
    return None if both else _ONLY_ENROLLMENT


def _is_same_completion(each: Alternative) -> bool:
    """Tell whether two completions are one: of the same event, or of times that can mean the same."""
    if each.event_id is not None and each.event_id == each.enrolled_event_id:
        return True
    if not (
        each.completed_at and each.completed_latest and each.enrolled_completed_at and each.enrolled_completed_latest
    ):
        return False
    return each.completed_at <= each.enrolled_completed_latest and each.completed_latest >= each.enrolled_completed_at
