"""The example of docs/how-to-write-a-source.md, taken out of the page and run."""

import re
from pathlib import Path
from typing import Any

import pytest

from credly_cli.config import Settings
from credly_cli.lms.records import Reading
from credly_cli.lms.source import SourceContext
from credly_cli.store.database import Store
from credly_cli.sync.lms import LmsStep
from tests.support.desk import START, StillClock

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to-write-a-source.md"
NOW = "2026-03-02T09:30:00Z"


def row(number: int, mail: str = "ada@example.org") -> dict[str, Any]:
    name = {"first": "Ada", "last": "Lovelace"}
    course = {"id": f"c{number % 2}", "name": f"Course {number % 2}"}
    return {"number": number, "mail": mail, "done": f"2026-01-0{number}T10:00:00Z", "course": course, "name": name}


@pytest.fixture
def example() -> str:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    return str(code)


def test_it_is_under_60_lines(example: str) -> None:
    assert len(example.splitlines()) < 60


def test_it_reads_what_is_new_and_goes_on_where_it_left_off(example: str) -> None:
    module: dict[str, Any] = {}
    exec(compile(example, str(PAGE), "exec"), module)  # noqa: S102 - this is what the test is for
    told, asked = [row(1), row(2), row(3)], []

    def get(path: str) -> dict[str, Any]:
        asked.append(path)
        after = int(path.rpartition("=")[2])
        return {"completions": [entry for entry in told if entry["number"] > after][:2]}

    source = module["SmallLms"](get, SourceContext(Settings(), Reading(START), StillClock()))
    with Store.in_memory() as store:
        first = LmsStep(store, NOW, None).run(source)
        assert (first.failure, first.problems) == (None, [])
        assert (first.json()["content"]["added"], first.json()["progress"]["added"]) == (2, 2)
        assert first.json()["progress"]["changed"] == 1  # the third is a later completion of the first course
        told.append(row(4, "no address"))
        asked.clear()
        second = LmsStep(store, NOW, None).run(source)
    assert asked == ["/completions?after=3", "/completions?after=4"]
    assert [problem.code for problem in second.problems] == ["import-rejected"]
    assert second.json()["progress"] == {"read": 1, "added": 0, "changed": 0, "unchanged": 0, "rejected": 1}
