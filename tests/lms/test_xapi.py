"""A learning record store is read by what is new there, and by nothing else than its statements."""

import hashlib
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.desk import Desk
from tests.support.loopback import lms
from tests.support.record_store import (
    PASSWORD,
    OddStore,
    StoreServer,
    answer,
    configuration,
    said,
    voiding,
)
from tests.support.thought_industries import KEY, Site, StandIn

C1, C2 = "https://lms.example/course/1", "https://lms.example/course/2"
ADA, BO = "ada.lovelace@example.org", "bo.berg@example.org"


@pytest.fixture
def records(only_connected: Desk) -> OddStore:
    """A record store with a first completion."""
    store = OddStore(now=only_connected.clock.now)
    store.store(said("completed", ADA, C1, "2026-03-01T10:00:00Z", id="s1"), stored="2026-03-01T10:00:00.500Z")
    return store


@pytest.fixture
def archive(only_connected: Desk, records: OddStore) -> Iterator[Desk]:
    """A desk that is connected to Credly and reads a record store."""
    with StoreServer(records) as server:
        only_connected.environ["CREDLY_LMS_TOKEN"] = PASSWORD
        only_connected.config(configuration(server.url))
        only_connected.imports("content", f"content_id,title\n{C1},First Aid\n{C2},Reading Data\n")
        yield only_connected


def completions(desk: Desk) -> list[tuple[str, str, str]]:
    with desk.store() as store:
        rows = store.rows(
            "SELECT email, content_id, completed_at FROM enrollments e JOIN learners l ON l.id = e.learner"
            " WHERE completed_at IS NOT NULL AND denied_at IS NULL ORDER BY 1, 2, 3"
        )
    return [(row["email"], row["content_id"], row["completed_at"]) for row in rows]


def people(desk: Desk) -> set[str]:
    return {email for email, _, _ in completions(desk)}


def link(desk: Desk, content: str = C1) -> None:
    desk.json("sync", "--only", "badges")
    desk.json("link", "First Aid at Work", content, "--since", "2026-01-01", "--yes")


def crowd(number: int, start: int = 0) -> list[dict[str, Any]]:
    """Make completions of so many people."""
    at = "2026-03-01T09:00:00Z"
    return [said("completed", f"p{n:05}.x@example.org", C1, at, id=f"c{n:05}") for n in range(start, start + number)]


def flow(records: OddStore, *statements: Any) -> None:
    """Store statements one after the other."""
    for number, statement in enumerate(statements):
        records.store(statement, stored=f"2026-03-01T11:{number // 60:02}:{number % 60:02}.000Z")


# What is asked for, and what comes of it


def test_a_completion_is_told_live(archive: Desk) -> None:
    answered = lms(archive)
    assert completions(archive) == [(ADA, C1, "2026-03-01T10:00:00Z")]
    assert answered["lms"]["progress"] == {
        "read": 1, "added": 1, "changed": 0, "unchanged": 0, "rejected": 0, "left_out": 0
    }  # fmt: skip
    assert archive.json("learners")[0]["first_name"] == "Ada"


@pytest.mark.further
def test_the_next_sync_asks_for_what_is_new_and_tells_nothing_twice(archive: Desk, records: OddStore) -> None:
    lms(archive)
    records.requests.clear()
    assert lms(archive)["lms"]["progress"]["read"] == 0
    (asked,) = records.queries()
    assert "2026-03-01T09:59" < asked["since"] < "2026-03-01T10:00:00.500"
    assert asked["ascending"] == "true"
    records.store(said("passed", BO, C1, "2026-03-02T09:00:00Z"))
    assert lms(archive)["lms"]["progress"]["read"] == 1
    assert people(archive) == {ADA, BO}


@pytest.mark.further
def test_a_badge_is_issued_from_a_statement(archive: Desk) -> None:
    link(archive)
    archive.json("sync")
    (badge,) = archive.issued()
    assert badge.details.issued_at.startswith("2026-03-01"), badge


@pytest.mark.further
def test_many_pages_are_read_on(archive: Desk, records: OddStore) -> None:
    records.store(*crowd(350))
    assert lms(archive)["lms"]["progress"]["read"] == 351
    assert len(records.requests) <= 5


