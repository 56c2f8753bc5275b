"""`sync -q` for cron: nothing when all went well, one line on standard error otherwise."""

import fcntl
from collections.abc import Callable

import pytest

from tests.support import faults
from tests.support.desk import Desk, completes
from tests.support.installed import run_installed


def one_line(text: str) -> bool:
    return text.startswith("credly sync: ") and text.endswith("\n") and text.count("\n") == 1 and len(text) > 30


def test_success_is_silent(connected: Desk) -> None:
    completes(connected)
    ran = connected.run("sync", "-q")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_success_is_silent_although_the_token_expires_soon(connected: Desk) -> None:
    connected.pass_time(days=170)
    ran = connected.run("sync", "-q")
    assert (ran.out, ran.err) == ("", "") if ran.code == 0 else one_line(ran.err)


def test_sync_warns_two_weeks_before_the_token_expires(connected: Desk) -> None:
    connected.pass_time(days=173)
    assert "expires in 7 days (2026-08-29)" in connected.run("sync").err


def _held(desk: Desk) -> None:
    completes(desk, names=",")


def _down(desk: Desk) -> None:
    desk.sandbox.faults.add(faults.answers(503), times=None)


def _unreachable(desk: Desk) -> None:
    desk.sandbox.faults.add(faults.unreachable(), times=None)


def _refused(desk: Desk) -> None:
    desk.sandbox.rotate_token()


def _shrunk(desk: Desk) -> None:
    desk.sandbox.templates.clear()


def _no_token_file(desk: Desk) -> None:
    (desk.home / "token").unlink()


def _bad_config(desk: Desk) -> None:
    desk.config("timezone = 'Mars'")


def _no_toml(desk: Desk) -> None:
    desk.config("this is = not = toml\nat all")


def _switched_off(desk: Desk) -> None:
    desk.config("enabled = false")


def _disconnected(desk: Desk) -> None:
    desk.json("disconnect", "--yes")


def _corrupt(desk: Desk) -> None:
    (desk.home / "credly.db").write_bytes(b"no database at all" * 100)


def _newer(desk: Desk) -> None:
    with desk.store() as store:
        store.connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (_held, 3), (_shrunk, 3), (_down, 75), (_unreachable, 75), (_refused, 4), (_no_token_file, 4),
        (_disconnected, 4), (_bad_config, 78), (_no_toml, 78), (_switched_off, 6), (_corrupt, 74), (_newer, 74),
    ],
)  # fmt: skip
def test_every_failure_is_one_line(connected: Desk, trouble: Callable[[Desk], None], code: int) -> None:
    trouble(connected)
    ran = connected.run("sync", "-q")
    assert ran.code == code, ran
    assert ran.out == ""
    assert one_line(ran.err), ran.err


def test_a_lock_held_by_another_run_is_one_line(connected: Desk) -> None:
    with (connected.home / "credly.db.lock").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        ran = connected.run("sync", "-q", "--lock-wait", "0")
    assert ran.code == 75
    assert one_line(ran.err)


@pytest.mark.parametrize("arguments", [["--only", "everything"], ["--no-such-option"], ["--max-seconds", "soon"]])
def test_wrong_usage_is_one_line(connected: Desk, arguments: list[str]) -> None:
    ran = connected.run("sync", "-q", *arguments)
    assert ran.code == 2
    assert one_line(ran.err), ran.err


@pytest.mark.slow
def test_the_installed_program_says_one_line_before_connecting(desk: Desk) -> None:
    ran = run_installed(desk.home, "-q", "sync")
    assert ran.returncode == 4
    assert ran.stdout == ""
    assert one_line(ran.stderr)


@pytest.mark.parametrize(
    ("trouble", "way_out"),
    [
        (_disconnected, "To connect again: credly connect\n"),
        (_shrunk, " If that is right: credly sync --allow-shrink\n"),
        (_unreachable, "Check the network, then try again.\n"), (_switched_off, "config.toml.\n"),
    ],
)  # fmt: skip
def test_the_line_ends_with_the_way_out(connected: Desk, trouble: Callable[[Desk], None], way_out: str) -> None:
    trouble(connected)
    ran = connected.run("sync", "-q")
    assert ran.err.endswith(way_out)
    assert "Next: credly status" not in ran.err


def test_the_way_out_of_a_missing_key_of_the_lms_is_its_own(connected: Desk) -> None:
    connected.config('[lms]\nsource = "thought-industries"\n[lms.thought_industries]\nhost = "learn.example.com"\n')
    assert "CREDLY_LMS_TOKEN" in connected.run("sync", "-q").err


def test_other_commands_have_one_line_too(desk: Desk) -> None:
    ran = desk.run("connect", "-q")
    assert ran.code == 2
    assert ran.err.startswith("Error: There is no token")
    assert "--token-file" in ran.err
    assert ran.err.count("\n") == 1


def test_a_warning_is_in_the_answer_for_scripts_too(connected: Desk) -> None:
    assert connected.json("sync")["warnings"] == []
    connected.pass_time(days=173)
    (warning,) = connected.json("sync", code=3)["warnings"]
    assert "expires in 7 days (2026-08-29)" in warning
