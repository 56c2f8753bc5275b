"""Where things stand, as `status` tells it: what is overdue, and what to do next."""

import re
from datetime import datetime, timedelta
from pathlib import Path

from credly_cli.errors import Failure
from credly_cli.store.overview import Overview
from credly_cli.text import Command, Hint
from credly_cli.times import from_utc_text

_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def read_age(text: str) -> timedelta:
    """Read an age like ``2h``; raises ``Failure``."""
    found = _AGE.fullmatch(text.strip().lower())
    try:
        if found is not None:
            return timedelta(seconds=float(found[1]) * _SECONDS[found[2]])
    except OverflowError:
        pass
    raise Failure("usage", f"{text!r} is not an age.", hint="Write it like 90m, 2h or 1d.")


def overdue(found: Overview, oldest: timedelta, now: datetime) -> str | None:
    """Say why a monitor should call somebody: the last good sync is older, or a person is needed; else ``None``."""
    if found.needs_person:
        waiting = found.needs_person
        return f"{waiting:,} thing{' waits' if waiting == 1 else 's wait'} for a person."
    if found.last_good_sync is None:
        return "No sync has ended well yet."
    age = now - from_utc_text(found.last_good_sync)
    return None if age <= oldest else f"The last good sync ended {_words(age)} ago."


_WAYS_OUT = {
    "token-refused": Command("connect"),
    "token-forbidden": Command("connect"),
    "lms-token-refused": Command("doctor"),
    "shrink-refused": Command("sync", "--allow-shrink"),
}


def next_step(found: Overview, configuration: Path, *, enabled: bool) -> Hint:
    """Return what to do next, by where things stand."""
    if not enabled:
        return Hint(f"Next: set enabled = true in {configuration}")
    return Hint("Next:", _next_command(found))


def _next_command(found: Overview) -> Command:
    if not found.connected:
        return Command("connect")
    last = found.last_sync
    since_connecting = last is not None and (last.finished_at or "") >= (found.connected_at or "")
    problem = last.problem if last is not None and since_connecting else None
    if problem is not None and problem.code in _WAYS_OUT:
        return _WAYS_OUT[problem.code]
    if found.grants["failed"] or found.grants["held"]:
        return Command("grants", "--state", "failed", "--state", "held")
    if not found.badges or found.needs_person:
        return Command("sync")
    if not found.content:
        return Command("import", "content", "FILE")
    return Command("sync") if found.linked else Command("link", "BADGE", "CONTENT")


def _words(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 120:  # noqa: PLR2004
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // 1440} days"
