"""Completion for bash, zsh and fish: commands and options, and from the store badges, content, learners and profiles.

It reads with the standard library alone, asks no network, changes nothing and is silent about every error. What is
offered was named by others: it reaches a shell only as one plain word.
"""

import os
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from typer import _completion_shared as scripts
from typer._click import shell_completion

from credly_cli.cli.environment import Environment
from credly_cli.identity import email_key
from credly_cli.text import visible

_MOST = 200
_UNTYPED = "\U0010ffff"  # after every address that begins alike
_NOTHING = "//"  # tells the script for bash to offer nothing, not even files; it is no name and no address
_WORD_BREAKS = "@:="  # what bash takes for the end of a word though it is none


class Offer(NamedTuple):
    """What may be put in the place of an unfinished word."""

    value: str
    help: str | None = None
    type: str = "plain"


# From the store


def _rows(environment: Environment, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    address = environment.paths.store.absolute().as_uri() + "?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=0.2)) as connection:
        return connection.execute(sql, values).fetchall()


def badges(environment: Environment, begun: str) -> Iterator[str]:
    """Offer the active badges by name, or by id or slug where the word begins like one."""
    rows = _rows(environment, "SELECT name, slug, id FROM badges WHERE listed ORDER BY name")
    return _named(rows, begun)


def content(environment: Environment, begun: str) -> Iterator[str]:
    """Offer content by title, or by id where the word begins like one."""
    return _named(_rows(environment, "SELECT title, NULL, id FROM content ORDER BY title"), begun)


def _named(rows: list[tuple[Any, ...]], begun: str) -> Iterator[str]:
    """Offer names; of several things with one name, or one that no shell can write, the ids."""
    names = Counter(row[0].casefold() for row in rows)
    for name, slug, identity in rows:
        plain = _is_plain(name) and names[name.casefold()] == 1
        yield name if plain else identity
        if begun and plain:
            yield from (other for other in (slug, identity) if other)


def learners(environment: Environment, begun: str) -> Iterator[str]:
    """Offer the learners' addresses."""
    key = email_key(begun)
    sql = (
        "SELECT email FROM learners WHERE email_key >= ? AND email_key < ? AND email_key NOT LIKE 'forgotten:%'"
        " ORDER BY email_key LIMIT ?"
    )
    return (row[0] for row in _rows(environment, sql, (key, key + _UNTYPED, _MOST)))


def learners_or_badges(environment: Environment, begun: str) -> Iterator[str]:
    """Offer what `grant` takes: addresses, then the badge."""
    yield from learners(environment, begun)
    yield from badges(environment, begun)


def profiles(environment: Environment, _begun: str) -> Iterator[str]:
    """Offer the profiles on this machine."""
    from credly_cli.admin.profiles import listed  # noqa: PLC0415 - for this option only

    return (row["name"] for row in listed(environment.paths, environment.profile))


def _one_of(*words: str) -> "Source":
    return lambda _environment, _begun: iter(words)


Source = Callable[[Environment, str], Iterable[str]]
_STATES = _one_of("planned", "sending", "uncertain", "issued", "covered", "held", "failed", "cancelled")
_SOURCES: dict[tuple[str, str], Source] = {
    ("", "badge"): badges,
    ("", "email"): learners,
    ("", "profile"): profiles,
    ("", "color"): _one_of("auto", "always", "never"),
    ("link", "content"): content,
    ("grant", "names"): learners_or_badges,
    ("grants", "state"): _STATES,
    ("sync", "only"): _one_of("badges", "lms", "issued", "grants"),
    ("import", "kind"): _one_of("learners", "content", "progress", "access"),
}

_FILES = ("file", "files")  # parameters that take files, or - for stdin


def _is_plain(text: str) -> bool:
    """Tell a text that can stand on a command line as it is, once quoted."""
    return bool(text) and text == text.strip() == visible(text) and not text.startswith("-")


def _fitting(offers: Iterable[str], begun: str) -> list[Offer]:
    """Return the words that begin as typed; without regard to case where none does exactly."""
    known = [word for word in dict.fromkeys(offers) if _is_plain(word)]
    exact = [word for word in known if word.startswith(begun)]
    loose = exact or [word for word in known if word.casefold().startswith(begun.casefold())]
    return [Offer(word) for word in loose[:_MOST]]


def _files(_context: Any, begun: str) -> list[Offer]:
    return [Offer(begun, type="file")]  # which there are, the shell knows


def _wants_files(offers: Sequence[Any]) -> bool:
    return any(offer.type == "file" for offer in offers)


def _completing(source: Source) -> Callable[[Any, str], list[Offer]]:
    return lambda context, begun: _fitting(source(context.obj, begun), begun)


# To the shells


class _Quiet(shell_completion.ShellComplete):
    """What the shells have in common: an error offers nothing and says nothing."""

    def source_vars(self) -> dict[str, Any]:
        """Return what the shell's script is filled with."""
        return {"complete_func": self.func_name, "autocomplete_var": self.complete_var, "prog_name": self.prog_name}

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one that is being typed, and that one."""
        return _words(os.environ.get("_TYPER_COMPLETE_ARGS", ""))

    def format_completion(self, item: Any) -> str:
        """Write one offer as the shell takes it."""
        return str(item.value)

    def complete(self) -> str:
        """Answer the shell."""
        try:
            offers = self.get_completions(*self.get_completion_args())
        except Exception:  # noqa: BLE001 - a shell in the middle of a line wants no message
            offers = []
        return self.answer(offers)

    def answer(self, offers: Sequence[Any]) -> str:
        """Write all offers as the shell takes them."""
        return "\n".join(map(self.format_completion, offers))


class Bash(_Quiet):
    """Bash replaces words as it understands them, so the rest of the word is returned, quoted as it was begun."""

    name = "bash"
    source_template: ClassVar[str] = """\
%(complete_func)s() {
    local reply
    COMPREPLY=()
    while IFS= read -r reply; do
        case $reply in
            "") ;;
            //) compopt +o default 2>/dev/null ;;
            *) COMPREPLY+=("$reply") ;;
        esac
    done < <(_CREDLY_LINE="${COMP_LINE:0:COMP_POINT}" %(autocomplete_var)s=complete_bash "$1" 2>/dev/null)
}

