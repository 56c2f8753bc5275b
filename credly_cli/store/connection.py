"""Which organization the store belongs to, and when it was connected."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from credly_cli.errors import Failure
from credly_cli.store import needs_person
from credly_cli.store.database import Store
from credly_cli.text import Command, Hint
from credly_cli.times import utc_text
from credly_cli.token import Expiry, TokenKind, TokenLife


@dataclass(frozen=True, slots=True)
class Connection:
    """The organization that the store's badges belong to, and how it is reached."""

    organization_id: str
    organization_name: str
    api_url: str
    api_url_given: bool
    token_kind: TokenKind
    token_path: Path | None
    token_expires_at: str | None
    connected_at: str
    disconnected_at: str | None = None
    token_expiry: Expiry = "not-told"  # noqa: S105
    token_since: str | None = None  # when this token was first used
    client_id: str | None = None  # of the OAuth client whose secret takes the token's place

    @property
    def connected(self) -> bool:
        """Whether the connection stands."""
        return self.disconnected_at is None

    @property
    def token_life(self) -> TokenLife:
        """When the token ends, as far as Credly tells."""
        return TokenLife(self.token_expiry, self.token_expires_at, self.token_since)


def current(store: Store) -> Connection | None:
    """Return the connection, standing or ended; ``None`` before the first."""
    row = store.row("SELECT * FROM connection")
    if row is None:
        return None
    path = Path(row["token_path"]) if row["token_path"] else None
    del row["id"]
    return Connection(**{**row, "token_path": path, "api_url_given": bool(row["api_url_given"])})


def is_connected(store: Store) -> bool:
    """Tell whether a connection stands."""
    known = current(store)
    return known is not None and known.connected


def syncing(store: Store) -> tuple[str | Command, ...]:
    """Return how to sync, as the end of a hint: where nothing is connected, connecting comes first."""
    return (Command("sync"),) if is_connected(store) else (Command("connect"), ", then:", Command("sync"))


def require_connected(store: Store) -> Connection:
    """Return the connection; raises ``Failure`` when there is none, whatever the environment holds (R3)."""
    known = current(store)
    if known is None:
        hint = Hint("Run:", Command("connect"))
        raise Failure("not-connected", "This profile is not connected to Credly.", hint=hint)
    if not known.connected:
        raise Failure(
            "not-connected",
            f"This profile was disconnected from {known.organization_name}.",
            hint=Hint("To connect again:", Command("connect")),
        )
    return known


def connect(store: Store, connection: Connection) -> None:
    """Keep the connection, and end the time without one (R4)."""
    with store.transaction():
        store.db.table("connection").upsert(
            {
                "id": 1,
                "organization_id": connection.organization_id,
                "organization_name": connection.organization_name,
                "api_url": connection.api_url,
                "api_url_given": int(connection.api_url_given),
                "token_kind": connection.token_kind,
                "token_path": str(connection.token_path) if connection.token_path else None,
                "token_expires_at": connection.token_expires_at,
                "token_expiry": connection.token_expiry,
                "token_since": connection.token_since,
                "client_id": connection.client_id,
                "connected_at": connection.connected_at,
                "disconnected_at": None,
            },
            pk="id",
        )
        store.change("UPDATE disconnections SET ended_at = ? WHERE ended_at IS NULL", (connection.connected_at,))
        needs_person.settle(store, "token")


def set_token_end(store: Store, expiry: Expiry, expires_at: str | None) -> None:
    """Note when the token ends that is in use by now."""
    store.change("UPDATE connection SET token_expiry = ?, token_expires_at = ?", (expiry, expires_at))


def disconnect(store: Store, now: datetime) -> None:
    """End the connection; what is completed from now on is not granted (R3, R4)."""
    moment = utc_text(now.astimezone(UTC))
    with store.transaction():
        needs_person.settle(store, "token")
        forgotten = ("token_path", "token_expires_at", "token_since", "client_id")
        columns = ", ".join(f"{column} = NULL" for column in forgotten)
        store.change(f"UPDATE connection SET disconnected_at = ?, token_expiry = 'not-told', {columns}", (moment,))
        store.change(  # connected again and disconnected within one second, it is one time without a connection
            "INSERT INTO disconnections (started_at) VALUES (?) ON CONFLICT DO UPDATE SET ended_at = NULL", (moment,)
        )
