"""Whose page may have changed since somebody looked last: triggers note it, so that no writer can forget it (R35).

A change moves the learner to the end of `page_changes`, 0 standing for everybody; whoever remembers the last number
reads from there what changed since. A learner who did not change at all may be among them, and none who did is left
out. Times that pass change pages without a change in the store: expiry and release are not told here.

The triggers are made when pages are first published: they cost an import nearly half of its time.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from credly_cli.store.content import RELEASED_AT
from credly_cli.store.database import Store

EVERYBODY = 0
_WATCHED = "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = 'page_learner_comes'"


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the changes of a store were looked at; the last run tells a store that was restored since."""

    number: int
    run: int | None
    run_started_at: str | None


def watch(store: Store) -> None:
    """Note changes from now on, if they are not noted yet; what was before is as of when the store was last written."""
    if store.value(_WATCHED):
        return
    with store.transaction():
        for trigger in _TRIGGERS:
            store.connection.execute(trigger)
        store.change(
            "UPDATE page_changes SET number = (SELECT max(number) + 1 FROM page_changes),"
            " at = (SELECT at FROM page_clock) WHERE learner = ?",
            (EVERYBODY,),
        )


def mark(store: Store) -> Mark:
    """Return how far the changes go now."""
    run = store.row("SELECT id, started_at FROM runs ORDER BY id DESC LIMIT 1") or {"id": None, "started_at": None}
    return Mark(_last(store), run["id"], run["started_at"])


def continues(store: Store, seen: Mark) -> bool:
    """Tell whether the store goes on from where it was looked at: an older copy does not."""
    run = store.value("SELECT started_at FROM runs WHERE id = ?", (seen.run,))
    return run == seen.run_started_at and _last(store) >= seen.number


def _last(store: Store) -> int:
    return int(store.value("SELECT max(number) FROM page_changes") or 0)


def since(store: Store, seen: Mark, most: int) -> list[int] | None:
    """Return the learners who may have changed since, in order; ``None`` where that is everybody, or so many."""
    sql = "SELECT learner FROM page_changes WHERE number > ? ORDER BY number LIMIT ?"
    rows = [row[0] for row in store.connection.execute(sql, (seen.number, most + 1))]
    return None if len(rows) > most or EVERYBODY in rows else sorted(rows)


def times(store: Store, learners: Sequence[int]) -> dict[int, str]:
    """Return when each of these learners' facts last changed, as far as is known, as UTC text."""
    sql = "SELECT learner, at FROM page_changes WHERE learner IN (SELECT value FROM json_each(?))"
    known = dict(store.connection.execute(sql, (json.dumps([EVERYBODY, *learners]),)).fetchall())
    everybodys = known.get(EVERYBODY, "")
    return {learner: max(known.get(learner, ""), everybodys) for learner in learners}


def set_clock(store: Store, now: str) -> None:
    """Say when the command began that writes from now on."""
    store.change("UPDATE page_clock SET at = :now WHERE at <> :now", {"now": now})


def releases(store: Store, now: str) -> tuple[str | None, str | None]:
    """Return when linked content was last released by the passing of time, and when it will be next."""
    row = store.row(
        f"SELECT max(iif(at <= :now, at, NULL)) AS last, min(iif(at > :now, at, NULL)) AS next FROM ({RELEASED_AT})",
        {"now": now},
    )
    return (row["last"], row["next"]) if row else (None, None)


# The triggers

_NEXT = "(SELECT ifnull(max(number), 0) + 1 FROM page_changes), (SELECT at FROM page_clock)"
_MOVE = "ON CONFLICT (learner) DO UPDATE SET number = excluded.number, at = excluded.at"
_EVERYBODY = f"INSERT INTO page_changes (learner, number, at) VALUES (0, {_NEXT}) {_MOVE};"


def _learner(learner: str) -> str:
    return f"INSERT INTO page_changes (learner, number, at) VALUES ({learner}, {_NEXT}) {_MOVE};"


def _learners(query: str) -> str:
    """Tell of each learner whom a query names in its column ``learner``."""
    return f"INSERT INTO page_changes (learner, number, at) SELECT learner, {_NEXT} FROM ({query}) WHERE true {_MOVE};"


def _of_keys(keys: str) -> str:
    """Return the learners who have, or had, one of these addresses."""
    return (
        f"SELECT id AS learner FROM learners WHERE email_key IN ({keys})"
        f" UNION SELECT learner FROM former_emails WHERE email_key IN ({keys})"
    )


def _trigger(name: str, when: str, body: str, condition: str = "") -> str:
    only = f" WHEN {condition}" if condition else ""
    return f"CREATE TRIGGER IF NOT EXISTS page_{name} AFTER {when}{only} BEGIN {body} END"


