"""The values of single cells, and of the cells that say whom a row is about: addresses, names, percentages."""

import re
import unicodedata
from functools import lru_cache
from html import unescape
from operator import itemgetter
from typing import TypeAlias

from credly_cli.identity import holds_address
from credly_cli.lms.column_names import BESIDE_SURNAME, OTHER_NAME
from credly_cli.lms.columns import ABSENT, Columns, key_of
from credly_cli.lms.dates import NO_VALUES, is_no_value, says_nothing
from credly_cli.lms.records import Cells, RejectedError, Understood

Names: TypeAlias = tuple[str | None, str | None]

# People are called so: none only where both are.
_MAYBE_NAMES = frozenset({"na", "null", "none", "unknown", "never", "nan", "nat"})
_NO_NAMES = NO_VALUES - _MAYBE_NAMES
_BRACKETS = re.compile(r"\s*(?:\([^()]*\)|\[[^\[\]]*\])")
_TITLES = frozenset({
    "jr", "sr", "ii", "iii", "iv", "rn", "lpn", "np", "bsn", "msn", "dnp", "aprn", "md", "do", "dds", "dmd", "dvm",
    "pa", "pac", "pt", "dpt", "ot", "otr", "emt", "phd", "dphil", "edd", "psyd", "pharmd", "jd", "llm", "llb", "esq",
    "cpa", "cfa", "cfp", "cma", "cissp", "pmp", "phr", "sphr", "pe", "mba", "mph", "ma", "msc", "ms", "bsc", "ba",
    "bs", "ben", "beng", "meng", "med", "mfa", "mpa", "mpp", "msw", "lcsw", "lmft", "mse", "rd", "crna", "facp",
    "faan", "cae", "obe", "mbe", "cbe", "kc", "qc", "dipling", "mag", "mbbs", "frcp", "ret",
    "ccrn", "cnm", "cns", "cna", "lvn", "fnp", "fnpc", "fnpbc", "crnp", "cnp", "agnp", "rdn", "rph", "bcps", "otrl",
    "cota", "pta", "atc", "cccslp", "slp", "rrt", "bcba", "lmsw", "lmhc", "lpc", "lpcc", "lcpc", "ncc", "mha", "mhs",
    "mls", "mlis", "mdiv", "dmin", "dba", "shrmcp", "shrmscp", "cpc", "fache", "cism", "cisa", "ccna", "ccnp", "csm",
    "acca", "aca", "cia", "cfe", "aia", "leed", "fcca",
})  # fmt: skip
_IN_FRONT = frozenset({
    "dr", "prof", "mr", "mrs", "ms", "mx", "herr", "frau", "professor", "doctor", "mme", "mlle", "mudr", "judr", "phdr",
    "rndr",
})  # fmt: skip
_IN_FRONT_WITH_DOT = frozenset(
    {"rev", "sra", "srta", "dott", "dottssa", "ing", "dipling", "mgr"}
)  # Ing-Marie is a name
_UNSPOKEN = dict.fromkeys(map(ord, ".-\u2122\u00ae"))  # of titles, as in Dipl.-Ing. and PMP®
_NEVER_NAMES = frozenset({"jr", "sr"})
_ALSO_NAMES = frozenset({"ma", "do", "ba", "pa", "ben", "ot", "pe", "mag", "ret"})  # JACK LEE MA may be called so
# Letters of UTF-8 that somebody has read in another encoding, as in JosÃ©, or that were lost.
_GARBLED = re.compile("\ufffd|[ÃÂÅÄ][\x80-\xbf\u0152-\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]|â€")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z]\w{1,30});", re.ASCII)
_FORMULA_TEXT = re.compile(r'="(.*)"', re.DOTALL)
_SIGNS = re.compile(r"[\d#@<>{}|\\]")
# Where the family name comes first and nothing says where it ends: ideographs, kana, hangul.
_FAMILY_FIRST = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")


def clean(text: str) -> str:
    """Return a name with spaces for line breaks and control characters, and without what is not seen.

    What spreadsheets and web pages write around or in place of it (``="Ada"``, ``O&#39;Neil``) is undone.
    """
    if text.isalnum() and text.isascii():  # nearly all; a file may hold a million
        return text
    if '="' in text and (formula := _FORMULA_TEXT.fullmatch(text.strip())):
        text = formula[1]
    if "&" in text:
        text = _ENTITY.sub(lambda entity: unescape(entity[0]), text)
    if text.isascii() and text.isprintable():
        return text.strip()
    spaced = "".join(
        " " if unicodedata.category(letter) in ("Cc", "Zl", "Zp", "Zs") else letter
        for letter in text
        if unicodedata.category(letter) != "Cf" or letter in "\u200c\u200d"  # which join letters in Persian, say
    )
    return " ".join(spaced.split())


def real_names(first: str, last: str) -> Names:
    """Return a first and a last name of two cells; a placeholder is no name, and an address is none (R21)."""
    one, other = _real_name(first), _real_name(last)
    if (one is None or one.lower() in _MAYBE_NAMES) and (other is None or other.lower() in _MAYBE_NAMES):
        return None, None
    return one, other


