"""The feature flag: R6."""

import pytest

from tests.rules.admin import FIRST_AID, ROBIN
from tests.support.desk import Desk

REFUSED = [
    ("connect", "--token-stdin"),
    ("sync",),
    ("sync", "--dry-run"),
    ("badges",),
    ("content",),
    ("learners",),
    ("link", FIRST_AID, "first-aid"),
    ("unlink", FIRST_AID),
    ("grant", ROBIN, FIRST_AID),
    ("learner-badges", ROBIN),
    ("widget", ROBIN),
    ("explain", ROBIN),
    ("grants",),
    ("missed",),
    ("import", "learners", "-"),
    ("report",),
    ("demo",),
    ("sandbox", "--port", "0"),
]


@pytest.fixture
def disabled(connected: Desk) -> Desk:
    """A connected desk whose configuration switches the integration off."""
    connected.config("enabled = false\n")
    return connected


@pytest.mark.parametrize("command", REFUSED, ids=" ".join)
def test_r6_switched_off_every_command_refuses(disabled: Desk, command: tuple[str, ...]) -> None:
    error = disabled.json(*command, code=6, stdin=disabled.sandbox.token)["error"]
    assert error["code"] == "integration-disabled"
    assert "config.toml" in error["hint"]
    assert not disabled.issued()


def test_r6_status_config_profiles_disconnect_and_help_answer(disabled: Desk) -> None:
    assert disabled.json("status")["connected"]
    assert {"key": "enabled", "value": False}.items() <= disabled.json("config")[0].items()
    assert disabled.json("profiles")[0]["connected"]
    assert disabled.run().code == 0
    for help_ in (("--help",), ("grant", "--help"), ("sync", "-h"), ("--version",)):
        assert disabled.run(*help_).code == 0
    assert not disabled.json("disconnect", "--yes")["connected"]


def test_r6_purging_answers_too(disabled: Desk) -> None:
    name = disabled.sandbox.organization["name"]
    assert disabled.json("disconnect", "--purge", "--confirm", name)["purged"]


def test_r6_switched_on_again_all_is_as_before(disabled: Desk) -> None:
    disabled.config("enabled = true\n")
    assert len(disabled.json("badges")) == 8


def test_r6_a_profile_may_be_switched_off_alone(connected: Desk) -> None:
    connected.config("[profiles.other]\nenabled = false\n")
    assert connected.run("badges", "--profile", "other").code == 6
    assert connected.run("badges").code == 0
