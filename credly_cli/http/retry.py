"""The policy of requests: how many at once, how fast badges are sent, what is tried again, and when all wait."""

import random
import threading
from collections import Counter
from dataclasses import dataclass, field

from credly_cli.http.response import HttpFailure, Reply, Service, out_of_time
from credly_cli.times import Clock, Deadline

_LONGEST_WAIT = 120.0
_LONGEST_BACKOFF = 30.0
_PAUSE = 1.0  # at least so long after a request to slow down
_WINDOW = 60.0  # that a service counts requests in, where it does not say for how long to wait ...
_WINDOW_AFTER = 3  # ... and so many requests to slow down in a row say that its count is used up
_FREE_RETRIES = 10  # before the budget counts: a short run has few requests to take a share of
_BUDGET = 0.1  # retries as a share of all requests: a Credly in trouble is not asked twice as much
_PASSING = (408, 429, 500, 502, 503, 504)
_BELOW = 0.93  # of what Credly took in a second before it asked to slow down
_SLOWER = 0.85  # of a rate that turned out to be too fast
_FASTER = 0.00003  # requests a second more with each answer, times the answers since the last refusal
_SURE_SECONDS = 0.25  # a burst shorter than this does not tell what Credly takes in a second ...
_FASTER_UNSURE = 0.3  # ... so that is found out quickly
_SLOWEST = 0.2
_MILLISECONDS = 1e11  # no time in seconds is as large for some thousand years
_LONGEST_WINDOW = 86_400.0  # seconds that limits are counted in
_TICK = 0.001  # less is not worth sleeping for, and may be less than a clock can tell


@dataclass(frozen=True, slots=True)
class Limits:
    """How a service is asked: requests that read at once, tries of each, and whether it counts them in its headers.

    Such headers are ``X-RateLimit-Remaining`` and ``X-RateLimit-Reset``, a time of our clock in seconds since 1970.
    """

    parallel: int = 4
    tries: int = 4
    counted: bool = False


class ConcurrencyLimit:
    """How many requests may be on their way at once: a context manager takes a place; treating an answer holds none."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._taken = 0
        self._changed = threading.Condition()

    def reduce_to_one(self) -> None:
        """Leave one place only: the service has asked to slow down."""
        self._count = 1

    def __enter__(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._taken < self._count)
            self._taken += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._taken -= 1
            self._changed.notify()


class Retry:
    """When a request that only reads is tried again, and when all of them wait; shared by all threads of a run."""

    def __init__(self, service: Service, limits: Limits, clock: Clock) -> None:
        self._service = service
        self._limits = limits
        self._clock = clock
        self._not_before = 0.0  # by the clock's monotonic seconds
        self._requests = 0
        self._retries = 0
        self._lock = threading.Lock()

    def admit(self, deadline: Deadline) -> None:
        """Count a request, and hold it while the service has asked for a pause; raises ``HttpFailure``.

        What cannot be waited for is refused at once: a pause beyond the deadline, or one of more than two minutes.
        """
        with self._lock:
            self._requests += 1
            pause = self._not_before - self._clock.monotonic()
        if deadline.remaining() <= max(pause, 0.0):
            raise out_of_time()
        if pause > _LONGEST_WAIT:
            message = f"{self._service.name} allows no more requests for {pause / 60:.0f} minutes."
            raise HttpFailure("rate-limited", message, hint=self._service.failure("busy").hint)
        if pause > 0:
            self._clock.sleep(pause)

    def note(self, reply: Reply) -> None:
        """Take from an answer's headers when the next request is allowed."""
        if not self._limits.counted:
            return
        remaining, reset = (reply.headers.get(f"X-RateLimit-{name}", "").strip() for name in ("Remaining", "Reset"))
        if remaining == "0" and reset.isascii() and reset.isdigit():
            self._pause_all(_seconds_until(float(reset), self._clock.now().timestamp()))

    def waits_to_retry(self, attempt: int, failure: HttpFailure, deadline: Deadline) -> bool:
        """Wait before another try; false when the fault will not pass, or there is no time or no try left."""
        if not _passes(failure) or attempt + 1 >= self._limits.tries or not self._within_budget():
            return False
        seconds = failure.retry_after
        if seconds is None:
            seconds = random.uniform(0, min(_LONGEST_BACKOFF, 0.5 * 2**attempt))  # noqa: S311
        busy = failure.code == "rate-limited"
        if busy:
            seconds = max(seconds, _PAUSE * 2**attempt)
            if failure.retry_after is None and attempt + 1 >= _WINDOW_AFTER:
                seconds = _WINDOW
        if seconds > min(_LONGEST_WAIT, deadline.remaining()):
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
            self._not_before = max(self._not_before, self._clock.monotonic() + seconds)


def _seconds_until(reset: float, now: float) -> float:
    """Return how far a moment is away that is told in seconds or milliseconds since 1970; what is days away is none."""
    pause = (reset / 1000 if reset > _MILLISECONDS else reset) - now
    return pause if pause <= _LONGEST_WINDOW else 0.0


def _passes(failure: HttpFailure) -> bool:
    """Tell a fault that may be gone on the next try; a page of a proxy or a firewall is one too."""
    if failure.status is None or failure.status in _PASSING:
        return True
    of_firewall = failure.status == 403 and failure.code == "server-error"  # noqa: PLR2004
    return of_firewall or failure.status < 300  # noqa: PLR2004


@dataclass(slots=True)
class RateLimit:
    """How fast badges are sent: as fast as Credly answers, and slower once it asks for that.

    It says when the next request may leave; all times are seconds of one clock.
    """

    rate: float | None = None  # requests a second; unlimited until Credly asks to slow down
    not_before: float = 0.0  # no request may leave before it
    _started: float | None = None
    _paused_until: float = 0.0
    _unsure: bool = False
    _answered: int = 0  # since the last request to slow down
    _refused: int = 0  # requests to slow down in a row, those apart that were under way together ...
    _refused_from: float = 0.0  # ... when the first of them came, or the last window began ...
    _rate_at_first: float = 0.0  # ... and the rate after the first
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
        self._refused = 0
        if self.rate is None:
            self._taken[second] += 1
        else:
            self.rate += _FASTER_UNSURE if self._unsure else _FASTER * self._answered

    def slow_down(self, now: float, retry_after: float | None) -> None:
        """Note a request to slow down: a pause for all, then a lower rate.

        Where it does not say for how long, the third in a row is a count that is used up, which no lower rate helps:
        all wait for the next window.
        """
        until = now + max(_PAUSE, retry_after or 0.0)
        if now < self._paused_until:  # others that were under way say the same
            self._paused_until = max(self._paused_until, until if retry_after else 0.0)
        else:
            self._paused_until = until
            self.rate = max(_SLOWEST, self._lower_rate(now))
            self._answered = 0
            self._count_refusal(now, retry_after)
        self.not_before = max(self.not_before, self._paused_until)

    def _count_refusal(self, now: float, retry_after: float | None) -> None:
        self._refused += 1
        if self._refused == 1:
            self._refused_from, self._rate_at_first = now, self.rate or _SLOWEST
        if retry_after is None and self._refused >= _WINDOW_AFTER:
            self.rate = self._rate_at_first
            self._refused_from = max(self._refused_from + _WINDOW, now)
            self._paused_until = max(self._paused_until, self._refused_from)

    def _lower_rate(self, now: float) -> float:
        if self.rate is not None:
            self._unsure = False
            return self.rate * _SLOWER
        self._unsure = self._started is None or now - self._started < _SURE_SECONDS
        return max(self._taken.values(), default=0) * _BELOW
