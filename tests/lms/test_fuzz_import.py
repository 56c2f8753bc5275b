"""The short form of ``make fuzz-import``: no change of a correct export is silent on its way into the plan."""

import pytest

from tests.lms.fuzz import BASES
from tests.lms.fuzz_import import changed, fault_in, other_system, outcome_of


def test_every_export_to_change_plans_what_it_says_without_a_word() -> None:
    for name, base in BASES.items():
        told = outcome_of(base)
        sizes = len(told.people), len(told.completions), len(told.sent)
        assert (name, sizes, told.loud) == (name, (6, 4, 4), False)
        assert outcome_of(base, base) == told


def test_r25_files_of_two_systems_make_nobody_of_two_people() -> None:
    for base in BASES.values():
        one, other = outcome_of(base), outcome_of(other_system(base))
        both = outcome_of(base, other_system(base))
        assert both.sent <= one.sent | other.sent
        assert both.loud or both.sent == one.sent | other.sent


def test_a_wrong_outcome_is_noticed() -> None:
    base = BASES["our own"]
    right = outcome_of(base)
    assert fault_in(right._replace(sent=set()), right, fewer=False)
    assert fault_in(right._replace(people={**right.people, "x@example.org": ("X", "Y")}), right, fewer=True)
    assert fault_in(right._replace(completions={("ada@example.org", "C2", "2026-03-01")}), right, fewer=True)


@pytest.mark.further
@pytest.mark.parametrize("seed", range(8))
def test_a_change_plans_the_same_or_is_loud(seed: int) -> None:
    assert [each for each in changed(seed, count=10) if each[3] is not None] == []
