"""The questions for a real Credly can be asked: each gets an answer from the stand-in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from credly_cli.errors import Failure
from tests.contract_with_credly.__main__ import account_of, answers
from tests.contract_with_credly.account import MOST_BADGES, Account
from tests.support.stand_in import FaultySandbox, FaultyServer, sandbox_with_samples

EMAIL = "owner@example.org"


def environ(tmp_path: Path, sandbox: FaultySandbox, url: str) -> dict[str, str]:
    token = tmp_path / "token"
    token.write_text(sandbox.token)
    token.chmod(0o600)
    active = [row for row in sandbox.templates.values() if row["state"] == "active"]
    badges = [next(row["id"] for row in active if row["allow_duplicate_badges"] is allows) for allows in (True, False)]
    return {
        "CREDLY_TOKEN_FILE": str(token),
        "CREDLY_TEST_EMAIL": EMAIL,
        "CREDLY_API_URL": url,
        "CREDLY_TEST_BADGES": " ".join(badges),
    }


@pytest.mark.slow
def test_every_question_gets_an_answer_and_every_badge_is_revoked(tmp_path: Path) -> None:
    sandbox = sandbox_with_samples()
    with FaultyServer(sandbox) as server:
        account = account_of(environ(tmp_path, sandbox, server.url))
        account.open()
        told = {question.words: answer for question, answer in answers(account)}
        assert account.close() == []
    not_asked = [words for words, answer in told.items() if answer.words.startswith("not asked")]
    assert not_asked == [
        "Does a link to the next page keep filter and sort?",
        "How are issued badges ordered by themselves?",
        "Which filters of issued badges are there?",
        "May a badge be issued again once it is rejected?",
    ]
    assert [words for words, answer in told.items() if answer.as_assumed is False] == []
    assert 0 < len(sandbox.issued()) <= MOST_BADGES
    assert {badge.state for badge in sandbox.issued()} == {"revoked"}
    assert all(badge.details.suppress_notification for badge in sandbox.issued())
    assert {badge.email.lower() for badge in sandbox.issued()} == {EMAIL}


@pytest.mark.slow
def test_the_table_is_printed_without_the_token(tmp_path: Path) -> None:
    sandbox = sandbox_with_samples()
    with FaultyServer(sandbox) as server:
        done = subprocess.run(
            [sys.executable, "-m", "tests.contract_with_credly"],
            env={"PATH": os.defpath, "COLUMNS": "200", **environ(tmp_path, sandbox, server.url)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "What answers a duplicate?" in done.stdout
    assert "not revoked: none." in done.stdout
    assert sandbox.token not in done.stdout + done.stderr


def test_production_is_asked_only_when_the_owner_says_so(tmp_path: Path) -> None:
    named = environ(tmp_path, sandbox_with_samples(), "https://api.credly.com")
    with pytest.raises(Failure, match="is not a sandbox"):
        account_of(named)
    assert isinstance(account_of({**named, "CREDLY_TEST_PRODUCTION": "yes"}), Account)


def test_it_is_the_sandbox_that_is_asked_by_default(tmp_path: Path) -> None:
    named = environ(tmp_path, sandbox_with_samples(), "")
    del named["CREDLY_API_URL"]
    assert account_of(named).wire.api_url == "https://sandbox-api.credly.com/v1"
