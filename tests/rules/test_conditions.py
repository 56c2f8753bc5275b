"""The conditions under which a badge is granted, issued, shown and missed, as one table (R9, R16, R18-R23, R26)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple

import pytest

from tests.rules.admin import APRIL, FIRST_AID, MARCH, WEBINAR
from tests.support.desk import Desk

pytestmark = pytest.mark.slow

# A learner's progress:  not-enrolled, enrolled, completed (the March session), again (April's, after March's).
# The badge has come:    from credly (issued there in January), or from here (the March session, by `sync`).
# What the learner has:  nothing; the badge held (that is pending, accepted, rejected or expired); it was revoked
#                        (what came from here before April's completion, what came from Credly after March's); deleted.
# Duplicates:            whether the badge allows them.
# The link:              stands, was unlinked, or ended because the badge was archived; after all of the above.
# The connection:        yes; left (disconnected after all of the above); between (what is completed last, except for
#                        what has earned a badge from here, was completed between disconnecting and connecting again).
#
# What `grant`, `sync`, `missed` (of the last completion) and `learner-badges` do then. LINK stands for
# badge-not-linked or badge-not-active in the column of grant, for unlinked or badge-not-active in that of missed;
# OFF for not-connected.
TABLE = """
progress      from    has       duplicates  link      connected | grant           sync    missed        shows
not-enrolled  any     nothing   any         stands    yes       | not-enrolled    -       -             -
not-enrolled  any     held      any         stands    yes       | not-enrolled    -       -             old
not-enrolled  any     revoked   any         stands    yes       | not-enrolled    -       -             -
enrolled      any     nothing   any         stands    yes       | granted         -       -             -
enrolled      any     held      any         stands    yes       | already-earned  -       -             old
enrolled      any     revoked   any         stands    yes       | granted         -       -             -
completed     credly  nothing   any         stands    yes       | granted         issues  -             new
completed     credly  held      no          stands    yes       | already-earned  covers  -             old
completed     credly  held      yes         stands    yes       | already-earned  issues  -             old+new
completed     credly  revoked   no          stands    yes       | granted         -       revoked       -
completed     credly  revoked   yes         stands    yes       | granted         issues  -             new
completed     here    held      any         stands    yes       | already-earned  -       -             old
completed     here    revoked   any         stands    yes       | granted         -       revoked       -
completed     here    deleted   any         stands    yes       | granted         -       deleted       -
again         here    held      no          stands    yes       | already-earned  covers  -             old
again         here    held      yes         stands    yes       | already-earned  issues  -             old+new
again         here    revoked   any         stands    yes       | granted         issues  -             new
again         here    deleted   any         stands    yes       | granted         issues  -             new

not-enrolled  any     nothing   any         ended     yes       | LINK            -       -             -
not-enrolled  any     held      any         ended     yes       | LINK            -       -             old
not-enrolled  any     revoked   any         ended     yes       | LINK            -       -             -
enrolled      any     nothing   any         ended     yes       | LINK            -       -             -
enrolled      any     held      any         ended     yes       | LINK            -       -             old
enrolled      any     revoked   any         ended     yes       | LINK            -       -             -
completed     credly  nothing   any         ended     yes       | LINK            -       LINK          -
completed     credly  held      no          ended     yes       | LINK            -       -             old
completed     credly  held      yes         ended     yes       | LINK            -       LINK          old
completed     credly  revoked   no          ended     yes       | LINK            -       revoked       -
completed     credly  revoked   yes         ended     yes       | LINK            -       LINK          -
completed     here    held      any         ended     yes       | LINK            -       -             old
completed     here    revoked   any         ended     yes       | LINK            -       revoked       -
completed     here    deleted   any         ended     yes       | LINK            -       deleted       -
again         here    held      no          ended     yes       | LINK            -       -             old
again         here    held      yes         ended     yes       | LINK            -       LINK          old
again         here    revoked   any         ended     yes       | LINK            -       LINK          -
again         here    deleted   any         ended     yes       | LINK            -       LINK          -

