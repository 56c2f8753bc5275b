"""Correct exports, changed in one place as a system or a spreadsheet could: read the same, or loudly otherwise.

``python -m tests.lms.fuzz --count 20000`` says what became of each kind of change. A change is silent, which is a
fault, where the file is taken without a word and somebody, a completion, a day or a name is another one, or missing.

Not among the changes, since nothing in a file tells them: a name, an id or an address that is cut or replaced so that it
is another valid one (who is who is decided by what is known, R25), values that stand under another's header, and a column
of roles that is taken away.
"""

import argparse
import csv
import io
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple

from credly_cli.errors import Failure
from credly_cli.lms.reader import read_stream
from credly_cli.lms.records import ProgressRecord, Reading, Reject, Understood

NOW = datetime(2026, 11, 28, tzinfo=UTC)
_OF_ID = {"1001": "ada@example.org", "1002": "bob@example.org", "1003": "zoe@example.org", "1004": "cy@example.org",
          "1005": "mia@example.org", "1006": "jo@example.org"}  # fmt: skip
TITLES = {"Intro", "Deep Dive", "C1", "C2"}
PEOPLE = (
    ("1001", "ada@example.org", "Ada", "Lovelace", "Intro", 1, 1), ("1002", "bob@example.org", "Bob", "Stone", "Intro", 0, 2),
    ("1003", "zoe@example.org", "Zoë", "Müller", "Deep Dive", 1, 13), ("1004", "cy@example.org", "Cy", "Stone", "Intro", 1, 4),
    ("1005", "mia@example.org", "Mia", "O'Hara", "Deep Dive", 0, 17), ("1006", "jo@example.org", "Jo", "Van Dam", "Intro", 1, 26),
)  # fmt: skip
Row = list[str]


@dataclass(frozen=True)
class Export:
    """A file as it is written."""

    header: Row
    rows: list[Row]
    options: dict[str, str] = field(default_factory=dict)
    before: str = ""
    after: str = ""
    delimiter: str = ","
    encoding: str = "utf-8"
    newline: str = "\n"
    cut: float = 1.0

    def data(self) -> bytes:
        """Return the bytes of the file."""
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self.delimiter, lineterminator=self.newline).writerows([self.header, *self.rows])
        data = (self.before + text.getvalue() + self.after).encode(self.encoding, "replace")
        return data[: int(len(data) * self.cut)] if self.cut < 1 else data


class Told(NamedTuple):
    """What a file says, and whether there is a word about what it does not."""

    people: dict[str, tuple[str | None, str | None, str | None]]
    completions: set[tuple[str, str, str]]
    loud: bool


def told_by(export: Export) -> Told:
    """Read a file as `import progress` does."""
    understood, people, completions = Understood(), {}, set()
    try:
        records = list(
            read_stream("progress", io.BytesIO(export.data()), Reading(NOW, mapping=export.options), "f", understood)
        )
    except Failure:
        return Told({}, set(), loud=True)
    loud = any(isinstance(record, Reject) for record in records) or bool(
        understood.left_out or understood.dated_otherwise
    )
    loud |= any("fewer cells" in sentence for sentence in understood.warnings)
    for record in records:
        if isinstance(record, ProgressRecord):
            who = record.email or _OF_ID.get(record.learner_id or "", "")  # the importer rejects an id that nobody has
            people[who] = record.learner_id, record.first_name, record.last_name
            loud |= record.content not in TITLES
            if record.completed_at:
                completions.add((who, record.content, record.completed_at[:10]))
    return Told(people, completions, loud or not completions)  # none at all is said by the importer


def is_silent(export: Export, right: Told, *, fewer: bool = False) -> str | None:
    """Return what is wrong without a word; ``fewer`` where rows were taken away."""
    told = told_by(export)
    if told.loud:
        return None
    for who, (identity, first, last) in told.people.items():
        if who not in right.people:
            return f"another person: {who}"
        wanted = right.people[who]
        if any(has and has != was for has, was in zip((identity, first, last), wanted, strict=True)):
            return f"another id or name: {who} {identity} {first} {last}"
    if more := told.completions - right.completions:
        return f"another completion: {sorted(more)[0]}"
    if not fewer and (missing := right.completions - told.completions):
        return f"a completion is lost: {sorted(missing)[0]}"
    return None


