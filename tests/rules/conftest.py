"""Fixtures of the rules about granting."""

import pytest

from tests.rules.granting_desk import ONCE, REPEATABLE
from tests.support.desk import ConnectedAfter, Desk


def link_once(desk: Desk) -> None:
    desk.json("link", ONCE, "first-aid")
    desk.pass_time(hours=3)


@pytest.fixture
def once(connected_after: ConnectedAfter) -> Desk:
    """A desk whose first-aid course earns a badge that is earned once."""
    return connected_after(link_once)


def link_repeatable(desk: Desk) -> None:
    desk.json("link", REPEATABLE, "first-aid")
    desk.pass_time(hours=3)


@pytest.fixture
def repeatable(connected_after: ConnectedAfter) -> Desk:
    """A desk whose first-aid course earns a badge that each session earns."""
    return connected_after(link_repeatable)
