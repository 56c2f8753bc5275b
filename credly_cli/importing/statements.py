"""Statements judged together, whenever and wherever they were read: what is voided, and what a failure takes back.

A *failed* takes back what was reported before it of that learner and activity, but for another attempt (where both have
registrations), and a mere *completed* after it does not count; a later *passed*, or a success, completes, dated by it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from credly_cli.errors import Problem
from credly_cli.lms.records import Understood
from credly_cli.store import statements
from credly_cli.store.database import Store
from credly_cli.store.statements import Judged, SentBefore, StoredStatement, TakenBack, Voided
from credly_cli.text import Command, Hint, counted


@dataclass(frozen=True, slots=True)
class Judgement:
    """What statements of one learner and place say together."""

    completion: StoredStatement | None  # the latest that counts
    failed: StoredStatement | None  # the latest failure
    taken_back: tuple[StoredStatement, ...]


def judge(reported: Sequence[StoredStatement]) -> Judgement:
    """Judge the statements of one learner and place, in any order."""
    failures = [each for each in reported if each.word == "failed"]
    claimed = [each for each in reported if each.word != "failed"]
    taken_back = tuple(each for each in claimed if any(_takes_back(failed, each) for failed in failures))
    counting = [each for each in claimed if each not in taken_back] if taken_back else claimed
    return Judgement(max(counting, key=_when, default=None), max(failures, key=_when, default=None), taken_back)


def _takes_back(failed: StoredStatement, claimed: StoredStatement) -> bool:
    if failed.registration and claimed.registration and failed.registration != claimed.registration:
        return False  # another attempt
    return claimed.word != "passed" or claimed.moment <= failed.moment


def _when(statement: StoredStatement) -> tuple[str, str]:
    return statement.moment, statement.id


def drop_voided(store: Store, understood: Understood) -> None:
    """Let staged statements that are voided be as if never said, and say how many that are."""
    voided = statements.drop_voided(store)
    for sentence in _sentences(voided):
        understood.warn(sentence)


def _sentences(voided: Voided) -> Iterable[str]:
    if voided.here:
        yield f"{counted(voided.here, 'voided statement counts', 'voided statements count')} as never said."
    if voided.unknown:
        yield (
            f"{counted(voided.unknown, 'statement that is', 'statements that are')} voided here"
            f" {'is' if voided.unknown == 1 else 'are'} not known."
        )


def way_back(email: str) -> Hint:
    """Say how a badge that is out is found, and where it is taken back (R34)."""
    return Hint("Revoking is done in Credly only. To list it:", Command("grants", "--email", email, "--csv"))


def sent_before(voided: SentBefore) -> Problem:
    """Say that a completion was voided after its badge was sent."""
    message = f"The completion of {voided.title!r} by {voided.email} was voided after its badge was sent, which stays."
    return Problem("completion-denied", message, voided.email, voided.badge_id, voided.grant_id, way_back(voided.email))


def judge_staged(store: Store) -> None:
    """Keep the staged statements, and judge all of the learners and content that they are of."""
    rows: list[Judged] = []
    taken_back: list[TakenBack] = []
    for (learner, content, session), group in groupby(statements.take(store), key=lambda each: each[:3]):
        reported = list(group)
        found = judge(reported)
        taken_back += [TakenBack(each.id, learner, content, session) for each in found.taken_back]
        loose = min(each.loose for each in reported)
        if found.completion is not None:
            best = found.completion
            rows.append(Judged(learner, content, session, loose, 0, best.at, best.at, best.latest, best.id))
        elif found.failed is not None:
            rows.append(Judged(learner, content, session, loose, 1, found.failed.at, None, None, None))
    statements.judged(store, rows, taken_back)
