"""Scenarios G 70, 72 and 73: hours that are missing or come twice, times out of the way, one address in many forms.

How a single cell is read is tried in tests/lms/test_times.py; here it is seen what becomes of it, up to the badge.
"""

import os
import time
import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.support.desk import Desk
from tests.support.world import ONCE, World

HEADER = "learner_id,email,content_id,status,completed_at,first_name,last_name\n"


@pytest.fixture
def in_vienna(connected: Desk) -> Desk:
    """A desk in a zone with summer time."""
    connected.config('timezone = "Europe/Vienna"\n')
    return connected


@pytest.fixture(params=["Pacific/Kiritimati", "America/St_Johns"])
def elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A machine whose own zone is another one."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()
    assert os.environ.get("TZ") != request.param


def completes(desk: Desk, *times: str, code: int = 0) -> Any:
    """Import that somebody completed the article at each of these times."""
    rows = "".join(f",l{number}@example.org,hygiene,completed,{at},A,B\n" for number, at in enumerate(times))
    return desk.imports("progress", HEADER + rows, code=code)


def issued_at(desk: Desk) -> list[str]:
    """Return the moments that Credly was told."""
    return sorted(badge.details.issued_at for badge in desk.issued())


@pytest.mark.further
@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("2025-03-30 01:59:59", "2025-03-30T00:59:59"),
        ("2025-03-30 02:30:00", "2025-03-30T01:30:00"),  # this hour is missing: as if the clock had not been put on
        ("2025-03-30 03:00:00", "2025-03-30T01:00:00"),
        ("2025-10-26 02:30:00", "2025-10-26T00:30:00"),  # this hour comes twice: the first of them
        ("2025-10-26 03:00:00", "2025-10-26T02:00:00"),
    ],
)
@pytest.mark.usefixtures("elsewhere")
def test_an_hour_that_is_missing_or_comes_twice_is_one_moment(in_vienna: Desk, told: str, meant: str) -> None:
    """Scenario 70: in the configured zone, whatever the machine's own; told again it is the same."""
    in_vienna.json("link", ONCE, "hygiene", "--since", "2025-01-01")
    assert completes(in_vienna, told)["added"] == 1
    in_vienna.json("sync")
    assert [at[:19] for at in issued_at(in_vienna)] == [meant]
    assert completes(in_vienna, told)["unchanged"] == 1
    assert in_vienna.json("sync")["grants"]["planned"] == 0


@pytest.mark.usefixtures("elsewhere")
def test_a_link_from_midnight_on_counts_from_the_first_second_of_that_day(in_vienna: Desk) -> None:
    """Scenario 70: midnight in Vienna is an hour before midnight in UTC, and a mere date is a day in Vienna."""
    assert in_vienna.json("link", ONCE, "hygiene", "--since", "2026-02-01")["counts_from"] == "2026-01-31T23:00:00Z"
    completes(in_vienna, "2026-01-31T22:59:59Z", "2026-01-31T23:00:00Z", "2026-01-31", "2026-02-01", "2026-02-01 00:00")
    in_vienna.json("sync")
    emails = sorted(badge.email for badge in in_vienna.issued())
    assert emails == ["l1@example.org", "l3@example.org", "l4@example.org"]


def test_a_second_that_no_clock_shows_is_rejected_and_told(connected: Desk) -> None:
    """Scenario 70: 23:59:60 is never taken for the next day's first second."""
    answer = completes(connected, "2016-12-31T23:59:60Z", "2016-12-31 23:59:60", "2016-12-31T23:59:59Z", code=3)
    assert (answer["rejected"], answer["added"]) == (2, 1)


@pytest.mark.further
@pytest.mark.parametrize("at", ["1969-12-31T09:59:59Z", "1900-01-02T00:00:00Z"])
def test_a_completion_before_the_epoch_earns_its_badge_with_its_own_date(connected: Desk, at: str) -> None:
    """Scenario 72: it counts where somebody says so, and only there."""
    completes(connected, at)
    connected.json("link", ONCE, "hygiene")
    connected.json("sync")
    assert connected.issued() == []
    connected.json("link", ONCE, "hygiene", "--since", "1900-01-01")
    connected.json("sync")
    assert [told[:19] for told in issued_at(connected)] == [at[:19]]


