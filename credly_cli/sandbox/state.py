"""One Credly organization: its templates, issued badges, users, tokens and events, and the rules between them."""

import secrets
import threading
from collections.abc import Callable, Iterable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from credly_cli.sandbox.oauth import Client
from credly_cli.sandbox.organization import Staff, authorization_of
from credly_cli.sandbox.records import (
    BadgeBook,
    BadgeState,
    Details,
    EarnedBadge,
    Event,
    Refusal,
    Request,
    Response,
    Row,
    Token,
    User,
    new_id,
    stamp,
)
from credly_cli.sandbox.shapes import read_details, refused_duplicate, updated_details
from credly_cli.sandbox.switches import Switches

_TOKEN_DAYS = 180


def real_time() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


class Sandbox:
    """The state of one organization. Its methods are what Credly's own pages do; the API goes through them too."""

    def __init__(
        self,
        organization: Row,
        templates: Iterable[Row] = (),
        *,
        now: Callable[[], datetime] = real_time,
        token: str | None = None,
    ) -> None:
        self.organization = dict(organization)
        self.now = now
        self.lock = threading.RLock()
        self.switches = Switches()
        self.templates: dict[str, Row] = {str(row["id"]): deepcopy(row) for row in templates}
        self.book = BadgeBook()
        self.events: list[Event] = []
        self.staff = Staff()
        self.version = 0  # moves with every change
        self.tokens = [self._new_token(token)]
        self.clients = [Client(secrets.token_hex(16), secrets.token_urlsafe(32))]
        self.access_tokens: list[Token] = []
        self._users: dict[str, User] = {}  # by address
        self._neighbours: dict[str, Sandbox] = {}
        self._issued_so_far = 0

    def serve(self, request: Request, answer: Callable[[Request], Response]) -> Response:
        """Answer a request that has arrived. A stand-in for tests overrides this, to let something go wrong."""
        return answer(request)

    # Organizations and tokens

    @property
    def organization_id(self) -> str:
        """The id of the organization."""
        return str(self.organization["id"])

    @property
    def token(self) -> str:
        """The token to connect with."""
        return self.tokens[0].value

    def add_organization(self, neighbour: "Sandbox") -> None:
        """Let the tokens of this organization see another one too."""
        self._neighbours[neighbour.organization_id] = neighbour

    def authorize(self, issuer: Row) -> Row:
        """Let another organization issue the badges of this one; returns the authorization."""
        row = authorization_of(issuer, self.organization)
        self.staff.issuers[str(row["id"])] = row
        return row

    def organizations(self) -> list["Sandbox"]:
        """Return every organization that the tokens see."""
        return [self, *self._neighbours.values()]

    def find_organization(self, organization_id: str) -> "Sandbox | None":
        """Return the organization of an id, if the tokens see it."""
        return self if organization_id == self.organization_id else self._neighbours.get(organization_id)

    def rotate_token(self, value: str | None = None) -> Token:
        """Put a new token in the place of the old one, which is refused at once."""
        with self.lock:
            self.tokens[0] = self._new_token(value)
            return self.tokens[0]

    def expire_token(self) -> None:
        """Let the token have expired just now."""
        self.tokens[0].expires_at = self.now()

    def find_token(self, value: str) -> Token | None:
        """Return the token of a value, if it is still good."""
        return self._good(self.tokens, value)

    def new_access_token(self, scopes: tuple[str, ...]) -> Token:
        """Give an OAuth client an access token."""
        with self.lock:
            now = self.now()
            ends = now + timedelta(seconds=self.switches.oauth_seconds)
            token = Token(secrets.token_urlsafe(32), now, ends, scopes=frozenset(scopes))
            self.access_tokens.append(token)
            return token

    def expire_access_tokens(self) -> None:
        """Let the access tokens have expired just now; the next ones are good."""
        for token in self.access_tokens:
            token.expires_at = self.now()

    def find_access_token(self, value: str) -> Token | None:
        """Return the access token of a value, if it is still good."""
        return self._good(self.access_tokens, value)

    def _good(self, tokens: Iterable[Token], value: str) -> Token | None:
        now = self.now()
        good = (token for token in tokens if token.expires_at is None or now < token.expires_at)
        return next((token for token in good if secrets.compare_digest(token.value.encode(), value.encode())), None)

    def _new_token(self, value: str | None) -> Token:
        now = self.now()
        return Token(value or secrets.token_urlsafe(27), now, now + timedelta(days=_TOKEN_DAYS))

    # Templates

    def add_template(self, row: Row) -> Row:
        """Add a template as Credly would list it."""
        with self.lock:
            kept = self.templates[str(row["id"])] = deepcopy(row)
            self._note("badge_template.created", kept)
            return kept

    def change_template(self, template_id: str, **fields: Any) -> Row:
        """Change fields of a template, and its ``updated_at``."""
        with self.lock:
            row = self.templates[template_id]
            row.update(fields, **({} if "updated_at" in fields else {"updated_at": stamp(self.now())}))
            self._note("badge_template.changed", row)
            return row

    def archive_template(self, template_id: str) -> Row:
        """Archive a template."""
        return self.change_template(template_id, state="archived")

    def activate_template(self, template_id: str) -> Row:
        """Publish a template, or bring it back from the archive."""
        return self.change_template(template_id, state="active")

    def delete_template(self, template_id: str) -> None:
        """Delete a template; badges issued from it stay."""
        with self.lock:
            self._note("badge_template.deleted", self.templates.pop(template_id))

    def _template_to_issue(self, fields: Row) -> Row:
        template_id = str(fields.get("badge_template_id") or "")
        template = self.templates.get(template_id)
        if template is None:
            raise Refusal(f"Invalid or missing Badge Template ID: {template_id}", no_metadata=True)
        if template["state"] != "active":
            raise Refusal.of_rules([("badge_template", f"is {template['state']}")])  # invented
        if template_id in self.switches.withdrawn_templates:
            raise Refusal("This issuer authorization has been withdrawn", status=403)  # invented
        if self.switches.credits is not None and self.switches.credits <= 0:
            raise Refusal("There are no credits left", status=402)  # invented
        return template

    # Users

    def add_user(
        self, *emails: str, first_name: str = "Robin", last_name: str = "Sample", auto_accept: bool = False
    ) -> User:
        """Give a person a Credly account with several addresses; badges issued to any of them are theirs."""
        with self.lock:
            user = User(list(emails), first_name, last_name, auto_accept=auto_accept)
            self._users.update({email.casefold(): user for email in emails})
            theirs = self.book.under(*(("email", email.casefold()) for email in emails))
            with self.book.changing(theirs):
                for badge in theirs:
                    badge.user = user
            self.version += 1
            return user

    def find_user(self, email: str) -> User | None:
        """Return the owner of an address."""
        return self._users.get(email.casefold())

    # Issued badges

    def issued(self, email: str | None = None, template_id: str | None = None) -> list[EarnedBadge]:
        """Return the issued badges, all or those of an address or template, in order of issue."""
        with self.lock:
            badges = self.book.in_order if email is None else self.book.under(("email", email.casefold()))
            return [badge for badge in badges if template_id is None or badge.template_id == template_id]

    def badge(self, badge_id: str) -> EarnedBadge:
        """Return an issued badge; ``Refusal`` if there is none of the id."""
        badge = self.book.get(badge_id)
        if badge is None:
            raise Refusal("Badge not found", status=404)  # invented
        return badge

    def issue(self, fields: Row) -> EarnedBadge:
        """Issue a badge as the API is asked to; ``Refusal`` if it cannot be."""
        with self.lock:
            template = self._template_to_issue(fields)
            details = read_details(fields, template, self.switches, stamp(self.now()))
            duplicates = {} if template.get("allow_duplicate_badges") else self._duplicates(template, details)
            behaviour = fields.get("duplicate_behavior")
            if duplicates and behaviour == "replace":
                newest = max(
                    (badge for badges in duplicates.values() for badge in badges), key=lambda each: each.number
                )
                return self._update(newest, details)
            if duplicates and behaviour != "allow":
                raise refused_duplicate(duplicates, self.switches)
            return self._add(template, details)

    def issue_all(self, batch: Iterable[Row]) -> list[EarnedBadge]:
        """Issue several badges or none; the ``Refusal`` says which one was at fault."""
        issued: list[EarnedBadge] = []
        with self.lock:
            before = self._issued_so_far
            for index, fields in enumerate(batch):
                try:
                    issued.append(self.issue(fields))
                except Refusal as refusal:
                    refusal.error_index = index
                    for badge in [badge for badge in self.book.in_order if badge.number > before]:
                        self._undo(badge)
                    raise
        return issued

    def issue_in_credly(
        self, template_id: str, email: str, first_name: str, last_name: str, *, issued_at: str = "", **fields: Any
    ) -> EarnedBadge:
        """Issue a badge as a person does in Credly, not through the API."""
        return self.issue(
            {
                "badge_template_id": template_id,
                "recipient_email": email,
                "issued_to_first_name": first_name,
                "issued_to_last_name": last_name,
                "issued_at": issued_at or stamp(self.now()),
                **fields,
            }
        )

    def issue_to_stranger(self) -> EarnedBadge:
        """Issue an active badge to somebody who is nobody else's concern."""
        with self.lock:
            template = next(row for row in self.templates.values() if row["state"] == "active")
            email = f"stranger{self._issued_so_far}@elsewhere.example"
            now = stamp(self.now())
            fields = {"issued_to_first_name": "Some", "issued_to_last_name": "Body", "issued_at": now}
            fields |= {"recipient_email": email, "badge_template_id": template["id"]}
            return self._add(template, read_details(fields, template, self.switches, now))

    def replace(self, badge_id: str, fields: Row) -> EarnedBadge:
        """Put a new badge in the place of an old one, which keeps its row."""
        with self.lock:
            old = self.badge(badge_id)
            if old.replacement_badge_id:
                raise Refusal(
                    "Validation failed: This badge cannot be replaced because it has already been replaced.",
                    metadata={"current_badge_id": self._newest_of_chain(old).id},
                )
            template = self._template_to_issue(fields)
            if old.state != "pending":
                fields = {**fields, "recipient_email": old.email}
            new = self._add(template, read_details(fields, template, self.switches, stamp(self.now()), old.details))
            new.state, new.replaces_badge_id, old.replacement_badge_id = old.state, old.id, new.id
            old.updated_at = stamp(self.now())
            return new

    def accept(self, badge_id: str) -> EarnedBadge:
        """Accept a badge as its earner does, who has a Credly account from then on."""
        badge = self.badge(badge_id)
        with self.lock:
            if self.find_user(badge.email) is None:
                self.add_user(badge.email, first_name=badge.details.first_name, last_name=badge.details.last_name)
            return self._move(badge, "accepted")

    def reject(self, badge_id: str) -> EarnedBadge:
        """Reject a badge as its earner does."""
        with self.lock:
            return self._move(self.badge(badge_id), "rejected")

    def revoke(self, badge_id: str, reason: str | None = None) -> EarnedBadge:
        """Revoke a badge."""
        with self.lock:
            badge = self.badge(badge_id)
            if badge.state == "revoked":
                raise Refusal("Validation failed: This badge has already been revoked.")  # invented
            badge.revocation_reason = reason
            return self._move(badge, "revoked")

    def delete(self, badge_id: str) -> None:
        """Strike an issued badge out, as for privacy."""
        with self.lock:
            badge = self.badge(badge_id)
            self.book.remove(badge)
            _count(badge.template, -1)  # invented: whether the counters go back is not known
            self._note("badge.deleted", badge)

    def _add(self, template: Row, details: Details) -> EarnedBadge:
        now = stamp(self.now())
        self._issued_so_far += 1
        if self.switches.credits is not None:
            self.switches.credits -= 1
        badge = EarnedBadge(new_id(), self._issued_so_far, template, details, now, now)
        badge.user = self.find_user(badge.email)
        self.book.add(badge)
        _count(template, +1)
        self._note("badge.created", badge)
        if badge.user and (badge.user.auto_accept or self.switches.auto_accept):
            self._move(badge, "accepted")
        return badge

    def _undo(self, badge: EarnedBadge) -> None:
        self.book.remove(badge)
        _count(badge.template, -1)
        self.events = [event for event in self.events if event.subject is not badge]

    def _duplicates(self, template: Row, details: Details) -> dict[str, list[EarnedBadge]]:
        """Return the badges of this template that stand in the way of issuing it again, by what they have in common."""
        user, email = self.find_user(details.recipient_email), details.recipient_email
        holders = {
            "recipient_email": ("email", email.casefold()),
            "user_id": ("user", user.id if user else None),
            "issuer_earner_id": ("earner", details.issuer_earner_id),
        }
        found = {
            rule: [badge for badge in self.book.under((kind, value, str(template["id"]))) if self._blocks(badge)]
            for rule, (kind, value) in holders.items()
            if value is not None
        }
        if self.switches.duplicates_mind_case:
            found["recipient_email"] = [badge for badge in found["recipient_email"] if badge.email == email]
        return {rule: badges for rule, badges in found.items() if badges}

    def _blocks(self, badge: EarnedBadge) -> bool:
        if badge.replacement_badge_id:
            return False  # invented: the replacement does
        blocks = {"revoked": self.switches.revoked_blocks, "rejected": self.switches.rejected_blocks}
        return blocks.get(badge.state, True)

    def _update(self, badge: EarnedBadge, details: Details) -> EarnedBadge:
        """Do what ``duplicate_behavior: replace`` says: the same badge with new details."""
        details = updated_details(badge.details, details, pending=badge.state == "pending")
        if details != badge.details:
            with self.book.changing([badge]):
                badge.details = details
            badge.updated_at = stamp(self.now())
            self.version += 1
        return badge

    def _move(self, badge: EarnedBadge, state: BadgeState) -> EarnedBadge:
        badge.state = state
        badge.state_updated_at = badge.updated_at = stamp(self.now())
        self._note("badge.state.changed", badge)
        return badge

    def _newest_of_chain(self, badge: EarnedBadge) -> EarnedBadge:
        while badge.replacement_badge_id and (newer := self.book.get(badge.replacement_badge_id)):
            badge = newer
        return badge

    def _note(self, event_type: str, subject: EarnedBadge | Row) -> None:
        self.version += 1
        self.events.append(Event(event_type, stamp(self.now()), subject))


def _count(template: Row, step: int) -> None:
    for counter in ("badges_count", "get_issue_count"):
        template[counter] = template.get(counter, 0) + step
