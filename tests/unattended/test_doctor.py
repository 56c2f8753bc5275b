"""`credly doctor`: every question answered, each failure with the way out and its exit code."""

import errno
import fcntl
import os
import sqlite3
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from credly_cli.admin import machine_checks
from tests.support import faults
from tests.support.desk import Desk, completes
from tests.support.thought_industries import KEY, Site, StandIn

NAMES = [
    "connection", "token", "expiry", "api", "clock", "permissions", "file-system", "room", "sqlite", "store", "lock",
    "lms", "learner-ids", "last-sync", "waiting",
]  # fmt: skip


def failing(desk: Desk, code: int) -> dict[str, dict[str, str]]:
    answer = desk.json("doctor", code=code)
    return {check["name"]: check for check in answer["checks"] if not check["ok"]}


def test_all_is_well_after_a_sync(connected: Desk) -> None:
    answer = connected.json("doctor")
    assert [check["name"] for check in answer["checks"]] == NAMES
    assert all(check["ok"] for check in answer["checks"]), answer


def test_doctor_changes_no_file(connected: Desk) -> None:
    before = {path.name: path.read_bytes() for path in connected.home.iterdir()}
    connected.json("doctor")
    after = {path.name: path.read_bytes() for path in connected.home.iterdir()}
    assert {name: after[name] for name in before if not name.endswith("shm")} == {
        name: data for name, data in before.items() if not name.endswith("shm")
    }


def test_before_connecting_it_says_how_to_connect(desk: Desk) -> None:
    failures = failing(desk, 4)
    assert list(failures) == ["connection", "token", "expiry", "api", "clock"]
    assert failures["token"]["hint"] == "Run: credly connect"
    assert not list(desk.home.iterdir())


def test_the_way_out_is_of_the_profile_that_the_option_names(connected: Desk) -> None:
    answer = connected.json("--profile", "other", "doctor", code=4)
    assert answer["checks"][0]["hint"] == "Run: credly --profile other connect"


def test_after_disconnecting_it_says_so(connected: Desk) -> None:
    connected.json("disconnect", "--yes")
    assert "disconnected" in failing(connected, 4)["connection"]["message"]


@pytest.mark.parametrize("fault", [faults.unreachable(), faults.answers(503), faults.answers_html()])
def test_it_works_while_credly_is_down(connected: Desk, fault: faults.Act) -> None:
    connected.sandbox.faults.add(fault, times=None)
    failures = failing(connected, 75)
    assert list(failures) == ["token", "api", "clock"]
    assert failures["token"]["hint"]


def test_a_refused_token_is_exit_4(connected: Desk) -> None:
    connected.sandbox.rotate_token()
    assert "credly connect" in failing(connected, 4)["token"]["hint"]


def test_a_refused_token_does_not_last_until_its_date(connected: Desk) -> None:
    connected.sandbox.rotate_token()
    assert "Credly refuses it already" in failing(connected, 4)["expiry"]["message"]


def test_quietly_it_says_what_failed_and_nothing_when_all_is_well(connected: Desk) -> None:
    ran = connected.run("doctor", "-q")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    connected.pass_time(days=8)
    ran = connected.run("doctor", "-q")
    assert (ran.code, ran.err) == (3, "")
    assert [line.split("\t")[:2] for line in ran.out.splitlines()] == [["last-sync", "FAILED"]]


