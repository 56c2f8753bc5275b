"""Kill `credly publish` at random, over and over, while learners change, and look at every page.

    python -m tests.torture.page_kills [--kills 50] [--learners 2000] [--seed N]

A real process is killed with SIGKILL at a random moment of its life. No page is ever broken, and in the end the folder
is the same, to the byte, as one that was published without a kill.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from credly_cli.store.database import Store
from tests.support.installed import PROGRAM, variables

_BADGES = 6
_AT = "2026-02-01T00:00:00Z"
_RUNS_A_KILL = 5  # at most: a run that ends before its moment has come is none
_CHANGED = 60  # learners, between two runs


@dataclass
class Outcome:
    """What came of it."""

    kills: int = 0
    runs: int = 0
    broken: int = 0  # pages that were not whole, seen after a kill
    differing: int = 0  # files that are not as in a folder published without a kill
    pages: int = 0

    @property
    def good(self) -> bool:
        """Whether nothing was broken, and nothing differs."""
        return (self.broken, self.differing) == (0, 0)


def fill(home: Path, learners: int) -> None:
    """Make a connected store with learners who are enrolled and have earned."""
    home.mkdir(mode=0o700)
    with Store.open(home / "credly.db") as store, store.transaction():
        many = store.connection.executemany
        store.change(
            "INSERT INTO connection (id, organization_id, organization_name, api_url, api_url_given, token_kind,"
            " connected_at) VALUES (1, 'o', 'Torture School', 'https://api.example/v1', 0, 'stored', ?)",
            (_AT,),
        )
        many(
            "INSERT INTO badges (id, name, state, allow_duplicates, listed, fingerprint, raw)"
            " VALUES ('b' || :n, 'Badge ' || :n, 'active', 0, 1, '', :raw)",
            [{"n": number, "raw": json.dumps({"description": "What it is about. " * 9})} for number in range(_BADGES)],
        )
        many(
            "INSERT INTO content (id, title, released) VALUES ('c' || :n, 'Content ' || :n, 1)",
            [{"n": number} for number in range(_BADGES)],
        )
        many(
            "INSERT INTO links (badge_id, content_id, linked_at, counts_from) VALUES ('b' || :n, 'c' || :n, :at, :at)",
            [{"n": number, "at": _AT} for number in range(_BADGES)],
        )
        add(store, range(1, learners + 1))


def add(store: Store, numbers: range) -> None:
    """Add learners, each enrolled in something and with a badge."""
    many = store.connection.executemany
    many(
        "INSERT INTO learners (id, email, email_key, first_name, last_name)"
        " VALUES (:n, 'l' || :n || '@example.org', 'l' || :n || '@example.org', 'First', 'Last' || :n)",
        [{"n": number} for number in numbers],
    )
    many(
        "INSERT INTO enrollments (learner, content_id, progress) VALUES (?, 'c' || ?, 0)",
        [(number, number % _BADGES) for number in numbers],
    )
    many(
        "INSERT INTO issued_badges (id, badge_id, email_key, state, stored_at, issued_at)"
        " VALUES ('i' || :n, 'b' || :badge, 'l' || :n || '@example.org', 'accepted', :at, :at)",
        [{"n": number, "badge": (number + 1) % _BADGES, "at": _AT} for number in numbers],
    )


def torture(folder: Path, kills: int, learners: int, chance: random.Random) -> Outcome:
    """Kill so many runs, let one come to its end, and compare."""
    outcome = Outcome()
    home, site, whole = folder / "home", folder / "site", folder / "whole"
    fill(home, learners)
    while outcome.kills < kills and outcome.runs < kills * _RUNS_A_KILL:
        outcome.kills += _killed(home, site, chance)
        outcome.runs += 1
        outcome.broken += sum(not _is_whole(path) for path in site.glob("*.html")) if site.exists() else 0
        _change(home, learners, outcome.runs, chance)
    for place in (site, whole):
        subprocess.run([*PROGRAM, "publish", str(place), "-q"], env=variables(home), check=True)  # noqa: S603
    found, wanted = files_of(site), files_of(whole)
    outcome.differing = sum(found.get(name) != wanted.get(name) for name in found.keys() | wanted.keys())
    outcome.pages = sum(name.endswith(".html") for name in found)
    return outcome


def _killed(home: Path, site: Path, chance: random.Random) -> bool:
    """Publish, and kill that at a random moment; returns whether it was still alive."""
    process = subprocess.Popen(  # noqa: S603
        [*PROGRAM, "publish", str(site), "-q"], env=variables(home), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    list_before = _state(site)
    end = time.monotonic() + 20
    while chance.random() < 0.9 and _state(site) == list_before and process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)  # mostly it is killed while it writes
    time.sleep(chance.uniform(0, 0.5))
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return alive


def _state(site: Path) -> int:
    return site.stat().st_mtime_ns if site.exists() else 0


def _is_whole(path: Path) -> bool:
    page = path.read_bytes()
    return page.startswith(b"<!doctype html>") and page.rstrip().endswith(b"</html>")


def _change(home: Path, learners: int, number: int, chance: random.Random) -> None:
    """Let learners go on, some come, and one be forgotten or merged; now and then every page changes."""
    with Store.open(home / "credly.db") as store, store.transaction():
        some = [chance.randrange(1, learners + 1) for _ in range(_CHANGED)]
        store.connection.executemany(
            "UPDATE enrollments SET progress = ? WHERE learner = ?", [(number / 10, learner) for learner in some]
        )
        gone = chance.randrange(1, learners + 1)
        store.change("DELETE FROM enrollments WHERE learner = ?", (gone,))
        store.change("DELETE FROM learners WHERE id = ?", (gone,))
        add(store, range(learners + number * 3, learners + number * 3 + 3))
        if number % 5 == 0:
            store.change("UPDATE content SET title = ? WHERE id = 'c1'", (f"Content after {number}",))


def files_of(folder: Path) -> dict[str, bytes]:
    """Return what is in each file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def main() -> int:
    """Run the torture and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--learners", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311 - chance, no secret
    options = parser.parse_args()
    print(f"seed {options.seed}")  # noqa: T201
    with tempfile.TemporaryDirectory() as folder:
        outcome = torture(Path(folder), options.kills, options.learners, random.Random(options.seed))  # noqa: S311
    print(outcome)  # noqa: T201
    return 0 if outcome.good and outcome.kills >= options.kills else 1


if __name__ == "__main__":
    sys.exit(main())
