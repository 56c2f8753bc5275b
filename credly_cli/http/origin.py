"""Where an address really leads: two parsers stand between it and a connection, and they must be of one mind."""

import re
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.util import parse_url

Origin = tuple[str, str, int | None]
_PORTS = {"https": 443, "http": 80}
_ODD = re.compile(r"[\x00-\x20\x7f\\]")  # what one parser drops or turns, and another does not


def origin_of_link(base: str, link: object) -> Origin | None:
    """Return the origin that a link of an answer leads to; ``None`` for what is no link, or not a clear one."""
    if not isinstance(link, str):
        return None
    request = requests.PreparedRequest()
    try:
        request.prepare_url(urljoin(base, link), None)
    except (requests.RequestException, ValueError):
        return None
    return None if _ODD.search(link) else origin_of(request)


def origin_of(request: requests.PreparedRequest) -> Origin | None:
    """Return the origin that a prepared request goes to; ``None`` where it is not clear, or names a user."""
    address = request.url or ""
    try:
        ours, theirs = urlsplit(address), parse_url(address)
        origin = ours.scheme, ours.hostname or "", ours.port
    except ValueError:
        return None
    if "@" in ours.netloc or origin != (theirs.scheme, (theirs.host or "").strip("[]"), theirs.port):
        return None
    return *origin[:2], ours.port or _PORTS.get(ours.scheme)
