"""Whom events are about: who they are where an event does not say it, and where they belong."""

import json
from collections.abc import Mapping

from credly_cli.http.response import HttpFailure
from credly_cli.lms.reader import read_objects
from credly_cli.lms.records import LearnerRecord, Reading, Records
from credly_cli.lms.source import Known
from credly_cli.lms.thought_industries import rows
from credly_cli.lms.thought_industries.client import Client
from credly_cli.lms.thought_industries.paging import Row, happened_at

_MOST_FAILURES = 3  # of look-ups of users in a run
_NEVER_PASSES = ("rate-limited", "unreachable", "interrupted", "lms-token-refused")


class Names:
    """The names of panoramas and sublicenses by id."""

    def __init__(self, panoramas: Mapping[str, str], sublicenses: Mapping[str, str]) -> None:
        self.panoramas = panoramas
        self.sublicenses = sublicenses

    @classmethod
    def read_from(cls, bookmarks: Mapping[str, str]) -> "Names":
        """Read the names that were last told."""
        tenants: dict[str, Row] = json.loads(bookmarks.get("sublicenses", "{}"))
        names = {identity: str(entry["name"]) for identity, entry in tenants.items()}
        return cls(json.loads(bookmarks.get("panoramas", "{}")), names)


def learner_records(users: list[Row], names: Names, reading: Reading) -> Records:
    """Yield users as learners, with where they belong: what the site says that they have not is taken away."""
    for record in read_objects("learners", map(rows.learner_row, users), reading):
        if isinstance(record, LearnerRecord):
            user = users[record.row - 1]
            panorama = rows.panorama_of(user, names.panoramas)
            yield record._replace(panorama=panorama, sublicenses=rows.sublicenses_of(user, names.sublicenses))
        else:
            yield record


class Users:
    """Looks users up of whom events do not say enough; one whose look-up fails keeps no other event back."""

    def __init__(self, client: Client, known: Known) -> None:
        self._client = client
        self._known = known
        self.failures: list[HttpFailure] = []

    def of(self, events: list[Row]) -> list[Row]:
        """Return the users of events that have no names or no address, whom the store does not know either."""
        found: list[Row] = []
        asked = set()
        for event in events:
            detail, email = rows.detail_of(event), rows.email_of(event)
            name = detail.get("id") or email
            is_named = email and detail.get("firstName") and detail.get("lastName")
            if not name or name in asked or is_named:
                continue
            asked.add(name)
            if not self._known.learner(detail.get("id"), email) and (user := self._look_up(str(name))):
                found.append(user)
        return found

    def _look_up(self, name: str) -> Row | None:
        if len(self.failures) >= _MOST_FAILURES:
            return None
        try:
            return self._client.user(name)
        except HttpFailure as failure:
            if failure.code in _NEVER_PASSES and failure.status != 403:  # noqa: PLR2004
                raise
            self.failures.append(failure)
            return None


def belonging(events: list[Row], known: Known, names: Names, read_at: str, reading: Reading) -> Records:
    """Yield where learners belong, by events that are newer than the last reading of users, or of people unknown to it.

    Where nobody knew the learner the event's sublicense is taken, too; else it may be one of several.
    """
    latest: dict[str, Row] = {}
    for event in events:
        detail, email, at = rows.detail_of(event), rows.email_of(event), happened_at(event)
        if not email or not at or not (detail.get("client") or event.get("license")):
            continue
        is_new = not known.learner(detail.get("id"), email)
        name = str(detail.get("id") or email)
        if (is_new or at > read_at) and (name not in latest or at > latest[name]["at"]):
            client, license_ = detail.get("client"), event.get("license")
            latest[name] = {
                "at": at,
                "email": email,
                "learner_id": detail.get("id"),
                "panorama": names.panoramas.get(str(client), str(client)) if client else None,
                "sublicenses": (names.sublicenses.get(str(license_), str(license_)),) if license_ and is_new else None,
            }
    newest = list(latest.values())
    objects = ({key: row[key] for key in ("email", "learner_id")} for row in newest)
    for record in read_objects("learners", objects, reading):
        if isinstance(record, LearnerRecord):
            row = newest[record.row - 1]
            yield record._replace(panorama=row["panorama"], sublicenses=row["sublicenses"])
