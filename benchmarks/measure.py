"""Running programs and taking their time, their processor time and their memory."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REPEATS = 5


@dataclass(frozen=True)
class Took:
    """What a process took."""

    seconds: float
    processor: float
    megabytes: float
    out: str
    asked: Mapping[str, int]

    @property
    def json(self) -> Any:
        """Return what it printed."""
        return json.loads(self.out)


def run(
    command: Sequence[str], *, stdin: str = "", environ: Mapping[str, str] | None = None, codes: Sequence[int] = (0,)
) -> Took:
    """Run a process to its end."""
    variables = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "HOME": "/nonexistent", **(environ or {})}
    errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own programs
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=variables
    )
    with process, errors:
        assert process.stdin
        assert process.stdout
        process.stdin.write(stdin)
        process.stdin.close()
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)  # the memory of this child, not the largest of all
        took = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in codes:
            errors.seek(0)
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {out}{errors.read()}")
    return Took(took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out, {})


class Server:
    """The plain server, in a process of its own."""

    def __init__(self, templates: int = 0, issued: int = 0) -> None:
        command = [sys.executable, "-m", "benchmarks.server", f"--templates={templates}", f"--issued={issued}"]
        self._process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        self.url = f"http://127.0.0.1:{self._line()}"

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def set(self, *, latency: float = 0.0, limit: int = 0, forget: bool = True) -> dict[str, int]:
        """Set the switches; returns what was asked since the last time."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"latency": latency, "limit": limit, "forget": forget}) + "\n")
        self._process.stdin.flush()
        asked: dict[str, int] = json.loads(self._line())
        return asked

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()


@contextmanager
def serving(templates: int = 0, issued: int = 0) -> Iterator[Server]:
    """Have the server for a block."""
    server = Server(templates, issued)
    try:
        yield server
    finally:
        server.stop()


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def in_turn(contestants: Mapping[str, Callable[[], Took]], repeats: int = REPEATS) -> dict[str, list[Took]]:
    """Run contestants in turn, so that what disturbs the machine disturbs them all."""
    runs: dict[str, list[Took]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, contestant in contestants.items():
            runs[name].append(contestant())
    return runs


def seconds(runs: Sequence[Took]) -> float:
    """Return the median time of some runs."""
    return median([took.seconds for took in runs])


def processor(runs: Sequence[Took]) -> float:
    """Return the median processor time of some runs, which what else the machine does hardly changes."""
    return median([took.processor for took in runs])


def memory(runs: Sequence[Took]) -> float:
    """Return the largest memory of some runs, in MB."""
    return max(took.megabytes for took in runs)
