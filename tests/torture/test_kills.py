"""The short form of ``make torture``: a few kills of the real program."""

import random
from pathlib import Path

import pytest

from tests.torture import page_kills
from tests.torture.kills import torture


@pytest.mark.slow
def test_a_few_random_kills_double_and_lose_nothing(tmp_path: Path) -> None:
    counts = torture(tmp_path, kills=6, learners=30, chance=random.Random(20261123))  # noqa: S311
    assert counts.good, counts.table()
    assert counts.kills == 6


@pytest.mark.slow
def test_r35_a_few_random_kills_break_no_page_and_leave_the_same_folder(tmp_path: Path) -> None:
    outcome = page_kills.torture(tmp_path, kills=6, learners=400, chance=random.Random(20261128))  # noqa: S311
    assert outcome.good, outcome
    assert outcome.kills == 6
    assert outcome.pages
