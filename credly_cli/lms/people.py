"""Whom a row is about: address, id and names."""

from credly_cli.lms.columns import ABSENT, Columns, key_of
from credly_cli.lms.fields import plain_email, read_email, split_name
from credly_cli.lms.reading import Cells

_MAYBE_NO_EMAIL = frozenset({"user", "username", "learner", "student"})  # hold an address or a login name


class Person:
    """Reads the person of a row."""

    def __init__(self, columns: Columns) -> None:
        self._email = columns.emails[0] if columns.emails else ABSENT
        self._emails = tuple((place, columns.header_at(place, "email")) for place in columns.emails)
        self.learner_id = columns.at("learner_id")
        self._first = columns.at("first_name")
        self._last = columns.at("last_name")
        self._full = columns.at("full_name")
        self._is_login = key_of(columns.label("full_name")) == "username"

    def email(self, cells: Cells) -> str | None:
        """Return the address, ``None`` where the row has none."""
        email = cells[self._email]
        return email if plain_email(email) else self._other_email(cells)

    def names(self, cells: Cells) -> tuple[str | None, str | None]:
        """Return first and last name, from the full name where that is all there is."""
        first = cells[self._first].strip() or None
        last = cells[self._last].strip() or None
        if self._full != ABSENT and first is None and last is None:
            return self._split(cells)
        return first, last

    def _other_email(self, cells: Cells) -> str | None:
        for place, header in self._emails:
            text = cells[place]
            if "@" not in text and key_of(header) in _MAYBE_NO_EMAIL:
                continue
            if email := read_email(text, header):
                return email
        return None

    def _split(self, cells: Cells) -> tuple[str | None, str | None]:
        full = cells[self._full].strip()
        if self._is_login and " " not in full:
            return None, None
        return split_name(full)
