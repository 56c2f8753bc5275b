"""When a request that only reads may be tried again, and when all of them wait (reliability, 3.6)."""

import random
import threading

from credly_cli.http.response import CredlyFailure, Reply
from credly_cli.times import Clock

TRIES = 4
_LONGEST_WAIT = 120.0
_LONGEST_BACKOFF = 30.0
_PAUSE = 1.0  # at least so long after a request to slow down
_FREE_RETRIES = 10  # before the budget counts: a short run has few requests to take a share of
_BUDGET = 0.1  # retries as a share of all requests: a Credly in trouble is not asked twice as much
_PASSING = (408, 429, 500, 502, 503, 504)


def out_of_time() -> CredlyFailure:
    """Return what it means for reading that the run's time was used up."""
    return CredlyFailure(
        "rate-limited", "The time allowed was used up.", None, "The next sync goes on where this one ended."
    )


class Retrying:
    """Shared by all threads of a run: one that is asked to slow down slows all of them."""

    def __init__(self, clock: Clock) -> None:
        self.deadline: float | None = None  # of the run, as a timestamp; waiting never goes beyond it
        self.longest_backoff = _LONGEST_BACKOFF
        self._clock = clock
        self._not_before = 0.0
        self._requests = 0
        self._retries = 0
        self._lock = threading.Lock()

    def admit(self) -> None:
        """Count a request, and hold it while Credly has asked for a pause."""
        with self._lock:
            self._requests += 1
            pause = self._not_before - self._now()
        if pause > 0:
            self._clock.sleep(pause)

    def is_over(self) -> bool:
        """Tell whether the run's time was used up."""
        return self.deadline is not None and self._now() >= self.deadline

    def again(self, attempt: int, failure: CredlyFailure, reply: Reply | None) -> bool:
        """Wait before another try; false when the fault will not pass, or the run has no time or tries left."""
        if not _passes(failure) or attempt + 1 >= TRIES or not self._within_budget():
            return False
        told = reply.retry_after if reply else None
        seconds = told if told is not None else random.uniform(0, min(self.longest_backoff, 0.5 * 2**attempt))  # noqa: S311
        busy = failure.code == "rate-limited"
        if busy:
            seconds = max(seconds, _PAUSE * 2**attempt)
        if seconds > _LONGEST_WAIT or (self.deadline is not None and self._now() + seconds > self.deadline):
            return False
        if busy:
            self._pause_all(seconds)
        else:
            self._clock.sleep(seconds)
        return True

    def _within_budget(self) -> bool:
        with self._lock:
            self._retries += 1
            return self._retries <= _FREE_RETRIES + self._requests * _BUDGET

    def _pause_all(self, seconds: float) -> None:
        with self._lock:
            self._not_before = max(self._not_before, self._now() + seconds)

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _passes(failure: CredlyFailure) -> bool:
    """Tell a fault that may be gone on the next try; a page of a proxy with status 200 is one too."""
    return failure.status is None or failure.status in _PASSING or failure.status < 300  # noqa: PLR2004
