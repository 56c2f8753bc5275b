"""`credly status`: instant, offline, and what a monitor asks."""

import json

import pytest

from credly_cli.admin.status import read_age
from tests.support import faults
from tests.support.desk import Desk, completes
from tests.support.installed import run_installed


def test_status_before_connecting_says_so_and_what_to_do(desk: Desk) -> None:
    ran = desk.run("status")
    assert ran.code == 0
    assert "Not connected (profile default)." in ran.out
    assert "Next: credly connect" in ran.err


def test_status_works_while_the_integration_is_switched_off(desk: Desk) -> None:
    desk.config("enabled = false")
    assert desk.json("status")["connected"] is False


def test_status_says_which_files_it_is_about(desk: Desk) -> None:
    out = desk.run("status", "-q").out
    assert f"Configuration: {desk.home / 'config.toml'} (not there).\n" in out
    assert f"Store: {desk.home / 'credly.db'} (not there).\n" in out
    desk.config("")
    desk.connect()
    assert "(not there)" not in desk.run("status").out


def test_status_switched_off_says_so_and_suggests_nothing_that_is_refused(connected: Desk) -> None:
    connected.config("enabled = false")
    ran = connected.run("status")
    assert "The integration is switched off.\n" in ran.out
    assert ran.err == f"Next: set enabled = true in {connected.home / 'config.toml'}\n"


def test_status_with_an_invalid_configuration_says_so(connected: Desk) -> None:
    connected.config("enabled = maybe")
    assert connected.json("status", code=78)["error"]["code"] == "config-invalid"


@pytest.mark.parametrize(
    ("mishap", "told", "step"),
    [("token", "Credly refused the token", "credly connect"), ("shrink", "", "credly sync --allow-shrink")],
)
def test_status_says_why_the_last_sync_was_bad_and_what_helps(
    connected: Desk, mishap: str, told: str, step: str
) -> None:
    if mishap == "token":
        connected.sandbox.rotate_token("another")
    else:
        connected.sandbox.templates.clear()
    connected.run("sync")
    problem = connected.json("status")["last_sync"]["problem"]
    assert told in problem["message"]
    ran = connected.run("status")
    assert (
        f"Last sync: {connected.json('status')['last_sync']['status']}, 2026-03-02T09:30:00Z.\n  {problem['message']}\n"
        in ran.out
    )
    assert ran.err == f"Next: {step}\n"
    connected.pass_time(minutes=1)
    connected.connect()
    assert (ran := connected.run("status")).err != "Next: credly connect\n", ran


def test_a_monitor_is_told_when_the_token_ends_soon(connected: Desk) -> None:
    connected.pass_time(days=167)
    connected.json("sync", code=3)
    ran = connected.run("status", "--max-age", "2h", "-q")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("credly status: The token expires in 13 days (")
    assert ran.err.endswith("then: credly connect\n")
    assert len(ran.err.splitlines()) == 1


def test_a_monitor_is_content_after_a_good_sync(connected: Desk) -> None:
    connected.pass_time(minutes=90)
    ran = connected.run("status", "--max-age", "2h", "-q")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_a_monitor_is_told_when_no_sync_has_run(desk: Desk) -> None:
    desk.connect()
    ran = desk.run("status", "--max-age", "2h", "-q")
    assert ran.code == 3
    assert ran.err == "credly status: No sync has ended well yet. Next: credly sync\n"


def test_a_monitor_is_told_when_the_last_good_sync_is_older(connected: Desk) -> None:
    connected.json("link", "First Aid at Work", "first-aid")
    connected.pass_time(hours=3)
    ran = connected.run("status", "--max-age", "2h", "-q")
    assert ran.code == 3
    assert ran.err == "credly status: The last good sync ended 3 hours ago. Next: credly sync\n"


@pytest.mark.parametrize(
    ("minutes", "words"), [(119, "119 minutes"), (120, "2 hours"), (48 * 60 - 1, "47 hours"), (48 * 60, "2 days")]
)
def test_how_long_ago_is_said_in_minutes_for_two_hours_and_in_hours_for_two_days(
    connected: Desk, minutes: int, words: str
) -> None:
    connected.pass_time(minutes=minutes)
    ran = connected.run("status", "--max-age", "1m", "-q")
    assert ran.err.startswith(f"credly status: The last good sync ended {words} ago.")


@pytest.mark.parametrize(("age", "seconds"), [("59s", 59), ("1.5m", 90), ("2 H", 7200), (" 1d", 86_400)])
def test_an_age_is_seconds_minutes_hours_or_days(age: str, seconds: int) -> None:
    assert read_age(age).total_seconds() == seconds