# Exports of systems


def _export(header: str, row: Callable[..., Sequence[str]], **options: str) -> Export:
    return Export(header.split("|"), [list(row(*person)) for person in PEOPLE], options)


BASES = {
    "our own": _export(
        "email|learner_id|first_name|last_name|content_title|status|completed_at",
        lambda i, e, f, n, t, done, d: (e, i, f, n, t, "completed" if done else "in progress", f"2026-03-{d:02}T10:00:00Z" if done else ""),
    ),
    "Totara": _export(
        "User's Fullname|User's Email|Course Name|Completion Status|Completion Date",
        lambda i, e, f, n, t, done, d: (f"{n}, {f}", e, t, "Complete" if done else "Not yet started", f"{d} Mar 2026" if done else ""),
    ),
    "Absorb": _export(
        "Email|First Name|Last Name|Course Name|Status|Progress|Date Completed",
        lambda i, e, f, n, t, done, d: (e, f, n, t, "Complete" if done else "InProgress", "100" if done else "40",
                                        f"2026-03-{d:02}T10:00:00.1234567" if done else "0001-01-01T00:00:00"),
    ),
    "LearnDash": _export(
        "user_id|first_name|last_name|email|course_title|steps_completed|course_completed|course_completed_on",
        lambda i, e, f, n, t, done, d: (i, f, n, e, t, "29" if done else "3", "YES" if done else "NO",
                                        f"2026-03-{d:02} 10:00:00" if done else ""),
    ),
    "Moodle's tables": _export(
        "userid|email|firstname|lastname|course|timecompleted",
        lambda i, e, f, n, t, done, d: (i, e, f, n, t, str(1772359200 + 86400 * (d - 1)) if done else "0"),
    ),
    "LinkedIn Learning": _export(
        "First Name|Last Name|Email|Course|Percent Completed|Completed At (PST/PDT)",
        lambda i, e, f, n, t, done, d: (f, n, e, t, "100%" if done else "40%", f"2026-03-{d:02} 12:30:00" if done else ""),
    ),
    "Docebo in German": _export(
        "E-Mail-Adresse|Vorname|Nachname|Kurs|Status|Abgeschlossen am",
        lambda i, e, f, n, t, done, d: (e, f, n, t, "Abgeschlossen" if done else "In Bearbeitung", f"{d}. März 2026" if done else ""),
        content_title="Kurs", completed_at="Abgeschlossen am",
    ),
}  # fmt: skip


# Changes

NOTHING = ("", "-", "N/A", "NULL", "none", "TBD", "#N/A", "undefined", "0", "\u2013", "\u00a0")
LINES = ("Course Completion Report", "Generated: 2026-03-31", "Filter: all", "")
Change = Callable[[Export, random.Random], tuple[Export, bool]]


def _place(export: Export, draw: random.Random, *parts: str) -> int | None:
    places = [place for place, text in enumerate(export.header) if any(part in text.lower() for part in parts)]
    return draw.choice(places) if places else None


def _with(export: Export, row: int, place: int, cell: str) -> Export:
    rows = [list(cells) for cells in export.rows]
    rows[row][place] = cell
    return replace(export, rows=rows)


def columns_moved(export: Export, draw: random.Random) -> tuple[Export, bool]:
    order = draw.sample(range(len(export.header)), len(export.header))
    return replace(export, header=[export.header[at] for at in order],
                   rows=[[cells[at] for at in order] for cells in export.rows]), False  # fmt: skip


