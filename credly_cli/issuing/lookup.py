"""Asking Credly for the badges that may be a grant's: by its mark, then by address (reliability, 3.5)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from credly_cli.credly.client import Client
from credly_cli.credly.records import IssuedBadge
from credly_cli.errors import Exit, Failure
from credly_cli.identity import email_key
from credly_cli.issuing.asking import fits_filter, of_account

_FAULTS_IN_A_ROW = 5
_STOPS_ALL = (Exit.NOT_CONNECTED, Exit.CONFIG, Exit.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for: the grant's badge, mark and moment, and the addresses it may have gone to."""

    grant_id: int
    badge_id: str
    earner_id: str
    issued_at: str
    once: bool
    emails: tuple[str, ...]

    @classmethod
    def of(cls, grant: Mapping[str, Any]) -> "Sought":
        """Take from a grant what is looked for; the body that was sent may name an earlier address."""
        sent = json.loads(grant["body"])["recipient_email"] if grant["body"] else grant["email"]
        emails = tuple(dict.fromkeys((sent, grant["email"])))
        return cls(grant["id"], grant["badge_id"], grant["earner_id"], grant["issued_at"], bool(grant["once"]), emails)

    def is_ours(self, badge: IssuedBadge) -> bool:
        """Tell whether this grant issued the badge: by its mark, else by address and exact time."""
        if badge.badge_id != self.badge_id:
            return False
        if badge.earner_id is None:
            keys = {email_key(email) for email in self.emails}
            return badge.issued_at == self.issued_at and email_key(badge.email or "") in keys
        same_day = badge.issued_at is None or badge.issued_at[:10] == self.issued_at[:10]
        return badge.earner_id == self.earner_id and (not self.once or same_day)

    def bears_mark(self, badge: IssuedBadge) -> bool:
        """Tell whether a badge bears the mark that no other grant has."""
        return not self.once and badge.badge_id == self.badge_id and badge.earner_id == self.earner_id

    def is_of_learner(self, badge: IssuedBadge) -> bool:
        """Tell whether a badge bears the learner's id or one of the addresses."""
        keys = {email_key(email) for email in self.emails}
        return badge.earner_id == self.earner_id or email_key(badge.email or "") in keys


@dataclass(frozen=True, slots=True)
class Found:
    """What Credly has; ``conclusive`` when what is not among it is not there.

    From a list that proves nothing only what bears the grant's own mark is taken.
    """

    badges: Sequence[IssuedBadge]
    conclusive: bool
    server_date: str | None

    @property
    def held(self) -> IssuedBadge | None:
        """A badge that the learner holds, whoever issued it."""
        return next((badge for badge in self.badges if badge.held), None)


Answer = tuple[Any, Found | Failure]


def look_up_all(client: Client, wanted: Sequence[Mapping[str, Any]]) -> Iterator[Answer]:
    """Look grants up, several at a time, and yield each with what was found or what failed.

    Ends early, with the failure, when the token is refused or Credly fails five times in a row.
    """
    in_a_row = 0
    with ThreadPoolExecutor(client.parallel) as pool:
        for start in range(0, len(wanted), client.parallel):
            chunk = wanted[start : start + client.parallel]
            client.progress.at(start, len(wanted))
            answers = list(pool.map(lambda grant: _look_up_or_fail(client, Sought.of(grant)), chunk))
            for grant, answer in zip(chunk, answers, strict=True):
                yield grant, answer
                in_a_row = in_a_row + 1 if isinstance(answer, Failure) else 0
                if isinstance(answer, Failure) and (
                    answer.exit_code in _STOPS_ALL or answer.code == "rate-limited" or in_a_row >= _FAULTS_IN_A_ROW
                ):
                    return


def _look_up_or_fail(client: Client, sought: Sought) -> Found | Failure:
    try:
        return look_up(client, sought)
    except Failure as failure:
        return failure


def look_up(client: Client, sought: Sought) -> Found:
    """Look one grant up, in every state; raises ``Failure``."""
    found = dict[str, IssuedBadge]()
    date = None
    for key, value in _questions(sought):
        listing = client.issued_badges({"badge_template_id": sought.badge_id, key: value})
        date = listing.server_date
        badges = list(listing.rows.values())
        obeyed = all(_answers(badge, sought, key, value) for badge in badges)
        if listing.problem is not None or listing.set_aside or not obeyed:
            return Found([badge for badge in badges if sought.bears_mark(badge)], conclusive=False, server_date=date)
        found |= listing.rows
        if any(map(sought.is_ours, badges)):
            break
    theirs = of_account(client, list(found.values()), sought.is_of_learner, sought.badge_id)
    return Found(theirs, conclusive=True, server_date=date)


def _questions(sought: Sought) -> Iterator[tuple[str, str]]:
    yield "issuer_earner_id", sought.earner_id
    for email in sought.emails:
        if fits_filter(email):
            yield "recipient_email", email
            yield "recipient_email_all", email


def _answers(badge: IssuedBadge, sought: Sought, key: str, value: str) -> bool:
    if badge.badge_id != sought.badge_id:
        return False
    if key == "issuer_earner_id":
        return badge.earner_id == value
    if key == "recipient_email":
        return email_key(badge.email or "") == email_key(value)
    return True  # the user's other addresses are not ours to know
