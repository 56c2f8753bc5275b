"""Nothing but our own files in the folder is touched, whatever lies there (R35)."""

import errno
import os
import stat
from pathlib import Path

import pytest

from credly_cli.publishing import folder as pages_folder
from credly_cli.store.lock import locked
from tests.learners.school import ROBIN
from tests.publishing.site import Site

KIM = "kim@example.org"


def kept(site: Site, name: str, text: str = "somebody else's") -> None:
    site.folder.mkdir(exist_ok=True)
    (site.folder / name).write_text(text)


@pytest.mark.further
def test_r35_what_others_put_there_stays(site: Site) -> None:
    for name in ("index.html", f"{'a' * 32}.html", ".htaccess", "credly-logo.png"):
        kept(site, name)
    (site.folder / "sub").mkdir()
    site.publish()
    site.school.desk.json("forget", KIM, "--yes")
    site.publish("--rotate")
    site.publish("--remove")
    names = sorted(path.name for path in site.folder.iterdir())
    assert names == [".htaccess", f"{'a' * 32}.html", "credly-logo.png", "index.html", "sub"]


@pytest.mark.further
def test_r35_a_file_of_somebody_else_with_the_name_of_a_page_stays_and_is_said(site: Site) -> None:
    site.publish()
    name = site.path().name
    other = site.folder.with_name("other")
    other.mkdir()
    (other / name).write_text("somebody else's")
    for _ in range(2):
        error = site.publish(folder=other, code=6)["error"]
        assert error["code"] == "file-exists"
        assert name in error["message"]
        assert (other / name).read_text() == "somebody else's"
        assert len(site.pages(other)) == 2  # the other learner's was written
    (other / name).unlink()
    assert site.publish(folder=other)["pages"] == 2
    assert "Robin" in (other / name).read_text()


@pytest.mark.further
@pytest.mark.parametrize("kind", ["link", "folder", "dangling"])
def test_r35_what_is_no_file_is_not_followed_or_removed(site: Site, kind: str) -> None:
    site.publish()
    path, target = site.path(), site.folder.with_name("target.html")
    path.unlink()
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(target)
        if kind == "link":
            target.write_text("somebody else's")
    site.school.enrolls("aid", progress="40")
    assert site.publish(code=6)["error"]["code"] == "file-exists"
    assert target.exists() == (kind == "link")
    assert not target.exists() or target.read_text() == "somebody else's"
    site.publish("--remove")
    assert [entry.name for entry in site.folder.iterdir()] == [path.name]


def test_r35_a_pipe_in_the_place_of_the_style_sheet_stays_and_holds_nobody_up(site: Site) -> None:
    site.folder.mkdir()
    pipe = site.folder / "credly-badges.css"
    os.mkfifo(pipe)
    assert site.publish("--fragment", code=6)["error"]["code"] == "file-exists"
    assert (stat.S_ISFIFO(pipe.stat().st_mode), len(site.pages())) == (True, 2)


def test_r35_the_folder_may_be_a_link_of_ours(site: Site) -> None:
    real = site.folder.with_name("real")
    real.mkdir()
    site.folder.symlink_to(real)
    assert site.changes() == (2, 2, 0)
    assert site.folder.is_symlink()
    assert len(site.pages(real)) == 2
    assert site.publish(folder=real)["written"] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes links of others")
def test_r35_a_link_of_somebody_else_is_not_followed(site: Site) -> None:
    real = site.folder.with_name("real")
    real.mkdir()
    site.folder.symlink_to(real)
    os.chown(site.folder, 12345, 12345, follow_symlinks=False)
    assert site.publish(code=74)["error"]["code"] == "not-writable"
    assert list(real.iterdir()) == []


@pytest.mark.further
@pytest.mark.parametrize(
    "line", ["index.html", "../index.html", "/etc/passwd", "sub/index.html", "0123456789abcdef", "\x00", "é"]
)
def test_r35_a_list_that_was_edited_removes_nothing_of_others(site: Site, line: str) -> None:
    site.publish()
    kept(site, "index.html")
    kept(site.__class__(site.school), f"{'b' * 32}.html")
    outside = site.folder.with_name("index.html")
    outside.write_text("outside")
    listed = site.folder / ".credly-pages"
    listed.write_bytes(listed.read_bytes() + f"{line}\n{'b' * 32}.html\n".encode())
    site.school.desk.json("forget", KIM, "--yes")
    site.publish()
    assert site.publish("--remove")["removed"] == 1
    assert outside.exists()
    assert sorted(path.name for path in site.folder.iterdir()) == [f"{'b' * 32}.html", "index.html"]


@pytest.mark.further
def test_r35_a_list_that_is_gone_or_cut_off_is_made_again(site: Site) -> None:
    site.publish()
    listed = site.folder / ".credly-pages"
    whole = listed.read_bytes()
    listed.write_bytes(whole[:-20])
    assert site.changes() == (2, 0, 0)
    assert listed.read_bytes() == whole
    listed.unlink()
    assert site.changes() == (2, 0, 0)
    assert listed.read_bytes() == whole


