"""The demo tells the whole story by real commands, needs nothing, and leaves nothing behind."""

import json
from pathlib import Path

import pytest

from tests.support.desk import Desk
from tests.support.installed import run_installed

TOLD = (
    "connect", "sync", "badges", "import", "link", "learners", "learner-badges", "missed", "grant", "grants", "unlink",
    "disconnect",
)  # fmt: skip


@pytest.mark.slow
def test_the_demo_tells_every_chapter(tmp_path: Path) -> None:
    done = run_installed(tmp_path, "demo", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    steps = json.loads(done.stdout)["steps"]
    needs_a_person = [step["output"] for step in steps if step["exit_code"] == 3]  # the link that ended
    assert [step for step in steps if step["exit_code"] not in (0, 3)] == []
    assert ["The link of First Aid at Work to First Aid Course ended" in output for output in needs_a_person] == [True]
    assert {step["command"].split()[1] for step in steps} == set(TOLD)
    outputs = [step["output"] for step in steps]
    assert any("2 planned, 2 issued" in output for output in outputs)
    assert any("before-link" in output for output in outputs)
    assert any("Unlinked: First Aid at Work" in output for output in outputs)
    assert not (tmp_path / "credly.db").exists()


@pytest.mark.slow
def test_the_demo_leaves_its_home_in_the_folder_that_is_named(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    done = run_installed(tmp_path, "demo", "--keep", str(kept))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (kept / "credly.db").exists()
    assert f"CREDLY_HOME={kept}" in done.stdout


def test_the_demo_does_not_write_into_a_folder_that_holds_something(desk: Desk) -> None:
    (desk.home / "mine.txt").write_text("mine")
    assert desk.json("demo", "--keep", str(desk.home), code=6)["error"]["code"] == "file-exists"
