"""What is new in Thought Industries: content and users once a day, events since the last time.

Events come newest first. A walk goes from the newest back to where the last walk began, some minutes further for those
that were told late, once a day some days further, and once a week three months, for what was recorded with a date of
the past. After each page it is noted how far it is, together with what the page brought, so that a run that ends
anywhere is gone on with. A list that fails keeps none of the others from being read. An event read twice changes
nothing, and one that cannot be taken is reported once.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from credly_cli.errors import Failure
from credly_cli.http.response import HttpFailure
from credly_cli.import_options import Kind
from credly_cli.lms.reader import read_objects
from credly_cli.lms.source import Batch, Known, Part, SourceContext
from credly_cli.lms.thought_industries import rows
from credly_cli.lms.thought_industries.catalogue import Listed, Sessions, Tenants, read_tenants
from credly_cli.lms.thought_industries.client import Client, Dialect
from credly_cli.lms.thought_industries.events import Events
from credly_cli.lms.thought_industries.paging import Row
from credly_cli.lms.thought_industries.people import Names, learner_records
from credly_cli.lms.thought_industries.walk import Places, Walk
from credly_cli.lms.thought_industries.words import Words
from credly_cli.times import from_utc_text, utc_text

NAME = "Thought Industries"
STREAMS = ("courseCompletion", "courseAction", "learningPathAction")
_OVERLAP = timedelta(minutes=10)
_DAILY_OVERLAP = timedelta(days=3)
_WEEKLY_OVERLAP = timedelta(days=90)
_DAY = timedelta(hours=20)  # not quite, so that a nightly run never comes too early
_WEEK = timedelta(days=6, hours=20)
_UNAUTHORIZED, _FORBIDDEN = 401, 403
_ENDS_ALL = ("rate-limited", "unreachable", "interrupted")  # which no other list would fare better with
_NOT_SHOWN = "The role of the API key must be allowed to see it."


class ThoughtIndustries:
    """Reads one site through its API."""

    def __init__(self, client: Client, context: SourceContext) -> None:
        self._client = client
        self._context = context
        self._words = Words(context.settings.lms.thought_industries.values)
        self._dialect: str | None = None
        self._failed: set[str] = set()  # lists, in this run
        self._not_shown: dict[str, HttpFailure] = {}

    @classmethod
    def configured(cls, context: SourceContext) -> "ThoughtIndustries":
        """Make the source that the configuration describes; raises ``Failure`` for what it lacks."""
        return cls(Client(context), context)

    def batches(self, bookmarks: Mapping[str, str], known: Known) -> Iterator[Batch]:
        """Read what is new."""
        self._dialect = bookmarks.get("dialect")
        self._client.dialect = Dialect(json.loads(self._dialect or "{}"))
        sessions = Sessions(self._client, known)
        if self._is_due("catalogue", bookmarks):
            yield from self._tried("/content and /clients", self._catalogue(bookmarks, known, sessions))
        has_names = "catalogue:read_at" in bookmarks  # of panoramas, without which users are none of theirs
        if has_names and (self._is_due("users", bookmarks) or "users:next" in bookmarks):
            yield from self._tried("/users", self._users(bookmarks, known))
        events = {stream: Events(stream, self._client, self._context, self._words, sessions) for stream in STREAMS}
        for stream in STREAMS:
            yield from self._tried(f"/events/{stream}", self._news(events[stream], bookmarks, known))
        for stream in (stream for stream in STREAMS if f"/events/{stream}" not in self._failed):
            yield from self._tried(f"/events/{stream}", self._far(events[stream], bookmarks, known))
        for path, failure in self._not_shown.items():
            if not self._client.answered:
                raise failure
            message = f"{path}: {NAME} does not show us the list."
            yield Batch(iter(()), problem=Failure("import-rejected", message, hint=_NOT_SHOWN))

    def _tried(self, path: str, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Read a list; its failure is told with its name, and the others are read all the same."""
        try:
            for batch in batches:
                dialect = json.dumps(self._client.dialect.overrides())
                if dialect != (self._dialect or "{}"):
                    batch.bookmarks["dialect"] = self._dialect = dialect
                yield batch
        except HttpFailure as failure:
            self._failed.add(path)
            if failure.code in _ENDS_ALL or failure.status == _UNAUTHORIZED:
                raise
            if failure.status == _FORBIDDEN:
                self._not_shown[path] = failure  # of the list, or of the key: the others tell
                return
            yield Batch(iter(()), problem=Failure(failure.code, f"{path}: {failure.message}", hint=failure.hint))

    def _is_due(self, name: str, bookmarks: Mapping[str, str], after: timedelta = _DAY) -> bool:
        """Tell whether something that is read once a day is to be read; a time ahead is of a clock that was wrong."""
        read_at = bookmarks.get(name if ":" in name else f"{name}:read_at")
        return read_at is None or not timedelta(0) <= self._context.clock.now() - from_utc_text(read_at) < after

    def _now(self) -> str:
        return utc_text(self._context.clock.now())

    def _part(self, kind: Kind, objects: Iterable[Row], *, sessions_move: bool = False) -> Part:
        return Part(kind, read_objects(kind, objects, self._context.reading), NAME, sessions_move=sessions_move)

    # Content, panoramas, users

    def _catalogue(self, bookmarks: Mapping[str, str], known: Known, sessions: Sessions) -> Iterator[Batch]:
        started_at = self._now()
        items = rows.content_rows(self._client.rows("/content"))
        before = Listed(bookmarks.get("listed"))
        if before.is_suspicious(items):
            message = "/content is empty all of a sudden: what is known stays."
            yield Batch(iter(()), problem=Failure("import-rejected", message, hint=_NOT_SHOWN))
        else:
            items = [*sessions.unlisted(items), *items]
            objects = [*before.gone(items), *items]
            parts = [self._part("content", objects, sessions_move=True)] if objects else []
            yield Batch(iter(parts), {"listed": Listed.text(items)})
        yield from self._tenants(bookmarks, known, started_at)

    def _tenants(self, bookmarks: Mapping[str, str], known: Known, started_at: str) -> Iterator[Batch]:
        """Tell what panoramas and sublicenses have; what they had the last time and have no more, nobody is given."""
        marks: dict[str, str | None] = {"catalogue:read_at": started_at}
        found = read_tenants(self._client, json.loads(bookmarks.get("sublicenses", "{}")))
        if found is None:
            yield Batch(iter(()), marks)
            return
        given = [row for row in found.access_rows() if known.content(row["content_id"])]
        marks |= {"panoramas": json.dumps(found.panoramas), "sublicenses": json.dumps(found.sublicenses)}
        content = {row["content_id"] for row in given}
        marks["given"] = json.dumps(sorted(content))
        no_more = set(json.loads(bookmarks.get("given", "[]"))) - content
        parts = [self._part("access", given)] if given else []
        yield Batch(iter(parts), marks, given_no_more=no_more, warnings=_of_tags(found))
        for name in found.refused:
            message = f"The sublicenses of {name!r} are not shown to us: what was known of them stays."
            yield Batch(iter(()), problem=Failure("import-rejected", message, hint=_NOT_SHOWN))

    def _users(self, bookmarks: Mapping[str, str], known: Known) -> Iterator[Batch]:
        names = Names.read_from(bookmarks)
        under_way = json.loads(bookmarks.get("users:next", "{}"))
        marks: dict[str, str | None] = {} if under_way else {"users:read_at": self._now()}
        place = under_way.get("next", under_way)
        places = Places(self._client, "/users", {}, place, under_way.get("read", 0))
        while True:
            page = places.page()
            places.read += len(page.rows)
            users = [user for user in page.rows if user.get("email")]
            enrolled = [row for user in users for row in rows.enrollment_rows(user) if known.content(row["session_id"])]
            parts = [Part("learners", learner_records(users, names, self._context.reading), NAME)] if users else []
            parts += [self._part("progress", enrolled)] if enrolled else []
            places.following = page.next or {}
            following = {"next": page.next, "read": places.read} if page.next else None
            yield Batch(iter(parts), marks | {"users:next": json.dumps(following) if following else None})
            if following is None:
                return
            places.expect_news(page)

    # Events

    def _news(self, events: Events, bookmarks: Mapping[str, str], known: Known) -> Iterator[Batch]:
        """Read what is new in a stream; a walk of an earlier run is ended first."""
        yield from events.look_for_content(bookmarks, known)
        if text := bookmarks.get(events.mark("walk")):
            start = _before(self._since(events, bookmarks), _DAILY_OVERLAP)
            walk = Walk.read_from(events.stream, text, self._now(), start)
            yield from events.walk(walk, "walk", bookmarks, known)
        since = self._since(events, bookmarks)
        is_late = self._is_due(events.mark("looked_back_at"), bookmarks)
        start = _before(since, _DAILY_OVERLAP if is_late else _OVERLAP)
        kind = "late" if is_late else "new"
        yield from events.walk(Walk(events.stream, self._now(), start, since, kind=kind), "walk", bookmarks, known)
        yield from events.report(bookmarks, known)

    def _since(self, events: Events, bookmarks: Mapping[str, str]) -> str | None:
        """Return where the last walk began; one that is ahead is no good, for what came since would be left out."""
        since = bookmarks.get(events.mark("since"))
        return since if since and since <= self._now() else None

    def _far(self, events: Events, bookmarks: Mapping[str, str], known: Known) -> Iterator[Batch]:
        """Look far back where that is due, or what could not be told can be now; limits let it wait."""
        text = bookmarks.get(events.mark("far"))
        walk = (
            Walk.read_from(events.stream, text, self._now(), None)
            if text
            else events.again(bookmarks, known, self._now())
        )
        if self._is_due(events.mark("looked_far_at"), bookmarks, _WEEK) and not text:
            weekly = _before(bookmarks.get(events.mark("since")), _WEEKLY_OVERLAP)
            start = min((walk.start or "", weekly or "")) if walk else weekly
            walk = Walk(events.stream, self._now(), start or None, kind="far", again=walk.again if walk else [])
        if walk is None:
            return
        try:
            yield from events.walk(walk, "far", bookmarks, known)
        except HttpFailure as failure:
            if failure.code != "rate-limited":
                raise


def _before(since: str | None, overlap: timedelta) -> str | None:
    return utc_text(from_utc_text(since) - overlap) if since else None


def _of_tags(found: Tenants) -> tuple[str, ...]:
    if not found.tagged:
        return ()
    names = ", ".join(found.tagged[:5])
    return (f"Content that is given by tags is not read: {names} may have more than the widget shows.",)
