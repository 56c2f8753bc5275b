"""Scenario A 13: a store that is older than what was sent, or new, asks Credly before it sends."""

import shutil
from pathlib import Path

import pytest

from tests.support import faults
from tests.support.world import REPEATABLE, World


@pytest.fixture(scope="module")
def granted_once(world_once: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world in which three learners have their badges, of which each test gets a copy."""
    world = world_once.copied_to(tmp_path_factory.mktemp("granted"))
    world.complete(1, 2, 3)
    assert world.sync().code == 0
    assert world.posts() == 9
    return world


@pytest.fixture
def granted(home: Path, granted_once: World) -> World:
    """A world in which three learners have their badges."""
    return granted_once.copied_to(home)


@pytest.fixture(scope="module")
def renewed_once(granted_once: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world whose store was lost while a fourth learner's badges were to be sent, and was set up again."""
    world = granted_once.copied_to(tmp_path_factory.mktemp("set-up-again"))
    world.complete(4)
    world.lose_store(with_lock=True)
    world.set_up_again()
    return world


@pytest.fixture
def renewed(home: Path, renewed_once: World) -> World:
    """A world whose store was lost while a fourth learner's badges were to be sent, and was set up again."""
    return renewed_once.copied_to(home)


def copy_store(world: World, to: Path) -> None:
    """Copy the store as a backup does, with all its files."""
    to.mkdir()
    for path in world.store_files():
        shutil.copy2(path, to / path.name)


def restore(world: World, copy: Path) -> None:
    """Put a copy in the place of the store."""
    world.lose_store(with_lock=False)
    for path in copy.iterdir():
        shutil.copy2(path, world.desk.home / path.name)


@pytest.mark.further
def test_an_older_copy_restored_sends_nothing_twice(granted: World, tmp_path: Path) -> None:
    granted.complete(4, 5)
    copy_store(granted, tmp_path / "copy")
    assert granted.sync().code == 0
    restore(granted, tmp_path / "copy")
    sent = granted.posts()
    granted.sync()
    granted.calm_down()
    assert granted.posts() == sent
    granted.check_earned()


@pytest.mark.further
def test_an_older_copy_sends_what_was_never_sent_after_settling_and_two_absences(
    granted: World, tmp_path: Path
) -> None:
    copy_store(granted, tmp_path / "copy")
    granted.complete(4)
    granted.sync()
    restore(granted, tmp_path / "copy")
    granted.complete(5, article=False)
    sent = granted.posts()
    for wait, expected in ((0, 75), (10, 75), (6, 75), (0.5, 75)):
        granted.desk.pass_time(minutes=wait)
        assert granted.sync().code == expected
        assert granted.posts() == sent, f"sent {wait} minutes later"
    granted.desk.pass_time(minutes=1)
    assert granted.sync().code == 0
    assert granted.posts() == sent + 2
    granted.check_none_doubled()


@pytest.mark.further
def test_what_was_planned_when_the_copy_was_made_is_looked_up_first(granted: World, tmp_path: Path) -> None:
    granted.complete(4)
    granted.desk.sandbox.faults.add(faults.unreachable(), "POST", times=None)
    granted.sync()
    granted.desk.sandbox.faults.clear()
    copy_store(granted, tmp_path / "copy")
    granted.desk.pass_time(hours=1)
    assert granted.sync().code == 0
    restore(granted, tmp_path / "copy")
    sent = granted.posts()
    assert granted.sync().code == 0
    assert granted.posts() == sent
    granted.check_all()


@pytest.mark.further
def test_what_was_uncertain_when_the_copy_was_made_settles_anew(granted: World, tmp_path: Path) -> None:
    """Its settling may have ended, and it may have been sent again, after the copy was made."""
    granted.complete(4, sessions=("first-aid-march",), article=False)
    granted.desk.sandbox.faults.add(faults.drops(), "POST")
    assert granted.sync().code == 75
    copy_store(granted, tmp_path / "copy")
    granted.desk.pass_time(minutes=16)
    granted.sync()
    granted.desk.pass_time(minutes=2)
    granted.desk.sandbox.faults.add(faults.applies_late(600), "POST")
    granted.sync()
    restore(granted, tmp_path / "copy")
    for _ in range(7):
        granted.desk.pass_time(minutes=2)
        granted.sync()
    granted.calm_down()
    granted.check_all()


def test_what_is_completed_after_the_restore_is_sent_at_once(granted: World, tmp_path: Path) -> None:
    copy_store(granted, tmp_path / "copy")
    granted.sync()
    restore(granted, tmp_path / "copy")
    granted.sync()
    granted.complete(6)
    assert granted.sync().code == 0
    granted.check_all()


@pytest.mark.further
@pytest.mark.parametrize("with_lock", [False, True], ids=["lock-kept", "lock-deleted-too"])
def test_a_deleted_store_issues_nothing_twice(granted: World, with_lock: bool) -> None:
    sent = granted.posts()
    granted.lose_store(with_lock=with_lock)
    granted.set_up_again()
    assert granted.sync().code == 0
    assert granted.posts() == sent
    granted.check_earned()


@pytest.mark.further
@pytest.mark.parametrize("with_lock", [False, True], ids=["lock-kept", "lock-deleted-too"])
def test_a_deleted_store_still_sends_what_was_never_sent(granted: World, with_lock: bool) -> None:
    granted.complete(4)
    granted.lose_store(with_lock=with_lock)
    granted.set_up_again()
    assert granted.sync().code == (0 if with_lock else 75)
    granted.calm_down()
    granted.check_earned()


@pytest.mark.further
def test_a_deleted_store_adopts_nothing_that_another_session_earned(world: World) -> None:
    """Both sessions were completed on one day, and only one of their badges was issued before the store was lost."""
    world.complete(1, sessions=("first-aid-april",), article=False)
    world.sync()
    world.complete(1, sessions=("first-aid-march",), article=False)
    world.lose_store(with_lock=True)
    world.set_up_again()
    assert world.sync().code == 0
    world.check_earned()


@pytest.mark.further
def test_a_deleted_store_does_not_issue_again_what_was_revoked(granted: World) -> None:
    for badge in granted.desk.issued():
        granted.desk.sandbox.revoke(badge.id)
    sent = granted.posts()
    granted.lose_store(with_lock=True)
    granted.set_up_again()
    assert granted.sync().code == 0
    assert granted.posts() == sent


@pytest.mark.further
def test_a_new_store_reads_the_whole_history_before_it_sends_for_older_completions(renewed: World) -> None:
    renewed.desk.sandbox.switches.search_page_size = 2
    assert renewed.sync().code == 0
    requests = [entry.target for entry in renewed.desk.sandbox.log.latest]
    searches = [number for number, target in enumerate(requests) if "high_volume_issued_badge_search" in target]
    first_post = next(number for number, target in enumerate(requests) if target.endswith("/badges"))
    assert len(searches) == 5
    assert max(searches) < first_post


@pytest.mark.sampled
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422, 500, 501])
def test_without_the_search_each_grant_is_looked_up(renewed: World, status: int) -> None:
    renewed.desk.sandbox.switches.search_status = status
    renewed.desk.sandbox.faults.add(faults.answers(500), "GET", r"/badges\?.*sort=created_at&page=1$", times=8)
    renewed.sync()
    renewed.calm_down()
    renewed.check_earned()


