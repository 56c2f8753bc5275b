"""Each error code has its exit code; each failure is a sentence with a way out, in both forms."""

import json
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import get_args

import pytest

from credly_cli.errors import EXIT_OF, ErrorCode, Failure
from tests.support import faults
from tests.support.desk import URL, Desk
from tests.support.installed import PROGRAM, run_installed, variables
from tests.support.processes import NEEDS_PROC, has_open, wait_until

FIRST_AID = "First Aid at Work"
TABLE = {
    1: "unexpected",
    2: "usage",
    3: "import-rejected shrink-refused brake link-ended cover-lost completion-denied grant-held grant-failed"
    " lms-file-refused lms-file-missing lms-stale credly-refused token-expiring",
    4: "not-connected token-refused token-forbidden lms-token-refused",
    5: "unknown-badge unknown-content unknown-learner unknown-grant ambiguous-badge ambiguous-content"
    " organization-ambiguous ambiguous-learner",
    6: "integration-disabled organization-mismatch badge-already-linked badge-not-linked badge-not-active not-enrolled"
    " already-earned missing-name not-completed grant-settled file-exists declined",
    74: "store-unusable store-newer not-writable",
    75: "locked store-settling rate-limited unreachable server-error",
    78: "config-invalid",
    130: "interrupted",
}


def test_the_codes_are_those_of_the_table_and_no_others() -> None:
    promised = {code: exit_code for exit_code, codes in TABLE.items() for code in codes.split()}
    assert set(get_args(ErrorCode)) == set(promised)
    assert {code: int(exit_code) for code, exit_code in EXIT_OF.items()} == promised
    assert all(Failure(code, "x").exit_code == promised[code] for code in EXIT_OF)


# Usage


