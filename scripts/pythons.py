"""Run the tests in process with each Python that pyproject.toml allows and this machine has: ``make pythons``.

With ``--others``, only those beside the one that runs this.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST = 11  # requires-python
_TELL = "import sys; print(*sys.version_info[:2])"


def found() -> dict[int, Path]:
    """Return an interpreter for each 3.N, from PATH and from pyenv's versions."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders = [Path(folder) for folder in os.get_exec_path()] + sorted(pyenv.glob("versions/*/bin"))
    interpreters: dict[int, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("python3.*")):
            minor = re.fullmatch(r"python3\.(\d+)", path.name)
            if minor and int(minor[1]) >= OLDEST and int(minor[1]) not in interpreters and _works(path, minor[1]):
                interpreters[int(minor[1])] = path
    return dict(sorted(interpreters.items()))


def _works(path: Path, minor: str) -> bool:
    """Tell whether it is what it is called: pyenv puts a command on PATH for versions that are not chosen, too."""
    ran = subprocess.run([path, "-c", _TELL], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    return ran.stdout.split() == ["3", minor]


def passes(python: Path, minor: int) -> bool:
    """Run all but the tests of real processes and many rows in an environment of that Python."""
    folder = ROOT / f".venv-3.{minor}"
    its = folder / "bin" / "python"
    install = [its, "-m", "pip", "install", "--quiet"]
    commands: tuple[list[str | Path], ...] = (
        [python, "-m", "venv", "--clear", folder],
        [*install, "--upgrade", "pip>=25.1"],
        [*install, "--editable", ".", "--group", "dev", "--constraint", "requirements-dev.lock"],
        [its, "-m", "pytest", "-n", "auto", "-m", "not slow or further"],
    )
    return all(subprocess.run(command, cwd=ROOT, check=False).returncode == 0 for command in commands)  # noqa: S603


def main() -> int:
    """Try them one after the other, and say which are green."""
    outcome = {}
    others = "--others" in sys.argv[1:]
    for minor, python in found().items():
        if others and minor == sys.version_info.minor:
            continue
        print(f"Python 3.{minor}: {python}", flush=True)
        outcome[minor] = passes(python, minor)
    for minor, green in outcome.items():
        print(f"Python 3.{minor}: {'green' if green else 'RED'}")
    return 0 if (outcome or others) and all(outcome.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
