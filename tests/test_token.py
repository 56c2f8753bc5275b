"""The token: where it comes from, where it is kept, and where it never shows."""

import json
import os
import pickle
import stat
import sys
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from credly_cli.token import Token
from tests.support import faults
from tests.support.desk import URL, Desk

CANARY = "canary-Xq7-geheim_ZZ9"
PRINTS_TOKEN = [sys.executable, "-c", f"print({CANARY!r})"]


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """A desk whose token is known to the tests."""
    desk.sandbox.rotate_token(CANARY)
    return desk


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def token_file(folder: Path, text: str = CANARY, permissions: int = 0o600) -> Path:
    path = folder / "my-token"
    path.write_text(text)
    path.chmod(permissions)
    return path


def connect(desk: Desk, *arguments: str, **how: Any) -> Any:
    return desk.json("connect", "--api-url", URL, *arguments, **how)


# Where it comes from


@pytest.mark.usefixtures("open_umask")
def test_from_standard_input_it_is_kept_in_a_private_file(desk: Desk) -> None:
    connect(desk, "--token-stdin", stdin=f"  {CANARY}\n")
    assert (desk.home / "token").read_text() == f"{CANARY}\n"
    assert {path.name: oct(mode(path)) for path in desk.home.iterdir()} == dict.fromkeys(
        ["credly.db", "credly.db.lock", "token"], oct(0o600)
    )


@pytest.mark.usefixtures("open_umask")
def test_folders_are_made_private_all_the_way(desk: Desk) -> None:
    desk.home = desk.home / "deep" / "down"
    connect(desk, "--token-stdin", "--profile", "second", stdin=CANARY)
    folder = desk.home / "profiles" / "second"
    for made in (folder, folder.parent, desk.home, desk.home.parent):
        assert oct(mode(made)) == oct(0o700)
    assert oct(mode(folder / "token")) == oct(0o600)


@pytest.mark.parametrize("by", ["option", "environment"])
def test_from_a_file_it_stays_where_it_is_and_is_read_each_time(desk: Desk, tmp_path: Path, by: str) -> None:
    path = token_file(tmp_path)
    option = ["--token-file", str(path)] if by == "option" else []
    environ = {"CREDLY_TOKEN_FILE": str(path)} if by == "environment" else {}
    assert connect(desk, *option, environ=environ)["token_source"] == str(path)
    assert not (desk.home / "token").exists()
    desk.json("sync")
    desk.sandbox.rotate_token("the-next-one")
    path.write_text("the-next-one")
    desk.json("sync")
    path.unlink()
    assert desk.json("sync", code=4)["error"]["code"] == "not-connected"


def test_from_the_environment_only_its_source_is_remembered(desk: Desk) -> None:
    answer = connect(desk, environ={"CREDLY_TOKEN": CANARY})
    assert answer["token_source"] == "CREDLY_TOKEN"
    assert not (desk.home / "token").exists()
    desk.json("sync", environ={"CREDLY_TOKEN": CANARY})
    error = desk.json("sync", code=4)["error"]
    assert (error["code"], "CREDLY_TOKEN" in error["message"]) == ("not-connected", True)


@pytest.mark.parametrize("kind", ["file", "environment", "command"])
def test_one_that_is_refused_is_replaced_where_it_lies(desk: Desk, tmp_path: Path, kind: str) -> None:
    path = token_file(tmp_path)
    option = ["--token-file", str(path)] if kind == "file" else []
    environ = {"CREDLY_TOKEN": CANARY} if kind == "environment" else {}
    if kind == "command":
        desk.config(f"[credly]\ntoken_command = {json.dumps(PRINTS_TOKEN)}\n")
    connect(desk, *option, environ=environ)
    desk.sandbox.rotate_token("another")
    where = {"file": f"is read from {path}", "environment": "is read from CREDLY_TOKEN"}
    hint = desk.json("sync", environ=environ, code=4)["problems"][0]["hint"]
    assert f"It {where.get(kind, 'comes from token_command')}" in hint
    assert "credly connect" not in hint


@pytest.mark.further
def test_from_a_command_it_is_asked_for_each_time(desk: Desk) -> None:
    desk.config(f"[credly]\ntoken_command = {json.dumps(PRINTS_TOKEN)}\n")
    assert connect(desk)["token_source"] == "token_command"
    assert not (desk.home / "token").exists()
    desk.json("sync")


