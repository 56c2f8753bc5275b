"""The badges of one learner: from Credly, or from the store when Credly does not answer (R26, R27, R31)."""

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
    try:
        found = ask(client, email, known, store)
    except Failure as failure:
        if failure.code not in _PASSING:
            raise
        if not known and not issued_badges.of_address(store, email):
            raise
        rows, as_of = issued_badges.of_learners(store, email, [row["id"] for row in known]), runs.last_listing(store)
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


def ask(client: Client, email: str, known: list[dict[str, Any]], store: Store, badge_id: str = "") -> list[IssuedBadge]:
    """Ask Credly for a learner's badges under every address we know and every one that it knows; each badge once."""
    narrowed = {"badge_template_id": badge_id} if badge_id else {}
    keys = {email_key(email)}.union(*(learners.email_keys(store, row["id"]) for row in known))
    spellings = keys | {email} | {row["email"] for row in known}  # whether Credly minds the case is not known
    earners = {earner_id(row["learner_id"], row["email"]) for row in known}
    found: dict[str, IssuedBadge] = {}
    for spelling in sorted(spellings):
        for question in ("recipient_email", "recipient_email_all"):
            found |= _rows(client, {**narrowed, question: spelling})
    for earner in sorted(earners):
        found |= _rows(client, {**narrowed, "issuer_earner_id": earner})
    return _own(list(found.values()), keys, earners)


def _rows(client: Client, filters: dict[str, str]) -> dict[str, IssuedBadge]:
    listing = client.issued_badges(filters)
    if listing.problem is not None:
        raise listing.problem
    return listing.rows


def _own(badges: list[IssuedBadge], keys: set[str], earners: set[str]) -> list[IssuedBadge]:
    """Leave out what is somebody else's: a filter that Credly does not obey must not show strangers' badges."""
    own = [badge for badge in badges if email_key(badge.email or "") in keys or _earner(badge) in earners]
    users = {badge.user_id for badge in own if badge.user_id} or {badge.user_id for badge in badges if badge.user_id}
    if not own and len(users) > 1:
        return []
    return [badge for badge in badges if badge in own or (badge.user_id and badge.user_id in users)]


def _earner(badge: IssuedBadge) -> str:
    return (badge.earner_id or "").partition("~")[0]


def _shown(store: Store, rows: list[dict[str, Any]], now: datetime, *, hide_expired: bool) -> list[dict[str, Any]]:
    """Bring badges into the form that answers show; nothing revoked, ever."""
    resources = issued_badges.resources(store, [row["id"] for row in rows])
    moment = utc_text(now)
    shown = []
    for row in sorted(rows, key=lambda row: (row["issued_at"] or "", row["id"]), reverse=True):
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
