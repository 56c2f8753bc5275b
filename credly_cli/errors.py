"""What can go wrong: a stable code for scripts, one sentence for a person, and the exit code that it leads to."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, unique
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias, get_args

from credly_cli.text import Hint

# The codes of failures, by the exit code that they lead to
_Unexpected = Literal["unexpected"]
_Usage = Literal["usage"]
_Partial = Literal[
    "import-rejected", "shrink-refused", "brake", "link-ended", "cover-lost", "completion-denied", "grant-held",
    "grant-failed", "lms-file-refused", "lms-file-missing", "lms-stale", "credly-refused", "token-expiring",
]  # fmt: skip
_NotConnected = Literal["not-connected", "token-refused", "token-forbidden", "lms-token-refused"]
_NotFound = Literal[
    "unknown-badge", "unknown-content", "unknown-learner", "unknown-grant", "ambiguous-badge", "ambiguous-content",
    "organization-ambiguous", "ambiguous-learner",
]  # fmt: skip
_Forbidden = Literal[
    "integration-disabled", "organization-mismatch", "badge-already-linked", "badge-not-linked", "badge-not-active",
    "not-enrolled", "already-earned", "missing-name", "not-completed", "grant-settled", "file-exists", "declined",
]  # fmt: skip
_Store = Literal["store-unusable", "store-newer", "not-writable"]
_TryLater = Literal["locked", "store-settling", "rate-limited", "unreachable", "server-error"]
_Config = Literal["config-invalid"]
_Interrupted = Literal["interrupted"]
ErrorCode: TypeAlias = Literal[
    _Unexpected, _Usage, _Partial, _NotConnected, _NotFound, _Forbidden, _Store, _TryLater, _Config, _Interrupted,
]  # fmt: skip


@unique
class Exit(IntEnum):
    """The exit codes, each with one meaning."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    PARTIAL = 3
    NOT_CONNECTED = 4
    NOT_FOUND = 5
    FORBIDDEN = 6
    STORE = 74
    TRY_LATER = 75
    CONFIG = 78
    INTERRUPTED = 130


_CODES_OF = {
    Exit.UNEXPECTED: _Unexpected,
    Exit.USAGE: _Usage,
    Exit.PARTIAL: _Partial,
    Exit.NOT_CONNECTED: _NotConnected,
    Exit.NOT_FOUND: _NotFound,
    Exit.FORBIDDEN: _Forbidden,
    Exit.STORE: _Store,
    Exit.TRY_LATER: _TryLater,
    Exit.CONFIG: _Config,
    Exit.INTERRUPTED: _Interrupted,
}
EXIT_OF: dict[ErrorCode, Exit] = {code: exit_code for exit_code, codes in _CODES_OF.items() for code in get_args(codes)}


_WORST_FIRST = (
    Exit.INTERRUPTED, Exit.STORE, Exit.CONFIG, Exit.NOT_CONNECTED, Exit.FORBIDDEN, Exit.NOT_FOUND, Exit.TRY_LATER,
    Exit.PARTIAL, Exit.USAGE, Exit.UNEXPECTED, Exit.DONE,
)  # fmt: skip
_OF_THE_WHOLE = (Exit.INTERRUPTED, Exit.STORE, Exit.CONFIG, Exit.NOT_CONNECTED, Exit.TRY_LATER)


def worst(codes: Iterable[Exit]) -> Exit:
    """Return the worst of several exit codes, ``DONE`` of none."""
    return min(codes, key=_WORST_FIRST.index, default=Exit.DONE)


def exit_of_work(codes: Iterable[Exit], *, uncertain: bool, dry_run: bool) -> Exit:
    """Return the exit code of work on many things, from those of what went wrong.

    What concerned one thing alone needs a person, whatever it was (3). Grants that are merely uncertain count least.
    A dry run whose plan could be made is done, whatever is in the plan.
    """
    code = worst(code if code in _OF_THE_WHOLE else Exit.PARTIAL for code in codes)
    if code not in (Exit.DONE, Exit.PARTIAL):
        return code
    if dry_run:
        return Exit.DONE
    return Exit.TRY_LATER if code is Exit.DONE and uncertain else code


class Failure(Exception):  # noqa: N818 - an expected failure is an answer to the user, not an error of the program
    """An expected failure: a stable code, one sentence for a person, and what to do next."""

    JSON: ClassVar = ("code", "message", "hint")

    def __init__(self, code: ErrorCode, message: str, *, hint: Hint | str | None = None) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message
        self.hint = Hint.of(hint) if hint else None

    @property
    def exit_code(self) -> Exit:
        """The process's exit code for this failure."""
        return EXIT_OF[self.code]


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong with one thing while the work went on; ``email``, ids and ``hint`` where they are known."""

    code: ErrorCode
    message: str
    email: str | None = None
    badge_id: str | None = None
    grant_id: int | None = None
    hint: Hint | None = None

    @classmethod
    def of(cls, failure: Failure) -> "Problem":
        """Take a failure for a problem of work that goes on."""
        return cls(failure.code, failure.message, hint=failure.hint)

    @property
    def sentence(self) -> Hint:
        """What went wrong and the way out, in one."""
        return Hint(self.message, *(self.hint.parts if self.hint else ()))

    @property
    def exit_code(self) -> Exit:
        """The exit code that this problem leads to."""
        return EXIT_OF[self.code]


def invalid_configuration(
    message: str, hint: Hint | str = "sample_config.toml shows every key with its default."
) -> Failure:
    """Say what is wrong in the configuration."""
    return Failure("config-invalid", message, hint=hint)


def unwritable(option: str, path: Path, error: OSError) -> Failure:
    """Say that a file of the user's choice cannot be written."""
    reason = error.strerror or str(error)
    return Failure(
        "not-writable", f"{path} cannot be written: {reason}.", hint=f"Name a file that can be written with {option}."
    )
