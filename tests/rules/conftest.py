"""Fixtures of the rules about granting."""

import pytest

from tests.rules.granting_desk import ONCE, REPEATABLE
from tests.support.desk import Desk


@pytest.fixture
def once(connected: Desk) -> Desk:
    """A desk whose first-aid course earns a badge that is earned once."""
    connected.json("link", ONCE, "first-aid")
    connected.pass_time(hours=3)
    return connected


@pytest.fixture
def repeatable(connected: Desk) -> Desk:
    """A desk whose first-aid course earns a badge that each session earns."""
    connected.json("link", REPEATABLE, "first-aid")
    connected.pass_time(hours=3)
    return connected
