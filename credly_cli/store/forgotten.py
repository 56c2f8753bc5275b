"""Learners who were forgotten: nothing of theirs is kept but a mark by which they are recognised if they come back.

A mark is a keyed hash of the address or the LMS's id, with a key that only this store has. The learner's row stays with
marks in place of what they are of, and its grants with it: a later import finds it, and the same completion earns
nothing a second time, whatever the badge allows.
"""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from credly_cli.identity import email_key
from credly_cli.store.database import Store
from credly_cli.store.runs import bookmark, set_bookmark

PREFIX = "forgotten:"
_KEY = "forgetting-key"
_OF_FORGOTTEN = f"email_key >= '{PREFIX}' AND email_key < 'forgotten;'"  # a range, so that the index answers
_OF_HALF_KNOWN = f"learner_id >= '{PREFIX}' AND learner_id < 'forgotten;'"  # came back by address, the id not yet


class Named(Protocol):
    """What a record says of a person."""

    @property
    def email(self) -> str | None:
        """The address, if told."""

    @property
    def learner_id(self) -> str | None:
        """The LMS's id, if told."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Makes the marks of a store."""

    key: str

    @classmethod
    def of(cls, store: Store) -> "Marks":
        """Read the store's key, or make it."""
        key = bookmark(store, _KEY)
        if key is None:
            key = secrets.token_hex(16)
            set_bookmark(store, _KEY, key)
        return cls(key)

    def email(self, email: str) -> str:
        """Return the mark of an address."""
        return self._mark("email", email_key(email))

    def learner_id(self, learner_id: str) -> str:
        """Return the mark of an LMS's id."""
        return self._mark("id", learner_id)

    def _mark(self, kind: str, text: str) -> str:
        digest = hmac.new(self.key.encode(), f"{kind} {text}".encode(), hashlib.sha256)
        return PREFIX + digest.hexdigest()


def has_any(store: Store) -> bool:
    """Tell whether anybody was forgotten and has not come back."""
    return store.value(f"SELECT 1 FROM learners WHERE {_OF_FORGOTTEN} LIMIT 1") is not None


# Coming back


def recall(store: Store, named: Iterable[Named]) -> None:
    """Give the learners who come back what the records name them by, before anybody looks them up."""
    awaited = {row["mark"] for row in store.rows(_AWAITED)}
    if not awaited:
        return
    marks = Marks.of(store)
    for who in named:
        by_id = marks.learner_id(who.learner_id) if who.learner_id else None
        by_email = marks.email(who.email) if who.email else None
        if by_id in awaited or by_email in awaited:
            for row in store.rows(_RETURNING, {"id": by_id, "email": by_email}):
                _recall(store, row, who, is_same_id=by_id is not None and row["learner_id"] == by_id)


def _recall(store: Store, row: dict[str, Any], who: Named, *, is_same_id: bool) -> None:
    if who.learner_id and row["learner_id"] is not None and not is_same_id:
        return  # somebody else at the same address
    if who.email and row["email_key"].startswith(PREFIX):
        # what was issued to them carries the old mark until Credly is asked again
        told = {"id": row["id"], "key": email_key(who.email), "email": who.email, "mark": row["email_key"]}
        store.change("UPDATE learners SET email = :email, email_key = :key WHERE id = :id", told)
        store.change("INSERT OR IGNORE INTO former_emails (learner, email_key) VALUES (:id, :mark)", told)
    if is_same_id:
        store.change("UPDATE learners SET learner_id = ? WHERE id = ?", (who.learner_id, row["id"]))


_AWAITED = f"""
SELECT email_key AS mark FROM learners WHERE {_OF_FORGOTTEN}
UNION SELECT learner_id FROM learners WHERE {_OF_HALF_KNOWN}
UNION SELECT email_key FROM former_emails WHERE {_OF_FORGOTTEN}
"""
_RETURNING = f"""
SELECT id, email_key, learner_id FROM learners WHERE learner_id = :id OR email_key = :email
  OR ({_OF_FORGOTTEN} AND id IN (SELECT learner FROM former_emails WHERE email_key = :email))
"""


# Staying forgotten


@dataclass(frozen=True, slots=True)
class Mask:
    """Keeps Credly's lists from bringing back what was forgotten."""

    marks: Marks | None
    forgotten: frozenset[str] = frozenset()

    @classmethod
    def of(cls, store: Store) -> "Mask":
        """Read whose data are to stay away."""
        if not has_any(store):
            return cls(None)
        rows = store.rows(
            f"SELECT email_key FROM learners WHERE {_OF_FORGOTTEN} UNION SELECT f.email_key FROM former_emails f"
            f" JOIN learners l ON l.id = f.learner WHERE l.{_OF_FORGOTTEN.replace(' AND ', ' AND l.')}"
        )
        return cls(Marks.of(store), frozenset(row["email_key"] for row in rows))

    def hide(self, values: dict[str, Any], known_key: str | None) -> dict[str, Any]:
        """Return an issued badge as it may be stored; ``known_key`` is the address's key as it is stored now."""
        if self.marks is None:
            return values
        told = self.marks.email(values["email"]) if values["email"] else None
        mark = known_key if known_key in self.forgotten else told
        return {**values, **_NOBODY, "email_key": mark} if mark in self.forgotten else values


_NOBODY: dict[str, None] = dict.fromkeys(("email", "earner_id", "user_id", "view_url", "accept_url"))


