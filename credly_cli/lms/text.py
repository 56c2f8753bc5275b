"""The bytes of an export as text: whatever its encoding, in pieces, so that memory does not grow with the file.

UTF-8 and UTF-16 are read, with or without a mark, packed by gzip or not. Other encodings are not guessed, since a
wrong guess would write wrong names on badges: bytes that are no UTF-8 become ``UNREADABLE``, and whoever reads the
rows rejects those that hold it and takes the others. What is no text at all is refused as a whole.
"""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from credly_cli.errors import Failure

UNREADABLE = "\udc80"  # a lone surrogate: no text can hold it
OVERLONG = "\0\udc81"  # stands for a line too long to be kept in memory
MAX_FIELD = 1 << 20
_MAX_LINE = 4 * MAX_FIELD
_PIECE = 1 << 16

_BINARIES = (
    (b"PK\x03\x04", "a zip archive"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"SQLite format 3\0", "a database"),
    (b"BZh", "a bzip2 archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"PAR1", "a Parquet file"),
)
_SAVE_AS_CSV = "Save it as CSV (UTF-8), or export JSON Lines, and import that."

codecs.register_error("credly_cli.unreadable", lambda error: (UNREADABLE, getattr(error, "end", 0)))


class DamagedFileError(Failure):
    """A file that cannot be read to its end. What came before may be taken already, so say so with the rows."""

    def __init__(self, what: str) -> None:
        super().__init__("import-rejected", f"{what}.", hint="Fetch it again.")
        self.what = what


class Text:
    """The text of one file, read once, front to back."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.name = name
        self.suspicious = False  # becomes true when something so far was no text: then rows need a look
        self._stream = stream

    def pieces(self) -> Iterator[str]:
        """Yield the text in pieces of some 64 KB, as they come."""
        try:
            yield from self._decoded()
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise DamagedFileError(f"{self.name} is a gzip file that is damaged or cut off") from None
        except OSError as error:
            raise DamagedFileError(f"{self.name} cannot be read: {error.strerror or error}") from None

    def lines(self, pieces: Iterator[str]) -> Iterator[str]:
        """Yield the text of ``pieces`` in lines with their ends (LF, CRLF or CR)."""
        rest = ""
        for piece in pieces:
            text = rest + piece
            end = max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1  # a CR at the very end may be half of a CRLF
            if end:
                yield from io.StringIO(text[:end], newline="")
            rest = self._shortened(text[end:])
        yield from io.StringIO(rest, newline="")

    def _shortened(self, line: str) -> str:
        """Drop what is too long to be kept, and leave a mark that rejects the row."""
        if len(line) <= _MAX_LINE:
            return line
        self.suspicious = True
        return OVERLONG

    def _decoded(self) -> Iterator[str]:
        head, stream = _unpacked(self._stream)
        _refuse_binary(head, self.name)
        decoder = codecs.getincrementaldecoder(_encoding_of(head))("credly_cli.unreadable")
        piece = head
        while piece:
            yield self._checked(decoder.decode(piece))
            piece = stream.read(_PIECE)
        yield self._checked(decoder.decode(b"", final=True))

    def _checked(self, text: str) -> str:
        if "\0" in text or not _is_text(text):
            self.suspicious = True
        return text


def complaint(text: str) -> str | None:
    """Say what is wrong with a value that is no text, or ``None`` if it is fine."""
    if OVERLONG in text:
        return "is too long"
    if UNREADABLE in text:
        return 'is not UTF-8: save the file as "CSV UTF-8" and import it again'
    return "holds a character that is no text" if "\0" in text or not _is_text(text) else None


def _is_text(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        size = len(buffer)
        data, self._head = self._head[:size], self._head[size:]
        data = data or self._rest.read(size) or b""
        buffer[: len(data)] = data
        return len(data)


def _unpacked(stream: BinaryIO) -> tuple[bytes, BinaryIO]:
    head = _head_of(stream)
    if not head.startswith(b"\x1f\x8b"):
        return head, stream
    packed = io.BufferedReader(_Rejoined(head, stream))
    unpacked = io.BufferedReader(gzip.GzipFile(fileobj=packed, mode="rb"))
    return _head_of(unpacked), unpacked


def _head_of(stream: BinaryIO) -> bytes:
    head = stream.read(_PIECE) or b""
    while 0 < len(head) < 4 and (more := stream.read(_PIECE)):  # noqa: PLR2004 - a mark has up to four bytes
        head += more
    return head


def _refuse_binary(head: bytes, name: str) -> None:
    for magic, what in _BINARIES:
        if head.startswith(magic):
            if magic[:2] == b"PK" and (b"xl/" in head or b"[Content_Types]" in head):
                what = "an Excel workbook"  # noqa: PLW2901 - the same thing, said better
            raise Failure("import-rejected", f"{name} is {what}, not a text file.", hint=_SAVE_AS_CSV)


def _encoding_of(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    sample = head[:64]
    if len(sample) >= 4 and any(sample):  # noqa: PLR2004
        if not any(sample[1::2]) and all(sample[0::2]):
            return "utf-16-le"
        if not any(sample[0::2]) and all(sample[1::2]):
            return "utf-16-be"
    return "utf-8-sig"
