"""Scenarios D 42-51: the disk is full, others use the store, two runs at once.

42, 43  the disk is full at any write, real processes with RLIMIT_FSIZE      here
43      the answers that could not be kept are told                          here, in process
44, 48  read-only and full file systems, files of others, a missing folder   test_d_places.py
45      corrupt, foreign and newer stores                                    tests/store, and here that nothing is sent
46      another program holds the store                                      here
47      a second process past the lock                                       here
48      an inherited lock                                                    tests/store/test_lock.py
49      two runs in one second                                               here
50      the cost over a long history                                         test_d_long_history.py
51      a run without news writes nothing                                    tests/rules/test_sync_answer.py, and here
"""

import json
import resource
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from credly_cli.errors import Failure
from credly_cli.store import claims
from credly_cli.store.database import Store
from credly_cli.store.lock import locked
from tests.support.processes import Site, wait_until
from tests.support.world import ONCE, World

FULL = sqlite3.OperationalError("database or disk is full")


def limited(size: int) -> Any:
    """Return what lets a child write no file beyond so many bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.slow
def test_a_full_disk_ends_with_74_and_loses_nothing(tmp_path: Path) -> None:
    """Scenarios 42 and 43: the limit is met at another write each time."""
    with Site(tmp_path) as site:
        site.complete(6)
        codes = []
        for pages in (5, 12, 20, 28, 40, 60):
            sent = len(site.sandbox.issued())
            done = site.run("sync", before=limited(pages * 4096))
            codes.append(done.returncode)
            assert done.returncode in (0, 74, 75), done
            assert "Traceback" not in done.stderr
            assert site.doubled() == 0
            if site.states().get("sending", 0):
                assert len(site.sandbox.issued()) >= sent
        assert 74 in codes
        site.calm_down()
        site.check()


@pytest.mark.further
def test_a_full_disk_at_the_claim_sends_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenario 42."""
    world.complete(1)
    with monkeypatch.context() as patch:
        patch.setattr(claims, "claim", _fail)
        ran = world.desk.run("sync")
        assert (ran.code, world.posts()) == (74, 0)
        assert len(ran.err.splitlines()) == 2
    world.calm_down()
    world.check_all()


def _fail(*_: object, **__: object) -> None:
    raise FULL


@pytest.mark.further
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_answers_that_cannot_be_kept_are_told_and_found_again(
    world: World, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    """Scenario 43."""
    world.complete(1, 2)
    with monkeypatch.context() as patch:
        patch.setattr(claims, "note_attempt", _fail)
        ran = world.desk.run("sync", *options)
    assert ran.code == 74
    assert world.posts() <= 4
    assert set(world.states()) == {"sending", "planned"}
    if options:
        assert ran.json["error"]["code"] == "store-unusable"
    else:
        told = [json.loads(line) for line in ran.err.splitlines() if line.startswith("{")]
        assert {one["issued_badge_id"] for one in told} == {badge.id for badge in world.desk.issued()}
        assert {one["status"] for one in told} == {201}
    world.calm_down()
    world.check_all()


@pytest.mark.parametrize("spoil", ["corrupt", "foreign", "newer"])
def test_a_store_that_cannot_be_trusted_sends_nothing(world: World, spoil: str) -> None:
    """Scenario 45."""
    world.complete(1)
    path = world.desk.home / "credly.db"
    if spoil == "corrupt":
        data = bytearray(path.read_bytes())
        data[100:] = b"\xff" * (len(data) - 100)
        path.write_bytes(bytes(data))
    else:
        pragma = "application_id = 7" if spoil == "foreign" else "user_version = 999"
        with closing(sqlite3.connect(path)) as other, other:
            other.execute(f"PRAGMA {pragma}")
    assert world.desk.run("sync").code == 74
    assert world.posts() == 0


@contextmanager
def held_by_another(path: Path, seconds: float) -> Iterator[None]:
    """Let another program hold the store's write lock for so long."""
    holding = threading.Event()

    def hold() -> None:
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("BEGIN IMMEDIATE")
            holding.set()
            time.sleep(seconds)
            other.rollback()

    thread = threading.Thread(target=hold)
    thread.start()
    assert holding.wait(60), "the store was never to be had"
    yield
    thread.join()


@pytest.mark.slow
def test_another_program_that_writes_for_a_while_loses_no_answer(world: World) -> None:
    """Scenario 46."""
    world.complete(1, sessions=())
    holders = []

    def hold(work: object, _stage: object) -> Any:
        holder = held_by_another(world.desk.home / "credly.db", 1.0)
        holders.append(holder)
        holder.__enter__()
        return work()  # type: ignore[operator]

    world.desk.sandbox.faults.add(hold, "POST")
    assert world.sync().code == 0
    for holder in holders:
        holder.__exit__(None, None, None)
    world.check_all()


@pytest.mark.slow
def test_a_second_run_past_the_lock_doubles_nothing(tmp_path: Path) -> None:
    """Scenario 47: the lock file is deleted while a run holds it."""
    with Site(tmp_path) as site:
        site.complete(10)
        site.sandbox.switches.latency = 0.1
        first = site.start("sync")
        wait_until(lambda: len(site.sandbox.issued()) >= 4, first)
        (site.home / "credly.db.lock").unlink()
        site.run("sync")
        first.communicate(timeout=60)
        site.sandbox.switches.latency = 0
        site.calm_down()
        site.check()


@pytest.mark.slow
def test_of_two_runs_in_one_second_one_works_and_one_says_75(tmp_path: Path) -> None:
    """Scenario 49."""
    with Site(tmp_path) as site:
        site.complete(4)
        site.sandbox.switches.latency = 0.05
        for _ in range(3):
            first, second = site.start("sync", "--lock-wait", "0"), site.start("sync", "--lock-wait", "0")
            ends = [process.communicate(timeout=60) for process in (first, second)]
            codes = sorted(process.returncode for process in (first, second))
            assert codes in ([0, 75], [0, 0]), ends
        site.check()


@pytest.mark.sampled
@pytest.mark.parametrize(
    "command",
    [("sync",), ("link", ONCE, "hygiene"), ("unlink", ONCE), ("grant", "learner1@example.org", ONCE), ("retry",)],
    ids=lambda command: command[0],
)
def test_nothing_of_the_store_is_read_before_the_lock_is_held(
    world: World, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """Scenario 49: what was read before is old by the time that the other run is done."""
    world.complete(1)
    held = []
    connect = Store.open

    def opened(path: Path) -> Store:
        with pytest.raises(Failure), locked(world.desk.home / "credly.db.lock", 0, world.desk.clock):
            held.append(False)
        held.append(True)
        return connect(path)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "open", opened)
        world.desk.run(*command)
    assert held == [True]


@pytest.mark.further
def test_a_thousand_runs_without_news_leave_no_trace_but_their_rows(world: World) -> None:
    """Scenario 51, in small: 10 runs, no request to issue, a steady number of requests, no log left behind."""
    world.complete(1)
    world.sync()
    world.sync()
    sent, counts = world.posts(), []
    for _ in range(10):
        world.desk.sandbox.log.clear()
        assert world.sync().code == 0
        counts.append(world.desk.sandbox.log.count())
    assert (world.posts(), len(set(counts))) == (0, 1)
    assert sent == 3
    assert not (world.desk.home / "credly.db-wal").exists()
