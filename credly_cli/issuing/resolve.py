"""A person's part in the ledger: planning failed grants again, and saying what was found out about one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from credly_cli.credly.client import Client
from credly_cli.errors import Exit, Failure
from credly_cli.store import duplicates, grants, issued_badges
from credly_cli.store.database import Store
from credly_cli.text import Command, Hint
from credly_cli.times import Clock, utc_text

_TO_RETRY = ("failed", "held")
_SETTLED = ("issued", "covered", "cancelled")


@dataclass(slots=True)
class Resolved:
    """What came of a person's word about a grant."""

    changed: bool
    grant: dict[str, Any]

    def json(self) -> dict[str, Any]:
        """Return the answer as scripts read it."""
        return {"changed": self.changed, "grant": self.grant}


def retry(store: Store, identities: Sequence[int], now: str) -> int:
    """Plan failed and held grants again, all of them or these; returns how many. Raises ``Failure``.

    Of all, those are left that cannot be sent: the name is still missing, or the link has ended.
    """
    with store.transaction():
        if not identities:
            waiting = [_grant(store, row["id"]) for row in grants.listed(store, states=_TO_RETRY)]
            return sum(_plan_again(store, grant, now) for grant in waiting if _obstacle(store, grant) is None)
        named = [_grant(store, identity) for identity in dict.fromkeys(identities)]
        for grant in named:
            if (obstacle := _obstacle(store, grant)) is not None:
                raise obstacle
        return sum(_plan_again(store, grant, now) for grant in named)


def _grant(store: Store, identity: int) -> dict[str, Any]:
    sql = (
        "SELECT g.*, l.email, l.first_name, l.last_name FROM grants g JOIN learners l ON l.id = g.learner"
        " WHERE g.id = ?"
    )
    row = store.row(sql, (identity,))
    if row is None:
        raise Failure("unknown-grant", f"There is no grant {identity}.", hint=Hint("To see them:", Command("grants")))
    return row


def _obstacle(store: Store, grant: dict[str, Any]) -> Failure | None:
    """Say why a grant cannot be planned again; ``None`` when it can."""
    identity, state = grant["id"], grant["state"]
    if state in _SETTLED:
        return Failure(
            "grant-settled",
            f"Grant {identity} is {state} already.",
            hint=Hint("To see it:", Command("grants", "--state", state)),
        )
    if state in ("sending", "uncertain"):
        told = f"Grant {identity} is {state}: it may be issued already, so it is never simply sent again."
        resolve = Command("resolve", str(identity), "--issued", "BADGE_ID")
        hint = Hint("The next sync settles it; if you know:", resolve, ", or --drop")
        return Failure("grant-settled", told, hint=hint)
    if not (grant["first_name"] and grant["last_name"]):
        hint = Hint("Import it:", Command("import", "learners", "FILE"))
        return Failure("missing-name", f"The name of {grant['email']} is not known.", hint=hint)
    if not grants.still_wanted(store, identity):
        told = f"The badge of grant {identity} is not linked to its content any more, or counts from a later moment."
        hint = Hint("To link it again:", Command("link", "BADGE", "CONTENT", "--since", "DATE"))
        return Failure("badge-not-linked", told, hint=hint)
    return None


def _plan_again(store: Store, grant: dict[str, Any], now: str) -> bool:
    if grant["state"] == "planned":
        return False
    fresh = {"problem_code": None, "problem": None, "not_before": None, "refusals": 0, "tries": 0}
    if grant["state"] == "failed":  # Credly applied nothing of it, so what was corrected since may go out
        fresh |= {"body": None, "body_sha256": None}
    grants.set_state(store, grant["id"], "planned", now, **fresh)
    return True


