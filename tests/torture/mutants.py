"""Break the program in one place at a time, and see that the tests notice: a mutant that survives is a missing test.

python -m tests.torture.mutants [NAME...]
"""

import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_COPIED = ("credly_cli", "tests", "pyproject.toml")


@dataclass(frozen=True)
class Redundant:
    """One line changed that no test can notice, and the second defence behind it."""

    name: str
    file: str
    old: str
    new: str
    defence: str


@dataclass(frozen=True)
class Mutant:
    """One line changed, and the tests that must notice."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def read_mutants() -> list[Mutant]:
    """Read the changes from ``mutants.toml``."""
    with Path(__file__).with_name("mutants.toml").open("rb") as file:
        rows = tomllib.load(file)["mutant"]
    return [Mutant(**{**row, "tests": tuple(row["tests"])}) for row in rows]


def read_redundant() -> list[Redundant]:
    """Read the changes that a second defence makes invisible."""
    with Path(__file__).with_name("mutants.toml").open("rb") as file:
        return [Redundant(**row) for row in tomllib.load(file)["redundant"]]


def survives(mutant: Mutant, folder: Path) -> bool:
    """Apply the change to a copy and run the tests; returns whether they stay green."""
    for name in _COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    file = folder / "credly_cli" / mutant.file
    text = file.read_text(encoding="utf-8")
    if text.count(mutant.old) < 1:
        raise SystemExit(f"{mutant.name}: {mutant.file} has no {mutant.old!r} any more.")
    file.write_text(text.replace(mutant.old, mutant.new, 1), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *mutant.tests]
    try:
        done = subprocess.run(  # noqa: S603 - our own tests
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=60
        )
    except subprocess.TimeoutExpired:
        return False  # a hanging test is a red one
    if done.returncode not in (0, 1):
        print(done.stdout[-2000:], done.stderr[-500:])  # noqa: T201
    return done.returncode == 0


def main() -> int:
    """Try each mutant and print the table."""
    survivors = 0
    for mutant in read_mutants():
        if sys.argv[1:] and not any(word in mutant.name for word in sys.argv[1:]):
            continue
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            alive = survives(mutant, Path(folder))
        survivors += alive
        verdict = "SURVIVED" if alive else "killed"
        print(f"{mutant.name:<57}{mutant.file:<26}{verdict:<10}{time.monotonic() - started:6.1f} s", flush=True)  # noqa: T201
    print(f"{survivors} survived")  # noqa: T201
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