complete -o default -F %(complete_func)s %(prog_name)s
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one that is being typed, and that one."""
        line = os.environ.get("_CREDLY_LINE")
        if line is not None:
            return _words(line)
        words, at = shell_completion.split_arg_string(os.environ["COMP_WORDS"]), int(os.environ["COMP_CWORD"])
        return words[1:at], words[at] if at < len(words) else ""

    def answer(self, offers: Sequence[Any]) -> str:
        """Write all offers as the shell takes them."""
        line = os.environ.get("_CREDLY_LINE")
        if _wants_files(offers):
            return ""
        values = [str(offer.value) for offer in offers]
        if line is None:  # another script than ours inserts words as they are, so none may be more than a word
            return "\n".join(value for value in values if not set(value) & set("$`\\\"';&|<>(){}*?[]~#!\n"))
        return "\n".join(_rest(value, Typed.of(line)) for value in values) or _NOTHING


class Zsh(_Quiet):
    """Zsh evaluates the answer: one command with every word in single quotes."""

    name = "zsh"
    source_template: ClassVar[str] = """\
#compdef %(prog_name)s

%(complete_func)s() {
    eval "$(_TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" %(autocomplete_var)s=complete_zsh %(prog_name)s 2>/dev/null)"
}

compdef %(complete_func)s %(prog_name)s
(( ${+compstate} )) && %(complete_func)s "$@"  # loaded by the first TAB, so it answers that
"""

    def format_completion(self, item: Any) -> str:
        """Write one offer as the shell takes it."""
        return "'" + str(item.value).replace("'", "'\\''") + "'"

    def answer(self, offers: Sequence[Any]) -> str:
        """Write all offers as the shell takes them."""
        if _wants_files(offers):
            return "compset -P '--*='; _files"
        return f"compadd -- {' '.join(map(self.format_completion, offers))}" if offers else ""


class Fish(_Quiet):
    """Fish takes lines and quotes by itself."""

    name = "fish"
    source_template: ClassVar[str] = scripts.COMPLETION_SCRIPT_FISH

    def format_completion(self, item: Any) -> str:
        """Write one offer as the shell takes it."""
        about = " ".join((item.help or "").split())
        return f"{item.value}\t{about}" if about else str(item.value)

    def answer(self, offers: Sequence[Any]) -> str:
        """Write all offers as the shell takes them."""
        if os.environ.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
            sys.exit(1 if _wants_files(offers) else 0)  # fish offers files where it hears of no arguments
        return super().answer(offers)


def _words(line: str) -> tuple[list[str], str]:
    """Take a line apart up to the word that is being typed."""
    words = shell_completion.split_arg_string(line)[1:]
    typed = Typed.of(line)
    return (words[:-1], typed.value) if typed.begun and words else (words, "")


@dataclass(slots=True)
class Typed:
    """The word at the end of a line: what it says so far, in which quotes, and what bash takes for done with."""

    value: str = ""
    quote: str = ""
    begun: bool = False
    done: int = 0  # characters of the value before the last word break

    @classmethod
    def of(cls, line: str) -> "Typed":
        """Read the line's last word."""
        word, escaped = cls(), False
        for character in line:
            if escaped:
                word.value, escaped = word.value + character, False
            elif character == "\\" and word.quote != "'":
                escaped = word.begun = True
            elif word.quote:
                word._quoted(character)
            elif character in "\"'":
                word.quote, word.begun, word.done = character, True, len(word.value)
            elif character.isspace():
                word = cls()
            else:
                word.value, word.begun = word.value + character, True
                word.done = len(word.value) if character in _WORD_BREAKS else word.done
        return word

    def _quoted(self, character: str) -> None:
        if character == self.quote:
            self.quote = ""
        else:
            self.value += character


def _rest(value: str, typed: Typed) -> str:
    rest = value[typed.done :]
    if typed.quote == "'":
        return rest.replace("'", "'\\''")
    special = '\\"$`' if typed.quote else " \t\\\"'$`&|;<>(){}[]*?!#~^="
    return "".join(f"\\{character}" if character in special else character for character in rest)


def install(program: Any) -> None:
    """Let a program complete by this module."""
    for shell in (Bash, Zsh, Fish):
        shell_completion.add_completion_class(shell, shell.name)
        scripts._completion_scripts[shell.name] = shell.source_template  # what --show-completion prints
    for name, command in program.commands.items():
        for parameter in command.params:
            source = _SOURCES.get((name, parameter.name)) or _SOURCES.get(("", parameter.name))
            if source is not None:
                parameter.shell_complete = _completing(source)
            elif parameter.type.name == "path" or parameter.name in _FILES:
                parameter.shell_complete = _files
    for parameter in program.params:
        if source := _SOURCES.get(("", parameter.name)):
            parameter.shell_complete = _completing(source)
