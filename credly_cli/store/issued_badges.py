"""Badges issued to people, as Credly last said."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from credly_cli.credly.records import IssuedBadge
from credly_cli.identity import email_key
from credly_cli.store.content import ContentBrief
from credly_cli.store.database import Counts, Row, Store
from credly_cli.store.privacy import Mask
from credly_cli.times import utc_text

_COLUMNS = (
    "badge_id", "badge_name", "image_url", "email", "email_key", "earner_id", "user_id", "state", "issued_at",
    "expires_at", "created_at", "state_updated_at", "view_url", "accept_url", "replaced_by",
)  # fmt: skip
_KEPT_WHEN_UNTOLD = ("badge_name", "image_url", "email", "earner_id", "user_id", "expires_at", "replaced_by")
# No listing has shown it yet: we issued it, and every complete listing since, if there was any, lacked it.
_UNSEEN = (
    "issued_by_run IS NOT NULL AND"
    " (awaited OR issued_by_run >= (SELECT ifnull(max(id), 0) FROM runs WHERE issued_badges_listed))"
)


def save(store: Store, badges: Iterable[IssuedBadge], now: str, *, issued_by_run: int | None = None) -> Counts:
    """Add issued badges or bring them up to date; a row that says nothing new is not written.

    ``issued_by_run`` is the last run begun when a POST was answered with them; ``None``: a listing has them.
    """
    counts, mask = Counts(), Mask.of(store)
    for badge in badges:
        known = store.row("SELECT * FROM issued_badges WHERE id = ?", (badge.id,))
        values = mask.hide(_values(badge, known), known["email_key"] if known else None)
        changed = known is None or known["deleted_at"] is not None or any(known[key] != values[key] for key in _COLUMNS)
        counts.count(added=known is None, changed=changed)
        if changed:
            run = known["issued_by_run"] if known else issued_by_run
            _write(store, {"id": badge.id, **values, "issued_by_run": run, "stored_at": now, "deleted_at": None})
    return counts


def _values(badge: IssuedBadge, known: Row | None) -> Row:
    values = {name: getattr(badge, name) for name in _COLUMNS if name != "email_key"}
    for name in _KEPT_WHEN_UNTOLD if known else ():  # the short form of a listing leaves fields out
        if values[name] is None:
            values[name] = known[name] if known else None
    return {**values, "email_key": email_key(values["email"] or "")}


def _write(store: Store, values: Row) -> None:
    names = ", ".join(values)
    updates = ", ".join(f"{name} = excluded.{name}" for name in values if name != "stored_at")
    store.change(
        f"INSERT INTO issued_badges ({names}) VALUES ({', '.join('?' * len(values))})"
        f" ON CONFLICT (id) DO UPDATE SET {updates}",
        tuple(values.values()),
    )


def compare_with_listing(
    store: Store, known_ids: set[str], now: datetime, settle_seconds: int, *, complete: bool = True
) -> int:
    """Mark as deleted what a complete listing no longer has; returns how many (R23).

    One that grew while it was read is not ``complete``: it tells what is there, and deletes nothing (R10).

    What was issued less than ``settle_seconds`` ago, or was in no listing yet, is awaited instead of missed. A badge
    was in a listing when that brought it, or when a complete one was read after its issue and it was not awaited:
    so nothing is written while all is as expected.
    """
    settled = utc_text(now - timedelta(seconds=settle_seconds))
    missing, awaited, arrived = [], list[str](), list[str]()
    for identity, was_awaited, unseen, issued_at in store.connection.execute(
        f"SELECT id, awaited, {_UNSEEN}, ifnull(created_at, stored_at) FROM issued_badges WHERE deleted_at IS NULL"
    ):
        if identity in known_ids:
            arrived += [identity] if was_awaited else []
        elif unseen:
            awaited += [] if was_awaited else [identity]
        elif complete and issued_at <= settled:
            missing.append((utc_text(now), identity))
    store.connection.executemany("UPDATE issued_badges SET deleted_at = ? WHERE id = ?", missing)
    _await(store, awaited, arrived)
    return len(missing)


def _await(store: Store, awaited: Iterable[str], arrived: Iterable[str]) -> None:
    """Note which badges that we issued are still to show in Credly's list, and which do now."""
    for is_awaited, ids in ((1, awaited), (0, arrived)):
        rows = [(is_awaited, identity) for identity in ids]
        store.connection.executemany("UPDATE issued_badges SET awaited = ? WHERE id = ?", rows)


def known_among(store: Store, ids: Collection[str]) -> set[str]:
    """Return those of the ids that the store has."""
    sql = "SELECT id FROM issued_badges WHERE id IN (SELECT value FROM json_each(?)) AND deleted_at IS NULL"
    return {row["id"] for row in store.rows(sql, (json.dumps(sorted(ids)),))}


