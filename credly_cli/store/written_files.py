"""The files that this profile has written or read at places of the user's choice, for a purge to remove or name."""

from pathlib import Path
from typing import Literal

from credly_cli.store.database import Store

Kind = Literal["log", "rejects", "token"]
_PREFIX = "trace:"  # among all bookmarks


def note(store: Store, kind: Kind, path: Path) -> None:
    """Remember a file."""
    name = f"{_PREFIX}{path.absolute()}"
    store.change("INSERT INTO bookmarks (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (name, kind))


def noted(store: Store) -> dict[Path, Kind]:
    """Return the files that were remembered."""
    rows = store.rows("SELECT name, value FROM bookmarks WHERE name GLOB ? ORDER BY name", (f"{_PREFIX}*",))
    return {Path(row["name"].removeprefix(_PREFIX)): row["value"] for row in rows}
