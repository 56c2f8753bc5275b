"""How the names of two people compare (R25): as words in any order, without case and accents."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, TypeAlias

Agreement: TypeAlias = Literal["both", "one", "none", "unknown"]
"""Whether first and last name agree, one of them, neither; unknown where one side has no name."""

_WORD = re.compile(r"\w+")
_WITHIN_WORDS = re.compile("['`.\u2019\u02bc\u00b4]")  # apostrophes: O'Hara is OHara, J.R. is JR
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th"})
_FULL_NAME = 2  # words


@lru_cache(maxsize=20_000)
def words(name: str) -> frozenset[str]:
    """Return the words of a name as they are compared."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_LETTERS)
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return frozenset(_WORD.findall(_WITHIN_WORDS.sub("", letters)))


def agreement(one: tuple[str, str], other: tuple[str, str]) -> Agreement:
    """Compare two people's first and last names, '' where not known."""
    (first, last), (other_first, other_last) = map(words, one), map(words, other)
    all_words, all_other = first | last, other_first | other_last
    if not all_words or not all_other:
        return "unknown"
    fewer, more = sorted((all_words, all_other), key=len)
    if fewer == more or (len(fewer) >= _FULL_NAME and fewer <= more):
        return "both"
    if any(_is_among(part, all_other) for part in (first, last)):
        return "one"
    return "one" if any(_is_among(part, all_words) for part in (other_first, other_last)) else "none"


def _is_among(part: frozenset[str], name: frozenset[str]) -> bool:
    """Tell whether a first or a last name is among the words of a name; an initial says nothing."""
    return bool(part) and part <= name and any(len(word) > 1 or not word.isascii() for word in part)


def best_of(agreements: Iterable[Agreement]) -> Agreement:
    """Return the agreement that says most for one person."""
    found = set(agreements)
    for agreed in ("both", "one", "none"):
        if agreed in found:
            return agreed
    return "unknown"
