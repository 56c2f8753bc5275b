"""One page of a list, its ``metadata``, and what can be wrong with both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from credly_cli.sandbox.faults import Switches
from credly_cli.sandbox.messages import Request, Row

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """The rows of one page and what is said about them."""

    rows: Sequence[T]
    metadata: Row


def cut_page(rows: Sequence[T], request: Request, switches: Switches) -> Page[T]:
    """Return the page that the request asks for."""
    number = _whole_number(request.parameters.get("page"), 1)
    size = switches.page_size
    if switches.per_is_honoured:
        size = min(size, _whole_number(request.parameters.get("per"), size))
    total_pages = max(1, -(-len(rows) // size))
    shown = {"repeated": 1, "endless": (number - 1) % total_pages + 1}.get(switches.page_trouble, number)
    chunk = rows[(shown - 1) * size : shown * size]
    if switches.page_trouble == "short":
        chunk = chunk[:-1]
    if switches.page_trouble == "endless":
        total_pages = number + 1
    metadata = {
        "count": len(chunk),
        "current_page": number,
        "total_count": len(rows) + switches.total_count_off_by,
        "total_pages": total_pages,
        "per": size,
        "previous_page_url": _page_url(request, switches, number - 1) if number > 1 else None,
        "next_page_url": _page_url(request, switches, number + 1) if number < total_pages else None,
    }
    return Page(chunk, metadata)


def enveloped(rows: list[Row], metadata: Row, switches: Switches) -> Row:
    """Return a list as it is answered."""
    if switches.list_metadata == "missing":
        return {"data": rows}
    return {"data": rows, "metadata": {"full": metadata, "null": None, "empty": {}}[switches.list_metadata]}


def address(request: Request, parameters: dict[str, str]) -> str:
    """Return the address of this request's path with other parameters; links are always under ``/api/v1``."""
    path = "/api/v1/" + request.path.strip("/").removeprefix("api/").removeprefix("v1/").removesuffix(".json")
    return f"{request.origin}{path}?{urlencode(parameters)}"


def _page_url(request: Request, switches: Switches, number: int) -> str:
    kept = request.parameters if switches.next_page_keeps_filter else {}
    return address(request, {name: value for name, value in kept.items() if name != "page"} | {"page": str(number)})


def _whole_number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and int(text) > 0 else otherwise  # invented
