"""A plugin of pytest: the tests end, with all that they started, when who started them is gone.

A draw of mutants that is killed could not end them itself: it holds the other end of their standard input. They take no
more memory than they need either, and a test no more time of a processor: a mutant may be a loop without an end.
"""

import fcntl
import os
import resource
import signal
from collections.abc import Generator

import pytest

MOST_BYTES = 4 << 30
MOST_SECONDS = 30  # of a processor, whatever else the machine does

if "PYTEST_XDIST_WORKER" not in os.environ:
    _held = os.dup(0)  # pytest puts something else in its place
    fcntl.fcntl(_held, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(_held, fcntl.F_SETFL, os.O_ASYNC)  # when the other end is closed, SIGIO ends the whole group
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """End the process by SIGPROF where a test goes on and on."""
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