def column_added(export: Export, draw: random.Random) -> tuple[Export, bool]:
    at = draw.randrange(len(export.header) + 1)
    name, cell = draw.choice([
        ("End Date", "2026-05-30"), ("Due", "2026-06-30"), ("Last Access", "2026-04-01"), ("Timestamp", "2026-04-02T10:00:00Z"),
        ("Department", "Sales"), ("Manager Email", "boss@example.org"), ("Username", "login@example.org"), ("Phone", "123"),
        ("Expires", "2027-01-01"), ("Score", "88"), ("Branch", "North"), ("Supervisor", "Al Ray"), ("No", "7"),
    ])  # fmt: skip
    if any(name.lower() == text.lower() for text in export.header):
        return export, False
    rows = [[*cells[:at], cell, *cells[at:]] for cells in export.rows]
    return replace(export, header=[*export.header[:at], name, *export.header[at:]], rows=rows), False


def header_respelt(export: Export, draw: random.Random) -> tuple[Export, bool]:
    at = draw.randrange(len(export.header))
    text = export.header[at]
    forms = [text.upper(), text.lower(), f" {text} ", text.replace(" ", "\u00a0"), f"{text}:", f"{text}*", text.replace(" ", "_"),
             f"\ufeff{text}"]  # fmt: skip
    return replace(export, header=[*export.header[:at], draw.choice(forms), *export.header[at + 1 :]]), False


def header_lost(export: Export, draw: random.Random) -> tuple[Export, bool]:
    at = draw.randrange(len(export.header))
    return replace(
        export, header=[*export.header[:at], draw.choice(["", "Spalte", "X1"]), *export.header[at + 1 :]]
    ), False


def column_removed(export: Export, draw: random.Random) -> tuple[Export, bool]:
    at = draw.randrange(len(export.header))
    return replace(export, header=[*export.header[:at], *export.header[at + 1 :]],
                   rows=[[*cells[:at], *cells[at + 1 :]] for cells in export.rows]), False  # fmt: skip


def cell_says_nothing(export: Export, draw: random.Random) -> tuple[Export, bool]:
    row, place = draw.randrange(len(export.rows)), draw.randrange(len(export.header))
    is_time = any(part in export.header[place].lower() for part in ("completed", "complet", "abgeschlossen"))
    is_name = any(
        part in export.header[place].lower() for part in ("first", "last", "name")
    )  # people are called Null, and a number is one in ids alone
    word = draw.choice([word for word in NOTHING if not (is_name and word in ("NULL", "none", "0"))])
    return _with(export, row, place, word), is_time  # then the row says that it is not complete


def cell_dressed(export: Export, draw: random.Random) -> tuple[Export, bool]:
    row, place = draw.randrange(len(export.rows)), draw.randrange(len(export.header))
    text = export.rows[row][place]
    forms = [f" {text} ", f"\u00a0{text}\u00a0", f"\u200e{text}", f"{text}\u202f", f"{text}\n", f"\t{text}"]
    if "@" in text or text.isdecimal():
        forms += [f'="{text}"', f"'{text}"]
    return _with(export, row, place, draw.choice(forms)), False


def status_changed(export: Export, draw: random.Random) -> tuple[Export, bool]:
    place, row = _place(export, draw, "status", "course_completed"), draw.randrange(len(export.rows))
    if place is None:
        return export, False
    words = (
        "Closed",
        "2",
        "Aprobado",
        "Nicht bestanden",
        "Failed",
        "Withdrawn",
        "???",
        "Completd",
        "Exempt",
        "Terminé",
        "未完了",
    )
    changed = _with(export, row, place, draw.choice(words))
    is_done = any(told[0] == _who(export, row) for told in told_by(export).completions)
    return changed, is_done and changed.rows[row][place] in ("Failed", "Withdrawn", "Nicht bestanden", "未完了")