@pytest.mark.further
def test_of_many_that_were_stored_at_once_none_is_told_twice_or_left_out(archive: Desk, records: OddStore) -> None:
    records.store(*crowd(250))
    lms(archive)
    records.store(said("passed", BO, C1, "2026-03-02T09:00:00Z"))
    assert lms(archive)["lms"]["progress"]["read"] == 1
    assert BO in people(archive)


@pytest.mark.further
def test_a_bookmark_is_never_beyond_what_the_store_says_is_complete(archive: Desk, records: OddStore) -> None:
    late = archive.clock.now() - timedelta(hours=1)
    records._consistent = lambda: {"X-Experience-API-Consistent-Through": late.isoformat()}  # type: ignore[method-assign]
    records.store(said("completed", BO, C1, "2026-03-02T09:29:00Z"))
    lms(archive)
    records.requests.clear()
    lms(archive)
    assert records.queries()[0]["since"] <= late.strftime("%Y-%m-%dT%H:%M:%S.000Z")


@pytest.mark.further
def test_what_was_stored_out_of_turn_is_found_within_a_day(archive: Desk, records: OddStore) -> None:
    records.says_consistent = False
    records.store(*crowd(60))
    lms(archive)
    records.store(said("completed", BO, C1, "2026-03-01T09:00:00Z"), stored="2026-03-02T03:00:00.000Z")
    records.entries.sort(key=lambda entry: entry.stored)
    for number, entry in enumerate(records.entries):
        entry.number = number
    archive.pass_time(hours=21)
    lms(archive)
    assert BO in people(archive)


@pytest.mark.further
def test_only_verbs_that_matter_are_asked_for_where_the_store_has_much_else(archive: Desk, records: OddStore) -> None:
    records.store(*[said("experienced", ADA, f"{C1}/page/{n}", "2026-03-01T11:00:00Z") for n in range(900)])
    records.store(said("completed", BO, C1, "2026-03-01T12:00:00Z"))
    lms(archive)
    assert people(archive) == {ADA, BO}
    assert len(records.requests) <= 12
    records.requests.clear()
    lms(archive)
    verbs = [asked["verb"].rpartition("/")[2] for asked in records.queries()]
    assert sorted(verbs) == sorted(
        ["voided", "completed", "passed", "failed", "satisfied", "waived", "registered", "initialized"]
    )
    assert len(records.requests) == len(verbs)


def test_the_configured_verbs_are_read_and_no_others(archive: Desk, records: OddStore) -> None:
    done = "https://lms.example/verbs/completed"
    text = (archive.home / "config.toml").read_text()
    archive.config(f'{text}verbs = ["{done}"]\n')
    records.store(said(done, BO, C1, "2026-03-01T12:00:00Z"))
    lms(archive)
    assert people(archive) == {BO}


def test_a_verb_that_is_configured_later_is_read_from_its_beginning(archive: Desk, records: OddStore) -> None:
    done = "https://lms.example/verbs/completed"
    records.store(said(done, BO, C1, "2026-03-01T12:00:00Z"), stored="2026-03-01T09:00:00Z")
    records.entries.sort(key=lambda entry: entry.stored)
    lms(archive)
    text = (archive.home / "config.toml").read_text()
    archive.config(f'{text}verbs = ["http://adlnet.gov/expapi/verbs/completed", "{done}"]\n')
    lms(archive)
    assert people(archive) == {ADA, BO}


def test_what_was_stored_before_the_configured_moment_is_not_read(archive: Desk, records: OddStore) -> None:
    archive.config((archive.home / "config.toml").read_text() + "since = 2026-03-02\n")
    records.store(said("completed", BO, C1, "2026-03-01T12:00:00Z"))
    lms(archive)
    assert people(archive) == {BO}


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_both_versions_are_spoken(version: str, archive: Desk, records: OddStore) -> None:
    records.versions = (version,)
    lms(archive)
    assert people(archive) == {ADA}
    records.requests.clear()
    lms(archive)
    assert len(records.requests) == 1, "what was refused is not asked again"


# Who and what is not known


