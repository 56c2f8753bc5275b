"""A question about Credly: how it is asked, what came of it, and what the program assumes until it is answered."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.contract_with_credly.account import Account


@dataclass(frozen=True)
class Answer:
    """What Credly answered, and whether the program assumes just that; ``None`` where it assumes nothing."""

    words: str
    as_assumed: bool | None = None


@dataclass(frozen=True)
class Question:
    """A question, what the program assumes, and how to ask."""

    words: str
    assumed: str
    ask: Callable[[Account], Answer]
