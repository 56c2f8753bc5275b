"""All issued badges in the order in which they were issued, with what makes looking them up quick."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from credly_cli.sandbox.records import IssuedBadge

Key = tuple[str, ...]


def _keys_of(badge: IssuedBadge) -> Iterator[Key]:
    template = badge.template_id
    yield ("template", template)
    holders = (
        ("email", badge.email.casefold()),
        ("user", badge.user.id if badge.user else None),
        ("earner", badge.details.issuer_earner_id),
    )
    for kind, value in holders:
        if value is not None:
            yield (kind, value)
            yield (kind, value, template)


class BadgeBook:
    """Issued badges by id, by template and by holder: ``("email"|"user"|"earner", value[, template id])``."""

    def __init__(self) -> None:
        self.in_order: list[IssuedBadge] = []
        self._by_id: dict[str, IssuedBadge] = {}
        self._by_key: dict[Key, dict[str, IssuedBadge]] = {}

    def __len__(self) -> int:
        return len(self.in_order)

    def add(self, badge: IssuedBadge) -> None:
        """Take in a new badge."""
        self.in_order.append(badge)
        self._by_id[badge.id] = badge
        self._enter(badge)

    def remove(self, badge: IssuedBadge) -> None:
        """Strike a badge out."""
        self.in_order.remove(badge)
        del self._by_id[badge.id]
        self._leave(badge)

    def get(self, badge_id: str) -> IssuedBadge | None:
        """Return the badge of an id."""
        return self._by_id.get(badge_id)

    def under(self, *keys: Key) -> list[IssuedBadge]:
        """Return the badges under any of the keys, in order of issue."""
        if len(keys) == 1:
            return sorted(self._by_key.get(keys[0], {}).values(), key=_number)
        found = {badge.id: badge for key in keys for badge in self._by_key.get(key, {}).values()}
        return sorted(found.values(), key=_number)

    @contextmanager
    def changing(self, badges: Iterable[IssuedBadge]) -> Iterator[None]:
        """Keep the look-ups right while holder or template of the badges change."""
        badges = list(badges)
        for badge in badges:
            self._leave(badge)
        try:
            yield
        finally:
            for badge in badges:
                self._enter(badge)

    def _enter(self, badge: IssuedBadge) -> None:
        for key in _keys_of(badge):
            self._by_key.setdefault(key, {})[badge.id] = badge

    def _leave(self, badge: IssuedBadge) -> None:
        for key in _keys_of(badge):
            self._by_key[key].pop(badge.id, None)


def _number(badge: IssuedBadge) -> int:
    return badge.number