@pytest.mark.further
def test_an_unknown_activity_is_named_kept_and_tried_again(archive: Desk, records: OddStore) -> None:
    about = {"id": "https://lms.example/course/9", "definition": {"name": {"de": "Brand", "en-GB": "Fire Safety"}}}
    records.store({**said("completed", BO, C1, "2026-03-01T12:00:00Z"), "object": about})
    first = lms(archive)
    assert first["lms"]["progress"]["left_out"] == 1
    assert first["lms"]["progress"]["rejected"] == 0
    (warning,) = first["warnings"]
    assert "'Fire Safety' (https://lms.example/course/9, 1)" in warning
    again = lms(archive)
    assert (again["lms"]["progress"]["left_out"], again["warnings"]) == (1, [])
    archive.imports("content", "content_id,title\nhttps://lms.example/course/9,Fire Safety\n")
    assert lms(archive)["lms"]["progress"]["left_out"] == 0
    assert (BO, "https://lms.example/course/9", "2026-03-01T12:00:00Z") in completions(archive)


def test_an_activity_that_is_mapped_later_is_content(archive: Desk, records: OddStore) -> None:
    records.store(said("completed", BO, "https://lms.example/course/9", "2026-03-01T12:00:00Z"))
    lms(archive)
    text = (archive.home / "config.toml").read_text()
    archive.config(f'{text}activities = {{"https://lms.example/course/9" = "{C2}"}}\n')
    lms(archive)
    assert (BO, C2, "2026-03-01T12:00:00Z") in completions(archive)


def test_what_is_kept_is_forgotten_after_90_days(archive: Desk, records: OddStore) -> None:
    records.store(said("completed", BO, "https://lms.example/course/9", "2026-03-01T12:00:00Z"))
    lms(archive)
    archive.pass_time(days=91)
    assert lms(archive)["lms"]["progress"]["left_out"] == 0
    archive.imports("content", "content_id,title\nhttps://lms.example/course/9,Fire Safety\n")
    lms(archive)
    assert people(archive) == {ADA}


def account(name: str, home: str = "https://lms.example/") -> dict[str, Any]:
    return {"actor": {"account": {"homePage": home, "name": name}}}


@pytest.mark.further
def test_an_account_is_known_by_the_numbering_of_its_home_page(archive: Desk, records: OddStore) -> None:
    """R25."""
    records.store({**said("completed", BO, C1, "2026-03-01T12:00:00Z"), **account("5")})
    first = lms(archive)
    assert first["lms"]["progress"]["left_out"] == 1
    assert "https://lms.example" in first["warnings"][0]
    person = f"email,first_name,last_name,learner_id\n{BO},Bo,Berg,5\n"
    archive.imports("learners", person)
    lms(archive)
    assert people(archive) == {ADA}, "an id of another numbering is somebody else's"
    archive.imports("learners", person, "--source", "https://lms.example")
    lms(archive)
    assert people(archive) == {ADA, BO}


def test_r25_what_is_rejected_of_an_account_is_kept_and_counts_once_it_is_told_whose_it_is(
    archive: Desk, records: OddStore
) -> None:
    header = "email,first_name,last_name,learner_id\n"
    archive.imports("learners", f"{header}{BO},Bo,Berg,5\n", "--source", "https://lms.example")
    actor = {"actor": {**account("5")["actor"], "name": "Cy Young"}}
    records.store({**said("completed", BO, C1, "2026-03-01T12:00:00Z"), **actor})
    for _ in range(2):
        answered = lms(archive, code=3)
        (problem,) = answered["problems"]
        assert (answered["lms"]["progress"]["rejected"], answered["lms"]["progress"]["left_out"]) == (1, 0)
        assert "id 5 is Bo Berg" in problem["message"]
        assert "credly import learners FILE --source https://lms.example, with --id 5=same" in problem["message"]
        assert archive.json("status")["needs_person"] == 1
        assert people(archive) == {ADA}
    cy = f"{header}cy@example.org,Cy,Young,5\n"
    archive.imports("learners", cy, "--source", "https://lms.example", "--id", "5=new")
    assert lms(archive)["lms"]["progress"]["added"] == 1
    assert people(archive) == {ADA, "cy@example.org"}
    assert archive.json("status")["needs_person"] == 0