def test_a_good_sync_counts_although_a_later_one_failed(connected: Desk) -> None:
    connected.pass_time(minutes=30)
    connected.sandbox.faults.add(faults.answers(503), "GET", "badge_templates", times=None)
    assert connected.run("sync").code == 75
    answer = connected.json("status", "--max-age", "1d")
    assert answer["last_sync"]["status"] != "success"
    assert answer["last_good_sync"] < answer["last_sync"]["finished_at"]
    assert connected.run("status", "--max-age", "10m").code == 3


def test_a_monitor_is_told_when_a_person_is_needed(connected: Desk) -> None:
    completes(connected, names=",")
    assert connected.run("sync").code == 3
    ran = connected.run("status", "--max-age", "1d")
    assert ran.code == 3
    assert "1 thing waits for a person." in ran.err
    assert connected.json("status")["needs_person"] == 1


def test_a_refused_shrink_waits_for_a_person(connected: Desk) -> None:
    connected.sandbox.templates.clear()
    assert connected.run("sync").code == 3
    assert connected.json("status")["needs_person"] == 1


@pytest.mark.parametrize("text", ["", "2", "h", "-2h", "2 fortnights", "9" * 400 + "d"])
def test_an_age_that_is_none_is_wrong_usage(desk: Desk, text: str) -> None:
    answer = desk.json("status", f"--max-age={text}", code=2)
    assert answer["error"]["hint"] == "Write it like 90m, 2h or 1d."


@pytest.mark.parametrize(
    ("days", "words"),
    [(167, "expires in 13 days"), (180, "has expired"), (179.5, "expires within a day"), (100, None)],
)
def test_status_warns_two_weeks_before_the_token_expires(connected: Desk, days: float, words: str | None) -> None:
    answer = connected.json("status")
    assert answer["token_expires_at"] is not None
    connected.pass_time(days=days)
    err = connected.run("status").err
    assert (words in err) if words else "token" not in err


def test_status_of_a_newer_store_is_refused(connected: Desk) -> None:
    with connected.store() as store:
        store.connection.execute("PRAGMA user_version = 99")
    assert connected.json("status", code=74)["error"]["code"] == "store-newer"


def test_status_reads_the_store_without_changing_it(connected: Desk) -> None:
    before = {path.name: path.read_bytes() for path in connected.home.iterdir()}
    connected.run("status")
    assert {path.name: path.read_bytes() for path in connected.home.iterdir() if path.name in before} == before


@pytest.mark.slow
def test_status_of_the_installed_program_loads_little(connected: Desk) -> None:
    ran = run_installed(connected.home, "status", "--json")
    assert json.loads(ran.stdout)["connected"] is True
    assert ran.stderr == ""


def test_what_waits_for_a_person_is_named_with_the_way_out(connected: Desk) -> None:
    """R33."""
    completes(connected, names=",")
    assert connected.run("sync").code == 3
    (waiting,) = connected.json("status")["waiting_for_person"]
    assert (waiting["code"], waiting["count"]) == ("grant-held", 1)
    assert waiting["message"] == "Grant 1 is held."
    assert "credly grants --state held" in waiting["hint"]
    assert waiting["message"] in connected.run("status").out


def test_rejected_rows_wait_for_a_person_until_their_file_goes_in_without(connected: Desk) -> None:
    """R33."""
    header = "email,first_name,last_name\n"
    connected.imports("learners", header + "no address,Ada,Lovelace\n", code=3)
    (waiting,) = connected.json("status")["waiting_for_person"]
    assert waiting["code"] == "import-rejected"
    assert connected.run("status", "--max-age", "1d").code == 3
    connected.imports("learners", header + "ada@example.org,Ada,Lovelace\n")
    assert connected.json("status")["waiting_for_person"] == []


def test_rejected_rows_of_a_file_that_is_gone_wait_for_nobody(connected: Desk) -> None:
    """R33."""
    connected.imports("learners", "email,first_name,last_name\nno address,Ada,Lovelace\n", code=3)
    (connected.home / "learners.csv").unlink()
    assert connected.run("sync").code == 0
    assert connected.json("status")["needs_person"] == 0


def test_a_run_that_brought_up_something_for_a_person_is_a_good_sync(connected: Desk) -> None:
    """R33."""
    completes(connected, names=",")
    connected.pass_time(hours=1)
    assert connected.run("sync").code == 3
    answer = connected.json("status")
    assert answer["last_good_sync"] == answer["last_sync"]["finished_at"]