# Forgetting


@dataclass(slots=True)
class Forgotten:
    """What was removed, or kept without a name."""

    learners: int = 0
    enrollments: int = 0
    grants: int = 0
    cancelled: int = 0
    issued_badges: int = 0

    def json(self) -> dict[str, int]:
        """Return the counts as scripts read them."""
        return {name: getattr(self, name) for name in self.__slots__}


def forget(store: Store, email: str, learners: Iterable[dict[str, Any]], now: str) -> Forgotten:
    """Remove what is personal of these learners, and of badges issued to the address where nobody has it."""
    marks, outcome = Marks.of(store), Forgotten()
    rows = list(learners) or [_stand_in(store, email)]
    for row in rows:
        _forget_badges(store, marks, row, outcome)
        _forget_grants(store, row["id"], marks, now, outcome)
        outcome.enrollments += store.change("DELETE FROM enrollments WHERE learner = ?", (row["id"],))
        _forget_learner(store, marks, row)
    outcome.learners = len(rows)
    _forget_in_runs(store, {email_key(email), *(row["email_key"] for row in rows)})
    return outcome


def _stand_in(store: Store, email: str) -> dict[str, Any]:
    """Make a row for an address that only Credly knows, so that its badges stay nameless."""
    pk = store.value("INSERT INTO learners (email, email_key) VALUES (?, ?) RETURNING id", (email, email_key(email)))
    return {"id": pk, "email": email, "email_key": email_key(email), "learner_id": None}


def _forget_badges(store: Store, marks: Marks, row: dict[str, Any], outcome: Forgotten) -> None:
    who = {"learner": row["id"], "mark": marks.email(row["email"]), "learner_id": row["learner_id"]}
    outcome.issued_badges += store.change(
        f"UPDATE issued_badges SET {', '.join(f'{name} = NULL' for name in _NOBODY)}, email_key = :mark WHERE {_OWN}",
        who,
    )


_OWN = """
(email_key IN (SELECT email_key FROM learners WHERE id = :learner
               UNION SELECT email_key FROM former_emails WHERE learner = :learner)
 OR earner_id = :learner_id OR earner_id IN (SELECT earner_id FROM grants WHERE learner = :learner)
 OR id IN (SELECT issued_badge_id FROM grants WHERE learner = :learner)
 OR user_id IN (SELECT i.user_id FROM issued_badges i JOIN learners l ON l.email_key = i.email_key
                WHERE l.id = :learner AND i.user_id IS NOT NULL))
"""


def _forget_grants(store: Store, learner: int, marks: Marks, now: str, outcome: Forgotten) -> None:
    """Cancel what was not sent, for good, and keep of the rest that it was, without who it was for."""
    outcome.cancelled += store.change(
        "UPDATE grants SET state = 'cancelled', dropped = 1, updated_at = ?"
        " WHERE learner = ? AND state IN ('planned', 'held', 'failed')",
        (now, learner),
    )
    for grant in store.rows("SELECT id, earner_id FROM grants WHERE learner = ?", (learner,)):
        outcome.grants += store.change(
            "UPDATE grants SET body = NULL, body_sha256 = NULL, problem = NULL, earner_id = ? WHERE id = ?",
            (marks.learner_id(grant["earner_id"]), grant["id"]),
        )
        store.change("UPDATE attempts SET body = NULL, detail = NULL WHERE grant_id = ?", (grant["id"],))


def _forget_learner(store: Store, marks: Marks, row: dict[str, Any]) -> None:
    learner = row["id"]
    for former in store.rows("SELECT email_key FROM former_emails WHERE learner = ?", (learner,)):
        key = former["email_key"]
        mark = key if key.startswith(PREFIX) else marks.email(key)
        store.change(
            "UPDATE OR REPLACE former_emails SET email_key = ? WHERE learner = ? AND email_key = ?",
            (mark, learner, key),
        )
    store.change("DELETE FROM access WHERE subject_kind = 'learner' AND subject = ?", (row["email_key"],))
    names = [name for name in _columns(store) if name not in ("id", "email", "email_key", "learner_id")]
    store.change(
        f"UPDATE learners SET email = ?, email_key = ?, learner_id = ?, {', '.join(f'{n} = NULL' for n in names)}"
        " WHERE id = ?",
        (
            f"forgotten-{learner}",
            marks.email(row["email"]),
            marks.learner_id(row["learner_id"]) if row["learner_id"] else None,
            learner,
        ),
    )


def _columns(store: Store) -> list[str]:
    return [row["name"] for row in store.rows("SELECT name FROM pragma_table_info('learners')")]


def _forget_in_runs(store: Store, keys: set[str]) -> None:
    """Take addresses out of what earlier runs reported."""
    pattern = re.compile("|".join(re.escape(key) for key in sorted(keys, key=len, reverse=True)), re.IGNORECASE)
    for row in store.rows("SELECT id, summary FROM runs WHERE summary LIKE '%@%'"):
        summary = json.loads(row["summary"])
        for problem in summary.get("problems", ()):
            problem["message"] = pattern.sub("a forgotten learner", problem["message"])
            if problem["email"] and email_key(problem["email"]) in keys:
                problem["email"] = None
        told = json.dumps(summary)
        if told != row["summary"]:
            store.change("UPDATE runs SET summary = ? WHERE id = ?", (told, row["id"]))
