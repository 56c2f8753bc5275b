"""The high-volume search, which reads all issued badges in one go, and the look at a single one."""

from collections.abc import Iterator
from urllib.parse import quote, urljoin

from credly_cli.credly.client import Client
from credly_cli.credly.records import IssuedBadge, UnreadableRecordError, issued_badge_from
from credly_cli.http.response import CredlyFailure

_NOT_OFFERED = (403, 404)
_NOT_FOUND = 404


class NoSearchError(Exception):
    """The organization or the token does not have the high-volume search."""


def search_issued_badges(client: Client) -> Iterator[list[IssuedBadge]]:
    """Read every issued badge, page by page; whoever gets to the end has read them all.

    Raises ``NoSearchError`` where the search is not offered, ``Failure`` when it cannot be read to its end.
    """
    address = f"/organizations/{quote(client.organization_id, safe='')}/high_volume_issued_badge_search"
    parameters: dict[str, str | int] | None = {"badge_format": "default"}
    found = set[str]()
    while True:
        rows, further = _page(client, address, parameters, first=not found)
        yield rows
        if further is None:
            return
        known = len(found)
        found |= {badge.id for badge in rows}
        if len(found) == known:  # the same again, or nothing: such pages have no end
            raise _unreadable("a page brings nothing new, and yet says that more follows")
        if not isinstance(further, str) or not further or not client.http.same_origin(further):
            raise _unreadable("a page leads to another host")
        address, parameters = urljoin(client.http.api_url, further), None


def _page(
    client: Client, address: str, parameters: dict[str, str | int] | None, *, first: bool
) -> tuple[list[IssuedBadge], object]:
    try:
        answer = client.http.get(address, parameters).json
    except CredlyFailure as failure:
        if first and failure.status in _NOT_OFFERED:
            raise NoSearchError from None
        raise
    rows, metadata = answer.get("data"), answer.get("metadata")
    if not isinstance(rows, list) or not isinstance(metadata, dict) or "next_page_url" not in metadata:
        raise _unreadable("a page does not say what follows")
    try:
        return [issued_badge_from(row) for row in rows], metadata["next_page_url"]
    except UnreadableRecordError as error:
        raise _unreadable(f"a row cannot be read ({error})") from None


def _unreadable(reason: str) -> CredlyFailure:
    return CredlyFailure(
        "server-error",
        f"Credly's search of issued badges is incomplete: {reason}.",
        None,
        "Nothing old is issued without it. The next sync reads it again.",
    )


def issued_badge(client: Client, badge_id: str) -> IssuedBadge | None:
    """Read one issued badge, ``None`` if Credly has none of this id. Raises ``Failure``."""
    address = f"/organizations/{quote(client.organization_id, safe='')}/badges/{quote(badge_id, safe='')}"
    try:
        return issued_badge_from(client.http.get(address).json.get("data"))
    except UnreadableRecordError:
        return None
    except CredlyFailure as failure:
        if failure.status == _NOT_FOUND:
            return None
        raise
