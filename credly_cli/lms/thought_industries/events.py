"""The events of one stream: walked through, taken by what their words mean, and counted where that is not known."""

import json
from collections.abc import Iterator, Mapping, MutableMapping
from datetime import timedelta
from typing import TypeAlias

from credly_cli.errors import Failure
from credly_cli.http.response import HttpFailure
from credly_cli.lms.reader import read_objects
from credly_cli.lms.records import Reject
from credly_cli.lms.source import Batch, Known, Part, SourceContext
from credly_cli.lms.thought_industries import rows
from credly_cli.lms.thought_industries.catalogue import Sessions
from credly_cli.lms.thought_industries.client import Client
from credly_cli.lms.thought_industries.paging import Row, happened_at
from credly_cli.lms.thought_industries.people import Names, Users, belonging, learner_records
from credly_cli.lms.thought_industries.walk import Steps, Walk
from credly_cli.lms.thought_industries.words import (
    Meaning,
    Unknown,
    Words,
    hint_of_words,
    message_of_words,
    pair_of,
    sounds_complete,
)
from credly_cli.text import counted
from credly_cli.times import from_utc_text, utc_text

_NAME = "Thought Industries"
_REMEMBERED = timedelta(days=3)  # rejected events, so that each is told once


_Understood: TypeAlias = tuple[Row, Meaning]


class Events:
    """Reads one stream."""

    def __init__(self, stream: str, client: Client, context: SourceContext, words: Words, sessions: Sessions) -> None:
        self.stream = stream
        self._client = client
        self._context = context
        self._words = words
        self._sessions = sessions
        self._news: dict[str, None] = {}  # words and content that were not known before this run

    def mark(self, name: str) -> str:
        """Return the name of a bookmark of this stream."""
        return f"{self.stream}:{name}"

    def walk(self, walk: Walk, name: str, bookmarks: Mapping[str, str], known: Known) -> Iterator[Batch]:
        """Walk, with the bookmark ``name`` for how far it is; raises ``HttpFailure``."""
        steps = Steps(self._client, walk)
        users = Users(self._client, known)
        for events, is_over in steps.pages():
            marks: dict[str, str | None] = {self.mark(name): None if is_over else walk.text()}
            words, unlisted = self._unknown(bookmarks)
            understood = list(self._understood(events, words))
            content = self._content([event for event, _ in understood], known)
            taken = list(_taken(understood, content, known, unlisted))
            oldest = utc_text(from_utc_text(walk.newest) - _REMEMBERED) if walk.newest else ""
            rejects = _Rejects(self.mark("rejected"), [event for event, _ in taken], bookmarks, marks, oldest)
            parts = self._parts(taken, content, known, bookmarks, users)
            if taken:
                objects = [rows.event_row(event, meaning) for event, meaning in taken]
                records = read_objects("progress", objects, self._context.reading)
                parts.insert(-1, Part("progress", records, _NAME, is_news=rejects.is_news))
            if is_over:
                marks |= self._ended(walk, words, unlisted)
            marks |= {self.mark("words"): words.text(), self.mark("unlisted"): unlisted.text()}
            self._news |= words.news | unlisted.news
            yield Batch(iter(parts), marks)
        for problem in steps.problems:
            yield Batch(iter(()), problem=problem)
        if users.failures:
            yield Batch(iter(()), problem=_of_users(users.failures))

    def _ended(self, walk: Walk, words: Unknown, unlisted: Unknown) -> dict[str, str | None]:
        marks: dict[str, str | None] = {}
        is_whole = walk.start is None
        if walk.kind != "far":
            marks[self.mark("read_at")] = walk.began_at
            if walk.newest:
                marks[self.mark("since")] = walk.newest
        if walk.kind == "late" or is_whole:
            marks[self.mark("looked_back_at")] = walk.began_at
        if walk.kind == "far" or is_whole:
            marks[self.mark("looked_far_at")] = walk.began_at
        for key in walk.again:
            words.forget(key)
            unlisted.forget(key)
        return marks

    def again(self, bookmarks: Mapping[str, str], known: Known, now: str) -> Walk | None:
        """Return the walk that reads again what could not be told and can be now."""
        words, unlisted = self._unknown(bookmarks)
        pairs = [pair for pair in words.all() if self._words.of_pair(pair, self.stream)]
        listed = [identity for identity in unlisted.all() if known.content(identity)]
        times = [words.since(pair) for pair in pairs] + [unlisted.since(identity) for identity in listed]
        if not times:
            return None
        start = utc_text(from_utc_text("1970-01-01T00:00:00Z") + timedelta(milliseconds=min(times)))
        return Walk(self.stream, now, start, kind="again", again=[*pairs, *listed])

    def look_for_content(self, bookmarks: Mapping[str, str], known: Known) -> Iterator[Batch]:
        """Ask again for content that only events name."""
        unlisted = Unknown(bookmarks.get(self.mark("unlisted")))
        unknown = {key: unlisted.title(key) for key in unlisted.all() if not known.content(key)}
        if unknown and (found := self._sessions.find(unknown)):
            yield Batch(iter([Part("content", read_objects("content", found, self._context.reading), _NAME)]))

    def report(self, bookmarks: Mapping[str, str], known: Known) -> Iterator[Batch]:
        """Say what could not be told: once, or in each run where a person is needed."""
        words, unlisted = self._unknown(bookmarks)
        linked = {title.casefold() for title in known.linked().values()}
        for pair in words.all():
            if not self._words.of_pair(pair, self.stream):
                message = message_of_words(self.stream, pair, words)
                yield from self._warned(pair, message, hint_of_words(pair), needs_person=sounds_complete(pair))
        for identity in unlisted.all():
            if not known.content(identity):
                completions = counted(unlisted.count(identity), "completion")
                title = unlisted.title(identity)
                message = (
                    f"{completions} of {title!r} ({identity}), which {_NAME} does not list: not counted for any badge."
                )
                hint = "It is kept, and counted as soon as it is listed or imported as content."
                yield from self._warned(identity, message, hint, needs_person=title.casefold() in linked)

    def _warned(self, key: str, message: str, hint: str, *, needs_person: bool) -> Iterator[Batch]:
        if needs_person:
            yield Batch(iter(()), problem=Failure("import-rejected", message, hint=hint), lasts=True)
        elif key in self._news:
            yield Batch(iter(()), warnings=(f"{message} {hint}",))

    def _unknown(self, bookmarks: Mapping[str, str]) -> tuple[Unknown, Unknown]:
        """Return what could not be told so far: by words, and by content."""
        return Unknown(bookmarks.get(self.mark("words"))), Unknown(bookmarks.get(self.mark("unlisted")))

    def _parts(
        self, taken: list[_Understood], content: list[Row], known: Known, bookmarks: Mapping[str, str], users: Users
    ) -> list[Part]:
        """Return what a page of events needs that the store does not know yet, and last where its learners belong."""
        reading, events = self._context.reading, [event for event, _ in taken]
        names = Names.read_from(bookmarks)
        tenants = list(belonging(events, known, names, bookmarks.get("users:read_at", ""), reading))
        people = users.of(events)
        parts = [Part("content", read_objects("content", content, reading), _NAME)] if content else []
        if people:
            parts.append(Part("learners", learner_records(people, names, reading), _NAME))
        return [*parts, Part("learners", iter(tenants), _NAME)]

    def _understood(self, events: list[Row], words: Unknown) -> Iterator[_Understood]:
        for event in events:
            meaning = self._words.meaning(event, self.stream)
            if meaning is None:
                words.note(pair_of(event), event)
            elif meaning != "ignore":
                yield event, meaning

    def _content(self, events: list[Row], known: Known) -> list[Row]:
        """Ask for content that is new to the store, and not known to be unlisted."""
        unknown: dict[str, str] = {}
        for event in events:
            identity = str(event.get("notifiableId") or "")
            if identity and identity not in unknown and not known.content(identity):
                title = event.get("title") or event.get("courseTitle") or event.get("learningPathTitle")
                unknown[identity] = str(title or "")
        return self._sessions.find(unknown) if unknown else []


