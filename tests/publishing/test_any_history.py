"""Whatever happens, a folder that was brought up to date step by step is the same as one that is published anew."""

import random
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from credly_cli.sandbox.records import Refusal
from tests.learners.school import AGAIN, BADGE, School
from tests.publishing.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable

HAND = "Facilitator"
BADGES = {BADGE: "aid", AGAIN: "talk", HAND: "lead"}
LEARNERS = [f"learner{number}@example.org" for number in range(5)]
MARCH, LATER = "2026-03-01T00:00:00Z", "2026-03-04T00:00:00Z"
_AS_OF = re.compile(r'As of <time datetime="[^"]*">[^<]*</time>')


class History:
    """A school to which anything happens, by lot."""

    def __init__(self, school: School, seed: int) -> None:
        self.school = school
        self.desk = school.desk
        self.chance = random.Random(seed)  # noqa: S311 - of a test
        self.told: list[str] = []
        self.linked = dict(BADGES)
        self.names = {email: f"id-{number}" for number, email in enumerate(LEARNERS)}
        for badge, content in BADGES.items():
            school.teaches(content, content.title(), badge, url=f"https://lms.example/{content}")
        for session in ("talk-one", "talk-two"):
            school.teaches("talk", "Talk", session_id=session)
        for number, email in enumerate(LEARNERS):
            school.has(email, first_name=f"First{number}", last_name=f"Last{number}", learner_id=self.names[email])

    @property
    def someone(self) -> str:
        return self.chance.choice(sorted(self.names))

    @property
    def content(self) -> str:
        return self.chance.choice(sorted(BADGES.values()))

    def step(self) -> None:
        """Let something happen."""
        acts: list[Callable[[], object]] = [
            self.enroll, self.complete, self.complete, self.sync, self.sync, self.sync, self.rename, self.moves,
            self.given, self.of_panorama, self.badge_moves, self.badge_moves, self.issued_elsewhere, self.relink,
            self.content_changes, self.template_changes, self.time_passes, self.grant, self.forget, self.reconnect,
            self.merges, self.withdraws, self.address_passes_on, self.hides_expired, self.session_is_released,
            self.badge_expires, self.drop, self.same_account, self.replaced,
        ]  # fmt: skip
        act = self.chance.choice(acts)
        self.told.append(act.__name__)
        self.desk.pass_time(minutes=1)
        act()

    def run(self, *words: str) -> None:
        ran = self.desk.run(*words, "--json")
        assert ran.code != 1, (words, ran)

    def file(self, kind: str, **row: str) -> None:
        path = self.desk.file(f"{kind}.csv", f"{','.join(row)}\n{','.join(row.values())}\n")
        self.run("import", kind, path)

    def enroll(self) -> None:
        progress = str(self.chance.randrange(0, 100))
        self.file("progress", email=self.someone, content_id=self.content, progress=progress)

    def complete(self) -> None:
        now = self.desk.clock.now().isoformat()
        content = self.content
        session = self.chance.choice(["talk-one", "talk-two"]) if content == "talk" else ""
        row = {"email": self.someone, "content_id": content, "session_id": session}
        self.file("progress", **row, status="completed", completed_at=now)

    def withdraws(self) -> None:
        self.file("progress", email=self.someone, content_id=self.content, status="withdrawn")

    def sync(self) -> None:
        self.desk.pass_time(minutes=self.chance.choice([1, 20]))
        self.run("sync")

    def rename(self) -> None:
        email = self.someone
        last = self.chance.choice(["Wren", "Lark", ""])
        self.file("learners", email=email, first_name="New", last_name=last, learner_id=self.names[email])

    def moves(self) -> None:
        """Somebody has another address; the LMS's id tells who it is."""
        old = self.someone
        new = f"new{len(self.told)}@example.org"
        number = self.names[old].partition("-")[2]
        self.file("learners", email=new, first_name=f"First{number}", last_name=f"Last{number}",
                  learner_id=self.names[old])  # fmt: skip
        with self.desk.store() as store:
            if store.value("SELECT 1 FROM learners WHERE email_key = ?", (new,)):
                self.names[new] = self.names.pop(old)

    def address_passes_on(self) -> None:
        """Somebody new has an address that another one had."""
        with self.desk.store() as store:
            free = store.value("SELECT email_key FROM former_emails WHERE email_key NOT LIKE 'forgotten%' LIMIT 1")
        if free and free not in self.names:
            self.names[free] = f"again-{len(self.told)}"
            self.file("learners", email=free, first_name="Other", last_name="Body", learner_id=self.names[free])

    def merges(self) -> None:
        """Who was known by an address alone turns out to be somebody who is known."""
        email = self.someone
        known, _, number = self.names[email].partition("-")
        if known == "id":
            names = {"first_name": f"First{number}", "last_name": f"Last{number}"}
            home = f"home{len(self.told)}@example.org"
            self.file("progress", email=home, content_id=self.content, progress="7", **names)
            self.file("learners", email=home, learner_id=self.names[email], **names)
            self.names[home] = self.names.pop(email)

    def given(self) -> None:
        self.file("access", content_id=self.content, email=self.someone)

    def of_panorama(self) -> None:
        email = self.someone
        tenant = self.chance.choice(["Acme", ""])
        self.file("learners", email=email, panorama=tenant, learner_id=self.names[email])
        self.file("access", content_id=self.content, panorama="Acme")

    def relink(self) -> None:
        badge = self.chance.choice(sorted(BADGES))
        if self.linked.pop(badge, None):
            self.run("unlink", badge)
        else:
            self.run("link", badge, BADGES[badge], *self.chance.choice([(), ("--since", "2026-01-01", "--yes")]))
            self.linked[badge] = BADGES[badge]

    def content_changes(self) -> None:
        content = self.content
        how = self.chance.choice([
            {"title": f"Title {len(self.told)}"}, {"status": "draft"}, {"status": "published"},
            {"status": "published", "released_at": (LATER if self.desk.clock.now().isoformat() < LATER else MARCH)},
        ])  # fmt: skip
        self.file("content", content_id=content, **{"title": content.title(), **how})

    def session_is_released(self) -> None:
        status, content = self.chance.choice(["published", "draft"]), self.content
        self.file("content", content_id=content, title=content.title(), session_id=f"{content}-x", status=status)

    def template_changes(self) -> None:
        identity = self.desk.badge_id(BADGE) if self.chance.random() < 0.5 else self.desk.badge_id(AGAIN)
        changes: list[dict[str, Any]] = [
            {"description": f"It says {len(self.told)}."}, {"image_url": f"https://i.example/{len(self.told)}.png"},
            {"public": False}, {"public": True}, {"allow_duplicate_badges": self.chance.random() < 0.5},
        ]  # fmt: skip
        self.desk.sandbox.change_template(identity, **self.chance.choice(changes))
        self.run("sync")

    def badge_moves(self) -> None:
        """A badge is accepted, rejected, revoked or deleted in Credly."""
        if issued := self.desk.issued():
            badge = self.chance.choice(issued)
            act = self.chance.choice(["accept", "accept", "reject", "revoke", "delete"])
            with suppress(Refusal):  # not in its state
                getattr(self.desk.sandbox, act)(badge.id)
            self.desk.pass_time(minutes=20)
            self.run("sync", "--full")

    def issued_elsewhere(self) -> None:
        """Credly issues a badge itself, to an address of somebody, or to nobody known."""
        email = self.chance.choice([self.someone, "stranger@example.org"])
        with suppress(Refusal):
            self.desk.sandbox.issue_in_credly(self.desk.badge_id(self.chance.choice(sorted(BADGES))), email, "A", "B")
        self.run("sync")

    def same_account(self) -> None:
        """Somebody accepts with an account that has another address, under which they have a badge as well."""
        email, other = self.someone, f"private{len(self.told)}@example.org"
        self.desk.sandbox.issue_in_credly(self.desk.badge_id(HAND), other, "A", "B")
        self.desk.sandbox.add_user(email, "A", "B") if not self.desk.sandbox.find_user(email) else None
        self.run("sync", "--full")

    def replaced(self) -> None:
        issued = [badge for badge in self.desk.issued() if badge.state in ("pending", "accepted")]
        if issued:
            badge = self.chance.choice(issued)
            fields = {"badge_template_id": badge.template_id, "issued_at": "2026-03-02 09:00:00 +0000"}
            with suppress(Refusal):
                self.desk.sandbox.replace(badge.id, fields)
            self.run("sync", "--full")

    def badge_expires(self) -> None:
        template = self.desk.badge_id(self.chance.choice(sorted(BADGES)))
        soon = (self.desk.clock.now()).isoformat()[:11] + "23:00:00Z"
        email = self.someone
        with suppress(Refusal):  # who has it already
            self.desk.sandbox.issue_in_credly(template, email, "A", "B", expires_at=soon)
        self.run("sync")

    def time_passes(self) -> None:
        self.desk.pass_time(hours=self.chance.choice([2, 9, 30]))

    def grant(self) -> None:
        self.run("grant", self.someone, self.chance.choice(sorted(BADGES)))

    def drop(self) -> None:
        for grant in self.desk.json("grants", "--state", "planned", "--state", "held"):
            self.run("resolve", str(grant["id"]), "--drop")
            return

    def forget(self) -> None:
        if len(self.names) > 3:
            email = self.someone
            if self.desk.run("forget", email, "--yes", "--json").code == 0:
                del self.names[email]

    def reconnect(self) -> None:
        self.run("disconnect", "--yes")
        self.complete()
        self.desk.pass_time(minutes=5)
        self.desk.connect()

    def hides_expired(self) -> None:
        hidden = self.chance.choice(["true", "false"])
        self.desk.config(f"hide_expired_badges = {hidden}\n")


