"""The rows of learners, content and access as records, and the reader for each kind of file."""

from credly_cli.lms.columns import Columns
from credly_cli.lms.dates import DateReader
from credly_cli.lms.fields import PersonReader
from credly_cli.lms.progress_rows import progress_reader
from credly_cli.lms.records import (
    AccessRecord,
    Cells,
    ContentRecord,
    Kind,
    LearnerRecord,
    Reading,
    RejectedError,
    RowReader,
    Understood,
)

_RELEASED = frozenset({"true", "yes", "1", "published", "released"})
_NOT_RELEASED = frozenset({"false", "no", "0", "draft", "scheduled", "pending", "authoring", "archived", "deleted"})


def row_reader(kind: Kind, columns: Columns, reading: Reading, understood: Understood) -> RowReader:
    """Return what makes records of the rows of a file, and notes in ``understood`` how it takes them."""
    if kind == "learners":
        return LearnerReader(columns, understood).read
    if kind == "content":
        return ContentReader(columns, reading).read
    if kind == "access":
        return AccessReader(columns).read
    return progress_reader(columns, reading, understood).read


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
            cells[self._panorama].strip() or None,
            names_in(cells[self._sublicense]) or None,
            cells[self._locale].strip() or None,
        )  # fmt: skip


class ContentReader:
    """Reads the rows of a file of content: one for each session, or one without."""

    def __init__(self, columns: Columns, reading: Reading) -> None:
        self._columns = columns
        self._times = DateReader(reading)

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
        return self._times.beginning(cells[self._columns.at("released_at")], self._columns.label("released_at"))

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
