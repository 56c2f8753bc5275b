"""Learner matching (R25): which learner a record is about, and what the record changes about them.

``decide`` is the whole rule, a pure function of a record and of the learners whom it may mean. ``LearnerMatcher`` keeps
those learners for a batch, finds whom a record may mean and carries out what was decided, in memory; the store looks up
candidates and writes changes in bulk.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, TypeAlias

from credly_cli.identity import email_key
from credly_cli.importing.matching import IdOptions
from credly_cli.lms.records import LearnerRecord, Reject
from credly_cli.lms.rejects import RejectFilter
from credly_cli.store import learners, privacy
from credly_cli.store.database import Counts, Store
from credly_cli.store.learners import Learner, joined

AddressChange: TypeAlias = Literal["keep", "move", "note"]  # note: as one that the learner had before
_FILLED = ("first_name", "last_name", "panorama", "sublicense", "locale")  # from a learner who is merged


class LearnerKey(NamedTuple):
    """What a record says of a person. ``at`` is when it was true, as UTC text, where the record says so.

    Records of learners are authoritative; those of progress fill gaps, and move an address only forward in time.
    """

    kind: Literal["learners", "progress"]
    email: str | None
    learner_id: str | None
    first_name: str | None = None
    last_name: str | None = None
    at: str | None = None
    source: str = ""


@dataclass(slots=True, eq=False)
class Candidate:
    """A learner of a batch: as stored (``None``: new) and as the records so far say."""

    learner: Learner
    stored: Learner | None
    former: set[str] = field(default_factory=set)  # address keys that the learner had before
    merged_into: "Candidate | None" = None

    @property
    def differs(self) -> bool:
        """Whether the learner is not stored as the records say."""
        return self.stored != self.learner

    @property
    def survivor(self) -> "Candidate":
        """The learner whom this one turned out to be."""
        candidate = self
        while candidate.merged_into is not None:
            candidate = candidate.merged_into
        return candidate


class Found(NamedTuple):
    """Whom a record may mean: who has its id, who has its address, who had it before."""

    by_id: Candidate | None
    by_email: Sequence[Candidate]
    by_former_email: Sequence[Candidate]


class Match(NamedTuple):
    """Whom a record means (``None``: somebody new, with its address and id) and what becomes of addresses and people.

    A learner who is matched takes the record's id. ``merge`` are learners who turn out to be the same person.
    """

    learner: Candidate | None
    address: AddressChange = "keep"
    merge: tuple[Candidate, ...] = ()


class NoMatch(NamedTuple):
    """Why it cannot be known whom a record means."""

    reason: str


def decide(key: LearnerKey, found: Found) -> Match | NoMatch:
    """Decide whom a record means: the id comes first, then the address (R25)."""
    if found.by_id is not None:
        return _matched(key, found.by_id, found)
    if not key.email:
        return NoMatch(f"no learner has the id {key.learner_id!r}, and the row has no email")
    if key.learner_id:  # who has another id is somebody else at a shared address
        meant = [candidate for candidate in found.by_email if candidate.learner.learner_id is None]
    else:
        meant = list(found.by_email or found.by_former_email)
    if len(meant) > 1:
        return NoMatch(
            f"{len(meant)} learners have the address {key.email!r}; a learner_id is needed to tell them apart"
        )
    return _matched(key, meant[0], found) if meant else Match(None)


def _matched(key: LearnerKey, candidate: Candidate, found: Found) -> Match:
    address = _address_change(key, candidate)
    is_another = email_key(key.email or "") != email_key(candidate.learner.email)
    if address != "move" or not is_another or candidate.learner.learner_id is None:
        return Match(candidate, address)
    same = (other for other in found.by_email if other is not candidate and other.learner.learner_id is None)
    return Match(candidate, address, tuple(same))  # known by nothing but the address that is this learner's now


def _address_change(key: LearnerKey, candidate: Candidate) -> AddressChange:
    """Decide whether a record moves its learner's address; an older one does not bring an old address back."""
    if not key.email or key.email == candidate.learner.email:
        return "keep"
    if key.kind == "learners":
        return "move"
    new = email_key(key.email)
    if new == email_key(candidate.learner.email) or new in candidate.former:
        return "keep"
    return "move" if key.at is None or key.at > (candidate.learner.email_at or "") else "note"


