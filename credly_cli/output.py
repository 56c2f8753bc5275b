"""The only place that writes: tables for people, tab-separated rows for pipes, CSV and JSON on request."""

import csv
import json
import logging
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from io import TextIOWrapper
from typing import IO, Any, Literal, TypeAlias

from credly_cli import layout
from credly_cli.errors import Failure
from credly_cli.progress import Progress, ProgressBar
from credly_cli.text import Hint, as_json, is_web_address, spreadsheet_safe, visible

_Row: TypeAlias = Mapping[str, Any]  # what a listing shows, by the keys of its columns
Shown = Literal["always", "wide", "pipe"]  # a column that no row fills is left out of a table
_NARROW = 80
_WIDE = 110  # columns of a terminal from which ids and addresses fit beside the names

_MERE_DAY = "T00:00:00Z"  # how a day without a time is kept: not to shift where clocks are behind UTC
_UTC_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

_COLOURS = {"green": "32", "yellow": "33", "red": "31", "bold": "1", "dim": "2"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a listing: its title, the key of its value, and where it is shown."""

    title: str
    key: str
    shown: Shown = "always"
    kind: Literal["text", "time", "date"] = "text"
    link: str | None = None  # the key of the address that the text leads to, on a terminal that can
    colours: Mapping[str, str] = field(default_factory=dict)  # of a value, on a terminal
    whole: bool = False  # what a person copies is never broken: addresses, ids
    stays: bool = False  # shown also where no row fills it


@dataclass(slots=True)
class Output:
    """Standard output and standard error, and how the user wants them."""

    stdout: IO[str] = field(default_factory=lambda: _forgiving(sys.stdout))
    stderr: IO[str] = field(default_factory=lambda: _forgiving(sys.stderr))
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    as_json: bool = False
    quiet: bool = False
    verbose: int = 0
    colour: Literal["auto", "always", "never"] = "auto"
    pages: bool = True  # long lists go through a pager, on a terminal
    profile: str | None = None  # the one that the user named by its option
    _parts: list[tuple[IO[str], str]] | None = None  # of what is shown as one, each with where it goes without a pager
    unattended: str | None = None  # the command whose failure is one line that begins with its name, when quiet

    # The result

    def answer(self, result: object, render: Callable[[], object]) -> None:
        """Write a result: as JSON where scripts want it, else as ``render`` shows it to people."""
        if self.as_json:
            self.json(result)
        else:
            render()

    def json(self, value: object) -> None:
        """Write one value, or a record, as JSON."""
        json.dump(as_json(value, self.profile), self.stdout, indent=2 if self.stdout.isatty() else None)
        self.stdout.write("\n")

    def listing(
        self,
        columns: Sequence[Column],
        rows: Sequence[object],
        *,
        empty: Hint | str,
        as_csv: bool = False,
        piped: bool = True,
    ) -> None:
        """Write rows, records or mappings, in the form that fits where they go; ``empty`` is said of none.

        ``piped`` is whether a pipe gets all of these columns, so that a table names those that it leaves out.
        """
        if self.as_json:
            self.json(rows)
        elif as_csv:
            self._csv(columns, map(as_json, rows))
        elif not self.stdout.isatty():
            for row in map(as_json, rows):
                self.stdout.write("\t".join(visible(_cell(row, column)) for column in columns) + "\n")
        elif rows:
            self._table(columns, [as_json(row) for row in rows], piped=piped)
        else:
            self.note(empty)

    def confirm(self, sentence: str, colour: str | None = None) -> None:
        """Write a sentence that confirms a change."""
        if not self.quiet:
            self.print(sentence, colour)

    def print(self, sentence: str, colour: str | None = None) -> None:
        """Write a sentence that is the result, even when quiet."""
        if not self.as_json:
            text = self._lines(_shown(sentence, self.stdout), self.stdout)
            self._put(self._coloured(text, colour, self.stdout) + "\n")

    def item(self, mark: str, colour: str, label: str, sentence: str) -> None:
        """Write a sentence beside a mark and a label."""
        text = layout.beside(f"{mark} {label}", _shown(sentence, self.stdout), self._width())
        self._put(self._coloured(mark, colour, self.stdout) + text[len(mark) :] + "\n")

    def document(self, text: str) -> None:
        """Write a page or file as the result, as it is and in UTF-8, whatever the terminal's encoding."""
        buffer = getattr(self.stdout, "buffer", None)
        if buffer is None:
            self.stdout.write(text)
        else:
            self.stdout.flush()
            buffer.write(text.encode("utf-8", "replace"))

    # Beside the result

    def note(self, sentence: Hint | str) -> None:
        """Write a note, a hint or what to do next."""
        if not (self.quiet or self.as_json):
            text = self._lines(_shown(self._marked(sentence), self.stderr), self.stderr)
            text = self._coloured(text, "dim", self.stderr)
            if self._parts is not None and self.stderr.isatty():
                self._parts.append((self.stderr, f"{text}\n"))  # in its place among what goes through a pager
            else:
                self._aside(text)

    def warn(self, sentence: Hint | str) -> None:
        """Write a warning."""
        if not (self.quiet or self.as_json):
            self._aside(self._begun("Warning: ", "yellow", _shown(self._marked(sentence), self.stderr)))

    def failure(self, failure: Failure) -> None:
        """Write why it did not work, and the way out; when quiet, on one line."""
        hint = self._marked(failure.hint) if failure.hint else None
        if self.as_json:
            self.json({"error": failure})
        elif self.quiet and self.unattended:
            self.line(f"{self.unattended}: {failure.message}", failure.hint)
        else:  # who stopped it, or answered no, knows that it is no error
            start = "" if failure.code in ("interrupted", "declined") else "Error: "
            message = " ".join((failure.message, hint)) if self.quiet and hint else failure.message
            self._aside(self._begun(start, "red", visible(message)))
            if hint and not self.quiet:
                self._aside(self._lines(visible(hint), self.stderr))

    def line(self, sentence: Hint | str, hint: Hint | None = None) -> None:
        """Write the one line that cron reads, even when quiet."""
        if not self.as_json:
            sentences = [self._marked(sentence), *([self._marked(hint)] if hint else [])]
            self._aside(self._lines(visible(" ".join(sentences)), self.stderr))

    def record(self, value: object) -> None:
        """Write what must not get lost beside the result, as a line of JSON."""
        if not self.as_json:
            self._aside(json.dumps(as_json(value, self.profile)))

    def ask(self, question: str) -> None:
        """Write a question, whose answer comes on the same line."""
        self._aside(self._lines(visible(question), self.stderr), end="")

    def _aside(self, text: str, end: str = "\n") -> None:
        with suppress(OSError):  # nobody can be told that standard error cannot be written
            self.stderr.write(text + end)
            self.stderr.flush()

    def words(self, sentence: Hint | str) -> str:
        """Return a sentence with its commands, of the profile that the user named."""
        return Hint.of(sentence).text(self.profile)

    def _marked(self, sentence: Hint | str) -> str:
        """Return a sentence in which each command is marked as one thing."""
        return Hint.of(sentence).text(self.profile, layout.together)

    def _begun(self, start: str, colour: str, text: str) -> str:
        """Return lines whose first one begins with a word in colour."""
        lines = self._lines(start + text, self.stderr)
        return self._coloured(start, colour, self.stderr) + lines[len(start) :] if start else lines

    def _lines(self, text: str, stream: IO[str]) -> str:
        """Break a sentence into lines, between words, where a person reads it on a terminal."""
        if self.quiet or not stream.isatty():
            return layout.plain(text)
        return layout.wrapped(text, self._width(stream))

    @contextmanager
    def logging(self) -> Iterator[None]:
        """Write what the program logs while it works to standard error, as far as the user asked for it."""
        handler = _LogHandler(self)
        logger = logging.getLogger("credly_cli")
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(logging.NOTSET)

    def show_more(self, times: int) -> None:
        """Show steps, requests and grants on standard error, and decisions too when asked for twice."""
        self.verbose += times
        logging.getLogger("credly_cli").setLevel(logging.INFO if self.verbose == 1 else logging.DEBUG)

    @contextmanager
    def progress(self, title: str) -> Iterator[Progress]:
        """Show how far the block is, on a terminal."""
        shown = self.stderr.isatty() and not (self.quiet or self.as_json) and self.environ.get("TERM") != "dumb"
        progress = ProgressBar(self.stderr, self._width(), coloured=self._colours(self.stderr)) if shown else Progress()
        progress.step(title)
        try:
            yield progress
        finally:
            progress.close()

    # How

    @property
    def has_links(self) -> bool:
        """Whether a name in a table leads to its address."""
        return self.stdout.isatty() and self._colours(self.stdout)

    @property
    def is_wide(self) -> bool:
        """Whether addresses fit beside the names."""
        return self._width() >= _WIDE

    def _table(self, columns: Sequence[Column], rows: Sequence[_Row], *, piped: bool) -> None:
        filled = [column for column in columns if any(_cell(row, column) for row in rows) or column.stays]
        fitting = ("always", "wide") if self.is_wide or self._width() < layout.NARROW else ("always",)
        shown = [column for column in filled if column.shown in fitting]
        cells = [[layout.Cell(visible(_local(row, c)), self._style(row, c)) for c in shown] for row in rows]
        heads = [layout.Head(column.title, column.whole) for column in shown]
        text = layout.laid_out(heads, cells, self._width(), coloured=self._colours(self.stdout))
        if self._parts is None:
            self._write_long([(self.stdout, text)])
        else:
            self._put(text)
        left_out = [column.title for column in filled if column not in shown and column.title]
        if left_out and piped:
            self.note(f"Columns left out: {', '.join(left_out)}. --json has them, and a pipe.")

    def _write_long(self, parts: Sequence[tuple[IO[str], str]]) -> None:
        """Write parts of a text, through a pager where it is longer than the terminal."""
        height, text = self._height(), "".join(part for _, part in parts)
        if not self.pages or self.quiet or height is None or text.count("\n") < height or not self._page(text):
            for stream, part in parts:
                stream.write(part)
                stream.flush()  # a terminal shows both streams in their order

    @contextmanager
    def as_one(self) -> Iterator[None]:
        """Show several lists and sentences as one, which goes through a pager as a whole."""
        self._parts = []
        try:
            yield
        finally:
            parts, self._parts = self._parts, None
            self._write_long(parts)

    def _put(self, text: str) -> None:
        if self._parts is None:
            self.stdout.write(text)
        else:
            self._parts.append((self.stdout, text))

    def _height(self) -> int | None:
        """Return the lines of the terminal; ``None`` where there is none that a pager could use."""
        if not self.stdout.isatty() or self.environ.get("TERM") == "dumb":
            return None
        try:
            return os.get_terminal_size(self.stdout.fileno()).lines or None
        except (OSError, ValueError):
            return None

    def _page(self, text: str) -> bool:
        """Show a text in the pager that the user named; false where it cannot be started."""
        environ = {"LESS": "FRX", **os.environ, **self.environ}
        self.stdout.flush()
        try:
            command = shlex.split(self.environ.get("CREDLY_PAGER") or self.environ.get("PAGER") or "less")
            # the user's own choice of a program, as everywhere
            with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, env=environ) as pager:  # noqa: S603
                pager.communicate(text)  # one that ends early has been read enough of
        except (OSError, ValueError):
            return False
        return True

    def _width(self, stream: IO[str] | None = None) -> int:
        columns = self.environ.get("COLUMNS", "")
        if columns.isascii() and columns.isdigit() and int(columns) > 0:
            return int(columns)
        try:
            return os.get_terminal_size((stream or self.stdout).fileno()).columns or _NARROW
        except (OSError, ValueError):
            return _NARROW

    def _style(self, row: _Row, column: Column) -> str:
        if not self._colours(self.stdout):
            return ""
        address = row.get(column.link) if column.link else None
        return f"link {address}" if address and is_web_address(address) else column.colours.get(_cell(row, column), "")

    def _csv(self, columns: Sequence[Column], rows: Iterable[_Row]) -> None:
        self.stdout.write(",".join(column.key for column in columns) + "\n")
        # all quoted: where a semicolon separates cells, it could else begin a formula in the middle of one
        writer = csv.writer(self.stdout, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for row in rows:
            writer.writerow(spreadsheet_safe(_cell(row, column)) for column in columns)

    def _colours(self, stream: IO[str]) -> bool:
        if self.colour != "auto":
            return self.colour == "always"
        if self.environ.get("NO_COLOR") or self.environ.get("TERM") == "dumb":
            return False
        return bool(self.environ.get("FORCE_COLOR")) or stream.isatty()

    def _coloured(self, text: str, colour: str | None, stream: IO[str]) -> str:
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if colour and self._colours(stream) else text


class _LogHandler(logging.Handler):
    """Shows steps, requests and grants with -v, and decisions with -vv."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        if self._output.verbose:
            self._output.line(record.getMessage())


def _forgiving(stream: IO[str]) -> IO[str]:
    """Let a stream show what its encoding lacks as an escape, instead of ending the program."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream


def _shown(sentence: str, stream: IO[str]) -> str:
    """Make a sentence safe to show; on a terminal its times are local."""
    return visible(_with_local_times(sentence) if stream.isatty() else sentence)


def _with_local_times(text: str) -> str:
    """Write each UTC time of a text as a local one, which no line break goes through."""
    return _UTC_TIME.sub(lambda found: layout.together(local_time(found[0])), text)


def local_time(text: str) -> str:
    """Show a UTC time as a person at this machine reads it."""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M %Z")


def _cell(row: _Row, column: Column) -> str:
    value = row.get(column.key)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return str(value.get("title") or value.get("name") or value.get("email") or "")
    if isinstance(value, list):
        return "; ".join(_named(item) for item in value)
    return str(value)


def _named(item: object) -> str:
    return str(item.get("title") or item.get("name") or item["id"]) if isinstance(item, Mapping) else str(item)


def _local(row: _Row, column: Column) -> str:
    text = _cell(row, column)
    if not text or column.kind == "text":
        return _with_local_times(text)
    if not text[:1].isdigit():
        return text  # such as "never"
    if column.kind == "time":
        return local_time(text)
    return text[:10] if text.endswith(_MERE_DAY) else local_time(text)[:10]
