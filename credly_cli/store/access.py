"""Who was given which content: learners, panoramas, sublicenses."""

from collections.abc import Callable, Iterable, Iterator

from credly_cli.identity import email_key
from credly_cli.lms.records import AccessRecord, Reject
from credly_cli.store.content import Catalogue
from credly_cli.store.counts import Tally
from credly_cli.store.database import Store

_STAGE = (
    "DROP TABLE IF EXISTS temp.given",
    """
    CREATE TEMP TABLE given (
      content_id TEXT, subject_kind TEXT, subject TEXT, PRIMARY KEY (content_id, subject_kind, subject)) WITHOUT ROWID
    """,
)
_ADD = "INSERT OR IGNORE INTO access SELECT content_id, 'access', subject_kind, subject FROM temp.given"
# An access file is the whole list: it also wins over what a file of content told of who may see it.
_REMOVE = """
DELETE FROM access WHERE content_id IN (SELECT content_id FROM temp.given) AND NOT EXISTS (
  SELECT 1 FROM temp.given g WHERE g.content_id = access.content_id AND g.subject_kind = access.subject_kind
  AND g.subject = access.subject AND access.told_by = 'access')
"""


def take_from_tenants(store: Store, name: str) -> int:
    """Take content, or that of a session, from all panoramas and sublicenses; returns from how many."""
    return store.change(
        "DELETE FROM access WHERE told_by = 'access' AND subject_kind <> 'learner'"
        " AND content_id = ifnull((SELECT content_id FROM sessions WHERE id = :name), :name)",
        {"name": name},
    )


class AccessList:
    """Takes one source's records of access: the whole list of each content that it names (design, section 6)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._catalogue = Catalogue.of(store)
        self._taken = 0
        self.unknown = 0  # rejected rows that name no content there is: of the others' lists they take nothing away

    def take(self, records: Iterable[AccessRecord], reject: Callable[[Reject], None]) -> None:
        """Note what the records say; nothing is written before ``write``."""
        for statement in _STAGE:
            self._store.change(statement)
        self._store.connection.executemany(
            "INSERT OR IGNORE INTO temp.given VALUES (?, ?, ?)", self._entries(records, reject)
        )

    def _entries(
        self, records: Iterable[AccessRecord], reject: Callable[[Reject], None]
    ) -> Iterator[tuple[str, str, str]]:
        for record in records:
            place = self._catalogue.place(record.content_id, None, by_title=False)
            if isinstance(place, str):
                self.unknown += 1
                reject(Reject(record.row, "content_id", place))
                continue
            self._taken += 1
            is_learner = record.to == "learner"
            yield place.content_id, record.to, email_key(record.subject) if is_learner else record.subject.casefold()

    def write(self, *, complete: bool) -> Tally:
        """Write the lists; of one that is not ``complete``, since rows could not be read, nothing is removed."""
        added = self._store.change(_ADD)
        removed = self._store.change(_REMOVE) if complete else 0
        return Tally(added=added, changed=removed, unchanged=self._taken - added)
