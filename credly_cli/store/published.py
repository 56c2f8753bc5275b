"""What was published where (R35), in a file of its own beside the store: publishing never waits for who writes there.

It can be lost: then all pages are written anew, and the folders that were published to are no longer named.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Self, TypeVar

from credly_cli.errors import Failure
from credly_cli.files import make_private_file
from credly_cli.store.database import is_broken
from credly_cli.store.page_changes import Mark

_Read = TypeVar("_Read")

_VERSION = 2
_BUSY_SECONDS = 10
_LOST = "Move it away: the next credly publish then writes all pages anew."
MISSING = ""  # when a page is due that is not there: always

_SCHEMA = """
-- A folder that was published to, and how far.
CREATE TABLE folders (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  whole INTEGER NOT NULL DEFAULT 0,    -- 1: the last run came to its end
  place TEXT,                          -- by what is told that nobody else touched the folder since
  appearance BLOB,
  url TEXT,
  manifest TEXT,
  pages INTEGER NOT NULL DEFAULT 0,
  number INTEGER,                      -- the store's changes up to here are published ...
  run INTEGER,
  run_started_at TEXT,
  next_at TEXT,                        -- ... until content is released by the passing of time
  brake INTEGER,                       -- grants.brake, as it was ...
  braked TEXT NOT NULL DEFAULT '[]'    -- ... and the badges that it kept back
) STRICT;

