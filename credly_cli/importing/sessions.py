"""Session matching: which enrollment a record means that names no session, or a session that is new.

Content gets sessions in the course of time. What was told without a session means the same enrollment before and after,
and a completion that is stored without a session is not another one when it is told with its session: importing a file
again changes nothing, and earns no second badge (R18).
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from credly_cli.store import enrollments
from credly_cli.store.database import Store
from credly_cli.store.enrollments import Alternative, SessionMove

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
