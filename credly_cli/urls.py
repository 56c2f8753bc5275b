"""Addresses of Credly's API and of web pages, checked and brought into one form."""

import ipaddress
import re
from urllib.parse import urlsplit

from credly_cli.errors import Failure

PRODUCTION_URL = "https://api.credly.com/v1"
_OAUTH_PATH = "/oauth/token"
SANDBOX_URL = "https://sandbox-api.credly.com/v1"
_EXAMPLE = f"{PRODUCTION_URL} or {SANDBOX_URL}"
_RECORD_STORE = "https://lrs.example.com/xapi"
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*", re.ASCII)


def is_loopback(host: str) -> bool:
    """Tell an address of this machine, the only one where nobody else reads along without TLS."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def api_address(text: str) -> str:
    """Bring an address of Credly's API into one form, ``https://host/v1``; raises ``Failure``."""
    origin, path = _origin_and_path(text, "API")
    if path not in ("", "/v1", "/api/v1"):
        raise _no_address("may end in nothing, /v1 or /api/v1")
    return f"{origin}{path or '/v1'}"


def oauth_address(text: str) -> str:
    """Bring the address that gives access tokens into one form; raises ``Failure``."""
    origin, path = _origin_and_path(text, "OAuth")
    return f"{origin}{path or _OAUTH_PATH}"


def record_store_address(text: str) -> str:
    """Bring the address of a learning record store into one form, which ``/statements`` follows; raises ``Failure``."""
    origin, path = _origin_and_path(text, "lms.xapi.endpoint", _RECORD_STORE)
    return f"{origin}{path.removesuffix('/statements')}"


def oauth_url_of(api_url: str) -> str:
    """Return the address that gives access tokens for an address of the API."""
    parts = urlsplit(api_url)
    if parts.hostname == urlsplit(PRODUCTION_URL).hostname:
        return f"https://www.credly.com{_OAUTH_PATH}"
    return f"{parts.scheme}://{parts.netloc}{_OAUTH_PATH}"


def _origin_and_path(text: str, name: str, example: str = _EXAMPLE) -> tuple[str, str]:
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _no_address("is not an address", name, example) from None
    if "@" in parts.netloc:  # not repeated: it may hold a password
        raise _no_address("must not hold a user name or password", name, example)
    if parts.scheme not in ("https", "http") or not _HOST.fullmatch(host) or parts.query or parts.fragment:
        raise _no_address("must be https://, a host, and nothing but a path", name, example)
    if parts.scheme == "http" and not is_loopback(host):
        raise _no_address("must start with https://; http:// is for this machine only", name, example)
    shown = f"[{host}]" if ":" in host else host
    usual = port in (None, {"https": 443, "http": 80}[parts.scheme])
    return f"{parts.scheme}://{shown}{'' if usual else f':{port}'}", parts.path.rstrip("/")


def _no_address(reason: str, name: str = "API", example: str = _EXAMPLE) -> Failure:
    hint = f"For example: {example}"
    return Failure("config-invalid", f"The {name} address {reason}.", hint=hint)
