"""Scenarios A 1-9: the program dies at any point of a run, and each completion still earns exactly one badge.

1-3, 5, 7, 8  killed before and after every commit of a run, one after the other    here
3-5           killed by the server while it has the request, real processes         here
9             killed within a migration                                             here
6, 12         power loss                                                            test_a_power_loss.py
10            signals                                                               test_d_signals.py
11            stopped for 30 minutes in mid-POST                                    test_d_signals.py
13            restored, deleted and copied stores                                   test_a_restored_stores.py
14            out of memory in an import                                            test_a_memory.py
"""

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from credly_cli.sandbox.records import Response
from credly_cli.store import schema
from credly_cli.store.database import Store
from tests.support.processes import Site
from tests.support.world import KilledError, World, killed_at

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("before_commit", [True, False], ids=["before", "after"])
def test_killed_at_any_commit_each_completion_earns_one_badge(world: World, before_commit: bool) -> None:
    """Scenarios 1, 2, 3, 5, 7, 8."""
    number, reached = 0, True
    while reached:
        number += 1
        world.complete(number)
        with killed_at(number, before_commit=before_commit) as was_reached:
            try:
                world.sync()
            except KilledError:
                world.check_none_doubled()
            reached = was_reached()
        world.calm_down()
        world.check_all()
    assert number > 6


@pytest.mark.parametrize("before_commit", [True, False], ids=["before", "after"])
def test_killed_while_settling_each_completion_earns_one_badge(world: World, before_commit: bool) -> None:
    """Scenario 8: between the look-up and what it means."""
    number, reached = 0, True
    while reached:
        number += 1
        world.complete(number)
        with killed_at(5, before_commit=False), pytest.raises(KilledError):
            world.sync()
        world.desk.pass_time(minutes=16)
        with killed_at(number, before_commit=before_commit) as was_reached:
            try:
                world.sync()
            except KilledError:
                world.check_none_doubled()
            reached = was_reached()
        world.calm_down()
        world.check_all()
    assert number > 6


@pytest.mark.parametrize("works", [False, True], ids=["before-the-work", "after-the-work"])
def test_killed_with_requests_under_way_each_completion_earns_one_badge(tmp_path: Path, works: bool) -> None:
    """Scenarios 3, 4, 5 and 7: at most as many grants are uncertain as requests were under way."""
    with Site(tmp_path) as site:
        site.complete(12)

        def kill(work: object, _stage: object) -> Response:
            if works:
                work()  # type: ignore[operator]
            os.kill(site.pid, signal.SIGKILL)
            return Response(0)

        site.sandbox.faults.add(kill, "POST", "/badges$", nth=6)
        assert site.run("sync").returncode == -signal.SIGKILL
        assert site.states().get("sending", 0) <= 4
        site.calm_down()
        site.check()


def test_a_claim_is_on_disk_before_anything_leaves(world: World) -> None:
    """Scenarios 6 and 12, as far as they can be shown: full synchronisation, and the claim committed first."""
    world.complete(1)
    seen: list[str] = []

    def look(work: object, _stage: object) -> Response:
        with closing(sqlite3.connect(world.desk.home / "credly.db")) as other, other:
            seen.append(other.execute("SELECT count(*) FROM grants WHERE state = 'sending'").fetchone()[0])
            assert other.execute("SELECT count(*) FROM attempts WHERE ended_at IS NULL AND body <> ''").fetchone()[0]
        answer = work()  # type: ignore[operator]
        assert isinstance(answer, Response)
        return answer

    world.desk.sandbox.faults.add(look, "POST", times=None)
    world.sync()
    assert len(seen) == 3
    assert all(seen)
    with world.desk.store() as store:
        assert store.value("PRAGMA synchronous") == 2
        assert store.value("PRAGMA journal_mode") == "wal"


def test_killed_within_a_migration_the_schema_is_old_or_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenario 9."""
    path = tmp_path / "credly.db"
    broken = (*schema.MIGRATIONS[:-1], schema.MIGRATIONS[-1] + "\nSELECT no_such_function();")
    with monkeypatch.context() as patch:
        patch.setattr("credly_cli.store.database.MIGRATIONS", broken)
        with pytest.raises(sqlite3.Error):
            Store.open(path)
    with Store.open(path) as store:
        assert store.value("PRAGMA user_version") == len(schema.MIGRATIONS)
        assert store.value("PRAGMA integrity_check") == "ok"
