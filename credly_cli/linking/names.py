"""Finding what a user names: a badge, content or a learner, without regard to case, accents and kinds of spaces."""

import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from credly_cli.errors import ErrorCode, Failure
from credly_cli.store import badges, finding, learners, runs
from credly_cli.store import content as contents
from credly_cli.store.badges import NamedBadge
from credly_cli.store.connection import syncing
from credly_cli.store.content import NamedContent
from credly_cli.store.database import Store
from credly_cli.store.learners import Learner
from credly_cli.text import Command, Hint, folded, same_case

_SHOWN = 10  # candidates of an ambiguous name
_ALIKE = 0.75  # of a suggestion and what was written; 1 is the same
_NAMES = ("name", "title")  # what is compared as a name is; ids and slugs are first taken to the letter
_SEE_LEARNERS = Command("learners", "WORDS")

_Named = TypeVar("_Named", NamedBadge, NamedContent)


def badge(store: Store, text: str) -> NamedBadge:
    """Find a badge by id, then slug, then name, one in the list before one that left it; raises ``Failure``."""
    rows = badges.all_named(store)
    known = [row for row in rows if row.listed]
    left = [row for row in rows if not row.listed]
    if found := _named([(some, key) for some in (known, left) for key in ("id", "slug", "name")], text):
        return _only(found, text, "badges", "ambiguous-badge", lambda row: f"{row.id} ({row.name})")
    synced = runs.badges_listed_at(store)
    if not known:
        when = f"the last sync was at {synced}" if synced else "nothing was synced yet"
        message = f"There are no badges in the store: {when}."
        raise Failure("unknown-badge", message, hint=Hint("Run:", *syncing(store)))
    names = [(name, row.id) for row in known for name in (row.name, row.slug) if name]
    raise Failure("unknown-badge", f"There is no badge {text!r}.", hint=_badge_hint(store, text, names, synced))


def left_badges(store: Store, text: str) -> list[NamedBadge]:
    """Return the badges of a name that left the list, also where another of that name is in it."""
    wanted = folded(text)
    return [row for row in badges.all_named(store) if not row.listed and wanted and folded(row.name) == wanted]


def _badge_hint(store: Store, text: str, names: Iterable[tuple[str, str]], synced: str | None) -> Hint:
    """Suggest the closest; one that is new, or was activated lately, is in the store after a sync (R12)."""
    closest = _hint(text, names, Command("badges"))
    newer = f"If it is newer than the last sync, at {synced}:" if synced else "Nothing was synced yet:"
    if isinstance(closest.parts[-1], Command):
        return Hint(*closest.parts, f". {newer}", *syncing(store))
    return Hint(*closest.parts, newer, *syncing(store))


def content(store: Store, text: str) -> NamedContent:
    """Find content by id, then by a session's id, then by title; raises ``Failure``."""
    rows, sessions = contents.named(store), contents.sessions_named(store)
    if not rows:
        read = Command("import", "content", "FILE")
        hint = Hint("Run:", read, ", or", *syncing(store), "with a source in the configuration.")
        raise Failure("unknown-content", "There is no content in the store yet.", hint=hint)
    if found := _named([(rows, "id"), (sessions, "session_id"), (rows, "title")], text):
        shown = "pieces of content"
        return _only(found, text, shown, "ambiguous-content", lambda row: f"{row.id} ({row.title})")
    names = [(name, row.id) for row in rows for name in (row.title, row.id)]
    names += [(row.session_id or "", row.id) for row in sessions]
    raise Failure("unknown-content", f"There is no content {text!r}.", hint=_hint(text, names, Command("content")))


def badge_and_content(store: Store, badge_name: str, content_name: str) -> tuple[NamedBadge, NamedContent]:
    """Find a badge and content, and notice when they were named in the wrong order; raises ``Failure``."""
    try:
        return badge(store, badge_name), content(store, content_name)
    except Failure as failure:
        if failure.code in ("unknown-badge", "unknown-content") and are_swapped(store, badge_name, content_name):
            message = f"{content_name!r} is a badge and {badge_name!r} is content: the badge comes first."
            raise Failure(failure.code, message, hint=Hint("Run:", Command("link", content_name, badge_name))) from None
        raise


def are_swapped(store: Store, badge_name: str, content_name: str) -> bool:
    """Tell whether what is named as a badge is content, and the other way round."""
    try:
        content(store, badge_name)
    except Failure:
        return False
    return is_badge(store, content_name)


def is_badge(store: Store, text: str) -> bool:
    """Tell whether a text names a badge."""
    try:
        badge(store, text)
    except Failure as failure:
        return failure.code == "ambiguous-badge"
    return True


# Learners


def learner(store: Store, text: str) -> list[Learner]:
    """Find a learner: by current address, former one, the LMS's id, or a full name that only one has.

    Several where they share an address; raises ``Failure`` when there is nobody, or several have the name.
    """
    if found := _by_address_or_id(store, text):
        return found
    called = [] if "@" in text else finding.of_name(store, text)
    if len(called) > 1:
        raise _ambiguous(text, called)
    if not called:
        raise Failure("unknown-learner", f"There is no learner {text!r}.", hint=learner_hint(store, text))
    return called


