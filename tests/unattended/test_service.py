"""What the recipes in ``contrib/`` rest on."""

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.desk import Desk

CONTRIB = Path(__file__).resolve().parents[2] / "contrib"


@pytest.mark.skipif(os.geteuid() != 0, reason="a credential of systemd belongs to root")
@pytest.mark.parametrize(("mode", "code"), [(0o400, 0), (0o440, 0), (0o460, 4), (0o444, 4)])
def test_a_credential_of_systemd_is_taken_as_systemd_gives_it(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, code: int
) -> None:
    token = tmp_path / "credly-token"
    token.write_text(desk.sandbox.token)
    token.chmod(mode)
    desk.environ["CREDLY_API_URL"] = "https://credly.test/v1"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert desk.run("connect", "--token-file", str(token)).code == code
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    if mode == 0o440:
        assert desk.run("connect", "--token-file", str(token)).code == 4


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(CONTRIB / "systemd" / name)
    return parser


@pytest.mark.parametrize(("name", "command"), [("credly-sync", "sync -q"), ("credly-doctor", "doctor -q")])
def test_a_service_is_quiet_and_has_the_token_as_a_credential(name: str, command: str) -> None:
    service = unit(f"{name}.service")["Service"]
    assert service["ExecStart"].startswith(f"/usr/local/bin/credly {command}")
    assert service["LoadCredential"].startswith("credly-token:")
    assert "CREDLY_TOKEN_FILE=%d/credly-token" in service["Environment"]
    assert service["StateDirectoryMode"] == "0700"


def test_what_waits_for_a_person_is_asked_for_each_day() -> None:
    assert unit("credly-status.service")["Service"]["ExecStart"] == "/usr/local/bin/credly status -q --max-age 3h"
    assert unit("credly-status.timer")["Timer"]["OnCalendar"] == "07:30"


@pytest.mark.parametrize("recipe", ["cron/credly", "systemd/credly-sync.service", "container/Dockerfile"])
def test_a_recipe_tells_that_something_may_need_a_person(recipe: str) -> None:
    assert re.search(r"(needs|waits for|for) a person", (CONTRIB / recipe).read_text())


@pytest.mark.parametrize("name", ["credly-sync", "credly-status", "credly-doctor"])
def test_a_timer_starts_its_service_and_catches_up(name: str) -> None:
    assert unit(f"{name}.timer")["Timer"]["Persistent"] == "true"
    assert unit(f"{name}.timer")["Install"]["WantedBy"] == "timers.target"


@pytest.mark.parametrize("command", ["sync -q", "status -q", "doctor -q"])
def test_cron_asks_for_what_a_person_must_hear_of(command: str) -> None:
    assert f" credly /usr/local/bin/credly {command}" in (CONTRIB / "cron" / "credly").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_systemd_finds_no_fault_in_the_units() -> None:
    units = sorted((CONTRIB / "systemd").iterdir())
    done = subprocess.run(  # noqa: S603 - our own files
        ["/usr/bin/systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    missing = "Command /usr/local/bin/credly is not executable"
    assert [line for line in done.stderr.splitlines() if "credly-" in line and missing not in line] == []
