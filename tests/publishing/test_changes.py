"""What makes a page due, what does not, and as of when it then is (R35)."""

from datetime import UTC, datetime

import pytest

from credly_cli.times import utc_text
from tests.learners.school import AGAIN, BADGE, ROBIN
from tests.publishing.site import URL, Site

KIM = "kim@example.org"


def now(site: Site) -> str:
    return utc_text(site.school.desk.clock.now())


@pytest.mark.further
def test_r35_what_did_not_change_is_not_written(site: Site) -> None:
    site.publish()
    before = {path: path.stat().st_mtime_ns for path in site.folder.iterdir()}
    site.school.desk.pass_time(days=1)
    site.school.desk.json("sync")
    site.school.has()
    assert site.changes() == (2, 0, 0)
    assert {path: path.stat().st_mtime_ns for path in site.folder.iterdir()} == before


def test_r35_only_the_page_of_who_changed_is_written_as_of_then(site: Site) -> None:
    site.publish()
    kims = site.as_of(KIM)
    site.school.desk.pass_time(days=1)
    changed = now(site)
    site.school.enrolls("aid", progress="40")
    site.school.desk.pass_time(days=1)
    assert site.changes() == (2, 1, 0)
    assert (site.as_of(), site.as_of(KIM)) == (changed, kims)


def test_r35_a_page_written_for_its_look_alone_keeps_as_of_when_it_is(site: Site) -> None:
    site.publish()
    before = site.as_of()
    site.school.desk.pass_time(days=1)
    site.school.desk.config('[publish]\ntitle = "Our badges"\n')
    assert site.changes() == (2, 2, 0)
    assert "Our badges" in site.page()
    assert site.as_of() == before


@pytest.mark.further
def test_r35_a_badge_that_expires_makes_its_page_due_as_of_that_moment(site: Site) -> None:
    expires = "2026-03-05T12:00:00Z"
    site.school.desk.sandbox.issue_in_credly(
        site.school.desk.badge_id(AGAIN), ROBIN, "Robin", "Lark", expires_at=expires
    )
    site.school.desk.json("sync")
    site.publish()
    site.school.desk.clock.time = datetime(2026, 3, 5, 11, 59, tzinfo=UTC)
    assert site.changes() == (2, 0, 0)
    site.school.desk.clock.time = datetime(2026, 3, 7, tzinfo=UTC)
    assert site.changes() == (2, 1, 0)
    assert site.as_of() == expires
    assert site.changes() == (2, 0, 0)


@pytest.mark.further
def test_r35_content_that_is_released_makes_pages_due_as_of_that_moment(site: Site) -> None:
    site.school.teaches("talk", "A talk", AGAIN, released_at="2026-03-05T12:00:00Z")
    site.publish()
    assert AGAIN not in site.page()
    site.school.desk.clock.time = datetime(2026, 3, 7, tzinfo=UTC)
    assert site.changes() == (2, 2, 0)
    assert AGAIN in site.page()
    assert site.as_of() == "2026-03-05T12:00:00Z"
    assert site.changes() == (2, 0, 0)


@pytest.mark.further
def test_r35_a_badge_that_is_revoked_leaves_its_page(site: Site) -> None:
    site.school.completes("aid")
    site.school.desk.json("sync")
    site.publish()
    (badge,) = site.school.desk.issued()
    site.school.desk.sandbox.revoke(badge.id)
    site.school.desk.pass_time(days=1)
    site.school.desk.json("sync")
    assert site.changes() == (2, 1, 0)
    assert BADGE not in site.page()


@pytest.mark.further
def test_r35_a_link_that_is_made_shows_on_every_page(site: Site) -> None:
    site.school.teaches("talk", "A talk")
    site.publish()
    site.school.desk.json("link", AGAIN, "talk")
    assert site.changes() == (2, 2, 0)
    site.school.desk.json("unlink", AGAIN)
    assert site.changes() == (2, 2, 0)


@pytest.mark.further
def test_r35_expired_badges_that_are_hidden_leave_their_pages(site: Site) -> None:
    template = site.school.desk.badge_id(AGAIN)
    soon = "2026-03-03T00:00:00Z"
    site.school.desk.sandbox.issue_in_credly(template, ROBIN, "Robin", "Lark", expires_at=soon)
    site.school.desk.json("sync")
    site.school.desk.pass_time(days=3)
    site.publish()
    assert AGAIN in site.page()
    site.school.desk.config("hide_expired_badges = true\n")
    site.publish()
    assert AGAIN not in site.page()


