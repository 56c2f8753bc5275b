"""Links are followed only where they are this user's or root's; patterns of names end with the time that there is."""

import glob
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from credly_cli import files
from credly_cli.admin.run_log import recording
from credly_cli.errors import Failure
from credly_cli.files import followed, matching
from credly_cli.lms.records import Reject
from credly_cli.lms.rejects import RejectsFile
from credly_cli.pages import render
from credly_cli.store.database import Store
from tests.support.desk import Desk, StillClock

SOMEBODY = 4242


@pytest.fixture
def strange_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Path], Path]:
    """Make a link that belongs to neither this user nor root."""

    def make(name: str, target: Path) -> Path:
        link = tmp_path / name
        link.symlink_to(target)
        if os.geteuid() == 0:
            os.lchown(link, SOMEBODY, SOMEBODY)
        else:
            monkeypatch.setattr("credly_cli.files.os.geteuid", lambda: SOMEBODY)
        return link

    return make


def test_ones_own_links_are_followed_wherever_they_stand(tmp_path: Path) -> None:
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "real" / "page.html").symlink_to("../folder/deep/../target.html")
    assert followed(tmp_path / "folder" / "page.html") == (tmp_path / "real" / "target.html").resolve()
    assert followed(tmp_path / "nothing" / "there.html") == tmp_path.resolve() / "nothing" / "there.html"


def test_a_circle_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        followed(tmp_path / "a")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the file is Linux's")
def test_a_pipe_behind_a_name_keeps_its_name() -> None:
    reader, writer = os.pipe()
    try:
        assert followed(Path(f"/dev/fd/{writer}")) == Path(f"/dev/fd/{writer}")
    finally:
        os.close(reader)
        os.close(writer)


def test_a_page_is_not_written_through_a_link_of_somebody_else(
    tmp_path: Path, strange_link: Callable[[str, Path], Path]
) -> None:
    mine = tmp_path / "mine"
    mine.write_text("precious")
    with pytest.raises(Failure, match="belongs to somebody else") as refusal:
        render.write(strange_link("page.html", mine), "a page")
    assert refusal.value.code == "not-writable"
    assert mine.read_text() == "precious"


def test_no_page_is_written_into_a_folder_behind_such_a_link(
    tmp_path: Path, strange_link: Callable[[str, Path], Path]
) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(Failure, match="belongs to somebody else"):
        render.write(strange_link("site", tmp_path / "mine") / "page.html", "a page")
    assert list((tmp_path / "mine").iterdir()) == []


def test_no_store_is_opened_through_such_a_link(tmp_path: Path, strange_link: Callable[[str, Path], Path]) -> None:
    with pytest.raises(PermissionError, match="belongs to somebody else"):
        Store.open(strange_link("credly.db", tmp_path / "other.db"))
    assert not (tmp_path / "other.db").exists()


def test_neither_log_nor_rejected_rows_are_written_behind_such_a_link(
    tmp_path: Path, strange_link: Callable[[str, Path], Path]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "state").mkdir()
    link = strange_link("site", tmp_path / "mine")
    with pytest.raises(Failure, match="belongs to somebody else"), recording(link / "run.log", StillClock()):
        pass
    with RejectsFile(link / "rows.csv", tmp_path / "state") as rejects:
        rejects.add(Reject(2, "email", "is none"))
    assert list((tmp_path / "mine").iterdir()) == []
    assert rejects.path is not None
    assert rejects.path.parent == tmp_path / "state"


def test_a_pattern_gives_files_and_no_folders(tmp_path: Path) -> None:
    (tmp_path / "a" / "b.csv").mkdir(parents=True)
    (tmp_path / "a" / "c.csv").touch()
    assert matching(f"{tmp_path}/**/*.csv", lambda: 60) == [tmp_path / "a" / "c.csv"]
    assert matching(f"{tmp_path}/*.json", lambda: 60) == []


@pytest.fixture
def hanging_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder that does not answer, as on a file server that is gone."""
    answered = threading.Event()

    def hang(*_: object, **__: object) -> Iterator[str]:
        answered.wait(30)
        yield from ()

    monkeypatch.setattr(glob, "iglob", hang)
    monkeypatch.setattr(files, "_LOOK_SECONDS", 0.01)
    yield
    answered.set()


@pytest.mark.usefixtures("hanging_disk")
def test_a_pattern_over_a_disk_that_does_not_answer_ends_in_time(tmp_path: Path) -> None:
    left = iter((0.02, 0.01, 0))
    with pytest.raises(TimeoutError):
        matching(f"{tmp_path}/*.csv", lambda: next(left))


@pytest.mark.usefixtures("hanging_disk")
def test_a_sync_ends_with_its_time_though_a_folder_does_not_answer(connected: Desk) -> None:
    connected.config('[lms]\nsource = "files"\n[lms.files]\nprogress = ["exports/*.csv"]\n')
    connected.clock.monotonic = iter(range(0, 10**6, 5)).__next__  # type: ignore[method-assign]
    ran = connected.run("sync", "--only", "lms", "--max-seconds", "30")
    assert ran.code == 75
    assert "exports/*.csv" in ran.err
