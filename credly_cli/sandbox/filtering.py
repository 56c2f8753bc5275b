"""The grammar of ``filter`` and ``sort``: ``key::value|key::a,b`` and ``key|-key``."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from credly_cli.sandbox.messages import Row
from credly_cli.sandbox.records import IssuedBadge, Refusal

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
    """Take a filter apart. There is no escape for the characters of the grammar."""
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


def badge_value(badge: IssuedBadge, key: str) -> Any:
    """Return what issued badges are sorted by."""
    if match := _NESTED_KEY.fullmatch(key):
        return badge.template.get(match[2]) if match[1] == "badge_templates" else getattr(badge.user, match[2], None)
    if key in {"issued_at", "expires_at"}:
        return getattr(badge.details, key)
    return getattr(badge, key) if key in {"created_at", "updated_at", "state_updated_at", "state"} else None


def _recipient_test(term: Term) -> Test[IssuedBadge]:
    return lambda badge: _contains(badge.email, term.value) or _contains(badge.details.full_name, term.value)


def _owner_addresses(badge: IssuedBadge) -> set[str]:
    others = badge.user.emails if badge.user else []
    return {address.casefold() for address in (badge.email, *others)}


_BADGE_TESTS: dict[str, TestMaker[IssuedBadge]] = {
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


def badge_test(term: Term) -> Test[IssuedBadge] | None:
    """Return the test of one condition on issued badges."""
    if (match := _TIME_KEY.fullmatch(term.key)) and match[1] in _BADGE_TIMES:
        field = match[1]
        return _time_test(lambda badge: badge_value(badge, field), term.value, at_most=match[2] == "max")
    if (nested := _NESTED_KEY.fullmatch(term.key)) and nested[1] == "badge_templates":
        return _template_attribute_test(nested[2], term)
    maker = _BADGE_TESTS.get(term.key)
    return maker(term) if maker else None


def _template_attribute_test(attribute: str, term: Term) -> Test[IssuedBadge]:
    def test(badge: IssuedBadge) -> bool:
        value = badge.template.get(attribute)
        if isinstance(value, list):
            return not term.values.isdisjoint(_ids(value))
        return _as_text(value) in term.values

    return test
