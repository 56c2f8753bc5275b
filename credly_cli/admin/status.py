"""What `status` says of where things stand: whether a person is needed (R33), and what to do next."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from credly_cli.errors import Failure
from credly_cli.store.overview import Overview
from credly_cli.text import Command, Hint, counted
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


def call_for(found: Overview, oldest: timedelta, now: datetime, warning: Hint | None) -> Hint | None:
    """Say why a monitor should call somebody, with the way out, ``None`` where nobody is needed (R33).

    The last good sync is older, a person is needed, or there is a ``warning`` of the token's end.
    """
    if found.needs_person:
        is_said = warning is not None and {each.code for each in found.waiting_for_person} == {"token-expiring"}
        return warning if is_said else _waiting(found)
    if found.last_good_sync is None:
        return Hint("No sync has ended well yet. Next:", _next_command(found) or Command("sync"))
    age = now - from_utc_text(found.last_good_sync)
    if age <= oldest:
        return warning
    return Hint(f"The last good sync ended {_words(age)} ago. Next:", _next_command(found) or Command("sync"))


def _waiting(found: Overview) -> Hint:
    """Show the first that waits for a person with its way out, and which command lists the others."""
    message = f"{counted(found.needs_person, 'thing waits', 'things wait')} for a person."
    first = found.waiting_for_person[0]
    parts = Hint.of(first.hint).parts if first.hint else ()
    more = () if len(found.waiting_for_person) == 1 else (_and_more(parts), Command("status"))
    return Hint(f"{message} {first.message}", *parts, *more)


def _and_more(parts: Sequence[str | Command]) -> str:
    return f"{'.' if parts and isinstance(parts[-1], Command) else ''} To see all that waits:".lstrip()


_WAYS_OUT = {
    "token-refused": Command("connect"),
    "token-forbidden": Command("connect"),
    "lms-token-refused": Command("doctor"),
    "shrink-refused": Command("sync", "--allow-shrink"),
}


def next_step(found: Overview, configuration: Path, *, enabled: bool) -> Hint | None:
    """Return what to do next, by where things stand; ``None`` where nothing is next."""
    if not enabled:
        return Hint(f"Next: set enabled = true in {configuration}")
    command = _next_command(found)
    return Hint("Next:", command) if command else None


def set_up_step(found: Overview) -> Command | None:
    """Return what is still to be done before a sync can issue anything."""
    if not found.connected:
        return Command("connect")
    if not found.badges:
        return Command("sync")
    if not found.content:
        return Command("import", "content", "FILE")
    return None if found.linked else Command("link", "BADGE", "CONTENT")


def _next_command(found: Overview) -> Command | None:
    if not found.connected:
        return Command("connect")
    last = found.last_sync
    since_connecting = last is not None and (last.finished_at or "") >= (found.connected_at or "")
    problem = last.problem if last is not None and since_connecting else None
    if problem is not None and problem.code in _WAYS_OUT:
        return _WAYS_OUT[problem.code]
    if found.grants["failed"] or found.grants["held"]:
        return Command("grants", "--state", "failed", "--state", "held")
    if found.needs_person:
        return None  # each thing that waits is told with its way out
    return set_up_step(found) or (None if since_connecting else Command("sync"))


def _words(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 120:  # noqa: PLR2004
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // 1440} days"
