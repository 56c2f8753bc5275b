"""Granting by hand: to a learner who is enrolled and has not earned the badge, after asking Credly (R22)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from credly_cli import finding, granting, learner_badges, planning, settling
from credly_cli.credly.client import Client
from credly_cli.credly.records import HELD_STATES
from credly_cli.errors import Exit, Failure
from credly_cli.finding import FoundContent
from credly_cli.granting import Terms
from credly_cli.identity import earner_id
from credly_cli.settling import Patience
from credly_cli.store import enrollments, grants, issued_badges, links
from credly_cli.store.completions import Completion
from credly_cli.store.database import Store
from credly_cli.store.enrollments import Enrolled
from credly_cli.store.grants import NewGrant
from credly_cli.times import Clock, utc_text

_STOPS_ALL = (Exit.NOT_CONNECTED, Exit.TRY_LATER, Exit.CONFIG)


@dataclass(slots=True)
class Granted:
    """What came of one learner."""

    email: str
    changed: bool = False
    grant: dict[str, Any] | None = None
    failure: Failure | None = None

    def json(self) -> dict[str, Any]:
        """Return the answer as scripts read it."""
        error = self.failure.json() if self.failure else None
        return {"email": self.email, "changed": self.changed, "grant": self.grant, "error": error}


@dataclass(slots=True)
class Counter:
    """Where badges are granted by hand: a store, a client, a clock, and how things are sent."""

    store: Store
    client: Client
    clock: Clock
    terms: Terms
    patience: Patience

    def grant(self, emails: Sequence[str], badge_name: str, issued_at: str | None, *, rehearse: bool) -> list[Granted]:
        """Grant a badge to each learner; raises ``Failure`` for what concerns the badge, the results tell the rest."""
        badge, content = self._badge(badge_name)
        results = [Granted(email) for email in dict.fromkeys(emails)]
        planned: dict[int, Granted] = {}
        for result in results:
            try:
                identity = self._plan(result.email, badge, content, issued_at or utc_text(self.clock.now()))
            except Failure as failure:
                result.failure = failure
                if failure.exit_code in _STOPS_ALL:
                    _stop(results, failure)
                    break
                continue
            planned[identity] = result
        if not rehearse and planned:
            self._send(list(planned))
        for identity, result in planned.items():
            self._report(identity, result, rehearse=rehearse)
        return results

    def _badge(self, name: str) -> tuple[dict[str, Any], FoundContent]:
        badge = finding.badge(self.store, name)
        if not badge["listed"]:
            raise Failure(
                "badge-not-active", f"{badge['name']} is not active on Credly any more.", hint="To see: credly badges"
            )
        content = links.linked_content(self.store, badge["id"])
        if content is None:
            raise Failure(
                "badge-not-linked",
                f"{badge['name']} is not linked to content.",
                hint=f"Link it first: credly link {badge['id']} CONTENT",
            )
        return badge, FoundContent(**content)

    def _plan(self, email: str, badge: dict[str, Any], content: FoundContent, issued_at: str) -> int:
        """Check the rules for one learner and record the grant; raises ``Failure`` with the rule and the fact."""
        learner, enrolled = self._enrolled(email, content)
        who = Completion(
            learner=learner["id"],
            content_id=content.id,
            session_id=enrolled.session_id,
            completed_at=issued_at,
            **{key: learner[key] for key in ("learner_id", "email", "first_name", "last_name")},
        )
        self._refuse_earned(email, who, badge)
        if not (who.first_name and who.last_name):
            raise Failure("missing-name", planning.missing_name(who), hint="Import it: credly import learners FILE")
        with self.store.transaction():
            return self._record(who, enrolled, badge["id"])

    def _enrolled(self, email: str, content: FoundContent) -> tuple[dict[str, Any], Enrolled]:
        known = finding.learner(self.store, email)
        for learner in known:
            enrolled = enrollments.latest(self.store, learner["id"], content.id)
            if enrolled is not None:
                return learner, enrolled
        raise Failure(
            "not-enrolled",
            f"{email} is not enrolled in {content.title}.",
            hint="A badge is granted by hand to those enrolled in its content.",
        )

    def _refuse_earned(self, email: str, who: Completion, badge: dict[str, Any]) -> None:
        known = finding.learner(self.store, email)
        found = learner_badges.ask(self.client, email, known, self.store, badge["id"])
        with self.store.transaction():
            issued_badges.save(self.store, found, utc_text(self.clock.now()))
        held = [one.id for one in found if one.badge_id == badge["id"] and one.state in HELD_STATES]
        stored = issued_badges.held_by(self.store, who.learner, earner_id(who.learner_id, who.email), badge["id"])
        if held or stored:
            raise Failure(
                "already-earned",
                f"{email} has earned {badge['name']} already.",
                hint=f"To see it: credly learner-badges {email}",
            )
        if grants.in_doubt_for_learner(self.store, badge["id"], who.learner):
            raise Failure(
                "already-earned",
                f"{badge['name']} may be on its way to {email}: an earlier answer of Credly's was lost.",
                hint="The next sync finds out: credly sync",
            )

    def _record(self, who: Completion, enrolled: Enrolled, badge_id: str) -> int:
        place = (badge_id, who.learner, who.content_id, who.session_id)
        existing = grants.of_session(self.store, *place)
        now = utc_text(self.clock.now())
        if existing is not None and existing["state"] in ("planned", "held", "failed"):
            fresh: dict[str, Any] = {
                "reason": "manual",
                "issued_at": who.completed_at,
                "body": None,
                "body_sha256": None,
            }
            fresh |= {"not_before": None, "refusals": 0, "problem_code": None, "problem": None}
            grants.set_state(self.store, existing["id"], "planned", now, **fresh)
            return int(existing["id"])
        again = existing is not None and (existing["state"] != "cancelled" or existing["dropped"])
        number = existing["round"] + int(again) if existing else 1
        once = not self.store.value("SELECT allow_duplicates FROM badges WHERE id = ?", (badge_id,))
        organization = self.client.organization_id
        grant = NewGrant(
            badge_id=badge_id,
            learner=who.learner,
            content_id=who.content_id,
            session_id=who.session_id,
            reason="manual",
            state="planned",
            completed_at=enrolled.completed_at,
            issued_at=who.completed_at,
            once=once,
            earner_id=planning.wire_id(who, organization, badge_id, once=once, grant_round=number),
            round=number,
        )
        return grants.record(self.store, grant, None, now)

    def _send(self, identities: list[int]) -> None:
        terms = replace(self.terms, only=tuple(identities))
        sent = granting.send(self.store, self.client, self.clock, terms)
        if sent.stopped is not None and sent.stopped.exit_code in (Exit.NOT_CONNECTED, Exit.CONFIG):
            raise sent.stopped
        settling.settle(self.store, self.client, self.clock, self.patience)

    def _report(self, identity: int, result: Granted, *, rehearse: bool) -> None:
        (result.grant,) = grants.listed(self.store, ids=[identity])
        result.changed = not rehearse
        match result.grant["state"]:
            case "planned" if not rehearse:
                told = "Credly could not be reached to send it. The next sync sends it."
                result.failure = Failure("unreachable", told, hint="Run: credly sync")
            case "uncertain":
                told = "Credly's answer was lost. The next sync finds out whether it was issued."
                result.failure = Failure("server-error", told, hint="Run: credly sync")
            case "failed":
                result.failure = Failure("unexpected", str(result.grant["problem"]), hint="Run: credly grants")
            case "covered":
                result.changed = False
                result.failure = Failure("already-earned", f"{result.email} has earned it already.")


def _stop(results: list[Granted], failure: Failure) -> None:
    """Give the learners that were not reached the reason that stopped the work."""
    for result in results:
        if result.grant is None and result.failure is None:
            result.failure = failure


def exit_code(results: Sequence[Granted]) -> Exit:
    """Return the exit code of several: what was earned already is no failure, any other refusal makes it 3."""
    failures = [result.failure for result in results if result.failure and result.failure.code != "already-earned"]
    codes = {failure.exit_code for failure in failures}
    for code in (Exit.NOT_CONNECTED, Exit.TRY_LATER):
        if code in codes:
            return code
    return Exit.PARTIAL if codes else Exit.DONE
