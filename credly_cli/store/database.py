"""The store: private from birth, checked before use, written in short transactions; rows become records here."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, TypeAlias, TypeVar, get_args

from credly_cli.errors import Failure
from credly_cli.files import followed, keep_private, make_private_file
from credly_cli.store import views
from credly_cli.store.schema import MIGRATIONS

if TYPE_CHECKING:
    from sqlite_utils import Database

_Record = TypeVar("_Record")
Row: TypeAlias = dict[str, Any]  # of a query, by the names of its columns; what leaves the store is a record

APPLICATION_ID = 0x63726564  # "cred": a file of another program is refused
_BUSY_SECONDS = 10
_SETTINGS = (
    "PRAGMA journal_mode = WAL",  # readers never block the writer
    "PRAGMA synchronous = FULL",  # NORMAL may forget a grant that was committed as sending after its POST has left
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",  # what REPLACE takes away is told too
    "PRAGMA trusted_schema = OFF",
    "PRAGMA temp_store = FILE",  # an import of any size is sorted there, without memory; the file has no name
    "PRAGMA cache_size = -3072",  # the system caches the file as well; more would only let memory grow with an import
    "PRAGMA journal_size_limit = 67108864",
)


class Store:
    """The store, open for reading and writing by one process."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        connection.isolation_level = None  # transactions are begun and ended here, by name
        self.path = path
        self.connection = connection
        require_ours(connection)  # before anything is changed: a foreign file stays as it is
        for setting in _SETTINGS:
            connection.execute(setting)
        migrate(connection)
        views.create(connection)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or create the store; raises ``Failure`` when it is not ours or newer than this program."""
        followed(path)  # SQLite would follow any link
        if not make_private_file(path):
            keep_private(path)
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS)
        try:
            return cls(connection, path)
        except BaseException:
            connection.close()
            raise

    @classmethod
    def in_memory(cls) -> Self:
        """Open a store that is gone when closed: for a dry run before there is a store, and for tests."""
        return cls(sqlite3.connect(":memory:"), None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def overwrite_what_is_deleted(self) -> None:
        """Let no deleted text stay in the file from now on."""
        self.connection.execute("PRAGMA secure_delete = ON")

    def wipe(self) -> bool:
        """Leave no copy behind in the file's free pages or in the log beside it; false while somebody reads there."""
        self.connection.execute("VACUUM")
        busy = self.value("PRAGMA wal_checkpoint(TRUNCATE)")
        return not busy

    @cached_property
    def db(self) -> "Database":
        """The same connection, for the few writes where sqlite-utils says more in less."""
        from sqlite_utils import Database  # noqa: PLC0415 - 80 ms that a run without such writes does not pay

        return Database(self.connection, execute_plugins=False)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of the block or nothing of it; inside another transaction, as a part of that one."""
        nested = self.connection.in_transaction
        # IMMEDIATE: a read that turns into a write fails at once in WAL, without waiting for the other writer
        self.connection.execute("SAVEPOINT part" if nested else "BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("RELEASE part" if nested else "COMMIT")
        except BaseException:
            if self.connection.in_transaction:  # a full disk has rolled back already
                for statement in ("ROLLBACK TO part", "RELEASE part") if nested else ("ROLLBACK",):
                    self.connection.execute(statement)
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all that the block reads be of one moment, whoever writes meanwhile."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("COMMIT")

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Undo everything that the block did: what a dry run reads is the plan that a run carries out."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")

    def wait_for_writers(self, seconds: int) -> None:
        """Let a write wait so long for another process that writes, from now on."""
        self.connection.execute(f"PRAGMA busy_timeout = {seconds * 1000}")

    def rows(self, sql: str, parameters: Any = ()) -> list[Row]:
        """Read all rows of a query, as dictionaries."""
        cursor = self.connection.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def each(self, sql: str, parameters: Any = ()) -> Iterator[Row]:
        """Yield the rows of a query one by one, as dictionaries: there may be more than fit into memory."""
        cursor = self.connection.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        return (dict(zip(names, row, strict=True)) for row in cursor)

    def row(self, sql: str, parameters: Any = ()) -> Row | None:
        """Read the first row of a query, or ``None``."""
        cursor = self.connection.execute(sql, parameters)
        found = cursor.fetchone()
        return None if found is None else dict(zip((column[0] for column in cursor.description), found, strict=True))

    def records(self, cls: type[_Record], sql: str, parameters: Any = ()) -> list[_Record]:
        """Read all rows of a query as dataclasses ``cls``, whose fields the columns name; 0 and 1 become ``bool``.

        Columns such as ``badge.id`` are the fields of a record within the record, which is ``None`` without an id.
        """
        cursor = self.connection.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        flags = [name for name in _fields(cls).flags if name in names]
        inner = {name: kind for name, kind in _fields(cls).records.items() if f"{name}.id" in names}
        found = []
        for row in cursor:
            values = dict(zip(names, row, strict=True))
            for name in flags:
                values[name] = bool(values[name])
            for name, kind in inner.items():
                parts = {part.name: values.pop(f"{name}.{part.name}") for part in fields(kind)}
                values[name] = None if parts["id"] is None else kind(**parts)
            found.append(cls(**values))
        return found

    def record(self, cls: type[_Record], sql: str, parameters: Any = ()) -> _Record | None:
        """Read the first row of a query as a dataclass, or ``None``."""
        return next(iter(self.records(cls, sql, parameters)), None)

    def value(self, sql: str, parameters: Any = ()) -> Any:
        """Read the first column of the first row of a query, or ``None``."""
        found = self.connection.execute(sql, parameters).fetchone()
        return None if found is None else found[0]

    def change(self, sql: str, parameters: Any = ()) -> int:
        """Run one writing statement; returns how many rows it changed."""
        return self.connection.execute(sql, parameters).rowcount


class _Fields(NamedTuple):
    """What of a dataclass's fields is no plain value: those that are ``bool``, and records, or records or ``None``."""

    flags: tuple[str, ...]
    records: dict[str, type[Any]]


