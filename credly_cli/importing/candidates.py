"""The learners whom the records of an import may mean, stored and as told so far, and how names compare (R25)."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from credly_cli.identity import agreement, email_key, words
from credly_cli.import_options import IdDecision
from credly_cli.lms.fields import is_no_id
from credly_cli.store.learners import Learner
from credly_cli.store.staging import StagedPerson
from credly_cli.text import counted


class IdOptions(NamedTuple):
    """What is said of the ids of a file, beside the file.

    ``source`` names the numbering that they are of, '' the common one. ``decisions`` tell of single ids whether they
    are of the person who is known by them, or were given to somebody else. ``of_api`` is for rows of an API, which
    knows its people. ``configured`` is for a file of the configuration, for reasons that name the way on.
    ``spent`` are ids that were given to somebody else by a decision of the configuration before.
    ``homes`` and ``activities`` say what numberings and content are called here that the source calls otherwise.
    """

    source: str = ""
    decisions: Mapping[str, IdDecision] = MappingProxyType({})
    of_api: bool = False
    configured: bool = False
    homes: Mapping[str, str] = MappingProxyType({})
    activities: Mapping[str, str] = MappingProxyType({})
    spent: frozenset[str] = frozenset()

    def without(self, spent: Iterable[str]) -> "IdOptions":
        """Return the options without decisions that were carried out before."""
        gone = frozenset(spent)
        left = {identity: meaning for identity, meaning in self.decisions.items() if identity not in gone}
        return self._replace(decisions=left, spent=gone)


THE_COMMON = IdOptions()


class Readdressed(NamedTuple):
    """Who was believed to be somebody known: the id as told, and the address before and now."""

    learner_id: str | None
    before: str
    now: str
    former_id: str | None = None  # where the id was renewed

    @property
    def sentence(self) -> str:
        """Say who is believed to be whom."""
        if self.former_id is None:
            return f"{self.learner_id or 'A learner'} changed the address: {self.before} is now {self.now}."
        return f"{self.now} has the id {self.learner_id} now, and had {self.former_id} before."


def sentences_of(readdressed: Sequence[Readdressed], most: int = 20) -> list[str]:
    """Say of each who is believed to be whom, and how many more there are."""
    more = [f"{counted(len(readdressed) - most, 'more learner')} changed the address."] if readdressed[most:] else []
    return [*(each.sentence for each in readdressed[:most]), *more]


@dataclass(slots=True, eq=False)
class Candidate:
    """A learner as stored (``None``: new) and as the records so far say; ``ids`` are those of named sources."""

    learner: Learner
    stored: Learner | None
    former: set[str] = field(default_factory=set)  # address keys that the learner had before
    ids: dict[str, str] = field(default_factory=dict)
    merged_into: "Candidate | None" = None
    renewed: str | None = None  # the id that was renewed
    new_id: str | None = None  # by which one was believed to be this learner
    ids_changed: bool = False

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

    @property
    def key(self) -> str:
        """The address as it is compared."""
        return email_key(self.learner.email)

    @property
    def names(self) -> tuple[str, str]:
        """First and last name, '' where not known."""
        return self.learner.first_name or "", self.learner.last_name or ""

    def id_of(self, source: str) -> str | None:
        """Return the id that the learner has in a numbering."""
        return self.ids.get(source) if source else self.learner.learner_id

    def all_ids(self) -> dict[str, str]:
        """Return the ids by numbering."""
        return self.ids | ({"": self.learner.learner_id} if self.learner.learner_id else {})


_ALWAYS = "0"  # before every time


@dataclass(slots=True, eq=False)
class Claim:
    """All that the file says under one id, and whose id that is."""

    source: str
    learner_id: str
    decision: IdDecision | None
    people: list[StagedPerson]
    owner: Candidate | None = None

    def at(self, key: str) -> list[StagedPerson]:
        """Return who has an address."""
        return [person for person in self.people if person.email_key == key]

    @property
    def keys(self) -> list[str]:
        """The addresses, the latest first."""
        latest: dict[str, str] = {}
        for person in self.people:
            if person.email_key:
                latest[person.email_key] = max(person.at or _ALWAYS, latest.get(person.email_key, ""))
        return sorted(latest, key=lambda key: (latest[key], key), reverse=True)


class Alike:
    """Which of the new ids at an address may be one person's."""

    def __init__(self, key: str, claims: Sequence[Claim]) -> None:
        self._key = key
        self._by_word: dict[str, list[Claim]] = defaultdict(list)
        self._nameless = []
        for claim in claims:
            parts = frozenset[str]().union(*(words(name) for each in claim.at(key) for name in each.names))
            for word in parts:
                self._by_word[word].append(claim)
            if not parts:
                self._nameless.append(claim)
        self._claims = claims

    def of(self, claim: Claim) -> Claim | None:
        """Return another id at the address that may be the same person's."""
        mine = claim.at(self._key)
        if claim in self._nameless:
            return next(each for each in self._claims if each is not claim)
        near = dict.fromkeys(
            other for each in mine for name in each.names for word in words(name) for other in self._by_word[word]
        )
        for other in (*self._nameless, *near):
            theirs = other.at(self._key)
            if other is not claim and any(agreement(a.names, b.names) != "none" for a in mine for b in theirs):
                return other
        return None


