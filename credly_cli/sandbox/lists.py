"""Lists: which rows a ``filter`` lets through, in what order, and how they are cut into pages."""

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import urlencode

from credly_cli.sandbox.records import EarnedBadge, Refusal, Request, Row, stamp
from credly_cli.sandbox.state import Sandbox
from credly_cli.sandbox.switches import Switches

T = TypeVar("T")
Test = Callable[[T], bool]
TestMaker = Callable[["Term"], Test[T]]


class Term(NamedTuple):
    """One condition of a filter."""

    key: str
    value: str

    @property
    def values(self) -> frozenset[str]:
        """The value as a list; any of it will do."""
        return frozenset(self.value.split(","))


def read_filter(text: str) -> list[Term]:
    """Take a filter apart: ``key::value|key::a,b``. There is no escape for the characters of the grammar."""
    terms = (part.partition("::") for part in text.split("|") if part)
    return [Term(key, value) for key, _, value in terms]


def tests_of(terms: Iterable[Term], make: Callable[[Term], Test[T] | None], *, refuse_unknown: bool) -> list[Test[T]]:
    """Turn conditions into tests. An unknown key counts for nothing, or is refused."""
    tests = []
    for term in terms:
        test = make(term)
        if test is not None:
            tests.append(test)
        elif refuse_unknown:
            raise Refusal(f"Invalid filter: {term.key}")  # invented
    return tests


def keep(rows: Iterable[T], tests: Sequence[Test[T]]) -> list[T]:
    """Return the rows that pass every test."""
    for test in tests:
        rows = filter(test, rows)
    return list(rows)


def sort_rows(rows: Sequence[T], sort: str, value_of: Callable[[T, str], Any]) -> Sequence[T]:
    """Sort by ``key1|-key2``; rows without a value come first. An unknown key changes nothing."""
    for key in reversed([key for key in sort.split("|") if key]):
        name = key.removeprefix("-")
        rows = sorted(rows, key=lambda row: _comparable(value_of(row, name)), reverse=key.startswith("-"))
    return rows


def _comparable(value: Any) -> tuple[int, Any]:
    if value is None or isinstance(value, list | dict):
        return (0, 0)
    return (1, value.casefold() if isinstance(value, str) else value)


def _contains(text: str, value: str) -> bool:
    return value.casefold() in text.casefold()


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _time_test(value_of: Callable[[T], str | None], value: str, *, at_most: bool) -> Test[T]:
    """Compare as much of a time as the value gives: a date includes its whole day."""
    limit = value.strip().replace(" ", "T")

    def test(row: T) -> bool:
        moment = value_of(row)
        if not moment:
            return False
        cut = moment[: len(limit)]
        return cut <= limit if at_most else cut >= limit

    return test


_TIME_KEY = re.compile(r"(\w+_at)(?:_date)?_(min|max)")

# Templates

_TEMPLATE_TIMES = {"created_at", "updated_at"}


def _ids(rows: Iterable[Any]) -> set[str]:
    return {str(row["id"]) if isinstance(row, dict) else str(row) for row in rows}


def _template_name_test(term: Term) -> Test[Row]:
    value = term.value
    if len(value) > 1 and value.startswith('"') and value.endswith('"'):
        return lambda row: row["name"] == value[1:-1]
    return lambda row: _contains(row["name"], value)


def _any_of(key: str) -> TestMaker[Row]:
    return lambda term: lambda row: not term.values.isdisjoint(_ids(row.get(key) or ()))


_TEMPLATE_TESTS: dict[str, TestMaker[Row]] = {
    "query": lambda term: (
        lambda row: _contains(row["name"], term.value) or _contains(row.get("description") or "", term.value)
    ),
    "name": _template_name_test,
    "public": lambda term: lambda row: _as_text(row.get("public")) == term.value,
    "reporting_tags": _any_of("reporting_tags"),
    "recommendation_ids": _any_of("recommendations"),
    "skills": _any_of("skills"),
    "owner_id": lambda term: lambda row: row["owner"]["id"] in term.values,
    "collection_id": lambda term: lambda row: row.get("collection_id") in term.values,  # invented: rows do not tell it
    "state": lambda term: lambda row: row["state"] in term.values,
}


def template_test(term: Term) -> Test[Row] | None:
    """Return the test of one condition on templates."""
    if (match := _TIME_KEY.fullmatch(term.key)) and match[1] in _TEMPLATE_TIMES:
        field = match[1]
        return _time_test(lambda row: row.get(field), term.value, at_most=match[2] == "max")
    maker = _TEMPLATE_TESTS.get(term.key)
    return maker(term) if maker else None


def template_value(row: Row, key: str) -> Any:
    """Return what templates are sorted by."""
    return row.get(key) if key in {"badges_count", "created_at", "name", "updated_at", "state"} else None


# Issued badges

