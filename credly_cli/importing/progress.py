"""Records of progress: staged, matched with learners and sessions, folded to enrollments and written."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeAlias, cast

from credly_cli.importing.content import Catalogue, Place
from credly_cli.importing.learners import LearnerKey, LearnerMatcher, NoMatch, matcher_for, write
from credly_cli.importing.sessions import match_sessions
from credly_cli.lms.records import ProgressRecord, Reject
from credly_cli.lms.rejects import RejectFilter
from credly_cli.store import enrollments, privacy, staging
from credly_cli.store.counts import Counts
from credly_cli.store.database import Store
from credly_cli.store.enrollments import Written
from credly_cli.store.staging import PersonMatch, StagedPerson

_BATCH = 10_000
_REMEMBERED = 10_000  # people, and names of content: bounded, for a file may name any number
_ENDED: dict[str | None, int] = {"ended": 1}
_OPEN: dict[str | None, int] = {"open": 1, "complete": 0, "ended": 0}
_Person: TypeAlias = tuple[str, str, str, str]  # email, learner id, first and last name, '' where not known
_NumberedPlace: TypeAlias = tuple[int, int]  # number, and 1 where the session was not named


def import_progress(store: Store, rows: RejectFilter, now: str) -> tuple[Counts, Written]:
    """Add enrollments or bring them up to date, in the transaction of the caller."""
    staged = _Stage(store, Catalogue.of(store)).take(rows)
    _match_learners(store, now)
    unmatched = 0
    for row, column, reason in staging.unmatched(store):
        rows.reject(Reject(row, column, reason))
        unmatched += 1
    enrollments.fold(store)
    if match_sessions(store):
        enrollments.fold(store)
    written = enrollments.write(store)
    unchanged = staged - unmatched - written.added - written.changed
    return Counts(added=written.added, changed=written.changed, unchanged=unchanged), written


def _match_learners(store: Store, now: str) -> None:
    """Find or make the learners of the staged people (R25), who are matched in the order in which they are named."""
    staging.collect_people(store)
    privacy.recall(store, staging.staged_people(store), now)
    people = staging.staged_people(store)
    while batch := list(islice(people, _BATCH)):
        keys = [LearnerKey("progress", *person) for person in batch]
        matcher = matcher_for(store, keys, now)
        matches = list(_matches(matcher, keys, batch))
        write(store, matcher, now)
        staging.match_people(store, matches, matcher.merged())
    staging.hand_over_people(store)


def _matches(matcher: LearnerMatcher, keys: list[LearnerKey], batch: list[StagedPerson]) -> Iterator[PersonMatch]:
    found = [matcher.match(key) for key in keys]  # all of them first: one may turn out to be another
    for person, candidate in zip(batch, found, strict=True):
        if isinstance(candidate, NoMatch):
            yield PersonMatch(person, None, candidate.reason)
        else:
            yield PersonMatch(person, candidate.survivor.learner.id, None)


class _Stage:
    """Puts records into the store's temporary tables, with numbers for people and places.

    A person may get several numbers, a place has one.
    """

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue
        self._people: dict[_Person, int] = {}
        self._true_at: dict[int, str] = {}  # of people: when the latest record of them was true
        self._last_person = 0
        self._numbers: dict[tuple[str, str], int] = {}  # of places, by content and session
        self._places: dict[tuple[Any, ...], _NumberedPlace | str] = {}  # by what a record calls it

    def take(self, rows: RejectFilter) -> int:
        """Stage records; returns how many have a place. What has none is rejected."""
        staging.stage(self._store)
        staged, count = self._staged(rows), 0
        while batch := list(islice(staged, _BATCH)):
            staging.stage_records(self._store, batch)
            count += len(batch)
            if len(self._people) > _REMEMBERED:
                self._stage_people()
        self._stage_people()
        staging.stage_places(self._store, ((number, *place) for place, number in self._numbers.items()))
        return count

    def _staged(self, rows: RejectFilter) -> Iterator[tuple[Any, ...]]:
        places, people = self._places, self._people
        for record in rows:
            (
                row, email, learner_id, name, by_title, session, progress, standing, enrolled_at, completed_at,
                completed_latest, event_id, first_name, last_name, reported_at,
            ) = cast("ProgressRecord", record)  # fmt: skip
            place = places.get((name, session, by_title)) or self._find_place(name, session, by_title=by_title)
            if isinstance(place, str):
                rows.reject(Reject(row, "content_title" if by_title else "content_id", place))
                continue
            number, loose = place
            key = email or "", learner_id or "", first_name or "", last_name or ""
            person = people.get(key) or self._number_person(key)
            if reported_at and reported_at > self._true_at.get(person, ""):
                self._true_at[person] = reported_at
            yield (
                row, person, number, loose, "" if progress is None else progress, enrolled_at or "",
                _ENDED.get(standing, 0), _OPEN.get(standing, ""), reported_at or "", completed_at or "",
                completed_latest or "", event_id or "",
            )  # fmt: skip

    def _number_person(self, key: _Person) -> int:
        self._last_person += 1
        self._people[key] = self._last_person
        return self._last_person

    def _stage_people(self) -> None:
        people = ((number, *key, self._true_at.get(number)) for key, number in self._people.items())
        staging.stage_people(self._store, people)
        self._people.clear()
        self._true_at.clear()

    def _find_place(self, name: str, session: str | None, *, by_title: bool) -> _NumberedPlace | str:
        found = self._catalogue.place(name, session, by_title=by_title)
        place = found if isinstance(found, str) else (self._number_place(found), int(found.loose))
        if len(self._places) < _REMEMBERED:
            self._places[name, session, by_title] = place
        return place

    def _number_place(self, place: Place) -> int:
        return self._numbers.setdefault((place.content_id, place.session_id), len(self._numbers) + 1)
