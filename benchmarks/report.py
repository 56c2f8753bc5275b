"""The table: what was measured, and whether it reaches what it must."""

import os
import platform
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Line:
    """One line of the table: a figure, and at least or at most what it must be; no limit is for information."""

    what: str
    figure: float
    unit: str = ""
    must: float | None = None
    is_better: Literal["more", "less"] = "less"
    note: str = ""

    @property
    def reached(self) -> bool:
        """Whether the figure is as good as it must be."""
        return self.must is None or (self.figure <= self.must if self.is_better == "less" else self.figure >= self.must)

    def cells(self) -> list[str]:
        """Return the line as the table shows it."""
        words = "" if self.must is None else f"{'at most' if self.is_better == 'less' else 'at least'} {self.must:g}"
        verdict = "" if self.must is None else "yes" if self.reached else "**no**"
        return [self.what, f"{self.figure:.2f}{self.unit}", f"{words}{self.unit if words else ''}", verdict, self.note]


@dataclass
class Report:
    """All lines, printed as they come and once more as a table."""

    lines: list[Line] = field(default_factory=list)

    def add(self, line: Line) -> None:
        """Add a line."""
        self.lines.append(line)
        print("  ".join(cell for cell in line.cells() if cell), flush=True)

    def table(self) -> str:
        """Return the table in Markdown."""
        rows = [["what", "measured", "must", "reached", "how"], ["---"] * 5, *(line.cells() for line in self.lines)]
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)

    @property
    def missed(self) -> Sequence[Line]:
        """The lines that do not reach what they must."""
        return [line for line in self.lines if not line.reached]


def machine() -> str:
    """Say what was measured with."""
    names = [line.partition(":")[2].strip() for line in _cpu_lines() if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in ("typer", "requests", "urllib3", "sqlite-utils", "rich"))
    return (
        f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} "
        f"{platform.release()}; Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}, {packages}."
    )


def _cpu_lines() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []
