"""How the stand-in behaves where Credly is not known, or is known to vary."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["taken", "refused"]


@dataclass
class Switches:
    """How the stand-in behaves where Credly is not known, or is known to vary."""

    # Who may ask
    bare_token: bool = False  # take Basic base64(token), without the colon
    oauth_seconds: int = 7200  # for which an access token is good
    oauth_status: int | None = None  # what /oauth/token answers instead of working
    organizations_status: int | None = None  # what the list of organizations answers instead of working
    foreign_organization_status: int = 404  # invented: 403 or 404
    tokens_status: int | None = None  # what the list of tokens answers instead of working
    tokens_shown: Literal["whole", "masked", "without-value"] = "whole"
    own_token_listed: bool = True  # is the token that asks in its list?
    error_bodies: Literal["json", "html", "empty"] = "json"  # of 401, 403, 404 and 429

    # Lists
    next_page_keeps_filter: bool = True
    links_to: str | None = None  # origin and prefix of links, such as "https://www.credly.com/api/v1"; else the asked
    filter_ignored: bool = False
    filter_keys_ignored: frozenset[str] = frozenset()
    filter_keys_refused: frozenset[str] = frozenset()
    unknown_filter_key: Literal["ignored", "refused"] = "ignored"
    sort_status: int | None = None  # what a list of issued badges answers where ``sort`` is asked for
    list_metadata: Literal["full", "null", "missing", "empty", "no-pages", "no-totals"] = "full"
    page_size: int = 50
    per_is_honoured: bool = False  # take ``per``, up to the page size
    badges_newest_first: bool = False
    email_filter_minds_case: bool = False
    list_grows: bool = False  # somebody else issues a badge after each page of issued badges but the last
    list_lag: float = 0.0  # seconds until a new badge shows in lists and in the search
    search_status: int | None = None  # what the high-volume search answers instead of working
    search_links: bool = True  # does the search tell its next page?
    search_page_size: int = 1000  # invented

    # Issuing
    revoked_blocks: bool = False  # does a revoked badge stand in the way of issuing again?
    rejected_blocks: bool = True
    duplicates_mind_case: bool = False  # is the address in another case somebody else's?
    duplicate_status: int = 422
    duplicate_message: str = "User already has this badge"
    duplicate_errors: Literal["full", "without-messages", "missing"] = "full"
    names_required: bool = True
    dates_to_come: Outcome = "taken"
    dates_without_zone: Outcome = "taken"
    dates_kept_to: Literal["second", "day"] = "second"
    earner_ids_kept: bool = True  # else a badge has no ``issuer_earner_id``, and a filter does not find it
    withdrawn_templates: frozenset[str] = frozenset()  # whose authorization to issue was withdrawn: 403
    credits: int | None = None  # how many more badges may be issued before the answer is 402
    auto_accept: bool = False  # known users accept by themselves
    batch_status: int | None = None  # what the batch answers instead of working
    batch_limit: int = 50

    # Limits
    rate_limit: int | None = None  # requests in each window
    rate_limit_window: int = 1  # seconds
    rate_limit_retry_after: str | None = "1"
