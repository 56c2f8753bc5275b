"""Learners who were forgotten: nothing of theirs is kept but a mark by which they are recognised if they come back.

A mark is a keyed hash of an address or of the LMS's id, with a key that only this store has. The learner's row stays,
with a mark for its address and the other marks among its former addresses, and so do its grants: a later import finds
them, and the same completion earns nothing a second time, whatever the badge allows.
"""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from credly_cli.identity import earner_id, email_key, marked_name, sha1_of, sourced_id
from credly_cli.store.database import Row, Store
from credly_cli.store.learners import Learner, merge
from credly_cli.store.runs import bookmark, set_bookmark
from credly_cli.store.views import FORGOTTEN

_KEY = "forgetting-key"
_OF_FORGOTTEN = f"email_key >= '{FORGOTTEN}' AND email_key < 'forgotten;'"  # a range, so that the index answers


class Named(Protocol):
    """What a record says of a person."""

    @property
    def email(self) -> str | None:
        """The address, if told."""

    @property
    def learner_id(self) -> str | None:
        """The LMS's id, if told."""

    @property
    def source(self) -> str:
        """The numbering that the id is of, '' the common one."""


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

    def id_of(self, source: str, learner_id: str) -> str:
        """Return the mark of an id of a numbering, '' the common one."""
        return self.learner_id(sourced_id(source, learner_id))

    def _mark(self, kind: str, text: str) -> str:
        digest = hmac.new(self.key.encode(), f"{kind} {text}".encode(), hashlib.sha256)
        return FORGOTTEN + digest.hexdigest()


def has_any(store: Store) -> bool:
    """Tell whether anybody was forgotten and has not come back."""
    return store.value(f"SELECT 1 FROM learners WHERE {_OF_FORGOTTEN} LIMIT 1") is not None


def is_known(store: Store, email: str) -> bool:
    """Tell whether the store has an address though no learner has it: of badges, or as a guest of some content."""
    sql = (
        "SELECT 1 FROM issued_badges WHERE email_key = :key"
        " UNION ALL SELECT 1 FROM access WHERE subject_kind = 'learner' AND subject = :key"
    )
    return store.value(sql, {"key": email_key(email)}) is not None


# Coming back


def recall(store: Store, named: Iterable[Named], now: str) -> None:
    """Give the learners who come back what the records name them by, before anybody looks them up.

    The LMS's id decides, else the address does: whoever has it now is taken for who had it.
    """
    awaited = {row["mark"] for row in store.rows(_AWAITED)}
    if not awaited:
        return
    marks = Marks.of(store)
    for person in named:
        by_id = marks.id_of(person.source, person.learner_id) if person.learner_id else None
        by_email = marks.email(person.email) if person.email else None
        if by_id in awaited:
            for row in store.rows(_BY_ID, (by_id,)):
                _recall_by_id(store, row, person, now)
        elif person.email and by_email in awaited:
            for row in store.rows(_BY_EMAIL, {"mark": by_email}):
                _give_address(store, row, person.email)


def _recall_by_id(store: Store, row: Row, person: Named, now: str) -> None:
    learner = row["id"]
    if row["email_key"].startswith(FORGOTTEN):
        if not person.email:
            return  # nothing can be issued to nobody's address
        nameless = store.value(
            "SELECT id FROM learners l WHERE email_key = ? AND learner_id IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM learner_ids n WHERE n.learner = l.id)",
            (email_key(person.email),),
        )
        _give_address(store, row, person.email)
        if nameless is not None:  # came back unrecognised, under a new address and without the id
            merge(store, learner, nameless, now)
            learner = nameless
    params = {"source": person.source, "learner_id": person.learner_id, "id": learner}
    if person.source:
        store.change("DELETE FROM learner_ids WHERE learner = :id AND source = :source", params)
        store.change(
            "INSERT OR REPLACE INTO learner_ids (source, learner_id, learner) VALUES (:source, :learner_id, :id)",
            params,
        )
    else:
        store.change(
            "UPDATE learners SET learner_id = :learner_id WHERE id = :id AND learner_id IS NOT :learner_id", params
        )


def _give_address(store: Store, row: Row, email: str) -> None:
    """Give a learner an address again; what was issued to them carries the mark until Credly is asked again."""
    params = {"id": row["id"], "key": email_key(email), "email": email, "mark": row["email_key"]}
    store.change("UPDATE learners SET email = :email, email_key = :key WHERE id = :id", params)
    store.change("INSERT OR IGNORE INTO former_emails (learner, email_key) VALUES (:id, :mark)", params)


