"""Stores that do not know what was sent: restored, deleted and new ones ask Credly first (R18)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from credly_cli.credly.client import Client
from credly_cli.credly.paging import NoSearchError
from credly_cli.errors import Exit, Failure
from credly_cli.issuing.lookup import Found, GrantQuestion, look_up_all, look_up_grant
from credly_cli.store import claims, grants, issued_badges, runs
from credly_cli.store.database import Store
from credly_cli.store.grants import Grant
from credly_cli.times import Clock, from_utc_text, utc_text

_RESTORED_AT = "restored-at"
_HISTORY_READ_AT = "history-read-at"
_NOT_ASKED = timedelta(seconds=1)  # until the next run, and before those that Credly did not answer about


def note_restore(store: Store, lock_number: int | None, now: str) -> bool:
    """Tell whether this store was restored or lost since its last run, and keep when that was noticed.

    The lock file has the number of the last run: a store behind it is an older copy, or an empty one in the place of
    another. A store with grants whose lock file has no number was copied, or the lock file is lost.
    """
    restored = grants.are_any(store) if lock_number is None else runs.number(store) < lock_number
    if restored:
        runs.set_bookmark(store, _RESTORED_AT, now)
    return restored


def settles_until(store: Store, settle_seconds: int) -> str | None:
    """Return until when a restored store cannot tell by asking Credly what was sent before; ``None`` if it was not."""
    restored_at = runs.bookmark(store, _RESTORED_AT)
    return None if restored_at is None else utc_text(from_utc_text(restored_at) + timedelta(seconds=settle_seconds))


def doubt_older(store: Store, run_id: int, now: str) -> int:
    """Call uncertain what is planned for the time before a restore; returns how many."""
    restored_at = runs.bookmark(store, _RESTORED_AT)
    return 0 if restored_at is None else claims.doubt_older(store, restored_at, run_id, now)


@dataclass(slots=True)
class RestoreCheck:
    """What Credly is asked before a run sends: about all issued badges, or about single grants."""

    store: Store
    client: Client
    clock: Clock
    recheck_seconds: int
    born_at: str  # completions before it may have been granted from a store that is lost
    all_issued_badges_known: bool  # this run read a complete listing of them
    failure: Failure | None = None  # why some grants have to wait
    stopped: Failure | None = None  # why the run cannot go on

    def completed_from(self) -> str | None:
        """Read what was issued before this store, if anything is planned for then.

        Returns the moment from which on completions may be sent, ``None`` when all may be.
        """
        if runs.bookmark(self.store, _HISTORY_READ_AT) is not None:
            return None
        old = claims.old_unsent(self.store, self.born_at)
        if not old:
            return self.born_at
        try:
            self._read_history()
        except NoSearchError:
            if not self.all_issued_badges_known:
                self._ask(old, cleared=True)
                return self.born_at
            self._note_history()  # the listing of this run tells what the search would
        except Failure as failure:
            self._note(failure)
            return self.born_at
        return None

    def ask_about_repeatable(self) -> None:
        """Look up the grants that Credly would not refuse to issue twice, where no complete listing was read."""
        self._ask(claims.repeatable_unsent(self.store, utc_text(self.clock.now())), cleared=False)

    def _read_history(self) -> None:
        read = 0
        for rows in self.client.search_issued_badges():
            read += len(rows)
            self.client.progress.at(read)
            with self.store.transaction():
                issued_badges.save(self.store, rows, utc_text(self.clock.now()))
        self._note_history()

    def _note_history(self) -> None:
        runs.set_bookmark(self.store, _HISTORY_READ_AT, utc_text(self.clock.now()))

    def _ask(self, asked: Sequence[Grant], *, cleared: bool) -> None:
        """Store what Credly has of these grants' badges; those about which it does not answer wait."""
        unanswered = {grant.id: _NOT_ASKED for grant in asked}
        questions = [GrantQuestion.of(self.store, grant) for grant in asked]
        for question, found in look_up_all(self.client, questions, look_up_grant):
            grant = question.grant
            unanswered[grant.id] = max(_NOT_ASKED, timedelta(seconds=self.recheck_seconds))
            if isinstance(found, Failure):
                self._note(found)
            elif found.conclusive:
                del unanswered[grant.id]
                self._take(grant.id, found, cleared=cleared)
        self._let_wait(unanswered)

    def _take(self, grant_id: int, found: Found, *, cleared: bool) -> None:
        now = utc_text(self.clock.now())
        with self.store.transaction():
            issued_badges.save(self.store, found.badges, now)
            if cleared:
                claims.clear(self.store, grant_id, now)

    def _let_wait(self, unanswered: Mapping[int, timedelta]) -> None:
        """Leave grants out of this run; the next one asks again, first about those that nobody was asked about."""
        if not unanswered:
            return
        message = "Credly did not tell what some learners hold, so their badges wait."
        self.failure = self.failure or Failure("server-error", message)
        now = self.clock.now()
        with self.store.transaction():
            for identity, wait in unanswered.items():
                grants.set_state(self.store, identity, "planned", utc_text(now), not_before=utc_text(now + wait))

    def _note(self, failure: Failure) -> None:
        self.failure = failure
        if failure.exit_code in (Exit.NOT_CONNECTED, Exit.CONFIG, Exit.INTERRUPTED):
            self.stopped = failure
