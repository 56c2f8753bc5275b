"""When the token ends, said early enough to make a new one; read without a network by `status` too."""

from datetime import datetime, timedelta

from credly_cli.text import Command, Hint
from credly_cli.times import from_utc_text

WARN_DAYS = 14


def token_warning(expires_at: str | None, now: datetime) -> Hint | None:
    """Return a warning when a token expires within 14 days, ``None`` before that or where its end is not known."""
    if expires_at is None:
        return None
    left = from_utc_text(expires_at) - now
    if left > timedelta(days=WARN_DAYS):
        return None
    told = f"The token {_when(left)} ({expires_at[:10]}). Make a new one in Credly, then:"
    return Hint(told, Command("connect"))


def _when(left: timedelta) -> str:
    if left <= timedelta():
        return "has expired"
    if left < timedelta(days=1):
        return "expires within a day"
    return f"expires in {left.days} day{'s' if left.days > 1 else ''}"
