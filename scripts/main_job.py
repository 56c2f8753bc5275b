"""Run the main job and print its figures: on the sample here, and on real input where it lies beside the repository.

A list of badge templates is served by the sandbox; an LMS's learners, content and progress come in; badges are linked
to courses; `credly sync` issues a badge for each completion that counts, and a second sync none.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from credly_cli.sandbox.records import Organization, recorded_organization, sample_organization
from credly_cli.sandbox.server import SandboxServer
from credly_cli.sandbox.state import Sandbox

HERE = Path(__file__).resolve().parent
BESIDE = HERE.parent.parent / "shared" / "data"


@dataclass(frozen=True)
class Input:
    """What comes in: an LMS's three exports, badges, the courses that these are linked to; and what is to be issued."""

    name: str
    exports: Path
    organization: Callable[[], Organization]
    courses: tuple[str, ...]
    issued: dict[str | None, int]  # by the moment from which completions count; without one, from now on


SAMPLE = Input(
    "the sample", HERE / "sample", sample_organization, ("beekeeping", "bread", "knots", "lichens"),
    {"2024-01-01": 65, "2025-01-01": 16, None: 0},
)  # fmt: skip
REAL = Input(
    "the real input", BESIDE / "oulad", lambda: recorded_organization(BESIDE / "credly" / "badge_templates.json"),
    ("AAA", "BBB", "DDD", "EEE", "FFF", "GGG"), {"2013-01-01": 8917, "2015-01-01": 4442, None: 0},
)  # fmt: skip


def credly(home: str, *arguments: str, stdin: str = "") -> Any:
    """Run a command and return its JSON answer."""
    command = [sys.executable, "-m", "credly_cli", *arguments, "--json"]
    environment = {**os.environ, "CREDLY_HOME": home}
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=environment, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def to_be_issued(given: Input, since: str | None) -> Counter[tuple[str, str]]:
    """Count the badges that the exports themselves ask for: learner's address and time."""
    with (given.exports / "progress.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["completed_at"] and row["content_id"] in given.courses]
    return Counter(
        (row["email"], row["completed_at"].replace("Z", ".000Z"))
        for row in rows
        if since is not None and row["completed_at"] >= since
    )


def run(given: Input, since: str | None) -> None:
    """Do the main job with links that count from a moment, and check what was issued."""
    sandbox = Sandbox(*given.organization())
    with SandboxServer(sandbox) as server, tempfile.TemporaryDirectory() as home:
        credly(home, "connect", "--api-url", server.url, "--token-stdin", stdin=sandbox.token)
        first = credly(home, "sync")
        for kind in ("learners", "content", "progress"):
            credly(home, "import", kind, str(given.exports / f"{kind}.csv"))
        badges = [badge["id"] for badge in credly(home, "badges")]
        for badge, course in zip(badges, given.courses, strict=False):
            credly(home, "link", badge, course, "--yes", *(["--since", since] if since else []))
        started = time.perf_counter()
        second = credly(home, "sync")
        seconds = time.perf_counter() - started
        third = credly(home, "sync")
        grants = credly(home, "grants")
        sent = Counter((badge.email, badge.details.issued_at) for badge in sandbox.issued())
    issued = second["grants"]["issued"]
    per_course = Counter(grant["content"]["id"] for grant in grants if grant["state"] == "issued")
    print(
        f"{given.name}, since {since or 'now'}: {first['badges']['added']} badges, {issued} issued in {seconds:.1f} s, "
        f"{third['grants']['issued']} by the next sync; {dict(sorted(per_course.items()))}"
    )
    if issued != given.issued[since] or third["grants"]["issued"] or sent != to_be_issued(given, since):
        raise SystemExit("That is not what the input says.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", action="store_true", help="the sample alone")
    alone = parser.parse_args().sample
    for given in (SAMPLE, REAL):
        if given is REAL and (alone or not BESIDE.is_dir()):
            print("The real input was left out." if alone else "The real input is not beside this repository.")
            continue
        for moment in given.issued:
            run(given, moment)
