"""What belongs to an organization beside its badges: employees, and who may issue for whom.

Paths, the fields of an employee and the rows of authorizations are those of public clients. Invented: the other fields
of an employee, that one who was added is pending, and what an invitation is answered with.
"""

from dataclasses import dataclass, field
from datetime import datetime

from credly_cli.sandbox.records import Refusal, Row, new_id, stamp

_NAMES = (
    "email", "first_name", "last_name", "team", "position_title", "external_id", "manager_first_name",
    "manager_last_name", "manager_external_id", "country", "zip_code", "state_or_province", "department",
    "organization_level1", "organization_level2", "organization_level3", "job_family",
)  # fmt: skip
_REQUIRED = ("email", "first_name", "last_name")  # invented


def authorization_of(issuer: Row, grantor: Row) -> Row:
    """Return the row of an authorization: ``issuer`` may issue the badges of ``grantor``."""
    return {
        "id": new_id(),
        "authorization_type": "platform",
        "display_issuer_as": "grantor",
        "restrict_by_badge_templates": False,
        "issuer": _party(issuer),
        "grantor": _party(grantor),
    }


def _party(organization: Row) -> Row:
    return {
        "type": "Organization",
        "id": organization["id"],
        "name": organization["name"],
        "url": organization.get("vanity_url"),
        "badge_template_count": 0,
        "photo": None,
        "photo_url": organization.get("photo_url"),
    }


@dataclass
class Staff:
    """The employees of an organization, and the authorizations that it gave (issuers) and was given (grantors)."""

    employees: dict[str, Row] = field(default_factory=dict)
    issuers: dict[str, Row] = field(default_factory=dict)
    grantors: list[Row] = field(default_factory=list)

    def employee(self, employee_id: str) -> Row:
        """Return an employee; ``Refusal`` if there is none of the id."""
        if employee_id not in self.employees:
            raise Refusal("Employee not found", status=404)  # invented
        return self.employees[employee_id]

    def add(self, fields: Row, now: datetime) -> Row:
        """Add an employee, whose address nobody else may have."""
        blank = [(name, "can't be blank") for name in _REQUIRED if not fields.get(name)]
        if any(row["email"] == fields.get("email") for row in self.employees.values()):
            blank.append(("email", "has already been taken"))
        if blank:
            raise Refusal.of_rules(blank)
        row = {"id": new_id(), **{name: fields.get(name) for name in _NAMES}, "state": "pending", "invited_at": None}
        row |= {"created_at": stamp(now), "updated_at": stamp(now)}
        self.employees[str(row["id"])] = row
        return row

    def change(self, employee_id: str, fields: Row, now: datetime) -> Row:
        """Change fields of an employee."""
        row = self.employee(employee_id)
        row |= {name: fields[name] for name in _NAMES if name in fields} | {"updated_at": stamp(now)}
        return row

    def invite(self, fields: Row, now: datetime) -> list[Row]:
        """Invite employees by their ``external_id`` or address, those of the ``statuses`` alone; returns their rows."""
        by, listed = fields.get("list_type") or "email", fields.get("employee_list") or ()
        states = fields.get("statuses") or ("pending",)
        rows = [row for row in self.employees.values() if row.get(by) in listed and row["state"] in states]
        for row in rows:
            row["invited_at"] = stamp(now)
        return rows

    def remove_issuer(self, authorization_id: str) -> None:
        """Withdraw an authorization, named by its own id or by the issuer's."""
        for row_id, row in self.issuers.items():
            if authorization_id in (row_id, row["issuer"]["id"]):
                del self.issuers[row_id]
                return
        raise Refusal("Issuer not found", status=404)  # invented
