"""The example of CONTRIBUTING.md runs as it stands there."""

import re
from pathlib import Path
from typing import Any

from tests.support import faults
from tests.support.world import World

PAGE = Path(__file__).resolve().parents[2] / "CONTRIBUTING.md"


def test_the_example_of_a_fault_runs(world: World) -> None:
    example = re.search(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert example is not None
    names: dict[str, Any] = {"faults": faults, "World": World}
    exec(example[1], names)  # noqa: S102 - our own page
    names["test_an_answer_that_is_lost_is_found_again"](world)
    assert world.desk.sandbox.log.count("POST", "/badges$") == len(world.completed)
