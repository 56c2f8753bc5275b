"""Fixtures of the fault tests."""

from collections.abc import Iterator

import pytest

import tests.support.desk
from tests.support.desk import Desk
from tests.support.stand_in import FaultyServer
from tests.support.world import World

CONTENT = (
    "content_id,title,type,status,session_id,session_title\n"
    "first-aid,First Aid Course,course,published,first-aid-march,March\n"
    "first-aid,First Aid Course,course,published,first-aid-april,April\n"
    "hygiene,Kitchen Hygiene,article,published,,\n"
)


@pytest.fixture
def world(connected: Desk) -> World:
    """A world with both badges linked."""
    world = World(connected)
    world.link()
    return world


@pytest.fixture(params=["in-process", pytest.param("socket", marks=pytest.mark.slow)])
def any_world(request: pytest.FixtureRequest, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world in process, and one that asks its Credly over a real socket."""
    if request.param == "in-process":
        yield linked_desk(desk)
        return
    with FaultyServer(desk.sandbox) as server:
        monkeypatch.setattr(tests.support.desk, "SandboxAdapter", lambda _: None)
        monkeypatch.setattr(tests.support.desk, "URL", server.url)
        yield linked_desk(desk)


def linked_desk(desk: Desk) -> World:
    """Connect a desk, with content and both badges linked to it."""
    desk.connect()
    desk.json("sync")
    desk.imports("content", CONTENT)
    world = World(desk)
    world.link()
    return world
