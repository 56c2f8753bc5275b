"""Public clients of Credly work against the server.

One is installed and used as it is, besides credly-python-api. Those in other languages, or for hosts that are not here
(Open edX, Moodle, Laravel), are stood for by the requests that their public source sends: method, path, header, body.
"""

import importlib.util
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
import requests

from tests.support.stand_in import FaultySandbox, FaultyServer

Send = Callable[..., requests.Response]
BADGE = "Onboarding Essentials"


@pytest.fixture
def server(sandbox: FaultySandbox) -> Iterator[FaultyServer]:
    with FaultyServer(sandbox) as server:
        yield server


@pytest.fixture
def send(server: FaultyServer) -> Iterator[Send]:
    """Send a request to a path under the server, or to a whole address that it has given."""
    with requests.Session() as session:
        session.trust_env = False

        def send(method: str, path: str, **options: Any) -> requests.Response:
            url = path if path.startswith("http") else f"{server.url}{path}"
            return session.request(method, url, timeout=10, **options)

        yield send


def basic(pair: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def names(first: str = "Ada", last: str = "Byron") -> dict[str, str]:
    return {"issued_to_first_name": first, "issued_to_last_name": last}


# acclaimbadge-xblock 1.3.1, from PyPI; what surrounds its client needs Open edX


@pytest.fixture(scope="module")
def acclaim_client(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    folder = tmp_path_factory.mktemp("acclaimbadge")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
    done = subprocess.run(  # noqa: S603 - pip itself
        [*install, "acclaimbadge-xblock==1.3.1"], check=False, capture_output=True, text=True, timeout=120
    )
    if done.returncode:
        pytest.skip(f"acclaimbadge-xblock cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
    spec = importlib.util.spec_from_file_location("acclaim_client", folder / "acclaimbadge" / "acclaim_client.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("prefix", ["/v1", "/api/v1"])
def test_the_xblock_lists_issues_and_asks_who_has_a_badge(
    acclaim_client: ModuleType, server: FaultyServer, sandbox: FaultySandbox, ids: dict[str, str],
    monkeypatch: pytest.MonkeyPatch, prefix: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    sandbox.switches.page_size = 3
    client = acclaim_client.AcclaimClient(sandbox.organization_id, sandbox.token, f"{server.url}{prefix}")
    listed = client.get_badge_templates(all=True)
    assert {row["id"] for row in listed} == set(sandbox.templates)
    assert client.get_badge_template(ids[BADGE])["name"] == BADGE
    badge = {"recipient_email": "ada@example.com", "badge_template_id": ids[BADGE], **names()}
    issued = client.issue_badge({**badge, "issued_at": "2026-03-02 09:30:00 +0000"})
    assert issued["state"] == "pending"
    assert client.has_badge("ada@example.com", ids[BADGE])
    assert not client.has_badge("bob@example.com", ids[BADGE])
    with pytest.raises(acclaim_client.AcclaimClientError) as refusal:
        client.issue_badge({**badge, "issued_at": "2026-03-02 09:30:00 +0000"})
    assert refusal.value.status_code == 422
    sandbox.revoke(issued["id"])
    assert not client.has_badge("ada@example.com", ids[BADGE])


# The others, by what they send


def test_acclaim_badges_of_2017_by_double_slashes_forms_and_no_names(
    send: Send, sandbox: FaultySandbox, ids: dict[str, str]
) -> None:
    sandbox.switches.names_required = False  # as it was then
    base, auth = f"/v1//organizations/{sandbox.organization_id}", (sandbox.token, "")
    assert send("GET", f"{base}/badge_templates", auth=auth).json()["data"]
    asked = f"{base}/badges?filter=recipient_email::ada@example.com|badge_template_id::{ids[BADGE]}"
    assert send("GET", asked, auth=auth).json()["metadata"]["count"] == 0
    form = {"recipient_email": "ada@example.com", "badge_template_id": ids[BADGE], "issued_at": "2017-06-05T10:11:12 Z"}
    assert send("POST", f"{base}/badges", data=form, auth=auth).status_code == 201
    assert send("GET", asked, auth=auth).json()["metadata"]["count"] == 1


def test_credlys_moodle_block_by_a_doubled_query_and_dates_with_am_and_pm(
    send: Send, sandbox: FaultySandbox, ids: dict[str, str]
) -> None:
    sandbox.switches.page_size = 3
    auth, query = (sandbox.token, ""), {"sort": "name", "filter": "state::active"}
    url: str | None = f"/v1/organizations/{sandbox.organization_id}/badge_templates?sort=name&filter=state::active"
    listed = []
    while url is not None:
        answer = send("GET", url, params=query, auth=auth).json()
        listed += [row["name"] for row in answer["data"]]
        url = (
            answer["metadata"]["next_page_url"]
            and f"{answer['metadata']['next_page_url']}&sort=name&filter=state::active"
        )
    active = [row["name"] for row in sandbox.templates.values() if row["state"] == "active"]
    assert listed == sorted(active, key=str.casefold)
    form = {"badge_template_id": ids[BADGE], "recipient_email": "ada@example.com", **names()}
    form |= {"issued_at": "2026-03-02  09:30:00 pm", "expires_at": "2028-03-02  12:00:00 am"}
    path = f"/v1/organizations/{sandbox.organization_id}/badges"
    issued = send("POST", path, data=form, auth=auth)
    assert (issued.status_code, issued.json()["data"]["issued_at"]) == (201, "2026-03-02T21:30:00.000Z")
    assert send("POST", path, data=form, auth=auth).status_code == 422


def test_riipens_ruby_client_from_issuing_to_employees(send: Send, sandbox: FaultySandbox, ids: dict[str, str]) -> None:
    base = f"/v1/organizations/{sandbox.organization_id}"
    headers = {**basic(f"{sandbox.token}:"), "Accept": "application/json"}

    def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = send(method, f"{base}/{path}", json=body, headers=headers)
        return answer.status_code, answer.json() if answer.content else None

    badge = {"recipient_email": "ada@example.com", "badge_template_id": ids[BADGE], **names()}
    status, body = ask("POST", "badges", {**badge, "issued_at": "2026-03-02 09:30:00 UTC"})
    issued = body["data"]["id"]
    assert status == 201
    assert ask("GET", "high_volume_issued_badge_search?badge_format=minimal")[1]["data"][0]["id"] == issued
    again = {"badge_template_id": ids["Facilitator"], "issued_at": "2026-03-03 09:30:00 UTC"}
    assert ask("POST", f"badges/{issued}/replace", again)[0] == 201
    assert ask("POST", f"badges/{issued}/replace", again)[0] == 422
    assert ask("PUT", f"badges/{issued}/revoke", {"reason": "Mistake"})[1]["data"]["state"] == "revoked"
    assert ask("DELETE", f"badges/{issued}") == (204, None)
    employee = {"email": "al@example.com", "first_name": "Al", "last_name": "Smith", "external_id": "e-1"}
    added = ask("POST", "employees", employee)[1]["data"]["id"]
    assert ask("GET", "employees?filter=state::accepted&sort=email&page=1")[0] == 200
    assert ask("PUT", f"employees/{added}", {"team": "Development"})[1]["data"]["team"] == "Development"
    invited = {"employee_list": ["e-1"], "list_type": "external_id", "statuses": ["pending"]}
    assert ask("POST", "employees/send_invitations", invited)[0] == 200
    assert ask("GET", f"employees/{added}/data")[0] == 200
    assert ask("DELETE", f"employees/{added}")[0] == 204
    assert (ask("GET", "issuers")[0], ask("GET", "grantors")[0]) == (200, 200)


def test_zero_gravitas_by_batches_events_and_the_links_of_the_search(
    send: Send, sandbox: FaultySandbox, ids: dict[str, str]
) -> None:
    sandbox.switches.search_page_size = 2
    base = f"/v1/organizations/{sandbox.organization_id}"
    headers = {**basic(f"{sandbox.token}:"), "Content-Type": "application/json"}
    rows = [
        {
            "recipient_email": f"u{number}@example.com",
            "badge_template_id": ids[BADGE],
            "issued_at": "2026-03-02",
            **names(),
        }
        for number in range(3)
    ]
    issued = send("POST", f"{base}/badges/batch", json={"badges": rows}, headers=headers)
    assert (issued.status_code, len(issued.json()["data"])) == (201, 3)
    refused = send("POST", f"{base}/badges/batch", json={"badges": rows}, headers=headers)
    assert (refused.status_code, refused.json()["data"]["error_index"]) == (422, 0)
    found, url = 0, f"{base}/high_volume_issued_badge_search"
    while url:
        answer = send("GET", url, headers=headers).json()
        found, url = found + len(answer["data"]), answer["metadata"]["next_page_url"]
    assert found == 3
    event = send("GET", f"{base}/events", headers=headers).json()["data"][0]["id"]
    assert send("GET", f"{base}/events/{event}", headers=headers).json()["data"]["id"] == event
    assert send("GET", f"{base}/issuers", headers=headers).json()["metadata"]["total_count"] == 0
    assert send("POST", f"{base}/authorization_tokens/rotate", headers=headers).json()["data"]["token"] == sandbox.token


def test_isovalents_go_client_once_its_header_has_a_colon(
    send: Send, sandbox: FaultySandbox, ids: dict[str, str]
) -> None:
    base, headers = f"/v1/organizations/{sandbox.organization_id}", basic(f"{sandbox.token}:")
    assert send("GET", f"{base}/badge_templates", headers=basic(f"{sandbox.token}|")).status_code == 401  # as it sends
    badge = {"badge_template_id": ids[BADGE], "recipient_email": "ada+1@example.com", **names()}
    badge["issued_at"] = "2026-03-02 10:30:00 +0100"
    assert send("POST", f"{base}/badges", json=badge, headers=headers).status_code == 201
    assert send("POST", f"{base}/badges", json=badge, headers=headers).status_code == 422
    tags = "%7Cbadge_templates%5Breporting_tags%5D%3A%3Anothing"
    for suffix, count in (("", 1), (f"|badge_template_id::{ids[BADGE]}", 1), (tags, 0)):
        url = f"{base}/badges?filter=recipient_email_all::ada%2B1%40example.com{suffix}"
        assert len(send("GET", url, headers=headers).json()["data"]) == count, suffix


def test_open_edx_by_trailing_slashes_and_an_access_token(
    send: Send, sandbox: FaultySandbox, ids: dict[str, str]
) -> None:
    sandbox.switches.page_size = 3
    client = sandbox.clients[0]
    form = {"grant_type": "client_credentials", "scope": "badge_templates issued_badges"}
    token = send("POST", "/oauth/token", data=form, auth=(client.id, client.secret)).json()
    assert token["expires_in"] == 7200
    headers = {"Authorization": f"Bearer {token['access_token']}", "Content-Type": "application/json"}
    base = f"/v1/organizations/{sandbox.organization_id}/"
    assert send("GET", base, headers=headers).json()["data"]["id"] == sandbox.organization_id
    answer = send("GET", f"{base}badge_templates/?filter=state::active", headers=headers).json()
    listed = answer["data"]
    for _ in range(2, answer["metadata"]["total_pages"] + 1):
        answer = send("GET", answer["metadata"]["next_page_url"], headers=headers).json()
        listed += answer["data"]
    assert {row["state"] for row in listed} == {"active"}
    badge = {"recipient_email": "ada@example.com", "badge_template_id": ids[BADGE], **names()}
    issued = send("POST", f"{base}badges/", json={**badge, "issued_at": "2026-03-02 09:30:00 +0000"}, headers=headers)
    assert issued.status_code == 201
    path = f"{base}badges/{issued.json()['data']['id']}/revoke/"
    assert send("PUT", path, json={"reason": "Mistake"}, headers=headers).json()["data"]["state"] == "revoked"


def test_open_edx_with_the_token_alone_in_its_header(send: Send, sandbox: FaultySandbox) -> None:
    sandbox.switches.bare_token = True
    url = f"/v1/organizations/{sandbox.organization_id}/badge_templates/?filter=state::active"
    assert send("GET", url, headers=basic(sandbox.token)).status_code == 200
