"""What every LMS source yields, whatever its format.

The records are tuples, not dataclasses, because a source yields millions of them. ``None`` means that the source does
not say. Times are UTC text (``2026-11-23T09:30:00Z``). ``row`` is where the record came from, for messages: the row of
the sheet, its header being row 1, or the line of a JSON Lines file.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias


class LearnerRecord(NamedTuple):
    """A person of the LMS.

    Where the source says that there is no panorama or sublicense any more, they are "" and (). A sublicense without a
    name holds nothing: whose sublicenses were all revoked has that one.
    """

    row: int
    email: str
    first_name: str | None
    last_name: str | None
    learner_id: str | None
    panorama: str | None
    sublicenses: tuple[str, ...] | None
    locale: str | None


class ContentRecord(NamedTuple):
    """A piece of content, or one session of it."""

    row: int
    content_id: str
    title: str | None
    type: str | None
    released: bool
    released_at: str | None
    url: str | None
    session_id: str | None
    session_title: str | None
    panoramas: tuple[str, ...]
    sublicenses: tuple[str, ...]


Word = Literal["completed", "passed", "failed", "open", "ended", ""]


class Statement(NamedTuple):
    """What a statement of xAPI says of a completion, to be judged with others: its id, a word, the attempt, and when.

    ``passed`` is what completes also after a failure. ``moment`` is UTC text, to the microsecond.
    """

    id: str
    word: Word
    registration: str
    moment: str


class ProgressRecord(NamedTuple):
    """An enrollment of a learner, with how far it is; a completion when ``completed_at`` is there.

    ``content`` is what the source calls the content: an id, a session's id, or (if ``by_title``) a title.
    ``status`` is what the row says of the enrollment: ``ended`` (withdrawn), ``open`` (explicitly not complete),
    ``complete``, or ``None`` where it says nothing. ``completed_latest`` is the last second that ``completed_at`` can
    mean, which is the end of the day for a completion known by its date only.
    ``reported_at`` is when this was so, where the source says: an older record does not undo a newer one.
    ``id_source`` names the numbering that ``learner_id`` is of, '' the common one; ``None`` is that of the import.
    ``statement`` is there where the record is a statement to be judged with others. ``email_sha1`` is the hash of an
    address that is not told; ``title`` is how the source calls the content, to name it where nobody knows it.
    ``dated_at`` is the time of completion of a row that is open: where it is the completion's own, nothing is denied.
    """

    row: int
    email: str | None
    learner_id: str | None
    content: str
    by_title: bool
    session_id: str | None
    progress: float | None
    status: Literal["open", "complete", "ended", "expired"] | None
    enrolled_at: str | None
    completed_at: str | None
    completed_latest: str | None
    event_id: str | None
    first_name: str | None
    last_name: str | None
    reported_at: str | None = None
    id_source: str | None = None
    statement: Statement | None = None
    email_sha1: str | None = None
    title: str | None = None
    dated_at: str | None = None


class VoidingRecord(NamedTuple):
    """A statement that another one counts as never said; ``statement`` is the id of that one, in lower case."""

    row: int
    statement: str
    event_id: str | None


class AccessRecord(NamedTuple):
    """Content that is given to one learner (by email), one panorama or one sublicense."""

    row: int
    content_id: str
    to: Literal["learner", "panorama", "sublicense"]
    subject: str


class UnknownContent(str):
    """The reason of a row about content that the store does not have: it may be imported first."""

    __slots__ = ()


class Activity(str):
    """Content by a title that a report names among others: rows of one that is no content here are left out."""

    understood: "Understood"

    def __new__(cls, title: str, understood: "Understood") -> "Activity":
        """Return a title that is noted in ``understood`` where nobody knows it."""
        activity = super().__new__(cls, title)
        activity.understood = understood
        return activity

    def leave_out(self) -> None:
        """Say that it is no content here."""
        self.understood.warn(f"{str(self)!r} is no content here: its column was not read.")


class Reject(NamedTuple):
    """A row that cannot be taken, and why, in words that its author understands."""

    row: int
    column: str
    reason: str


Record: TypeAlias = LearnerRecord | ContentRecord | ProgressRecord | VoidingRecord | AccessRecord
Records: TypeAlias = Iterator[Record | Reject]


_LONGEST_REASON = 300  # it quotes the cell, which may be a megabyte


class Reading(NamedTuple):
    """How to read a file: the time it is now, the zone of times without one, and what the user says of the file."""

    now: datetime
    zone: tzinfo = UTC
    date_format: str | None = None
    mapping: Mapping[str, str] = MappingProxyType({})
    values: Mapping[str, Mapping[str, str]] = MappingProxyType({})  # of --value: column -> word -> meaning
    header_line: int | None = None  # where the header is, the first line being 1; None looks for it
    address_of: Callable[[str], str | None] | None = None  # of a known learner, by its mbox_sha1sum (xAPI)


_EXAMPLES = 2
SHOWN_ROWS = 5
_DISTINCT = 1000  # words, and so on, that are counted one by one: memory must not grow with the file


class SplitName(NamedTuple):
    """A name of one column, and what it was split into (``None`` where a part is not there)."""

    full: str
    first_name: str | None
    last_name: str | None


@dataclass(slots=True)
class Understood:
    """How a file was understood; the reader fills it in while it reads, so it is whole after the last row.

    ``used`` are the file's headers by our columns. Left-out rows are neither read nor rejected as records: they are
    counted here alone, by column (``role``, ``status``) and word.
    """

    header_line: int | None = None  # None where there is no header, as in JSON
    used: dict[str, str] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    like_completion: list[str] = field(default_factory=list)  # unused headers that look like a completion
    names_split: int = 0
    split_examples: list[SplitName] = field(default_factory=list)
    unknown_values: Counter[tuple[str, str]] = field(default_factory=Counter)  # by our column and the word
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    dated_otherwise: Counter[str] = field(default_factory=Counter)  # rows with a date of completion, by another status
    unknown_events: Counter[str] = field(default_factory=Counter)  # rows of a log whose words are not known
    passed_over: Counter[str] = field(default_factory=Counter)  # statements that say nothing of progress, by their verb
    claimed: Counter[str] = field(default_factory=Counter)  # ... whose result says that something was completed
    most_progress: float = 0  # the highest percentage, and whether one is between 0 and 1
    has_parts_of_one: bool = False
    rows: list["Record"] = field(default_factory=list)  # the first five
    warnings: list[str] = field(default_factory=list)  # sentences for a person, such as where the header is

    def split(self, full: str, first_name: str | None, last_name: str | None) -> None:
        """Count a name that was split."""
        self.names_split += 1
        if len(self.split_examples) < _EXAMPLES and first_name and last_name:
            example = SplitName(full, first_name, last_name)
            if example not in self.split_examples:
                self.split_examples.append(example)

    @property
    def has_fractions(self) -> bool:
        """Tell whether the progress may be parts of one: 0.45 for 45 %."""
        return self.has_parts_of_one and self.most_progress <= 1

    def note_percentage(self, progress: float, *, is_marked: bool) -> None:
        """Note a percentage, ``is_marked`` where its cell has the sign."""
        self.most_progress = max(self.most_progress, 100 if is_marked else progress)
        self.has_parts_of_one |= 0 < progress < 1

    def warn(self, sentence: str) -> None:
        """Add a sentence, once."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def unknown(self, column: str, word: str) -> None:
        """Count a word that nobody knows; its row is rejected."""
        _count(self.unknown_values, (column, word))

    @staticmethod
    def count(counter: Counter[str], word: str) -> None:
        """Count a word in one of the counters, of so many distinct ones."""
        counter[word if word in counter or len(counter) < _DISTINCT else "..."] += 1

    def leave_out(self, column: str, word: str) -> None:
        """Count a row that is left out because of a word."""
        _count(self.left_out, (column, word))


def _count(counter: Counter[tuple[str, str]], key: tuple[str, str]) -> None:
    if key in counter or len(counter) < _DISTINCT:
        counter[key] += 1
    else:
        counter[key[0], "..."] += 1


class RejectedError(Exception):
    """A row that cannot be taken: the column that is to blame, and why."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason if len(reason) <= _LONGEST_REASON else reason[:_LONGEST_REASON] + "..."


Cells: TypeAlias = list[str]  # of a row, with an empty one added at the end, which every absent column points to
RowReader: TypeAlias = Callable[[int, Cells], Record]
