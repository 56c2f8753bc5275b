"""The rows of Thought Industries' API with the names that our readers know; what is not needed is left out."""

from collections.abc import Iterable, Iterator, Mapping

from credly_cli.lms.thought_industries.paging import Row
from credly_cli.lms.thought_industries.words import Meaning

_ONLY_SOLD = frozenset({"product", "bundle", "discountGroup", "pickableGroup", "subscription"})  # give access, no more
_STATUS = {"loginRestriction": "published"}  # learners who are signed in see it
_ENDED = frozenset({"revoked", "withdrawn", "removed", "cancelled", "canceled", "inactive", "disabled", "expired"})
NOTHING = ("",)  # sublicenses, but none that counts
_WORDS: dict[Meaning, Row] = {
    "completed": {"type": "status_change", "source": "course_completed"},
    "open": {"status": "not completed"},
    "ended": {"type": "revoked_access", "source": ""},
    "enrolled": {"type": "enrollment", "source": ""},
}
_OF_EVENT = ("id", "timestamp", "notifiableId", "user")
_OF_USER = ("id", "email", "firstName", "lastName")


def content_rows(items: Iterable[Row]) -> list[Row]:
    """Return content: the sessions first, so that the title of their course group wins."""
    kept = [item for item in items if item.get("id") and item.get("kind") not in _ONLY_SOLD]
    return [_content(item) for item in sorted(kept, key=lambda item: not _is_session(item))]


def _is_session(item: Row) -> bool:
    return bool(item.get("courseGroup")) and item["courseGroup"] != item["id"]


def _content(item: Row) -> Row:
    is_session = _is_session(item)
    url = str(item.get("url") or "")
    return {
        "content_id": item["courseGroup"] if is_session else item["id"],
        "session_id": item["id"] if is_session else item.get("displayCourse"),
        "session_title": item.get("sessionTitle") or item.get("title") if is_session else None,
        "title": item.get("title") or item.get("slug") or item["id"],
        "type": item.get("kind"),
        "status": _STATUS.get(str(item.get("status")), item.get("status")),
        "released_at": item.get("futurePublishDate"),
        "url": url if url.startswith("https://") else None,
    }


def session_rows(group: str, courses: Iterable[Row], status: str | None) -> list[Row]:
    """Return the sessions of a course group, as its own list has them."""
    return [
        {
            "content_id": group,
            "session_id": course["id"],
            "session_title": course.get("sessionTitle") or course.get("title"),
            "title": "",
            "status": _STATUS.get(str(course.get("status")), course.get("status")) or status,
        }
        for course in courses
        if course.get("id")
    ]


def gone_row(content_id: str, session_id: str | None) -> Row:
    """Return content, or a session, that the site does not list any more."""
    return {"content_id": content_id, "session_id": session_id, "title": "", "status": "deleted"}


def learner_row(user: Row) -> Row:
    """Return a user as a learner, but for where the user belongs."""
    return {
        "email": user.get("email"),
        "learner_id": user.get("id"),
        "first_name": user.get("firstName"),
        "last_name": user.get("lastName"),
        "locale": user.get("lang") or user.get("language"),
    }


def panorama_of(user: Row, panoramas: Mapping[str, str]) -> str | None:
    """Return the panorama of a user, "" where the site says that there is none, ``None`` where it says nothing."""
    client = user.get("clientId")
    if client:
        return panoramas.get(str(client), str(client))
    return "" if "clientId" in user else None


def sublicenses_of(user: Row, names: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the sublicenses that a user has as a learner; ``None`` where the site says nothing.

    Who had some and has none that is not revoked has a nameless one, which holds nothing.
    """
    if "allocatedLicenses" not in user:
        return None
    as_learner = [
        entry
        for entry in _list(user, "allocatedLicenses")
        if entry.get("licenseId") and entry.get("licenseRole") != "manager"
    ]
    active = [str(entry["licenseId"]) for entry in as_learner if str(entry.get("status")).lower() not in _ENDED]
    found = tuple(dict.fromkeys(names.get(identity, identity) for identity in active))
    return found or (NOTHING if as_learner else ())


def enrollment_rows(user: Row) -> Iterator[Row]:
    """Yield what a user is enrolled in. That it is complete, and when, is for events to say."""
    for name, key in (("purchasedCourses", "courseId"), ("allocatedLearningPaths", "learningPathId")):
        for entry in _list(user, name):
            if entry.get(key):
                ended = str(entry.get("status")).lower() in _ENDED
                person = {"email": user.get("email"), "learner_id": user.get("id")}
                yield {**person, "session_id": entry[key], "status": "withdrawn" if ended else ""}


def event_row(event: Row, meaning: Meaning) -> Row:
    """Return an event, in words that our readers know."""
    detail = detail_of(event)
    row = {name: event.get(name) for name in _OF_EVENT} | _WORDS[meaning]
    if meaning == "open" and "started" not in str(event.get("source")):
        row["id"] = None  # of no event of its own, it denies the completion before it; who starts anew denies none
    return {**row, "userDetail": {name: detail.get(name) for name in _OF_USER}}


def detail_of(event: Row) -> Row:
    """Return what an event says of its user."""
    detail = event.get("userDetail")
    return detail if isinstance(detail, dict) else {}


def email_of(event: Row) -> str | None:
    """Return the address of an event's user."""
    return detail_of(event).get("email") or event.get("user") or None


def content_of(owner: Row) -> list[str]:
    """Return the content that a panorama or a sublicense has."""
    return [str(identity) for name in ("courseIds", "learningPathIds") for identity in owner.get(name) or ()]


def name_of(owner: Row) -> str:
    """Return the name of a panorama or sublicense."""
    return str(owner.get("name") or owner.get("id"))


def _list(row: Row, name: str) -> list[Row]:
    return [entry for entry in row.get(name) or () if isinstance(entry, dict)]