def address(store: Store, text: str) -> str:
    """Return the address of the learner who is meant; one that nobody here has is left, Credly may know it.

    Raises ``Failure`` for what is no address and names nobody, or several.
    """
    if learners.of_email(store, text):
        return text
    found = learners.of_id(store, text)
    if not found and "@" in text:
        return text
    return (found or learner(store, text))[0].email


def person(store: Store, text: str) -> tuple[str, list[Learner]]:
    """Return the address of the learner who is meant, and who that is: all who share it, or whom an id or a name means.

    Of an address that nobody here has there is nobody; Credly may know it. Raises ``Failure`` as ``address`` does.
    """
    email = address(store, text)
    sharing = learners.of_email(store, email)
    if learners.of_email(store, text) or len(sharing) < 2:  # noqa: PLR2004
        return email, sharing
    meant = {one.id for one in learner(store, text)}
    return email, [one for one in sharing if one.id in meant] or sharing


def _by_address_or_id(store: Store, text: str) -> list[Learner]:
    return learners.of_email(store, text) or learners.of_id(store, text)


def shared(text: str, found: Sequence[Learner]) -> Failure:
    """Say that several learners fit who share an address: nobody is guessed."""
    shown = ", ".join(_named_fully(one) or one.email for one in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    message = f"{len(found)} learners are known as {text!r}: {shown}{more}."
    hint = Hint("Name the one you mean by id or full name. To see them all:", Command("learners", text))
    return Failure("ambiguous-learner", message, hint=hint)


def _ambiguous(text: str, found: Sequence[Learner]) -> Failure:
    shown = ", ".join(f"{one.email} ({_named_fully(one)})" for one in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    message = f"{len(found)} learners are called {text!r}: {shown}{more}."
    hint = Hint("Name the one you mean by address or id. To see them all:", Command("learners", text))
    return Failure("ambiguous-learner", message, hint=hint)


def _named_fully(one: Learner) -> str:
    words = [one.first_name, one.last_name, f"id {one.learner_id}" if one.learner_id else None]
    return " ".join(word for word in words if word)


def learner_hint(store: Store, text: str) -> Hint:
    """Suggest the addresses that are closest to one that nobody has; who has the words of another name."""
    if "@" not in text and text.split() and (found := finding.matching(store, text.split(), _SHOWN)):
        shown = " or ".join(f'"{one.email}"' for one in found[:3])
        return Hint(f"Did you mean {shown}? To see who matches:", Command("learners", text))
    return _hint(text, ((known, known) for known in finding.emails_near(store, text)), _SEE_LEARNERS)


# Badges and content by name


def _named(stages: Sequence[tuple[Sequence[_Named], str]], text: str) -> list[_Named]:
    """Return what the first stage has under a name: to the letter (names in any case), then without such regards."""
    for compare in (_as_spelled, _loosely):
        for rows, key in stages:
            wanted = compare(text, key)
            found = [row for row in rows if wanted and compare(getattr(row, key) or "", key) == wanted]
            if found:
                return found
    return []


def _as_spelled(text: str, key: str) -> str:
    return same_case(text) if key in _NAMES else text.strip()


def _loosely(text: str, key: str) -> str:
    return folded(text) if key in _NAMES else same_case(text)


def _only(
    found: Sequence[_Named], text: str, things: str, code: ErrorCode, candidate: Callable[[_Named], str]
) -> _Named:
    if len(found) == 1:
        return found[0]
    shown = ", ".join(candidate(row) for row in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise Failure(
        code, f"{len(found)} {things} are called {text!r}: {shown}{more}.", hint="Name the one you mean by its id."
    )


def _hint(text: str, names: Iterable[tuple[str, str]], command: Command) -> Hint:
    """Suggest the closest of names, each with the id of what it names: everything is suggested once."""
    by_fold: dict[str, tuple[str, str]] = {}
    for name, identity in names:
        by_fold.setdefault(folded(name), (name, identity))
    wanted = folded(text)
    close = difflib.get_close_matches(wanted, by_fold, n=6, cutoff=_ALIKE)
    close = close or [name for name in by_fold if wanted and wanted in name]
    close = close or [name for name in by_fold if _has_words_like(name, wanted)]
    once = dict[str, str]()
    for fold in close:
        name, identity = by_fold[fold]
        once.setdefault(identity, name)
    message = " or ".join(f'"{name}"' for name in list(once.values())[:3])
    return Hint(f"Did you mean {message}?") if once else Hint("To see what there is:", command)


def _has_words_like(name: str, wanted: str) -> bool:
    """Tell whether each word that is wanted is like one of a name's, in any order."""
    words, known = wanted.split(), name.split()
    return bool(words) and all(difflib.get_close_matches(word, known, 1, _ALIKE) for word in words)
