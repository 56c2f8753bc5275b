"""Learners and their addresses: found by id and by email without regard to case, written in bulk, merged (R25)."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from credly_cli.identity import email_key, sourced_id
from credly_cli.store.database import Store
from credly_cli.store.duplicates import stand_for_badge, stand_for_session
from credly_cli.store.views import KEPT, NAMED
from credly_cli.text import storable


@dataclass(frozen=True, slots=True)
class LearnerBrief:
    """A learner in brief, as JSON answers show one."""

    email: str
    first_name: str | None
    last_name: str | None
    learner_id: str | None  # as the LMS has it


@dataclass(slots=True)
class Learner:
    """A learner as stored. ``email_at`` is when the address was true, as UTC text: an older event brings none back."""

    id: int  # the store's own number
    email: str
    learner_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    panorama: str | None = None
    sublicense: str | None = None  # a name a line; empty where all that there were do not count any more
    locale: str | None = None
    email_at: str | None = None

    @property
    def email_key(self) -> str:
        """The address as it is compared."""
        return email_key(self.email)

    @property
    def sublicenses(self) -> tuple[str, ...]:
        """The names of the sublicenses."""
        return named_in(self.sublicense)

    def __copy__(self) -> "Learner":
        """Return another one of the same values."""
        return Learner(*_columns_of(self))

    @property
    def brief(self) -> LearnerBrief:
        """The learner as answers show one."""
        return LearnerBrief(self.email, self.first_name, self.last_name, self.learner_id)


def joined(names: Iterable[str]) -> str | None:
    """Return names of sublicenses as they are stored, ``None`` for none at all."""
    lines = [" ".join(name.split()) for name in names]
    return "\n".join(filter(None, lines)) if lines else None


def named_in(stored: str | None) -> tuple[str, ...]:
    """Return the names of sublicenses from what is stored."""
    return tuple(filter(None, (stored or "").split("\n")))


_LISTED = "(SELECT value FROM json_each(:keys))"
COLUMNS = "id, email, learner_id, first_name, last_name, panorama, sublicense, locale, email_at"
_columns_of = attrgetter(*COLUMNS.split(", "))


def of_email(store: Store, email: str) -> list[Learner]:
    """Return the learners with this address; those who had it before, where nobody has it now."""
    return store.records(
        Learner,
        f"SELECT {COLUMNS} FROM learners WHERE id IN (SELECT learner FROM learner_addresses WHERE email_key = ?)"
        " ORDER BY id",
        (email_key(storable(email)),),
    )


def locale(store: Store, email: str) -> str | None:
    """Return the locale of whoever has this address, as the LMS writes it."""
    return next((learner.locale for learner in of_email(store, email) if learner.locale), None)


def add_nameless(store: Store, email: str) -> Learner:
    """Add a learner for an address that only Credly or an access file knows, so that its badges can be forgotten."""
    key = email_key(email)
    pk: int = store.value("INSERT INTO learners (email, email_key) VALUES (?, ?) RETURNING id", (email, key))
    return Learner(pk, email)


def emails(store: Store, limit: int) -> list[str]:
    """Return the addresses of so many learners, of those who are not forgotten."""
    rows = store.rows(f"SELECT email FROM learners WHERE {KEPT} LIMIT ?", (limit,))
    return [row["email"] for row in rows]


def emails_after(store: Store, number: int) -> list[tuple[int, str]]:
    """Return the addresses of learners who came after one, by their numbers, of those who are not forgotten."""
    return store.connection.execute(
        f"SELECT id, email FROM learners WHERE id > ? AND {KEPT} ORDER BY id", (number,)
    ).fetchall()


def of_id(store: Store, learner_id: str) -> list[Learner]:
    """Return the learner whom the LMS calls so."""
    return store.records(
        Learner, f"SELECT {COLUMNS} FROM learners WHERE learner_id = ?", (storable(learner_id).strip(),)
    )


def of_numbers(store: Store, numbers: Sequence[int]) -> list[Learner]:
    """Return the learners of these numbers of the store's own, those who are not forgotten."""
    sql = f"SELECT {COLUMNS} FROM learners WHERE id IN {_LISTED} AND {KEPT} ORDER BY id"
    return store.records(Learner, sql, {"keys": json.dumps(list(numbers))})


def after(store: Store, number: int, limit: int) -> list[Learner]:
    """Return so many learners after a number of the store's own, by that, those who are not forgotten."""
    sql = f"SELECT {COLUMNS} FROM learners WHERE id > ? AND {KEPT} ORDER BY id LIMIT ?"
    return store.records(Learner, sql, (number, limit))


def count(store: Store) -> int:
    """Count the learners who are not forgotten."""
    return int(store.value(f"SELECT count(*) FROM learners WHERE {KEPT}"))


