"""What the sandbox starts with: an invented organization, or the rows of a recorded list."""

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from credly_cli.sandbox.records import Row

_ORGANIZATION_OF_OWNER = ("id", "name", "enable_blockchain", "vanity_url", "vanity_slug", "verified")


class Organization(NamedTuple):
    """An organization with its badge templates, as ``Sandbox`` takes them."""

    organization: Row
    templates: Sequence[Row]


def sample_organization() -> Organization:
    """Return the organization that is built in."""
    data = json.loads(resources.files("credly_cli.sandbox").joinpath("samples.json").read_text("utf-8"))
    return Organization(data["organization"], data["badge_templates"])


def recorded_organization(source: Path | str | Mapping[str, Any] | Sequence[Row]) -> Organization:
    """Return the owner of a recorded template list (a file or its JSON, with or without envelope) and its rows.

    ``OSError`` if the file cannot be read, ``ValueError`` if it is no such list.
    """
    rows = _rows_of(_read(Path(source)) if isinstance(source, Path | str) else source)
    owners = {row["owner"]["id"]: row["owner"] for row in rows}
    if len(owners) != 1:
        raise ValueError("the templates belong to several organizations, or there are none")
    return Organization(_organization_of(*owners.values()), rows)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8-sig"))
    except (ValueError, RecursionError):
        raise ValueError(f"{path} is not a JSON file") from None


def _rows_of(source: Any) -> list[Row]:
    rows = source.get("data") if isinstance(source, Mapping) else source
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not all(_is_template(row) for row in rows):
        raise ValueError("this is no list of badge templates as Credly answers it")
    return list(rows)


def _is_template(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and {"id", "name", "state", "created_at", "owner"} <= row.keys()
        and isinstance(row["owner"], dict)
        and {"id", "name"} <= row["owner"].keys()
    )


def _organization_of(owner: Row) -> Row:
    """Return an organization's record that says no more than a template's owner does; its other keys are null."""
    blank = dict.fromkeys(sample_organization().organization)
    known = {key: owner.get(key) for key in _ORGANIZATION_OF_OWNER}
    known["vanity_url"] = known["vanity_url"] or f"https://www.credly.com/org/{owner['id']}"
    return blank | known
