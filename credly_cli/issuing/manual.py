"""Granting by hand: to a learner who is enrolled and has not earned the badge, after asking Credly (R22)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from credly_cli.config import GrantSettings
from credly_cli.credly.client import Client
from credly_cli.credly.records import IssuedBadge
from credly_cli.errors import Exit, Failure, exit_of_work
from credly_cli.identity import email_key, missing_names
from credly_cli.issuing import plan, reconcile, restore, send
from credly_cli.issuing.lookup import Recipient, UnreadableAnswer, look_up, look_up_all
from credly_cli.issuing.send import SendOptions
from credly_cli.linking import names
from credly_cli.linking.link import listing_of_out
from credly_cli.store import badges, claims, enrollments, facts, grants, issued_badges, runs
from credly_cli.store import content as contents
from credly_cli.store.badges import NamedBadge
from credly_cli.store.content import ContentBrief
from credly_cli.store.database import Store
from credly_cli.store.enrollments import Enrollment
from credly_cli.store.facts import LearnerSession
from credly_cli.store.grants import Grant, ListedGrant, NewGrant
from credly_cli.store.learners import Learner
from credly_cli.store.lock import RunLock
from credly_cli.text import Command, Hint, counted
from credly_cli.times import Clock, utc_text

AT_COMPLETION = "completion"  # as the date on a badge: when its learner completed the content


@dataclass(slots=True)
class Granted:
    """What came of one learner."""

    email: str
    changed: bool = False
    grant: ListedGrant | None = None
    failure: Failure | None = None
    unclear: bool = False  # whether it was issued is for the next sync to find out

    JSON: ClassVar = ("email", "changed", "grant", "error")

    @property
    def error(self) -> Failure | None:
        """Why nothing came of it, as answers call it."""
        return self.failure


@dataclass(slots=True)
class _Candidate:
    """A learner who is enrolled, and how the grant is recorded: ``before`` is what stood in its place."""

    result: Granted
    learner: Learner
    enrolled: Enrollment
    recipient: Recipient
    grant_id: int | None = None
    before: Grant | None = None


@dataclass(slots=True)
class ManualGrants:
    """Grants of one badge by hand: over a store and its lock, a client and a clock, sent by these options."""

    store: Store
    lock: RunLock
    client: Client
    clock: Clock
    options: SendOptions
    settings: GrantSettings
    _badge: NamedBadge = field(init=False)
    _content: ContentBrief = field(init=False)
    _by_completion: bool = False

    def grant(self, emails: Sequence[str], badge_name: str, issued_at: str | None, *, rehearse: bool) -> list[Granted]:
        """Grant a badge to each learner; raises ``Failure`` for what concerns the badge, the results tell the rest.

        ``issued_at`` is UTC text, ``AT_COMPLETION`` for when each completed the content, or ``None`` for now.
        """
        self._by_completion = issued_at == AT_COMPLETION
        self._badge, self._content = _badge_and_content(self.store, badge_name)
        self._take_number(rehearse=rehearse)
        results = [Granted(email) for email in _different(emails)]
        candidates = self._candidates(results)
        free = self._ask(candidates, results)
        moment = issued_at or utc_text(self.clock.now())
        with self.options.interruption.awaited():  # what is recorded is also sent, or taken back
            planned = [candidate for candidate in free if self._record(candidate, self._date_of(candidate, moment))]
            stopped = None if rehearse else self._send(planned)
            for candidate in planned:
                self._report(candidate, stopped, rehearse=rehearse)
        return results

    def out(self) -> Hint:
        """Say how many badges are out through the link, how to list them, and where they are revoked (R34)."""
        content = self._content
        number = grants.count_out(self.store, self._badge.id, content.id)
        sentence = (
            f"{counted(number, 'badge is', 'badges are')} out for {content.title}. Revoking is done in Credly only."
        )
        return Hint(f"{sentence} To list them:", listing_of_out(self._badge.word, content.id))

    def _date_of(self, candidate: _Candidate, moment: str) -> str:
        """Return the date on the badge."""
        return candidate.enrolled.completed_at or moment if self._by_completion else moment

    def _take_number(self, *, rehearse: bool) -> None:
        """Take a number, so that a copy of the store without this is noticed; refuse while a restored one settles."""
        now = utc_text(self.clock.now())
        with self.store.transaction():
            if restore.note_restore(self.store, self.lock.run_number, now):
                claims.doubt_all_open(self.store, None, now)
            number = runs.take_number(self.store, self.lock.run_number)
        if not rehearse:
            self.lock.note_run(number)
        until = restore.settles_until(self.store, self.settings.settle_seconds)
        if until is not None and now < until:
            message = (
                "The store was restored, so Credly may have badges that it does not know of, or does not list yet."
            )
            raise Failure(
                "store-settling", message, hint=Hint(f"After {until}:", Command("sync"), ", then grant again.")
            )

    # Who may get it

    def _candidates(self, results: Iterable[Granted]) -> list[_Candidate]:
        """Pick those whom the store lets have the badge; the others' results say why not."""
        candidates: dict[int, _Candidate] = {}
        for result in results:
            try:
                candidate = self._candidate(result)
            except Failure as failure:
                result.failure = failure
                continue
            first = candidates.setdefault(candidate.learner.id, candidate)
            if first is not candidate:
                result.failure = _earned(result.email, f"{result.email} is the same learner as {first.result.email}.")
        return list(candidates.values())

    def _candidate(self, result: Granted) -> _Candidate:
        known = names.learner(self.store, result.email)
        result.email = names.address(self.store, result.email)
        enrolled = self._sessions(known)
        if not enrolled:
            raise Failure(
                "not-enrolled",
                f"{result.email} is not enrolled in {self._content.title}.",
                hint="A badge is granted by hand to those enrolled in its content.",
            )
        if len(enrolled) > 1:
            raise names.shared(result.email, [learner for learner, _ in enrolled])
        ((learner, session),) = enrolled
        recipient = Recipient.of_learners(self.store, result.email, known, self._badge.id)
        return _Candidate(result, learner, session, recipient)

    def _sessions(self, known: Sequence[Learner]) -> list[tuple[Learner, Enrollment]]:
        """Find who is enrolled, each with the session that the badge is for.

        Raises ``Failure`` where it is to be completed and is not.
        """
        store, content_id = self.store, self._content.id
        enrolled = [(one, session) for one in known if (session := enrollments.latest(store, one.id, content_id))]
        if not self._by_completion or not enrolled:
            return enrolled
        now = utc_text(self.clock.now())
        completed = [(one, enrollments.latest_completed(store, one.id, content_id, now)) for one, _ in enrolled]
        if all(session is None for _, session in completed):
            raise Failure(
                "not-completed",
                f"{enrolled[0][0].email} has not completed {self._content.title}.",
                hint="Give the date on the badge instead, with --issued-at DATE.",
            )
        return [(one, session) for one, session in completed if session is not None]

    def _ask(self, candidates: Sequence[_Candidate], results: Sequence[Granted]) -> list[_Candidate]:
        """Ask Credly what each holds; returns those who have not earned the badge. Where Credly fails, all ends."""
        free = []
        recipients = [candidate.recipient for candidate in candidates]
        answers = look_up_all(self.client, recipients, look_up, faults_in_a_row=1)
        for candidate, (_, found) in zip(candidates, answers, strict=False):  # it ends with the first failure
            if isinstance(found, UnreadableAnswer):
                candidate.result.failure = found
                continue
            if isinstance(found, Failure):
                for result in results:
                    result.failure = result.failure or found
                return []
            candidate.result.failure = self._refusal(candidate, found.badges)
            if candidate.result.failure is None:
                free.append(candidate)
        return free

    def _refusal(self, candidate: _Candidate, found: Sequence[IssuedBadge]) -> Failure | None:
        with self.store.transaction():
            issued_badges.save(self.store, found, utc_text(self.clock.now()))
        email, learner, name = candidate.result.email, candidate.learner, self._badge.name
        session, badge_id = self._session(candidate), self._badge.id
        if facts.holds(self.store, session, badge_id, found):
            return _earned(email, f"{email} has earned {name} already.")
        if facts.holds(
            self.store, session, badge_id, issued_badges.of_learner_and_badge(self.store, learner.id, badge_id)
        ):
            hint = Hint("If it was deleted in Credly, this finds out:", Command("sync"))
            return _earned(email, f"{email} has earned {name} already, as the last sync found.", hint)
        if claims.in_doubt_for_learner(self.store, badge_id, learner.id):
            candidate.result.unclear = True
            message = f"{name} may be on its way to {email}: an earlier answer of Credly's was lost."
            return Failure("server-error", message, hint=Hint("The next sync finds out:", Command("sync")))
        if missing_names(session.first_name, session.last_name):
            return Failure("missing-name", plan.missing_name(session), hint=plan.TELL_NAME)
        return None

    # The grant

    def _session(self, candidate: _Candidate) -> LearnerSession:
        enrolled = candidate.enrolled
        return facts.session_of(
            self.store, candidate.learner, self._content.id, enrolled.session_id, enrolled.completed_at
        )

    def _record(self, candidate: _Candidate, moment: str) -> bool:
        """Record the grant for the learner's session, in place of one that was not sent yet."""
        session, badge_id, now = self._session(candidate), self._badge.id, utc_text(self.clock.now())
        with self.store.transaction():
            before = grants.of_session(self.store, badge_id, session.learner, session.content_id, session.session_id)
            if before is not None and before.state in ("planned", "held", "failed"):
                candidate.grant_id, candidate.before = before.id, before
                grants.set_state(self.store, before.id, "planned", now, issued_at=moment, **_AFRESH)
                return True
            grant = self._new_grant(session, moment, before)
            candidate.grant_id = grants.record(self.store, grant, None, now)
            candidate.before = before if before is not None and before.id == candidate.grant_id else None
        return True

    def _new_grant(self, session: LearnerSession, moment: str, before: Grant | None) -> NewGrant:
        badge_id, number = self._badge.id, 1
        if before is not None:  # what was earned and lost is granted anew, under a mark of its own
            number = before.round + int(before.state != "cancelled" or before.dropped)
        once = not badges.allows_duplicates(self.store, badge_id)
        organization = self.client.organization_id
        return NewGrant(
            badge_id=badge_id,
            learner=session.learner,
            content_id=session.content_id,
            session_id=session.session_id,
            reason="manual",
            state="planned",
            completed_at=session.completed_at,
            issued_at=moment,
            once=once,
            earner_id=facts.own_wire_id(self.store, session, organization, badge_id, once=once, grant_round=number),
            round=number,
        )

    def _send(self, planned: Sequence[_Candidate]) -> Failure | None:
        """Send what was recorded and look up what stays unclear; returns what kept the rest from being sent."""
        identities = tuple(candidate.grant_id for candidate in planned if candidate.grant_id is not None)
        if not identities:
            return None
        sent = send.send(self.store, self.client, self.clock, replace(self.options, only=identities))
        unclear = {grant.id for grant in claims.uncertain(self.store)}
        if not unclear.isdisjoint(identities):
            others = unclear.difference(identities)
            reconcile.reconcile(self.store, self.client, self.clock, self.settings, except_for=others)
        return sent.stopped or sent.delayed

    def _report(self, candidate: _Candidate, stopped: Failure | None, *, rehearse: bool) -> None:
        result = candidate.result
        (result.grant,) = grants.listed(self.store, ids=[candidate.grant_id or 0])
        result.changed = not rehearse
        match result.grant.state:
            case "planned" if not rehearse:
                grants.restore_previous(self.store, candidate.grant_id or 0, candidate.before)
                result.changed, result.grant = False, None
                result.failure = stopped or self._unknown_to_credly()
            case "uncertain":
                result.unclear = True
                message = (
                    f"Credly's answer was lost. The next sync finds out whether {result.email} was issued the badge."
                )
                result.failure = Failure("server-error", message, hint=Hint("Run:", Command("sync")))
            case "failed":
                command = Command("retry", str(candidate.grant_id))
                hint = Hint("If the badge was archived:", Command("sync"), "; when the reason is gone:", command)
                result.failure = Failure("grant-failed", str(result.grant.problem), hint=hint)
            case "covered":
                result.changed = False
                result.failure = _earned(result.email, f"{result.email} has earned {self._badge.name} already.")

    def _unknown_to_credly(self) -> Failure:
        return Failure(
            "badge-not-active",
            f"Credly does not know {self._badge.name} any more.",
            hint=Hint("Run:", Command("sync")),
        )


