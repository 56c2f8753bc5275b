"""What a site teaches, and to whom: content with its sessions, panoramas and their sublicenses."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from credly_cli.http.response import HttpFailure
from credly_cli.identity import is_main_sublicense
from credly_cli.lms.source import Known
from credly_cli.lms.thought_industries import rows
from credly_cli.lms.thought_industries.client import Client, is_not_there
from credly_cli.lms.thought_industries.paging import Row

_FORBIDDEN = 403
_MOST_GROUPS = 50  # that are asked for their sessions because of an event, in a run
_MOST_ASKED = 30  # ids in one question
_MOST_ABSENT = 3  # groups that are not there, before the list itself is taken for absent


def is_refused(failure: HttpFailure) -> bool:
    """Tell whether a list is not there, or not for this key."""
    return is_not_there(failure) or failure.status == _FORBIDDEN


class Sessions:
    """Asks for the sessions of course groups, which the list of content may not show; each group once a run."""

    def __init__(self, client: Client, known: Known) -> None:
        self._client = client
        self._known = known
        self._asked_groups: set[str] = set()
        self._looked_for: set[str] = set()
        self._absent = 0

    def unlisted(self, listed: list[Row]) -> list[Row]:
        """Return the sessions that a whole list of content lacks."""
        found = Counter(row["content_id"] for row in listed if row["session_id"])
        counts = self._counts()
        if counts is not None:
            wanted = [group for group, count in counts.items() if count > found[group]]
        else:
            wanted = [group for group in self._known.linked() if 0 < found[group] <= 1]
        status = {row["content_id"]: row["status"] for row in listed}
        have = {row["session_id"] for row in listed}
        rows_of = (row for group in wanted for row in self._of(group, status.get(group)))
        return [row for row in rows_of if row["session_id"] not in have]

    def find(self, unknown: Mapping[str, str]) -> list[Row]:
        """Return content for ids that only events name, by what they call it; not all need be found."""
        found: list[Row] = []
        names = [identity for identity in unknown if identity not in self._looked_for]
        self._looked_for.update(names)
        for start in range(0, len(names), _MOST_ASKED):
            query = " OR ".join(f"_id:{identity}" for identity in names[start : start + _MOST_ASKED])
            try:
                items = list(self._client.rows("/content", query=query))
            except HttpFailure as failure:
                if not is_refused(failure):
                    raise
                break
            found += rows.content_rows(item for item in items if str(item.get("id")) in unknown)
        missing = set(names) - {str(row[key]) for row in found for key in ("content_id", "session_id") if row[key]}
        groups = [group for identity in names if identity in missing for group in self._known.titled(unknown[identity])]
        groups = list(dict.fromkeys([*groups, *self._known.linked()])) if missing else []
        for group in groups[:_MOST_GROUPS]:
            sessions = self._of(group, None)
            found += sessions
            missing -= {row["session_id"] for row in sessions}
            if not missing:
                break
        return found

    def _counts(self) -> dict[str, int] | None:
        """Return how many sessions groups have, where the site tells."""
        try:
            groups = list(self._client.rows("/courseGroups", must_have_end=False))
        except HttpFailure as failure:
            if not is_refused(failure):
                raise
            return None
        counts = {str(group["id"]): str(group.get("courseCount")) for group in groups if group.get("id")}
        known = {group: int(count) for group, count in counts.items() if count.isdecimal()}
        return known if known or not counts else None

    def _of(self, group: str, status: str | None) -> list[Row]:
        if group in self._asked_groups or self._absent >= _MOST_ABSENT:
            return []
        self._asked_groups.add(group)
        try:
            courses = list(self._client.rows(f"/courseGroups/{group}/courses", must_have_end=False))
        except HttpFailure as failure:
            if not is_refused(failure):
                raise
            self._absent += 1
            return []
        self._absent = 0
        return rows.session_rows(group, courses, status)


class Listed:
    """The content of the last whole list: what is there no more is not released any more."""

    def __init__(self, bookmark: str | None) -> None:
        self._before = {(pair[0], pair[1]) for pair in json.loads(bookmark or "[]")}

    def gone(self, listed: Iterable[Row]) -> list[Row]:
        """Return what the list had the last time and has not now."""
        sessions = {row["session_id"] for row in listed if row["session_id"]}
        gone = self._before - _pairs(listed)
        return [rows.gone_row(*pair) for pair in sorted(gone, key=str) if pair[1] is None or pair[1] not in sessions]

    def is_suspicious(self, listed: list[Row]) -> bool:
        """Tell a list that is empty all of a sudden, which may be a right that the key lost."""
        return bool(self._before) and not listed

    @staticmethod
    def text(listed: Iterable[Row]) -> str:
        """Return what is to be kept."""
        return json.dumps(sorted(map(list, _pairs(listed)), key=str))


def _pairs(listed: Iterable[Row]) -> set[tuple[str, str | None]]:
    return {(str(row["content_id"]), str(row["session_id"]) if row["session_id"] else None) for row in listed}


@dataclass(slots=True)
class Tenants:
    """Panoramas and sublicenses, with what they have."""

    panoramas: dict[str, str] = field(default_factory=dict)  # id -> name
    sublicenses: dict[str, Row] = field(default_factory=dict)  # id -> name, client, has
    has: dict[str, list[str]] = field(default_factory=dict)  # panorama's id -> content
    refused: list[str] = field(default_factory=list)  # names of panoramas whose sublicenses were not shown
    tagged: list[str] = field(default_factory=list)  # names of those that are given content by tags, too

    def names(self) -> dict[str, str]:
        """Return the names of sublicenses by id."""
        return {identity: str(entry["name"]) for identity, entry in self.sublicenses.items()}

    def access_rows(self) -> Iterator[Row]:
        """Yield the content that each has."""
        for identity, content in self.has.items():
            yield from ({"content_id": each, "panorama": self.panoramas[identity]} for each in content)
        mains = Counter(str(entry["name"]).casefold() for entry in self.sublicenses.values())
        for entry in self.sublicenses.values():
            name, client = str(entry["name"]), str(entry["client"])
            content = entry["has"]
            if is_main_sublicense(name, None) and mains[name.casefold()] == 1:
                content = [*self.has.get(client, ()), *content]
            yield from ({"content_id": each, "sublicense": name} for each in dict.fromkeys(content))


def read_tenants(client: Client, earlier: Mapping[str, Row]) -> Tenants | None:
    """Read panoramas and sublicenses; ``None`` where the site has none or does not show them.

    A list of sublicenses that is refused leaves what was known ``earlier``.
    """
    try:
        clients = [entry for entry in client.rows("/clients") if entry.get("id")]
    except HttpFailure as failure:
        if not is_refused(failure):
            raise
        return None
    found = Tenants()
    for entry in clients:
        identity, name = str(entry["id"]), rows.name_of(entry)
        found.panoramas[identity], found.has[identity] = name, rows.content_of(entry)
        kept = {key: old for key, old in earlier.items() if old["client"] == identity}
        licenses = _licenses(client, identity, must_be_there=bool(kept))
        if licenses is None:
            found.sublicenses |= kept
            found.refused.append(name)
            continue
        for each in licenses:
            content = rows.content_of(each)
            tenant = {"name": rows.name_of(each), "client": identity, "has": content}
            found.sublicenses[str(each["id"])] = tenant
        tagged = [owner for owner in (entry, *licenses) if owner.get("courseTagIds")]
        found.tagged += [rows.name_of(owner) for owner in tagged]
    _name_apart(found)
    return found


def _licenses(client: Client, identity: str, *, must_be_there: bool) -> list[Row] | None:
    """Read the sublicenses of a panorama; ``None`` where they are refused, or were there and are not."""
    try:
        found = list(client.rows(f"/clients/{identity}/licenses", clientId=identity))
    except HttpFailure as failure:
        if not is_refused(failure):
            raise
        return None if must_be_there or failure.status == _FORBIDDEN else []
    return [entry for entry in found if entry.get("id")]


def _name_apart(found: Tenants) -> None:
    """Put the panorama before the names of sublicenses that several have, but of those that have all of theirs."""
    times = Counter(str(entry["name"]).casefold() for entry in found.sublicenses.values())
    for entry in found.sublicenses.values():
        name = str(entry["name"])
        if times[name.casefold()] > 1 and not is_main_sublicense(name, None):
            entry["name"] = f"{found.panoramas[entry['client']]} / {name}"
