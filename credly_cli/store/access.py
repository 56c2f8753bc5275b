"""Who was given which content: learners, panoramas, sublicenses."""

from collections.abc import Callable, Iterable

from credly_cli.identity import email_key
from credly_cli.lms.records import AccessRecord, Reject
from credly_cli.store.content import Catalogue
from credly_cli.store.database import Store
from credly_cli.store.tally import Tally

_Entry = tuple[str, str, str]  # content, kind of subject, subject


class AccessList:
    """Takes one source's records of access: the whole list of each content that it names (design, section 6)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._catalogue = Catalogue.of(store)
        self._wanted: dict[_Entry, None] = {}
        self._repeated = 0

    def take(self, records: Iterable[AccessRecord], reject: Callable[[Reject], None]) -> None:
        """Note what the records say; nothing is written before ``write``."""
        for record in records:
            place = self._catalogue.place(record.content_id, None, by_title=False)
            if isinstance(place, str):
                reject(Reject(record.row, "content_id", place))
                continue
            subject = email_key(record.subject) if record.to == "learner" else record.subject.casefold()
            entry = (place.content_id, record.to, subject)
            self._repeated += entry in self._wanted
            self._wanted[entry] = None

    def write(self, *, complete: bool) -> Tally:
        """Write the lists; only from a source without rejected rows is anything removed."""
        named = {content for content, _, _ in self._wanted}
        known: set[_Entry] = set()
        for content in named:
            rows = self._store.rows(
                "SELECT content_id, subject_kind, subject FROM access WHERE content_id = ? AND told_by = 'access'",
                (content,),
            )
            known |= {(row["content_id"], row["subject_kind"], row["subject"]) for row in rows}
        added = [entry for entry in self._wanted if entry not in known]
        removed = sorted(known.difference(self._wanted)) if complete else []
        self._store.connection.executemany("INSERT INTO access VALUES (?, 'access', ?, ?)", added)
        self._store.connection.executemany(
            "DELETE FROM access WHERE content_id = ? AND told_by = 'access' AND subject_kind = ? AND subject = ?",
            removed,
        )
        unchanged = len(self._wanted) - len(added) + self._repeated
        return Tally(added=len(added), changed=len(removed), unchanged=unchanged)
