"""A client that nobody here wrote, ``credly-python-api`` 0.2.0, works against the server.

Left out are its ``badges/bulk_search``, ``employees/invitations`` and the like, and ``issuer_authorizations``, which
Credly is not known to have.
"""

from collections.abc import Iterator
from typing import Any

import credly
import pytest

from tests.support.stand_in import FaultySandbox, FaultyServer


@pytest.fixture
def client(sandbox: FaultySandbox) -> Iterator[Any]:
    with FaultyServer(sandbox) as server:
        client = credly.Client(api_key=sandbox.token, base_url=server.url)
        client.http.session.trust_env = False
        with client.http.session:
            yield client


def fields_of(template_id: str, email: str) -> dict[str, str]:
    return {
        "badge_template_id": template_id,
        "recipient_email": email,
        "issued_to_first_name": "Robin",
        "issued_to_last_name": "Sample",
        "issued_at": "2026-03-02 09:30:00 +0000",
    }


def test_it_finds_the_organization(client: Any, sandbox: FaultySandbox) -> None:
    (organization,) = client.organizations.list()
    assert organization.id == sandbox.organization_id
    assert client.organizations.get(organization.id).name == sandbox.organization["name"]


def test_it_lists_templates_over_several_pages_and_filters_them(client: Any, sandbox: FaultySandbox) -> None:
    sandbox.switches.page_size = 3
    templates = list(client.badge_templates.list(sandbox.organization_id))
    assert [template.id for template in templates] == list(sandbox.templates)
    drafts = client.badge_templates.list(sandbox.organization_id, filter="state::draft")
    assert [draft.name for draft in drafts] == ["Mentoring"]
    assert client.badge_templates.get(sandbox.organization_id, templates[0].id).name == templates[0].name


@pytest.mark.further
def test_it_issues_lists_gets_revokes_replaces_and_deletes(
    client: Any, sandbox: FaultySandbox, ids: dict[str, str]
) -> None:
    organization, template = sandbox.organization_id, ids["Onboarding Essentials"]
    for number in range(60):
        client.badges.issue(organization, **fields_of(template, f"u{number}@example.com"))
    badges = list(client.badges.list(organization))
    assert [badge.recipient_email for badge in badges] == [f"u{number}@example.com" for number in range(60)]
    first, second, third = (badge.id for badge in badges[:3])
    assert client.badges.revoke(organization, first, reason="Mistake").state == "revoked"
    assert client.badges.get(organization, first).revocation_reason == "Mistake"
    other = {"badge_template_id": ids["Facilitator"], "issued_at": "2026-03-03T00:00:00Z"}
    assert client.badges.replace(organization, second, **other).replaces_badge_id == second
    client.badges.delete(organization, third)
    with pytest.raises(credly.NotFoundError):
        client.badges.get(organization, third)


def test_it_is_told_of_refusals(client: Any, sandbox: FaultySandbox, ids: dict[str, str]) -> None:
    fields = fields_of(ids["Onboarding Essentials"], "u1@example.com")
    client.badges.issue(sandbox.organization_id, **fields)
    with pytest.raises(credly.ValidationError) as refusal:
        client.badges.issue(sandbox.organization_id, **fields)
    assert "already has this badge" in refusal.value.response["data"]["message"]
    sandbox.expire_token()
    with pytest.raises(credly.UnauthorizedError):
        list(client.organizations.list())


def test_it_lists_and_rotates_tokens(client: Any, sandbox: FaultySandbox) -> None:
    (token,) = client.authorization_tokens.list(sandbox.organization_id)
    assert token.expires_at.startswith("2026-08-29")
    assert client.authorization_tokens.rotate(sandbox.organization_id).token == sandbox.token
