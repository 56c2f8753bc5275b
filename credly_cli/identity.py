"""Who a learner is: how addresses are matched, and what Credly is told to recognise learner and grant by."""

import hashlib
import re
import unicodedata
from base64 import b32encode

_PLAIN = re.compile(r"[A-Za-z0-9._-]+")  # what a filter of Credly's carries without its own syntax getting in the way
_LONGEST = 64
_MARK_BYTES = 10  # 16 characters


def email_key(email: str) -> str:
    """Bring an address into the form in which addresses are compared, without regard to case (R25)."""
    if email.isascii():  # nearly all; a file may hold a million
        return email.strip().lower()
    return unicodedata.normalize("NFC", email.strip()).casefold()


def earner_id(learner_id: str | None, email: str, mark_of: str | None = None) -> str:
    """Return the ``issuer_earner_id``: the LMS's id of the learner, or a stable hash of the email (R17).

    ``mark_of`` is what makes a grant unique, where the badge allows duplicates; its hash is added as the grant's mark.
    """
    mark = f"~{_hash(mark_of)}" if mark_of is not None else ""
    if learner_id and _PLAIN.fullmatch(learner_id) and len(learner_id) + len(mark) <= _LONGEST:
        return learner_id + mark
    return _hash(f"learner {learner_id}" if learner_id else f"email {email_key(email)}") + mark


def _hash(text: str) -> str:
    return b32encode(hashlib.sha256(text.encode()).digest()[:_MARK_BYTES]).decode().lower()
