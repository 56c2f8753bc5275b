"""Run the main job on the real input beside this repository and print its figures.

A recorded list of badge templates is served by the sandbox; a real LMS's learners, content and progress come in; six
badges are linked to six courses; `credly sync` issues a badge for each completion that counts.
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
from pathlib import Path
from typing import Any

from credly_cli.sandbox.samples import recorded_organization
from credly_cli.sandbox.server import SandboxServer
from credly_cli.sandbox.state import Sandbox

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
COURSES = ("AAA", "BBB", "DDD", "EEE", "FFF", "GGG")
EXPECTED = {"2013-01-01": 8917, "2015-01-01": 4442, None: 0}


def credly(home: str, *arguments: str, stdin: str = "") -> Any:
    """Run a command and return its JSON answer."""
    command = [sys.executable, "-m", "credly_cli", *arguments, "--json"]
    environment = {**os.environ, "CREDLY_HOME": home}
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=environment, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def times_of_completions(since: str | None) -> Counter[tuple[str, str]]:
    """Count what is to be issued: learner's address and time, from the file itself."""
    with (DATA / "oulad" / "progress.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return Counter(
        (row["email"], row["completed_at"].replace("Z", ".000Z"))
        for row in rows
        if row["completed_at"] and since is not None and row["completed_at"] >= since
    )


def run(since: str | None) -> None:
    """Do the main job with links that count from a moment, and check what was issued."""
    sandbox = Sandbox(*recorded_organization(DATA / "credly" / "badge_templates.json"))
    with SandboxServer(sandbox) as server, tempfile.TemporaryDirectory() as home:
        credly(home, "connect", "--api-url", server.url, "--token-stdin", stdin=sandbox.token)
        first = credly(home, "sync")
        for kind in ("learners", "content", "progress"):
            credly(home, "import", kind, str(DATA / "oulad" / f"{kind}.csv"))
        badges = [badge["id"] for badge in credly(home, "badges")]
        for badge, course in zip(badges, COURSES, strict=False):
            credly(home, "link", badge, course, "--yes", *(["--since", since] if since else []))
        started = time.perf_counter()
        second = credly(home, "sync")
        seconds = time.perf_counter() - started
        third = credly(home, "sync")
        grants = credly(home, "grants")
        sent = Counter((badge.email, badge.details.issued_at) for badge in sandbox.issued())
    issued = second["grants"]["issued"]
    per_course = Counter(grant["content"]["id"] for grant in grants if grant["state"] == "issued")
    print(f"since {since or 'now'}: {first['badges']['added']} badges, {issued} issued in {seconds:.1f} s, "
          f"{third['grants']['issued']} by the next sync; {dict(sorted(per_course.items()))}")  # fmt: skip
    if issued != EXPECTED[since] or third["grants"]["issued"] or sent != times_of_completions(since):
        raise SystemExit("That is not what the input says.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit("The real input is not beside this repository.")
    for moment in EXPECTED:
        run(moment)
