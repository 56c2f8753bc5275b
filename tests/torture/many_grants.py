"""Issue 100,000 badges in one run of the installed program: none doubled, none lost, and memory that does not grow.

    python -m tests.torture.many_grants [--grants 100000] [--parallel 8]

Each learner earns three badges: two by sessions of a course, one by an article. The stand-in is a process's own thread
over a real socket; what the program takes of memory is read from the system as it runs.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path

from tests.support.processes import PACE, Site

_GROWTH = 1.1  # of memory, between the second quarter of the badges and the last


@dataclass
class Counts:
    """What came of it; memory in MB."""

    grants: int = 0
    posts: int = 0
    doubled: int = 0
    lost: int = 0
    mislinked: int = 0
    seconds: float = 0.0
    a_second: float = 0.0
    memory_at_a_quarter: int = 0
    memory_at_a_half: int = 0
    memory_at_the_end: int = 0
    exit_code: int = -1

    @property
    def good(self) -> bool:
        """Whether each grant has its one badge, by one request."""
        none = (self.doubled, self.lost, self.mislinked, self.exit_code) == (0, 0, 0, 0)
        return none and self.posts == self.grants

    @property
    def is_flat(self) -> bool:
        """Whether memory stands still once a quarter of the badges is issued."""
        return self.memory_at_the_end <= self.memory_at_a_half * _GROWTH

    def table(self) -> str:
        """Return it as a table of two columns."""
        return "\n".join(f"{one.name.replace('_', ' '):<24}{getattr(self, one.name):>10,.0f}" for one in fields(self))


def issue_many(folder: Path, learners: int, parallel: int) -> Counts:
    """Let so many learners earn three badges each, issue them all in one run, and count."""
    counts = Counts(grants=learners * 3)
    with Site(folder, f"{PACE}brake = 0\n[credly]\nparallel = {parallel}\n") as site:
        site.complete(learners)
        started = time.monotonic()
        counts.exit_code = _sync(site, counts)
        counts.seconds = time.monotonic() - started
        counts.a_second = counts.grants / counts.seconds
        counts.posts = _posts(site)
        counts.doubled, counts.mislinked = site.doubled(), site.mislinked()
        counts.lost = counts.grants - min(site.states()["issued"], len(site.sandbox.issued()) - counts.doubled)
    return counts


def _sync(site: Site, counts: Counts) -> int:
    """Run `sync`, and note the most memory that it has had by each part of the badges; returns its exit code."""
    peaks = dict.fromkeys(("quarter", "half", "end"), 0)
    with site.start("sync", "--quiet") as process:
        while process.poll() is None:
            done, memory = len(site.sandbox.book.in_order) / counts.grants, _memory(process.pid)
            for part, share in (("quarter", 0.25), ("half", 0.5), ("end", 1.0)):
                if done <= share:
                    peaks[part] = max(peaks[part], memory)
            time.sleep(0.1)
    counts.memory_at_a_quarter, counts.memory_at_a_half, counts.memory_at_the_end = peaks.values()
    return process.returncode


def _posts(site: Site) -> int:
    """Count the requests to issue; the log keeps the last ones only."""
    return sum(number for (method, _), number in site.sandbox.log.totals.items() if method == "POST")


def _memory(pid: int) -> int:
    """Return how many MB a process has in memory; 0 where it has just ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    rows = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(rows.get("VmRSS", "0").split()[0]) // 1024


def main() -> int:
    """Issue them and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grants", type=int, default=100_000)
    parser.add_argument("--parallel", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = issue_many(Path(folder), -(-options.grants // 3), options.parallel)
    print(counts.table())  # noqa: T201
    return 0 if counts.good and counts.is_flat else 1


if __name__ == "__main__":
    sys.exit(main())
