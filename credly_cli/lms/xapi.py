"""xAPI statements (and cmi5's) as rows of progress: who did what to which object, when."""

from typing import Any

from credly_cli.lms.records import RejectedError

_COMPLETED = frozenset({"completed", "complete", "passed", "satisfied"})
_ENROLLED = frozenset({"registered", "initialized"})
_UNDER_WAY = _ENROLLED | {"progressed", "launched", "attempted", "resumed", "suspended"}
_PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"


def is_statement(value: dict[str, Any]) -> bool:
    """Tell whether an object is an xAPI statement."""
    return isinstance(value.get("verb"), dict) and isinstance(value.get("actor"), dict)


def statement_row(statement: dict[str, Any]) -> dict[str, Any] | None:
    """Return a statement as a row of progress, ``None`` for one that says nothing of progress."""
    verb = str(statement["verb"].get("id", "")).rstrip("/").rpartition("/")[2].lower()
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


def _status_of(verb: str, result: dict[str, Any]) -> str | None:
    """Return the status that a statement tells, "" if it only shows an enrollment, ``None`` if not even that."""
    if verb == "failed":
        return "failed"
    if verb in _COMPLETED or (verb != "voided" and result.get("completion") is True):
        return "completed"
    return "" if verb in _UNDER_WAY else None


def _actor(actor: dict[str, Any]) -> dict[str, Any]:
    account = str(_object(actor.get("account")).get("name") or "")
    email = actor.get("mbox") or (account if "@" in account else "")
    if not (email or account):
        raise RejectedError("actor", "has neither an email address (mbox) nor an account")
    return {
        "email": email,
        "learner_id": "" if "@" in account else account,
        "full_name": actor.get("name"),
    }


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
