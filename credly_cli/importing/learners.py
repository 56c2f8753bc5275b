"""Learners of an import: staged, matched with who is known (R25), and written, in pieces that belong together."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Literal, NamedTuple, cast

from credly_cli.identity import email_key
from credly_cli.importing.candidates import Candidates, IdOptions, Readdressed
from credly_cli.importing.keeping import Keeping
from credly_cli.importing.matcher import Matcher
from credly_cli.importing.reasons import cut
from credly_cli.lms.records import LearnerRecord, Reject, Understood
from credly_cli.lms.rejects import RejectFilter
from credly_cli.store import learners, privacy, runs, staging
from credly_cli.store.database import Counts, Store
from credly_cli.store.learners import Learner, joined
from credly_cli.store.staging import StagedPerson
from credly_cli.text import counted

_BATCH = 10_000
_REMEMBERED = 10_000  # people: bounded, for a file may name any number
_CROWD = 100  # addresses: an id that a file gives more people is no id
_LISTED = 100_000  # people who were believed to be somebody known: memory must not grow with the file

_TELL_APART = "Where two share an address, a learner_id tells them apart."

_Key = tuple[str, str, str, str, str, str]  # email, source, learner id, first and last name, details


class Matched(NamedTuple):
    """What matching people did."""

    counts: Counts
    readdressed: list[Readdressed]
    named_otherwise: int  # people whose names do not agree with those of whom their address is, with an example
    example: str

    def warn(self, understood: Understood) -> None:
        """Say of whom the address alone tells who they are, where the names do not agree."""
        if self.named_otherwise:
            people = counted(self.named_otherwise, "address is", "addresses are")
            understood.warn(f"{people} of somebody with another name: {self.example}. {_TELL_APART}")


def import_learners(
    store: Store, rows: RejectFilter, now: str, ids: IdOptions, understood: Understood
) -> tuple[Counts, list[Readdressed]]:
    """Add learners or bring them up to date; a value that a record does not give stays as it was."""
    staging.stage(store)
    people = StagedPeople(store)
    staged, count = _staged(people, rows, ids.source), 0
    while batch := list(islice(staged, _BATCH)):
        staging.stage_rows(store, batch)
        count += len(batch)
        people.flush(_REMEMBERED)
    people.flush()
    matched = match_learners(store, "learners", now, ids)
    matched.warn(understood)
    staging.hand_over_people(store)
    count -= reject_unmatched(store, rows)
    matched.counts.unchanged = count - matched.counts.added - matched.counts.changed
    return matched.counts, matched.readdressed


def _staged(people: "StagedPeople", rows: RejectFilter, source: str) -> Iterator[tuple[int, int]]:
    for record in rows:
        row, email, first_name, last_name, learner_id, panorama, sublicenses, locale = cast("LearnerRecord", record)
        fields: dict[str, str | None] = {}
        if panorama is not None:
            fields["panorama"] = panorama or None
        if sublicenses is not None:
            fields["sublicense"] = joined(sublicenses)
        if locale:
            fields["locale"] = locale
        details = json.dumps(fields) if fields else ""
        yield row, people.number((email, source, learner_id or "", first_name or "", last_name or "", details), None)


def reject_unmatched(store: Store, rows: RejectFilter, keeping: Keeping | None = None) -> int:
    """Set the records aside whose learner is not known, or keep them for another try; returns how many."""
    count = 0
    for row, column, reason, is_unknown in staging.unmatched(store):
        if keeping is None or not keeping.keep_row(row, unknown=bool(is_unknown)):
            rows.reject(Reject(row, column, reason))
        count += 1
    return count


class StagedPeople:
    """Numbers the people whom records name, and stages them; a person may get several numbers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._people: dict[_Key, int] = {}
        self._true_at: dict[int, str] = {}  # when the latest record of them was true
        self._last = 0

    def number(self, key: _Key, at: str | None) -> int:
        """Return the number of a person, of whom something was true then."""
        number = self._people.get(key)
        if number is None:
            self._last = number = self._people[key] = self._last + 1
        if at and at > self._true_at.get(number, ""):
            self._true_at[number] = at
        return number

    def flush(self, more_than: int = 0) -> None:
        """Stage the people numbered since the last time, if they are so many."""
        if len(self._people) <= more_than:
            return
        staging.stage_people(
            self._store,
            (
                (number, email, email_key(email), source, learner_id, *names_and_more, self._true_at.get(number, ""))
                for (email, source, learner_id, *names_and_more), number in self._people.items()
            ),
        )
        self._people.clear()
        self._true_at.clear()


def match_learners(store: Store, kind: Literal["learners", "progress"], now: str, ids: IdOptions) -> Matched:
    """Find or make the learners of the staged people, and write what these say of them."""
    staging.collect_people(store)
    privacy.recall(store, staging.each_person(store), now)
    for source, learner_id, count in staging.crowded_ids(store, _CROWD):
        staging.refuse_id(store, source, learner_id, _crowd(learner_id, count))
    ids = ids.without(_spent(store, ids)) if ids.configured and ids.decisions else ids
    counts, readdressed, last = Counts(), list[Readdressed](), 0
    named_otherwise, example = 0, ""
    has_ids = staging.names_ids(store)
    while people := staging.next_people(store, last, _BATCH):
        last = people[-1].number
        group = _Group(store, people, has_ids=has_ids).complete()
        known = Candidates(
            group.learners.values(), group.former, group.named, learners.next_id(store), now,
            of_learners=kind == "learners",
        )  # fmt: skip
        matcher = Matcher(known, ids)
        staging.match_people(store, matcher.match(list(group.people.values())))
        for identity, candidate in matcher.given.items():
            runs.set_bookmark(store, _mark(*identity), str(candidate.survivor.learner.id))
        named_otherwise += len(matcher.named_otherwise)
        example = example or next(iter(matcher.named_otherwise), "")
        changed = {learner.id: learner for learner in known.changed()}
        for candidate in known.meant():
            if candidate.stored is None:
                counts.added += 1
            elif candidate.learner.id in changed or candidate.ids_changed:
                counts.changed += 1
        readdressed += islice(known.readdressed(), _LISTED - len(readdressed))
        _write(store, known, changed.values(), now)
    return Matched(counts, readdressed, named_otherwise, example)