WRONG = {
    "an unknown command": ("nonsense",),
    "an unknown option": ("badges", "--nonsense"),
    "a missing argument": ("link", FIRST_AID),
    "an argument too many": ("badges", "extra"),
    "an option without its value": ("link", "a", "b", "--since"),
    "a number that is none": ("sync", "--lock-wait", "soon"),
    "an unknown step": ("sync", "--only", "everything"),
    "an unknown kind": ("import", "nonsense", "x.csv"),
    "a colour that is none": ("badges", "--color", "pink"),
    "a profile that cannot be": ("badges", "--profile", "a/b"),
    "a port that cannot be": ("sandbox", "--port", "99999"),
    "a port below all": ("sandbox", "--port", "-1"),
    "templates that are not there": ("sandbox", "--templates", "/nowhere.json"),
    "templates that are none": ("sandbox", "--templates", __file__),
    "a grant that is no number": ("retry", "abc"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_usage_is_2_in_words_and_in_json_on_both_sides_of_the_verb(desk: Desk, kind: str) -> None:
    ran = desk.run(*WRONG[kind])
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Error: ")
    assert "Traceback" not in ran.err
    for arguments in ((*WRONG[kind], "--json"), ("--json", *WRONG[kind])):
        if kind == "an option without its value" and arguments[-1] == "--json":
            continue  # there it is the value
        ran = desk.run(*arguments)
        assert (ran.code, ran.err) == (2, "")
        error = json.loads(ran.out)["error"]
        assert (error["code"], set(error)) == ("usage", {"code", "message", "hint"})
        assert error["hint"]


@pytest.mark.parametrize(
    "command", ["connect", "sync", "badges", "content", "link", "unlink", "import", "grants", "status"]
)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_is_there_with_an_example_and_exits_0(
    desk: Desk, command: str, flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.run(command, flag).code == 0
    assert f"Example: credly {command}" in capsys.readouterr().out


def test_help_is_a_word_too(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.run("help").code == 0
    assert "learner-badges" in capsys.readouterr().out
    assert desk.run("help", "link").code == 0
    assert "Example: credly link" in capsys.readouterr().out


def test_credly_alone_says_where_things_stand_and_exits_0(desk: Desk) -> None:
    ran = desk.run()
    assert (ran.code, "Next: credly connect" in ran.err) == (0, True)
    assert desk.json()["connected"] is False


def test_the_shared_options_work_on_both_sides_of_the_verb(connected: Desk) -> None:
    assert connected.run("--json", "badges").out == connected.run("badges", "--json").out
    assert connected.run("--profile", "x", "status", "--json").json["profile"] == "x"
    assert connected.run("status", "--json", "--profile", "x").json["profile"] == "x"
    assert connected.run("-q", "link", FIRST_AID, "first-aid").out == ""
    assert connected.run("link", FIRST_AID, "first-aid", "-q").out == ""
    assert "\x1b" in connected.run("--color", "always", "unlink", FIRST_AID).out
    assert "\x1b" not in connected.run("status", "--color", "never", terminal=True).out


# Each failure, as a script and as a person meets it


def failing(desk: Desk, code: str, *arguments: str, **how: str) -> None:
    """The command fails with this code, in both forms, with the exit code of the table and a way out."""
    ran = desk.run(*arguments, "--json", **how)  # type: ignore[arg-type]
    assert ran.err == ""
    error = ran.json["error"]
    assert (error["code"], ran.code, set(error)) == (code, EXIT_OF[error["code"]], {"code", "message", "hint"})
    assert error["message"].rstrip("?")[-1] in ".:" or error["message"].endswith("?")
    assert error["hint"]
    ran = desk.run(*arguments, **how)  # type: ignore[arg-type]
    assert (ran.code, ran.out) == (EXIT_OF[error["code"]], "")
    assert ran.err.startswith("Error: ")
    assert len(ran.err.splitlines()) == 2
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("command", [("forget", "--yes"), ("sync", "--log-file"), ("publish", "site", "--manifest")])
def test_2_for_a_word_that_is_no_text(connected: Desk, command: tuple[str, ...]) -> None:
    word = b"no-text-\xff".decode("utf-8", "surrogateescape")  # as a shell hands over what is in no UTF-8
    command = tuple(str(connected.home / part) if part == "site" else part for part in command)
    ran = connected.run(*command, str(connected.home / word), "--json")
    assert (ran.code, ran.json["error"]["code"]) == (2, "usage")


@pytest.mark.parametrize(
    "command", [("sync", "--bogus"), ("nothing",), ("link",), ("sync", "--max-seconds", "-1"), ("config", "nope")]
)
def test_2_what_is_wrong_with_the_command_line_is_said_in_a_sentence(desk: Desk, command: tuple[str, ...]) -> None:
    failing(desk, "usage", *command)


def test_4_a_token_file_that_is_not_there_leads_somewhere_else(desk: Desk) -> None:
    error = desk.json("connect", "--token-file", "/nowhere", "--api-url", URL, code=4)["error"]
    assert error["hint"] != "Run: credly connect"


def test_it_ends_with_4_without_a_connection(desk: Desk) -> None:
    failing(desk, "not-connected", "sync")


def test_4_after_disconnecting_whatever_the_environment_holds(connected: Desk) -> None:
    connected.json("disconnect", "--yes")
    connected.environ["CREDLY_TOKEN"] = connected.sandbox.token
    failing(connected, "not-connected", "sync")


def test_5_for_names_that_are_unknown(connected: Desk) -> None:
    failing(connected, "unknown-badge", "link", "zzz", "first-aid")
    failing(connected, "unknown-content", "link", FIRST_AID, "zzz")
    failing(connected, "unknown-learner", "grants", "--email", "zzz@example.org")


def test_6_for_what_a_rule_forbids(connected: Desk) -> None:
    connected.json("link", FIRST_AID, "first-aid")
    failing(connected, "badge-already-linked", "link", FIRST_AID, "hygiene")


def test_74_for_a_store_that_is_none(connected: Desk) -> None:
    (connected.home / "credly.db").write_bytes(b"This is no database at all, but a text." * 100)
    failing(connected, "store-unusable", "badges")
    failing(connected, "store-unusable", "sync")


def test_74_for_a_newer_store(connected: Desk) -> None:
    with connected.store() as store:
        store.connection.execute("PRAGMA user_version = 9999")
    for command in (("badges",), ("sync",), ("status",), ("link", "a", "b")):
        failing(connected, "store-newer", *command)


@pytest.mark.parametrize(
    "command",
    [
        ("report", "--html", "-", "--csv"),
        ("learner-badges", "robin@example.com", "--html", "-", "--csv"),
        ("missed", "--credly-upload", "-", "--csv"),
        ("sync", "--log-file", "-"),
        ("publish", "pages", "--manifest", "-"),
        ("publish", "-"),
        ("demo", "--keep", "-"),
    ],
    ids=" ".join,
)
def test_2_where_a_file_is_to_be_standard_output_which_has_the_answer(
    connected: Desk, command: tuple[str, ...]
) -> None:
    failing(connected, "usage", *command)
    assert "standard output" in connected.run(*command).err
    assert not Path("-").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("report", "--html", "-"),
        ("widget", "robin@example.com", "--html", "-"),
        ("learner-badges", "robin@example.com", "--html", "-"),
        ("missed", "--credly-upload", "-"),
    ],
    ids=" ".join,
)
def test_2_where_a_file_and_json_would_share_standard_output(connected: Desk, command: tuple[str, ...]) -> None:
    message = connected.json(*command, code=2)["error"]["message"]
    assert message == f"{command[-2]} - and --json both write to standard output."


@pytest.mark.parametrize(
    "command", [("sync", "--log-file", "/nowhere/credly.log"), ("report", "--html", "/nowhere/report.html")]
)
def test_74_for_a_file_of_the_users_choice_that_cannot_be_written(connected: Desk, command: tuple[str, ...]) -> None:
    failing(connected, "not-writable", *command)
    assert command[1] in connected.json(*command, code=74)["error"]["hint"]


def test_74_for_a_folder_that_cannot_be_made(desk: Desk) -> None:
    desk.file("file", "")
    desk.environ["CREDLY_HOME"] = str(desk.home / "file" / "below")
    failing(desk, "store-unusable", "import", "learners", "-")


def test_75_for_a_store_that_another_program_writes(connected: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credly_cli.store.database._BUSY_SECONDS", 0.05)
    other = sqlite3.connect(connected.home / "credly.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    failing(connected, "locked", "link", FIRST_AID, "first-aid")
    other.close()


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (faults.unreachable(), "unreachable"),
        (faults.answers(503), "server-error"),
        (faults.answers_html(), "server-error"),
        (faults.answers(429), "rate-limited"),
        (faults.answers(401), "token-refused"),
        (faults.answers(403), "token-forbidden"),
        (faults.redirects("https://evil.test/"), "config-invalid"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_credly_answers_has_its_code(desk: Desk, act: faults.Act, code: str) -> None:
    desk.sandbox.faults.add(act, times=None)
    failing(desk, code, "connect", "--token-stdin", "--api-url", URL, stdin="token")


def test_78_for_a_broken_configuration(desk: Desk) -> None:
    desk.config("nonsense")
    failing(desk, "config-invalid", "badges")


def test_1_for_what_nobody_expected_without_a_traceback(connected: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credly_cli.store.badges.listed", lambda *_, **__: 1 / 0)
    failing(connected, "unexpected", "badges")
    assert "Traceback" in connected.run("badges", "-v").err


def test_it_ends_with_130_when_interrupted(connected: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("credly_cli.store.badges.listed", interrupt)
    ran = connected.run("badges")
    assert (ran.code, ran.out, ran.err.splitlines()[0]) == (130, "", "Stopped before all was done.")
    assert connected.json("badges", code=130)["error"]["code"] == "interrupted"


def test_130_when_somebody_ends_the_input_of_a_question(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", end)
    assert desk.run("connect", terminal=True).code == 130


@pytest.mark.slow
def test_the_process_ends_with_the_code(desk: Desk) -> None:
    for arguments, code in ((("status",), 0), (("sync", "--json"), 4), (("nonsense",), 2), (("--version",), 0)):
        assert run_installed(desk.home, *arguments).returncode == code


@NEEDS_PROC
@pytest.mark.slow
def test_ctrl_c_at_a_waiting_command_is_130(connected: Desk) -> None:
    other = sqlite3.connect(connected.home / "credly.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    lock = connected.home / "credly.db.lock"
    before = lock.read_text()
    with subprocess.Popen(  # noqa: S603
        [*PROGRAM, "link", FIRST_AID, "first-aid", "--json"], env=variables(connected.home),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as waiting:  # fmt: skip
        try:
            wait_until(lambda: lock.read_text() != before, waiting)
            wait_until(lambda: has_open(waiting.pid, connected.home / "credly.db"), waiting)
            waiting.send_signal(signal.SIGINT)
            time.sleep(0.1)
            other.close()
            out, err = waiting.communicate(timeout=60)
        finally:
            waiting.kill()
    assert (waiting.returncode, err) == (130, "")
    assert json.loads(out)["error"]["code"] == "interrupted"
