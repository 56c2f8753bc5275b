"""Statements of xAPI are judged together, in whatever files and order they come."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.desk import Desk

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)


def _said(verb: str, number: int, **more: Any) -> dict[str, Any]:
    actor = {"mbox": "mailto:r@example.org", "name": "Robin Sample"}
    verb = f"http://adlnet.gov/expapi/verbs/{verb}"
    at = f"2026-03-0{number}T10:00:00Z"
    return {"id": f"s{number}", "actor": actor, "verb": {"id": verb}, "object": {"id": "C1"}, "timestamp": at, **more}


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("statements", "completed"),
    [
        ([_said("completed", 1, result={"completion": False})], None),
        ([_said("completed", 1, result={"completion": True, "success": False})], None),
        ([_said("failed", 1), _said("completed", 2)], None),
        ([_said("completed", 2), _said("failed", 3)], None),
        ([_said("failed", 1), _said("completed", 2, result={"success": True})], 2),
        ([_said("passed", 1), _said("failed", 2), _said("passed", 3)], 3),
        ([_said("completed", 1), _said("voided", 2, object={"objectType": "StatementRef", "id": "s1"})], None),
        ([_said("failed", 2), _said("completed", 3), _said("voided", 4, object={"id": "s2"})], 3),
        ([_said("waived", 1)], 1),
        ([_said("answered", 1, result={"completion": True})], None),
        ([{"voided": True, "statement": _said("completed", 1)}], None),
        ([{"voided": False, "statement": _said("completed", 1)}], 1),
        ([_said("completed", 1, context={"registration": "a"}), _said("failed", 2, context={"registration": "b"})], 1),
        ([_said("completed", 1), _said("failed", 2, context={"registration": "b"})], None),
        ([_said("failed", 1, context={"registration": "b"}), _said("completed", 2)], None),
        ([_said("experienced", 1, result={"completion": True})], None),
        ([_said("progressed", 1, result={"completion": True, "success": True})], None),
    ],
)
def test_statements_are_judged_together(statements: list[Any], completed: int | None, desk: Desk) -> None:
    desk.clock.time = NOW
    desk.imports("content", "content_id,title\nC1,Intro\n")
    told(desk, *statements)
    assert completions(desk) == ([f"2026-03-0{completed}T10:00:00Z"] if completed else [])


def told(desk: Desk, *statements: Any, **how: Any) -> Any:
    """Import statements as a file."""
    return desk.json("import", "progress", desk.file("statements.json", json.dumps(statements)), **how)


def completions(desk: Desk) -> list[str]:
    with desk.store() as store:
        rows = store.rows(
            "SELECT completed_at FROM enrollments WHERE completed_at IS NOT NULL AND denied_at IS NULL ORDER BY 1"
        )
    return [row["completed_at"] for row in rows]


@pytest.fixture
def linked(desk: Desk) -> Desk:
    """A desk with content that a badge is linked to, where earlier completions count too."""
    desk.clock.time = NOW
    desk.connect()
    desk.json("sync")
    desk.imports("content", "content_id,title\nC1,Intro\n")
    desk.json("link", "First Aid at Work", "C1", "--since", "2026-01-01")
    return desk


VOIDING = _said("voided", 4, object={"objectType": "StatementRef", "id": "S1"})


@pytest.mark.further
def test_a_statement_that_a_later_file_voids_earns_nothing(linked: Desk) -> None:
    told(linked, _said("completed", 1))
    told(linked, VOIDING)
    assert linked.json("sync")["problems"] == []
    assert linked.issued() == []
    with linked.store() as store:
        assert store.rows("SELECT * FROM enrollments") == []


def test_a_statement_that_comes_after_it_was_voided_was_never_said(linked: Desk) -> None:
    told(linked, VOIDING)
    told(linked, _said("completed", 1))
    linked.json("sync")
    assert linked.issued() == []
    assert linked.json("learners") == []


@pytest.mark.further
def test_a_grant_that_is_planned_is_cancelled_where_its_statement_is_voided(linked: Desk) -> None:
    for number in (1, 2):  # without a name both are held
        told(linked, {**_said("completed", number), "actor": {"mbox": f"mailto:r{number}@example.org"}})
    linked.json("sync", code=3)
    told(linked, VOIDING)
    states = {grant["email"]: grant["state"] for grant in linked.json("grants")}
    assert states == {"r1@example.org": "cancelled", "r2@example.org": "held"}
    linked.json("resolve", "2", "--drop")
    linked.json("sync")
    assert linked.json("status")["needs_person"] == 0


@pytest.mark.further
def test_where_the_later_of_two_is_voided_the_earlier_counts(linked: Desk) -> None:
    told(linked, _said("completed", 2))
    told(linked, _said("completed", 3))
    told(linked, _said("voided", 4, object={"id": "s3"}))
    linked.json("sync")
    (badge,) = linked.issued()
    assert badge.details.issued_at.startswith("2026-03-02"), badge


@pytest.mark.further
def test_a_statement_voided_after_its_badge_was_sent_is_reported_with_the_way_back(linked: Desk) -> None:
    """R34."""
    told(linked, _said("completed", 1))
    linked.json("sync")
    assert len(linked.issued()) == 1
    answer = told(linked, VOIDING)
    (warning,) = [each for each in answer["warnings"] if "voided" in each]
    assert "r@example.org" in warning
    assert "'Intro'" in warning
    assert "credly grants --email r@example.org" in warning
    assert "Revoking is done in Credly only" in warning
    linked.json("sync")
    assert [grant["state"] for grant in linked.json("grants")] == ["issued"]
    assert "r@example.org" not in str(told(linked, VOIDING)["warnings"])


@pytest.mark.further
def test_a_failure_in_a_later_file_holds_a_badge_that_was_not_sent(linked: Desk) -> None:
    """R33."""
    told(linked, _said("completed", 1))
    told(linked, _said("failed", 3))
    answer = linked.json("sync", code=3)
    assert [problem["code"] for problem in answer["problems"]] == ["completion-denied"]
    assert linked.issued() == []


def test_a_failure_that_comes_late_takes_back_a_mere_completion_after_it(linked: Desk) -> None:
    told(linked, _said("completed", 2))
    told(linked, _said("failed", 1))
    linked.json("sync", code=3)
    assert linked.issued() == []


@pytest.mark.further
def test_a_later_success_frees_what_a_failure_took_back(linked: Desk) -> None:
    told(linked, _said("completed", 1))
    told(linked, _said("failed", 2))
    linked.json("sync", code=3)
    told(linked, _said("passed", 3))
    linked.json("sync")
    (badge,) = linked.issued()
    assert badge.details.issued_at.startswith("2026-03-03"), badge


@pytest.mark.further
def test_a_failure_that_is_voided_takes_nothing_back(linked: Desk) -> None:
    told(linked, _said("completed", 1))
    told(linked, _said("failed", 2))
    linked.json("sync", code=3)
    told(linked, _said("voided", 4, object={"id": "s2"}))
    linked.json("sync")
    assert len(linked.issued()) == 1


@pytest.mark.further
def test_another_attempt_that_fails_takes_nothing_back(linked: Desk) -> None:
    told(linked, _said("completed", 1, context={"registration": "a"}))
    told(linked, _said("failed", 3, context={"registration": "b"}))
    assert linked.json("sync")["problems"] == []
    assert len(linked.issued()) == 1


def test_a_registration_is_a_session_where_a_row_of_content_says_so(desk: Desk) -> None:
    desk.clock.time = NOW
    desk.imports("content", "content_id,title,session_id\nC1,Intro,reg-a\nC1,Intro,reg-b\n")
    told(desk, _said("completed", 1, context={"registration": "REG-B"}))
    with desk.store() as store:
        assert [row["session_id"] for row in store.rows("SELECT session_id FROM enrollments")] == ["reg-b"]


def test_a_verb_that_is_not_known_to_complete_is_asked_about_and_may_be_told(linked: Desk) -> None:
    ended = _said("terminated", 1, result={"completion": True})
    warnings = told(linked, ended, _said("exited", 1), _said("answered", 1))["warnings"]
    assert warnings == [
        "2 statements say nothing of a completion: exited (1), answered (1).",
        "1 statement says that something was completed, by a verb that is not known to mean it: terminated (1)."
        " --value status:VERB=completed tells that it does.",
    ]
    assert completions(linked) == []
    path = linked.file("statements.json", json.dumps(ended))
    linked.json("import", "progress", path, "--value", "status:terminated=completed")
    assert completions(linked) == ["2026-03-01T10:00:00Z"]


def test_of_verbs_without_end_only_so_many_are_told_apart(desk: Desk) -> None:
    """And memory does not grow with the file."""
    lines = "".join(json.dumps(_said(f"verb{number}", 1)) + "\n" for number in range(1500))
    (warning,) = desk.json("import", "progress", desk.file("statements.jsonl", lines))["warnings"]
    assert warning.startswith("1,500 statements say nothing of a completion: ... (500), verb0 (1)")


@pytest.mark.further
def test_statements_told_again_change_nothing(linked: Desk) -> None:
    statements = [_said("completed", 1), _said("failed", 2), _said("passed", 3)]
    told(linked, *statements)
    again = told(linked, *statements)
    assert (again["read"], again["unchanged"]) == (3, 3)


def test_nothing_of_statements_is_left_of_who_is_forgotten(linked: Desk) -> None:
    told(linked, _said("completed", 1))
    linked.json("forget", "r@example.org", "--yes")
    with linked.store() as store:
        assert store.rows("SELECT * FROM statements") == []


ACCOUNT = {"account": {"homePage": "https://lms.example.org/", "name": "5"}, "name": "Ada Lovelace"}


@pytest.mark.parametrize(
    ("homes", "options", "rejected"),
    [("", (), 1), ("", ("--source", "https://lms.example.org"), 0), ('"https://lms.example.org" = ""', (), 1),
     ('"https://lms.example.org" = "moodle"', ("--source", "moodle"), 0)],
)  # fmt: skip
def test_an_account_is_of_the_numbering_of_its_home_page(
    homes: str, options: tuple[str, ...], rejected: int, desk: Desk
) -> None:
    """R25."""
    desk.clock.time = NOW
    desk.config(f"[lms.xapi]\nhomes = {{{homes}}}\n")
    desk.imports("content", "content_id,title\nC1,Intro\n")
    desk.imports("learners", "email,first_name,last_name,learner_id\nada@example.org,Ada,Lovelace,5\n", *options)
    told(desk, _said("completed", 1, actor=ACCOUNT), code=3 if rejected and not homes else 0)
    assert len(completions(desk)) == (0 if rejected and not homes else 1)


def test_an_activity_may_be_called_otherwise_here(desk: Desk) -> None:
    desk.clock.time = NOW
    desk.config('[lms.xapi]\nactivities = {"https://lms.example/course/7" = "C1"}\n')
    desk.imports("content", "content_id,title\nC1,Intro\n")
    told(desk, _said("completed", 1, object={"id": "https://lms.example/course/7"}))
    assert len(completions(desk)) == 1
