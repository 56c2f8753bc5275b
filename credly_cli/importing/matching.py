"""Whom the records of an import mean (R25), decided over all records of a file at once."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

Decision: TypeAlias = Literal["same", "new"]


class IdOptions(NamedTuple):
    """What is said of the ids of a file, beside the file.

    ``source`` names the numbering that they are of, '' the common one. ``decisions`` tell of single ids whether they
    are of the person who is known by them, or were given to somebody else. ``of_api`` is for rows of an API, which
    knows its people. ``configured`` is for a file of the configuration, for reasons that name the way on.
    """

    source: str = ""
    decisions: Mapping[str, Decision] = MappingProxyType({})
    of_api: bool = False
    configured: bool = False


THE_COMMON = IdOptions()


class Readdressed(NamedTuple):
    """Who was believed to be somebody known: the id as told, and the address before and now."""

    learner_id: str | None
    before: str
    now: str