def count(store: Store) -> int:
    """Count the badges that Credly has, as far as is known."""
    all_rows, deleted = (
        "SELECT count(*) FROM issued_badges",
        "SELECT count(*) FROM issued_badges WHERE deleted_at NOTNULL",
    )
    return int(store.value(all_rows) - store.value(deleted))


def agrees_with_count(store: Store, total: int, listed: Collection[str]) -> bool:
    """Tell whether Credly has as many badges as the store, but for those that we issued and it does not list yet.

    ``listed`` are the ids of the newest ones that it does list. Nothing is written where that is as before.
    """
    unseen = store.rows(f"SELECT id, awaited FROM issued_badges WHERE {_UNSEEN} AND deleted_at IS NULL")
    awaited = [row for row in unseen if row["id"] not in listed]
    if count(store) - len(awaited) != total:
        return False
    late = [row["id"] for row in awaited if not row["awaited"]]
    _await(store, late, [row["id"] for row in unseen if row["awaited"] and row["id"] in listed])
    return True


def held_by(store: Store, learner: int, badge_id: str) -> str | None:
    """Return the id of the badge that the learner holds already, from wherever it came (R20)."""
    found: str | None = store.value(
        "SELECT i.id FROM learner_issued_badges m JOIN issued_badges i ON i.id = m.issued_badge_id"
        " WHERE m.learner = ? AND m.badge_id = ? AND m.held ORDER BY i.created_at LIMIT 1",
        (learner, badge_id),
    )
    return found


def of_kind(store: Store, learner: int, badge_id: str, completed_at: str) -> tuple[str | None, str | None]:
    """Return the id of such a badge that the learner holds, and when one was first revoked after a completion."""
    revoked_at: str | None = store.value(
        "SELECT min(revoked_at) FROM learner_issued_badges WHERE learner = ? AND badge_id = ? AND revoked_at > ?",
        (learner, badge_id, completed_at),
    )
    return held_by(store, learner, badge_id), revoked_at


def has_marked(store: Store, badge_id: str, names: Iterable[str]) -> bool:
    """Tell whether a badge of this kind bears a mark after one of these names."""
    sql = "SELECT 1 FROM issued_badges WHERE earner_id > ? || '~' AND earner_id < ? || x'7f' AND badge_id = ?"
    return any(store.value(sql, (name, name, badge_id)) is not None for name in names)


@dataclass(frozen=True, slots=True)
class UnownedBadge:
    """An issued badge that no grant owns; ``moved_at`` is when its state last changed, as far as is known."""

    id: str
    state: str
    earner_id: str | None
    issued_at: str | None
    moved_at: str

    @property
    def is_revoked(self) -> bool:
        """Whether it was revoked."""
        return self.state == "revoked"

    def may_answer(self, completed_at: str) -> bool:
        """Tell whether it may stand for a completion: one that was revoked only for what was completed before (R23)."""
        return not self.is_revoked or completed_at < self.moved_at


@dataclass(frozen=True, slots=True)
class DaySession:
    """A completed session that a badge of its day may stand for; ``by_second``: only one of its very second."""

    content_id: str
    session_id: str
    completed_at: str
    by_second: bool = False
    learner: int = 0  # of those who share an address

    @property
    def key(self) -> tuple[str, str, int]:
        """Which session it is."""
        return self.content_id, self.session_id, self.learner


def match_days(
    sessions: Sequence[DaySession], badges: Sequence[UnownedBadge]
) -> dict[tuple[str, str, int], UnownedBadge]:
    """Let each badge of a day stand for one session: exact seconds first, then days, one to one (R20, R23).

    A revoked badge stands only for what was completed before, and only where no badge that is held is left for that.
    """
    found: dict[tuple[str, str, int], UnownedBadge] = {}
    left = sorted(badges, key=lambda badge: (badge.is_revoked, badge.moved_at if badge.is_revoked else ""))
    in_order = sorted(sessions, key=lambda session: (session.completed_at, session.key))
    for session in in_order:
        exact = [one for one in left if one.issued_at == session.completed_at and one.may_answer(session.completed_at)]
        for badge in exact[:1]:
            found[session.key] = badge
            left.remove(badge)
    unanswered = [session for session in in_order if session.key not in found and not session.by_second]
    held = [badge for badge in left if not badge.is_revoked]
    for badge in [badge for badge in left if badge.is_revoked]:
        before = [session for session in unanswered if badge.may_answer(session.completed_at)]
        if before and len(unanswered) > len(held):
            found[before[0].key] = badge
            unanswered.remove(before[0])
    found |= {session.key: badge for session, badge in zip(unanswered, held, strict=False)}
    for badge in held[len(unanswered) :]:
        revoked = [session.key for session in in_order if session.key in found and found[session.key].is_revoked]
        found |= dict.fromkeys(revoked[:1], badge)
    return found


