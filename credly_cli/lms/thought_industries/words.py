"""What the words of an event mean: its type and source, with what the configuration tells of those that are unknown.

What is not known is never guessed: such events are counted by their words, and read again once these are told.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from credly_cli.lms.columns import key_of
from credly_cli.lms.thought_industries.paging import Row, milliseconds_of
from credly_cli.text import counted

Meaning: TypeAlias = Literal["completed", "open", "ended", "enrolled", "ignore"]
_MOST_ENTRIES = 1000  # that are remembered of a stream, and one more for all others
_OTHERS = "others"

_COMPLETED = frozenset(
    {"coursecompleted", "coursecompletion", "learningpathcompleted", "learningpathcompletion", "contentcompleted"}
)
_OPEN = frozenset({
    "coursenotcompleted", "coursestarted", "coursenotstarted", "courseincomplete", "courseuncompleted",
    "learningpathnotcompleted", "learningpathstarted", "learningpathnotstarted", "learningpathincomplete",
    "notcompleted", "started", "notstarted", "incomplete", "uncompleted",
})  # fmt: skip
_OF_TYPE: dict[str, Meaning] = {
    "enrollment": "enrolled", "enrolment": "enrolled", "enrolled": "enrolled",
    "revokedaccess": "ended", "accessrevoked": "ended",
    "certificate": "ignore", "certificategrant": "ignore", "certificateissued": "ignore",
}  # fmt: skip
_ENDINGS = ("complete", "completed", "completion")
_DENYING = ("not", "incomplete", "uncomplete", "reset", "revok")


def pair_of(event: Row) -> str:
    """Return the words of an event as the configuration writes them: ``type/source``."""
    return f"{str(event.get('type') or '').strip()[:64]}/{str(event.get('source') or '').strip()[:64]}"


class Words:
    """The meanings of words, by the configuration first."""

    def __init__(self, meanings: Mapping[str, Any]) -> None:
        self._meanings: dict[str, Any] = {_key(word): meaning for word, meaning in meanings.items()}

    def meaning(self, event: Row, stream: str) -> Meaning | None:
        """Return what an event means, ``None`` where its words are not known."""
        kind, _, source = pair_of(event).partition("/")
        return self._of_configuration(kind, source) or _known(key_of(kind), key_of(source), stream)

    def of_pair(self, pair: str, stream: str) -> Meaning | None:
        """Return what two words mean."""
        kind, _, source = pair.partition("/")
        return self.meaning({"type": kind, "source": source}, stream)

    def _of_configuration(self, kind: str, source: str) -> Meaning | None:
        words = (f"{kind}/{source}", source, "" if source else kind)
        return next((self._meanings[key] for word in words if (key := _key(word)) in self._meanings), None)


def _key(word: str) -> str:
    return "/".join(key_of(part) for part in word.split("/"))


def _known(kind: str, source: str, stream: str) -> Meaning | None:
    if kind in _OF_TYPE:
        return _OF_TYPE[kind]
    if kind in ("statuschange", ""):
        if source in _COMPLETED:
            return "completed"
        if source in _OPEN:
            return "open"
    if stream == "courseCompletion" and not any(word in kind + source for word in _DENYING):
        return "completed"  # the stream says so: a manager may have told it
    return None


def sounds_complete(pair: str) -> bool:
    """Tell whether unknown words may mean a completion, which nobody would miss but the learner."""
    return any(key_of(part).endswith(_ENDINGS) for part in pair.split("/"))


class Unknown:
    """What events of one stream could not be told: by words or by content, how many, since when, with an example.

    Bounded, and kept in a bookmark. Events are counted once: those that are read again are known by their time.
    """

    def __init__(self, bookmark: str | None) -> None:
        self._entries: dict[str, Row] = json.loads(bookmark or "{}")
        self.news: dict[str, None] = {}

    def text(self) -> str | None:
        """Return what is to be kept."""
        return json.dumps(self._entries) if self._entries else None

    def note(self, key: str, event: Row) -> None:
        """Count an event."""
        at, name = milliseconds_of(event) or 0, str(event.get("id") or event)[:80]
        entry = self._entries.get(key)
        if entry is None and len(self._entries) >= _MOST_ENTRIES and key != _OTHERS:
            self.note(_OTHERS, event)
            return
        if entry is None:
            entry = self._entries[key] = {"count": 0, "since": at, "until": at, "example": name, "last": []}
            entry["title"] = _title(event)
            self.news[key] = None
        elif name in entry["last"] or (entry["count"] and entry["since"] < at < entry["until"]):
            return
        entry["count"] += 1
        entry["since"], entry["until"] = min(at, entry["since"]), max(at, entry["until"])
        entry["last"] = [*entry["last"][-4:], name]

    def forget(self, key: str) -> None:
        """Forget what can be told now."""
        self._entries.pop(key, None)

    def all(self) -> list[str]:
        """Return words or content that are not known."""
        return list(self._entries)

    def since(self, key: str) -> int:
        """Return the time of the earliest event, in milliseconds since 1970."""
        return int(self._entries[key]["since"])

    def title(self, key: str) -> str:
        """Return what events call the content."""
        return str(self._entries[key]["title"])

    def count(self, key: str) -> int:
        """Return how many events there were."""
        return int(self._entries[key]["count"])

    def example(self, key: str) -> str:
        """Return the id of an event."""
        return str(self._entries[key]["example"])


def _title(event: Row) -> str:
    title = event.get("title") or event.get("courseTitle") or event.get("learningPathTitle")
    return str(title or event.get("notifiableId") or "")[:200]


def message_of_words(stream: str, pair: str, unknown: Unknown) -> str:
    """Say which words are not known."""
    kind, _, source = pair.partition("/")
    events = counted(unknown.count(pair), "event")
    return (
        f"{events} of {stream} of type {kind!r} and source {source!r} ({unknown.example(pair)}) not understood, "
        "and not taken."
    )


def hint_of_words(pair: str) -> str:
    """Say how unknown words are told."""
    return (
        f'In config.toml, under [lms.thought_industries]: values = {{"{pair}" = "completed"}} '
        "(or open, ended, enrolled, ignore)."
    )