_AWAITED = f"""
SELECT email_key AS mark FROM learners WHERE {_OF_FORGOTTEN}
UNION SELECT email_key FROM former_emails WHERE {_OF_FORGOTTEN}
"""
_BY_ID = "SELECT l.id, l.email_key FROM former_emails f JOIN learners l ON l.id = f.learner WHERE f.email_key = ?"
_BY_EMAIL = f"""
SELECT id, email_key FROM learners WHERE {_OF_FORGOTTEN}
AND (email_key = :mark OR id IN (SELECT learner FROM former_emails WHERE email_key = :mark))
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

    def hide(self, values: Row, known_key: str | None) -> Row:
        """Return an issued badge as it may be stored; ``known_key`` is the address's key as it is stored now."""
        if self.marks is None:
            return values
        keys = [known_key]
        keys += [self.marks.email(values["email"])] if values["email"] else []
        keys += [self.marks.learner_id(_bare(values["earner_id"]))] if values["earner_id"] else []
        mark = next((mark for mark in keys if mark in self.forgotten), None)
        return {**values, **_NOBODY, "email_key": mark} if mark else values


def _bare(earner: str) -> str:
    """Return an ``issuer_earner_id`` without the mark of a grant."""
    return earner.partition("~")[0]


_NOBODY: dict[str, None] = dict.fromkeys(("email", "earner_id", "user_id", "view_url", "accept_url"))


# Forgetting


@dataclass(slots=True)
class Forgotten:
    """What was removed, or kept without a name."""

    changed: bool = True
    learners: int = 0
    enrollments: int = 0
    grants: int = 0
    cancelled: int = 0
    issued_badges: int = 0
    wiped: bool = True  # no copy stayed in the file, as it does while somebody reads there


def forget(store: Store, rows: Sequence[Learner], now: str) -> Forgotten:
    """Remove what is personal of these learners."""
    marks, outcome = Marks.of(store), Forgotten()
    _forget_in_runs(store, rows)
    for row in rows:
        _forget_badges(store, marks, row, outcome)
        _forget_grants(store, row.id, marks, now, outcome)
        outcome.enrollments += store.change("DELETE FROM enrollments WHERE learner = ?", (row.id,))
        _forget_statements(store, row)
        _forget_learner(store, marks, row)
    outcome.learners = len(rows)
    return outcome


# An address, or an account's other address, that is somebody else's by now stays theirs.
_OWN_KEYS = """
SELECT email_key FROM learner_addresses a WHERE a.learner = :learner
AND NOT EXISTS (SELECT 1 FROM learners o WHERE o.email_key = a.email_key AND o.id <> a.learner)
"""
_OWN = """
SELECT m.issued_badge_id FROM learner_issued_badges m JOIN issued_badges i ON i.id = m.issued_badge_id
WHERE m.learner = :learner AND (m.matched_by IN ('id', 'grant')
  OR NOT EXISTS (SELECT 1 FROM learners o WHERE o.email_key = i.email_key AND o.id <> m.learner))
"""


def _forget_badges(store: Store, marks: Marks, row: Learner, outcome: Forgotten) -> None:
    params = {"learner": row.id, "mark": marks.email(row.email)}
    blank = ", ".join(f"{name} = NULL" for name in _NOBODY)
    sql = f"UPDATE issued_badges SET {blank}, email_key = :mark WHERE id IN ({_OWN})"
    outcome.issued_badges += store.change(sql, params)


def _forget_grants(store: Store, learner: int, marks: Marks, now: str, outcome: Forgotten) -> None:
    """Cancel what was not sent, for good, and keep of the rest that it was, without who it was for."""
    params = {"now": now, "who": learner}
    unsent = "state IN ('planned', 'held', 'failed')"
    covered = f"state = 'covered' AND covered_by_grant IN (SELECT id FROM grants WHERE learner = :who AND {unsent})"
    for which in (covered, unsent):
        outcome.cancelled += store.change(
            f"UPDATE grants SET state = 'cancelled', dropped = 1, updated_at = :now WHERE learner = :who AND {which}",
            params,
        )
    for grant in store.rows("SELECT id, earner_id FROM grants WHERE learner = ?", (learner,)):
        outcome.grants += store.change(
            "UPDATE grants SET body = NULL, body_sha256 = NULL, problem = NULL, earner_id = ? WHERE id = ?",
            (marks.learner_id(grant["earner_id"]), grant["id"]),
        )
        store.change("UPDATE attempts SET body = NULL, detail = NULL WHERE grant_id = ?", (grant["id"],))