not-enrolled  any     nothing   any         stands    between   | not-enrolled    -       -             -
not-enrolled  any     held      any         stands    between   | not-enrolled    -       -             old
not-enrolled  any     revoked   any         stands    between   | not-enrolled    -       -             -
enrolled      any     nothing   any         stands    between   | granted         -       -             -
enrolled      any     held      any         stands    between   | already-earned  -       -             old
enrolled      any     revoked   any         stands    between   | granted         -       -             -
completed     credly  nothing   any         stands    between   | granted         -       disconnected  -
completed     credly  held      no          stands    between   | already-earned  -       -             old
completed     credly  held      yes         stands    between   | already-earned  -       disconnected  old
completed     credly  revoked   any         stands    between   | granted         -       disconnected  -
completed     here    held      any         stands    between   | already-earned  -       -             old
completed     here    revoked   any         stands    between   | granted         -       revoked       -
completed     here    deleted   any         stands    between   | granted         -       deleted       -
again         here    held      no          stands    between   | already-earned  -       -             old
again         here    held      yes         stands    between   | already-earned  -       disconnected  old
again         here    revoked   any         stands    between   | granted         -       disconnected  -
again         here    deleted   any         stands    between   | granted         -       disconnected  -

not-enrolled  any     nothing   any         ended     between   | LINK            -       -             -
not-enrolled  any     held      any         ended     between   | LINK            -       -             old
not-enrolled  any     revoked   any         ended     between   | LINK            -       -             -
enrolled      any     nothing   any         ended     between   | LINK            -       -             -
enrolled      any     held      any         ended     between   | LINK            -       -             old
enrolled      any     revoked   any         ended     between   | LINK            -       -             -
completed     credly  nothing   any         ended     between   | LINK            -       disconnected  -
completed     credly  held      no          ended     between   | LINK            -       -             old
completed     credly  held      yes         ended     between   | LINK            -       disconnected  old
completed     credly  revoked   any         ended     between   | LINK            -       disconnected  -
completed     here    held      any         ended     between   | LINK            -       -             old
completed     here    revoked   any         ended     between   | LINK            -       revoked       -
completed     here    deleted   any         ended     between   | LINK            -       deleted       -
again         here    held      no          ended     between   | LINK            -       -             old
again         here    held      yes         ended     between   | LINK            -       disconnected  old
again         here    revoked   any         ended     between   | LINK            -       disconnected  -
again         here    deleted   any         ended     between   | LINK            -       disconnected  -

