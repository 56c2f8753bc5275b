"""Kill the first sync of many past events of an LMS at random, let it resume, and compare with one that was not killed.

The LMS is a stand-in of Thought Industries, or with ``--lms xapi`` of a learning record store, Credly the sandbox, both
on loopback; the program is a process of its own.
"""

import argparse
import contextlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from credly_cli.sandbox.records import sample_organization
from credly_cli.sandbox.server import SandboxServer
from credly_cli.sandbox.state import Sandbox
from tests.support.record_store import PASSWORD, OddStore, StoreServer, configuration, said
from tests.support.thought_industries import KEY, Site, StandIn

SECRETS = [KEY]
TABLES = {
    "learners": "email, learner_id, first_name, last_name",
    "enrollments": "(SELECT email FROM learners WHERE id = learner), content_id, session_id, completed_at, event_id",
    "content": "id, title",
    "sessions": "id, content_id",
}


PER_PAGE = 500  # statements


class Asked(Protocol):
    """What notes the requests that it is asked."""

    requests: list[str]


PEAKS: list[int] = []  # of memory, in KB


def peak_of(pid: int) -> int:
    """Return the most memory that a process has had since it was started, in KB; 0 where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
        return int(status.partition("VmHWM:")[2].split()[0])
    return 0


def site_with(events: int, users: int) -> Site:
    """Make a site with many users where much has happened."""
    site = Site(content=[{"id": f"g{group}", "kind": "courseGroup", "title": f"Group {group}"} for group in range(20)])
    for course in range(60):
        item = {"id": f"c{course}", "kind": "course", "title": f"Course {course}", "courseGroup": f"g{course % 20}"}
        site.content.append(item)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    past = []
    for number in range(events):
        person = f"user{number * 7919 % (events // 4)}@example.org"
        detail = {"id": f"u-{person}", "firstName": "User", "lastName": person[4:8]}
        at = (start + timedelta(seconds=number * 300)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        past.append({"id": f"e{number}", "event": "courseCompletion", "type": "status_change", "timestamp": at,
                     "source": "course_completed", "notifiableId": f"c{number % 60}", "user": person,
                     "userDetail": detail})  # fmt: skip
    site.events["courseCompletion"] = past[::-1]
    people = [f"user{number}@example.org" for number in range(users)]
    site.users = [{"id": f"u-{email}", "email": email, "firstName": "User", "lastName": email[4:8],
                   "purchasedCourses": [{"courseId": "c1", "status": "active"}]} for email in people]  # fmt: skip
    return site


def store_with(statements: int) -> OddStore:
    """Make a record store with many statements, a second apart."""
    store = OddStore(per_page=PER_PAGE)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    for number in range(statements):
        at = (start + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        email = f"user{number * 7919 % (statements // 4)}.sample@example.org"
        more = {"id": f"{number:08x}-0000-4000-8000-000000000000", "result": {"completion": True, "success": True}}
        store.store(said("completed", email, f"https://lms.example/c{number % 60}", at, **more), stored=at)
    return store


def contents(home: str) -> list[list[Any]]:
    """Read what the store tells, without the numbers that it gives itself."""
    with contextlib.closing(sqlite3.connect(f"file:{home}/credly.db?mode=ro", uri=True)) as store:
        return [sorted(store.execute(f"SELECT {names} FROM {table}"), key=str) for table, names in TABLES.items()]  # noqa: S608


@contextlib.contextmanager
def connected_home(text: str, credly: str, token: str) -> Iterator[str]:
    """Make a home of this configuration that is connected to both."""
    with tempfile.TemporaryDirectory() as home:
        Path(home, "config.toml").write_text(text)
        process(home, "connect", "--api-url", credly, "--token-stdin", stdin=token).wait()
        courses = "".join(f"https://lms.example/c{number},Course {number}\n" for number in range(60))
        if "xapi" in text:
            process(home, "import", "content", "-", stdin=f"content_id,title\n{courses}").wait()
        yield home


def process(home: str, *arguments: str, stdin: str = "") -> subprocess.Popen[str]:
    """Start a command."""
    environment = {**os.environ, "CREDLY_HOME": home, "CREDLY_LMS_TOKEN": SECRETS[0]}
    started = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "credly_cli", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    if started.stdin is not None:
        started.stdin.write(stdin)
        started.stdin.close()
        started.stdin = None
    return started


def synchronise(home: str, site: Asked, kill_at: list[int]) -> tuple[int, float, Any]:
    """Sync until it ends by itself, killing it whenever the LMS was asked so many times; returns the requests made."""
    site.requests.clear()
    started = time.perf_counter()
    for requests in [*kill_at, None]:
        running = process(home, "sync", "--only", "lms", "--json")
        while requests is not None and running.poll() is None and len(site.requests) < requests:
            time.sleep(0.001)
        if requests is not None:
            time.sleep(random.uniform(0, 0.03))  # noqa: S311 - anywhere between two requests
            running.kill()
        while running.poll() is None:
            PEAKS.append(peak_of(running.pid))
            time.sleep(0.05)
        answer, _ = running.communicate()
    return len(site.requests), time.perf_counter() - started, json.loads(answer)


def main(lms_name: str, events: int, users: int, kills: int, seed: int) -> None:
    """Run both and compare."""
    random.seed(seed)
    if lms_name == "xapi":
        SECRETS[0] = PASSWORD
        store = store_with(events)
        with StoreServer(store) as lms:
            compare(store, configuration(lms.url), events // PER_PAGE, kills)
        return
    site = site_with(events, users)
    with StandIn(site) as lms:
        text = f'[lms]\nsource = "thought-industries"\n[lms.thought_industries]\nhost = "{lms.url}"\n'
        compare(site, text, (events + users) // site.per_page, kills)


def compare(site: Asked, text: str, pages: int, kills: int) -> None:
    """Sync an LMS with and without kills, and compare the stores."""
    sandbox = Sandbox(*sample_organization())
    with SandboxServer(sandbox) as credly:
        with connected_home(text, credly.url, sandbox.token) as home:
            asked, seconds, first = synchronise(home, site, [])
            whole = contents(home)
        rows = first["lms"]["progress"]["read"]
        print(
            f"without a kill: {asked} requests, {seconds:.0f} s, {rows / seconds:,.0f} rows a second;"
            f" {len(whole[1])} enrollments, {len(whole[0])} learners"
        )
        with connected_home(text, credly.url, sandbox.token) as home:
            kill_at = sorted(random.sample(range(1, pages), kills))
            asked_again, seconds, last = synchronise(home, site, kill_at)
            killed = contents(home)
            print(f"killed {kills} times: {asked_again} requests, {seconds:.0f} s; last: {last['lms']['progress']}")
            requests, seconds, nothing = synchronise(home, site, [])
            print(f"the next sync: {requests} requests, {seconds:.1f} s; {nothing['lms']['progress']}")
    if killed != whole:
        raise SystemExit("The stores differ.")
    print(f"no process had more than {max(PEAKS, default=0) // 1024} MB of memory")
    print("The stores are the same.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lms", choices=["thought-industries", "xapi"], default="thought-industries")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    main(options.lms, options.events, options.users, options.kills, options.seed)
