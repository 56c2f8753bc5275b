"""A school that publishes its learners' pages into a folder."""

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.learners.school import ROBIN, School

URL = "https://learn.example.org/badges"


@dataclass
class Site:
    """The folder that a school publishes to, and what stands in its pages."""

    school: School
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder = self.school.desk.home.parent / "site"

    def publish(self, *options: str, folder: Path | None = None, code: int = 0) -> Any:
        """Publish, and return the answer."""
        return self.school.desk.json("publish", str(folder or self.folder), *options, code=code)

    def changes(self, *options: str) -> tuple[int, int, int]:
        """Publish, and return how many pages there are, were written, and were removed."""
        answer = self.publish(*options)
        assert answer["pages"] == answer["written"] + answer["unchanged"] == len(self.pages())
        return answer["pages"], answer["written"], answer["removed"]

    def pages(self, folder: Path | None = None) -> list[Path]:
        """Return the pages that are there."""
        return sorted((folder or self.folder).glob("*.html"))

    def lines(self, manifest: Path | None = None) -> dict[str, dict[str, str]]:
        """Return the manifest's lines, by address of the learner."""
        path = manifest or self.school.desk.home / "pages.csv"
        with path.open(newline="", encoding="utf-8") as file:
            return {row["email"]: row for row in csv.DictReader(file)}

    def path(self, email: str = ROBIN) -> Path:
        """Return where a learner's page is."""
        return self.folder / self.lines()[email]["url"].rpartition("/")[2]

    def page(self, email: str = ROBIN) -> str:
        """Return a learner's page."""
        return self.path(email).read_text("utf-8")

    def as_of(self, email: str = ROBIN) -> str:
        """Return as of when a learner's page says to be; the manifest says the same."""
        changed_at = self.lines()[email]["changed_at"]
        assert f'datetime="{changed_at}"' in self.page(email)
        return changed_at
