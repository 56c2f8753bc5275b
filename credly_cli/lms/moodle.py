"""Moodle's activity completion report: a row a learner, and of each activity its state and, beside it, when."""

import re
from collections.abc import Mapping, Sequence

from credly_cli.errors import Failure
from credly_cli.lms.columns import Columns, match_columns
from credly_cli.lms.records import Activity, Cells, Reading, Record, Reject, RejectedError, Understood
from credly_cli.lms.rows import ProgressReader
from credly_cli.lms.statuses import LeftOutError

_NOTHING_OR_DATE = re.compile(r"\s*|\s*\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?)?\s*", re.ASCII)


def activities_in(header: Sequence[str], mapping: Mapping[str, str]) -> list[int]:
    """Return the places of the activities in the header of such a report, none if it is another file."""
    if len(header) < 4 or header[0].strip() or not {"content_id", "content_title", "session_id"}.isdisjoint(mapping):  # noqa: PLR2004
        return []
    places: list[int] = []
    at = len(header) - 1
    while at > 1 and _NOTHING_OR_DATE.fullmatch(header[at]) and not _NOTHING_OR_DATE.fullmatch(header[at - 1]):
        places.insert(0, at - 1)
        at -= 2
    try:
        person = match_columns("progress", header[: at + 1], mapping).places
    except Failure:
        return []
    return places if "email" in person or "learner_id" in person else []


class ActivityReader:
    """Reads the rows of the report, each as one of progress for each activity."""

    def __init__(self, header: Sequence[str], places: Sequence[int], reading: Reading, understood: Understood) -> None:
        titles = [header[place].strip() for place in places]
        if doubled := next((title for title in titles if titles.count(title) > 1), None):
            raise Failure(
                "import-rejected",
                f"Two activities of the report are called {doubled!r}, and it needs to be known which is meant.",
                hint="Rename or remove one of them.",
            )
        base = match_columns("progress", header[: places[0]], reading.mapping)
        known = dict(base.places)
        if "full_name" not in reading.mapping:
            known["full_name"] = 0  # a column Username beside it is a login
        understood.used.update({column: base.label(column) for column in known if known[column]})
        used = {0, *known.values(), *base.emails}
        understood.unused += [text.strip() for place, text in enumerate(header[: places[0]]) if place not in used]
        self._understood = understood
        self._readers = [
            (Activity(title, understood), ProgressReader(columns, reading, understood))
            for title, place in zip(titles, places, strict=True)
            for columns in [
                Columns(
                    [*header, title],
                    {**known, "status": place, "completed_at": place + 1, "content_title": len(header)},
                    base.emails,
                )
            ]
        ]
        for _, reader in self._readers:
            reader.counts_dates = False  # the report writes when a state was noted, whatever it is

    def read(self, row: int, cells: Cells) -> list[Record | Reject]:
        """Read a row."""
        read: list[Record | Reject] = []
        split = self._understood.names_split
        for activity, reader in self._readers:
            try:
                record = reader.read(row, [*cells[:-1], activity, ""])
            except RejectedError as rejected:
                read.append(Reject(row, rejected.column, rejected.reason))
            except LeftOutError as left:
                self._understood.leave_out(left.column, left.word)
            else:
                record = record._replace(content=activity)
                read.append(record)
        self._understood.names_split = min(split + 1, self._understood.names_split)  # a name a row
        return read
