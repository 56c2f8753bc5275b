"""The rows of Thought Industries' API with the names that our readers know; what is not needed is left out."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Row = dict[str, Any]

_ONLY_SOLD = frozenset({"product", "bundle", "discountGroup", "pickableGroup", "subscription"})  # give access, no more
_STATUS = {"loginRestriction": "published"}  # learners who are signed in see it
_ENDED = frozenset({"revoked", "withdrawn", "removed", "cancelled", "canceled"})
_OF_EVENT = ("id", "type", "source", "timestamp", "notifiableId", "user")
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


def learner_row(user: Row, panoramas: Mapping[str, str], licenses: Mapping[str, str]) -> Row:
    """Return a user as a learner."""
    own = [
        entry.get("licenseId") for entry in _list(user, "allocatedLicenses") if entry.get("licenseRole") != "manager"
    ]
    client = user.get("clientId")
    return {
        "email": user.get("email"),
        "learner_id": user.get("id"),
        "first_name": user.get("firstName"),
        "last_name": user.get("lastName"),
        "panorama": panoramas.get(str(client), client),
        "sublicense": licenses.get(str(own[0]), own[0]) if own else None,
        "locale": user.get("lang") or user.get("language"),
    }


def enrollment_rows(user: Row) -> Iterator[Row]:
    """Yield what a user is enrolled in. That it is complete, and when, is for events to say."""
    for name, key in (("purchasedCourses", "courseId"), ("allocatedLearningPaths", "learningPathId")):
        for entry in _list(user, name):
            if entry.get(key):
                ended = str(entry.get("status")).lower() in _ENDED
                who = {"email": user.get("email"), "learner_id": user.get("id")}
                yield {**who, "session_id": entry[key], "status": "withdrawn" if ended else ""}


def event_row(event: Row, stream: str) -> Row:
    """Return an event."""
    detail = event.get("userDetail")
    detail = detail if isinstance(detail, dict) else {}
    row = {name: event.get(name) for name in _OF_EVENT}
    return {**row, "event": event.get("event") or stream, "userDetail": {name: detail.get(name) for name in _OF_USER}}


def stand_in_content(event: Row) -> Row:
    """Return content that only an event speaks of: it is not released, and linkable all the same."""
    title = event.get("title") or event.get("courseTitle") or event.get("learningPathTitle")
    return {"content_id": event["notifiableId"], "title": title or event["notifiableId"], "status": "archived"}


def access_rows(owner: Row, column: str) -> Iterator[Row]:
    """Yield the content that a panorama or a sublicense has."""
    for name in ("courseIds", "learningPathIds"):
        for identity in owner.get(name) or ():
            yield {"content_id": str(identity), column: name_of(owner)}


def name_of(owner: Row) -> str:
    """Return the name of a panorama or sublicense."""
    return str(owner.get("name") or owner.get("id"))


def _list(row: Row, name: str) -> list[Row]:
    return [entry for entry in row.get(name) or () if isinstance(entry, dict)]
