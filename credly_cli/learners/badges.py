"""The badges of one learner: from Credly, or from the store when Credly does not answer (R26, R27, R31)."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from credly_cli.credly.client import Client
from credly_cli.credly.records import HELD_STATES
from credly_cli.errors import Failure
from credly_cli.http.errors import HttpFailure
from credly_cli.issuing.lookup import Recipient, look_up
from credly_cli.linking import names
from credly_cli.store import issued_badges, learners, runs
from credly_cli.store.database import Store
from credly_cli.times import utc_text

_PASSING = ("unreachable", "server-error", "rate-limited")
_PASSING_STATUSES = (408, 429)
ANSWER_SECONDS = 20.0  # that Credly has; somebody is on the phone, and after that the store answers (R27)


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
        found = look_up(client, Recipient.of_learners(store, email, known)).badges
    except Failure as failure:
        if not _is_outage(failure):
            raise
        if not known and not issued_badges.of_address(store, email):
            raise
        rows = issued_badges.of_learners(store, email, [row["id"] for row in known])
        rows = [row for row in rows if row["deleted_at"] is None]
        as_of = runs.last_listing(store) or max((row["stored_at"] for row in rows), default=None)
        return _answer(store, email, known, "store", as_of, _shown(store, rows, now, hide_expired=hide_expired))
    if not known and not found:
        raise Failure(
            "unknown-learner",
            f"Neither Credly nor the store knows {email}.",
            hint=names.learner_hint(store, email),
        )
    told = {badge.id: asdict(badge) for badge in found}
    for row in issued_badges.unseen_of_learners(store, [row["id"] for row in known]):
        told.setdefault(row["id"], row)  # Credly's lists lag behind what it issues
    shown = _shown(store, list(told.values()), now, hide_expired=hide_expired)
    answer = _answer(store, email, known, "credly", utc_text(now), shown)
    if not known:
        answer.learner |= {"first_name": found[0].first_name, "last_name": found[0].last_name}
    return answer


def _is_outage(failure: Failure) -> bool:
    """Tell whether Credly does not answer for now; what it refuses is a fault of address or configuration."""
    status = failure.status if isinstance(failure, HttpFailure) else None
    return failure.code in _PASSING and (status not in range(400, 500) or status in _PASSING_STATUSES)


def _shown(store: Store, rows: list[dict[str, Any]], now: datetime, *, hide_expired: bool) -> list[dict[str, Any]]:
    """Bring badges into the form that answers show; nothing revoked or replaced, ever."""
    resources = _resources(store, rows)
    moment = utc_text(now)
    shown = []
    for row in sorted(rows, key=_when, reverse=True):
        expired = row["expires_at"] is not None and row["expires_at"] <= moment
        if row["state"] not in HELD_STATES or row["replaced_by"] or (expired and hide_expired):
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
                "accept_url": row["accept_url"] if row["state"] == "pending" else None,
            }
        )
    return shown


def _resources(store: Store, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the content that earned each badge; one that took another's place was earned by the same."""
    found = issued_badges.resources(store, [row["id"] for row in rows])
    for row in sorted(rows, key=lambda row: row["created_at"] or ""):
        if row["replaced_by"] and row["id"] in found:
            found.setdefault(row["replaced_by"], found[row["id"]])
    return found


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
