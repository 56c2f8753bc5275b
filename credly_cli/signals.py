"""Being asked to stop: the first signal lets the work end in order, the second ends the program at once."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from credly_cli.errors import Exit, Failure

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Failure):
    """The program was asked to stop; its exit code tells by what."""

    def __init__(self, code: Exit) -> None:
        super().__init__("interrupted", "Stopped before all was done.", hint="Nothing is lost: run it again.")
        self._exit = code

    @property
    def exit_code(self) -> Exit:
        """130 for an interruption from the keyboard, 75 for the system's request to end."""
        return self._exit


class Interruption(threading.Event):
    """Set once somebody asks the program to stop. Whoever sleeps wakes up, whoever works looks at it between steps."""

    def __init__(self) -> None:
        super().__init__()
        self._exit = Exit.INTERRUPTED
        self._awaited = False

    def install(self) -> None:
        """Listen to the signals from now on; for the program itself only, never where it is a guest."""
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup asks not to be told
                signal.signal(number, self._take)

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Let a signal during the block only set the event; outside such a block it ends the command."""
        self._awaited = True
        try:
            yield
        finally:
            self._awaited = False

    def failure(self) -> Failure:
        """Return what being stopped means for the run."""
        return Stopped(self._exit)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        code = Exit.INTERRUPTED if number == signal.SIGINT else Exit.TRY_LATER
        if self.is_set():
            os._exit(code)  # as safe as being killed: what was sent is on disk as such
        self._exit = code
        self.set()
        if not self._awaited:
            raise KeyboardInterrupt
