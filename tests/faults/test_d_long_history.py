"""Scenario D 50: what is new costs what it costs, however much was there before.

Time is measured by ``make bench``; here the steps of SQLite's own machine are counted, which no load of the test
machine changes.
"""

from pathlib import Path

import pytest

from credly_cli.issuing.plan import plan
from credly_cli.store.database import Store
from credly_cli.times import utc_text
from tests.faults.conftest import linked_desk
from tests.support.desk import Desk
from tests.support.steps import steps
from tests.support.world import ONCE, REPEATABLE, World

NEW = 100
OLD = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO learners (email, email_key, first_name, last_name)
  SELECT 'old' || i || '@example.org', 'old' || i || '@example.org', 'Old', 'Learner' FROM n;
INSERT INTO enrollments (learner, content_id, session_id, completed_at, completed_latest, rev)
  SELECT id, :content, :session, :now, :now, 0 FROM learners WHERE email LIKE 'old%';
INSERT INTO issued_badges (id, badge_id, email, email_key, state, issued_at, stored_at)
  SELECT :content || id, :badge, email, email_key, 'pending', :now, :now FROM learners WHERE email LIKE 'old%';
INSERT INTO grants (badge_id, learner, content_id, session_id, reason, state, completed_at, issued_at, once, earner_id,
    issued_badge_id, created_at, updated_at)
  SELECT :badge, id, :content, :session, 'completion', 'issued', :now, :now, :once, 'old-' || id, :content || id, :now,
    :now FROM learners WHERE email LIKE 'old%';
"""


def add_history(world: World, badge: str, content: str, session: str, count: int) -> None:
    """Put so many completions into the store that have their badges."""
    values = {
        "badge": world.desk.badge_id(badge), "content": content, "session": session, "count": count,
        "once": int(badge == ONCE), "now": utc_text(world.desk.clock.now()),
    }  # fmt: skip
    with world.desk.store() as store, store.transaction():
        for statement in OLD.split(";\n"):
            if statement.strip() and not (badge == REPEATABLE and "INTO learners" in statement):
                named = {name: value for name, value in values.items() if f":{name}" in statement}
                store.change(statement, named)


def plan_what_is_new(store: Store, world: World) -> None:
    outcome = plan(store, world.desk.sandbox.organization_id, None, utc_text(world.desk.clock.now()))
    assert outcome.planned == NEW * 2


def cost_of_planning(world: World) -> int:
    with world.desk.store() as store:
        return steps(store, lambda: plan_what_is_new(store, world))


@pytest.mark.slow
def test_planning_what_is_new_costs_no_more_over_a_long_history(tmp_path: Path) -> None:
    """Scenario 50: 50,000 completions of each badge before it, or 1,000."""
    costs = []
    for history in (1_000, 50_000):
        home = tmp_path / str(history)
        home.mkdir(mode=0o700)
        world = linked_desk(Desk(home))
        add_history(world, ONCE, "hygiene", "", history)
        add_history(world, REPEATABLE, "first-aid", "first-aid-march", history)
        world.complete(*range(NEW), sessions=("first-aid-march",))
        costs.append(cost_of_planning(world))
    assert costs[0] > NEW
    assert costs[1] <= costs[0] * 1.2
