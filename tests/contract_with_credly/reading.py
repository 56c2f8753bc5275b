"""Questions that only read."""

from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from tests.contract_with_credly.account import Account, NotAskedError, rows_of, told
from tests.contract_with_credly.questions import Answer, Question

_BURST = 200
_WINDOW = 60  # seconds to wait after a burst that was refused
_FILTERS = (
    "recipient_email", "recipient_email_all", "issuer_earner_id", "user_id", "badge_template_id", "state", "query",
)  # fmt: skip


def wrong_token(account: Account) -> Answer:
    reply = account.wire.with_token(str(uuid4())).ask("GET", "/organizations")
    return Answer(told(reply), reply.status == 401)


def foreign_organization(account: Account) -> Answer:
    reply = account.wire.ask("GET", f"/organizations/{uuid4()}/badge_templates")
    return Answer(told(reply), reply.status in (403, 404))


def missing_path(account: Account) -> Answer:
    reply = account.get("/nothing_here")
    return Answer(told(reply), reply.status == 404)


def missing_badge(account: Account) -> Answer:
    reply = account.get(f"/badges/{uuid4()}")
    return Answer(told(reply), reply.status == 404)


def page_size(account: Account) -> Answer:
    usual, asked = (rows_of(account.get("/badge_templates", **more)) for more in ({}, {"per": 1}))
    if len(usual) < 2:
        raise NotAskedError("needs two badges")
    return Answer(f"{len(usual)} rows without, {len(asked)} with per=1")


def page_links(account: Account) -> Answer:
    reply = account.get("/badges", filter="state::pending,accepted,rejected,revoked", sort="created_at")
    following = reply.json["metadata"].get("next_page_url") if reply.status == 200 else None
    if following is None:
        raise NotAskedError("needs more issued badges than a page has")
    names = sorted(name for name, _ in parse_qsl(urlsplit(following).query))
    return Answer(f"{urlsplit(following).path} with {', '.join(names)}")


def filtered_and_sorted(account: Account) -> Answer:
    rows = account.templates
    active = all(row["state"] == "active" for row in rows)
    ordered = rows == sorted(rows, key=lambda row: str(row["created_at"]))
    return Answer(f"{len(rows)} rows, {'all' if active else 'not all'} active, {'in' if ordered else 'not in'} order",
                  active and ordered)  # fmt: skip


def unknown_filter(account: Account) -> Answer:
    reply = account.get("/badge_templates", filter="no_such_key::nothing")
    return Answer(f"{told(reply)}, {len(rows_of(reply))} rows")


def usual_order(account: Account) -> Answer:
    made = [str(row["created_at"]) for row in rows_of(account.get("/badges"))]
    if len(made) < 2:
        raise NotAskedError("needs two issued badges")
    orders = {"oldest first": sorted(made), "newest first": sorted(made, reverse=True)}
    return Answer(next((words for words, order in orders.items() if made == order), "neither way by created_at"))


def sorting_of_issued(account: Account) -> Answer:
    replies = {key: account.get("/badges", sort=key) for key in ("created_at", "-created_at", "nonsense")}
    words = "; ".join(f"{key}: {told(reply)}, {len(rows_of(reply))} rows" for key, reply in replies.items())
    return Answer(words, replies["created_at"].status in (200, 400, 422))


def filters_of_issued(account: Account) -> Answer:
    nobody = str(uuid4())
    listed = rows_of(account.get("/badges"))
    if not listed:
        raise NotAskedError("needs an issued badge")
    outcomes: dict[str, list[str]] = {}
    for key in _FILTERS:
        reply = account.get("/badges", filter=f"{key}::{nobody}")
        outcome = told(reply) if reply.status != 200 else "ignored" if rows_of(reply) else "obeyed"
        outcomes.setdefault(outcome, []).append(key)
    return Answer("; ".join(f"{outcome}: {', '.join(keys)}" for outcome, keys in outcomes.items()))


def link_host(account: Account) -> Answer:
    own = account.wire.api_url
    links = {
        str(link).partition("/organizations/")[0]
        for row in account.templates
        if (link := (row.get("owner") or {}).get("url"))
    }
    metadata = account.get("/badge_templates").json.get("metadata")
    if isinstance(metadata, dict) and metadata.get("next_page_url"):
        links.add(metadata["next_page_url"].partition("/organizations/")[0])
    return Answer(f"{', '.join(sorted(links)) or 'there are none'}; asked was {own}")


