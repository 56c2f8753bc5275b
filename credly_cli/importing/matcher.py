"""Whom the records of an import mean (R25): decided over all that a file says of these people, in memory.

``Matcher`` is given people who belong together: whoever shares an address or an id with one of them, in the file or in
the store, is among them or among the learners. So the outcome does not depend on the order of the rows.
The ids come first, then the addresses: who is known by an id, and where they are now; then ids that are new; then
people without one.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, groupby

from credly_cli.identity import Agreement, agreement, best_of
from credly_cli.importing.candidates import Alike, Candidate, Candidates, Claim, IdOptions, latest
from credly_cli.importing.reasons import Reasons
from credly_cli.store.staging import PersonMatch, StagedPerson

_MOST_COMPARED = 50  # names at one address


@dataclass(slots=True, eq=False)
class _Move:
    """An address that the file gives to somebody who is known by another one; it is today's if ``is_todays``."""

    claim: Claim
    owner: Candidate
    key: str
    people: list[StagedPerson]
    is_todays: bool = False
    duplicates: list[Candidate] = field(default_factory=list)  # known by the address, they turn out to be the owner


class Matcher:
    """Finds or makes the learners whom people mean, among those who are known."""

    def __init__(self, known: Candidates, options: IdOptions) -> None:
        self._known = known
        self._options = options
        self._knows_people = known.of_learners or options.of_api  # rows without names are believed
        self._why = Reasons(options.configured, options.of_api, options.spent)
        self.given: dict[tuple[str, str], Candidate] = {}  # who has an id now that is told to be somebody else's
        self.named_otherwise: list[str] = []  # whose names do not agree with those of whom their address is
        self._rejected: dict[int, str] = {}  # the reason by the person's number
        self._unknown: set[int] = set()  # those who are nobody known here

    def match(self, people: Sequence[StagedPerson]) -> list[PersonMatch]:
        """Match people, and take over what they say."""
        claims: dict[tuple[str, str], list[StagedPerson]] = {}
        loose: list[StagedPerson] = []
        for person in people:
            if not person.learner_id:
                loose.append(person)
            elif person.shares or not self._take_plain(person):
                claims.setdefault((person.source, person.learner_id), []).append(person)
        for _, group in groupby(sorted(claims), key=lambda each: each[0]):
            self._match_claims([self._claim_of(*each, claims[each]) for each in group])
        self._match_loose(loose)
        self._known.take_over()
        return [
            PersonMatch(candidate.survivor.learner.id, None, 0, person.number)
            for candidate, people in self._known.people.items()
            for person in people
        ] + [
            PersonMatch(None, reason, int(number in self._unknown), number) for number, reason in self._rejected.items()
        ]

    # People whom nothing else in the file or the store concerns

    def _take_plain(self, person: StagedPerson) -> bool:
        """Match somebody who shares neither id nor address with others, where it is plain who that is."""
        known = self._known.by_id.get((person.source, person.learner_id))
        if known is not None:
            if person.email_key != known.key:
                return False
            self._known.accept(known, person)
            return True
        if not person.email_key:
            return False
        holders = self._known.by_email.get(person.email_key)
        if not holders:
            self._known.accept(self._known.create(person), person)
            return True
        if len(holders) == 1 and holders[0].id_of(person.source) is None:
            self._note_other_names(holders[0], [person])
            self._known.give_id(holders[0], person.source, person.learner_id)
            self._known.accept(holders[0], person)
            return True
        return False

    # People with ids

    def _claim_of(self, source: str, learner_id: str, people: list[StagedPerson]) -> Claim:
        decision = self._options.decisions.get(learner_id) if source == self._options.source else None
        people.sort(key=lambda each: (each.email_key, each.names, each.at, each.email))
        return Claim(source, learner_id, decision, people, self._known.by_id.get((source, learner_id)))

    def _match_claims(self, claims: list[Claim]) -> None:
        """Match what the file says under ids of one numbering."""
        for claim in claims:
            self._give_to_another(claim)
        told = [claim for claim in claims if claim.decision == "new" and claim.owner is None]
        for claim in claims:
            self._refuse_contradictions(claim)
        self._bind(claims)
        moves = [move for claim in claims if claim.owner for move in self._moves(claim, claim.owner)]
        self._settle(moves)
        self._add([claim for claim in claims if claim.owner is None and claim.people])
        given = {(claim.source, claim.learner_id) for claim in told} & self._known.by_id.keys()
        self.given |= {identity: self._known.by_id[identity] for identity in given}

    def _give_to_another(self, claim: Claim) -> None:
        """Take the id from who is known by it, where a person said that it was given to somebody else."""
        owner = claim.owner
        if owner is None or claim.decision != "new":
            return
        is_own = [not each.email_key or each.email_key in (owner.key, *owner.former) for each in claim.people]
        if any(is_own) or any(agreement(owner.names, each.names) == "both" for each in claim.people):
            return
        self._known.by_id.pop((claim.source, claim.learner_id))
        self._known.set_id(owner, claim.source, None)
        claim.owner = None

    def _refuse_contradictions(self, claim: Claim) -> None:
        """Reject a new id that stands for two people in the file, and one without an address."""
        if claim.owner is not None:
            return
        if not claim.keys:
            self._unknown.update(each.number for each in claim.people)
            self._reject(claim, claim.people, self._why.without_address(claim))
        elif claim.decision != "same" and (two := self._contradiction(claim.people)):
            self._reject(claim, claim.people, self._why.two_in_file(claim, *two))

    def _contradiction(self, people: Sequence[StagedPerson]) -> tuple[StagedPerson, StagedPerson] | None:
        """Return two people of one id who cannot be known to be one: with different addresses, or with none."""
        for one, other in combinations(people, 2):
            if one.email_key == other.email_key:
                continue
            agreed = agreement(one.names, other.names)
            has_both = bool(one.email_key and other.email_key)
            if agreed == "none" or (agreed == "unknown" and has_both and not self._knows_people):
                return one, other
        return None

    # ... whose id is new

    def _bind(self, claims: Sequence[Claim]) -> None:
        """Give new ids to learners who are known by the address: without an id, or with one that is renewed."""
        named = {(claim.source, claim.learner_id) for claim in claims}
        at_key: dict[str, list[Claim]] = defaultdict(list)
        for claim in claims:
            if claim.owner is None:
                for key in claim.keys:
                    at_key[key].append(claim)
        wanted: dict[Candidate, list[Claim]] = {}
        for claim in claims:
            if claim.owner is None and (found := self._known_by_address(claim, at_key, named)):
                wanted.setdefault(found, []).append(claim)
        for candidate, (claim, *others) in wanted.items():
            if not others:
                claim.owner = candidate
                self._known.give_id(candidate, claim.source, claim.learner_id)

    def _known_by_address(
        self, claim: Claim, at_key: Mapping[str, list[Claim]], named: set[tuple[str, str]]
    ) -> Candidate | None:
        for key in claim.keys:
            holders = self._known.by_email.get(key, ())
            rivals = [other for other in at_key[key] if other is not claim]
            without = [each for each in holders if each.id_of(claim.source) is None]
            if len(without) == 1:
                is_clear = len(holders) == 1 and not rivals
                if is_clear or self._is_the_only_one(claim, key, without[0], rivals):
                    return without[0]
            elif len(holders) == 1 and not rivals and (claim.source, holders[0].id_of(claim.source)) not in named:
                agreed = self._agreement(holders[0], claim.at(key))
                if claim.decision == "same" or (agreed == "both" and claim.decision is None):
                    return holders[0]
        return None

    def _is_the_only_one(self, claim: Claim, key: str, candidate: Candidate, rivals: Sequence[Claim]) -> bool:
        others = [self._agreement(candidate, rival.at(key)) for rival in rivals]
        return self._agreement(candidate, claim.at(key)) == "both" and "both" not in others

    def _add(self, claims: Sequence[Claim]) -> None:
        """Add learners for ids that are new, at addresses that nobody or somebody else has."""
        at_key: dict[str, list[Claim]] = defaultdict(list)
        for claim in claims:
            for key in claim.keys:
                at_key[key].append(claim)
        alike = {key: Alike(key, sharing) for key, sharing in at_key.items() if len(sharing) > 1}
        reasons = [
            next(filter(None, (self._objection_to_new(claim, key, alike) for key in claim.keys)), None)
            for claim in claims
        ]
        for claim, reason in zip(claims, reasons, strict=True):
            if reason is None:
                self._add_one(claim)
            else:
                self._reject(claim, claim.people, reason)

    def _objection_to_new(self, claim: Claim, key: str, alike: Mapping[str, "Alike"]) -> str | None:
        people = claim.at(key)
        for holder in self._known.by_email.get(key, ()):
            agreed = self._agreement(holder, people)
            if holder.id_of(claim.source) is None or (agreed != "none" and claim.decision != "new"):
                return self._why.at_shared_address(claim, holder, people[0])
        rival = alike[key].of(claim) if key in alike and claim.decision != "new" else None
        return self._why.two_ids(claim, rival, people[0]) if rival else None

    def _add_one(self, claim: Claim) -> None:
        main, *others = claim.keys
        candidate = self._known.create(claim.at(main)[0])
        for key in others:
            self._known.note_former(candidate, key)
        for person in claim.people:
            self._known.accept(candidate, person)

    # ... who are known by their id

    def _moves(self, claim: Claim, owner: Candidate) -> list[_Move]:
        """Accept what fits who is known, reject who is somebody else, and return addresses that are new."""
        unmoved = [each for each in claim.people if each.email_key == owner.key]
        moves: dict[str, _Move] = {}
        for person in claim.people:
            agreed = best_of(
                agreement(names, person.names) for names in (owner.names, *(each.names for each in unmoved))
            )
            is_other = agreed == "none" and claim.decision != "same"
            if person.email_key == owner.key or (not person.email_key and not is_other):
                self._known.accept(owner, person)
            elif is_other or (agreed == "unknown" and not self._is_believed(claim, owner, person)):
                self._reject(claim, [person], self._why.another_person(claim, owner, person))
            elif person.email_key in owner.former and not self._may_return(owner, unmoved, person):
                self._known.accept(owner, person)
            else:
                moves.setdefault(person.email_key, _Move(claim, owner, person.email_key, [])).people.append(person)
        people = [person for move in moves.values() for person in move.people]
        if claim.decision != "same" and (two := self._contradiction(people)):
            self._reject(claim, people, self._why.two_in_file(claim, *two))
            return []
        return list(moves.values())

    def _is_believed(self, claim: Claim, owner: Candidate, person: StagedPerson) -> bool:
        """Tell whether a row is believed although one side has no name."""
        if self._knows_people or claim.decision == "same" or person.email_key in owner.former:
            return True
        holders = self._known.by_email.get(person.email_key, ())
        return any(
            each.id_of(claim.source) is None and agreement(owner.names, each.names) == "both" for each in holders
        )

    def _may_return(self, owner: Candidate, unmoved: Sequence[StagedPerson], person: StagedPerson) -> bool:
        """Tell whether a row may bring back an address that the owner had before."""
        if self._known.of_learners:
            return not unmoved
        return bool(owner.learner.email_at) and person.at > (owner.learner.email_at or "")

    def _settle(self, moves: list[_Move]) -> None:
        """Carry out the moves to addresses that are free; a move that is not may keep others from being free."""
        moves = list(moves)
        while True:
            _choose_todays(moves, self._known.now, self._known.of_learners, self._known.people)
            leaving = {move.owner for move in moves if move.is_todays}
            arriving = Counter(move.key for move in moves if move.is_todays)
            claiming = Counter(move.key for move in moves)  # of an owner each address is one move
            reasons = [self._objection_to_move(move, leaving, arriving, claiming) for move in moves]
            if not any(reasons):
                break
            for move, reason in zip(moves, reasons, strict=True):
                if reason:
                    self._reject(move.claim, move.people, reason)
            moves = [move for move, reason in zip(moves, reasons, strict=True) if not reason]
        for move in moves:
            if move.is_todays:
                self._known.by_email[move.owner.key].remove(move.owner)
        for move in moves:
            self._carry_out(move)

    def _objection_to_move(
        self, move: _Move, leaving: set[Candidate], arriving: Mapping[str, int], claiming: Mapping[str, int]
    ) -> str | None:
        """Return why an address is not the owner's, ``None`` where it is; notes who turns out to be the owner."""
        claim, owner, person = move.claim, move.owner, move.people[0]
        holders = [each for each in self._known.by_email.get(move.key, ()) if each is not owner and each not in leaving]
        without = [each for each in holders if each.id_of(claim.source) is None]
        move.duplicates = []
        if claim.decision == "same":
            move.duplicates = [each for each in without if not _has_other_ids(owner, each)]
            return None
        if move.is_todays and arriving[move.key] > 1:
            return self._why.taken_twice(claim, owner, person)
        if not holders:
            return None
        is_clear = len(holders) == 1 and claiming[move.key] == 1
        if is_clear and without and self._are_one(owner, without[0], move.people):
            move.duplicates = without
            return None
        return self._why.two_known(claim, owner, holders[0])

    def _are_one(self, owner: Candidate, other: Candidate, people: Sequence[StagedPerson]) -> bool:
        """Tell whether two learners are one: their names agree, or the row says so of one whose name is not known."""
        if _has_other_ids(owner, other):
            return False
        agreed = agreement(owner.names, other.names)
        if agreed != "unknown":
            return agreed == "both"
        named = owner if any(owner.names) else other
        return self._knows_people or self._agreement(named, people) == "both"

    def _carry_out(self, move: _Move) -> None:
        owner, claim = move.owner, move.claim
        for other in move.duplicates:
            if other.merged_into is None:
                self._known.merge(other, owner)
        if move.is_todays:
            self._known.move(owner, move.people)
        else:
            self._known.note_former(owner, move.key)
        owner.new_id = claim.learner_id
        for person in move.people:
            self._known.accept(owner, person)

    # People without an id

    def _match_loose(self, people: Sequence[StagedPerson]) -> None:
        """Match people by who has their address now, or had it before."""
        at_key: dict[str, list[StagedPerson]] = defaultdict(list)
        for person in people:
            at_key[person.email_key].append(person)
        for key, sharing in at_key.items():
            found = self._known.by_email.get(key) or self._known.by_former_email.get(key) or ()
            if len(found) > 1:
                self._rejected.update({each.number: self._why.shared_address(each, len(found)) for each in sharing})
            elif not self._options.of_api and (two := _two_people(sharing, self._told_of(found))):
                self._rejected.update({each.number: self._why.two_at_address(*two) for each in sharing})
            else:
                candidate = found[0] if found else self._known.create(sharing[0])
                self._note_other_names(candidate, sharing)
                for person in sharing:
                    self._known.accept(candidate, person)

    def _note_other_names(self, candidate: Candidate, people: Sequence[StagedPerson]) -> None:
        """Note those of whom an address alone tells who they are, and whose names do not agree with that at all."""
        if all(candidate.names):
            others = (each for each in people if each.names != candidate.names and all(each.names))
            found = [each for each in others if agreement(candidate.names, each.names) == "none"]
            self.named_otherwise += [self._why.named_otherwise(candidate, each) for each in found]

    def _told_of(self, found: Sequence[Candidate]) -> Sequence[StagedPerson]:
        return self._known.people.get(found[0], ()) if found else ()

    def _reject(self, claim: Claim, people: Sequence[StagedPerson], reason: str) -> None:
        for person in people:
            self._rejected[person.number] = reason
        claim.people = [each for each in claim.people if each.number not in self._rejected]

    def _agreement(self, candidate: Candidate, people: Sequence[StagedPerson]) -> Agreement:
        return best_of(agreement(candidate.names, person.names) for person in people)


