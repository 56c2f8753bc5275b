"""Finding what a user names: a badge by id, slug or name; content by id, session or title; a learner by email."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from credly_cli.errors import ErrorCode, Failure
from credly_cli.store import badges, learners
from credly_cli.store.database import Store


def badge(store: Store, text: str) -> dict[str, Any]:
    """Find a badge by id, then slug, then name, one in the list before one that left it; raises ``Failure``."""
    rows = sorted(badges.all_named(store), key=lambda row: not row["listed"])
    if not rows:
        raise Failure("unknown-badge", "There are no badges in the store yet.", hint="Run: credly sync")
    for listed in (1, 0):
        for key in ("id", "slug", "name"):
            if found := _matching(rows, key, text, listed):
                return _only(found, text, "badge", "ambiguous-badge")
    raise _unknown("unknown-badge", "badge", text, (row["name"] for row in rows if row["listed"]), "credly badges")


def _matching(rows: list[dict[str, Any]], key: str, text: str, listed: int) -> list[dict[str, Any]]:
    wanted = text.strip().casefold()
    return [row for row in rows if row["listed"] == listed and (row[key] or "").casefold() == wanted]


@dataclass(frozen=True, slots=True)
class FoundContent:
    """Content, and the session by which it was named."""

    id: str
    title: str
    type: str | None
    session_id: str | None = None

    def view(self) -> dict[str, Any]:
        """Return it in brief, as JSON answers show it."""
        return {"id": self.id, "title": self.title, "type": self.type}


def content(store: Store, text: str) -> FoundContent:
    """Find content by id, then by a session's id, then by title; raises ``Failure``."""
    wanted = text.strip()
    questions = (
        ("SELECT id, title, type FROM content WHERE id = ?", wanted),
        ("SELECT id, title, type FROM content WHERE lower(id) = lower(?)", wanted),
    )
    for sql, value in questions:
        if found := store.rows(sql, (value,)):
            return FoundContent(**_only(found, text, "content", "ambiguous-content"))
    sessions = store.rows(
        "SELECT c.id, c.title, c.type, s.id AS session_id FROM sessions s JOIN content c ON c.id = s.content_id"
        " WHERE s.id = :id OR lower(s.id) = lower(:id) ORDER BY s.id <> :id",
        {"id": wanted},
    )
    if sessions:
        return FoundContent(**sessions[0])
    rows = store.rows("SELECT id, title, type FROM content")
    if not rows:
        raise Failure(
            "unknown-content", "There is no content in the store yet.", hint="Run: credly import content FILE"
        )
    if titled := [row for row in rows if row["title"].casefold() == wanted.casefold()]:
        return FoundContent(**_only(titled, text, "content", "ambiguous-content"))
    raise _unknown("unknown-content", "content", text, (row["title"] for row in rows), "credly content")


def learner(store: Store, email: str) -> list[dict[str, Any]]:
    """Find the learners with an address; raises ``Failure`` when nobody has or had it."""
    rows = learners.of_email(store, email)
    if not rows:
        known = (row["email"] for row in store.rows("SELECT email FROM learners LIMIT 20000"))
        raise _unknown("unknown-learner", "learner", email, known, "credly learners TEXT")
    return rows


def _only(found: list[dict[str, Any]], text: str, what: str, code: ErrorCode) -> dict[str, Any]:
    if len(found) > 1:
        shown = ", ".join(str(row["id"]) for row in found[:10])
        raise Failure(
            code, f"{len(found)} {what}s are called {text!r}: {shown}.", hint="Name the one you mean by its id."
        )
    return {key: value for key, value in found[0].items() if key != "slug"} if what == "content" else found[0]


def _unknown(code: ErrorCode, what: str, text: str, names: Iterable[str], command: str) -> Failure:
    by_fold = {name.casefold(): name for name in names}
    close = [by_fold[name] for name in difflib.get_close_matches(text.casefold(), by_fold, n=3)]
    hint = f"Did you mean {' or '.join(close)}?" if close else f"To see what there is: {command}"
    return Failure(code, f"There is no {what} {text!r}.", hint=hint)
