"""What was meant by a command line that failed: names without quotes, and a badge before its learners."""

import sqlite3
from collections.abc import Sequence

from credly_cli.cli.environment import Environment
from credly_cli.errors import Failure
from credly_cli.linking import names
from credly_cli.store import badges, finding
from credly_cli.store import content as contents
from credly_cli.store.database import Store
from credly_cli.text import Command, Hint, folded

_CODES = ("usage", "unknown-badge", "unknown-content", "unknown-learner")
_COMMANDS = ("link", "unlink", "grant", "learner-badges", "widget", "explain", "forget", "missed", "grants", "learners")
_MOST_WORDS = 8  # of a name


def corrected(failure: Failure, environment: Environment, arguments: Sequence[str]) -> Failure:
    """Return a failure that says what was meant, where that is plain; else the same one."""
    if failure.code not in _CODES or not any(word in _COMMANDS for word in arguments):
        return failure
    try:
        with environment.reading() as store:
            return _unquoted(store, failure, arguments) or _badge_first(store, failure, arguments) or failure
    except (Failure, sqlite3.Error, OSError):
        return failure


def _unquoted(store: Store, failure: Failure, arguments: Sequence[str]) -> Failure | None:
    """Recognise the words of a name that a shell took apart."""
    known = {folded(row.name) for row in badges.all_named(store)} | {folded(row.title) for row in contents.named(store)}
    whole, joined = _joined(arguments, known)
    if called := _learner_among(store, whole):
        whole, _ = _joined(whole, {folded(called)})
        joined.append(called)
    if not joined:
        return None
    each = "is one name: put it" if len(joined) == 1 else "are names: put each"
    message = f"{' and '.join(joined)} {each} in quotes."
    return Failure(failure.code, message, hint=Hint("Run:", Command(*_in_order(store, whole))))


def _in_order(store: Store, words: list[str]) -> list[str]:
    """Return the words of `grant` or `link` with the badge where it belongs, and with what is still to be named."""
    match words:
        case ["grant", only]:
            return ["grant", "LEARNER", only] if names.is_badge(store, only) else ["grant", only, "BADGE"]
        case ["link", only]:
            return ["link", only, "CONTENT"] if names.is_badge(store, only) else ["link", "BADGE", only]
        case ["grant", first, *others] if others and names.is_badge(store, first):
            return ["grant", *others, first]
        case ["link", first, second, *others] if names.are_swapped(store, first, second):
            return ["link", second, first, *others]
    return words


def _joined(arguments: Sequence[str], known: set[str]) -> tuple[list[str], list[str]]:
    """Put known names together; returns all arguments, and the names that were put together."""
    whole, joined, place = list[str](), list[str](), 0
    while place < len(arguments):
        length = next((n for n in range(_MOST_WORDS, 1, -1) if _is_name(arguments[place : place + n], n, known)), 1)
        word = " ".join(arguments[place : place + length])
        joined += [word] if length > 1 else []
        whole.append(word)
        place += length
    return whole, joined


def _is_name(words: Sequence[str], length: int, known: set[str]) -> bool:
    return len(words) == length and folded(" ".join(words)) in known


def _learner_among(store: Store, arguments: Sequence[str]) -> str | None:
    """Return two or three words in a row that are somebody's full name."""
    words = [word for word in arguments if word not in _COMMANDS]
    for length in (2, 3):
        for place in range(len(words) - length + 1):
            name = " ".join(words[place : place + length])
            if "@" not in name and "-" not in name[:1] and finding.of_name(store, name):
                return name
    return None


def _badge_first(store: Store, failure: Failure, arguments: Sequence[str]) -> Failure | None:
    """Recognise `grant BADGE LEARNER`: the badge comes last."""
    words = [word for word in arguments if not word.startswith("-")]
    if words[:1] != ["grant"] or len(words) < 3 or not names.is_badge(store, words[1]):  # noqa: PLR2004
        return None
    message = f"{words[1]!r} is a badge: it comes after the learners."
    return Failure(failure.code, message, hint=Hint("Run:", Command("grant", *words[2:], words[1])))
