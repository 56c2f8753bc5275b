"""A plugin of pytest: the tests end, with all that they started, when who started them is gone.

A draw of mutants that is killed could not end them itself: it holds the other end of their standard input. They take no
more memory than they need either, for a mutant may be a loop that collects for ever.
"""

import fcntl
import os
import resource

MOST_BYTES = 4 << 30

if "PYTEST_XDIST_WORKER" not in os.environ:
    _held = os.dup(0)  # pytest puts something else in its place
    fcntl.fcntl(_held, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(_held, fcntl.F_SETFL, os.O_ASYNC)  # when the other end is closed, SIGIO ends the whole group
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
