"""Looking badges up on Credly: by a learner's ids, addresses and account (R18, R20, R26).

Credly's filters are not established in every detail, so what a filter brings is checked against what was asked: one
that is not obeyed proves nothing about what is absent, and must not show strangers' badges as the learner's.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from credly_cli.credly.client import Client
from credly_cli.credly.paging import Listing, Unreadable
from credly_cli.credly.records import IssuedBadge
from credly_cli.errors import Exit, Failure
from credly_cli.identity import earner_id, email_key
from credly_cli.store import claims, issued_badges, learners
from credly_cli.store.database import Store
from credly_cli.store.grants import Grant
from credly_cli.store.learners import Learner
from credly_cli.store.views import FORGOTTEN

_Key = Literal["issuer_earner_id", "recipient_email", "recipient_email_all"]  # the last: all addresses of the account
_Asked = TypeVar("_Asked")
_NOBODY = "nobody@credly-cli.invalid"  # no account has it: what is listed for it was not filtered
_FILTER_SYNTAX = ("|", ",", "::")  # what a filter of Credly's cannot carry within a value
_FAULTS_IN_A_ROW = 5
_STOPS_ALL = (Exit.NOT_CONNECTED, Exit.CONFIG, Exit.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Found:
    """What Credly has of somebody's badges.

    ``conclusive`` when what is not among it is not there: each list was whole, and each filter obeyed.
    """

    badges: Sequence[IssuedBadge]
    conclusive: bool
    server_date: str | None  # Credly's clock at the last answer, as its ``Date`` header has it
    problem: Failure | None = None  # why a list is not whole, or a row of it cannot be read


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whose badges are looked for: every address and id by which Credly may know the learner."""

    badge_id: str | None  # only badges of this template; ``None``: of any
    earner_ids: tuple[str, ...]
    emails: tuple[str, ...]  # in each spelling that is known: whether Credly minds the case is not established
    keys: frozenset[str]  # addresses as they are compared

    @classmethod
    def of_learners(
        cls, store: Store, email: str, known: Sequence[Learner], badge_id: str | None = None
    ) -> "Recipient":
        """Gather what the store knows of whoever has an address; ``known`` are the learners who have it."""
        people = [learner.id for learner in known]
        keys = frozenset({email_key(email)} | _own_keys(store, people))
        spellings = {*keys, email.strip(), *(learner.email for learner in known), *issued_badges.spellings(store, keys)}
        named = {
            (learner.id, earner_id(identity, learner.email))
            for learner in known
            for identity in (learner.learner_id, *learners.sourced_ids(store, learner.id))
        }
        earners = {name for number, name in named if not issued_badges.went_to_another(store, number, [name])}
        earners |= issued_badges.earner_ids_elsewhere(store, people, keys)  # an old address may be another's now
        return cls(badge_id, tuple(sorted(earners)), tuple(sorted(spellings)), keys)

    @classmethod
    def of_grant(cls, store: Store, grant: Grant) -> "Recipient":
        """Gather where the badge of a grant may have gone: the addresses that it was sent to, and the learner's own."""
        keys = frozenset({email_key(grant.email)} | _own_keys(store, [grant.learner]))
        known = sorted({*keys, *issued_badges.spellings(store, keys)})
        emails = tuple(dict.fromkeys((*claims.sent_to(store, grant.id), grant.email, *known)))
        return cls(grant.badge_id, (grant.earner_id,), emails, keys)

    @property
    def asked_keys(self) -> frozenset[str]:
        """The addresses that are asked for, as they are compared; one that was sent to may be another's now."""
        return frozenset(map(email_key, self.emails))

    def owns(self, badge: IssuedBadge) -> bool:
        """Tell whether a badge bears one of the learner's addresses or ids, with a grant's mark or without."""
        bears = badge.earner_id or ""
        known = bears in self.earner_ids or bears.partition("~")[0] in self.earner_ids
        return known or (bool(badge.email) and email_key(badge.email or "") in self.keys)

    def questions(self) -> Iterator[tuple[_Key, str]]:
        """Return the filters that find the learner's badges."""
        for earner in self.earner_ids:
            yield "issuer_earner_id", earner
        for email in self.emails:
            if not any(sign in email for sign in _FILTER_SYNTAX):
                yield "recipient_email", email
                yield "recipient_email_all", email


@dataclass(frozen=True, slots=True)
class GrantQuestion:
    """A grant whose badge is looked for, and where it may have gone."""

    grant: Grant
    recipient: Recipient

    @classmethod
    def of(cls, store: Store, grant: Grant) -> "GrantQuestion":
        """Ask about a grant."""
        return cls(grant, Recipient.of_grant(store, grant))

    def is_answered_by(self, badge: IssuedBadge) -> bool:
        """Tell whether the grant issued a badge: by its mark, else by address and exact time."""
        grant = self.grant
        if badge.badge_id != grant.badge_id:
            return False
        if badge.earner_id is None:
            return badge.issued_at == grant.issued_at and email_key(badge.email or "") in self.recipient.asked_keys
        same_day = badge.issued_at is None or badge.issued_at[:10] == grant.issued_at[:10]
        return badge.earner_id == grant.earner_id and (not grant.once or same_day)

    def without_others(self, badges: Sequence[IssuedBadge]) -> list[IssuedBadge]:
        """Leave out what went to an address that the learner had when the grant was sent, and that is another's now."""
        elsewhere = self.recipient.asked_keys - self.recipient.keys
        return [
            badge
            for badge in badges
            if email_key(badge.email or "") not in elsewhere
            or badge.earner_id == self.grant.earner_id
            or self.is_answered_by(badge)
        ]