def _earned(email: str, message: str, hint: Hint | None = None) -> Failure:
    return Failure("already-earned", message, hint=hint or Hint("To see it:", Command("learner-badges", email)))


_AFRESH = {
    "reason": "manual",
    **dict.fromkeys(("body", "body_sha256", "not_before", "problem_code", "problem", "refusal", "run_id")),
    "refusals": 0,
}


def _badge_and_content(store: Store, name: str) -> tuple[NamedBadge, ContentBrief]:
    """Find an active badge and the content that it is linked to; raises ``Failure``."""
    badge = names.badge(store, name)
    if not badge.listed:
        raise Failure(
            "badge-not-active",
            f"{badge.name} is not active on Credly any more.",
            hint=Hint("To see:", Command("badges")),
        )
    content = contents.of_badge(store, badge.id)
    if content is None:
        raise Failure(
            "badge-not-linked",
            f"{badge.name} is not linked to content.",
            hint=Hint("Link it first:", Command("link", badge.word, "CONTENT")),
        )
    return badge, content


def _different(emails: Iterable[str]) -> list[str]:
    """Return each address once, as it was written first."""
    by_key: dict[str, str] = {}
    for email in emails:
        by_key.setdefault(email_key(email), email.strip())
    return list(by_key.values())


def exit_code(results: Sequence[Granted], *, rehearse: bool) -> Exit:
    """Return the exit code of several: what was earned already is no failure, any other refusal makes it 3."""
    failed = [result for result in results if result.failure and result.failure.code != "already-earned"]
    codes = [result.failure.exit_code for result in failed if result.failure and not result.unclear]
    return exit_of_work(codes, uncertain=any(result.unclear for result in failed), dry_run=rehearse)
