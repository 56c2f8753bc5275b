"""The words by which systems say how an enrollment stands: statuses, and the names, types and sources of events.

An event of Thought Industries (its API, webhooks, nightly files and *Content Actions Log*) has a name, which the log
leaves out, a type and a source. Webhooks of other systems have names only.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from credly_cli.lms.columns import key_of
from credly_cli.lms.dates import says_nothing

Status: TypeAlias = Literal["open", "complete", "ended", "expired"]
Role: TypeAlias = Literal["learner", "other"]

_COMPLETE = (
    "completed", "complete", "passed", "satisfied", "coursecompleted", "done", "yes", "true", "1", "finished",
)  # fmt: skip
_ENDED = (
    "withdrawn", "withdrew", "revokedaccess", "revoked", "unenrolled", "unenroled", "unenroll", "unenrol", "dropped",
    "cancelled", "canceled",
)  # fmt: skip
ENROLLED = ("enrolled", "enrollment", "enrolment", "registered", "assigned", "initialized")
_OPEN = (
    *ENROLLED, "inprogress", "progressed", "started", "notstarted", "notattempted", "attempted", "failed", "fail",
    "notpassed", "incomplete", "notcomplete", "notcompleted", "uncompleted", "available", "active", "open", "ongoing",
    "overdue", "pastdue", "suspended", "pending", "paused", "browsed", "viewed", "todo", "unknown", "no",
    "false", "0",
)  # fmt: skip
STATUSES: dict[str, Status] = {
    **dict.fromkeys(_COMPLETE, "complete"),
    **dict.fromkeys(_ENDED, "ended"),
    **dict.fromkeys(_OPEN, "open"),
    "expired": "expired",  # not complete any more, which denies nothing of what was completed
}
_MEANINGS: dict[str, Status] = {"completed": "complete", "open": "open", "failed": "open", "ended": "ended"}
_BOOLEANS = ("0", "1")
_NOES = frozenset({"no", "n", "false", "0", "nein", "non", "nao", "nee", "nej", "nei", "いいえ", "falsch", "faux"})
_LONGEST = 200  # of a word of status
_REMEMBERED = 1000
_SEVERAL_ROLES = re.compile(r"[,;|]|\s/\s")


class LeftOutError(Exception):
    """A row that a person said to ignore, or that is about somebody who teaches: neither taken nor rejected."""

    def __init__(self, column: str, word: str) -> None:
        super().__init__(word)
        self.column = column
        self.word = word


class UnknownWordError(ValueError):
    """A word that nobody knows. It is never taken for "not complete": that would lose badges unnoticed."""

    def __init__(self, column: str, word: str, sentence: str) -> None:
        super().__init__(sentence)
        self.column = column
        self.word = word


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


@cache
def known_statuses() -> dict[str, Status]:
    """Return what is known of the words of status in all languages, by their keys."""
    words = {
        key_of(word): _MEANINGS[meaning]
        for meanings in _table()["status"].values()
        for meaning, listed in meanings.items()
        for word in listed
    }
    return {**words, **STATUSES}


@cache
def _failures() -> frozenset[str]:
    """Return the keys of the words that tell a failure, in all languages."""
    listed = (word for meanings in _table()["status"].values() for word in meanings.get("failed", ()))
    return frozenset({"failed", "fail", "notpassed", *map(key_of, listed)})


@cache
def _known_roles() -> dict[str, Role]:
    meanings: dict[str, Role] = {"teaching": "other", "learner": "learner"}
    return {
        key_of(word): meanings[meaning]
        for by_meaning in _table()["role"].values()
        for meaning, listed in by_meaning.items()
        for word in listed
    }


@cache
def _overridden() -> list[tuple[re.Pattern[str], str]]:
    """Return what Moodle writes around the name of whoever set a completion by hand, with the word that counts."""
    found = []
    for forms in _table()["overridden"].values():
        for form in forms:
            before, after = (re.escape(part).replace(r"\ ", r"\s*") for part in form.split("{}"))
            pattern = re.compile(f"{before}.*{after}", re.IGNORECASE | re.DOTALL)
            found.append((pattern, re.split(r"[:(]", form)[0].strip()))
    return found


class StatusWords:
    """What the words of status of one file mean; ``meanings`` is what a person says of some (``--value``)."""

    def __init__(self, meanings: Mapping[str, str]) -> None:
        self._meanings = {key_of(word) or word: meaning for word, meaning in meanings.items()}
        self._seen: dict[str, Status | None] = {}
        self._failed: dict[tuple[str, bool], bool] = {}  # of words of other columns
        self._has_numbers = False

    def meaning_of(self, text: str) -> Status | None:
        """Return what a status says, ``None`` if it is empty; ``UnknownWordError`` or ``LeftOutError`` if that."""
        try:
            return self._seen[text]
        except KeyError:
            status = self._find(text)
        if len(self._seen) < _REMEMBERED:
            self._seen[text] = status
        return status

    def meaning_told(self, text: str) -> Status | None:
        """Return what a person says of a word, ``None`` if nothing; ``LeftOutError`` for one to ignore."""
        key = key_of(text) or text.strip()
        return self.meaning_of(text) if key in self._meanings else None

    def is_failure(self, text: str, *, asks: bool) -> bool:
        """Tell whether a word of another column tells a failure; where that ``asks`` whether, a mere no does."""
        known = self._failed.get((text, asks))
        if known is None:
            key = key_of(text)
            meaning = self._meanings.get(key or text.strip())
            known = meaning == "failed" if meaning else key in _failures() or (asks and key in _NOES)
            if len(self._failed) < _REMEMBERED:
                self._failed[text, asks] = known
        return known

    def _find(self, text: str) -> Status | None:
        word = text.strip()
        key = key_of(word.rstrip("/").rpartition("/")[2] if "/verbs/" in word else word)
        if meaning := self._meanings.get(key or word):
            if meaning == "ignore":
                raise LeftOutError("status", word)
            return _MEANINGS[meaning]
        if says_nothing(word):
            return None
        self._notice_number(key)
        if not (self._has_numbers and key in _BOOLEANS):
            if status := STATUSES.get(key) or known_statuses().get(key):
                return status
            if status := self._set_by_hand(word):
                return status
        raise UnknownWordError("status", word, f"{word[:_LONGEST]!r} is not a known status")

    def _notice_number(self, key: str) -> None:
        """Where statuses are numbers, 0 and 1 are two of them and not no and yes."""
        if key.isdecimal() and key not in _BOOLEANS and not self._has_numbers:
            self._has_numbers = True
            self._seen = {text: status for text, status in self._seen.items() if key_of(text) not in _BOOLEANS}

    @staticmethod
    def _set_by_hand(word: str) -> Status | None:
        if "(" not in word or len(word) > _LONGEST:
            return None
        for pattern, plain in _overridden():
            if pattern.fullmatch(word):
                return known_statuses()[key_of(plain)]
        return None


class RoleWords:
    """Whether the roles of one file are those of learners; ``told`` is what a person says of some (``--value``)."""

    def __init__(self, meanings: Mapping[str, str]) -> None:
        self._meanings = {key_of(word) or word: meaning for word, meaning in meanings.items()}
        self._seen: set[str] = set()

    def check(self, text: str) -> None:
        """Let the rows of learners pass; ``LeftOutError`` for one of a teacher, ``UnknownWordError`` for any other."""
        if text in self._seen:
            return
        word = text.strip()
        roles = [self._role(word)] if self._role(word) else [self._role(part) for part in _SEVERAL_ROLES.split(word)]
        if word and "other" in roles:
            raise LeftOutError("role", word)
        if word and None in roles:
            raise UnknownWordError("role", word, f"{word[:_LONGEST]!r} is not a known role")
        if len(self._seen) < _REMEMBERED:
            self._seen.add(text)

    def _role(self, word: str) -> str | None:
        key = key_of(word.strip().rpartition("/")[2] if word.startswith(("urn:", "http")) else word) or word.strip()
        return self._meanings.get(key) or _known_roles().get(key)


# Events

Action: TypeAlias = Literal["enrolled", "completed", "ended", "open"]

_COMPLETED_SOURCES = frozenset(
    {"coursecompleted", "coursecompletion", "learningpathcompleted", "learningpathcompletion", "contentcompleted"}
)
_OF_EVENT: dict[str, Action] = {
    "coursecompletion": "completed",
    "coursecompleted": "completed",
    "learningpathcompletion": "completed",
    "learningpathcompleted": "completed",
    "enrollmentcompleted": "completed",
    "courseenrollmentcompleted": "completed",
    "contentcompleted": "completed",
    "enrollmentcreated": "enrolled",
    "courseenrollmentcreated": "enrolled",
    "enrolled": "enrolled",
    "enroll": "enrolled",
    "enrol": "enrolled",
    "unenrolled": "ended",
    "unenroll": "ended",
    "unenrol": "ended",
    "withdrawn": "ended",
}
_OF_TYPE: dict[str, Action] = {
    "enrollment": "enrolled",
    "enrolment": "enrolled",
    "revokedaccess": "ended",
}
_NOT_COMPLETED = frozenset({
    "coursenotcompleted", "courseincomplete", "courseuncompleted", "learningpathnotcompleted",
    "learningpathincomplete", "notcompleted", "incomplete", "uncompleted",
})  # fmt: skip
_ENDINGS = ("complete", "completed", "completion", "finished", "passed")
_HARMLESS = frozenset({  # they follow a completion, or are of a part
    "certificate", "certificategrant", "certificateissued", "milestonecompleted", "sectioncompleted",
    "lessoncompleted", "modulecompleted", "topiccompleted", "pagecompleted",
})  # fmt: skip
_NO_PROGRESS = frozenset({
    "login", "visit", "courseview", "emailcapture", "award", "newslettersignup", "ordercompleted", "ordercreated",
    "usercreated", "userupdated", "userlastactive14", "userlastactive31", "discountgrouppurchase",
    "subscriptionreactivation",
})  # fmt: skip


@lru_cache(maxsize=1024)
def action_of(event: str, kind: str, source: str) -> Action | None:
    """Return what an event did to the enrollment, ``None`` if nothing that is known (the learner is enrolled)."""
    keys = key_of(event), key_of(kind), key_of(source)
    if keys[2] in _COMPLETED_SOURCES and keys[1] in ("statuschange", ""):
        return "completed"
    if not _NOT_COMPLETED.isdisjoint(keys):
        return "open"
    return _OF_TYPE.get(keys[1]) or _OF_EVENT.get(keys[0])


@lru_cache(maxsize=1024)
def unknown_words_of(event: str, kind: str, source: str) -> str:
    """Return the words of an event that did nothing that is known; "" where they say that it is no completion."""
    keys = {key_of(event), key_of(kind), key_of(source)} - {"", "statuschange"}
    is_known = all(known_statuses().get(key) == "open" for key in keys) or not _HARMLESS.isdisjoint(keys)
    return "" if is_known else "/".join(filter(None, map(str.strip, (kind, source)))) or event.strip()


def sounds_complete(words: str) -> bool:
    """Tell whether unknown words may mean a completion, which nobody would miss but the learner."""
    return any(key_of(part).endswith(_ENDINGS) for part in words.split("/"))


def is_about_progress(event: str) -> bool:
    """Tell whether an event can say anything of an enrollment."""
    return key_of(event) not in _NO_PROGRESS
