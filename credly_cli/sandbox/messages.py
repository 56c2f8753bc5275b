"""What goes in and out of the stand-in, apart from any transport: a request, an answer, how the answer ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Row = dict[str, Any]  # one JSON object as the API sends or receives it


class Ending(Enum):
    """What becomes of the connection once the answer is known."""

    WHOLE = "the whole answer arrives"
    DROPPED = "the connection is closed before a byte of the answer"
    RESET = "the connection is reset before a byte of the answer"
    UNREACHABLE = "there was no connection in the first place"
    HUNG_UP = "the whole answer arrives, then the connection is closed without a word"


@dataclass(frozen=True)
class Request:
    """One HTTP request; the names of its headers are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    origin: str = "https://sandbox.invalid"

    @classmethod
    def to_url(cls, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> "Request":
        """Build a request from a whole address."""
        parts = urlsplit(url)
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        origin = f"{parts.scheme}://{parts.netloc}"
        return cls(method, parts.path, parts.query, lowered, body, origin)

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The parameters of the query; of a repeated one the last."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def target(self) -> str:
        """The path with its query."""
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(frozen=True)
class Response:
    """An answer and how it reaches the client."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Ending = Ending.WHOLE
    cut_at: int | None = None  # so many bytes of the body arrive, then the connection closes
    delay: float = 0.0  # seconds between the work and the first byte of the answer
    pace: float = 0.0  # seconds between one byte of the body and the next
