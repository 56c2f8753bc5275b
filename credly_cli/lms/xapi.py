"""xAPI statements (and cmi5's) as rows of progress: who did what to which object, when.

Statements are judged together: one that was voided counts as never said, and a *failed* takes back what was told before
it of the same activity (and registration). So all of a file is read before its first row comes out; what is kept of it
meanwhile is on disk, but for the ids of what was voided or failed.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from credly_cli.lms.records import RejectedError, Understood

_COMPLETED = frozenset({"completed", "complete", "passed", "satisfied", "waived"})
_ENROLLED = frozenset({"registered", "initialized"})
_UNDER_WAY = _ENROLLED | {"progressed", "launched", "attempted", "resumed", "suspended"}
_NEVER = frozenset({"answered", "scored", "attempted", "voided"})  # whatever their result says
_PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"
_IN_MEMORY = 1 << 23  # bytes of statements, before they go to disk
SHA1 = "mbox_sha1sum"


def statement_in(value: object) -> dict[str, Any] | None:
    """Return the statement that an object is, or that a record store has wrapped in one of its own."""
    if not isinstance(value, dict):
        return None
    inside = value.get("statement")
    if isinstance(inside, dict) and is_statement(inside):
        return {**inside, "voided": True} if value.get("voided") is True else inside
    return value if is_statement(value) else None


def is_statement(value: dict[str, Any]) -> bool:
    """Tell whether an object is an xAPI statement."""
    return isinstance(value.get("verb"), dict) and isinstance(value.get("actor"), dict)


def statement_row(statement: dict[str, Any]) -> dict[str, Any] | None:
    """Return a statement as a row of progress, ``None`` for one that says nothing of progress."""
    verb = _verb_of(statement)
    result = _object(statement.get("result"))
    status = _status_of(verb, result)
    if status is None:
        return None
    return {
        **_actor(statement["actor"]),
        "content_id": _object(statement.get("object")).get("id"),
        "progress": _object(result.get("extensions")).get(_PROGRESS),
        "status": status,
        "type": "enrollment" if verb in _ENROLLED else None,
        "timestamp": statement.get("timestamp") or statement.get("stored"),
        "event_id": statement.get("id"),
    }


def _verb_of(statement: dict[str, Any]) -> str:
    return str(statement["verb"].get("id", "")).rstrip("/").rpartition("/")[2].lower()


def _status_of(verb: str, result: dict[str, Any]) -> str | None:
    """Return the status that a statement tells, "" if it only shows an enrollment, ``None`` if not even that."""
    if verb == "failed":
        return "failed"
    if verb in _COMPLETED or (verb not in _NEVER and result.get("completion") is True):
        is_denied = result.get("completion") is False or result.get("success") is False
        return "failed" if is_denied else "completed"
    return "" if verb in _UNDER_WAY else None


def _actor(actor: dict[str, Any]) -> dict[str, Any]:
    if actor.get("objectType") == "Group" or "member" in actor:
        raise RejectedError("actor", "is a group, and not one learner")
    account = str(_object(actor.get("account")).get("name") or "")
    email = actor.get("mbox") or (account if "@" in account else "")
    sha1 = str(actor.get(SHA1) or "").lower()
    if not (email or account or sha1):
        raise RejectedError("actor", "has neither an email address (mbox, mbox_sha1sum) nor an account")
    found = {"email": email, "learner_id": "" if "@" in account else account, "full_name": actor.get("name")}
    return {**found, SHA1: sha1} if sha1 and not email and not account else found


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


# Statements of one file, judged together


class _Failed(NamedTuple):
    registration: str
    at: str
    statement: str


@dataclass(slots=True)
class Judge:
    """What the statements of one file say of each other."""

    _voided: set[str] = field(default_factory=set)
    _ids: set[str] = field(default_factory=set)  # of those that are voided, where the file has them
    _failed: dict[tuple[str, str], list[_Failed]] = field(default_factory=dict)

    def rows(self, statements: Iterable[tuple[int, Any]], understood: Understood) -> Iterator[tuple[int, Any]]:
        """Yield what is left of the statements, in their order; what is no statement passes as it is."""
        with tempfile.SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8") as kept:
            for row, value in statements:
                if (statement := statement_in(value)) is not None:
                    self._hear(statement)
                kept.write(json.dumps([row, value if statement is None else _short(statement)]) + "\n")
            kept.seek(0)
            left_out = 0
            for line in kept:
                row, value = json.loads(line)
                if (statement := statement_in(value)) is None:
                    yield row, value
                elif statement.get("voided") or str(statement.get("id", "")).lower() in self._voided:
                    self._ids.add(str(statement.get("id", "")).lower())
                    left_out += 1
                else:
                    yield row, self._judged(statement)
        if left_out:
            understood.warn(
                f"{left_out} voided {'statement counts' if left_out == 1 else 'statements count'} as never said."
            )
        if unknown := len(self._voided - self._ids):
            are = "statement that is" if unknown == 1 else "statements that are"
            understood.warn(f"{unknown} {are} voided here {'is' if unknown == 1 else 'are'} not in this file.")

    def _hear(self, statement: dict[str, Any]) -> None:
        verb = _verb_of(statement)
        if verb == "voided":
            self._voided.add(str(_object(statement.get("object")).get("id", "")).lower())
        elif verb == "failed":
            told = _Failed(_registration_of(statement), _moment_of(statement), str(statement.get("id", "")).lower())
            self._failed.setdefault(_activity_of(statement), []).append(told)

    def _judged(self, statement: dict[str, Any]) -> dict[str, Any]:
        """Return a statement as it counts: a completion that a failure took back is told as failed."""
        verb, result = _verb_of(statement), _object(statement.get("result"))
        if not self._failed or _status_of(verb, result) != "completed":
            return statement
        registration, at = _registration_of(statement), _moment_of(statement)
        is_passed = verb in ("passed", "satisfied", "waived") or result.get("success") is True
        for failed in self._failed.get(_activity_of(statement), ()):
            if failed.statement in self._voided or (failed.registration and failed.registration != registration):
                continue
            if not is_passed or at <= failed.at:
                return {**statement, "result": {**result, "success": False}}
        return statement


def _short(statement: dict[str, Any]) -> dict[str, Any]:
    """Return what is read of a statement; the rest is not kept."""
    names = ("id", "actor", "verb", "object", "result", "timestamp", "stored", "context", "voided")
    return {name: statement[name] for name in names if name in statement}


def _registration_of(statement: dict[str, Any]) -> str:
    return str(_object(statement.get("context")).get("registration") or "").lower()


def _activity_of(statement: dict[str, Any]) -> tuple[str, str]:
    actor = statement["actor"]
    account = _object(actor.get("account"))
    mbox = str(actor.get("mbox") or "").strip().lower()
    who = sha1_of(mbox.removeprefix("mailto:")) if mbox else str(actor.get(SHA1) or "").lower()
    who = who or f"{account.get('homePage')} {account.get('name')}"
    return who, str(_object(statement.get("object")).get("id"))


def _moment_of(statement: dict[str, Any]) -> str:
    text = str(statement.get("timestamp") or statement.get("stored") or "")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def sha1_of(email: str) -> str:
    """Return the ``mbox_sha1sum`` of an address, as the standard makes it."""
    return hashlib.sha1(f"mailto:{email}".encode(), usedforsecurity=False).hexdigest()
