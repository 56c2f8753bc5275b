"""Access lists: which learners, panoramas and sublicenses were given which content."""

from collections.abc import Iterator
from typing import cast

from credly_cli.identity import email_key
from credly_cli.importing.content import Catalogue
from credly_cli.lms.records import AccessRecord, Reject
from credly_cli.lms.rejects import RejectFilter
from credly_cli.store import access
from credly_cli.store.counts import Counts
from credly_cli.store.database import Store


def import_access(store: Store, rows: RejectFilter) -> tuple[Counts, bool]:
    """Take a source's records: the whole list of each content that they name; also whether these lists are complete.

    Of one that may not be, since rows could not be read, nothing is removed. A row that names no content that there is
    takes nothing from the lists of others.
    """
    entries = _Entries(rows, Catalogue.of(store))
    access.stage(store, entries)
    is_complete = rows.rejected == entries.unknown
    added, removed = access.write_staged(store, remove=is_complete)
    return Counts(added=added, changed=removed, unchanged=entries.taken - added), is_complete


class _Entries:
    """The entries of the lists, for the store; rows of unknown content are rejected on the way."""

    def __init__(self, rows: RejectFilter, catalogue: Catalogue) -> None:
        self._rows = rows
        self._catalogue = catalogue
        self.taken = 0
        self.unknown = 0

    def __iter__(self) -> Iterator[access.Entry]:
        for row in self._rows:
            record = cast("AccessRecord", row)
            place = self._catalogue.place(record.content_id, None, by_title=False)
            if isinstance(place, str):
                self.unknown += 1
                self._rows.reject(Reject(record.row, "content_id", place))
                continue
            self.taken += 1
            is_learner = record.to == "learner"
            yield place.content_id, record.to, email_key(record.subject) if is_learner else record.subject.casefold()
