"""The names of people as cells have them: without what systems write for none, split where they are in one cell."""

import re
import unicodedata
from functools import lru_cache
from typing import TypeAlias

from credly_cli.lms.dates import NO_VALUES

Names: TypeAlias = tuple[str | None, str | None]

_MAYBE_NAMES = frozenset({"na", "null", "none", "unknown", "never"})  # people are called so: none only where both are
_NO_NAMES = NO_VALUES - _MAYBE_NAMES
_BRACKETS = re.compile(r"\s*(?:\([^()]*\)|\[[^\[\]]*\])")
_TITLES = frozenset({
    "jr", "sr", "ii", "iii", "iv", "rn", "lpn", "np", "bsn", "msn", "dnp", "aprn", "md", "do", "dds", "dmd", "dvm",
    "pa", "pac", "pt", "dpt", "ot", "otr", "emt", "phd", "dphil", "edd", "psyd", "pharmd", "jd", "llm", "llb", "esq",
    "cpa", "cfa", "cfp", "cma", "cissp", "pmp", "phr", "sphr", "pe", "mba", "mph", "ma", "msc", "ms", "bsc", "ba",
    "bs", "ben", "beng", "meng", "med", "mfa", "mpa", "mpp", "msw", "lcsw", "lmft", "mse", "rd", "crna", "facp",
    "faan", "cae", "obe", "mbe", "cbe", "kc", "qc", "dipling", "mag", "mbbs", "frcp", "ret",
})  # fmt: skip
_IN_FRONT = frozenset({"dr", "prof", "mr", "mrs", "ms", "mx", "herr", "frau", "professor", "doctor"})
_NEVER_NAMES = frozenset({"jr", "sr"})
_ALSO_NAMES = frozenset({"ma", "do", "ba", "pa", "ben", "ot", "pe", "mag", "ret"})  # JACK LEE MA may be called so
# Letters of UTF-8 that somebody has read in another encoding, as in JosÃ©, or that were lost.
_GARBLED = re.compile("\ufffd|[ÃÂÅÄ][\x80-\xbf\u0152-\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]|â€")
_SIGNS = re.compile(r"[\d#@<>{}|\\]")
# Where the family name comes first and nothing says where it ends: ideographs, kana, hangul.
_FAMILY_FIRST = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")


def clean(text: str) -> str:
    """Return a name with spaces for line breaks and control characters, and without what is not seen."""
    if text.isascii() and text.isprintable():
        return text.strip()
    spaced = "".join(
        " " if unicodedata.category(letter) in ("Cc", "Zl", "Zp", "Zs") else letter
        for letter in text
        if unicodedata.category(letter) != "Cf" or letter in "\u200c\u200d"  # which join letters in Persian, say
    )
    return " ".join(spaced.split())


@lru_cache(maxsize=8192)  # an export repeats its people
def real_names(first: str, last: str) -> Names:
    """Return a first and a last name of two cells, ``None`` where a cell has none."""
    first, last = clean(first), clean(last)
    lower = first.lower(), last.lower()
    if all(not name or name in _MAYBE_NAMES or name in _NO_NAMES for name in lower):
        return None, None
    return (
        None if lower[0] in _NO_NAMES or _GARBLED.search(first) else first or None,
        None if lower[1] in _NO_NAMES or _GARBLED.search(last) else last or None,
    )


def split_name(text: str) -> Names:
    """Split a full name: at the comma of "Last, First", else at the last space; ``None`` for what is not known.

    Titles and degrees are no names after a comma, or where two names are left and they stand in capitals or with dots;
    what stands in brackets is none. Where it cannot be known which part is which, all of it is the last name.
    """
    full = clean(text)
    plain = clean(_BRACKETS.sub(" ", full)).strip(" ,;")
    if "@" in plain or _GARBLED.search(plain) or plain.lower() in _NO_NAMES | _MAYBE_NAMES:
        return None, None
    if not any(map(str.isalpha, plain)):
        return None, None
    if _SIGNS.search(plain) or _FAMILY_FIRST.search(plain):
        return None, plain
    parts = [part.strip() for part in plain.split(",") if part.strip()]
    while len(parts) > 1 and all(_key(word) in _TITLES for word in parts[-1].split()):
        parts.pop()
    if len(parts) == 1:
        return _split_at_space(parts[0].split())
    if len(parts) != 2:  # noqa: PLR2004 - a third part that is no title is nobody knows what
        return None, plain or None
    return real_names(" ".join(_untitled(parts[1].split(), 1)), " ".join(_untitled(parts[0].split(), 1)))


def _split_at_space(words: list[str]) -> Names:
    full = " ".join(words)
    if len(words) > 2 and full.isupper() and words[-1].lower() in _ALSO_NAMES:  # noqa: PLR2004
        return None, full
    words = _untitled(words, 2)
    if len(words) < 2:  # noqa: PLR2004
        return full or None, None
    return real_names(" ".join(words[:-1]), words[-1])


def _untitled(words: list[str], left: int) -> list[str]:
    """Take titles off a name, as long as ``left`` words are left."""
    while len(words) > left and _is_title(words[-1]):
        words = words[:-1]
    while len(words) > left and (_key(words[0]) in _IN_FRONT):
        words = words[1:]
    return words


def _is_title(word: str) -> bool:
    key = _key(word)
    if key not in _TITLES:
        return False
    if key in _NEVER_NAMES or "." in word:
        return True
    return word != word.capitalize() and word != word.lower()


def _key(word: str) -> str:
    return word.replace(".", "").replace("-", "").lower()