def unowned_of_marks(store: Store, badge_id: str, marks: Sequence[str]) -> list[UnownedBadge]:
    """Return the badges that bear one of these marks and that no grant owns."""
    return store.records(
        UnownedBadge,
        f"{_SEEN} WHERE earner_id IN (SELECT value FROM json_each(:marks))"
        f" AND badge_id = :badge_id AND deleted_at IS NULL AND {_UNOWNED} ORDER BY created_at",
        {"badge_id": badge_id, "marks": json.dumps(list(marks))},
    )


def unowned_of_day(
    store: Store, learner: int, names: Iterable[str], badge_id: str, day: str, others: Sequence[str]
) -> list[UnownedBadge]:
    """Return the badges issued on this day to the learner's address or id that no grant owns (R20).

    ``names`` are ids that go out without a mark. ``others`` are patterns of marks: what bears one was issued for
    another session. What bears the mark of a grant in the store is that grant's, even while its answer is lost.
    """
    return store.records(
        UnownedBadge,
        f"{_SEEN} WHERE badge_id = :badge_id AND deleted_at IS NULL"
        " AND substr(issued_at, 1, 10) = :day"
        " AND id IN (SELECT o.id FROM learner_addresses a CROSS JOIN issued_badges o ON o.email_key = a.email_key"
        "  WHERE a.learner = :learner UNION ALL SELECT id FROM issued_badges"
        "  WHERE earner_id IN (SELECT value FROM json_each(:names)))"
        " AND NOT EXISTS (SELECT 1 FROM json_each(:others) WHERE ifnull(i.earner_id, '') GLOB value)"
        " AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.badge_id = i.badge_id AND g.earner_id = i.earner_id"
        "   AND NOT g.once)"
        f" AND {_UNOWNED} ORDER BY created_at",
        {
            "learner": learner,
            "names": json.dumps(list(names)),
            "badge_id": badge_id,
            "day": day,
            "others": json.dumps(list(others)),
        },
    )


_SEEN = "SELECT id, state, earner_id, issued_at, ifnull(state_updated_at, stored_at) AS moved_at FROM issued_badges i"
_UNOWNED = (
    "NOT EXISTS (SELECT 1 FROM grants g WHERE g.issued_badge_id = i.id)"
    " AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.covered_by = i.id)"
)


def is_of_learner(store: Store, issued_badge_id: str, learner: int) -> bool:
    """Tell whether an issued badge went to one of the learner's addresses, ids or accounts."""
    sql = "SELECT 1 FROM learner_issued_badges WHERE learner = ? AND issued_badge_id = ?"
    return store.value(sql, (learner, issued_badge_id)) is not None


def is_known(store: Store, issued_badge_id: str) -> bool:
    """Tell whether the store has an issued badge, deleted or not."""
    return store.value("SELECT 1 FROM issued_badges WHERE id = ?", (issued_badge_id,)) is not None


def badge_of(store: Store, issued_badge_id: str) -> str | None:
    """Return the id of the badge that an issued one is of; ``None`` where it is not known, or was deleted."""
    sql = "SELECT badge_id FROM issued_badges WHERE id = ? AND deleted_at IS NULL"
    found: str | None = store.value(sql, (issued_badge_id,))
    return found


_RECORD = ", ".join(
    f"i.{field.name}" if field.name not in ("first_name", "last_name") else f"NULL AS {field.name}"
    for field in fields(IssuedBadge)
)  # the store has the learner's names, not those of the badge


def of_learner_and_badge(store: Store, learner: int, badge_id: str) -> list[IssuedBadge]:
    """Return a learner's issued badges of one kind by whatever way they are theirs, deleted ones left out."""
    return store.records(
        IssuedBadge,
        f"SELECT {_RECORD} FROM issued_badges i WHERE i.deleted_at IS NULL AND i.id IN"
        " (SELECT issued_badge_id FROM learner_issued_badges WHERE learner = ? AND badge_id = ?)"
        " ORDER BY ifnull(i.created_at, ''), i.id",
        (learner, badge_id),
    )


