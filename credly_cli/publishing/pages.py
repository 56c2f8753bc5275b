"""What the pages of many learners say, by the rules of `widget` and `learner-badges`, and which are to be written.

What all pages share is read once a run; what changes meanwhile is left to the next run (`store/page_changes.py`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from credly_cli.credly.records import BadgeBrief, BadgeDetails, IssuedBadge
from credly_cli.identity import full_name, holds_address
from credly_cli.learners import badges as shown_badges
from credly_cli.learners import widget
from credly_cli.learners.badges import ShownBadge
from credly_cli.learners.widget import Earned, InProgress, Session
from credly_cli.publishing.key import PageKey
from credly_cli.publishing.look import Look
from credly_cli.publishing.manifest import line_digest
from credly_cli.store import badges, eligibility, issued_badges, learners, page_changes
from credly_cli.store.content import ContentBrief
from credly_cli.store.database import Store
from credly_cli.store.eligibility import Audience, Discoverable
from credly_cli.store.learners import Learner
from credly_cli.store.published import PublishedPage

_DIGEST_BYTES = 16
_MOST_AUDIENCES = 1000  # whose lists are kept; a site has few, a platform of many tenants thousands


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What a learner's page says, but for "as of"; times are UTC text."""

    learner: Learner
    in_progress: Sequence[InProgress]
    discover: Sequence[Discoverable]
    earned: Sequence[Earned]
    changed_at: str  # when the store last heard of something that the page may show
    due_at: str | None  # when it changes by the passing of time alone
    digest: bytes  # of all that is shown

    @property
    def name(self) -> str:
        """The learner's name, empty where none is known; an address in its place is none."""
        return _name(self.learner)


def _name(learner: Learner) -> str:
    return full_name(_without_address(learner.first_name), _without_address(learner.last_name))


def _without_address(name: str | None) -> str | None:
    """Return a name; none where it has an address in it, which older stores may hold and no page shows (R35)."""
    return None if name and holds_address(name) else name


@dataclass(slots=True)
class Shared:
    """What all pages of a run share: the badges of the list, and what each audience may discover."""

    store: Store
    now: str
    hide_expired: bool
    released_at: str | None  # when linked content was last released by the passing of time
    details: Mapping[str, BadgeDetails]
    briefs: Mapping[str, BadgeBrief]
    braked: frozenset[str]  # the badges that the brake would keep back in the next run
    _digests: dict[str, bytes] = field(default_factory=dict)  # of the details
    _lists: dict[Audience, list[Discoverable]] = field(default_factory=dict)

    @classmethod
    def of(cls, store: Store, now: str, braked: frozenset[str], *, hide_expired: bool) -> "Shared":
        """Read what all pages share."""
        briefs = {one.id: one.brief for one in badges.all_named(store)}
        released_at, _ = page_changes.releases(store, now)
        return cls(store, now, hide_expired, released_at, badges.details(store), briefs, braked)

    def discoverable(self, audience: Audience) -> list[Discoverable]:
        """Return what an audience may discover, by name."""
        found = self._lists.get(audience)
        if found is None:
            if len(self._lists) >= _MOST_AUDIENCES:
                self._lists.clear()
            found = widget.by_name(eligibility.discoverable(self.store, audience, self.now))
            self._lists[audience] = found
        return found

    def digest_of(self, badge_id: str) -> bytes:
        """Return a digest of what a badge's template says."""
        found = self._digests.get(badge_id)
        if found is None:
            found = self._digests[badge_id] = _digest(repr(self.details.get(badge_id)))
        return found


_SITE = Audience("learner", ())  # whom nothing was given


def read(shared: Shared, people: Sequence[Learner]) -> Iterator[PageFacts]:
    """Read the pages of some learners, all as of one state of the store."""
    with shared.store.snapshot():
        batch = _Batch.of(shared, people)
    return map(batch.page, people)


@dataclass(slots=True)
class _Batch:
    """What was read of some learners, each by the learner's number."""

    shared: Shared
    sessions: Mapping[int, list[Session]]
    issued: Mapping[int, list[IssuedBadge]]
    resources: Mapping[str, ContentBrief]
    keys: Mapping[int, tuple[str, ...]]
    lists: Mapping[int, Sequence[Discoverable]]
    times: Mapping[int, str]

    @classmethod
    def of(cls, shared: Shared, people: Sequence[Learner]) -> "_Batch":
        store, numbers = shared.store, [one.id for one in people]
        sessions: dict[int, list[Session]] = {}
        for session in widget.read_sessions(store, numbers, is_braked=shared.braked.__contains__):
            sessions.setdefault(session.facts.learner, []).append(session)
        issued = issued_badges.of_many(store, numbers)
        every = [badge for several in issued.values() for badge in several]
        keys = learners.keys_of(store, numbers)
        guests = eligibility.guests(store, [key for several in keys.values() for key in several])
        lists = {one.id: _discoverable(shared, one, keys.get(one.id, (one.email_key,)), guests) for one in people}
        times = page_changes.times(store, numbers)
        return cls(shared, sessions, issued, shown_badges.resources(store, every), keys, lists, times)

    def page(self, learner: Learner) -> PageFacts:
        """Decide what a learner's page says."""
        shared, issued = self.shared, self.issued.get(learner.id, [])
        shown = shown_badges.shown(issued, self.resources, shared.briefs.get, shared.now, hide_expired=False)
        held = frozenset(one.badge.id for one in shown)
        sessions = self.sessions.get(learner.id, [])
        known = widget.begun(sessions, held)
        in_progress = widget.in_progress(sessions, held)
        discover = [one for one in self.lists[learner.id] if one.badge.id not in known]
        earned = widget.earned(shown, hide_expired=shared.hide_expired)
        return PageFacts(
            learner,
            in_progress,
            discover,
            earned,
            changed_at=self._changed_at(learner.id, shown),
            due_at=min((one.expires_at for one in shown if one.expires_at and not one.expired), default=None),
            digest=_digest_of(shared, learner, in_progress, discover, earned),
        )

    def _changed_at(self, learner: int, shown: Sequence[ShownBadge]) -> str:
        """Return when the facts last changed: in the store, or by what passed since; never later than now."""
        passed = [one.expires_at for one in shown if one.expired and one.expires_at]
        return min(max(self.times[learner], self.shared.released_at or "", *passed), self.shared.now)


def _discoverable(
    shared: Shared, learner: Learner, keys: tuple[str, ...], guests: frozenset[str]
) -> Sequence[Discoverable]:
    """Return what a learner may discover, by name; who was given nothing shares the site's list (R29)."""
    audiences = [
        _SITE if audience.is_site and guests.isdisjoint(audience.subjects) else audience
        for audience in widget.audiences([learner], keys)
    ]
    if len(audiences) == 1:
        return shared.discoverable(audiences[0])
    every = {one.badge.id: one for audience in audiences for one in shared.discoverable(audience)}
    return widget.by_name(every.values())


def _digest_of(
    shared: Shared,
    learner: Learner,
    in_progress: Sequence[InProgress],
    discover: Sequence[Discoverable],
    earned: Sequence[Earned],
) -> bytes:
    shown = {one.badge.id for section in (in_progress, discover, earned) for one in section}
    text = repr((_name(learner), learner.locale, in_progress, discover, earned))
    return _digest(text, *(shared.digest_of(badge) for badge in sorted(shown)))


def _digest(text: str, *more: bytes) -> bytes:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES)
    for part in more:
        digest.update(part)
    return digest.digest()


# Which are to be written, by what they say now and what was written before


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
        return (self._plan(page, before.get(page.learner.id)) for page in read(self._shared, people))

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
