"""A store that people are imported into, and what it says of them afterwards."""

from pathlib import Path
from typing import NamedTuple

from credly_cli.import_options import IdDecision, Kind
from credly_cli.importing.candidates import IdOptions
from credly_cli.importing.importer import ImportResult, import_files
from credly_cli.lms.records import Reading
from credly_cli.store.database import Store
from tests.support.desk import START

LEARNERS = "email,learner_id,first_name,last_name"
PROGRESS = "email,learner_id,first_name,last_name,content_id,completed_at"


class Rejected(NamedTuple):
    """A row that was rejected: its number, the header being 1, and the reason."""

    row: int
    reason: str


class People:
    """The people of a store, one file after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store.open(folder / "people.db")
        self.rejected: list[Rejected] = []  # of the last file
        self.readdressed: list[tuple[str | None, str, str]] = []
        self._import("content", "content_id,title\nC1,Intro\nC2,Deep Dive\n", IdOptions())

    def learners(self, *rows: str, source: str = "", **ids: IdDecision) -> ImportResult:
        """Import learners: rows of address, id, first and last name; ``i5="same"`` decides on the id 5."""
        return self._take("learners", LEARNERS, rows, source, ids)

    def progress(self, *rows: str, source: str = "", **ids: IdDecision) -> ImportResult:
        """Import progress: rows of address, id, first and last name, content and time of completion."""
        return self._take("progress", PROGRESS, rows, source, ids)

    def _take(
        self, kind: Kind, header: str, rows: tuple[str, ...], source: str, ids: dict[str, IdDecision]
    ) -> ImportResult:
        decisions = {name.removeprefix("i"): decision for name, decision in ids.items()}
        return self._import(kind, "\n".join((header, *rows)) + "\n", IdOptions(source, decisions))

    def _import(self, kind: Kind, text: str, ids: IdOptions) -> ImportResult:
        file = self.folder / f"{kind}.csv"
        file.write_text(text)
        result = import_files(self.store, kind, [file], Reading(START), self.folder, ids=ids)
        rejects = self.folder / f"{kind}.csv.rejects.csv"
        lines = rejects.read_text().splitlines()[1:] if rejects.exists() else []
        self.rejected = [Rejected(int(line.split(",")[0]), line.partition(",")[2]) for line in lines]
        self.readdressed = [each[:3] for each in result.readdressed]
        return result

    @property
    def known(self) -> list[str]:
        """Who is known: address, id, first and last name."""
        rows = self.store.rows("SELECT email, learner_id, first_name, last_name FROM learners")
        return sorted(" ".join(value or "-" for value in row.values()) for row in rows)

    @property
    def completions(self) -> list[str]:
        """Who completed what: address, content and day."""
        rows = self.store.rows(
            "SELECT email, content_id, substr(completed_at, 1, 10) FROM enrollments JOIN learners ON id = learner"
            " WHERE completed_at IS NOT NULL"
        )
        return sorted(" ".join(map(str, row.values())) for row in rows)

    @property
    def ids(self) -> list[str]:
        """The ids of named sources: source, id, address."""
        rows = self.store.rows(
            "SELECT source, n.learner_id, email FROM learner_ids n JOIN learners l ON l.id = learner"
        )
        return sorted(" ".join(map(str, row.values())) for row in rows)
