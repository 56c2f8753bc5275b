"""Where a badge shows: learner x content x enrollment x badge, as a table (R28-R31).

Read it as: a learner of ... looks at content that is ..., is enrolled ..., and the badge is ...: it shows in ....
``expected`` is the table as a few sentences, the examples are rows of it; each of the 945 is tried on a store.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from credly_cli.credly.client import Client
from credly_cli.errors import Failure
from credly_cli.learners import widget
from credly_cli.store.database import Store
from tests.support.desk import START

LEARNERS = ("site", "panorama", "sublicense")
CONTENT = ("released", "unreleased", "provisioned", "in the panorama", "in the sublicense")
ENROLLMENTS = ("none", "0 %", "40 %", "unknown", "complete and counted", "complete and not counted", "withdrawn")
BADGES = ("active", "archived", "unlinked", "held", "issued", "accepted", "rejected", "revoked", "expired")

NOWHERE, DISCOVER, EARNED = "nowhere", "discover", "earned"
ON_ITS_WAY, WAITING = "in progress, 100, badge on its way", "in progress, 100"
PROGRESS = {"0 %": "in progress, 0", "40 %": "in progress, 40", "unknown": "in progress, unknown"}
EXPIRED = "earned, expired"

# What each kind of learner may discover, whatever else (R29).
SEES = {
    "site": {"released", "provisioned"},
    "panorama": {"in the panorama"},
    "sublicense": {"in the sublicense"},
}


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    learner: str
    content: str
    enrollment: str
    badge: str

    def __str__(self) -> str:
        return f"{self.learner}, {self.content}, {self.enrollment}, {self.badge}"


def expected(row: Row) -> str:
    """Say where it shows."""
    earned = {"issued": EARNED, "accepted": EARNED, "rejected": EARNED, "expired": EXPIRED}
    if row.badge in earned:
        return earned[row.badge]  # and nowhere else, wherever the learner belongs (R28, R31)
    if row.badge in ("archived", "unlinked"):
        return NOWHERE  # not linked any more (R9, R16)
    if row.enrollment in PROGRESS:
        return PROGRESS[row.enrollment]  # whoever is enrolled need not discover (R28)
    if row.enrollment == "complete and counted":
        return {"active": ON_ITS_WAY, "held": WAITING, "revoked": NOWHERE}[row.badge]  # R30
    if row.enrollment == "complete and not counted":
        return NOWHERE  # R30
    return DISCOVER if row.content in SEES[row.learner] else NOWHERE  # R28, R29


TABLE = [Row(*row) for row in product(LEARNERS, CONTENT, ENROLLMENTS, BADGES)]

# The same by example, to be read without running anything in one's head.
BY_EXAMPLE = """
learner    | content           | enrollment               | badge    | shows in
site       | released          | none                     | active   | discover
site       | unreleased        | none                     | active   | nowhere
site       | provisioned       | none                     | active   | discover
site       | in the panorama   | none                     | active   | nowhere
panorama   | released          | none                     | active   | nowhere
panorama   | provisioned       | none                     | active   | nowhere
panorama   | in the panorama   | none                     | active   | discover
panorama   | in the sublicense | none                     | active   | nowhere
sublicense | in the panorama   | none                     | active   | nowhere
sublicense | in the sublicense | none                     | active   | discover
site       | unreleased        | 0 %                      | active   | in progress, 0
panorama   | released          | 40 %                     | active   | in progress, 40
sublicense | unreleased        | unknown                  | active   | in progress, unknown
site       | released          | complete and counted     | active   | in progress, 100, badge on its way
site       | released          | complete and counted     | held     | in progress, 100
site       | released          | complete and counted     | issued   | earned
site       | released          | complete and counted     | revoked  | nowhere
site       | released          | complete and not counted | active   | nowhere
site       | released          | withdrawn                | active   | discover
site       | unreleased        | withdrawn                | active   | nowhere
site       | released          | 40 %                     | archived | nowhere
site       | released          | 40 %                     | unlinked | nowhere
site       | released          | complete and counted     | archived | nowhere
site       | unreleased        | none                     | accepted | earned
panorama   | released          | 40 %                     | rejected | earned
site       | released          | 40 %                     | expired  | earned, expired
site       | released          | none                     | revoked  | discover
"""


def test_the_examples_are_rows_of_the_table() -> None:
    for line in BY_EXAMPLE.strip().splitlines()[1:]:
        *facts, shown = (cell.strip() for cell in line.split("|"))
        assert Row(*facts) in TABLE
        assert expected(Row(*facts)) == shown, line


@pytest.mark.sampled
@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("badge", BADGES)
def test_a_badge_shows_where_content_enrollment_and_badge_together_say(learner: str, badge: str) -> None:
    rows = [row for row in TABLE if (row.learner, row.badge) == (learner, badge)]
    assert len(rows) == len(CONTENT) * len(ENROLLMENTS)
    with Store.in_memory() as store:
        for row in rows:
            with store.rehearsal():
                put(store, row)
                assert {"shows in": shown(store), "row": str(row)} == {"shows in": expected(row), "row": str(row)}


@pytest.mark.parametrize("row", [row for row in TABLE if row.badge == "expired" and row.content == "released"], ids=str)
def test_r31_hidden_expired_badges_show_nowhere(row: Row) -> None:
    with Store.in_memory() as store:
        put(store, row)
        assert shown(store, hide_expired=True) == NOWHERE


class Silent(Client):
    """A Credly that does not answer, so that the store tells what was earned."""

    organization_id = "o"

    def __init__(self) -> None:
        """Need nothing."""

    def issued_badges(self, *_: object, **__: object) -> Any:
        raise Failure("unreachable", "Credly cannot be reached.")


def shown(store: Store, *, hide_expired: bool = False) -> str:
    """Say in which sections of the widget the one badge is."""
    answer = widget.read(store, Silent(), "robin@example.org", START, hide_expired=hide_expired)
    return " and ".join(_places(answer)) or NOWHERE


def _places(answer: widget.Widget) -> Iterator[str]:
    for entry in answer.in_progress:
        progress = "unknown" if entry.progress is None else entry.progress
        yield f"in progress, {progress}{', badge on its way' if entry.on_its_way else ''}"
    for _ in answer.discover:
        yield DISCOVER
    for earned in answer.earned:
        yield EXPIRED if earned.expired else EARNED


BEFORE, LINKED, AFTER, LATER = (
    "2026-02-01T00:00:00Z", "2026-02-10T00:00:00Z", "2026-02-20T00:00:00Z", "2026-02-25T00:00:00Z",
)  # fmt: skip


def put(store: Store, row: Row) -> None:
    """Put the facts of a row into the store."""
    gone = row.badge == "archived"
    insert(store, "badges", id="b", name="Badge", state="archived" if gone else "active", listed=int(not gone),
           allow_duplicates=0, fingerprint="", raw="{}")  # fmt: skip
    insert(store, "content", id="c", title="Content", released=int(row.content == "released"))
    ended = {"archived": "badge-not-active", "unlinked": "unlinked"}.get(row.badge)
    insert(store, "links", badge_id="b", content_id="c", linked_at=LINKED, counts_from=LINKED,
           ended_at=LATER if ended else None, end_reason=ended)  # fmt: skip
    put_learner(store, row)
    put_enrollment(store, row)
    put_badge(store, row)


def put_learner(store: Store, row: Row) -> None:
    tenant = {"panorama": "Acme" if row.learner != "site" else None}
    tenant["sublicense"] = "Acme North" if row.learner == "sublicense" else None
    insert(store, "learners", id=1, email="robin@example.org", email_key="robin@example.org", first_name="Robin",
           last_name=None if row.badge == "held" else "Lark", **tenant)  # fmt: skip
    given = {
        "provisioned": ("learner", "robin@example.org"),
        "in the panorama": ("panorama", "acme"),
        "in the sublicense": ("sublicense", "acme north"),
    }
    if row.content in given:
        kind, subject = given[row.content]
        insert(store, "access", content_id="c", told_by="access", subject_kind=kind, subject=subject)


def put_enrollment(store: Store, row: Row) -> None:
    if row.enrollment == "none":
        return
    progress = {"0 %": 0.0, "40 %": 40.0, "withdrawn": 40.0}.get(row.enrollment)
    at = {"complete and counted": AFTER, "complete and not counted": BEFORE}.get(row.enrollment)
    insert(store, "enrollments", learner=1, content_id="c", progress=progress, ended=int(row.enrollment == "withdrawn"),
           completed_at=at, completed_latest=at, rev=1)  # fmt: skip


def put_badge(store: Store, row: Row) -> None:
    """Put what was issued or planned; a badge that no completion earned was issued in Credly itself."""
    counted = row.enrollment == "complete and counted"
    states = {"issued": "pending", "accepted": "accepted", "rejected": "rejected", "revoked": "revoked"}
    state = "accepted" if row.badge == "expired" else states.get(row.badge)
    if state is not None:
        insert(store, "issued_badges", id="i", badge_id="b", badge_name="Badge", email="robin@example.org",
               email_key="robin@example.org", state=state, issued_at=AFTER, created_at=AFTER, stored_at=LATER,
               state_updated_at=LATER, expires_at=LATER if row.badge == "expired" else None)  # fmt: skip
    if counted and (state is not None or row.badge == "held"):
        insert(store, "grants", badge_id="b", learner=1, content_id="c", reason="completion",
               state="issued" if state else "held", issued_at=AFTER, once=1, earner_id="e",
               issued_badge_id="i" if state else None, created_at=AFTER, updated_at=LATER)  # fmt: skip


def insert(store: Store, table: str, **columns: object) -> None:
    names = ", ".join(columns)
    marks = ", ".join("?" * len(columns))
    store.change(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(columns.values()))  # noqa: S608 - our own
