"""Fixtures that all tests share."""

import gc
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest

from credly_cli.store import database
from credly_cli.store.schema import MIGRATIONS
from tests.support.desk import ConnectedAfter, Desk

for _signal, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_signal) is signal.SIG_IGN:  # as under nohup: the programs that tests start would inherit it
        signal.signal(_signal, _usual)


NO_DATA = "the real input is not beside this repository"  # the one reason that holds in CI too


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Make slow what shows once more what a fast test shows: all but the first case of one that is ``sampled``."""
    shown: set[str] = set()
    for item in items:
        test = item.nodeid.partition("[")[0]
        if item.get_closest_marker("sampled") and not item.get_closest_marker("slow"):
            if test in shown:
                item.add_marker("further")
            shown.add(test)
        if item.get_closest_marker("further"):
            item.add_marker("slow")


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was collected: thousands of tests, which stay to the end."""
    gc.freeze()
    gc.set_threshold(20_000, 10, 50)  # and let it look less often: most of what a test leaves is gone without it


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything is installed, as in CI, a test that is left out has failed."""
    report = yield
    if report.skipped and os.environ.get("CREDLY_TESTS_LEAVE_OUT_NOTHING") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if NO_DATA not in reason:
            report.outcome, report.longrepr = "failed", f"left out: {reason}"
    return report


# About what survives, so they write as the program does.
DURABLE = tuple(f"tests/{name}" for name in ("faults/test_a_crash", "faults/test_a_power", "faults/test_d_", "store/"))
SETTINGS, MIGRATE, FSYNC = database._SETTINGS, database.migrate, os.fsync


@pytest.fixture(scope="session", autouse=True)
def _do_not_wait_for_the_disk() -> Iterator[None]:
    """Let this process leave syncing to the system: a test that is over needs nothing on disk."""
    others = [setting for setting in SETTINGS if "synchronous" not in setting]
    relaxed = ("PRAGMA synchronous = OFF", *others)  # first of all: a new store is written as soon as it has a journal
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "_SETTINGS", relaxed)
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _make_the_schema_once() -> Iterator[None]:
    """Let a new store begin as a copy of one that was made here: all steps from the first take 5 ms."""
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as made, pytest.MonkeyPatch.context() as patch:
        MIGRATE(made)

        def migrate(connection: sqlite3.Connection) -> None:
            is_new = connection.execute("PRAGMA user_version").fetchone() == (0,)
            if is_new and vars(database)["MIGRATIONS"] is MIGRATIONS:
                made.backup(connection)
            MIGRATE(connection)

        patch.setattr(database, "migrate", migrate)
        yield


@pytest.fixture(autouse=True)
def _do_as_the_program_does_where_it_matters(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.nodeid.startswith(DURABLE):
        monkeypatch.setattr(database, "_SETTINGS", SETTINGS)
        monkeypatch.setattr(database, "migrate", MIGRATE)
        monkeypatch.setattr(os, "fsync", FSYNC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return home


@pytest.fixture
def desk(home: Path) -> Desk:
    """A desk in an empty home, not connected."""
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
def only_connected_once(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk that is connected and knows nothing yet, of which a test gets a copy."""
    desk = Desk(tmp_path_factory.mktemp("only-connected"))
    desk.connect()
    return desk


@pytest.fixture(scope="session")
def synced_once(only_connected_once: Desk, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk that is connected, with the sample badges, of which a test gets a copy."""
    desk = only_connected_once.copied_to(tmp_path_factory.mktemp("synced"))
    desk.json("sync")
    return desk


@pytest.fixture(scope="session")
def connected_once(synced_once: Desk, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk that is connected, with the sample badges and two pieces of content, of which a test gets a copy."""
    desk = synced_once.copied_to(tmp_path_factory.mktemp("connected"))
    desk.imports(
        "content",
        "content_id,title,type,status,session_id,session_title\n"
        "first-aid,First Aid Course,course,published,first-aid-march,March\n"
        "first-aid,First Aid Course,course,published,first-aid-april,April\n"
        "hygiene,Kitchen Hygiene,article,published,,\n",
    )
    return desk


@pytest.fixture
def connected(home: Path, connected_once: Desk) -> Desk:
    """A desk that is connected, with the sample badges and two pieces of content, one of them with sessions."""
    return connected_once.copied_to(home)


@pytest.fixture
def only_connected(home: Path, only_connected_once: Desk) -> Desk:
    """A desk that is connected and knows nothing yet."""
    return only_connected_once.copied_to(home)


@pytest.fixture(scope="session")
def prepared_once(connected_once: Desk, tmp_path_factory: pytest.TempPathFactory) -> ConnectedAfter:
    """How a connected desk is prepared once for all tests that need it so."""

    @cache
    def prepared(prepare: Callable[[Desk], object]) -> Desk:
        desk = connected_once.copied_to(tmp_path_factory.mktemp("prepared"))
        prepare(desk)
        return desk

    return prepared


@pytest.fixture
def connected_after(home: Path, prepared_once: ConnectedAfter) -> ConnectedAfter:
    """How to get a connected desk at which something was done before: a copy, for it is done once."""
    return lambda prepare: prepared_once(prepare).copied_to(home)