def date_changed(export: Export, draw: random.Random) -> tuple[Export, bool]:
    place, row = _place(export, draw, "complet", "abgeschlossen am"), draw.randrange(len(export.rows))
    if place is None or not any(map(str.isdecimal, export.rows[row][place])):
        return export, False
    day = PEOPLE[row][6]
    forms = [
        f"{day}/3/2026", f"3/{day}/2026", f"{day}.03.2026", f"3/{day}/26", f"{day}-Mar-26", f"{day} mars 26", f"46{day:03}",
        f"March {day}, 2026", f"{day} de marzo de 2026", f"2026年3月{day}日", f"202603{day:02}", "2026-02-30", "1970-01-01",
        "########", "#REF!", f"2026-03-{day:02}T10:00:00+00:00", f"{day} Mar 2026 10:00 AM", "2062-03-01", "1.77236E+9",
        "0026-03-01", f"3/{day}/2026 10:00\u202fAM", f"{day} Mär 2026", "2026-03", "10:00", f"17723592{day:02}00000000",
    ]  # fmt: skip
    if not PEOPLE[row][5]:
        return export, False
    form = draw.choice(forms)
    return _with(export, row, place, form), form == "1970-01-01"  # which says that there is none


def date_cut(export: Export, draw: random.Random) -> tuple[Export, bool]:
    place, row = (
        _place(export, draw, "completed", "completion date", "abgeschlossen am"),
        draw.randrange(len(export.rows)),
    )
    text = export.rows[row][place] if place is not None else ""
    if place is None or len(text) < 2:
        return export, False
    return _with(export, row, place, text[: draw.randrange(1, len(text))]), False


def id_cut(export: Export, draw: random.Random) -> tuple[Export, bool]:
    place, row = _place(export, draw, "user_id", "userid", "learner_id"), draw.randrange(len(export.rows))
    if place is None:
        return export, False
    return _with(export, row, place, draw.choice(["1E+11", "1,00E+11", "1.5E+10", "N/A", "0", "000"])), False


def name_placeholder(export: Export, draw: random.Random) -> tuple[Export, bool]:
    row = draw.randrange(len(export.rows))
    place = _place(export, draw, "first", "last", "vorname", "nachname")
    if place is None:
        return export, False
    text = export.rows[row][place]
    forms = ["-", ".", "N/A", "undefined", f"{text}\u200b", f"{text[:1]}\ufffd{text[1:]}", f" {text}", "#NAME?"[:0]]
    return _with(export, row, place, draw.choice(forms)), False


def rows_reordered(export: Export, draw: random.Random) -> tuple[Export, bool]:
    return replace(export, rows=draw.sample(export.rows, len(export.rows))), False


def row_doubled(export: Export, draw: random.Random) -> tuple[Export, bool]:
    return replace(export, rows=[*export.rows, draw.choice(export.rows)]), False


def row_dropped(export: Export, draw: random.Random) -> tuple[Export, bool]:
    at = draw.randrange(len(export.rows))
    return replace(export, rows=export.rows[:at] + export.rows[at + 1 :]), True


def row_shifted(export: Export, draw: random.Random) -> tuple[Export, bool]:
    rows = [list(cells) for cells in export.rows]
    row, at = draw.randrange(len(rows)), draw.randrange(len(export.header))
    rows[row].insert(at, draw.choice(["", "x"]))
    return replace(export, rows=rows), False


def row_short(export: Export, draw: random.Random) -> tuple[Export, bool]:
    rows = [list(cells) for cells in export.rows]
    row = draw.randrange(len(rows))
    del rows[row][draw.randrange(1, len(rows[row])) :]
    return replace(export, rows=rows), False


def cells_joined(export: Export, draw: random.Random) -> tuple[Export, bool]:
    rows = [list(cells) for cells in export.rows]
    row, at = draw.randrange(len(rows)), draw.randrange(len(export.header) - 1)
    rows[row][at : at + 2] = [rows[row][at] + " " + rows[row][at + 1]]
    return replace(export, rows=rows), False


def lines_around(export: Export, draw: random.Random) -> tuple[Export, bool]:
    lines = "".join(f"{draw.choice(LINES)}\n" for _ in range(draw.choice([1, 2, 5, 28, 31])))
    if draw.random() < 0.5:
        return replace(export, before=lines), False
    return replace(
        export, after="\n" + draw.choice(["Total,6\n", "--- end of report ---\n", ",,,\n", "\x1a", "© Example\n"])
    ), False


