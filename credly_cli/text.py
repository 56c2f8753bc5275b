"""Text made fit to show: from elsewhere, in a terminal or a spreadsheet; hints with commands; records as JSON."""

import re
import shlex
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeAlias

# C0, DEL and C1; soft hyphen, zero-width, bidirectional and line separators; lone surrogates; tags, byte order mark
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
# The same but for what joins letters and emoji, or breaks words, and neither obeys nor reorders
_ACTIVE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_SPACES = "\t\n\v\f\r\x85\u2028\u2029"
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_ADDRESS = re.compile(r"[^\s<>\"'(),:;]+@[^\s<>\"'(),:;]+")
_FORMULA = re.compile(r"^\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")


JsonObject: TypeAlias = dict[str, Any]
"""An object of JSON that somebody else wrote: nothing of it is known before it is looked at."""


def storable(text: str) -> str:
    """Replace lone surrogates, which are no characters and can be neither stored nor written."""
    return text.encode("utf-8", "replace").decode()


def visible(text: str) -> str:
    """Make everything that a terminal would obey, hide or reorder visible as an escape."""
    return _INVISIBLE.sub(lambda found: _NAMED.get(found[0]) or _escape(found[0]), text)


def inert(text: str) -> str:
    """Take out what a browser would obey or reorder by, for a page that people read; line breaks become spaces."""
    return _ACTIVE.sub(lambda found: " " if found[0] in _SPACES else "", text)


def _escape(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:  # noqa: PLR2004
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004


def spreadsheet_safe(text: str) -> str:
    """Keep a spreadsheet from running a cell as a formula, and a terminal from obeying it."""
    return f"'{visible(text)}" if _FORMULA.match(text) else visible(text)


def is_web_address(text: str) -> bool:
    """Tell an address that a browser may open from any other, such as ``javascript:``."""
    return text.startswith(("https://", "http://")) and visible(text) == text and " " not in text


def without_addresses(text: str) -> str:
    """Return a text with the addresses in it taken out, for where nobody is to be named."""
    return _ADDRESS.sub("(address)", text)


# letters with a stroke and ligatures, which Unicode does not take apart
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe"})
_ACCENTS = re.compile("[\u0300-\u036f\u00ad\u200b-\u200f\u2060\ufeff]")  # and what has no width


def same_case(text: str) -> str:
    """Bring a name into a form without regard to case and to kinds of spaces."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def folded(text: str) -> str:
    """Bring a name into the form in which names are found and sorted: without case, accents and kinds of spaces."""
    if text.isascii():
        return " ".join(text.lower().split())
    apart = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    if not apart.isascii():
        apart = unicodedata.normalize("NFC", apart.translate(_PLAIN))
    return " ".join(apart.split())


def title_key(title: str) -> str:
    """Bring a title into the form in which a file's titles are compared: without case and kinds of spaces."""
    return " ".join(title.split()).casefold()


def counted(number: int, one: str, many: str | None = None) -> str:
    """Say how many there are of something: 1 row, 2 rows."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


_OF_NO_PROFILE = ("profiles", "demo", "sandbox")


@dataclass(frozen=True, slots=True, init=False)
class Command:
    """A command of this program with its arguments, quoted as a shell needs them."""

    words: tuple[str, ...]

    def __init__(self, *words: str) -> None:
        object.__setattr__(self, "words", words)

    def text(self, profile: str | None = None) -> str:
        """Return the line to type, for a profile where one is in use."""
        of_profile = profile is not None and "--profile" not in self.words and self.words[0] not in _OF_NO_PROFILE
        return shlex.join(("credly", *(("--profile", profile) if of_profile and profile else ()), *self.words))


@dataclass(frozen=True, slots=True, init=False)
class Hint:
    """A sentence with commands in it; its parts are set apart by spaces, but not before a comma or a full stop."""

    parts: tuple[str | Command, ...]

    def __init__(self, *parts: str | Command) -> None:
        object.__setattr__(self, "parts", parts)

    @classmethod
    def of(cls, sentence: "Hint | str") -> "Hint":
        """Return a sentence as a hint, which it may be already."""
        return sentence if isinstance(sentence, Hint) else cls(sentence)

    def text(self, profile: str | None = None, mark: Callable[[str], str] = str) -> str:
        """Return the sentence, its commands for a profile where one is in use, and marked where they are to be."""
        sentence = ""
        for part in self.parts:
            words = mark(part.text(profile)) if isinstance(part, Command) else part
            sentence += words if not sentence or words.startswith((",", ".", ";")) else f" {words}"
        return sentence

    def __str__(self) -> str:
        return self.text()


def as_json(value: object, profile: str | None = None) -> Any:
    """Return a value as scripts read it: a record by its fields, or what has a ``JSON`` by the names in that."""
    if isinstance(value, Hint):
        return value.text(profile)
    names = getattr(value, "JSON", None)
    if names is None and is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value)]
    if names is not None:
        return {name: as_json(getattr(value, name), profile) for name in names}
    if isinstance(value, Mapping):
        return {str(key): as_json(item, profile) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item, profile) for item in value]
    return str(value) if isinstance(value, Path) else value
