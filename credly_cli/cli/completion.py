"""What a shell is offered for an unfinished word, by Typer's ``autocompletion``: slugs, ids, addresses, fixed words.

It reads the store with the standard library alone, asks no network, changes nothing and is silent about every error.
What is offered was named by others, so only plain words are: no shell makes anything of them.
"""

import re
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager, redirect_stdout
from io import StringIO

import typer

from credly_cli.errors import Failure
from credly_cli.identity import email_key

Source = Callable[[typer.Context, str], list[str]]
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9@._+-]*", re.ASCII)
_MOST = 200


def _offered(source: Callable[[typer.Context, str], Iterable[str]]) -> Source:
    """Let a source offer its plain words, and nothing where it fails: a shell wants no message."""

    def offer(context: typer.Context, incomplete: str) -> list[str]:
        try:
            words = [word for word in source(context, incomplete) if _PLAIN.fullmatch(word)]
        except (Failure, sqlite3.Error, OSError):
            return []
        return [word for word in words if word.startswith(incomplete)][:_MOST]

    return offer


@_offered
def badges(context: typer.Context, incomplete: str) -> Iterator[str]:
    """Offer the active badges by slug; by id where a slug is missing or not alone, or a word is begun."""
    from credly_cli.store.overview import badge_words  # noqa: PLC0415 - for a shell that asks

    rows = badge_words(context.obj.paths.store)
    times = Counter(slug for slug, _ in rows)
    for slug, identity in rows:
        alone = slug is not None and times[slug] == 1
        if slug is not None and alone:
            yield slug
        if incomplete or not alone:
            yield identity


@_offered
def content(context: typer.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001 - Typer gives both
    """Offer content by id."""
    from credly_cli.store.overview import content_ids  # noqa: PLC0415

    return content_ids(context.obj.paths.store)


@_offered
def learners(context: typer.Context, incomplete: str) -> Iterable[str]:
    """Offer the learners' addresses."""
    from credly_cli.store.overview import learner_addresses  # noqa: PLC0415

    return learner_addresses(context.obj.paths.store, email_key(incomplete), _MOST)


@_offered
def profiles(context: typer.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """Offer the profiles on this machine."""
    from credly_cli.admin.profiles import listed  # noqa: PLC0415

    return [profile.name for profile in listed(context.obj.paths, context.obj.profile)]


@_offered
def languages(context: typer.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """Offer the languages of pages."""
    from credly_cli.pages.words import languages as of_pages  # noqa: PLC0415 - Babel takes its time

    return of_pages().values()


def learners_or_badges(context: typer.Context, incomplete: str) -> list[str]:
    """Offer what `grant` takes: addresses, then the badge."""
    return [*learners(context, incomplete), *badges(context, incomplete)]


def one_of(*words: str) -> Source:
    """Offer words that are always the same."""
    return _offered(lambda _context, _incomplete: words)


# Bash

_WORDS, _PLACE = "COMP_WORDS", "COMP_CWORD"
_BREAKS = ("@", ":", "=")


def _joined(words: list[str], place: int) -> tuple[list[str], int, str]:
    """Put together what bash took apart up to the word at ``place``; returns what of that word bash takes for done."""
    if not set(words[: place + 1]) & set(_BREAKS):
        return words, place, ""
    whole, done, glued = list[str](), "", False
    for word in words[: place + 1]:
        if whole and (glued or word in _BREAKS):
            done, whole[-1] = whole[-1], whole[-1] + word
        else:
            done = ""
            whole.append(word)
        glued = word in _BREAKS
    return whole, len(whole) - 1, whole[-1] if whole and glued else done


@contextmanager
def whole_words(environ: MutableMapping[str, str]) -> Iterator[None]:
    """Let bash complete addresses: it ends words at ``@``, ``:`` and ``=``, and replaces the last piece alone."""
    if environ.get("_CREDLY_COMPLETE") != "complete_bash" or not environ.get(_PLACE, "").isdigit():
        yield
        return
    words = environ.get(_WORDS, "").split("\n")
    whole, place, done = _joined(words, int(environ[_PLACE]))
    environ[_WORDS], environ[_PLACE] = "\n".join(whole), str(place)
    answer = StringIO()
    try:
        with redirect_stdout(answer):
            yield
    finally:
        done = done.rpartition("=")[2]  # what is before it is the option's name, which no answer repeats
        for line in answer.getvalue().splitlines():
            sys.stdout.write(f"{line.removeprefix(done)}\n")
