"""What is new in a learning record store: statements of the verbs that matter, since the last time.

Statements are read by their time of storing, the oldest first where the store can do that, in one walk where they are
most of what the store has, else verb by verb. A bookmark is never beyond the time up to which the store says that its
answer is complete, and lies some way before what was read last: what is read twice is recognised by its id.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta

from credly_cli.lms.records import Records, Reject, RejectedError, Understood
from credly_cli.lms.source import Batch, Known, Part, SourceContext
from credly_cli.lms.statuses import LeftOutError
from credly_cli.lms.xapi.client import SERVICE, Client, Dialect
from credly_cli.lms.xapi.statements import StatementReader, is_statement, moved, precise
from credly_cli.lms.xapi.walk import Steps, Walk, identity_of, stored_at, verb_id
from credly_cli.text import JsonObject
from credly_cli.times import from_utc_text, utc_text

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
NAME = SERVICE.name
_ALL = ""  # in place of a verb
_OVERLAP = {"minutes": -10}
_SURE_OVERLAP = {"seconds": -1}  # where the store says up to when it is complete
_LATE_OVERLAP = {"days": -1}  # ... and once a day, where it does not
_FAR_OVERLAP = {"days": -90}  # ... and once a week, where nobody knows what it compares `since` with
_DAY = timedelta(hours=20)  # not quite, so that a nightly run never comes too early
_WEEK = timedelta(days=6, hours=20)
_LEAST_SHARE = 4  # where fewer than one in so many statements matter, each verb is asked for
_TO_THE_SECOND = len("2026-01-01T00:00:00")
_LATE_SECONDS = 2  # between what happened and its storing, to find out which of them `since` is compared with


class Xapi:
    """Reads one record store."""

    def __init__(self, client: Client, context: SourceContext) -> None:
        self._client = client
        self._context = context
        settings = context.settings.lms.xapi
        self._verbs = tuple(dict.fromkeys((VOIDED, *settings.verbs)))
        self._begin = precise(settings.since) if settings.since else None
        self._since: dict[str, str] = {}
        self._seen: dict[str, list[str]] = {}
        self._late: JsonObject | None = None  # a statement that was stored later than what it reports
        self._stored_dialect = ""  # the dialect as it is stored
        self._understood = Understood()
        self._reader = StatementReader(context.reading, self._understood, is_file=False, verbs=settings.verbs)

    @classmethod
    def configured(cls, context: SourceContext) -> "Xapi":
        """Make the source that the configuration describes; raises ``Failure`` for what it lacks."""
        return cls(Client(context), context)

    def batches(self, bookmarks: Mapping[str, str], _known: Known) -> Iterator[Batch]:
        """Read what is new."""
        self._stored_dialect = bookmarks.get("xapi:dialect", "{}")
        self._client.dialect = Dialect.of(json.loads(self._stored_dialect))
        self._since = json.loads(bookmarks.get("xapi:since", "{}"))
        self._seen = json.loads(bookmarks.get("xapi:seen", "{}"))
        before = json.loads(bookmarks.get("xapi:done", "[]"))  # that a run asked for which was ended
        if text := bookmarks.get("xapi:walk"):
            yield from self._walk(Walk.read_from(text), bookmarks)
        while (verb := self._next(bookmarks)) is not None:
            yield from self._walk(self._new_walk(verb, bookmarks), bookmarks)
        for verb in before:
            yield from self._walk(self._new_walk(verb, bookmarks), bookmarks)
        yield Batch(iter(()), {"xapi:done": None, **self._looked_back(bookmarks), **self._probed()})

    def _next(self, bookmarks: Mapping[str, str]) -> str | None:
        """Return the verb to ask for next; what a round has behind it is not asked for again, also after a kill."""
        done = json.loads(bookmarks.get("xapi:done", "[]"))
        dialect = self._client.dialect
        if not (dialect.by_verb and dialect.verb):
            new = [verb for verb in self._verbs if verb not in self._since] if self._since else []
            wanted = [_ALL] if not new or not dialect.verb or _ALL in done else [*new, _ALL]
            wanted = [_ALL] if len(new) == len(self._verbs) else wanted
        else:
            wanted = list(self._verbs)
        return next((verb for verb in wanted if verb not in done), None)

    def _new_walk(self, verb: str, bookmarks: Mapping[str, str]) -> Walk:
        if verb:
            since = self._since.get(verb)
        else:
            times = [self._since.get(each) for each in self._verbs]
            since = min((each for each in times if each), default=None) if all(times) else None
        if since and self._is_due("looked_back_at", _DAY, bookmarks):
            since = moved(since, **_LATE_OVERLAP)
        if since and self._is_due("looked_far_at", _WEEK, bookmarks) and not self._client.dialect.probed:
            since = moved(since, **_FAR_OVERLAP)
        walk = Walk(verb, max(since or "", self._begin or "") or None)
        place = json.loads(bookmarks.get("xapi:last", "{}")).get(verb)
        if since and place and not self._client.dialect.since:
            walk.next, walk.order = place, 1
        return walk

    def _is_due(self, name: str, after: timedelta, bookmarks: Mapping[str, str]) -> bool:
        """Tell whether it is time to look back for what was stored out of turn, where the store does not exclude it."""
        last = bookmarks.get(f"xapi:{name}")
        if last is None or "xapi:sure" in bookmarks:
            return False
        return not timedelta(0) <= self._context.clock.now() - from_utc_text(last) < after

    def _looked_back(self, bookmarks: Mapping[str, str]) -> dict[str, str | None]:
        now = utc_text(self._context.clock.now())
        return {
            f"xapi:{name}": now
            for name, after in (("looked_back_at", _DAY), ("looked_far_at", _WEEK))
            if f"xapi:{name}" not in bookmarks or self._is_due(name, after, bookmarks)
        }

    def _walk(self, walk: Walk, bookmarks: Mapping[str, str]) -> Iterator[Batch]:
        steps = Steps(self._client, walk, is_first_ever=not self._since)
        is_begun = walk.next is not None
        for statements, is_over in steps.pages():
            part = self._part(walk.verb, statements)
            yield Batch(iter([part]), self._marks(walk, steps, bookmarks, is_over=is_over))
            if not is_begun and not is_over and self._is_better_by_verb(walk, statements):
                self._client.dialect.by_verb = True
                yield Batch(iter(()), {"xapi:walk": None, **self._dialect_mark()})
                return
            is_begun = True

    def _marks(self, walk: Walk, steps: Steps, bookmarks: Mapping[str, str], *, is_over: bool) -> dict[str, str | None]:
        """Return where to go on."""
        marks: dict[str, str | None] = {**self._dialect_mark()}
        if not is_over:
            return marks | {"xapi:walk": walk.text()}
        verbs = [walk.verb] if walk.verb else list(self._verbs)
        newest = walk.newest or walk.since
        if newest:
            floor = _floor(newest, steps)
            for verb in verbs:
                self._since[verb] = max(floor, self._since.get(verb, "")) if self._client.dialect.since else floor
                self._seen[verb] = []
            self._seen[verbs[0]] = [identity for at, identity in steps.tail if at > floor]
            marks |= {"xapi:since": json.dumps(self._since), "xapi:seen": json.dumps(self._seen)}
        last = json.loads(bookmarks.get("xapi:last", "{}"))
        place = walk.last or last.get(walk.verb)
        if walk.order > 0 and place:
            marks["xapi:last"] = json.dumps({**last, walk.verb: place})
        done = [*json.loads(bookmarks.get("xapi:done", "[]")), walk.verb]
        sure = {"xapi:sure": "1" if steps.through else None} if newest else {}
        return marks | {"xapi:walk": None, "xapi:done": json.dumps(done), **sure}

    def _dialect_mark(self) -> dict[str, str | None]:
        dialect = json.dumps(self._client.dialect.overrides())
        if dialect == self._stored_dialect:
            return {}
        self._stored_dialect = dialect
        return {"xapi:dialect": dialect}

    def _part(self, verb: str, statements: list[JsonObject]) -> Part:
        """Return the statements that matter, but for those that were read before."""
        if verb and any(verb_id(each) != verb for each in statements):
            self._client.dialect.verb = False  # it returns others too
        seen = {identity for identities in self._seen.values() for identity in identities}
        new = [
            each
            for each in statements
            if verb_id(each) in self._verbs and is_statement(each) and identity_of(each) not in seen
        ]
        if self._late is None and not self._client.dialect.probed:
            self._late = next(filter(_is_late, reversed(new)), None)
        self._understood.left_out.clear()
        return Part("progress", self._records(new), NAME, understood=self._understood, keeps=True)

    def _records(self, statements: list[JsonObject]) -> Records:
        for row, statement in enumerate(statements, 1):
            try:
                record = self._reader.read(row, statement)
            except RejectedError as rejected:
                yield Reject(row, rejected.column, rejected.reason)
            except LeftOutError as left:
                self._understood.leave_out(left.column, left.word)
            else:
                if record is not None:
                    yield record

    # What is learned of the store

    def _is_better_by_verb(self, walk: Walk, statements: list[JsonObject]) -> bool:
        """Tell whether to ask for each verb: the store has much else, and can filter by verb."""
        dialect = self._client.dialect
        counts = Counter(map(verb_id, statements))
        if walk.verb or not dialect.verb or sum(counts[verb] for verb in self._verbs) * _LEAST_SHARE >= len(statements):
            return False
        verb, _ = counts.most_common(1)[0]
        asked = {"ascending": "true"} if dialect.ascending else {}
        found = self._client.first_page(verb=verb, **asked).statements
        dialect.verb = bool(found) and all(verb_id(each) == verb for each in found)
        return dialect.verb

    def _probed(self) -> dict[str, str | None]:
        """Find out, once, whether `since` is compared with the time of storing: what was stored late tells it."""
        late, dialect = self._late, self._client.dialect
        if late is None or dialect.probed or not dialect.since:
            return {}
        stored = str(stored_at(late))
        since = f"{moved(stored, milliseconds=-1)[:23]}Z"
        found = self._client.first_page(since=since, until=str(late["stored"])).statements
        dialect.since, dialect.probed = bool(found), True
        return self._dialect_mark()


def _is_late(statement: JsonObject) -> bool:
    stored, timestamp = stored_at(statement), str(statement.get("timestamp"))
    if stored is None or timestamp[:_TO_THE_SECOND] == stored[:_TO_THE_SECOND]:  # nearly all of a busy store
        return False
    happened = precise(timestamp)
    return happened is not None and moved(happened, seconds=_LATE_SECONDS) < stored


def _floor(newest: str, steps: Steps) -> str:
    """Return after which time of storing to ask the next time: some way back, but not for many statements."""
    floor = moved(newest, **(_SURE_OVERLAP if steps.through else _OVERLAP))
    complete = [at for at, _ in steps.tail if at <= newest]
    return max(floor, moved(complete[0], microseconds=-1)) if complete else floor
