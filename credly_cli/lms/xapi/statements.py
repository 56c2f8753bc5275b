"""xAPI statements (and cmi5's) as records of progress: who did what to which object, when.

What statements say of each other (one is voided, a *failed* takes back a *completed*) is judged where they are taken
in, over all that are known: ``importing/statements.py``.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from credly_cli.lms.columns import Columns, match_columns
from credly_cli.lms.dates import DateReader, Moment
from credly_cli.lms.fields import PersonReader, read_percentage
from credly_cli.lms.records import (
    ProgressRecord,
    Reading,
    RejectedError,
    Statement,
    Understood,
    VoidingRecord,
    Word,
)
from credly_cli.lms.statuses import LeftOutError
from credly_cli.lms.text import complaint
from credly_cli.text import JsonObject, storable

_COMPLETED = frozenset({"completed", "complete", "passed", "satisfied", "waived"})
_PASSED = frozenset({"passed", "satisfied", "waived"})
_STATUSES: dict[Word, Literal["complete", "open", "ended"] | None] = {
    "completed": "complete", "passed": "complete", "failed": "open", "open": "open", "ended": "ended", "": None,
}  # fmt: skip
_ENROLLED = frozenset({"registered", "initialized"})
_UNDER_WAY = _ENROLLED | {"progressed", "launched", "attempted", "resumed", "suspended"}
_NEVER = frozenset({"answered", "scored", "attempted", "failed"})  # whatever their result says
_WORD_OF: dict[str | None, Word] = {"open": "open", "ended": "ended"}
_KNOWN = _COMPLETED | _UNDER_WAY | _NEVER
_PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"
_REMEMBERED = 10_000  # agents
_LONGEST_TITLE = 200
_LONGEST_VERB = 64
_PRECISE = "%Y-%m-%dT%H:%M:%S.%fZ"
_in_milliseconds = re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII).fullmatch
_PERSON = ("email", "learner_id", "full_name")
_CONSTANT = ("content_id", "session_id", "learner_id")  # columns for which --map COLUMN==VALUE is heeded
SHA1 = "mbox_sha1sum"
OPENID = "openid"  # the numbering that OpenIDs are of


def statement_in(value: object) -> JsonObject | None:
    """Return the statement that an object is, or that a record store has wrapped in one of its own."""
    if not isinstance(value, dict):
        return None
    inside = value.get("statement")
    if isinstance(inside, dict) and is_statement(inside):
        return {**inside, "voided": True} if value.get("voided") is True else inside
    return value if is_statement(value) else None


def is_statement(value: JsonObject) -> bool:
    """Tell whether an object is an xAPI statement."""
    return isinstance(value.get("verb"), dict) and isinstance(value.get("actor"), dict)


def verb_of(statement: JsonObject) -> str:
    """Return the last word of the verb's address."""
    return last_word(str(statement["verb"].get("id", "")))


def last_word(verb: str) -> str:
    """Return the last word of a verb's address."""
    return verb.rstrip("/").rpartition("/")[2].lower()


class _Agent(NamedTuple):
    email: str | None
    learner_id: str | None
    numbering: str | None  # that the id is of
    sha1: str | None
    first_name: str | None
    last_name: str | None


