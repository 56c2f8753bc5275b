"""The short form of ``make many-grants``: a few hundred badges in one run."""

from pathlib import Path

import pytest

from tests.support.processes import NEEDS_PROC
from tests.torture.many_grants import issue_many


@pytest.mark.slow
@NEEDS_PROC
def test_many_grants_go_out_in_one_run_by_one_request_each(tmp_path: Path) -> None:
    counts = issue_many(tmp_path, learners=100, parallel=8)
    assert counts.good, counts.table()
    assert counts.grants == 300
