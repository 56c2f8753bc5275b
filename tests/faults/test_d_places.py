"""Scenarios D 44 and 48: folders, file systems and files that cannot be written, or that are somebody else's."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.processes import Site
from tests.support.world import World

pytestmark = pytest.mark.slow

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount, and become somebody else")
NOBODY = 65534


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users can reach."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def mounted(folder: Path) -> Iterator[None]:
    """Have a small file system of its own in a folder."""
    done = subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=False, capture_output=True, text=True)  # noqa: S603, S607
    if done.returncode:
        pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)  # noqa: S603, S607


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be another user for a while."""
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def moved(world: World, home: Path) -> None:
    """Move the home, with something to send."""
    world.complete(1)
    world.desk.run("sync", "--dry-run")  # so that all is imported that another user may not read
    shutil.copytree(world.desk.home, home)
    world.desk.home = home


def fill(folder: Path) -> None:
    """Leave no room on a small file system."""
    subprocess.run(["mount", "-o", "remount,size=2m", folder], check=True)  # noqa: S603, S607
    with (folder / "rest").open("wb", buffering=0) as rest, suppress(OSError):
        while rest.write(bytes(4096)):
            pass


def expect_74(world: World, named: str) -> None:
    """Expect a clear sentence, and nothing sent."""
    ran = world.desk.run("sync")
    assert (ran.code, world.posts()) == (74, 0), ran
    assert named in ran.err
    assert world.desk.json("sync", code=74)["error"]["code"] == "store-unusable"


@AS_ROOT
def test_a_file_system_that_is_read_only_sends_nothing(world: World, folder: Path) -> None:
    """Scenario 44: and once it can be written again, the run goes on."""
    with mounted(folder):
        moved(world, folder / "home")
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)  # noqa: S603, S607
        expect_74(world, "Read-only file system")
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)  # noqa: S603, S607
        world.calm_down()
        world.check_all()


@AS_ROOT
def test_a_file_system_that_is_full_sends_nothing_it_cannot_note(world: World, folder: Path) -> None:
    """Scenarios 42 and 43: no room at all, by the real file system."""
    with mounted(folder):
        moved(world, folder / "home")
        fill(folder)
        expect_74(world, "cannot be read or written")
        (folder / "rest").unlink()
        world.calm_down()
        world.check_all()


def test_a_folder_for_temporary_files_that_is_not_there_is_done_without(tmp_path: Path) -> None:
    """Scenario 44: what is sorted on the disk is sorted elsewhere."""
    nowhere = {name: str(tmp_path / "nowhere") for name in ("TMPDIR", "SQLITE_TMPDIR")}
    with Site(tmp_path) as site:
        site.complete(2)
        again = site.run("import", "progress", str(site.home / "progress.csv"), environ=nowhere)
        assert (again.returncode, "6 unchanged" in again.stdout) == (0, True), again
        assert site.run("sync", environ=nowhere).returncode == 0
        site.check()


@AS_ROOT
@pytest.mark.parametrize(
    ("theirs", "named"),
    [
        (("credly.db",), "unable to open database file"),
        (("credly.db.lock",), "credly.db.lock"),
        ((".",), "readonly database"),  # SQLite's log cannot be made beside the store
    ],
    ids=["store", "lock", "folder"],
)
def test_what_is_another_users_is_told_and_nothing_is_sent(
    world: World, folder: Path, theirs: tuple[str, ...], named: str
) -> None:
    """Scenarios 44 and 48: as after a run by root, by mistake."""
    moved(world, folder / "home")
    for path in (world.desk.home, *world.desk.home.iterdir()):
        os.chown(path, NOBODY, NOBODY)
    for name in theirs:
        os.chown(world.desk.home / name, 0, 0)
    if "." in theirs:
        world.desk.home.chmod(0o755)
    with as_nobody():
        expect_74(world, named)
    for path in (world.desk.home, *world.desk.home.iterdir()):
        os.chown(path, NOBODY, NOBODY)
    with as_nobody():
        world.calm_down()
        world.check_all()


def test_a_folder_that_is_missing_is_made(world: World, tmp_path: Path) -> None:
    """Scenario 48: nothing is connected there."""
    world.desk.home = tmp_path / "not" / "yet"
    assert world.desk.json("sync", code=4)["error"]["code"] == "not-connected"