CREATE TABLE pages (
  folder INTEGER NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
  learner INTEGER NOT NULL,            -- the store's own number
  name TEXT NOT NULL,                  -- '' where something else has that name
  digest BLOB NOT NULL,                -- of what it says
  appearance BLOB NOT NULL,            -- of how it looks
  line BLOB NOT NULL,                  -- of what the manifest says beside it
  changed_at TEXT NOT NULL,
  due_at TEXT,                         -- when it changes by the passing of time; '' where the file is not there
  PRIMARY KEY (folder, learner)
) STRICT, WITHOUT ROWID;
CREATE INDEX pages_due ON pages (folder, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX pages_name ON pages (folder, name);
"""
_MANIFESTS = """
-- Each manifest that was written, and of which folder it was the last time.
CREATE TABLE manifests (
  path TEXT PRIMARY KEY,
  folder INTEGER NOT NULL REFERENCES folders (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
"""

_SINCE_1 = f"""
ALTER TABLE folders ADD COLUMN brake INTEGER;
ALTER TABLE folders ADD COLUMN braked TEXT NOT NULL DEFAULT '[]';
{_MANIFESTS}
INSERT OR IGNORE INTO manifests SELECT manifest, id FROM folders WHERE manifest IS NOT NULL ORDER BY id DESC;
"""


@dataclass(frozen=True, slots=True)
class PublishedFolder:
    """A folder that was published to; ``place`` tells whether somebody else touched it since."""

    id: int
    path: Path
    whole: bool
    place: str | None
    appearance: bytes | None
    url: str | None
    manifest: Path | None
    pages: int
    seen: Mark | None
    next_at: str | None
    brake: int | None
    braked: frozenset[str]  # badges that the brake kept back


@dataclass(frozen=True, slots=True)
class PublishedPage:
    """A page that was written. Times are UTC text."""

    learner: int
    name: str
    digest: bytes
    appearance: bytes
    line: bytes
    changed_at: str
    due_at: str | None

    @property
    def is_noted(self) -> bool:
        """Whether there is a file of it."""
        return bool(self.name)

    @property
    def is_missing(self) -> bool:
        """Whether the file was found to be gone."""
        return self.due_at == MISSING


_PAGE = "learner, name, digest, appearance, line, changed_at, due_at"
_FOLDER = "id, path, whole, place, appearance, url, manifest, pages, number, run, run_started_at, next_at,"
_FOLDER += " brake, braked"


class Published:
    """What was published, open for reading and writing by one process."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        connection.isolation_level = None
        self._connection = connection
        for setting in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "cache_size = -2048"):
            connection.execute(f"PRAGMA {setting}")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != _VERSION:
            schema = _SCHEMA + _MANIFESTS if version == 0 else _SINCE_1
            connection.executescript(f"BEGIN IMMEDIATE; {schema} PRAGMA user_version = {_VERSION}; COMMIT;")

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[Self]:
        """Open or make the file; raises ``Failure`` where it is broken."""
        make_private_file(path)
        with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS)) as connection:
            yield cls._of(connection, path)

    @classmethod
    @contextmanager
    def existing(cls, path: Path) -> Iterator[Self]:
        """Open the file where it is there, else something in its place that is gone afterwards; raises ``Failure``."""
        with closing(sqlite3.connect(path if path.exists() else ":memory:", timeout=_BUSY_SECONDS)) as connection:
            yield cls._of(connection, path)

    @classmethod
    def _of(cls, connection: sqlite3.Connection, path: Path) -> Self:
        try:
            return cls(connection)
        except sqlite3.DatabaseError as error:
            if is_broken(error):
                raise Failure("store-unusable", f"{path} cannot be read: {error}.", hint=_LOST) from None
            raise

    @classmethod
    @contextmanager
    def rehearsed(cls, path: Path) -> Iterator[Self]:
        """Open the file for a dry run, which leaves it as it is: all is undone at the end."""
        with cls.existing(path) as found:
            found._connection.execute("BEGIN")
            try:
                yield found
            finally:
                found._connection.execute("ROLLBACK")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of the block or nothing of it."""
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO part")
            raise
        finally:
            self._connection.execute("RELEASE part")

    # Folders

    def folders(self) -> list[PublishedFolder]:
        """Return the folders that were published to, by path."""
        return [_folder(row) for row in self._connection.execute(f"SELECT {_FOLDER} FROM folders ORDER BY path")]

    def folder(self, path: Path) -> PublishedFolder:
        """Return a folder, noted from now on."""
        self._connection.execute("INSERT INTO folders (path) VALUES (?) ON CONFLICT DO NOTHING", (str(path),))
        row = self._connection.execute(f"SELECT {_FOLDER} FROM folders WHERE path = ?", (str(path),)).fetchone()
        return _folder(row)

    def begin(self, folder: PublishedFolder, manifest: Path) -> None:
        """Note that the folder is being written to, and where its manifest goes."""
        sql = "UPDATE folders SET whole = 0, manifest = ? WHERE id = ?"
        self._connection.execute(sql, (str(manifest), folder.id))
        sql = "INSERT INTO manifests VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET folder = excluded.folder"
        self._connection.execute(sql, (str(manifest), folder.id))

    def manifests(self, folder: PublishedFolder | None = None) -> list[Path]:
        """Return the manifests that were written, all or those that are a folder's, also where another is today's."""
        sql = "SELECT path FROM manifests WHERE folder = ifnull(?, folder) ORDER BY path"
        return [Path(row[0]) for row in self._connection.execute(sql, (folder.id if folder else None,))]

    def finish(self, folder: PublishedFolder) -> None:
        """Note what a run came to at its end."""
        seen = folder.seen or Mark(0, None, None)
        self._connection.execute(
            "UPDATE folders SET whole = 1, place = ?, appearance = ?, url = ?, manifest = ?, pages = ?, number = ?,"
            " run = ?, run_started_at = ?, next_at = ?, brake = ?, braked = ? WHERE id = ?",
            (
                *(folder.place, folder.appearance, folder.url, str(folder.manifest), folder.pages),
                *astuple(seen),
                *(folder.next_at, folder.brake, json.dumps(sorted(folder.braked)), folder.id),
            ),
        )

    def set_place(self, folder: int, place: str) -> None:
        """Note how the folder was left."""
        sql = "UPDATE folders SET place = ?, pages = ? WHERE id = ?"
        self._connection.execute(sql, (place, self.count(folder), folder))

    def drop(self, folder: PublishedFolder) -> None:
        """Forget a folder."""
        self._connection.execute("DELETE FROM folders WHERE id = ?", (folder.id,))

    # Pages

    def count(self, folder: int) -> int:
        """Count the pages of a folder."""
        sql = "SELECT count(*) FROM pages WHERE folder = ? AND name <> ''"
        return int(self._connection.execute(sql, (folder,)).fetchone()[0])

    def of_learners(self, folder: int, learners: Sequence[int]) -> dict[int, PublishedPage]:
        """Return the pages of some learners, by their number."""
        sql = f"SELECT {_PAGE} FROM pages WHERE folder = ? AND learner IN (SELECT value FROM json_each(?))"
        return {row[0]: PublishedPage(*row) for row in self._connection.execute(sql, (folder, json.dumps(learners)))}

    def between(self, folder: int, above: int, up_to: int | None) -> dict[int, PublishedPage]:
        """Return the pages of the learners in a range of numbers; ``None``: of all above."""
        sql = f"SELECT {_PAGE} FROM pages WHERE folder = ? AND learner > ? AND learner <= ifnull(?, learner)"
        return {row[0]: PublishedPage(*row) for row in self._connection.execute(sql, (folder, above, up_to))}

    def after(self, folder: int, learner: int, limit: int) -> list[PublishedPage]:
        """Return so many pages after that of a learner, by the learner's number."""
        sql = f"SELECT {_PAGE} FROM pages WHERE folder = ? AND learner > ? ORDER BY learner LIMIT ?"
        return [PublishedPage(*row) for row in self._connection.execute(sql, (folder, learner, limit))]

    def due(self, folder: int, now: str, most: int) -> list[int] | None:
        """Return the learners whose pages are due by now; ``None`` where that are more than so many."""
        sql = "SELECT learner FROM pages WHERE folder = ? AND due_at IS NOT NULL AND due_at <= ? LIMIT ?"
        rows = [row[0] for row in self._connection.execute(sql, (folder, now, most + 1))]
        return rows if len(rows) <= most else None

    def save(self, folder: int, pages: Iterable[PublishedPage]) -> None:
        """Note pages that were written or looked at."""
        self._connection.executemany(
            f"INSERT OR REPLACE INTO pages (folder, {_PAGE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            ((folder, *astuple(page)) for page in pages),
        )

    def mark_missing(self, folder: int, learners: Iterable[int]) -> None:
        """Note whose pages are not there any more."""
        sql = "UPDATE pages SET due_at = ? WHERE folder = ? AND learner = ?"
        self._connection.executemany(sql, ((MISSING, folder, learner) for learner in learners))

    def remove(self, folder: int, learners: Iterable[int]) -> None:
        """Forget pages."""
        sql = "DELETE FROM pages WHERE folder = ? AND learner = ?"
        self._connection.executemany(sql, ((folder, learner) for learner in learners))

    def has_name(self, folder: int, name: str) -> bool:
        """Tell whether a file is the page of a learner."""
        sql = "SELECT 1 FROM pages WHERE folder = ? AND name = ?"
        return self._connection.execute(sql, (folder, name)).fetchone() is not None

    def names(self, folder: int) -> Iterator[str]:
        """Yield the file names of a folder's pages, in order."""
        sql = "SELECT name FROM pages WHERE folder = ? AND name <> '' ORDER BY name"
        return (row[0] for row in self._connection.execute(sql, (folder,)))