def content_of(folder: Path) -> dict[str, str]:
    """Return what stands in each page, but for as of when."""
    return {path.name: _AS_OF.sub("", path.read_text("utf-8")) for path in folder.glob("*.html")}


def lines_of(path: Path) -> list[list[str]]:
    return [line.split(",")[:3] for line in path.read_text("utf-8").splitlines()]


def compare(site: Site, history: History) -> int:
    """Publish step by step and anew; returns how many pages the step wrote."""
    fresh, manifest = site.folder.with_name("fresh"), site.folder.with_name("fresh.csv")
    written = site.publish()["written"]
    site.publish("--manifest", str(manifest), folder=fresh)
    assert content_of(site.folder) == content_of(fresh), history.told
    assert (site.folder / ".credly-pages").read_bytes() == (fresh / ".credly-pages").read_bytes(), history.told
    assert lines_of(site.school.desk.home / "pages.csv") == lines_of(manifest), history.told
    assert site.publish()["written"] == 0, history.told
    site.publish("--remove", folder=fresh)
    shutil.rmtree(fresh)
    return int(written)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_r35_a_folder_brought_up_to_date_is_as_one_published_anew(connected_school: School, seed: int) -> None:
    history = History(connected_school, seed)
    site = Site(connected_school)
    compare(site, history)
    wrote = 0
    for _ in range(20):
        history.step()
        wrote += compare(site, history)
    assert wrote
