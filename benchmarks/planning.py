"""Planning costs what is new: the same sync over a few and over a million old completions."""

from pathlib import Path

from benchmarks.measure import Server, Took, in_turn, memory, seconds, serving
from benchmarks.report import Line, Report
from benchmarks.stores import add_content, add_enrollments, add_learners, complete, connected, copied, credly, workshop

_CONTENTS = 100
_LINKED = 50
_NEW = 1000
_TEMPLATES = 100


def measure(report: Report) -> None:
    """Measure a sync with 1,000 new completions and one with nothing new, over more and more old ones."""
    with serving(templates=_TEMPLATES) as server, workshop() as folder:
        homes = {count: _made(folder / str(count), server, count) for count in (100_000, 1_000_000)}
        empty = _synced(folder / "empty", server)
        _nothing_new(report, homes[1_000_000], empty)
        for home in homes.values():
            complete(home, _NEW, _LINKED)
        _new(report, server, homes)


def _synced(home: Path, server: Server) -> Path:
    connected(home, server)
    credly(home, "sync")
    return home


def _made(home: Path, server: Server, old: int) -> Path:
    _synced(home, server)
    add_content(home, _CONTENTS, _LINKED)
    add_learners(home, old // 20)
    add_enrollments(home, old, old // 20, _CONTENTS)
    credly(home, "sync")
    return home


def _nothing_new(report: Report, home: Path, empty: Path) -> None:
    runs = in_turn({"full": lambda: credly(home, "sync"), "empty": lambda: credly(empty, "sync")}, 9)
    ratio = seconds(runs["full"]) / seconds(runs["empty"])
    note = f"{seconds(runs['full']):.3f} s against {seconds(runs['empty']):.3f} s, {memory(runs['full']):.0f} MB"
    what = "sync with nothing new on 1,000,000 completions, times the same on an empty store"
    report.add(Line(what, ratio, must=1.5, note=note))


def _new(report: Report, server: Server, homes: dict[int, Path]) -> None:
    def sync(home: Path, *how: str) -> Took:
        copy = copied(home)
        server.set()
        took = credly(copy, "sync", "--json", *how)
        assert took.json["grants"]["planned"] == _NEW, took.json
        return took

    for how, words in ((("--dry-run",), "planned, not sent"), ((), "planned and sent")):
        runs = in_turn({str(count): lambda home=home: sync(home, *how) for count, home in homes.items()})  # type: ignore[misc]  # noqa: B023
        few, many = seconds(runs["100000"]), seconds(runs["1000000"])
        note = f"{many:.2f} s against {few:.2f} s"
        what = f"sync with 1,000 new completions, {words}, on 1,000,000 old ones, times that on 100,000"
        report.add(Line(what, many / few, must=1.2, note=note))
