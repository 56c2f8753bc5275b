"""How a request says who sends it, and how that is struck out of what a service says."""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from typing import Any, Protocol
from urllib.parse import quote

from credly_cli.token import Token


class Auth(Protocol):
    """What makes the Authorization header; it is asked for each request, so that a token may be renewed in between."""

    def header(self) -> str:
        """Return the value of the header; raises ``HttpFailure`` where a token cannot be had."""
        ...

    def renew(self, refused: str) -> bool:
        """Take note of a header that was refused; tells whether there is another to try with."""
        ...

    def secrets(self) -> tuple[str, ...]:
        """Return what must not be shown, stored or logged, in each form in which it is sent."""
        ...


class _Lasting:
    """What nobody here can renew."""

    def renew(self, refused: str) -> bool:  # noqa: ARG002 - as the others are called
        """Tell that there is no other to try with."""
        return False


class Bearer(_Lasting):
    """A token as it is."""

    def __init__(self, token: Token) -> None:
        self._token = token

    def header(self) -> str:
        """Return the value of the header."""
        return f"Bearer {self._token.reveal()}"

    def secrets(self) -> tuple[str, ...]:
        """Return what must not be shown, stored or logged, in each form in which it is sent."""
        return (self._token.reveal(),)


class Basic(_Lasting):
    """A user and a password; Credly's token is a user without one."""

    def __init__(self, user: Token, password: Token | None = None) -> None:
        self._parts = tuple(part.reveal() for part in (user, password) if part is not None)
        self._pair = ":".join((*self._parts, "")[:2]).encode()

    def header(self) -> str:
        """Return the value of the header."""
        return f"Basic {b64encode(self._pair).decode()}"

    def secrets(self) -> tuple[str, ...]:
        """Return what must not be shown, stored or logged, in each form in which it is sent."""
        return (*self._parts, *(encode(self._pair).decode().rstrip("=") for encode in (b64encode, urlsafe_b64encode)))


class Redaction:
    """Knows every form of a secret in an error, which is shown, stored and logged."""

    def __init__(self, auth: Auth) -> None:
        written = {form for text in auth.secrets() for form in (text, quote(text), quote(text, safe=""))}
        longest_first = sorted({json.dumps(form)[1:-1] for form in written}, key=len, reverse=True)
        self._forms = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)

    def struck(self, answer: Any) -> Any:
        """Return the JSON of an error without the secret: as JSON is written again, no escape hides it."""
        try:
            return json.loads(self._forms.sub("***", json.dumps(answer, ensure_ascii=False)))
        except RecursionError:
            return None
