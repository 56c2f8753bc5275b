"""How the stand-in behaves where Credly is not known, or is known to vary."""

from dataclasses import dataclass
from typing import Literal


@dataclass
class Switches:
    """How the stand-in behaves where Credly is not known, or is known to vary."""

    bare_token: bool = False  # take Basic base64(token), without the colon
    oauth_seconds: int = 7200  # for which an access token is good
    oauth_status: int | None = None  # what /oauth/token answers instead of working
    next_page_keeps_filter: bool = True
    filter_ignored: bool = False
    filter_keys_ignored: frozenset[str] = frozenset()
    unknown_filter_key: Literal["ignored", "refused"] = "ignored"
    list_metadata: Literal["full", "null", "missing", "empty"] = "full"
    page_size: int = 50
    per_is_honoured: bool = False  # take ``per``, up to the page size
    badges_newest_first: bool = False
    email_filter_minds_case: bool = False
    search_status: int | None = None  # what the high-volume search answers instead of working
    search_page_size: int = 1000  # invented
    list_lag: float = 0.0  # seconds until a new badge shows in lists and in the search
    tokens_status: int | None = None  # what the list of tokens answers instead of working
    foreign_organization_status: int = 404  # invented: 403 or 404
    revoked_blocks: bool = False  # does a revoked badge stand in the way of issuing again?
    rejected_blocks: bool = True
    auto_accept: bool = False  # known users accept by themselves
    batch_limit: int = 50
    rate_limit: int | None = None  # requests a second
    rate_limit_retry_after: str | None = "1"
