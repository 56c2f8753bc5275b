"""R25 as one pure function: whom a record means, of the learners whom it may mean."""

import pytest

from credly_cli.importing.learners import Candidate, Found, LearnerKey, LearnerMatcher, Match, NoMatch, decide
from credly_cli.store.learners import Learner

NOW = "2026-03-02T09:30:00Z"
NOBODY = Found(None, (), ())


def candidate(number: int, email: str, learner_id: str | None = None, email_at: str | None = None) -> Candidate:
    learner = Learner(number, email, learner_id, email_at=email_at)
    return Candidate(learner, learner)


def test_an_unknown_address_is_somebody_new() -> None:
    assert decide(LearnerKey("progress", "ada@x.org", "1"), NOBODY) == Match(None)


def test_an_unknown_id_without_an_address_is_nobody() -> None:
    decided = decide(LearnerKey("progress", None, "1"), NOBODY)
    assert isinstance(decided, NoMatch)
    assert "no learner has the id '1'" in decided.reason


def test_who_has_another_id_is_somebody_else_at_a_shared_address() -> None:
    bo = candidate(1, "shared@x.org", "2")
    assert decide(LearnerKey("learners", "shared@x.org", "1"), Found(None, (bo,), ())) == Match(None)


def test_a_shared_address_alone_means_nobody() -> None:
    both = candidate(1, "shared@x.org", "1"), candidate(2, "shared@x.org", "2")
    assert isinstance(decide(LearnerKey("progress", "shared@x.org", None), Found(None, both, ())), NoMatch)


@pytest.mark.parametrize(
    ("kind", "at", "address"),
    [
        ("learners", None, "move"),
        ("progress", None, "move"),
        ("progress", "2026-02-02T00:00:00Z", "move"),
        ("progress", "2026-02-01T00:00:00Z", "note"),
        ("progress", "2026-01-01T00:00:00Z", "note"),
    ],
)
def test_an_older_record_of_progress_moves_no_address(kind: str, at: str | None, address: str) -> None:
    ada = candidate(1, "ada@old.org", "1", "2026-02-01T00:00:00Z")
    key = LearnerKey(kind, "ada@new.org", "1", at=at)  # type: ignore[arg-type]
    assert decide(key, Found(ada, (), ())) == Match(ada, address)  # type: ignore[arg-type]


def test_who_is_known_by_an_address_alone_is_who_gets_it() -> None:
    ada, unknown = candidate(1, "ada@old.org", "1"), candidate(2, "ada@new.org")
    decided = decide(LearnerKey("learners", "ada@new.org", "1"), Found(ada, (unknown,), ()))
    assert decided == Match(ada, "move", (unknown,))


def test_another_spelling_of_the_address_merges_nobody() -> None:
    ada, other = candidate(1, "ada@x.org", "1"), candidate(2, "ada@x.org")
    decided = decide(LearnerKey("learners", "Ada@x.org", "1"), Found(ada, (ada, other), ()))
    assert decided == Match(ada, "move")


def test_a_former_address_of_somebody_merged_finds_the_one_learner() -> None:
    matcher = LearnerMatcher(
        [Learner(1, "ada@old.org", "1"), Learner(2, "ada@new.org")], [(2, "ada@first.org")], 3, NOW
    )
    matcher.match(LearnerKey("learners", "ada@new.org", "1"))
    found = matcher.match(LearnerKey("learners", "ada@first.org", None))
    assert isinstance(found, Candidate)
    assert found.learner.id == 1
    assert list(matcher.merged()) == [(2, 1)]