def _of_rows(name: str, table: str, columns: str, body: str, condition: str = "") -> tuple[str, ...]:
    """Tell of rows that come, go or change; ``{row}`` in ``body`` and ``condition`` is the row that is meant."""
    new, old = body.format(row="NEW"), body.format(row="OLD")
    if_new, if_old = condition.format(row="NEW"), condition.format(row="OLD")
    either = f"({if_new}) OR ({if_old})" if condition else ""
    return (
        _trigger(f"{name}_comes", f"INSERT ON {table}", new, if_new),
        _trigger(f"{name}_changes", f"UPDATE OF {columns} ON {table}", new if new == old else old + new, either),
        _trigger(f"{name}_goes", f"DELETE ON {table}", old, if_old),
    )


_LINKED = "EXISTS (SELECT 1 FROM links WHERE content_id = {row}.content_id)"
_FORMER = _learners("SELECT learner FROM former_emails WHERE email_key = {row}.email_key")

# Whose an issued badge is: by address, by the account behind it, by id, by a grant that it issued or covers. An id
# that is a hash may be anybody's; it nearly always comes with an address or a grant, else everybody is looked at.
_BARE = "iif(instr({row}.earner_id, '~'), substr({row}.earner_id, 1, instr({row}.earner_id, '~') - 1), {row}.earner_id)"
_OWNERS = (
    _of_keys("SELECT {row}.email_key UNION SELECT k.email_key FROM issued_badges k WHERE k.user_id = {row}.user_id")
    + f" UNION SELECT id FROM learners WHERE learner_id = {_BARE}"
    " UNION SELECT learner FROM grants WHERE issued_badge_id = {row}.id"
    " UNION SELECT learner FROM grants WHERE covered_by = {row}.id"
)
_HASHED = (
    f"{{row}}.earner_id IS NOT NULL AND {_BARE} GLOB '{'[a-z2-7]' * 16}' AND NOT EXISTS (SELECT 1 FROM ({_OWNERS}))"
)
_ISSUED_COLUMNS = (
    "badge_id, badge_name, image_url, email_key, earner_id, user_id, state, issued_at, expires_at, created_at,"
    " state_updated_at, view_url, accept_url, deleted_at, replaced_by"
)
_GRANT_COLUMNS = (
    "badge_id, learner, content_id, session_id, round, state, dropped, issued_badge_id, covered_by, covered_by_grant,"
    " confirmed_at"
)
_LINK_COLUMNS = "badge_id, content_id, counts_from, since_set_at, ended_at, end_reason"
_LEARNER_COLUMNS = "email, email_key, learner_id, first_name, last_name, panorama, sublicense, locale"

_TRIGGERS = (
    *_of_rows("learner", "learners", _LEARNER_COLUMNS, _learner("{row}.id") + _FORMER),
    *_of_rows("former_email", "former_emails", "learner, email_key", _learner("{row}.learner")),
    *_of_rows("learner_id", "learner_ids", "source, learner_id, learner", _learner("{row}.learner")),
    *_of_rows(
        "enrollment",
        "enrollments",
        "learner, content_id, session_id, progress, ended, completed_at, completed_latest, denied_at",
        _learner("{row}.learner"),
        _LINKED,
    ),
    *_of_rows("grant", "grants", _GRANT_COLUMNS, _learner("{row}.learner")),
    *_of_rows("issued_badge", "issued_badges", _ISSUED_COLUMNS, _learners(_OWNERS)),
    *_of_rows("nameless_badge", "issued_badges", "earner_id, state, deleted_at", _EVERYBODY, _HASHED),
    *_of_rows(
        "guest",
        "access",
        "content_id, subject_kind, subject",
        _learners(_of_keys("{row}.subject")),
        f"{{row}}.subject_kind = 'learner' AND {_LINKED}",
    ),
    *_of_rows(
        "tenant",
        "access",
        "content_id, subject_kind, subject",
        _EVERYBODY,
        f"{{row}}.subject_kind <> 'learner' AND {_LINKED}",
    ),
    *_of_rows("link", "links", _LINK_COLUMNS, _EVERYBODY),
    _trigger("link_forbidden", "UPDATE OF forbidden ON links", _EVERYBODY, "OLD.forbidden <> NEW.forbidden"),
    _trigger("link_braked", "UPDATE OF braked ON links", _EVERYBODY, "(OLD.braked > 0) <> (NEW.braked > 0)"),
    _trigger("badge_comes", "INSERT ON badges", _EVERYBODY, "EXISTS (SELECT 1 FROM issued_badges)"),
    _trigger("badge_changes", "UPDATE OF fingerprint ON badges", _EVERYBODY, "OLD.fingerprint <> NEW.fingerprint"),
    _trigger(
        "content_changes",
        "UPDATE OF title, type, url, released, released_at ON content",
        _EVERYBODY,
        "EXISTS (SELECT 1 FROM links WHERE content_id = NEW.id)"
        " OR EXISTS (SELECT 1 FROM grants WHERE content_id = NEW.id)",
    ),
    *_of_rows("session", "sessions", "content_id, released, released_at", _EVERYBODY, _LINKED),
    *_of_rows("disconnection", "disconnections", "started_at, ended_at", _EVERYBODY),
)