not-enrolled  any     any       any         any       left      | OFF             OFF     -             OFF
enrolled      any     any       any         any       left      | OFF             OFF     -             OFF
completed     credly  nothing   any         stands    left      | OFF             OFF     -             OFF
completed     credly  held      any         stands    left      | OFF             OFF     -             OFF
completed     credly  revoked   no          stands    left      | OFF             OFF     revoked       OFF
completed     credly  revoked   yes         stands    left      | OFF             OFF     -             OFF
completed     credly  nothing   any         ended     left      | OFF             OFF     LINK          OFF
completed     credly  held      no          ended     left      | OFF             OFF     -             OFF
completed     credly  held      yes         ended     left      | OFF             OFF     LINK          OFF
completed     credly  revoked   no          ended     left      | OFF             OFF     revoked       OFF
completed     credly  revoked   yes         ended     left      | OFF             OFF     LINK          OFF
completed     here    held      any         any       left      | OFF             OFF     -             OFF
completed     here    revoked   any         any       left      | OFF             OFF     revoked       OFF
completed     here    deleted   any         any       left      | OFF             OFF     deleted       OFF
again         here    any       any         stands    left      | OFF             OFF     -             OFF
again         here    held      no          ended     left      | OFF             OFF     -             OFF
again         here    held      yes         ended     left      | OFF             OFF     LINK          OFF
again         here    revoked   any         ended     left      | OFF             OFF     LINK          OFF
again         here    deleted   any         ended     left      | OFF             OFF     LINK          OFF
"""

HELD = ("pending", "accepted", "rejected", "expired")
LINKS, CONNECTIONS = ("stands", "unlinked", "archived"), ("yes", "between", "left")
BADGES = {"no": FIRST_AID, "yes": WEBINAR}  # by whether duplicates are allowed
EXPIRED = "2026-02-01T00:00:00.000Z"


class Outcome(NamedTuple):
    """What the four commands do."""

    grant: str
    sync: str
    missed: str
    shows: str


@dataclass(frozen=True)
class Learner:
    """A learner in some condition."""

    progress: str
    origin: str
    has: str

    @property
    def email(self) -> str:
        return f"{self.progress}.{self.origin}.{self.has}@example.com"


LEARNERS = [
    *(
        Learner(*each)
        for each in product(("not-enrolled", "enrolled", "completed"), ["credly"], ("nothing", "revoked", *HELD))
    ),
    *(Learner(*each) for each in product(("completed", "again"), ["here"], ("revoked", "deleted", *HELD))),
]


def rows() -> Iterator[tuple[list[str], Outcome]]:
    for line in TABLE.strip().splitlines()[1:]:
        if line:
            conditions, outcome = line.split("|")
            yield conditions.split(), Outcome(*outcome.split())


def fitting(learner: Learner, duplicates: str, link: str, connection: str) -> list[int]:
    """Return the numbers of the rows that are about a case."""
    has = "held" if learner.has in HELD else learner.has
    case = (learner.progress, learner.origin, has, duplicates, "stands" if link == "stands" else "ended", connection)
    return [
        number
        for number, (conditions, _) in enumerate(ROWS)
        if all(told in ("any", fact) for told, fact in zip(conditions, case, strict=True))
    ]


def expected(learner: Learner, duplicates: str, link: str, connection: str) -> Outcome:
    """Read in the table what happens in a case."""
    (number,) = fitting(learner, duplicates, link, connection)
    grant, sync, missed, shows = ROWS[number][1]
    ended = {"unlinked": ("badge-not-linked", "unlinked")}.get(link, ("badge-not-active", "badge-not-active"))
    outcome = Outcome(grant.replace("LINK", ended[0]), sync, missed.replace("LINK", ended[1]), shows)
    return Outcome(*(word.replace("OFF", "not-connected") for word in outcome))


ROWS = list(rows())


# Bringing a world about


def build(desk: Desk, link: str, connection: str) -> None:
    """Bring about that the learners are in their conditions, and then the link and the connection."""
    desk.imports(
        "learners", "email,first_name,last_name\n" + "".join(f"{each.email},Robin,Sample\n" for each in LEARNERS)
    )
    for name in BADGES.values():
        desk.json("link", name, "first-aid")
    _earn_here(desk)
    _issue_in_credly(desk)
    if connection == "between":
        desk.json("disconnect", "--yes")
    _progress(desk)
    for learner in LEARNERS:
        if learner.origin == "credly" and learner.has == "revoked":
            _lose(desk, learner)
    desk.pass_time(minutes=1)
    if connection == "between":
        desk.connect()
    desk.pass_time(minutes=1)
    _end_links(desk, link)
    desk.json("sync", "--only", "badges", "--only", "issued", code=3 if link == "archived" else 0)
    if connection == "left":
        desk.json("disconnect", "--yes")


def _earn_here(desk: Desk) -> None:
    desk.pass_time(minutes=1)
    earners = [learner for learner in LEARNERS if learner.origin == "here"]
    _complete(desk, earners, MARCH)
    assert desk.json("sync")["grants"]["issued"] == len(earners) * len(BADGES)
    desk.pass_time(hours=1)
    desk.json("sync")  # a badge must have been seen before it can be missed
    for learner in earners:
        _lose(desk, learner)
    desk.json("sync", "--only", "issued")


def _issue_in_credly(desk: Desk) -> None:
    for learner, name in product(LEARNERS, BADGES.values()):
        if learner.origin == "credly" and learner.has != "nothing":
            template = desk.badge_id(name)
            desk.sandbox.issue_in_credly(template, learner.email, "Robin", "Sample", issued_at="2026-01-10T10:00:00Z")
    for learner in LEARNERS:
        if learner.origin == "credly" and learner.has != "revoked":
            _lose(desk, learner)
    desk.pass_time(minutes=1)


def _lose(desk: Desk, learner: Learner) -> None:
    """Let what the learner was issued come into its state."""
    sandbox = desk.sandbox
    change: dict[str, Callable[[str], Any]] = {
        "accepted": sandbox.accept,
        "rejected": sandbox.reject,
        "revoked": sandbox.revoke,
        "deleted": sandbox.delete,
    }
    for badge in sandbox.issued(learner.email):
        if learner.has in change:
            change[learner.has](badge.id)
        elif learner.has == "expired":
            badge.details = replace(badge.details, expires_at=EXPIRED)


def _progress(desk: Desk) -> None:
    desk.pass_time(minutes=1)
    desk.learns(*(f"{each.email},first-aid,{MARCH},in_progress,,," for each in LEARNERS if each.progress == "enrolled"))
    _complete(desk, [each for each in LEARNERS if (each.progress, each.origin) == ("completed", "credly")], MARCH)
    _complete(desk, [each for each in LEARNERS if each.progress == "again"], APRIL)
    desk.pass_time(minutes=1)


def _complete(desk: Desk, learners: list[Learner], session: str) -> None:
    at = desk.clock.time.isoformat()
    desk.learns(*(f"{learner.email},first-aid,{session},completed,{at},," for learner in learners))


def _end_links(desk: Desk, link: str) -> None:
    for name in BADGES.values():
        if link == "unlinked":
            desk.json("unlink", name)
        elif link == "archived":
            desk.sandbox.archive_template(desk.badge_id(name))


# Seeing what the commands do

Seen = dict[tuple[str, str], str]  # by address and badge


def see_grants(desk: Desk) -> Seen:
    """Ask what `grant` would do for each learner."""
    people = desk.file("people.txt", "\n".join(learner.email for learner in LEARNERS))
    seen: Seen = {}
    for name in BADGES.values():
        answer = desk.run("grant", "--from", people, name, "--dry-run", "--json").json
        if "error" in answer:
            seen |= {(learner.email, name): answer["error"]["code"] for learner in LEARNERS}
            continue
        for row in answer["results"]:
            seen[row["email"], name] = row["error"]["code"] if row["error"] else "granted"
    return seen


def see_sync(desk: Desk) -> Seen:
    """Run `sync` and tell what it did for each learner."""
    before = {grant["id"]: grant["state"] for grant in desk.json("grants")}
    answer = desk.run("sync", "--json").json
    if "error" in answer:
        return {(learner.email, name): answer["error"]["code"] for learner, name in product(LEARNERS, BADGES.values())}
    words = {"issued": "issues", "covered": "covers"}
    return {
        (grant["email"], grant["badge"]["name"]): words.get(grant["state"], grant["state"])
        for grant in desk.json("grants")
        if before.get(grant["id"]) != grant["state"]
    }


def see_missed(desk: Desk) -> Seen:
    """Read why the last completion of each learner was missed."""
    again = {learner.email for learner in LEARNERS if learner.progress == "again"}
    return {
        (row["email"], row["badge"]["name"]): row["reason"]
        for row in desk.json("missed")
        if row["session_id"] == (APRIL if row["email"] in again else MARCH)
    }


def see_shown(desk: Desk, old: set[str]) -> Seen:
    """Read what `learner-badges` shows of each learner."""
    seen: Seen = {}
    for learner in LEARNERS:
        answer = desk.run("learner-badges", learner.email, "--json").json
        for name in BADGES.values():
            if "error" in answer:
                seen[learner.email, name] = answer["error"]["code"]
                continue
            shown = [row["id"] in old for row in answer["badges"] if row["badge"]["name"] == name]
            seen[learner.email, name] = "+".join("old" if each else "new" for each in sorted(shown)[::-1]) or "-"
    return seen


@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize("link", LINKS)
def test_the_commands_do_what_the_table_says(connected: Desk, link: str, connection: str) -> None:
    build(connected, link, connection)
    old = {badge.id for badge in connected.issued()}
    seen = [see_grants(connected), see_sync(connected), see_missed(connected), see_shown(connected, old)]
    cases = list(product(LEARNERS, BADGES.items()))
    found = {
        (learner.email, name): Outcome(*(each.get((learner.email, name), "-") for each in seen))
        for learner, (_, name) in cases
    }
    told = {
        (learner.email, name): expected(learner, duplicates, link, connection) for learner, (duplicates, name) in cases
    }
    assert {case: outcome for case, outcome in found.items() if outcome != told[case]} == {}


def test_each_row_of_the_table_is_about_some_case_and_each_case_in_one_row() -> None:
    found = [fitting(*case) for case in product(LEARNERS, BADGES, LINKS, CONNECTIONS)]
    assert {len(numbers) for numbers in found} == {1}
    assert {number for (number,) in found} == set(range(len(ROWS)))