def test_from_a_hidden_prompt_it_is_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda _: CANARY)
    ran = desk.run("connect", "--api-url", URL, terminal=True)
    assert ran.code == 0
    assert (desk.home / "token").read_text() == f"{CANARY}\n"
    assert CANARY not in ran.out + ran.err


@pytest.mark.parametrize("how", ["no terminal", "--no-input", "CREDLY_NO_INPUT", "--json"])
def test_without_anybody_to_type_it_the_options_are_named(
    desk: Desk, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda _: pytest.fail("nobody is to be asked"))
    arguments = [how] if how.startswith("--") else []
    environ = {"CREDLY_NO_INPUT": "1"} if how == "CREDLY_NO_INPUT" else {}
    ran = desk.run("connect", *arguments, environ=environ, terminal=how != "no terminal")
    assert ran.code == 2
    for name in ("--token-stdin", "--token-file", "CREDLY_TOKEN"):
        assert name in ran.err + ran.out


def test_there_is_no_argument_for_it(desk: Desk) -> None:
    assert desk.json("connect", "--token", CANARY, code=2)["error"]["code"] == "usage"
    assert desk.json("connect", CANARY, code=2)["error"]["code"] == "usage"


def test_an_option_goes_before_the_environment_and_that_before_the_configuration(desk: Desk, tmp_path: Path) -> None:
    path = token_file(tmp_path)
    wrong = token_file(desk.home, "wrong")
    desk.config(f'[credly]\ntoken_command = ["{sys.executable}", "-c", "print(1)"]\n')
    everything = {"CREDLY_TOKEN": "wrong", "CREDLY_TOKEN_FILE": str(wrong)}
    connect(desk, "--token-file", str(path), environ=everything)
    connect(desk, "--token-stdin", stdin=CANARY, environ=everything)
    connect(desk, environ={**everything, "CREDLY_TOKEN": CANARY})
    connect(desk, environ={"CREDLY_TOKEN_FILE": str(path)})


def test_the_environment_goes_before_what_connect_remembered(desk: Desk) -> None:
    connect(desk, "--token-stdin", stdin=CANARY)
    assert desk.json("sync", environ={"CREDLY_TOKEN": "wrong"}, code=4)["problems"][0]["code"] == "token-refused"
    desk.json("sync", environ={"CREDLY_TOKEN": ""})


def test_a_home_that_moves_takes_its_token_along(desk: Desk) -> None:
    connect(desk, "--token-stdin", stdin=CANARY)
    desk.home = desk.home.rename(desk.home.with_name("elsewhere"))
    desk.json("sync")


@pytest.mark.further
def test_a_token_that_was_refused_is_no_disconnection(desk: Desk) -> None:
    connect(desk, "--token-stdin", stdin=CANARY)
    desk.sandbox.rotate_token("new")
    desk.json("sync", code=4)
    assert desk.json("status")["connected"] is True
    connect(desk, "--token-stdin", stdin="new")
    desk.json("sync")


# What is no token


BAD = {
    "spaces": "geheim geheim",
    "newline": "geheim\ngeheim",
    "carriage return": "geheim\r\ngeheim",
    "tab": "geheim\tgeheim",
    "letters beyond ASCII": "geheim\u00e9",
    "fullwidth": "\uff47eheim-geheim",
    "NUL": "geheim\x00",
    "escape": "\x1b[31mgeheim",
}


@pytest.mark.parametrize(
    ("by", "kind"),
    [(by, kind) for by in ("stdin", "file", "environment") for kind in BAD if (by, kind) != ("environment", "NUL")],
)
def test_what_cannot_be_a_token_is_refused_without_being_repeated(
    desk: Desk, tmp_path: Path, kind: str, by: str
) -> None:
    """Scenario 54."""
    arguments = {"stdin": ["--token-stdin"], "file": ["--token-file", str(token_file(tmp_path, BAD[kind]))]}.get(by, [])
    environ = {"CREDLY_TOKEN": BAD[kind]} if by == "environment" else {}
    ran = desk.run("connect", *arguments, stdin=BAD[kind], environ=environ)
    assert ran.code == 4
    assert "Copy it again in Credly" in ran.err
    assert "geheim" not in ran.out + ran.err
    assert list(desk.home.iterdir()) == []
    assert desk.sandbox.log.count() == 0