@pytest.mark.parametrize("login", ["bberg", "bberg77", "bo.berg", "BBERG_1"])
def test_r25_a_login_in_place_of_a_name_is_none(login: str, archive: Desk, records: OddStore) -> None:
    archive.imports(
        "learners", f"email,first_name,last_name,learner_id\n{BO},Bo,Berg,5\n", "--source", "https://lms.example"
    )
    actor = {"actor": {**account("5")["actor"], "name": login}}
    records.store({**said("completed", BO, C1, "2026-03-01T12:00:00Z"), **actor})
    lms(archive)
    assert people(archive) == {ADA, BO}


@pytest.mark.parametrize(("name", "options"), [("", ()), ("moodle", ("--source", "moodle"))])
def test_homes_say_whose_numbering_an_account_is_of(
    name: str, options: tuple[str, ...], archive: Desk, records: OddStore
) -> None:
    """R25."""
    records.store({**said("completed", BO, C1, "2026-03-01T12:00:00Z"), **account("5")})
    lms(archive)
    archive.imports("learners", f"email,first_name,last_name,learner_id\n{BO},Bo,Berg,5\n", *options)
    text = (archive.home / "config.toml").read_text()
    archive.config(f'{text}homes = {{"https://lms.example/" = "{name}"}}\n')
    lms(archive)
    assert people(archive) == {ADA, BO}


def test_a_hash_is_matched_with_an_address_that_becomes_known(archive: Desk, records: OddStore) -> None:
    sha1 = hashlib.sha1(f"mailto:{BO}".encode(), usedforsecurity=False).hexdigest()
    records.store({**said("completed", BO, C1, "2026-03-01T12:00:00Z"), "actor": {"mbox_sha1sum": sha1}})
    assert lms(archive)["lms"]["progress"]["left_out"] == 1
    archive.imports("learners", f"email,first_name,last_name\n{BO},Bo,Berg\n")
    assert lms(archive)["lms"]["progress"]["left_out"] == 0
    assert people(archive) == {ADA, BO}


def test_an_openid_is_an_id_of_its_own_numbering(archive: Desk, records: OddStore) -> None:
    openid = {"actor": {"openid": "https://bo.example.org/"}}
    records.store({**said("completed", BO, C1, "2026-03-01T12:00:00Z"), **openid})
    assert lms(archive)["lms"]["progress"]["left_out"] == 1
    text = f"email,first_name,last_name,learner_id\n{BO},Bo,Berg,https://bo.example.org/\n"
    archive.imports("learners", text, "--source", "openid")
    lms(archive)
    assert people(archive) == {ADA, BO}


def test_groups_and_anonymous_agents_are_left_out_and_counted(archive: Desk, records: OddStore) -> None:
    group = {"objectType": "Group", "name": "Team", "mbox": "mailto:team@example.org"}
    for actor in (group, {"objectType": "Group", "member": []}, {"name": "Nobody"}):
        records.store({**said("completed", BO, C1, "2026-03-01T12:00:00Z"), "actor": actor})
    answered = lms(archive)
    assert answered["lms"]["progress"]["left_out"] == 3
    assert answered["lms"]["progress"]["rejected"] == 0
    assert people(archive) == {ADA}


@pytest.mark.further
def test_a_statement_that_cannot_be_stored_is_rejected_and_the_others_are_read(
    archive: Desk, records: OddStore
) -> None:
    records.store(said("completed", BO, f"{C1}\ud800", "2026-03-01T12:00:00Z"))
    records.store(said("completed", "no address", C1, "2026-03-01T12:00:00Z"))
    records.store(said("completed", BO, C1, "2026-03-01T12:00:00Z"))
    assert lms(archive, code=3)["lms"]["progress"]["rejected"] == 2
    assert people(archive) == {ADA, BO}


def test_a_statement_whose_time_cannot_be_read_is_rejected(archive: Desk, records: OddStore) -> None:
    records.store({**said("completed", BO, C1, "soon"), "stored": "2026-03-01T12:00:00.000Z"})
    assert lms(archive, code=3)["lms"]["progress"]["rejected"] == 1


def test_what_is_kept_of_somebody_is_forgotten_with_them(archive: Desk, records: OddStore) -> None:
    for actor in ({}, account("7")):
        kept = said("completed", ADA, "https://lms.example/course/9", "2026-03-01T12:00:00Z")
        records.store({**kept, **actor})
    lms(archive)
    archive.json("forget", ADA, "--yes")
    with archive.store() as store:
        assert [row["learner_id"] for row in store.rows("SELECT * FROM kept_progress")] == ["7"]