def own_token(account: Account) -> Answer:
    reply = account.get("/authorization_tokens")
    if reply.status != 200:
        return Answer(told(reply))
    rows = rows_of(reply)
    own = [row for row in rows if account.wire.is_own(str(row.get("token")))]
    rights = sorted({name for row in rows for name in row if name.endswith("_enabled") and row[name] is True})
    return Answer(
        f"{len(rows)} tokens, {'one in full is this' if own else 'none in full is this'}; {', '.join(rights)}"
    )


def search(account: Account) -> Answer:
    reply = account.get("/high_volume_issued_badge_search", badge_format="default")
    if reply.status != 200:
        return Answer(told(reply), reply.status in (400, 403, 404, 405, 422, 500, 501))
    metadata = reply.json["metadata"]
    following = metadata.get("next_page_url")
    names = sorted(name for name, _ in parse_qsl(urlsplit(following).query)) if following else ["nothing"]
    words = f"{len(rows_of(reply))} rows, tells {', '.join(sorted(metadata))}, goes on by {', '.join(names)}"
    return Answer(words, "next_page_url" in metadata)


def token_expiry(account: Account) -> Answer:
    reply = account.get("/authorization_tokens")
    if reply.status != 200:
        return Answer(told(reply))
    names = sorted({name for row in rows_of(reply) for name in row if row[name] is not None})
    return Answer(f"200, rows with {', '.join(names)}", "expires_at" in names)


def rate_limit(account: Account) -> Answer:
    started = account.clock.now()
    replies = [account.wire.ask("GET", "/organizations") for _ in range(_BURST)]
    seconds = (account.clock.now() - started).total_seconds()
    named = {f"{name}: {value}" for reply in replies for name, value in reply.headers.items()
             if "rate" in name.lower() or name.lower() == "retry-after"}  # fmt: skip
    slowed = sum(reply.status == 429 for reply in replies)
    words = f"{slowed} times 429 in {_BURST} requests of {seconds:.0f} s; {'; '.join(sorted(named)[:5]) or 'no header'}"
    first = next((number for number, reply in enumerate(replies, 1) if reply.status == 429), None)
    if first is None:
        return Answer(words)
    account.clock.sleep(_WINDOW)
    return Answer(f"{words}; the first was number {first}: {told(replies[first - 1])}")


def bare_token(account: Account) -> Answer:
    return Answer(told(account.wire.without_colon().ask("GET", "/organizations")))


def expiry_types(account: Account) -> Answer:
    types = {str(row.get("default_expires_at_type")) for row in account.templates}
    return Answer(", ".join(sorted(types)) or "no badges")


READING = (
    Question("What answers a wrong token?", "401", wrong_token),
    Question("Is a token without its colon taken?", "the colon is always sent", bare_token),
    Question("What answers another organization's id?", "403 or 404", foreign_organization),
    Question("What answers a path that is not there?", "404", missing_path),
    Question("What answers an issued badge that is not there?", "404", missing_badge),
    Question("Does per change the size of a page?", "it is not used", page_size),
    Question("Does a link to the next page keep filter and sort?", "pages are asked for by number", page_links),
    Question("Are state::active and sort=created_at obeyed?", "yes; each row is checked all the same",
             filtered_and_sorted),
    Question("What does an unknown filter key do?", "each row is checked, whatever it does", unknown_filter),
    Question("How are issued badges ordered by themselves?", "sort=created_at is always asked for", usual_order),
    Question("May issued badges be sorted by created_at?", "yes; where it is refused they are asked for without",
             sorting_of_issued),
    Question("Which filters of issued badges are there?", "each row is checked, whatever they do", filters_of_issued),
    Question("Which host do links have?", "it does not matter: pages are asked for by number", link_host),
    Question("Is there the high-volume search, and how does it go on?",
             "by next_page_url, as it is; not offered where it is refused", search),
    Question("Is it told when a token expires?", "expires_at; else it is not told", token_expiry),
    Question("Is a token shown in full in its list?", "by it its own date is found; else that is not told", own_token),
    Question("Is there a rate limit, and how is it told?", "none is known; 429 slows the run down", rate_limit),
    Question("Which values has default_expires_at_type?", "it is not used", expiry_types),
)  # fmt: skip
