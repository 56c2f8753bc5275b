"""Who is meant: the learners that records speak of, found or made by id and address, read and written at once (R25)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from credly_cli.identity import email_key
from credly_cli.store.database import Store
from credly_cli.store.merging import merge
from credly_cli.store.privacy import recall

FIELDS = ("email", "learner_id", "first_name", "last_name", "panorama", "sublicense", "locale", "email_at")


class Who(NamedTuple):
    """What a record says of a person."""

    email: str | None
    learner_id: str | None
    first_name: str | None = None
    last_name: str | None = None


@dataclass(slots=True, eq=False)
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
    email_at: str | None = None  # when the address was told: an older event does not bring an older address back
    former: set[str] = field(default_factory=set)
    merged_into: "Person | None" = None

    @property
    def columns(self) -> tuple[str | None, ...]:
        """The columns of ``FIELDS`` as they are to be."""
        return tuple(getattr(self, name) for name in FIELDS)

    @property
    def differs(self) -> bool:
        """Whether anything is to be written."""
        return self.before != self.columns


class Roster:
    """The learners that a batch of records speaks of, read at once and written at once."""

    def __init__(self, store: Store, named: Iterable[Who], now: str) -> None:
        self._store = store
        self._now = now
        self._by_id: dict[str, Person] = {}
        self._by_email: dict[str, list[Person]] = {}
        self._by_former: dict[str, list[Person]] = {}
        self._people: dict[int, Person] = {}
        self._next = (store.value("SELECT seq FROM sqlite_sequence WHERE name = 'learners'") or 0) + 1
        named = list(named)
        recall(store, named, now)
        emails = {email_key(who.email) for who in named if who.email}
        ids = {who.learner_id for who in named if who.learner_id}
        self._read("learner_id IN (SELECT value FROM json_each(?))", ids)
        self._read("email_key IN (SELECT value FROM json_each(?))", emails)
        self._read(
            "id IN (SELECT learner FROM former_emails WHERE email_key IN (SELECT value FROM json_each(?)))", emails
        )
        self._read_former()

    def find(self, who: Who) -> Person | str:
        """Find or make the learner who is meant; the reason as text where that cannot be told."""
        if who.learner_id and (known := self._by_id.get(who.learner_id)):
            return known
        if not who.email:
            return f"no learner has the id {who.learner_id!r}, and the row has no email"
        found = self._at(who.email, who.learner_id)
        if len(found) > 1:
            return f"{len(found)} learners have the address {who.email!r}; a learner_id is needed to tell them apart"
        if not found:
            return self._add(Person(self._next, None, who.email, who.learner_id))
        if who.learner_id:
            found[0].learner_id = who.learner_id
            self._by_id[who.learner_id] = found[0]
        return found[0]

    def tell(self, person: Person, who: Who) -> None:
        """Take over what a record of learners says: it knows best."""
        if who.email and who.email != person.email:
            self._readdress(person, who.email, self._now)
        person.first_name = who.first_name or person.first_name
        person.last_name = who.last_name or person.last_name

    def tell_in_passing(self, person: Person, who: Who, at: str | None) -> None:
        """Take over what a record of progress says: it fills gaps, and brings a new address but never an old one.

        ``at`` is when the record was true, where it says so.
        """
        if who.email and (key := email_key(who.email)) != email_key(person.email) and key not in person.former:
            if at is None or at > (person.email_at or ""):
                self._readdress(person, who.email, at or self._now)
            else:
                self._remember(person, key)
        elif person.before is None and person.email_at is None:
            person.email_at = at or self._now
        person.first_name = person.first_name or who.first_name
        person.last_name = person.last_name or who.last_name

    @property
    def merged(self) -> list[tuple[int, int]]:
        """The learners that turned out to be others, each after the one that it is."""
        return [(final(person).pk, person.pk) for person in self._people.values() if person.merged_into is not None]

    def write(self) -> None:
        """Write the learners that are new or differ, keeping the addresses that they had before."""
        people = [person for person in self._people.values() if person.merged_into is None]
        new = [person for person in people if person.before is None]
        told = [person for person in people if person.before is not None and person.differs]
        run = self._store.connection.executemany
        names = ", ".join(FIELDS)
        run(
            f"INSERT INTO learners (id, email_key, {names}) VALUES (?, ?{', ?' * len(FIELDS)})",
            [(person.pk, email_key(person.email), *person.columns) for person in new],
        )
        for person in self._people.values():
            if person.merged_into is not None and person.before is not None:
                merge(self._store, person.pk, final(person).pk, self._now)
        run(
            f"UPDATE learners SET email_key = ?, {' = ?, '.join(FIELDS)} = ? WHERE id = ?",
            [(email_key(person.email), *person.columns, person.pk) for person in told],
        )
        run(
            "INSERT OR IGNORE INTO former_emails (learner, email_key) VALUES (?, ?)",
            [(person.pk, key) for person in people for key in person.former - {email_key(person.email)}],
        )

    def _read(self, condition: str, values: set[str]) -> None:
        cursor = self._store.connection.execute(
            f"SELECT id, {', '.join(FIELDS)} FROM learners WHERE {condition}", (json.dumps(sorted(values)),)
        )
        for pk, *fields in cursor.fetchall() if values else ():
            if pk not in self._people:
                self._add(Person(pk, tuple(fields), *fields))

    def _read_former(self) -> None:
        cursor = self._store.connection.execute(
            "SELECT learner, email_key FROM former_emails WHERE learner IN (SELECT value FROM json_each(?))",
            (json.dumps(list(self._people)),),
        )
        for pk, key in cursor:
            self._remember(self._people[pk], key)

    def _add(self, person: Person) -> Person:
        self._people[person.pk] = person
        self._next = max(self._next, person.pk + 1)
        if person.learner_id:
            self._by_id[person.learner_id] = person
        self._by_email.setdefault(email_key(person.email), []).append(person)
        return person

    def _at(self, email: str, learner_id: str | None) -> list[Person]:
        """Return who may be meant by an address: those that have it, else those that had it before."""
        key = email_key(email)
        if learner_id:  # one who has another id is somebody else at a shared address
            return [person for person in self._by_email.get(key, []) if person.learner_id is None]
        return self._by_email.get(key) or self._by_former.get(key, [])

    def _readdress(self, person: Person, email: str, at: str) -> None:
        """Give a learner another address; who was known by nothing but that address is this learner."""
        old, new = email_key(person.email), email_key(email)
        person.email, person.email_at = email, at
        if old == new:
            return
        self._by_email[old].remove(person)
        self._remember(person, old)
        others = self._by_email.setdefault(new, [])
        for other in [other for other in others if other.learner_id is None and person.learner_id]:
            other.merged_into = person
            others.remove(other)
            for key in other.former:
                self._remember(person, key)
            for name in FIELDS[2:-1]:
                setattr(person, name, getattr(person, name) or getattr(other, name))
        others.append(person)

    def _remember(self, person: Person, key: str) -> None:
        person.former.add(key)
        if person not in self._by_former.setdefault(key, []):
            self._by_former[key].append(person)


def final(person: Person) -> Person:
    """Return the learner whom a learner turned out to be."""
    while person.merged_into is not None:
        person = person.merged_into
    return person


def identify(
    store: Store, told: Mapping[Who, str | None], now: str
) -> tuple[dict[Who, int | str], list[tuple[int, int]]]:
    """Find or make the learners of records of progress; a text says why one cannot be told.

    ``told`` has the time of the latest record of each, where the records tell one. Also returned are learners that
    turned out to be others, each after the one that it is now.
    """
    roster = Roster(store, told, now)
    people: dict[Who, Person | str] = {}
    for who, at in told.items():
        person = people[who] = roster.find(who)
        if not isinstance(person, str):
            roster.tell_in_passing(person, who, at)
    roster.write()
    found = {who: person if isinstance(person, str) else final(person).pk for who, person in people.items()}
    return found, roster.merged
