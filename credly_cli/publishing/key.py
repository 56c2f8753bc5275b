"""What names pages: a key that never leaves this machine, so that no name can be guessed (R35)."""

import hashlib
import hmac
import re
import secrets
from base64 import b32encode
from dataclasses import dataclass
from pathlib import Path

from credly_cli.errors import Failure
from credly_cli.files import keep_private, replace_private

_TITLE = "The key of published pages: keep it secret, and with the store."
_LINES = re.compile(rf"{re.escape(_TITLE)}\n([0-9a-f]{{16}})\n([0-9a-f]{{64}})\n", re.ASCII)
_NAME_BYTES = 20


@dataclass(frozen=True, slots=True)
class PageKey:
    """The key of a profile's pages; ``publisher`` tells its folders from those of others, and outlives a new key."""

    publisher: str
    secret: bytes

    @classmethod
    def new(cls, publisher: str | None = None) -> "PageKey":
        """Make a key, of a publisher that is known or of a new one."""
        return cls(publisher or secrets.token_hex(8), secrets.token_bytes(32))

    @classmethod
    def read(cls, path: Path) -> "PageKey | None":
        """Read the key, ``None`` where there is none yet; raises ``Failure`` for what is none."""
        try:
            text = path.read_text("ascii", "replace")
        except FileNotFoundError:
            return None
        keep_private(path)
        found = _LINES.fullmatch(text)
        if found is None:
            raise Failure(
                "not-writable",
                f"{path} is not the key of published pages.",
                hint="Bring it back from a backup, or move it away: all pages then get new names.",
            )
        return cls(found[1], bytes.fromhex(found[2]))

    def write(self, path: Path) -> None:
        """Keep the key, safely on disk before a page bears a name that it made."""
        replace_private(path, f"{_TITLE}\n{self.publisher}\n{self.secret.hex()}\n")

    @property
    def fingerprint(self) -> bytes:
        """What tells the key from another one, and nothing of it."""
        return hmac.digest(self.secret, b"fingerprint", hashlib.sha256)[:8]

    def name(self, learner: int) -> str:
        """Return the file name of the page of a learner, by the store's own number of the learner."""
        digest = hmac.digest(self.secret, f"page {learner}".encode(), hashlib.sha256)
        return f"{b32encode(digest[:_NAME_BYTES]).decode().lower()}.html"