@pytest.mark.parametrize("text", ["", "  \n"])
def test_nothing_is_no_token(desk: Desk, text: str) -> None:
    error = connect(desk, "--token-stdin", stdin=text, code=4)["error"]
    assert error["code"] == "not-connected"
    assert "--token-stdin" in error["hint"]


def test_a_byte_order_mark_of_an_editor_is_no_part_of_it(desk: Desk, tmp_path: Path) -> None:
    connect(desk, "--token-file", str(token_file(tmp_path, f"\ufeff{CANARY}\r\n")))


# Files that others could have written or read


@pytest.mark.parametrize("permissions", [0o640, 0o604, 0o620, 0o602, 0o644, 0o666])
def test_a_file_that_others_can_read_or_write_is_refused(desk: Desk, tmp_path: Path, permissions: int) -> None:
    """Scenario 56."""
    path = token_file(tmp_path, permissions=permissions)
    error = connect(desk, "--token-file", str(path), code=4)["error"]
    assert error["code"] == "token-refused"
    assert error["hint"] == f"Run: chmod 600 {path}"
    assert list(desk.home.iterdir()) == []


def test_a_link_to_a_file_is_refused(desk: Desk, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(token_file(tmp_path))
    assert connect(desk, "--token-file", str(link), code=4)["error"]["code"] == "token-refused"


def test_what_is_no_plain_file_is_refused_at_once(desk: Desk, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    for path in (tmp_path, pipe):
        assert connect(desk, "--token-file", str(path), code=4)["error"]["code"] == "token-refused"


def test_a_kept_file_that_was_opened_to_others_is_refused_from_then_on(desk: Desk) -> None:
    connect(desk, "--token-stdin", stdin=CANARY)
    (desk.home / "token").chmod(0o644)
    error = desk.json("sync", code=4)["error"]
    assert (error["code"], "chmod 600" in error["hint"]) == ("token-refused", True)


def test_a_file_that_is_missing_is_named(desk: Desk, tmp_path: Path) -> None:
    error = connect(desk, "--token-file", str(tmp_path / "none"), code=4)["error"]
    assert (error["code"], str(tmp_path / "none") in error["message"]) == ("not-connected", True)


def test_a_link_in_the_place_of_our_own_file_is_replaced_and_not_followed(desk: Desk, tmp_path: Path) -> None:
    other = token_file(tmp_path, "untouched")
    (desk.home / "token").symlink_to(other)
    connect(desk, "--token-stdin", stdin=CANARY)
    assert other.read_text() == "untouched"
    assert not (desk.home / "token").is_symlink()


# token_command


def command(desk: Desk, *words: str) -> None:
    desk.config(f"[credly]\ntoken_command = {json.dumps(words)}\n")


def test_a_command_is_run_without_a_shell(desk: Desk, tmp_path: Path) -> None:
    made = tmp_path / "made"
    command(desk, sys.executable, "-c", "import sys; print(sys.argv[1][:0] + sys.argv[2])", f"; touch {made}", CANARY)
    connect(desk)
    assert not made.exists()


@pytest.mark.sampled
@pytest.mark.parametrize(
    "words",
    [
        (sys.executable, "-c", f"import sys; sys.stderr.write({CANARY!r}); sys.exit(1)"),
        (sys.executable, "-c", f"print({CANARY!r}, {CANARY!r})"),
        (sys.executable, "-c", "pass"),
        (sys.executable, "-c", "import sys; sys.stdout.buffer.write(bytes([255]))"),
        ("/no/such/program",),
    ],
    ids=["fails", "says more", "says nothing", "says bytes", "is not there"],
)
def test_a_command_that_gives_no_token_is_a_sentence(desk: Desk, words: tuple[str, ...]) -> None:
    command(desk, *words)
    ran = desk.run("connect", "--api-url", URL)
    assert ran.code == 4
    assert CANARY not in ran.out + ran.err
    assert ran.err.startswith("Error: ")


def test_a_command_that_hangs_is_ended(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenario 59."""
    monkeypatch.setattr("credly_cli.token._COMMAND_SECONDS", 0.2)
    command(desk, sys.executable, "-c", "import time; time.sleep(60)")
    error = connect(desk, code=4)["error"]
    assert (error["code"], "10 seconds" in error["hint"]) == ("not-connected", True)


def test_why_a_command_gave_no_token_is_told_without_what_it_printed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(desk, "/no/such/program")
    told = connect(desk, code=4)["error"]
    assert told["message"] == "token_command (/no/such/program) did not give a token: No such file or directory."
    command(desk, sys.executable, "-c", f"print({CANARY!r}); raise SystemExit(1)")
    told = connect(desk, code=4)["error"]
    assert told["message"].endswith("did not give a token: it ended with 1.")
    assert "print the token alone" in told["hint"]
    command(desk, sys.executable, "-c", "import os; os.write(1, bytes([255]))")
    assert "what it printed is no text" in connect(desk, code=4)["error"]["message"]
    monkeypatch.setattr("credly_cli.token._COMMAND_SECONDS", 0.01)
    command(desk, sys.executable, "-c", "import time; time.sleep(60)")
    assert "it took longer than 0.01 seconds" in connect(desk, code=4)["error"]["message"]


def test_a_credential_that_systemd_hands_over_may_be_0440_where_it_is_roots_alone(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = token_file(tmp_path, permissions=0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    real = os.fstat

    def of_user(owner: int) -> Any:
        def status(descriptor: int) -> Any:
            found = list(real(descriptor))
            found[stat.ST_UID] = owner
            return os.stat_result(found)

        return status

    monkeypatch.setattr("credly_cli.token.os.fstat", of_user(0))
    connect(desk, "--token-file", str(path))
    monkeypatch.setattr("credly_cli.token.os.fstat", of_user(os.geteuid() + 1))
    assert "can be read or written by others" in connect(desk, "--token-file", str(path), code=4)["error"]["message"]


def test_a_file_that_is_refused_says_what_to_do(desk: Desk, tmp_path: Path) -> None:
    path = token_file(tmp_path, permissions=0o644)
    assert connect(desk, "--token-file", str(path), code=4)["error"]["hint"] == f"Run: chmod 600 {path}"
    (tmp_path / "folder").mkdir()
    error = connect(desk, "--token-file", str(tmp_path / "folder"), code=4)["error"]
    assert (error["code"], error["hint"]) == ("token-refused", "Use a file of your own with mode 0600.")
    error = connect(desk, "--token-file", str(tmp_path / "nothing"), code=4)["error"]
    assert error["hint"].startswith("Put it there, for its owner alone to read")


def test_a_command_written_as_text_is_an_invalid_configuration(desk: Desk) -> None:
    desk.config('[credly]\ntoken_command = "pass show credly"\n')
    assert connect(desk, code=78)["error"]["code"] == "config-invalid"


# Where it never shows


def forms() -> list[str]:
    encoded = [b64encode(text.encode()).decode().rstrip("=") for text in (CANARY, f"{CANARY}:")]
    return [CANARY, quote(CANARY, safe=""), *encoded]


def assert_nowhere(text: str) -> None:
    for form in forms():
        assert form not in text


def test_it_shows_itself_to_nobody() -> None:
    token = Token(CANARY)
    assert_nowhere(f"{token} {token!r} {[token]}")
    with pytest.raises(TypeError):
        pickle.dumps(token)
    with pytest.raises(TypeError):
        json.dumps(token)


def test_it_is_nowhere_in_what_is_said_or_stored(
    desk: Desk, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(0)
    said = []
    for arguments in (
        ("connect", "--token-stdin", "--api-url", URL, "-vv"),
        ("sync", "-vv"),
        ("status",),
        ("badges", "--json"),
    ):
        ran = desk.run(*arguments, stdin=CANARY)
        assert ran.code == 0
        said += [ran.out, ran.err]
    captured = capfd.readouterr()
    assert_nowhere("".join([*said, caplog.text, captured.out, captured.err]))
    for path in desk.home.rglob("*"):
        if path.is_file() and path.name != "token":
            assert_nowhere(path.read_bytes().decode("latin-1"))


@pytest.mark.sampled
@pytest.mark.parametrize("status", [401, 403, 404, 422, 429, 500])
def test_it_is_nowhere_when_credly_repeats_it(desk: Desk, status: int) -> None:
    echo = b'{"data": {"message": "Bad token %s (%s)"}}' % (CANARY.encode(), b64encode(f"{CANARY}:".encode()))
    desk.sandbox.faults.add(faults.answers(status, echo), times=None)
    for arguments in ((), ("--json",), ("-v",)):
        ran = desk.run("connect", "--token-stdin", "--api-url", URL, *arguments, stdin=CANARY)
        assert ran.code in (4, 75)
        assert_nowhere(ran.out + ran.err)


def test_the_tokens_that_credly_lists_are_nowhere(desk: Desk) -> None:
    """Among them those of others; of the list only a date is of use."""
    others = "of-somebody-else-2f81"
    desk.sandbox.tokens.append(replace(desk.sandbox.tokens[0], value=others))
    log = desk.home / "log"
    connect(desk, "--token-stdin", stdin=CANARY)
    said = [desk.run("sync", "-vv", "--log-file", str(log)), desk.run("status", "--json"), desk.run("doctor", "-vv")]
    assert desk.sandbox.log.count("GET", "authorization_tokens") >= 1
    everywhere = f"{said}" + "".join(
        path.read_bytes().decode("latin-1") for path in desk.home.rglob("*") if path.is_file() and path.name != "token"
    )
    assert others not in everywhere
    assert_nowhere(everywhere)


ODD_TOKEN = "abc/def+ghi-JKL_mno~PQR"  # none of it is hidden by how JSON, addresses and headers write it


def echoes(token: str) -> dict[str, str]:
    """Write a token in the forms in which Credly may repeat it within JSON."""
    encoded = b64encode(f"{token}:".encode()).decode()
    return {
        "as it is": token,
        "in capitals": token.upper(),
        "with slashes escaped": token.replace("/", "\\/"),
        "in escapes": "".join(f"\\u{ord(character):04x}" for character in token),
        "in an address": quote(token, safe=""),
        "in an address, small": quote(token, safe="").lower(),
        "in a path": quote(token),
        "in the header": encoded,
        "in the header, without its end": encoded.rstrip("="),
        "in the header, for addresses": urlsafe_b64encode(f"{token}:".encode()).decode(),
    }


@pytest.mark.further
@pytest.mark.parametrize("echo", echoes(ODD_TOKEN).values(), ids=echoes(ODD_TOKEN))
@pytest.mark.parametrize("status", [400, 401, 422])
def test_it_is_nowhere_however_credly_writes_it(connected: Desk, status: int, echo: str) -> None:
    desk = connected
    desk.sandbox.rotate_token(ODD_TOKEN)
    connect(desk, "--token-stdin", stdin=ODD_TOKEN)
    desk.json("link", "Facilitator", "hygiene", "--since", "2026-01-01", "--yes")
    desk.learns("ada@example.org,hygiene,,completed,2026-03-01T09:00:00Z,Ada,L")
    body = f'{{"data": {{"message": "No: {echo}", "errors": [{{"messages": ["{echo}"]}}]}}}}'.encode()
    desk.sandbox.faults.add(faults.answers(status, body), "POST", times=None)
    log = desk.home / "log"
    said = [desk.run("sync", "-v", "--log-file", str(log)), desk.run("grants"), desk.run("sync", "--json")]
    with desk.store() as store:
        stored = str([store.rows("SELECT detail FROM attempts"), store.rows("SELECT problem FROM grants")])
    everywhere = f"{said}{stored}{log.read_text()}".lower()
    assert "***" in everywhere
    for form in (ODD_TOKEN, json.loads(f'"{echo}"').rstrip("=")):
        assert form.lower() not in everywhere


@pytest.mark.parametrize("act", [faults.unreachable(), faults.drops(), faults.cuts_body(5), faults.answers_html()])
def test_it_is_nowhere_when_the_network_fails(desk: Desk, act: faults.Act) -> None:
    desk.sandbox.faults.add(act, times=None)
    ran = desk.run("connect", "--token-stdin", "--api-url", URL, "-v", stdin=CANARY)
    assert ran.code == 75
    assert_nowhere(ran.out + ran.err)


def test_it_is_nowhere_in_a_traceback(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenario 53."""
    connect(desk, "--token-stdin", stdin=CANARY)
    monkeypatch.setattr("credly_cli.credly.client.Client.badges", lambda _: 1 / 0)
    ran = desk.run("sync", "-v")
    assert ran.code == 1
    assert "ZeroDivisionError" in ran.err
    assert "Traceback" in ran.err
    assert_nowhere(ran.out + ran.err)
