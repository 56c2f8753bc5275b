"""The table of README.md is true: every scenario is there, and every test that it names."""

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
TABLE = (TESTS / "faults" / "README.md").read_text(encoding="utf-8")
ROWS = {int(number): told for number, told in re.findall(r"^\| (\d+) \| .*? \| (`.*) \|$", TABLE, re.MULTILINE)}


@cache
def names_in(path: Path) -> set[str]:
    """Return the tests of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    classes = {target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets
               if isinstance(target, ast.Name)}  # fmt: skip
    return {name for name in functions | classes if name.lower().startswith("test")}


def test_every_scenario_is_in_the_table_and_has_a_test() -> None:
    assert sorted(ROWS) == list(range(1, 77))


def test_every_test_of_the_table_exists() -> None:
    named = {tuple(name.split("::")) for told in ROWS.values() for name in re.findall(r"`([^`]+)`", told)}
    missing = [(file, name) for file, name in sorted(named) if name not in names_in(TESTS / file)]
    assert len(named) > 100
    assert not missing


def test_every_file_of_scenarios_is_in_the_table() -> None:
    files = {path.name for path in (TESTS / "faults").glob("test_*.py")} - {
        Path(__file__).name,
        "test_how_to_test_a_fault.py",
    }
    assert {name for name in files if f"faults/{name}::" not in TABLE} == set()
