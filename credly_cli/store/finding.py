"""Finding learners by words of names, addresses and ids, accents aside, and addresses like one that nobody has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from credly_cli.identity import email_key
from credly_cli.store import learners
from credly_cli.store.database import Store
from credly_cli.store.learners import Learner, LearnerBrief
from credly_cli.store.views import FORGOTTEN, KEPT
from credly_cli.text import folded, storable


def of_name(store: Store, name: str) -> list[Learner]:
    """Return the learners who are called so: first and last name, in any order, accents and commas aside."""
    wanted = sorted(words_of(name))
    if not wanted:
        return []
    found = _with_words(store, wanted, f"SELECT {{columns}} FROM learners l WHERE l.{KEPT} AND {{condition}}", _NAME)
    return [one for one in found if sorted(words_of(f"{one.first_name or ''} {one.last_name or ''}")) == wanted]


def words_of(text: str) -> list[str]:
    """Return the words of a name as they are compared: without case, accents and commas."""
    return folded(storable(text).replace(",", " ")).split()


@dataclass(frozen=True, slots=True)
class ListedLearner(LearnerBrief):
    """A learner as lists show one; ``former_emails`` are compared forms of addresses that the learner had before."""

    panorama: str | None
    sublicense: str | None
    sublicenses: list[str]
    former_emails: list[str]


_NAME = ("l.first_name", "l.last_name")
_ALL = (*_NAME, "l.email", "l.learner_id")
_ANY = f"SELECT {{columns}} FROM learners l WHERE l.{KEPT} AND {{condition}}"
_FORMER = f"""
SELECT {{columns}} FROM (SELECT learner, group_concat(email_key, ' ') AS emails FROM former_emails
  WHERE {KEPT} GROUP BY learner) f
JOIN learners l ON l.id = f.learner WHERE l.{KEPT} AND {{condition}}
"""
_REMEMBERED = 100_000  # names that are folded once


def matching(store: Store, words: Sequence[str], limit: int = -1) -> list[ListedLearner]:
    """Return the learners in whose name, addresses (former ones too) or id each word is found; by name.

    Words are compared without case, accents and commas.
    """
    wanted = words_of(" ".join(words))
    found = {one.id: one for one in _with_words(store, wanted, f"{_ANY} LIMIT {limit}", _ALL)}
    if wanted:
        had = _with_words(store, wanted, f"{_FORMER} LIMIT {limit}", (*_ALL, "f.emails"))
        found |= {one.id: one for one in had}
    former: dict[int, list[str]] = {}
    for learner, email in learners.former_emails(store, found) if found else ():
        if not email.startswith(FORGOTTEN) and email != found[learner].email_key:
            former.setdefault(learner, []).append(email)
    return sorted((_listed(one, former.get(one.id, [])) for one in found.values()), key=_by_name)


def _listed(one: Learner, former: list[str]) -> ListedLearner:
    return ListedLearner(
        one.email, one.first_name, one.last_name, one.learner_id, one.panorama,
        one.sublicenses[0] if one.sublicenses else None, list(one.sublicenses), sorted(former),
    )  # fmt: skip


def _by_name(one: ListedLearner) -> tuple[str, str, str]:
    return folded(one.last_name or ""), folded(one.first_name or ""), one.email.casefold()


def _with_words(store: Store, words: Sequence[str], sql: str, columns: Sequence[str]) -> list[Learner]:
    """Return the learners in one of whose columns each word is found.

    SQLite finds words in plain text by itself, in a fraction of the time; what has letters beyond ASCII, and so more
    bytes than characters, is first folded as the words are.
    """
    patterns = {}
    for number, word in enumerate(words, 1):
        store.connection.create_function(f"has_word_{number}", 1, _finder(word), deterministic=True)
        escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        patterns[f"word_{number}"] = f"%{escaped}%"
    condition = " AND ".join(f"({_has_word(columns, number)})" for number in range(1, len(words) + 1)) or "1"
    shown = ", ".join(f"l.{name}" for name in learners.COLUMNS.split(", "))
    return store.records(Learner, sql.format(columns=shown, condition=condition), patterns)


def _finder(word: str) -> Callable[[str], bool]:
    """Return what tells whether a word is in a text, once for each text."""

    @lru_cache(_REMEMBERED)
    def has_word(text: str) -> bool:
        return word in folded(text)

    return has_word


def _has_word(columns: Sequence[str], number: int) -> str:
    """Return whether a word, the parameter of that number, is found in a column, as SQL."""
    plain = [f"{name} LIKE :word_{number} ESCAPE '\\'" for name in columns]
    other = [f"length(CAST({name} AS BLOB)) > length({name}) AND has_word_{number}({name})" for name in columns]
    return " OR ".join((*plain, *other))


# An address that nobody has

_NEIGHBOURS = f"""
SELECT email FROM (SELECT email FROM learners WHERE email_key >= :key AND {KEPT}
  ORDER BY email_key LIMIT :most)
UNION SELECT email FROM (SELECT email FROM learners WHERE email_key < :key AND {KEPT}
  ORDER BY email_key DESC LIMIT :most)
UNION SELECT email FROM (SELECT email FROM learners WHERE :end <> '' AND instr(email_key, :end) LIMIT :most)
"""
_MOST_NEIGHBOURS = 500
_TYPED_WRONG = 3  # characters at the beginning that may be wrong


def emails_near(store: Store, text: str) -> list[str]:
    """Return the addresses that may be meant by one that nobody has: those beside it, and those that end alike."""
    key = email_key(storable(text))
    end = key[_TYPED_WRONG:] if "@" in key[_TYPED_WRONG:] else ""
    rows = store.rows(_NEIGHBOURS, {"key": key, "end": end, "most": _MOST_NEIGHBOURS})
    return sorted(row["email"] for row in rows)