def keys_of(store: Store, learners: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Return each learner's addresses as they are compared: today's, and earlier ones that nobody has now."""
    sql = "SELECT a.learner, a.email_key FROM json_each(?) me CROSS JOIN learner_addresses a ON a.learner = me.value"
    found: dict[int, dict[str, None]] = {}
    for learner, key in store.connection.execute(sql, (json.dumps(list(learners)),)):
        found.setdefault(learner, {})[key] = None
    return {learner: tuple(keys) for learner, keys in found.items()}


def addresses(store: Store, learners: Sequence[int]) -> list[str]:
    """Return the learners' addresses as they are compared: today's, and earlier ones that nobody has now."""
    rows = store.rows(
        "SELECT a.email_key FROM json_each(?) me CROSS JOIN learner_addresses a ON a.learner = me.value",
        (json.dumps(list(learners)),),
    )
    return list(dict.fromkeys(row["email_key"] for row in rows))


@dataclass(frozen=True, slots=True)
class IdInUse:
    """An id of the LMS, whose it is, and the grants that rest on it: not sent yet, and issued."""

    learner_id: str
    email: str
    unsent: int
    issued: int


_OF_LEARNER = "(SELECT count(*) FROM grants g WHERE g.learner = l.id AND g.state {})"


def ids_like_words(store: Store) -> Iterator[IdInUse]:
    """Yield the ids that look like a word or a number cut short, which may be placeholders."""
    unsent, issued = _OF_LEARNER.format("IN ('planned', 'held', 'failed')"), _OF_LEARNER.format("= 'issued'")
    sql = (
        f"SELECT n.learner_id, l.email, {unsent}, {issued} FROM ("
        "SELECT id AS learner, learner_id FROM learners WHERE learner_id IS NOT NULL"
        " UNION ALL SELECT learner, learner_id FROM learner_ids) n JOIN learners l ON l.id = n.learner"
        " WHERE n.learner_id NOT GLOB '*[1-9]*' OR n.learner_id GLOB '*[0-9][eE]*[0-9]*'"
    )
    return (IdInUse(*row) for row in store.connection.execute(sql))


# For importing: who may be meant by the records of a batch, and what they turn out to say


_BY_ID = f"SELECT {COLUMNS} FROM learners WHERE learner_id IN {_LISTED}"
_BY_NAMED_ID = f"""
SELECT {COLUMNS} FROM learners WHERE id IN (
  SELECT learner FROM learner_ids WHERE (source, learner_id) IN (
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(:keys)))
"""
_BY_EMAIL = f"SELECT {COLUMNS} FROM learners WHERE email_key IN {_LISTED}"
_BY_FORMER_EMAIL = f"""
SELECT {COLUMNS} FROM learners WHERE id IN (SELECT learner FROM former_emails WHERE email_key IN {_LISTED})
"""
# The values are those of COLUMNS, and the address as it is compared.
_ADD = f"INSERT INTO learners ({COLUMNS}, email_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_OTHER = COLUMNS.removeprefix("id, ")
_CHANGE = f"UPDATE learners SET ({_OTHER}, email_key) = (?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE id = ?"
_values_of = attrgetter(*COLUMNS.split(", "), "email_key")
_changed_values_of = attrgetter(*_OTHER.split(", "), "email_key", "id")


def candidates(store: Store, ids: Iterable[tuple[str, str]], email_keys: Iterable[str]) -> list[Learner]:
    """Return the learners who have one of these ids (source, '' the common one, and id) or addresses, now or before."""
    found: dict[int, Learner] = {}
    emails, by_source = sorted(email_keys), sorted(ids)
    common = [identity for source, identity in by_source if not source]
    named = [each for each in by_source if each[0]]
    lookups = ((_BY_ID, common), (_BY_NAMED_ID, named), (_BY_EMAIL, emails), (_BY_FORMER_EMAIL, emails))
    for sql, keys in lookups:
        for row in store.connection.execute(sql, {"keys": json.dumps(keys)}) if keys else ():
            found.setdefault(row[0], Learner(*row))
    return list(found.values())


def named_ids(store: Store, learners: Iterable[int]) -> list[tuple[int, str, str]]:
    """Return the ids that these learners have in named sources: learner, source and id."""
    sql = f"SELECT learner, source, learner_id FROM learner_ids WHERE learner IN {_LISTED}"
    return store.connection.execute(sql, {"keys": json.dumps(list(learners))}).fetchall()


def sourced_ids(store: Store, learner: int) -> list[str]:
    """Return the learner's ids in named sources, each with its source, as they are hashed to go out (R17)."""
    rows = store.rows("SELECT source, learner_id FROM learner_ids WHERE learner = ? ORDER BY source", (learner,))
    return [sourced_id(row["source"], row["learner_id"]) for row in rows]


def set_named_ids(store: Store, ids: Iterable[tuple[int, Mapping[str, str]]]) -> None:
    """Write the ids that learners have in named sources, by source, in place of those that they had."""
    named = list(ids)
    run = store.connection.executemany
    run("DELETE FROM learner_ids WHERE learner = ?", [(learner,) for learner, _ in named])
    rows = [(source, identity, learner) for learner, by_source in named for source, identity in by_source.items()]
    run("INSERT INTO learner_ids (source, learner_id, learner) VALUES (?, ?, ?)", rows)


def take_ids(store: Store, learners: Iterable[int]) -> None:
    """Take the common id from learners whose id is another one's, or another one, by now."""
    store.connection.executemany("UPDATE learners SET learner_id = NULL WHERE id = ?", ((one,) for one in learners))


def former_emails(store: Store, learners: Iterable[int]) -> list[tuple[int, str]]:
    """Return the addresses that these learners had before: learner and ``email_key``."""
    sql = f"SELECT learner, email_key FROM former_emails WHERE learner IN {_LISTED}"
    return store.connection.execute(sql, {"keys": json.dumps(list(learners))}).fetchall()


def is_named(store: Store, learner_id: str | None, email: str | None) -> bool:
    """Tell whether there is a learner of this id or address whose names are known."""
    sql = f"SELECT 1 FROM learners p WHERE (p.learner_id = :id OR p.email_key = :key) AND {NAMED}"
    return store.value(sql, {"id": learner_id, "key": email_key(email or "")}) is not None


def next_id(store: Store) -> int:
    """Return the id that the next new learner gets."""
    return int(store.value("SELECT seq FROM sqlite_sequence WHERE name = 'learners'") or 0) + 1


def add(store: Store, learners: Iterable[Learner]) -> None:
    """Add learners, under the ids that they have."""
    store.connection.executemany(_ADD, map(_values_of, learners))


def change(store: Store, learners: Iterable[Learner]) -> None:
    """Write the columns of learners who are there."""
    store.connection.executemany(_CHANGE, map(_changed_values_of, learners))


def add_former_emails(store: Store, pairs: Iterable[tuple[int, str]]) -> None:
    """Note addresses that learners had before: learner and ``email_key``."""
    store.connection.executemany("INSERT OR IGNORE INTO former_emails (learner, email_key) VALUES (?, ?)", pairs)


# Two learners that turn out to be one: known by address only, and by id with another address until now

# Of two enrollments in the same session the later completion stays, as for two records of one learner.
_LATER_COMPLETIONS = """
UPDATE enrollments SET completed_at = o.completed_at, completed_latest = o.completed_latest, event_id = o.event_id,
  source = o.source, file = o.file, denied_at = o.denied_at, denied_by = o.denied_by, rev = max(enrollments.rev, o.rev)
FROM (SELECT * FROM enrollments WHERE learner = :old) o
WHERE enrollments.learner = :new AND enrollments.content_id = o.content_id AND enrollments.session_id = o.session_id
AND o.completed_at > ifnull(enrollments.completed_at, '')
"""


def merge(store: Store, old: int, new: int, now: str) -> None:
    """Make one learner of two, so that no enrollment, grant or badge is doubled; ``old`` is gone afterwards."""
    both = {"old": old, "new": new}
    store.change("UPDATE OR IGNORE enrollments SET learner = :new WHERE learner = :old", both)
    store.change(_LATER_COMPLETIONS, both)
    store.change("DELETE FROM enrollments WHERE learner = :old", both)
    store.change("UPDATE statements SET learner = :new WHERE learner = :old", both)
    _move_grants(store, old, new, now)
    store.change("UPDATE OR IGNORE former_emails SET learner = :new WHERE learner = :old", both)
    store.change("DELETE FROM former_emails WHERE learner = :old", both)
    store.change("UPDATE OR IGNORE learner_ids SET learner = :new WHERE learner = :old", both)
    store.change("DELETE FROM learner_ids WHERE learner = :old", both)
    store.change("DELETE FROM learners WHERE id = :old", both)


def _move_grants(store: Store, old: int, new: int, now: str) -> None:
    """Give all grants to the new learner, with their attempts; of two for what is earned once, one stands."""
    moved = store.rows("SELECT id, badge_id, content_id, session_id, round, once FROM grants WHERE learner = ?", (old,))
    for grant in moved:
        session = grant["content_id"], grant["session_id"]
        taken = store.value(
            "SELECT max(round) FROM grants WHERE learner = ? AND badge_id = ? AND content_id = ? AND session_id = ?",
            (new, grant["badge_id"], *session),
        )
        number = grant["round"] + (taken or 0)
        store.change("UPDATE grants SET learner = ?, round = ? WHERE id = ?", (new, number, grant["id"]))
        stand_for_session(store, new, grant["badge_id"], session, now)
    for badge_id in {grant["badge_id"] for grant in moved if grant["once"]}:
        stand_for_badge(store, new, badge_id, now)