# Voided, failed


@pytest.mark.further
def test_what_is_voided_before_its_badge_was_sent_earns_nothing(archive: Desk, records: OddStore) -> None:
    link(archive)
    lms(archive)
    archive.pass_time(days=3)
    records.store(voiding("s1"))
    assert archive.json("sync")["problems"] == []
    assert archive.issued() == []


@pytest.mark.further
def test_what_is_voided_after_its_badge_was_sent_is_reported_once(archive: Desk, records: OddStore) -> None:
    """R34."""
    link(archive)
    archive.json("sync")
    records.store(voiding("s1"))
    (problem,) = archive.json("sync", code=3)["problems"]
    assert (problem["code"], problem["email"]) == ("completion-denied", ADA)
    assert problem["grant_id"] == archive.json("grants")[0]["id"]
    assert "credly grants" in problem["hint"]
    assert "in Credly" in problem["hint"]
    assert archive.json("sync")["problems"] == []
    assert [grant["state"] for grant in archive.json("grants")] == ["issued"]


def test_what_is_voided_while_it_is_kept_is_kept_no_more(archive: Desk, records: OddStore) -> None:
    records.store(said("completed", BO, "https://lms.example/course/9", "2026-03-01T12:00:00Z", id="s9"))
    lms(archive)
    records.store(voiding("s9"))
    assert lms(archive)["lms"]["progress"]["left_out"] == 0


@pytest.mark.further
def test_a_failure_in_a_later_run_holds_what_was_not_sent(archive: Desk, records: OddStore) -> None:
    """R33."""
    link(archive)
    lms(archive)
    records.store(said("failed", ADA, C1, "2026-03-02T08:00:00Z"))
    answered = archive.json("sync", code=3)
    assert [problem["code"] for problem in answered["problems"]] == ["completion-denied"]
    assert archive.issued() == []


@pytest.mark.further
def test_a_failure_after_the_badge_was_sent_is_reported(archive: Desk, records: OddStore) -> None:
    link(archive)
    archive.json("sync")
    records.store(said("failed", ADA, C1, "2026-03-02T08:00:00Z"))
    (problem,) = archive.json("sync", code=3)["problems"]
    assert "no longer calls 'First Aid' complete" in problem["message"]
    assert "credly grants" in problem["hint"]


# Stores that are odd, and faults


@pytest.mark.further
@pytest.mark.parametrize("how", ["since", "verb", "ascending", "since ascending", "since verb ascending"])
def test_a_store_that_ignores_what_it_is_asked_is_read_all_the_same(how: str, archive: Desk, records: OddStore) -> None:
    records.ignores = frozenset(how.split())
    flow(records, *crowd(250))
    lms(archive)
    assert len(people(archive)) == 251
    lms(archive)  # in which it may be learned that `since` is ignored
    records.store(said("completed", BO, C1, "2026-03-02T09:00:00Z"))
    records.requests.clear()
    assert lms(archive)["lms"]["progress"]["read"] == 1
    assert BO in people(archive)
    assert len(records.requests) <= 2


def test_a_store_whose_answers_have_no_date_is_read(archive: Desk, records: OddStore) -> None:
    statement = {**said("completed", BO, C1, "2026-03-01T12:00:00Z"), "stored": "2026-03-01T12:00:01.000Z"}
    records.answers.append(answer(200, {"statements": [statement], "more": ""}))
    lms(archive)
    assert BO in people(archive)


@pytest.mark.further
def test_a_store_like_ralphs_files_is_read(archive: Desk, records: OddStore) -> None:
    """Times are compared with `timestamp`, a verb tells nothing, and pages that are to ascend are reversed."""
    records.by_timestamp = records.tells_no_verb = records.reverses = True
    records.says_consistent = False
    flow(records, *crowd(250))
    lms(archive)
    assert len(people(archive)) == 251
    records.store(said("completed", BO, C1, "2026-02-01T09:00:00Z"))  # told weeks late
    records.requests.clear()
    assert lms(archive)["lms"]["progress"]["read"] == 1
    assert BO in people(archive)
    assert len(records.requests) <= 2


