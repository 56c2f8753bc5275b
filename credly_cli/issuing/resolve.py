"""A person's part: `retry` plans failed and held grants again, `resolve` says what was found out about one (R33)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from credly_cli.credly.client import Client
from credly_cli.errors import Exit, Failure
from credly_cli.identity import missing_names
from credly_cli.store import duplicates, grants, issued_badges
from credly_cli.store.database import Store
from credly_cli.store.grants import Grant, ListedGrant
from credly_cli.store.schema import NEEDS_PERSON
from credly_cli.text import Command, Hint

_SETTLED = ("issued", "covered", "cancelled")


@dataclass(slots=True)
class Resolved:
    """What came of a person's word about a grant."""

    changed: bool
    grant: ListedGrant


def retry(store: Store, identities: Sequence[int], now: str) -> int:
    """Plan failed and held grants again, all of them or these; returns how many. Raises ``Failure``.

    Of all, those are left that cannot be sent: the name is still missing, or the link has ended; and those whose
    completion is denied, which go by their number only.
    """
    with store.transaction():
        if not identities:
            waiting = grants.in_states(store, NEEDS_PERSON)
            waiting = [grant for grant in waiting if grant.problem_code != "completion-denied"]
            return sum(_plan_again(store, grant, now) for grant in waiting if _obstacle(store, grant) is None)
        named = [_grant(store, identity) for identity in dict.fromkeys(identities)]
        for grant in named:
            if (obstacle := _obstacle(store, grant)) is not None:
                raise obstacle
        return sum(_plan_again(store, grant, now) for grant in named)


def _grant(store: Store, identity: int) -> Grant:
    grant = grants.of_id(store, identity)
    if grant is None:
        raise Failure("unknown-grant", f"There is no grant {identity}.", hint=Hint("To see them:", Command("grants")))
    return grant


def _obstacle(store: Store, grant: Grant) -> Failure | None:
    """Say why a grant cannot be planned again; ``None`` when it can."""
    identity, state = grant.id, grant.state
    if state in _SETTLED and not _has_lost_its_cover(grant):
        return Failure(
            "grant-settled",
            f"Grant {identity} is {state} already.",
            hint=Hint("To see it:", Command("grants", "--state", state)),
        )
    if state in ("sending", "uncertain"):
        message = f"Grant {identity} is {state}: it may be issued already, so it is never simply sent again."
        resolve = Command("resolve", str(identity), "--issued", "BADGE_ID")
        hint = Hint("The next sync settles it; if you know:", resolve, ", or --drop")
        return Failure("grant-settled", message, hint=hint)
    if missing_names(grant.first_name, grant.last_name):
        hint = Hint("Import it:", Command("import", "learners", "FILE"))
        return Failure("missing-name", f"The name of {grant.email} is not known.", hint=hint)
    if not grants.still_wanted(store, identity):
        message = f"The badge of grant {identity} is not linked to its content any more, or its link does not count it."
        hint = Hint("To link it again:", Command("link", "BADGE", "CONTENT", "--since", "DATE"))
        return Failure("badge-not-linked", message, hint=hint)
    return None


def _plan_again(store: Store, grant: Grant, now: str) -> bool:
    if grant.state == "planned":
        return False
    fresh: dict[str, Any] = {"problem_code": None, "problem": None, "not_before": None, "refusals": 0, "tries": 0}
    fresh["refusal"] = None
    if grant.problem_code == "completion-denied":
        fresh["confirmed_at"] = now
    if grant.state == "covered":  # a person decides, although the badge was revoked (R23)
        fresh |= {"confirmed_at": now, "covered_by": None, "covered_by_grant": None}
    if grant.state == "failed":  # Credly applied nothing of it, so what was corrected since may go out
        fresh |= {"body": None, "body_sha256": None}
    grants.set_state(store, grant.id, "planned", now, **fresh)
    return True


