"""Break the program in one place at a time, and see that the tests notice: a mutant that survives is a missing test.

python -m tests.torture.mutants [NAME...]
"""

import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.torture.workshop import Workshop


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


def _changed(mutant: Mutant, source: str) -> str:
    if mutant.old not in source:
        raise SystemExit(f"{mutant.name}: {mutant.file} has no {mutant.old!r} any more.")
    return source.replace(mutant.old, mutant.new, 1)


def main() -> int:
    """Try each mutant and print the table."""
    with tempfile.TemporaryDirectory(prefix="credly-mutants-") as folder:
        return _tried(Workshop(Path(folder)))


def _tried(shop: Workshop) -> int:
    survivors = 0
    for mutant in read_mutants():
        if sys.argv[1:] and not any(word in mutant.name for word in sys.argv[1:]):
            continue
        started = time.monotonic()
        alive = not shop.noticed_by(mutant.file, partial(_changed, mutant), mutant.tests, seconds=600)
        survivors += alive
        verdict = "SURVIVED" if alive else "killed"
        print(f"{mutant.name:<57}{mutant.file:<26}{verdict:<10}{time.monotonic() - started:6.1f} s", flush=True)  # noqa: T201
    print(f"{survivors} survived")  # noqa: T201
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
