"""What `status` and a shell's completion ask: read at once by the standard library alone, without changing anything."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from credly_cli.errors import ErrorCode
from credly_cli.store import needs_person as waiting
from credly_cli.store.database import require_known
from credly_cli.store.needs_person import Waiting
from credly_cli.store.schema import COUNT_REVOKED, STATES
from credly_cli.store.views import KEPT
from credly_cli.token import Expiry, TokenLife

if TYPE_CHECKING:
    from credly_cli.credly.records import Organization

_KNOWS_GOOD = 5  # the version from which on the store says which runs did their work
_KNOWS_TOKEN_LIFE = 8  # ... and what Credly tells of the end of its token
_SUCCESS = "status = 'success'"
_END = "\U0010ffff"  # after every address that begins alike


@dataclass(frozen=True, slots=True)
class FirstProblem:
    """The first problem of a run."""

    code: ErrorCode
    message: str


@dataclass(frozen=True, slots=True)
class LastSync:
    """The last run of `sync`; without ``status`` and ``finished_at`` while it is at work, or where it crashed."""

    status: str | None
    started_at: str
    finished_at: str | None
    problem: FirstProblem | None


@dataclass(slots=True)
class Overview:
    """Where things stand; times are RFC 3339 in UTC."""

    connected: bool = False
    organization: "Organization | None" = None
    api_url: str | None = None
    connected_at: str | None = None
    token_expires_at: str | None = None
    token_expiry: Expiry = "not-told"  # noqa: S105
    token_since: str | None = None
    badges: int = 0
    linked: int = 0
    content: int = 0
    learners: int = 0
    grants: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*STATES, "revoked"), 0))
    last_sync: LastSync | None = None
    last_good_sync: str | None = None
    needs_person: int = 0
    waiting_for_person: list[Waiting] = field(default_factory=list)

    @property
    def token_life(self) -> TokenLife:
        """When the token ends, as far as Credly tells."""
        return TokenLife(self.token_expiry, self.token_expires_at, self.token_since)


def read(path: Path) -> Overview:
    """Read where things stand in a store, which need not be there; raises ``Failure`` for a newer one."""
    found = Overview()
    if not path.exists():
        return found
    with _opened(path, seconds=10) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        require_known(version)
        if version > 0:
            _read_connection(connection, found, knows_life=version >= _KNOWS_TOKEN_LIFE)
            _read_counts(connection, found)
            _read_runs(connection, found, knows_good=version >= _KNOWS_GOOD)
            found.waiting_for_person = waiting.gather(connection)
            found.needs_person = waiting.total(found.waiting_for_person)
    return found


@contextmanager
def _opened(path: Path, *, seconds: float) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=seconds)) as connection:
        yield connection


def _read_connection(connection: sqlite3.Connection, found: Overview, *, knows_life: bool) -> None:
    life = "token_expires_at, token_expiry, token_since" if knows_life else "NULL, 'not-told', connected_at"
    sql = f"SELECT organization_id, organization_name, api_url, disconnected_at, connected_at, {life} FROM connection"
    for identity, name, api_url, disconnected_at, connected_at, *of_token in connection.execute(sql):
        from credly_cli.credly.records import Organization  # noqa: PLC0415 - a shell's completion does without it

        found.organization = Organization(identity, name)
        found.api_url, found.connected, found.connected_at = api_url, disconnected_at is None, connected_at
        found.token_expires_at, found.token_expiry, found.token_since = of_token


_COUNTS = f"""
SELECT (SELECT count(*) FROM badges WHERE listed), (SELECT count(*) FROM links WHERE ended_at IS NULL),
       (SELECT count(*) FROM content), (SELECT count(*) FROM learners WHERE {KEPT})
"""


def _read_counts(connection: sqlite3.Connection, found: Overview) -> None:
    found.badges, found.linked, found.content, found.learners = connection.execute(_COUNTS).fetchone()
    found.grants.update(connection.execute("SELECT state, count(*) FROM grants GROUP BY state").fetchall())
    found.grants["revoked"] = connection.execute(COUNT_REVOKED).fetchone()[0]


def _read_runs(connection: sqlite3.Connection, found: Overview, *, knows_good: bool) -> None:
    """Read the last run, and when one last did its work."""
    sql = "SELECT status, started_at, finished_at, summary FROM runs ORDER BY id DESC LIMIT 1"
    for status, started_at, finished_at, summary in connection.execute(sql):
        problems = json.loads(summary)["problems"] if summary else []
        first = FirstProblem(problems[0]["code"], problems[0]["message"]) if problems else None
        found.last_sync = LastSync(status, started_at, finished_at, first)
    sql = f"SELECT max(finished_at) FROM runs WHERE {'good' if knows_good else _SUCCESS}"
    found.last_good_sync = connection.execute(sql).fetchone()[0]


# For a shell, which waits for the answer


def badge_words(path: Path) -> list[tuple[str | None, str]]:
    """Return slug and id of each badge in the list."""
    with _opened(path, seconds=0.2) as connection:
        return connection.execute("SELECT slug, id FROM badges WHERE listed ORDER BY name").fetchall()


def content_ids(path: Path) -> list[str]:
    """Return the ids of content, by title."""
    with _opened(path, seconds=0.2) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM content ORDER BY title")]


def learner_addresses(path: Path, begun: str, most: int) -> list[str]:
    """Return the first of the learners' addresses that begin like a key (``identity.email_key``)."""
    sql = f"SELECT email FROM learners WHERE email_key >= ? AND email_key < ? AND {KEPT} ORDER BY email_key LIMIT ?"
    with _opened(path, seconds=0.2) as connection:
        return [row[0] for row in connection.execute(sql, (begun, begun + _END, most))]
