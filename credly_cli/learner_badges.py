"""The badges of one learner: from Credly, or from the store when Credly does not answer (R26, R27, R31)."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from credly_cli.credly.client import Client
from credly_cli.credly.records import HELD_STATES, IssuedBadge
from credly_cli.errors import Failure
from credly_cli.identity import earner_id, email_key
from credly_cli.store import issued_badges, learners, runs
from credly_cli.store.database import Store
from credly_cli.times import utc_text

_PASSING = ("unreachable", "server-error", "rate-limited")
_PATIENCE_SECONDS = 10  # somebody is on the phone: after that the store answers
_ALL_ADDRESSES = "recipient_email_all"  # badges of the account that has an address, under its other addresses too
_NOBODY = "nobody@credly-cli.invalid"  # no account has it: what is listed for it was not filtered
_FILTER_SYNTAX = ("|", ",", "::")  # what a filter of Credly's cannot carry within a value


@dataclass(slots=True)
class LearnerBadges:
    """A learner and the badges that they may see, newest first."""

    learner: dict[str, Any]
    source: Literal["credly", "store"]
    as_of: str | None
    badges: list[dict[str, Any]]

    def json(self) -> dict[str, Any]:
        """Return the answer as scripts read it."""
        return asdict(self)


def read(store: Store, client: Client, email: str, now: datetime, *, hide_expired: bool) -> LearnerBadges:
    """Read a learner's badges; raises ``Failure`` when neither Credly nor the store knows the address."""
    known = learners.of_email(store, email)
    client.http.deadline = now.timestamp() + _PATIENCE_SECONDS
    try:
        found = ask(client, Recipient.of(store, email, known))
    except Failure as failure:
        if failure.code not in _PASSING:
            raise
        if not known and not issued_badges.of_address(store, email):
            raise
        rows = issued_badges.of_learners(store, email, [row["id"] for row in known])
        as_of = runs.last_listing(store) or max((row["stored_at"] for row in rows), default=None)
        return _answer(store, email, known, "store", as_of, _shown(store, rows, now, hide_expired=hide_expired))
    if not known and not found:
        raise Failure(
            "unknown-learner",
            f"Neither Credly nor the store knows {email}.",
            hint="To see who is known: credly learners TEXT",
        )
    shown = _shown(store, [asdict(badge) for badge in found], now, hide_expired=hide_expired)
    answer = _answer(store, email, known, "credly", utc_text(now), shown)
    if not known:
        answer.learner |= {"first_name": found[0].first_name, "last_name": found[0].last_name}
    return answer


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
        return cls(keys, tuple(sorted(spellings)), tuple(sorted(earners)))

    def questions(self) -> Iterator[dict[str, str]]:
        """Return the filters that find this person's badges."""
        for spelling in self.spellings:
            if not any(sign in spelling for sign in _FILTER_SYNTAX):
                yield {"recipient_email": spelling}
                yield {_ALL_ADDRESSES: spelling}
        for earner in self.earners:
            yield {"issuer_earner_id": earner}

    def owns(self, badge: IssuedBadge) -> bool:
        """Tell whether a badge bears one of the person's own addresses or ids."""
        earner = (badge.earner_id or "").partition("~")[0]
        return (bool(badge.email) and email_key(badge.email or "") in self.keys) or earner in self.earners


def ask(client: Client, recipient: Recipient, badge_id: str = "") -> list[IssuedBadge]:
    """Ask Credly for somebody's badges under every address that we or Credly know; each badge once.

    A filter that Credly does not obey must not show strangers' badges. Raises ``Failure``.
    """
    narrowed = {"badge_template_id": badge_id} if badge_id else {}
    found: dict[str, IssuedBadge] = {}
    for question in recipient.questions():
        found |= _rows(client, narrowed | question)
    badges = [badge for badge in found.values() if badge_id in ("", badge.badge_id)]
    users = {badge.user_id for badge in badges if badge.user_id and recipient.owns(badge)}
    theirs = [badge for badge in badges if recipient.owns(badge) or badge.user_id in users]
    if len(theirs) < len(badges) and not _rows(client, narrowed | {_ALL_ADDRESSES: _NOBODY}):
        return badges  # filters are obeyed: what else was found is under another address of the same account
    return theirs


def ask_all(client: Client, recipients: Sequence[Recipient], badge_id: str) -> Iterator[list[IssuedBadge] | Failure]:
    """Ask for the badges of several people, some at a time, in order; ends with the first failure."""
    with ThreadPoolExecutor(client.parallel) as pool:
        for start in range(0, len(recipients), client.parallel):
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


def _shown(store: Store, rows: list[dict[str, Any]], now: datetime, *, hide_expired: bool) -> list[dict[str, Any]]:
    """Bring badges into the form that answers show; nothing revoked, ever."""
    resources = issued_badges.resources(store, [row["id"] for row in rows])
    moment = utc_text(now)
    shown = []
    for row in sorted(rows, key=_when, reverse=True):
        expired = row["expires_at"] is not None and row["expires_at"] <= moment
        if row["state"] not in HELD_STATES or (expired and hide_expired):
            continue
        shown.append(
            {
                "id": row["id"],
                "badge": {"id": row["badge_id"], "name": row["badge_name"], "image_url": row["image_url"]},
                "resource": resources.get(row["id"]),
                "awarded_at": row["issued_at"],
                "expires_at": row["expires_at"],
                "expired": expired,
                "state": row["state"],
                "view_url": row["view_url"],
                "accept_url": row["accept_url"],
            }
        )
    return shown


def _when(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["issued_at"] or "", row["created_at"] or "", row["id"]


def _answer(
    store: Store,
    email: str,
    known: list[dict[str, Any]],
    source: Literal["credly", "store"],
    as_of: str | None,
    badges: list[dict[str, Any]],
) -> LearnerBadges:
    learner = learners.view(known[0]) if known else dict.fromkeys(("first_name", "last_name", "learner_id"))
    _name_badges(store, badges)
    return LearnerBadges({"email": email, **learner}, source, as_of, badges)


def _name_badges(store: Store, shown: list[dict[str, Any]]) -> None:
    """Fill in name and image from the list where Credly's short form left them out."""
    for entry in shown:
        badge = entry["badge"]
        if badge["name"] is None or badge["image_url"] is None:
            row = store.row("SELECT name, image_url FROM badges WHERE id = ?", (badge["id"],)) or {}
            badge["name"] = badge["name"] or row.get("name") or badge["id"]
            badge["image_url"] = badge["image_url"] or row.get("image_url")
