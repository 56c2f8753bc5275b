"""Why it is not known whom a record means, in words that name both people and the way on (R25)."""

import shlex
from dataclasses import dataclass

from credly_cli.importing.candidates import Candidate, Claim
from credly_cli.store.staging import StagedPerson

_SHOWN = 60  # characters of a name or address


@dataclass(frozen=True, slots=True)
class Reasons:
    """Words the reasons; those of a file of the configuration, or of an API, name what is said elsewhere."""

    configured: bool = False
    of_api: bool = False
    spent: frozenset[str] = frozenset()  # ids of which the configuration told before that they are somebody else's

    def without_address(self, claim: Claim) -> str:
        """Word the reason for an id that is new, without an address."""
        return f"no learner has the id {cut(claim.learner_id)!r}, and the row has no email"

    def shared_address(self, person: StagedPerson, count: int) -> str:
        """Word the reason for an address of several learners, without an id."""
        return f"{count} learners have the address {cut(person.email)!r}; a learner_id is needed to tell them apart"

    def two_at_address(self, one: StagedPerson, other: StagedPerson) -> str:
        """Word the reason for an address of two people of the file, without ids."""
        return (
            f"the address is of {_given(one)} and {_given(other)} in this file;"
            " a learner_id is needed to tell them apart, or an address of their own"
        )

    def named_otherwise(self, candidate: Candidate, person: StagedPerson) -> str:
        """Word that the address of somebody else, or of one person with another name, is all that tells who it is."""
        return f"{_shown(candidate)}, whom the file calls {_named(person.names, '')}"

    def _ways(self, claim: Claim, if_same: str, if_new: str) -> str:
        if self.configured:
            named = f'"{cut(claim.learner_id)}"'
            if claim.learner_id in self.spent:
                again = f"credly import ... --id {shlex.quote(f'{cut(claim.learner_id)}=new')}"
                return f'in config.toml, ids = {{{named} = "same"}} if {if_same}; if {if_new} once more, {again}'
            return (
                f'in config.toml, ids = {{{named} = "same"}} if {if_same}, ids = {{{named} = "new"}} if {if_new}, '
                'source = "NAME" if the ids are of another numbering'
            )
        options = [f"--id {shlex.quote(f'{cut(claim.learner_id)}={meaning}')}" for meaning in ("same", "new")]
        if self.of_api:
            source = f" --source {shlex.quote(claim.source)}" if claim.source else ""
            return (
                f"tell it by a file of learners with the id: credly import learners FILE{source},"
                f" with {options[0]} if {if_same}, with {options[1]} if {if_new}"
            )
        return f"{options[0]} if {if_same}, {options[1]} if {if_new}, --source NAME if the ids are of another numbering"

    def another_person(self, claim: Claim, owner: Candidate, person: StagedPerson) -> str:
        """Word the reason for an id and another address, of a person with another name."""
        ways = self._ways(claim, "it is one person (the address moves)", "the LMS gave the id to somebody else")
        return f"id {cut(claim.learner_id)} is {_shown(owner)}; the row says {_given(person)}: {ways}"

    def two_known(self, claim: Claim, owner: Candidate, holder: Candidate) -> str:
        """Word the reason for an id and an address of two known people."""
        known = holder.id_of(claim.source)
        called = f", id {cut(known)}" if known else ""
        ways = self._ways(claim, "the address is the first one's now", "the LMS gave the id to somebody else")
        return f"id {cut(claim.learner_id)} is {_shown(owner)}, the address is of {_shown(holder)}{called}: {ways}"

    def taken_twice(self, claim: Claim, owner: Candidate, person: StagedPerson) -> str:
        """Word the reason for a known id with an address that the file gives to others too."""
        ways = self._ways(claim, "they share it", "the LMS gave the id to somebody else")
        return (
            f"id {cut(claim.learner_id)} is {_shown(owner)}, and the file gives the address "
            f"{cut(person.email)} to others too: {ways}"
        )

    def at_shared_address(self, claim: Claim, holder: Candidate, person: StagedPerson) -> str:
        """Word the reason for a new id, at the address of somebody who may be the same person."""
        known = holder.id_of(claim.source)
        called = f", id {cut(known)}" if known else ", without an id"
        ways = self._ways(claim, "it is one person (with the new id)", "it is somebody else at a shared address")
        return (
            f"the address is of {_shown(holder)}{called}; "
            f"the row says {_given(person)}, id {cut(claim.learner_id)}: {ways}"
        )

    def two_ids(self, claim: Claim, rival: Claim, person: StagedPerson) -> str:
        """Word the reason for two new ids, of people who may be one, at one address."""
        ways = self._ways(claim, "it is one person (say so of one of them)", "they are two at a shared address")
        return f"ids {cut(claim.learner_id)} and {cut(rival.learner_id)} are both {_given(person)} in this file: {ways}"

    def two_in_file(self, claim: Claim, one: StagedPerson, other: StagedPerson) -> str:
        """Word the reason for one id, of two who may be two people."""
        return (
            f"id {cut(claim.learner_id)} is {_given(one)} and {_given(other)} in this file, which may be two people: "
            + self._ways(claim, "they are one", "the id is somebody else's now (and only theirs in the file)")
        )


def cut(text: str) -> str:
    """Shorten a text of a file."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _shown(candidate: Candidate) -> str:
    return _named(candidate.names, candidate.learner.email)


def _given(person: StagedPerson) -> str:
    return _named(person.names, person.email)


def _named(names: tuple[str, str], email: str) -> str:
    name = cut(" ".join(filter(None, names)))
    return " ".join(filter(None, (name, f"<{cut(email)}>" if email else "")))
