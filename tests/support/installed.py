"""The program as it is installed: a process of its own, with an environment that holds nothing else."""

import os
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

PROGRAM = (sys.executable, "-m", "credly_cli")
ROOT = Path(__file__).resolve().parents[2]


def variables(home: Path, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a process that runs the code beside these tests, wherever pytest was started."""
    return {"CREDLY_HOME": str(home), "PATH": os.defpath, "PYTHONPATH": str(ROOT), **(environ or {})}


def run_installed(
    home: Path, *arguments: str, stdin: str = "", environ: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command as cron would: no terminal, and no variables but the ones named here."""
    return subprocess.run(  # noqa: S603 - our own program
        [*PROGRAM, *arguments], input=stdin, capture_output=True, text=True, env=variables(home, environ),
        check=False, timeout=120,
    )  # fmt: skip


def first_line(stream: IO[Any] | None, seconds: float = 60) -> str:
    """Read the first line that a process writes; fails when none comes in time."""
    assert stream is not None
    assert select.select([stream], [], [], seconds)[0], f"nothing was written in {seconds} seconds"
    line = stream.readline()
    return line if isinstance(line, str) else bytes(line).decode()