_BADGE_TIMES = {"created_at", "updated_at", "issued_at", "expires_at", "state_updated_at"}
_NESTED_KEY = re.compile(r"(badge_templates|users)\[(\w+)\]")


def badge_value(badge: EarnedBadge, key: str) -> Any:
    """Return what issued badges are sorted by."""
    if match := _NESTED_KEY.fullmatch(key):
        return badge.template.get(match[2]) if match[1] == "badge_templates" else getattr(badge.user, match[2], None)
    if key in {"issued_at", "expires_at"}:
        return getattr(badge.details, key)
    return getattr(badge, key) if key in {"created_at", "updated_at", "state_updated_at", "state"} else None


def _recipient_test(term: Term) -> Test[EarnedBadge]:
    return lambda badge: _contains(badge.email, term.value) or _contains(badge.details.full_name, term.value)


def _owner_addresses(badge: EarnedBadge) -> set[str]:
    others = badge.user.emails if badge.user else []
    return {address.casefold() for address in (badge.email, *others)}


_BADGE_TESTS: dict[str, TestMaker[EarnedBadge]] = {
    "query": _recipient_test,
    "state": lambda term: lambda badge: badge.state in term.values,
    "badge_template_id": lambda term: lambda badge: badge.template_id in term.values,
    "recipient_email": lambda term: lambda badge: badge.email.casefold() == term.value.casefold(),
    "recipient_email_all": lambda term: lambda badge: term.value.casefold() in _owner_addresses(badge),
    "issuer_earner_id": lambda term: lambda badge: badge.details.issuer_earner_id == term.value,
    "user_id": lambda term: lambda badge: badge.user is not None and badge.user.id == term.value,
    "issuer_id": lambda term: lambda badge: badge.template["owner"]["id"] == term.value,
    "public": lambda term: lambda badge: _as_text(badge.public) == term.value,
}


def badge_test(term: Term) -> Test[EarnedBadge] | None:
    """Return the test of one condition on issued badges."""
    if (match := _TIME_KEY.fullmatch(term.key)) and match[1] in _BADGE_TIMES:
        field = match[1]
        return _time_test(lambda badge: badge_value(badge, field), term.value, at_most=match[2] == "max")
    if (nested := _NESTED_KEY.fullmatch(term.key)) and nested[1] == "badge_templates":
        return _template_attribute_test(nested[2], term)
    maker = _BADGE_TESTS.get(term.key)
    return maker(term) if maker else None


def _template_attribute_test(attribute: str, term: Term) -> Test[EarnedBadge]:
    def test(badge: EarnedBadge) -> bool:
        value = badge.template.get(attribute)
        if isinstance(value, list):
            return not term.values.isdisjoint(_ids(value))
        return _as_text(value) in term.values

    return test


# Which rows a list holds


