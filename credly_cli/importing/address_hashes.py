"""The addresses of known learners, by the hash that xAPI may name them by."""

from credly_cli.identity import sha1_of
from credly_cli.store import learners
from credly_cli.store.database import Store


class KnownAddresses:
    """Finds addresses by their hashes; they are read when one is asked for, and those of new learners after that."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_hash: dict[str, str] = {}
        self._last = 0  # number of a learner

    def of_sha1(self, sha1: str) -> str | None:
        """Return the address of a hash, ``None`` if no learner has it."""
        if sha1 not in self._by_hash:
            for number, email in learners.emails_after(self._store, self._last):
                self._last = number
                self._by_hash[sha1_of(email)] = self._by_hash[sha1_of(email.lower())] = email
        return self._by_hash.get(sha1)
