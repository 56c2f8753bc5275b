"""How many requests that read may be on their way at once; what is done with an answer holds no place."""

import threading


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
