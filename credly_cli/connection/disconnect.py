"""Leaving Credly: the token is forgotten, the rest stays; or every trace goes (R3, R5)."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from credly_cli.config import Paths
from credly_cli.errors import Failure
from credly_cli.store import connection as connections
from credly_cli.store import published
from credly_cli.store.connection import Connection
from credly_cli.store.database import Store
from credly_cli.store.runs import Kind
from credly_cli.text import Command, Hint

# Each fits a line of a terminal.
_PAGES = "Remove pages made for learners first: they stop being true."
_UNTOUCHED = "Badges on Credly are untouched."
WARNING = (
    _PAGES,
    "Learners' badges cannot be looked up here any more; nothing is issued.",
    "Links are kept. What is completed meanwhile earns nothing by itself.",
    "What is stored here stays; --purge takes all traces away.",
    _UNTOUCHED,
)
PURGE_WARNING = (
    _PAGES,
    "All links, learners, completions and grants are removed here for good.",
    _UNTOUCHED,
)


@dataclass(slots=True)
class Disconnected:
    """The result of disconnecting; ``reasons`` has each file that stays, and why."""

    JSON: ClassVar = ("connected", "purged", "left")

    organization: str | None
    was_connected: bool
    purged: bool = False
    reasons: dict[Path, str] = field(default_factory=dict)

    @classmethod
    def of(cls, known: Connection | None) -> "Disconnected":
        """Begin with what is known of the connection."""
        name = known.organization_name if known else None
        return cls(name, was_connected=known is not None and known.connected)

    @property
    def connected(self) -> bool:
        """Whether the profile is connected now."""
        return False

    @property
    def left(self) -> list[Path]:
        """The files that stay."""
        return list(self.reasons)


def published_to(paths: Paths) -> list[Path]:
    """Return the folders with pages of this profile."""
    return [folder.path for folder in published.folders(paths.published)]


def disconnect(store: Store | None, paths: Paths, now: datetime) -> Disconnected:
    """End the connection, if there is one, and forget the token; links and ledger stay, and what was published."""
    outcome = Disconnected.of(connections.current(store) if store else None)
    if store is not None and outcome.was_connected:
        connections.disconnect(store, now)
    forget_token(paths, outcome)
    _leave_pages(published_to(paths), outcome)
    return outcome


def purge(paths: Paths, known: Connection | None, elsewhere: Mapping[Path, Kind]) -> Disconnected:
    """Remove every file of the profile, also ``elsewhere``; names what it cannot remove or what is the user's own."""
    outcome = Disconnected.of(known)
    outcome.purged = True
    _leave_pages(published_to(paths), outcome)
    manifests = published.manifests(paths.published)
    for path in _traces(paths):
        _remove(path, outcome)
    for path, kind in elsewhere.items():
        if kind == "token":
            _leave(path, "it is a token file of your own", outcome)
        elif path.is_file() and not path.is_symlink():
            _remove(path, outcome)
    for path in manifests:
        _leave(path, "it was a manifest of pages, and another took its place", outcome)
    _leave(paths.config, "it is your own configuration", outcome)
    for folder in (paths.store.parent, paths.state):
        with suppress(OSError):  # it is not empty: it holds what is not ours, or another profile
            folder.rmdir()
            if folder.parent.name == "profiles":
                folder.parent.rmdir()
    return outcome


def forget_token(paths: Paths, outcome: Disconnected) -> None:
    """Remove the token that is kept here; ``outcome`` is told what cannot be removed."""
    for path in _token_files(paths):
        _remove(path, outcome)


def unreadable(paths: Paths, failure: Failure, *, yes: bool) -> Failure:
    """Forget the token all the same, if the user agrees; says what is left to remove by hand."""
    if yes:
        forget_token(paths, Disconnected.of(None))
    forgotten = "" if paths.token.exists() else " The token is forgotten."
    names = ", ".join(str(path) for path in _traces(paths) if path.exists())
    forget = Hint("To forget the token alone:", Command("disconnect", "--yes"))
    return Failure(
        failure.code,
        f"{failure.message}{forgotten} To remove everything of this profile, remove by hand: {names}.",
        hint=forget if paths.token.exists() else failure.hint,
    )


def _token_files(paths: Paths) -> Iterator[Path]:
    yield paths.token
    yield paths.token.with_name(f"{paths.token.name}.new")  # a draft, where a crash left one


def _traces(paths: Paths) -> Iterator[Path]:
    yield from _token_files(paths)
    yield from sorted(paths.store.parent.glob(f"{paths.store.name}*"))  # with -wal, -shm, the lock and backups
    yield from (folder.manifest for folder in published.folders(paths.published) if folder.manifest)
    yield from (paths.pages_manifest, paths.pages_key, paths.publishing_lock)
    yield from sorted(paths.published.parent.glob(f"{paths.published.name}*"))
    yield from sorted(paths.state.glob("*.rejects.csv"))
    yield from sorted(paths.state.glob("*.log"))


def _leave_pages(folders: Iterable[Path], outcome: Disconnected) -> None:
    for folder in folders:
        _leave(folder, "it has pages of learners", outcome)


def _leave(path: Path, reason: str, outcome: Disconnected) -> None:
    if path.exists():
        outcome.reasons[path] = reason


def _remove(path: Path, outcome: Disconnected) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        outcome.reasons[path] = f"it could not be removed ({error.strerror})"


def require_name(known: Connection, typed: str) -> None:
    """Refuse to purge under another name than the organization's; raises ``Failure``."""
    if typed.strip().casefold() != known.organization_name.strip().casefold():
        raise Failure(
            "usage",
            f"That is not the name of {known.organization_name}.",
            hint="Nothing was removed. Type the name as it is, or give it with --confirm NAME.",
        )
