"""The rows of files as records: learners, content, access, and progress as states or as events."""

import shlex
from collections.abc import Sequence
from functools import partial

from credly_cli.import_options import Kind
from credly_cli.lms.column_names import WHETHER_PASSED
from credly_cli.lms.columns import ABSENT, Columns, header_key, key_of
from credly_cli.lms.dates import DateReader, Moment, is_no_value
from credly_cli.lms.fields import PersonReader, read_percentage
from credly_cli.lms.records import (
    AccessRecord,
    Cells,
    ContentRecord,
    LearnerRecord,
    ProgressRecord,
    Reading,
    RejectedError,
    RowReader,
    Understood,
)
from credly_cli.lms.statuses import (
    ENROLLED,
    STATUSES,
    Action,
    RoleWords,
    Status,
    StatusWords,
    UnknownWordError,
    action_of,
    is_about_progress,
    sounds_complete,
    unknown_words_of,
)

_RELEASED = frozenset({"true", "yes", "1", "published", "released"})
_NOT_RELEASED = frozenset({"false", "no", "0", "draft", "scheduled", "pending", "authoring", "archived", "deleted"})


def row_reader(
    kind: Kind, columns: Columns, reading: Reading, understood: Understood, ahead: Sequence[Cells] = ()
) -> RowReader:
    """Return what makes records of the rows of a file, and notes in ``understood`` how it takes them.

    ``ahead`` are the first rows, by which the file is judged.
    """
    if kind == "learners":
        return LearnerReader(columns, understood).read
    if kind == "content":
        return ContentReader(columns, reading, ahead).read
    if kind == "access":
        return AccessReader(columns).read
    return progress_reader(columns, reading, understood, ahead).read


def _times_of(column: str, columns: Columns, reading: Reading, ahead: Sequence[Cells]) -> DateReader:
    place = columns.at(column)
    return DateReader(reading, columns.label(column), [row[place] for row in ahead if -1 < place < len(row)])


class LearnerReader:
    """Reads the rows of a file of learners."""

    def __init__(self, columns: Columns, understood: Understood) -> None:
        self._person = PersonReader(columns, understood)
        self._label = columns.label("email")
        self._panorama = columns.at("panorama")
        self._sublicense = columns.at("sublicense")
        self._locale = columns.at("locale")

    def read(self, row: int, cells: Cells) -> LearnerRecord:
        """Read a row."""
        email = self._person.email(cells)
        if email is None:
            raise RejectedError(self._label, "has no email")
        first, last = self._person.names(cells)
        return LearnerRecord(
            row, email, first, last,
            self._person.learner_id(cells),
            _optional_text(cells, self._panorama),
            None if self._sublicense == ABSENT else names_in(_optional_text(cells, self._sublicense) or ""),
            cells[self._locale].strip() or None,
        )  # fmt: skip


def _optional_text(cells: Cells, place: int) -> str | None:
    """Return what a column says: '' where it says that there is none, ``None`` where the file does not tell (R29)."""
    if place == ABSENT:
        return None
    text = cells[place].strip()
    return "" if is_no_value(text) else text


class ContentReader:
    """Reads the rows of a file of content: one for each session, or one without."""

    def __init__(self, columns: Columns, reading: Reading, ahead: Sequence[Cells] = ()) -> None:
        self._columns = columns
        self._times = _times_of("released_at", columns, reading, ahead)

    def read(self, row: int, cells: Cells) -> ContentRecord:
        """Read a row."""
        content_id, session_id = self._ids(cells)
        return ContentRecord(
            row, content_id, self._text(cells, "title"), self._text(cells, "type"),
            self._is_released(cells, "released") and self._is_released(cells, "status"),
            self._released_at(cells), self._text(cells, "url"), session_id, self._text(cells, "session_title"),
            self._list(cells, "panoramas"), self._list(cells, "sublicenses"),
        )  # fmt: skip

    def _ids(self, cells: Cells) -> tuple[str, str | None]:
        """Return the ids of content and session; a session that names its group is no content of its own."""
        content_id, session_id = self._text(cells, "content_id"), self._text(cells, "session_id")
        if content_id is None:
            raise RejectedError(self._columns.label("content_id"), "is empty")
        group = self._text(cells, "group_id")
        if group is None or group == content_id:
            return content_id, session_id
        return group, session_id or content_id

    def _is_released(self, cells: Cells, column: str) -> bool:
        word = cells[self._columns.at(column)].strip()
        if not word or word.lower() in _RELEASED:
            return True
        if word.lower() in _NOT_RELEASED:
            return False
        raise RejectedError(self._columns.label(column), f"{word!r} says neither released nor not released")

    def _released_at(self, cells: Cells) -> str | None:
        return self._times.beginning(cells[self._columns.at("released_at")])

    def _text(self, cells: Cells, column: str) -> str | None:
        return cells[self._columns.at(column)].strip() or None

    def _list(self, cells: Cells, column: str) -> tuple[str, ...]:
        return names_in(cells[self._columns.at(column)])


