"""The rules between one learner and one badge, checked one by one, in sentences to read out on the phone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from shlex import quote
from typing import ClassVar

from credly_cli.credly.records import IssuedBadge
from credly_cli.identity import missing_names
from credly_cli.learners.cases import Case, Person
from credly_cli.learners.widget import Session
from credly_cli.store.facts import Facts
from credly_cli.store.learner_history import Attempt, LearnerGrant

_ATTEMPTS = 3  # so many of the last are told
_MERE_DAY = "T00:00:00Z"  # how a day without a time is kept: a terminal must not shift it to the day before


@dataclass(frozen=True, slots=True)
class Check:
    """A rule that was checked, with its facts."""

    code: str
    ok: bool
    message: str
    cause: str | None = None  # where another sentence than its first one says why it stands so

    JSON: ClassVar = ("code", "ok", "message")


def checks(case: Case, person: Person) -> list[Check]:
    """Check every rule, in the order in which a badge comes about."""
    return [
        _connected(person),
        _active(case),
        _linked(case),
        *_content(case, person),
        *(check for session in case.sessions for check in _session(case, session, person)),
        *_names(case, person),
        *_issued(case, person),
        *_grants(case, person),
        *(_answer(attempt) for attempt in case.attempts[-_ATTEMPTS:]),
    ]


def when(text: str | None) -> str:
    """Write a time; a terminal shows it as local time."""
    return text or "an unknown day"


def _connected(person: Person) -> Check:
    known = person.connection
    if known is None:
        return Check("connected", False, "Not connected to Credly: nothing is issued.")
    if not known.connected:
        message = f"Disconnected from {known.organization_name} since {when(known.disconnected_at)}: nothing is issued."
        return Check("connected", False, message)
    return Check("connected", True, f"Connected to {known.organization_name} since {when(known.connected_at)}.")


def _active(case: Case) -> Check:
    name = case.badge.name
    if case.badge.listed:
        return Check("badge-active", True, f"{name} is active on Credly.")
    if case.badge.removed_at is None:
        return Check("badge-active", False, f"{name} was never in the list of active badges.")
    message = f"{name} is no longer active on Credly, as the sync of {when(case.badge.removed_at)} found."
    return Check("badge-active", False, f"{message} Nobody can earn it any more.")


def _linked(case: Case) -> Check:
    link = case.link
    if link is None:
        return Check("linked", False, "It is not linked to content.")
    title = link.content.title
    if link.ended_at is None:
        message = f"Linked to {title} on {when(link.linked_at)}; it counts completions from {when(link.counts_from)}."
        return Check("linked", True, message)
    why = "somebody unlinked it" if link.end_reason == "unlinked" else "the badge was no longer active"
    return Check("linked", False, f"The link to {title} ended on {when(link.ended_at)}: {why}.")


def _content(case: Case, person: Person) -> Iterator[Check]:
    """Check what the learner may see, and whether there is an enrollment at all."""
    if case.link is None or not case.linked:
        return
    title = case.link.content.title
    if case.link.released:
        yield Check("released", True, f"{title} is released.")
    else:
        yield Check("released", False, f"{title} is not released; a completion counts all the same.")
    if not case.sessions:
        yield Check("visible", case.visible, _sight(case, title, person))
        yield Check("enrolled", False, f"Not enrolled in {title}.")


def _sight(case: Case, title: str, person: Person) -> str:
    if case.visible:
        return f"{title} can be discovered."
    names = [f"the {audience.kind} {audience.subjects[0]}" for audience in person.audiences if not audience.is_site]
    if names:
        return f"{title} cannot be discovered: {' and '.join(names)} does not have it."
    return f"{title} cannot be discovered: it is neither released nor given to this learner."


def _session(case: Case, session: Session, person: Person) -> Iterator[Check]:
    row, known = session.enrolled, session.facts
    place = row.content.title + (f", session {row.session_title or known.session_id}" if known.session_id else "")
    since = f" since {row.enrolled_at.removesuffix(_MERE_DAY)}" if row.enrolled_at else ""
    if row.ended:
        yield Check("enrolled", False, f"No longer enrolled in {place}: withdrawn, or access was revoked.")
    else:
        yield Check("enrolled", True, f"Enrolled in {place}{since}.")
    if known.completed_at is None:
        progress = "how far is not known" if row.progress is None else f"{row.progress:g} percent so far"
        yield Check("completed", False, f"Not completed: {progress}.")
        return
    yield Check("completed", True, f"Completed on {_completed(known)}.")
    if known.denied and known.grant in ("issued", "covered"):
        yield Check("denied", False, "A later file has the learner as not complete; what was sent stays.")
    elif known.denied:
        yield Check("denied", False, "A later file has the learner as not complete: it does not count.")
        return
    yield _counts(case, known, person)


def _completed(known: Facts) -> str:
    at = known.completed_at or ""
    return at if at == known.completed_latest else at[:10]


def _counts(case: Case, known: Facts, person: Person) -> Check:
    last = known.links[-1]
    counts_from = when(case.link.counts_from) if case.link else ""
    if last.counts:
        if last.ended_at is None:
            return Check("counts", True, f"It counts: that is not before {counts_from}.")
        if (known.completed_at or "") >= last.ended_at:
            return Check("counts", False, "It does not count: by then the link had ended.")
        return Check("counts", known.grant == "issued", "It counted as long as the link stood.")
    reason = f"completions count from {counts_from}"
    if not last.early and last.gap_started_at is not None:
        until = when(last.gap_ended_at) if last.gap_ended_at else "now"
        reason = f"from {when(last.gap_started_at)} to {until} nothing was connected"
    advice = "" if last.ended_at else _ways(case, known, person)
    return Check("counts", False, f"It does not count: {reason}.{advice}")


def _ways(case: Case, known: Facts, person: Person) -> str:
    """Say how the badge may be earned all the same: by this learner alone, and by everybody."""
    name, email = case.badge.slug or case.badge.id, person.brief.email
    enrolled = person.connected and not (case.held or all(session.enrolled.ended for session in case.sessions))
    alone = (
        f" To issue it to this learner: credly grant {quote(email)} {name} --issued-at completion; to let"
        if enrolled
        else " To let"
    )
    at = known.completed_at or ""
    day = at[:10]
    if at == known.completed_latest:
        day = f"{datetime.fromisoformat(at).astimezone(person.zone):%Y-%m-%d}"
    link = f"credly link {name} {quote(known.content_id)} --since {day}"
    return f"{alone} everybody's completions since then count: {link}"


def _names(case: Case, person: Person) -> Iterator[Check]:
    if not case.sessions:
        return
    learner = person.brief
    if missing := missing_names(learner.first_name, learner.last_name):
        verb = "is" if len(missing) == 1 else "are"
        message = f"The {' and the '.join(missing)} {verb} not known. Import it: credly import learners FILE"
        yield Check("names", False, message)
    else:
        yield Check("names", True, f"The name is known: {learner.first_name} {learner.last_name}.")


def _issued(case: Case, person: Person) -> Iterator[Check]:
    if not case.issued:
        asked = f" on {when(person.listed_at)}" if person.listed_at else ""
        message = (
            f"Credly had no such badge of this learner{asked}." if asked else "Credly was not asked for badges yet."
        )
        yield Check("earned", False, message)
    for row in case.issued:
        yield _one_issued(row, person)
    can_be_granted = person.connected and case.linked and not case.held
    if case.issued and can_be_granted and any(not each.enrolled.ended for each in case.sessions):
        command = f"credly grant {quote(person.brief.email)} {case.badge.slug or case.badge.id}"
        yield Check("again", True, f"It can be issued again by hand: {command}")


def _one_issued(row: IssuedBadge, person: Person) -> Check:
    issued = f"issued on {when(row.issued_at)} ({row.id})"
    if row.deleted_at is not None:
        message = f"A badge {issued} is not on Credly any more, as the sync of {when(row.deleted_at)} found."
        return Check("deleted", False, f"{message} It is not issued again by itself.")
    if row.replaced_by is not None:
        return Check("replaced", False, f"A badge {issued} was replaced in Credly by {row.replaced_by}.")
    if not row.held:
        message = f"A badge {issued} was {row.state} on {when(row.state_updated_at or row.stored_at)}."
        return Check("revoked", False, f"{message} For completions before that it is not issued again by itself.")
    expires = row.expires_at
    expiry = ""
    if expires is not None:
        expiry = f"; it {'expired' if expires <= person.now else 'expires'} on {when(expires)}"
    return Check("earned", True, f"The learner has the badge: {issued}, {row.state}{expiry}.")


def _grants(case: Case, person: Person) -> Iterator[Check]:
    for grant in case.grants:
        if grant.state == "cancelled" and grant.dropped:
            message = f"A person dropped grant {grant.id} on {when(grant.updated_at)}: it is not planned again."
            yield Check("dropped", False, message)
        else:
            ok, message = _grant(grant, person.now, braked=case.braked, forbidden=case.forbidden)
            why = grant.problem if grant.state in ("held", "failed") and not ok else None
            yield Check("grant", ok, f"Grant {grant.id}{_by_hand(grant)}: {message}", why)
    if case.braked:
        message = "One run would issue more badges of this link than grants.brake lets go out unasked: none is planned."
        yield Check(
            "brake", False, f"{message} To see them: credly sync --dry-run; to issue them: credly sync --allow-many"
        )
    elif case.forbidden:
        message = "Credly did not let this badge be issued when it was last tried (403): what is planned for it waits."
        yield Check("permitted", False, f"{message} In Credly, see who may issue it; each sync tries again.")
    elif case.linked and not case.held and (moments := _completions_to_plan(case)):
        first = min(moments)
        sends = f"plans it; the next after {when(first)} sends it" if first > person.now else "plans and sends it"
        yield Check("grant", True, f"Not planned yet: the next sync {sends}.")


def _completions_to_plan(case: Case) -> list[str]:
    """Return when sessions were completed for which the next sync plans a grant."""
    return [
        session.facts.completed_at or ""
        for session in case.sessions
        if session.outcome.new and session.outcome.state == "planned" and not session.facts.named_since
    ]


def _by_hand(grant: LearnerGrant) -> str:
    return ", by hand" if grant.reason == "manual" else ""


_GRANTS = {
    "planned": (True, "planned on {created}; the next sync{later} sends it."),
    "planned, but forbidden": (False, "planned on {created}; it waits until Credly lets the badge be issued."),
    "sending": (True, "being sent since {moved}."),
    "uncertain": (False, "it is not known yet whether Credly issued it. {problem} The next sync finds out."),
    "issued": (True, "issued on {moved}."),
    "covered": (True, "covered by {cover}, which the learner has already or is to get."),
    "held": (False, "held since {moved}. {problem}"),
    "named since": (True, "held since {moved} for a name that is known by now; the next sync sends it."),
    "named, but braked": (False, "held since {moved} for a name that is known by now."),
    "cover lost": (
        False,
        "since {moved} the learner holds the badge no more that covered it. To issue it: credly retry {id}; to leave"
        " it: credly resolve {id} --drop",
    ),
    "failed": (False, "failed on {moved}. {problem}"),
    "cancelled": (False, "cancelled on {moved}, before it was sent."),
}


def _grant(grant: LearnerGrant, now: str, *, braked: bool, forbidden: bool) -> tuple[bool, str]:
    ok, message = _GRANTS[_wording_of(grant, braked=braked, forbidden=forbidden)]
    facts = {
        "id": str(grant.id),
        "created": when(grant.created_at),
        "moved": when(grant.updated_at),
        "later": f" after {when(grant.not_before)}" if (grant.not_before or "") > now else "",
        "problem": _ended(grant.problem or "No reason was noted"),
        "cover": _cover(grant),
    }
    return ok, message.format(**facts)


def _wording_of(grant: LearnerGrant, *, braked: bool, forbidden: bool) -> str:
    if grant.state == "planned" and forbidden:
        return "planned, but forbidden"
    if grant.named_since:
        return "named, but braked" if braked else "named since"
    return "cover lost" if grant.cover_lost else grant.state


def _cover(grant: LearnerGrant) -> str:
    if grant.covered_by is not None:
        return f"the badge {grant.covered_by}"
    return f"grant {grant.covered_by_grant} for another session"


def _ended(sentence: str) -> str:
    sentence = sentence.strip()
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


_ANSWERS = {
    "issued": "issued the badge",
    "refused": "refused it",
    "rejected": "refused it",
    "unclear": "gave no clear answer",
    "stop": "refused the token",
    "busy": "asked to slow down",
    "not-sent": "could not be reached",
    "missing": "does not know the badge",
    "forbidden": "does not let it be issued",
    "unpaid": "wants to be paid first",
    "conflict": "found a conflict",
}


def _answer(attempt: Attempt) -> Check:
    sent = f"Sent on {when(attempt.started_at)}"
    if attempt.outcome is None:
        return Check("answer", False, f"{sent}; the program stopped before Credly answered.")
    words = _ANSWERS.get(attempt.outcome, attempt.outcome)
    status = f" (HTTP {attempt.http_status})" if attempt.http_status else ""
    ok = attempt.outcome == "issued"
    detail = f": {attempt.detail}" if attempt.detail and not ok else ""
    later = when(attempt.ended_at)
    after = "" if later == when(attempt.started_at) else f" on {later}"
    return Check("answer", ok, _ended(f"{sent}; Credly {words}{after}{status}{detail}"))
