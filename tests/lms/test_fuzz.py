"""The short form of ``make fuzz``: no change of a correct export is silent."""

import pytest

from tests.lms.fuzz import BASES, CHANGES, changed, told_by


def test_every_export_to_change_is_read_whole_and_without_a_word() -> None:
    for name, base in BASES.items():
        told = told_by(base)
        assert (name, len(told.people), len(told.completions), told.loud) == (name, 6, 4, False)


def test_a_change_is_read_the_same_or_loudly_otherwise() -> None:
    assert [each for each in changed(seed=1, count=100) if each[3] is not None] == []


@pytest.mark.further
def test_a_change_of_any_kind_is_read_the_same_or_loudly_otherwise() -> None:
    found = list(changed(seed=0, count=700))
    assert [each for each in found if each[3] is not None] == []
    assert {kind for _, kind, _, _ in found} == {change.__name__ for change in CHANGES}
