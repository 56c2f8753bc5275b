"""Learners, matched by the LMS's id and by email without regard to case (R25)."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from credly_cli.identity import email_key
from credly_cli.lms.records import LearnerRecord, Reject
from credly_cli.store.database import Store
from credly_cli.store.tally import Tally

FIELDS = ("email", "learner_id", "first_name", "last_name", "panorama", "sublicense", "locale")


def view(row: dict[str, Any]) -> dict[str, Any]:
    """Return a learner in brief, as JSON answers show one."""
    return {key: row[key] for key in ("email", "first_name", "last_name", "learner_id")}


def of_email(store: Store, email: str) -> list[dict[str, Any]]:
    """Return the learners with this address; those who had it before, where nobody has it now."""
    key = email_key(email)
    return store.rows("SELECT * FROM learners WHERE email_key = ? ORDER BY id", (key,)) or store.rows(
        "SELECT l.* FROM former_emails f JOIN learners l ON l.id = f.learner WHERE f.email_key = ? ORDER BY l.id",
        (key,),
    )


def matching(store: Store, text: str) -> list[dict[str, Any]]:
    """Return the learners whose name, address or id contains a text, without regard to case; by name."""
    store.connection.create_function("folded", 1, lambda value: (value or "").casefold(), deterministic=True)
    wanted = "%" + text.casefold().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = store.rows(
        "SELECT email, first_name, last_name, learner_id, panorama, sublicense FROM learners"
        " WHERE folded(ifnull(first_name, '') || ' ' || ifnull(last_name, '') || ' ' || email || ' ' ||"
        " ifnull(learner_id, '')) LIKE ? ESCAPE '\\'",
        (wanted,),
    )
    return sorted(rows, key=lambda row: ((row["last_name"] or "").casefold(), row["email"].casefold()))


def email_keys(store: Store, learner: int) -> list[str]:
    """Return the learner's address and those before it, as they are compared."""
    rows = store.rows(
        "SELECT email_key FROM learners WHERE id = :id UNION SELECT email_key FROM former_emails WHERE learner = :id",
        {"id": learner},
    )
    return [row["email_key"] for row in rows]


def take(store: Store, records: Sequence[LearnerRecord]) -> tuple[Tally, list[Reject]]:
    """Add learners or bring them up to date; a value that a record does not give stays as it was."""
    roster = Roster(store, ((record.email, record.learner_id) for record in records))
    tally, rejects, seen = Tally(), [], {}
    for record in records:
        person = roster.find(record.email, record.learner_id)
        if isinstance(person, str):
            rejects.append(Reject(record.row, "email", person))
            continue
        tally.unchanged += id(person) in seen
        seen[id(person)] = person
        person.tell(record.email, record.learner_id, record.first_name, record.last_name)
        person.panorama = record.panorama or person.panorama
        person.sublicense = record.sublicense or person.sublicense
        person.locale = record.locale or person.locale
    for person in seen.values():
        tally.count(added=person.before is None, changed=person.differs)
    roster.write()
    return tally, rejects


@dataclass(slots=True)
class Person:
    """A learner as stored (``before``, ``None`` for a new one) and as records tell."""

    pk: int
    before: tuple[str | None, ...] | None
    email: str
    learner_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    panorama: str | None = None
    sublicense: str | None = None
    locale: str | None = None

    @property
    def columns(self) -> tuple[str | None, ...]:
        """The columns of ``FIELDS`` as they are to be."""
        return tuple(getattr(self, name) for name in FIELDS)

    @property
    def differs(self) -> bool:
        """Whether anything is to be written."""
        return self.before != self.columns

    def tell(self, email: str | None, learner_id: str | None, first_name: str | None, last_name: str | None) -> None:
        """Take over what a record says of who this is."""
        if email and email != self.email:
            self.email = email
        self.learner_id = self.learner_id or learner_id
        self.first_name = first_name or self.first_name
        self.last_name = last_name or self.last_name


class Roster:
    """The learners that a batch of records speaks of, read at once and written at once."""

    def __init__(self, store: Store, named: Iterable[tuple[str | None, str | None]]) -> None:
        self._store = store
        self._by_id: dict[str, Person] = {}
        self._by_email: dict[str, list[Person]] = {}
        self._people: list[Person] = []
        self._next = (store.value("SELECT seq FROM sqlite_sequence WHERE name = 'learners'") or 0) + 1
        emails, ids = set(), set()
        for email, learner_id in named:
            if email:
                emails.add(email_key(email))
            if learner_id:
                ids.add(learner_id)
        self._read("learner_id IN (SELECT value FROM json_each(?))", ids)
        self._read("email_key IN (SELECT value FROM json_each(?))", emails)

    def _read(self, condition: str, values: set[str]) -> None:
        known = {person.pk for person in self._people}
        columns = ", ".join(FIELDS)
        cursor = self._store.connection.execute(
            f"SELECT id, {columns} FROM learners WHERE {condition}",
            (json.dumps(sorted(values)),),
        )
        for pk, *fields in cursor:
            if pk not in known:
                self._add(Person(pk, tuple(fields), *fields))

    def _add(self, person: Person) -> None:
        self._people.append(person)
        if person.learner_id:
            self._by_id[person.learner_id] = person
        self._by_email.setdefault(email_key(person.email), []).append(person)

    def find(self, email: str | None, learner_id: str | None) -> Person | str:
        """Find or make the learner a record speaks of; the reason as text where that cannot be told."""
        if learner_id and learner_id in self._by_id:
            return self._by_id[learner_id]
        if not email:
            return f"no learner has the id {learner_id!r}, and the row has no email"
        candidates = self._by_email.get(email_key(email), [])
        if learner_id:
            candidates = [person for person in candidates if person.learner_id is None]
        if len(candidates) > 1:
            return f"{len(candidates)} learners have the address {email!r}; a learner_id is needed to tell them apart"
        if candidates:
            person = candidates[0]
            if learner_id:
                self._by_id[learner_id] = person
                person.learner_id = learner_id
            return person
        person = Person(self._next, None, email, learner_id)
        self._next += 1
        self._add(person)
        return person

    def write(self) -> None:
        """Write the learners that are new or differ, keeping the address that somebody had before."""
        new = [person for person in self._people if person.before is None]
        told = [person for person in self._people if person.before is not None and person.differs]
        run = self._store.connection.executemany
        names = ", ".join(FIELDS)
        run(
            f"INSERT INTO learners (id, email_key, {names}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(person.pk, email_key(person.email), *person.columns) for person in new],
        )
        run(
            "INSERT OR IGNORE INTO former_emails SELECT id, email_key FROM learners WHERE id = ? AND email_key <> ?",
            [(person.pk, email_key(person.email)) for person in told],
        )
        run(
            f"UPDATE learners SET email_key = ?, {' = ?, '.join(FIELDS)} = ? WHERE id = ?",
            [(email_key(person.email), *person.columns, person.pk) for person in told],
        )
