"""The mutants of ``make mutants`` fit the program as it is; whether the tests notice them is for that command."""

import re

import pytest

from tests.torture.mutants import ROOT, Mutant, Redundant, read_mutants, read_redundant


@pytest.mark.parametrize("mutant", read_mutants(), ids=lambda mutant: mutant.name)
def test_a_mutant_changes_a_line_that_is_there_and_names_tests_that_are(mutant: Mutant) -> None:
    assert mutant.old in (ROOT / "credly_cli" / mutant.file).read_text(encoding="utf-8")
    for named in mutant.tests:
        file, _, name = named.partition("::")
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not name or re.search(rf"\b{name.partition('[')[0].rpartition('::')[2]}\b", text)


@pytest.mark.parametrize("change", read_redundant(), ids=lambda change: change.name)
def test_a_redundant_line_is_there_and_its_second_defence_is_named(change: Redundant) -> None:
    assert change.old in (ROOT / "credly_cli" / change.file).read_text(encoding="utf-8")
    assert change.defence
