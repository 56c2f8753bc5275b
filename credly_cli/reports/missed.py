"""Completions that earned nothing and why: the reason that came first (R4, R15, R16, R23); Credly's bulk-issue file."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import IO, ClassVar

from credly_cli.credly.records import BadgeBrief
from credly_cli.errors import Failure, unwritable
from credly_cli.files import followed, keep_private, make_private_file
from credly_cli.identity import email_key
from credly_cli.issuing.decide import Missed, outcome
from credly_cli.store import facts, links
from credly_cli.store.content import ContentBrief
from credly_cli.store.database import Store
from credly_cli.store.facts import Facts
from credly_cli.store.links import Pair
from credly_cli.text import spreadsheet_safe
from credly_cli.times import from_utc_text


@dataclass(frozen=True, slots=True)
class Miss:
    """A completion that earned nothing."""

    pair: Pair  # the badge, and the content that it is or was linked to
    facts: Facts
    reason: Missed

    JSON: ClassVar = ("email", "badge", "content", "session_id", "completed_at", "reason")

    @property
    def email(self) -> str:
        """The learner's address."""
        return self.facts.email

    @property
    def badge(self) -> BadgeBrief:
        """The badge that it did not earn."""
        return self.pair.badge

    @property
    def content(self) -> ContentBrief:
        """What was completed."""
        return self.pair.content

    @property
    def session_id(self) -> str | None:
        """Its session, where it has one."""
        return self.facts.session_id or None

    @property
    def completed_at(self) -> str | None:
        """When it was completed."""
        return self.facts.completed_at


def missed(store: Store, badge_id: str | None = None, content_id: str | None = None) -> list[Miss]:
    """List the completions that earned nothing, of a badge and of content where such are named, the oldest first."""
    found = _all(store, badge_id, content_id)
    return sorted(found, key=lambda miss: (miss.completed_at or "", miss.email))


def _all(store: Store, badge_id: str | None, content_id: str | None) -> Iterator[Miss]:
    for pair in links.pairs(store, badge_id, content_id):
        for known in facts.of_completions(store, pair.badge.id, pair.content.id):
            reason = outcome(known).missed
            if reason is not None:
                yield Miss(pair, known, reason)


ROWS_A_FILE = 5000
HEADER = (
    "Badge Template ID", "Recipient Email", "Issued To First Name", "Issued To Middle Name", "Issued To Last Name",
    "Issued at", "Expires at", "Issuer Earner ID", "Group Tag", "Country", "State or Province", "Evidence Name",
    "Evidence URL", "URL Evidence Description", "Text Evidence Title", "Text Evidence Description",
    "Id Evidence Title", "Id Evidence Description",
)  # fmt: skip
_REQUIRED = ("badge template id", "recipient email", "first name", "last name", "issued at")
_CREDITED = ("before-link", "disconnected", "unlinked")
_NOT_CREDITED: dict[Missed, str] = {  # what was revoked, deleted or dropped was somebody's decision
    "badge-not-active": "the badge is not active",
    "revoked": "the badge was revoked",
    "deleted": "the badge was deleted in Credly",
    "dropped": "somebody dropped it",
}


@dataclass(slots=True)
class Upload:
    """What was written, and what was left out and why."""

    files: list[Path] = field(default_factory=list)
    rows: int = 0
    left_out: dict[str, list[str]] = field(default_factory=dict)  # whose completions, by the reason


def write_bulk_issue(
    store: Store, to: Path | Callable[[str], object], missing: Sequence[Miss], template: Path | None
) -> Upload:
    """Write the completions that may be credited, to files or to who takes the text of one.

    Raises ``Failure`` for a template that is none, and where there are more rows than one file may have.
    """
    header = HEADER if template is None else _header_of(template)
    outcome = Upload()
    rows = list(_rows(store, missing, outcome))
    outcome.rows = len(rows)
    if not isinstance(to, Path):
        _hand_over(to, header, rows)
        return outcome
    for number, start in enumerate(range(0, len(rows), ROWS_A_FILE), 1):
        target = to if number == 1 else to.with_name(f"{to.stem}-{number}{to.suffix}")
        _write_file(target, header, rows[start : start + ROWS_A_FILE])
        outcome.files.append(target)
    return outcome


def _rows(store: Store, missing: Sequence[Miss], outcome: Upload) -> Iterator[Mapping[str, str]]:
    """Yield the rows, oldest completion first; a badge that is earned once has one row a learner."""
    seen = set()
    for miss in missing:
        known = miss.facts
        session = None if known.once else (known.content_id, known.session_id)
        key = (email_key(known.email), known.badge_id, session)
        row = _row(store, known)
        if obstacle := _obstacle(miss.reason, row, listed=miss.pair.listed, is_repeated=key in seen):
            outcome.left_out.setdefault(obstacle, []).append(known.email)
            continue
        seen.add(key)
        yield row


def _obstacle(reason: Missed, row: Mapping[str, str], *, listed: bool, is_repeated: bool) -> str | None:
    """Say what keeps a completion out of the file."""
    if reason not in _CREDITED:
        return _NOT_CREDITED[reason]
    if not listed:
        return _NOT_CREDITED["badge-not-active"]
    if not (row["first name"] and row["last name"]):
        return "the first or last name is not known"
    if any(spreadsheet_safe(cell) != cell for cell in row.values()):
        return "a spreadsheet would take it for a formula"  # a quote before it would become part of the name
    return "the badge is earned once" if is_repeated else None


def _row(store: Store, known: Facts) -> dict[str, str]:
    return {
        "issuer earner id": facts.mark_of(store, known),  # by it what comes back is recognised, whatever day it bears
        "badge template id": known.badge_id,
        "recipient email": known.email,
        "first name": (known.first_name or "").strip(),
        "last name": (known.last_name or "").strip(),
        "issued at": from_utc_text(known.completed_at or "").strftime("%m/%d/%y"),
    }


def _header_of(template: Path) -> Sequence[str]:
    """Read the header of a template as Credly gave it out."""
    try:
        with template.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Failure("usage", f"{template} cannot be read: {error}.", hint=_WAY_OUT) from None
    missing = [name for name in _REQUIRED if name not in map(_plain, header)]
    if missing:
        raise Failure("usage", f"{template} is not Credly's template: it lacks {', '.join(missing)}.", hint=_WAY_OUT)
    return header


_WAY_OUT = "Download the bulk-issue template in Credly: Badges > Issue > Download Template."


def _plain(name: str) -> str:
    return name.strip().casefold().removeprefix("issued to ").removesuffix(" date")


def _write_file(path: Path, header: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    try:
        path = followed(path)
        if not make_private_file(path):
            keep_private(path)
        with path.open("w", encoding="utf-8", newline="") as file:  # a byte order mark would be part of the header
            _write_rows(file, header, rows)
    except OSError as error:
        raise unwritable("--credly-upload", path, error) from None


def _hand_over(to: Callable[[str], object], header: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    if len(rows) > ROWS_A_FILE:
        message = f"There are {len(rows):,} rows, and Credly takes {ROWS_A_FILE:,} in a file."
        raise Failure("usage", message, hint="Name a file with --credly-upload: the others are written beside it.")
    if rows:
        text = StringIO(newline="")
        _write_rows(text, header, rows)
        to(text.getvalue())


def _write_rows(file: IO[str], header: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    writer = csv.writer(file)
    writer.writerow(header)
    for row in rows:
        writer.writerow(row.get(_plain(name), "") for name in header)
