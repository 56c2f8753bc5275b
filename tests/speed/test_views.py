"""The rules that are views are answered by index, whoever asks: about one learner, a whole content, an address."""

import pytest

from credly_cli.store.database import Store

QUESTIONS = {
    "one learner's addresses": "SELECT email_key FROM learner_addresses WHERE learner = 1",
    "whose an address is": "SELECT learner FROM learner_addresses WHERE email_key = 'a@x'",
    "one learner's badges": "SELECT * FROM learner_issued_badges WHERE learner = 1",
    "several learners' badges": (
        "SELECT * FROM json_each('[1, 2]') me CROSS JOIN learner_issued_badges m ON m.learner = me.value"
    ),
    "whether each of a content's completions has its badge": (
        "SELECT EXISTS (SELECT 1 FROM learner_issued_badges m WHERE m.learner = e.learner AND m.badge_id = 'b')"
        " FROM enrollments e WHERE e.content_id = 'c' AND e.completed_at IS NOT NULL"
    ),
    "the new completions of a link": (
        "SELECT * FROM enrollment_links WHERE link_id = 1 AND rev > planned_rev AND counts"
    ),
    "one learner's completions": "SELECT * FROM enrollment_links WHERE learner = 1",
    "a badge's completions": (
        "SELECT * FROM enrollment_links WHERE badge_id = 'b' AND content_id = 'c' AND completed_at IS NOT NULL"
    ),
    "when a learner's badge was revoked": (
        "SELECT min(revoked_at) FROM learner_issued_badges WHERE learner = 1 AND badge_id = 'b' AND revoked_at > ''"
    ),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_view_leads_from_what_is_asked_about_to_its_rows(question: str) -> None:
    with Store.in_memory() as store:
        plan = [str(row[3]) for row in store.connection.execute(f"EXPLAIN QUERY PLAN {QUESTIONS[question]}")]
    assert len(plan) > 1
    searched = {line.split()[1] for line in plan if line.startswith("SEARCH")}
    scanned = {line.split()[1] for line in plan if line.startswith("SCAN")}
    assert searched
    assert scanned <= {"json_each", "me"}, plan