def names_in(text: str) -> tuple[str, ...]:
    """Return the names that a cell has, separated by semicolons, each once."""
    if not text:
        return ()
    parts = (part.strip() for part in text.split(";"))
    return tuple(dict.fromkeys(part for part in parts if part))


class AccessReader:
    """Reads the rows of a file of access: what one learner, panorama or sublicense is given."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._person = PersonReader(columns)

    def read(self, row: int, cells: Cells) -> AccessRecord:
        """Read a row."""
        content_id = cells[self._columns.at("content_id")].strip()
        if not content_id:
            raise RejectedError(self._columns.label("content_id"), "is empty")
        email = self._person.email(cells)
        panorama = cells[self._columns.at("panorama")].strip()
        sublicense = cells[self._columns.at("sublicense")].strip()
        given = [name for name in (email, panorama, sublicense) if name]
        if len(given) != 1:
            raise RejectedError("", "names " + ("several of" if given else "none of") + " email, panorama, sublicense")
        return AccessRecord(row, content_id, "learner" if email else "panorama" if panorama else "sublicense", given[0])


_COMPLETE_AT = 100
_LONGEST_WORD = 64  # of those that are remembered
_REMEMBERED = 4096  # percentages
_record = partial(tuple.__new__, ProgressRecord)  # calling the class takes three times as long


class ProgressReader:
    """Reads the rows of a file of progress, each as it stands now."""

    counts_dates = True  # whether a date beside another status is worth a word

    def __init__(self, columns: Columns, reading: Reading, understood: Understood, ahead: Sequence[Cells] = ()) -> None:
        self._person = PersonReader(columns, understood)
        self._enrolled_times = _times_of("enrolled_at", columns, reading, ahead)
        self._times = _times_of("completed_at", columns, reading, ahead)
        self._words = StatusWords(reading.values.get("status", {}))
        self._roles = RoleWords(reading.values.get("role", {}))
        self._understood = understood
        self._percentages: dict[str, float | None] = {}  # by their cells: an export repeats them
        self._columns = columns
        self._role = columns.at("role")
        self._content_id = columns.at("content_id")
        self._session_id = columns.at("session_id")
        self._title = columns.at("content_title")
        self._progress = columns.at("progress")
        self._status = columns.at("status")
        self._enrolled_at = columns.at("enrolled_at")
        self._completed_at = columns.at("completed_at")
        self._event_id = columns.at("event_id")
        self._outcomes = tuple(
            (place, columns.header_at(place, ""), header_key(columns.header[place]) in WHETHER_PASSED)
            for place in columns.outcomes
        )
        self._completed_label = columns.label("completed_at")
        unused = [header for header in understood.like_completion if not key_of(header).endswith("status")]
        self._way_to_a_time = f": --map completed_at={shlex.quote(unused[-1])} if that says it" if unused else ""

    def read(self, row: int, cells: Cells) -> ProgressRecord:
        """Read a row."""
        if self._role != ABSENT:
            self._check_role(cells)
        email, learner_id, first, last = self._person.read(cells)
        if email is None and learner_id is None:
            raise RejectedError(self._columns.label("email"), "has neither email nor learner id")
        content, by_title, session_id = self._content(cells)
        progress = self._percentage(cells)
        status, enrolled, completed = self._state(cells, progress)
        return _record((
            row, email, learner_id, content, by_title, session_id, progress, status,
            enrolled.at if enrolled else None,
            completed.at if completed else None,
            completed.latest if completed else None,
            cells[self._event_id].strip() or None, first, last,
            self._reported_at(cells), None, None, None, None, self._dated_at(cells, status),
        ))  # fmt: skip

    def _check_role(self, cells: Cells) -> None:
        try:
            self._roles.check(cells[self._role])
        except UnknownWordError as problem:
            raise self._unknown(problem) from None

    def _unknown(self, problem: UnknownWordError) -> RejectedError:
        self._understood.unknown(problem.column, problem.word)
        hint = f"say what it means: --value {problem.column}:{shlex.quote(problem.word[:_LONGEST_WORD])}=MEANING"
        return RejectedError(self._columns.label(problem.column), f"{problem}; {hint}")

    def _reported_at(self, _cells: Cells) -> str | None:
        """Return when all this was so; of a state it is the moment of the export, which nothing tells."""
        return None

    def _content(self, cells: Cells) -> tuple[str, bool, str | None]:
        session_id = cells[self._session_id].strip() or None
        if content := cells[self._content_id].strip():
            return content, False, session_id
        if session_id:
            return session_id, False, None
        if title := cells[self._title].strip():
            return title, True, None
        column = next(name for name in ("content_id", "session_id", "content_title") if name in self._columns.places)
        raise RejectedError(self._columns.label(column), "is empty: what the progress is in is not known")

    def _percentage(self, cells: Cells) -> float | None:
        text = cells[self._progress]
        if text in self._percentages:
            return self._percentages[text]
        try:
            progress = read_percentage(text)
        except ValueError as problem:
            raise RejectedError(self._columns.label("progress"), str(problem)) from None
        if len(self._percentages) < _REMEMBERED:
            self._percentages[text] = progress
        if progress is not None:
            self._understood.note_percentage(progress, is_marked="%" in text)
        return progress

    def _state(self, cells: Cells, progress: float | None) -> tuple[Status | None, Moment | None, Moment | None]:
        status, words = self._status_or_failure(cells)
        enrolled = self._enrolled_times.past(cells[self._enrolled_at])
        completed, status = self._completion(cells, status)
        return self._settled(status, enrolled, completed, progress, words)

    def _status_or_failure(self, cells: Cells) -> tuple[Status | None, str]:
        """Read what a row says of the enrollment, and by which words: a failure is one in whatever column."""
        status = self._read_status(cells)
        if self._outcomes and status not in ("ended", "expired") and (words := self._failure(cells)):
            return "open", words
        return status, cells[self._status] if status else ""

    def _failure(self, cells: Cells) -> str:
        """Return the words by which another column than the status tells a failure, '' where none does."""
        failures = (one for one in self._outcomes if self._words.is_failure(cells[one[0]], asks=one[2]))
        return next((f"{cells[place].strip()} in {header}" for place, header, _ in failures), "")

    def _dated_at(self, cells: Cells, status: Status | None) -> str | None:
        """Return the time of completion that an open row has; beside a failure none says anything."""
        if status != "open" or not cells[self._completed_at]:
            return None
        if self._words.is_failure(cells[self._status], asks=False) or self._failure(cells):
            return None
        dated, _ = self._completion(cells, status)
        return dated.at if dated else None

    def _read_status(self, cells: Cells) -> Status | None:
        word = cells[self._status]
        try:
            return self._words.meaning_of(word) if word else None
        except UnknownWordError as problem:
            raise self._unknown(problem) from None

    def _completion(self, cells: Cells, status: Status | None) -> tuple[Moment | None, Status | None]:
        """Read the time of completion; some systems write yes or no into its column."""
        text = cells[self._completed_at]
        is_time = (len(text) > 1 and text[0].isdecimal()) or is_no_value(text)
        if is_time or not (word := STATUSES.get(key_of(text))):
            return self._times.past(text), status
        return None, status or word

    def _settled(
        self,
        status: Status | None,
        enrolled: Moment | None,
        completed: Moment | None,
        progress: float | None,
        word: str = "",
    ) -> tuple[Status | None, Moment | None, Moment | None]:
        """Decide: a status wins; without one a time or 100 % completes, and less without a time does not."""
        if status is None and (completed or progress == _COMPLETE_AT):
            status = "complete"
        elif status is None and progress is not None and self._completed_at != ABSENT:
            status = "open"
        if status != "complete":
            if completed is not None and word and self.counts_dates:
                self._understood.count(self._understood.dated_otherwise, word.strip()[:_LONGEST_WORD])
            return status, enrolled, None
        if completed is None:
            raise RejectedError(self._completed_label, f"is complete, but when is not said{self._way_to_a_time}")
        return status, enrolled, completed


class EventReader(ProgressReader):
    """Reads the rows of a log: each is something that happened to an enrollment, at its ``timestamp``."""

    def __init__(self, columns: Columns, reading: Reading, understood: Understood, ahead: Sequence[Cells] = ()) -> None:
        super().__init__(columns, reading, understood, ahead)
        self._event = columns.at("event")
        self._type = columns.at("type")
        self._source = columns.at("source")
        self._timestamp = columns.at("timestamp")
        self._happened_times = _times_of("timestamp", columns, reading, ahead)

    def _state(self, cells: Cells, progress: float | None) -> tuple[Status | None, Moment | None, Moment | None]:
        said, words = self._status_or_failure(cells)
        action = self._action(cells)
        status: Status | None = said or _STATUS_OF_ACTION.get(action)
        if status is None and action is None and progress is None and not cells[self._completed_at].strip():
            status = self._meaning_of_words(cells)
        enrolled = self._enrolled_times.past(cells[self._enrolled_at])
        completed, status = self._completion(cells, status)
        happened = self._happened_times.past(cells[self._timestamp])
        if self._is_enrollment(cells, said, action):
            enrolled = enrolled or happened
        if completed is None and self._completes(status, progress):
            completed = happened
        return self._settled(status, enrolled, completed, progress, words)

    def _reported_at(self, cells: Cells) -> str | None:
        happened = self._happened_times.any(cells[self._timestamp])  # read before, so it is one
        return happened.at if happened else None

    def _action(self, cells: Cells) -> Action | None:
        event = cells[self._event]
        if not is_about_progress(event):
            raise RejectedError(self._columns.label("event"), f"{event.strip()!r} says nothing of progress")
        return action_of(event[:_LONGEST_WORD], cells[self._type][:_LONGEST_WORD], cells[self._source][:_LONGEST_WORD])

    def _meaning_of_words(self, cells: Cells) -> Status | None:
        """Return what a person says of the words of an event that are not known; else they show an enrollment only.

        Those that sound like a completion are never passed over.
        """
        event, kind, source = (
            cells[place][:_LONGEST_WORD].strip() for place in (self._event, self._type, self._source)
        )
        for word in filter(None, (f"{kind}/{source}" if kind and source else "", source, kind, event)):
            if status := self._words.meaning_told(word):
                return status
        words = unknown_words_of(event, kind, source) if self._timestamp != ABSENT or event else ""
        if words and sounds_complete(words):
            raise self._unknown(UnknownWordError("status", words, f"{words!r} is not known to be a completion"))
        if words:
            self._understood.count(self._understood.unknown_events, words)
        return None

    def _is_enrollment(self, cells: Cells, said: Status | None, action: Action | None) -> bool:
        if said is None:
            return action == "enrolled"
        return said == "open" and key_of(cells[self._status]) in ENROLLED

    def _completes(self, status: Status | None, progress: float | None) -> bool:
        return progress == _COMPLETE_AT if status is None else status == "complete"


_STATUS_OF_ACTION: dict[Action | None, Status] = {"completed": "complete", "ended": "ended", "open": "open"}


def progress_reader(
    columns: Columns, reading: Reading, understood: Understood, ahead: Sequence[Cells] = ()
) -> ProgressReader:
    """Return the reader for a file of progress: of states or of events."""
    is_log = any(columns.at(column) != ABSENT for column in ("event", "type", "source", "timestamp"))
    return (EventReader if is_log else ProgressReader)(columns, reading, understood, ahead)
