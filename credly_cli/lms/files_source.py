"""Nightly exports: files that match the configuration's paths and globs, each taken once.

What was taken is remembered by its content: whatever it is called now, and however often it is copied or touched, it is
not taken twice. Only where a path has told something else meanwhile does the same content say something again. A file
that was modified just now may still be being written: it is waited for, and left to the next run if it goes on changing
or ends within a row. One that vanished meanwhile is no error; one that cannot be opened, or is no such file, is
reported until it can be taken, or is gone. What lasts is said by each run (R33): such files, an entry that nothing
matches, one whose newest file is old, and one that brought completions before and now brings rows without any.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from credly_cli.config import Settings
from credly_cli.errors import ErrorCode, Failure, invalid_configuration
from credly_cli.files import matching
from credly_cli.import_options import FileEntry, Kind, check_date_format, options_of
from credly_cli.lms.columns import check_mapping
from credly_cli.lms.reader import open_file
from credly_cli.lms.records import Reading, Records, Understood
from credly_cli.lms.rejects import is_rejects_file
from credly_cli.lms.source import Batch, Known, Part, SourceContext
from credly_cli.text import Command, Hint, counted
from credly_cli.times import Deadline, from_utc_text, read_zone, utc_text

_ORDER: tuple[Kind, ...] = ("learners", "content", "access", "progress")
_SETTLED_SECONDS = 2.0  # a file that was not modified for so long is not being written ...
_FINISHED_SECONDS = 60.0  # ... nor one that ends within a row and was not for so long
_REMEMBERED = 5000  # contents of a kind, besides those whose files are still there
_PREFIX = "file"
_NOTED_EVERY = timedelta(hours=1)  # that an entry matches
_MAX_AGE = "If it may rest so long: max_age_days = N in config.toml, under [lms] or for this path; 0 is never."


_Stamp = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    size: int
    modified: int  # nanoseconds
    digest: str = ""
    entry: FileEntry = field(default_factory=lambda: FileEntry(""))  # of the configuration

    @property
    def stamp(self) -> _Stamp:
        return str(self.path), self.size, self.modified


class _Taken:
    """Digests of the files of one kind that were imported, each with its place in their order and its path."""

    def __init__(self, kind: Kind, bookmarks: Mapping[str, str]) -> None:
        self._prefix = f"{_PREFIX}:{kind}:"
        self._contents: dict[str, tuple[int, _Stamp]] = {}
        for name, value in bookmarks.items():
            if name.startswith(self._prefix):
                number, path, size, modified = json.loads(value)
                self._contents[name.removeprefix(self._prefix)] = number, (path, size, modified)
        in_order = sorted(self._contents.items(), key=lambda item: item[1])
        self._stamps = {stamp for _, (_, stamp) in in_order}
        self._last = {stamp[0]: digest for digest, (_, stamp) in in_order}  # of each path
        self._number = max((number for number, _ in self._contents.values()), default=0)

    def has(self, file: _File) -> bool:
        """Tell whether this very file was taken."""
        return file.stamp in self._stamps

    def says(self, file: _File) -> bool:
        """Tell whether a file's content was taken and is still what its path said last, or is older than that."""
        last = self._last.get(str(file.path))
        if file.digest not in self._contents:
            return False
        return last is None or last == file.digest or file.modified <= self._contents[last][1][2]

    def note(self, file: _File) -> dict[str, str | None]:
        """Note that a file is taken; returns the bookmark."""
        self._number += 1
        self._contents[file.digest] = self._number, file.stamp
        self._stamps.add(file.stamp)
        self._last[str(file.path)] = file.digest
        return {self._prefix + file.digest: json.dumps([self._number, *file.stamp])}

    def forget(self, there: Iterable[Path]) -> dict[str, str | None]:
        """Return the bookmarks of what was taken long ago from files that are gone."""
        paths = set(map(str, there))
        oldest = sorted(self._contents, key=lambda digest: self._contents[digest][0])[:-_REMEMBERED]
        return {self._prefix + digest: None for digest in oldest if self._contents[digest][1][0] not in paths}


def check_entries(settings: Settings) -> None:
    """Refuse options of configured files that no file can be read with; raises ``Failure``."""
    for kind in _ORDER:
        for entry in settings.lms.files.of(kind):
            try:
                check_mapping(kind, entry.map)
                check_date_format(entry.date_format)
            except Failure as failure:
                problem, hint = (
                    str(text).replace("--date-format", "date_format =") for text in (failure, failure.hint)
                )
                message = f"In lms.files.{kind}, {entry.path}: {problem}"
                raise Failure("config-invalid", message, hint=hint) from None


