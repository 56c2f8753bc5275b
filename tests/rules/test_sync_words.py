"""What `sync` tells people: of its own steps alone, and where to look when nothing was granted (R11)."""

from tests.rules.admin import FIRST_AID, ROBIN
from tests.support.desk import Desk


def test_r11_sync_speaks_of_the_steps_that_it_ran(connected: Desk) -> None:
    assert connected.run("sync", "--only", "badges").out.startswith("Badges: ")
    assert len(connected.run("sync", "--only", "badges").out.splitlines()) == 1
    assert connected.run("sync", "--only", "grants").out == "Grants: none.\n"


def test_a_sync_that_granted_nothing_says_how_many_earned_nothing(connected: Desk) -> None:
    connected.learns(f"{ROBIN},first-aid,first-aid-march,completed,2026-02-02T10:00:00Z,Robin,Sample")
    connected.json("link", FIRST_AID, "first-aid")
    ran = connected.run("sync")
    assert "1 completion of linked content earned nothing. To see why: credly missed\n" in ran.err
