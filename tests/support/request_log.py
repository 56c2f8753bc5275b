"""What was asked of the stand-in, so that tests can count it. Headers are never kept: one of them holds the token."""

import re
from collections import Counter, deque
from threading import Lock
from typing import NamedTuple


class LoggedRequest(NamedTuple):
    """One request; a status of 0 means that the client got no answer."""

    method: str
    target: str
    status: int
    at: str
    seconds: float


class RequestLog:
    """The latest requests, and counts of all."""

    def __init__(self, keep: int = 50_000) -> None:
        self.latest: deque[LoggedRequest] = deque(maxlen=keep)
        self.totals: Counter[tuple[str, int]] = Counter()  # by method and status
        self._lock = Lock()

    def add(self, entry: LoggedRequest) -> None:
        """Note a request."""
        with self._lock:
            self.latest.append(entry)
            self.totals[entry.method, entry.status] += 1

    def clear(self) -> None:
        """Begin anew."""
        with self._lock:
            self.latest.clear()
            self.totals.clear()

    def matching(self, method: str = "", path: str = "", status: int | None = None) -> list[LoggedRequest]:
        """Return the latest requests of a method, whose path and query hold a regular expression, with a status."""
        pattern = re.compile(path)
        with self._lock:
            entries = list(self.latest)
        return [
            entry
            for entry in entries
            if (not method or entry.method == method.upper())
            and pattern.search(entry.target)
            and (status is None or entry.status == status)
        ]

    def count(self, method: str = "", path: str = "", status: int | None = None) -> int:
        """Count what ``matching`` returns."""
        return len(self.matching(method, path, status))
