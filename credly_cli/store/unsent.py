"""Taking back a grant that was recorded and that, as is certain, Credly did not take."""

from collections.abc import Mapping
from typing import Any

from credly_cli.store.database import Store


def take_back(store: Store, grant_id: int, before: Mapping[str, Any] | None) -> None:
    """Bring a grant back to the row that it was before, or remove it with its attempts when it was new."""
    with store.transaction():
        if before is None:
            store.change("DELETE FROM attempts WHERE grant_id = ?", (grant_id,))
            store.change("DELETE FROM grants WHERE id = ?", (grant_id,))
            return
        columns = [name for name in before if name != "id"]
        store.change(
            f"UPDATE grants SET {', '.join(f'{name} = ?' for name in columns)} WHERE id = ?",
            (*(before[name] for name in columns), grant_id),
        )
