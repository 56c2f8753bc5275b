"""What `credly sync` reads an LMS from: a source yields batches of records, and remembers where it left off.

How a new one is written is in ``docs/how-to-write-a-source.md``.
"""

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from credly_cli.config import Settings
from credly_cli.configured_values import SourceName
from credly_cli.errors import Failure
from credly_cli.import_options import FileEntry, Kind
from credly_cli.lms.records import Reading, Records, Reject, Understood
from credly_cli.signals import Interruption
from credly_cli.times import Clock, Deadline
from credly_cli.token import Token, read_private_file

if TYPE_CHECKING:
    from credly_cli.http.session import Adapter


class Part(NamedTuple):
    """Records of one kind."""

    kind: Kind
    records: Records
    name: str = "The LMS"  # what they came from, for messages
    file: Path | None = None  # ... if it was a file: its rejected rows are written beside it
    is_news: Callable[[Reject], bool] = lambda _: True  # whether a rejected row is not reported yet
    entry: FileEntry | None = None  # of the configuration, where it was a file ...
    understood: Understood | None = None  # ... and how that was understood, once its records are read
    options_bookmark: str | None = None  # the bookmark that is to say with which options rows of it were rejected
    keeps: bool = False  # of progress: what is of content or people who are not known is kept, and tried again
    sessions_move: bool = False  # of content: the list says where sessions belong, also those that were elsewhere


@dataclass(slots=True)
class Batch:
    """What is taken into the store at once, all of it or nothing, together with where to go on.

    ``bookmarks`` may be filled in while the records are read; ``None`` forgets a bookmark. ``problem`` is what the
    source could not read and a person should know; one that ``lasts`` is reported in each run, until it is gone.
    ``given_no_more`` is content that was given to panoramas or sublicenses, and that no record of access will name any
    more. ``warnings`` are shown once, and need nobody.
    """

    parts: Iterator[Part]
    bookmarks: MutableMapping[str, str | None] = field(default_factory=dict)
    problem: Failure | None = None
    lasts: bool = False
    given_no_more: Set[str] = frozenset()
    warnings: Sequence[str] = ()


class Known(Protocol):
    """What the store has already, so that a source need not ask for it."""

    def content(self, identity: str) -> bool:
        """Tell whether there is content or a session of this id."""
        ...

    def learner(self, learner_id: str | None, email: str | None) -> bool:
        """Tell whether there is a learner of this id or address whose names are known."""
        ...

    def linked(self) -> Mapping[str, str]:
        """Return the content that a badge is linked to: title by id."""
        ...

    def titled(self, title: str) -> Sequence[str]:
        """Return the ids of content with a title, without regard to case."""
        ...


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What a source may use: configuration, clock (UTC) and network, and when it is to end."""

    settings: Settings
    reading: Reading
    clock: Clock
    environ: Mapping[str, str] = field(default_factory=dict)
    adapter: "Adapter | None" = None  # a requests transport adapter, in place of the network
    deadline: Deadline | None = None  # of the run
    interruption: Interruption | None = None  # once set, nothing more is read

    def secret(self, source: SourceName, words: "SecretWords", check: Callable[[str, str], Token]) -> Token:
        """Read a source's secret from the environment, else from its file; raises ``Failure``, without repeating it.

        ``check`` makes a token of the text that is found; its second argument says where that was.
        """
        path = self.settings.lms.secret_files[source].path
        try:
            if found := self._of_environment(source):
                return check(found, "CREDLY_LMS_TOKEN")
            if path:
                file = Path(self.settings.folder, Path(path).expanduser())
                return check(read_private_file(file), f"the {words.file} {file}")
        except Failure as failure:
            code = failure.code if failure.code == "config-invalid" else "lms-token-refused"
            raise Failure(code, failure.message, hint=failure.hint or words.hint) from None
        raise Failure("lms-token-refused", words.missing, hint=words.hint)

    def _of_environment(self, source: SourceName) -> str | None:
        """Return the secret of the environment for a source, ``None`` where there is none.

        It is of one source: of several with secrets, those without a file; of two such raises ``Failure``.
        """
        found, files = self.environ.get("CREDLY_LMS_TOKEN"), self.settings.lms.secret_files
        secret = [name for name in self.settings.lms.sources if name in files]
        if found is None or len(secret) <= 1:
            return found
        without = [name for name in secret if not files[name].path]
        if len(without) > 1:
            message = f"CREDLY_LMS_TOKEN is one secret, and the sources {' and '.join(without)} need one each."
            keys = ", ".join(file.key for name, file in files.items() if name in without)
            raise Failure("config-invalid", message, hint=f"Name their files: {keys}.")
        return found if without == [source] else None


class SecretWords(NamedTuple):
    """What messages call a source's secret."""

    file: str  # such as "token file"
    missing: str  # a sentence
    hint: str


class Source(Protocol):
    """An LMS, or what it exports."""

    def batches(self, bookmarks: Mapping[str, str], known: Known) -> Iterator[Batch]:
        """Read what is new since the bookmarks, in pieces; with none, read everything.

        Between two batches the bookmarks of the first are stored already, and ``bookmarks`` shows them.
        """
        ...
