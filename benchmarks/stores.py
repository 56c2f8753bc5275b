"""Stores and files of any size, made within seconds by SQL through the program's own schema."""

import csv
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from credly_cli.store.database import Store
from credly_cli.times import utc_text

from benchmarks import world
from benchmarks.measure import ROOT, Server, Took, run

CREDLY = str(Path(sys.executable).with_name("credly"))
LINKED_FROM = "2025-12-01T00:00:00Z"

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count)"
_MADE = "strftime('%Y-%m-%dT%H:%M:%SZ', '2025-01-01', (i * 30) || ' seconds')"


@contextmanager
def workshop() -> Iterator[Path]:
    """Have a folder for a block, on the disk that the program would use."""
    with tempfile.TemporaryDirectory(prefix="credly-bench-") as folder:
        yield Path(folder)


def credly(home: Path, *arguments: str, stdin: str = "", codes: tuple[int, ...] = (0,), url: str = "") -> Took:
    """Run the installed program."""
    environ = {"CREDLY_HOME": str(home), **({"CREDLY_API_URL": url} if url else {})}
    return run([CREDLY, *arguments], stdin=stdin, environ=environ, codes=codes)


def connected(home: Path, server: Server, *, parallel: int = 4) -> Path:
    """Make a home that is connected to a server."""
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text(f"[credly]\nparallel = {parallel}\n")
    credly(
        home,
        "connect",
        "--token-stdin",
        "--api-url",
        server.url,
        "--organization",
        world.ORGANIZATION,
        stdin=world.TOKEN,
    )
    return home