def test_what_was_stored_after_the_date_of_an_answer_is_told_once(archive: Desk, records: OddStore) -> None:
    """A busy server writes a date into its answers that lies a few seconds back."""
    records.by_timestamp = records.tells_no_verb = records.reverses = True
    records.says_consistent = False
    flow(records, *crowd(150))
    records.now = lambda: datetime(2026, 3, 1, 11, 2, 15, tzinfo=UTC)
    lms(archive)
    assert lms(archive)["lms"]["progress"]["read"] == 0


def test_what_such_a_store_tells_weeks_late_is_found_within_a_week(archive: Desk, records: OddStore) -> None:
    """As long as nothing was told late, nobody knows with what it compares times."""
    records.by_timestamp, records.says_consistent = True, False
    lms(archive)
    records.store(said("completed", BO, C1, "2026-02-01T09:00:00Z"))
    archive.pass_time(days=7)
    lms(archive)
    assert BO in people(archive)


@pytest.mark.further
def test_a_place_that_has_expired_is_gone_on_from_by_time(archive: Desk, records: OddStore) -> None:
    flow(records, *crowd(250))
    records.forgets_places = True
    lms(archive)
    assert len(people(archive)) == 251


@pytest.mark.further
@pytest.mark.parametrize("by_verb", [False, True])
def test_a_first_sync_that_is_broken_off_goes_on_where_it_was(by_verb: bool, archive: Desk, records: OddStore) -> None:
    if by_verb:
        records.store(*[said("experienced", ADA, f"{C1}/{n}", "2026-03-01T08:00:00Z") for n in range(95)])
        flow(records, *crowd(5))
    flow(records, *crowd(900, start=5))
    plain = 15 if by_verb else 12
    records.breaks_at = frozenset({2, 4, 5, 9})
    for _ in range(4):
        lms(archive, code=75)
    lms(archive)
    assert len([email for email in people(archive) if email != ADA]) == (905 if by_verb else 900)
    assert len(records.requests) <= plain + 4 * 2 + 8
    records.requests.clear()
    records.breaks_at = frozenset()
    assert lms(archive)["lms"]["progress"]["read"] == 0


@pytest.mark.further
def test_more_on_another_host_is_not_followed(archive: Desk, records: OddStore) -> None:
    records.store(*crowd(250))
    records.more_is = "https://elsewhere.example/xapi/statements?more=1"
    answered = lms(archive, code=75)
    assert "another host" in answered["problems"][0]["message"]
    assert len(people(archive)) == 100, "what came before is kept"
    records.more_is = ""
    lms(archive)
    assert len(people(archive)) == 251


def test_pages_that_repeat_end_the_reading(archive: Desk, records: OddStore) -> None:
    records.store(*crowd(250))
    records.more_is = "/xapi/statements?limit=100"
    answered = lms(archive, code=75)
    assert "again and again" in answered["problems"][0]["message"]


@pytest.mark.sampled
@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_fault_that_passes_is_tried_again(status: int, archive: Desk, records: OddStore) -> None:
    records.answers += [answer(status, {"message": "busy"}), answer(status, b"<html>", Content_Type="text/html")]
    lms(archive)
    assert people(archive) == {ADA}


def test_a_page_that_is_cut_is_read_again(archive: Desk, records: OddStore) -> None:
    records.answers.append(answer(200, b'{"statements": [{"id"'))
    lms(archive)
    assert people(archive) == {ADA}


@pytest.mark.sampled
@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("body", [{"message": "no"}, b"Forbidden"])
def test_a_refusal_is_said(status: int, body: Any, archive: Desk, records: OddStore) -> None:
    records.answers.append(answer(status, body))
    answered = lms(archive, code=4)
    assert [problem["code"] for problem in answered["problems"]] == ["lms-token-refused"]


def test_what_is_known_already_is_granted_though_the_store_refuses_us(archive: Desk, records: OddStore) -> None:
    link(archive)
    lms(archive)
    records.answers += [answer(401, {"message": "no"})] * 9
    answered = archive.json("sync", code=4)
    assert [problem["code"] for problem in answered["problems"]] == ["lms-token-refused"]
    assert answered["grants"]["issued"] == 1


