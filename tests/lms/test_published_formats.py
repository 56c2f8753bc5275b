"""Each format with the header that its vendor or standard publishes, to the letter; the people in it are invented."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from credly_cli.lms.records import Reject, VoidingRecord
from tests.support.desk import Desk

AT = "2026-10-17T20:50:53Z"

TI_EVENT: dict[str, Any] = {
    "id": "e1",
    "event": "courseCompletion",
    "type": "status_change",
    "source": "course_completed",
    "timestamp": "2026-10-17T20:50:53.103Z",
    "updatedAt": "2026-10-17T20:50:54.000Z",
    "companyId": "k1",
    "notifiableId": "s1",
    "title": "Python",
    "license": None,
    "user": "robin@example.org",
    "userDetail": {"id": "u1", "firstName": "Robin", "lastName": "Smith", "externalCustomerId": "x1", "client": None},
}


def _told(record: Any) -> tuple[Any, ...]:
    return (record.email, record.content, record.status, record.completed_at, record.event_id)


@pytest.mark.parametrize(
    "wrapped",
    [
        TI_EVENT,
        [TI_EVENT],
        {"events": [TI_EVENT], "pageInfo": {"cursor": "x", "hasMore": False}},
        {"pageInfo": {"hasMore": False}, "events": [TI_EVENT]},
        {"data": {"APIEvents": {"events": [TI_EVENT], "pageInfo": {"hasMore": False}}}},
        {"data": {"APIEvents": [TI_EVENT]}},
        {"data": {"APIEvents": {"edges": [{"node": TI_EVENT}]}}},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_completion_events_of_thought_industries(wrapped: Any, indent: int | None, one: Callable[..., Any]) -> None:
    record = one("progress", json.dumps(wrapped, indent=indent))
    assert _told(record) == ("robin@example.org", "s1", "complete", AT, "e1")
    assert (record.learner_id, record.first_name, record.last_name) == ("u1", "Robin", "Smith")


def test_the_address_in_the_user_s_detail_comes_first(one: Callable[..., Any]) -> None:
    event = {**TI_EVENT, "userDetail": {"email": "detail@example.org"}}
    assert one("progress", json.dumps(event)).email == "detail@example.org"
    event = {**TI_EVENT, "userDetail": {"email": None}}
    assert one("progress", json.dumps(event)).email == "robin@example.org"


def test_the_nightly_file_of_thought_industries(one: Callable[..., Any]) -> None:
    text = (
        "id,source,timestamp,type,user,companyId,event,notifiableId,title,userDetail.id,userDetail.firstName,"
        "userDetail.lastName,userDetail.externalCustomerId,userDetail.sfContactId,userDetail.sfAccountId,"
        "userDetail.client,userDetail.ref1,userDetail.ref2,userDetail.ref3\n"
        "e1,course_completed,2026-10-17T20:50:53.103Z,status_change,robin@example.org,k1,courseCompletion,s1,Python,"
        "u1,Robin,Smith,x1,,,p1,,,\n"
    )
    record = one("progress", text)
    assert _told(record) == ("robin@example.org", "s1", "complete", AT, "e1")
    assert (record.by_title, record.learner_id, record.last_name) == (False, "u1", "Smith")


@pytest.mark.parametrize(
    ("kind", "source", "status", "enrolled_at", "completed_at"),
    [
        ("enrollment", "registration", None, AT, None),
        ("status_change", "course_completed", "complete", None, AT),
        ("status_change", "manager_change", None, None, None),
        ("revoked_access", "manager", "ended", None, None),
        ("certificate_grant", "course_completed", None, None, None),
    ],
)
def test_a_row_of_the_content_actions_log_is_read_by_its_type_and_source(
    kind: str,
    source: str,
    status: str | None,
    enrolled_at: str | None,
    completed_at: str | None,
    one: Callable[..., Any],
) -> None:
    text = (
        "Email,Panorama Name,Content Type,Content Title,Type,Source,Timestamp\n"
        f"robin@example.org,Acme,Course,Python,{kind},{source},{AT}\n"
    )
    record = one("progress", text)
    assert (record.content, record.by_title, record.status) == ("Python", True, status)
    assert (record.enrolled_at, record.completed_at) == (enrolled_at, completed_at)


@pytest.mark.parametrize(
    ("event", "status", "enrolled_at", "completed_at"),
    [("course.completed", "complete", None, AT), ("enrollment.created", None, AT, None)],
)
def test_a_webhook_of_thought_industries_of_2026_is_read_by_its_event(
    event: str, status: str | None, enrolled_at: str | None, completed_at: str | None, one: Callable[..., Any]
) -> None:
    body = {
        "event": event,
        "timestamp": AT,
        "data": {"id": "d1", "user": {"id": "u1", "email": "robin@example.org"}, "course": {"id": "s1", "title": "P"}},
    }
    record = one("progress", json.dumps(body))
    assert (record.email, record.learner_id, record.content) == ("robin@example.org", "u1", "s1")
    assert (record.status, record.enrolled_at, record.completed_at) == (status, enrolled_at, completed_at)
    assert record.event_id is None


def test_an_order_that_is_completed_completes_no_course(one: Callable[..., Any]) -> None:
    body = {
        "event": "order.completed",
        "timestamp": AT,
        "data": {"email": "r@x.org", "courseId": "s1", "status": "done"},
    }
    assert one("progress", json.dumps(body)).column == "event"


def test_an_event_completes_a_learning_path_and_one_of_its_milestone_does_not(read: Callable[..., list[Any]]) -> None:
    event = {
        "source": "learning_path_completed",
        "type": "status_change",
        "timestamp": AT,
        "user": "robin@example.org",
        "notifiableId": "p1",
        "learningPathTitle": "Path",
    }
    lines = [json.dumps({**event, "id": "e1"}), json.dumps({**event, "id": "e2", "source": "milestone_completed"})]
    assert [_told(record) for record in read("progress", "\n".join(lines))] == [
        ("robin@example.org", "p1", "complete", AT, "e1"),
        ("robin@example.org", "p1", None, None, "e2"),
    ]


THINKIFIC = (
    "enrollment_id,user_email,user_name,user_id,course_id,course_name,percentage_completed,completed,completed_at,"
    "started_at,expired\n"
)


def test_an_export_of_thinkific_is_read_without_naming_its_columns(read: Callable[..., list[Any]]) -> None:
    text = THINKIFIC + (
        f"1,robin@example.org,Robin Smith,7,c1,Python,100,true,{AT},2026-10-01T00:00:00Z,false\n"
        "2,kim@example.org,Kim Lee,8,c1,Python,40,false,,2026-10-01T00:00:00Z,false\n"
        "3,lou@example.org,Lou Day,9,c1,Python,100,true,,2026-10-01T00:00:00Z,false\n"
    )
    done, started, undated = read("progress", text)
    assert _told(done) == ("robin@example.org", "c1", "complete", AT, None)
    assert (done.first_name, done.last_name, done.learner_id) == ("Robin", "Smith", "7")
    assert (started.status, started.progress, started.enrolled_at) == ("open", 40.0, "2026-10-01T00:00:00Z")
    assert undated.column == "completed_at"


def test_a_webhook_of_thinkific_is_read_as_a_completion(one: Callable[..., Any]) -> None:
    body = {
        "id": "m1",
        "resource": "enrollment",
        "action": "completed",
        "payload": {
            "percentage_completed": "100.0",
            "completed_at": AT,
            "course": {"id": 5, "name": "Python"},
            "user": {"id": 7, "email": "robin@example.org", "first_name": "Robin", "last_name": "Smith"},
        },
    }
    record = one("progress", json.dumps(body))
    assert _told(record) == ("robin@example.org", "5", "complete", AT, None)
    assert (record.learner_id, record.first_name) == ("7", "Robin")


MOODLE = "ID,Name,Email address,Quiz 1,Quiz 1 - Completion date,Course complete"


def test_the_completion_report_of_moodle_with_its_course_added(read: Callable[..., list[Any]]) -> None:
    text = (
        f"{MOODLE},content_title\n"
        '7,Robin Smith,robin@example.org,Completed,x,"Monday, 2 March 2026, 9:30 AM",Python\n'
        "8,Kim Lee,kim@example.org,Not completed,,,Python\n"
    )
    done, begun = read("progress", text.encode("utf-16"), date_format="%A, %d %B %Y, %I:%M %p")
    assert _told(done) == ("robin@example.org", "Python", "complete", "2026-03-02T09:30:00Z", None)
    assert (done.first_name, done.last_name) == ("Robin", "Smith")
    assert (begun.status, begun.completed_at) == (None, None)


def test_the_completion_report_of_moodle_as_it_is_with_the_course_said(read: Callable[..., list[Any]]) -> None:
    text = f'{MOODLE}\n7,Robin Smith,robin@example.org,Completed,x,"Monday, 2 March 2026, 9:30 AM"\n\n8,K,bad,,,\n'
    form = "%A, %d %B %Y, %I:%M %p"
    done, rejected = read("progress", text.encode("utf-16"), date_format=form, mapping={"content_id": "=101"})
    assert _told(done) == ("robin@example.org", "101", "complete", "2026-03-02T09:30:00Z", None)
    assert (rejected.row, rejected.column) == (4, "Email address")


def test_the_bulk_progress_of_canvas_with_the_course_said(read: Callable[..., list[Any]]) -> None:
    done = {"requirement_count": 10, "requirement_completed_count": 10, "completed_at": "2026-03-02T09:30:00Z"}
    users = [
        {"id": 1, "display_name": "Robin Smith", "progress": done},
        {"id": 2, "display_name": "Kim Lee", "progress": {**done, "completed_at": None}},
    ]
    first, second = read("progress", json.dumps(users), mapping={"content_id": "=101", "learner_id": "id"})
    assert (first.learner_id, first.content, first.completed_at) == ("1", "101", "2026-03-02T09:30:00Z")
    assert (second.learner_id, second.completed_at) == ("2", None)


def _statement(verb: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "x1",
        "actor": {"objectType": "Agent", "name": "Robin Smith", "mbox": "mailto:robin@example.org"},
        "verb": {"id": verb, "display": {"en": "did"}},
        "object": {"id": "https://lms.example.org/python", "definition": {"name": {"en": "Python"}}},
        "timestamp": "2026-10-17T20:50:53.103000+00:00",
        **more,
    }


@pytest.mark.parametrize(
    ("verb", "status", "completed_at"),
    [
        ("http://adlnet.gov/expapi/verbs/completed", "complete", AT),
        ("http://adlnet.gov/expapi/verbs/passed", "complete", AT),
        ("https://w3id.org/xapi/adl/verbs/satisfied", "complete", AT),
        ("http://adlnet.gov/expapi/verbs/failed", "open", None),
        ("http://adlnet.gov/expapi/verbs/progressed", None, None),
    ],
)
def test_statements_of_xapi_and_cmi5(
    verb: str, status: str | None, completed_at: str | None, one: Callable[..., Any]
) -> None:
    record = one("progress", json.dumps({"statements": [_statement(verb)], "more": ""}))
    assert _told(record) == ("robin@example.org", "https://lms.example.org/python", status, completed_at, "x1")
    assert (record.first_name, record.last_name) == ("Robin", "Smith")


def test_a_statement_of_initialized_is_an_enrollment(one: Callable[..., Any]) -> None:
    record = one("progress", json.dumps(_statement("http://adlnet.gov/expapi/verbs/initialized")))
    assert (record.status, record.enrolled_at, record.completed_at) == (None, AT, None)


def test_a_result_that_is_complete_counts_with_a_verb_that_is_told(read: Callable[..., list[Any]]) -> None:
    statement = json.dumps(_statement("http://adlnet.gov/expapi/verbs/terminated", result={"completion": True}))
    assert read("progress", statement) == []
    (record,) = read("progress", statement, values={"status": {"terminated": "completed"}})
    assert record.completed_at == AT
    (record,) = read("progress", statement, values={"status": {"http://adlnet.gov/expapi/verbs/terminated": "ended"}})
    assert (record.status, record.completed_at) == ("ended", None)
    assert read("progress", statement, values={"status": {"terminated": "ignore"}}) == []


@pytest.mark.parametrize(
    ("result", "completed_at"),
    [
        ({"completion": "false"}, None),
        ({"success": "False"}, None),
        ({"completion": "true", "success": ""}, AT),
        ({"success": None}, AT),
    ],
)
def test_a_result_may_be_written_as_text(
    result: dict[str, Any], completed_at: str | None, one: Callable[..., Any]
) -> None:
    statement = _statement("http://adlnet.gov/expapi/verbs/completed", result=result)
    assert one("progress", json.dumps(statement)).completed_at == completed_at


def test_a_result_that_is_neither_true_nor_false_rejects_its_statement(one: Callable[..., Any]) -> None:
    statement = _statement("http://adlnet.gov/expapi/verbs/completed", result={"success": 0})
    assert one("progress", json.dumps(statement)) == Reject(1, "result", "its success is neither true nor false")


def test_the_progress_of_a_statement_is_kept(one: Callable[..., Any]) -> None:
    result = {"extensions": {"https://w3id.org/xapi/cmi5/result/extensions/progress": 40}}
    statement = _statement("http://adlnet.gov/expapi/verbs/progressed", result=result)
    assert one("progress", json.dumps(statement)).progress == 40.0


@pytest.mark.parametrize("verb", ["http://adlnet.gov/expapi/verbs/scored", "http://adlnet.gov/expapi/verbs/answered"])
def test_statements_of_other_verbs_are_passed_over(verb: str, read: Callable[..., list[Any]]) -> None:
    assert read("progress", json.dumps({"statements": [_statement(verb)]})) == []


def test_a_statement_that_voids_another_names_it_and_is_no_progress(one: Callable[..., Any]) -> None:
    about = {"objectType": "StatementRef", "id": "ABC"}
    record = one("progress", json.dumps(_statement("http://adlnet.gov/expapi/verbs/voided", object=about)))
    assert record == VoidingRecord(1, "abc", "x1")


@pytest.mark.parametrize(
    ("actor", "email", "learner_id"),
    [
        ({"account": {"homePage": "https://lms.example.org", "name": "u1"}}, None, "u1"),
        ({"account": {"homePage": "https://lms.example.org", "name": "r@example.org"}}, "r@example.org", None),
    ],
)
def test_an_actor_may_be_an_account(
    actor: dict[str, Any], email: str | None, learner_id: str | None, one: Callable[..., Any]
) -> None:
    statement = _statement("http://adlnet.gov/expapi/verbs/completed", actor=actor)
    record = one("progress", json.dumps(statement))
    assert (record.email, record.learner_id) == (email, learner_id)


def test_an_actor_whom_nobody_can_know_is_rejected(read: Callable[..., list[Any]]) -> None:
    verb = "http://adlnet.gov/expapi/verbs/completed"
    statements = [_statement(verb), _statement(verb, actor={"mbox_sha1sum": "0" * 40})]
    _, reject = read("progress", json.dumps(statements))
    assert (reject.row, reject.column) == (2, "actor")


PAST = "2026-03-01T10:00:00Z"  # to a desk
LOG = "Email,Content Title,Type,Source,Timestamp\n"


@pytest.mark.parametrize("words", ["status_change,manager_completed", "status_change,completed", "completion,course"])
def test_words_of_a_log_that_sound_like_a_completion_and_are_not_known_reject_their_row(
    words: str, one: Callable[..., Any]
) -> None:
    text = f"{LOG}robin@example.org,Python,{words},{AT}\n"
    word = words.replace(",", "/")
    assert f"--value status:{word}=MEANING" in one("progress", text).reason
    for told in (word, words.partition(",")[2]):
        assert one("progress", text, values={"status": {told: "completed"}}).completed_at == AT
        assert one("progress", text, values={"status": {told: "open"}}).completed_at is None


@pytest.mark.parametrize("action", ["completed", "Finished", "quiz.passed"])
def test_an_action_that_sounds_like_a_completion_may_be_of_a_part(action: str, one: Callable[..., Any]) -> None:
    text = f"Timestamp,Email,Course,Action\n{AT},robin@example.org,Python,{action}\n"
    assert "is not known to be a completion" in one("progress", text).reason


def test_a_course_that_is_said_not_to_be_completed_is_open(one: Callable[..., Any]) -> None:
    text = f"{LOG}robin@example.org,Python,status_change,course_not_completed,{AT}\n"
    assert one("progress", text).status == "open"


def test_other_words_of_a_log_that_are_not_known_are_counted_aloud(desk: Desk) -> None:
    desk.imports("content", "content_id,title\nc1,Python\n")
    rows = ["status_change,manager_change", "status_change,manager_change", "viewed,", "enrollment,registration"]
    told = desk.imports(
        "progress", LOG + "".join(f"r{n}@example.org,Python,{row},{PAST}\n" for n, row in enumerate(rows))
    )
    assert (told["added"], told["rejected"]) == (4, 0)
    assert any("2 rows have words that are not known" in each for each in told["warnings"])
    assert any("status_change/manager_change (2)" in each for each in told["warnings"])


def test_a_type_that_is_no_event_says_nothing(desk: Desk) -> None:
    desk.imports("content", "content_id,title\nc1,Python\n")
    rows = f"r@example.org,Python,Online,Catalogue,{PAST}\nb@example.org,Python,Online,,\n"
    text = f"email,course,type,source,completed_at\n{rows}"
    told = desk.imports("progress", text)
    assert (told["completions"], told["rejected"], told["warnings"]) == (1, 0, [])
