"""`credly publish`: a page for every learner, from the store alone (R35)."""

import json
import re
import sqlite3
import stat
from contextlib import closing

import pytest

from tests.learners.school import AGAIN, BADGE, ROBIN
from tests.publishing.site import URL, Site
from tests.support import faults
from tests.support.desk import Desk

KIM = "kim@example.org"
PROMISE = "Badge on its way"


@pytest.mark.further
def test_r35_every_learner_gets_a_page_with_widget_and_badges(site: Site) -> None:
    site.school.completes("aid")
    site.school.desk.json("sync")
    answer = site.publish()
    assert answer == {
        "pages": 2, "written": 2, "unchanged": 0, "removed": 0, "manifest": str(site.school.desk.home / "pages.csv"),
        "dry_run": False,
    }  # fmt: skip
    assert len(site.pages()) == 2
    assert BADGE in site.page()
    assert "Robin Lark" in site.page()


@pytest.mark.further
def test_r35_no_page_promises_a_badge_that_credly_does_not_let_us_issue(site: Site) -> None:
    """R30, R33: the page is written anew when that shows, and again when it is over."""
    desk = site.school.desk
    site.school.teaches("web", "Webinar", AGAIN)
    site.school.completes("web")
    desk.json("sync")
    site.school.completes("aid")
    desk.sandbox.faults.add(faults.unreachable(), "POST")
    desk.json("sync", code=75)
    site.publish()
    assert PROMISE in site.page()
    desk.sandbox.switches.withdrawn_templates = frozenset({desk.badge_id(BADGE)})
    desk.pass_time(minutes=20)
    desk.json("sync", code=3)
    assert site.publish()["written"] > 0
    assert PROMISE not in site.page()
    desk.sandbox.switches.withdrawn_templates = frozenset()
    desk.json("sync")
    site.publish()
    assert PROMISE not in site.page()
    assert "accept" in site.page()


def test_r32_no_page_promises_what_the_brake_is_to_keep_back(site: Site) -> None:
    """R32, R35: before a run as after it; who gets it all the same is promised it again."""
    desk = site.school.desk
    desk.config("[grants]\nbrake = 1\n")
    site.publish()
    site.school.completes("aid")
    assert site.changes() == (2, 1, 0)
    assert PROMISE in site.page()
    site.school.completes("aid", KIM)
    promised_at = site.as_of()
    assert site.publish("--dry-run")["written"] == 2
    assert site.changes() == (2, 2, 0)
    assert PROMISE not in site.page() + site.page(KIM)
    assert site.as_of() == desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ") > promised_at
    assert site.changes() == (2, 0, 0)
    desk.json("sync", code=3)
    assert site.changes() == (2, 0, 0)
    other = site.folder.with_name("other")
    site.publish(folder=other)
    assert PROMISE not in "".join(path.read_text() for path in site.pages(other))


def test_r32_another_brake_changes_what_pages_promise(site: Site) -> None:
    """R32, R35."""
    site.school.completes("aid")
    site.school.completes("aid", KIM)
    site.publish()
    assert PROMISE in site.page()
    for brake, promised, written in ((1, False, 2), (1, False, 0), (2, True, 2), (3, True, 0)):
        site.school.desk.config(f"[grants]\nbrake = {brake}\n")
        site.school.desk.pass_time(minutes=1)
        assert site.changes() == (2, written, 0)
        assert (PROMISE in site.page()) == promised


def test_what_was_noted_before_pages_knew_of_the_brake_is_gone_on_with(site: Site) -> None:
    site.publish()
    noted = sqlite3.connect(site.school.desk.home / "pages.db")
    with closing(noted):
        noted.executescript(
            "ALTER TABLE folders DROP COLUMN brake; ALTER TABLE folders DROP COLUMN braked; DROP TABLE manifests;"
            " PRAGMA user_version = 1"
        )
    assert site.changes() == (2, 0, 0)


def test_r35_credly_is_not_asked(site: Site) -> None:
    site.school.desk.sandbox.log.clear()
    site.publish()
    assert not site.school.desk.sandbox.log.totals


