"""Scenarios A 10 and 11: signals to a real process; what is under way is awaited, and nothing is lost."""

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.support.installed import variables
from tests.support.processes import NEEDS_PROC, Site, wait_until

pytestmark = pytest.mark.slow


def hold_answers(site: Site) -> threading.Event:
    """Let Credly answer nothing until the event is set."""
    release = threading.Event()

    def hold(_seconds: float) -> None:
        assert release.wait(180), "nobody released the answers"

    site.sandbox.sleep = hold
    site.sandbox.switches.latency = 1
    return release


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 75), (signal.SIGINT, 130), (signal.SIGHUP, 75)], ids=str)
def test_a_signal_ends_the_run_in_order(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """Scenario 10."""
    with Site(tmp_path) as site:
        site.complete(20)
        site.sandbox.switches.latency = 0.1
        process = site.start("sync")
        wait_until(lambda: len(site.sandbox.issued()) >= 6, process)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert process.returncode == code, (out, err)
        assert "Traceback" not in err
        assert site.states().get("sending", 0) == 0
        assert site.states().get("planned", 0) > 0
        assert site.states()["issued"] == len(site.sandbox.issued())
        site.sandbox.switches.latency = 0
        site.calm_down()
        site.check()


@NEEDS_PROC
def test_a_signal_does_not_wait_for_an_answer_that_is_only_read(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        release = hold_answers(site)
        process = site.start("sync", "--json")
        wait_until(lambda: site.has_lock_open(process), process)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert not release.is_set()
        assert (process.returncode, err) == (130, "")
        assert json.loads(out)
        release.set()
        site.sandbox.switches.latency = 0
        site.calm_down()
        site.check()


@NEEDS_PROC
def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        site.complete(4)
        threads, release = threading.active_count(), hold_answers(site)
        process = site.start("sync", "--only", "grants")
        wait_until(lambda: site.has_lock_open(process), process)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert (process.returncode, release.is_set()) == (130, False)
        site.sandbox.switches.latency = 0
        release.set()
        wait_until(lambda: threading.active_count() <= threads)  # until Credly has done what was under way
        site.calm_down()
        site.check()


@NEEDS_PROC
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 75), (signal.SIGINT, 130)], ids=str)
def test_a_signal_while_waiting_for_the_lock_ends_it(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with Site(tmp_path) as site:
        site.sandbox.switches.latency = 1
        first = site.start("sync")
        wait_until(lambda: site.has_lock_open(first), first)
        second = site.start("sync", "-q", "--lock-wait", "30")
        wait_until(lambda: site.has_lock_open(second), second)
        second.send_signal(number)
        _, err = second.communicate(timeout=120)
        assert (second.returncode, err.startswith("credly sync: Stopped before all was done.")) == (code, True)
        first.communicate(timeout=30)
        assert first.returncode == 0


def test_a_run_stopped_in_mid_request_keeps_others_out_and_goes_on(tmp_path: Path) -> None:
    """Scenario 11, with a shorter break than half an hour: what counts is the lock, and the request under way."""
    with Site(tmp_path) as site:
        site.complete(6)
        site.sandbox.switches.latency = 0.2
        process = site.start("sync")
        wait_until(lambda: len(site.sandbox.issued()) >= 3, process)
        process.send_signal(signal.SIGSTOP)
        other = site.run("sync", "--lock-wait", "0")
        assert other.returncode == 75
        assert str(process.pid) in other.stderr
        time.sleep(1)
        process.send_signal(signal.SIGCONT)
        process.communicate(timeout=60)
        assert process.returncode == 0
        site.check()


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        site.complete(300)
        site.must("sync")
        piped = subprocess.run(  # noqa: S602 - a pipe of the shell is what is tried
            f"{sys.executable} -m credly_cli grants | head -1",
            shell=True,
            capture_output=True,
            text=True,
            env=variables(site.home),
            timeout=120,
            check=False,
        )
        assert piped.returncode == 0
        assert piped.stderr == ""
        assert len(piped.stdout.splitlines()) == 1
