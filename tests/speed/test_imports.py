"""What people wait for first: the prompt. These hold the imports that it may cost."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("requests", "urllib3", "rich", "sqlite_utils", "pydantic", "http.client", "asyncio", "credly_cli.lms.dates")
SHOW = "import sys; from credly_cli.__main__ import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"


def imported(home: Path, *arguments: str, **environ: str) -> set[str]:
    """Run a command in a process of its own and return the modules that it imported."""
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", SHOW, *arguments],
        env={"CREDLY_HOME": str(home), **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    return set(ran.stderr.split())


@pytest.mark.sampled
@pytest.mark.parametrize("arguments", [("--version",), ("status",), ("--help",), ("sync", "--help")])
def test_what_must_answer_at_once_imports_nothing_heavy(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    modules = imported(tmp_path, *arguments)
    assert "credly_cli.app" in modules
    assert modules.isdisjoint(HEAVY)
