"""Which rows a list holds, before it is cut into pages."""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Sequence
from datetime import timedelta

from credly_cli.sandbox import filtering
from credly_cli.sandbox.filtering import Term
from credly_cli.sandbox.messages import Row
from credly_cli.sandbox.records import IssuedBadge, Refusal, stamp
from credly_cli.sandbox.state import Sandbox


class Listings:
    """The lists of one sandbox. The latest list of badges is kept, so that its next page costs nothing."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._asked: tuple[object, ...] = ()
        self._badges: Sequence[IssuedBadge] = ()

    def templates(self, filter_text: str, sort: str) -> Sequence[Row]:
        """Return templates; oldest first where nothing else is asked for."""
        tests = filtering.tests_of(self._terms(filter_text), filtering.template_test, refuse_unknown=self._refuses())
        rows = filtering.keep(self._sandbox.templates.values(), tests)
        return filtering.sort_rows(rows, sort or "created_at", filtering.template_value)

    def badges(self, filter_text: str, sort: str) -> Sequence[IssuedBadge]:
        """Return issued badges; in order of issue where nothing else is asked for."""
        switches = self._sandbox.switches
        if not filter_text and not sort and not switches.list_lag and not switches.badges_newest_first:
            return self._sandbox.book.in_order
        ignored = (switches.filter_ignored, switches.filter_keys_ignored)
        settings = (*ignored, switches.badges_newest_first, switches.email_filter_minds_case)
        asked = (filter_text, sort, self._sandbox.version, self._refuses(), settings)
        if asked != self._asked or switches.list_lag:
            self._badges, self._asked = self._select(filter_text, sort), asked
        return self._badges

    def badges_after(self, filter_text: str, cursor: str | None) -> tuple[Sequence[IssuedBadge], str | None]:
        """Return the next badges of the high-volume search, and the cursor of those that follow."""
        badges = self.badges(filter_text, "")
        size = self._sandbox.switches.search_page_size
        start = bisect_right(badges, _read_cursor(cursor), key=lambda badge: badge.number) if cursor else 0
        chunk = badges[start : start + size]
        return chunk, _write_cursor(chunk[-1].number) if start + size < len(badges) else None

    def _select(self, filter_text: str, sort: str) -> Sequence[IssuedBadge]:
        terms = self._terms(filter_text)
        tests = filtering.tests_of(terms, filtering.badge_test, refuse_unknown=self._refuses())
        tests += [_exact_email(term) for term in terms if self._sandbox.switches.email_filter_minds_case]
        badges: Sequence[IssuedBadge] = filtering.keep(self._candidates(terms), tests)
        if lag := self._sandbox.switches.list_lag:
            horizon = stamp(self._sandbox.now() - timedelta(seconds=lag))
            badges = [badge for badge in badges if badge.created_at <= horizon]
        if self._sandbox.switches.badges_newest_first and not sort:
            return badges[::-1]
        return filtering.sort_rows(badges, sort, filtering.badge_value)

    def _candidates(self, terms: list[Term]) -> Sequence[IssuedBadge]:
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
        terms = [] if switches.filter_ignored else filtering.read_filter(filter_text)
        return [term for term in terms if term.key not in switches.filter_keys_ignored]

    def _refuses(self) -> bool:
        return self._sandbox.switches.unknown_filter_key == "refused"


def _exact_email(term: Term) -> filtering.Test[IssuedBadge]:
    return lambda badge: term.key != "recipient_email" or badge.email == term.value


def _write_cursor(number: int) -> str:
    return base64.urlsafe_b64encode(f"after:{number}".encode()).decode()


def _read_cursor(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("after:"))
    except (binascii.Error, ValueError):
        raise Refusal("Invalid page token") from None  # invented