class StatementReader:
    """Reads statements as records; nobody is told apart by more than the standard has: address, hash, OpenID, account.

    Of a file the learner of a hash must be known; a group is rejected there, and left out and counted of an API.
    ``verbs`` are those that a person has named: where they are none that is known, their result says what completes.
    """

    def __init__(self, reading: Reading, understood: Understood, *, is_file: bool, verbs: Iterable[str] = ()) -> None:
        self._reading = reading
        self._meanings = {
            last_word(word): meaning for word, meaning in reading.values.get("status", {}).items() if last_word(word)
        }
        self._named = frozenset(map(last_word, verbs)) - _KNOWN
        self._understood = understood
        self._is_file = is_file
        self._times = DateReader(reading, "timestamp")
        columns: Columns = match_columns("progress", _PERSON, {}, optional=True)
        self._person = PersonReader(columns, understood)
        self._agents: dict[tuple[Any, ...], _Agent] = {}
        self._given = {
            column: text[1:].strip()
            for column, text in reading.mapping.items()
            if column in _CONSTANT and text.startswith("=")
        }

    def read(self, row: int, statement: JsonObject) -> ProgressRecord | VoidingRecord | None:
        """Read a statement, ``None`` for one that says nothing of progress.

        Raises ``RejectedError`` for one that cannot be taken, ``LeftOutError`` for one that is of no learner.
        """
        verb = verb_of(statement)
        if statement.get("voided") is True:
            return VoidingRecord(row, _id_of(statement), None)
        target, result = _object(statement.get("object")), _object(statement.get("result"))
        if verb == "voided":
            return VoidingRecord(row, _id_of(target), str(statement.get("id") or "") or None)
        word = self._word(verb, result)
        if word is None:
            self._understood.count(self._understood.passed_over, verb[:_LONGEST_VERB] or "no verb")
            return None
        agent, activity = self._agent(statement["actor"]), self._activity(statement, target)
        happened = self._happened(statement, word)
        at = happened.at if happened else None
        completed = happened if word in ("completed", "passed") else None
        return ProgressRecord(
            row, agent.email, agent.learner_id, activity, False, self._given.get("session_id"),
            self._progress(result), _STATUSES[word],
            at if verb in _ENROLLED else None,
            completed.at if completed else None,
            completed.latest if completed else None,
            str(statement.get("id") or "") or None, agent.first_name, agent.last_name, at,
            agent.numbering, _judged_part(statement, agent, activity, word, at), agent.sha1, _title_of(target),
        )  # fmt: skip

    def _word(self, verb: str, result: JsonObject) -> Word | None:
        """Return what a statement says of a completion, "" if it only shows an enrollment, ``None`` if not even that.

        What its result says counts with the verbs of a completion only, and with those that a person gave a meaning.
        """
        meaning = self._meanings.get(verb)
        if meaning == "ignore":
            raise LeftOutError("status", verb)
        if meaning in _WORD_OF:
            return _WORD_OF[meaning]
        if verb == "failed" and meaning is None:
            return "failed"
        completion, success = (_flag(result, "completion"), _flag(result, "success")) if result else (None, None)
        completes = verb in _COMPLETED or meaning == "completed"
        if not completes and completion and verb not in _NEVER:
            completes = verb in self._named
            if not completes and success is not False:
                self._understood.count(self._understood.claimed, verb[:_LONGEST_VERB])
        if not completes:
            return "" if verb in _UNDER_WAY else None
        if completion is False or success is False:
            return "open"
        return "passed" if verb in _PASSED or success else "completed"

    def _activity(self, statement: JsonObject, target: JsonObject) -> str:
        activity = self._given.get("content_id") or str(target.get("id") or "").strip()
        if not activity:
            raise RejectedError("object", "has no id: what the progress is in is not known")
        if target.get("objectType", "Activity") != "Activity":
            raise LeftOutError("object", str(target.get("objectType"))[:_LONGEST_TITLE])
        if problem := complaint(f"{activity}{statement.get('id')}{_registration_of(statement)}"):
            raise RejectedError("", problem)
        return activity

    def _happened(self, statement: JsonObject, word: Word) -> Moment | None:
        happened = self._times.past(str(statement.get("timestamp") or statement.get("stored") or ""))
        if happened is None and word:
            raise RejectedError("timestamp", "is empty: when it happened is not said")
        return happened

    @staticmethod
    def _progress(result: JsonObject) -> float | None:
        progress = _object(result.get("extensions")).get(_PROGRESS)
        try:
            return None if progress is None else read_percentage(str(progress))
        except ValueError as problem:
            raise RejectedError("progress", str(problem)) from None

    def _agent(self, actor: JsonObject) -> _Agent:
        account = _object(actor.get("account"))
        key = (
            actor.get("mbox"), account.get("homePage"), account.get("name"), actor.get("name"), actor.get(SHA1),
            actor.get(OPENID), actor.get("objectType"), "member" in actor,
        )  # fmt: skip
        try:
            return self._agents[key]
        except KeyError:
            agent = self._read_agent(actor, account)
        except TypeError:  # a list in place of a text
            raise RejectedError("actor", "is none that the standard has") from None
        if len(self._agents) >= _REMEMBERED:
            self._agents.clear()
        if self._is_file is False or agent.sha1 is None:
            self._agents[key] = agent
        return agent

    def _read_agent(self, actor: JsonObject, account: JsonObject) -> _Agent:
        if actor.get("objectType") == "Group" or "member" in actor:
            raise self._no_learner("group", "is a group, and not one learner")
        name, sha1 = str(account.get("name") or "").strip(), str(actor.get(SHA1) or "").strip().lower()
        mbox = str(actor.get("mbox") or (name if "@" in name else ""))
        identity, numbering = ("", None) if "@" in name else (name, _numbering_of(account))
        if not (mbox or name or sha1):
            identity, numbering = str(actor.get(OPENID) or "").strip(), OPENID
        if not (mbox or identity or sha1):
            reason = "has neither an email address (mbox, mbox_sha1sum) nor an openid or account"
            raise self._no_learner("anonymous", reason)
        if "learner_id" in self._given:
            identity, numbering = self._given["learner_id"], None
        cells = [mbox, identity, _name_of(actor), ""]
        _refuse_what_is_no_text(cells, numbering)
        email, learner_id = self._person.email(cells), self._person.learner_id(cells)
        if sha1 and not email and not learner_id:
            return self._of_hash(sha1, cells)
        if email is None and learner_id is None:
            raise RejectedError("actor", "has neither an email address nor an id")
        return _Agent(email, learner_id, numbering if learner_id else None, None, *self._person.names(cells))

    def _of_hash(self, sha1: str, cells: list[str]) -> _Agent:
        names = self._person.names(cells)
        if not self._is_file:
            return _Agent(None, None, None, sha1, *names)
        email = self._reading.address_of(sha1) if self._reading.address_of else None
        if email is None:
            raise RejectedError("actor", f"no learner here has the address of the {SHA1} {sha1[:40]!r}")
        return _Agent(email, None, None, None, *names)

    def _no_learner(self, word: str, reason: str) -> Exception:
        return RejectedError("actor", reason) if self._is_file else LeftOutError("actor", word)