@pytest.mark.parametrize("at", ["1899-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-03-04"])
def test_a_completion_of_a_time_that_cannot_be_meant_is_rejected(connected: Desk, at: str) -> None:
    """Scenario 72: before 1900, or more than a day ahead."""
    assert completes(connected, at, code=3)["rejected"] == 1
    assert "completed_at" in (connected.home / "progress.csv.rejects.csv").read_text()


def test_a_completion_a_few_hours_ahead_earns_one_badge_now(world: World) -> None:
    """Scenario 72: an LMS whose clock is ahead; a day is allowed for."""
    ahead = (world.desk.clock.now() + timedelta(hours=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
    completes(world.desk, ahead)
    for _ in range(3):
        assert world.sync().code == 0
        world.desk.pass_time(hours=12)
    assert len(world.desk.issued()) == 1


FORMS = {
    "case": ("Zoe@Example.org", "zoe@EXAMPLE.ORG"),
    "composed and decomposed": ("zo\u00eb@example.org", unicodedata.normalize("NFD", "zo\u00eb@example.org")),
    "letters beyond ASCII": ("MÜLLER@example.org", "müller@example.org"),
    "the Kelvin sign": ("\u212aim@example.org", "kim@example.org"),
    "a sharp s": ("STRASSE@example.org", "straße@example.org"),
    "a dotted I": ("İnci@example.org", unicodedata.normalize("NFD", "İnci@example.org")),
    "a space": ("zoe@example.org ", " zoe@example.org"),
    "a display name": ("zoe@example.org", "Zoe Lark <zoe@example.org>"),
    "mailto": ("mailto:zoe@example.org", "zoe@example.org"),
}  # fmt: skip
OTHERS = {
    "a dotted I and a plain one": ("İnci@example.org", "inci@example.org"),
    "a domain in letters and in ASCII": ("zoe@münchen.example", "zoe@xn--mnchen-3ya.example"),
}


def tell(world: World, learner_id: str, email: str) -> None:
    """Import that the article was completed by whoever has this address."""
    now = world.desk.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    world.desk.imports("progress", f"{HEADER}{learner_id},{email},hygiene,completed,{now},A,B\n")
    world.sync()


@pytest.mark.further
@pytest.mark.parametrize(("first", "second"), FORMS.values(), ids=FORMS)
def test_one_address_in_two_forms_is_one_learner_and_the_form_that_was_told_is_sent(
    world: World, first: str, second: str
) -> None:
    """Scenario 73: without an id of the LMS."""
    tell(world, "", first)
    tell(world, "", second)
    assert [badge.email for badge in world.desk.issued()] == [first.removeprefix("mailto:").strip()]
    assert len(world.desk.json("learners")) == 1


@pytest.mark.sampled
@pytest.mark.parametrize(("first", "second"), [*FORMS.values(), *OTHERS.values()], ids=[*FORMS, *OTHERS])
def test_an_id_of_the_lms_makes_one_learner_of_any_two_addresses(world: World, first: str, second: str) -> None:
    """Scenario 73."""
    tell(world, "7", first)
    tell(world, "7", second)
    assert [badge.email for badge in world.desk.issued()] == [first.removeprefix("mailto:").strip()]
    assert len(world.desk.json("learners")) == 1


@pytest.mark.further
@pytest.mark.parametrize(("first", "second"), OTHERS.values(), ids=OTHERS)
def test_what_may_be_two_addresses_are_two_without_an_id(world: World, first: str, second: str) -> None:
    """Scenario 73: taking two people for one would keep a badge from one of them."""
    tell(world, "", first)
    tell(world, "", second)
    assert [badge.email for badge in world.desk.issued()] == [first, second]
