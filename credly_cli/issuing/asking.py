"""Asking Credly which badges a person holds, under every address and id by which it may know them (R20, R26)."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from credly_cli.credly.client import Client
from credly_cli.credly.records import IssuedBadge
from credly_cli.errors import Failure
from credly_cli.identity import earner_id, email_key
from credly_cli.store import issued_badges, learners
from credly_cli.store.database import Store

_ALL_ADDRESSES = "recipient_email_all"  # badges of the account that has an address, under its other addresses too
_NOBODY = "nobody@credly-cli.invalid"  # no account has it: what is listed for it was not filtered
_FILTER_SYNTAX = ("|", ",", "::")  # what a filter of Credly's cannot carry within a value


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom Credly is asked about: every address and id by which it may know somebody."""

    keys: frozenset[str]  # addresses as they are compared
    spellings: tuple[str, ...]  # whether Credly minds the case is not known
    earners: tuple[str, ...]

    @classmethod
    def of(cls, store: Store, email: str, known: Sequence[dict[str, Any]]) -> "Recipient":
        """Gather what the store knows of whoever has an address."""
        people = {row["id"] for row in known}
        former = {key for learner in people for key in learners.email_keys(store, learner)}
        passed_on = {key for key in former if people.isdisjoint(row["id"] for row in learners.of_email(store, key))}
        keys = frozenset({email_key(email)} | (former - passed_on))
        spellings = keys | {email.strip()} | {row["email"] for row in known}
        earners = {earner_id(row["learner_id"], row["email"]) for row in known}
        earners |= issued_badges.earner_ids_elsewhere(store, people, keys)  # an old address may be another's now
        return cls(keys, tuple(sorted(spellings)), tuple(sorted(earners)))

    def questions(self) -> Iterator[dict[str, str]]:
        """Return the filters that find this person's badges."""
        for spelling in self.spellings:
            if fits_filter(spelling):
                yield {"recipient_email": spelling}
                yield {_ALL_ADDRESSES: spelling}
        for earner in self.earners:
            yield {"issuer_earner_id": earner}

    def owns(self, badge: IssuedBadge) -> bool:
        """Tell whether a badge bears one of the person's own addresses or ids."""
        whole = badge.earner_id or ""
        known = whole in self.earners or whole.partition("~")[0] in self.earners
        return known or (bool(badge.email) and email_key(badge.email or "") in self.keys)


def ask(client: Client, recipient: Recipient, badge_id: str = "") -> list[IssuedBadge]:
    """Ask Credly for somebody's badges under every address that we or Credly know; each badge once.

    A filter that Credly does not obey must not show strangers' badges. Raises ``Failure``.
    """
    narrowed = {"badge_template_id": badge_id} if badge_id else {}
    found: dict[str, IssuedBadge] = {}
    for question in recipient.questions():
        found |= _rows(client, narrowed | question)
    badges = [badge for badge in found.values() if badge_id in ("", badge.badge_id)]
    return of_account(client, badges, recipient.owns, badge_id)


def fits_filter(value: str) -> bool:
    """Tell whether a filter of Credly's can carry a value."""
    return not any(sign in value for sign in _FILTER_SYNTAX)


def of_account(
    client: Client, badges: list[IssuedBadge], owns: Callable[[IssuedBadge], bool], badge_id: str
) -> list[IssuedBadge]:
    """Leave out strangers' badges, which a filter for accounts that is not obeyed would bring; raises ``Failure``."""
    users = {badge.user_id for badge in badges if badge.user_id and owns(badge)}
    theirs = [badge for badge in badges if owns(badge) or badge.user_id in users]
    if len(theirs) < len(badges) and _finds_accounts(client, badge_id):
        return badges  # what else was found is under another address of the same account
    return theirs


def _finds_accounts(client: Client, badge_id: str) -> bool:
    """Tell whether Credly obeys the filter that finds an account's other addresses, by asking for one without any."""
    narrowed = {"badge_template_id": badge_id} if badge_id else {}
    return not _rows(client, narrowed | {_ALL_ADDRESSES: _NOBODY})


def ask_all(client: Client, recipients: Sequence[Recipient], badge_id: str) -> Iterator[list[IssuedBadge] | Failure]:
    """Ask for the badges of several people, some at a time, in order; ends with the first failure."""
    with ThreadPoolExecutor(client.parallel) as pool:
        for start in range(0, len(recipients), client.parallel):
            client.progress.at(start, len(recipients))
            some = recipients[start : start + client.parallel]
            for answer in pool.map(lambda each: _ask_or_fail(client, each, badge_id), some):
                yield answer
                if isinstance(answer, Failure):
                    return


def _ask_or_fail(client: Client, recipient: Recipient, badge_id: str) -> list[IssuedBadge] | Failure:
    try:
        return ask(client, recipient, badge_id)
    except Failure as failure:
        return failure


def _rows(client: Client, filters: dict[str, str]) -> dict[str, IssuedBadge]:
    listing = client.issued_badges(filters)
    if listing.problem is not None:
        raise listing.problem
    return listing.rows