def _taken(understood: list[_Understood], content: list[Row], known: Known, unlisted: Unknown) -> Iterator[_Understood]:
    """Yield the events of content that there is; a completion of any other is counted."""
    found = {str(row[key]) for row in content for key in ("content_id", "session_id") if row[key]}
    for event, meaning in understood:
        identity = str(event.get("notifiableId") or "")
        if not identity or identity in found or known.content(identity):
            yield event, meaning
        elif meaning == "completed":
            unlisted.note(identity, event)


def _of_users(failures: list[HttpFailure]) -> Failure:
    first = failures[0]
    message = f"/users: {counted(len(failures), 'look-up')} failed, and their learners may have no names yet: "
    return Failure(first.code, message + first.message, hint=first.hint)


class _Rejects:
    """The events of a page that cannot be taken: each is reported once, however often it is read."""

    def __init__(
        self,
        mark: str,
        events: list[Row],
        bookmarks: Mapping[str, str],
        marks: MutableMapping[str, str | None],
        oldest: str,
    ) -> None:
        self._mark = mark
        self._events = events
        self._marks = marks
        self._oldest = oldest  # what is before is not read again
        earlier = json.loads(bookmarks.get(self._mark, "{}"))
        self._reported: dict[str, str] = {event: at for event, at in earlier.items() if at >= oldest}

    def is_news(self, reject: Reject) -> bool:
        """Tell whether an event was not reported yet, and note that it now is."""
        event = self._events[reject.row - 1]
        name = str(event.get("id") or json.dumps(event, sort_keys=True))
        is_news = name not in self._reported
        at = happened_at(event) or self._oldest
        if is_news and at >= self._oldest:
            self._reported[name] = at
            self._marks[self._mark] = json.dumps(self._reported)
        return is_news