@pytest.mark.further
def test_r35_a_change_that_no_page_shows_writes_none(site: Site) -> None:
    site.publish()
    site.school.teaches("other", "Not linked to anything")
    site.school.enrolls("other", progress="10")
    assert site.changes() == (2, 0, 0)


def test_r35_who_is_new_gets_a_page(site: Site) -> None:
    site.publish()
    site.school.has("new@example.org")
    assert site.changes() == (3, 1, 0)


def test_r35_a_new_address_changes_the_manifest_and_no_page(site: Site) -> None:
    site.publish()
    site.school.has("kim@new.example", first_name="Kim", last_name="Wren", learner_id="17")
    assert site.changes() == (2, 0, 0)
    assert "kim@new.example" in site.lines()
    assert KIM not in site.lines()


def test_r35_another_folder_says_the_same_as_of_the_same_moments(site: Site) -> None:
    site.school.enrolls("aid", progress="40")
    site.publish()
    other = site.folder.with_name("other")
    site.school.desk.pass_time(days=3)
    site.publish(folder=other)
    for path in site.folder.iterdir():
        assert (other / path.name).read_bytes() == path.read_bytes()


@pytest.mark.further
def test_r35_a_store_that_was_restored_is_published_as_it_is(site: Site) -> None:
    desk = site.school.desk
    site.school.enrolls("aid", progress="10")
    site.publish()
    with desk.store() as store:
        store.wipe()
    copy = (desk.home / "credly.db").read_bytes()
    site.school.enrolls("aid", progress="90")
    desk.json("sync")
    site.publish()
    assert "90" in site.page()
    for path in desk.home.glob("credly.db-*"):
        path.unlink()
    (desk.home / "credly.db").write_bytes(copy)
    site.school.enrolls("aid", "kim@example.org", progress="50")
    desk.run("sync")
    site.publish()
    assert "10%" in site.page()


@pytest.mark.parametrize("option", ["--fragment"])
def test_r35_fragments_have_a_style_sheet_beside_which_goes_with_them(site: Site, option: str) -> None:
    assert site.changes(option) == (2, 2, 0)
    assert "<html" not in site.page()
    assert (site.folder / "credly-badges.css").is_file()
    assert site.changes() == (2, 2, 0)
    assert not (site.folder / "credly-badges.css").exists()


@pytest.mark.further
def test_r35_logo_and_style_lie_beside_the_pages(site: Site) -> None:
    desk = site.school.desk
    desk.file("logo.png", "an image")
    desk.file("own.css", ".credly-card { color: teal }")
    desk.config('[publish]\nlogo = "logo.png"\nstyle = "own.css"\n')
    site.publish()
    assert (site.folder / "credly-logo.png").read_text() == "an image"
    assert "teal" in (site.folder / "credly-badges.css").read_text()
    assert "credly-logo.png" in site.page()
    desk.file("own.css", ".credly-card { color: navy }")
    assert site.changes() == (2, 2, 0)
    assert "navy" in (site.folder / "credly-badges.css").read_text()
    assert site.publish("--remove")["removed"] == 2
    assert list(site.folder.iterdir()) == []


def test_r35_a_fragment_finds_its_logo_wherever_it_is_read(site: Site) -> None:
    """A page is read beside its logo; a fragment in a page of the site, at another address."""
    site.school.desk.file("logo.png", "an image")
    site.school.desk.config(f'[publish]\nlogo = "logo.png"\nurl = "{URL}"\n')
    site.publish()
    assert 'src="credly-logo.png"' in site.page()
    site.publish("--fragment")
    assert f'src="{URL}/credly-logo.png"' in site.page()
    site.publish("--fragment", "--url", "https://pieces.example/")
    assert 'src="https://pieces.example/credly-logo.png"' in site.page()
    assert site.changes("--fragment", "--url", "https://pieces.example/") == (2, 0, 0)


@pytest.mark.parametrize("line", ['logo = "none.png"', 'style = "none.css"', 'logo = "config.toml"'])
def test_a_logo_or_style_that_cannot_be_used_is_said(site: Site, line: str) -> None:
    site.school.desk.config(f"[publish]\n{line}\n")
    assert site.publish(code=78)["error"]["code"] == "config-invalid"
