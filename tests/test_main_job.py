"""The main job: on the sample, and on real input (recorded badge templates, a real LMS's data) where it is at hand."""

import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.support.desk import Desk
from tests.support.stand_in import sandbox_from_templates

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
COURSES = ("AAA", "BBB", "DDD", "EEE", "FFF", "GGG")
EARNED = {"AAA": 531, "BBB": 2224, "DDD": 1621, "EEE": 1293, "FFF": 2212, "GGG": 1036}

pytestmark = pytest.mark.slow


@pytest.fixture
def real(desk: Desk) -> Desk:
    """A desk with the recorded badges and the real LMS's learners, content and progress; nothing is linked."""
    if not DATA.is_dir():
        pytest.skip("the real input is not beside this repository")
    recorded = DATA / "credly" / "badge_templates.json"
    desk.sandbox = sandbox_from_templates(recorded, now=desk.clock.now, sleep=desk.clock.sleep)
    desk.connect()
    assert desk.json("sync")["badges"]["added"] == 49  # the draft never shows (R7)
    for kind, rows in (("learners", 12_400), ("content", 12), ("progress", 12_489)):
        answer = desk.json("import", kind, str(DATA / "oulad" / f"{kind}.csv"))
        assert (answer["added"], answer["rejected"]) == (rows, 0)
    return desk


def link_all(desk: Desk, *options: str) -> None:
    for badge, course in zip(desk.json("badges"), COURSES, strict=False):
        desk.json("link", badge["id"], course, "--yes", *options)


def completions() -> Counter[tuple[str, str]]:
    with (DATA / "oulad" / "progress.csv").open(newline="") as file:
        return Counter((row["email"], row["completed_at"]) for row in csv.DictReader(file) if row["completed_at"])


def without_run(desk: Desk) -> list[str]:
    with desk.store() as store:
        return [line for line in store.connection.iterdump() if 'INTO "runs"' not in line and "sqlite_seq" not in line]


def test_each_of_8917_completions_earns_one_badge_with_its_own_time(real: Desk) -> None:
    link_all(real, "--since", "2013-01-01")
    assert real.json("sync")["grants"]["issued"] == 8917
    sent = Counter((badge.email, badge.details.issued_at.replace(".000Z", "Z")) for badge in real.issued())
    assert sent == completions()
    assert Counter(grant["content"]["id"] for grant in real.json("grants", "--state", "issued")) == EARNED
    before = without_run(real)
    assert real.json("sync")["grants"]["issued"] == 0
    assert without_run(real) == before


def test_a_later_moment_counts_the_4442_completions_after_it(real: Desk) -> None:
    link_all(real, "--since", "2015-01-01")
    assert real.json("sync")["grants"]["issued"] == 4442


def test_without_a_moment_no_earlier_completion_counts(real: Desk) -> None:
    link_all(real)
    assert real.json("sync")["grants"]["planned"] == 0


def test_what_arrives_after_the_link_earns_one_badge_each_however_often_it_arrives(real: Desk) -> None:
    link_all(real)
    real.pass_time(days=1)
    with (DATA / "oulad" / "progress.csv").open(newline="") as file:
        unfinished = [row for row in csv.DictReader(file) if not row["completed_at"]][:600]
    header = "email,learner_id,content_id,session_id,progress,completed_at\n"
    rows = [
        f"{row['email']},{row['learner_id']},{row['content_id']},{row['session_id']},100,2026-03-03T08:00:00Z\n"
        for row in unfinished
    ]
    real.imports("progress", header + "".join(rows[:400]))
    assert real.json("sync")["grants"]["issued"] == 400
    real.imports("progress", header + "".join(rows[200:]))
    assert real.json("sync")["grants"]["issued"] == 200
    assert len(real.issued()) == len({(badge.email, badge.template_id) for badge in real.issued()}) == 600


def test_the_sample_earns_what_it_says() -> None:
    command = [sys.executable, "scripts/main_job.py", "--sample"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("0 by the next sync") == 3