class LearnerMatcher:
    """The learners whom the records of a batch may mean; ``now`` (UTC text) is of addresses without a time."""

    def __init__(
        self, candidates: Iterable[Learner], former_emails: Iterable[tuple[int, str]], next_id: int, now: str
    ) -> None:
        self._now = now
        self._next_id = next_id
        self._candidates: dict[int, Candidate] = {}
        self._by_id: dict[str, Candidate] = {}
        self._by_email: dict[str, list[Candidate]] = {}
        self._by_former_email: dict[str, list[Candidate]] = {}
        for learner in candidates:
            self._keep(Candidate(replace(learner), learner))
        for number, address in former_emails:
            self._note_former(self._candidates[number], address)

    def match(self, key: LearnerKey) -> Candidate | NoMatch:
        """Find or make the learner whom a record means, and take over what it says of them."""
        decided = decide(key, self._find(key))
        if isinstance(decided, NoMatch):
            return decided
        candidate = decided.learner or self._create(key)
        self._give_id(candidate, key.learner_id)
        if decided.address == "move" and key.email:
            self._move(candidate, key.email, self._now if key.kind == "learners" else key.at or self._now)
        elif decided.address == "note" and key.email:
            self._note_former(candidate, email_key(key.email))
        for other in decided.merge:
            self._merge(other, candidate)
        _take_names(key, candidate.learner)
        return candidate

    def new(self) -> Iterator[Learner]:
        """Yield the learners who are to be added."""
        return (candidate.learner for candidate in self._remaining() if candidate.stored is None)

    def changed(self) -> Iterator[Learner]:
        """Yield the learners who are stored otherwise."""
        return (candidate.learner for candidate in self._remaining() if candidate.stored and candidate.differs)

    def merged(self, *, stored_only: bool = False) -> Iterator[tuple[int, int]]:
        """Yield the numbers of learners who turned out to be others, each with that of the other."""
        for candidate in self._candidates.values():
            if candidate.merged_into is not None and (candidate.stored or not stored_only):
                yield candidate.learner.id, candidate.survivor.learner.id

    def former_emails(self) -> Iterator[tuple[int, str]]:
        """Yield the addresses that learners had before: number and ``email_key``."""
        for candidate in self._remaining():
            for address in candidate.former - {email_key(candidate.learner.email)}:
                yield candidate.learner.id, address

    def _remaining(self) -> Iterator[Candidate]:
        return (candidate for candidate in self._candidates.values() if candidate.merged_into is None)

    def _find(self, key: LearnerKey) -> Found:
        address = email_key(key.email) if key.email else ""
        return Found(
            self._by_id.get(key.learner_id or ""),
            self._by_email.get(address, ()),
            self._by_former_email.get(address, ()),
        )

    def _create(self, key: LearnerKey) -> Candidate:
        learner = Learner(self._next_id, key.email or "", key.learner_id)
        if key.kind == "progress":
            learner.email_at = key.at or self._now
        candidate = Candidate(learner, None)
        self._keep(candidate)
        self._next_id += 1
        return candidate

    def _keep(self, candidate: Candidate) -> None:
        learner = candidate.learner
        self._candidates[learner.id] = candidate
        if learner.learner_id:
            self._by_id[learner.learner_id] = candidate
        self._by_email.setdefault(email_key(learner.email), []).append(candidate)

    def _give_id(self, candidate: Candidate, learner_id: str | None) -> None:
        if learner_id and learner_id != candidate.learner.learner_id:
            self._by_id.pop(candidate.learner.learner_id or "", None)
            candidate.learner.learner_id = learner_id
            self._by_id[learner_id] = candidate

    def _move(self, candidate: Candidate, email: str, at: str) -> None:
        """Give a learner another address, or another spelling of it."""
        old, new = email_key(candidate.learner.email), email_key(email)
        candidate.learner.email, candidate.learner.email_at = email, at
        if old != new:
            self._by_email[old].remove(candidate)
            self._note_former(candidate, old)
            self._by_email.setdefault(new, []).append(candidate)

    def _merge(self, old: Candidate, into: Candidate) -> None:
        old.merged_into = into
        self._by_email[email_key(old.learner.email)].remove(old)
        for address in old.former:
            self._by_former_email[address].remove(old)
            self._note_former(into, address)
        for name in _FILLED:
            setattr(into.learner, name, getattr(into.learner, name) or getattr(old.learner, name))

    def _note_former(self, candidate: Candidate, address: str) -> None:
        candidate.former.add(address)
        known = self._by_former_email.setdefault(address, [])
        if candidate not in known:
            known.append(candidate)


def _take_names(key: LearnerKey, learner: Learner) -> None:
    if key.kind == "learners":
        learner.first_name = key.first_name or learner.first_name
        learner.last_name = key.last_name or learner.last_name
    else:
        learner.first_name = learner.first_name or key.first_name
        learner.last_name = learner.last_name or key.last_name


def matcher_for(store: Store, keys: Sequence[LearnerKey], now: str) -> LearnerMatcher:
    """Look up whom the records of a batch may mean."""
    ids = {key.learner_id for key in keys if key.learner_id}
    emails = {email_key(key.email) for key in keys if key.email}
    candidates = learners.candidates(store, ids, emails)
    former = learners.former_emails(store, [learner.id for learner in candidates])
    return LearnerMatcher(candidates, former, learners.next_id(store), now)


def write(store: Store, matcher: LearnerMatcher, now: str) -> None:
    """Write what a batch brought: new learners first, since others may be merged into them."""
    learners.add(store, matcher.new())
    for old, survivor in matcher.merged(stored_only=True):
        learners.merge(store, old, survivor, now)
    learners.change(store, matcher.changed())
    learners.add_former_emails(store, matcher.former_emails())


def import_learners(
    store: Store, batch: Sequence[LearnerRecord], rows: RejectFilter, now: str, ids: IdOptions
) -> Counts:
    """Add learners or bring them up to date; a value that a record does not give stays as it was."""
    keys = [
        LearnerKey("learners", row.email, row.learner_id, row.first_name, row.last_name, None, ids.source)
        for row in batch
    ]
    privacy.recall(store, keys, now)
    matcher = matcher_for(store, keys, now)
    counts, seen = Counts(), set[Candidate]()
    for record, key in zip(batch, keys, strict=True):
        candidate = matcher.match(key)
        if isinstance(candidate, NoMatch):
            rows.reject(Reject(record.row, "email", candidate.reason))
            continue
        learner = candidate.learner
        if record.panorama is not None:
            learner.panorama = record.panorama or None
        if record.sublicenses is not None:
            learner.sublicense = joined(record.sublicenses)
        learner.locale = record.locale or learner.locale
        counts.unchanged += candidate in seen
        seen.add(candidate)
    for candidate in seen:
        counts.count(added=candidate.stored is None, changed=candidate.differs)
    write(store, matcher, now)
    return counts
