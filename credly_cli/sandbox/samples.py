"""What the sandbox starts with: an invented organization, or the rows of a recorded list."""

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from credly_cli.sandbox.messages import Row
from credly_cli.sandbox.state import Sandbox

_ORGANIZATION_OF_OWNER = ("id", "name", "enable_blockchain", "vanity_url", "vanity_slug", "verified")


def sample_data() -> Row:
    """Return the built-in ``organization`` and its ``badge_templates``."""
    data: Row = json.loads(resources.files("credly_cli.sandbox").joinpath("samples.json").read_text("utf-8"))
    return data


def sandbox_with_samples(**options: Any) -> Sandbox:
    """Return a sandbox of the built-in organization; the options are those of ``Sandbox``."""
    data = sample_data()
    return Sandbox(data["organization"], data["badge_templates"], **options)


def sandbox_from_templates(source: Path | str | Mapping[str, Any] | Sequence[Row], **options: Any) -> Sandbox:
    """Return a sandbox that serves a recorded template list, a file or its JSON, with or without envelope.

    The rows are served as they are; the organization is their owner. ``OSError`` if the file cannot be read,
    ``ValueError`` if it is no such list. The options are those of ``Sandbox``.
    """
    rows = _rows_of(_read(Path(source)) if isinstance(source, Path | str) else source)
    owners = {row["owner"]["id"]: row["owner"] for row in rows}
    if len(owners) != 1:
        raise ValueError("the templates belong to several organizations, or there are none")
    return Sandbox(_organization_of(*owners.values()), rows, **options)


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
    blank = dict.fromkeys(sample_data()["organization"])
    known = {key: owner.get(key) for key in _ORGANIZATION_OF_OWNER}
    known["vanity_url"] = known["vanity_url"] or f"https://www.credly.com/org/{owner['id']}"
    return blank | known