class FilesSource:
    """Reads the files that the configuration names and that are new."""

    def __init__(self, context: SourceContext) -> None:
        self._context = context
        self._entries = {kind: context.settings.lms.files.of(kind) for kind in _ORDER}

    @classmethod
    def configured(cls, context: SourceContext) -> "FilesSource":
        """Make the source that the configuration describes; raises ``Failure`` where it names no file."""
        source = cls(context)
        if not any(source._entries.values()):
            message = "In the configuration, lms.source is files, and nothing is named under lms.files."
            raise invalid_configuration(message, 'For example: progress = ["exports/progress*.csv"]')
        return source

    def batches(self, bookmarks: Mapping[str, str], _known: Known) -> Iterator[Batch]:
        """Read what is new or changed, a file a batch, the oldest first."""
        stored = dict(bookmarks)
        for kind in _ORDER:
            files, taken = self._files(kind), _Taken(kind, stored)
            for file in files:
                yield from self._read(kind, file, taken, stored)
            if forgotten := taken.forget(file.path for file in files):
                yield Batch(iter(()), forgotten)
            for entry in self._entries[kind]:
                yield from self._conditions(kind, entry, [file for file in files if file.entry is entry], bookmarks)

    def _files(self, kind: Kind) -> list[_File]:
        """Return the files of a kind, the oldest first; one that several entries match is of the first of them."""
        folder = self._context.settings.folder
        found: dict[Path, FileEntry] = {}
        for entry in self._entries[kind]:
            whole = str(Path(folder, Path(entry.path).expanduser()))
            for path in self._matching(entry.path, whole):
                found.setdefault(path, entry)
        files = [_seen(path, entry) for path, entry in found.items() if not is_rejects_file(path)]
        return sorted(filter(None, files), key=lambda file: (file.modified, file.path))

    def _conditions(
        self, kind: Kind, entry: FileEntry, files: Sequence[_File], bookmarks: Mapping[str, str]
    ) -> Iterator[Batch]:
        """Say what has come to a standstill at an entry, and note when it last matched a file."""
        seen = f"seen:{kind}:{entry.path}"
        now, last = self._context.clock.now(), bookmarks.get(seen)
        limit = self._limit(entry) if kind == "progress" else timedelta.max
        if files:
            if last is None or now - from_utc_text(last) > _NOTED_EVERY:
                yield Batch(iter(()), {seen: utc_text(now)})
            age = timedelta(seconds=now.timestamp() - max(file.modified for file in files) / 1e9)
            if age > limit:
                message = f"The newest file of {entry.path} is {counted(age.days, 'day')} old."
                yield _problem("lms-stale", message, Hint(f"See whether the export still runs. {_MAX_AGE}"))
        elif last is None:
            hint = Hint(f"See whether the export has run, and correct the path in config.toml, under lms.files.{kind}.")
            yield _problem("lms-file-missing", f"No file matches {entry.path}, and none ever did.", hint)
        elif now - from_utc_text(last) > limit:
            message = f"No file has matched {entry.path} since {last[:10]}."
            yield _problem("lms-file-missing", message, Hint(f"See whether the export still runs. {_MAX_AGE}"))
        if file := bookmarks.get(f"barren:{entry.path}") if kind == "progress" else None:
            message = f"{entry.path} brought completions before, and {file} has rows without any."
            look = Command("import", "progress", file, "--dry-run")
            then = f". Then in config.toml, {_place(kind)}: map = ..."
            yield _problem("lms-stale", message, Hint("See which columns it has:", look, then))

    def _limit(self, entry: FileEntry) -> timedelta:
        days = self._context.settings.lms.max_age_days if entry.max_age_days is None else entry.max_age_days
        return timedelta(days=days) if days else timedelta.max

    def _matching(self, pattern: str, whole: str) -> list[Path]:
        deadline = self._context.deadline or Deadline(self._context.clock)
        interruption = self._context.interruption
        try:
            return matching(whole, lambda: 0 if interruption and interruption.is_set() else deadline.remaining())
        except TimeoutError:
            if interruption and interruption.is_set():
                raise interruption.failure() from None
            message = f"Time was up before all that {pattern} matches was found."
            hint = Hint("Name a smaller folder, or see whether its disk answers.")
            raise Failure("unreachable", message, hint=hint) from None

    def _read(self, kind: Kind, listed: _File, taken: _Taken, bookmarks: Mapping[str, str]) -> Iterator[Batch]:
        """Read a file, unless it was taken, vanished, or is still being written.

        One with rejected rows, or of progress without a completion, is read again when the options of its entry are
        others.
        """
        path = listed.path
        file = _seen(path, listed.entry)
        if file is None:
            return
        is_to_retry = bookmarks.get(_options_bookmark(kind, file)) not in (None, options_of(file.entry))
        if taken.has(file) and not is_to_retry:
            return
        try:
            if not self._is_written(file):
                return
            file = replace(file, digest=_digest_of(path))
        except FileNotFoundError:
            return
        except OSError as error:
            hint = Hint("Give this user the right to read it.")
            yield _problem("lms-file-refused", f"{path} cannot be opened: {error.strerror}.", hint)
            return
        if (taken.says(file) and not is_to_retry) or not _is_still(file):
            return
        yield from self._batches(kind, file, taken)

    def _is_written(self, file: _File) -> bool:
        age = self._context.clock.now().timestamp() - file.modified / 1e9
        if 0 <= age < _SETTLED_SECONDS:
            self._context.clock.sleep(_SETTLED_SECONDS - age)
        return _is_still(file) and (not 0 <= age < _FINISHED_SECONDS or _ends_with_a_row(file.path))

    def _batches(self, kind: Kind, file: _File, taken: _Taken) -> Iterator[Batch]:
        """Yield a file as a batch; it stays open until the batch is taken."""
        understood = Understood()
        with ExitStack() as opened:
            try:
                reading = _reading(self._context.reading, file.entry)
                records = opened.enter_context(open_file(kind, file.path, reading, understood))
            except Failure as failure:
                if file.path.exists():
                    yield _problem("lms-file-refused", failure.message, in_configuration(kind, failure.hint))
                return
            part = Part(
                kind, _refusing(kind, records), file.path.name, file.path, entry=file.entry, understood=understood,
                options_bookmark=_options_bookmark(kind, file),
            )  # fmt: skip
            yield Batch(iter([part]), taken.note(file))


