"""A plugin of pytest: notes which test runs which line of the program, in each of xdist's processes."""

import os
from collections.abc import Generator
from pathlib import Path

import coverage
import pytest

_FOLDER = "CREDLY_TESTS_CONTEXTS"  # the environment says where the notes go
_running: list[coverage.Coverage] = []


def _begin() -> None:
    notes = coverage.Coverage(
        data_file=str(Path(os.environ[_FOLDER]) / "lines"), data_suffix=True, source=["credly_cli"], config_file=False
    )
    notes.set_option("run:relative_files", True)
    notes.start()
    _running.append(notes)


_begin()  # before anything of the program is imported, so that lines that run on import are noted


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Name the test, with its set-up."""
    for notes in _running:
        notes.switch_context(item.nodeid)
    return (yield)


def pytest_unconfigure() -> None:
    """Keep what was noted."""
    while _running:
        notes = _running.pop()
        notes.stop()
        notes.save()
