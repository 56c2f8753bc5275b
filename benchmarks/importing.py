"""Importing a million rows: against what the standard library needs for the same file without a thought."""

import sys
from pathlib import Path

from benchmarks.measure import ROOT, Took, in_turn, memory, processor, run, seconds, serving
from benchmarks.report import Line, Report
from benchmarks.stores import add_content, connected, copied, credly, megabytes, progress_file, workshop

_ROWS = 1_000_000
_MEGABYTES = 150


def measure(report: Report) -> None:
    """Measure the first and the second import of 1,000,000 rows of progress, and the memory of 100,000."""
    with serving() as server, workshop() as folder:
        home = connected(folder / "home", server)
        add_content(home, 100)
        many = progress_file(folder / "progress.csv", _ROWS)
        few = progress_file(folder / "few.csv", _ROWS // 10)
        _times(report, home, many)
        _memory(report, home, many, few)


def _times(report: Report, home: Path, file: Path) -> None:
    bare = [sys.executable, str(ROOT / "benchmarks" / "bare.py"), str(file), str(home.parent / "bare.db")]
    reruns: list[Took] = []

    def ours() -> Took:
        copy = copied(home)
        took = credly(copy, "import", "progress", str(file), "--json")
        assert took.json["added"] == _ROWS, took.json
        reruns.append(credly(copy, "import", "progress", str(file), "--json"))
        assert reruns[-1].json["unchanged"] == _ROWS, reruns[-1].json
        return took

    runs = in_turn({"bare": lambda: run(bare), "ours": ours})
    first, base, second = processor(runs["ours"]), processor(runs["bare"]), processor(reruns)
    rate = f"{_ROWS / seconds(runs['ours']):,.0f} rows a second"
    note = f"{first:.1f} s of the processor against {base:.1f} s, {rate}, {megabytes(file):.0f} MB of CSV"
    what = "import of 1,000,000 rows of progress, times a bare csv.reader and executemany"
    report.add(Line(what, first / base, must=6, note=note))
    what = "the same import again, unchanged, times the first"
    report.add(Line(what, second / first, must=1, note=f"{second:.1f} s of the processor against {first:.1f} s"))


def _memory(report: Report, home: Path, many: Path, few: Path) -> None:
    runs = in_turn(
        {
            file.name: lambda file=file: credly(copied(home), "import", "progress", str(file))  # type: ignore[misc]
            for file in (many, few)
        },
        1,
    )
    most, least = memory(runs[many.name]), memory(runs[few.name])
    report.add(Line("peak memory of importing 1,000,000 rows", most, " MB", must=_MEGABYTES))
    report.add(Line("... times that of 100,000 rows", most / least, must=1.1, note=f"{least:.0f} MB"))
