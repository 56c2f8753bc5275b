"""Access tokens of an OAuth client (client credentials): fetched, renewed ahead of their end, and never stored."""

import json
import threading
from typing import Any
from urllib.parse import urlencode

from credly_cli.credly.client import CREDLY
from credly_cli.http.auth import Basic
from credly_cli.http.response import HttpFailure, NotSentError, Reply, UnclearError
from credly_cli.http.session import Session
from credly_cli.text import Command, Hint
from credly_cli.times import Clock
from credly_cli.token import Token

SCOPE = "badge_templates issued_badges"
_SECONDS = 7200  # that an access token is good for, where the answer does not say
_AHEAD = 300.0  # seconds before its end it is renewed, or half of a shorter life
_TRIES = 3
_PAUSE = 1.0  # seconds before another try, twice as long each time
_FORM = "application/x-www-form-urlencoded"
_LONGEST_WAIT = 60.0
_REFUSED = (400, 401, 403)
_NOT_THERE = (404, 405)
_PASSING = ("unreachable", "server-error", "rate-limited")


class AccessTokens:
    """What makes the Authorization header of an OAuth client, shared by all threads of a run."""

    def __init__(self, http: Session, client: Basic, clock: Clock) -> None:
        self._http, self._client, self._clock = http, client, clock
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._renew_at = 0.0  # by the clock's monotonic seconds

    def header(self) -> str:
        """Return the value of the header; raises ``HttpFailure`` where no access token can be had."""
        with self._lock:
            if self._token is None or self._clock.monotonic() >= self._renew_at:
                self._fetch()
            return self._value()

    def renew(self, refused: str) -> bool:
        """Take note of a header that was refused, unless another thread has done so; there is always another try."""
        with self._lock:
            if self._token is not None and refused == self._value():
                self._token = None
        return True

    def secrets(self) -> tuple[str, ...]:
        """Return what must not be shown, stored or logged, in each form in which it is sent."""
        token = self._token
        return (*self._client.secrets(), *((token.reveal(),) if token else ()))

    def _value(self) -> str:
        return f"Bearer {self._token.reveal() if self._token else ''}"

    def _fetch(self) -> None:
        """Fetch an access token; a request for one may be sent again, as it changes nothing."""
        asked_at = self._clock.monotonic()
        answer = self._answer().json
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable() or " " in token:
            hint = Hint("Check", Command("config"), ": credly.oauth_url is where access tokens come from.")
            raise HttpFailure("server-error", "Credly's answer has no access token.", hint=hint)
        good_for = float(seconds) if type(seconds) in (int, float) and seconds > 0 else _SECONDS
        self._token, self._renew_at = Token(token), asked_at + good_for - min(_AHEAD, good_for / 2)

    def _answer(self) -> Reply:
        attempt = 0
        while True:
            answer = self._ask()
            if isinstance(answer, Reply):
                return answer
            attempt += 1
            passes = answer.code in _PASSING and answer.status not in _NOT_THERE
            wait = answer.retry_after or _PAUSE * 2**attempt
            if not passes or attempt == _TRIES or wait > min(_LONGEST_WAIT, self._http.deadline.remaining()):
                raise answer
            self._clock.sleep(wait)

    def _ask(self) -> Reply | HttpFailure:
        body = urlencode({"grant_type": "client_credentials", "scope": SCOPE}).encode()
        try:
            reply = self._http.post(self._http.api_url, body, _FORM)
        except (NotSentError, UnclearError) as error:
            return CREDLY.failure("silent", message=f": {error}", host=self._http.api_url)
        if reply.status in _REFUSED and not reply.is_of_firewall:
            return _refused(reply)
        if reply.status in _NOT_THERE:
            return _not_there(self._http.api_url, reply)
        return CREDLY.failure_of(reply) or reply


def access_tokens(oauth_url: str, client_id: str, secret: Token, clock: Clock, **options: Any) -> AccessTokens:
    """Make what signs requests for an OAuth client; ``options`` are those of ``Session``."""
    client = Basic(Token(client_id), secret)
    return AccessTokens(Session(CREDLY, oauth_url, client, clock, **options), client, clock)


def _refused(reply: Reply) -> HttpFailure:
    answer = reply.json if isinstance(reply.json, dict) else {}
    words = answer.get("error_description") or answer.get("error")
    message = json.dumps(words)[1:-1][:100] if isinstance(words, str) else reply.message
    hint = Hint(
        "Check its id and secret in Credly under Developers > OAuth Applications, then:",
        Command("connect", "--client-id", "ID"),
    )
    return HttpFailure("token-refused", f"Credly refused the OAuth client: {message}.", reply.status, hint)


def _not_there(oauth_url: str, reply: Reply) -> HttpFailure:
    hint = "Set credly.oauth_url in the configuration; it may also be /oauth/token at the API's own host."
    message = f"Credly gives no access tokens at {oauth_url}: {reply.message}."
    return HttpFailure("server-error", message, reply.status, hint=hint)