@pytest.mark.parametrize("text", ["", "notes of somebody\n", "Pages of credly publish\n"])
def test_r35_a_file_in_the_place_of_the_list_that_is_none_is_not_touched(site: Site, text: str) -> None:
    kept(site, ".credly-pages", text or "\n")
    assert site.publish(code=6)["error"]["code"] == "file-exists"
    assert site.publish("--remove", code=6)["error"]["code"] == "file-exists"
    assert [path.name for path in site.folder.iterdir()] == [".credly-pages"]


def test_r35_the_list_does_not_tell_the_names_and_is_private(site: Site) -> None:
    site.publish()
    listed = site.folder / ".credly-pages"
    assert stat.S_IMODE(listed.stat().st_mode) == 0o600
    assert not any(path.stem in listed.read_text() for path in site.pages())


@pytest.mark.further
def test_r35_pages_of_another_profile_are_not_mixed_with_ours(site: Site) -> None:
    site.publish()
    (site.school.desk.home / "pages.key").unlink()
    (site.school.desk.home / "pages.db").unlink()
    error = site.publish(code=6)["error"]
    assert (error["code"], "--remove" in error["hint"]) == ("file-exists", True)
    site.publish("--remove")
    assert site.changes() == (2, 2, 0)


@pytest.mark.further
def test_r35_a_page_that_somebody_removed_or_emptied_comes_back(site: Site) -> None:
    site.publish()
    site.path().unlink()
    assert site.changes() == (2, 1, 0)
    site.path(KIM).unlink()
    site.path(KIM).touch()
    assert site.changes() == (2, 1, 0)


@pytest.mark.further
def test_r35_a_page_that_the_machine_lost_comes_back_once_it_runs_again(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page may be noted, and the folder have its time, while what is in the page did not reach the disk."""
    start = tmp_path / "boot_id"
    start.write_text("one\n")
    monkeypatch.setattr(pages_folder, "_BOOT", start)
    site.publish()
    site.path().write_text("")
    assert site.changes() == (2, 0, 0)
    start.write_text("two\n")
    assert site.changes() == (2, 1, 0)
    assert site.path().stat().st_size
    site.path().write_text("")
    start.unlink()
    assert site.changes() == (2, 1, 0)


def test_r35_a_folder_that_is_gone_is_published_anew(site: Site) -> None:
    site.publish()
    for path in site.folder.iterdir():
        path.unlink()
    site.folder.rmdir()
    assert site.changes() == (2, 2, 0)


@pytest.mark.further
def test_r35_a_page_keeps_the_mode_that_somebody_gave_it_and_a_new_one_that_of_the_umask(site: Site) -> None:
    before = os.umask(0o022)
    try:
        site.publish()
        assert stat.S_IMODE(site.path().stat().st_mode) == 0o644
        site.path().chmod(0o640)
        site.school.enrolls("aid", progress="40")
        site.publish()
    finally:
        os.umask(before)
    assert stat.S_IMODE(site.path(ROBIN).stat().st_mode) == 0o640


def test_r35_the_home_is_not_published(site: Site) -> None:
    for folder in (site.school.desk.home, site.school.desk.home.parent):
        assert site.publish(folder=folder, code=2)["error"]["code"] == "usage"


def test_r35_what_is_no_folder_is_said(site: Site) -> None:
    site.folder.write_text("a file")
    assert site.publish(code=74)["error"]["code"] == "not-writable"


@pytest.mark.further
def test_r35_two_do_not_publish_at_once_and_a_sync_is_not_waited_for(site: Site) -> None:
    desk = site.school.desk
    with locked(desk.home / "pages.lock", 0, desk.clock):
        assert site.publish("--lock-wait", "0", code=75)["error"]["code"] == "locked"
        assert desk.json("sync")["status"] == "success"
    with locked(desk.home / "credly.db.lock", 0, desk.clock):
        assert site.changes() == (2, 2, 0)
        with desk.store() as store, store.transaction():
            store.change("UPDATE runs SET good = good")
            assert site.changes() == (2, 0, 0)


def test_r35_what_a_run_that_was_stopped_left_is_removed(site: Site) -> None:
    site.publish()
    publisher = (site.folder / ".credly-pages").read_text().split()[4]
    kept(site, f".credly-{publisher}.new")
    kept(site, ".credly-other.new")
    site.publish()
    assert sorted(path.name for path in site.folder.glob(".*")) == [".credly-other.new", ".credly-pages"]


def test_r35_what_a_run_that_broke_off_wrote_is_ours(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is in the list before the page is there."""
    write = pages_folder.Folder.write

    def write_and_break_off(folder: pages_folder.Folder, name: str, data: bytes) -> None:
        write(folder, name, data)
        if name.endswith(".html"):
            raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as broken:
        broken.setattr(pages_folder.Folder, "write", write_and_break_off)
        site.publish(code=74)
    assert len(site.pages()) == 1
    assert site.publish()["pages"] == len(site.pages()) == 2