def test_on_a_terminal_what_failed_is_red_and_the_way_out_has_a_column_when_there_is_one(connected: Desk) -> None:
    wide = {"COLUMNS": "200", "FORCE_COLOR": "1"}
    out = connected.run("doctor", terminal=True, environ=wide).out
    assert "\x1b[32mpassed" in out
    assert "What to do" not in out
    assert "2026-03-02T" not in out
    connected.pass_time(days=8)
    out = connected.run("doctor", terminal=True, environ=wide).out
    assert "\x1b[31mFAILED" in out
    assert "What to do" in out


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE])
def test_a_full_disk_is_no_damaged_store(connected: Desk, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def no_room(_: object) -> SimpleNamespace:
        return SimpleNamespace(total=100, used=100, free=0)

    def full(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = code
        raise error

    monkeypatch.setattr("shutil.disk_usage", no_room)
    monkeypatch.setattr("credly_cli.store.database.require_ours", full)
    failures = failing(connected, 74)
    assert failures["room"]["message"] == f"There is no room left on the disk of {connected.home} (0 MB free)."
    assert "is damaged" not in failures["store"]["message"]
    assert all("backup" not in (failure["hint"] or "") for failure in failures.values())
    error = connected.json("sync", code=74)["error"]
    assert "no room left" in error["message"]


def test_a_token_of_another_organization_is_refused(connected: Desk) -> None:
    with connected.store() as store:
        store.change("UPDATE connection SET organization_id = '0b0c1d2e-0000-4000-8000-000000000000'")
    assert "--profile" in failing(connected, 6)["token"]["hint"]


def test_a_token_that_ends_soon_needs_a_person(connected: Desk) -> None:
    connected.sandbox.tokens[0].expires_at = datetime.fromisoformat("2026-03-10T00:00:00Z")
    assert "expires in 7 days" in failing(connected, 3)["expiry"]["message"]


def test_a_clock_that_is_wrong_is_told(connected: Desk) -> None:
    connected.sandbox.faults.add(
        faults.answers(200, b'{"data":[],"metadata":{"total_count":0}}', Date="Mon, 02 Mar 2026 07:00:00 GMT"),
        "GET",
        "badge_templates",
    )
    assert "9,000 seconds" in failing(connected, 3)["clock"]["message"]


@pytest.mark.parametrize("trouble", ["null", "missing", "empty"])
def test_a_listing_without_its_count_is_told(connected: Desk, trouble: str) -> None:
    connected.sandbox.switches.list_metadata = trouble  # type: ignore[assignment]
    assert "api" in failing(connected, 75)


def listing(connected: Desk, body: str, **headers: str) -> None:
    connected.sandbox.faults.add(faults.answers(200, body.encode(), **headers), "GET", "badge_templates")


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ('{"total_count":80,"next_page_url":null}', "breaks off before its end"),
        ('{"total_count":0,"next_page_url":"https://credly.test/v1/x?page=2"}', "breaks off before its end"),
        ('{"total_count":"80"}', "does not say how many there are"),
        ("[]", "does not say how many there are"),
    ],
)
def test_paging_that_cannot_be_relied_on_is_told(connected: Desk, metadata: str, told: str) -> None:
    listing(connected, f'{{"data":[],"metadata":{metadata}}}')
    check = failing(connected, 75)["api"]
    assert told in check["message"]
    assert "Nothing is removed" in check["hint"]


def test_links_to_another_host_and_a_list_that_is_not_sorted_are_no_fault(connected: Desk) -> None:
    listing(connected, '{"data":[],"metadata":{"total_count":80,"next_page_url":"https://www.credly.com/api/v1/x"}}')
    assert failing(connected, 0) == {}
    connected.sandbox.faults.add(faults.answers(422), "GET", "sort=", times=None)
    assert failing(connected, 0) == {}


def test_a_list_that_cannot_be_had_is_told_beside_a_token_that_works(connected: Desk) -> None:
    connected.sandbox.faults.add(faults.answers(500), "GET", "badge_templates", times=None)
    assert list(failing(connected, 75)) == ["api"]


def test_a_refused_token_whose_end_is_not_known_is_told_once(connected: Desk) -> None:
    with connected.store() as store:
        store.change("UPDATE connection SET token_expires_at = NULL")
    connected.sandbox.rotate_token()
    assert list(failing(connected, 4)) == ["token", "api", "clock"]


def test_a_token_that_has_ended_is_exit_4_whatever_credly_still_takes(connected: Desk) -> None:
    connected.sandbox.switches.tokens_status = 403
    with connected.store() as store:
        store.change("UPDATE connection SET token_expires_at = '2026-03-01T00:00:00Z'")
    assert "has expired" in failing(connected, 4)["expiry"]["message"]