def header_again(export: Export, draw: random.Random) -> tuple[Export, bool]:
    at = draw.randrange(len(export.rows))
    return replace(export, rows=[*export.rows[:at], export.header, *export.rows[at:]]), False


def put_together(export: Export, draw: random.Random) -> tuple[Export, bool]:
    other = draw.choice([base for base in BASES.values() if base.header != export.header])
    if draw.random() < 0.5:
        other, _ = columns_moved(export, draw)
    gap: list[Row] = [[]] if draw.random() < 0.5 else []
    return replace(export, rows=[*export.rows, *gap, other.header, *other.rows]), False


def written_otherwise(export: Export, draw: random.Random) -> tuple[Export, bool]:
    return replace(
        export,
        encoding=draw.choice(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "latin-1", "mac-roman", "cp850"]),
        delimiter=draw.choice(",;\t|^~"), newline=draw.choice(["\n", "\r\n", "\r"]), before=draw.choice(["", "", "sep=;\n"]),
    ), False  # fmt: skip


def garbled(export: Export, draw: random.Random) -> tuple[Export, bool]:
    wrong = [[cell.encode().decode("cp1252", "replace") for cell in cells] for cells in export.rows]
    return replace(export, rows=wrong), False


def file_cut(export: Export, draw: random.Random) -> tuple[Export, bool]:
    return replace(export, cut=draw.random()), True


CHANGES: tuple[Change, ...] = (
    columns_moved, column_added, header_respelt, header_lost, column_removed, cell_says_nothing, cell_says_nothing,
    cell_dressed, cell_dressed, status_changed, date_changed, date_changed, date_changed, date_cut, date_cut, id_cut,
    name_placeholder, rows_reordered, row_doubled, row_dropped, row_shifted, row_short, cells_joined, lines_around,
    header_again, put_together, put_together, written_otherwise, garbled, file_cut, file_cut,
)  # fmt: skip


def _who(export: Export, row: int) -> str:
    return next(cell for cell in export.rows[row] if "@" in cell)


def changed(seed: int, count: int) -> Iterator[tuple[str, str, int, str | None]]:
    """Yield for each of so many changes the export, the kind of change, its seed and what is wrong without a word."""
    right = {name: told_by(base) for name, base in BASES.items()}
    number = 0
    while number < count:
        seed += 1
        draw = random.Random(seed)  # noqa: S311 - a test
        name, change = draw.choice(list(BASES)), draw.choice(CHANGES)
        export, fewer = change(BASES[name], draw)
        if export.data() == BASES[name].data():
            continue
        number += 1
        yield name, change.__name__, seed, is_silent(export, right[name], fewer=fewer)


def report(
    title: str | None, changed: Callable[[int, int], Iterator[tuple[str, str, int, str | None]]], count: int
) -> int:
    """Make the changes that the command line asks for, ``count`` by default, and say what became of them."""
    options = argparse.ArgumentParser(description=title)
    options.add_argument("--count", type=int, default=count)
    options.add_argument("--seed", type=int, default=0)
    asked = options.parse_args()
    counts: Counter[str] = Counter()
    faults: dict[str, list[str]] = {}
    for name, kind, seed, fault in changed(asked.seed, asked.count):
        counts[kind] += 1
        if fault:
            faults.setdefault(kind, []).append(f"  seed {seed}, {name}: {fault}")
    for kind, number in sorted(counts.items()):
        found = faults.get(kind, [])
        sys.stdout.write(
            f"{kind:20} {number:6} changes, {len(found)} silent\n" + "".join(f"{line}\n" for line in found[:3])
        )
    sys.stdout.write(f"{sum(counts.values())} changes, {sum(map(len, faults.values()))} silent\n")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(report(__doc__, changed, 20_000))
