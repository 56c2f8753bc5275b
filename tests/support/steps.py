"""Counting what SQLite does for an answer, which no load of the test machine changes."""

from collections.abc import Callable

from credly_cli.store.database import Store


def steps(store: Store, act: Callable[[], object]) -> int:
    """Count the steps of SQLite's machine that an act takes, in hundreds."""
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    store.connection.set_progress_handler(tick, 100)
    try:
        act()
    finally:
        store.connection.set_progress_handler(None, 0)
    return count