def _two_people(
    sharing: Sequence[StagedPerson], others: Sequence[StagedPerson]
) -> tuple[StagedPerson, StagedPerson] | None:
    """Return two whose names do not agree at all, of people whom a file gives one address and no ids."""
    named = {each.names: each for each in (*sharing, *others) if all(each.names)}
    if len(named) == 1:
        return None
    pairs = combinations(sorted(named.values(), key=lambda each: each.names)[:_MOST_COMPARED], 2)
    return next((pair for pair in pairs if agreement(pair[0].names, pair[1].names) == "none"), None)


def _choose_todays(
    moves: Sequence[_Move], now: str, of_learners: bool, people_of: Mapping[Candidate, Sequence[StagedPerson]]
) -> None:
    """Choose of each owner's addresses the one that is today's, if any: one that nothing newer contradicts."""
    for owner, group in groupby(sorted(moves, key=lambda each: each.owner.learner.id), key=lambda each: each.owner):
        unmoved = [person for person in people_of.get(owner, ()) if person.email_key == owner.key]
        theirs = list(group)
        for move in theirs:
            move.is_todays = False
        best = max(theirs, key=lambda move: (latest(move.people, now), move.key))
        if of_learners:
            best.is_todays = not unmoved
        else:
            at = latest(best.people, now)
            best.is_todays = at >= (owner.learner.email_at or "") and (not unmoved or at > latest(unmoved, now))


def _has_other_ids(one: Candidate, other: Candidate) -> bool:
    """Tell whether two learners have different ids in some numbering."""
    ids, others = one.all_ids(), other.all_ids()
    return any(ids[source] != others[source] for source in ids.keys() & others.keys())
