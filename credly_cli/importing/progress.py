"""Records of progress: staged, matched with learners and sessions, folded to enrollments and written."""

from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import Any, TypeAlias, cast

from credly_cli.importing.candidates import IdOptions, Readdressed
from credly_cli.importing.content import Catalogue, Place
from credly_cli.importing.learners import StagedPeople, match_learners, reject_unmatched
from credly_cli.lms.records import Activity, ProgressRecord, Reject
from credly_cli.lms.rejects import RejectFilter
from credly_cli.store import enrollments, staging
from credly_cli.store.database import Counts, Store
from credly_cli.store.denials import Origin
from credly_cli.store.enrollments import Alternative, SessionMove, Written

_BATCH = 10_000
_REMEMBERED = 10_000  # people, and names of content: bounded, for a file may name any number
_ENDED: dict[str | None, int] = {"ended": 1}
_OPEN: dict[str | None, int] = {"open": 1, "expired": 2, "complete": 0, "ended": 0}  # 1 denies a completion
_NumberedPlace: TypeAlias = tuple[int, int]  # number, and 1 where the session was not named


def import_progress(
    store: Store, rows: RejectFilter, now: str, ids: IdOptions, origin: Origin
) -> tuple[Counts, Written, list[Readdressed]]:
    """Add enrollments or bring them up to date, in the transaction of the caller."""
    staged = _Stage(store, Catalogue.of(store), ids.source).take(rows)
    readdressed = match_learners(store, "progress", now, ids).readdressed
    staging.hand_over_people(store)
    unmatched = reject_unmatched(store, rows)
    enrollments.fold(store)
    if match_sessions(store):
        enrollments.fold(store)
    written = enrollments.write(store, origin, now)
    unchanged = staged - unmatched - written.added - written.changed
    return Counts(added=written.added, changed=written.changed, unchanged=unchanged), written, readdressed


class _Stage:
    """Puts records into the store's temporary tables, with numbers for people and places.

    A person may get several numbers, a place has one.
    """

    def __init__(self, store: Store, catalogue: Catalogue, source: str) -> None:
        self._store = store
        self._source = source
        self._catalogue = catalogue
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
        self._people.flush()
        staging.stage_places(self._store, ((number, *place) for place, number in self._numbers.items()))
        return count

    def _staged(self, rows: RejectFilter) -> Iterator[tuple[Any, ...]]:
        places, number_of, common = self._places, self._people.number, self._source
        records = cast("Iterator[ProgressRecord]", iter(rows))
        for (
            row, email, learner_id, name, by_title, session, progress, standing, enrolled_at, completed_at,
            completed_latest, event_id, first_name, last_name, reported_at, source,
        ) in records:  # fmt: skip
            place = places.get((name, session, by_title)) or self._find_place(name, session, by_title=by_title)
            if isinstance(place, str):
                if isinstance(name, Activity):
                    name.leave_out()
                else:
                    rows.reject(Reject(row, "content_title" if by_title else "content_id", place))
                continue
            number, loose = place
            numbering = common if source is None else source
            person = number_of(
                (email or "", numbering, learner_id or "", first_name or "", last_name or "", ""),
                reported_at or completed_at,
            )
            yield (
                row, person, number, loose, "" if progress is None else progress, enrolled_at or "",
                _ENDED.get(standing, 0), _OPEN.get(standing, ""), reported_at or "", completed_at or "",
                completed_latest or "", event_id or "",
            )  # fmt: skip

    def _find_place(self, name: str, session: str | None, *, by_title: bool) -> _NumberedPlace | str:
        found = self._catalogue.place(name, session, by_title=by_title)
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
