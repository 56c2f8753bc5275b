"""Scenarios A 6 and 12: the power goes, and of the store's log only what was synchronised is left.

With ``synchronous = FULL`` all that was in the log when a request left is on the disk; of what came later any part may
be there, down to half a page and what was on the disk before. So each request notes how long the log is, and afterwards
the log is cut at every page from there on, with rubbish behind the cut, and the run goes on from that store.

Not shown here: that the disk does what it was told. A block device that drops writes (dm-flakey) needs a kernel module
and a device of its own, and an LD_PRELOAD that swallows them would stand between SQLite and the file as the cut does.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import pytest

from credly_cli.sandbox.records import BadgeBook, EarnedBadge, Response
from credly_cli.store.database import Store
from tests.support.world import World

FRAME = 24 + 4096  # a page in the log, with its header
RUBBISH = {"nothing": b"", "half a page": b"\x07" * (FRAME // 2), "zeros": bytes(FRAME), "noise": b"\xa5" * FRAME}


@dataclass
class Run:
    """A run as the disk and Credly saw it."""

    files: Path
    sent: list[int] = field(default_factory=list)  # how long the log was when each request left
    synchronous: int = 0
    issued: list[list[EarnedBadge]] = field(default_factory=list)  # what Credly had issued after each

    @property
    def log(self) -> bytes:
        return (self.files / "credly.db-wal").read_bytes()


@pytest.fixture(params=[1, 4], ids=["one-at-a-time", "four-at-a-time"])
def ran(world: World, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run that sent three requests; its files are kept as they were before the store was closed."""
    home, run, one_after_the_other = world.desk.home, Run(tmp_path / "files"), Lock()
    run.files.mkdir()
    world.desk.config(f"[credly]\nparallel = {request.param}\n")
    world.complete(1)

    def note(work: object, _stage: object) -> Response:
        with one_after_the_other:
            run.sent.append((home / "credly.db-wal").stat().st_size)
            answer = work()  # type: ignore[operator]
            run.issued.append(world.desk.issued())
        assert isinstance(answer, Response)
        return answer

    def close(self: Store) -> None:
        for path in home.glob("credly.db*"):
            shutil.copy2(path, run.files / path.name)
        run.synchronous = self.value("PRAGMA synchronous")
        close_store(self)

    close_store = Store.close
    world.desk.sandbox.faults.add(note, "POST", "/badges$", times=None)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "close", close)
        assert world.sync().code == 0
    world.desk.sandbox.faults.clear()
    assert (len(run.sent), run.synchronous) == (3, 2)  # FULL, on the connection that claimed
    return run


def cuts(run: Run) -> Iterator[tuple[int, int]]:
    """Yield each length that the log may have when the power goes, with how many requests had left."""
    for number, (at, following) in enumerate(zip(run.sent, [*run.sent[1:], len(run.log)], strict=True), 1):
        yield from ((length, number) for length in range(at, following + 1, FRAME))


def lose_power(world: World, run: Run, length: int, requests: int, rubbish: bytes = b"") -> None:
    """Put the machine back to where it is when it starts again."""
    world.lose_store(with_lock=True)
    for path in run.files.iterdir():
        if path.suffix != ".db-shm":  # it is in memory
            shutil.copy2(path, world.desk.home / path.name)
    (world.desk.home / "credly.db-wal").write_bytes(run.log[:length] + rubbish)
    world.desk.sandbox.book = BadgeBook()
    for badge in run.issued[requests - 1]:
        world.desk.sandbox.book.add(badge)


def forgotten(world: World) -> int:
    """Count the badges of Credly whose grant the store believes not to have been sent."""
    marks = [badge.details.issuer_earner_id for badge in world.desk.issued()]
    with world.desk.store() as store:
        assert store.value("PRAGMA integrity_check") == "ok"
        known = [row["earner_id"] for row in store.rows("SELECT earner_id FROM grants WHERE state <> 'planned'")]
    return sum(mark not in known for mark in marks)


@pytest.mark.slow
def test_after_a_power_loss_no_request_is_forgotten_and_each_completion_earns_one_badge(world: World, ran: Run) -> None:
    """Scenarios 6 and 12: at every page of the log, with anything behind it."""
    kinds, tried = list(RUBBISH.values()), 0
    clock = world.desk.clock.now()
    for tried, (length, requests) in enumerate(cuts(ran), 1):
        world.desk.clock.time = clock
        lose_power(world, ran, length, requests, kinds[tried % len(kinds)])
        assert forgotten(world) == 0, (length, ran.sent)
        world.calm_down()
        world.check_all()
    assert tried > 8


def test_a_log_that_lost_what_was_not_synchronised_would_be_noticed(world: World, ran: Run) -> None:
    """Scenario 12: a page less than was there when the request left, as with ``synchronous = NORMAL``."""
    lose_power(world, ran, ran.sent[0] - FRAME, 1)
    assert forgotten(world) > 0