def _forget_statements(store: Store, row: Learner) -> None:
    """Forget what statements said, also those that are kept until their content is known."""
    params = {"learner": row.id, "id": row.learner_id, "sha1": sha1_of(row.email), "lower": sha1_of(row.email_key)}
    store.change("DELETE FROM statements WHERE learner = :learner", params)
    store.change(
        f"DELETE FROM kept_progress WHERE lower(email) IN ({_OWN_KEYS}) OR sha1 IN (:sha1, :lower)"
        " OR (numbering = '' AND learner_id = :id) OR (learner_id <> '' AND (numbering, learner_id) IN ("
        "SELECT source, learner_id FROM learner_ids WHERE learner = :learner))",
        params,
    )


def _forget_learner(store: Store, marks: Marks, row: Learner) -> None:
    params = {"learner": row.id}
    store.change(f"DELETE FROM access WHERE subject_kind = 'learner' AND subject IN ({_OWN_KEYS})", params)
    former = [
        row["email_key"] for row in store.rows("SELECT email_key FROM former_emails WHERE learner = :learner", params)
    ]
    kept = {key if key.startswith(FORGOTTEN) else marks.email(key) for key in former}
    kept |= {marks.learner_id(row.learner_id)} if row.learner_id else set()
    for source, identity in store.connection.execute(
        "SELECT source, learner_id FROM learner_ids WHERE learner = :learner", params
    ).fetchall():
        named = sourced_id(source, identity)
        kept |= {
            marks.learner_id(named),
            marks.learner_id(earner_id(named, row.email)),
            marks.learner_id(marked_name(named, row.email)),
        }
    store.change("DELETE FROM learner_ids WHERE learner = :learner", params)
    store.change("DELETE FROM bookmarks WHERE name GLOB 'given:*' AND value = CAST(:learner AS TEXT)", params)
    store.change("DELETE FROM former_emails WHERE learner = :learner", params)
    store.connection.executemany("INSERT INTO former_emails VALUES (?, ?)", [(row.id, mark) for mark in kept])
    names = [name for name in _columns(store) if name not in ("id", "email", "email_key")]
    store.change(
        f"UPDATE learners SET email = ?, email_key = ?, {', '.join(f'{name} = NULL' for name in names)} WHERE id = ?",
        (f"forgotten-{row.id}", marks.email(row.email), row.id),
    )


def _columns(store: Store) -> list[str]:
    return [row["name"] for row in store.rows("SELECT name FROM pragma_table_info('learners')")]


def _forget_in_runs(store: Store, rows: Sequence[Learner]) -> None:
    """Take the learners out of what earlier runs reported."""
    people = json.dumps([row.id for row in rows])
    grants = {row["id"] for row in store.rows(f"SELECT id FROM grants WHERE learner {_IN}", (people,))}
    keys = {row.email_key for row in rows}
    keys |= {
        row["email_key"] for row in store.rows(f"SELECT email_key FROM former_emails WHERE learner {_IN}", (people,))
    }
    named = re.compile(
        "|".join(
            [rf"(?<![\w.+%-]){re.escape(key)}(?![\w-]|\.\w)" for key in keys]
            + [re.escape(repr(row.learner_id)) for row in rows if row.learner_id]
        ),
        re.IGNORECASE,
    )
    for run in store.rows("SELECT id, summary FROM runs WHERE summary IS NOT NULL"):
        summary = json.loads(run["summary"])
        for problem in summary.get("problems", ()):
            if problem["grant_id"] in grants or email_key(problem["email"] or "") in keys:
                problem |= {"email": None, "message": "It was about a learner who is forgotten."}
            problem["message"] = named.sub("a forgotten learner", problem["message"])
        if (written := json.dumps(summary)) != run["summary"]:
            store.change("UPDATE runs SET summary = ? WHERE id = ?", (written, run["id"]))


_IN = "IN (SELECT value FROM json_each(?))"
