"""What a record store tells of content or people who are not known here: kept, and tried again at each sync."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from credly_cli.identity import sha1_of
from credly_cli.lms.records import ProgressRecord, Statement
from credly_cli.store import kept, learners
from credly_cli.store.database import Store
from credly_cli.store.kept import Kept
from credly_cli.text import counted
from credly_cli.times import from_utc_text, utc_text

_DAYS = 90
_BATCH = 1000
_NAMED = 5
_DISTINCT = 1000  # things that are named, of all that are left out: memory must not grow with the store


class KnownAddresses:
    """Finds the addresses of learners by the hashes that xAPI may name them by.

    They are read when one is asked for, and those of new learners after that.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_hash: dict[str, str] = {}
        self._last = 0  # number of a learner

    def of_sha1(self, sha1: str) -> str | None:
        """Return the address of a hash, ``None`` if no learner has it."""
        if sha1 not in self._by_hash:
            for number, email in learners.emails_after(self._store, self._last):
                self._last = number
                self._by_hash[sha1_of(email)] = self._by_hash[sha1_of(email.lower())] = email
        return self._by_hash.get(sha1)


@dataclass(slots=True)
class LeftOut:
    """What was left out, by what is not known: content with its title, and whose numbering, for a person to read."""

    content: Counter[tuple[str, str]] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)

    def add(self, counter: Counter[Any], key: Any) -> None:
        """Count one, as long as there is room."""
        if key in counter or len(counter) < _DISTINCT:
            counter[key] += 1


@dataclass(slots=True)
class Keeping:
    """Keeps what cannot be taken yet, of one part at a time; ``source`` is its name, ``now`` UTC text."""

    store: Store
    source: str
    now: str
    addresses: KnownAddresses
    left_out: LeftOut = field(default_factory=LeftOut)
    kept_at: dict[int, str] = field(default_factory=dict)  # since when a row is kept that is tried again
    part: str = ""  # what the parts are called
    rejected: int = 0  # of what is kept
    _rows: dict[int, ProgressRecord] = field(default_factory=dict)  # of this part
    _kept: list[Kept] = field(default_factory=list)

    def note(self, record: ProgressRecord) -> None:
        """Note a record, whose learner may turn out not to be known."""
        self._rows[record.row] = record

    def keep_of_content(self, record: ProgressRecord) -> None:
        """Keep a record of content that is not known."""
        self._keep(record)
        if record.row not in self.kept_at:
            self.left_out.add(self.left_out.content, (record.content, record.title or ""))

    def keep_of_person(self, record: ProgressRecord) -> None:
        """Keep a record of somebody who is not known."""
        self._keep(record)
        if record.row not in self.kept_at:
            self.left_out.add(self.left_out.people, (record.id_source or "id") if record.learner_id else "mbox_sha1sum")

    def keep_row(self, row: int, *, unknown: bool) -> bool:
        """Keep a record by its row; returns whether it need not be rejected, or not before it is tried again."""
        record = self._rows.get(row)
        if record is None:
            return False
        if unknown:
            self.keep_of_person(record)
            return True
        self._keep(record)
        self.rejected += row in self.kept_at
        return row not in self.kept_at

    def _keep(self, record: ProgressRecord) -> None:
        identity = record.statement.id if record.statement else (record.event_id or _mark_of(record)).lower()
        self._kept.append(
            Kept(
                self.source, identity, record.content, record.session_id or "", record.id_source or "",
                record.learner_id or "", record.email or "", list(record), self.kept_at.get(record.row, self.now),
                record.email_sha1 or "",
            )
        )  # fmt: skip

    def close(self) -> None:
        """Write what is to be kept of a part."""
        kept.keep(self.store, self._kept)
        self._kept.clear()
        self._rows.clear()

    def count(self) -> int:
        """Return how many records are kept."""
        return kept.count(self.store, self.source)

    def sentences(self) -> Iterator[str]:
        """Say what was left out for the first time, and how it comes in."""
        content, people = self.left_out.content, self.left_out.people
        if content:
            named = ", ".join(_named(name, title, rows) for (name, title), rows in content.most_common(_NAMED))
            more = len(content) - _NAMED
            what = counted(len(content), "activity that is", "activities that are")
            yield (
                f"{counted(sum(content.values()), 'statement')} of {what} no content here: {named}"
                f"{f' and {more:,} more' if more > 0 else ''}. They are kept for {_DAYS} days, and count once the"
                " content is imported under that id, or named in config.toml, under [lms.xapi]: activities = {...}"
            )
        for numbering, rows in people.most_common(_NAMED):
            number = counted(rows, "statement is", "statements are")
            if "/" in numbering:
                yield (
                    f"{number} of accounts of {numbering} whom nobody here is. They are kept for {_DAYS} days. Import"
                    f" learners with --source {numbering}, or say in config.toml, under [lms.xapi], whose numbering"
                    f' that is: homes = {{"{numbering}" = ""}}'
                )
            else:
                yield f"{number} of people who are not known here ({numbering}). They are kept for {_DAYS} days."

    def retryable(self, homes: Mapping[str, str], activities: Mapping[str, str]) -> Iterator[list[ProgressRecord]]:
        """Yield, in pieces, what is worth another try; it is kept no longer, unless it is kept anew."""
        kept.expire(self.store, self.source, utc_text(from_utc_text(self.now) - timedelta(days=_DAYS)))
        if not kept.has(self.store, self.source):
            return
        known = [sha1 for sha1 in kept.hashes(self.store, self.source) if self.addresses.of_sha1(sha1)]
        kept.prepare(self.store, homes, activities, known)
        after = ""
        while found := kept.to_try(self.store, self.source, after, _BATCH):
            after = found[-1].id
            self.kept_at = {row: each.kept_at for row, each in enumerate(found, 1)}
            kept.release(self.store, self.source, (each.id for each in found))
            yield [_record(row, each.record) for row, each in enumerate(found, 1)]
        self.kept_at = {}


def _record(row: int, fields: list[Any]) -> ProgressRecord:
    record = ProgressRecord(*fields)._replace(row=row)
    return record._replace(statement=Statement(*record.statement)) if record.statement else record


def _named(name: str, title: str, rows: int) -> str:
    return f"{title!r} ({name}, {rows:,})" if title else f"{name} ({rows:,})"


def _mark_of(record: ProgressRecord) -> str:
    return json.dumps(record[1:])
