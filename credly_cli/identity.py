"""Who a learner is: how addresses and names are matched, and what Credly is told to recognise learner and grant by."""

import hashlib
import re
import unicodedata
from base64 import b32encode
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, TypeAlias

_PLAIN = re.compile(r"[A-Za-z0-9._-]+")  # what a filter of Credly's carries without its own syntax getting in the way
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LONGEST = 64
_MARK_BYTES = 10
_MARK_LENGTH = 16  # characters that these are


def email_key(email: str) -> str:
    """Bring an address into the form in which addresses are compared, without regard to case (R25)."""
    if email.isascii():  # nearly all; a file may hold a million
        return email.strip().lower()
    return unicodedata.normalize("NFC", email.strip()).casefold()


def sha1_of(email: str) -> str:
    """Return the ``mbox_sha1sum`` of an address, as the standard of xAPI makes it."""
    return hashlib.sha1(f"mailto:{email}".encode(), usedforsecurity=False).hexdigest()


def is_main_sublicense(name: str, panorama: str | None) -> bool:
    """Tell by its name the sublicense that has all that its panorama has (R29)."""
    return name.strip().casefold() in ("main", f"{panorama} main".casefold())


def sourced_id(source: str, learner_id: str) -> str:
    """Return an id with the numbering that it is of, '' the common one, as one text; such a one is hashed (R17)."""
    return f"{source}\x1f{learner_id}" if source else learner_id


def earner_id(learner_id: str | None, email: str, mark_of: str | None = None) -> str:
    """Return the ``issuer_earner_id``: the LMS's id of the learner, or a stable hash of the email (R17).

    ``mark_of`` is what makes a grant unique, where the badge allows duplicates; its hash is added as the grant's mark.
    """
    if mark_of is None:
        return _name(learner_id, email, _LONGEST)
    return f"{marked_name(learner_id, email)}~{_hash(mark_of)}"


def marked_name(learner_id: str | None, email: str) -> str:
    """Return what stands before the mark of a grant: an id that leaves no room for a mark is hashed."""
    return _name(learner_id, email, _LONGEST - 1 - _MARK_LENGTH)


def _name(learner_id: str | None, email: str, longest: int) -> str:
    if learner_id and len(learner_id) <= longest and _PLAIN.fullmatch(learner_id):
        return learner_id
    return _hash(f"learner {learner_id}" if learner_id else f"email {email_key(email)}")


def _hash(text: str) -> str:
    return b32encode(hashlib.sha256(text.encode()).digest()[:_MARK_BYTES]).decode().lower()


def missing_names(first_name: str | None, last_name: str | None) -> list[str]:
    """Return which of both names are not known; without both nothing is sent (R21)."""
    return [word for word, name in (("first name", first_name), ("last name", last_name)) if not name]


def full_name(first_name: str | None, last_name: str | None) -> str:
    """Return both names as one, as far as they are known."""
    return " ".join(filter(None, (first_name, last_name)))


def holds_address(name: str) -> bool:
    """Tell whether an email address stands in place of a name, or beside it: that is nobody's name."""
    return "@" in name and bool(_ADDRESS.search(name))


# How the names of two people compare: as words in any order, without case and accents

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
