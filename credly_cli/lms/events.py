"""What an event of Thought Industries says of an enrollment.

Its API, webhooks, nightly files and *Content Actions Log* tell the same three things: the name of the event (absent in
the log), its type and its source. The event names of the 2026 webhooks and of other systems' webhooks are read, too.
"""

from functools import lru_cache
from typing import Literal, TypeAlias

from credly_cli.lms.columns import key_of

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
