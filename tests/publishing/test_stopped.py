"""Somebody stops a run in order; the next one goes on where it was (R35)."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.installed import PROGRAM, run_installed, variables
from tests.support.processes import wait_until
from tests.torture.page_kills import files_of, fill

LEARNERS = 1000


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 75)])
def test_r35_a_run_that_is_stopped_ends_in_order_and_is_gone_on_with(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    home, site, whole = tmp_path / "home", tmp_path / "site", tmp_path / "whole"
    fill(home, LEARNERS)
    with subprocess.Popen(  # noqa: S603
        [*PROGRAM, "publish", str(site)], env=variables(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_until(lambda: len(list(site.glob("*.html"))) > 1, process)
        process.send_signal(number)
        _, errors = process.communicate()
    assert (process.returncode, "Stopped before all was done." in errors) == (code, True), errors
    assert 0 < len(list(site.glob("*.html"))) < LEARNERS
    for folder in (site, whole):
        assert run_installed(home, "publish", str(folder)).returncode == 0
    assert files_of(site) == files_of(whole)
