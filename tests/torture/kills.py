"""Kill the installed program at random, over and over, and count the badges: none doubled, none lost.

    python -m tests.torture.kills [--kills 200] [--grants 1000] [--seed N]

Two badges are granted: one that allows duplicates, for each of two sessions, and one that is earned once. A real
process is killed with SIGKILL, at a random moment of its life or of its requests; some answers are lost besides.
"""

import argparse
import random
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, fields
from pathlib import Path

from tests.support import faults
from tests.support.processes import Site

_LATENCY = 0.01
_MOST_RUNS = 5  # for each kill: a run that ends before its moment has come is none


@dataclass
class Counts:
    """What came of it."""

    grants: int = 0
    kills: int = 0
    runs: int = 0
    requests: int = 0
    uncertain_at_most: int = 0
    doubled: int = 0
    lost: int = 0
    mislinked: int = 0
    integrity: str = ""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether nothing is doubled, lost or broken."""
        return (self.doubled, self.lost, self.mislinked, self.integrity) == (0, 0, 0, "ok")

    def table(self) -> str:
        """Return it as a table of two columns."""
        rows = [(one.name.replace("_", " "), getattr(self, one.name)) for one in fields(self)]
        return "\n".join(
            f"{name:<20}{value if isinstance(value, str) else f'{value:,.0f}':>10}" for name, value in rows
        )


def torture(folder: Path, kills: int, learners: int, chance: random.Random) -> Counts:
    """Kill so many runs over three grants a learner, let it calm down, and count."""
    counts, started = Counts(grants=learners * 3), time.monotonic()
    with Site(folder) as site:
        site.complete(learners)
        site.sandbox.switches.latency = _LATENCY
        while counts.kills < kills and counts.runs < kills * _MOST_RUNS:
            if chance.random() < 0.2:
                site.sandbox.faults.add(faults.loses_answer(), "POST", nth=chance.randrange(1, 6))
            counts.kills += _killed(site, chance, per_kill=max(1.0, learners * 3 / kills))
            counts.runs += 1
            counts.uncertain_at_most = max(counts.uncertain_at_most, site.states().get("sending", 0))
        site.sandbox.switches.latency = 0
        site.calm_down(runs=20)
        states = site.states()
        counts.requests = site.sandbox.log.count("POST", "/badges$")
        counts.doubled, counts.mislinked, counts.integrity = site.doubled(), site.mislinked(), site.integrity()
        counts.lost = counts.grants - min(states["issued"], len(site.sandbox.issued()) - counts.doubled)
    counts.seconds = time.monotonic() - started
    return counts


def _killed(site: Site, chance: random.Random, per_kill: float) -> bool:
    """Run `sync` and kill it at a random moment; returns whether it was still alive."""
    before = site.sandbox.log.count("POST")
    process = site.start("sync")
    at_any_time = chance.random() < 0.25
    end = time.monotonic() + (chance.uniform(0, 0.8) if at_any_time else 20)
    wanted = before + chance.randint(0, max(1, int(per_kill)))
    while site.sandbox.log.count("POST") < wanted and process.poll() is None and time.monotonic() < end:
        time.sleep(0.001)
    time.sleep(chance.uniform(0, 0.03))
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    _let_the_server_finish(site)
    return alive


def _let_the_server_finish(site: Site) -> None:
    """Wait until what was under way has been done or not: lateness is another scenario."""
    end = time.monotonic() + 1
    while threading.active_count() > 2 and time.monotonic() < end:
        time.sleep(0.005)
    assert site.server.port


def main() -> int:
    """Run the torture and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--grants", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311 - chance, no secret
    options = parser.parse_args()
    print(f"seed {options.seed}")  # noqa: T201
    with tempfile.TemporaryDirectory() as folder:
        counts = torture(Path(folder), options.kills, -(-options.grants // 3), random.Random(options.seed))  # noqa: S311
    print(counts.table())  # noqa: T201
    return 0 if counts.good and counts.kills >= options.kills else 1


if __name__ == "__main__":
    sys.exit(main())