@pytest.mark.parametrize("status", [403, 404])
def test_without_the_search_a_complete_listing_saves_the_look_ups(renewed: World, status: int) -> None:
    """Three requests for each grant would be more than a rate limit lets through."""
    renewed.desk.sandbox.switches.search_status = status
    assert renewed.sync().code == 0
    assert not [entry for entry in renewed.desk.sandbox.log.latest if "issuer_earner_id" in entry.target]
    renewed.check_earned()


@pytest.mark.further
@pytest.mark.parametrize("status", [429, 502, 503])
def test_while_the_history_cannot_be_read_nothing_old_is_sent(renewed: World, status: int) -> None:
    renewed.desk.sandbox.switches.search_status = status
    sent = renewed.posts()
    ran = renewed.sync()
    reason = "rate-limited" if status == 429 else "server-error"
    assert (ran.code, [problem["code"] for problem in ran.json["problems"]]) == (75, [reason])
    renewed.complete(5)
    assert renewed.sync().code == 75
    assert renewed.posts() == sent + 3  # what was completed after this store was made is not held back
    renewed.desk.sandbox.switches.search_status = None
    renewed.calm_down()
    renewed.check_earned()


@pytest.mark.further
def test_a_search_that_breaks_off_is_no_history(renewed: World) -> None:
    renewed.desk.sandbox.switches.search_page_size = 2
    renewed.desk.sandbox.faults.add(faults.answers(502), "GET", "page_token", nth=3, times=None)
    sent = renewed.posts()
    assert renewed.sync().code == 75
    assert renewed.posts() == sent
    renewed.calm_down()
    renewed.check_earned()


def test_a_search_that_is_no_answer_is_no_history(renewed: World) -> None:
    renewed.desk.sandbox.faults.add(faults.answers_html(), "GET", "high_volume", times=None)
    sent = renewed.posts()
    assert renewed.sync().code == 75
    assert renewed.posts() == sent


@pytest.mark.sampled
@pytest.mark.parametrize(
    "body",
    [
        b'{"data": [], "metadata": {"next_page_url": "https://elsewhere.example/v1/x"}}',
        b'{"data": [], "metadata": null}',
        b'{"data": null, "metadata": {"next_page_url": null}}',
        b'{"data": [{"id": 1}], "metadata": {"next_page_url": null}}',
    ],
)
def test_where_a_search_cannot_be_followed_each_grant_is_looked_up(renewed: World, body: bytes) -> None:
    renewed.desk.sandbox.faults.add(faults.answers(200, body), "GET", "high_volume", times=None)
    assert renewed.sync().code == 0
    renewed.check_earned()


