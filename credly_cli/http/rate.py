"""How fast badges are sent: as fast as Credly answers, and slower once it asks for that (reliability, 3.6)."""

from collections import Counter
from dataclasses import dataclass, field

_BELOW = 0.93  # of what Credly took in a second before it asked to slow down
_SLOWER = 0.85  # of a rate that turned out to be too fast
_FASTER = 0.00003  # requests a second more with each answer, times the answers since the last refusal
_SURE_SECONDS = 0.25  # a burst shorter than this does not tell what Credly takes in a second ...
_FASTER_UNSURE = 0.3  # ... so that is found out quickly
_PAUSE_SECONDS = 1.0
_SLOWEST = 0.2
_TICK = 0.001  # less is not worth sleeping for, and may be less than a clock can tell


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
        told = now + max(_PAUSE_SECONDS, retry_after or 0.0)
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
