"""What can go wrong, as a stable code for scripts and one sentence for a person (design, section 4)."""

import errno
from enum import IntEnum, unique
from pathlib import Path
from typing import Literal

ErrorCode = Literal[
    "unexpected", "usage", "import-rejected", "shrink-refused",
    "not-connected", "token-refused", "token-forbidden", "lms-token-refused",
    "unknown-badge", "unknown-content", "unknown-learner", "unknown-grant",
    "ambiguous-badge", "ambiguous-content", "organization-ambiguous",
    "integration-disabled", "organization-mismatch", "badge-already-linked", "badge-not-linked", "badge-not-active",
    "not-enrolled", "already-earned", "missing-name", "grant-settled",
    "store-unusable", "store-newer",
    "locked", "rate-limited", "unreachable", "server-error",
    "config-invalid", "interrupted",
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


EXIT_OF: dict[ErrorCode, Exit] = {
    "unexpected": Exit.UNEXPECTED,
    "usage": Exit.USAGE,
    "import-rejected": Exit.PARTIAL,
    "shrink-refused": Exit.PARTIAL,
    "not-connected": Exit.NOT_CONNECTED,
    "token-refused": Exit.NOT_CONNECTED,
    "token-forbidden": Exit.NOT_CONNECTED,
    "lms-token-refused": Exit.NOT_CONNECTED,
    "unknown-badge": Exit.NOT_FOUND,
    "unknown-content": Exit.NOT_FOUND,
    "unknown-learner": Exit.NOT_FOUND,
    "unknown-grant": Exit.NOT_FOUND,
    "ambiguous-badge": Exit.NOT_FOUND,
    "ambiguous-content": Exit.NOT_FOUND,
    "organization-ambiguous": Exit.NOT_FOUND,
    "integration-disabled": Exit.FORBIDDEN,
    "organization-mismatch": Exit.FORBIDDEN,
    "badge-already-linked": Exit.FORBIDDEN,
    "badge-not-linked": Exit.FORBIDDEN,
    "badge-not-active": Exit.FORBIDDEN,
    "not-enrolled": Exit.FORBIDDEN,
    "already-earned": Exit.FORBIDDEN,
    "missing-name": Exit.FORBIDDEN,
    "grant-settled": Exit.FORBIDDEN,
    "store-unusable": Exit.STORE,
    "store-newer": Exit.STORE,
    "locked": Exit.TRY_LATER,
    "rate-limited": Exit.TRY_LATER,
    "unreachable": Exit.TRY_LATER,
    "server-error": Exit.TRY_LATER,
    "config-invalid": Exit.CONFIG,
    "interrupted": Exit.INTERRUPTED,
}


class Failure(Exception):  # noqa: N818 - an expected failure is an answer to the user, not an error of the program
    """An expected failure: a stable code, one sentence for a person, and what to do next."""

    def __init__(self, code: ErrorCode, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message
        self.hint = hint

    @property
    def exit_code(self) -> Exit:
        """The process's exit code for this failure."""
        return EXIT_OF[self.code]

    def json(self) -> dict[str, str | None]:
        """Return the failure as scripts read it."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


def unwritable(option: str, path: Path, error: OSError) -> Failure:
    """Say that a file of the user's choice cannot be written: that is wrong usage, unless the disk is full."""
    code: ErrorCode = "store-unusable" if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO) else "usage"
    reason = error.strerror or str(error)
    return Failure(code, f"{path} cannot be written: {reason}.", hint=f"Name a file that can be written with {option}.")
