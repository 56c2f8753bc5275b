"""The peer, installed from PyPI into an environment of its own."""

import functools
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.measure import ROOT

PEER = "credly-python-api==0.2.0"


@functools.cache
def python_of_peer() -> str:
    """Return the interpreter of the peer's environment, which is made the first time."""
    folder = ROOT / "benchmarks" / ".peer"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        sys.stderr.write(f"Installing {PEER} into {folder}\n")
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", PEER], check=True)  # noqa: S603
        Path(folder / "ready").touch()
    return str(python)