def copied(home: Path) -> Path:
    """Return a copy of a home, beside it; of the copies only the latest is kept."""
    copy = home.with_name(f"{home.name}-copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(home, copy)
    subprocess.run(["sync"], check=True)  # noqa: S607 - the copy's own writing must not be measured
    return copy


def add_content(home: Path, count: int, linked: int = 0) -> None:
    """Add content without sessions, and link the first badges to the first of it."""
    with Store.open(home / "credly.db") as store, store.transaction():
        store.change(
            f"{_NUMBERS} INSERT INTO content (id, title, type, released)"
            " SELECT 'course-' || i, 'Course ' || i, 'course', 1 FROM n",
            {"count": count},
        )
        if linked:
            store.change(
                f"{_NUMBERS} INSERT INTO links (badge_id, content_id, linked_at, counts_from)"
                " SELECT printf('33333333-3333-4333-8333-%012d', i), 'course-' || i, :since, :since FROM n",
                {"count": linked, "since": LINKED_FROM},
            )


def add_learners(home: Path, count: int) -> None:
    """Add learners with names, a quarter of them with letters beyond ASCII."""
    with Store.open(home / "credly.db") as store, store.transaction():
        store.change(
            f"{_NUMBERS} INSERT INTO learners (id, email, email_key, learner_id, first_name, last_name)"
            " SELECT i + 1, 'learner' || i || '@example.com', 'learner' || i || '@example.com', 'L' || i,"
            " iif(i % 4, 'Robin', 'Chloé'), iif(i % 4, 'Sample', 'Müller') || i FROM n",
            {"count": count},
        )


def add_grants(home: Path, count: int) -> None:
    """Add a grant for each of the first issued badges, to the learner who holds it."""
    with Store.open(home / "credly.db") as store, store.transaction():
        store.change(
            f"{_NUMBERS} INSERT INTO grants (badge_id, learner, content_id, session_id, reason, state, completed_at,"
            " issued_at, once, earner_id, issued_badge_id, created_at, updated_at)"
            " SELECT printf('33333333-3333-4333-8333-%012d', i % 50), i + 1, 'course-' || (i % 50), '', 'completion',"
            " 'issued', :at, :at, 1, 'L' || i, printf('77777777-7777-4777-8777-%012d', i), :at, :at FROM n",
            {"count": count, "at": LINKED_FROM},
        )


def add_enrollments(home: Path, count: int, learners: int, contents: int) -> None:
    """Add completions, each learner's in different content; as planned already, and too early to count."""
    with Store.open(home / "credly.db") as store, store.transaction():
        store.change(
            f"{_NUMBERS} INSERT INTO enrollments"
            " (learner, content_id, progress, enrolled_at, completed_at, completed_latest, rev)"
            " SELECT i % :learners + 1, 'course-' || ((i / :learners + i) % :contents), 100, '2025-01-01T00:00:00Z',"
            " strftime('%Y-%m-%dT%H:%M:%SZ', '2025-01-01', (i * 25) || ' seconds') AS moment,"
            " strftime('%Y-%m-%dT%H:%M:%SZ', '2025-01-01', (i * 25) || ' seconds'), i / 10000 + 1 FROM n",
            {"count": count, "learners": learners, "contents": contents},
        )
        last = (count - 1) // 10_000 + 1
        store.change("INSERT INTO bookmarks VALUES ('completions-rev', ?)", (str(last),))
        store.change("UPDATE links SET planned_rev = ?", (last,))


def complete(home: Path, count: int, contents: int, *, first_learner: int = 0) -> None:
    """Add completions that count, of learners and content that are there, as an import would."""
    with Store.open(home / "credly.db") as store, store.transaction():
        now = utc_text(datetime.now(UTC))  # what was completed before there was a store is another story
        rev = int(store.value("SELECT value FROM bookmarks WHERE name = 'completions-rev'") or 0) + 1
        store.change(
            f"{_NUMBERS} INSERT INTO enrollments"
            " (learner, content_id, session_id, progress, enrolled_at, completed_at, completed_latest, rev)"
            " SELECT :first + i + 1, 'course-' || (i % :contents), 'again', 100, :moment, :moment, :moment, :rev"
            " FROM n",
            {"count": count, "first": first_learner, "contents": contents, "moment": now, "rev": rev},
        )
        store.change("INSERT OR REPLACE INTO bookmarks VALUES ('completions-rev', ?)", (str(rev),))


def add_issued(home: Path, count: int) -> None:
    """Add the issued badges that the server lists as old ones."""
    with Store.open(home / "credly.db") as store, store.transaction():
        store.change(
            f"""{_NUMBERS} INSERT INTO issued_badges (id, badge_id, badge_name, image_url, email, email_key, earner_id,
              user_id, state, issued_at, created_at, state_updated_at, view_url, accept_url, stored_at)
            SELECT printf('77777777-7777-4777-8777-%012d', i), printf('33333333-3333-4333-8333-%012d', i % 500),
              'Badge ' || (i % 500), 'https://images.credly.com/images/44444444-4444-4444-8444-444444444444/badge.png',
              'learner' || i || '@example.com', 'learner' || i || '@example.com', 'L' || i,
              iif(i % 4, printf('88888888-8888-4888-8888-%012d', i), NULL), iif(i % 4, 'accepted', 'pending'),
              {_MADE}, {_MADE}, iif(i % 4, strftime('%Y-%m-%dT%H:%M:%SZ', '2025-01-02', (i * 30) || ' seconds'), NULL),
              iif(i % 4, printf('https://www.credly.com/badges/77777777-7777-4777-8777-%012d', i), NULL),
              iif(i % 4, NULL, printf('https://www.credly.com/badges/77777777-7777-4777-8777-%012d/accept', i)),
              '2026-01-01T00:00:00Z' FROM n""",
            {"count": count},
        )


def add_earned(home: Path, learners: int, each: int, linked: int) -> None:
    """Add what learners earned through links that count: a completion, its grant and its issued badge for each."""
    since = f"strftime('%Y-%m-%dT%H:%M:%SZ', '{LINKED_FROM}', (i * 7) || ' seconds')"
    of_learner = "i / :each + 1"
    course = f"(({of_learner}) * 3 + i % :each * 7) % :linked"
    badge, params = f"printf('33333333-3333-4333-8333-%012d', {course})", {"count": learners * each}
    issued = "printf('99999999-9999-4999-8999-%012d', i)"
    params |= {"each": each, "linked": linked}
    with Store.open(home / "credly.db") as store, store.transaction():
        store.change(
            f"{_NUMBERS} INSERT INTO enrollments (learner, content_id, progress, completed_at, completed_latest, rev)"
            f" SELECT {of_learner}, 'course-' || ({course}), 100, {since}, {since}, 1 FROM n",
            params,
        )
        store.change(
            f"{_NUMBERS} INSERT INTO enrollments (learner, content_id, progress)"
            f" SELECT i + 1, 'course-' || ((i * 3 + 5) % :linked), 40 FROM n WHERE true ON CONFLICT DO NOTHING",
            {"count": learners, "linked": linked},
        )
        store.change(
            f"""{_NUMBERS} INSERT INTO issued_badges (id, badge_id, badge_name, image_url, email, email_key, earner_id,
              user_id, state, issued_at, created_at, state_updated_at, view_url, accept_url, stored_at)
            SELECT {issued}, {badge}, 'Badge ' || ({course}), 'https://images.credly.com/images/badge.png',
              'learner' || (i / :each) || '@example.com', 'learner' || (i / :each) || '@example.com',
              'L' || (i / :each), NULL, iif(i % 4, 'accepted', 'pending'), {since}, {since}, NULL,
              iif(i % 4, 'https://www.credly.com/badges/' || {issued}, NULL),
              iif(i % 4, NULL, 'https://www.credly.com/badges/' || {issued} || '/accept'),
              '2026-01-01T00:00:00Z' FROM n""",
            params,
        )
        store.change(
            f"""{_NUMBERS} INSERT INTO grants (badge_id, learner, content_id, reason, state, completed_at, issued_at,
              once, earner_id, issued_badge_id, created_at, updated_at)
            SELECT {badge}, {of_learner}, 'course-' || ({course}), 'completion', 'issued', {since}, {since}, 1,
              'L' || (i / :each), {issued}, {since}, {since} FROM n""",
            params,
        )


def megabytes(path: Path) -> float:
    """Return the size of a file."""
    return path.stat().st_size / 1_000_000


def progress_file(path: Path, rows: int, contents: int = 100) -> Path:
    """Write a progress file as an LMS exports it: five rows a learner, four of five complete."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["email", "content_id", "progress", "status", "enrolled_at", "completed_at", "first_name", "last_name"]
        )
        for number in range(rows):
            learner, done = number // 5, number % 5 != 0
            day = f"2025-{number % 12 + 1:02d}-{number % 28 + 1:02d}T{number % 24:02d}:{number % 60:02d}:00Z"
            writer.writerow(
                [
                    world.email(learner),
                    f"course-{(learner + number * 7) % contents}",
                    "100" if done else "40",
                    "completed" if done else "in progress",
                    "2024-12-01T08:00:00Z",
                    day if done else "",
                    "Robin",
                    f"Sample{learner}",
                ]
            )
    return path


def sources() -> str:
    """Return where the benchmark's programs lie."""
    return str(ROOT / "benchmarks")
