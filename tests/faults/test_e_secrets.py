"""Scenarios E 52-61: a token that tests know goes through every command, and shows nowhere.

53-57, 59 and 60 are also tried one by one in tests/test_token.py, tests/credly/test_http.py and
tests/rules/test_connecting.py; 61 in tests/unattended/test_log_file.py.
"""

import http.client
import logging
import os
import stat
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

import tests.support.desk
from credly_cli.app import app
from credly_cli.sandbox.records import Token
from tests.support import faults
from tests.support.desk import Desk
from tests.support.stand_in import FaultyServer

CANARY, ANOTHER = "canary+Xq7/geheim=ZZ9?>", "another+of/the=organization?>"  # each sign is changed by some encoding
LMS_CANARY = "lms+canary/Wv4=?>"
SECRETS = (CANARY, ANOTHER, LMS_CANARY)
LEARNER = "robin.lark@example.org"
OWN_STORY = {"demo", "sandbox"}  # they make tokens of their own, and `sandbox` is there to print it
BADGE, AGAIN = "Facilitator", "Webinar Participant"


def forms(secret: str) -> set[str]:
    """Return what the secret looks like in the encodings that may carry it."""
    headers = [text.encode() for text in (secret, f"{secret}:", f":{secret}")]
    encoded = [form(text).decode().rstrip("=") for text in headers for form in (b64encode, urlsafe_b64encode)]
    return {secret, secret[:12], quote(secret, safe=""), quote(secret), quote_plus(secret), repr(secret), *encoded}


def expect_nowhere(text: str) -> None:
    """Expect that no secret is in a text, in whatever form."""
    for secret in SECRETS:
        for form in forms(secret):
            assert form not in text, form


@pytest.fixture
def everything_readable() -> Iterator[None]:
    """Let whoever makes a file forget to close it."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture(params=["in-process", pytest.param("socket", marks=pytest.mark.slow)])
def desk(request: pytest.FixtureRequest, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk whose secrets are known, and whose Credly tells all of its organization's tokens."""
    desk.sandbox.rotate_token(CANARY)
    now = desk.clock.now()
    desk.sandbox.tokens.append(Token(ANOTHER, now, now + timedelta(days=90)))
    desk.environ["CREDLY_LMS_TOKEN"] = LMS_CANARY
    desk.config('[lms]\nsource = "thought-industries"\n[lms.thought_industries]\nhost = "127.0.0.1:9"\n')
    if request.param == "in-process":
        yield desk
        return
    with FaultyServer(desk.sandbox) as server:
        monkeypatch.setattr(tests.support.desk, "SandboxAdapter", lambda _: None)
        monkeypatch.setattr(tests.support.desk, "URL", server.url)
        yield desk


def story(desk: Desk, folder: Path) -> list[tuple[str, ...]]:
    """Return the commands of an admin's day: every one that there is."""
    now = desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    learners = desk.file("learners.csv", f"email,first_name,last_name\n{LEARNER},Robin,Lark\nnobody,A,B\n")
    content = desk.file("content.csv", "content_id,title\nc,Course\nd,Other\n")
    rows = "".join(f"{LEARNER},{place},{status}\n" for place, status in (("c", f"completed,{now}"), ("d", "started,")))
    progress = desk.file("progress.csv", f"email,content_id,status,completed_at\n{rows}")
    return [
        ("connect", "--token-stdin", "--api-url", tests.support.desk.URL),
        ("sync", "--log-file", str(folder / "credly.log")),
        ("import", "learners", learners),
        ("import", "content", content),
        ("link", BADGE, "c"),
        ("link", AGAIN, "d"),
        ("import", "progress", progress),
        ("missed", "--credly-upload", str(folder / "upload.csv")),
        ("sync", "--log-file", str(folder / "credly.log")),
        ("grant", LEARNER, AGAIN),
        ("badges",),
        ("content",),
        ("learners",),
        ("learner-badges", LEARNER, "--html", str(folder / "badges.html")),
        ("widget", LEARNER, "--html", str(folder / "widget.html")),
        ("publish", str(folder / "pages")),
        ("explain", LEARNER),
        ("grants",),
        ("retry",),
        ("resolve", "1", "--drop"),
        ("report", "--html", str(folder / "report.html")),
        ("status",),
        ("doctor",),
        ("config",),
        ("profiles",),
        ("unlink", BADGE),
        ("forget", LEARNER, "--yes"),
        ("disconnect", "--yes"),
    ]


@pytest.mark.sampled
@pytest.mark.parametrize("manner", [("-vv",), ("--json",), ("-q",)], ids="".join)
@pytest.mark.usefixtures("everything_readable")
def test_no_secret_is_in_what_any_command_says_logs_or_leaves(
    desk: Desk, tmp_path: Path, manner: tuple[str, ...], caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Scenarios 52, 58 and 60: also where Credly repeats it in an error, and under a umask of 000."""
    caplog.set_level(0)
    (tmp_path / "out").mkdir()
    commands = story(desk, tmp_path / "out")
    assert {command[0] for command in commands} | OWN_STORY == {str(one.name) for one in app.registered_commands}
    echo = b'{"data": {"message": "Bad token %s (%s)"}}' % (CANARY.encode(), b64encode(f"{CANARY}:".encode()))
    desk.sandbox.faults.add(faults.answers(422, echo), "POST", "/badges$")
    for command in commands:
        ran = desk.run(*command, *manner, stdin=CANARY)
        assert ran.code != 1, ran
        expect_nowhere(ran.out + ran.err)
    captured = capfd.readouterr()
    expect_nowhere(caplog.text + captured.out + captured.err)
    ours = [path for folder in (desk.home, tmp_path / "out") for path in folder.rglob("*") if path.is_file()]
    for path in ours:
        expect_nowhere(path.read_bytes().decode("latin-1"))
    open_to_others = {path.name for path in ours if stat.S_IMODE(path.stat().st_mode) & 0o077}
    told_to_write = {"learners.csv", "content.csv", "progress.csv", "config.toml"}  # by the test itself
    pages = {path.name for path in ours if path.suffix in (".html", ".css")}  # a web server may read them
    assert open_to_others <= told_to_write | pages


def test_what_libraries_would_say_to_developers_is_never_switched_on(desk: Desk, tmp_path: Path) -> None:
    """Scenario 57: http.client would print our header, and urllib3 would log addresses in queries."""
    for command in story(desk, tmp_path)[:2]:
        desk.run(*command, "-vv", stdin=CANARY)
    assert http.client.HTTPConnection.debuglevel == 0
    assert not logging.getLogger("urllib3").isEnabledFor(logging.DEBUG)
