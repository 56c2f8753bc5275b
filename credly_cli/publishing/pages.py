"""Which pages of some learners are to be written, decided from what they say now and what was written before."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from credly_cli.credly.records import BadgeDetails
from credly_cli.publishing import facts
from credly_cli.publishing.facts import PageFacts, Shared
from credly_cli.publishing.key import PageKey
from credly_cli.publishing.look import Look
from credly_cli.publishing.manifest import line_digest
from credly_cli.store.database import Store
from credly_cli.store.learners import Learner
from credly_cli.store.published import PublishedPage


@dataclass(frozen=True, slots=True)
class PagePlan:
    """A learner's page: what it says, what is to be noted of it, and what was noted before."""

    facts: PageFacts
    now: PublishedPage
    before: PublishedPage | None

    @property
    def is_new(self) -> bool:
        """Whether the learner had no page, or one of another name."""
        return self.before is None or self.before.name != self.now.name

    @property
    def is_due(self) -> bool:
        """Whether the page is to be written."""
        before, now = self.before, self.now
        return (
            before is None
            or before.is_missing
            or (before.name, before.digest, before.appearance) != (now.name, now.digest, now.appearance)
        )

    @property
    def changes_manifest(self) -> bool:
        """Whether the manifest has to say something else of it."""
        before, now = self.before, self.now
        return before is None or (before.name, before.line, before.changed_at) != (now.name, now.line, now.changed_at)


class Planner:
    """Plans and renders the pages of a run."""

    def __init__(
        self, store: Store, look: Look, key: PageKey, appearance: bytes, now: str, braked: frozenset[str]
    ) -> None:
        self._look = look
        self._key = key
        self._appearance = appearance
        self._now = now
        self._shared = Shared.of(store, now, braked, hide_expired=look.hide_expired)
        self._render = _renderer(look, self._shared.details)

    def plan(self, people: Sequence[Learner], before: Mapping[int, PublishedPage]) -> Iterator[PagePlan]:
        """Plan the pages of some learners; ``before`` are those that they have, by learner."""
        return (self._plan(page, before.get(page.learner.id)) for page in facts.read(self._shared, people))

    def _plan(self, page: PageFacts, before: PublishedPage | None) -> PagePlan:
        learner = page.learner
        now = PublishedPage(
            learner.id,
            self._key.name(learner.id),
            page.digest,
            self._appearance,
            line_digest(learner.email, learner.learner_id),
            self._changed_at(page, before),
            page.due_at,
        )
        return PagePlan(page, now, before)

    def _changed_at(self, page: PageFacts, before: PublishedPage | None) -> str:
        """Return when the page's facts last changed.

        The brake counts completions of others, and no time of the learner's own tells when: it changed by now.
        """
        if before is None:
            return page.changed_at
        if before.digest == page.digest:
            return before.changed_at
        return page.changed_at if page.changed_at > before.changed_at else self._now

    def rendered(self, plan: PagePlan) -> bytes:
        """Render a page."""
        return self._render(plan)


def _renderer(look: Look, details: Mapping[str, BadgeDetails]) -> Callable[[PagePlan], bytes]:
    """Return what renders pages; raises ``Failure`` where they cannot look as they are to."""
    from credly_cli.pages import page as pages  # noqa: PLC0415 - Jinja2 takes 50 ms, where there is something to do

    options = look.options

    def rendered(plan: PagePlan) -> bytes:
        page = pages.Page(
            plan.facts.name,
            plan.facts.in_progress,
            plan.facts.discover,
            plan.facts.earned,
            details,
            plan.now.changed_at,
            plan.facts.learner.locale,
        )
        return pages.render(page, options).encode("utf-8", "replace")

    return rendered
