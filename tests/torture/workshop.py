"""A copy of the repository in which the program is broken, and its tests are run."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from threading import Lock

import pytest

ROOT = Path(__file__).parents[2]
_PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "tests.torture.leash", "-p", "no:cacheprovider")


class StoppedError(Exception):
    """It was broken off while tests ran."""


class Workshop:
    """A copy of the repository in which one mutant at a time lives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "copy"
        self._running: subprocess.Popen[str] | None = None
        self._stopped = False
        self._lock = Lock()
        self._copy()

    def stop(self) -> None:
        """End the tests that run here, and begin no others: they are in a session of their own, which Ctrl-C spares."""
        with self._lock:
            self._stopped = True
            if self._running is not None:
                _end(self._running)

    def _copy(self) -> None:
        names = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"],  # noqa: S607
            cwd=ROOT, check=True, capture_output=True, text=True,
        ).stdout.splitlines()  # fmt: skip
        for name in names:
            if (ROOT / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.folder / name)

    def noticed_by(self, changed: str, change: Callable[[str], str], tests: Iterable[str], seconds: float) -> str:
        """Return the first test that is red when a file of the program is changed, or nothing."""
        file = self.folder / "credly_cli" / changed
        source = file.read_text(encoding="utf-8")
        _write(file, change(source))
        try:
            return self.first_red(tests, seconds)
        finally:
            _write(file, source)

    def first_red(self, tests: Iterable[str], seconds: float) -> str:
        """Return the first test that is red with the program as it is in the copy, or nothing."""
        named = self.folder.parent / "named.txt"
        named.write_text("\n".join(tests), encoding="utf-8")
        try:
            code, shown = self.run(["-x", f"@{named}"], seconds)
        except subprocess.TimeoutExpired:
            return "it hangs"
        if code == -signal.SIGPROF:
            return "it goes on and on"
        if code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            return ""
        return next(iter(red(shown)), "") or shown.strip()[-200:] or "pytest itself fails"

    def run(self, arguments: list[str], seconds: float, **environ: str) -> tuple[int, str]:
        """Run tests in the copy; returns the exit code and what pytest said."""
        command = [*_PYTEST, "-rfE", "--tb=no", f"--basetemp={self.folder.parent / 'tmp'}", *arguments]
        environ = {
            **os.environ,
            **environ,
            "PYTHONPATH": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "",  # to compile everything for each mutant takes longer than most tests do
            "HYPOTHESIS_STORAGE_DIRECTORY": str(self.folder.parent / "hypothesis"),
        }
        read, write = os.pipe()
        try:
            with self._started(command, environ, read) as process:
                try:
                    shown, _ = process.communicate(timeout=seconds)
                finally:
                    _end(process)
                    self._running = None
        finally:
            os.close(read)
            os.close(write)
        if self._stopped:
            raise StoppedError
        return process.returncode, shown

    def _started(self, command: list[str], environ: dict[str, str], leash: int) -> "subprocess.Popen[str]":
        with self._lock:
            if self._stopped:
                raise StoppedError
            self._running = subprocess.Popen(  # noqa: S603 - our own tests
                command, cwd=self.folder, env=environ, text=True, start_new_session=True,
                stdin=leash, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            return self._running


def red(shown: str) -> list[str]:
    """Return the tests that pytest names as red."""
    named = (line.partition(" ")[2] for line in shown.splitlines() if line.startswith(("FAILED ", "ERROR ")))
    return [test.partition(" - ")[0] for test in named]


def _write(file: Path, source: str) -> None:
    """Write a module, and forget what was compiled of it: Python compares its size, and its time in whole seconds."""
    file.write_text(source, encoding="utf-8")
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
        compiled.unlink()


def _end(process: "subprocess.Popen[str]") -> None:
    """End the tests with all that they have started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
