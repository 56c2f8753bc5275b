"""What `doctor` asks of Credly and of this machine: each question is answered, also when Credly is down."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from credly_cli.config import Settings
from credly_cli.connection import connect
from credly_cli.connection.connect import Network
from credly_cli.credly.client import Client
from credly_cli.errors import EXIT_OF, Exit, Failure
from credly_cli.http.response import read_date
from credly_cli.lms.fields import is_no_id
from credly_cli.lms.source import SourceContext
from credly_cli.lms.thought_industries.client import Client as ThoughtIndustries
from credly_cli.lms.xapi.client import Client as RecordStore
from credly_cli.store import connection as connections
from credly_cli.store import learners, runs
from credly_cli.store.connection import Connection
from credly_cli.store.database import Store
from credly_cli.store.needs_person import Waiting
from credly_cli.text import Command, Hint, counted
from credly_cli.times import from_utc_text
from credly_cli.token import TokenLife

_CLOCK_SECONDS = 60  # a link counts completions to the second, by this clock
_SEE_WHY = Hint("To see why:", Command("sync"))
_WAITING = 5  # so many things that wait are told
_BEHIND = timedelta(hours=1)  # of a record store
_LATE = timedelta(days=7)  # `status --max-age` is for whoever wants to know sooner


@dataclass(frozen=True, slots=True)
class Check:
    """An answer: passed, perhaps with a warning, or failed with the way out and what that means for the exit code."""

    JSON: ClassVar = ("name", "ok", "warning", "message", "hint")

    name: str
    ok: bool
    message: str
    hint: Hint | None = None
    exit_code: Exit = Exit.DONE
    warning: bool = False


def passed(name: str, message: str) -> Check:
    """Return a passed check."""
    return Check(name, True, message)


def warned(name: str, message: str, hint: Hint | str | None = None) -> Check:
    """Return a passed check that a person should look at all the same."""
    return Check(name, True, message, Hint.of(hint) if hint else None, warning=True)


def failed(name: str, message: str, hint: Hint | str | None, exit_code: Exit = Exit.PARTIAL) -> Check:
    """Return a failed check."""
    return Check(name, False, message, Hint.of(hint) if hint else None, exit_code)


def failed_by(name: str, failure: Failure) -> Check:
    """Return a check that failed as a command would."""
    return failed(name, failure.message, failure.hint, EXIT_OF[failure.code])


def online(store: Store, settings: Settings, network: Network) -> list[Check]:
    """Ask Credly about the token, its expiry, the API and the time; what depends on a failed answer fails with it."""
    try:
        known, client = connect.connected_client(store, settings, network)
    except Failure as failure:
        return _all_failed(("token", "expiry", "api", "clock"), failure)
    try:
        token = _token(known, client)
    except Failure as failure:
        refused = failure.code in ("token-refused", "token-forbidden")
        expiry = _refused_early(known, network, failure) if refused else _expiry(known.token_life, network)
        return [failed_by("token", failure), expiry, *_all_failed(("api", "clock"), failure)]
    facts, life = client.token_facts(), known.token_life
    if facts.may_write is False:
        token = failed("token", connect.READ_ONLY, Hint("Run:", Command("connect")), EXIT_OF["token-forbidden"])
    if facts.expiry != "not-told":
        life = TokenLife(facts.expiry, facts.expires_at, known.token_since)
    return [token, _expiry(life, network), _safely("api", lambda: _api(client)), _clock(client)]


def _all_failed(names: Iterable[str], failure: Failure) -> list[Check]:
    first, *rest = names
    follow = [failed(name, f"Not checked: {failure.message}", failure.hint, EXIT_OF[failure.code]) for name in rest]
    return [failed_by(first, failure), *follow]


def _safely(name: str, ask: Callable[[], Check]) -> Check:
    try:
        return ask()
    except Failure as failure:
        return failed_by(name, failure)


def _token(known: Connection, client: Client) -> Check:
    found = client.organizations(known.organization_id)
    if known.organization_id not in found.by_id:
        raise connect.another_organization(known)
    message = f"Credly takes the token of {known.organization_name}."
    if known.organization_id in found.unread:
        message += " Its name is what the store knows: Credly's answer about this organization cannot be read."
    return passed("token", message)


def _expiry(life: TokenLife, network: Network) -> Check:
    now = network.clock.now()
    if warning := life.warning(now):
        gone = life.expires_at is not None and from_utc_text(life.expires_at) <= now
        return failed("expiry", warning.message, warning.hint, Exit.NOT_CONNECTED if gone else Exit.PARTIAL)
    if life.expires_at is not None:
        return passed("expiry", f"The token expires on {life.expires_at[:10]}.")
    if life.expiry == "never":
        return passed("expiry", "The token does not expire.")
    return warned("expiry", life.untold_end(now))


def _refused_early(known: Connection, network: Network, failure: Failure) -> Check:
    """Say of a token that Credly refuses that its date does not hold."""
    check = _expiry(known.token_life, network)
    if not check.ok or known.token_expires_at is None:
        return check
    message = f"The token was to last until {known.token_expires_at[:10]}, but Credly refuses it already."
    return failed("expiry", message, failure.hint, EXIT_OF[failure.code])


def _api(client: Client) -> Check:
    """Read the first page of badges and look at what paging rests on."""
    reply = client.first_page_of_badges()
    rows, metadata = reply.json.get("data"), reply.json.get("metadata")
    total = metadata.get("total_count") if isinstance(metadata, dict) else None
    way_out = "A proxy may be in between, or Credly has changed. Nothing is removed on such an answer."
    if not isinstance(rows, list) or type(total) is not int:
        return failed("api", "Credly's list of badges does not say how many there are.", way_out, Exit.TRY_LATER)
    further = metadata.get("next_page_url")
    if (total > len(rows)) != (further is not None):
        return failed("api", "Credly's list of badges breaks off before its end.", way_out, Exit.TRY_LATER)
    listed = counted(total, "active badge")
    return passed("api", f"{client.http.api_url} lists {listed}, {len(rows):,} on the first page.")


def _clock(client: Client) -> Check:
    date, now = client.http.last_date, client.http.clock.now()
    theirs = read_date(date)
    if theirs is None:
        return passed("clock", "Credly does not say what time it is.")
    apart = abs((now - theirs).total_seconds())
    if apart <= _CLOCK_SECONDS:
        return passed("clock", f"This clock and Credly's are {counted(round(apart), 'second')} apart.")
    return failed(
        "clock",
        f"This clock and Credly's are {counted(round(apart), 'second')} apart.",
        "Let this machine keep its time by NTP, for example: timedatectl set-ntp true",
    )


def thought_industries(context: SourceContext, found: Check) -> Check:
    """Ask Thought Industries whether it takes the key that was found."""
    try:
        ThoughtIndustries(context).ping()
    except Failure as failure:
        return failed_by("lms", failure)
    return passed("lms", f"{found.message} It takes the key.")


def record_store(context: SourceContext) -> list[Check]:
    """Ask the record store whether it answers, which version, what time it is, and whether we may read statements."""
    try:
        client = RecordStore(context)
        versions = client.versions()
        page = client.first_page()
    except Failure as failure:
        return [failed_by("lms", failure)]
    speaks = page.version or (", ".join(versions) if versions else None)
    spoken = client.dialect.version
    now = context.clock.now()
    return [
        passed("lms", f"The record store {context.settings.lms.xapi.endpoint} answers, and takes the password."),
        passed("lms-version", f"It is asked in xAPI {spoken}; it says that it speaks {speaks}.")
        if speaks
        else warned("lms-version", f"It answers xAPI {spoken}, and does not say which version it speaks."),
        _store_clock(client.date, now),
        passed("lms-rights", "The user may read statements.")
        if page.statements
        else warned("lms-rights", "The user may ask for statements, and sees none: there are none, or only its own."),
        _consistent(page.through, now),
    ]


def _store_clock(theirs: datetime | None, now: datetime) -> Check:
    if theirs is None:
        return passed("lms-clock", "The record store does not say what time it is.")
    apart = abs((now - theirs).total_seconds())
    message = f"This clock and the record store's are {counted(round(apart), 'second')} apart."
    if apart <= _CLOCK_SECONDS:
        return passed("lms-clock", message)
    return warned("lms-clock", message, "Let both keep their time by NTP: a completion ahead of this clock waits.")


def _consistent(through: str | None, now: datetime) -> Check:
    if through is None:
        message = "It does not say up to when its answers are complete: what was stored last is read again each time."
        return warned("lms-consistent", message)
    behind = now - datetime.fromisoformat(through)
    message = f"Its answers are complete up to {through[:19]}Z."
    if behind > _BEHIND:
        return warned(
            "lms-consistent", message, "What is stored after that comes in later: see what holds the store up."
        )
    return passed("lms-consistent", message)


def connection(store: Store) -> Check:
    """Tell whether the profile is connected."""
    known = connections.current(store)
    if known is None or not known.connected:
        return _safely("connection", lambda: passed("connection", connections.require_connected(store).organization_id))
    return passed("connection", f"Connected to {known.organization_name} since {known.connected_at[:10]}.")


def last_sync(store: Store, now: datetime) -> Check:
    """Tell how old the last good sync is."""
    good = runs.last_good(store)
    if runs.last(store) == 0:
        return Check("last-sync", True, "No sync has run yet.", Hint("Run:", *connections.syncing(store)))
    if good is None:
        return failed("last-sync", "No sync has ended well yet.", _SEE_WHY)
    if now - from_utc_text(good) > _LATE:
        return failed("last-sync", f"The last good sync ended at {good}.", _SEE_WHY)
    return passed("last-sync", f"The last good sync ended at {good}.")


_NAMED_IDS = 5


def waiting_for_person(found: Sequence[Waiting]) -> Check:
    """Check that nothing waits for a person (R33)."""
    if not found:
        return passed("waiting", "Nothing waits for a person.")
    shown = " ".join(each.message for each in found[:_WAITING])
    if len(found) > _WAITING:
        shown += f" And {len(found) - _WAITING:,} more."
    return failed(
        "waiting", shown, found[0].hint if len(found) == 1 else Hint("To see the ways out:", Command("status"))
    )


def learner_ids(store: Store) -> Check:
    """Tell whether learners were imported under ids that are none: placeholders, or cut by a spreadsheet (R25)."""
    found = [each for each in learners.ids_like_words(store) if is_no_id(each.learner_id)]
    if not found:
        return passed("learner-ids", "No learner has a placeholder for an id.")
    shown = ", ".join(f"{each.learner_id!r} ({each.email})" for each in found[:_NAMED_IDS])
    more = f" and {counted(len(found) - _NAMED_IDS, 'more')}" if len(found) > _NAMED_IDS else ""
    unsent, issued = sum(each.unsent for each in found), sum(each.issued for each in found)
    return failed(
        "learner-ids",
        f"{counted(len(found), 'id')} may stand for several people, whose rows an import made one: {shown}{more}. "
        f"{counted(unsent, 'grant')} not sent yet and {counted(issued, 'badge')} issued rest on such a learner.",
        Hint(
            "Look at who that is, drop what is wrong, and import learners and progress again:",
            Command("grants", "--email", found[0].email),
        ),
    )
