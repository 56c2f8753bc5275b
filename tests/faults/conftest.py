"""Fixtures of the fault tests."""

from collections.abc import Iterator
from pathlib import Path

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


@pytest.fixture(scope="session")
def world_once(connected_once: Desk, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world with both badges linked, of which each test gets a copy."""
    world = World(connected_once.copied_to(tmp_path_factory.mktemp("linked")))
    world.link()
    return world


@pytest.fixture
def world(home: Path, world_once: World) -> World:
    """A world with both badges linked."""
    return world_once.copied_to(home)


@pytest.fixture(params=["in-process", pytest.param("socket", marks=pytest.mark.slow)])
def any_world(request: pytest.FixtureRequest, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world in process, and one that asks its Credly over a real socket."""
    if request.param == "in-process":
        yield request.getfixturevalue("world")
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