@lru_cache(maxsize=8192)  # an export repeats its names
def _real_name(text: str) -> str | None:
    name = clean(text)
    if (
        not (name.isalnum() or any(map(str.isalnum, name)))
        or holds_address(name)
        or name.lower() in _NO_NAMES
        or (not name.isascii() and _GARBLED.search(name))
    ):
        return None  # a badge is public, and an address is nobody's name
    return name


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
    if len(parts) != 2 or _may_be_a_title(*parts):  # noqa: PLR2004 - a third part is nobody knows what
        return None, plain or None
    return real_names(" ".join(_untitled(parts[1].split(), 1)), " ".join(_untitled(parts[0].split(), 1)))


def _may_be_a_title(name: str, after: str) -> bool:
    """Tell whether capitals after the comma of a name of several words may be a title that is not known."""
    return " " in name and not name.isupper() and " " not in after and after.isupper()


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
    while len(words) > left and _is_in_front(words[0]):
        words = words[1:]
    return words


def _is_in_front(word: str) -> bool:
    key = _key(word)
    return key in _IN_FRONT or (key in _IN_FRONT_WITH_DOT and "." in word)


def _is_title(word: str) -> bool:
    key = _key(word)
    if key not in _TITLES:
        return False
    if key in _NEVER_NAMES or "." in word:
        return True
    return word != word.capitalize() and word != word.lower()


def _key(word: str) -> str:
    return word.translate(_UNSPOKEN).lower()


# Needs no second look: nothing around it, and a domain of at least two labels.
plain_email = re.compile(
    r"[\w!$%&*+/=?^{}~.-][\w!$%&'*+/=?^`{}~.-]*@(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+", re.ASCII
).fullmatch
_DISPLAYED = re.compile(r"[^<>]*<([^<>]*)>[\s;,]*")
_CLAIM = re.compile(r"[a-z]:0[^|@]*\|(?:[^|@]*\|)?([^|]+@[^|]+)", re.IGNORECASE)  # of SharePoint, around a login
_SCHEME = re.compile("(?:mailto|smtp):", re.IGNORECASE)
_SCHEME_LIKE = re.compile(r"[A-Za-z]+:(?!:)")
_DOMAIN = re.compile(r"[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)*")
_UNSEEN = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_PERCENTAGE = re.compile(r"(\d{1,3}(?:[.,]\d*)?)\s*%?", re.ASCII)
_plain_id = re.compile(r"\d+|(?!\d+[Ee]\d+$)[A-Za-z0-9]+", re.ASCII).fullmatch
_CUT_ID = re.compile(r"\d+(?:[.,]\d+)?E\+?\d+", re.ASCII | re.IGNORECASE)


def read_email(text: str, column: str) -> str | None:
    """Read an address, also as ``mailto:r@x.com`` or ``Robin <r@x.com>``; ``None`` for an empty cell."""
    text = _unwrapped(text.strip().strip(_UNSEEN).strip())
    if is_no_value(text):
        return None
    name, at, domain = text.partition("@")
    is_whole = bool(name and at and _DOMAIN.fullmatch(domain)) and not (
        "<" in name
        or ">" in name
        or "\\" in name
        or name.count("|") > 1
        or _SCHEME_LIKE.match(name)
        or "#EXT#" in name.upper()  # what Microsoft calls a guest, whose address is another
    )
    if not is_whole or " " in text or not text.isprintable() or not _is_plain(text):
        raise RejectedError(column, f"{text!r} is not an email address")
    return text


def _is_plain(text: str) -> bool:
    """Tell whether no letter only looks like another, as those of full width do."""
    return text.isascii() or unicodedata.normalize("NFKC", text) == unicodedata.normalize("NFC", text)


def _unwrapped(text: str) -> str:
    """Return the address inside what spreadsheets and systems write around it."""
    text = _plain_text(text)
    if displayed := _DISPLAYED.fullmatch(text):
        text = displayed[1].strip()
    if scheme := _SCHEME.match(text):
        text = text[scheme.end() :].partition("?")[0].strip()
    if claim := _CLAIM.fullmatch(text):
        text = claim[1].strip()
    return text


def _plain_text(text: str) -> str:
    """Return a cell without what spreadsheets put around it so that it stays a text: ``="007"`` and ``'007``."""
    if formula := _FORMULA_TEXT.fullmatch(text):
        text = formula[1].replace('""', '"').strip()
    return text[1:].strip() if text[:1] == "'" and text.count("'") == 1 else text


def read_id(text: str, column: str) -> str | None:
    """Read a learner's id, ``None`` for what says nothing, also zeros; ``RejectedError`` for one that is cut."""
    if _plain_id(text) and text.strip("0") and text.lower() not in NO_VALUES:
        return text
    text = _plain_text(text.strip().strip(_UNSEEN).strip())
    if is_no_value(text) or not text.strip("0.,"):
        return None
    if _CUT_ID.fullmatch(text):
        raise RejectedError(column, f"{text!r} is an id that a spreadsheet has cut: format the column as text")
    return text


