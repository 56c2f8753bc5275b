"""What asks first on a terminal, what `-v` tells, and how help is laid out."""

import re

import pytest

from credly_cli.app import app
from credly_cli.cli.group import CredlyGroup
from credly_cli.http.session import Session
from tests.rules.admin import FIRST_AID, ROBIN, enroll
from tests.support import faults
from tests.support.desk import Desk


@pytest.fixture
def enrolled(connected: Desk) -> Desk:
    connected.json("link", FIRST_AID, "first-aid")
    enroll(connected)
    return connected


def test_forgetting_asks_at_a_terminal_and_names_who(enrolled: Desk) -> None:
    ran = enrolled.run("forget", ROBIN, terminal=True, stdin="n\n")
    assert ran.code == 6
    assert f"Forget Robin Sample <{ROBIN}>?" in ran.err
    assert enrolled.run("forget", ROBIN, terminal=True, stdin="y\n").code == 0
    assert enrolled.json("learners") == []


def test_forgetting_without_a_terminal_names_the_flag(enrolled: Desk) -> None:
    error = enrolled.json("forget", ROBIN, code=2)["error"]
    assert (error["code"], "--yes" in error["message"]) == ("usage", True)
    assert enrolled.json("forget", "nobody@example.com", code=5)["error"]["code"] == "unknown-learner"
    assert enrolled.run("forget", ROBIN, "--yes").code == 0


def test_granting_says_to_whom_and_asks_at_a_terminal(enrolled: Desk) -> None:
    """R22."""
    ran = enrolled.run("grant", ROBIN, FIRST_AID, terminal=True, stdin="n\n")
    assert (ran.code, enrolled.json("grants")) == (6, [])
    assert f"Robin Sample <{ROBIN}>, progress not known" in ran.err
    assert f"Issue {FIRST_AID} (resource: First Aid Course) to {ROBIN}? [y/N]" in ran.err
    assert enrolled.run("grant", ROBIN, FIRST_AID, terminal=True, stdin="y\n").code == 0
    assert len(enrolled.json("grants")) == 1


@pytest.mark.parametrize("flag", ["--yes", "--no-input"])
def test_granting_goes_on_where_nobody_is_asked(enrolled: Desk, flag: str) -> None:
    """R22."""
    assert enrolled.run("grant", ROBIN, FIRST_AID, flag, terminal=True).code == 0


def test_granting_goes_on_without_a_terminal(enrolled: Desk) -> None:
    """R22."""
    assert enrolled.run("grant", ROBIN, FIRST_AID).code == 0


def test_what_can_be_granted_is_listed_with_its_resource(enrolled: Desk) -> None:
    """R22."""
    (row,) = enrolled.json("grant", ROBIN, "--list")
    assert (row["badge"]["name"], row["content"]["title"]) == (FIRST_AID, "First Aid Course")
    enrolled.imports("progress", f"email,content_id,session_id,progress\n{ROBIN},first-aid,first-aid-march,40\n")
    assert enrolled.run("grant", ROBIN, "--list").out.split("\t")[4] == "40"
    enrolled.json("grant", ROBIN, FIRST_AID)
    assert enrolled.json("grant", ROBIN, "--list") == []


def test_a_grant_may_be_dated_by_the_completion(connected: Desk) -> None:
    """R22."""
    connected.json("link", FIRST_AID, "first-aid")
    connected.learns(f"{ROBIN},first-aid,first-aid-march,completed,2026-02-02T10:00:00Z,Robin,Sample")
    answer = connected.json("grant", ROBIN, FIRST_AID, "--issued-at", "completion")
    assert answer["grant"]["issued_at"] == "2026-02-02T10:00:00Z"


def test_a_grant_dated_by_the_completion_needs_one(enrolled: Desk) -> None:
    """R22."""
    error = enrolled.json("grant", ROBIN, FIRST_AID, "--issued-at", "completion", code=6)["error"]
    assert error["code"] == "not-completed"


def test_revoking_is_done_in_credly(desk: Desk) -> None:
    ran = desk.run("revoke", "1")
    assert ran.code == 2
    assert "revoking is done in Credly only" in ran.err
    assert "In Credly open" in ran.err


def test_v_tells_steps_requests_and_grants_without_addresses(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "first-aid")
    connected.pass_time(hours=1)
    connected.learns(f"{ROBIN},first-aid,first-aid-march,completed,2026-03-02T10:00:00Z,Robin,Sample")
    ran = connected.run("sync", "-v")
    assert "Step: Badges\n" in ran.err
    assert "GET /v1/organizations/" in ran.err
    assert "POST /v1/organizations/" in ran.err
    assert "Grant 1: planned\n" in ran.err
    assert "Grant 1: issued\n" in ran.err
    assert "Decided" not in ran.err
    assert "@" not in ran.err
    assert "?" not in ran.err


def test_v_tells_each_request_under_the_step_that_it_is_of(connected: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "in_process", property(lambda _: False))  # as over a network
    said = [line for line in connected.run("sync", "-v").err.splitlines() if line.startswith(("Step: ", "GET "))]
    assert [line.removeprefix("Step: ").rpartition("/")[2] for line in said] == [
        "Connecting", "organizations", "Badges", "badge_templates", "LMS data", "Issued badges", "badges", "Grants",
    ]  # fmt: skip


@pytest.mark.parametrize("option", [("--color", "never"), ("--color=never",)])
def test_an_error_has_no_colour_where_none_is_wanted_even_if_the_command_line_is_wrong(
    desk: Desk, option: tuple[str, ...]
) -> None:
    assert "\x1b" in desk.run("no-such-command", terminal=True).err
    for words in (("no-such-command", *option), (*option, "no-such-command")):
        assert desk.run(*words, terminal=True).err.startswith("Error: No such command")


def test_vv_tells_decisions_too(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "first-aid")
    connected.pass_time(hours=1)
    connected.learns(f"{ROBIN},first-aid,first-aid-march,completed,2026-03-02T10:00:00Z,Robin,Sample")
    connected.sandbox.faults.add(faults.drops(), "POST")
    said = connected.run("sync", "-vv").err
    assert re.search(r"^Decided: badge .*: planned \(it counts\)$", said, re.MULTILINE)
    assert "Looked up: grant 1, badges found: 0, which tells all" in said
    assert "(as it stands)" not in said
    assert connected.run("sync", "--only", "badges").err.count("GET") == 0


def test_help_is_grouped_and_fits_80_columns(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    desk.run("--help")
    told = capsys.readouterr().out
    titles = [line.rstrip(":") for line in told.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert titles[-5:] == ["Every day", "Look up", "Repair", "Set up", "Documents"]
    assert all(len(line) <= 80 for line in told.splitlines())
    assert "..." not in told.partition("Every day:")[2]
    assert set(CredlyGroup.groups["Every day"]) >= {"sync", "status", "link"}


def test_every_command_is_in_a_group_of_the_help() -> None:
    grouped = [name for names in CredlyGroup.groups.values() for name in names]
    assert sorted(grouped) == sorted(str(command.name) for command in app.registered_commands)
