"""Counting what rows brought about."""

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Counts:
    """How many rows were read, and what became of them."""

    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0

    def count(self, *, added: bool, changed: bool) -> None:
        """Count one row."""
        if added:
            self.added += 1
        elif changed:
            self.changed += 1
        else:
            self.unchanged += 1

    def __iadd__(self, other: "Counts") -> "Counts":
        for name, number in asdict(other).items():
            setattr(self, name, getattr(self, name) + number)
        return self

    def json(self) -> dict[str, int]:
        """Return the counts as scripts read them."""
        return asdict(self)
