"""Badges that Credly does not let us issue (403), told apart from a token that may issue none (R33)."""

from dataclasses import dataclass, field

from credly_cli.credly.client import Answer
from credly_cli.errors import Failure, Problem
from credly_cli.store import badges, claims, links
from credly_cli.store.database import Store
from credly_cli.store.grants import Grant
from credly_cli.text import Hint

_PERMITTING = ("issued", "refused", "rejected", "unpaid", "conflict")  # answers of one that lets us issue the badge
_ENOUGH = 5  # so many badges refused and none issued: the others need not be tried


@dataclass(slots=True)
class Permissions:
    """What a run has learned of which badges may be issued; those that may not are held back for the rest of it."""

    store: Store
    refused: dict[str, Answer] = field(default_factory=dict)  # by the badge's id, with the first answer
    allowed: set[str] = field(default_factory=set)
    read_only: bool = False  # Credly lists the token as one that may only read

    def note(self, grant: Grant, answer: Answer) -> None:
        """Take what an answer says of the badge."""
        if answer.kind == "forbidden":
            self.refused.setdefault(grant.badge_id, answer)
        elif answer.kind in _PERMITTING:
            self.allowed.add(grant.badge_id)

    @property
    def is_tokens(self) -> bool:
        """Whether it is the token that lacks the right: it may only read, or each badge that was tried was refused."""
        if not self.refused or self.allowed:
            return False
        return self.read_only or not claims.have_issued_other(self.store, self.refused)

    @property
    def is_enough(self) -> bool:
        """Whether so many badges were refused, and none issued, that the others need not be tried."""
        return len(self.refused) >= _ENOUGH and self.is_tokens

    def failure(self) -> Failure | None:
        """Say what a refusal means where it concerns the token, ``None`` where it does not."""
        first = next(iter(self.refused.values()), None)
        return first.failure if first is not None and self.is_tokens else None

    def problems(self) -> list[Problem]:
        """Name each badge that may not be issued."""
        return [self._problem(badge_id, answer) for badge_id, answer in self.refused.items()]

    def remember(self, *, whole: bool) -> None:
        """Note with the links which badges may not be issued; after a ``whole`` run also that others may.

        A token that may issue none says nothing of a badge.
        """
        if self.is_tokens:
            return
        others = {link.badge_id for link in links.active(self.store)} if whole else self.allowed
        with self.store.transaction():
            links.set_forbidden(self.store, self.refused.keys(), forbidden=True)
            links.set_forbidden(self.store, others - self.refused.keys(), forbidden=False)

    def _problem(self, badge_id: str, answer: Answer) -> Problem:
        badge = badges.in_brief(self.store, badge_id)
        message = f"Credly does not let us issue {badge.name if badge else badge_id}: {answer.detail}."
        return Problem("credly-refused", message, badge_id=badge_id, hint=_HINT)


_HINT = Hint.of("In Credly, see who may issue this badge. What is planned for it waits, and each sync tries again.")
