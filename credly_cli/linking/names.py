"""Finding what a user names: a badge by id, slug or name; content by id, session or title; a learner by email."""

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from credly_cli.errors import ErrorCode, Failure
from credly_cli.store import badges, learners
from credly_cli.store import content as contents
from credly_cli.store.database import Store
from credly_cli.store.learners import Learner
from credly_cli.text import Command, Hint

_SHOWN = 10  # candidates of an ambiguous name
_ALIKE = 0.75  # of a suggestion and what was written; 1 is the same
_COMPARED = 20_000  # addresses that a suggestion is looked for among
_IN_ANY_CASE = ("name", "title")
_SEE_LEARNERS = Command("learners", "TEXT")

_Stage = tuple[Sequence[dict[str, Any]], str]  # candidates, and the key by which they may be named


def badge(store: Store, text: str) -> dict[str, Any]:
    """Find a badge by id, then slug, then name, one in the list before one that left it; raises ``Failure``."""
    rows = badges.all_named(store)
    known = [row for row in rows if row["listed"]]
    left = [row for row in rows if not row["listed"]]
    if found := _named([(some, key) for some in (known, left) for key in ("id", "slug", "name")], text):
        return _only(found, text, "badges", "ambiguous-badge")
    if not known:
        raise Failure("unknown-badge", "There are no badges in the store yet.", hint=Hint("Run:", Command("sync")))
    names = [(row[key], row["id"]) for key in ("name", "slug") for row in known if row[key]]
    raise Failure("unknown-badge", f"There is no badge {text!r}.", hint=_hint(text, names, Command("badges")))


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
    rows, sessions = contents.named(store), contents.sessions_named(store)
    if not rows:
        read = Command("import", "content", "FILE")
        hint = Hint("Run:", read, ", or", Command("sync"), "with a source in the configuration.")
        raise Failure("unknown-content", "There is no content in the store yet.", hint=hint)
    if found := _named([(rows, "id"), (sessions, "session_id"), (rows, "title")], text):
        return FoundContent(**_only(found, text, "pieces of content", "ambiguous-content"))
    names = [(row[key], row["id"]) for key in ("title", "id") for row in rows]
    names += [(row["session_id"], row["id"]) for row in sessions]
    raise Failure("unknown-content", f"There is no content {text!r}.", hint=_hint(text, names, Command("content")))


def learner(store: Store, email: str) -> list[Learner]:
    """Find the learners with an address; raises ``Failure`` when nobody has or had it."""
    rows = learners.of_email(store, email)
    if not rows:
        raise Failure("unknown-learner", f"There is no learner {email!r}.", hint=learner_hint(store, email))
    return rows


def learner_hint(store: Store, email: str) -> Hint:
    """Suggest the addresses that are closest to one that nobody has."""
    return _hint(email, ((known, known) for known in learners.emails(store, _COMPARED)), _SEE_LEARNERS)


def _named(stages: Sequence[_Stage], text: str) -> list[dict[str, Any]]:
    """Return what the first stage has under a name: ids and slugs to the letter, then in another case too."""
    spelled, wanted = text.strip(), folded(text)
    for loosely in (False, True):
        for rows, key in stages:
            in_any_case = loosely or key in _IN_ANY_CASE
            found = [row for row in rows if _is_called(row[key], spelled, wanted if in_any_case else None)]
            if found and wanted:
                return found
    return []


def _is_called(name: str | None, spelled: str, wanted: str | None) -> bool:
    return name == spelled if wanted is None or name is None else folded(name) == wanted


def _only(found: list[dict[str, Any]], text: str, things: str, code: ErrorCode) -> dict[str, Any]:
    if len(found) == 1:
        return found[0]
    shown = ", ".join(_candidate(row) for row in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise Failure(
        code, f"{len(found)} {things} are called {text!r}: {shown}{more}.", hint="Name the one you mean by its id."
    )


def _candidate(row: dict[str, Any]) -> str:
    name = row.get("name") or row.get("title")
    return f"{row['id']} ({name})"


def _hint(text: str, names: Iterable[tuple[str, str]], command: Command) -> Hint:
    """Suggest the closest of names, each with the id of what it names: everything is suggested once."""
    by_fold: dict[str, tuple[str, str]] = {}
    for name, identity in names:
        by_fold.setdefault(folded(name), (name, identity))
    wanted = folded(text)
    close = difflib.get_close_matches(wanted, by_fold, n=6, cutoff=_ALIKE)
    close = close or [name for name in by_fold if wanted and wanted in name]
    once = dict[str, str]()
    for fold in close:
        name, identity = by_fold[fold]
        once.setdefault(identity, name)
    told = " or ".join(f'"{name}"' for name in list(once.values())[:3])
    return Hint(f"Did you mean {told}?") if once else Hint("To see what there is:", command)