def _name_of(actor: JsonObject) -> str:
    """Return the name of an agent; what some systems write in its place, the login, is none."""
    name = str(actor.get("name") or "").strip()
    is_login = name.isascii() and " " not in name and (name.islower() or not name.replace("-", "").isalpha())
    return "" if is_login else name


def statement_row(statement: JsonObject) -> JsonObject:
    """Return what a statement has, by the names of columns: for whoever asks whether it is of another kind."""
    actor = statement["actor"]
    name = _object(actor.get("account")).get("name")
    return {
        "email": actor.get("mbox"),
        "learner_id": name,
        "full_name": actor.get("name"),
        "content_id": _object(statement.get("object")).get("id"),
        "status": verb_of(statement),
        "timestamp": statement.get("timestamp"),
        "event_id": statement.get("id"),
    }


def _refuse_what_is_no_text(cells: list[str], numbering: str | None) -> None:
    for column, cell in zip((*_PERSON, "actor"), (*cells[:3], numbering or ""), strict=True):
        if problem := complaint(cell):
            raise RejectedError(column, problem)


def _judged_part(statement: JsonObject, agent: _Agent, activity: str, word: Word, at: str | None) -> Statement | None:
    """Return what is judged with other statements."""
    if word not in ("completed", "passed", "failed"):
        return None
    identity = _id_of(statement) or _made_id(agent, activity, word, at)
    return Statement(identity, word, _registration_of(statement), _moment_of(statement, str(at)))


def _flag(result: JsonObject, name: str) -> bool | None:
    """Return what a result says of completion or success, ``None`` where it says nothing."""
    value = result.get(name)
    if isinstance(value, str):
        value = {"true": True, "false": False, "": None}.get(value.strip().lower(), value)
    if value is None or isinstance(value, bool):
        return value
    raise RejectedError("result", f"its {name} is neither true nor false")


def _object(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _id_of(value: JsonObject) -> str:
    return str(value.get("id") or "").strip().lower()


def _made_id(agent: _Agent, activity: str, word: str, at: str | None) -> str:
    """Name a statement that has no id, so that it counts once however often it is read."""
    fields = "\x1f".join(map(str, (*agent[:4], activity, word, at)))
    return f"~{hashlib.sha256(fields.encode()).hexdigest()[:32]}"


def _registration_of(statement: JsonObject) -> str:
    return str(_object(statement.get("context")).get("registration") or "").strip().lower()


def precise(text: object) -> str | None:
    """Bring a time into UTC text to the microsecond; ``None`` for what is none."""
    time = str(text)
    if _in_milliseconds(time):
        return f"{time[:23]}000Z"
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).strftime(_PRECISE)


def moved(time: str, **by: float) -> str:
    """Return a precise time some time earlier or later."""
    return (datetime.strptime(time, _PRECISE) + timedelta(**by)).strftime(_PRECISE)  # noqa: DTZ007 - all are UTC


def _moment_of(statement: JsonObject, at: str) -> str:
    """Return when it happened; ``at`` is when to the second, for what can be read by nobody else."""
    return precise(statement.get("timestamp") or statement.get("stored")) or at


def _numbering_of(account: JsonObject) -> str | None:
    return str(account.get("homePage") or "").strip().rstrip("/") or None


def _title_of(activity: JsonObject) -> str | None:
    """Return the name of an activity: in English where there is one, else in the first language."""
    names = _object(_object(activity.get("definition")).get("name"))
    title = next((str(name) for language, name in names.items() if language.lower().startswith("en")), None)
    title = title or next((str(name) for name in names.values()), None)
    return storable(title[:_LONGEST_TITLE]) if title else None