def is_no_id(text: str) -> bool:
    """Tell whether what was taken for an id by an earlier version is a placeholder, or cut by a spreadsheet."""
    text = text.strip().lower()
    return text in NO_VALUES or not text.strip("0.,") or bool(_CUT_ID.fullmatch(text))


@lru_cache(maxsize=4096)
def read_percentage(text: str) -> float | None:
    """Read ``40``, ``40 %`` or ``40,5``; ``None`` for an empty cell, ``ValueError`` for anything not in 0..100."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    if says_nothing(text):
        return None
    match = _PERCENTAGE.fullmatch(text.strip())
    value = float(match[1].replace(",", ".")) if match else -1.0
    if not 0 <= value <= 100:  # noqa: PLR2004 - per cent
        raise ValueError(f"{text.strip()!r} is not a percentage from 0 to 100")
    return value


_MAYBE_NO_EMAIL = frozenset({"user", "username", "login", "loginid"})  # hold an address or a login name


_REMEMBERED = 8192  # people: bounded, for a file may name any number


Person: TypeAlias = tuple[str | None, str | None, str | None, str | None]
"""Address, id, first and last name that a row gives, ``None`` for what it does not."""


class PersonReader:
    """Reads the person of a row."""

    def __init__(self, columns: Columns, understood: Understood | None = None) -> None:
        self._email = columns.emails[0] if columns.emails else ABSENT
        self._emails = tuple((place, columns.header_at(place, "email")) for place in columns.emails)
        self._learner_id = columns.at("learner_id")
        self._id_label = columns.label("learner_id")
        self._first = columns.at("first_name")
        self._last = columns.at("last_name")
        self._full = columns.at("full_name")
        self._lacks = _lacks(columns)
        self._is_login = key_of(columns.label("full_name")) in ("username", "user")
        self._understood = understood or Understood()
        self._cells_of = itemgetter(
            *(columns.emails or (ABSENT,)), self._learner_id, self._first, self._last, self._full
        )
        self._known: dict[tuple[str, ...], Person] = {}  # by their cells

    def read(self, cells: Cells) -> Person:
        """Return the person of a row; an export repeats its people, so their cells are read once."""
        key = self._cells_of(cells)
        person = self._known.get(key)
        if person is None:
            person = self.email(cells), self.learner_id(cells), *self.names(cells)
            if self._full == ABSENT:  # names that are split are counted, row by row
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[key] = person
        return person

    def email(self, cells: Cells) -> str | None:
        """Return the address, ``None`` where the row has none."""
        email = cells[self._email]
        return email if plain_email(email) else self._other_email(cells)

    def learner_id(self, cells: Cells) -> str | None:
        """Return the learner's id, ``None`` where the row has none."""
        text = cells[self._learner_id]
        return read_id(text, self._id_label) if text else None

    def names(self, cells: Cells) -> Names:
        """Return first and last name, from the full name where that is all there is."""
        first, last = cells[self._first], cells[self._last]
        if self._lacks and (first.strip() or last.strip()):
            other = _other_name(cells[self._full], first or last, self._lacks)
            return real_names(first or other, last or other)
        if self._full == ABSENT or first.strip() or last.strip():
            return real_names(first, last) if first or last else (None, None)
        return self._split(cells)

    def _other_email(self, cells: Cells) -> str | None:
        for place, header in self._emails:
            text = cells[place]
            if "@" not in text and key_of(header) in _MAYBE_NO_EMAIL:
                continue
            if email := read_email(text, header):
                return email
        return None

    def _split(self, cells: Cells) -> Names:
        full = cells[self._full].strip()
        if not full or (self._is_login and " " not in full):
            return None, None
        first, last = _split_once(full)
        self._understood.split(full, first, last)
        return first, last


def _lacks(columns: Columns) -> str:
    """Return which of two names has no column of its own, where that of the full name holds it or both; else ""."""
    full, last = key_of(columns.label("full_name")), key_of(columns.label("last_name"))
    has_first, has_last = (columns.at(name) != ABSENT for name in ("first_name", "last_name"))
    if columns.at("full_name") == ABSENT or has_first == has_last:
        return ""
    if full in OTHER_NAME or (has_last and BESIDE_SURNAME.get(last) == full):
        return "first" if has_last else "last"
    return ""


def _other_name(full: str, known: str, lacks: str) -> str:
    """Return the name that stands in a column beside the ``known`` one, or with it."""
    name, words = clean(full), clean(known).casefold().split()
    if "," in name:
        return split_name(name)[lacks == "last"] or ""
    parts = name.split()
    folded = [part.casefold() for part in parts]
    if len(parts) > len(words) and folded[: len(words)] == words:
        return " ".join(parts[len(words) :])
    if len(parts) > len(words) and folded[-len(words) :] == words:
        return " ".join(parts[: -len(words)])
    return "" if _SIGNS.search(name) else name


_split_once = lru_cache(maxsize=4096)(split_name)