class Candidates:
    """The learners whom people may mean, and what these say of them; ``now`` (UTC text) is of what has no time."""

    def __init__(
        self,
        learners: Iterable[Learner],
        former_emails: Iterable[tuple[int, str]],
        named_ids: Iterable[tuple[int, str, str]],
        next_id: int,
        now: str,
        *,
        of_learners: bool,
    ) -> None:
        self.now = now
        self.of_learners = of_learners
        self.by_id: dict[tuple[str, str], Candidate] = {}
        self.by_email: dict[str, list[Candidate]] = {}
        self.by_former_email: dict[str, list[Candidate]] = {}
        self.people: dict[Candidate, list[StagedPerson]] = {}
        self._next_id = next_id
        self._all: dict[int, Candidate] = {}
        for learner in learners:
            self._keep(Candidate(copy(learner), learner))
        for number, address in former_emails:
            known_as = self._all[number].learner.learner_id
            if not (known_as and is_no_id(known_as)):  # then it is somebody else's, whom an older version took for one
                self.note_former(self._all[number], address)
        for number, source, identity in named_ids:
            self._all[number].ids[source] = identity
            self.by_id[source, identity] = self._all[number]

    # What changes

    def accept(self, candidate: Candidate, person: StagedPerson) -> None:
        """Note that a person is this learner."""
        self.people.setdefault(candidate, []).append(person)

    def create(self, person: StagedPerson) -> Candidate:
        """Make a learner of a person who is new."""
        learner = Learner(self._next_id, person.email)
        learner.email_at = self.now if self.of_learners else person.at or self.now
        candidate = Candidate(learner, None)
        self._keep(candidate)
        if person.learner_id:
            self.give_id(candidate, person.source, person.learner_id)
        self._next_id += 1
        return candidate

    def _keep(self, candidate: Candidate) -> None:
        learner = candidate.learner
        self._all[learner.id] = candidate
        if learner.learner_id:
            self.by_id["", learner.learner_id] = candidate
        self.by_email.setdefault(candidate.key, []).append(candidate)

    def give_id(self, candidate: Candidate, source: str, learner_id: str) -> None:
        """Give a learner an id, in place of the one that they had in this numbering."""
        former = candidate.id_of(source)
        if former is not None:
            candidate.renewed, candidate.new_id = former, learner_id
            self.by_id.pop((source, former), None)
        self.set_id(candidate, source, learner_id)
        self.by_id[source, learner_id] = candidate

    def set_id(self, candidate: Candidate, source: str, learner_id: str | None) -> None:
        """Set or take away an id of a learner."""
        if not source:
            candidate.learner.learner_id = learner_id
            return
        candidate.ids_changed = True
        if learner_id is None:
            candidate.ids.pop(source, None)
        else:
            candidate.ids[source] = learner_id

    def merge(self, old: Candidate, into: Candidate) -> None:
        """Make one learner of two."""
        old.merged_into = into
        self.by_email[old.key].remove(old)
        for address in old.former:
            self.by_former_email[address].remove(old)
            self.note_former(into, address)
        for source, identity in old.all_ids().items():
            if into.id_of(source) is None:
                self.set_id(into, source, identity)
                self.by_id[source, identity] = into
        for name in ("first_name", "last_name", *DETAILS):
            setattr(into.learner, name, getattr(into.learner, name) or getattr(old.learner, name))
        if old in self.people:
            self.people.setdefault(into, []).extend(self.people.pop(old))

    def note_former(self, candidate: Candidate, address: str) -> None:
        """Note an address that a learner had before."""
        candidate.former.add(address)
        known = self.by_former_email.setdefault(address, [])
        if candidate not in known:
            known.append(candidate)

    def move(self, candidate: Candidate, people: Sequence[StagedPerson]) -> None:
        """Give a learner who has left their address the one of these people."""
        old, learner = candidate.key, candidate.learner
        learner.email = spelling(people)
        learner.email_at = self.now if self.of_learners else latest(people) or self.now
        self.note_former(candidate, old)
        self.by_email.setdefault(candidate.key, []).append(candidate)

    def take_over(self) -> None:
        """Take over what people say of the learners whom they mean."""
        for candidate, people in self.people.items():
            if candidate.merged_into is None:
                self._take_over(candidate, people)

    def _take_over(self, candidate: Candidate, people: Sequence[StagedPerson]) -> None:
        """Take over names, details and the spelling of the address; what the order of rows is does not matter."""
        learner, is_new = candidate.learner, candidate.stored is None
        if (
            is_new and len(people) == 1 and not people[0].details
        ):  # who was made of this very row: nearly all of a new file
            learner.first_name = learner.first_name or people[0].first_name or None
            learner.last_name = learner.last_name or people[0].last_name or None
            return
        if len(people) > 1 or self.of_learners or is_new:
            _take_names(learner, people, prefer_new=self.of_learners)
        else:
            learner.first_name = learner.first_name or people[0].first_name or None
            learner.last_name = learner.last_name or people[0].last_name or None
        key = candidate.key
        here = [person for person in people if person.email_key == key]
        if not here:
            return
        if is_new or (self.of_learners and learner.email not in {person.email for person in here}):
            learner.email = spelling(here)
        if not self.of_learners and is_new:
            learner.email_at = latest(here, self.now)
        elif not self.of_learners and learner.email_at and (at := latest(here)) > learner.email_at:
            learner.email_at = at
        if self.of_learners:
            _take_details(learner, people)

    # What became of them

    def new(self) -> Iterator[Learner]:
        """Yield the learners who are to be added."""
        return (candidate.learner for candidate in self._remaining() if candidate.stored is None)

    def changed(self) -> Iterator[Learner]:
        """Yield the learners who are stored otherwise."""
        return (candidate.learner for candidate in self._remaining() if candidate.stored and candidate.differs)

    def merged(self) -> Iterator[tuple[int, int]]:
        """Yield the numbers of learners who turned out to be others, each with that of the other."""
        for candidate in self._all.values():
            if candidate.merged_into is not None:
                yield candidate.learner.id, candidate.survivor.learner.id

    def former_emails(self) -> Iterator[tuple[int, str]]:
        """Yield the addresses that learners had before: number and ``email_key``."""
        for candidate in self._remaining():
            if candidate.former:
                for address in candidate.former - {candidate.key}:
                    yield candidate.learner.id, address

    def named_ids(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the ids in named sources of the learners for whom they changed, by source."""
        return ((each.learner.id, each.ids) for each in self._remaining() if each.ids_changed)

    def without_ids(self) -> Iterator[int]:
        """Yield the numbers of stored learners who no longer have the common id that they had."""
        for each in self._remaining():
            if each.stored and each.stored.learner_id and each.stored.learner_id != each.learner.learner_id:
                yield each.learner.id

    def readdressed(self) -> Iterator[Readdressed]:
        """Yield who was believed to be somebody known."""
        for each in self._all.values():
            if each.stored is None:
                continue
            now = each.survivor
            is_elsewhere = each.stored.email != now.learner.email and email_key(each.stored.email) != now.key
            if is_elsewhere or now.renewed is not None:
                identity = now.new_id or now.learner.learner_id or next(iter(now.ids.values()), None)
                yield Readdressed(identity, each.stored.email, now.learner.email, now.renewed)

    def meant(self) -> Iterator[Candidate]:
        """Yield the learners whom the people mean."""
        return iter(dict.fromkeys(candidate.survivor for candidate in self.people))

    def _remaining(self) -> Iterator[Candidate]:
        """Yield the learners who are not others."""
        return (candidate for candidate in self._all.values() if candidate.merged_into is None)


DETAILS = ("panorama", "sublicense", "locale")


def latest(people: Iterable[StagedPerson], now: str = "") -> str:
    """Return when what is said of people was true last; ``now`` is for what has no time."""
    return max((person.at or now for person in people), default="")


def spelling(people: Iterable[StagedPerson]) -> str:
    """Return one of the spellings of an address, the same whatever the order of rows."""
    return max(person.email for person in people)


def _take_names(learner: Learner, people: Sequence[StagedPerson], *, prefer_new: bool) -> None:
    pairs = {person.names for person in people if any(person.names)}
    known = learner.first_name or "", learner.last_name or ""
    if not pairs or (all(known) and known in pairs):
        return
    first, last = max(pairs, key=lambda pair: (all(pair), pair))
    if prefer_new:
        learner.first_name, learner.last_name = first or known[0] or None, last or known[1] or None
    else:
        learner.first_name, learner.last_name = known[0] or first or None, known[1] or last or None


def _take_details(learner: Learner, people: Sequence[StagedPerson]) -> None:
    rows: list[dict[str, str | None]] = [json.loads(person.details) for person in people if person.details]
    for name in DETAILS:
        values = [row[name] for row in rows if name in row]
        if values and getattr(learner, name) not in values:
            setattr(learner, name, max(values, key=lambda value: value or ""))
