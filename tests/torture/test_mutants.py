"""The mutants of ``make mutants`` fit the program as it is; whether the tests notice them is for that command."""

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.torture import random_mutants, workshop
from tests.torture.mutants import Mutant, Redundant, read_mutants, read_redundant
from tests.torture.mutations import mutations_of
from tests.torture.workshop import ROOT


@pytest.mark.parametrize("mutant", read_mutants(), ids=lambda mutant: mutant.name)
def test_a_mutant_changes_a_line_that_is_there_and_names_tests_that_are(mutant: Mutant) -> None:
    assert mutant.old in (ROOT / "credly_cli" / mutant.file).read_text(encoding="utf-8")
    for named in mutant.tests:
        file, _, name = named.partition("::")
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not name or re.search(rf"\b{name.partition('[')[0].rpartition('::')[2]}\b", text)


@pytest.mark.parametrize("change", read_redundant(), ids=lambda change: change.name)
def test_a_redundant_line_is_there_and_its_second_defence_is_named(change: Redundant) -> None:
    assert change.old in (ROOT / "credly_cli" / change.file).read_text(encoding="utf-8")
    assert change.defence


@pytest.mark.parametrize(("file", "line", "change"), random_mutants.known())
def test_a_mutant_that_is_known_to_survive_is_one_that_may_be_drawn(file: str, line: str, change: str) -> None:
    source = (ROOT / "credly_cli" / file).read_text(encoding="utf-8")
    assert (line, change) in {(mutation.text, mutation.change) for mutation in mutations_of(file, source)}


def test_a_draw_that_is_broken_off_leaves_no_tests_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = tmp_path / "started"
    script = f"import os, time; open({str(started)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    monkeypatch.setattr(workshop, "_PYTEST", (sys.executable, "-c", script))
    monkeypatch.setattr(workshop.Workshop, "_copy", lambda shop: shop.folder.mkdir(parents=True))
    shop = workshop.Workshop(tmp_path / "shop")
    with ThreadPoolExecutor() as pool:
        trial = pool.submit(shop.first_red, ["tests/test_smoke.py"], 60)
        while not (started.exists() and started.read_text()):
            time.sleep(0.01)
        shop.stop()
        with pytest.raises(workshop.StoppedError):
            trial.result(timeout=10)
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)
    with pytest.raises(workshop.StoppedError):
        shop.first_red(["tests/test_smoke.py"], 60)


@pytest.mark.further
def test_a_draw_that_is_killed_leaves_nothing_running() -> None:
    tests = "import subprocess, tests.torture.leash as _; print('on', flush=True); subprocess.run(['sleep', '60'])"
    read, write = os.pipe()
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", tests],
        cwd=ROOT, stdin=read, stdout=subprocess.PIPE, start_new_session=True,
        env={name: value for name, value in os.environ.items() if name != "PYTEST_XDIST_WORKER"},
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stdout.readline() == b"on\n"
        os.close(read)
        os.close(write)  # as when who holds it is killed
        assert process.stdout.read() == b""  # nobody has it open any more
        assert process.wait() == -signal.SIGIO