class Listings:
    """The lists of one sandbox. The latest list of badges is kept, so that its next page costs nothing."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._last_query: tuple[object, ...] = ()
        self._badges: Sequence[EarnedBadge] = ()

    def templates(self, filter_text: str, sort: str) -> Sequence[Row]:
        """Return templates; oldest first where nothing else is asked for."""
        tests = tests_of(self._terms(filter_text), template_test, refuse_unknown=self._refuses())
        rows = keep(self._sandbox.templates.values(), tests)
        return sort_rows(rows, sort or "created_at", template_value)

    def badges(self, filter_text: str, sort: str) -> Sequence[EarnedBadge]:
        """Return issued badges; in order of issue where nothing else is asked for."""
        switches = self._sandbox.switches
        if sort and switches.sort_status:
            raise Refusal("Invalid sort", status=switches.sort_status)  # invented
        if not filter_text and not sort and not switches.list_lag and not switches.badges_newest_first:
            return self._sandbox.book.in_order
        ignored = (switches.filter_ignored, switches.filter_keys_ignored)
        settings = (*ignored, switches.badges_newest_first, switches.email_filter_minds_case)
        asked = (filter_text, sort, self._sandbox.version, self._refuses(), settings)
        if asked != self._last_query or switches.list_lag:
            self._badges, self._last_query = self._select(filter_text, sort), asked
        return self._badges

    def badges_after(self, filter_text: str, cursor: str | None) -> tuple[Sequence[EarnedBadge], str | None]:
        """Return the next badges of the high-volume search, and the cursor of those that follow."""
        badges = self.badges(filter_text, "")
        size = self._sandbox.switches.search_page_size
        start = bisect_right(badges, _read_cursor(cursor), key=lambda badge: badge.number) if cursor else 0
        chunk = badges[start : start + size]
        return chunk, _write_cursor(chunk[-1].number) if start + size < len(badges) else None

    def _select(self, filter_text: str, sort: str) -> Sequence[EarnedBadge]:
        terms = self._terms(filter_text)
        tests = tests_of(terms, badge_test, refuse_unknown=self._refuses())
        tests += [_exact_email(term) for term in terms if self._sandbox.switches.email_filter_minds_case]
        badges: Sequence[EarnedBadge] = keep(self._candidates(terms), tests)
        if lag := self._sandbox.switches.list_lag:
            horizon = stamp(self._sandbox.now() - timedelta(seconds=lag))
            badges = [badge for badge in badges if badge.created_at <= horizon]
        if self._sandbox.switches.badges_newest_first and not sort:
            return badges[::-1]
        return sort_rows(badges, sort, badge_value)

    def _candidates(self, terms: list[Term]) -> Sequence[EarnedBadge]:
        """Return the badges among which to look, as few as the conditions allow."""
        book, values = self._sandbox.book, dict(terms)
        if "issuer_earner_id" in values:
            return book.under(("earner", values["issuer_earner_id"]))
        if "recipient_email" in values:
            return book.under(("email", values["recipient_email"].casefold()))
        if "recipient_email_all" in values:
            return book.under(*self._keys_of_owner(values["recipient_email_all"]))
        if "user_id" in values:
            return book.under(("user", values["user_id"]))
        if "badge_template_id" in values:
            return book.under(*(("template", each) for each in values["badge_template_id"].split(",")))
        return book.in_order

    def _keys_of_owner(self, email: str) -> list[tuple[str, ...]]:
        user = self._sandbox.find_user(email)
        return [("email", email.casefold()), *([("user", user.id)] if user else [])]

    def _terms(self, filter_text: str) -> list[Term]:
        switches = self._sandbox.switches
        terms = [] if switches.filter_ignored else read_filter(filter_text)
        for term in terms:
            if term.key in switches.filter_keys_refused:
                raise Refusal(f"Invalid filter: {term.key}")  # invented
        return [term for term in terms if term.key not in switches.filter_keys_ignored]

    def _refuses(self) -> bool:
        return self._sandbox.switches.unknown_filter_key == "refused"


def _exact_email(term: Term) -> Test[EarnedBadge]:
    if term.key == "recipient_email_all":
        return lambda badge: term.value in {badge.email, *(badge.user.emails if badge.user else ())}
    return lambda badge: term.key != "recipient_email" or badge.email == term.value


def _write_cursor(number: int) -> str:
    return base64.urlsafe_b64encode(f"after:{number}".encode()).decode()


def _read_cursor(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("after:"))
    except (binascii.Error, ValueError):
        raise Refusal("Invalid page token") from None  # invented


# Pages


@dataclass(frozen=True)
class Page(Generic[T]):
    """The rows of one page and what is said about them."""

    rows: Sequence[T]
    metadata: Row


def cut_page(rows: Sequence[T], request: Request, switches: Switches) -> Page[T]:
    """Return the page that the request asks for."""
    number = _whole_number(request.parameters.get("page"), 1)
    size = switches.page_size
    if switches.per_is_honoured:
        size = min(size, _whole_number(request.parameters.get("per"), size))
    total_pages = max(1, -(-len(rows) // size))
    chunk = rows[(number - 1) * size : number * size]
    metadata = {
        "count": len(chunk),
        "current_page": number,
        "total_count": len(rows),
        "total_pages": total_pages,
        "per": size,
        "previous_page_url": _page_url(request, switches, number - 1) if number > 1 else None,
        "next_page_url": _page_url(request, switches, number + 1) if number < total_pages else None,
    }
    return Page(chunk, metadata)


def is_last_page(rows: Sequence[T], request: Request, switches: Switches) -> bool:
    """Tell whether no page follows the one that the request asks for."""
    return cut_page(rows, request, switches).metadata["next_page_url"] is None


def enveloped(rows: list[Row], metadata: Row, switches: Switches) -> Row:
    """Return a list as it is answered."""
    if switches.list_metadata == "missing":
        return {"data": rows}
    left_out = {"no-pages": {"total_pages"}, "no-totals": {"total_pages", "total_count"}}
    if switches.list_metadata in left_out:
        missing = left_out[switches.list_metadata]
        metadata = {name: value for name, value in metadata.items() if name not in missing}
    return {"data": rows, "metadata": {"null": None, "empty": {}}.get(switches.list_metadata, metadata)}


def address(request: Request, parameters: dict[str, str], base: str | None = None) -> str:
    """Return the address of this request's path with other parameters; links are always under ``/api/v1``."""
    path = "/".join(part for part in request.path.split("/") if part)
    path = path.removeprefix("api/").removeprefix("v1/").removesuffix(".json")
    return f"{base or f'{request.origin}/api/v1'}/{path}?{urlencode(parameters)}"


def _page_url(request: Request, switches: Switches, number: int) -> str:
    kept = request.parameters if switches.next_page_keeps_filter else {}
    others = {name: value for name, value in kept.items() if name != "page"}
    return address(request, others | {"page": str(number)}, switches.links_to)


def _whole_number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and int(text) > 0 else otherwise  # invented