def test_a_limit_that_is_refused_is_left_out(archive: Desk, records: OddStore) -> None:
    records.refuses_limit = True
    lms(archive)
    assert people(archive) == {ADA}
    records.requests.clear()
    lms(archive)
    assert len(records.requests) == 1


# Configuration


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("keys", "code", "words"),
    [
        ('user = "x"', 78, "lms.xapi.endpoint is not set"),
        ('endpoint = "https://lrs.example"', 78, "lms.xapi.user is not set"),
        ('endpoint = "http://lrs.example"\nuser = "x"', 78, "https://"),
        ('endpoint = "https://me:pw@lrs.example"\nuser = "x"', 78, "user name or password"),
        ('endpoint = "https://lrs.example"\nuser = "x"\nsince = "soon"', 78, "lms.xapi.since"),
        ('endpoint = "https://lrs.example"\nuser = "x"\nhomes = {a = 1}', 78, "lms.xapi.homes"),
        ('endpoint = "https://lrs.example"\nuser = "x"', 4, "no password"),
    ],
)
def test_what_the_configuration_lacks_is_named(keys: str, code: int, words: str, desk: Desk) -> None:
    desk.connect()
    desk.config(f'[lms]\nsource = "xapi"\n[lms.xapi]\n{keys}\n')
    ran = desk.run("sync", "--only", "lms", "--json")
    assert ran.code == code
    assert words in ran.out
    assert "pw" not in ran.out


def test_the_password_may_be_in_a_file(archive: Desk, tmp_path: Path) -> None:
    del archive.environ["CREDLY_LMS_TOKEN"]
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\n")
    path.chmod(0o600)
    archive.config((archive.home / "config.toml").read_text() + f'password_file = "{path}"\n')
    lms(archive)
    assert people(archive) == {ADA}


def test_one_secret_is_not_given_to_two_sources(archive: Desk, records: OddStore) -> None:
    text = (archive.home / "config.toml").read_text().replace('"xapi"', '["thought-industries", "xapi"]')
    archive.config(f'{text}[lms.thought_industries]\nhost = "learn.example.com"\n')
    answered = archive.run("sync", "--only", "lms", "--json")
    assert answered.code == 78
    assert "password_file" in answered.out
    assert records.requests == []


def test_the_secret_is_nowhere_but_in_the_request(archive: Desk, records: OddStore) -> None:
    records.answers += [answer(500, {"message": f"bad {PASSWORD}"})] * 4
    ran = archive.run("sync", "--only", "lms", "--json", "-vv")
    assert PASSWORD not in ran.out + ran.err


# Several sources


def test_people_come_from_files_and_completions_from_the_store(archive: Desk, records: OddStore) -> None:
    records.store({**said("completed", BO, C1, "2026-03-01T12:00:00Z"), **account("5")})
    people_file = archive.file("people.csv", f"email,first_name,last_name,learner_id\n{BO},Bo,Berg,5\n")
    text = (archive.home / "config.toml").read_text().replace('"xapi"', '["xapi", "files"]')
    archive.config(f'{text}homes = {{"https://lms.example" = ""}}\n[lms.files]\nlearners = ["{people_file}"]\n')
    archive.pass_time(days=1000)  # until the file was long written, by this clock
    answered = lms(archive, code=3)
    assert people(archive) == {ADA, BO}, "also where the people come second"
    assert answered["lms"]["sources"]["xapi"]["progress"]["added"] == 2
    assert answered["lms"]["sources"]["files"]["learners"]["added"] == 1
    assert json.dumps(answered["lms"]["progress"]) == json.dumps(answered["lms"]["sources"]["xapi"]["progress"])


def test_a_source_that_failed_is_not_made_good_by_the_next_one(archive: Desk, records: OddStore) -> None:
    people_file = archive.file("people.csv", f"email,first_name,last_name\n{BO},Bo,Berg\n")
    text = (archive.home / "config.toml").read_text().replace('"xapi"', '["xapi", "files"]')
    archive.config(f'{text}[lms.files]\nlearners = ["{people_file}"]\n')
    os.utime(people_file, (0, 0))  # it was long written, by this clock
    records.answers += [answer(401, {"message": "no"})] * 9
    assert [problem["code"] for problem in archive.json("sync", code=4)["problems"]] == ["lms-token-refused"]
    assert [row["email"] for row in archive.json("learners")] == [BO]