_FIELDS: dict[type[Any], _Fields] = {}


def _fields(cls: type[Any]) -> _Fields:
    if cls in _FIELDS:
        return _FIELDS[cls]
    flags, records = list[str](), dict[str, type[Any]]()
    for field in fields(cls):
        kinds = [kind for kind in (field.type, *get_args(field.type)) if isinstance(kind, type)]
        flags += [field.name] if field.type is bool else []
        records |= [(field.name, kind) for kind in kinds if is_dataclass(kind)]
    return _FIELDS.setdefault(cls, _Fields(tuple(flags), records))


def is_broken(error: sqlite3.Error) -> bool:
    """Tell whether an error says that a file is no database, or a damaged one."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def check(path: Path) -> tuple[str | None, int]:
    """Read a whole store once, without changing it; returns what is wrong with it, and its version.

    Raises ``Failure`` where it is not ours, and ``sqlite3.Error`` where it cannot be read.
    """
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)) as connection:
        require_ours(connection)
        complaints = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
        return None if complaints == ["ok"] else complaints[0], _version(connection)


def require_ours(connection: sqlite3.Connection) -> None:
    """Refuse a database of another program, and one of a newer version of this; raises ``Failure``."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application not in (0, APPLICATION_ID) or (application == 0 and _has_tables(connection)):
        raise Failure("store-unusable", "The store is a database of another program.", hint="Move that file away.")
    require_known(_version(connection))


def require_known(version: int) -> None:
    """Refuse a store that a newer version of this program wrote; raises ``Failure``."""
    if version > len(MIGRATIONS):
        raise Failure(
            "store-newer",
            f"The store has version {version}; this program knows up to {len(MIGRATIONS)}.",
            hint="Install the newer credly-cli that wrote it.",
        )


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date, each step in a transaction of its own."""
    while (version := _version(connection)) < len(MIGRATIONS):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _version(connection) == version:  # else another process was faster
                for statement in _statements(MIGRATIONS[version]):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _statements(script: str) -> Iterator[str]:
    """Take a script apart: ``executescript`` would commit what was begun."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


@dataclass(slots=True)
class Counts:
    """How many rows were read, and what became of them."""

    JSON: ClassVar = ("read", "added", "changed", "unchanged", "rejected")

    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    left_out: int = 0

    def count(self, *, added: bool, changed: bool) -> None:
        """Count one row."""
        if added:
            self.added += 1
        elif changed:
            self.changed += 1
        else:
            self.unchanged += 1

    def __iadd__(self, other: "Counts") -> "Counts":
        for name, number in asdict(other).items():
            setattr(self, name, getattr(self, name) + number)
        return self
