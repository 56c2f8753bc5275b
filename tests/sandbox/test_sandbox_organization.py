"""Employees, issuers and grantors, by the paths that public clients of Credly use."""

from collections.abc import Callable
from typing import Any

from tests.support.stand_in import FaultySandbox, sandbox_with_samples

Ask = Callable[..., tuple[int, Any]]
EMPLOYEE = {"email": "ada@example.com", "first_name": "Ada", "last_name": "Byron", "external_id": "e-1"}


def test_an_employee_is_added_changed_and_deleted(ask: Ask) -> None:
    status, body = ask("POST", "employees", EMPLOYEE)
    employee = body["data"]
    assert (status, employee["external_id"], employee["state"]) == (201, "e-1", "pending")
    path = f"employees/{employee['id']}"
    assert ask("PUT", path, {"team": "Numbers"})[1]["data"]["team"] == "Numbers"
    assert [row["id"] for row in ask("GET", "employees")[1]["data"]] == [employee["id"]]
    assert ask("GET", f"{path}/data")[1]["data"]["last_name"] == "Byron"
    assert ask("DELETE", path) == (204, None)
    assert ask("GET", path)[0] == 404


def test_an_employee_needs_an_address_of_their_own_and_names(ask: Ask) -> None:
    ask("POST", "employees", EMPLOYEE)
    for fields, attribute in (
        (EMPLOYEE, "email"),
        (EMPLOYEE | {"email": "b@example.com", "last_name": ""}, "last_name"),
    ):
        status, body = ask("POST", "employees", fields)
        assert (status, [row["attribute"] for row in body["data"]["errors"]]) == (422, [attribute])


def test_employees_are_invited_by_their_external_ids(ask: Ask) -> None:
    ask("POST", "employees", EMPLOYEE)
    fields = {"employee_list": ["e-1", "e-2"], "list_type": "external_id", "statuses": ["pending"]}
    status, body = ask("POST", "employees/send_invitations", fields)
    assert (status, [row["external_id"] for row in body["data"]]) == (200, ["e-1"])


def test_an_issuer_is_listed_until_its_authorization_is_withdrawn(ask: Ask, sandbox: FaultySandbox) -> None:
    other = sandbox_with_samples().organization | {"id": "22222222-2222-4222-8222-222222222222", "name": "Other"}
    sandbox.authorize(other)
    (row,) = ask("GET", "issuers")[1]["data"]
    assert (row["issuer"]["name"], row["grantor"]["id"]) == ("Other", sandbox.organization_id)
    assert ask("GET", "grantors")[1]["data"] == []
    assert ask("DELETE", f"issuers/{row['id']}") == (204, None)
    assert ask("DELETE", f"issuers/{row['id']}")[0] == 404
    assert ask("GET", "issuers")[1]["data"] == []
