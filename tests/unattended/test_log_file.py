"""`sync --log-file`: what happened, for whoever looks weeks later; never a token, never an address."""

import json
import os
import stat
from pathlib import Path
from typing import Any

from credly_cli.admin.run_log import recording
from tests.support.desk import Desk, completes


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_run_is_told_from_beginning_to_end(connected: Desk, tmp_path: Path) -> None:
    completes(connected)
    log = tmp_path / "credly.log"
    assert connected.run("sync", "-q", "--log-file", str(log)).code == 0
    told = lines(log)
    assert [line["event"] for line in told] == ["begun", "step", "step", "step", "step", "grant", "ended"]
    assert [line["step"] for line in told if line["event"] == "step"] == ["badges", "lms", "issued", "grants"]
    assert told[-1]["grants"]["issued"] == 1
    assert (told[-1]["status"], told[-1]["exit_code"]) == ("success", 0)


def test_r33_the_log_tells_what_went_out_by_ids(connected: Desk, tmp_path: Path) -> None:
    completes(connected)
    log = tmp_path / "credly.log"
    connected.run("sync", "-q", "--log-file", str(log))
    (grant,) = [line for line in lines(log) if line["event"] == "grant"]
    (badge,) = connected.issued()
    assert (grant["grant_id"], grant["state"], grant["issued_badge_id"]) == (1, "issued", badge.id)
    assert (grant["badge_id"], grant["content_id"]) == (connected.badge_id("First Aid at Work"), "first-aid")
    connected.pass_time(hours=1)
    connected.sandbox.archive_template(grant["badge_id"])
    connected.run("sync", "-q", "--log-file", str(log))
    (problem,) = [line for line in lines(log) if line["event"] == "problem"]
    assert (problem["code"], problem["badge_id"]) == ("link-ended", grant["badge_id"])
    assert [line["grant_id"] for line in lines(log) if line["event"] == "grant"] == [1]


def test_the_log_is_private_and_names_neither_token_nor_learner(connected: Desk, tmp_path: Path) -> None:
    """Scenario 61."""
    completes(connected, names=",")
    log = tmp_path / "credly.log"
    assert connected.run("sync", "-q", "--log-file", str(log)).code == 3
    text = log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert connected.sandbox.token not in text
    assert "anna" not in text
    assert next(line for line in lines(log) if line["event"] == "problem")["code"] == "grant-held"


def test_a_run_that_could_not_begin_is_told_too(desk: Desk, tmp_path: Path) -> None:
    log = tmp_path / "credly.log"
    assert desk.run("sync", "-q", "--log-file", str(log)).code == 4
    assert lines(log)[-1]["code"] == "not-connected"


def test_the_log_goes_on_in_a_new_file_after_rotation(desk: Desk, tmp_path: Path) -> None:
    log = tmp_path / "credly.log"
    with recording(log, desk.clock) as record:
        record.step("badges")
        log.rename(tmp_path / "credly.log.1")
        record.step("grants")
    assert [line.get("step") for line in lines(tmp_path / "credly.log.1")] == [None, "badges"]
    assert [line.get("step") for line in lines(log)] == ["grants"]
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_folder_that_vanishes_does_not_stop_the_run(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    with recording(folder / "credly.log", desk.clock) as record:
        (folder / "credly.log").unlink()
        folder.rmdir()
        record.step("grants")


def test_the_log_is_private_whatever_the_umask(desk: Desk, tmp_path: Path) -> None:
    before = os.umask(0o777)
    try:
        with recording(tmp_path / "credly.log", desk.clock):
            assert stat.S_IMODE((tmp_path / "credly.log").stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_runs_add_to_the_log(connected: Desk, tmp_path: Path) -> None:
    log = tmp_path / "credly.log"
    for _ in range(2):
        connected.run("sync", "-q", "--log-file", str(log))
    assert [line["event"] for line in lines(log)].count("ended") == 2


def test_a_log_that_cannot_be_written_is_said_before_anything_is_done(connected: Desk, tmp_path: Path) -> None:
    answer = connected.json("sync", "--log-file", str(tmp_path / "nowhere" / "credly.log"), code=74)
    assert "nowhere" in answer["error"]["message"]
    assert "--log-file" in answer["error"]["hint"]


def test_a_dry_run_leaves_no_log(connected: Desk, tmp_path: Path) -> None:
    connected.run("sync", "--dry-run", "--log-file", str(tmp_path / "credly.log"))
    assert not (tmp_path / "credly.log").exists()


def test_a_log_is_written_through_ones_own_link(connected: Desk) -> None:
    """A link is followed where it is the caller's or root's; the run ended with 74 instead."""
    real, link = connected.home / "real.log", connected.home / "link.log"
    link.symlink_to(real)
    for _ in range(2):
        connected.json("sync", "--log-file", str(link))
    assert real.read_text().count('"event": "ended"') == 2
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
