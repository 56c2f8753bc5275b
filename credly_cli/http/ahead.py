"""Asking before it is needed: what a run is sure to read first is asked for at once, so that it waits only once."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from credly_cli.http.response import Reply

Parameters = Mapping[str, str | int]
_FRESH_SECONDS = 5.0  # an older answer is asked for anew: a list may have changed meanwhile


class Ahead:
    """Answers that are on their way before somebody asks for them."""

    def __init__(self, read: Callable[[str, Parameters | None], Reply]) -> None:
        self._read = read
        self._asked: dict[tuple[object, ...], tuple[float, Future[Reply]]] = {}

    def ask(self, questions: Mapping[str, Parameters]) -> None:
        """Ask for paths, each with its parameters, all at once."""
        pool = ThreadPoolExecutor(len(questions) or 1)
        for path, parameters in questions.items():
            self._asked[_key(path, parameters)] = time.monotonic(), pool.submit(self._read, path, parameters)
        pool.shutdown(wait=False)  # its threads end with their answers

    def take(self, path: str, parameters: Parameters | None) -> Future[Reply] | None:
        """Return the answer that is on its way, once; ``None`` where there is none, or it is too old."""
        asked = self._asked.pop(_key(path, parameters), None)
        return asked[1] if asked is not None and time.monotonic() - asked[0] < _FRESH_SECONDS else None


def _key(path: str, parameters: Parameters | None) -> tuple[object, ...]:
    return path, *sorted((parameters or {}).items())
