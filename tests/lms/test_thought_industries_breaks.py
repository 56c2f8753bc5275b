"""What can go wrong while `credly sync` reads Thought Industries."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from credly_cli.config import load
from credly_cli.http.response import HttpFailure
from credly_cli.lms.records import Reading
from credly_cli.lms.source import SourceContext
from credly_cli.lms.thought_industries.client import Client
from tests.support.desk import START, Desk
from tests.support.loopback import lms
from tests.support.thought_industries import KEY, LATER, LATEST, Site


def test_a_refused_key_fails_this_step_alone(school: Desk, site: Site) -> None:
    site.keys = {"another"}
    answer = school.json("sync", code=4)
    assert [entry["code"] for entry in answer["problems"]] == ["lms-token-refused"]
    assert answer["badges"]["added"] > 0
    assert KEY not in school.run("sync").err


def test_without_a_key_the_message_names_both_ways(school: Desk) -> None:
    del school.environ["CREDLY_LMS_TOKEN"]
    ran = school.run("sync", "-q")
    assert ran.code == 4
    assert "no API key" in ran.err


def test_the_key_may_be_in_a_private_file(school: Desk) -> None:
    del school.environ["CREDLY_LMS_TOKEN"]
    path = school.home / "ti.key"
    path.write_text(f"{KEY}\n")
    path.chmod(0o644)
    school.config((school.home / "config.toml").read_text() + f'token_file = "{path}"\n')
    assert "read or written by others" in str(lms(school, code=4)["problems"])
    path.chmod(0o600)
    assert lms(school)["lms"]["progress"]["added"] == 2


@pytest.mark.further
@pytest.mark.parametrize(
    "body",
    [
        {"events": [], "pageInfo": {"hasMore": True, "cursor": None}},
        {"data": {"APIEvents": {"events": []}, "pageInfo": {"hasMore": "true"}}},
        {"foo": []},
        {},
        {"errors": [{"message": "Something broke"}]},
        {"events": [], "errors": [{"message": "Something broke"}]},
    ],
)
def test_an_answer_that_is_not_whole_is_not_taken_for_all_there_is(school: Desk, site: Site, body: Any) -> None:
    lms(school)
    with school.store() as store:
        before = store.rows("SELECT * FROM bookmarks ORDER BY name")
    site.completed("bo.berg@example.org", "may", LATEST)
    site.answers = [(200, {}, body)]
    assert [entry["code"] for entry in lms(school, code=75)["problems"]] == ["server-error"]
    with school.store() as store:
        assert store.rows("SELECT * FROM bookmarks ORDER BY name") == before
    assert lms(school)["lms"]["progress"]["added"] == 1


@pytest.mark.further
def test_panoramas_that_could_not_be_read_are_read_by_the_next_run(school: Desk, site: Site) -> None:
    site.answers = [(200, {}, site.answer("/content", {})[1]), *[(500, {}, {})] * 4]
    lms(school, code=75)
    lms(school)
    assert school.json("learners")[0]["panorama"] == "North"


@pytest.mark.sampled
@pytest.mark.parametrize("form", ["{}/", "{}/incoming/v2", "{}/incoming/v2/"])
@pytest.mark.parametrize("name", ["127.0.0.1", "http://LOCALHOST"])
def test_a_host_may_be_written_as_people_paste_it(school: Desk, name: str, form: str) -> None:
    config = (school.home / "config.toml").read_text()
    url = config.partition('host = "')[2].partition('"')[0]
    school.config(config.replace(url, form.format(url.replace("http://127.0.0.1", name))))
    assert lms(school)["lms"]["progress"]["added"] == 2


@pytest.mark.sampled
@pytest.mark.parametrize("host", ["http://learn.example.com", "learn.example.com/path", "ftp://x", "", "a b"])
def test_a_host_that_is_none_or_not_safe_is_a_mistake_in_the_configuration(school: Desk, host: str) -> None:
    school.config(f'[lms]\nsource = "thought-industries"\n[lms.thought_industries]\nhost = "{host}"\n')
    answer = lms(school, code=78)
    assert "lms.thought_industries.host" in answer["problems"][0]["message"]


def test_a_site_that_does_not_answer_is_tried_again_later(school: Desk) -> None:
    school.config('[lms]\nsource = "thought-industries"\n[lms.thought_industries]\nhost = "http://127.0.0.1:9"\n')
    answer = school.json("sync", code=75)
    assert [entry["code"] for entry in answer["problems"]] == ["unreachable"]
    assert "Thought Industries" in answer["problems"][0]["message"]


def test_what_was_asked_to_wait_is_waited_for(school: Desk, site: Site) -> None:
    site.answers = [(429, {"Retry-After": "30"}, {"error": "rate_limited", "retryAfter": 30})]
    start = school.clock.now()
    assert lms(school)["lms"]["progress"]["added"] == 2
    assert (school.clock.now() - start).total_seconds() >= 30


def test_the_last_request_of_a_window_is_followed_by_none_before_the_next(school: Desk, site: Site) -> None:
    reset = int(school.clock.now().timestamp()) + 60
    site.headers = {"X-RateLimit-Limit": "250", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
    lms(school)
    assert school.clock.now().timestamp() >= reset


def test_a_window_that_is_too_far_away_ends_the_step_and_nothing_read_is_lost(school: Desk, site: Site) -> None:
    reset = int(school.clock.now().timestamp()) + 800
    site.headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
    answer = lms(school, code=75)
    assert [entry["code"] for entry in answer["problems"]] == ["rate-limited"]
    site.headers = {}
    school.pass_time(seconds=900)
    assert lms(school)["lms"]["progress"]["added"] == 2


@pytest.mark.further
def test_a_walk_that_broke_off_goes_on_where_it_was_and_then_reads_what_came_since(school: Desk, site: Site) -> None:
    lms(school)
    for number in range(10):
        site.completed(f"nr.{number}@example.org", "june", f"2026-02-10T08:00:0{number}Z")
    site.per_page = 2
    site.answers = [(200, {}, site.answer("/events/courseCompletion", {})[1])]
    site.answers += [(500, {}, {})] * 4
    assert lms(school, code=75)["lms"]["progress"]["added"] == 2
    site.completed("late.comer@example.org", "june", LATEST)
    site.requests.clear()
    assert lms(school)["lms"]["progress"]["added"] == 9
    assert "cursor=" in site.requests[0]
    assert site.requests[4].startswith("/events/courseCompletion?startDate=")


@pytest.mark.further
def test_a_forgotten_cursor_begins_the_walk_anew(school: Desk, site: Site) -> None:
    lms(school)
    with school.store() as store:
        store.change(
            "INSERT INTO bookmarks VALUES ('lms:courseCompletion:walk', ?)",
            ('{"next": {"cursor": "expired!"}, "newest": null}',),
        )
    site.completed("bo.berg@example.org", "june", LATER)
    assert lms(school)["lms"]["progress"]["added"] == 1


def test_the_site_and_its_key_can_be_checked_without_reading_anything(school: Desk, site: Site) -> None:
    config = load(school.home / "config.toml", "default", required=True)
    context = SourceContext(config, Reading(START), school.clock, school.environ)
    Client(context).ping()
    site.keys = set()
    with pytest.raises(HttpFailure) as refused:
        Client(context).ping()
    assert refused.value.code == "lms-token-refused"
    assert site.requests == ["/ping", "/ping"]


@pytest.mark.slow
def test_a_first_sync_that_is_killed_again_and_again_ends_with_the_same_store() -> None:
    script = Path(__file__).resolve().parents[2] / "scripts" / "first_sync_with_kills.py"
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(script), "--events", "3000", "--users", "300", "--kills", "4"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["The stores are the same."]), done
