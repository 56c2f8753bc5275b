"""Learners, matched by the LMS's id and by email without regard to case (R25)."""

from collections.abc import Callable, Sequence
from typing import Any

from credly_cli.identity import email_key
from credly_cli.lms.records import LearnerRecord, Reject
from credly_cli.store.counts import Tally
from credly_cli.store.database import Store
from credly_cli.store.roster import Person, Roster, Who


def view(row: dict[str, Any]) -> dict[str, Any]:
    """Return a learner in brief, as JSON answers show one."""
    return {key: row[key] for key in ("email", "first_name", "last_name", "learner_id")}


def of_email(store: Store, email: str) -> list[dict[str, Any]]:
    """Return the learners with this address; those who had it before, where nobody has it now."""
    return store.rows(
        "SELECT l.* FROM learner_addresses a JOIN learners l ON l.id = a.learner WHERE a.email_key = ? ORDER BY l.id",
        (email_key(email),),
    )


def matching(store: Store, text: str) -> list[dict[str, Any]]:
    """Return the learners whose name, address or id contains a text, without regard to case; by name."""
    store.connection.create_function("folded", 1, lambda value: (value or "").casefold(), deterministic=True)
    wanted = "%" + text.casefold().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = store.rows(
        "SELECT email, first_name, last_name, learner_id, panorama, sublicense FROM learners"
        " WHERE folded(ifnull(first_name, '') || ' ' || ifnull(last_name, '') || ' ' || email || ' ' ||"
        " ifnull(learner_id, '')) LIKE ? ESCAPE '\\' AND email_key NOT LIKE 'forgotten:%'",
        (wanted,),
    )
    return sorted(rows, key=lambda row: ((row["last_name"] or "").casefold(), row["email"].casefold()))


def email_keys(store: Store, learner: int) -> list[str]:
    """Return the learner's address and those before it, as they are compared; marks of forgotten ones are none."""
    rows = store.rows(
        "SELECT email_key FROM learners WHERE id = :id UNION SELECT email_key FROM former_emails WHERE learner = :id"
        " AND email_key NOT LIKE 'forgotten:%'",
        {"id": learner},
    )
    return [row["email_key"] for row in rows]


def take(store: Store, records: Sequence[LearnerRecord], reject: Callable[[Reject], None], now: str) -> Tally:
    """Add learners or bring them up to date; a value that a record does not give stays as it was."""
    told = [Who(record.email, record.learner_id, record.first_name, record.last_name) for record in records]
    roster = Roster(store, told, now)
    tally = Tally()
    seen: dict[int, Person] = {}
    for record, who in zip(records, told, strict=True):
        person = roster.find(who)
        if isinstance(person, str):
            reject(Reject(record.row, "email", person))
            continue
        roster.tell(person, who)
        person.panorama = record.panorama or person.panorama
        person.sublicense = record.sublicense or person.sublicense
        person.locale = record.locale or person.locale
        tally.unchanged += person.pk in seen
        seen[person.pk] = person
    for person in seen.values():
        tally.count(added=person.before is None, changed=person.differs)
    roster.write()
    return tally