def test_a_lock_that_cannot_be_opened_or_taken_is_told(connected: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = connected.home / "credly.db.lock"
    lock.unlink()
    lock.symlink_to(connected.home / "config.toml")
    assert "cannot be opened" in failing(connected, 74)["lock"]["message"]
    lock.unlink()
    lock.touch(mode=0o600)

    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("credly_cli.admin.machine_checks.fcntl.flock", refused)
    assert "Locks do not work here: No locks available." in machine_checks.lock(lock).message


def permissions_of(desk: Desk) -> dict[str, Any]:
    answer = desk.json("doctor")
    checks: list[dict[str, Any]] = answer["checks"]
    return next(check for check in checks if check["name"] == "permissions")


@pytest.mark.parametrize(("mode", "words"), [(0o707, "everybody"), (0o777, "everybody"), (0o770, "its group")])
def test_a_home_that_others_may_write_to_is_warned_of(connected: Desk, mode: int, words: str) -> None:
    connected.home.chmod(mode)
    check = permissions_of(connected)
    assert (check["ok"], check["warning"], check["hint"]) == (True, True, f"Run: chmod 700 {connected.home}")
    assert words in check["message"]
    connected.home.chmod(0o755)
    assert permissions_of(connected)["warning"] is False


def test_a_configuration_that_others_may_write_is_warned_of(connected: Desk) -> None:
    connected.config('timezone = "UTC"')
    path = connected.home / "config.toml"
    path.chmod(0o664)
    check = permissions_of(connected)
    assert (check["ok"], check["warning"], check["hint"]) == (True, True, f"Run: chmod 600 {path}")
    assert "warning" in connected.run("doctor").out
    path.chmod(0o644)
    assert permissions_of(connected)["warning"] is False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_configuration_of_somebody_else_is_warned_of(connected: Desk) -> None:
    connected.config('timezone = "UTC"')
    os.chown(connected.home / "config.toml", 4242, 4242)
    assert "somebody else" in permissions_of(connected)["message"]


def test_a_file_of_somebody_else_is_told(connected: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credly_cli.admin.machine_checks.os.access", lambda *_: False)
    check = failing(connected, 74)["permissions"]
    assert ("This user may not write" in check["message"], "chown" in check["hint"]) == (True, True)


def test_a_system_that_does_not_tell_its_disks_is_no_fault(tmp_path: Path) -> None:
    check = machine_checks.file_system(tmp_path, tmp_path / "nothing")
    assert (check.ok, check.message) == (True, "This system does not tell; keep the store on a local disk.")


def test_a_damaged_store_is_exit_74_and_names_the_backup(connected: Desk) -> None:
    (connected.home / "credly.db").write_bytes(b"no database at all" * 500)
    assert "backup" in failing(connected, 74)["store"]["hint"]


def test_a_store_damaged_inside_is_found(connected: Desk) -> None:
    path = connected.home / "credly.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'learners_email'").fetchone()[0]
    connection.close()
    data = bytearray(path.read_bytes())
    data[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    path.write_bytes(data)
    assert "damaged" in failing(connected, 74)["store"]["message"]


def test_a_newer_store_is_told(connected: Desk) -> None:
    with connected.store() as store:
        store.connection.execute("PRAGMA user_version = 99")
    assert "newer" in failing(connected, 74)["store"]["hint"]


def test_a_lock_that_is_held_names_its_holder(connected: Desk) -> None:
    with (connected.home / "credly.db.lock").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        failures = failing(connected, 75)
    assert "process" in failures["lock"]["message"]


def test_files_that_others_may_read_are_told(connected: Desk) -> None:
    (connected.home / "token").chmod(0o644)
    assert failing(connected, 4)["permissions"]["hint"] == f"Run: chmod 600 {connected.home / 'token'}"


def test_an_old_sync_is_told(connected: Desk) -> None:
    connected.pass_time(days=8)
    assert "2026-03-02" in failing(connected, 3)["last-sync"]["message"]


def test_lms_files_must_match_something_readable(connected: Desk) -> None:
    connected.config('[lms]\nsource = "files"\n[lms.files]\nprogress = ["exports/*.csv"]\n')
    assert "exports/*.csv" in failing(connected, 3)["lms"]["message"]
    (connected.home / "exports").mkdir()
    connected.file("exports/today.csv", "email\n")
    connected.json("doctor")


def test_a_source_of_files_without_files_is_a_mistake_in_the_configuration(connected: Desk) -> None:
    connected.config('[lms]\nsource = "files"\n')
    assert "lms" in failing(connected, 78)
    (problem,) = connected.json("sync", code=78)["problems"]
    assert (problem["code"], "lms.files" in problem["message"]) == ("config-invalid", True)
    assert connected.run("config", "check").code == 78


def test_a_network_file_system_is_told(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/home {tmp_path.parent} nfs4 rw 0 0\n")
    assert not machine_checks.file_system(tmp_path / "mine", mounts).ok
    mounts.write_text(f"server:/ / nfs4 rw 0 0\n/dev/sdb1 {tmp_path} ext4 rw 0 0\n")
    assert machine_checks.file_system(tmp_path / "mine", mounts).ok


def test_an_old_sqlite_is_named_with_its_fault() -> None:
    assert "very rarely" in machine_checks.sqlite((3, 40, 1)).message
    assert machine_checks.sqlite((3, 51, 3)).message == "SQLite 3.51.3."


def test_a_pipe_gets_one_line_a_check(connected: Desk) -> None:
    out = connected.run("doctor").out
    assert out.count("\n") == len(NAMES)
    assert out.startswith("connection\tpassed\t")


def test_the_token_is_nowhere_in_the_answer(connected: Desk) -> None:
    ran = connected.run("doctor", "-vv", "--json")
    assert connected.sandbox.token not in ran.out + ran.err


def test_thought_industries_needs_its_host_and_its_key(connected: Desk) -> None:
    connected.config('[lms]\nsource = "thought-industries"\n')
    assert "host" in failing(connected, 78)["lms"]["message"]
    named = '[lms]\nsource = "thought-industries"\n[lms.thought_industries]\nhost = "learn.example.com"\n'
    connected.config(named)
    assert "CREDLY_LMS_TOKEN" in failing(connected, 4)["lms"]["hint"]
    connected.config(f'{named}token_file = "key"\n')
    assert "key" in failing(connected, 4)["lms"]["message"]
    (connected.home / "key").touch(mode=0o600)
    assert "no token" in failing(connected, 4)["lms"]["message"]


@pytest.mark.parametrize(("key", "code"), [(KEY, 0), ("another", 4)])
def test_thought_industries_is_asked_whether_it_takes_the_key(connected: Desk, key: str, code: int) -> None:
    with StandIn(Site()) as server:
        connected.config(f'[lms]\nsource = "thought-industries"\n[lms.thought_industries]\nhost = "{server.url}"\n')
        connected.environ["CREDLY_LMS_TOKEN"] = key
        answer = connected.json("doctor", code=code)
    (check,) = (check for check in answer["checks"] if check["name"] == "lms")
    assert check["ok"] is (code == 0)
    assert key not in check["message"]


def test_ids_that_are_placeholders_are_named_with_the_grants_that_rest_on_them(connected: Desk) -> None:
    """R25: people of an older store who were made one by such an id."""
    with connected.store() as store, store.transaction():
        for number, learner_id in enumerate(("N/A", "000", "1,00E+11", "1001", "ann", "7e5b"), 1):
            store.change(
                "INSERT INTO learners (email, email_key, learner_id) VALUES (:email, :email, :id)",
                {"email": f"p{number}@x.org", "id": learner_id},
            )
    check = failing(connected, 3)["learner-ids"]
    for named in ("'N/A' (p1@x.org)", "'000' (p2@x.org)", "'1,00E+11' (p3@x.org)", "0 grants", "0 badges"):
        assert named in check["message"]
    assert "p4@x.org" not in check["message"]


def test_r33_doctor_says_what_waits_for_a_person_and_the_way_out(connected: Desk) -> None:
    assert _waiting_check(connected)["ok"]
    completes(connected, names=",")
    connected.json("sync", code=3)
    check = _waiting_check(connected, code=3)
    assert (check["ok"], check["message"]) == (False, "Grant 1 is held.")
    assert connected.run("doctor", "-q").out.startswith("waiting\tFAILED\tGrant 1 is held.\tcredly grants --state held")
    connected.sandbox.archive_template(connected.badge_id("First Aid at Work"))
    connected.json("sync", code=3)
    check = _waiting_check(connected, code=3)
    assert "The link of First Aid at Work to First Aid Course ended" in check["message"]


def _waiting_check(desk: Desk, code: int = 0) -> Any:
    (found,) = [check for check in desk.json("doctor", code=code)["checks"] if check["name"] == "waiting"]
    return found