def of_learners(store: Store, email: str, learners: Sequence[int]) -> list[IssuedBadge]:
    """Return the issued badges of an address and of the learners behind it, the oldest first.

    Revoked and deleted ones are among them.
    """
    return store.records(
        IssuedBadge,
        f"""
        SELECT {_RECORD} FROM issued_badges i WHERE i.id IN (
          SELECT m.issued_badge_id FROM json_each(:learners) me CROSS JOIN learner_issued_badges m
            ON m.learner = me.value
          UNION SELECT id FROM issued_badges WHERE email_key = :email
          UNION SELECT o.id FROM issued_badges k JOIN issued_badges o ON o.user_id = k.user_id
            WHERE k.email_key = :email)
        ORDER BY ifnull(i.issued_at, ''), i.id
        """,
        {"email": email_key(email), "learners": json.dumps(list(learners))},
    )


def of_many(store: Store, learners: Sequence[int]) -> dict[int, list[IssuedBadge]]:
    """Return the issued badges of learners by their number, the oldest first, deleted ones left out."""
    pairs = store.connection.execute(
        "SELECT m.learner, m.issued_badge_id FROM json_each(?) me"
        " CROSS JOIN learner_issued_badges m ON m.learner = me.value",
        (json.dumps(list(learners)),),
    ).fetchall()
    known = {badge.id: badge for badge in _of_ids(store, {identity for _, identity in pairs})}
    found: dict[int, dict[str, IssuedBadge]] = {}
    for learner, identity in pairs:
        if identity in known:
            found.setdefault(learner, {})[identity] = known[identity]
    return {learner: sorted(by_id.values(), key=lambda badge: (badge.issued_at or "", badge.id))
            for learner, by_id in found.items()}  # fmt: skip


def _of_ids(store: Store, ids: Collection[str]) -> list[IssuedBadge]:
    cursor = store.connection.execute(
        f"SELECT {_RECORD} FROM json_each(?) k CROSS JOIN issued_badges i ON i.id = k.value WHERE i.deleted_at IS NULL",
        (json.dumps(sorted(ids)),),
    )
    return [IssuedBadge(*row) for row in cursor]


def spellings(store: Store, keys: Iterable[str]) -> set[str]:
    """Return the addresses of issued badges as Credly writes them, for addresses as they are compared."""
    rows = store.rows(
        "SELECT DISTINCT i.email FROM json_each(?) k JOIN issued_badges i ON i.email_key = k.value"
        " WHERE i.email NOT NULL",
        (json.dumps(list(keys)),),
    )
    return {row["email"] for row in rows}


def unseen_of_learners(store: Store, learners: Sequence[int]) -> list[IssuedBadge]:
    """Return the badges that we issued to learners and that no listing has shown yet (R23)."""
    return store.records(
        IssuedBadge,
        f"SELECT {_RECORD} FROM json_each(?) me JOIN grants g ON g.learner = me.value"
        f" JOIN issued_badges i ON i.id = g.issued_badge_id WHERE i.deleted_at IS NULL AND {_UNSEEN}",
        (json.dumps(list(learners)),),
    )


_WENT_TO_ANOTHER = """
SELECT 1 FROM issued_badges i CROSS JOIN grants g ON g.issued_badge_id = i.id AND g.learner <> :learner
WHERE {} LIMIT 1
"""
_UNDER_NAME = ("i.earner_id = :name", "i.earner_id > :name || '~' AND i.earner_id < :name || x'7f'")


def went_to_another(store: Store, learner: int, names: Iterable[str]) -> bool:
    """Tell whether we issued badges to another learner under one of these names, with a mark behind it or without."""
    values = [{"learner": learner, "name": name} for name in names]
    questions = [_WENT_TO_ANOTHER.format(under) for under in _UNDER_NAME]
    return any(store.value(sql, value) is not None for sql in questions for value in values)


def earner_ids_elsewhere(store: Store, learners: Iterable[int], keys: Iterable[str]) -> set[str]:
    """Return what the learners' badges bear that we issued to addresses other than these."""
    rows = store.rows(
        "SELECT DISTINCT g.earner_id FROM json_each(:learners) me JOIN grants g ON g.learner = me.value"
        " JOIN issued_badges i ON i.id = g.issued_badge_id"
        " WHERE i.email_key NOT IN (SELECT value FROM json_each(:keys))",
        {"learners": json.dumps(list(learners)), "keys": json.dumps(list(keys))},
    )
    return {row["earner_id"] for row in rows}


def resources(store: Store, issued_badge_ids: Sequence[str]) -> dict[str, ContentBrief]:
    """Return the content that earned each of these badges, where one of our grants issued it (R26)."""
    rows = store.rows(
        "SELECT g.issued_badge_id, c.id, c.title, c.type FROM json_each(?) j"
        " JOIN grants g ON g.issued_badge_id = j.value JOIN content c ON c.id = g.content_id",
        (json.dumps(list(issued_badge_ids)),),
    )
    return {row.pop("issued_badge_id"): ContentBrief(**row) for row in rows}
