"""The words by which systems say how an enrollment stands: statuses, and the names, types and sources of events.

An event of Thought Industries (its API, webhooks, nightly files and *Content Actions Log*) has a name, which the log
leaves out, a type and a source. Webhooks of other systems have names only.
"""

from functools import lru_cache
from typing import Literal, TypeAlias

from credly_cli.lms.columns import key_of
from credly_cli.lms.dates import says_nothing

Standing: TypeAlias = Literal["open", "complete", "ended"]

_COMPLETE = (
    "completed", "complete", "passed", "satisfied", "coursecompleted", "done", "yes", "true", "1", "finished",
)  # fmt: skip
_ENDED = (
    "withdrawn", "withdrew", "revokedaccess", "revoked", "unenrolled", "unenroled", "dropped", "cancelled", "canceled",
)  # fmt: skip
ENROLLED = ("enrolled", "enrollment", "enrolment", "registered", "assigned", "initialized")
_OPEN = (
    *ENROLLED, "inprogress", "progressed", "started", "notstarted", "notattempted", "attempted", "failed", "fail",
    "notpassed", "incomplete", "notcomplete", "notcompleted", "uncompleted", "available", "active", "open", "ongoing",
    "expired", "overdue", "pastdue", "suspended", "pending", "paused", "browsed", "viewed", "todo", "unknown", "no",
    "false", "0",
)  # fmt: skip
STANDINGS: dict[str, Standing] = {
    **dict.fromkeys(_COMPLETE, "complete"),
    **dict.fromkeys(_ENDED, "ended"),
    **dict.fromkeys(_OPEN, "open"),
}


@lru_cache(maxsize=1024)
def standing_of(status: str) -> Standing | None:
    """Return what a status says; ``None`` if it is empty, ``ValueError`` if it is unknown.

    An unknown word is not taken for "not complete": that would lose badges without anybody noticing.
    """
    if says_nothing(status):
        return None
    word = key_of(status.rstrip("/").rpartition("/")[2] if "/verbs/" in status else status)
    if word not in STANDINGS:
        raise ValueError(f"{status.strip()!r} is not a known status")
    return STANDINGS[word]


# Events

Action: TypeAlias = Literal["enrolled", "completed", "ended"]

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
}
_OF_TYPE: dict[str, Action] = {
    "enrollment": "enrolled",
    "enrolment": "enrolled",
    "revokedaccess": "ended",
}
_NO_PROGRESS = frozenset({
    "login", "visit", "courseview", "emailcapture", "award", "newslettersignup", "ordercompleted", "ordercreated",
    "usercreated", "userupdated", "userlastactive14", "userlastactive31", "discountgrouppurchase",
    "subscriptionreactivation",
})  # fmt: skip


@lru_cache(maxsize=1024)
def action_of(event: str, kind: str, source: str) -> Action | None:
    """Return what an event did to the enrollment, ``None`` if nothing that is known (the learner is enrolled)."""
    if key_of(source) in _COMPLETED_SOURCES and key_of(kind) in ("statuschange", ""):
        return "completed"
    return _OF_TYPE.get(key_of(kind)) or _OF_EVENT.get(key_of(event))


def is_about_progress(event: str) -> bool:
    """Tell whether an event can say anything of an enrollment."""
    return key_of(event) not in _NO_PROGRESS