# Doctor


def checked(desk: Desk, code: int = 0) -> dict[str, Any]:
    return {check["name"]: check for check in desk.json("doctor", code=code)["checks"]}


def test_doctor_tells_how_the_store_is(archive: Desk) -> None:
    lms(archive)
    found = checked(archive)
    assert "takes the password" in found["lms"]["message"]
    assert found["lms-version"]["message"] == "It is asked in xAPI 1.0.3; it says that it speaks 2.0.0."
    assert "0 seconds apart" in found["lms-clock"]["message"]
    assert found["lms-rights"]["warning"] is False
    assert "complete up to 2026-03-02T09:30:00Z" in found["lms-consistent"]["message"]
    assert all(found[name]["ok"] for name in found if name.startswith("lms"))


def test_doctor_tells_the_versions_that_a_store_names_where_its_answers_bear_none(
    archive: Desk, records: OddStore
) -> None:
    lms(archive)
    records.answers = [answer(200, {"version": ["1.0.3", "2.0.0"]}), answer(200, {"statements": []})]
    message = checked(archive)["lms-version"]["message"]
    assert message == "It is asked in xAPI 1.0.3; it says that it speaks 1.0.3, 2.0.0."
    records.answers = [answer(200, {}), answer(200, {"statements": []})]
    assert checked(archive)["lms-version"]["warning"] is True


def test_doctor_warns_of_a_store_that_tells_little(archive: Desk, records: OddStore) -> None:
    records.says_consistent = False
    records.entries.clear()
    records.now = lambda: archive.clock.now() - timedelta(hours=2)
    found = checked(archive)
    assert {name for name, check in found.items() if name.startswith("lms") and check["warning"]} == {
        "lms-clock", "lms-rights", "lms-consistent"
    }  # fmt: skip


def test_doctor_names_a_password_that_is_refused(archive: Desk, records: OddStore) -> None:
    records.password = "another"
    found = checked(archive, code=4)
    assert found["lms"]["ok"] is False
    assert "password" in found["lms"]["message"]


# The same by whatever way


@pytest.mark.further
def test_the_same_completions_give_the_same_grants_by_file_by_api_and_by_record_store(tmp_path: Path) -> None:
    told = [(ADA, "2026-03-01T10:00:00Z"), (BO, "2026-03-02T08:00:00Z")]
    by_file, by_site, by_store = (grants_of(tmp_path / name, name, told) for name in ("file", "site", "store"))
    assert by_file == by_site == by_store
    assert len(by_file) == 2


def grants_of(home: Path, way: str, told: list[tuple[str, str]]) -> list[tuple[Any, ...]]:
    """Let people complete in one way, and return what they were granted, and what Credly issued."""
    home.mkdir()
    desk = Desk(home)
    desk.connect()
    desk.imports("content", "content_id,title\ncourse,First Aid\n")
    link(desk, "course")
    records = OddStore(now=desk.clock.now)
    records.store(*[said("completed", who, "course", at) for who, at in told])
    site = Site()
    for who, at in told:
        site.completed(who, "course", at)
    site.content = [{"id": "course", "kind": "course", "title": "First Aid", "status": "published"}]
    with StoreServer(records) as server, StandIn(site) as other:
        match way:
            case "file":
                rows = [f"{who},{who.split('.')[0]},{who.split('.')[1].split('@')[0]},course,{at}" for who, at in told]
                header = "email,first_name,last_name,content_id,completed_at\n"
                desk.imports("progress", header + "\n".join(rows) + "\n")
            case "site":
                desk.environ["CREDLY_LMS_TOKEN"] = KEY
                desk.config(f'[lms]\nsource = "thought-industries"\n[lms.thought_industries]\nhost = "{other.url}"\n')
            case "store":
                desk.environ["CREDLY_LMS_TOKEN"] = PASSWORD
                desk.config(configuration(server.url))
        desk.json("sync")
    grants = [(each["email"], each["state"], each["completed_at"], each["issued_at"]) for each in desk.json("grants")]
    assert len(desk.issued()) == len(told)
    return sorted(grants)
