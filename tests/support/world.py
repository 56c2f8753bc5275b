"""A small world whose badges can be counted: completions of learners, and what Credly has issued for them."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from credly_cli.sandbox.records import EarnedBadge
from credly_cli.store import grants
from credly_cli.store.database import Store
from credly_cli.text import as_json
from tests.support.desk import Desk, Ran

ONCE, REPEATABLE = "Facilitator", "Webinar Participant"
SESSIONS = ("first-aid-march", "first-aid-april")


class KilledError(BaseException):
    """The process is gone: nothing that comes after it runs, as after a SIGKILL."""


@dataclass
class World:
    """A desk with a badge earned once (by an article) and one that each session earns (by a course)."""

    desk: Desk
    completed: list[tuple[str, str, str, str]] = field(default_factory=list)  # badge, email, session, time

    def copied_to(self, home: Path) -> "World":
        """Return a world that goes on from here by itself."""
        return World(self.desk.copied_to(home), list(self.completed))

    def link(self) -> None:
        """Link both badges."""
        self.desk.json("link", REPEATABLE, "first-aid")
        self.desk.json("link", ONCE, "hygiene")
        self.desk.pass_time(hours=1)

    def complete(self, *numbers: int, sessions: tuple[str, ...] = SESSIONS, article: bool = True) -> None:
        """Let learners complete sessions of the course, and the article."""
        now = self.desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        rows = []
        for number in numbers:
            email = f"learner{number}@example.org"
            places = [(REPEATABLE, "first-aid", session) for session in sessions]
            places += [(ONCE, "hygiene", "")] if article else []
            for badge, content, session in places:
                rows.append(f"{email},{content},{session},completed,{now},First{number},Last{number}")
                self.completed.append((badge, email, session, now))
        self.desk.learns(*rows)
        self.desk.pass_time(minutes=1)

    def store_files(self) -> list[Path]:
        """Return the files of the store, without its lock."""
        return [path for path in self.desk.home.glob("credly.db*") if path.suffix != ".lock"]

    def lose_store(self, *, with_lock: bool) -> None:
        """Delete the store."""
        for path in self.store_files():
            path.unlink()
        if with_lock:
            (self.desk.home / "credly.db.lock").unlink()

    def set_up_again(self) -> None:
        """Connect, link and import as at the beginning, with all that was completed so far."""
        self.desk.connect()
        self.desk.json("sync", "--only", "badges")
        content = "content_id,title,type,status,session_id,session_title\n"
        content += "".join(f"first-aid,First Aid Course,course,published,{session},S\n" for session in SESSIONS)
        self.desk.imports("content", content + "hygiene,Kitchen Hygiene,article,published,,\n")
        self.desk.json("link", REPEATABLE, "first-aid", "--since", "2026-01-01", "--yes")
        self.desk.json("link", ONCE, "hygiene", "--since", "2026-01-01", "--yes")
        places = {REPEATABLE: "first-aid", ONCE: "hygiene"}
        for badge, email, session, at in self.completed:
            number = email.removeprefix("learner").partition("@")[0]
            self.desk.learns(f"{email},{places[badge]},{session},completed,{at},First{number},Last{number}")

    def sync(self, *options: str) -> Ran:
        """Run `sync` once, some time after the last run."""
        ran = self.desk.run("sync", "--json", *options)
        self.desk.pass_time(seconds=5)
        return ran

    def calm_down(self, runs: int = 4, **wait: float) -> Ran:
        """Take all faults away and run until nothing is open; at most three more runs after the first."""
        self.desk.sandbox.faults.clear()
        ran = self.sync()
        for _ in range(runs - 1):
            if ran.code == 0:
                break
            self.desk.pass_time(**(wait or {"minutes": 16}))
            ran = self.sync()
        assert ran.code == 0, ran
        return ran

    def posts(self) -> int:
        """Count the requests to issue."""
        return self.desk.sandbox.log.count("POST", "/badges$")

    def ledger(self) -> list[dict[str, Any]]:
        """Return all grants."""
        with self.desk.store() as store:
            return [as_json(grant) for grant in grants.listed(store)]

    def states(self) -> Counter[str]:
        """Count the grants by state."""
        return Counter(grant["state"] for grant in self.ledger())

    def check_none_doubled(self) -> None:
        """Expect at most one badge for each completion, whatever the moment."""
        counts = Counter(map(_key, self.desk.issued()))
        wanted = Counter((self.desk.badge_id(badge), email, at) for badge, email, _, at in self.completed)
        assert all(counts[key] <= wanted[key] for key in counts), counts - wanted

    def check_earned(self) -> None:
        """Expect exactly one badge for each completion, whatever the ledger calls it, and a quiet rerun."""
        wanted = Counter((self.desk.badge_id(badge), email, at) for badge, email, _, at in self.completed)
        assert Counter(map(_key, self.desk.issued())) == wanted
        assert set(self.states()) <= {"issued", "covered"}
        sent = self.posts()
        assert self.sync().code == 0
        assert self.posts() == sent

    def check_all(self) -> None:
        """Expect exactly one badge for each completion, bound to its grant, and a quiet rerun."""
        wanted = Counter((self.desk.badge_id(badge), email, at) for badge, email, _, at in self.completed)
        assert Counter(map(_key, self.desk.issued())) == wanted
        known = {badge.id: badge for badge in self.desk.issued()}
        for grant in self.ledger():
            assert grant["state"] == "issued", grant
            assert _key(known[grant["issued_badge_id"]]) == (
                grant["badge"]["id"],
                grant["email"],
                grant["completed_at"],
            )
            assert _fits(known[grant["issued_badge_id"]], grant, self.desk)
        sent = self.posts()
        assert self.sync().code == 0
        assert self.posts() == sent


def _key(badge: EarnedBadge) -> tuple[str, str, str]:
    at = datetime.fromisoformat(badge.details.issued_at).astimezone(UTC)
    return badge.template_id, badge.email, at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _fits(badge: EarnedBadge, grant: dict[str, Any], desk: Desk) -> bool:
    with desk.store() as store:
        mark: str = store.value("SELECT earner_id FROM grants WHERE id = ?", (grant["id"],))
    return badge.details.issuer_earner_id == mark


@contextmanager
def killed_at(number: int, *, before_commit: bool) -> Iterator[Callable[[], bool]]:
    """Kill the program at its ``number``-th outermost transaction: before its commit, or right after it.

    Yields a function that tells whether it has come to that.
    """
    seen = 0
    original = Store.transaction

    @contextmanager
    def transaction(self: Store) -> Iterator[None]:
        nonlocal seen
        if self.connection.in_transaction:
            with original(self):
                yield
            return
        seen += 1
        mine = seen
        with original(self):
            yield
            if mine == number and before_commit:
                raise KilledError
        if mine == number:
            raise KilledError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "transaction", transaction)
        yield lambda: seen >= number
