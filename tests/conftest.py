"""Fixtures that all tests share."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from credly_cli.store import database
from tests.support.desk import Desk
from tests.support.stand_in import sandbox_with_samples

for _signal, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_signal) is signal.SIG_IGN:  # as under nohup: the programs that tests start would inherit it
        signal.signal(_signal, _usual)


NO_DATA = "the real input is not beside this repository"  # the one reason that holds in CI too


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything is installed, as in CI, a test that is left out has failed."""
    report = yield
    if report.skipped and os.environ.get("CREDLY_TESTS_LEAVE_OUT_NOTHING") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if NO_DATA not in reason:
            report.outcome, report.longrepr = "failed", f"left out: {reason}"
    return report


DURABLE = ("faults/test_a_", "faults/test_d_", "store/")  # about what survives, so they write as the program does


@pytest.fixture(autouse=True)
def _do_not_wait_for_the_disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process leave syncing to the system: a test that is over needs nothing on disk."""
    if not request.node.nodeid.startswith(tuple(f"tests/{name}" for name in DURABLE)):
        relaxed = tuple(setting.replace("synchronous = FULL", "synchronous = OFF") for setting in database._SETTINGS)
        assert relaxed != database._SETTINGS
        monkeypatch.setattr(database, "_SETTINGS", relaxed)
        monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk in an empty home, not connected."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return Desk(home)


@pytest.fixture
def machine_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Let the machine stand in a time zone."""

    def stand_in(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield stand_in
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="session")
def connected_once(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk that is connected, of which each test gets a copy."""
    desk = Desk(tmp_path_factory.mktemp("connected"))
    desk.connect()
    desk.json("sync")
    desk.imports(
        "content",
        "content_id,title,type,status,session_id,session_title\n"
        "first-aid,First Aid Course,course,published,first-aid-march,March\n"
        "first-aid,First Aid Course,course,published,first-aid-april,April\n"
        "hygiene,Kitchen Hygiene,article,published,,\n",
    )
    return desk


@pytest.fixture
def connected(desk: Desk, connected_once: Desk) -> Desk:
    """A desk that is connected, with the sample badges and two pieces of content, one of them with sessions."""
    shutil.copytree(connected_once.home, desk.home, dirs_exist_ok=True)
    desk.home.chmod(0o700)
    desk.sandbox = sandbox_with_samples(token=connected_once.sandbox.token, now=desk.clock.now, sleep=desk.clock.sleep)
    return desk