def _mark(source: str, learner_id: str) -> str:
    return f"given:{source}\x1f{learner_id}"


def _spent(store: Store, ids: IdOptions) -> Iterator[str]:
    """Yield the ids that were given to somebody else by a decision before, who has them still."""
    for learner_id, meaning in ids.decisions.items():
        given = runs.bookmark(store, _mark(ids.source, learner_id)) if meaning == "new" else None
        if given and any(str(each.id) == given for each in learners.candidates(store, [(ids.source, learner_id)], ())):
            yield learner_id


def _crowd(learner_id: str, count: int) -> str:
    return (
        f"the id {cut(learner_id)!r} stands for {counted(count, 'address', 'addresses')} in this file, so it is none:"
        " leave the column out with --map learner_id=="
    )


class _Group:
    """People of a batch with all, in the file and in the store, whom it takes to know who they are."""

    def __init__(self, store: Store, people: Sequence[StagedPerson], *, has_ids: bool) -> None:
        self._store = store
        self._has_ids = has_ids
        self.people = {person.number: person for person in people}
        self.learners: dict[int, Learner] = {}
        self.former: list[tuple[int, str]] = []
        self.named: list[tuple[int, str, str]] = []
        self._ids: set[tuple[str, str]] = set()  # that were looked up in the store ...
        self._keys: set[str] = set()
        self._asked_ids: set[tuple[str, str]] = set()  # ... and in the file
        self._asked_keys: set[str] = set()
        self._by_id: dict[tuple[str, str], Learner] = {}
        self._by_key: dict[str, list[Learner]] = {}
        self._by_former: dict[str, list[Learner]] = {}
        self._former_of: dict[int, list[str]] = {}
        self._ids_of: dict[int, list[tuple[str, str]]] = {}

    def complete(self) -> "_Group":
        """Look up all whom the people may mean or be confused with."""
        newest: Sequence[StagedPerson] = list(self.people.values())
        while newest:
            self._look_up(newest)
            ids, keys = self._related(newest)
            ids, keys = ids - self._asked_ids, keys - self._asked_keys
            self._asked_ids |= ids
            self._asked_keys |= keys
            found = {each.number: each for each in staging.people_of(self._store, ids, keys)}
            newest = [each for number, each in found.items() if number not in self.people]
            self.people |= {each.number: each for each in newest}
        return self

    def _look_up(self, people: Sequence[StagedPerson]) -> None:
        ids = {(each.source, each.learner_id) for each in people if each.learner_id} - self._ids
        keys = {each.email_key for each in people if each.email_key} - self._keys
        self._ids |= ids
        self._keys |= keys
        new = {each.id: each for each in learners.candidates(self._store, ids, keys) if each.id not in self.learners}
        if not new:
            return
        self.learners |= new
        for one in new.values():
            self._by_key.setdefault(one.email_key, []).append(one)
            if one.learner_id:
                self._note_id(one, "", one.learner_id)
        former, named = learners.former_emails(self._store, new), learners.named_ids(self._store, new)
        self.former += former
        self.named += named
        for number, key in former:
            self._by_former.setdefault(key, []).append(new[number])
            self._former_of.setdefault(number, []).append(key)
        for number, source, identity in named:
            self._note_id(new[number], source, identity)

    def _note_id(self, learner: Learner, source: str, identity: str) -> None:
        self._by_id[source, identity] = learner
        self._ids_of.setdefault(learner.id, []).append((source, identity))

    def _related(self, people: Sequence[StagedPerson]) -> tuple[set[tuple[str, str]], set[str]]:
        """Return the ids and addresses by which the file may say more that concerns these people."""
        ids, keys = set[tuple[str, str]](), set[str]()
        for person in people:
            known = self._by_id.get((person.source, person.learner_id)) if person.learner_id else None
            holders = self._by_key.get(person.email_key, ())
            if person.shares:
                if person.learner_id:
                    ids.add((person.source, person.learner_id))
                if person.email_key:
                    keys.add(person.email_key)
            for learner in self._concerned(person, known, holders):
                ids.update(self._ids_of.get(learner.id, ()))
                keys.add(learner.email_key)
                keys.update(self._former_of.get(learner.id, ()))
        return (ids if self._has_ids else set()), keys

    def _concerned(self, person: StagedPerson, known: Learner | None, holders: Sequence[Learner]) -> list[Learner]:
        """Return the learners of whom the file may say more; none where a person plainly is the one learner found."""
        former = self._by_former.get(person.email_key, ())
        found = list(holders) if known is None or known in holders else [known, *holders]
        if len(found) == 1 and not former and found[0].id not in self._former_of and found[0] in holders:
            has_id = self._has_ids and found[0].id in self._ids_of
            if not has_id or known is found[0]:
                return []
        return [*found, *former]


def _write(store: Store, known: Candidates, changed: Iterable[Learner], now: str) -> None:
    """Write what was matched: new learners first, since others may be merged into them."""
    learners.take_ids(store, known.without_ids())
    learners.add(store, known.new())
    for old, survivor in known.merged():
        learners.merge(store, old, survivor, now)
    learners.change(store, changed)
    learners.add_former_emails(store, known.former_emails())
    learners.set_named_ids(store, known.named_ids())
