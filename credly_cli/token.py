"""The Credly token: where it comes from, where it is kept, when it ends, and an object that does not show it."""

import os
import re
import stat
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, NoReturn

from credly_cli.errors import Failure, Problem
from credly_cli.files import replace_private
from credly_cli.text import Command, Hint, counted
from credly_cli.times import from_utc_text

_COMMAND_SECONDS = 10
_PUT_THERE = Hint("Put it there, for its owner alone to read.")
_PUT_BACK = Hint(
    "Put it there, for its owner alone to read, or give the token with:", Command("connect", "--token-stdin")
)
_LONGEST = 8192  # bytes; no token is near that
_WARN_DAYS = 14
_LONG_IN_USE = 150  # days of the 180 that a token lives, where nobody tells when they end
NOT_TOLD = "When the token expires is not known, as Credly does not tell: tokens live 180 days"
_LIKE_TOKEN = re.compile(r"(?<![\w./@-])(?=[\w-]*\d)(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[\w-]{20,64}(?![\w./@-])", re.ASCII)
_SECRET = re.compile(r"CREDLY_\w*(TOKEN|SECRET|PASSWORD|KEY)")  # variables that hold one
Expiry = Literal["date", "never", "not-told"]
TokenKind = Literal["stored", "file", "environment", "command"]


class Token:
    """A token that shows itself as ``***`` and lets nobody store or pickle it by accident."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the token itself; only the Authorization header and the token file may have it."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is not stored")


@dataclass(frozen=True, slots=True)
class TokenSource:
    """Where the token is read from each time: a file, the environment or a command."""

    kind: TokenKind
    path: Path | None = None
    command: tuple[str, ...] = ()
    variable: str = "CREDLY_TOKEN"  # that holds it, of kind ``environment``
    client_id: str | None = None  # of the OAuth client whose secret it is

    @property
    def words(self) -> str:
        """The source as people and scripts read it."""
        if self.path:
            return str(self.path)
        return self.variable if self.kind == "environment" else "token_command"

    @property
    def renewal(self) -> str | None:
        """How a token that is refused is replaced where it lies; ``None`` for one that `connect` keeps."""
        if self.kind == "stored" or self.client_id is not None:
            return None
        here = (
            f"is read from {self.words}: put a new one there" if self.kind != "command" else "comes from token_command"
        )
        return f"It may have expired. It {here}; one is made in Credly under Developers > Authorization Tokens."


def without_tokens(text: str) -> str:
    """Strike out what looks like a token that somebody gave where none belongs; ids and names do not."""
    return _LIKE_TOKEN.sub("***", text)


def token_from(text: str, origin: str) -> Token:
    """Check what is said to be a token; raises ``Failure`` without repeating it."""
    text = text.strip()
    if not text:
        ways = "Give it with --token-stdin, --token-file FILE, CREDLY_TOKEN, or type it after:"
        hint = Hint(ways, Command("connect"))
        raise Failure("not-connected", f"There is no token in {origin}.", hint=hint)
    if not text.isascii() or not text.isprintable() or " " in text:
        raise Failure(
            "token-refused",
            f"What {origin} holds is not a token: it has spaces, line breaks or other characters that tokens lack.",
            hint="Copy it again in Credly under Developers > Authorization Tokens.",
        )
    return Token(text)


def read_token(source: TokenSource, environ_token: str | None) -> Token:
    """Read the token from its source; raises ``Failure`` when it is not there or open to others.

    ``environ_token`` is the value of the source's variable.
    """
    if source.path is not None:
        missing = Hint("Run:", Command("connect")) if source.kind == "stored" else _PUT_BACK
        return token_from(read_private_file(source.path, missing=missing), f"the token file {source.path}")
    if source.kind == "command":
        return token_from(_output_of(source.command), "the output of token_command")
    if environ_token is None:
        hint = Hint("Set it as before, or run:", Command("connect"))
        raise Failure("not-connected", f"{source.variable} is not set.", hint=hint)
    return token_from(environ_token, source.variable)


def read_private_file(path: Path, *, missing: Hint = _PUT_THERE) -> str:
    """Read a small file that only its owner may read; raises ``Failure``."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise Failure("not-connected", f"The token file {path} is not there.", hint=missing) from None
    except OSError as error:
        raise _unsafe(path, f"cannot be opened ({error.strerror}); it must be a plain file of your own") from None
    try:
        _require_private(path, os.fstat(descriptor))
        return os.read(descriptor, _LONGEST).decode("utf-8-sig", "replace")
    finally:
        os.close(descriptor)


