"""Leaving Credly: the token is forgotten, the rest stays; or every trace goes (R3, R5)."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from credly_cli.environment import Paths
from credly_cli.errors import Failure
from credly_cli.store import connection as connections
from credly_cli.store.connection import Connection
from credly_cli.store.database import Store

WARNING = (
    "Pages for learners that were made from this store stop being true; take them off your site first.",
    "What learners earned can no longer be looked up here, and nothing more is issued.",
    "Links are kept. What was completed until you connect again earns nothing by itself.",
    "Badges on Credly are untouched.",
)


@dataclass(slots=True)
class Disconnected:
    """What disconnecting brought about; ``left`` is what could not be removed or is not ours to remove."""

    purged: bool = False
    left: list[Path] = field(default_factory=list)
    organization: str | None = None

    def json(self) -> dict[str, Any]:
        """Return the answer as scripts read it."""
        return {"connected": False, "purged": self.purged, "left": [str(path) for path in self.left]}


def disconnect(store: Store, paths: Paths, now: datetime) -> Disconnected:
    """End the connection and forget the token; links and ledger stay."""
    known = connections.current(store)
    outcome = Disconnected(organization=known.organization_name if known else None)
    if known is not None and known.connected:
        connections.disconnect(store, now)
    _remove(paths.token, outcome)
    return outcome


def purge(paths: Paths, known: Connection | None) -> Disconnected:
    """Remove every file of the profile; names those that it cannot remove."""
    outcome = Disconnected(purged=True, organization=known.organization_name if known else None)
    for path in _traces(paths):
        _remove(path, outcome)
    source = known.token_source() if known else None
    if source is not None and source.kind == "file" and source.path is not None and source.path.exists():
        outcome.left.append(source.path)  # it was there before us
    for folder in {paths.store.parent, paths.state}:
        with suppress(OSError):  # it is not empty: it holds what is not ours
            folder.rmdir()
    return outcome


def _traces(paths: Paths) -> Iterator[Path]:
    yield paths.token
    yield from sorted(paths.store.parent.glob(f"{paths.store.name}*"))  # with -wal, -shm, the lock and backups
    if paths.state.is_dir():
        yield from sorted(paths.state.glob("*.rejects.csv"))
        yield from sorted(paths.state.glob("*.log"))


def _remove(path: Path, outcome: Disconnected) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        outcome.left.append(path)


def require_name(known: Connection | None, typed: str) -> None:
    """Refuse to purge under another name than the organization's; raises ``Failure``."""
    if known is not None and typed.strip().casefold() != known.organization_name.strip().casefold():
        raise Failure(
            "usage",
            f"The name does not match: this store belongs to {known.organization_name}.",
            hint="Nothing was removed. Type the organization's name, or give it with --confirm NAME.",
        )
