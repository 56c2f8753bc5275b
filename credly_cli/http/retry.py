"""The policy of requests: how many at once, how fast badges are sent, what is tried again, and when all wait."""

import random
import threading
from collections import Counter
from dataclasses import dataclass, field

from credly_cli.http.response import CredlyFailure, Reply
from credly_cli.times import Clock

TRIES = 4
_LONGEST_WAIT = 120.0
_LONGEST_BACKOFF = 30.0
_PAUSE = 1.0  # at least so long after a request to slow down
_FREE_RETRIES = 10  # before the budget counts: a short run has few requests to take a share of
_BUDGET = 0.1  # retries as a share of all requests: a Credly in trouble is not asked twice as much
_PASSING = (408, 429, 500, 502, 503, 504)
_BELOW = 0.93  # of what Credly took in a second before it asked to slow down
_SLOWER = 0.85  # of a rate that turned out to be too fast
_FASTER = 0.00003  # requests a second more with each answer, times the answers since the last refusal
_SURE_SECONDS = 0.25  # a burst shorter than this does not tell what Credly takes in a second ...
_FASTER_UNSURE = 0.3  # ... so that is found out quickly
_SLOWEST = 0.2
_TICK = 0.001  # less is not worth sleeping for, and may be less than a clock can tell


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


class Lanes:
    """So many places; a context manager takes one."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._taken = 0
        self._changed = threading.Condition()

    def narrow(self) -> None:
        """Leave one place only: Credly has asked to slow down."""
        self._count = 1

    def __enter__(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._taken < self._count)
            self._taken += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._taken -= 1
            self._changed.notify()


@dataclass(slots=True)
class Pacer:
    """Says when the next request may leave; all times are timestamps in seconds."""

    rate: float | None = None  # requests a second; unlimited until Credly asks to slow down
    not_before: float = 0.0
    _started: float | None = None
    _paused_until: float = 0.0
    _unsure: bool = False
    _answered: int = 0  # since the last request to slow down
    _taken: Counter[object] = field(default_factory=Counter)  # by second of Credly's clock

    def delay(self, now: float) -> float:
        """Return how long to wait before the next request."""
        left = self.not_before - now
        return left if left > _TICK else 0.0

    def sent(self, now: float) -> None:
        """Note that a request leaves."""
        if self._started is None:
            self._started = now
        if self.rate is not None:
            # a slot that was missed by less than another is made up for
            self.not_before = max(now - 1 / self.rate, self.not_before) + 1 / self.rate

    def answered(self, second: object = None) -> None:
        """Note an answer that is no request to slow down, and the second of Credly's clock that it came from."""
        self._answered += 1
        if self.rate is None:
            self._taken[second] += 1
        else:
            self.rate += _FASTER_UNSURE if self._unsure else _FASTER * self._answered

    def slow_down(self, now: float, retry_after: float | None) -> None:
        """Note a request to slow down: a pause for all, then a lower rate."""
        told = now + max(_PAUSE, retry_after or 0.0)
        if now < self._paused_until:  # others that were under way say the same
            self._paused_until = max(self._paused_until, told if retry_after else 0.0)
        else:
            self._paused_until = told
            self.rate = max(_SLOWEST, self._lower_rate(now))
            self._answered = 0
        self.not_before = max(self.not_before, self._paused_until)

    def _lower_rate(self, now: float) -> float:
        if self.rate is not None:
            self._unsure = False
            return self.rate * _SLOWER
        elapsed = now - (self._started or now)
        self._unsure = elapsed < _SURE_SECONDS
        return max(self._taken.values(), default=0) * _BELOW