def _folder(row: Sequence[str | int | bytes | None]) -> PublishedFolder:
    identity, path, whole, place, appearance, url, manifest, pages, number, run, run_started_at, next_at = row[:12]
    brake, braked = row[12:]
    return PublishedFolder(
        id=int(str(identity)),
        path=Path(str(path)),
        whole=bool(whole),
        place=place if isinstance(place, str) else None,
        appearance=appearance if isinstance(appearance, bytes) else None,
        url=url if isinstance(url, str) else None,
        manifest=Path(str(manifest)) if manifest else None,
        pages=int(str(pages)),
        seen=Mark(number, run, run_started_at) if isinstance(number, int) else None,  # type: ignore[arg-type]
        next_at=next_at if isinstance(next_at, str) else None,
        brake=brake if isinstance(brake, int) else None,
        braked=frozenset(json.loads(str(braked))),
    )


def manifests(path: Path) -> list[Path]:
    """Return the manifests that were written, as the file says, which need not be there, nor be readable."""
    return _read(path, Published.manifests)


def folders(path: Path) -> list[PublishedFolder]:
    """Return the folders with pages, as the file says, which need not be there, nor be readable."""
    return [folder for folder in _read(path, Published.folders) if folder.pages or not folder.whole]


def _read(path: Path, rows: Callable[[Published], list[_Read]]) -> list[_Read]:
    if not path.exists():
        return []
    with suppress(sqlite3.Error, Failure), Published.existing(path) as published:
        return rows(published)
    return []
