"""What the recipes in ``contrib/`` rest on."""

import configparser
import os
from pathlib import Path

import pytest

from tests.desk import Desk

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


def test_the_service_runs_a_quiet_sync_with_the_token_as_a_credential() -> None:
    service = unit("credly-sync.service")["Service"]
    assert "credly sync -q" in service["ExecStart"]
    assert service["LoadCredential"].startswith("credly-token:")
    assert "CREDLY_TOKEN_FILE=%d/credly-token" in service["Environment"]
    assert service["StateDirectoryMode"] == "0700"


def test_the_timer_starts_the_service_and_catches_up() -> None:
    timer = unit("credly-sync.timer")["Timer"]
    assert timer["Persistent"] == "true"
    assert unit("credly-sync.timer")["Install"]["WantedBy"] == "timers.target"
