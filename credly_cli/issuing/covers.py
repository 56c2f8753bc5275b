"""Covers that are lost: the badge that a learner held was revoked or deleted, and a person decides (R20, R33)."""

from credly_cli.errors import Problem
from credly_cli.store import duplicates, facts, grants
from credly_cli.store.database import Store
from credly_cli.store.grants import Grant
from credly_cli.text import Command, Hint


def note_lost(store: Store, now: str) -> list[Problem]:
    """Note the covered grants whose learners hold the badge no more; returns those that are new to need a person."""
    problems = []
    with store.transaction():
        for grant in duplicates.of_lost_covers(store):
            held = _held(store, grant)
            if held is not None:
                solved = {"covered_by": held, "covered_by_grant": None, "problem_code": None, "problem": None}
                grants.set_state(store, grant.id, "covered", now, **solved)
            elif grant.problem_code != "cover-lost":
                message = "The badge that covered it was revoked or deleted, and the learner holds it by no other."
                grants.set_state(store, grant.id, "covered", now, problem_code="cover-lost", problem=message)
                problems.append(_problem(grant, message))
    return problems


def _problem(grant: Grant, message: str) -> Problem:
    number = str(grant.id)
    ways = Hint("To issue it:", Command("retry", number), "; to leave it:", Command("resolve", number, "--drop"))
    return Problem("cover-lost", message, grant.email, grant.badge_id, grant.id, ways)


def _held(store: Store, grant: Grant) -> str | None:
    """Return another badge that covers a grant."""
    return facts.of_grant(store, grant).held
