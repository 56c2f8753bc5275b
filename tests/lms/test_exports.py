"""Whole exports of many systems, each with what is right for it: who comes in, under which name, and what counts."""

import csv
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.desk import Desk

EXPORTS = Path(__file__).with_name("exports")
CASES: list[dict[str, Any]] = tomllib.loads((EXPORTS / "expected.toml").read_text(encoding="utf-8"))["case"]


@pytest.fixture
def office(desk: Desk) -> Desk:
    """A desk that knows the content of the exports."""
    desk.clock.time = datetime(2026, 11, 28, tzinfo=UTC)
    desk.json("import", "content", str(EXPORTS / "content.csv"))
    return desk


def learners_in(desk: Desk) -> list[list[str]]:
    with desk.store() as store:
        rows = store.rows("SELECT email, learner_id, first_name, last_name FROM learners ORDER BY email")
    return [[row[name] or "" for name in ("email", "learner_id", "first_name", "last_name")] for row in rows]


def enrollments_in(desk: Desk) -> list[list[str]]:
    with desk.store() as store:
        rows = store.rows(
            "SELECT email, content_id, completed_at, ended FROM enrollments JOIN learners ON learners.id = learner"
            " ORDER BY email, content_id"
        )
    return [
        [
            row["email"],
            row["content_id"],
            f"complete {row['completed_at']}" if row["completed_at"] else "ended" if row["ended"] else "open",
        ]
        for row in rows
    ]


@pytest.mark.sampled
@pytest.mark.parametrize("case", CASES, ids=[f"{case['file']}-{number}" for number, case in enumerate(CASES)])
def test_an_export_is_read_as_its_system_means_it(case: dict[str, Any], office: Desk) -> None:
    path = office.home / case["file"]
    path.write_bytes((EXPORTS / case["file"]).read_bytes())
    if "before" in case:
        office.imports("learners", case["before"])
    ran = office.run("import", case.get("kind", "progress"), str(path), *case.get("options", ()), "--json")
    if "refused" in case:
        assert (ran.code, ran.json["error"]["message"]) == (3, case["refused"])
        return
    rejects = path.with_name(f"{path.name}.rejects.csv")
    rejected = list(csv.DictReader(rejects.read_text(encoding="utf-8").splitlines())) if rejects.exists() else []
    assert [f"{row['row']} {row['column']}" for row in rejected] == case.get("rejected", [])
    assert ran.code == (3 if rejected else 0)
    assert learners_in(office) == case["people"]
    assert enrollments_in(office) == case["enrollments"]
