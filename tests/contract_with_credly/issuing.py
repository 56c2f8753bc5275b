"""Questions that issue badges: a handful, without mail, revoked at the end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from credly_cli.times import utc_text
from tests.contract_with_credly.account import ISSUED_AT, PATIENCE, Account, NotAskedError, data_of, rows_of, told
from tests.contract_with_credly.questions import Answer, Question

_WANTED = "422 with data.message; the badge is looked up before it is believed"


def refusal_of(**wrong: Any) -> Callable[[Account], Answer]:
    """Ask what a request with something wrong is answered with."""

    def ask(account: Account) -> Answer:
        reply = account.issue(account.badge(), **wrong)
        return Answer(told(reply), reply.status == 422 and "data" in reply.json)

    return ask


def future_date(account: Account) -> Answer:
    month_ahead = (account.clock.now() + timedelta(days=30)).strftime("%Y-%m-%d %H:%M:%S +0000")
    return Answer(told(account.issue(account.badge(repeatable=True), issued_at=month_ahead)))


def inactive_badge(account: Account) -> Answer:
    for state in ("archived", "draft"):
        if rows := rows_of(account.get("/badge_templates", filter=f"state::{state}")):
            reply = account.issue(rows[0]["id"])
            return Answer(f"{state}: {told(reply)}", reply.status == 422)
    raise NotAskedError("needs an archived badge or a draft")


def unknown_badge(account: Account) -> Answer:
    reply = account.issue(str(uuid4()))
    return Answer(told(reply), reply.status in (404, 422))


def batch(account: Account) -> Answer:
    return Answer(told(account.post("/badges/batch", {"badges": []})))


def echoed_time(account: Account) -> Answer:
    answered = str(account.first().get("issued_at"))
    return Answer(f"{ISSUED_AT} as {answered}", answered.startswith("2025-03-01T09:41:07"))


def echoed_mark(account: Account) -> Answer:
    mark = account.first().get("issuer_earner_id")
    return Answer("as it was sent" if mark == account.mark_of_first else f"as {mark}", mark == account.mark_of_first)


def listed_at_once(account: Account) -> Answer:
    account.first()
    seconds = account.seconds_until_found(account.mark_of_first)
    words = f"not within {PATIENCE} s" if seconds is None else f"within {seconds + 1} s"
    return Answer(words, seconds is not None)


def found_exactly(account: Account) -> Answer:
    account.first()
    mark = account.mark_of_first
    tried = {"its beginning": mark[:-1], "other case": mark.swapcase(), "a part": mark[9:30]}
    also = [words for words, part in tried.items() if account.found(issuer_earner_id=part)]
    return Answer(f"also by {', '.join(also)}" if also else "only by the whole of it", not also)


def found_by_address(account: Account) -> Answer:
    identity = account.first()["id"]
    as_sent, other = (
        any(row["id"] == identity for row in account.found(recipient_email=address))
        for address in (account.email, account.email.swapcase())
    )
    return Answer(f"as sent: {_yes(as_sent)}; in other case: {_yes(other)}", as_sent)


def in_the_search(account: Account) -> Answer:
    identity = account.first()["id"]
    for second in range(PATIENCE + 1):
        reply = account.get(
            "/high_volume_issued_badge_search", badge_format="default", filter=f"query::{account.email}"
        )
        if reply.status != 200:
            raise NotAskedError(f"the search answers {told(reply)}")
        if any(row["id"] == identity for row in rows_of(reply)):
            return Answer(f"within {second + 1} s")
        account.clock.sleep(1)
    return Answer(f"not within {PATIENCE} s")


def duplicate(account: Account) -> Answer:
    badge = account.badge(repeatable=False)
    _have(account, badge)
    reply = account.issue(badge)
    return Answer(told(reply), reply.status == 422)


def duplicate_in_other_case(account: Account) -> Answer:
    badge = account.badge(repeatable=False)
    _have(account, badge)
    reply = account.issue(badge, recipient_email=account.email.swapcase())
    return Answer(told(reply), reply.status == 422)


def duplicate_behavior(account: Account) -> Answer:
    badge = account.badge(repeatable=False)
    _have(account, badge)
    return Answer(told(account.issue(badge, duplicate_behavior="allow")))


def idempotency_key(account: Account) -> Answer:
    badge, key, mark = account.badge(repeatable=True), {"Idempotency-Key": str(uuid4())}, account.new_mark()
    first, second = (data_of(account.issue(badge, headers=key, issuer_earner_id=mark)).get("id") for _ in range(2))
    if first is None:
        raise NotAskedError("the badge was refused")
    return Answer("one badge" if second in (None, first) else "two badges", second not in (None, first))


def gone_client(account: Account) -> Answer:
    body = account.body(account.badge(repeatable=True))
    account.wire.send_and_leave(f"/organizations/{account.organization_id}/badges", body)
    seconds = account.seconds_until_found(body["issuer_earner_id"])
    return Answer(f"not issued within {PATIENCE} s" if seconds is None else f"issued, listed within {seconds + 1} s")


def revoked_in_lists(account: Account) -> Answer:
    identity = account.first()["id"]
    reply = account.revoke(identity)
    if reply.status != 200:
        return Answer(f"revoking: {told(reply)}", as_assumed=False)
    states = [row["state"] for row in account.found(issuer_earner_id=account.mark_of_first) if row["id"] == identity]
    return Answer(f"listed as {states[0]}" if states else "not listed", states == ["revoked"])


def again_after_revoking(account: Account) -> Answer:
    badge = account.badge(repeatable=False)
    for identity in [identity for identity, state in account.issued.items() if state != "revoked"]:
        account.revoke(identity)
    if _holds(account, badge):
        raise NotAskedError("the address holds the badge from before")
    reply = account.issue(badge)
    return Answer(told(reply), reply.status == 201)


def again_after_rejecting(account: Account) -> Answer:
    rejected = {row["badge_template"]["id"] for row in account.found(recipient_email=account.email, state="rejected")}
    for row in account.templates:
        if row["id"] in rejected and row.get("allow_duplicate_badges") is not True and row["id"] in account.badges:
            reply = account.issue(row["id"])
            return Answer(told(reply), reply.status == 422)
    raise NotAskedError("needs a badge in CREDLY_TEST_BADGES that the address has rejected and that forbids duplicates")


def at_which_time(account: Account) -> Answer:
    date = account.get("").date
    return Answer(f"{date}, here {utc_text(account.clock.now())}", date is not None)


def _have(account: Account, badge: str) -> None:
    """Let the address hold a badge already, from this run or from before."""
    if not _holds(account, badge):
        account.issue(badge)


def _holds(account: Account, badge: str) -> bool:
    rows = account.found(badge_template_id=badge, recipient_email=account.email)
    return any(row["state"] != "revoked" for row in rows)


def _yes(found: bool) -> str:
    return "found" if found else "not found"


ISSUING = (
    Question("What answers a blank name?", _WANTED, refusal_of(issued_to_first_name=" ")),
    Question("What answers an address that is none?", _WANTED, refusal_of(recipient_email="nobody")),
    Question("What answers a date that is none?", _WANTED, refusal_of(issued_at="yesterday")),
    Question("Is a date to come taken?", "it is sent when its time has come", future_date),
    Question("What answers an archived badge, or a draft?", _WANTED, inactive_badge),
    Question("What answers a badge that is not there?", "404 or 422", unknown_badge),
    Question("Is the batch still offered?", "it is not used", batch),
    Question("Is issued_at kept to the second?", "yes: it tells two sessions apart", echoed_time),
    Question("Is an issuer_earner_id of 64 characters kept?", "yes, to the letter", echoed_mark),
    Question("Is a new badge listed at once?", "within the settling time of 15 minutes", listed_at_once),
    Question("Does the filter issuer_earner_id match exactly?", "each row is checked all the same", found_exactly),
    Question("Does recipient_email fold case?", "addresses are compared here, folded", found_by_address),
    Question("When does the high-volume search have a new badge?", "it may lag", in_the_search),
    Question(
        "What answers a duplicate?", "422, with the attributes of the rules it breaks; nothing is issued", duplicate
    ),
    Question("Is the same address in other case a duplicate?", "422: addresses fold", duplicate_in_other_case),
    Question("Is duplicate_behavior=allow honoured?", "it is not used", duplicate_behavior),
    Question("Is an Idempotency-Key honoured?", "no: nothing is sent twice", idempotency_key),
    Question("What becomes of a request whose client has gone?", "it may be applied, so it is looked up", gone_client),
    Question("Does a listing without a state have revoked badges?", "yes", revoked_in_lists),
    Question("May a badge be issued again once it is revoked?", "yes", again_after_revoking),
    Question("May a badge be issued again once it is rejected?", "no: it is held", again_after_rejecting),
    Question("Does an answer tell Credly's own time?", "in the header Date", at_which_time),
)