def test_r35_pages_are_not_indexed_and_show_no_address(site: Site) -> None:
    site.school.has("nameless@example.org", first_name="", last_name="")
    site.school.has("named@example.org", first_name="named@example.org", last_name="Lark")
    site.school.has("sign@example.org", first_name="B@rbara", last_name="Lark")
    site.publish()
    pages = [path.read_text("utf-8") for path in site.pages()]
    assert all("noindex" in page and "@example.org" not in page for page in pages)
    assert any("B@rbara Lark" in page for page in pages)


@pytest.mark.further
def test_r35_names_cannot_be_guessed_and_outlive_a_change_of_address(site: Site) -> None:
    site.publish()
    assert all(re.fullmatch(r"[a-z2-7]{32}\.html", path.name) for path in site.pages())
    before = site.path(KIM)
    site.school.has("kim@new.example", first_name="Kim", last_name="Wren", learner_id="17")
    site.publish()
    assert site.path("kim@new.example") == before


def test_r35_two_profiles_name_their_pages_differently(site: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    site.publish()
    names = {path.name for path in site.pages()}
    (site.school.desk.home / "pages.key").unlink()
    (site.school.desk.home / "pages.db").unlink()
    elsewhere = tmp_path_factory.mktemp("other")
    site.publish(folder=elsewhere)
    assert names.isdisjoint({path.name for path in site.pages(elsewhere)})


def test_r35_the_manifest_tells_whose_page_is_which(site: Site) -> None:
    site.publish("--url", URL)
    lines = site.lines()
    assert list(lines[KIM]) == ["email", "learner_id", "url", "changed_at"]
    assert lines[KIM]["learner_id"] == "17"
    assert lines[ROBIN]["learner_id"] == ""
    assert {line["url"] for line in lines.values()} == {f"{URL}/{path.name}" for path in site.pages()}


def test_r35_the_manifest_has_nothing_that_a_terminal_obeys(site: Site) -> None:
    site.school.desk.imports("learners", "email,learner_id\nodd@example.com,id\u202e7\n")
    site.publish()
    assert site.lines()["odd@example.com"]["learner_id"] == "id\\u202e7"


def test_r35_without_an_address_the_manifest_has_file_names(site: Site) -> None:
    site.publish()
    assert {line["url"] for line in site.lines().values()} == {path.name for path in site.pages()}


def test_r35_the_address_may_stand_in_the_configuration_and_a_new_one_writes_no_page(site: Site) -> None:
    site.publish()
    site.school.desk.config(f'[publish]\nurl = "{URL}/"\n')
    assert site.changes() == (2, 0, 0)
    assert site.lines()[KIM]["url"] == f"{URL}/{site.path(KIM).name}"


def test_r35_the_manifest_is_private_and_may_be_elsewhere(site: Site) -> None:
    home = site.school.desk.home
    site.publish()
    assert stat.S_IMODE((home / "pages.csv").stat().st_mode) == 0o600
    assert stat.S_IMODE((home / "pages.key").stat().st_mode) == 0o600
    other = home.parent / "lms" / "whose.csv"
    assert site.publish("--manifest", str(other))["manifest"] == str(other)
    assert stat.S_IMODE(other.stat().st_mode) == 0o600
    assert site.lines(other) == site.lines()


def test_r35_the_draft_of_a_run_that_was_stopped_is_in_no_ones_way(site: Site) -> None:
    (site.school.desk.home / ".pages.csv.credly.new").write_text("email,lear")
    site.publish()
    assert len(site.lines()) == 2
    assert not list(site.school.desk.home.glob(".pages*"))


@pytest.mark.parametrize("path", ["/", "/dev"])
def test_a_manifest_that_is_a_folder_is_refused(site: Site, path: str) -> None:
    assert site.publish("--manifest", path, code=74)["error"]["code"] == "not-writable"


def test_r35_a_manifest_that_is_gone_is_written_again(site: Site) -> None:
    site.publish()
    (site.school.desk.home / "pages.csv").unlink()
    assert site.changes() == (2, 0, 0)
    assert len(site.lines()) == 2


def test_r35_a_manifest_that_another_folder_took_over_is_written_again(site: Site) -> None:
    site.publish("--url", URL)
    site.publish("--url", "https://elsewhere.example", folder=site.folder.with_name("other"))
    site.publish("--url", URL)
    assert all(line["url"].startswith(URL) for line in site.lines().values())


@pytest.mark.further
def test_r35_manifests_of_before_are_known_to_forget_and_remove_while_they_are_such(site: Site) -> None:
    old, own, home = (site.folder.with_name(f"{name}.csv") for name in ("old", "own", "home"))
    for path in (old, own, home):
        site.publish("--manifest", str(path))
    site.publish("--rotate")
    own.write_text(text := old.read_text().replace("url,changed_at", "page,since"))
    site.school.desk.json("forget", KIM, "--yes")
    assert list(site.lines(old)) == list(site.lines(home)) == list(site.lines()) == [ROBIN]
    assert own.read_text() == text
    name = site.school.desk.json("status")["organization"]["name"]
    site.publish("--remove")
    assert not any(path.exists() for path in (old, home, site.school.desk.home / "pages.csv"))
    assert own.read_text() == text
    site.publish("--manifest", str(old))
    site.publish()
    left = site.school.desk.json("disconnect", "--purge", "--confirm", name)["left"]
    assert left == [str(site.folder), str(old)]


@pytest.mark.further
def test_r35_rotate_makes_all_names_anew(site: Site) -> None:
    site.publish()
    before = {path.name for path in site.pages()}
    assert site.changes("--rotate") == (2, 2, 0)
    assert before.isdisjoint({path.name for path in site.pages()})
    assert site.changes() == (2, 0, 0)


@pytest.mark.further
def test_r35_after_a_rotation_another_folder_follows_at_its_next_run(site: Site) -> None:
    other = site.folder.with_name("other")
    site.publish()
    site.publish(folder=other)
    site.publish("--rotate")
    site.publish(folder=other)
    assert [path.name for path in site.pages(other)] == [path.name for path in site.pages()]


@pytest.mark.further
def test_r35_a_dry_run_says_what_it_would_do_and_does_nothing(site: Site) -> None:
    assert site.publish("--dry-run")["written"] == 2
    assert not site.folder.exists()
    assert not [path for path in site.school.desk.home.iterdir() if path.name.startswith("pages.")]
    site.publish()
    site.school.enrolls("aid", progress="40")
    before = {path: path.read_bytes() for path in site.folder.iterdir()}
    told = site.publish("--dry-run")
    assert (told["pages"], told["written"], told["unchanged"], told["removed"]) == (2, 1, 1, 0)
    assert {path: path.read_bytes() for path in site.folder.iterdir()} == before
    assert site.changes() == (2, 1, 0)


@pytest.mark.further
def test_r35_it_says_in_words_what_it_did(site: Site) -> None:
    ran = site.school.desk.run("publish", str(site.folder), "--dry-run")
    assert ran.out == f"{site.folder} would have 2 pages: 2 written, 0 unchanged, 0 removed. Nothing was done.\n"
    ran = site.school.desk.run("publish", str(site.folder))
    assert ran.out == f"{site.folder} has 2 pages: 2 written, 0 unchanged, 0 removed.\n"
    assert "pages.csv" in ran.err


def test_r35_before_connecting_and_after_disconnecting_it_is_not_connected(site: Site) -> None:
    site.publish()
    site.school.desk.json("disconnect", "--yes")
    environ = {"CREDLY_TOKEN": site.school.desk.sandbox.token}
    ran = site.school.desk.run("publish", str(site.folder), "--json", environ=environ)
    assert (ran.code, ran.json["error"]["code"]) == (4, "not-connected")
    assert len(site.pages()) == 2


def test_r35_before_the_first_connection_it_is_not_connected(desk: Desk) -> None:
    ran = desk.run("publish", str(desk.home.parent / "site"), "--json")
    assert (ran.code, ran.json["error"]["code"]) == (4, "not-connected")


@pytest.mark.parametrize("options", [("--rotate",), ("--url", URL), ("--fragment",), ("--manifest", "x.csv")])
def test_removing_goes_with_nothing_else(site: Site, options: tuple[str, ...]) -> None:
    assert site.publish("--remove", *options, code=2)["error"]["code"] == "usage"


@pytest.mark.parametrize("url", ["learn.example.org", "javascript:alert(1)", "https://a b"])
def test_an_address_that_is_none_is_refused(site: Site, url: str) -> None:
    assert site.publish("--url", url, code=2)["error"]["code"] == "usage"
    site.school.desk.config(f"[publish]\nurl = {json.dumps(url)}\n")
    assert site.publish(code=78)["error"]["code"] == "config-invalid"


def test_r35_remove_takes_all_away_also_after_disconnecting(site: Site) -> None:
    site.publish()
    (site.folder / "index.html").write_text("the site's own")
    site.school.desk.json("disconnect", "--yes")
    told = site.publish("--remove", "--dry-run")
    assert (told["removed"], told.pop("dry_run"), len(site.pages())) == (2, True, 3)  # with the site's own
    assert site.publish("--remove") == {**told, "dry_run": False}
    assert told == {"pages": 0, "written": 0, "unchanged": 0, "removed": 2, "manifest": None}
    assert [path.name for path in site.folder.iterdir()] == ["index.html"]
    assert not (site.school.desk.home / "pages.csv").exists()
    assert site.publish("--remove")["removed"] == 0


def test_r35_after_a_purge_pages_can_still_be_removed(site: Site) -> None:
    site.publish()
    name = site.school.desk.json("status")["organization"]["name"]
    answer = site.school.desk.json("disconnect", "--purge", "--confirm", name)
    assert str(site.folder) in answer["left"]
    assert not [path.name for path in site.school.desk.home.iterdir() if path.name.startswith("pages")]
    assert site.publish("--remove")["removed"] == 2
    assert list(site.folder.iterdir()) == []


def test_r35_disconnect_names_the_folders(site: Site) -> None:
    site.publish()
    ran = site.school.desk.run("disconnect", "--yes")
    assert f"credly publish {site.folder} --remove" in ran.err
    site.publish("--remove")
    assert site.school.desk.json("disconnect", "--yes")["left"] == []


@pytest.mark.further
def test_r35_forget_removes_the_page_and_the_line_in_each_folder(site: Site) -> None:
    other, manifest = site.folder.with_name("other"), site.folder.with_name("lms.csv")
    site.publish()
    site.publish("--manifest", str(manifest), "--url", URL, folder=other)
    path = site.path(KIM)
    answer = site.school.desk.json("forget", KIM, "--yes")
    assert (answer["pages"], answer["folders"]) == (2, sorted([str(site.folder), str(other)]))
    assert not path.exists()
    assert not (other / path.name).exists()
    assert list(site.lines()) == list(site.lines(manifest)) == [ROBIN]
    assert site.changes() == (1, 0, 0)


@pytest.mark.further
def test_r35_forget_says_where_the_page_could_not_be_removed_and_the_next_run_does(site: Site) -> None:
    site.publish()
    aside = site.folder.rename(site.folder.with_name("aside"))
    site.folder.symlink_to(aside)  # which is not the folder that was published to
    other = site.school.desk.json("forget", ROBIN, "--yes")
    assert (other["pages"], other["left"]) == (0, [str(site.folder)])
    ran = site.school.desk.run("forget", KIM, "--yes")
    assert f"The learner's page may be there until the next: credly publish {site.folder}" in ran.err
    assert "not among them" not in ran.out
    site.folder.unlink()
    aside.rename(site.folder)
    assert site.changes() == (0, 0, 2)


def test_a_note_of_what_was_published_that_is_broken_is_named_and_nobody_is_forgotten_in_part(site: Site) -> None:
    site.publish()
    desk, noted = site.school.desk, site.school.desk.home / "pages.db"
    noted.write_bytes(b"nonsense" * 1000)
    for arguments in (("publish", str(site.folder)), ("publish", str(site.folder), "--remove"), ("forget", KIM, "-y")):
        error = desk.json(*arguments, code=74)["error"]
        assert error["code"] == "store-unusable"
        assert error["message"].startswith(f"{noted} cannot be read")
    assert [row["email"] for row in desk.json("learners", "kim")] == [KIM]
    noted.unlink()
    assert site.changes() == (2, 2, 0)
    assert desk.json("forget", KIM, "--yes")["pages"] == 1


@pytest.mark.further
def test_r35_pages_of_who_was_merged_are_removed(site: Site) -> None:
    site.school.has("kim@home.example", first_name="Kim", last_name="Wren")
    assert site.changes() == (3, 3, 0)
    site.school.has("kim@home.example", first_name="Kim", last_name="Wren", learner_id="17")
    pages, written, removed = site.changes()
    assert (pages, removed) == (2, 1)
    assert written <= 1
    assert len(site.lines()) == 2