def drop(store: Store, identity: int, now: str) -> Resolved:
    """Give a grant up: it is cancelled, and its completion is not planned again. Raises ``Failure``."""
    with store.transaction():
        grant = _grant(store, identity)
        if grant.state == "cancelled" and grant.dropped:
            return _resolved(store, identity, changed=False)
        _require_open(grant)
        grants.set_state(store, identity, "cancelled", now, dropped=1, problem_code=None, problem=None)
        duplicates.release_superseded(store, now)
    return _resolved(store, identity, changed=True)


def drop_all(store: Store, identities: Sequence[int], now: str) -> list[Resolved]:
    """Give several grants up, all of them or, where one cannot be, none. Raises ``Failure``."""
    with store.transaction():
        return [drop(store, identity, now) for identity in dict.fromkeys(identities)]


def bind(store: Store, client: Client | None, identity: int, issued_badge_id: str, now: str) -> Resolved:
    """Bind an issued badge to a grant, once Credly or the store confirms that it can be its. Raises ``Failure``.

    ``client`` is ``None`` while nothing is connected: then the store's word must do.
    """
    grant = _grant(store, identity)
    if grant.issued_badge_id == issued_badge_id:
        return _resolved(store, identity, changed=False)
    _require_open(grant)
    if client is not None:
        _refresh(store, client, issued_badge_id, now)
    with store.transaction():
        _require_fitting(store, grant, issued_badge_id)
        done = {"issued_badge_id": issued_badge_id, "problem_code": None, "problem": None}
        grants.set_state(store, identity, "issued", now, **done)
    return _resolved(store, identity, changed=True)


def _resolved(store: Store, identity: int, *, changed: bool) -> Resolved:
    (grant,) = grants.listed(store, ids=[identity])
    return Resolved(changed, grant)


def _has_lost_its_cover(grant: Grant) -> bool:
    return grant.state == "covered" and grant.problem_code == "cover-lost"


def _require_open(grant: Grant) -> None:
    if grant.state in _SETTLED and not _has_lost_its_cover(grant):
        message = f"Grant {grant.id} is {grant.state} already."
        raise Failure("grant-settled", message, hint=Hint("Only what is open can be resolved:", Command("grants")))


def _refresh(store: Store, client: Client, issued_badge_id: str, now: str) -> None:
    """Bring what Credly says of the badge into the store; what the store knows must do where Credly is silent."""
    try:
        badge = client.issued_badge(issued_badge_id)
    except Failure as failure:
        if failure.exit_code is Exit.TRY_LATER and issued_badges.is_known(store, issued_badge_id):
            return
        raise
    if badge is None:
        raise _no_such_badge(issued_badge_id)
    with store.transaction():
        issued_badges.save(store, [badge], now)


def _require_fitting(store: Store, grant: Grant, issued_badge_id: str) -> None:
    badge_id = issued_badges.badge_of(store, issued_badge_id)
    if badge_id is None:
        raise _no_such_badge(issued_badge_id)
    if badge_id != grant.badge_id:
        raise _unfitting(issued_badge_id, "is of another badge")
    if not issued_badges.is_of_learner(store, issued_badge_id, grant.learner):
        raise _unfitting(issued_badge_id, f"was not issued to {grant.email}")
    owner = grants.owner_of(store, issued_badge_id)
    if owner is not None:
        message = f"The issued badge {issued_badge_id} belongs to grant {owner}."
        hint = Hint("If nothing is to be issued:", Command("resolve", str(grant.id), "--drop"))
        raise Failure("already-earned", message, hint=hint)


def _no_such_badge(issued_badge_id: str) -> Failure:
    hint = Hint("Its id is in Credly, and in:", Command("learner-badges", "EMAIL"))
    return Failure("unknown-badge", f"There is no issued badge {issued_badge_id}.", hint=hint)


def _unfitting(issued_badge_id: str, why: str) -> Failure:
    hint = Hint("To see a learner's:", Command("learner-badges", "EMAIL"))
    return Failure("unknown-badge", f"The issued badge {issued_badge_id} {why}.", hint=hint)
