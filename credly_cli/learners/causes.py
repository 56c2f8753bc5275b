"""What decided: of the rules that were checked, the one that tells the cause in a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Decision = Literal["earned", "on-its-way", "would-grant", "not-granted", "needs-person"]


@dataclass(frozen=True, slots=True)
class Check:
    """A rule that was checked, with its facts."""

    code: str
    ok: bool
    message: str


# Which check tells the cause of a decision, the most telling first, and whether it passed.
_CAUSES: dict[Decision, tuple[tuple[str, bool | None], ...]] = {
    "earned": (("earned", True),),
    "on-its-way": (("grant", None),),
    "would-grant": (("grant", True), ("counts", True)),
    "needs-person": (("brake", False), ("grant", False), ("names", False)),
    "not-granted": (
        ("dropped", False), ("revoked", False), ("deleted", False), ("badge-active", False), ("linked", False),
        ("counts", False), ("enrolled", False), ("completed", False), ("grant", False), ("connected", False),
    ),
}  # fmt: skip


def cause(decision: Decision, checked: Sequence[Check]) -> str:
    """Say in one sentence why it stands so with a badge: what the check says that decided."""
    for code, ok in _CAUSES[decision]:
        found = [check for check in checked if check.code == code and ok in (None, check.ok)]
        if found:
            return _first_sentence(found[-1].message)
    return _first_sentence(checked[-1].message) if checked else "Nothing is known."


def _first_sentence(message: str) -> str:
    head, stop, _ = message.partition(". ")
    return head + (stop.strip() if stop else "")
