"""One run at a time: the lock beside the store."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from credly_cli.errors import Failure
from credly_cli.store.lock import locked
from tests.support.desk import Desk, StillClock
from tests.support.installed import ROOT, first_line

HOLDS = """
import sys, time
from pathlib import Path
from credly_cli.cli.environment import SystemClock
from credly_cli.store.lock import locked
with locked(Path(sys.argv[1]), 0, SystemClock()) as lock:
    lock.note_run(41)
    print("held", flush=True)
    time.sleep(60)
"""


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@contextmanager
def held_elsewhere(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLDS, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:  # noqa: S603
        try:
            assert first_line(process.stdout) == "held\n"
            yield process
        finally:
            process.kill()


@pytest.fixture
def path(desk: Desk) -> Path:
    return desk.home / "credly.db.lock"


@pytest.mark.further
@pytest.mark.parametrize(
    "command", [("sync",), ("link", "a", "b"), ("unlink", "a"), ("import", "learners", "-")], ids=lambda c: c[0]
)
def test_whoever_writes_waits_for_the_lock_and_then_names_who_holds_it(
    desk: Desk, path: Path, command: tuple[str, ...]
) -> None:
    with held_elsewhere(path) as holder:
        began = desk.clock.now()
        error = desk.json(*command, code=75)["error"]
        assert error["code"] == "locked"
        assert f"process {holder.pid} on " in error["message"]
        assert "--lock-wait" in error["hint"]
        assert 9.9 <= (desk.clock.now() - began).total_seconds() <= 10.2
        desk.json(*command, "--lock-wait", "0", code=75)
        assert (desk.clock.now() - began).total_seconds() <= 10.2
        desk.json(*command, "--lock-wait", "25", code=75)
        assert 34.8 <= (desk.clock.now() - began).total_seconds() <= 35.5


@pytest.mark.further
def test_readers_never_wait(connected: Desk) -> None:
    with held_elsewhere(connected.home / "credly.db.lock"):
        assert len(connected.json("badges")) == 8
        assert connected.json("status")["connected"] is True


@pytest.mark.further
def test_a_kill_frees_it_and_its_number_stays(path: Path) -> None:
    with held_elsewhere(path) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait(10)
    with locked(path, 0, StillClock()) as lock:
        assert lock.run_number == 41


@pytest.mark.slow
def test_it_waits_until_the_other_is_done(path: Path) -> None:
    with held_elsewhere(path) as holder:
        threading.Timer(0.3, holder.kill).start()
        with locked(path, 20, RealClock()) as lock:
            assert lock.run_number == 41


@pytest.mark.parametrize("umask", [0, 0o777])
def test_its_file_is_private_and_stays(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with locked(path, 0, StillClock()):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(before)
    assert path.exists()


def test_a_new_lock_has_no_number(path: Path) -> None:
    with locked(path, 0, StillClock()) as lock:
        assert lock.run_number is None
        lock.note_run(7)
        assert path.read_text().splitlines()[0] == "7"
    with locked(path, 0, StillClock()) as lock:
        assert lock.run_number == 7


@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"\xff\xfe\x00", b"-5\n", b"\xc2\xb2\n", b"9" * 5000])
def test_a_file_with_nonsense_in_it_is_a_lock_all_the_same(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with locked(path, 0, StillClock()) as lock:
        assert lock.run_number is None


@pytest.mark.further
def test_a_lock_that_was_deleted_meanwhile_does_not_let_two_in(path: Path) -> None:
    """Whoever waited for a file that is gone then holds the one that is there."""
    with held_elsewhere(path) as holder:

        def leave() -> None:
            path.unlink()
            holder.kill()

        threading.Timer(0.2, leave).start()
        with locked(path, 20, RealClock()), pytest.raises(Failure), locked(path, 0, StillClock()):
            pytest.fail("two are in")


def test_a_link_in_its_place_is_not_followed(desk: Desk, path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("untouched")
    path.symlink_to(other)
    assert desk.json("unlink", "a", code=74)["error"]["code"] == "store-unusable"
    assert other.read_text() == "untouched"


@pytest.mark.parametrize("seconds", ["nan", "inf", "1e400", "-1"])
@pytest.mark.parametrize("option", ["--lock-wait", "--max-seconds"])
def test_a_wait_that_is_no_number_of_seconds_is_wrong_usage(desk: Desk, option: str, seconds: str) -> None:
    assert option in desk.json("sync", option, seconds, code=2)["error"]["message"]


def test_a_child_does_not_inherit_it(path: Path) -> None:
    command = [sys.executable, "-c", "import time; print('runs', flush=True); time.sleep(30)"]
    with locked(path, 0, StillClock()):
        child = subprocess.Popen(command, close_fds=False, stdout=subprocess.PIPE)  # noqa: S603
    with child:
        try:
            assert first_line(child.stdout) == "runs\n"
            with locked(path, 0, StillClock()):
                pass
        finally:
            child.kill()
