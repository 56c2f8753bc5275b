"""What `sync` tells people: of its own steps alone, and where to look when nothing was granted (R11)."""

from tests.rules.admin import FIRST_AID, ROBIN
from tests.support import faults
from tests.support.desk import Desk, completes


def test_r11_sync_speaks_of_the_steps_that_it_ran(connected: Desk) -> None:
    assert connected.run("sync", "--only", "badges").out.startswith("Badges: ")
    assert len(connected.run("sync", "--only", "badges").out.splitlines()) == 1
    assert connected.run("sync", "--only", "grants").out == "Grants: none.\n"


def test_r11_sync_does_not_speak_of_what_it_did_not_come_to(connected: Desk) -> None:
    ran = connected.run("sync", "--max-seconds", "0")
    assert (ran.code, ran.out) == (75, "Grants: none.\n")  # to know that, no request is needed
    connected.sandbox.faults.add(faults.answers(401), path="badge_templates")
    ran = connected.run("sync")
    assert (ran.code, ran.out) == (4, "")
    connected.sandbox.faults.add(faults.answers(404), path="badge_templates")
    assert connected.run("sync").out == "Issued badges: none.\nGrants: none.\n"


def test_a_sync_that_leaves_something_unclear_says_to_run_it_again(connected: Desk) -> None:
    completes(connected)
    connected.sandbox.faults.add(faults.drops(), "POST")
    assert "Next: run credly sync again later.\n" in connected.run("sync").err


def test_a_sync_with_a_held_grant_leads_to_the_list_of_those_alone(connected: Desk) -> None:
    completes(connected, names=",")
    assert "Next: credly grants --state failed --state held\n" in connected.run("sync").err
    assert [grant["state"] for grant in connected.json("grants", "--state", "failed", "--state", "held")] == ["held"]
    assert connected.json("grants", "--state", "issued") == []


def test_a_sync_that_granted_nothing_says_how_many_earned_nothing(connected: Desk) -> None:
    connected.learns(f"{ROBIN},first-aid,first-aid-march,completed,2026-02-02T10:00:00Z,Robin,Sample")
    connected.json("link", FIRST_AID, "first-aid")
    ran = connected.run("sync")
    assert "1 completion of linked content earned nothing. To see why: credly missed\n" in ran.err


def test_r11_sync_speaks_of_the_lms_also_where_it_had_nothing_new(connected: Desk) -> None:
    connected.file("hygiene.csv", "email,content_id,status\nann@example.com,hygiene,enrolled\n")
    connected.config('[lms]\nsource = "files"\n[lms.files]\nprogress = ["hygiene.csv"]\n')
    assert connected.run("sync", "--only", "lms").out == "Progress: 1 added.\n"
    assert connected.run("sync", "--only", "lms").out == "LMS data: nothing new.\n"
    assert "LMS data: nothing new.\n" in connected.run("sync").out


def test_r11_a_sync_of_the_lms_alone_says_that_no_source_is_named(connected: Desk) -> None:
    ran = connected.run("sync", "--only", "lms")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("No source is named under [lms] in the configuration.")
    assert "LMS" not in connected.run("sync").out
