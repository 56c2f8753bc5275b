"""Finding what a user names: a badge by id, slug or name; content by id, session or title; a learner by email."""

import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from credly_cli.errors import ErrorCode, Failure
from credly_cli.store import badges, learners
from credly_cli.store.database import Store

_SHOWN = 10  # candidates of an ambiguous name


def badge(store: Store, text: str) -> dict[str, Any]:
    """Find a badge by id, then slug, then name, one in the list before one that left it; raises ``Failure``."""
    rows = badges.all_named(store)
    wanted = folded(text)
    for listed in (1, 0):
        for key in ("id", "slug", "name"):
            found = [row for row in rows if row["listed"] == listed and wanted and folded(row[key] or "") == wanted]
            if found:
                return _only(found, text, "badge", "ambiguous-badge")
    known = [row for row in rows if row["listed"]]
    if not known:
        raise Failure("unknown-badge", "There are no badges in the store yet.", hint="Run: credly sync")
    names = [row["name"] for row in known] + [row["slug"] for row in known if row["slug"]]
    raise _unknown("unknown-badge", "badge", text, names, "credly badges")


def folded(text: str) -> str:
    """Bring a name into the form in which names are compared, without regard to case."""
    return unicodedata.normalize("NFC", text.strip()).casefold()


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
    wanted = folded(text)
    rows = store.rows("SELECT id, title, type, NULL AS session_id FROM content")
    if not rows:
        hint = "Run: credly import content FILE, or credly sync with a source in the configuration."
        raise Failure("unknown-content", "There is no content in the store yet.", hint=hint)
    sessions = store.rows(
        "SELECT c.id, c.title, c.type, s.id AS session_id FROM sessions s JOIN content c ON c.id = s.content_id"
    )
    for candidates, key in ((rows, "id"), (sessions, "session_id"), (rows, "title")):
        exact = [row for row in candidates if row[key] == text.strip()] if key != "title" else []
        if found := exact or [row for row in candidates if folded(row[key]) == wanted]:
            return FoundContent(**_only(found, text, "content", "ambiguous-content"))
    names = [row[key] for key in ("title", "id") for row in rows] + [row["session_id"] for row in sessions]
    raise _unknown("unknown-content", "content", text, names, "credly content")


def learner(store: Store, email: str) -> list[dict[str, Any]]:
    """Find the learners with an address; raises ``Failure`` when nobody has or had it."""
    rows = learners.of_email(store, email)
    if not rows:
        known = (row["email"] for row in store.rows("SELECT email FROM learners LIMIT 20000"))
        raise _unknown("unknown-learner", "learner", email, known, "credly learners TEXT")
    return rows


def _only(found: list[dict[str, Any]], text: str, what: str, code: ErrorCode) -> dict[str, Any]:
    if len(found) == 1:
        return found[0]
    shown = ", ".join(_candidate(row) for row in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    things = "badges" if what == "badge" else "pieces of content"
    raise Failure(
        code, f"{len(found)} {things} are called {text!r}: {shown}{more}.", hint="Name the one you mean by its id."
    )


def _candidate(row: dict[str, Any]) -> str:
    name = row.get("name") or row.get("title")
    return f"{row['id']} ({name})"


def _unknown(code: ErrorCode, what: str, text: str, names: Iterable[str], command: str) -> Failure:
    by_fold: dict[str, str] = {}
    for name in names:
        by_fold.setdefault(folded(name), name)
    wanted = folded(text)
    close = difflib.get_close_matches(wanted, by_fold, n=3)
    close = close or [name for name in by_fold if wanted and wanted in name][:3]
    told = " or ".join(f'"{by_fold[name]}"' for name in close)
    hint = f"Did you mean {told}?" if close else f"To see what there is: {command}"
    return Failure(code, f"There is no {what} {text!r}.", hint=hint)