@dataclass(slots=True)
class Desk:
    """Where a person says what became of a grant; ``client`` is ``None`` while nothing is connected."""

    store: Store
    clock: Clock
    client: Client | None

    def drop(self, identity: int) -> Resolved:
        """Give a grant up: it is cancelled, and its completion is not planned again. Raises ``Failure``."""
        with self.store.transaction():
            grant = _grant(self.store, identity)
            if grant["state"] == "cancelled" and grant["dropped"]:
                return self._resolved(identity, changed=False)
            self._require_open(grant)
            now = utc_text(self.clock.now())
            grants.set_state(self.store, identity, "cancelled", now, dropped=1, problem_code=None, problem=None)
            duplicates.release_covered(self.store, now)
        return self._resolved(identity, changed=True)

    def issued(self, identity: int, issued_badge_id: str) -> Resolved:
        """Bind an issued badge to a grant, once Credly or the store confirms that it can be its. Raises ``Failure``."""
        grant = _grant(self.store, identity)
        if grant["issued_badge_id"] == issued_badge_id:
            return self._resolved(identity, changed=False)
        self._require_open(grant)
        self._ask(issued_badge_id)
        with self.store.transaction():
            self._require_fitting(grant, issued_badge_id)
            now = utc_text(self.clock.now())
            done = {"issued_badge_id": issued_badge_id, "problem_code": None, "problem": None}
            grants.set_state(self.store, identity, "issued", now, **done)
        return self._resolved(identity, changed=True)

    def _resolved(self, identity: int, *, changed: bool) -> Resolved:
        (grant,) = grants.listed(self.store, ids=[identity])
        return Resolved(changed, grant)

    def _require_open(self, grant: dict[str, Any]) -> None:
        if grant["state"] in _SETTLED:
            told = f"Grant {grant['id']} is {grant['state']} already."
            raise Failure("grant-settled", told, hint=Hint("Only what is open can be resolved:", Command("grants")))

    def _ask(self, issued_badge_id: str) -> None:
        """Bring what Credly says of the badge into the store; what the store knows must do where Credly is silent."""
        known = self.store.row("SELECT 1 FROM issued_badges WHERE id = ?", (issued_badge_id,))
        if self.client is None:
            return
        try:
            badge = self.client.issued_badge(issued_badge_id)
        except Failure as failure:
            if known and failure.exit_code is Exit.TRY_LATER:
                return
            raise
        if badge is None:
            raise _no_such_badge(issued_badge_id)
        with self.store.transaction():
            issued_badges.save(self.store, [badge], utc_text(self.clock.now()))

    def _require_fitting(self, grant: dict[str, Any], issued_badge_id: str) -> None:
        badge = self.store.row("SELECT * FROM issued_badges WHERE id = ? AND deleted_at IS NULL", (issued_badge_id,))
        if badge is None:
            raise _no_such_badge(issued_badge_id)
        if badge["badge_id"] != grant["badge_id"]:
            raise _unfitting(issued_badge_id, "is of another badge")
        if not issued_badges.is_of_learner(self.store, issued_badge_id, grant["learner"]):
            raise _unfitting(issued_badge_id, f"was not issued to {grant['email']}")
        owner = self.store.value("SELECT id FROM grants WHERE issued_badge_id = ?", (issued_badge_id,))
        if owner is not None:
            told = f"The issued badge {issued_badge_id} belongs to grant {owner}."
            raise Failure(
                "already-earned",
                told,
                hint=Hint("If nothing is to be issued:", Command("resolve", str(grant["id"]), "--drop")),
            )


def _no_such_badge(issued_badge_id: str) -> Failure:
    hint = Hint("Its id is in Credly, and in:", Command("learner-badges", "EMAIL"))
    return Failure("unknown-badge", f"There is no issued badge {issued_badge_id}.", hint=hint)


def _unfitting(issued_badge_id: str, why: str) -> Failure:
    hint = Hint("To see a learner's:", Command("learner-badges", "EMAIL"))
    return Failure("unknown-badge", f"The issued badge {issued_badge_id} {why}.", hint=hint)
