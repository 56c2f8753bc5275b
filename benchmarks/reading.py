"""Syncing templates: against credly-python-api, and fetching alone against what 4 requests in flight allow."""

import json
import sys
from math import ceil
from pathlib import Path

from benchmarks.measure import REPEATS, ROOT, Server, Took, in_turn, median, memory, run, seconds, serving
from benchmarks.peers import python_of_peer
from benchmarks.report import Line, Report
from benchmarks.stores import connected, copied, credly, workshop

LATENCY = 0.05
_PARALLEL = 4


def measure(report: Report) -> None:
    """Measure the first sync of 653 and of 5,000 templates."""
    for templates, factor in ((653, 1.5), (5000, 2.3)):
        with serving(templates=templates) as server, workshop() as folder:
            home = connected(folder / "home", server)
            _whole(report, server, home, templates, factor)
            _alone(report, server, templates)
            _unchanged(report, server, home, templates)


def _whole(report: Report, server: Server, home: Path, templates: int, factor: float) -> None:
    asked: dict[str, dict[str, int]] = {}

    def ours() -> Took:
        copy = copied(home)
        server.set(latency=LATENCY)
        took = credly(copy, "sync", "--json")
        asked["ours"] = server.set(latency=LATENCY)
        assert took.json["badges"]["added"] == templates, took.json
        return took

    def theirs() -> Took:
        server.set(latency=LATENCY)
        took = run([python_of_peer(), str(ROOT / "benchmarks" / "peer.py"), "read", server.url])
        asked["theirs"] = server.set(latency=LATENCY)
        assert took.out == str(templates), took.out
        return took

    runs = in_turn({"ours": ours, "theirs": theirs})
    ratio = seconds(runs["theirs"]) / seconds(runs["ours"])
    note = (
        f"{seconds(runs['ours']):.2f} s against {seconds(runs['theirs']):.2f} s; "
        f"{memory(runs['ours']):.0f} MB against {memory(runs['theirs']):.0f} MB; "
        f"connections {asked['ours']['connections']} against {asked['theirs']['connections']}"
    )
    what = f"sync {templates:,} templates, 50 ms, whole process, times as fast as credly-python-api"
    report.add(Line(what, ratio, must=factor, is_better="more", note=note))
    pages = ceil(templates / 50)
    counts = ", ".join(f"{count} {name}" for name, count in sorted(asked["ours"].items()))
    report.add(
        Line(f"... GETs of templates (of {pages} pages)", asked["ours"]["GET badge_templates"], must=pages, note=counts)
    )


def _alone(report: Report, server: Server, templates: int) -> None:
    server.set(latency=LATENCY)
    command = [sys.executable, "-m", "benchmarks.alone", "read", server.url]
    took = median([json.loads(run(command).out)["seconds"] for _ in range(REPEATS)])
    limit = ceil(templates / 50) * LATENCY / _PARALLEL
    must = 85 if templates == 5000 else None  # noqa: PLR2004
    note = f"{took:.2f} s, the limit is {limit:.2f} s"
    what = f"... fetching {templates:,} alone, of the limit of 4 in flight"
    report.add(Line(what, 100 * limit / took, " %", must, "more", note))


def _unchanged(report: Report, server: Server, home: Path, templates: int) -> None:
    """Measure a sync that finds nothing changed."""
    copy = copied(home)
    credly(copy, "sync")
    server.set(latency=LATENCY)
    runs = in_turn({"again": lambda: credly(copy, "sync", "--json")})
    assert runs["again"][-1].json["badges"]["unchanged"] == templates
    report.add(Line(f"... the same again, unchanged, {templates:,}", seconds(runs["again"]), " s"))
