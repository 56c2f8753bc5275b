"""How fast badges are sent: as fast as Credly answers, and slower once it asks for that (reliability, 3.6)."""

from dataclasses import dataclass

_SLOWER = 0.7
_FASTER = 0.05
_PAUSE_SECONDS = 1.0
_SLOWEST = 0.2
_TICK = 0.001  # less is not worth sleeping for, and may be less than a clock can tell


@dataclass(slots=True)
class Pacer:
    """Says when the next request may leave; all times are timestamps in seconds."""

    rate: float | None = None  # requests a second; unlimited until Credly asks to slow down
    not_before: float = 0.0
    _started: float | None = None
    _answered: int = 0

    def delay(self, now: float) -> float:
        """Return how long to wait before the next request."""
        left = self.not_before - now
        return left if left > _TICK else 0.0

    def sent(self, now: float) -> None:
        """Note that a request leaves."""
        if self._started is None:
            self._started = now
        if self.rate is not None:
            self.not_before = max(now, self.not_before) + 1 / self.rate

    def answered(self) -> None:
        """Note an answer that is no request to slow down."""
        self._answered += 1
        if self.rate is not None:
            self.rate += _FASTER

    def slow_down(self, now: float, retry_after: float | None) -> None:
        """Note a request to slow down: a pause for all, then a lower rate."""
        told = now + max(_PAUSE_SECONDS, retry_after or 0.0)
        if now < self.not_before and self.rate is not None:
            self.not_before = max(self.not_before, told if retry_after else 0.0)
            return  # others that were under way say the same
        elapsed = max(now - (self._started or now), 1.0)
        reached = self.rate if self.rate is not None else self._answered / elapsed
        self.rate = max(_SLOWEST, reached * _SLOWER)
        self.not_before = told
