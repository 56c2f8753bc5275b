"""Scenario A 14: the memory is not enough for an import. It ends with a sentence, and what it took is whole."""

import resource
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import Site

ROWS, BATCH = 60_000, 20_000
LIMITS = range(36, 200, 6)  # MiB; where too few are enough to start at all differs between machines
FILES = {
    "learners": ("email,learner_id,first_name,last_name", "l{0}@example.org,id{0},First{0},Last{0}"),
    "progress": ("email,content_id,status,completed_at", "l{0}@example.org,course,completed,2026-03-01T09:00:00Z"),
}


def limited(mebibytes: int) -> Any:
    """Return what lets a child have so much memory and no more."""
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, mebibytes << 20))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "whole", "table"), [("learners", BATCH, "learners"), ("progress", ROWS, "enrollments")]
)
def test_an_import_that_runs_out_of_memory_leaves_whole_batches_and_can_be_done_again(
    tmp_path: Path, kind: str, whole: int, table: str
) -> None:
    """Scenario 14: with a little more each time, until it is enough."""
    header, row = FILES[kind]
    with Site(tmp_path) as site:
        files = {"content": "content_id,title\ncourse,Course\n"}
        files[kind] = f"{header}\n" + "".join(f"{row.format(number)}\n" for number in range(ROWS))
        for name, text in files.items():
            (site.home / f"{name}.csv").write_text(text)
        site.must("import", "content", str(site.home / "content.csv"))
        codes = []
        for mebibytes in LIMITS:
            process = site.start("import", kind, str(site.home / f"{kind}.csv"), before=limited(mebibytes))
            try:
                _, err = process.communicate(timeout=30)
            except subprocess.TimeoutExpired:  # Python itself may hang without memory: killed, it must be whole too
                process.kill()
                _, err = process.communicate(timeout=60)
            codes.append(process.returncode)
            assert "Traceback" not in err
            with closing(sqlite3.connect(site.home / "credly.db")) as store, store:
                taken = store.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - a name of ours
            assert (taken % whole, site.integrity()) == (0, "ok"), err
            if not process.returncode:
                break
        assert codes[-1] == 0
        assert set(codes[:-1]) <= {1, 74, -signal.SIGKILL}, codes
        assert codes[:-1]
        assert taken == ROWS
