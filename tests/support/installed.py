"""The program as it is installed: a process of its own, with an environment that holds nothing else."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def run_installed(
    home: Path, *arguments: str, stdin: str = "", environ: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command as cron would: no terminal, and no variables but the ones named here."""
    variables = {"CREDLY_HOME": str(home), "PATH": os.defpath, **(environ or {})}
    command = [sys.executable, "-m", "credly_cli", *arguments]
    return subprocess.run(  # noqa: S603 - our own program
        command, input=stdin, capture_output=True, text=True, env=variables, check=False, timeout=120
    )