def test_what_a_restored_store_never_sent_is_not_held_for_a_person(world: World) -> None:
    """R18: `hold_uncertain` is about what was sent and has no answer."""
    world.desk.config("[grants]\nhold_uncertain = true\n")
    world.complete(1, sessions=())
    world.desk.sandbox.faults.add(faults.unreachable(), "POST")
    world.sync()
    (world.desk.home / "credly.db.lock").unlink()
    for _ in range(4):
        world.desk.pass_time(minutes=16)
        world.sync()
    assert world.states() == {"issued": 1}


@pytest.mark.further
def test_a_store_without_its_lock_file_counts_as_restored(granted: World) -> None:
    granted.complete(4)
    (granted.desk.home / "credly.db.lock").unlink()
    sent = granted.posts()
    assert granted.sync().code == 75
    assert granted.posts() == sent
    granted.calm_down()
    granted.check_all()


@pytest.mark.further
def test_a_store_copied_without_its_log_is_older_than_its_lock_file(granted: World, tmp_path: Path) -> None:
    """What a live copy of the main file alone amounts to: the log's commits are missing."""
    copy_store(granted, tmp_path / "copy")
    for extra in ("credly.db-wal", "credly.db-shm"):
        (tmp_path / "copy" / extra).unlink(missing_ok=True)
    granted.complete(4)
    granted.sync()
    restore(granted, tmp_path / "copy")
    granted.set_up_again()
    sent = granted.posts()
    granted.calm_down()
    assert granted.posts() == sent
    granted.check_earned()


def test_a_restored_learner_without_a_name_is_looked_up_once_the_name_is_known(world: World, tmp_path: Path) -> None:
    now = world.desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    world.desk.learns(f"learner1@example.org,first-aid,first-aid-march,completed,{now},,")
    world.completed.append((REPEATABLE, "learner1@example.org", "first-aid-march", now))
    assert world.sync().code == 3
    copy_store(world, tmp_path / "copy")
    names = "email,first_name,last_name\nlearner1@example.org,First1,Last1\n"
    world.desk.imports("learners", names)
    world.sync()
    restore(world, tmp_path / "copy")
    world.desk.imports("learners", names)
    sent = world.posts()
    world.sync()
    world.calm_down()
    assert world.posts() == sent == 1
    assert world.states() == {"issued": 1}


def test_the_number_of_the_run_is_in_the_lock_file_before_anything_is_claimed(world: World) -> None:
    world.complete(1)
    lock = world.desk.home / "credly.db.lock"
    before = int(lock.read_text().split("\n")[0])
    seen: list[int] = []

    def look(work: object, _stage: object) -> object:
        seen.append(int(lock.read_text().split("\n")[0]))
        return work()  # type: ignore[operator]

    world.desk.sandbox.faults.add(look, "POST", times=None)  # type: ignore[arg-type]
    world.sync()
    assert set(seen) == {before + 1}


def enrolled(world: World) -> str:
    """Enrol somebody, who completes nothing, and return the address."""
    now = world.desk.clock.now()
    world.desk.learns(f"ada@example.org,first-aid,first-aid-march,in progress,{now:%Y-%m-%dT%H:%M:%SZ},Ada,Lovelace")
    return "ada@example.org"


def test_nothing_is_granted_by_hand_while_a_restored_store_settles(granted: World, tmp_path: Path) -> None:
    email = enrolled(granted)
    copy_store(granted, tmp_path / "copy")
    granted.sync()
    granted.desk.sandbox.switches.list_lag = 60
    granted.desk.json("grant", email, REPEATABLE)
    restore(granted, tmp_path / "copy")
    told = granted.desk.json("grant", email, REPEATABLE, code=75)["error"]
    assert "restored" in told["message"]
    granted.desk.pass_time(minutes=16)
    granted.sync()
    assert granted.desk.json("grant", email, REPEATABLE, code=6)["error"]["code"] == "already-earned"
    assert len([badge for badge in granted.desk.issued(REPEATABLE) if badge.email == email]) == 1


def test_a_copy_from_before_a_grant_by_hand_is_noticed_by_the_next_run(granted: World, tmp_path: Path) -> None:
    email = enrolled(granted)
    copy_store(granted, tmp_path / "copy")
    granted.desk.json("grant", email, REPEATABLE)
    restore(granted, tmp_path / "copy")
    now = granted.desk.clock.now()
    granted.desk.learns(f"{email},first-aid,first-aid-march,completed,{now:%Y-%m-%dT%H:%M:%SZ},Ada,Lovelace")
    sent = granted.posts()
    assert granted.sync("--only", "grants").code == 0
    assert granted.posts() == sent
