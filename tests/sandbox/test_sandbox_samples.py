"""The badge templates that a stand-in begins with: its own, or recorded ones."""

import json
from pathlib import Path
from typing import Any

import pytest

from credly_cli.sandbox.records import sample_organization
from tests.support.stand_in import sandbox_from_templates, sandbox_with_samples


def test_the_samples_have_one_of_everything() -> None:
    rows = sample_organization().templates
    active = [row for row in rows if row["state"] == "active"]
    assert 6 <= len(active) <= 10
    assert [row["state"] for row in rows if row not in active] == ["archived", "draft"]
    assert [row["name"] for row in rows if row["image"] is None] == ["Mentoring"]
    assert any(row["allow_duplicate_badges"] for row in active)
    assert any(row["default_expires_at"] for row in active)
    assert any("\u2013" in row["name"] for row in active)
    assert len({row["id"] for row in rows}) == len({row["vanity_slug"] for row in rows}) == len(rows)


def test_each_sandbox_has_a_token_of_its_own() -> None:
    assert sandbox_with_samples().token != sandbox_with_samples().token


def test_recorded_rows_are_served_as_they_are_under_their_owner(tmp_path: Path) -> None:
    rows = sample_organization().templates
    rows[0]["something_new"] = [1]
    envelope = {"data": rows, "metadata": {"total_count": 653, "next_page_url": "https://api.credly.com/"}}
    file = tmp_path / "templates.json"
    file.write_text(json.dumps(envelope), encoding="utf-8")
    for source in (file, str(file), envelope, rows):
        sandbox = sandbox_from_templates(source)
        assert list(sandbox.templates.values()) == rows
        assert sandbox.organization_id == rows[0]["owner"]["id"]
        assert sandbox.organization["name"] == rows[0]["owner"]["name"]
        assert sandbox.organization.keys() == sample_organization().organization.keys()


def test_issuing_leaves_the_recorded_rows_alone() -> None:
    rows = sample_organization().templates
    sandbox = sandbox_from_templates(rows)
    sandbox.issue_in_credly(rows[0]["id"], "u1@example.com", "A", "B")
    assert rows == sample_organization().templates


@pytest.mark.parametrize("source", [[], {}, {"data": "x"}, [{"id": 1}], [{**dict.fromkeys("abc")}]])
def test_what_is_no_template_list_is_refused(source: Any) -> None:
    with pytest.raises(ValueError, match="templates"):
        sandbox_from_templates(source)


@pytest.mark.parametrize("content", [b"", b"id,name\n", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_file_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "templates.csv"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="not a JSON file"):
        sandbox_from_templates(file)