def _refusing(kind: Kind, records: Records) -> Records:
    """Yield records; what shows further down that they are no such file is said as of the whole file."""
    try:
        yield from records
    except Failure as failure:
        raise Failure("lms-file-refused", failure.message, hint=in_configuration(kind, failure.hint)) from failure


def _reading(reading: Reading, entry: FileEntry) -> Reading:
    """Return how the files of an entry are read."""
    return reading._replace(
        zone=read_zone(entry.timezone) if entry.timezone else reading.zone,
        date_format=entry.date_format,
        mapping=entry.map,
        values=entry.values,
        header_line=entry.header_line,
    )


def _options_bookmark(kind: Kind, file: _File) -> str:
    return f"again:{kind}:{file.path}"


def _place(kind: Kind) -> str:
    return f"under [[lms.files.{kind}]]"


# An option of `import`, as the key of a table of the configuration has it.
_OPTION = re.compile(
    r"--map (?P<column>\w+)=(?P<header>'[^']*'|\S+?)(?=[.,]?(?:\s|$))"
    r"|--value (?P<of>\w+):(?P<word>'[^']*'|\S+)=(?P<means>\w+)"
    r"|--date-format(?: (?P<form>%.*?))?(?=[.]?$| )|--header-line (?P<line>\d+)|--id (?P<id>\S+)=(?P<who>\w+)"
)


def in_configuration(kind: Kind, hint: Hint | None) -> Hint | None:
    """Say a hint that names options of `import` as what to write into the configuration."""
    if hint is None:
        return None
    words = str(hint)
    keys = _OPTION.sub(_as_key, words)
    return hint if keys == words else Hint(f"{keys.rstrip('.')}. (In config.toml, {_place(kind)}.)")


def _as_key(found: re.Match[str]) -> str:
    named = found.groupdict()
    if named["column"]:
        return f'map = {{{named["column"]} = "{named["header"].strip(chr(39))}"}}'
    if named["of"]:
        return f'values = {{{named["of"]} = {{"{named["word"].strip(chr(39))}" = "{named["means"]}"}}}}'
    if named["line"]:
        return f"header_line = {named['line']}"
    if named["id"]:
        return f'ids = {{"{named["id"]}" = "{named["who"]}"}}'
    return f'date_format = "{named["form"] or "..."}"'


def _seen(path: Path, entry: FileEntry) -> _File | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return _File(path, status.st_size, status.st_mtime_ns, entry=entry)


def _is_still(file: _File) -> bool:
    now = _seen(file.path, file.entry)
    return now is not None and now.stamp == file.stamp


def _ends_with_a_row(path: Path) -> bool:
    """Tell whether a file ends with a line, or with the bracket that ends JSON."""
    with path.open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - 2))
        return stream.read().rstrip(b"\0")[-1:] in (b"\n", b"\r", b"]", b"}")  # UTF-16 has a zero beside it


def _digest_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _problem(code: ErrorCode, message: str, hint: Hint | None) -> Batch:
    return Batch(iter(()), problem=Failure(code, message, hint=hint))