def _require_private(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _unsafe(path, "is not a plain file")
    # systemd lets a service's user read a credential by an access list, which shows as 0440 in a folder of its own
    of_systemd = str(path.parent) == os.environ.get("CREDENTIALS_DIRECTORY") and status.st_uid == 0
    if status.st_mode & (0o037 if of_systemd else 0o077):
        raise _unsafe(path, "can be read or written by others", f"Run: chmod 600 {path}")
    if status.st_uid not in (os.geteuid(), 0):
        raise _unsafe(path, "belongs to somebody else")


def store_token(path: Path, token: Token) -> None:
    """Keep the token in a file of mode 0600 from birth, in place of what was there."""
    replace_private(path, f"{token.reveal()}\n")


def _output_of(command: tuple[str, ...]) -> str:
    if not command:
        raise Failure("not-connected", "token_command is not set any more.", hint=Hint("Run:", Command("connect")))
    others = {name: value for name, value in os.environ.items() if not _SECRET.fullmatch(name)}
    try:
        done = subprocess.run(  # noqa: S603 - the admin's own command, without a shell
            command,
            capture_output=True,
            timeout=_COMMAND_SECONDS,
            check=True,
            stdin=subprocess.DEVNULL,
            text=True,
            env=others,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
        raise Failure(
            "not-connected",
            f"token_command ({command[0]}) did not give a token: {_reason(error)}.",
            hint="Try the command by hand; it must print the token alone within 10 seconds.",
        ) from None
    return done.stdout


def _reason(error: Exception) -> str:
    match error:
        case OSError():
            return error.strerror or str(error)
        case subprocess.CalledProcessError():
            return f"it ended with {error.returncode}"
        case subprocess.TimeoutExpired():
            return f"it took longer than {error.timeout:g} seconds"
    return "what it printed is no text"


def _unsafe(path: Path, reason: str, hint: str = "Use a file of your own with mode 0600.") -> Failure:
    return Failure("token-refused", f"The token file {path} {reason}.", hint=hint)


@dataclass(frozen=True, slots=True)
class TokenLife:
    """When a token ends, as far as Credly tells, and since when it is in use; times are UTC text."""

    expiry: Expiry
    expires_at: str | None  # only of a ``date``
    since: str | None

    def warning(self, now: datetime) -> Problem | None:
        """Say that the token ends within 14 days, or may do so soon (R33); ``None`` before that."""
        if self.expiry == "date" and self.expires_at is not None:
            left = from_utc_text(self.expires_at) - now
            message = f"The token {_when(left)} ({self.expires_at[:10]})."
            return _expiring(message) if left <= timedelta(days=_WARN_DAYS) else None
        if self.expiry != "not-told" or self._days_in_use(now) < _LONG_IN_USE:
            return None
        return _expiring(self.untold_end(now))

    def untold_end(self, now: datetime) -> str:
        """Say that the end is not known, and for how long the token has been in use."""
        return f"{NOT_TOLD}, and this one has been in use for {counted(self._days_in_use(now), 'day')}."

    def _days_in_use(self, now: datetime) -> int:
        return (now - from_utc_text(self.since)).days if self.since else 0


def _expiring(message: str) -> Problem:
    return Problem("token-expiring", message, hint=Hint("Make a new one in Credly, then:", Command("connect")))


def _when(left: timedelta) -> str:
    if left <= timedelta():
        return "has expired"
    if left < timedelta(days=1):
        return "expires within a day"
    return f"expires in {left.days} day{'s' if left.days > 1 else ''}"
