"""What was understood of a file, and what came of it: for whoever imports it, in a log, and for scripts."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from credly_cli.import_options import Kind
from credly_cli.lms.columns import key_of
from credly_cli.lms.records import ProgressRecord, Record, Understood
from credly_cli.text import counted

_NAMED = 12  # of a list of headers or words, as many are named in a sentence
_STATUS = {"complete": "completed"}


@dataclass(slots=True)
class FileReport:
    """What was understood of a file. Days are those of the times in UTC."""

    kind: Kind
    file: str  # as it was named; - is standard input
    understood: Understood = field(default_factory=Understood)
    read: int = 0
    rejected: int = 0
    completions: int = 0
    completed_from: str | None = None
    completed_to: str | None = None
    readdressed: int = 0

    @property
    def left_out(self) -> int:
        """How many rows were left out by their role or status."""
        return sum(self.understood.left_out.values())

    def json(self, *, with_rows: bool = False) -> dict[str, Any]:
        """Return what was understood, as scripts read it; with the first rows where they are wanted."""
        known = self.understood
        return {
            "file": self.file,
            "header_line": known.header_line,
            "columns": {"used": dict(known.used), "unused": list(known.unused)},
            "names_split": known.names_split,
            "unknown_values": [
                {"column": column, "value": word, "rows": rows}
                for (column, word), rows in known.unknown_values.most_common()
            ],
            "rows": [_row(record, known) for record in known.rows] if with_rows else [],
        }

    def facts(self) -> dict[str, Any]:
        """Return what a log may keep: no address, and no name."""
        spans = {"completed_from": self.completed_from, "completed_to": self.completed_to}
        counts = {"read": self.read, "rejected": self.rejected, "completions": self.completions, **spans}
        understood = {key: value for key, value in self.json().items() if key != "rows"}
        return {"kind": self.kind, **understood, **counts, "left_out": self.left_out, "readdressed": self.readdressed}

    def sentences(self) -> list[str]:
        """Say what was understood, but for what needs a warning."""
        known = self.understood
        found = []
        if self.kind == "progress" and self.completions:
            found.append(f"{counted(self.completions, 'completion')}{self._days()}.")
        if known.names_split:
            examples = "; ".join(
                f"{each.full!r} is {each.first_name} | {each.last_name}" for each in known.split_examples
            )
            they = counted(known.names_split, "name was", "names were")
            found.append(f"{they} split at the last space or comma{f': {examples}' if examples else ''}.")
        if known.left_out:
            rows = counted(self.left_out, "row was", "rows were")
            found.append(f"{rows} left out: {_words(known.left_out)}.")
        if known.unused:
            found.append(f"Columns not used: {_named(known.unused)}.")
        return found

    def warnings(self) -> list[str]:
        """Say what a person should look at."""
        known = self.understood
        found = list(known.warnings)
        if self.kind == "progress" and self.read > self.rejected and not self.completions:
            found.append(self._without_completions())
        if (silent := known.passed_over - known.claimed) and not self.completions:
            say = counted(sum(silent.values()), "statement says", "statements say")
            found.append(f"{say} nothing of a completion: {_counts(silent)}.")
        if claimed := known.claimed:
            say = counted(sum(claimed.values()), "statement says", "statements say")
            found.append(
                f"{say} that something was completed, by a verb that is not known to mean it:"
                f" {_counts(claimed)}. --value status:VERB=completed tells that it does."
            )
        if known.dated_otherwise:
            number = sum(known.dated_otherwise.values())
            rows = counted(number, "row has", "rows have")
            words = _counts(known.dated_otherwise)
            found.append(f"{rows} a date of completion, and a status that is none: {words}.")
        if known.unknown_events:
            number = sum(known.unknown_events.values())
            words = _counts(known.unknown_events)
            they = counted(
                number, "row has words that are not known, and shows", "rows have words that are not known, and show"
            )
            found.append(f"{they} an enrollment only: {words}. --value status:WORD=MEANING tells what they mean.")
        return found

    def named_warnings(self) -> list[str]:
        """Say what a person should look at, with the name of the file."""
        name = Path(self.file).name
        return [warning if warning.startswith(f"{name}: ") else f"{name}: {warning}" for warning in self.warnings()]

    def _days(self) -> str:
        first, last = (self.completed_from or "")[:10], (self.completed_to or "")[:10]
        return f" of {first}" if first == last else f" from {first} to {last}"

    def _without_completions(self) -> str:
        like, used = self.understood.like_completion, self.understood.used
        if not like:
            if "timestamp" not in used or not used.keys().isdisjoint({"event", "type", "source", "status", "progress"}):
                return "No row is a completion."
            way = f"--map completed_at={_quoted(used['timestamp'])} if each row is one"
            return f"No row is a completion, for a time alone says of none: {way}"
        of_times = [header for header in like if not key_of(header).endswith("status")]
        way = f"completed_at={_quoted(of_times[-1])}" if of_times else f"status={_quoted(like[-1])}"
        return f"No row is a completion. Not used, and like one: {_named(like)}: --map {way}"


def _quoted(header: str) -> str:
    return f"'{header}'" if " " in header else header


def _named(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _counts(words: Counter[str]) -> str:
    return ", ".join(f"{word} ({count:,})" for word, count in words.most_common(_NAMED))


def _words(counts: Mapping[tuple[str, str], int]) -> str:
    most = sorted(counts.items(), key=lambda item: -item[1])[:_NAMED]
    return ", ".join(f"{column} {word!r} ({rows:,})" for (column, word), rows in most)


def _row(record: Record, understood: Understood) -> dict[str, Any]:
    """Return a record by the names of our columns."""
    if not isinstance(record, ProgressRecord):
        return record._asdict()
    name = "content_title" if record.by_title else "content_id"
    return {
        "row": record.row,
        "email": record.email,
        "learner_id": record.learner_id,
        "content_id": None,
        "content_title": None,
        name: record.content,
        "session_id": record.session_id,
        "progress": None if understood.has_fractions and record.progress else record.progress,
        "status": _STATUS.get(record.status or "", record.status),
        "enrolled_at": record.enrolled_at,
        "completed_at": record.completed_at,
        "first_name": record.first_name,
        "last_name": record.last_name,
    }


def shown_rows(report: FileReport) -> Iterator[str]:
    """Write the first rows as they were understood, a line each."""
    for record in report.understood.rows:
        row = _row(record, report.understood)
        fields = {key: value for key, value in row.items() if value not in (None, "", ()) and key != "row"}
        values = ", ".join(f"{key}: {_value(value)}" for key, value in fields.items())
        yield f"row {record.row}: {values}"


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "; ".join(value) if isinstance(value, tuple) else str(value)
