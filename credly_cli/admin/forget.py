"""Forgetting a learner: no personal data stay in the store, and no second badge becomes possible."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import ClassVar

from credly_cli.config import Paths
from credly_cli.errors import Failure
from credly_cli.identity import email_key, full_name
from credly_cli.linking import names
from credly_cli.publishing import remove as publishing
from credly_cli.publishing.key import PageKey
from credly_cli.store import connection as connections
from credly_cli.store import grants, learners, privacy
from credly_cli.store.database import Store
from credly_cli.store.learners import Learner
from credly_cli.store.privacy import Forgotten
from credly_cli.store.published import Published
from credly_cli.text import Hint


def named(store: Store, text: str) -> list[str]:
    """Say who is meant; raises ``Failure`` for an unknown learner."""
    if privacy.is_known(store, text) and not learners.of_email(store, text):
        return [text]
    found = names.learner(store, text)
    return [f"{full_name(one.first_name, one.last_name)} <{one.email}>".lstrip() for one in found]


@dataclass(slots=True)
class Outcome(Forgotten):
    """What was removed: from the store, and of the pages in the folders that were published to."""

    JSON: ClassVar = (
        "changed", "learners", "enrollments", "grants", "cancelled", "issued_badges", "wiped", "pages", "folders",
        "left",
    )  # fmt: skip

    pages: int = 0
    folders: list[Path] = field(default_factory=list)
    failures: dict[Path, Failure] = field(default_factory=dict)  # why a page could not be removed, by folder

    @property
    def left(self) -> list[Path]:
        """The folders in which the learner's page may still be."""
        return list(self.failures)


def forget(store: Store, paths: Paths, email: str, now: str) -> Outcome:
    """Forget the learners with an address; raises ``Failure`` for an unknown one, or while a badge is in doubt."""
    rows = [] if privacy.is_known(store, email) and not learners.of_email(store, email) else names.learner(store, email)
    _require_settled(store, [learner.id for learner in rows], email)
    numbers = [row.id for row in rows]
    emails = {email_key(email), *learners.addresses(store, numbers)}
    with Published.existing(paths.published) as published:  # where that cannot be read, nobody is forgotten in part
        key = PageKey.read(paths.pages_key)
        outcome = Outcome(**asdict(_forget_in_store(store, rows, email, now)))
        pages = publishing.forget(published, key, numbers, emails)
    outcome.pages, outcome.folders, outcome.failures = pages.pages, pages.folders, pages.failures
    return outcome


def _forget_in_store(store: Store, rows: Sequence[Learner], email: str, now: str) -> Forgotten:
    store.overwrite_what_is_deleted()
    with store.transaction():
        removed = privacy.forget(store, rows or [learners.add_nameless(store, email)], now)
    removed.wiped = store.wipe()
    return removed


def _require_settled(store: Store, people: list[int], email: str) -> None:
    """Refuse while it is not known whether a badge was issued: it is looked up by the address."""
    if people and grants.listed(store, states=("sending", "uncertain"), learners=people):
        raise Failure(
            "locked",
            f"It is not clear yet whether a badge of {email_key(email)} was issued.",
            hint=Hint("Run", *connections.syncing(store), "until it is, then forget the learner."),
        )