def _bears_mark_of(badge: IssuedBadge, grant: Grant) -> bool:
    """Tell whether a badge bears the mark that no other grant has."""
    return not grant.once and badge.badge_id == grant.badge_id and badge.earner_id == grant.earner_id


def look_up(client: Client, recipient: Recipient) -> Found:
    """Look somebody's badges up, in every state; each badge once. Raises ``Failure`` where a list is not whole."""
    found = _read(client, recipient)
    if found.problem is not None:
        raise found.problem
    return replace(found, badges=_without_strangers(client, recipient, found.badges))


def look_up_grant(client: Client, question: GrantQuestion) -> Found:
    """Look for what a grant may have issued, in every state, until that is found; raises ``Failure``.

    From a list that proves nothing only what bears the grant's own mark is taken.
    """
    recipient, grant = question.recipient, question.grant
    found = _read(client, recipient, enough=question.is_answered_by)
    if not found.conclusive:
        return replace(found, badges=[badge for badge in found.badges if _bears_mark_of(badge, grant)])
    return replace(found, badges=_without_strangers(client, recipient, question.without_others(found.badges)))


def _read(client: Client, recipient: Recipient, enough: Callable[[IssuedBadge], bool] | None = None) -> Found:
    """Ask each question; with ``enough`` only until such a badge is found, or an answer proves nothing."""
    found = dict[str, IssuedBadge]()
    conclusive, server_date = True, None
    problem: Failure | None = None
    for key, value in recipient.questions():
        listing = _list(client, recipient.badge_id, key, value)
        server_date = listing.server_date
        badges = [badge for badge in listing.rows.values() if recipient.badge_id in (None, badge.badge_id)]
        obeyed = len(badges) == len(listing.rows) and all(_obeys(badge, key, value) for badge in badges)
        found |= {badge.id: badge for badge in badges}
        if listing.problem is not None:
            return Found(list(found.values()), conclusive=False, server_date=server_date, problem=listing.problem)
        problem = problem or _unreadable(listing)
        conclusive = conclusive and obeyed and problem is None
        if enough is not None and (not conclusive or any(map(enough, badges))):
            break
    return Found(list(found.values()), conclusive, server_date, problem)


class UnreadableAnswer(Failure):
    """A row about whoever is asked for cannot be read: what is in it may matter."""

    def __init__(self, row: Unreadable) -> None:
        message = f"Credly's answer about this learner has a badge that cannot be read: {row}."
        super().__init__("server-error", message, hint="Look at it in Credly; other learners are not affected.")


def _unreadable(listing: Listing[IssuedBadge]) -> Failure | None:
    return UnreadableAnswer(listing.unreadable[0]) if listing.unreadable else None


def _own_keys(store: Store, people: Sequence[int]) -> set[str]:
    """Return the addresses that are the learners' own, as they are compared: today's, and former ones nobody has."""
    return {key for key in learners.addresses(store, people) if not key.startswith(FORGOTTEN)}


def _list(client: Client, badge_id: str | None, key: _Key, value: str) -> Listing[IssuedBadge]:
    narrowed = {} if badge_id is None else {"badge_template_id": badge_id}
    return client.issued_badges({**narrowed, key: value})


def _obeys(badge: IssuedBadge, key: _Key, value: str) -> bool:
    """Tell whether a filter brings a badge rightly."""
    if key == "issuer_earner_id":
        return badge.earner_id == value
    if key == "recipient_email":
        return email_key(badge.email or "") == email_key(value)
    return True  # the account's other addresses are not ours to know


def _without_strangers(client: Client, recipient: Recipient, badges: Sequence[IssuedBadge]) -> list[IssuedBadge]:
    """Leave out strangers' badges, which a filter for accounts that is not obeyed would bring; raises ``Failure``."""
    users = {badge.user_id for badge in badges if badge.user_id and recipient.owns(badge)}
    theirs = [badge for badge in badges if recipient.owns(badge) or badge.user_id in users]
    if len(theirs) < len(badges) and _finds_accounts(client, recipient.badge_id):
        return list(badges)  # what else was found is under another address of the same account
    return theirs


def _finds_accounts(client: Client, badge_id: str | None) -> bool:
    """Tell whether Credly obeys the filter that finds an account's other addresses, by asking for one without any."""
    listing = _list(client, badge_id, "recipient_email_all", _NOBODY)
    if listing.problem is not None:
        raise listing.problem
    return not listing.rows


def look_up_all(
    client: Client,
    asked: Sequence[_Asked],
    ask: Callable[[Client, _Asked], Found],
    *,
    faults_in_a_row: int = _FAULTS_IN_A_ROW,
) -> Iterator[tuple[_Asked, Found | Failure]]:
    """Look up several recipients or grants, some at a time, and yield each with what was found or what failed.

    Ends early, with the failure, when the token is refused or Credly fails so many times in a row.
    """
    in_a_row = 0
    with ThreadPoolExecutor(client.parallel) as pool:
        for start in range(0, len(asked), client.parallel):
            some = asked[start : start + client.parallel]
            client.progress.at(start, len(asked))
            answers = list(pool.map(lambda each: _or_failure(client, each, ask), some))
            for each, answer in zip(some, answers, strict=True):
                yield each, answer
                if isinstance(answer, UnreadableAnswer):
                    continue  # of this one alone
                in_a_row = in_a_row + 1 if isinstance(answer, Failure) else 0
                if isinstance(answer, Failure) and (
                    answer.exit_code in _STOPS_ALL or answer.code == "rate-limited" or in_a_row >= faults_in_a_row
                ):
                    return


def _or_failure(client: Client, asked: _Asked, ask: Callable[[Client, _Asked], Found]) -> Found | Failure:
    try:
        return ask(client, asked)
    except Failure as failure:
        return failure
